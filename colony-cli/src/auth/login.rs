//! `colony auth login`: writes a secret, reads it back, and then confirms it. Until that is done, the previous one
//! stays.

use std::{
    io::{IsTerminal as _, Read as _},
    path::Path,
};

use colony_async::{
    CacheDirectory,
    credential::{Credential, CredentialStore},
};
use colony_core::{
    Error, ErrorKind, Transport as _,
    api::account::GetMe,
    credential,
    token::cache_path::{fingerprint, normalise_base_url},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{
    browser, device,
    openid::{self, OpenId},
};
use crate::{
    args::{Global, LoginArgs},
    client::{self, Chosen, check_place},
    failure::Failure,
    input,
    output::{Output, moment, one_line},
    profile::{OpenIdLogin, Profile, ProfileLock, Profiles},
    signals::{self, Hold},
};

/// The default scope. Without `offline_access` there is no refresh token.
const DEFAULT_SCOPE: &str = "openid profile offline_access";
/// The largest secret that is read from stdin, in bytes.
const MAX_SECRET: u64 = 16 * 1024;

/// The result of confirming a secret.
enum Confirmed {
    Yes(Value),
    /// The server refuses it.
    Refused(Error),
    /// The server could not be asked.
    Unclear(Error),
}

pub(super) async fn run(global: &Global, args: &LoginArgs, output: &Output) -> Result<(), Failure> {
    let chosen = client::chosen(global)?;
    let base_url = match (&global.base_url, &chosen.profile) {
        (Some(given), _) if !given.is_empty() => normalise_base_url(given).to_owned(),
        (_, Some(profile)) => profile.base_url.clone(),
        _ => colony_core::DEFAULT_BASE_URL.to_owned(),
    };
    if let Some(profile) = &chosen.profile {
        check_place(&chosen.name, profile, &base_url)?;
    }
    if args.with_refresh_token || args.device || args.browser || args.paste || args.client_id.is_some() {
        open_id(global, args, &chosen, base_url, output).await
    } else {
        api_key(global, args, &chosen, base_url, output).await
    }
}

// ---- an API key

async fn api_key(
    global: &Global,
    args: &LoginArgs,
    chosen: &Chosen,
    base_url: String,
    output: &Output,
) -> Result<(), Failure> {
    let key = secret_from_stdin("the API key", output)?;
    let profiles = chosen.profiles()?;
    let former = chosen.profile.as_ref().and_then(|profile| profile.api_key);
    let storage = args.storage.or(former).unwrap_or_default();
    let store = profiles.key(&chosen.name, storage)?;
    let staged = store.stage(&key)?;
    // Held until the key is in its place.
    let _hold = signals::hold(global.timeout);
    let confirmed = confirm(global, &base_url, &key, args.force).await;

    let lock = locked(&profiles, chosen, output).await?;
    // Read again: another login or logout may have changed it.
    let known = profiles.read(&chosen.name)?;
    if let Some(known) = &known {
        check_place(&chosen.name, known, &base_url)?;
    }
    let former = known.as_ref().and_then(|profile| profile.api_key);
    let held = former.map(|former| profiles.key(&chosen.name, former)).transpose()?;
    let held = held.map(|held| held.read()).transpose()?.flatten().map(|kept| kept.key);
    let same = held.as_ref().is_some_and(|held| held.expose_secret() == key.expose_secret());
    let (me, unclear) = match confirmed {
        Confirmed::Yes(me) => (Some(me), None),
        Confirmed::Refused(error) => {
            output.say(match held {
                Some(_) => "the server does not take this key; the profile's former key is kept",
                None => "the server does not take this key; nothing is kept",
            });
            return Err(error.into());
        }
        Confirmed::Unclear(error) if held.is_some() && !same => {
            output.say("the key could not be confirmed; the profile's former key is kept");
            return Err(error.into());
        }
        // Nothing but this key would be lost.
        Confirmed::Unclear(error) => (None, Some(error)),
    };
    store.write(&key)?;
    drop(staged);
    let mut profile = known.unwrap_or_else(|| Profile::new(base_url.clone()));
    profile.api_key = Some(storage);
    if profile.api_key_command.take().is_some() {
        output.say("this key takes the place of the profile's api_key_command");
    }
    profiles.write(&lock, &chosen.name, &profile)?;
    if let Some(former) = former.filter(|former| *former != storage) {
        profiles.key(&chosen.name, former)?.remove()?;
    }
    if let Some(held) = held.filter(|_| !same) {
        // The former key's token stays valid at the server, but leaves this cache.
        let name = fingerprint(&base_url, held.expose_secret());
        let _ = client::clear_cache(&CacheDirectory::from_environment(), Some(&name));
    }
    drop(lock);
    if let Some(error) = unclear {
        output.say(&format!(
            "the key is kept in {}, but could not be confirmed: `colony auth status --verify` asks again",
            store.place()
        ));
        return Err(error.into());
    }
    let username = me.as_ref().and_then(|me| me.get("username")).and_then(Value::as_str).unwrap_or("?");
    if output.json {
        output.value(&shaped(json!({
            "profile": chosen.name, "profile_file": profiles.path(&chosen.name), "base_url": base_url,
            "login": "api_key", "storage": storage, "place": store.place(), "username": username,
            "confirmed": true,
        })));
    } else {
        output.say(&format!(
            "logged in as {} at {base_url} (profile {}); the key is kept in {}",
            one_line(username),
            chosen.name,
            store.place()
        ));
        if std::env::var_os("COLONY_API_KEY").is_some_and(|key| !key.is_empty()) {
            output.say("COLONY_API_KEY is set and goes before the profile; unset it, or name the profile");
        }
    }
    Ok(())
}

/// Logs in with a key. A cached token is not used, since it proves nothing about the key.
async fn confirm(global: &Global, base_url: &str, key: &SecretString, force: bool) -> Confirmed {
    let confirmed = async {
        let client = client::builder_for(global, Some(key.clone()))
            .map_err(|failure| match failure {
                Failure::Api(error) | Failure::Advised(error, _) => error,
                Failure::Local(message) => Error::build(ErrorKind::Config, message).finish(),
            })?
            .base_url(base_url)
            .ignore_cool_down(force)
            .build()?;
        client.transport().forget_token().await?;
        client.transport().token().await?;
        client.execute_json(GetMe::default()).await
    };
    match confirmed.await {
        Ok(me) => Confirmed::Yes(me),
        Err(error) if error.kind() == ErrorKind::Auth && matches!(error.status(), Some(401 | 403)) => {
            Confirmed::Refused(error)
        }
        Err(error) => Confirmed::Unclear(error),
    }
}

// ---- a login at the OpenID provider

async fn open_id(
    global: &Global,
    args: &LoginArgs,
    chosen: &Chosen,
    base_url: String,
    output: &Output,
) -> Result<(), Failure> {
    let login = requested(args, chosen, &base_url)?;
    let profiles = chosen.profiles()?;
    let store = openid::store(&chosen.name, &login)?;
    // The provider's reply could not be requested a second time.
    store.check().await?;
    if args.with_refresh_token {
        let token = secret_from_stdin("the refresh token", output)?;
        let provider = OpenId::discover(global, &login).await?;
        // The first use of a refresh token spends it: one process at a time, so that none uses it twice.
        let lock = locked(&profiles, chosen, output).await?;
        let hold = signals::hold(openid::limit(global));
        let bring = Bring { global, args, provider: &provider, login: &login, store: &store, output };
        bring.run(&hold, token).await?;
        remember(&profiles, &lock, chosen, base_url, &login)?;
        drop((lock, hold));
        return report(&provider, &store, &chosen.name, output).await;
    }
    let provider = OpenId::discover(global, &login).await?;
    let scope = args.scope.as_deref().unwrap_or(DEFAULT_SCOPE);
    let can_browse = provider.provider().authorization_endpoint.is_some();
    let is_here = args.browser || !args.device && can_browse && browser::is_desktop();
    let (credential, hold) = if args.paste {
        browser::paste(global, &provider, scope, output).await?
    } else if is_here {
        browser::log_in(global, &provider, scope, !args.no_open, output).await?
    } else {
        device::log_in(global, &provider, scope, output).await?
    };
    let lock = locked(&profiles, chosen, output).await?;
    keep(&store, credential, args.force).await?;
    remember(&profiles, &lock, chosen, base_url, &login)?;
    drop((lock, hold));
    report(&provider, &store, &chosen.name, output).await
}

/// Writes the app and the provider of the login into the profile.
fn remember(
    profiles: &Profiles,
    lock: &ProfileLock,
    chosen: &Chosen,
    base_url: String,
    login: &OpenIdLogin,
) -> Result<(), Failure> {
    let mut profile = profiles.read(&chosen.name)?.unwrap_or_else(|| Profile::new(base_url));
    profile.openid = Some(login.clone());
    profiles.write(lock, &chosen.name, &profile)
}

/// Waits until no other login or logout of the profile is running.
async fn locked(profiles: &Profiles, chosen: &Chosen, output: &Output) -> Result<ProfileLock, Failure> {
    let name = &chosen.name;
    profiles
        .lock(name, || output.say(&format!("waiting for another login of the profile {name} to end")))
        .await
}

/// Returns the provider and the app that the arguments and the profile name.
fn requested(args: &LoginArgs, chosen: &Chosen, base_url: &str) -> Result<OpenIdLogin, Failure> {
    let known = chosen.profile.as_ref().and_then(|profile| profile.openid.clone());
    let issuer = args.issuer.clone().or_else(|| known.as_ref().map(|known| known.issuer.clone()));
    let issuer = issuer.unwrap_or_else(|| openid::issuer_of(base_url));
    let client_id = args.client_id.clone().or_else(|| known.as_ref().map(|known| known.client_id.clone()));
    let client_id = client_id.ok_or_else(|| {
        Failure::usage("name the app that logs in: --client-id colony_…, as the provider registered it")
    })?;
    let file = match &args.client_secret_file {
        // Stored, so it must mean the same in every directory.
        Some(path) => Some(std::path::absolute(path)?),
        None => known.as_ref().and_then(|known| known.client_secret_file.clone()),
    };
    let storage = args.storage.or(known.as_ref().map(|known| known.storage)).unwrap_or_default();
    let login = OpenIdLogin { issuer, client_id, client_secret_file: file, storage };
    match known {
        Some(known) if (&known.issuer, &known.client_id) != (&login.issuer, &login.client_id) => {
            Err(Failure::usage(format!(
                "the profile {} is logged in as {} at {}; log out of it first, or name another with --profile",
                chosen.name, known.client_id, known.issuer
            )))
        }
        _ => Ok(login),
    }
}

/// A login with a refresh token from stdin. Its first use confirms and spends it; so this happens in a separate store,
/// named after the token, and the store in use only gets a token that is known to be good.
struct Bring<'a> {
    global: &'a Global,
    args: &'a LoginArgs,
    provider: &'a OpenId,
    login: &'a OpenIdLogin,
    store: &'a CredentialStore,
    output: &'a Output,
}

