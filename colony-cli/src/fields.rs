//! `NAME=VALUE` arguments of `colony call`, beside `--args`.

use std::path::Path;

use base64::Engine as _;
use colony_core::registry::Operation;
use serde_json::{Map, Value, json};

use crate::{failure::Failure, input, operation_docs};

/// Adds these fields to an operation's arguments. Each is parsed by its argument's type: `limit=3`, `tags=a tags=b`,
/// `body=@post.md`.
pub(crate) fn add(operation: &Operation, arguments: &mut Value, fields: &[String]) -> Result<(), Failure> {
    if fields.is_empty() {
        return Ok(());
    }
    let Value::Object(arguments) = arguments else {
        return Err(Failure::usage("--args is not a JSON object, and NAME=VALUE adds to one"));
    };
    let docs = operation_docs::of(operation.name);
    let given: Vec<String> = arguments.keys().cloned().collect();
    for field in fields {
        let Some((name, value)) = field.split_once('=') else {
            return Err(Failure::usage(format!("{field:?} is not of the form NAME=VALUE")));
        };
        let name = input::tidy(name);
        if given.iter().any(|given| given == name) {
            return Err(Failure::usage(format!("{name} is given twice, as {name}=… and in --args")));
        }
        let kind = docs.arguments.iter().find(|argument| argument.name == name);
        let kind = kind.map_or("text", |argument| argument.kind.as_str());
        if kind == "bytes" {
            let path = value.strip_prefix('@').ok_or_else(|| {
                Failure::usage(format!("{name} takes a file: {name}=@FILE, or {name}=@- for stdin"))
            })?;
            let bytes = input::bytes(name, Path::new(path))?;
            let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
            put(arguments, name, json!({"$bytes_base64": encoded}))?;
            describe_file(&docs, arguments, fields, path);
            continue;
        }
        let text = match (value.strip_prefix("@@"), value.strip_prefix('@')) {
            (Some(rest), _) => format!("@{rest}"),
            (None, Some(path)) => input::file(name, Path::new(path)).map_err(|failure| {
                Failure::usage(format!(
                    "{}. Write {name}=@@… for a text that begins with @",
                    failure.message()
                ))
            })?,
            (None, None) => value.to_owned(),
        };
        match kind.strip_prefix("list of ") {
            Some(_) if text.trim_start().starts_with('[') => put(arguments, name, parsed(name, &text)?)?,
            Some(of) => {
                let item = read(of, name, &text)?;
                match arguments.get_mut(name) {
                    Some(Value::Array(items)) => items.push(item),
                    _ => put(arguments, name, json!([item]))?,
                }
            }
            None => put(arguments, name, read(kind, name, &text)?)?,
        }
    }
    Ok(())
}

fn put(arguments: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), Failure> {
    match arguments.insert(name.to_owned(), value) {
        Some(_) => Err(Failure::usage(format!("{name} is given twice"))),
        None => Ok(()),
    }
}

fn read(kind: &str, name: &str, text: &str) -> Result<Value, Failure> {
    match kind {
        "text" => Ok(text.into()),
        "id" => Ok(input::tidy(text).into()),
        _ => parsed(name, text),
    }
}

fn parsed(name: &str, text: &str) -> Result<Value, Failure> {
    serde_json::from_str(input::tidy(text)).map_err(|error| {
        Failure::usage(format!("{name}={text} is not a number, true, false or JSON: {error}"))
    })
}

/// Fills in the name and the media type of an uploaded file, if the operation needs them and they were not given.
fn describe_file(
    docs: &operation_docs::OperationDocs,
    arguments: &mut Map<String, Value>,
    fields: &[String],
    path: &str,
) {
    let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    let media = match Path::new(path).extension().and_then(|end| end.to_str()).unwrap_or_default() {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        "gif" => Some("image/gif"),
        _ => None,
    };
    for (argument, value) in [("filename", name), ("content_type", media.map(str::to_owned))] {
        let wanted = docs.arguments.iter().any(|known| known.name == argument);
        let said = fields.iter().any(|field| field.split_once('=').is_some_and(|(name, _)| name == argument));
        if let Some(value) = value.filter(|_| wanted && !said && path != "-") {
            arguments.entry(argument).or_insert(value.into());
        }
    }
}
