//! The registry against the catalogue of the Python package: everything is there, under the same names,
//! and can be found from them.
//!
//! `COLONY_UPDATE=1` writes `docs/python-names.md` anew.

#![allow(clippy::disallowed_methods, reason = "a test's own switch")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use colony_core::{
    registry::{self, Call, Operation},
    retry::Repeat,
};
use serde_json::Value;

/// Operations that neither the Python package nor the service's description has.
const BEYOND: &[&str] = &[];

/// Python methods that are settings of the client here.
const SETTINGS: &[(&str, &str)] = &[
    ("clear_cache", "a setting of the client, see its `Builder`"),
    ("enable_cache", "a setting of the client, see its `Builder`"),
    ("enable_circuit_breaker", "a setting of the client, see its `Builder`"),
    ("on_request", "a setting of the client, see its `Builder`"),
    ("on_response", "a setting of the client, see its `Builder`"),
];

/// Operations that are something else here than a method of a handle.
const NO_METHOD: &[(&str, &str)] = &[
    ("report_message", "the service does not accept reports of messages; mark the conversation as spam"),
    (
        "report_user",
        "the service does not accept reports of users; report a post or comment, or block the user",
    ),
    (
        "verify_notarisation",
        "[`Notarisation::check`](crate::api::notarisation::Notarisation::check), which asks nobody",
    ),
];

/// Operations that only some builds have.
const OPTIONAL: &[&str] = &["attest_post"];

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn catalogue() -> Vec<Value> {
    let file = crate_folder().join("../tests/wire/catalogue.json");
    serde_json::from_slice(&fs::read(file).expect("catalogue.json")).expect("catalogue.json")
}

/// The routes of the service's description.
fn described() -> BTreeSet<String> {
    let file = crate_folder().join("../tests/openapi/operations.json");
    let operations: Vec<Value> =
        serde_json::from_slice(&fs::read(file).expect("operations.json")).expect("operations.json");
    let route = |operation: &Value| {
        without_names(&format!(
            "{} {}",
            text(operation, "method"),
            text(operation, "path").trim_start_matches("/api/v1")
        ))
    };
    operations.iter().map(route).collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("text")
}

fn rows() -> BTreeMap<&'static str, (&'static str, &'static Operation)> {
    registry::operations().map(|(group, operation)| (operation.name, (group, operation))).collect()
}

#[test]
fn every_method_of_the_catalogue_is_an_operation() {
    let (catalogue, rows) = (catalogue(), rows());
    assert_eq!(catalogue.len(), 323);
    let mut problems = Vec::new();
    for entry in &catalogue {
        let name = text(entry, "method");
        match rows.get(name) {
            None if SETTINGS.iter().any(|(setting, _)| *setting == name) => {}
            None if OPTIONAL.contains(&name) => {}
            None => problems.push(format!("{name} is missing")),
            Some((group, _)) if *group != text(entry, "group") => {
                problems.push(format!("{name} is in the group {group}, not in {}", text(entry, "group")));
            }
            Some(_) => {}
        }
    }
    let known: BTreeSet<&str> = catalogue.iter().map(|entry| text(entry, "method")).collect();
    let described = described();
    let is_beyond = |(_, operation): &&(&str, &Operation)| {
        let route = operation.method().map(|method| without_names(&format!("{method} {}", operation.path)));
        !known.contains(operation.name) && !route.is_some_and(|route| described.contains(&route))
    };
    let beyond: Vec<&str> = rows.values().filter(is_beyond).map(|(_, operation)| operation.name).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert_eq!(beyond, BEYOND);
    assert_eq!(rows.len(), registry::operations().count(), "a name is there twice");
}

#[test]
fn every_operation_tells_whether_it_may_be_repeated() {
    let once: Vec<&str> = registry::operations()
        .filter(|(_, operation)| operation.repeat() == Some(Repeat::Once))
        .map(|(_, operation)| operation.name)
        .collect();
    // Those without a login.
    let expected = [
        "confirm_key_recovery",
        "exchange_token",
        "get_auth_token",
        "recover_key",
        "register",
        "register_begin",
        "register_confirm",
    ];
    assert_eq!(BTreeSet::from_iter(once), BTreeSet::from(expected));
    for (name, repeat) in
        [("get_post", Some(Repeat::Safe)), ("create_post", Some(Repeat::Keyed)), ("refresh_token", None)]
    {
        assert_eq!(registry::find(name).expect(name).repeat(), repeat, "{name}");
    }
}

