//! W19: watching adds no crate to the libraries.

use std::{collections::BTreeSet, process::Command};

use crate::fire::{Ground, Outcome, Tally};

/// How many crates `cargo tree` listed for each library at the commit before watching, including the library itself;
/// `.ci/dependencies.py` has the limits for every change.
const BEFORE: [(&str, usize); 2] = [("colony-core", 68), ("colony-async", 133)];

pub(in crate::fire) fn run(_: &Ground) -> Outcome {
    let mut tally = Tally::of("libraries");
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for (library, before) in BEFORE {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args([
            "tree",
            "--locked",
            "--offline",
            "--package",
            library,
            "--edges",
            "normal",
            "--prefix",
            "none",
        ]);
        let output = command.current_dir(workspace).output()?;
        let text = String::from_utf8(output.stdout)?;
        let crates: BTreeSet<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        if crates.is_empty() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        tally.check(crates.len() <= before, || {
            format!("{library} brings {} crates, {before} before", crates.len())
        });
        tally.fact(format!("{library}: {} crates, {before} before", crates.len()));
    }
    Ok(tally)
}
