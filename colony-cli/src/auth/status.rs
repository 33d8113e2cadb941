//! `colony auth status`: what is stored where, and with `--verify` what the servers report about it.

use colony_async::{
    CacheDirectory, LockStatus, TokenStatus,
    credential::{Credential, CredentialStatus},
};
use colony_core::{Error, ErrorKind, api::account::GetMe, credential::timing, token::cache_path};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{
    openid::{self, OpenId},
    store::Store,
};
use crate::{
    args::Global,
    client::{self, CacheSettings, Chosen, KeySource, base_url},
    failure::{Failure, NO_KEY},
    output::{Output, moment, one_line, span},
    profile::OpenIdLogin,
    signals,
};

/// The login by API key.
struct KeyLogin {
    fingerprint: String,
    /// The cache directory.
    directory: CacheDirectory,
    /// The cached token; `None` if tokens are kept in memory only.
    token: Option<TokenStatus>,
    /// The store that hosts share, if one is set.
    store: Option<Store>,
    source: KeySource,
    /// The account that the server reported, if it was asked.
    me: Option<Value>,
}

/// The login at the OpenID provider.
struct OpenLogin {
    login: OpenIdLogin,
    stored: CredentialStatus,
    verified: Option<Verified>,
}

/// The provider's report on it.
struct Verified {
    me: Option<Value>,
    /// Whether the check spent the refresh token, and so tested it.
    rotated: bool,
}

impl Verified {
    /// Returns the JSON names of the tokens that were tested.
    fn tested(&self) -> Vec<&'static str> {
        let access = self.me.is_some().then_some("access_token");
        access.into_iter().chain(self.rotated.then_some("refresh_token")).collect()
    }

    fn said(&self) -> String {
        let access = match &self.me {
            Some(_) => "the access token: the provider's userinfo took it",
            None => "nothing: the provider has no userinfo endpoint",
        };
        match self.rotated {
            true if self.me.is_some() => format!("tested {access}; and the refresh token, by rotating it"),
            true => "tested the refresh token, by rotating it".to_owned(),
            false => format!(
                "tested {access}. Not tested is the refresh token: --rotate spends it and stores the next"
            ),
        }
    }
}

/// The checks to make with the servers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    Nothing,
    /// Ask for the account.
    Who,
    /// The same, after a rotation.
    Rotate,
}

pub(super) async fn run(global: &Global, verify: bool, rotate: bool, output: &Output) -> Result<(), Failure> {
    let ask = match (verify, rotate) {
        (_, true) => Ask::Rotate,
        (true, false) => Ask::Who,
        _ => Ask::Nothing,
    };
    let chosen = client::chosen(global)?;
    let key = client::api_key(global)?;
    let login = openid::login_of(&chosen)?;
    if key.is_none() && login.is_none() {
        return Err(no_key());
    }
    let base_url = base_url(global)?;
    let enabled = CacheSettings::new(global).is_on;
    let now = client::now();
    let key = match key {
        Some((key, source)) => Some(key_login(global, &base_url, &key, source, ask, now).await?),
        None => None,
    };
    let login = match login {
        Some(login) => Some(open_login(global, &chosen, login, ask).await?),
        None => None,
    };
    if output.json {
        output.value(&as_json(&chosen, key.as_ref(), login.as_ref(), &base_url, enabled, now));
        return Ok(());
    }
    let mut rows = vec![("server", base_url.clone())];
    if chosen.profile.is_some() {
        let file = chosen.profiles()?.path(&chosen.name);
        rows.push(("profile", format!("{}, {}", chosen.name, file.display())));
    }
    if let Some(key) = &key {
        key_rows(&mut rows, key, enabled, now);
    }
    if let Some(login) = &login {
        open_rows(&mut rows, login, now);
    }
    for (name, value) in rows {
        let name = if name.is_empty() { String::new() } else { format!("{name}:") };
        output.line(&format!("{name:<13} {value}"));
    }
    match &login {
        _ if ask == Ask::Nothing => output.say("(--verify asks the server as well)"),
        Some(OpenLogin { verified: Some(verified), .. }) => output.say(&verified.said()),
        _ => {}
    }
    Ok(())
}

async fn key_login(
    global: &Global,
    base_url: &str,
    key: &SecretString,
    source: KeySource,
    ask: Ask,
    now: f64,
) -> Result<KeyLogin, Failure> {
    let (directory, ttl) = (CacheDirectory::from_environment(), CacheSettings::new(global).ttl);
    let token =
        directory.path.as_ref().map(|directory| TokenStatus::read(directory, base_url, key, ttl, now));
    let fingerprint = cache_path::fingerprint(base_url, key.expose_secret());
    let store = match CacheSettings::new(global).is_on {
        true => Store::read(base_url, key).await,
        false => None,
    };
    let me = match ask {
        Ask::Nothing => None,
        _ => Some(client::client(global)?.execute_json(GetMe::default()).await?),
    };
    Ok(KeyLogin { fingerprint, directory, token, store, source, me })
}

