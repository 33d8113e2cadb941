//! `colony mcp`: the operations as tools of the Model Context Protocol, over stdin and stdout.
//!
//! The server starts without touching the network, a keyring or a lock: a client that waits for a reply would consider
//! it broken, and shows only "disconnected" for one that exited. The login happens at the first call, and is shared by
//! all programs on this host.

mod answer;
mod ask;
mod calls;
mod config;
mod describe;
mod schema;
mod search;
mod server;
mod tools;

use std::{pin::pin, sync::Arc, time::Duration};

use clap::ValueEnum;
use colony_core::{
    Error,
    policy::Policy,
    registry::{self, Access},
};
use rmcp::{ServiceExt as _, service::ServerInitializeError, transport::stdio_pipes};
use serde_json::Value;

pub(crate) use self::config::McpClient;
use self::{calls::Calls, server::Server};
use crate::{
    args::{Global, McpArgs, McpCommand},
    failure::Failure,
    output::Output,
    policy, signals,
};

/// The default limit of a result, in bytes.
pub(crate) const MAX_RESULT: usize = 24 * 1024;
/// How long a shutdown by a signal may take.
const GRACE: Duration = Duration::from_millis(500);
/// The log level, for clients that cannot pass `-v`.
const LOG_VARIABLE: &str = "COLONY_LOG";

/// The calls that are shown instead of sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRun {
    /// Writes
    Writes,
    /// Reads and writes
    All,
}

pub(crate) async fn run(global: &Global, args: McpArgs, output: &Output) -> Result<(), Failure> {
    let limits = limits(global, &args)?;
    if let Some(McpCommand::Config { client }) = args.command {
        return config::print(global, &args, client, output);
    }
    // Before the handshake: an earlier signal would end the program by default.
    let mut signals = signals::arriving()?;
    // Each call reports an unreadable profile: a program that exits shows nothing to its client's user.
    let policy = policy::of_profile(global).map(|profile| limits.clone().and(profile));
    let calls = Calls::new(global.clone(), policy, &args);
    let server = Server::new(Arc::new(calls));
    let serving = async {
        let service = match server.serve(stdio_pipes()).await {
            Ok(service) => service,
            Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(error) => {
                return Err(Failure::Local(format!("the client does not speak the protocol: {error}")));
            }
        };
        // Ends at the end of the input, once the replies in progress are written.
        service.waiting().await.map(drop).map_err(|error| Failure::Local(error.to_string()))
    };
    let mut serving = pin!(serving);
    tokio::select! {
        ended = &mut serving => ended,
        _ = signals.recv() => {
            // Lets the current write finish, and waits for nothing more.
            tokio::select! {
                _ = tokio::time::sleep(GRACE) => {}
                _ = signals.recv() => {}
                _ = tokio::task::yield_now() => {}
            }
            Ok(())
        }
    }
}

/// Returns the policy of the flags: reads only, unless more is allowed.
fn limits(global: &Global, args: &McpArgs) -> Result<Policy, Failure> {
    let mut settings = global.policy.settings(args.write);
    if args.write && settings.read_only {
        return Err(Failure::usage("--write and --read-only contradict each other; give one of them"));
    }
    settings.read_only |= !args.write;
    let limits = policy::known(settings.policy())?;
    for name in &settings.allow {
        if registry::find(name).is_some_and(|operation| operation.access() == Access::Secret) {
            return Err(Failure::usage(format!(
                "--allow {name}: its arguments or its answer hold a secret, and a model's context is a log; use \
                 `colony call {name}`"
            )));
        }
    }
    Ok(limits)
}

/// Returns the log level: that of `-v`, or `COLONY_LOG` (1 to 3, or info, debug, trace).
pub(crate) fn verbosity(given: u8) -> u8 {
    let variable = std::env::var(LOG_VARIABLE).unwrap_or_default();
    let asked = match variable.trim() {
        "1" | "info" => 1,
        "2" | "debug" => 2,
        "3" | "trace" => 3,
        _ => 0,
    };
    given.max(asked)
}

/// Returns JSON with its fields in order, so that equal values have equal texts.
fn canonical(value: &Value) -> String {
    colony_core::canonical::to_string(value)
}

/// Converts a failed command to a call's error.
fn as_error(failure: &Failure) -> Error {
    match failure {
        Failure::Api(error) | Failure::Advised(error, _) => error.clone(),
        Failure::Local(message) => Error::build(colony_core::ErrorKind::Config, message.clone()).finish(),
    }
}
