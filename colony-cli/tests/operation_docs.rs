//! `colony methods` and `colony call NAME --help` document arguments with the doc comments of the operations, and
//! `describe_operation` documents replies with those of the models, so that nothing is written twice. `COLONY_UPDATE=1
//! cargo test -p colony-cli --test operation_docs` regenerates the files; without it the test fails when one is out of
//! date.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use colony_core::registry;
use serde_json::{Value, json};

/// A struct as in the source.
#[derive(Default, Clone)]
struct Struct {
    docs: String,
    all_optional: bool,
    fields: Vec<Field>,
}

#[derive(Clone)]
struct Field {
    name: String,
    kind: String,
    /// The type in the source.
    rust: String,
    /// The only words that it accepts.
    words: Vec<String>,
    required: bool,
    docs: String,
}

#[test]
fn the_arguments_documentation_is_up_to_date() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut structs = BTreeMap::new();
    let mut names = BTreeMap::new();
    let mut methods = BTreeMap::new();
    let mut answers = BTreeMap::new();
    let mut enums = BTreeMap::new();
    for file in sources(&root.join("../colony-core/src/api")) {
        let text = fs::read_to_string(&file).expect("a source file");
        read_structs(&text, &mut structs);
        read_names(&text, &mut names);
        read_answers(&text, &mut answers);
        read_enums(&text, &mut enums);
        read_methods(&text, &mut methods);
    }
    // Serialized as numbers.
    enums.insert("Vote".to_owned(), vec!["1".to_owned(), "-1".to_owned()]);
    for found in structs.values_mut() {
        let names: Vec<String> = found.fields.iter().map(|field| field.rust.clone()).collect();
        for (field, rust) in found.fields.iter_mut().zip(names) {
            let bare = rust.strip_prefix("Option<").and_then(|it| it.strip_suffix('>')).unwrap_or(&rust);
            field.words = enums.get(bare).cloned().unwrap_or_default();
        }
    }
    let known: std::collections::BTreeSet<String> = structs.keys().cloned().collect();
    for found in structs.values_mut() {
        for field in &mut found.fields {
            let bare =
                field.rust.trim_start_matches("Option<").trim_start_matches("Vec<").trim_end_matches('>');
            // An object with its own fields.
            if known.contains(bare) && field.kind.ends_with("text") {
                field.kind = field.kind.replace("text", "object");
            }
        }
    }
    // The models that replies consist of.
    let mut told = Vec::new();
    let rows: Vec<Value> = registry::operations()
        .map(|(_, operation)| {
            // An operation that sends nothing implements no trait; its arguments are named after it.
            let name = names.get(operation.name).cloned().unwrap_or_else(|| camel_case(operation.name));
            let mut row =
                row(operation, structs.get(&name), methods.get(operation.name).map_or("", String::as_str));
            let kind = if operation.name.starts_with("iter_") { "Item" } else { "Response" };
            let answer = answers.get(&(name, kind)).and_then(|answer| shape(answer, &structs));
            if let Some((shape, model)) = answer {
                row["answer"] = if kind == "Item" { format!("[{shape}]") } else { shape }.into();
                told.push(model);
            }
            row
        })
        .collect();
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    is_up_to_date(&root.join("src/operations.json"), &format!("[\n{}\n]\n", lines.join(",\n")));

    let mut models: BTreeMap<String, Value> = BTreeMap::new();
    while let Some(model) = told.pop() {
        let fields = structs[&model].fields.iter().filter(|field| field.name != "extra");
        let fields: BTreeMap<&str, String> = fields
            .map(|field| {
                let docs = sentence(&field.docs);
                assert!(!docs.is_empty(), "{model}::{} has no documentation", field.name);
                let Some((shape, below)) = shape(&field.rust, &structs) else {
                    return (&*field.name, docs);
                };
                if below != model && !models.contains_key(&below) {
                    told.push(below);
                }
                (&*field.name, format!("{shape}: {docs}"))
            })
            .collect();
        models.insert(model, json!(fields));
    }
    let lines: Vec<String> =
        models.iter().map(|(name, fields)| format!("{}:{fields}", json!(name))).collect();
    is_up_to_date(&root.join("src/models.json"), &format!("{{\n{}\n}}\n", lines.join(",\n")));
}

