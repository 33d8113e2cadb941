//! What a shared token is called.

use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use super::cache_path::short_hex;
use crate::{Error, Result};

/// Names a token that programs on a host share: the program, and everything that decides which token is right.
///
/// The program's name is the name of a directory. The parts are only hashed, each preceded by its length, so that no two
/// names are the same file; a secret part makes the token that of one key or account and appears nowhere else.
///
/// ```
/// use colony_core::token::TokenName;
///
/// let name = TokenName::new("fctl").part("org", "acme").part("stack", "prod").secret("membership-token");
/// assert_eq!(name.program(), "fctl");
/// assert_ne!(name.fingerprint(), TokenName::new("fctl").part("org", "acme").fingerprint());
/// assert!(!format!("{name:?}").contains("membership"));
/// ```
#[derive(Clone)]
pub struct TokenName {
    program: String,
    hash: Sha256,
    has_secret: bool,
}

impl TokenName {
    /// The tokens of this program: one path segment.
    pub fn new(program: impl Into<String>) -> Self {
        let program = program.into();
        let hash = Sha256::new();
        Self { hash: added(hash, "program", &program), program, has_secret: false }
    }

    /// Adds a part: the server, an organisation, a user.
    #[must_use]
    pub fn part(self, name: &str, value: impl AsRef<str>) -> Self {
        Self { hash: added(added(self.hash, "part", name), "value", value.as_ref()), ..self }
    }

    /// Adds a secret, the key that tokens are fetched with for example.
    #[must_use]
    pub fn secret(self, value: impl AsRef<str>) -> Self {
        Self { hash: added(self.hash, "secret", value.as_ref()), has_secret: true, ..self }
    }

    /// The program's name.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// The name of the token's file, without its extension: 16 hex digits.
    pub fn fingerprint(&self) -> String {
        short_hex(&self.hash.clone().finalize())
    }

    /// Returns what a store that hosts share derives its keys from. `None` without a secret part: then whoever knows the
    /// name could read the token there.
    pub fn store_secret(&self) -> Option<SecretString> {
        let digits = || {
            self.hash
                .clone()
                .chain_update("store")
                .finalize()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        self.has_secret.then(|| digits().into())
    }

    /// Checks the program's name.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) unless it is one path segment other than `colony-sdk`,
    /// which is where The Colony's tokens are.
    pub fn check(&self) -> Result<()> {
        let name = self.program.as_str();
        let is_segment = !name.is_empty()
            && !name.starts_with('.')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !is_segment {
            let message =
                format!("{name:?} is not the name of a program: use letters, digits, `-`, `_` and `.`");
            return Err(Error::argument_refused("program", message));
        }
        if name.eq_ignore_ascii_case("colony-sdk") {
            let message = "colony-sdk is the directory of The Colony's own tokens; use the program's name";
            return Err(Error::argument_refused("program", message));
        }
        Ok(())
    }
}

fn added(hash: Sha256, kind: &str, text: &str) -> Sha256 {
    hash.chain_update(format!("{kind} {}:", text.len())).chain_update(text)
}

impl std::fmt::Debug for TokenName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenName")
            .field("program", &self.program)
            .field("fingerprint", &self.fingerprint())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_names_share_a_file() {
        let name = || TokenName::new("p");
        let names = [
            name(),
            TokenName::new("pp"),
            name().part("a", "b"),
            name().part("a", "").part("b", ""),
            name().part("ab", ""),
            name().part("", "ab"),
            name().secret("a"),
            name().part("a", "b").secret("c"),
            name().part("a", "bc"),
            name().part("a", "b").part("c", "d"),
            name().part("c", "d").part("a", "b"),
        ];
        let mut prints: Vec<String> = names.iter().map(TokenName::fingerprint).collect();
        assert!(prints.iter().all(|print| print.len() == 16));
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), names.len());
    }

    #[test]
    fn a_program_is_one_path_segment_and_not_this_sdk() {
        for good in ["fctl", "my-tool_2.0"] {
            TokenName::new(good).check().unwrap();
        }
        for bad in ["", ".", "..", "a/b", "a\\b", "/a", "a b", "ü", "colony-sdk", "Colony-SDK", "a\0"] {
            assert_eq!(TokenName::new(bad).check().unwrap_err().argument(), Some("program"), "{bad:?}");
        }
    }
}
