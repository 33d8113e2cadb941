//! The shared login token: where its file lives, what the file says, and when a token is fresh.
//!
//! An API key is exchanged for a JWT that lives a day, and that exchange is limited to about a hundred
//! an hour for each address. So the token is shared: between clients, between programs, and with
//! programs that use the Python package `colony-sdk`, which reads and writes the same file.
//!
//! These are the rules of that file as functions; nothing here opens one. The time, the environment
//! and random numbers are passed in, except in [`cache_path::from_environment`].
//!
//! | Module | Decides |
//! |---|---|
//! | [`cache_path`] | which file: `<directory>/<fingerprint>.json` |
//! | [`envelope`] | what its bytes mean, and which bytes to write |
//! | [`freshness`] | until when a token is used, and when it is renewed |
//! | [`cooldown`] | what one program's refused login means for the others: `<fingerprint>.note` |
//! | [`refusals`] | which operations refuse every token: `<fingerprint>.refusals` |
//!
//! # From a file to a token
//!
//! ```
//! use colony_core::token::{
//!     envelope::{Envelope, Unreadable},
//!     freshness::{Lifetime, is_absurd},
//! };
//! use secrecy::{ExposeSecret, SecretString};
//!
//! fn usable(file: &[u8], now: f64) -> Result<Option<SecretString>, Unreadable> {
//!     let envelope = Envelope::read(file)?;
//!     if is_absurd(envelope.expiry, now) {
//!         return Err(Unreadable::ExpiryAbsurd);
//!     }
//!     let life = Lifetime::from_file(envelope.expiry, envelope.token.expose_secret());
//!     Ok(life.is_fresh(now).then_some(envelope.token))
//! }
//!
//! let file = br#"{"v": 1, "token": "eyJ.open.token", "expiry": 1790003600.25}"#;
//! assert!(usable(file, 1_790_000_000.25)?.is_some());
//! assert!(usable(file, 1_790_003_540.25)?.is_none()); // a minute left is too little
//! # Ok::<(), Unreadable>(())
//! ```
//!
//! # Differences from the Python package
//!
//! Python's behaviour is recorded in `tests/wire/token_cache.json`, and followed but for these. A *hit*
//! is a token taken from the file, a *miss* costs a login. The Python package can read every file that
//! this SDK writes.
//!
//! | What | Recorded as | Python | Here | Why |
//! |---|---|---|---|---|
//! | a relative `XDG_CACHE_HOME`, a space for one | `xdg_relative` | below the working directory | ignored | the XDG specification says so; a secret would land wherever the program was started |
//! | an expiry that is `NaN` or infinite, as literal, text or by overflow | `expiry_NaN`, `expiry_Infinity`, `expiry_overflowing_literal`, `expiry_string_nan`, `expiry_string_infinity` | hit, trusted for ever | miss | no moment is meant, and the token does end |
//! | an expiry further ahead than 366 days | `expiry_huge` | hit | miss | no token lives so long |
//! | a token that is a number, list, object or `true` | `token_number`, `token_list`, `token_object`, `token_true` | hit | miss | it cannot be sent |
//! | a token of white space, or with characters beyond ASCII or control characters | `token_space`, `raw_utf8`, `lone_surrogate_escape` | hit | miss | no HTTP header can carry it |
//! | a version above 1 | `v_2` | hit | miss | its fields may mean something else |
//! | JSON that is not an object | `top_level_array`, `top_level_array_of_object`, `top_level_string`, `top_level_number`, `top_level_null`, `top_level_true` | the call fails | miss | trouble with the file never fails a call |
//! | a file that claims more than the JWT inside it | | believed | cut to the JWT's own expiry | the server decides, and may make tokens shorter |
//! | the expiry that is written | | now + 23 h | now + 23/24 of the JWT's own lifetime; the same for a day | the same |
//! | a token in memory with a minute or less to go | | used | renewed | it would end on its way |
//! | an expiry in digits that are not ASCII | | read | miss | nobody writes them |
//! | a file larger than 64 KiB | | read | miss | it is not a token |
//! | not a regular file | | a directory is a miss, a pipe hangs | miss | a pipe must not stop a program |
//! | a symbolic link | | followed | miss | it may lead to another user's token |
//! | a file of another user | | read | miss | whoever wrote it chose who acts |
//! | a file open to group or others | | read | miss | others may know the token, or have written it |
//! | the directory, when it is made | | as the umask has it | 0700 | only this user has business there |
//! | the temporary file of a write | | one fixed name | a new name each time | two writers at once spoil a shared one |
//! | `refresh_token()` | `refresh_token_deletes_file` | the file is removed at once | the login replaces it | the login may fail, and other programs need the token |
//! | a rejected token | | the file is removed | removed only if it still holds that token | another program may have renewed it |

pub mod cache_path;
pub mod cooldown;
pub(crate) mod directories;
pub mod envelope;
pub mod freshness;
pub mod refusals;
pub mod store_url;
mod token_details;
mod token_name;

pub use token_details::{TOO_SHORT, TokenDetails, too_short};
pub use token_name::TokenName;

/// The operation's name of a login.
pub const LOGIN: &str = "get_auth_token";
