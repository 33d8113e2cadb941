//! The command line of The Colony, and the local sandbox server as a library.
//!
//! The commands are documented by `colony --help`; what scripts may rely on (exit codes, the form of
//! errors, output) by the README.

mod api;
mod args;
mod auth;
mod cache;
mod call;
mod client;
mod demo;
mod failure;
mod fields;
mod input;
mod methods;
mod operation_docs;
mod output;
mod profile;
pub mod sandbox;
mod serve;
mod short;
mod signals;
mod warnings;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    args::{Cli, Command, Global},
    failure::Failure,
    output::Output,
};

/// Runs the command line with the process's arguments.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    let output = Output::new(cli.global.json, cli.global.quiet);
    start_log(cli.global.verbose, cli.global.quiet);
    match run(&cli.global, cli.command, &output).and_then(|()| output.finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(client::base_url(&cli.global).ok().as_deref(), &output),
    }
}

fn run(global: &Global, command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        // These need no runtime of the usual kind, or none at all.
        Command::Methods(args) => methods::run(&args, output),
        Command::Cache(command) => cache::run(global, &command, output),
        Command::Sandbox(args) => many_threads()?.block_on(serve::run(args, output)),
        Command::Demo(args) => many_threads()?.block_on(demo::run(args, output)),
        Command::DemoWorker(args) => demo::work(args),
        // The rest make a call or two: one thread starts quicker than several.
        command => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let outcome = runtime.block_on(async {
                signals::survive_file_limit();
                match command {
                    Command::Call(args) => call::run(global, args, output).await,
                    Command::Api(args) => api::run(global, args, output).await,
                    Command::Auth(command) => auth::run(global, command, output).await,
                    Command::Whoami => short::whoami(global, output).await,
                    Command::Posts(command) => short::posts(global, command, output).await,
                    Command::Search(args) => short::search(global, args, output).await,
                    Command::Dm(args) => short::dm(global, args, output).await,
                    Command::Notifications(args) => short::notifications(global, args, output).await,
                    _ => unreachable!("handled above"),
                }
            });
            // A file operation that hangs on a network mount must not hold up the end.
            runtime.shutdown_background();
            outcome
        }
    }
}

fn many_threads() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// Warnings are lines on stderr unless `--quiet`. `-v` tells what the token session does, `-vv` everything of this SDK, `-vvv` also the HTTP library.
/// `RUST_LOG`-style filters are not read: a variable set for another program must not fill stderr.
fn start_log(verbose: u8, quiet: bool) {
    let filter = match verbose {
        0 if quiet => return,
        0 => return warnings::start(),
        1 => "colony::token=debug,colony=info",
        2 => "colony=trace",
        _ => "trace",
    };
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(output::stderr_has_colour())
        // They would go to stderr too, and panic where that is gone.
        .log_internal_errors(false)
        .try_init();
}

/// The README's code, compiled as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