/// Compares a generated file with its expected content, or writes it.
fn is_up_to_date(path: &Path, text: &str) {
    if std::env::var_os("COLONY_UPDATE").is_some() {
        fs::write(path, text).expect("the file is written");
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(committed == text, "{} is out of date: run this test with COLONY_UPDATE=1", path.display());
}

fn row(operation: &registry::Operation, found: Option<&Struct>, method_docs: &str) -> Value {
    let known = found.cloned().unwrap_or_default();
    // A walk has the arguments of its list, and the documentation of its method.
    let walks = operation.name.starts_with("iter_");
    let arguments: Vec<Value> = operation
        .arguments()
        .into_iter()
        .map(|name| {
            if let ("max_results", true) = (name, walks) {
                let docs = "At most so many items; all of them unless set.";
                return json!({"name": name, "type": "integer", "required": false, "docs": docs});
            }
            let declared = if walks && name == "page_size" { "limit" } else { name };
            let field = known.fields.iter().find(|field| field.name == declared);
            let field = field.unwrap_or_else(|| panic!("{}: no field {name} in its struct", operation.name));
            let mut row =
                json!({"name": name, "type": field.kind, "required": field.required, "docs": field.docs});
            if !field.words.is_empty() {
                row["words"] = field.words.clone().into();
            }
            row
        })
        .collect();
    let undocumented = arguments.iter().find(|argument| argument["docs"] == "");
    assert!(undocumented.is_none(), "{}: {undocumented:?} has no documentation", operation.name);
    let docs = if walks || known.docs.is_empty() { method_docs.to_owned() } else { known.docs };
    assert!(!docs.is_empty(), "{} has no documentation", operation.name);
    let mut row = json!({"name": operation.name, "docs": docs, "arguments": arguments});
    // Fields in addition to the arguments, depending on the service.
    let arguments = operation.arguments();
    let is_beside = |field: &Field| field.kind == "object" && !arguments.contains(&&*field.name);
    if !walks && known.fields.iter().any(is_beside) {
        row["open"] = true.into();
    }
    row
}

fn camel_case(name: &str) -> String {
    let word = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('_').map(word).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Reads `impl Endpoint for CreatePost { const NAME: &'static str = "create_post";` and the like.
fn read_names(text: &str, names: &mut BTreeMap<String, String>) {
    let mut current = None;
    for line in text.lines() {
        let implemented = ["Endpoint", "Sequence", "Batch", "Download"]
            .iter()
            .find_map(|kind| line.strip_prefix(&format!("impl {kind} for ")));
        if let Some(name) = implemented {
            current = Some(name.trim_end_matches(" {").to_owned());
        }
        let constant = ["NAME", "WALK"]
            .iter()
            .find_map(|constant| line.split_once(&format!("const {constant}: &'static str = \"")));
        if let (Some(name), Some((_, value))) = (&current, constant) {
            names.insert(value.trim_end_matches("\";").to_owned(), name.clone());
        }
    }
}

/// Reads the words of enums without data, as serde serializes them.
fn read_enums(text: &str, enums: &mut BTreeMap<String, Vec<String>>) {
    let (mut open, mut renamed) = (None::<(String, Vec<String>)>, None);
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("pub enum ").and_then(|rest| rest.strip_suffix(" {")) {
            open = Some((name.to_owned(), Vec::new()));
        } else if let Some(word) = line.strip_prefix("#[serde(rename = \"") {
            renamed = word.strip_suffix("\")]").map(str::to_owned);
        } else if line == "}" {
            if let Some((name, words)) = open.take()
                && !words.is_empty()
            {
                enums.insert(name, words);
            }
        } else if let Some((_, words)) = &mut open
            && let Some(variant) = line.strip_suffix(',')
            && !line.starts_with(['/', '#'])
        {
            if variant.chars().all(char::is_alphanumeric) {
                words.push(renamed.take().unwrap_or_else(|| snake_case(variant)));
            } else {
                open = None;
            }
        }
    }
}

fn snake_case(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.extend(c.to_lowercase());
    }
    words
}

/// Reads `type Response = Post;` of `impl Endpoint for GetPost`, and `type Item` of a walk, by struct and kind.
fn read_answers(text: &str, answers: &mut BTreeMap<(String, &'static str), String>) {
    let mut current = String::new();
    for line in text.lines() {
        let implemented = ["Endpoint", "Sequence", "Batch"]
            .iter()
            .find_map(|kind| line.strip_prefix(&format!("impl {kind} for ")));
        if let Some(name) = implemented {
            current = name.trim_end_matches(" {").to_owned();
        }
        for (declared, kind) in
            [("type Response = ", "Response"), ("type Output = ", "Response"), ("type Item = ", "Item")]
        {
            if let Some(answer) = line.trim().strip_prefix(declared) {
                answers.insert((current.clone(), kind), answer.trim_end_matches(';').to_owned());
            }
        }
    }
}

/// Returns the shape of a reply, `{items: [Post], total, has_more}`, and the model in it. `None` if it has no fields.
fn shape(kind: &str, structs: &BTreeMap<String, Struct>) -> Option<(String, String)> {
    let inner = |outer: &str| kind.strip_prefix(outer)?.strip_prefix('<')?.strip_suffix('>');
    if let Some(kind) = inner("Option").or(inner("Box")) {
        return shape(kind, structs);
    }
    if let Some(kind) = inner("Vec") {
        return shape(kind, structs).map(|(rows, model)| (format!("[{rows}]"), model));
    }
    if let Some(kind) = inner("Page") {
        let rows = |(rows, model)| (format!("{{items: [{rows}], total, has_more}}"), model);
        return shape(kind, structs).map(rows);
    }
    let name = kind.rsplit("::").next().unwrap_or(kind);
    let has_fields = structs.get(name)?.fields.iter().any(|field| field.name != "extra");
    has_fields.then(|| (name.to_owned(), name.to_owned()))
}

/// Returns the first sentence without its full stop, for readers of JSON.
fn sentence(docs: &str) -> String {
    docs.split(". ").next().unwrap_or(docs).trim_end_matches('.').replace("`None`", "`null`")
}

/// Reads the first paragraph above each method that calls an operation.
fn read_methods(text: &str, methods: &mut BTreeMap<String, String>) {
    let mut docs = String::new();
    let mut ended = false;
    for line in text.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            ended |= text.trim().is_empty();
            if !ended {
                docs += if docs.is_empty() { "" } else { " " };
                docs += text.trim();
            }
        } else if let Some((_, alias)) = line.split_once("#[doc(alias = \"") {
            methods.insert(alias.trim_end_matches("\")]").to_owned(), plain(&docs));
        } else if let Some((name, _)) = line.strip_prefix("pub fn ").and_then(|rest| rest.split_once('('))
            && name.starts_with("iter_")
        {
            methods.insert(name.to_owned(), plain(&docs));
        } else {
            docs.clear();
            ended = false;
        }
    }
}

