//! F20, F21: code that the store does not affect.

use std::{collections::BTreeSet, process::Command};

use crate::fire::{Ground, Outcome, Tally};

/// How many crates `cargo tree` listed for `colony-async` before it could share a token over a store.
const BEFORE: usize = 133;
/// How many crates the feature may add.
const MOST: usize = 12;

/// Runs row F21.
pub(in crate::fire) fn weight(_: &Ground) -> Outcome {
    let mut tally = Tally::of("builds");
    let plain = crates(&[])?;
    let with = crates(&["--features", "redis"])?;
    tally.check(plain.len() <= BEFORE, || format!("{} crates by default, {BEFORE} before", plain.len()));
    let new: Vec<&String> = with.difference(&plain).collect();
    tally.check(new.len() <= MOST, || format!("the feature brings {new:?}"));
    tally.hold(new.iter().any(|name| *name == "redis"), || "the feature brings nothing".to_owned());
    tally.fact(format!("{} crates by default, {BEFORE} before; + {} with `redis`", plain.len(), new.len()));
    Ok(tally)
}

fn crates(features: &[&str]) -> Result<BTreeSet<String>, Box<dyn std::error::Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--offline", "--package", "colony-async", "--edges", "normal"])
        .args(["--prefix", "none"])
        .args(features)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let found: BTreeSet<String> =
        text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    if found.is_empty() {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    } else {
        Ok(found)
    }
}
