//! Which credential may not take another's place.
//!
//! A credential that renews itself is worth a person's login. Whatever would lose it, or send it somewhere
//! else, or lay it open, is refused unless the caller says that this is meant.

use std::{error::Error as StdError, fmt};

pub use super::keeping::Keeping;
use super::{Credential, Origin, document::SCHEMA};
use crate::{Error, ErrorKind};

/// A credential as it is, or is to be, kept.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Standing<'a> {
    /// The credential.
    pub credential: &'a Credential,
    /// The schema version of its file.
    pub schema: u64,
    /// How it is kept.
    pub keeping: Keeping,
}

impl<'a> Standing<'a> {
    /// A credential in a private file of the present schema.
    pub fn new(credential: &'a Credential) -> Self {
        Self { credential, schema: SCHEMA, keeping: Keeping::PRIVATE_FILE }
    }

    /// The schema version of its file.
    #[must_use]
    pub fn schema(mut self, schema: u64) -> Self {
        self.schema = schema;
        self
    }

    /// How it is kept.
    #[must_use]
    pub fn keeping(mut self, keeping: Keeping) -> Self {
        self.keeping = keeping;
        self
    }
}

/// Why a credential may not take the place of the one that is kept.
///
/// New reasons may be added; match with a `_` arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Downgrade {
    /// The kept one renews itself and the new one does not.
    NotRefreshable,
    /// The kept one has been rotated since the new one was: its refresh token is spent.
    Older,
    /// The kept one's file has a newer schema.
    OlderSchema,
    /// The new one would be sent over plain HTTP.
    Unencrypted,
    /// The new one is another issuer's.
    OtherIssuer,
    /// The new one is refreshed on another host.
    OtherHost,
    /// The new one is refreshed at another address of the same host.
    OtherTokenEndpoint,
    /// The new one was issued to another client.
    OtherClient,
    /// The new one is for another resource.
    OtherResource,
    /// The kept one is in a keyring, or encrypted, and the new one would lie open.
    WeakerKeeping,
    /// More users could read or write the new one's file.
    WiderMode,
}

impl Downgrade {
    /// The reason in one word, for a field of a log event, and [`Error::code`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotRefreshable => "not_refreshable",
            Self::Older => "older",
            Self::OlderSchema => "older_schema",
            Self::Unencrypted => "unencrypted",
            Self::OtherIssuer => "other_issuer",
            Self::OtherHost => "other_host",
            Self::OtherTokenEndpoint => "other_token_endpoint",
            Self::OtherClient => "other_client",
            Self::OtherResource => "other_resource",
            Self::WeakerKeeping => "weaker_keeping",
            Self::WiderMode => "wider_mode",
        }
    }
}

impl fmt::Display for Downgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRefreshable => "the stored credential renews itself, and the new one cannot",
            Self::Older => "the stored credential was rotated after the new one, whose refresh token is spent",
            Self::OlderSchema => "the stored credential was written by a newer version",
            Self::Unencrypted => "the stored credential is sent over https, and the new one would not be",
            Self::OtherIssuer => "the new credential is another issuer's",
            Self::OtherHost => "the new credential is refreshed on another host",
            Self::OtherTokenEndpoint => "the new credential is refreshed at another address",
            Self::OtherClient => "the new credential was issued to another client",
            Self::OtherResource => "the new credential is for another resource",
            Self::WeakerKeeping => {
                "the stored credential is in a keyring or encrypted, and the new one would lie in a plain file"
            }
            Self::WiderMode => "more users could read the new credential's file",
        })
    }
}

impl StdError for Downgrade {}

impl From<Downgrade> for Error {
    fn from(downgrade: Downgrade) -> Self {
        Self::build(ErrorKind::CredentialDowngrade, downgrade.to_string())
            .code(downgrade.as_str())
            .hint("Nothing was changed; log out first, or say that the downgrade is meant")
            .finish()
    }
}

/// Whether a credential may take the place of the kept one.
///
/// ```
/// use colony_core::credential::{
///     Credential, CredentialId,
///     change::{Downgrade, Standing, check},
/// };
///
/// let read = |reply: &str| {
///     let id = CredentialId::new("https://thecolony.ai", "colony_app");
///     Credential::from_reply(id, "https://thecolony.ai/oauth/token", reply.as_bytes(), 1.0)
/// };
/// let kept = read(r#"{"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 900}"#)?;
/// let new = read(r#"{"access_token": "at-2", "expires_in": 900}"#)?;
/// assert_eq!(check(Standing::new(&kept), Standing::new(&new)), Err(Downgrade::NotRefreshable));
/// # Ok::<(), colony_core::Error>(())
/// ```
///
/// # Errors
///
/// The first [`Downgrade`] that it would be.
pub fn check(kept: Standing<'_>, new: Standing<'_>) -> Result<(), Downgrade> {
    let (old, other) = (kept.credential, new.credential);
    let refused = |refused: bool, why: Downgrade| if refused { Err(why) } else { Ok(()) };
    refused(new.schema < kept.schema, Downgrade::OlderSchema)?;
    refused(is_https(&old.token_endpoint) && !is_https(&other.token_endpoint), Downgrade::Unencrypted)?;
    refused(is_https(&old.id.issuer) && !is_https(&other.id.issuer), Downgrade::Unencrypted)?;
    refused(old.id.issuer != other.id.issuer, Downgrade::OtherIssuer)?;
    refused(origin(&old.token_endpoint) != origin(&other.token_endpoint), Downgrade::OtherHost)?;
    refused(old.token_endpoint != other.token_endpoint, Downgrade::OtherTokenEndpoint)?;
    refused(old.id.client_id != other.id.client_id, Downgrade::OtherClient)?;
    refused(old.id.resource != other.id.resource, Downgrade::OtherResource)?;
    refused(old.is_refreshable() && !other.is_refreshable(), Downgrade::NotRefreshable)?;
    let same_token = old.refresh_fingerprint() == other.refresh_fingerprint();
    refused(old.is_refreshable() && !same_token && other.rotated_at < old.rotated_at, Downgrade::Older)?;
    refused(new.keeping.rank() < kept.keeping.rank(), Downgrade::WeakerKeeping)?;
    match (kept.keeping, new.keeping) {
        (Keeping::File { mode: old }, Keeping::File { mode: new }) => {
            refused(new & 0o777 & !old != 0, Downgrade::WiderMode)
        }
        (_, Keeping::File { mode }) => refused(mode & 0o077 != 0, Downgrade::WiderMode),
        _ => Ok(()),
    }
}

