//! `colony auth logout`: ends the login on this host, and with `--revoke` at the provider too.

use colony_async::{CacheDirectory, credential::RotatingCredential};
use colony_core::{Error, ErrorKind, token::cache_path::fingerprint};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{
    openid::{self, OpenId},
    store,
};
use crate::{
    args::Global,
    client::{self, Chosen, Found, base_url},
    failure::Failure,
    output::Output,
    profile::ProfileLock,
};

pub(super) async fn run(global: &Global, revoke: bool, output: &Output) -> Result<(), Failure> {
    // The key names its cached token, so it is read first.
    let found = client::find_key(global)?;
    let of_profile = found.as_ref().is_none_or(Found::is_of_profile);
    let chosen = client::chosen(global)?;
    if found.is_none() && chosen.existing()?.is_none() {
        return Err(super::no_key());
    }
    let is_printed = matches!(found, Some(Found::Command(..)));
    let key = match found.map(Found::key).transpose() {
        // The login ends anyway.
        Err(failure) if is_printed => {
            output.say(&format!(
                "{}; the key's cached token stays: `colony cache clear` removes all tokens",
                failure.message()
            ));
            None
        }
        key => key?,
    };
    // The step that can fail comes first: if the provider cannot be reached, nothing has changed.
    let login = if of_profile { openid::login_of(&chosen)? } else { None };
    let lock = match (&login, of_profile && chosen.profile.is_some()) {
        (None, false) => None,
        _ => {
            let name = &chosen.name;
            let told = || output.say(&format!("waiting for another login of the profile {name} to end"));
            Some(chosen.profiles()?.lock(name, told).await?)
        }
    };
    let openid_removed = match &login {
        Some(login) => end_login(global, &chosen, login, revoke, output).await?,
        None => false,
    };
    let mut removed = 0;
    if let Some((key, _)) = &key {
        let base_url = base_url(global)?;
        let name = fingerprint(&base_url, key.expose_secret());
        if let Some(problem) = store::remove(&base_url, key).await {
            output.say(&problem);
        }
        removed = client::clear_cache(&CacheDirectory::from_environment(), Some(&name))?;
    }
    let key_removed = match &lock {
        Some(lock) if of_profile => forget_profile(lock, &chosen)?,
        _ => false,
    };
    drop(lock);
    if output.json {
        output.value(&json!({
            "removed": removed, "profile": of_profile.then_some(&chosen.name), "key_removed": key_removed,
            "credential_removed": openid_removed, "revoked": revoke && openid_removed,
        }));
        return Ok(());
    }
    match (removed, &key) {
        (_, None) => {}
        (0, _) => output.say("there was no cached token for this key"),
        _ => output.say("the cached token is removed; it stays valid on the server until it expires"),
    }
    if is_printed && key_removed {
        output.say(&format!("the profile {} no longer asks a program for its key", chosen.name));
    } else if key_removed {
        output.say(&format!("the API key of the profile {} is removed from this machine", chosen.name));
    }
    if openid_removed {
        output.say(if revoke {
            "the credential is removed, and its tokens are revoked at the provider"
        } else {
            "the credential is removed; its tokens live on at the provider (--revoke ends them too)"
        });
    }
    if !of_profile && chosen.profile.is_some() {
        let name = &chosen.name;
        output.say(&format!(
            "the profile {name} stays logged in; `colony --profile {name} auth logout` ends that"
        ));
    }
    if revoke && login.is_none() {
        output.say(
            "an API key has nothing to revoke: `colony auth rotate-key` replaces the key, and tokens issued \
             before end within a day",
        );
    }
    Ok(())
}

async fn end_login(
    global: &Global,
    chosen: &Chosen,
    login: &crate::profile::OpenIdLogin,
    revoke: bool,
    output: &Output,
) -> Result<bool, Failure> {
    let store = openid::store(&chosen.name, login)?;
    // Left by interrupted logins.
    let staging = openid::staging(&store);
    if !revoke {
        let removed = RotatingCredential::builder(store).build().log_out(None).await?;
        let _ = std::fs::remove_dir_all(staging);
        return Ok(removed);
    }
    let provider = OpenId::discover(global, login).await?;
    let Some(endpoint) = provider.provider().revocation_endpoint.clone() else {
        let message = format!("the provider {} names no address to revoke tokens at", login.issuer);
        return Err(Error::build(ErrorKind::Config, message)
            .hint("`colony auth logout` without --revoke removes what is stored here")
            .finish()
            .into());
    };
    let rotating = provider.rotating(global, store, None);
    let out = rotating.log_out(Some(endpoint.as_str())).await;
    if out.is_ok() {
        let _ = std::fs::remove_dir_all(staging);
    } else {
        output.say("nothing has changed; without --revoke the credential is removed from this machine only");
    }
    Ok(out?)
}

/// Removes the profile and its key. Returns whether there was a key, or a program that prints one.
fn forget_profile(lock: &ProfileLock, chosen: &Chosen) -> Result<bool, Failure> {
    let profiles = chosen.profiles()?;
    // Read again: another process may have logged in or out.
    let Some(profile) = profiles.read(&chosen.name)? else { return Ok(false) };
    // The profile first: a program that reads it in between does not look for a removed key.
    let key = profile.api_key.map(|storage| profiles.key(&chosen.name, storage)).transpose()?;
    profiles.remove(lock, &chosen.name)?;
    let removed = key.map_or(Ok(false), |key| key.remove())?;
    Ok(removed || profile.api_key_command.is_some())
}
