//! Checks the README's statements about the program against the program. Its code runs with the crate's doctests.
//!
//! `COLONY_UPDATE=1 cargo test -p colony-cli --test readme` regenerates the table of groups.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf, process::Command};

use colony_core::registry;
use serde_json::Value;

const START: &str = "<!-- groups: written by `COLONY_UPDATE=1 cargo test -p colony-cli --test readme` -->\n";
const END: &str = "<!-- /groups -->";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../README.md")
}

fn colony(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_colony")).args(arguments).output().expect("colony runs");
    assert!(output.status.success(), "colony {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Returns the expected table, from the output of `colony methods --json`.
fn table() -> String {
    let listed: Vec<Value> = serde_json::from_str(&colony(&["methods", "--json"])).expect("JSON");
    let mut table = String::from("\n| Group | Operations | |\n| --- | ---: | --- |\n");
    for group in registry::groups() {
        let names: Vec<&str> = listed
            .iter()
            .filter(|row| row["group"] == group.name)
            .filter_map(|row| row["name"].as_str())
            .collect();
        if !names.is_empty() {
            let first: Vec<String> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
            let more = if names.len() > 3 { " …" } else { "" };
            writeln!(table, "| {} | {} | {}{more} |", group.name, names.len(), first.join(", "))
                .expect("a string");
        }
    }
    writeln!(table, "| **all** | **{}** | |\n", listed.len()).expect("a string");
    table
}

#[test]
fn the_table_of_groups_is_true() {
    let readme = fs::read_to_string(path()).expect("the README");
    let (before, rest) = readme.split_once(START).expect("the table's start");
    let (written, after) = rest.split_once(END).expect("the table's end");
    let expected = table();
    if written != expected && std::env::var_os("COLONY_UPDATE").is_some() {
        fs::write(path(), format!("{before}{START}{expected}{END}{after}"))
            .expect("the README can be written");
    } else {
        assert_eq!(written, expected, "run COLONY_UPDATE=1 cargo test -p colony-cli --test readme");
    }
}

#[test]
fn every_command_is_told_of() {
    let readme = fs::read_to_string(path()).expect("the README");
    let help = colony(&["--help"]);
    let commands: BTreeSet<&str> = help
        .lines()
        .take_while(|line| *line != "Options:")
        .filter(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.contains("whoami"), "{help}");
    let missing: Vec<_> =
        commands.iter().filter(|name| !readme.contains(&format!("`colony {name}"))).collect();
    assert!(missing.is_empty(), "the README does not tell of {missing:?}");
}

#[test]
fn every_environment_variable_is_told_of() {
    let readme = fs::read_to_string(path()).expect("the README");
    for source in [
        "../colony-core/src/token/cache_path.rs",
        "src/args.rs",
        "src/auth/openid.rs",
        "src/client.rs",
        "src/profile/place.rs",
    ] {
        let text = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(source)).expect(source);
        let names = text.split('"').filter(|word| {
            word.starts_with("COLONY_") && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        });
        for name in names {
            assert!(readme.contains(&format!("`{name}`")), "the README does not tell of {name} ({source})");
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut links = 0;
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = fs::read_to_string(root.join(page)).expect(page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.contains("::") && !link.contains("://") {
                let place = link.trim_start_matches('#').replace('-', " ");
                let is_heading =
                    link.starts_with('#') && text.to_lowercase().contains(&format!("# {place}\n"));
                assert!(is_heading || root.join(link).exists(), "{page}: {link} is not there");
                links += 1;
            }
        }
    }
    assert!(links > 5, "{links} links: are they still written as before?");
}

/// The rights that a store's user needs are the ones that `colony doctor` reports, and the ones that are tested.
#[cfg(feature = "redis")]
#[test]
fn the_least_rights_are_true() {
    let readme = fs::read_to_string(path()).expect("the README");
    let words = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&format!("~colony-sdk:* {}`", colony_async::TokenStoreStatus::RIGHTS)));
}
