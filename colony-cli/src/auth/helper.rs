//! Credential helpers: the requests of git, docker and bazel, and the hosts that are answered.
//!
//! A token goes only to hosts that a person named (`colony auth helper install TOOL HOST`), whatever a tool asks for:
//! a repository's submodules, an image's name and a build's rules are text by others.
//!
//! | Tool | Specification |
//! | --- | --- |
//! | git | [gitcredentials](https://git-scm.com/docs/gitcredentials#_custom_helpers) and [the format](https://git-scm.com/docs/git-credential#IOFMT): `key=value` lines up to a blank one, unknown keys and operations ignored, `key[]` for several values. Silence lets git go on to the next helper |
//! | docker | [docker-credential-helpers](https://github.com/docker/docker-credential-helpers#development): a server's address on stdin, JSON on stdout; without credentials, `credentials not found in native keychain` and exit code 1 |
//! | bazel | [credential helper specification](https://github.com/EngFlow/credential-helper-spec/blob/main/spec.md): `{"uri": …}` on stdin, headers and their `expires` on stdout; without credentials, no headers |

use std::{
    collections::BTreeMap,
    fmt,
    io::{Read as _, stdin},
    path::Path,
    process::Command,
};

use clap::ValueEnum;
use colony_core::openid::discovery::is_loopback;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::token::{Want, bearer, end, obtain, rfc3339};
use crate::{
    args::{Global, HelperCommand},
    client::{self, Chosen},
    failure::Failure,
    output::Output,
    profile::{self, Profile},
    signals,
};

/// The default username to send with a token to a tool that needs one: servers look at the token only.
const USERNAME: &str = "oauth2";
/// The text that docker's client takes for "no credentials" instead of a failure.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The longest request that is read, in bytes.
const MAX_QUESTION: u64 = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tool {
    Git,
    Docker,
    Bazel,
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Git => "git",
            Self::Docker => "docker",
            Self::Bazel => "bazel",
        })
    }
}

/// The settings for one host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Answered {
    /// The audience of its tokens; if `None`, the login's own token is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    audience: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    /// Fields that a later version wrote.
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// The hosts that are answered, for each tool.
pub(crate) type Hosts = BTreeMap<Tool, BTreeMap<String, Answered>>;

// ---- answers

/// Answers a tool.
pub(super) async fn answer(
    global: &Global,
    tool: Tool,
    operation: &str,
    mut want: Want,
    output: &Output,
) -> Result<(), Failure> {
    let mut question = String::new();
    if operation != "list" {
        // Read even when it is not used: a tool may take a closed pipe for a failure.
        stdin().take(MAX_QUESTION).read_to_string(&mut question)?;
    }
    let hosts = hosts(&client::chosen(global)?, tool);
    let asked = match (tool, operation) {
        (Tool::Git, "get") => git_asks(&question),
        (Tool::Docker, "get") => place(&question),
        (Tool::Bazel, "get") => {
            let question: Value = serde_json::from_str(&question)
                .map_err(|error| Failure::usage(format!("bazel's question is not JSON: {error}")))?;
            let uri = question["uri"].as_str();
            place(uri.ok_or_else(|| Failure::usage("bazel's question names no uri"))?)
        }
        (Tool::Docker, "list") => {
            let row = |(host, it): (&String, &Answered)| (format!("https://{host}"), it.username().into());
            output.value(&Value::Object(hosts.iter().map(row).collect()));
            return Ok(());
        }
        // This command does not store or erase tokens. Git asks helpers to ignore operations that they do not know.
        (Tool::Git, _) | (Tool::Docker, "store" | "erase") => return Ok(()),
        _ => return Err(Failure::usage(format!("{tool} has no operation {operation:?}"))),
    };
    let known = asked.as_deref().and_then(|host| hosts.get(host));
    let Some(known) = known else {
        return match tool {
            Tool::Git => Ok(()),
            Tool::Bazel => {
                output.value(&json!({"headers": {}}));
                Ok(())
            }
            Tool::Docker => {
                output.line(NOT_FOUND);
                output.finish()?;
                signals::end(1)
            }
        };
    };
    want.audience = want.audience.or_else(|| known.audience.clone());
    let details = obtain(global, &want, output).await?;
    let token = details.token.expose_secret();
    match tool {
        Tool::Git => {
            let username = git_username(&question).unwrap_or_else(|| known.username());
            output.line(&format!(
                "username={username}\npassword={token}\npassword_expiry_utc={}",
                end(&details)
            ));
        }
        Tool::Docker => output.value(&json!({
            "ServerURL": question.trim(), "Username": known.username(), "Secret": token,
        })),
        Tool::Bazel => output.value(&json!({
            "headers": {"Authorization": [bearer(&details)]}, "expires": rfc3339(&details),
        })),
    }
    Ok(())
}

