//! `colony call`: any operation by name.

use std::path::Path;

use colony_core::{
    Endpoint as _, Error, ErrorKind, Transport as _,
    api::auth::RotateKey,
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
    policy, rotation, save,
    sink::Sink,
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
    policy::policy(global)?.check(operation, 0).map_err(Error::from)?;
    let client = || -> Result<_, Failure> {
        let client = client(global)?;
        Ok(match &args.idempotency_key {
            Some(key) => client.with_idempotency_key(key),
            None => client,
        })
    };
    if let Call::Request(request) = &call
        && request.request.is_secret()
    {
        let sink = Sink::open(args.output.as_deref())?;
        if operation.name == RotateKey::NAME {
            return rotation::run(global, sink, true, output).await;
        }
        let answer = client()?.transport().run(call).await;
        let answer = answer.map_err(|error| unrepeatable(operation.name, error))?;
        return sink.answer(&answer, output);
    }
    let client = client()?;
    if let Call::Download(call) = call {
        if let Some(path) = &args.output {
            return save::download(&client, call, path).await;
        }
        let mut stream = client.transport().open(call).await?;
        // Stops reading once output cannot be written.
        while let (Some(chunk), false) = (stream.next().await, output.is_broken()) {
            output.answer(&chunk?);
        }
        return Ok(());
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

/// Returns the error of an operation that must not be repeated, and whose reply exists only once.
fn unrepeatable(name: &str, error: Error) -> Failure {
    let is_unclear = matches!(error.kind(), ErrorKind::Network | ErrorKind::Server | ErrorKind::Decode);
    let advice = match name {
        _ if !is_unclear => return error.into(),
        "register" | "register_begin" => {
            "the account may have been created, and its key is lost with the reply. `colony call check_username` tells \
             whether the name is taken; if so, register under another, or ask for a new key with `colony call recover_key`"
        }
        "confirm_key_recovery" => {
            "the key may have been replaced, and the new one is lost with the reply. `colony call recover_key` asks for \
             another recovery token by mail"
        }
        "rotate_webhook_secret" => {
            "the secret may have been replaced, and the new one is lost with the reply: rotate it again"
        }
        _ => return error.into(),
    };
    Failure::advised(error, advice)
}

fn save(path: &Path, content: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, content).map_err(|error| Failure::Local(format!("{}: {error}", path.display())))
}

pub(crate) fn find(name: &str) -> Result<&'static Operation, Failure> {
    registry::find(name).ok_or_else(|| {
        let near = methods::nearest(name);
        let hint =
            if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) };
        Failure::usage(format!("there is no operation {name:?}{hint}; `colony methods` lists them"))
    })
}

/// Describes the first request that would be sent. Later requests of a list depend on the replies.
pub(crate) fn describe(call: Call) -> Result<Value, Failure> {
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
