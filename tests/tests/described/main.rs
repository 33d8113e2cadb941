//! Every operation against the service's own description (`tests/openapi`): its typed reply reads everything that the
//! description allows and every declared field, and every parameter can be set.
//!
//! `tests/openapi/exceptions.json` has the deliberate differences, with the reasons. `COLONY_UPDATE=1` rewrites
//! `tests/openapi/unfinished.json`, the differences that are still to be removed.

#![allow(clippy::print_stdout, reason = "figures for whoever runs the tests with --nocapture")]

mod arguments;
mod coverage;
mod draw;
mod parameters;
mod plausible;
mod random;
mod replies;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
};

use colony_core::registry::{self, Operation};
use colony_tests::openapi::{self, Description};

/// An operation of the registry and its description.
pub(crate) struct Covered<'d> {
    pub(crate) operation: &'static Operation,
    pub(crate) facts: &'d openapi::Operation,
}

/// Returns the operations that are also in the description.
pub(crate) fn covered(description: &Description) -> Vec<Covered<'_>> {
    registry::operations()
        .filter_map(|(_, operation)| {
            let route = openapi::route(operation.method()?.as_str(), operation.path);
            description.find(&route).map(|facts| Covered { operation, facts })
        })
        .collect()
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi"))
}

fn read<T: serde::de::DeserializeOwned>(file: &str) -> T {
    let text = fs::read_to_string(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Returns whether a pattern matches; `*` at its beginning or end matches any text.
fn fits(pattern: &str, finding: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => finding.ends_with(end),
        (_, Some(start)) => finding.starts_with(start),
        _ => pattern == finding,
    }
}

#[test]
fn every_operation_is_as_the_service_describes_it() {
    let description = Description::load();
    let covered = covered(&description);
    let mut findings = BTreeSet::new();
    let replies = replies::check(&description, &covered, &mut findings);
    let parameters = parameters::check(&description, &covered, &mut findings);

    let exceptions: BTreeMap<String, String> = read("exceptions.json");
    let excepted = |finding: &String| exceptions.keys().any(|pattern| fits(pattern, finding));
    let mut stale: BTreeSet<&String> = exceptions.keys().collect();
    stale.retain(|pattern| !findings.iter().any(|finding| fits(pattern, finding)));
    let explained = findings.iter().filter(|finding| excepted(finding)).count();
    findings.retain(|finding| !excepted(finding));

    if env::var_os("COLONY_UPDATE").is_some() {
        let text = serde_json::to_string_pretty(&findings).expect("JSON");
        fs::write(folder().join("unfinished.json"), text + "\n").expect("a file");
    }
    let unfinished: BTreeSet<String> = read("unfinished.json");
    println!(
        "operations: {}, replies: {replies}, parameters: {parameters}; explained: {explained}, unfinished: {}",
        covered.len(),
        unfinished.len()
    );
    let new: Vec<&String> = findings.difference(&unfinished).collect();
    assert!(new.is_empty(), "{} differences:\n{new:#?}", new.len());
    stale.extend(unfinished.difference(&findings));
    assert!(stale.is_empty(), "{} that are none any more, to be removed:\n{stale:#?}", stale.len());
}
