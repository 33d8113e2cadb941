//! `colony methods`, and the help of `colony call`.

use colony_core::registry::{self, Operation};
use serde_json::{Value, json};

use crate::{args::MethodsArgs, failure::Failure, operation_docs, output::Output};

pub(crate) fn run(args: &MethodsArgs, output: &Output) -> Result<(), Failure> {
    let filter = args.filter.as_deref().unwrap_or("");
    let found: Vec<(&str, &Operation)> = registry::operations()
        .filter(|(group, operation)| operation.name.contains(filter) || group.contains(filter))
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
                vec![(*group).to_owned(), operation.name.to_owned(), operation.arguments().join(" ")]
            })
            .collect();
        output.table(&["group", "operation", "arguments"], rows);
        output.say(&format!("{} operations; `colony call NAME --help` tells about one", found.len()));
    }
    Ok(())
}

pub(crate) fn call_help(output: &Output) {
    output.line(
        "Carry out any operation of the API by name\n\n\
         Usage: colony call METHOD [--args JSON] [--output FILE] [--dry-run]\n\n\
         METHOD is one of `colony methods`; JSON an object keyed by its arguments' names, `-` for stdin or\n\
         @FILE for a file. Bytes are given as {\"$bytes_base64\": \"…\"}. The server's JSON is printed as\n\
         received, a list as one array of all its items; bytes go to stdout or to --output.\n\n\
         Example: colony call get_posts --args '{\"limit\": 3}'",
    );
}

pub(crate) fn help(operation: &Operation, output: &Output) {
    let docs = operation_docs::of(operation.name);
    let mut text = format!("{}\n\n", docs.docs);
    match operation.method() {
        Some(method) => text += &format!("  {} = {method} {}\n", operation.name, operation.path),
        None => text += &format!("  {} sends nothing by itself\n", operation.name),
    }
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

/// Names that resemble this one, for a misspelt operation.
pub(crate) fn nearest(name: &str) -> Vec<&'static str> {
    let words: Vec<&str> = name.split(['_', '-']).filter(|word| word.len() > 2).collect();
    let mut scored: Vec<(usize, &'static str)> = registry::operations()
        .map(|(_, operation)| {
            let shared =
                words.iter().filter(|word| operation.name.contains(word.trim_end_matches('s'))).count();
            (shared, operation.name)
        })
        .filter(|(shared, _)| *shared > 0)
        .collect();
    scored.sort_by_key(|(shared, candidate)| {
        (std::cmp::Reverse(*shared), candidate.len().abs_diff(name.len()))
    });
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}
