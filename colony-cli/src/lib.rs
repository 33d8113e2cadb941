//! The command line of The Colony, and the local sandbox server as a library.
//!
//! `colony --help` documents the commands; the README documents what scripts can rely on (exit codes, the form of
//! errors, output).

mod api;
mod args;
mod auth;
mod cache;
mod call;
mod client;
mod completion;
mod config;
mod demo;
mod doctor;
mod edit;
mod exec;
mod failure;
mod fields;
mod forward;
mod help;
mod input;
mod listen;
#[cfg(feature = "mcp")]
mod mcp;
mod methods;
mod open;
mod operation_docs;
mod output;
mod policy;
mod profile;
mod proxied;
pub mod proxy;
mod rotation;
mod samples;
pub mod sandbox;
mod save;
mod serve;
mod short;
mod signals;
mod sink;
mod trigger;
mod waiting;
mod warnings;
mod watch;
mod webhook_secret;

use std::{process::ExitCode, time::Duration};

use clap::FromArgMatches as _;
use colony_core::{Error, ErrorKind, Limit};
use tracing::Level;
use tracing_subscriber::{
    Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{
    args::{Cli, Command, Global},
    failure::Failure,
    output::{Output, Select},
};

/// Runs the command line with the process's arguments.
pub fn main() -> ExitCode {
    let parsed = help::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    colony_async::install_tls_provider();
    let global = &cli.global;
    output::set_colour(global.color);
    let json = global.json || config::wants_json(global);
    let output = Output::new(json, global.quiet);
    let output = match Select::of(global) {
        Ok(select) => output.select(select),
        Err(failure) => return failure.report(None, &output),
    };
    waiting::set(global, json);
    let command = cli.command.unwrap_or(Command::Help { topic: Vec::new() });
    start_log(verbosity(global, &command), waiting::tells());
    match run(global, command, &output).and_then(|()| output.finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(client::base_url(global).ok().as_deref(), &output),
    }
}

fn run(global: &Global, command: Command, output: &Output) -> Result<(), Failure> {
    policy::check_flags(global, &command)?;
    match command {
        // These need no multi-threaded runtime, or none at all.
        Command::Methods(args) => methods::run(&args, output),
        Command::Help { topic } => help::run(&topic, output),
        Command::Open { target } => open::run(global, target.as_deref(), output),
        Command::Man { directory } => completion::manual(&directory),
        Command::Completion { shell } => {
            completion::run(shell, output);
            Ok(())
        }
        Command::Cache(command) => cache::run(global, &command, output),
        Command::Sandbox(_) if global.deadline.is_some() => {
            Err(Failure::usage("--deadline does not apply to sandbox, which runs until it is stopped"))
        }
        Command::Watch(_) | Command::Listen(_) | Command::Exec(_) | Command::Proxy(_)
            if global.deadline.is_some() =>
        {
            Err(Failure::usage(
                "--deadline does not apply to a command that runs until it is stopped; see --timeout",
            ))
        }
        Command::Exec(args) => exec::run(global, args, output),
        Command::Proxy(args) => {
            let runtime = runtime()?;
            let outcome = runtime.block_on(async {
                signals::survive_file_limit();
                proxied::run(global, args, output).await
            });
            runtime.shutdown_background();
            outcome
        }
        Command::ProxyKeeper(args) => proxied::keeper(global, args, output),
        #[cfg(feature = "mcp")]
        Command::Mcp(_) if global.deadline.is_some() => Err(Failure::usage(
            "--deadline does not apply to a command that runs until it is stopped; see --timeout",
        )),
        #[cfg(feature = "mcp")]
        Command::Mcp(args) => {
            let runtime = runtime()?;
            let outcome = runtime.block_on(mcp::run(global, args, output));
            // A pending read of stdin cannot be cancelled, and is not awaited.
            runtime.shutdown_background();
            outcome
        }
        command @ (Command::Watch(_) | Command::Listen(_)) => {
            let runtime = runtime()?;
            let outcome = runtime.block_on(async {
                signals::survive_file_limit();
                match command {
                    Command::Watch(args) => watch::run(global, args, output).await,
                    Command::Listen(args) => listen::run(global, args, output).await,
                    _ => unreachable!("one of the two"),
                }
            });
            runtime.shutdown_background();
            outcome
        }
        Command::Sandbox(args) => runtime()?.block_on(serve::run(args, output)),
        Command::Demo(args) => runtime()?.block_on(demo::run(args, output)),
        Command::DemoWorker(args) => demo::work(args),
        command => {
            let runtime = runtime()?;
            let work = async {
                signals::survive_file_limit();
                match command {
                    Command::Call(args) => call::run(global, args, output).await,
                    Command::Api(args) => api::run(global, args, output).await,
                    Command::Auth(command) => auth::run(global, command, output).await,
                    Command::Doctor(args) => doctor::run(global, &args, output).await,
                    Command::Config(command) => config::run(global, command, output).await,
                    Command::Short(command) => short::run(global, command, output).await,
                    Command::Trigger(args) => trigger::run(global, args, output).await,
                    _ => unreachable!("handled above"),
                }
            };
            let outcome = runtime.block_on(async {
                tokio::select! {
                    outcome = within(global.deadline, work) => outcome,
                    () = waiting::watch() => unreachable!("it never ends"),
                }
            });
            // A file operation that hangs on a network mount must not delay the exit.
            runtime.shutdown_background();
            outcome
        }
    }
}

/// Returns the log level.
fn verbosity(global: &Global, command: &Command) -> u8 {
    match command {
        #[cfg(feature = "mcp")]
        Command::Mcp(_) => mcp::verbosity(global.verbose),
        _ => global.verbose,
    }
}

/// Bounds a whole command. Each of its calls has the same limit, and reports more when the limit ends it.
async fn within(
    limit: Option<Duration>,
    command: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let Some(limit) = limit else { return command.await };
    let bound = limit.saturating_add(Duration::from_millis(50));
    tokio::time::timeout(bound, command).await.unwrap_or_else(|_| {
        let failed = waiting::failed().map_or_else(String::new, |failed| format!("; {failed}"));
        let message =
            format!("the command did not end within {} s (--deadline){failed}", limit.as_secs_f64());
        Err(Error::build(ErrorKind::Network, message).limit(Limit::Deadline, limit).finish().into())
    })
}

/// One thread starts quicker than several, and the sandbox and the proxy wait more than they compute. A scheduler for
/// several would also double the code of every task.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Starts the log. Warnings are lines on stderr if a person sees them. `-v` shows what the token session does, `-vv`
/// everything in this SDK, `-vvv` the HTTP library too. `RUST_LOG`-style filters are not read: a variable set for
/// another program must not fill stderr.
fn start_log(verbose: u8, warns: bool) {
    let targets = match verbose {
        0 => None,
        1 => {
            Some(Targets::new().with_target("colony", Level::INFO).with_target("colony::token", Level::DEBUG))
        }
        2 => Some(Targets::new().with_target("colony", Level::TRACE)),
        _ => Some(Targets::new().with_default(Level::TRACE)),
    };
    let warnings = (verbose == 0 && warns).then(warnings::layer);
    let log = targets.map(|targets| {
        let log = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(output::stderr_has_colour());
        // Internal errors would also go to stderr, and panic if it is closed.
        log.log_internal_errors(false).with_filter(targets)
    });
    let waiting = waiting::Listener.with_filter(Targets::new().with_target("colony", Level::DEBUG));
    let _ = tracing_subscriber::registry().with(waiting).with(warnings).with(log).try_init();
}

/// The README's code, compiled as doctests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
