//! What a two-factor code looks like.

use crate::{Error, Result};

/// Refuses what cannot be a two-factor code before it is sent and counts as a failed one. A code is 6 to
/// 8 digits from an authenticator, or a recovery code of 10 to 16 letters and digits. Most often the
/// secret that codes are made from is given by mistake.
///
/// The clients do this with every code; it is here for programs that ask a person for one.
///
/// # Errors
///
/// [`InvalidArgument`](crate::ErrorKind::InvalidArgument), without the code in its message.
///
/// ```
/// use colony_core::two_factor_code;
///
/// assert!(two_factor_code::check("123456").is_ok());
/// assert!(two_factor_code::check("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").is_err());
/// ```
pub fn check(code: &str) -> Result<()> {
    let digits = (6..=8).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
    let recovery = (10..=16).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if digits || recovery {
        return Ok(());
    }
    Err(Error::argument_refused(
        "totp",
        format!(
            "the two-factor code has {} characters and is neither 6 to 8 digits nor a recovery code; give the current code, not the secret that generates it",
            code.chars().count()
        ),
    ))
}
