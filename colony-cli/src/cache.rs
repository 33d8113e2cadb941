//! `colony cache`: the token cache on this host.

use std::time::SystemTime;

use colony_async::CacheDirectory;
use colony_core::token::cache_path::TTL_VARIABLE;
use serde_json::{Value, json};

use crate::{
    args::{CacheCommand, Global},
    client::{CacheSettings, clear_cache, now},
    failure::Failure,
    output::{Output, moment, span, spare, whole},
};

pub(crate) fn run(global: &Global, command: &CacheCommand, output: &Output) -> Result<(), Failure> {
    let directory = CacheDirectory::from_environment();
    match command {
        CacheCommand::Path if output.json => {
            output.value(&json!({"path": directory.path, "reason": directory.reason, "all": directory.all}));
        }
        CacheCommand::Path => {
            if let Some(path) = &directory.path {
                output.line(&path.display().to_string());
            }
            if let Some(reason) = &directory.reason {
                output.say(reason);
            }
        }
        CacheCommand::List => {
            let settings = CacheSettings::new(global);
            let mut tokens = Vec::new();
            for directory in &directory.all {
                tokens.extend(colony_async::cached_tokens(directory, settings.ttl, SystemTime::now())?);
            }
            if output.json {
                let rows: Vec<Value> = tokens
                    .iter()
                    .map(|token| {
                        json!({
                            "fingerprint": token.fingerprint, "file": token.file,
                            "fresh": settings.is_on && token.is_fresh,
                            "fresh_until": token.fresh_until, "problem": token.problem,
                        })
                    })
                    .collect();
                output.value(&rows.into());
                return Ok(());
            }
            if tokens.is_empty() {
                let searched: Vec<String> =
                    directory.all.iter().map(|directory| directory.display().to_string()).collect();
                output.say(&format!("no cached tokens in {}", searched.join(", ")));
                return Ok(());
            }
            let now = now();
            let rows = tokens.iter().map(|token| {
                let state = match (&token.problem, token.fresh_until) {
                    (Some(problem), _) => problem.clone(),
                    _ if !settings.is_on => "not used: the cache is off".to_owned(),
                    (None, Some(_)) if token.is_too_old => {
                        format!("older than {TTL_VARIABLE} allows")
                    }
                    (None, Some(until)) if token.is_fresh => {
                        format!("fresh until {} ({} left)", moment(until), span(until - now))
                    }
                    _ => "stale".to_owned(),
                };
                vec![token.fingerprint.clone(), state, token.file.display().to_string()]
            });
            output.table(&[whole("fingerprint"), whole("state"), spare(1, "file")], rows.collect());
        }
        CacheCommand::Clear { fingerprint } => {
            let removed = clear_cache(&directory, fingerprint.as_deref())?;
            if output.json {
                output.value(&json!({"removed": removed}));
            } else {
                output.say(&format!("removed {removed} cached token{}", if removed == 1 { "" } else { "s" }));
            }
        }
    }
    Ok(())
}