impl Answered {
    fn username(&self) -> &str {
        self.username.as_deref().unwrap_or(USERNAME)
    }
}

fn hosts(chosen: &Chosen, tool: Tool) -> BTreeMap<String, Answered> {
    let known = chosen.profile.as_ref().and_then(|profile| profile.helpers.get(&tool));
    known.cloned().unwrap_or_default()
}

/// Returns the last value of a key in git's request, up to the blank line. A key with several values (`key[]`) is a
/// different key.
fn git_value<'q>(question: &'q str, key: &str) -> Option<&'q str> {
    let lines = question.lines().take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value)
        .last()
}

fn git_username(question: &str) -> Option<&str> {
    git_value(question, "username").filter(|name| !name.is_empty())
}

fn git_asks(question: &str) -> Option<String> {
    place(&format!("{}://{}", git_value(question, "protocol")?, git_value(question, "host")?))
}

/// Returns the host and the port of an address in normal form. `None` for an address that gets no token: one without a
/// host, or one without TLS on another machine.
fn place(address: &str) -> Option<String> {
    let address = address.trim();
    let whole = if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
    // A non-standard scheme has no default port, and its host has no normal form.
    let url: Url = whole.replacen("grpcs://", "https://", 1).parse().ok()?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => return None,
    }
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

// ---- hosts

pub(super) async fn run(global: &Global, command: HelperCommand, output: &Output) -> Result<(), Failure> {
    let (tool, address, answered) = match command {
        HelperCommand::Install { tool, host, audience, username } => {
            (tool, host, Some(Answered { audience, username, extra: Map::new() }))
        }
        HelperCommand::Remove { tool, host } => (tool, host, None),
    };
    let host = place(&address).ok_or_else(|| {
        Failure::usage(format!(
            "{address:?} is no host that a token is sent to: give a name, or an https address"
        ))
    })?;
    let chosen = client::chosen(global)?;
    let profiles = chosen.profiles()?;
    let told = || output.say(&format!("waiting for another login of the profile {} to end", chosen.name));
    let lock = profiles.lock(&chosen.name, told).await?;
    let mut profile = match profiles.read(&chosen.name)? {
        Some(profile) => profile,
        None => Profile::new(client::base_url(global)?),
    };
    let hosts = profile.helpers.entry(tool).or_default();
    let installs = answered.is_some();
    match answered {
        Some(answered) => drop(hosts.insert(host.clone(), answered)),
        None if hosts.remove(&host).is_none() => {
            return Err(Failure::Local(format!("{host} is no host that {tool} is answered for")));
        }
        None => {}
    }
    profile.helpers.retain(|_, hosts| !hosts.is_empty());
    profiles.write(&lock, &chosen.name, &profile)?;
    drop(lock);
    let own = own_command(&chosen.name, &profile, tool)?;
    if tool == Tool::Git {
        let scheme = if address.starts_with("http://") { "http" } else { "https" };
        configure_git(&format!("credential.{scheme}://{host}.helper"), installs.then_some(&own))?;
    }
    // The script to give to the tool, if this command does not configure it.
    let script = (installs && tool != Tool::Git).then(|| format!("#!/bin/sh\nexec {own} \"$@\""));
    if output.json {
        output.value(&json!({"tool": tool, "host": host, "installed": installs, "script": script}));
        return Ok(());
    }
    if let Some(script) = &script {
        output.line(script);
    }
    output.say(&match (tool, installs) {
        (_, false) => format!("{host} is no longer answered"),
        (Tool::Git, true) => format!("git gets tokens for {host}"),
        (Tool::Docker, true) => format!(
            "save this script as docker-credential-colony in a directory of PATH, executable, and add \
             {{\"credHelpers\": {{{host:?}: \"colony\"}}}} to ~/.docker/config.json"
        ),
        (Tool::Bazel, true) => format!(
            "save this script, executable, and add `common --credential_helper={}=PATH_OF_THE_SCRIPT` to ~/.bazelrc",
            host.split(':').next().unwrap_or(&host)
        ),
    });
    Ok(())
}

