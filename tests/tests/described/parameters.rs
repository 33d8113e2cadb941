//! Parameters and fields of bodies: all can be set, and required ones are required.

use std::collections::{BTreeMap, BTreeSet};

use colony_core::{
    Request,
    page::Step,
    registry::{Call, Operation},
};
use colony_tests::openapi::Description;
use serde_json::Value;

use crate::{Covered, arguments};

/// Other spellings of a parameter: one of them is enough.
const SPELLINGS: [&[&str]; 3] =
    [&["author", "author_id"], &["colony", "colony_id", "colony_name"], &["page", "offset"]];

/// Parameters for the beginning of a page: a walk of all pages sets them itself.
const POSITIONS: [&str; 5] = ["cursor", "offset", "page", "before", "since_id"];

/// Adds the parameters that cannot be set, or are wrongly optional. Returns the number of parameters.
pub(crate) fn check(
    description: &Description,
    covered: &[Covered<'_>],
    findings: &mut BTreeSet<String>,
) -> usize {
    // Several operations can share a route: a list and a walk.
    let mut routes: BTreeMap<String, Vec<&Covered<'_>>> = BTreeMap::new();
    for one in covered {
        routes.entry(one.facts.route()).or_default().push(one);
    }
    let mut count = 0;
    for operations in routes.values() {
        let mut sent = BTreeSet::new();
        for covered in operations {
            let all = arguments::all(description, covered).unwrap_or_default();
            sent.extend(names(covered.operation, all));
        }
        let name = operations.iter().map(|covered| covered.operation.name).min_by_key(|name| {
            // The list, rather than the walk of it.
            (name.starts_with("iter_"), *name)
        });
        let name = name.expect("an operation");
        let fields = arguments::fields(description, operations[0]);
        for field in &fields {
            count += 1;
            let spellings = SPELLINGS.iter().find(|names| names.contains(&&*field.name));
            let given = |name: &str| sent.contains(&name.to_lowercase());
            let is_given =
                spellings.map_or_else(|| given(&field.name), |names| names.iter().any(|name| given(name)));
            let is_in_path = field.place.as_deref() == Some("path");
            if !is_given && !field.deprecated && !is_in_path {
                findings.insert(format!("{name}: the parameter {} cannot be given", field.name));
            }
        }
        for sent in &sent {
            let is_declared = fields.iter().any(|field| field.name.to_lowercase() == *sent);
            let spellings = SPELLINGS.iter().any(|names| names.contains(&&**sent));
            if !is_declared
                && !spellings
                && !POSITIONS.contains(&&**sent)
                && sent != "idempotency-key"
                && sent != "client"
            {
                findings.insert(format!("{name}: {sent} is sent, which the description lacks"));
            }
        }
        for covered in operations {
            let fewest =
                names(covered.operation, arguments::fewest(description, covered).unwrap_or_default());
            for field in
                fields.iter().filter(|field| field.required && field.place.as_deref() != Some("path"))
            {
                let spellings = SPELLINGS.iter().find(|names| names.contains(&&*field.name));
                let given = spellings.is_some_and(|names| names.iter().any(|name| fewest.contains(*name)));
                if !given && !fewest.contains(&field.name.to_lowercase()) {
                    let name = covered.operation.name;
                    findings.insert(format!("{name}: the parameter {} need not be given", field.name));
                }
            }
        }
    }
    count
}

/// Returns the names of the sent parameters and fields, in lower case.
fn names(operation: &Operation, arguments: Value) -> BTreeSet<String> {
    let Ok(call) = operation.prepare(arguments) else { return BTreeSet::new() };
    match call {
        Call::Request(call) | Call::Download(call) => sent(&call.request),
        Call::List(mut steps) | Call::Batch(mut steps, _) => match steps.next() {
            Ok(Step::Send(request)) => {
                let mut names = sent(&request);
                names.extend(POSITIONS.map(str::to_owned));
                names
            }
            other => panic!("{}: {other:?}", operation.name),
        },
        _ => BTreeSet::new(),
    }
}

fn sent(request: &Request) -> BTreeSet<String> {
    let described = request.describe().expect("a request");
    let mut names = BTreeSet::new();
    let keys =
        |value: &Value| value.as_object().into_iter().flatten().map(|(key, _)| key.to_lowercase()).collect();
    let firsts = |value: &Value| -> Vec<String> {
        let pairs = value.as_array().into_iter().flatten();
        pairs.filter_map(|pair| pair[0].as_str().map(str::to_lowercase)).collect()
    };
    let headers: Vec<String> = keys(&described["headers"]);
    let body: Vec<String> = keys(&described["json"]);
    names.extend(headers.into_iter().filter(|name| name != "authorization"));
    names.extend(body);
    names.extend(firsts(&described["query"]));
    names.extend(firsts(&described["form"]));
    names.extend(described["multipart"]["field"].as_str().map(str::to_owned));
    names
}
