//! A token with its lifetime, and its file formats.

use std::time::Duration;

use colony_core::{
    openid::{
        audience::{Audience, Need},
        exchanged::{self, Granted},
    },
    token::{
        TokenDetails,
        envelope::{Envelope, Unreadable, Unwritable},
        freshness::{self, Lifetime},
    },
};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// A token and its lifetime.
pub(crate) struct CachedToken {
    pub(crate) secret: SecretString,
    pub(crate) lifetime: Lifetime,
    /// The value of the `Authorization` header, computed once; `None` for a token that is not valid in a header.
    pub(crate) bearer: Option<HeaderValue>,
    /// Whether this process logged in for it. Otherwise it was found, and can be of any age.
    pub(crate) minted: bool,
    /// The grant of an exchange; `None` for a login's token.
    exchanged: Option<Box<Exchanged>>,
}

struct Exchanged {
    granted: Granted,
    id: Option<Lifetime>,
}

impl CachedToken {
    /// Creates a login's token.
    pub(crate) fn new(secret: SecretString, lifetime: Lifetime) -> Self {
        let bearer = HeaderValue::try_from(format!("Bearer {}", secret.expose_secret())).ok();
        let bearer = bearer.map(|mut value| {
            value.set_sensitive(true);
            value
        });
        Self { secret, lifetime, bearer, minted: false, exchanged: None }
    }

    /// Marks this token as obtained by a login of this process just now.
    pub(crate) fn just_minted(self) -> Self {
        Self { minted: true, ..self }
    }

    /// Creates a token for another service, which this client does not send itself.
    pub(crate) fn exchanged(granted: Granted) -> Self {
        let (secret, lifetime) = (granted.access_token.clone(), granted.lifetime());
        let id = granted.id_lifetime();
        let exchanged = Some(Box::new(Exchanged { granted, id }));
        Self { secret, lifetime, bearer: None, minted: false, exchanged }
    }

    /// Returns the grant of an exchange.
    pub(crate) fn granted(&self) -> Option<&Granted> {
        self.exchanged.as_ref().map(|exchanged| &exchanged.granted)
    }

    /// Returns whether this is that token, or the `id_token` that came with it.
    pub(crate) fn is(&self, token: &SecretString) -> bool {
        let is = |own: &SecretString| own.expose_secret() == token.expose_secret();
        is(&self.secret) || self.granted().and_then(|granted| granted.id_token.as_ref()).is_some_and(is)
    }

    /// Returns whether the needed part has more than its margin to live. An absent part does not go stale.
    pub(crate) fn is_fresh(&self, need: Need, now: f64) -> bool {
        self.all(need, |life| life.is_fresh(now))
    }

    /// Returns whether the needed part has not expired.
    pub(crate) fn is_alive(&self, need: Need, now: f64) -> bool {
        self.all(need, |life| life.is_alive(now))
    }

    fn all(&self, need: Need, holds: impl Fn(&Lifetime) -> bool) -> bool {
        // The warm path of every call.
        if need == Need::AccessToken {
            return holds(&self.lifetime);
        }
        match (need, self.exchanged.as_ref().and_then(|exchanged| exchanged.id.as_ref())) {
            (Need::IdToken, Some(id)) => holds(id),
            (Need::All, Some(id)) => holds(id) && holds(&self.lifetime),
            _ => holds(&self.lifetime),
        }
    }

    /// Returns when the needed part expires, and its whole lifetime if known.
    pub(crate) fn end(&self, need: Need) -> (f64, Option<f64>) {
        let of = |token: &SecretString, dead_at, granted_at: Option<f64>| {
            let end = freshness::told_end(token.expose_secret(), dead_at);
            let issued = freshness::claims(token.expose_secret()).and_then(|claims| claims.iat);
            (end, issued.or(granted_at).map(|issued| end - issued))
        };
        let Some(granted) = self.granted() else { return of(&self.secret, self.lifetime.dead_at, None) };
        let access = of(&granted.access_token, granted.expiry, Some(granted.at));
        let id = granted.id_token.as_ref().zip(granted.id_expiry);
        let id = id.map(|(id, end)| of(id, end, Some(granted.at)));
        match (need, id) {
            (Need::IdToken, Some(id)) => id,
            (Need::All, Some(id)) if id.0 < access.0 => id,
            _ => access,
        }
    }

    /// Returns the token and its expiry.
    pub(crate) fn details(&self) -> TokenDetails {
        TokenDetails::new(self.secret.clone(), self.lifetime.dead_at)
    }
}

/// The format of a token's file.
#[derive(Debug, Clone)]
pub(crate) enum Format {
    /// A login's token: the Python package's file.
    Login,
    /// A token for another service.
    Exchanged {
        /// The fingerprint of the login that was exchanged.
        login: String,
        audience: Audience,
    },
}

impl Format {
    /// Reads a file that was written at `modified`, according to the file system.
    pub(crate) fn read(&self, text: &[u8], modified: f64) -> Result<Record, Unreadable> {
        match self {
            Self::Login => {
                let Envelope { token, expiry } = Envelope::read(text)?;
                let lifetime = Lifetime::from_file(expiry, token.expose_secret());
                Ok(Record { token: CachedToken::new(token, lifetime), expiry, written_at: modified })
            }
            Self::Exchanged { login, audience } => {
                let granted = Granted::read(text, login, audience)?;
                // Copying the file may have changed its modification time.
                let (expiry, written_at) = (granted.expiry, granted.at);
                Ok(Record { token: CachedToken::exchanged(granted), expiry, written_at })
            }
        }
    }

    pub(crate) fn write(&self, token: &CachedToken) -> Result<String, Unwritable> {
        match (self, token.granted()) {
            (Self::Exchanged { login, audience }, Some(granted)) => granted.write(login, audience),
            (_, None) => Envelope { token: token.secret.clone(), expiry: token.lifetime.stale_at }.write(),
            // A session holds only tokens from its own mint.
            (Self::Login, Some(_)) => Err(Unwritable::NoToken),
        }
    }
}

/// The content of a file: a token, and what the file states about it.
pub(crate) struct Record {
    pub(crate) token: CachedToken,
    /// When the token expires according to the file, Unix seconds.
    expiry: f64,
    /// When it was written, Unix seconds.
    pub(crate) written_at: f64,
}

impl Record {
    /// Returns the reason why the record cannot be believed now, if any.
    pub(crate) fn doubt(&self, now: f64) -> Option<&'static str> {
        match self.token.granted() {
            None => freshness::is_absurd(self.expiry, now).then_some("expiry_absurd"),
            Some(granted) => (!exchanged::is_dated_well(granted.at, now)).then_some("from_the_future"),
        }
    }

    /// Returns whether a call with this cap on the age takes the token.
    pub(crate) fn is_taken(&self, ttl: Option<Duration>, now: f64) -> bool {
        self.token.lifetime.is_fresh(now)
            && self.doubt(now).is_none()
            && Lifetime::within_ttl(self.written_at, ttl, now)
    }
}
