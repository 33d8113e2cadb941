//! Every operation on clients that reply from a script, without a server.

use std::{collections::BTreeMap, fs};

use colony_async::testing::Script;
use colony_core::registry::{self, Call};
use serde_json::Value;

/// Returns the arguments of each operation's first recorded success.
fn recorded() -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(colony_tests::wire_folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jsonl")
            || path.ends_with("client_behaviour.jsonl")
        {
            continue;
        }
        for line in fs::read_to_string(path).unwrap().lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            if case["raises"].is_null() {
                found.entry(case["method"].as_str().unwrap().to_owned()).or_insert(case["kwargs"].clone());
            }
        }
    }
    found
}

/// Returns whether an operation needs more than its arguments.
fn is_excused(name: &str) -> bool {
    // Two are always refused, by every SDK; one needs a signing key.
    matches!(name, "report_user" | "report_message" | "attest_post")
}

#[test]
fn every_operation_has_a_plausible_reply() {
    let recorded = recorded();
    let script = Script::new();
    let blocking = colony_blocking::Client::builder("col_test").script(&script).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let async_client = colony_async::Client::builder("col_test").script(&script).build().unwrap();
    let mut failures = Vec::new();
    for (_, operation) in registry::operations() {
        if is_excused(operation.name) {
            continue;
        }
        // For an operation that was never recorded, it is enough that a script can answer it.
        let Some(kwargs) = recorded.get(operation.name) else { continue };
        let prepare = || operation.prepare(kwargs.clone());
        let both = match prepare() {
            Ok(Call::Download(call)) => blocking.transport().call(call).map(|_| Value::Null),
            Ok(call) => blocking.transport().run(call).and_then(|answer| {
                let other = runtime.block_on(async_client.transport().run(prepare()?))?;
                assert_eq!(answer, other, "{}: both clients answer the same", operation.name);
                operation.check_answer(answer.clone()).map(|_| answer)
            }),
            Err(error) => Err(error),
        };
        if let Err(error) = both {
            failures.push(format!("{}: {error}", operation.name));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(script.sent().len() > 500, "{}", script.sent().len());
}