fn read_structs(text: &str, structs: &mut BTreeMap<String, Struct>) {
    let mut docs = String::new();
    let mut attributes = String::new();
    let mut open: Option<(String, Struct)> = None;
    for line in text.lines() {
        let line = line.trim();
        if let Some(text) = line.strip_prefix("///") {
            let text = text.trim();
            docs += if docs.is_empty() || text.is_empty() { "" } else { " " };
            docs += text;
            continue;
        }
        if line.starts_with("#[") {
            attributes += line;
            continue;
        }
        if let Some((name, body)) = &mut open {
            if line == "}" {
                structs.insert(std::mem::take(name), std::mem::take(body));
                open = None;
            } else if let Some((field, kind)) = line.trim_start_matches("pub ").split_once(": ") {
                let rust = kind.trim_end_matches(',').to_owned();
                let (kind, optional) = json_type(&rust);
                let defaulted = body.all_optional || attributes.contains("default");
                let renamed = attributes.split_once("rename = \"").and_then(|(_, rest)| rest.split_once('"'));
                body.fields.push(Field {
                    name: renamed.map_or(field.trim_start_matches("r#"), |(name, _)| name).to_owned(),
                    kind,
                    rust,
                    words: Vec::new(),
                    required: !optional && !defaulted,
                    docs: plain(&docs),
                });
            }
        } else if let Some(name) = struct_name(line) {
            let all_optional = attributes.contains("default)") || attributes.contains("default,");
            let found = Struct { docs: plain(&docs), all_optional, fields: Vec::new() };
            if line.ends_with("{}") {
                structs.insert(name.to_owned(), found);
            } else {
                open = Some((name.to_owned(), found));
            }
        }
        docs.clear();
        attributes.clear();
    }
}

fn struct_name(line: &str) -> Option<&str> {
    let line = ["pub ", "pub(super) ", "pub(crate) "]
        .iter()
        .find_map(|seen| line.strip_prefix(seen))
        .unwrap_or(line);
    let name = line.strip_prefix("struct ")?;
    name.strip_suffix(" {").or_else(|| name.strip_suffix(" {}"))
}

/// Returns a Rust type as a JSON type, and whether it can be omitted.
fn json_type(kind: &str) -> (String, bool) {
    let inner = |outer: &str| kind.strip_prefix(outer)?.strip_prefix('<')?.strip_suffix('>').map(json_type);
    if let Some((kind, _)) = inner("Option") {
        return (kind, true);
    }
    if let Some((kind, _)) = inner("Vec") {
        return (format!("list of {kind}"), false);
    }
    let name = match kind {
        "String" | "SecretString" => "text",
        "bool" => "boolean",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" => "integer",
        // A vote is 1 or -1.
        "Vote" => "integer",
        "f64" => "number",
        "Bytes" | "Content" => "bytes",
        "JsonObject" | "QueueDecision" => "object",
        "Value" => "any JSON",
        _ if kind.starts_with("Id<") || kind.ends_with("Id") => "id",
        _ if kind.contains("Map<") => "object",
        // Closed lists of words, named in the documentation of the field or the type.
        _ => "text",
    };
    (name.to_owned(), false)
}

/// Returns the text without link markup: `[like this](crate::X)` or `[`like_this`]`.
fn plain(docs: &str) -> String {
    let mut out = String::new();
    let mut rest = docs;
    while let Some((before, after)) = rest.split_once('[') {
        let Some((label, after)) = after.split_once(']') else { break };
        out += before;
        out += label;
        rest =
            after.strip_prefix('(').and_then(|link| link.split_once(')')).map_or(after, |(_, after)| after);
    }
    out += rest;
    out
}