impl Bring<'_> {
    async fn run(&self, hold: &Hold, token: SecretString) -> Result<(), Failure> {
        let Self { global, args, provider, login, store, output } = self;
        let name = credential::fingerprint(&token);
        let endpoint = provider.provider().token_endpoint.as_str();
        let brought = Credential::from_refresh_token(openid::id(login), endpoint, token, client::now())?;
        // Another process was first, or this is a repetition: the token is spent, and its login is the stored one.
        let stored = store.status().await;
        if stored.credential.is_some_and(|stored| stored.brought.as_ref() == Some(&name))
            && !stored.is_refused
        {
            output.say("this refresh token is logged in with already; it was not used again");
            return Ok(());
        }
        let directory = openid::staging(store).join(&name);
        let staged = openid::store_in(&directory, login)?;
        if let Some(left) = staged.load().await?.filter(|left| left.access_token.is_some()) {
            // Left by a login that was interrupted after its token was spent: this is the login now.
            keep(store, left, args.force).await?;
            output.say(
                "the login with this refresh token was interrupted and has been resumed; the token was not used again",
            );
            return unstage(&staged, &directory).await;
        }
        staged.save_despite_downgrade(&brought).await?;
        let rotating = provider.rotating(global, staged.clone(), None);
        match openid::guarded(hold, &rotating, rotating.rotate()).await {
            Ok(rotation) => {
                output.say(
                    "the provider took the refresh token and gave a new one: the one you brought is spent",
                );
                keep(store, rotation.credential, args.force).await?;
                unstage(&staged, &directory).await
            }
            Err(error) if staged.status().await.refreshing_since.is_none() => {
                unstage(&staged, &directory).await?;
                if error.code() == Some("invalid_grant") {
                    output.say("nothing has changed: the refresh token is not valid");
                }
                Err(error.into())
            }
            Err(error) => {
                // It may or may not be spent; kept, so that a next try can find out.
                output.say(&format!(
                    "the refresh token could not be confirmed; it is kept aside in {}, and the login is as it was \
                     before. Log in with it again later",
                    staged.file().display()
                ));
                Err(error.into())
            }
        }
    }
}

