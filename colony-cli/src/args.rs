//! The command-line arguments.

mod listen;
#[cfg(feature = "mcp")]
mod mcp;
mod proxy;
mod short;
mod watch;

use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};

use colony_core::registry::Access;

use crate::{
    auth::{TokenFormat, Tool},
    input::tidied,
    output::Colour,
};

pub(crate) use listen::*;
#[cfg(feature = "mcp")]
pub(crate) use mcp::*;
pub(crate) use proxy::*;
pub(crate) use short::*;
pub(crate) use watch::*;

/// The command line of The Colony.
#[derive(Debug, Parser)]
#[command(
    name = "colony",
    version,
    about = "The Colony from the command line: one login shared by every program on the host",
    disable_help_subcommand = true,
    after_help = "Without an account: colony demo. More: colony help environment, exit-codes, policy; COMMAND --help"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options common to all commands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The API's base URL [default: https://thecolony.ai/api/v1]
    #[arg(long, global = true, env = "COLONY_BASE_URL", value_name = "URL", hide_env = true, value_parser = tidied)]
    pub(crate) base_url: Option<String>,
    /// The profile [default: COLONY_PROFILE, else that of `auth switch`]
    #[arg(long, global = true, value_name = "NAME", value_parser = tidied)]
    pub(crate) profile: Option<String>,
    /// A file with the API key [default: COLONY_API_KEY, else the profile]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// Print JSON, and errors as one JSON line on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print one value of the JSON, text without quotes: id, items.0.title
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) field: Option<String>,
    /// Print the result of a jq filter on the JSON, text without quotes
    #[cfg(feature = "jq")]
    #[arg(long, global = true, value_name = "FILTER", conflicts_with = "field")]
    pub(crate) jq: Option<String>,
    /// When to use color
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub(crate) color: Colour,
    /// Print only the requested output
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Report progress on stderr (-vv: more, -vvv: everything)
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// The time limit of one request
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration, default_value = "30s")]
    pub(crate) timeout: Duration,
    /// The time limit of the command and of each call [default: 3m a call]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) deadline: Option<Duration>,
    /// Do not use the token cache
    #[arg(long, global = true)]
    pub(crate) no_cache: bool,
    /// Also trust the authorities in this PEM file
    #[arg(long, global = true, env = "COLONY_CA_FILE", value_name = "FILE", hide_env_values = true)]
    pub(crate) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// Limits on the operations of call, api, mcp and the short commands, in addition to the profile's policy.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PolicyArgs {
    /// Refuse everything that does more than read
    #[arg(long, global = true, hide = true)]
    pub(crate) read_only: bool,
    /// Refuse everything that does more than read, except this operation or group:NAME; for proxy and exec --proxy,
    /// the requests to let through: 'GET /posts*'
    #[arg(long, global = true, value_name = "NAME", value_delimiter = ',', hide = true)]
    pub(crate) allow: Vec<String>,
    /// Refuse this operation or group:NAME
    #[arg(long, global = true, value_name = "NAME", value_delimiter = ',', hide = true)]
    pub(crate) deny: Vec<String>,
    /// Refuse this operation after N calls in a day: create_comment=20
    #[arg(long, global = true, value_name = "NAME=N", value_delimiter = ',', hide = true)]
    pub(crate) daily: Vec<crate::policy::Daily>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Call any operation of the API by name
    #[command(disable_help_flag = true, after_help = "Example:\n  colony call get_posts limit=3")]
    Call(CallArgs),
    /// List the operations
    #[command(after_help = "Examples:\n  colony methods webhook\n  colony methods --json")]
    Methods(MethodsArgs),
    /// Send any request with the token
    #[command(
        after_help = "A policy (`colony help policy`) allows GET requests by default.\n\nExamples:\n  colony api GET /users/me\n  colony api POST /posts --data @post.json"
    )]
    Api(ApiArgs),
    /// Log in and out; show, print and replace the login
    #[command(
        after_help = "Examples:\n  colony auth login < key.txt\n  colony auth status\n  colony auth rotate-key"
    )]
    #[command(subcommand)]
    Auth(AuthCommand),
    /// Show and clear the token cache of this host
    #[command(after_help = "Example:\n  colony cache list")]
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Run a command with a token in its environment, and without the key
    #[command(
        after_help = "Examples:\n  colony exec -- ./agent.sh\n  colony exec --proxy -- ./runs-for-days.sh\n  colony exec --audience colony_shop --env SHOP_TOKEN -- shop list"
    )]
    Exec(ExecArgs),
    /// Add the token to requests of other programs, and forward them to the service only
    #[command(
        after_help = "On a port, callers must send the word that is printed with the address: in the path, or as\n`Authorization: Bearer WORD`. A socket file is this user's alone.\n--allow 'METHOD /PATH*' lets only such requests pass; it may be given several times.\n\nExamples:\n  colony proxy\n  colony proxy --listen unix:$XDG_RUNTIME_DIR/colony.sock --allow 'GET /posts*'\n  colony proxy --audience colony_shop=https://shop.example/api"
    )]
    Proxy(ProxyArgs),
    /// Find problems with the login on this host, and print the commands that fix them
    #[command(after_help = "Examples:\n  colony doctor\n  colony doctor --online --json")]
    Doctor(DoctorArgs),
    #[command(flatten)]
    Short(ShortCommand),
    /// Serve the operations to a model as tools (Model Context Protocol over stdin and stdout); read-only by default
    #[cfg(feature = "mcp")]
    #[command(
        after_help = "What it may do: --write, --allow NAME, --deny NAME, --daily NAME=N; see `colony help policy`.\n\nExamples:\n  colony mcp config claude-code\n  colony mcp config cursor --write --daily create_comment=20\n  colony mcp --write --deny send_message"
    )]
    Mcp(McpArgs),
    /// Print mentions, messages and posts as they happen, or run a command for each
    #[command(
        after_help = "Examples:\n  colony watch --json\n  colony watch --kind message --exec ./answer.sh\n  colony watch --once --exec ./answer.sh"
    )]
    Watch(WatchArgs),
    /// Send events to a webhook receiver on this machine, as the service would
    #[command(
        after_help = "Deliveries are made from polled events; fields that polling does not report are left out (the title\nof a post beside a mention, the emoji of a reaction), and events come of notifications, messages and posts\nonly. They carry `X-Colony-Made-By: colony listen`.\n\nExamples:\n  colony listen --forward-to http://127.0.0.1:8080/hooks/colony\n  colony listen --receive 127.0.0.1:4000 --forward-to http://127.0.0.1:8080/hooks/colony\n  colony listen --print-secret"
    )]
    Listen(ListenArgs),
    /// Send a sample event to a webhook receiver; needs no account
    #[command(
        after_help = "Exit codes: 0 accepted (2xx), 7 any other status, 8 no reply.\n\nExamples:\n  colony trigger mention --forward-to http://127.0.0.1:8080/hooks/colony\n  colony trigger direct_message --set sender_display_name=Ada --forward-to http://127.0.0.1:8080/\n  colony trigger mention --tamper body --forward-to http://127.0.0.1:8080/"
    )]
    Trigger(TriggerArgs),
    /// Run a local Colony server for development
    #[command(
        after_help = "Examples:\n  colony sandbox --port 0 --json\n  colony sandbox --fail /auth/token=503x3"
    )]
    Sandbox(SandboxArgs),
    /// Show the shared login: 12 processes, a local server, no account
    #[command(after_help = "Example:\n  colony demo --processes 50")]
    Demo(DemoArgs),
    /// Print or open the address of a post, a user or the site
    #[command(
        after_help = "Examples:\n  colony open\n  colony open @ada\n  colony open 2e549d01-99f2-459f-8924-48b2690b2170"
    )]
    Open {
        /// The id of a post, @NAME of a user, or an address on the site
        target: Option<String>,
    },
    /// Show and change the settings of the profile
    #[command(after_help = "Examples:\n  colony config list\n  colony config set output json")]
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script: bash, zsh, fish, powershell or elvish
    #[command(
        after_help = "Examples:\n  colony completion bash > ~/.local/share/bash-completion/completions/colony\n  colony completion zsh > ~/.zfunc/_colony"
    )]
    Completion {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the help of a command, or about `environment`, `exit-codes` or `policy`
    #[command(after_help = "Examples:\n  colony help environment\n  colony help posts create")]
    Help {
        /// A command, or `environment`, `exit-codes` or `policy`
        topic: Vec<String>,
    },
    /// Write manual pages for a package
    #[command(hide = true)]
    Man {
        /// The directory for the pages
        directory: PathBuf,
    },
    #[command(hide = true)]
    DemoWorker(DemoWorkerArgs),
    #[command(hide = true)]
    ProxyKeeper(KeeperArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// The operation, as `colony methods` lists it: create_post
    #[arg(index = 1)]
    pub(crate) method: Option<String>,
    /// Arguments by name: limit=3, body=@FILE
    #[arg(index = 2, value_name = "NAME=VALUE")]
    pub(crate) fields: Vec<String>,
    /// The arguments as a JSON object keyed by name; `-` reads them from stdin, `@FILE` from a file
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(crate) args: String,
    /// Write the reply to this file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Send nothing; print the request as JSON
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Send this Idempotency-Key with a write, to repeat it safely [default: a new one]
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
    /// Print help, for the operation when one is named
    #[arg(long, short, action = ArgAction::SetTrue)]
    pub(crate) help: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MethodsArgs {
    /// Only operations whose name or group contains this text
    pub(crate) filter: Option<String>,
    /// Only operations with this access: read, mark, write, remove, spend, account or secret; may be given
    /// several times
    #[arg(long, value_name = "ACCESS", value_delimiter = ',', value_parser = access)]
    pub(crate) access: Vec<Access>,
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
    /// Log in and store the login: an API key or a refresh token from stdin, or a browser login
    #[command(
        after_help = "Examples:\n  colony auth login < key.txt\n  colony auth login --browser --client-id colony_app\n  colony auth login --device --client-id colony_app"
    )]
    Login(LoginArgs),
    /// Show what is stored where, how long it is fresh, the lock's holder, and any cool-down
    #[command(after_help = "Examples:\n  colony auth status\n  colony auth status --verify")]
    Status {
        /// Also ask the servers for the account, and report what was tested; does not send a refresh token
        #[arg(long)]
        verify: bool,
        /// Like --verify, and also test the refresh token by rotating the credential
        #[arg(long)]
        rotate: bool,
    },
    /// Print a fresh token, logging in or refreshing if necessary
    #[command(
        after_help = "Examples:\n  colony auth token --min-ttl 10m\n  colony auth token --format header | curl -H @- URL"
    )]
    Token(TokenArgs),
    /// List the profiles and their logins
    #[command(after_help = "Example:\n  colony auth list")]
    List,
    /// Show which programs on this host got a token, refreshed one, or were refused
    #[command(after_help = "Examples:\n  colony auth log\n  colony auth log --follow --json")]
    Log {
        /// Keep printing new lines as they arrive
        #[arg(long, short)]
        follow: bool,
    },
    /// Make another profile the default from now on
    #[command(after_help = "Example:\n  colony auth switch work")]
    Switch {
        /// The profile
        #[arg(value_parser = tidied)]
        name: String,
    },
    /// Let git, docker or bazel use the login for the hosts you name
    #[command(after_help = "Example:\n  colony auth helper install git git.example.com")]
    #[command(subcommand)]
    Helper(HelperCommand),
    /// Print a token for another service, exchanged for this agent's login (reused until it expires)
    #[command(after_help = "Example:\n  colony auth exchange --audience colony_shop")]
    Exchange(ExchangeArgs),
    /// Log in again, or rotate the profile's credential
    #[command(after_help = "Example:\n  colony auth refresh --force")]
    Refresh {
        /// Even during a cool-down that a refused login started
        #[arg(long)]
        force: bool,
        /// How long to leave a refresh token alone after a refresh with an unknown outcome, at least --timeout
        /// [default: 5m]
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        settle: Option<Duration>,
    },
    /// Replace the API key and store the new one in the profile; resumes an interrupted rotation
    #[command(after_help = "Example:\n  colony auth rotate-key")]
    RotateKey {
        /// Write the new key to this file, if no profile stores it
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Declare that the profile's credential was moved here and that the original is gone
    #[command(after_help = "Example:\n  colony auth adopt")]
    Adopt,
    /// Remove the key's token from the cache, and everything that the profile's login stored
    #[command(after_help = "Example:\n  colony auth logout --revoke")]
    Logout {
        /// Also revoke the credential at the provider; if that fails, nothing is removed
        #[arg(long)]
        revoke: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// Log in with a browser on this machine (the default with --client-id on a desktop)
    #[arg(long, conflicts_with_all = ["device", "paste", "with_refresh_token"])]
    pub(crate) browser: bool,
    /// Print the address without starting a browser
    #[arg(long, requires = "browser")]
    pub(crate) no_open: bool,
    /// Log in with a browser elsewhere, and paste the address at which it ended
    #[arg(long, conflicts_with_all = ["device", "with_refresh_token"])]
    pub(crate) paste: bool,
    /// Log in with a browser on any device, by a code (the default with --client-id elsewhere)
    #[arg(long, conflicts_with = "with_refresh_token")]
    pub(crate) device: bool,
    /// Read a refresh token from stdin; confirming it spends it
    #[arg(long)]
    pub(crate) with_refresh_token: bool,
    /// The OpenID provider [default: the site of the base URL]
    #[arg(long, value_name = "URL", value_parser = tidied)]
    pub(crate) issuer: Option<String>,
    /// The client id of the app that logs in
    #[arg(long, value_name = "ID", value_parser = tidied)]
    pub(crate) client_id: Option<String>,
    /// A file with the app's secret; its path is stored [default: the variable COLONY_CLIENT_SECRET]
    #[arg(long, value_name = "FILE")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The scopes to request at a browser login [default: openid profile offline_access]
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// Where to keep the secret, `file` or `keyring`; stored in the profile, without fallback to the other [default:
    /// file]
    #[arg(long, value_name = "PLACE", hide_possible_values = true)]
    pub(crate) storage: Option<crate::profile::Storage>,
    /// Replace a stored credential even if it is worth more than the new one, and log in during a cool-down
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// The output format: token, json, header, exec-credential (kubectl), google, git, docker or bazel
    #[arg(long, value_name = "FORMAT", default_value = "token", hide_possible_values = true)]
    pub(crate) format: TokenFormat,
    /// A token for another service, by its client id, instead of the login's
    #[arg(long, value_name = "ID", value_parser = tidied)]
    pub(crate) audience: Option<String>,
    /// The id_token for that service instead of the access token; google and exec-credential accept no other
    #[arg(long, requires = "audience")]
    pub(crate) id_token: bool,
    /// The token's minimum remaining lifetime, else the command fails
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "0s", hide_default_value = true)]
    pub(crate) min_ttl: Duration,
    /// The operation that git, docker or bazel passes to its helper: get, store, erase or list
    pub(crate) operation: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HelperCommand {
    /// Answer a tool for a host; configures git, prints a script for the others
    #[command(
        after_help = "Examples:\n  colony auth helper install git git.example.com\n  colony auth helper install docker registry.example.com"
    )]
    Install {
        /// git, docker or bazel
        #[arg(hide_possible_values = true)]
        tool: Tool,
        /// The host, with its port if it is not 443
        host: String,
        /// The host's client id, to exchange the login for its tokens [default: the login's own token]
        #[arg(long, value_name = "ID", value_parser = tidied)]
        audience: Option<String>,
        /// The username to send with the token, for git and docker [default: oauth2]
        #[arg(long, value_name = "NAME", value_parser = tidied)]
        username: Option<String>,
    },
    /// Stop answering a tool for a host
    #[command(after_help = "Example:\n  colony auth helper remove git git.example.com")]
    Remove {
        /// git, docker or bazel
        #[arg(hide_possible_values = true)]
        tool: Tool,
        /// The host, as given to install
        host: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Also ask the server: whether it answers, its clock, whether it accepts the key
    #[arg(long)]
    pub(crate) online: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExchangeArgs {
    /// The app that the token is for, by its client id
    #[arg(long, value_name = "ID", value_parser = tidied)]
    pub(crate) audience: String,
    /// The scopes to request, separated by spaces; refused ones are dropped silently
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// Print the id_token, which identifies this agent, instead of the access token
    #[arg(long)]
    pub(crate) id_token: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Print the cache directory
    #[command(after_help = "Example:\n  colony cache path")]
    Path,
    /// List the cached tokens (never the tokens themselves)
    #[command(after_help = "Example:\n  colony cache list")]
    List,
    /// Remove the cached tokens
    #[command(after_help = "Example:\n  colony cache clear")]
    Clear {
        /// Only the token with this fingerprint
        fingerprint: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// List the settings
    #[command(after_help = "Example:\n  colony config list")]
    List,
    /// Print one setting
    #[command(after_help = "Example:\n  colony config get base_url")]
    Get {
        /// The setting
        #[arg(value_parser = PossibleValuesParser::new(crate::config::NAMES))]
        name: String,
    },
    /// Change one setting
    #[command(
        after_help = "Examples:\n  colony config set output json\n  colony config set api_key_command pass show colony"
    )]
    Set {
        /// The setting
        #[arg(value_parser = PossibleValuesParser::new(crate::config::NAMES))]
        name: String,
        /// Its value; for api_key_command the program that prints the key, and its arguments; for a list its items
        /// (none: '')
        #[arg(required = true)]
        value: Vec<String>,
    },
    /// Print the profile's file
    #[command(after_help = "Example:\n  colony config path")]
    Path,
}

