//! OpenID: a provider's discovery document, tokens for other services, and with the feature `id-token` the
//! verification of an `id_token`.
//!
//! The rules are in [`colony_core::openid`]; here they are acted upon.

mod discovery;
mod exchange;
#[cfg(feature = "id-token")]
mod id_token;
mod memo;
mod sources;

use colony_core::{
    Reply, Request, Result,
    retry::{Decision, RetryPolicy},
};

pub(crate) use discovery::Discovery;
#[cfg(feature = "id-token")]
pub use id_token::IdTokenVerifier;
pub(crate) use sources::Sources;

use crate::{sender::Sender, time::Timer};

/// Sends a request as often as the policy asks for, and gives the last reply, whatever its status.
pub(crate) async fn send(
    sender: &Sender,
    request: &Request,
    limit: usize,
    retry: &RetryPolicy,
    timer: &dyn Timer,
) -> Result<Reply> {
    let mut retries = 0;
    loop {
        let reply = sender.once_bounded(request, limit).await?;
        if reply.is_success() {
            return Ok(reply);
        }
        match retry.after(retries, reply.status.as_u16(), reply.retry_after()) {
            Decision::After(wait) => timer.sleep(wait).await,
            Decision::Stop => return Ok(reply),
        }
        retries += 1;
    }
}
