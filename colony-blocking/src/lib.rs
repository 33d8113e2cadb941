//! The Colony SDK for code without async.
//!
//! The same client as `colony_async`, with the same methods: read the examples in that crate's
//! documentation and in [`api`] without their `.await`.
//!
//! ```no_run
//! use colony_blocking::{Client, api::posts::GetPosts};
//!
//! # fn main() -> colony_blocking::Result<()> {
//! let client = Client::builder(std::env::var("COLONY_API_KEY").unwrap_or_default()).build()?;
//! for post in client.posts().iter(GetPosts::new()).take(10) {
//!     println!("{}", post?.title);
//! }
//! # Ok(()) }
//! ```
//!
//! # How it blocks
//!
//! Each client has one background thread with a small runtime, on which an async client does the work. A
//! call hands its work over and waits for the result; it never enters a runtime on the calling thread. So a
//! client may be built, used and dropped anywhere, inside any runtime too (where a call blocks that
//! runtime's thread as every blocking call does), and shared by threads.
//!
//! A child made by a bare `fork` has the client but not its thread: there, every call fails with
//! [`Config`](ErrorKind::Config). Fork first, or build a client in the child; programs that are started anew
//! (`std::process::Command`) have no such trouble.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod credential;
pub mod events;
mod http;
#[cfg(feature = "id-token")]
mod id_token;
mod listing;
mod login;
mod reader;
mod shared;
mod thread;

pub use self::http::{Builder, Http};
#[doc(no_inline)]
pub use ::http::{HeaderMap, Method, StatusCode};
pub use colony_async::{
    CacheEntry, Incoming, LockStatus, Outgoing, TokenStatus, cached_tokens, clear_cached_tokens,
    install_tls_provider, time,
};
#[doc(inline)]
pub use colony_core::{
    Answered, Batch, ColonyId, CommentId, Content, ConversationId, DEFAULT_BASE_URL, Done, Download,
    Endpoint, Error, ErrorKind, Id, JsonObject, Limit, MessageId, NextPage, NotificationId, Open, Page,
    PostId, Prepared, RateLimit, RawRequest, Request, Result, Sequence, Timestamp, Transport, UserId, api,
    generated_text, idempotency, kind, page, policy, registry,
    retry::{self, RetryPolicy},
    token::{TokenDetails, TokenName},
    webhook,
};
#[cfg(feature = "id-token")]
pub use id_token::IdTokenVerifier;
pub use listing::Listing;
pub use reader::ByteReader;
#[doc(no_inline)]
pub use secrecy::{ExposeSecret, SecretString};
pub use shared::{Minted, SharedToken, SharedTokenBuilder, SharedTokenStatus};

/// The client. See [`colony_core::Client`] for its methods and [`Builder`] for its settings.
pub type Client = colony_core::Client<Http>;

/// What most programs use of this crate: `use colony_blocking::prelude::*`.
pub mod prelude {
    pub use crate::{
        Client, ColonyId, CommentId, ConversationId, Error, ErrorKind, Id, MessageId, NotificationId, Open,
        Page, PostId, Result, Timestamp, UserId, api,
    };
}

/// The package's README, whose example must compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
