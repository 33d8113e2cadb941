//! The help: commands grouped by purpose, and suggestions for mistyped ones.

use clap::{Command, CommandFactory as _, builder::StyledStr, error::ContextKind};
use colony_core::registry;
use strsim::normalized_damerau_levenshtein;

use crate::{
    args::Cli,
    failure::Failure,
    methods,
    output::{self, Output},
};

/// The commands as the help lists them. Commands in no group are hidden.
const GROUPS: [(&str, &[&str]); 5] = [
    (
        "Posts and people",
        &[
            "posts",
            "search",
            "comment",
            "reply",
            "vote",
            "users",
            "follow",
            "colonies",
            "dm",
            "notifications",
            "open",
            "watch",
        ],
    ),
    #[cfg(feature = "mcp")]
    ("Any operation", &["call", "methods", "api", "mcp"]),
    #[cfg(not(feature = "mcp"))]
    ("Any operation", &["call", "methods", "api"]),
    ("Login", &["auth", "exec", "proxy", "doctor", "whoami", "limits", "cache"]),
    ("Local server", &["sandbox", "listen", "trigger", "demo"]),
    ("This program", &["config", "completion", "help"]),
];

const ENVIRONMENT: &str = "\
Environment:
  COLONY_API_KEY              the API key
  COLONY_BASE_URL             the API's base URL, as --base-url
  COLONY_PROFILE              the profile, as --profile
  COLONY_TOTP                 the current code of two-factor login
  COLONY_WEBHOOK_SECRET       the secret of webhooks, for listen and trigger
  COLONY_LOG                  how much mcp logs: 1 to 3, as -v to -vvv
  COLONY_CLIENT_SECRET        the secret of the app that logs in
  COLONY_CONFIG_DIR           where profiles are kept
  COLONY_STATE_DIR            where positions of watches and daily budgets are kept
  COLONY_SDK_CREDENTIALS_DIR  where credentials of OpenID logins are kept
  COLONY_SDK_TOKEN_CACHE_DIR  where tokens are cached
  COLONY_SDK_TOKEN_CACHE_TTL  how long a cached token is used: seconds, 5m, 1h
  COLONY_SDK_TOKEN_STORE      a Redis or Valkey server by which hosts share the token
  COLONY_SDK_TOKEN_STORE_PASSWORD  its password
  COLONY_SDK_NO_TOKEN_CACHE   1: no token cache, as --no-cache
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY   the proxy and what is reached without it
  SSL_CERT_FILE, SSL_CERT_DIR         other root certificates
  NO_COLOR, CLICOLOR_FORCE            never or always use colour
  VISUAL, EDITOR                      the editor of --edit";

const EXIT_CODES: &str = "\
Exit codes:
  0  done                               6  rate_limit
  1  anything else                      7  server, api
  2  wrong usage, invalid_argument      8  network
  3  auth, two_factor_required,         9  busy, credential_busy
     two_factor_invalid,               10  refused, by a policy
     reauth_required                  130  Ctrl-C, or a second signal
  4  not_found
  5  conflict, validation, credential_downgrade";

const POLICY: &str = "\
Policy: a forbidden operation is refused before anything is sent (exit code 10).

  --read-only         refuse what does more than read (`colony methods --access read` lists the rest)
  --allow NAME        refuse what does more than read, but for this operation or group:NAME
  --deny NAME         refuse this operation or group:NAME, whatever allows it
  --daily NAME=N      refuse this operation when it was carried out so often today (UTC), by any program of the
                      account on this host
  --write             mcp only, which reads only unless told otherwise: also let through what publishes, can be taken
                      back, or marks as read

NAME is an operation of `colony methods`; all but --read-only and --write may be given several times. They go with call,
api, mcp and the short commands. The profile's policy holds for every command, and flags only tighten it:

  colony config set policy.read_only true
  colony config set policy.allow create_comment group:bookmarks
  colony config set policy.daily create_comment=20 send_message=10";

