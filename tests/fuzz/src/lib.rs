//! The shared code of the fuzz targets: the conditions that must hold, the recorded cases, and the layout of an
//! input.

#[path = "../../src/soundness.rs"]
pub mod soundness;

use std::{collections::BTreeMap, fs, path::PathBuf, sync::LazyLock};

use colony_core::registry::{self, Operation};
use serde_json::Value;

/// Returns the folder of the recorded cases.
pub fn wire_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../wire")
}

/// Reads a recorded file of one JSON value.
pub fn json_file(name: &str) -> Value {
    serde_json::from_slice(&fs::read(wire_folder().join(name)).expect(name)).expect(name)
}

/// Reads the recorded calls, one JSON value each.
pub fn calls() -> Vec<Value> {
    let entries =
        fs::read_dir(wire_folder()).expect("the recorded cases").map(|entry| entry.expect("a file").path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "jsonl")
                && !path.ends_with("client_behaviour.jsonl")
        })
        .collect();
    files.sort();
    let text = |path: &PathBuf| fs::read_to_string(path).expect("text");
    let read = |line: &str| serde_json::from_str(line).expect("a case");
    files.iter().flat_map(|path| text(path).lines().map(read).collect::<Vec<Value>>()).collect()
}

/// The recorded operations, each with the arguments of its first success.
pub static OPERATIONS: LazyLock<Vec<(&'static Operation, Value)>> = LazyLock::new(|| {
    let mut arguments = BTreeMap::new();
    for call in calls().into_iter().filter(|call| call["raises"].is_null()) {
        let name = call["method"].as_str().expect("a name").to_owned();
        arguments.entry(name).or_insert_with(|| call["kwargs"].clone());
    }
    registry::operations()
        .filter_map(|(_, operation)| Some((operation, arguments.remove(operation.name)?)))
        .collect()
});

/// The statuses of replies.
pub const STATUSES: [u16; 16] =
    [200, 201, 202, 204, 301, 304, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503];
