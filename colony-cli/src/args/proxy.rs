//! The arguments of `colony exec` and `colony proxy`.

use std::{ffi::OsString, str::FromStr, time::Duration};

use clap::Args;

use super::{Global, parse_duration};
use crate::{
    input::{tidied, tidy},
    proxy::{Allow, Listen},
};

#[derive(Debug, Args)]
pub(crate) struct ExecArgs {
    /// A token for another service, by its client id, instead of the login's; with --proxy ID=URL
    #[arg(long, value_name = "ID", value_parser = tidied)]
    pub(crate) audience: Option<String>,
    /// The id_token for that service instead of the access token
    #[arg(long, requires = "audience", conflicts_with = "proxy")]
    pub(crate) id_token: bool,
    /// The token's minimum remaining lifetime when the command starts, else it is not run
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "0s", hide_default_value = true)]
    pub(crate) min_ttl: Duration,
    /// The variable for the token; its expiry is in VAR_EXPIRES_AT, Unix seconds [default: COLONY_TOKEN]
    #[arg(long, value_name = "VAR", value_parser = variable)]
    pub(crate) env: Option<String>,
    /// Pass the token on this descriptor instead, as the JSON of `auth token --format json`
    #[arg(long, value_name = "N", conflicts_with = "env", value_parser = clap::value_parser!(u16).range(3..))]
    pub(crate) fd: Option<u16>,
    /// Pass no token but the address of a proxy that adds it, in COLONY_BASE_URL
    #[arg(long, conflicts_with = "fd")]
    pub(crate) proxy: bool,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) line: Vec<OsString>,
}

/// Parses the name of an environment variable.
fn variable(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && !text.contains(['=', '\0']);
    is_name.then(|| text.to_owned()).ok_or_else(|| "give the name of a variable, like GH_TOKEN".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct ProxyArgs {
    /// Where to listen: unix:PATH, or a loopback port [default: 127.0.0.1:0, a free port]
    #[arg(long, value_name = "PLACE", default_value = "127.0.0.1:0", hide_default_value = true)]
    pub(crate) listen: Listen,
    /// Forward to another service: its client id and its address
    #[arg(long, value_name = "ID=URL")]
    pub(crate) audience: Option<Toward>,
}

#[derive(Debug, Args)]
pub(crate) struct KeeperArgs {
    /// The process to watch: the keeper exits when it does
    #[arg(long)]
    pub(crate) process: i32,
    /// The requests to let through
    #[arg(long)]
    pub(crate) pass: Vec<Allow>,
    #[arg(long)]
    pub(crate) audience: Option<Toward>,
    /// Whether this is the process that stays
    #[arg(long = "detached")]
    pub(crate) is_detached: bool,
}

/// Another service, and its address.
#[derive(Debug, Clone)]
pub(crate) struct Toward {
    pub(crate) audience: String,
    pub(crate) url: String,
}

impl FromStr for Toward {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (audience, url) = text.split_once('=').unwrap_or_default();
        let (audience, url) = (tidy(audience), tidy(url));
        if audience.is_empty() || url.is_empty() {
            return Err(
                "give the service's client id and its address, like colony_shop=https://shop.example"
                    .to_owned(),
            );
        }
        Ok(Self { audience: audience.to_owned(), url: url.to_owned() })
    }
}

impl Global {
    /// Returns these options as arguments for another process of this program.
    pub(crate) fn repeated(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![format!("--timeout={}ms", self.timeout.as_millis()).into()];
        let text = [("--base-url", &self.base_url), ("--profile", &self.profile)];
        for (name, value) in text {
            arguments.extend(value.iter().flat_map(|value| [name.into(), value.into()]));
        }
        arguments.extend(self.ca_file.iter().flat_map(|path| ["--ca-file".into(), path.into()]));
        for (name, is_set) in [("--quiet", self.quiet), ("--no-cache", self.no_cache), ("--json", self.json)]
        {
            arguments.extend(is_set.then(|| name.into()));
        }
        arguments.extend((0..self.verbose).map(|_| "--verbose".into()));
        arguments
    }
}
