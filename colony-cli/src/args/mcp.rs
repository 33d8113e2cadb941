//! The arguments of `colony mcp`.

use clap::{Args, Subcommand};

use crate::mcp::{DryRun, MAX_RESULT, McpClient};

#[derive(Debug, Args)]
pub(crate) struct McpArgs {
    #[command(subcommand)]
    pub(crate) command: Option<McpCommand>,
    /// Also allow operations that write or mark as read; the rest by name, with --allow
    #[arg(long, global = true)]
    pub(crate) write: bool,
    /// Ask a person before each write, through the client (elicitation); refuse the write if it cannot ask
    #[arg(long, global = true)]
    pub(crate) ask: bool,
    /// Reply to writes with the request that would be sent, and send nothing; with `all`, to reads too
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
    /// The largest result, in bytes; lists are cut at whole rows
    #[arg(long, global = true, value_name = "BYTES", default_value_t = MAX_RESULT, value_parser = max_result)]
    pub(crate) max_result: usize,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum McpCommand {
    /// Print what a client needs to start this server, with the given flags
    #[command(after_help = "Example:\n  colony mcp config claude-desktop --write")]
    Config {
        /// The client: claude-code, claude-desktop, vscode or cursor
        #[arg(value_enum, hide_possible_values = true)]
        client: McpClient,
    },
}

/// The smallest limit that leaves room to report a cut.
const LEAST_RESULT: usize = 1024;

fn max_result(text: &str) -> Result<usize, String> {
    let bytes = text.parse().ok().filter(|bytes| *bytes >= LEAST_RESULT);
    bytes.ok_or_else(|| format!("give a number of bytes, at least {LEAST_RESULT}"))
}
