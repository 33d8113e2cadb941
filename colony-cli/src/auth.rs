//! `colony auth`: the logins and their state.

mod device;
mod exchange;
mod login;
mod logout;
mod openid;
mod status;

use colony_async::{TokenStatus, credential::RotatingCredential};
use colony_core::{Transport as _, credential::timing};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::{
    args::{AuthCommand, Global},
    client::{self, base_url, builder, cache_directory},
    failure::Failure,
    output::{Output, moment},
};

use openid::OpenId;
use status::no_key;

pub(crate) async fn run(global: &Global, command: AuthCommand, output: &Output) -> Result<(), Failure> {
    match command {
        AuthCommand::Login(args) => login::run(global, &args, output).await,
        AuthCommand::Status { verify } => status::run(global, verify, output).await,
        AuthCommand::Token => {
            let token = match client::api_key(global)? {
                Some(_) => builder(global)?.build()?.transport().token().await?,
                None => rotating(global, Purpose::Token).await?.token().await?,
            };
            print(&token, output);
            Ok(())
        }
        AuthCommand::Exchange(args) => exchange::run(global, &args, output).await,
        AuthCommand::Refresh { force } => refresh(global, force, output).await,
        AuthCommand::Logout { revoke } => logout::run(global, revoke, output).await,
    }
}

fn print(token: &SecretString, output: &Output) {
    if output.json {
        output.value(&json!({"token": token.expose_secret()}));
    } else {
        output.line(token.expose_secret());
    }
}

async fn refresh(global: &Global, force: bool, output: &Output) -> Result<(), Failure> {
    let Some((key, _)) = client::api_key(global)? else {
        let rotation = rotating(global, Purpose::Refresh).await?.rotate().await?;
        let known = &rotation.credential;
        if output.json {
            output.value(&json!({"refreshed": true, "fresh_until": known.expiry, "own": rotation.is_own}));
        } else {
            let who = if rotation.is_own { "" } else { " by another process" };
            output.say(&format!("refreshed{who}; the access token ends at {}", moment(known.expiry)));
        }
        return Ok(());
    };
    let client = builder(global)?.ignore_cool_down(force).build()?;
    client.transport().forget_token().await?;
    client.transport().token().await?;
    let status = TokenStatus::read(&cache_directory()?, &base_url(global)?, &key, client::now());
    if output.json {
        output.value(&json!({"refreshed": true, "fresh_until": status.fresh_until}));
    } else {
        let until = status.fresh_until.map(|until| format!(", fresh until {}", moment(until)));
        output.say(&format!("logged in anew{}", until.unwrap_or_default()));
    }
    Ok(())
}

/// The profile's credential as a source of tokens.
async fn rotating(global: &Global, purpose: Purpose) -> Result<RotatingCredential, Failure> {
    let chosen = client::chosen(global)?;
    let login = openid::login_of(&chosen)?.ok_or_else(no_key)?;
    let store = openid::store(&chosen.name, &login)?;
    if purpose == Purpose::Token {
        let known = store.load().await?;
        if known.is_some_and(|known| timing::is_fresh(&known, client::now())) {
            return Ok(RotatingCredential::builder(store).timeout(global.timeout).build());
        }
    }
    Ok(OpenId::discover(global, &login).await?.rotating(global, store))
}

/// What a credential is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// A token that is fresh; while there is one, the provider is not asked for anything.
    Token,
    /// A rotation.
    Refresh,
}