/// Removes a store that was used during a login. Must hold the profile's lock, so that no other process has it open.
async fn unstage(staged: &CredentialStore, directory: &Path) -> Result<(), Failure> {
    staged.remove().await?;
    let _ = std::fs::remove_dir_all(directory);
    Ok(())
}

/// Writes a credential, and has the store read it back. Must hold the profile's lock.
async fn keep(store: &CredentialStore, mut credential: Credential, force: bool) -> Result<(), Failure> {
    // Of two concurrent logins, the one that gets here later stays, whichever was sent first.
    if let Some(former) = store.load().await.ok().flatten() {
        credential.rotated_at = credential.rotated_at.max(former.rotated_at);
    }
    let kept =
        if force { store.save_despite_downgrade(&credential).await } else { store.save(&credential).await };
    kept.map_err(|error| match error.kind() {
        ErrorKind::CredentialDowngrade => Error::build(ErrorKind::CredentialDowngrade, error.to_string())
            .code(error.code().unwrap_or_default())
            .hint("`--force` replaces the stored credential all the same")
            .finish()
            .into(),
        _ => error.into(),
    })
}

/// Confirms the stored login with the provider, and reports it.
async fn report(
    provider: &OpenId,
    store: &CredentialStore,
    name: &str,
    output: &Output,
) -> Result<(), Failure> {
    let kept = store.load().await?;
    let kept = kept.ok_or_else(|| Failure::Local(format!("{} is gone again", store.file().display())))?;
    let mut me = None;
    if let Some(token) = &kept.access_token {
        me = match provider.userinfo(token).await {
            Ok(me) => me,
            // The tokens came from the provider a moment ago; only the account is unknown.
            Err(Failure::Api(error)) if error.is_retryable() => None,
            Err(failure) => return Err(failure),
        };
    }
    let field = |name: &str| me.as_ref().and_then(|me| me.get(name)).and_then(Value::as_str);
    let who = field("preferred_username").or_else(|| field("sub"));
    let warning = (!kept.is_refreshable()).then(|| no_refresh_token(kept.expiry));
    if output.json {
        output.value(&shaped(json!({
            "profile": name, "issuer": kept.id.issuer, "client_id": kept.id.client_id, "login": "openid",
            "file": store.file(), "refreshable": kept.is_refreshable(), "scope": kept.scope,
            "expires_at": kept.expiry, "username": who, "confirmed": me.is_some(), "warning": warning,
        })));
    } else {
        output.say(&format!(
            "logged in as {} at {} (profile {name}); the credential is kept in {}",
            one_line(who.unwrap_or("?")),
            kept.id.issuer,
            store.file().display()
        ));
    }
    if let Some(warning) = warning {
        // `--quiet` does not suppress this: it decides whether a program works tomorrow.
        output.error_line(&format!("warning: {warning}"));
    }
    Ok(())
}