fn origin(url: &str) -> Option<Origin> {
    Origin::of("token_endpoint", url).ok()
}

fn is_https(url: &str) -> bool {
    origin(url).is_some_and(|origin| origin.is_https)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::CredentialId;

    fn credential(issuer: &str, path: &str, refresh: Option<&str>, rotated_at: f64) -> Credential {
        let id = CredentialId::new(issuer, "colony_app");
        let reply = serde_json::json!({"access_token": "at", "refresh_token": refresh, "expires_in": 900});
        let text = reply.to_string();
        Credential::from_reply(id, format!("{issuer}{path}"), text.as_bytes(), rotated_at).unwrap()
    }

    #[test]
    fn every_downgrade_is_told_apart() {
        let kept = credential("https://a.example", "/token", Some("rt-1"), 100.0);
        let try_new = |new: &Credential| check(Standing::new(&kept), Standing::new(new));
        let new = |issuer, path, refresh| credential(issuer, path, refresh, 200.0);
        assert_eq!(try_new(&kept), Ok(()));
        assert_eq!(try_new(&new("https://a.example", "/token", Some("rt-2"))), Ok(()));
        for (new, why) in [
            (new("https://a.example", "/token", None), Downgrade::NotRefreshable),
            (credential("https://a.example", "/token", Some("rt-0"), 99.0), Downgrade::Older),
            (new("http://127.0.0.1:80", "/token", Some("rt-2")), Downgrade::Unencrypted),
            (new("https://b.example", "/token", Some("rt-2")), Downgrade::OtherIssuer),
            (new("https://a.example", "/other", Some("rt-2")), Downgrade::OtherTokenEndpoint),
        ] {
            assert_eq!(try_new(&new), Err(why));
        }
        let mut other = new("https://a.example", "/token", Some("rt-2"));
        other.token_endpoint = "https://b.example/token".to_owned();
        assert_eq!(try_new(&other), Err(Downgrade::OtherHost));
        other.token_endpoint = "http://a.example/token".to_owned();
        assert_eq!(try_new(&other), Err(Downgrade::Unencrypted));
        let mut other = new("https://a.example", "/token", Some("rt-2"));
        other.id.client_id = "colony_other".to_owned();
        assert_eq!(try_new(&other), Err(Downgrade::OtherClient));
        let mut other = new("https://a.example", "/token", Some("rt-2"));
        other.id.resource = Some("https://r".to_owned());
        assert_eq!(try_new(&other), Err(Downgrade::OtherResource));
    }

    #[test]
    fn how_it_is_kept_gets_no_weaker() {
        let kept = credential("https://a.example", "/token", Some("rt-1"), 100.0);
        let file = |mode| Keeping::File { mode };
        let try_keeping =
            |old, new| check(Standing::new(&kept).keeping(old), Standing::new(&kept).keeping(new));
        for (old, new) in [
            (Keeping::Keyring, Keeping::Encrypted),
            (Keeping::Keyring, file(0o600)),
            (Keeping::Encrypted, file(0o600)),
        ] {
            assert_eq!(try_keeping(old, new), Err(Downgrade::WeakerKeeping));
        }
        for mode in [0o640, 0o604, 0o660, 0o666, 0o777, 0o620] {
            assert_eq!(try_keeping(file(0o600), file(mode)), Err(Downgrade::WiderMode));
        }
        assert_eq!(try_keeping(file(0o400), file(0o600)), Err(Downgrade::WiderMode));
        for (old, new) in [
            (file(0o600), Keeping::Encrypted),
            (file(0o600), Keeping::Keyring),
            (Keeping::Encrypted, Keeping::Keyring),
            (file(0o600), file(0o100_600)),
            (file(0o640), file(0o600)),
        ] {
            assert_eq!(try_keeping(old, new), Ok(()));
        }
    }

    #[test]
    fn a_newer_schema_is_not_replaced() {
        let kept = credential("https://a.example", "/token", Some("rt-1"), 100.0);
        let newer = Standing::new(&kept).schema(2);
        assert_eq!(check(newer, Standing::new(&kept)), Err(Downgrade::OlderSchema));
        assert_eq!(check(Standing::new(&kept), newer), Ok(()));
    }

    #[test]
    fn a_login_that_never_renewed_itself_may_be_replaced_by_another() {
        let kept = credential("https://a.example", "/token", None, 100.0);
        let new = credential("https://a.example", "/token", None, 50.0);
        assert_eq!(check(Standing::new(&kept), Standing::new(&new)), Ok(()));
    }

    #[test]
    fn the_error_names_the_reason() {
        let error = Error::from(Downgrade::OtherIssuer);
        assert_eq!(error.kind(), ErrorKind::CredentialDowngrade);
        assert_eq!(error.code(), Some("other_issuer"));
        assert!(error.hint().is_some());
    }
}
