//! Checks that `docs/differences.md` agrees with the tables of these tests.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{behaviour, errors};

#[test]
fn every_difference_is_documented_and_nothing_else_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/differences.md");
    let text = fs::read_to_string(path).expect("docs/differences.md");
    // The first cell of each line of a table names the rows.
    let documented: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .flat_map(|line| line.split(" | ").next().unwrap_or_default().split('`').step_by(2))
        .collect();
    let listed: BTreeSet<&str> =
        errors::DIFFERENCES.iter().chain(&behaviour::DIFFERENCES).map(|(row, _)| *row).collect();
    assert_eq!(documented, listed);
}
