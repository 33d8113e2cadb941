//! `colony mcp` with calls that panic: the part of M8 for which no shipped program can be made to panic. This program
//! starts itself as `colony mcp`, under a subscriber that panics when the span of a certain operation begins, inside
//! the task of the call.

use std::{
    fmt,
    process::{Command, ExitCode},
};

use serde_json::{Value, json};
use tracing::{field::Visit, span};
use tracing_subscriber::{Layer, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{
    bench::Bench,
    talk::{Protocol, Talk, said},
};

#[path = "cli/bench.rs"]
#[allow(dead_code, reason = "shared with the tests of the commands")]
mod bench;
#[path = "agents/talk.rs"]
#[allow(dead_code, reason = "shared with the tests of the other promises")]
mod talk;

/// Set for the server only.
const SERVER: &str = "COLONY_TESTS_PANICKING_SERVER";
/// The operation that panics.
const PANICS: &str = "get_user_by_username";
const CALLS: usize = 1000;

fn main() -> ExitCode {
    if std::env::var_os(SERVER).is_some() {
        let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        tracing_subscriber::registry().with(Panicking).with(log).init();
        return colony_cli::main();
    }
    for protocol in [Protocol::Handshake, Protocol::Inline] {
        a_call_that_panics_is_answered_and_ends_no_other(protocol);
    }
    ExitCode::SUCCESS
}

#[allow(clippy::print_stdout, reason = "the figures are what the test is run for")]
fn a_call_that_panics_is_answered_and_ends_no_other(protocol: Protocol) {
    let bench = Bench::new();
    let mut command = Command::new(std::env::current_exe().unwrap());
    let colony = bench.command(&["mcp", "-vvv"]);
    command.env_clear().args(colony.get_args()).env(SERVER, "1");
    command.envs(colony.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut talk = Talk::begin(command, protocol, json!({}));
    let uri = format!("colony://user/{}", bench.sandbox.username());
    let asked: Vec<(usize, u64)> = (0..CALLS)
        .map(|number| {
            let (method, params) = match number % 4 {
                0 => {
                    let arguments = json!({"name": PANICS, "arguments": {"username": "ada"}});
                    ("tools/call", json!({"name": "read_operation", "arguments": arguments}))
                }
                1 => ("resources/read", json!({"uri": uri})),
                2 => ("tools/call", json!({"name": "whoami", "arguments": {}})),
                _ => ("tools/call", json!({"name": "find_operation", "arguments": {"words": "mute"}})),
            };
            (number, talk.send(method, params))
        })
        .collect();
    for (number, id) in asked {
        let answer = talk.answer(id);
        match number % 4 {
            0 => {
                let (text, is_error) = said(&answer);
                let error: Value = serde_json::from_str(&text).unwrap();
                assert!(is_error, "{text}");
                assert_eq!(error["error"]["kind"], "internal", "{text}");
            }
            1 => assert_eq!(answer["error"]["code"], -32603, "{answer}"),
            _ => assert!(!said(&answer).1, "{answer}"),
        }
    }
    // `Talk` accepts only JSON-RPC on stdout.
    let (code, stdout, stderr) = talk.end();
    assert_eq!(code, Some(0));
    let panics = stderr.matches("a panic of the test").count();
    assert_eq!(panics, CALLS / 2, "each panic is on stderr once");
    println!(
        "M8: {protocol:?}: {CALLS} calls at once under -vvv, {panics} of which panic: {} lines, each JSON-RPC, and each \
         call has its answer",
        stdout.lines().count()
    );
}

/// Panics when a call of [`PANICS`] begins.
struct Panicking;

impl<S: tracing::Subscriber> Layer<S> for Panicking {
    fn on_new_span(
        &self,
        attributes: &span::Attributes<'_>,
        _: &span::Id,
        _: tracing_subscriber::layer::Context<'_, S>,
    ) {
        let mut panics = Found(false);
        attributes.record(&mut panics);
        assert!(!panics.0, "a panic of the test");
    }
}

/// Whether the span belongs to the operation that panics.
struct Found(bool);

impl Visit for Found {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        self.0 |= field.name() == "operation" && format!("{value:?}").contains(PANICS);
    }
}
