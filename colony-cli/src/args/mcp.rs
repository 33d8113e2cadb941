//! The arguments of `colony mcp`.

use clap::{Args, Subcommand};

use crate::mcp::{DryRun, MAX_RESULT, McpClient};

#[derive(Debug, Args)]
pub(crate) struct McpArgs {
    #[command(subcommand)]
    pub(crate) command: Option<McpCommand>,
    /// Also allow what writes and what marks as read; the rest by name, with --allow
    #[arg(long, global = true)]
    pub(crate) write: bool,
    /// Have a person asked before each write, by a client that can (elicitation); others are refused
    #[arg(long, global = true)]
    pub(crate) ask: bool,
    /// Answer writes with the request that would be sent, and send nothing; with `all` reads, too
    #[arg(
        long,
        global = true,
        value_name = "WHAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "writes",
        hide_possible_values = true
    )]
    pub(crate) dry_run: Option<DryRun>,
    /// The longest result, in bytes; lists are cut at whole rows
    #[arg(long, global = true, value_name = "BYTES", default_value_t = MAX_RESULT, value_parser = max_result)]
    pub(crate) max_result: usize,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum McpCommand {
    /// Print what a client needs to start this server, with the flags that are given
    #[command(after_help = "Example:\n  colony mcp config claude-desktop --write")]
    Config {
        /// The client: claude-code, claude-desktop, vscode or cursor
        #[arg(value_enum, hide_possible_values = true)]
        client: McpClient,
    },
}

/// The least room in which an answer can say that it was cut.
const LEAST_RESULT: usize = 1024;

fn max_result(text: &str) -> Result<usize, String> {
    let bytes = text.parse().ok().filter(|bytes| *bytes >= LEAST_RESULT);
    bytes.ok_or_else(|| format!("give a number of bytes, at least {LEAST_RESULT}"))
}