/// Returns the whole command line.
pub(crate) fn command() -> Command {
    let command = Cli::command();
    let (bold, reset) = ("\u{1b}[1m\u{1b}[4m", "\u{1b}[0m");
    let mut listed = String::new();
    for (group, names) in GROUPS {
        listed += &format!("{bold}{group}:{reset}\n");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map_or_else(String::new, ToString::to_string);
            listed += &format!("  {name:<14} {about}\n");
        }
    }
    command.help_template(format!(
        "{{about}}\n{{usage-heading}} {{usage}}\n\n{listed}\n{bold}Options:{reset}\n{{options}}{{after-help}}"
    ))
}

/// Prints the help of the program, of a command, or about a topic.
pub(crate) fn run(topic: &[String], output: &Output) -> Result<(), Failure> {
    match topic {
        [one] if one == "environment" => output.line(ENVIRONMENT),
        [one] if one == "exit-codes" => output.line(EXIT_CODES),
        [one] if one == "policy" => output.line(POLICY),
        [call, operation] if call == "call" => methods::help(crate::call::find(operation)?, output),
        [call] if call == "call" => methods::call_help(output),
        _ => {
            let mut command = command();
            command.build();
            for name in topic {
                let Some(found) = command.find_subcommand(name) else {
                    let near = meant(&topic.join(" "), &[]);
                    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                    return Err(Failure::usage(format!("there is no command {:?}{near}", topic.join(" "))));
                };
                command = found.clone();
            }
            print(&command.render_help(), output);
        }
    }
    Ok(())
}

/// Prints a text from clap.
pub(crate) fn print(text: &StyledStr, output: &Output) {
    let text = if output::stdout_has_colour() { text.ansi().to_string() } else { text.to_string() };
    output.line(text.trim_end());
}

/// Returns a suggestion for a mistyped command where clap has none.
pub(crate) fn advice(error: &clap::Error) -> Option<String> {
    let Some(clap::error::ContextValue::String(given)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    // The following words may belong to it: `colony post list`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    meant(given, &words).map(|meant| format!("did you mean `{meant}`?"))
}

/// Returns the command line closest to these words, ignoring blanks and hyphens: `poststlist`, `auth-status`,
/// `create_post`.
fn meant(given: &str, words: &[String]) -> Option<String> {
    let given = squashed(given);
    let all = squashed(&words.join(" "));
    let mut known = Vec::new();
    paths(&Cli::command(), "colony", &mut known);
    known.extend(registry::operations().map(|(_, operation)| format!("colony call {}", operation.name)));
    let closeness = |line: &String| {
        let bare = line.strip_prefix("colony call ").or_else(|| line.strip_prefix("colony ")).unwrap_or(line);
        let bare = squashed(bare);
        normalized_damerau_levenshtein(&bare, &given).max(normalized_damerau_levenshtein(&bare, &all))
    };
    let mut near: Vec<(f64, String)> = known.into_iter().map(|line| (closeness(&line), line)).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().next().filter(|(closeness, _)| *closeness > 0.75).map(|(_, line)| line)
}

fn squashed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Collects the command lines of all visible commands.
fn paths(command: &Command, prefix: &str, found: &mut Vec<String>) {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        let path = format!("{prefix} {}", below.get_name());
        paths(below, &path, found);
        found.push(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let command = Cli::command();
        let mut listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        listed.sort_unstable();
        let mut shown: Vec<&str> =
            command.get_subcommands().filter(|below| !below.is_hide_set()).map(Command::get_name).collect();
        shown.sort_unstable();
        assert_eq!(listed, shown);
    }

    #[test]
    fn what_was_meant_is_found() {
        for (given, expected) in [
            ("postslist", "colony posts list"),
            ("postlist", "colony posts list"),
            ("authstatus", "colony auth status"),
            ("auth-login", "colony auth login"),
            ("create_post", "colony call create_post"),
            ("createpost", "colony call create_post"),
            ("serach", "colony search"),
            ("cachepath", "colony cache path"),
        ] {
            assert_eq!(meant(given, &[]).as_deref(), Some(expected), "{given}");
        }
        assert_eq!(
            meant("post", &["post".to_owned(), "list".to_owned()]).as_deref(),
            Some("colony posts list")
        );
        assert_eq!(meant("zzz", &[]), None);
    }
}