/// Returns the JSON of a login: the same fields for each kind; fields of other kinds are null.
fn shaped(mut login: Value) -> Value {
    for field in [
        "base_url",
        "client_id",
        "expires_at",
        "file",
        "issuer",
        "place",
        "profile_file",
        "refreshable",
        "scope",
        "storage",
        "warning",
    ] {
        // Indexing a missing field mutably inserts it as null.
        let _ = &mut login[field];
    }
    login
}

fn no_refresh_token(expiry: f64) -> String {
    format!(
        "the provider gave no refresh token, so this login ends at {} and a person has to log in again. Ask for \
         the scope offline_access, and see that the app may have it",
        moment(expiry)
    )
}

// ---- stdin

/// Reads one line from stdin. Secrets are never arguments, which other users of the machine could read.
pub(super) fn secret_from_stdin(what: &str, output: &Output) -> Result<SecretString, Failure> {
    let text = if std::io::stdin().is_terminal() {
        output.error_line(&format!("Paste {what} (it is not shown) and press Enter:"));
        let _echo = signals::keep_echo();
        match rpassword::read_password() {
            // Ctrl-C: a signal that the library has forwarded, and that arrives on another thread.
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => signals::end(signals::ENDED),
            read => Some(read?),
        }
    } else {
        let mut bytes = Vec::new();
        std::io::stdin().take(MAX_SECRET + 1).read_to_end(&mut bytes)?;
        input::decode(bytes)
    };
    let refused = |why: &str| Err(Failure::usage(format!("{what} on stdin {why}")));
    let Some(text) = text.map(SecretString::from) else {
        return refused("is not text; pass it as one line");
    };
    let secret = input::tidy_secret(text.expose_secret());
    match secret {
        "" => refused("is empty; pass it as one line, for example `colony auth login < FILE`"),
        secret if secret.len() as u64 > MAX_SECRET => refused("is too long to be one"),
        secret if secret.contains(|c: char| c.is_whitespace() || c.is_control()) => {
            refused("has white space in it; pass it alone, as one line")
        }
        secret => Ok(secret.to_owned().into()),
    }
}
