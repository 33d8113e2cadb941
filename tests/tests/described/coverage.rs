//! The operations of the description that the registry has, and those that it deliberately lacks.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use colony_cli::sandbox;
use colony_core::registry;
use colony_tests::openapi::{Description, route};

use crate::{covered, read};

/// Routes that are called by an operation listed under another route, or by the session.
const REACHED: [(&str, &str); 4] = [
    ("GET /users/{}/comments", "get_user_comments, for an id"),
    ("GET /users/{}/notarisations", "get_user_notarisations, for an id"),
    ("POST /auth/token", "the session logs in"),
    ("POST /colonies/{}/members/{}/revoke-approval", "set_colony_member_approval, to take it back"),
];

#[test]
fn every_operation_of_the_description_is_there_or_left_out_on_purpose() {
    let description = Description::load();
    let covered: BTreeSet<String> =
        covered(&description).iter().map(|covered| covered.facts.route()).collect();
    let left_out: BTreeMap<String, String> = read("left_out.json");
    let is_explained =
        |route: &String| left_out.contains_key(route) || REACHED.iter().any(|(reached, _)| reached == route);
    let missing: Vec<String> = description
        .operations
        .iter()
        .map(|operation| operation.route())
        .filter(|route| !covered.contains(route) && !is_explained(route))
        .collect();
    println!(
        "described: {}, in the registry: {}, left out: {}",
        description.operations.len(),
        covered.len(),
        left_out.len()
    );
    assert!(missing.is_empty(), "neither in the registry nor in left_out.json:\n{}", missing.join("\n"));
    let stale: Vec<&String> = left_out
        .keys()
        .filter(|route| covered.contains(*route) || description.find(route).is_none())
        .collect();
    assert!(stale.is_empty(), "in left_out.json, though there or unknown: {stale:#?}");
}

/// Prints the cost of an operation in figures.
#[test]
fn the_costs_are_printed() {
    let api = concat!(env!("CARGO_MANIFEST_DIR"), "/../colony-core/src/api");
    let (lines, operations) = (lines_below(api.as_ref()), registry::operations().count());
    let (served, missing): (Vec<_>, Vec<_>) = sandbox::routes().into_iter().partition(|listed| listed.served);
    println!(
        "operations: {operations}; lines in colony-core/src/api: {lines}, {:.0} to an operation; routes of the \
         sandbox: {} served, {} answered 501",
        lines as f64 / operations as f64,
        served.len(),
        missing.len()
    );
    assert!(operations >= 500 && lines > operations);
}

/// Returns the number of lines in the Rust files of a folder.
fn lines_below(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .map(|path| match path.extension() {
            Some(extension) if extension == "rs" => fs::read_to_string(path).expect("text").lines().count(),
            _ if path.is_dir() => lines_below(&path),
            _ => 0,
        })
        .sum()
}

#[test]
fn the_sandbox_calls_each_route_by_its_operations() {
    let mut listed: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for row in sandbox::routes() {
        let (method, path) = row.route.split_once(' ').expect("METHOD /path");
        listed.entry(route(method, path)).or_default().extend(row.operations.split(','));
    }
    let wrong: Vec<String> = registry::operations()
        .filter_map(|(_, operation)| {
            let route = route(operation.method()?.as_str(), operation.path);
            let names = listed.get(&route)?;
            (!names.contains(operation.name))
                .then(|| format!("{route}: {} is not among {names:?}", operation.name))
        })
        .collect();
    assert!(wrong.is_empty(), "in server/operations.txt:\n{}", wrong.join("\n"));
}
