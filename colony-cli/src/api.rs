//! `colony api`: sends any request with the session's token.

use colony_core::{Prepared, Request};
use http::Method;
use serde_json::Value;

use crate::{
    args::{ApiArgs, Global},
    client::client,
    failure::Failure,
    input,
    output::Output,
};

pub(crate) async fn run(global: &Global, args: ApiArgs, output: &Output) -> Result<(), Failure> {
    let method: Method = args
        .method
        .to_ascii_uppercase()
        .parse()
        .map_err(|_| Failure::usage(format!("{:?} is not an HTTP method", args.method)))?;
    let mut request = Request::raw(method, &args.path)?.idempotency_key(args.idempotency_key.as_deref());
    if let Some(data) = &args.data {
        let Value::Object(fields) = input::json_argument("--data", data)? else {
            return Err(Failure::usage("--data must be a JSON object"));
        };
        request = request.json_object().json_fields(&fields);
    }
    if args.anonymous {
        request = request.anonymous();
    }
    let reply = client(global)?.transport().call(Prepared::plain(request)).await?;
    match reply.json() {
        Ok(value) => output.value(&value),
        Err(_) => output.answer(&reply.body),
    }
    Ok(())
}
