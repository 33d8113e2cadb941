//! `colony methods`, and the help of `colony call`.

use colony_core::registry::{self, Operation};
use serde_json::{Value, json};

use crate::{args::MethodsArgs, failure::Failure, output::Output};

pub(crate) fn run(args: &MethodsArgs, output: &Output) -> Result<(), Failure> {
    let filter = args.filter.as_deref().unwrap_or("");
    let found: Vec<(&str, &Operation)> = registry::operations()
        .filter(|(group, operation)| operation.name.contains(filter) || group.contains(filter))
        .collect();
    if output.json {
        let rows: Vec<Value> = found
            .iter()
            .map(|(group, operation)| {
                json!({
                    "name": operation.name, "group": group,
                    "method": operation.method().map(|method| method.to_string()),
                    "path": operation.path, "arguments": operation.arguments(),
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
    let mut text = format!("{}\n\n", operation.name);
    match operation.method() {
        Some(method) => text += &format!("  {method} {}\n", operation.path),
        None => text += "  sends nothing by itself\n",
    }
    let arguments = operation.arguments();
    if arguments.is_empty() {
        text += "\nNo arguments.\n";
    } else {
        text += "\nArguments:\n";
        for name in &arguments {
            text += &format!("  {name}\n");
        }
    }
    let example: serde_json::Map<String, Value> =
        arguments.iter().take(1).map(|name| ((*name).to_owned(), "…".into())).collect();
    text += &format!("\nExample: colony call {} --args '{}'", operation.name, Value::Object(example));
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
