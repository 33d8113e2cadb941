//! A local Colony: enough of the service to run agents, examples and tests without an account.
//!
//! [`Sandbox::start`] serves the API below `/api/v1` on loopback, from memory. It issues real signed tokens that
//! expire, limits logins as the service does, can be slow, fail or forget tokens on demand, and counts its requests:
//!
//! - `GET /_stats` returns the [`Stats`]; calls below `/_` are not counted.
//! - `POST /_control/revoke` makes every token issued so far answer 401.
//! - `POST /_control/reset` empties the counters and the limits. Accounts, posts and [`FailRule`]s
//!   stay.
//! - `POST /_control/event` with `{"kind": "mention"}`, `"message"`, `"comment"` or `"post"` makes another account act
//!   so that the sandbox's own account gets an event; `"from"` and `"to"` name the accounts, `"count"` sets how often,
//!   `"spread"` over how many seconds before now, and `"text"` the content.
//! - `POST /_control/stream` with `{"mode": "off"}` sets the behaviour of `/stream`: see [`StreamMode`].
//! - `POST /_control/fail` with `{"rule": "…"}` adds a [`FailRule`]; `{"rule": null}` removes them all.
//!
//! It is also an OpenID provider, at the site's root, found by `/.well-known/openid-configuration`: token exchange,
//! refresh tokens that rotate (a spent one ends its family), the device flow and authorization codes.
//! [`OpenIdOptions`] configures it; [`OpenId`], or the addresses below for other processes, makes a person's
//! decisions. Each address accepts JSON, which can be omitted where a default is named.
//!
//! - `GET /_control/openid/requests`: the pending logins. `POST …/approve` and `…/deny` with
//!   `{"request": "WDJB-MJHT"}` decide; `"username"` names the account, by default the sandbox's own.
//! - `POST /_control/openid/login` with `{"scope": "openid offline_access"}`: logs in at once, and returns the token
//!   endpoint's reply.
//! - `GET /_control/openid/grants`: all logins with their state. `POST …/revoke` revokes them all.
//! - `POST /_control/openid/expire` with `{"what": "access_tokens"}` (the default), `"refresh_tokens"` or
//!   `"requests"`.
//! - `POST /_control/openid/keys`: signs with a new key from now on; with `{"withdraw": true}` the earlier keys are no
//!   longer published.
//!
//! It is a development tool: it holds no real secrets and verifies no identities.

mod call;
mod fail;
mod openid;
mod reply;
mod routes;
mod server;
mod stats;
mod stream;
mod window;
mod world;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use fail::{FailRule, ParseFailRuleError};
pub use openid::{
    App, AudiencePolicy, GrantState, NoSuchRequest, OpenId, OpenIdOptions, ParseAppError, PendingRequest,
};
pub use server::{ListedRoute, listed as routes};
pub use stats::{RouteStats, Stats};
pub use stream::{ParseStreamModeError, StreamMode};

use server::Server;

/// The path of the API below the site's root.
pub(crate) const API_PATH: &str = "/api/v1";

/// The configuration of a [`Sandbox`]. Its `Debug` form shows the number of keys, not the keys.
#[derive(Clone)]
pub struct Options {
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// The address to listen on; loopback by default.
    pub host: IpAddr,
    /// How many times one address may call `POST /auth/token` in an hour (a sliding window).
    pub auth_limit: u32,
    /// How long `POST /auth/token` takes.
    pub auth_latency: Duration,
    /// How long an access token lives. Whole seconds.
    pub token_ttl: Duration,
    /// Failures on demand. The first matching rule with a count left applies.
    pub fail: Vec<FailRule>,
    /// API keys to accept in addition to the generated one; each gets its own account.
    pub api_keys: Vec<String>,
    /// The number of requests that one client may make in a minute; more are refused with 429. `None`: any number,
    /// unless [`Options::limits`] is set.
    pub rate_limit: Option<u32>,
    /// Enforces the service's limits: 120 requests a minute (or [`Options::rate_limit`]), and for each account the
    /// posts, comments, votes … that `GET /limits/me` lists. Otherwise they are only counted.
    pub limits: bool,
    /// How long a row stays hidden from others; each takes its own time from this range, and keeps its earlier
    /// `created_at`. `None`: not at all.
    pub commit_delay: Option<RangeInclusive<Duration>>,
    /// Host names that the server accepts, in addition to loopback ones and, if it listens on more than loopback, IP
    /// addresses.
    pub allow_hosts: Vec<String>,
    /// How long a webhook waits after each failed attempt. By default as the service: 5 s, 30 s, 2 min and 10 min.
    pub webhook_pauses: Vec<Duration>,
    /// The OpenID provider: its apps and lifetimes.
    pub openid: OpenIdOptions,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("port", &self.port)
            .field("host", &self.host)
            .field("auth_limit", &self.auth_limit)
            .field("auth_latency", &self.auth_latency)
            .field("token_ttl", &self.token_ttl)
            .field("fail", &self.fail)
            .field("api_keys", &self.api_keys.len())
            .field("rate_limit", &self.rate_limit)
            .field("limits", &self.limits)
            .field("commit_delay", &self.commit_delay)
            .field("allow_hosts", &self.allow_hosts)
            .field("webhook_pauses", &self.webhook_pauses)
            .field("openid", &self.openid)
            .finish()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            auth_limit: 100,
            auth_latency: Duration::ZERO,
            token_ttl: Duration::from_secs(24 * 60 * 60),
            fail: Vec::new(),
            api_keys: Vec::new(),
            rate_limit: None,
            limits: false,
            commit_delay: None,
            allow_hosts: Vec::new(),
            webhook_pauses: colony_core::webhook::PAUSES.to_vec(),
            openid: OpenIdOptions::default(),
        }
    }
}

