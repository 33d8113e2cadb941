//! Rotating credentials: an access token that is always fresh, obtained with a refresh token that can be used once.
//!
//! An OpenID provider replies to each use of a refresh token with the next one, and revokes the whole family when a
//! used one is presented again. Programs that share one credential must therefore take turns, and remember what they
//! did even when they are killed. [`CredentialStore`] is the file and its lock; [`RotatingCredential`] returns tokens
//! and refreshes them.
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
//! - Of all tasks, clients and processes on the host, one refreshes; the others use the tokens it stored.
//! - A refresh token is sent only with the lock held, and only if it was read with the lock held.
//! - The file records each use of a refresh token before the token is sent. If the outcome of that request is not
//!   known (no reply arrived, the process was killed, or something other than the provider replied), the access token
//!   is used while it lives, and the refresh token is not presented again while the request may still be on its way
//!   ([`settle`](RotatingBuilder::settle)). After that it is presented once more: otherwise the login would be lost
//!   in every case; this way it is lost only if the provider had acted. [`Unclear::Refuse`] never presents it again.
//! - A request was *not acted on* when no connection was made, or when the provider itself refused it (400 or 401
//!   with an error code of [RFC 6749, section 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)). Any other
//!   reply, including a 429 or a gateway's 503, leaves the outcome unknown.
//! - A store that was copied to another place is detected before its token is sent ([`CredentialStore::adopt`]).
//! - An undecidable state is refused with a typed error: *fail closed*.
//! - Nothing is wiped: not on `invalid_grant`, not on a file that cannot be read.
//! - A dropped caller or an ending runtime does not interrupt a refresh, which runs on a separate thread. Only the
//!   end of the process does; [`RotatingCredential::close`] waits for the refresh before that.
//!
//! Locks are advisory and per host. Keep credentials off network file systems. A backup that is restored into the
//! same directory, the image of a whole disk, and containers started from one image that contains a store cannot be
//! distinguished from the original: their refresh tokens may already have been used, and end in `ReauthRequired`.
//!
//! Each refresh, adoption, contention and refusal is reported as a `tracing` event with the target
//! `colony::credential`.

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