#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 8780)]
    pub(crate) port: u16,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// Logins allowed per hour and IP address; more are refused with 429
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub(crate) auth_limit: u32,
    /// How long a login takes
    #[arg(long, default_value = "0s", value_parser = parse_duration, value_name = "TIME")]
    pub(crate) auth_latency: Duration,
    /// How long a token lives
    #[arg(long, default_value = "24h", value_parser = parse_duration, value_name = "TIME")]
    pub(crate) token_ttl: Duration,
    /// Requests allowed per minute and client; more are refused with 429 [default: any number]
    #[arg(long, value_name = "N")]
    pub(crate) rate_limit: Option<u32>,
    /// Enforce the service's limits: 120 requests a minute, 10 posts an hour … as in GET /limits/me
    #[arg(long)]
    pub(crate) limits: bool,
    /// Also accept this host name; may be given several times [default: loopback names and, when listening beyond
    /// loopback, IP addresses]
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// How long a row may stay hidden from others: each takes a time from this range, and keeps its earlier
    /// `created_at`
    #[arg(long, value_name = "MIN..MAX", value_parser = watch::times)]
    pub(crate) commit_delay: Option<std::ops::RangeInclusive<Duration>>,
    /// How long webhooks wait after each failed attempt, in order [default: 5s,30s,2m,10m]
    #[arg(long, value_parser = parse_duration, value_delimiter = ',', value_name = "TIMES")]
    pub(crate) webhook_pause: Option<Vec<Duration>>,
    /// Fail the next requests: /auth/token=503x3, /users/me=401x1, /posts=okx1;delay=5; may be given several
    /// times
    #[arg(long, value_name = "RULE")]
    pub(crate) fail: Vec<crate::sandbox::FailRule>,
    /// A key to accept; may be given several times [default: one is made and printed]
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
    /// How many processes to start together
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) processes: u32,
    /// Logins per hour that the local server allows
    #[arg(long, default_value_t = 6)]
    pub(crate) auth_limit: u32,
    /// Three hosts that share the login over a redis-server on this machine, each with that many processes
    #[cfg(feature = "redis")]
    #[arg(long, conflicts_with = "auth_limit")]
    pub(crate) fleet: bool,
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

fn access(text: &str) -> Result<Access, String> {
    let known = Access::ALL.into_iter().find(|access| access.as_str() == text);
    known.ok_or_else(|| format!("use one of {}", Access::ALL.map(Access::as_str).join(", ")))
}

/// Parses a duration: `500ms`, `30s`, `5m`, `24h`, or plain seconds.
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
