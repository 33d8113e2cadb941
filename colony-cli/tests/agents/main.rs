//! The promises to agents and their operators: policies and budgets (P1 to P3), and `colony mcp` (M2 to M14; M1 is in
//! `.ci/mcp.sh`, M15 in `tests/mcp/light.py`). Each promise prints its figures:
//! `cargo test -p colony-cli --test agents -- --nocapture`. `COLONY_TESTS_LONG=1` runs them at full length.

#![cfg(unix)]

#[path = "../cli/bench.rs"]
#[allow(dead_code, reason = "shared with the tests of the other commands")]
mod bench;
mod budgets;
mod cleaning;
mod every;
mod finding;
mod questions;
mod running;
mod talk;

/// Returns the length of a test: short by default, long on request.
fn length(short: usize, long: usize) -> usize {
    if std::env::var_os("COLONY_TESTS_LONG").is_some() { long } else { short }
}

/// Prints the figures of a promise.
#[allow(clippy::print_stdout, reason = "the figures are what the tests are run for")]
fn told(promise: &str, figures: std::fmt::Arguments<'_>) {
    println!("{promise}: {figures}");
}
