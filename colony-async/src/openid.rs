//! OpenID: a provider's discovery document, tokens for other services, and with the feature `id-token` the
//! verification of an `id_token`.
//!
//! The rules are in [`colony_core::openid`]; this module applies them.

mod discovery;
mod exchange;
#[cfg(feature = "id-token")]
mod id_token;
mod memo;
mod sources;

use colony_core::{Reply, Request, Result, retry::RetryPolicy};

pub(crate) use discovery::Discovery;
#[cfg(feature = "id-token")]
pub use id_token::IdTokenVerifier;
pub(crate) use sources::Sources;

use crate::{repeat::Repeat, sender::Sender, time::Timer};

/// Sends a request with the retries of the policy, and returns the last reply, whatever its status.
pub(crate) async fn send(
    sender: &Sender,
    request: &Request,
    limit: usize,
    retry: &RetryPolicy,
    timer: &dyn Timer,
) -> Result<Reply> {
    let mut tries = Repeat::new(request, retry, timer);
    loop {
        let outcome = sender.once_bounded(request, limit).await;
        if let Some(outcome) = tries.settle(request, outcome).await {
            return outcome;
        }
    }
}
