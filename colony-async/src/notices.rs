//! What a client notices of the requests it sends, logins included: hooks, the last reply's headers,
//! the server's notes about what will go away.

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

/// See the module's documentation. Shared by all that send for one client.
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

    /// A request is about to be sent.
    pub(crate) fn sending(&self, request: &Request, url: &Url) {
        self.hooks.sending(request, url);
    }

    /// A reply arrived, whatever its status.
    pub(crate) fn received(&self, request: &Request, url: &Url, reply: &Reply) {
        // A login happens at any time, in the background too; nobody who asks for the last reply means it.
        if request.operation() != LOGIN && request.operation() != discovery::OPERATION {
            self.last.store(Some(Arc::clone(&reply.headers)));
        }
        self.deprecations.look(request, url, reply);
        self.hooks.received(request, url, reply);
    }

    /// The headers of the last reply; none before the first.
    pub(crate) fn last_headers(&self) -> HeaderMap {
        self.last.load().as_ref().map(|headers| HeaderMap::clone(headers)).unwrap_or_default()
    }

    pub(crate) fn last_rate_limit(&self) -> Option<RateLimit> {
        self.last.load().as_ref().map(|headers| RateLimit::read(headers))
    }
}
