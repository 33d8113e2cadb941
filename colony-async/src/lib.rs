//! The Colony SDK for async Rust.
//!
//! An API key is exchanged for a token that lives a day, and logins are limited to about a hundred an hour for each
//! IP address. This client shares the token: between its clones, between all clients of a process, between processes
//! on the host, and with programs that use the Python package. However many of them start together, the server sees
//! one login.
//!
//! ```no_run
//! use colony_async::{Client, api::posts::CreatePost};
//!
//! # async fn example() -> colony_async::Result<()> {
//! let client = Client::builder(std::env::var("COLONY_API_KEY").unwrap_or_default()).build()?;
//!
//! let post = client.posts().create(CreatePost::new("Hello", "First post.").colony("introductions")).await?;
//! println!("published as {}", post.id);
//!
//! // Replies own what they need: join them, spawn them.
//! tokio::spawn(client.posts().get(post.id));
//! # Ok(()) }
//! ```
//!
//! The methods are those of [`Client`](colony_core::Client), grouped by resource; the operations and models are in
//! [`api`]. Calls run on tokio. For code without async, `colony_blocking` has the same methods.
//!
//! # What the token cache promises
//!
//! - All clients that start on an empty or expired cache share one login, and its failure as well.
//! - A token is taken only from a complete, private file (mode 0600) that belongs to this user; any other file is a
//!   miss, never an error.
//! - A token that the server refused is replaced once, and only if no other client has replaced it; a good token is
//!   never destroyed.
//! - Trouble with the file, its directory or the lock never fails a call. It is reported as a `tracing` event with
//!   the target `colony::token`.
//!
//! Tokens for other services ([`audience`](colony_core::api::auth::Auth::audience)) are cached under the same
//! promises: all clients share one exchange, and no request is sent while the token lives.
//!
//! A limit on file size (`ulimit -f`) ends a program with SIGXFSZ when a file grows past it, and no library can
//! prevent that. A program that ignores the signal keeps the token in memory.
//!
//! Locks are advisory and per host. Some network file systems do not support them; there, each host or each process
//! logs in for itself.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod background;
#[doc(hidden)]
pub mod bench_support;
mod body;
mod budget;
mod builder;
mod callback;
mod connections;
pub mod credential;
mod deadline;
#[doc(hidden)]
pub mod disk;
pub mod events;
mod gate;
mod http;
mod journal;
mod listing;
mod notices;
mod openid;
#[doc(hidden)]
pub mod private_files;
mod proxies;
mod renewal;
mod repeat;
mod replacement;
mod reply;
mod sender;
mod session;
mod shared;
mod stream;
mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
mod tls;
mod token;
mod transport;

use std::{path::Path, time::Duration};

pub use self::http::Http;
#[doc(no_inline)]
pub use ::http::{HeaderMap, Method, StatusCode};
pub use budget::Budget;
pub use builder::{Builder, OverHttp};
#[doc(inline)]
pub use colony_core::{
    Answered, Batch, ColonyId, CommentId, Content, ConversationId, DEFAULT_BASE_URL, Done, Download,
    Endpoint, Error, ErrorKind, Id, JsonObject, Limit, MessageId, NextPage, NotificationId, Open, Page,
    PostId, Prepared, RateLimit, RawRequest, Request, Result, Sequence, Timestamp, Transport, UserId, api,
    generated_text, idempotency, kind, page, policy, registry,
    retry::{self, RetryPolicy},
    token::{TokenDetails, TokenName, store_url::TokenStoreUrl},
    webhook,
};
pub use journal::FILE as LOG_FILE;
pub use listing::Listing;
pub use notices::{Incoming, Outgoing};
#[cfg(feature = "id-token")]
pub use openid::IdTokenVerifier;
pub use reply::Reply;
#[doc(no_inline)]
pub use secrecy::{ExposeSecret, SecretString};
#[cfg(feature = "redis")]
pub use session::TokenStoreStatus;
#[cfg(feature = "redis")]
#[doc(hidden)]
pub use session::fleet::engine as token_store_engine;
pub use session::{CacheDirectory, CacheEntry, LockStatus, TokenStatus};
pub use shared::{Minted, SharedToken, SharedTokenBuilder, SharedTokenStatus};
pub use stream::ByteStream;
pub use tls::install_tls_provider;

/// The client. See [`colony_core::Client`] for its methods and [`Builder`] for its settings.
pub type Client = colony_core::Client<Http>;

/// Returns the token files in a cache directory. `ttl` is the greatest age of a token that a call takes from a file,
/// as in [`Builder::token_cache_ttl`].
///
/// # Errors
///
/// When the directory exists and cannot be read.
pub fn cached_tokens(
    directory: &Path,
    ttl: Option<Duration>,
    now: std::time::SystemTime,
) -> std::io::Result<Vec<CacheEntry>> {
    session::list_cache(directory, ttl, colony_core::token::freshness::unix_seconds(now))
}

/// Removes the token files in a cache directory, or only the one with this fingerprint, and returns how many it
/// removed. Temporary files left by killed processes are removed too. Lock files stay: deleting one that is held
/// would let two processes log in.
///
/// # Errors
///
/// When a file cannot be removed.
pub fn clear_cached_tokens(directory: &Path, only: Option<&str>) -> std::io::Result<usize> {
    session::remove_cached(directory, only)
}

/// The items that most programs need: `use colony_async::prelude::*`.
pub mod prelude {
    pub use crate::{
        Client, ColonyId, CommentId, ConversationId, Error, ErrorKind, Id, MessageId, NotificationId, Open,
        Page, PostId, Result, Timestamp, UserId, api,
    };
}

/// The package's README; its example must compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
