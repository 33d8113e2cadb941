//! `colony auth`: the login and its state.

use colony_async::{LockStatus, TokenStatus};
use colony_core::{Error, ErrorKind, Transport, api::account::GetMe, token::cache_path};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    args::{AuthCommand, Global},
    client::{self, KeySource, base_url, builder, cache_directory},
    failure::Failure,
    output::{Output, moment, span},
};

pub(crate) async fn run(global: &Global, command: AuthCommand, output: &Output) -> Result<(), Failure> {
    match command {
        AuthCommand::Status { verify } => status(global, verify, output).await,
        AuthCommand::Token => {
            let token = builder(global)?.build()?.transport().token().await?;
            if output.json {
                output.value(&json!({"token": token.expose_secret()}));
            } else {
                output.line(token.expose_secret());
            }
            Ok(())
        }
        AuthCommand::Refresh { force } => refresh(global, force, output).await,
        AuthCommand::Logout => logout(global, output),
    }
}

fn key(global: &Global) -> Result<(secrecy::SecretString, KeySource), Failure> {
    client::api_key(global)?.ok_or_else(|| {
        Error::build(ErrorKind::Auth, "there is no API key")
            .hint("Set COLONY_API_KEY or give --api-key-file")
            .finish()
            .into()
    })
}

async fn status(global: &Global, verify: bool, output: &Output) -> Result<(), Failure> {
    let (key, source) = key(global)?;
    let base_url = base_url(global);
    let enabled = !global.no_cache && !cache_path::from_environment().disabled;
    let now = client::now();
    let status = TokenStatus::read(&cache_directory()?, &base_url, &key, now);
    let me = if verify { Some(client::client(global)?.execute_json(GetMe::default()).await?) } else { None };
    if output.json {
        output.value(&as_json(&status, &base_url, &source, enabled, me.as_ref(), now));
    } else {
        let rows = rows(&status, &base_url, &source, enabled, me.as_ref(), now);
        for (name, value) in rows {
            output.line(&format!("{:<12} {value}", format!("{name}:")));
        }
        if me.is_none() {
            output.say("(--verify asks the server as well)");
        }
    }
    Ok(())
}

fn as_json(
    status: &TokenStatus,
    base_url: &str,
    source: &KeySource,
    enabled: bool,
    me: Option<&Value>,
    now: f64,
) -> Value {
    let (held, pid) = match status.lock {
        LockStatus::Held(pid) => (true, pid),
        _ => (false, None),
    };
    json!({
        "base_url": base_url,
        "key": {"fingerprint": status.fingerprint, "source": source.to_string()},
        "cache": {
            "enabled": enabled,
            "file": status.file,
            "present": status.fresh_until.is_some(),
            "fresh": status.is_fresh,
            "reason": status.reason,
            "written_at": status.written_at,
            "fresh_until": status.fresh_until,
            "expires_at": status.expires_at,
            "seconds_left": status.fresh_until.map(|until| (until - now).max(0.0)),
        },
        "lock": {"held": held, "pid": pid},
        "cool_down": status.cool_down.map(|left| left.as_secs_f64().ceil()),
        "account": me,
    })
}

fn rows(
    status: &TokenStatus,
    base_url: &str,
    source: &KeySource,
    enabled: bool,
    me: Option<&Value>,
    now: f64,
) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("server", base_url.to_owned()),
        ("key", format!("fingerprint {}, from {source}", status.fingerprint)),
        ("cache file", status.file.display().to_string()),
    ];
    let token = match (enabled, status.fresh_until, &status.reason) {
        (false, ..) => "the cache is off".to_owned(),
        (true, Some(until), _) if status.is_fresh => {
            format!("fresh until {} ({} left)", moment(until), span(until - now))
        }
        (true, Some(until), _) => format!("stale since {}; the next call logs in", moment(until)),
        (true, None, Some(reason)) => format!("none: {reason}; the next call logs in"),
        (true, None, None) => "none; the next call logs in".to_owned(),
    };
    rows.push(("token", token));
    if let Some(expires) = status.expires_at {
        rows.push(("expires", moment(expires)));
    }
    rows.push((
        "lock",
        match status.lock {
            LockStatus::Held(Some(pid)) => format!("held by process {pid}, which is logging in"),
            LockStatus::Held(None) => "held by another process, which is logging in".to_owned(),
            _ => "free".to_owned(),
        },
    ));
    if let Some(left) = status.cool_down {
        let left = span(left.as_secs_f64().ceil());
        rows.push(("cool-down", format!("{left} left: the server refused a login with 429")));
    }
    if let Some(me) = me {
        let name = me.get("username").and_then(Value::as_str).unwrap_or("?");
        rows.push(("account", name.to_owned()));
    }
    rows
}

async fn refresh(global: &Global, force: bool, output: &Output) -> Result<(), Failure> {
    let client = builder(global)?.ignore_cool_down(force).build()?;
    client.transport().forget_token().await?;
    client.transport().token().await?;
    let (key, _) = key(global)?;
    let status = TokenStatus::read(&cache_directory()?, &base_url(global), &key, client::now());
    if output.json {
        output.value(&json!({"refreshed": true, "fresh_until": status.fresh_until}));
    } else {
        let until = status.fresh_until.map(|until| format!(", fresh until {}", moment(until)));
        output.say(&format!("logged in anew{}", until.unwrap_or_default()));
    }
    Ok(())
}

fn logout(global: &Global, output: &Output) -> Result<(), Failure> {
    let (key, _) = key(global)?;
    let fingerprint = cache_path::fingerprint(&base_url(global), key.expose_secret());
    let removed = colony_async::clear_cached_tokens(&cache_directory()?, Some(&fingerprint))?;
    if output.json {
        output.value(&json!({"removed": removed}));
    } else if removed == 0 {
        output.say("there was no cached token for this key");
    } else {
        output.say("the cached token is removed; it stays valid on the server until it expires");
    }
    Ok(())
}
