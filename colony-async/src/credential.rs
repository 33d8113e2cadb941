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
//! - Before a token is sent, the file says so. Where the outcome of that request is not known (no answer came, the
//!   process was killed, or something other than the provider answered), the access token serves while it lives, and
//!   the refresh token is not presented again while the request may still be on its way
//!   ([`settle`](RotatingBuilder::settle)). After that it is presented once more: without that the login would be
//!   lost in every case, with it only where the provider had acted. [`Unclear::Refuse`] never presents it again.
//! - A request was *not acted on* when no connection was made, or when the provider itself refused it (400 or 401
//!   with an error code of [RFC 6749, section 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)). Any other
//!   answer, a 429 or a gateway's 503 among them, leaves the outcome unknown.
//! - A store that was copied to another place is noticed before its token is sent
//!   ([`CredentialStore::adopt`]).
//! - What cannot be decided is refused with a typed error: *fail closed*.
//! - Nothing is wiped: not on `invalid_grant`, not on a file that cannot be read.
//! - A caller that goes away, and a runtime that ends, interrupt nothing: the refresh runs on a thread of its
//!   own. Only the end of the process does; [`RotatingCredential::close`] waits before that.
//!
//! Locks are advisory and per host. Keep credentials off network file systems. A backup that is restored into the
//! same directory, the image of a whole disk, and containers that start from one image with a store in it cannot be
//! told from the original: their refresh tokens may be spent, and end in `ReauthRequired`.
//!
//! Each refresh, adoption, contention and refusal is a `tracing` event with the target `colony::credential`.

mod activity;
mod endpoint;
mod events;
mod failure;
mod files;
mod login;
mod memory;
mod rotating;
mod rotation;
mod settings;
mod settling;
mod status;
mod store;

#[doc(inline)]
pub use colony_core::credential::{
    Credential, CredentialId, change::Downgrade, grant::ClientAuth, keeping::Keeping,
};
#[doc(hidden)]
pub use endpoint::{Answered, Failed, Wire};
pub use files::Vault;
pub use login::{DeviceLogin, ProviderLogin, ProviderLoginBuilder};
pub use rotating::{RotatingBuilder, RotatingCredential};
pub use rotation::Rotation;
pub use settings::Unclear;
pub use status::{CredentialStatus, list};
pub use store::{CredentialStore, default_directory};
