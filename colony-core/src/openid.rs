//! OpenID: where a provider's addresses are, tokens for other services, and who an `id_token` names.
//!
//! These are the rules as functions; nothing here sends a request or reads a clock.
//!
//! | Module | Decides |
//! |---|---|
//! | [`discovery`] | what a provider says of itself, and what of it is believed |
//! | [`authorization`] | what a browser is sent to for a login, and which answer is taken |
//! | [`audience`] | what a token for another service is asked for with, and what it is |
//! | [`exchanged`] | where such a token is kept, what the file says, and for how long it serves |
//! | [`keys`] | the keys that a provider signs with |
//! | [`id_token`] | whether an `id_token` says what it must, its signature aside |

pub mod audience;
pub mod authorization;
pub mod discovery;
pub mod exchanged;
pub mod id_token;
pub mod keys;

pub use audience::{AudienceToken, AudienceTokens};

use crate::{Error, ErrorKind, Reply, Request};

/// The error that a provider's refusal stands for
/// ([RFC 6749, section 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)), by what a program does about
/// it: 429 is [`RateLimit`](ErrorKind::RateLimit) with the time to wait, 401 and 403 are
/// [`Auth`](ErrorKind::Auth). The reply's body is not kept.
///
/// The operation [`exchange_token`](crate::api::auth::ExchangeToken) tells these apart as the Python package
/// does, which knows them all as [`Api`](ErrorKind::Api).
pub fn refusal(reply: &Reply, request: &Request) -> Error {
    let status = reply.status.as_u16();
    let error = Error::from_oauth_reply(request.operation(), status, &reply.body)
        .request_id(reply.header("x-request-id").map(str::to_owned))
        .retry_after(reply.retry_after())
        .without_body();
    match status {
        429 => error.kind(ErrorKind::RateLimit).hint("Slow down"),
        401 | 403 => error.kind(ErrorKind::Auth),
        _ => error,
    }
    .finish()
}
