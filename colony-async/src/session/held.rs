//! A token that is held, and what it looks like in a file.

use colony_core::{
    openid::{
        audience::{Audience, Need},
        exchanged::{self, Granted},
    },
    token::{
        envelope::{Envelope, Unreadable, Unwritable},
        freshness::{self, Lifetime},
    },
};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// A token and how long it is good for.
pub(crate) struct Held {
    pub(crate) token: SecretString,
    pub(crate) lifetime: Lifetime,
    /// The value of the `Authorization` header, made once; `None` for a token that no header can carry.
    pub(crate) bearer: Option<HeaderValue>,
    /// Whether this process logged in for it. Otherwise it was found, and may be as old as another.
    pub(crate) minted: bool,
    /// What came with the token; nothing comes with a login's.
    beside: Option<Box<Beside>>,
}

struct Beside {
    granted: Granted,
    id: Option<Lifetime>,
}

impl Held {
    /// A login's token.
    pub(crate) fn new(token: SecretString, lifetime: Lifetime) -> Self {
        let bearer = HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).ok();
        let bearer = bearer.map(|mut value| {
            value.set_sensitive(true);
            value
        });
        Self { token, lifetime, bearer, minted: false, beside: None }
    }

    /// This token, for which this process has just logged in.
    pub(crate) fn just_minted(self) -> Self {
        Self { minted: true, ..self }
    }

    /// A token for another service, which this client does not send itself.
    pub(crate) fn exchanged(granted: Granted) -> Self {
        let (token, lifetime) = (granted.access_token.clone(), granted.lifetime());
        let id = granted.id_lifetime();
        Self { token, lifetime, bearer: None, minted: false, beside: Some(Box::new(Beside { granted, id })) }
    }

    /// What an exchange granted.
    pub(crate) fn granted(&self) -> Option<&Granted> {
        self.beside.as_ref().map(|beside| &beside.granted)
    }

    /// Whether this is that token, or the `id_token` that came with it.
    pub(crate) fn is(&self, token: &SecretString) -> bool {
        let is = |own: &SecretString| own.expose_secret() == token.expose_secret();
        is(&self.token) || self.granted().and_then(|granted| granted.id_token.as_ref()).is_some_and(is)
    }

    /// Whether what is needed has more than its margin to live. What did not come cannot get stale.
    pub(crate) fn is_fresh(&self, need: Need, now: f64) -> bool {
        self.all(need, |life| life.is_fresh(now))
    }

    /// Whether what is needed has not ended.
    pub(crate) fn is_alive(&self, need: Need, now: f64) -> bool {
        self.all(need, |life| life.is_alive(now))
    }

    fn all(&self, need: Need, holds: impl Fn(&Lifetime) -> bool) -> bool {
        // The warm path of every call.
        if need == Need::AccessToken {
            return holds(&self.lifetime);
        }
        match (need, self.beside.as_ref().and_then(|beside| beside.id.as_ref())) {
            (Need::IdToken, Some(id)) => holds(id),
            (Need::All, Some(id)) => holds(id) && holds(&self.lifetime),
            _ => holds(&self.lifetime),
        }
    }

    /// What of it goes into a file.
    pub(super) fn kept(&self) -> Kept {
        match self.granted() {
            Some(granted) => Kept::Exchanged(granted.clone()),
            None => Kept::Login(Envelope { token: self.token.clone(), expiry: self.lifetime.stale_at }),
        }
    }
}

/// What a file is to hold.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// A login's token: the Python package's file.
    Login,
    /// A token for another service.
    Exchanged {
        /// The fingerprint of the login that was exchanged.
        login: String,
        audience: Audience,
    },
}

impl Kind {
    pub(super) fn read(&self, text: &[u8]) -> Result<Kept, Unreadable> {
        match self {
            Self::Login => Envelope::read(text).map(Kept::Login),
            Self::Exchanged { login, audience } => Granted::read(text, login, audience).map(Kept::Exchanged),
        }
    }

    pub(super) fn write(&self, kept: &Kept) -> Result<String, Unwritable> {
        match (self, kept) {
            (Self::Exchanged { login, audience }, Kept::Exchanged(granted)) => granted.write(login, audience),
            (_, Kept::Login(envelope)) => envelope.write(),
            // A session holds what its own mint gives it.
            (Self::Login, Kept::Exchanged(_)) => Err(Unwritable::NoToken),
        }
    }
}

/// What a good file held.
#[derive(Debug)]
pub(crate) enum Kept {
    Login(Envelope),
    Exchanged(Granted),
}

impl Kept {
    pub(crate) fn token(&self) -> &SecretString {
        match self {
            Self::Login(envelope) => &envelope.token,
            Self::Exchanged(granted) => &granted.access_token,
        }
    }

    /// Whether this is that token, or the `id_token` that came with it.
    pub(super) fn holds(&self, token: &SecretString) -> bool {
        let is = |own: &SecretString| own.expose_secret() == token.expose_secret();
        match self {
            Self::Login(envelope) => is(&envelope.token),
            Self::Exchanged(granted) => {
                is(&granted.access_token) || granted.id_token.as_ref().is_some_and(is)
            }
        }
    }

    /// When it was written, as far as it says so itself; the file's own time may have been changed by whoever
    /// copied it.
    pub(super) fn written_at(&self) -> Option<f64> {
        match self {
            Self::Login(_) => None,
            Self::Exchanged(granted) => Some(granted.at),
        }
    }

    /// Why nothing it says is believed at this moment.
    pub(super) fn doubt(&self, now: f64) -> Option<&'static str> {
        match self {
            Self::Login(envelope) => freshness::is_absurd(envelope.expiry, now).then_some("expiry_absurd"),
            Self::Exchanged(granted) => {
                (!exchanged::is_dated_well(granted.at, now)).then_some("from_the_future")
            }
        }
    }

    /// How long its token serves.
    pub(crate) fn lifetime(&self) -> Lifetime {
        match self {
            Self::Login(envelope) => Lifetime::from_file(envelope.expiry, envelope.token.expose_secret()),
            Self::Exchanged(granted) => granted.lifetime(),
        }
    }

    pub(super) fn into_held(self) -> Held {
        let lifetime = self.lifetime();
        match self {
            Self::Login(envelope) => Held::new(envelope.token, lifetime),
            Self::Exchanged(granted) => Held::exchanged(granted),
        }
    }
}