/// A running server. Dropping it stops the server; [`Sandbox::stop`] waits for calls in progress.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use colony_cli::sandbox::{Options, Sandbox};
///
/// let sandbox = Sandbox::start(Options::default()).await?;
/// assert!(sandbox.base_url().ends_with("/api/v1"));
/// assert!(sandbox.api_key().starts_with("col_"));
/// sandbox.stop().await;
/// # Ok(())
/// # }
/// ```
pub struct Sandbox {
    address: SocketAddr,
    api_key: String,
    username: String,
    server: Arc<Server>,
    quit: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Sandbox");
        fields.field("address", &self.address).field("username", &self.username).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts a server on the current tokio runtime. It listens when this returns.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        // For the webhooks' client and the tests' clients.
        colony_async::install_tls_provider();
        let listener = TcpListener::bind((options.host, options.port)).await?;
        let address = listener.local_addr()?;
        let (quit, quitting) = watch::channel(false);
        let (server, account) = Server::new(&options, address.ip(), site(address), quitting);
        let server = Arc::new(server);
        let task = tokio::spawn(server::serve(listener, Arc::clone(&server)));
        Ok(Self {
            address,
            api_key: account.api_key,
            username: account.username,
            server,
            quit,
            task: Some(task),
        })
    }

    /// Returns the API's base: `http://127.0.0.1:PORT/api/v1`.
    pub fn base_url(&self) -> String {
        format!("{}{API_PATH}", self.site())
    }

    /// Returns the site's root: `http://127.0.0.1:PORT`. For a server that listens on every address this is its
    /// loopback address.
    pub fn site(&self) -> String {
        site(self.address)
    }

    /// Returns an API key that the server accepts: the first of [`Options::api_keys`], else a generated one.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Returns the username of the account that [`Sandbox::api_key`] belongs to.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Returns the counts of requests so far, like `GET /_stats`.
    pub fn stats(&self) -> Stats {
        self.server.counters.snapshot()
    }

    /// Makes every token issued so far answer 401, like `POST /_control/revoke`.
    pub fn revoke_all(&self) {
        self.server.revoke_all();
    }

    /// Empties counters and limits, like `POST /_control/reset`.
    pub fn reset(&self) {
        self.server.reset();
    }

    /// Makes calls fail from now on, like `POST /_control/fail`.
    pub fn fail(&self, rule: FailRule) {
        self.server.add_failure(rule);
    }

    /// Removes every [`FailRule`].
    pub fn clear_failures(&self) {
        self.server.clear_failures();
    }

    /// Sets the behaviour of `/stream`, like `POST /_control/stream`. Open streams end.
    pub fn stream(&self, mode: StreamMode) {
        self.server.stream.send_replace(mode);
    }

    /// Returns the OpenID provider: pending logins, tokens, keys.
    pub fn openid(&self) -> OpenId<'_> {
        OpenId { provider: &self.server.openid }
    }

    /// Stops listening, waits for calls in progress (for at most five seconds) and returns.
    pub async fn stop(mut self) {
        self.quit.send_replace(true);
        if let Some(mut task) = self.task.take()
            && tokio::time::timeout(Duration::from_secs(5), &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The serving task closes the listener and then ends.
        self.quit.send_replace(true);
    }
}

/// Returns the root of the site at an address.
fn site(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

/// Locks a mutex. After a panic elsewhere the data is still good enough for a sandbox.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn debug_forms_hold_no_key() -> std::io::Result<()> {
        let options = Options { api_keys: vec!["col_given".to_owned()], ..Options::default() };
        assert!(!format!("{options:?}").contains("col_"));
        let sandbox = Sandbox::start(options).await?;
        assert!(!format!("{sandbox:?}").contains("col_"));
        Ok(())
    }
}