/// Returns the command that a tool runs, quoted for a shell.
fn own_command(name: &str, profile: &Profile, tool: Tool) -> Result<String, Failure> {
    let program = std::env::current_exe()?;
    // The key in the environment is ignored if a profile is named.
    let is_named = name != profile::DEFAULT || profile.has_login();
    let profile = if is_named { format!(" --profile {name}") } else { String::new() };
    Ok(format!("{}{profile} auth token --format {tool}", quoted(&program)))
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "'\\''"))
}

/// Sets or removes this helper for one host, and leaves other helpers in place.
fn configure_git(key: &str, command: Option<&String>) -> Result<(), Failure> {
    let mut git = Command::new("git");
    git.args(["config", "--global"]);
    match command {
        Some(command) => git.args(["--replace-all", key, &format!("!{command}"), OWN]),
        None => git.args(["--unset-all", key, OWN]),
    };
    let failed = |why: String| {
        let line =
            command.map(|command| format!("; `git config --global {key} \"!{command}\"` does it by hand"));
        Failure::Local(format!("git could not be configured: {why}{}", line.unwrap_or_default()))
    };
    let done = git.output().map_err(|error| failed(error.to_string()))?;
    // 5: there was nothing to remove.
    if done.status.success() || command.is_none() && done.status.code() == Some(5) {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&done.stderr).trim().to_owned()))
}

/// Returns whether git asks this program for a host's credentials, and the program exists.
pub(crate) fn git_is_configured(host: &str) -> bool {
    ["https", "http"].iter().any(|scheme| {
        let key = format!("credential.{scheme}://{host}.helper");
        let helpers = Command::new("git").args(["config", "--get-all", &key]).output();
        let helpers =
            helpers.map(|done| String::from_utf8_lossy(&done.stdout).into_owned()).unwrap_or_default();
        let own =
            helpers.lines().filter(|line| line.ends_with(OWN)).filter_map(|line| line.strip_prefix("!'"));
        own.filter_map(|line| line.split_once('\'')).any(|(program, _)| Path::new(program).is_file())
    })
}

/// The text by which one of git's helpers is recognised as this program.
const OWN: &str = "auth token --format git";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_one_spelling_and_tls() {
        for (address, expected) in [
            ("Git.Example", Some("git.example")),
            ("https://git.example:443/a/b.git", Some("git.example")),
            ("git.example:8443\n", Some("git.example:8443")),
            ("https://user@git.example/x?y", Some("git.example")),
            ("grpcs://cache.example:443", Some("cache.example")),
            ("http://127.0.0.1:5000/v2/", Some("127.0.0.1:5000")),
            ("http://localhost:80", Some("localhost")),
            ("http://[::1]:9", Some("[::1]:9")),
            ("http://git.example", None),
            ("http://127.0.0.1.evil.example", None),
            ("grpc://cache.example", None),
            ("file:///etc/passwd", None),
            ("", None),
            ("https://", None),
        ] {
            assert_eq!(place(address).as_deref(), expected, "{address:?}");
        }
    }

    #[test]
    fn git_s_question_is_read_as_its_documentation_says() {
        let question = "protocol=https\r\nhost=wrong\n";
        assert_eq!(git_asks(question).as_deref(), Some("wrong"));
        let question = "capability[]=authtype\ncapability[]=state\nprotocol=https\nwwwauth[]=Basic realm=\"host=evil\"\n\
                        host=git.example\nunknown=host=evil\nusername=ada\n\nhost=evil.example\n";
        assert_eq!(git_asks(question).as_deref(), Some("git.example"));
        assert_eq!(git_username(question), Some("ada"));
        assert_eq!(git_username("username=\n"), None);
        for question in [
            "",
            "\n",
            "protocol=https\n",
            "host=git.example\n",
            "protocol=http\nhost=git.example\n",
            "nonsense",
        ] {
            assert_eq!(git_asks(question), None, "{question:?}");
        }
    }
}
