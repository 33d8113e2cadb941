//! `colony methods`, and the help of `colony call`.

use colony_core::registry::{self, Operation};
use serde_json::{Value, json};

use crate::{
    args::MethodsArgs,
    failure::Failure,
    operation_docs,
    output::{Output, spare, text, whole},
};

pub(crate) fn run(args: &MethodsArgs, output: &Output) -> Result<(), Failure> {
    let filter = args.filter.as_deref().unwrap_or("");
    let found: Vec<(&str, &Operation)> = registry::operations()
        .filter(|(group, operation)| operation.name.contains(filter) || group.contains(filter))
        .filter(|(_, operation)| args.access.is_empty() || args.access.contains(&operation.access()))
        .collect();
    if output.json {
        let docs = operation_docs::all();
        let rows: Vec<Value> = found
            .iter()
            .map(|(group, operation)| {
                let docs = docs.iter().find(|docs| docs.name == operation.name);
                json!({
                    "name": operation.name, "group": group,
                    "method": operation.method().map(|method| method.to_string()),
                    "path": operation.path,
                    "access": operation.access(),
                    "repeat": operation.repeat().map(|repeat| repeat.as_str()),
                    "docs": docs.map(|docs| &docs.docs),
                    "arguments": docs.map(|docs| &docs.arguments),
                })
            })
            .collect();
        output.value(&rows.into());
    } else {
        let rows = found
            .iter()
            .map(|(group, operation)| {
                let access = operation.access().as_str().to_owned();
                vec![(*group).to_owned(), operation.name.to_owned(), access, operation.arguments().join(" ")]
            })
            .collect();
        output.table(&[spare(2, "group"), whole("operation"), spare(1, "access"), text("arguments")], rows);
        output.say(&format!("{} operations; `colony call NAME --help` describes one", found.len()));
    }
    Ok(())
}

pub(crate) fn call_help(output: &Output) {
    output.line(
        "Call any operation of the API by name\n\n\
         Usage: colony call METHOD [NAME=VALUE …] [--args JSON] [--output FILE] [--dry-run]\n\n\
         METHOD is one of `colony methods`. Its arguments are given by name, NAME=@FILE takes one from a file\n\
         and NAME=@- from stdin (@@ begins a text with @); or as a JSON object: --args JSON, @FILE, or - for\n\
         stdin. The server's JSON is printed as received, a list as one array of all its items; bytes go to\n\
         stdout or to --output.\n\n\
         --read-only, --allow NAME, --deny NAME and --daily NAME=N refuse operations: `colony help policy`.\n\n\
         Examples:\n  colony call get_posts limit=3\n  colony call get_posts --args '{\"limit\": 3}'\n  \
         colony call upload_profile_avatar file_bytes=@me.png\n  colony call create_post --help",
    );
}

pub(crate) fn help(operation: &Operation, output: &Output) {
    let docs = operation_docs::of(operation.name);
    let mut text = format!("{}\n\n", docs.docs);
    match operation.method() {
        Some(method) => text += &format!("  {} = {method} {}\n", operation.name, operation.path),
        None => text += &format!("  {} sends nothing by itself\n", operation.name),
    }
    text += &format!("  access: {}\n", operation.access().as_str());
    if docs.arguments.is_empty() {
        text += "\nNo arguments.\n";
    } else {
        text += "\nArguments:\n";
    }
    let width = docs.arguments.iter().map(|argument| argument.name.len()).max().unwrap_or(0);
    for argument in &docs.arguments {
        let needed = if argument.required { ", required" } else { "" };
        text += &format!("  {:width$}  {} ({}{needed})\n", argument.name, argument.docs, argument.kind);
    }
    let sample: serde_json::Map<String, Value> = docs
        .arguments
        .iter()
        .filter(|argument| argument.required)
        .map(|argument| (argument.name.clone(), argument.sample()))
        .collect();
    let sample =
        if sample.is_empty() { String::new() } else { format!(" --args '{}'", Value::Object(sample)) };
    text += &format!("\nExample: colony call {}{sample}", operation.name);
    output.line(&text);
}

/// Returns names similar to a misspelled operation.
pub(crate) fn nearest(name: &str) -> Vec<&'static str> {
    let bare = |name: &str| name.replace(['_', '-', ' '], "").to_lowercase();
    let wanted = bare(name);
    let words: Vec<String> = name
        .split(['_', '-'])
        .filter(|word| word.len() > 2)
        .map(|word| word.trim_end_matches('s').into())
        .collect();
    let mut scored: Vec<(f64, &'static str)> = registry::operations()
        .map(|(_, operation)| {
            let shared = words.iter().filter(|word| operation.name.contains(word.as_str())).count();
            // As many shared words as possible, then as many letters.
            (shared as f64 / 4.0 + strsim::jaro_winkler(&wanted, &bare(operation.name)), operation.name)
        })
        .filter(|(score, _)| *score > 0.85)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}
