//! Replies generated from the description, read as each operation reads them.

use std::collections::BTreeSet;

use bytes::Bytes;
use colony_core::{Reply, registry::Call};
use colony_tests::{openapi::Description, soundness};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::{
    Covered, arguments,
    draw::{ADDED, Draw, MOMENTS, Step, UUID, Way, places, written},
};

/// Reads replies of every kind and adds those that cannot be read, and fields that are not. Returns the number of
/// replies.
pub(crate) fn check(
    description: &Description,
    covered: &[Covered<'_>],
    findings: &mut BTreeSet<String>,
) -> usize {
    covered.iter().map(|covered| one(description, covered, findings)).sum()
}

fn one(description: &Description, covered: &Covered<'_>, findings: &mut BTreeSet<String>) -> usize {
    let name = covered.operation.name;
    let arguments = match arguments::all(description, covered) {
        Ok(arguments) => arguments,
        Err(problem) => {
            findings.insert(format!("{name}: no arguments are accepted ({problem})"));
            return 0;
        }
    };
    let call = covered.operation.prepare(arguments.clone()).expect("usable arguments");
    let is_walked = match call {
        Call::List(_) | Call::Batch(..) => true,
        Call::Request(_) => false,
        // A download, or no request.
        _ => return 0,
    };
    let read = |body: Option<&Value>| {
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let status = StatusCode::from_u16(covered.facts.response.status).expect("a status");
        soundness::answer(covered.operation, arguments.clone(), Reply::new(status, HeaderMap::new(), body))
            .expect("a request")
    };
    let response = &covered.facts.response;
    let mut full = Draw::new(description, Way::Full(0));
    let whole = full.payload(response);
    let ways = (0..full.words()).map(Way::Full).chain([Way::OtherWords, Way::Nulls, Way::Lean]);
    let mut count = 0;
    let mut sound = true;
    for way in ways.chain(MOMENTS.map(Way::Moments)) {
        count += 1;
        let body = Draw::new(description, way).payload(response);
        match read(body.as_ref()) {
            Ok(mut unknown) => {
                // Entries of a free object are not declared fields.
                unknown.retain(|path| !path.ends_with("a key") && !path.ends_with(UUID));
                let path = |path: String| format!("{name}: {} is not known", path.replace("[0]", "[]"));
                findings.extend(unknown.into_iter().map(path));
            }
            Err(error) => {
                sound &= !matches!(way, Way::Full(0));
                findings.insert(format!("{name}: {} cannot be read", place_of(error.message())));
            }
        }
    }
    let (Some(whole), true) = (whole, sound) else { return count };
    count += 1;
    let grown = Draw::new(description, Way::Grown).payload(response).expect("a body");
    let mut unreported = added(&grown, "");
    // Fields around the rows of a walked list belong to the walk.
    unreported.retain(|path| !is_walked || path.contains('['));
    let reported = covered.operation.check_answer(grown).unwrap_or_default();
    unreported.retain(|path| !reported.contains(path));
    findings.extend(unreported.iter().map(|path| format!("{name}: {path} is taken for a known field")));
    let mut untyped: Vec<Vec<Step>> = Vec::new();
    for (path, wrong) in places(description, response) {
        if untyped.iter().any(|outer| path.starts_with(outer)) {
            continue;
        }
        if is_walked && !path.contains(&Step::Row) {
            continue;
        }
        let mut body = whole.clone();
        let Some(place) = at(&mut body, &path) else { continue };
        *place = wrong;
        count += 1;
        if read(Some(&body)).is_ok() {
            findings.insert(format!("{name}: {} has no type", written(&path)));
            untyped.push(path);
        }
    }
    count
}

fn at<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Field(name) => value.get_mut(name),
        Step::Row => value.get_mut(0),
    })
}

/// Returns the paths of the fields that were added to a reply.
fn added(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| {
                let path = format!("{path}.{name}");
                if name == ADDED {
                    vec![path.trim_start_matches('.').to_owned()]
                } else {
                    added(value, &path)
                }
            })
            .collect(),
        Value::Array(rows) => {
            let of = |(index, row)| added(row, &format!("{path}[{index}]"));
            rows.iter().enumerate().flat_map(of).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the place that a message names: `at items[3].score`.
fn place_of(message: &str) -> String {
    let Some(place) = message.split('`').nth(1).filter(|_| message.contains(" at `")) else {
        return format!("the reply ({message})");
    };
    place.replace("[0]", "[]")
}