async fn open_login(
    global: &Global,
    chosen: &Chosen,
    login: OpenIdLogin,
    ask: Ask,
) -> Result<OpenLogin, Failure> {
    let store = openid::store(&chosen.name, &login)?;
    let before = store.status().await;
    if ask == Ask::Nothing {
        return Ok(OpenLogin { login, stored: before, verified: None });
    }
    let provider = OpenId::discover(global, &login).await?;
    let rotating = provider.rotating(global, store.clone(), None);
    let hold = signals::hold(openid::limit(global));
    let token = openid::guarded(&hold, &rotating, async {
        if ask == Ask::Rotate {
            rotating.rotate().await?;
        }
        rotating.token().await
    });
    let token = token.await.map_err(|error| openid::for_profile(&error, &chosen.name))?;
    let me = match provider.userinfo(&token).await {
        Err(Failure::Api(error)) if error.status() == Some(401) => {
            // Fresh by the clock, but refused: the token family may have been revoked.
            let token = openid::guarded(&hold, &rotating, rotating.token_other_than(&token)).await;
            let token = token.map_err(|error| openid::for_profile(&error, &chosen.name))?;
            provider.userinfo(&token).await?
        }
        me => me?,
    };
    drop(hold);
    let stored = store.status().await;
    let rotated_at = |status: &CredentialStatus| status.credential.as_ref().map(|known| known.rotated_at);
    let rotated = rotated_at(&before) != rotated_at(&stored);
    Ok(OpenLogin { login, stored, verified: Some(Verified { me, rotated }) })
}

fn as_json(
    chosen: &Chosen,
    key: Option<&KeyLogin>,
    login: Option<&OpenLogin>,
    base_url: &str,
    enabled: bool,
    now: f64,
) -> Value {
    let lock = |lock: LockStatus| match lock {
        LockStatus::Held(pid) => json!({"held": true, "pid": pid}),
        _ => json!({"held": false, "pid": null}),
    };
    let token = key.and_then(|key| key.token.as_ref());
    json!({
        "base_url": base_url,
        "profile": chosen.profile.as_ref().map(|profile| json!({
            "name": chosen.name,
            "file": chosen.profiles.as_ref().map(|profiles| profiles.path(&chosen.name)),
            "storage": profile.api_key,
        })),
        "key": key.map(|key| json!({
            "fingerprint": key.fingerprint, "source": key.source.to_string(),
        })),
        "cache": key.map(|key| cache_json(key, enabled, now)),
        "store": key.and_then(|key| key.store.as_ref()).map(|store| &store.json),
        "lock": token.map(|status| lock(status.lock)),
        "cool_down": token.and_then(|status| status.cool_down).map(|left| left.as_secs_f64().ceil()),
        "account": key.and_then(|key| key.me.as_ref()),
        "openid": login.map(|login| {
            let known = login.stored.credential.as_ref();
            json!({
                "issuer": login.login.issuer,
                "client_id": login.login.client_id,
                "file": login.stored.file,
                "present": known.is_some(),
                "refreshable": known.is_some_and(Credential::is_refreshable),
                "fresh": known.is_some_and(|known| timing::is_fresh(known, now)),
                "fresh_until": known.map(fresh_until),
                "expires_at": known.map(|known| known.expiry),
                "rotated_at": known.map(|known| known.rotated_at),
                "refresh_expires_at": known.and_then(|known| known.refresh_expiry),
                "scope": known.and_then(|known| known.scope.as_deref()),
                "refreshing_since": login.stored.refreshing_since,
                "settles_in": login.stored.settles_in.map(|left| left.as_secs_f64().ceil()),
                "refused": login.stored.is_refused,
                "copied": login.stored.is_copied,
                "problem": login.stored.problem,
                "lock": lock(login.stored.lock),
                "verified": login.verified.as_ref().map(|verified| json!({
                    "account": verified.me, "rotated": verified.rotated, "tested": verified.tested(),
                })),
            })
        }),
    })
}

fn cache_json(key: &KeyLogin, enabled: bool, now: f64) -> Value {
    let status = key.token.as_ref();
    let fresh_until = status.and_then(|status| status.fresh_until);
    json!({
        "enabled": enabled && status.is_some(),
        "directory": key.directory.path,
        "directory_reason": key.directory.reason,
        "file": status.map(|status| &status.file),
        "present": fresh_until.is_some(),
        "fresh": enabled && status.is_some_and(|status| status.is_fresh),
        "too_old": status.is_some_and(|status| status.is_too_old),
        "reason": status.and_then(|status| status.reason.as_deref()),
        "written_at": status.and_then(|status| status.written_at),
        "fresh_until": fresh_until,
        "expires_at": status.and_then(|status| status.expires_at),
        "seconds_left": fresh_until.map(|until| (until - now).max(0.0)),
    })
}