#[test]
fn arguments_and_routes_are_those_of_the_catalogue() {
    let rows = rows();
    let mut problems = Vec::new();
    for entry in &catalogue() {
        let name = text(entry, "method");
        let Some((_, operation)) = rows.get(name) else { continue };
        let old: BTreeSet<&str> = entry["python_deprecated_aliases"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|alias| text(alias, "old"))
            .collect();
        let theirs: BTreeSet<&str> = entry["params"]
            .as_array()
            .expect("parameters")
            .iter()
            .filter(|parameter| parameter["var_keyword"] != true)
            .map(|parameter| text(parameter, "name"))
            .filter(|name| !old.contains(name))
            .collect();
        let ours: BTreeSet<&str> = operation.arguments().into_iter().collect();
        // The service has arguments that the package does not offer, or takes as open-ended keywords.
        if !theirs.is_subset(&ours) {
            problems.push(format!("{name}: arguments {ours:?}, in the catalogue {theirs:?}"));
        }
        let routes = entry["http"].as_array().expect("routes").iter();
        let routes: Vec<String> = routes.map(|route| without_names(route.as_str().expect("text"))).collect();
        let route = operation.method().map(|method| without_names(&format!("{method} {}", operation.path)));
        let fits = route.as_ref().is_none_or(|route| routes.is_empty() || routes.contains(route));
        if !fits || route.is_none() && !routes.is_empty() {
            problems.push(format!("{name}: route {route:?}, in the catalogue {routes:?}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A route with its places left open, and without a remark after it.
fn without_names(route: &str) -> String {
    let mut words = route.split(' ');
    let (method, path) = (words.next().expect("a method"), words.next().expect("a path"));
    let segments: Vec<&str> =
        path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
    format!("{method} {}", segments.join("/"))
}

#[test]
fn every_request_can_be_described() {
    let (rows, mut described) = (rows(), 0);
    for group in registry::groups() {
        let file = crate_folder().join(format!("../tests/wire/{}.jsonl", group.name));
        let Ok(lines) = fs::read_to_string(file) else { continue };
        for line in lines.lines() {
            let case: Value = serde_json::from_str(line).expect("a case");
            let name = text(&case, "method");
            if !text(&case, "id").ends_with("/minimal") {
                continue;
            }
            let Some((_, operation)) = rows.get(name) else { continue };
            // A signer is no JSON, so it cannot come from here.
            if case["kwargs"]
                .as_object()
                .expect("arguments")
                .values()
                .any(|x| x.get("$ed25519_seed_hex").is_some())
            {
                continue;
            }
            match operation.prepare(case["kwargs"].clone()) {
                Ok(Call::Request(call) | Call::Download(call)) => {
                    let request = call.request.describe().unwrap_or_else(|error| panic!("{name}: {error}"));
                    assert_eq!(request["method"], *operation.method().expect("a method").as_str(), "{name}");
                    described += 1;
                }
                Ok(_) => {}
                Err(error) => assert!(!case["raises"].is_null(), "{name}: {error}"),
            }
        }
    }
    assert!(described > 280, "{described} requests");
}

/// A method of a handle, as the sources have it.
struct Method {
    /// How it is reached: `client.posts().get`.
    call: String,
    /// Its place in the documentation.
    place: String,
    /// Its own name and its aliases.
    names: Vec<String>,
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("sources").map(|x| x.expect("a file").path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            sources(&entry, out);
        } else if entry.extension().is_some_and(|x| x == "rs") {
            out.push(entry);
        }
    }
}

/// The public methods in the `impl` blocks of handles and of the client.
fn methods() -> Vec<Method> {
    let api = crate_folder().join("src/api");
    let mut files = Vec::new();
    sources(&api, &mut files);
    // The handle's type, and where it is: `Posts` is `posts()` in `posts`.
    let mut handles: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for file in &files {
        let relative = file.strip_prefix(&api).expect("below");
        let module =
            relative.iter().next().expect("a name").to_string_lossy().trim_end_matches(".rs").to_owned();
        let (mut owner, mut aliases) = (None, Vec::new());
        for line in fs::read_to_string(file).expect("a source").lines() {
            let generic = ["impl<C: Transport> ", "impl<'c, C: Transport> "];
            if let Some(rest) = generic.iter().find_map(|start| line.strip_prefix(start)) {
                owner = rest.split(['<', ' ']).next().map(str::to_owned);
            } else if line == "}" {
                owner = None;
            }
            let (Some(owner), Some(line)) = (&owner, line.strip_prefix("    ")) else { continue };
            if let Some(alias) =
                line.strip_prefix("#[doc(alias = \"").and_then(|rest| rest.strip_suffix("\")]"))
            {
                aliases.push(alias.to_owned());
            } else if let Some(rest) = line.strip_prefix("pub fn ") {
                let name = rest.split(['(', '<']).next().expect("a name").to_owned();
                if let Some(handle) =
                    rest.strip_prefix(&format!("{name}(&self) -> ")).filter(|_| owner == "Client")
                {
                    let handle = handle.split('<').next().expect("a type").to_owned();
                    handles.insert(handle, (name.clone(), module.clone()));
                }
                let mut names = std::mem::take(&mut aliases);
                names.insert(0, name);
                found.push((owner.clone(), names));
            }
        }
    }
    let place = |(owner, names): (String, Vec<String>)| {
        let own = &names[0];
        let (call, place) = match handles.get(&owner) {
            Some((accessor, module)) => {
                (format!("client.{accessor}().{own}"), format!("crate::api::{module}::{owner}::{own}"))
            }
            None => (format!("client.{own}"), format!("crate::{owner}::{own}")),
        };
        Method { call, place, names }
    };
    found.into_iter().map(place).collect()
}

#[test]
fn every_operation_has_a_method_that_is_found_by_its_name() {
    let methods = methods();
    let mut missing = Vec::new();
    let mut index = String::from(
        "<!-- Written by `COLONY_UPDATE=1 cargo test -p colony-core --test registry`. -->\n\n\
         | Python | Rust |\n| --- | --- |\n",
    );
    let catalogue = catalogue();
    let known: BTreeSet<&str> = catalogue.iter().map(|entry| text(entry, "method")).collect();
    // The same page whatever this build has.
    let names = rows().into_keys().filter(|name| !OPTIONAL.contains(name));
    let names: BTreeSet<&str> = names.chain(SETTINGS.iter().map(|(name, _)| *name)).collect();
    for name in names {
        if let Some((_, what)) = SETTINGS.iter().chain(NO_METHOD).find(|(known, _)| *known == name) {
            index.push_str(&format!("| `{name}` | {what} |\n"));
            continue;
        }
        // An alias says it for certain; a method of the same name in another group may be something else.
        let method = methods
            .iter()
            .find(|method| method.names[1..].iter().any(|alias| alias == name))
            .or_else(|| methods.iter().find(|method| method.names[0] == name));
        match method {
            Some(method) if known.contains(name) => {
                index.push_str(&format!("| `{name}` | [`{}`]({}) |\n", method.call, method.place));
            }
            Some(_) => {}
            None => missing.push(name),
        }
    }
    index.push_str("\nOperations that the Python package does not have:\n\n| Name | Rust |\n| --- | --- |\n");
    for name in rows().into_keys().filter(|name| !known.contains(*name)) {
        let is_it = |method: &&Method| method.names.iter().any(|known| known == name);
        if let Some(method) = methods.iter().find(is_it) {
            index.push_str(&format!("| `{name}` | [`{}`]({}) |\n", method.call, method.place));
        }
    }
    assert!(missing.is_empty(), "no method for {missing:?}: add #[doc(alias = \"...\")]");
    let file = crate_folder().join("docs/python-names.md");
    if std::env::var_os("COLONY_UPDATE").is_some() {
        fs::write(&file, &index).expect("the index");
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(written == index, "docs/python-names.md is out of date; write it anew with COLONY_UPDATE=1");
}
