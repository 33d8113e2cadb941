//! A token together with when it ends.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use secrecy::{ExposeSecret as _, SecretString};

use super::freshness::{from_unix_seconds, told_end};
use crate::{Error, ErrorKind};

/// A token and when it ends, for handing it to something that has to know.
#[derive(Clone)]
#[non_exhaustive]
pub struct TokenDetails {
    /// The token.
    pub token: SecretString,
    /// When it ends; see [`told_end`].
    pub expires_at: SystemTime,
}

impl TokenDetails {
    /// A token that ends at this moment by this machine's clock, Unix seconds.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use colony_core::token::TokenDetails;
    ///
    /// let details = TokenDetails::new("opaque".to_owned().into(), 1_790_000_900.5);
    /// assert_eq!(details.expires_at, SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_000_900_500));
    /// ```
    pub fn new(token: SecretString, dead_at: f64) -> Self {
        let expires_at = from_unix_seconds(told_end(token.expose_secret(), dead_at));
        Self { token, expires_at }
    }
}

impl fmt::Debug for TokenDetails {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenDetails").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The code of the error of a call that asked for a token with more time left than can be had.
pub const TOO_SHORT: &str = "min_ttl";

/// The error where no token lives as long as was asked for: `whole` is the life of a new one, where new ones do not
/// live so long.
pub fn too_short(min_ttl: Duration, whole: Option<f64>) -> Error {
    let asked = min_ttl.as_secs_f64();
    match whole {
        Some(whole) => Error::argument_refused(
            "min_ttl",
            format!("a token lives {} s, and one with {asked} s left was requested", whole.round()),
        ),
        None => Error::build(
            ErrorKind::Busy,
            format!("the token ends in less than {asked} s, and no later one was available"),
        )
        .code(TOO_SHORT)
        .finish(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::freshness;

    fn ends(exp: u64, dead_at: f64) -> f64 {
        use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
        let token = format!("e30.{}.x", BASE64_URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{exp}}}")));
        freshness::unix_seconds(TokenDetails::new(token.into(), dead_at).expires_at)
    }

    #[test]
    fn the_end_is_the_jwt_s_unless_the_clock_is_wrong() {
        assert_eq!(ends(1_000, 1_001.7), 1_000.0);
        assert_eq!(ends(1_000, 939.0), 939.0);
        assert_eq!(ends(1_000, 90_000.5), 90_000.5);
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", TokenDetails::new("hush".to_owned().into(), 1.0)).contains("hush"));
    }
}
