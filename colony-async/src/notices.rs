//! The observations of a client on its requests, logins included: hooks, the last reply's headers and the server's
//! deprecation notes.

mod deprecations;
mod hooks;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use colony_core::{RateLimit, Reply, Request, openid::discovery, token::LOGIN};
use http::HeaderMap;
use url::Url;

use deprecations::Deprecations;
pub(crate) use hooks::Hooks;
pub use hooks::{Incoming, Outgoing};

/// See the module's documentation. Shared by all senders of one client.
#[derive(Default)]
pub(crate) struct Notices {
    hooks: Hooks,
    last: ArcSwapOption<HeaderMap>,
    deprecations: Deprecations,
}

impl Notices {
    pub(crate) fn new(hooks: Hooks) -> Self {
        Self { hooks, ..Self::default() }
    }

    /// Reports a request that is about to be sent.
    pub(crate) fn sending(&self, request: &Request, url: &Url) {
        self.hooks.sending(request, url);
    }

    /// Reports a reply that arrived, whatever its status.
    pub(crate) fn received(&self, request: &Request, url: &Url, reply: &Reply) {
        // A login can happen at any time, in the background too; it does not count as the last reply.
        if request.operation() != LOGIN && request.operation() != discovery::OPERATION {
            self.last.store(Some(Arc::clone(&reply.headers)));
        }
        self.deprecations.look(request, url, reply);
        self.hooks.received(request, url, reply);
    }

    /// Returns the headers of the last reply; empty before the first.
    pub(crate) fn last_headers(&self) -> HeaderMap {
        self.last.load().as_ref().map(|headers| HeaderMap::clone(headers)).unwrap_or_default()
    }

    pub(crate) fn last_rate_limit(&self) -> Option<RateLimit> {
        self.last.load().as_ref().map(|headers| RateLimit::read(headers))
    }
}
