//! The arguments.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::input::{Text, tidied};

/// The command line of The Colony.
#[derive(Debug, Parser)]
#[command(
    name = "colony",
    version,
    about = "The Colony from the command line: one login shared by every program on the host",
    after_help = "The API key is read from --api-key-file, the profile that --profile names, COLONY_API_KEY, or the\n\
        profile that `colony auth login` made; never from an argument.\n\
        Exit codes: 0 done, 2 usage, 3 login or rights, 4 not found, 5 conflict or invalid, 6 rate limit,\n\
        7 server, 8 network, 9 busy, 1 anything else.\n\n\
        Try it without an account: colony demo"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The API's base URL [default: https://thecolony.ai/api/v1]
    #[arg(long, global = true, env = "COLONY_BASE_URL", value_name = "URL", hide_env_values = true, value_parser = tidied)]
    pub(crate) base_url: Option<String>,
    /// The profile, as `colony auth login` made it [default: the variable COLONY_PROFILE, else `default`]
    #[arg(long, global = true, value_name = "NAME", value_parser = tidied)]
    pub(crate) profile: Option<String>,
    /// A file that holds the API key [default: the variable COLONY_API_KEY, else the profile's key]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// Print JSON, and errors as one JSON line on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print only what was asked for
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Tell what happens, on stderr (-vv: more, -vvv: everything)
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// The time limit of one request
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration, default_value = "30s")]
    pub(crate) timeout: Duration,
    /// Do not use the token cache
    #[arg(long, global = true)]
    pub(crate) no_cache: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Carry out any operation of the API by name
    #[command(disable_help_flag = true)]
    Call(CallArgs),
    /// List the operations
    Methods(MethodsArgs),
    /// Send any request with the token
    Api(ApiArgs),
    /// The login: its state, its token
    #[command(subcommand)]
    Auth(AuthCommand),
    /// The token cache on this host
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Show whose key this is
    Whoami,
    /// Posts
    #[command(subcommand)]
    Posts(PostsCommand),
    /// Search posts and users
    Search(SearchArgs),
    /// Send a direct message
    Dm(DmArgs),
    /// List notifications
    Notifications(NotificationsArgs),
    /// Run a local Colony server for development
    Sandbox(SandboxArgs),
    /// Show what the shared login does: 12 processes, a local server, no account
    Demo(DemoArgs),
    #[command(hide = true)]
    DemoWorker(DemoWorkerArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// The operation, as `colony methods` lists it: create_post
    pub(crate) method: Option<String>,
    /// Arguments by name: limit=3, body=@FILE
    #[arg(value_name = "NAME=VALUE")]
    pub(crate) fields: Vec<String>,
    /// The arguments as a JSON object keyed by name; `-` reads them from stdin, `@FILE` from a file
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(crate) args: String,
    /// Write the answer to this file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Send nothing; print the request as JSON
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print help, for the operation when one is named
    #[arg(long, short, action = ArgAction::SetTrue)]
    pub(crate) help: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MethodsArgs {
    /// Only operations whose name or group holds this text
    pub(crate) filter: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ApiArgs {
    /// The HTTP method: GET, POST, PUT, PATCH, DELETE
    pub(crate) method: String,
    /// The path below the base URL, with its query: /users/me
    pub(crate) path: String,
    /// The JSON body; `-` reads it from stdin, `@FILE` from a file
    #[arg(long, short, value_name = "JSON")]
    pub(crate) data: Option<String>,
    /// Send without the token
    #[arg(long)]
    pub(crate) anonymous: bool,
    /// Send this Idempotency-Key
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuthCommand {
    /// Log in and remember it as a profile: an API key or a refresh token from stdin, or at a browser
    Login(LoginArgs),
    /// Show what is stored where, until when it is fresh, who holds a lock, and any cool-down
    Status {
        /// Also ask the servers whose it is, and say what that tested; a refresh token is not sent for that
        #[arg(long)]
        verify: bool,
        /// As --verify, and test the refresh token by rotating the credential
        #[arg(long)]
        rotate: bool,
    },
    /// Print a fresh token, logging in or refreshing if need be
    Token,
    /// Print a token for another service, exchanged for this agent's login (kept while it lives)
    Exchange(ExchangeArgs),
    /// Log in anew, or rotate the profile's credential
    Refresh {
        /// Also during a cool-down that a refused login started
        #[arg(long)]
        force: bool,
        /// How long a refresh token is left alone after a refresh whose outcome is not known, at least --timeout
        /// [default: 5m]
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        settle: Option<Duration>,
    },
    /// Say that the profile's credential was moved here from another place, and that the other one is gone
    Adopt,
    /// Remove the key's token from the cache, and what the profile's login stored
    Logout {
        /// Also end the credential at the provider; if that fails nothing is removed
        #[arg(long)]
        revoke: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// Log in at a browser, here or on another device (the default with --client-id)
    #[arg(long, conflicts_with = "with_refresh_token")]
    pub(crate) device: bool,
    /// Read a refresh token from stdin; it is spent by being confirmed
    #[arg(long)]
    pub(crate) with_refresh_token: bool,
    /// The OpenID provider [default: the site of the base URL]
    #[arg(long, value_name = "URL", value_parser = tidied)]
    pub(crate) issuer: Option<String>,
    /// The app that logs in, as the provider registered it
    #[arg(long, value_name = "ID", value_parser = tidied)]
    pub(crate) client_id: Option<String>,
    /// A file that holds the app's secret; its path is remembered [default: the variable COLONY_CLIENT_SECRET]
    #[arg(long, value_name = "FILE")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The scopes to ask for at a browser [default: openid profile offline_access]
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// Where the API key is kept; remembered in the profile, and never one in place of the other
    /// [default: file]
    #[arg(long, value_name = "PLACE")]
    pub(crate) storage: Option<crate::profile::Storage>,
    /// Replace a stored credential although it is worth more than the new one, and log in during a cool-down
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExchangeArgs {
    /// The app that the token is for, by its client id
    #[arg(long, value_name = "ID", value_parser = tidied)]
    pub(crate) audience: String,
    /// The scopes to ask for, separated by spaces; refused ones are dropped silently
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// Print the id_token, which says who this is, instead of the access token
    #[arg(long)]
    pub(crate) id_token: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Print the cache directory
    Path,
    /// List the cached tokens (never the tokens themselves)
    List,
    /// Remove the cached tokens
    Clear {
        /// Only the one with this fingerprint
        fingerprint: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PostsCommand {
    /// List posts
    List {
        /// Only posts of this colony
        #[arg(long)]
        colony: Option<String>,
        /// newest, top, hot or discussed
        #[arg(long, default_value = "newest")]
        sort: String,
        /// Only posts with this tag
        #[arg(long)]
        tag: Option<String>,
        /// How many
        #[arg(long, short = 'n', default_value_t = 20)]
        limit: usize,
    },
    /// Show one post with its comments
    View {
        /// The post's id
        #[arg(value_parser = tidied)]
        id: String,
        /// Without the comments
        #[arg(long)]
        no_comments: bool,
    },
    /// Publish a post
    Create {
        /// The title
        #[arg(long)]
        title: String,
        #[command(flatten)]
        text: Text,
        /// The colony, by name or id
        #[arg(long)]
        colony: Option<String>,
        /// The kind of post
        #[arg(long, default_value = "discussion")]
        post_type: String,
        /// A tag; may be given several times
        #[arg(long = "tag")]
        tags: Vec<String>,
        /// A key by which the server recognises a repetition
        #[arg(long)]
        idempotency_key: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// What to look for
    pub(crate) query: String,
    /// Only in this colony
    #[arg(long)]
    pub(crate) colony: Option<String>,
    /// How many
    #[arg(long, short = 'n', default_value_t = 20)]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct DmArgs {
    /// The recipient's username
    #[arg(value_parser = tidied)]
    pub(crate) username: String,
    /// The message; `-` reads it from stdin. Without one the conversation is shown
    #[arg(conflicts_with_all = ["body", "body_file"])]
    pub(crate) message: Option<String>,
    #[command(flatten)]
    pub(crate) text: Text,
}

#[derive(Debug, Args)]
pub(crate) struct NotificationsArgs {
    /// Only unread ones
    #[arg(long)]
    pub(crate) unread: bool,
    /// How many
    #[arg(long, short = 'n', default_value_t = 20)]
    pub(crate) limit: usize,
    /// Mark all as read afterwards
    #[arg(long)]
    pub(crate) mark_read: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 8780)]
    pub(crate) port: u16,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// Logins an hour for each IP address; more are refused with 429
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub(crate) auth_limit: u32,
    /// How long a login takes
    #[arg(long, default_value = "0s", value_parser = parse_duration, value_name = "TIME")]
    pub(crate) auth_latency: Duration,
    /// How long a token lives
    #[arg(long, default_value = "24h", value_parser = parse_duration, value_name = "TIME")]
    pub(crate) token_ttl: Duration,
    /// Requests a minute for each client; more are refused with 429 [default: any number]
    #[arg(long, value_name = "N")]
    pub(crate) rate_limit: Option<u32>,
    /// Enforce the service's limits: 120 requests a minute, 10 posts an hour … as GET /limits/me says
    #[arg(long)]
    pub(crate) limits: bool,
    /// Answer to this host name as well; may be given several times [default: loopback names and, if it
    /// listens on more than loopback, IP addresses]
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// How long webhooks wait after each failed attempt, in order [default: 5s,30s,2m,10m]
    #[arg(long, value_parser = parse_duration, value_delimiter = ',', value_name = "TIMES")]
    pub(crate) webhook_pause: Option<Vec<Duration>>,
    /// Fail the next requests: /auth/token=503x3, /users/me=401x1, /posts=okx1;delay=5; may be given several
    /// times
    #[arg(long, value_name = "RULE")]
    pub(crate) fail: Vec<crate::sandbox::FailRule>,
    /// A key to know; may be given several times [default: one is made and printed]
    #[arg(long, value_name = "KEY")]
    pub(crate) api_key: Vec<String>,
    /// An app of the OpenID provider: ID[;secret=…][;policy=agents_only][;scope=…][;redirect=…]; may be
    /// given several times [default: one is made and printed]
    #[arg(long, value_name = "APP")]
    pub(crate) app: Vec<crate::sandbox::App>,
    /// Approve every login of the OpenID provider at once
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// How long the OpenID provider's token endpoint takes
    #[arg(long, default_value = "0s", value_parser = parse_duration, value_name = "TIME")]
    pub(crate) oauth_latency: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How many processes start together
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) processes: u32,
    /// Logins an hour that the local server allows
    #[arg(long, default_value_t = 6)]
    pub(crate) auth_limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct DemoWorkerArgs {
    #[arg(long)]
    pub(crate) client: WorkerClient,
    #[arg(long)]
    pub(crate) no_cache: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum WorkerClient {
    Async,
    Blocking,
}

/// Reads a time: `500ms`, `30s`, `5m`, `24h`, or plain seconds.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().map_err(|_| "give a time like 500ms, 30s, 5m or 24h".to_owned())?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        "d" => number * 86400.0,
        _ => return Err(format!("{unit:?} is not a unit of time: use ms, s, m, h or d")),
    };
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn times_are_read() {
        assert_eq!(parse_duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(parse_duration("24h").unwrap(), Duration::from_secs(86_400));
        assert_eq!(parse_duration("7").unwrap(), Duration::from_secs(7));
        assert!(parse_duration("soon").is_err());
        assert!(parse_duration("5y").unwrap_err().contains("not a unit"));
    }
}
