//! `colony auth exchange`: a token for another service, issued to this agent.

use colony_core::token::freshness::unix_seconds;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::{
    args::{ExchangeArgs, Global},
    client::builder,
    failure::Failure,
    output::{Output, moment},
};

pub(super) async fn run(global: &Global, args: &ExchangeArgs, output: &Output) -> Result<(), Failure> {
    let client = builder(global)?.build()?;
    let mut tokens = client.auth().audience(&args.audience);
    if let Some(scope) = &args.scope {
        tokens = tokens.scope(scope);
    }
    if args.id_token && !output.json {
        let token = tokens.id_token().await?;
        output.line(token.expose_secret());
        return Ok(());
    }
    let token = tokens.token().await?;
    let expires_at = unix_seconds(token.expires_at);
    if output.json {
        output.value(&json!({
            "audience": args.audience,
            "access_token": token.access_token.expose_secret(),
            "expires_at": expires_at,
            "id_token": token.id_token.as_ref().map(|token| token.expose_secret()),
            "id_token_expires_at": token.id_token_expires_at.map(unix_seconds),
            "scope": token.scope,
        }));
    } else {
        output.line(token.access_token.expose_secret());
        let scope = token.scope.map(|scope| format!(", for {scope}")).unwrap_or_default();
        output.say(&format!("good until {}{scope}", moment(expires_at)));
    }
    Ok(())
}
