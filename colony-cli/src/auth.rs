//! `colony auth`: logins and their state.

mod browser;
mod device;
mod exchange;
mod helper;
mod list;
mod log;
mod login;
mod logout;
mod openid;
mod status;
mod store;
mod token;

use std::time::Duration;

use colony_async::{
    CacheDirectory, TokenStatus,
    credential::{CredentialStore, RotatingCredential},
};
use colony_core::Transport as _;
use serde_json::json;

use crate::{
    args::{AuthCommand, Global},
    client::{self, base_url, builder},
    failure::Failure,
    output::{Output, moment},
    profile::OpenIdLogin,
    rotation, signals,
    sink::Sink,
};

pub(crate) use helper::{Hosts, Tool, git_is_configured};
use openid::OpenId;
pub(crate) use openid::store as credential_store;
use status::no_key;
pub(crate) use token::{TokenFormat, Want, end, obtain};

pub(crate) async fn run(global: &Global, command: AuthCommand, output: &Output) -> Result<(), Failure> {
    match command {
        AuthCommand::Login(args) => login::run(global, &args, output).await,
        AuthCommand::Status { verify, rotate } => status::run(global, verify, rotate, output).await,
        AuthCommand::Token(args) => token::run(global, args, output).await,
        AuthCommand::Log { follow: true } if global.deadline.is_some() => Err(Failure::usage(
            "--deadline does not apply to a command that runs until it is stopped; see --timeout",
        )),
        AuthCommand::Log { follow } => log::run(follow, output).await,
        AuthCommand::List => list::run(global, output),
        AuthCommand::Switch { name } => list::switch(&name, output),
        AuthCommand::Helper(command) => helper::run(global, command, output).await,
        AuthCommand::Exchange(args) => exchange::run(global, &args, output).await,
        AuthCommand::Refresh { force, settle } => refresh(global, force, settle, output).await,
        AuthCommand::Logout { revoke } => logout::run(global, revoke, output).await,
        AuthCommand::RotateKey { output: file } => {
            rotation::run(global, Sink::open(file.as_deref())?, false, output).await
        }
        AuthCommand::Adopt => adopt(global, output).await,
    }
}

async fn refresh(
    global: &Global,
    force: bool,
    settle: Option<Duration>,
    output: &Output,
) -> Result<(), Failure> {
    let Some((key, _)) = client::api_key(global)? else {
        let (name, login, store) = openid_login(global)?;
        let rotating = OpenId::discover(global, &login).await?.rotating(global, store, settle);
        let hold = signals::hold(openid::limit(global));
        let rotation = openid::guarded(&hold, &rotating, rotating.rotate()).await;
        drop(hold);
        let rotation = rotation.map_err(|error| openid::for_profile(&error, &name))?;
        let known = &rotation.credential;
        if output.json {
            output.value(&json!({"refreshed": true, "fresh_until": known.expiry, "own": rotation.is_own}));
        } else {
            let who = if rotation.is_own { "" } else { " by another process" };
            output.say(&format!("refreshed{who}; the access token ends at {}", moment(known.expiry)));
        }
        return Ok(());
    };
    let hold = signals::hold(global.timeout);
    let client = builder(global)?.ignore_cool_down(force).build()?;
    client.transport().forget_token().await?;
    client.transport().token().await?;
    drop(hold);
    let (directory, base_url) = (CacheDirectory::from_environment().path, base_url(global)?);
    let status =
        directory.map(|directory| TokenStatus::read(&directory, &base_url, &key, None, client::now()));
    let fresh_until = status.and_then(|status| status.fresh_until);
    if output.json {
        output.value(&json!({"refreshed": true, "fresh_until": fresh_until, "own": true}));
    } else {
        let until = fresh_until.map(|until| format!(", fresh until {}", moment(until)));
        output.say(&format!("logged in again{}", until.unwrap_or_default()));
    }
    Ok(())
}

/// Records that the profile's credential was moved here.
async fn adopt(global: &Global, output: &Output) -> Result<(), Failure> {
    let (_, _, store) = openid_login(global)?;
    let moved = store.adopt().await?;
    if output.json {
        output.value(&json!({"adopted": moved, "file": store.file()}));
    } else if moved {
        output.say(&format!(
            "the credential in {} is used from here on; programs that use the copy it came from would end the login \
             for both",
            store.file().display()
        ));
    } else {
        output.say("the credential was stored here already; nothing has changed");
    }
    Ok(())
}

/// Returns the token source of the profile's login at an OpenID provider.
pub(crate) async fn rotating(global: &Global) -> Result<RotatingCredential, Failure> {
    let (_, login, store) = openid_login(global)?;
    Ok(OpenId::discover(global, &login).await?.rotating(global, store, None))
}

/// Returns the profile's login at an OpenID provider: the profile's name, the login, and its credential store.
fn openid_login(global: &Global) -> Result<(String, OpenIdLogin, CredentialStore), Failure> {
    let chosen = client::chosen(global)?;
    let login = openid::login_of(&chosen)?.ok_or_else(no_key)?;
    let store = openid::store(&chosen.name, &login)?;
    Ok((chosen.name, login, store))
}
