//! The settings of a refresh.

use std::{fmt, sync::Arc, time::Duration};

use colony_core::{
    Result,
    credential::{
        grant::{ClientAuth, TokenRequest},
        spending::Uptime,
    },
};

use super::{
    endpoint::{Answered, Endpoint, Failed, Wire},
    store::CredentialStore,
};
use crate::{connections, time::unix, tls::Certificates};

/// What happens to a refresh token whose last request has no known outcome.
///
/// The request got no reply, or one that did not come from the provider. The provider may have acted on it, and then
/// the token is spent. While the access token lives, it is used in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unclear {
    /// The token is presented once more when the request can no longer be on its way and the access token has
    /// expired. That saves the login if the provider had not acted. If it had, the login was lost with the reply, and
    /// the provider sees a spent token once more.
    #[default]
    Retry,
    /// The token is never presented again, and a person has to log in. For providers that treat a spent token as an
    /// attack.
    Refuse,
}

/// The settings of a [`RotatingCredential`](super::RotatingCredential).
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) store: CredentialStore,
    pub(super) auth: ClientAuth,
    pub(super) request_limit: Duration,
    pub(super) proxy: Option<String>,
    pub(super) certificates: Certificates,
    pub(super) introspection: Option<String>,
    pub(super) settle: Duration,
    pub(super) unclear: Unclear,
    /// When to refresh in the background: at this fraction of the access token's life.
    pub(super) ahead: Option<f64>,
    pub(super) keep_alive: bool,
    pub(super) refresh_token_lifetime: Option<Duration>,
    /// Plays the provider in tests.
    pub(super) wire: Option<Arc<dyn Wire>>,
}

impl Settings {
    /// Returns the wall clock's time in Unix seconds.
    pub(super) fn now(&self) -> f64 {
        unix(&*self.store.timer)
    }

    /// Returns the time since boot.
    pub(super) fn uptime(&self) -> Uptime {
        self.store.timer.uptime()
    }

    /// Opens a line to one of the provider's endpoints; each request over it is sent once.
    pub(super) fn line(&self, endpoint: &str) -> Result<Line> {
        if let Some(wire) = &self.wire {
            return Ok(Line::Played(Arc::clone(wire), self.request_limit));
        }
        let settings = connections::Settings {
            timeout: Some(self.request_limit),
            proxy: self.proxy.clone(),
            certificates: self.certificates.clone(),
            ..connections::Settings::default()
        };
        Ok(Line::Http(Endpoint::new(settings, endpoint)?))
    }
}

/// A line to the provider.
pub(super) enum Line {
    Http(Endpoint),
    Played(Arc<dyn Wire>, Duration),
}

impl Line {
    pub(super) async fn send(&self, request: &TokenRequest) -> Result<Answered, Failed> {
        match self {
            Self::Http(endpoint) => endpoint.send(request).await,
            Self::Played(wire, limit) => wire.send(request, *limit),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("store", &self.store)
            .field("auth", &self.auth)
            .field("request_limit", &self.request_limit)
            .field("settle", &self.settle)
            .field("unclear", &self.unclear)
            .finish_non_exhaustive()
    }
}
