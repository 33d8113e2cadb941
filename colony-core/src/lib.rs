//! What The Colony SDK knows, without doing anything about it: operations as data, the models they
//! answer with, errors, retry rules, and the rules of the shared login token (where its file lives,
//! what the file says, when a token is fresh).
//!
//! This crate opens no sockets, does not sleep, and reads neither the clock nor the environment
//! except in [`token::cache_path::from_environment`] and, with the feature `attestation`, where a post is
//! attested to without a time given. Programs use one of the clients built on it,
//! `colony_async::Client` or `colony_blocking::Client`: both are this crate's [`Client`] with a
//! [`Transport`] of their own, so every method is written, and documented, once.
//!
//! # How a call is made
//!
//! ```
//! use colony_core::{api::posts::GetPost, Endpoint, PathStyle};
//!
//! // An operation is data: a struct with its arguments...
//! let operation = GetPost::new("e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3");
//! // ...that can say which request it is.
//! let request = operation.request();
//! assert_eq!(request.method().as_str(), "GET");
//! assert_eq!(request.path(PathStyle::Escaped)?, "/posts/e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3");
//! # Ok::<(), colony_core::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod answered;
#[cfg(feature = "answers")]
mod answers;
pub mod api;
mod args;
#[cfg(feature = "attestation")]
pub mod attestation;
pub mod base_url;
pub mod canonical;
mod client;
pub mod colony_name;
pub mod credential;
pub mod deprecation;
mod either;
mod endpoint;
mod error;
pub mod events;
pub mod generated_text;
mod id;
pub mod idempotency;
mod json;
mod names;
mod null;
mod open;
pub mod openid;
mod operation;
pub mod page;
pub mod policy;
pub mod python_names;
mod rate_limit;
mod raw;
pub mod registry;
mod reply;
mod request;
pub mod retry;
mod timestamp;
pub mod token;
mod transport;
pub mod two_factor_code;
pub mod untrusted;
pub mod webhook;

pub use answered::Answered;
pub use client::Client;
pub use endpoint::{Batch, Download, Endpoint, Prepared, Sequence};
pub use error::{Error, ErrorBuilder, ErrorKind, Limit, Result};
pub use id::{
    ColonyId, CommentId, ConversationId, Id, IdKind, MessageId, NotificationId, PostId, UserId, kind,
};
pub use open::Open;
pub use page::{NextPage, Page};
pub use rate_limit::RateLimit;
pub use raw::RawRequest;
pub use reply::{Done, NOT_JSON, Reply};
pub use request::{Auth, Base, Body, Chunks, Content, Effect, FilePart, Opened, PathStyle, Request};
pub use timestamp::Timestamp;
pub use transport::{CallSettings, Connect, Transport};

/// The service's address when neither the builder nor `COLONY_BASE_URL` names another.
pub const DEFAULT_BASE_URL: &str = "https://thecolony.ai/api/v1";

/// What this SDK calls itself in the `client` field of the things it creates.
pub const CLIENT_NAME: &str = "colony-sdk-rust";

/// A JSON object, as used for open-ended fields.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;
