//! Rotating credentials: an access token that is always fresh, from a refresh token that may be spent once.
//!
//! An OpenID provider answers each use of a refresh token with the next one, and revokes the whole family when
//! a spent one is presented again. Programs that share one credential must therefore take turns, and remember
//! what they did even when they are killed. [`CredentialStore`] is the file and its lock;
//! [`RotatingCredential`] gives tokens and refreshes them.
//!
//! ```no_run
//! use colony_async::credential::{CredentialId, CredentialStore, RotatingCredential};
//!
//! # async fn example() -> colony_async::Result<()> {
//! let store = CredentialStore::new(CredentialId::new("https://thecolony.ai", "colony_app"))?;
//! let credential = RotatingCredential::builder(store).build();
//! let access_token = credential.token().await?; // refreshed if that is due
//! # Ok(()) }
//! ```
//!
//! # What is promised
//!
//! - Of all tasks, clients and processes on the host, one refreshes; the others use what it stored.
//! - A refresh token is sent only with the lock held, and only one that was read with the lock held.
//! - No refresh token that may be spent is sent a second time, whoever is killed when. Before a token is sent,
//!   the file says so; a process that finds such a note left behind does not send that token. It is sent again
//!   only when no connection could be made, when the provider says that it did not act (4xx other than
//!   `invalid_grant`, 429, a 503 that asks to wait), or when the provider says, asked by introspection, that it
//!   is still good.
//! - What cannot be decided is refused with a typed error: *fail closed*. While the access token lives it is
//!   used, with a warning.
//! - Nothing is wiped: not on `invalid_grant`, not on a file that cannot be read.
//! - A caller that goes away, and a runtime that ends, interrupt nothing: the refresh runs on a thread of its
//!   own. Only the end of the process does; [`RotatingCredential::settle`] waits before that.
//!
//! Locks are advisory and per host. Keep credentials off network file systems, and never copy a file to
//! another machine: two copies end with the family revoked.
//!
//! Each refresh, adoption, contention and refusal is a `tracing` event with the target `colony::credential`.

mod ahead;
mod events;
mod files;
mod provider;
mod rotating;
mod rotation;
mod store;
mod thread;

#[doc(inline)]
pub use colony_core::credential::{
    Credential, CredentialId,
    change::{Downgrade, Keeping},
    grant::ClientAuth,
};
pub use files::Vault;
pub use rotating::{RotatingBuilder, RotatingCredential, Rotation};
pub use store::{CredentialStatus, CredentialStore, default_directory, list};
