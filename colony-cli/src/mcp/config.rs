//! `colony mcp config CLIENT`: prints what to paste so that a client starts this server. It edits no files, and
//! contains no key: the server uses this machine's login.

use clap::ValueEnum;
use serde_json::json;

use crate::{
    args::{Global, McpArgs},
    client,
    failure::Failure,
    output::Output,
};

/// A program that starts MCP servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum McpClient {
    /// A `claude mcp add` command
    ClaudeCode,
    /// claude_desktop_config.json
    ClaudeDesktop,
    /// .vscode/mcp.json
    Vscode,
    /// .cursor/mcp.json
    Cursor,
}

pub(super) fn print(global: &Global, args: &McpArgs, to: McpClient, output: &Output) -> Result<(), Failure> {
    // Desktop programs have a different PATH than a shell.
    let program = std::env::current_exe()?;
    let program =
        program.to_str().ok_or_else(|| Failure::Local("the path of this program is not text".to_owned()))?;
    let arguments = arguments(global, args, output)?;
    match to {
        McpClient::ClaudeCode => {
            let words: Vec<String> =
                [program].into_iter().chain(arguments.iter().map(String::as_str)).map(quoted).collect();
            output.line(&format!("claude mcp add colony -- {}", words.join(" ")));
        }
        McpClient::ClaudeDesktop | McpClient::Cursor => {
            let server = json!({"command": program, "args": arguments});
            output.line(&pretty(&json!({"mcpServers": {"colony": server}})));
        }
        McpClient::Vscode => {
            let server = json!({"type": "stdio", "command": program, "args": arguments});
            output.line(&pretty(&json!({"servers": {"colony": server}})));
        }
    }
    Ok(())
}

/// Returns the server's arguments: the profile by its name, and every given flag.
fn arguments(global: &Global, args: &McpArgs, output: &Output) -> Result<Vec<String>, Failure> {
    let mut out = vec!["mcp".to_owned()];
    let mut flag = |name: &str, value: Option<String>| {
        out.push(format!("--{name}"));
        out.extend(value);
    };
    let chosen = client::chosen(global)?;
    match chosen.existing()? {
        Some(profile) if profile.has_login() => flag("profile", Some(chosen.name.clone())),
        _ => {
            output
                .say("there is no login in a profile yet: `colony auth login` first; no key goes into this");
        }
    }
    if let Some(url) = &global.base_url {
        flag("base-url", Some(url.clone()));
    }
    for path in [("api-key-file", &global.api_key_file), ("ca-file", &global.ca_file)] {
        if let (name, Some(path)) = path {
            flag(name, Some(std::path::absolute(path)?.display().to_string()));
        }
    }
    if args.write {
        flag("write", None);
    }
    if args.ask {
        flag("ask", None);
    }
    if let Some(what) = args.dry_run {
        flag(if what == super::DryRun::All { "dry-run=all" } else { "dry-run" }, None);
    }
    if args.max_result != super::MAX_RESULT {
        flag("max-result", Some(args.max_result.to_string()));
    }
    let policy = &global.policy;
    if policy.read_only {
        flag("read-only", None);
    }
    for (name, values) in [("allow", &policy.allow), ("deny", &policy.deny)] {
        values.iter().for_each(|value| flag(name, Some(value.clone())));
    }
    policy.daily.iter().for_each(|daily| flag("daily", Some(format!("{}={}", daily.0, daily.1))));
    Ok(out)
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Quotes a word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    if cfg!(windows) {
        return format!("\"{word}\"");
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