fn key_rows(rows: &mut Vec<(&'static str, String)>, key: &KeyLogin, enabled: bool, now: f64) {
    rows.push(("key", format!("fingerprint {}, from {}", key.fingerprint, key.source)));
    if let Some(status) = &key.token {
        token_rows(rows, status, enabled, now);
    }
    if let Some(store) = &key.store {
        let names = ["token store"].into_iter().chain(std::iter::repeat(""));
        rows.extend(names.zip(store.lines.iter().cloned()));
    }
    if let Some(reason) = &key.directory.reason {
        rows.push(("cache", reason.clone()));
    }
    if let Some(me) = &key.me {
        rows.push(("account", one_line(me.get("username").and_then(Value::as_str).unwrap_or("?"))));
    }
}

fn token_rows(rows: &mut Vec<(&'static str, String)>, status: &TokenStatus, enabled: bool, now: f64) {
    rows.push(("cache file", status.file.display().to_string()));
    let token = match (enabled, status.fresh_until, &status.reason) {
        (false, ..) => "the cache is off".to_owned(),
        (true, Some(until), _) if status.is_fresh => {
            format!("fresh until {} ({} left)", moment(until), span(until - now))
        }
        (true, Some(_), _) if status.is_too_old => {
            format!("older than {} allows; the next call logs in", cache_path::TTL_VARIABLE)
        }
        (true, Some(until), _) => format!("stale since {}; the next call logs in", moment(until)),
        (true, None, Some(reason)) => format!("none: {reason}; the next call logs in"),
        (true, None, None) => "none; the next call logs in".to_owned(),
    };
    rows.push(("token", token));
    if let Some(expires) = status.expires_at {
        rows.push(("expires", moment(expires)));
    }
    rows.push(("lock", held(status.lock, "which is logging in")));
    if let Some(left) = status.cool_down {
        let left = span(left.as_secs_f64().ceil());
        rows.push(("cool-down", format!("{left} left: the server refused a login with 429")));
    }
}

fn open_rows(rows: &mut Vec<(&'static str, String)>, login: &OpenLogin, now: f64) {
    let OpenLogin { login, stored, verified } = login;
    rows.push(("provider", format!("{}, app {}", login.issuer, login.client_id)));
    rows.push(("credential", stored.file.display().to_string()));
    match (&stored.credential, &stored.problem) {
        (_, Some(problem)) => rows.push(("problem", format!("{problem}; nothing is refreshed"))),
        (None, None) => rows.push(("problem", "there is no credential; log in again".to_owned())),
        (Some(known), None) => credential_rows(rows, known, stored, now),
    }
    rows.push(("store lock", held(stored.lock, "which is refreshing or logging in")));
    if let Some(verified) = verified {
        let field = |name: &str| verified.me.as_ref()?.get(name)?.as_str();
        let who =
            field("preferred_username").or_else(|| field("sub")).unwrap_or("not reported by the provider");
        rows.push(("account", one_line(who)));
    }
}

fn credential_rows(
    rows: &mut Vec<(&'static str, String)>,
    known: &Credential,
    stored: &CredentialStatus,
    now: f64,
) {
    let until = fresh_until(known);
    rows.push((
        "access token",
        if timing::is_fresh(known, now) {
            format!("fresh until {} ({} left)", moment(until), span(until - now))
        } else if known.access_token.is_none() {
            "none yet".to_owned()
        } else {
            format!("stale since {}", moment(until))
        },
    ));
    rows.push((
        "refresh token",
        match (known.is_refreshable(), stored.refreshing_since) {
            (false, _) => "none: when the access token ends, a person has to log in again".to_owned(),
            (true, _) if stored.is_refused => "refused by the provider; log in again".to_owned(),
            (true, Some(since)) => {
                let settles = stored.settles_in.filter(|left| !left.is_zero());
                let settles = settles.map(|left| format!(" in {}", span(left.as_secs_f64().ceil())));
                format!(
                    "sent {}, and what came of it is not known; it is presented again{}, when the access token \
                     has ended",
                    moment(since),
                    settles.unwrap_or_default()
                )
            }
            (true, None) => format!("present, last rotated {}", moment(known.rotated_at)),
        },
    ));
    if stored.is_copied {
        rows.push((
            "place",
            "this is a copy of a store in another place: nothing is refreshed (colony auth adopt, if it was moved)"
                .to_owned(),
        ));
    }
    if let Some(end) = known.refresh_expiry {
        rows.push(("ends", format!("{} unless it is rotated before", moment(end))));
    }
    if let Some(scope) = &known.scope {
        rows.push(("scope", one_line(scope)));
    }
}

fn fresh_until(known: &Credential) -> f64 {
    known.expiry - timing::window(known)
}

fn held(lock: LockStatus, what: &str) -> String {
    match lock {
        LockStatus::Held(Some(pid)) => format!("held by process {pid}, {what}"),
        LockStatus::Held(None) => format!("held by another process, {what}"),
        _ => "free".to_owned(),
    }
}

/// Returns the failure for a missing login of any kind.
pub(super) fn no_key() -> Failure {
    Error::build(ErrorKind::Auth, "there is no API key").code(NO_KEY).finish().into()
}
