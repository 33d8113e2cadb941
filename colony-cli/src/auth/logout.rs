//! `colony auth logout`: nobody is logged in here any more, and with `--revoke` not at the provider either.

use colony_async::credential::RotatingCredential;
use colony_core::{Error, ErrorKind, token::cache_path::fingerprint};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::openid::{self, OpenId};
use crate::{
    args::Global,
    client::{self, Chosen, KeySource, base_url, cache_directory},
    failure::Failure,
    output::Output,
};

pub(super) async fn run(global: &Global, revoke: bool, output: &Output) -> Result<(), Failure> {
    // What the key is read for: its cached token is called after it.
    let key = client::api_key(global)?;
    let of_profile = matches!(key, None | Some((_, KeySource::Profile { .. })));
    let chosen = client::chosen(global)?;
    if key.is_none() && chosen.existing()?.is_none() {
        return Err(super::no_key());
    }
    // First what may fail: if the provider cannot be reached, everything is as it was.
    let login = if of_profile { openid::login_of(&chosen)? } else { None };
    let openid_removed = match &login {
        Some(login) => end_login(global, &chosen, login, revoke, output).await?,
        None => false,
    };
    let mut removed = 0;
    if let Some((key, _)) = &key {
        let name = fingerprint(&base_url(global)?, key.expose_secret());
        removed = colony_async::clear_cached_tokens(&cache_directory()?, Some(&name))?;
    }
    let key_removed = if of_profile { forget_profile(&chosen)? } else { false };
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
    if key_removed {
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
            "an API key has nothing to revoke: `colony call rotate_key` replaces the key, and tokens issued \
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
    if !revoke {
        return Ok(RotatingCredential::builder(store).build().log_out(None).await?);
    }
    let provider = OpenId::discover(global, login).await?;
    let Some(endpoint) = provider.provider.revocation_endpoint.clone() else {
        let message = format!("the provider {} names no address to revoke tokens at", login.issuer);
        return Err(Error::build(ErrorKind::Config, message)
            .hint("`colony auth logout` without --revoke removes what is stored here")
            .finish()
            .into());
    };
    let rotating = provider.rotating(global, store);
    let out = rotating.log_out(Some(endpoint.as_str())).await;
    if out.is_err() {
        output.say("nothing has changed; without --revoke the credential is removed from this machine only");
    }
    Ok(out?)
}

/// Removes the profile and its key. Says whether there was a key.
fn forget_profile(chosen: &Chosen) -> Result<bool, Failure> {
    let Some(profile) = &chosen.profile else { return Ok(false) };
    let profiles = chosen.profiles()?;
    let key_removed = match profile.api_key {
        Some(storage) => profiles.key(&chosen.name, storage)?.remove()?,
        None => false,
    };
    profiles.remove(&chosen.name)?;
    Ok(key_removed)
}
