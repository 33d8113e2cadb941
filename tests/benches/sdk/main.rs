//! The cost of this SDK compared with the bare libraries: `cargo bench -p colony-tests`, or one part of it with
//! `cargo bench -p colony-tests -- lookup` (`file`, `calls`, `whoami`).
//!
//! Every figure is a ratio of two programs measured in turn in the same run, so that a busy machine slows both. The
//! benchmarks assert nothing; `docs/benchmarks.md` explains the figures.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program is for")]

mod calls;
mod file;
mod lookup;
mod pairs;
mod server;
mod whoami;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A part of the run: its name, which selects it, and its function.
type Part = (&'static str, fn() -> Outcome);

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --all-targets` starts benchmarks too, without this flag.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let wanted: Vec<&str> = arguments.iter().map(String::as_str).filter(|a| !a.starts_with('-')).collect();
    let parts: [Part; 4] =
        [("lookup", lookup::run), ("file", file::run), ("calls", calls::run), ("whoami", whoami::run)];
    pairs::heading();
    for (name, run) in parts {
        if wanted.is_empty() || wanted.contains(&name) {
            run()?;
        }
    }
    Ok(())
}
