//! `colony call`: any operation by name.

use std::path::Path;

use colony_core::{
    page::Step,
    registry::{self, Call, Operation},
};
use serde_json::{Value, json};

use crate::{
    args::{CallArgs, Global},
    client::client,
    failure::Failure,
    fields, input, methods,
    output::Output,
};

pub(crate) async fn run(global: &Global, args: CallArgs, output: &Output) -> Result<(), Failure> {
    let Some(name) = &args.method else {
        methods::call_help(output);
        return if args.help {
            Ok(())
        } else {
            Err(Failure::usage("name an operation; `colony methods` lists them"))
        };
    };
    let operation = find(name)?;
    if args.help {
        methods::help(operation, output);
        return Ok(());
    }
    let mut arguments = input::json_argument("--args", &args.args)?;
    fields::add(operation, &mut arguments, &args.fields)?;
    let call = operation.prepare(arguments)?;
    if args.dry_run {
        output.value(&describe(call)?);
        return Ok(());
    }
    let client = client(global)?;
    if let Call::Download(call) = call {
        let bytes = client.transport().call(call).await?.body;
        return match &args.output {
            Some(path) => save(path, &bytes),
            None => {
                output.bytes(&bytes);
                Ok(())
            }
        };
    }
    let value = client.transport().run(call).await?;
    match &args.output {
        Some(path) => save(path, format!("{value}\n").as_bytes()),
        None => {
            output.value(&value);
            Ok(())
        }
    }
}

fn save(path: &Path, content: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, content).map_err(|error| Failure::Local(format!("{}: {error}", path.display())))
}

fn find(name: &str) -> Result<&'static Operation, Failure> {
    registry::find(name).ok_or_else(|| {
        let near = methods::nearest(name);
        let hint =
            if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) };
        Failure::usage(format!("there is no operation {name:?}{hint} `colony methods` lists them"))
    })
}

/// What would be sent first. Later requests of a list depend on the replies.
fn describe(call: Call) -> Result<Value, Failure> {
    Ok(match call {
        Call::Request(call) | Call::Download(call) => call.request.describe()?,
        Call::List(mut steps) | Call::Batch(mut steps, _) => match steps.next()? {
            Step::Send(request) => request.describe()?,
            Step::Done => json!({"requests": []}),
        },
        Call::Token => json!({"note": "sends POST /auth/token only when no fresh token is cached"}),
        _ => json!({"requests": []}),
    })
}
