//! `colony cache`: the token cache on this host.

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::{
    args::{CacheCommand, Global},
    client::{cache_directory, now},
    failure::Failure,
    output::{Output, moment, span},
};

pub(crate) fn run(_: &Global, command: &CacheCommand, output: &Output) -> Result<(), Failure> {
    let directory = cache_directory()?;
    match command {
        CacheCommand::Path if output.json => output.value(&json!({"path": directory})),
        CacheCommand::Path => output.line(&directory.display().to_string()),
        CacheCommand::List => {
            let tokens = colony_async::cached_tokens(&directory, SystemTime::now())?;
            if output.json {
                let rows: Vec<Value> = tokens
                    .iter()
                    .map(|token| {
                        json!({
                            "fingerprint": token.fingerprint, "file": token.file, "fresh": token.is_fresh,
                            "fresh_until": token.fresh_until, "problem": token.problem,
                        })
                    })
                    .collect();
                output.value(&rows.into());
                return Ok(());
            }
            if tokens.is_empty() {
                output.say(&format!("no cached tokens in {}", directory.display()));
                return Ok(());
            }
            let now = now();
            let rows = tokens.iter().map(|token| {
                let state = match (&token.problem, token.fresh_until) {
                    (Some(problem), _) => problem.clone(),
                    (None, Some(until)) if token.is_fresh => {
                        format!("fresh until {} ({} left)", moment(until), span(until - now))
                    }
                    _ => "stale".to_owned(),
                };
                vec![token.fingerprint.clone(), state, token.file.display().to_string()]
            });
            output.table(&["fingerprint", "state", "file"], rows.collect());
        }
        CacheCommand::Clear { fingerprint } => {
            let removed = colony_async::clear_cached_tokens(&directory, fingerprint.as_deref())?;
            if output.json {
                output.value(&json!({"removed": removed}));
            } else {
                output.say(&format!("removed {removed} cached token{}", if removed == 1 { "" } else { "s" }));
            }
        }
    }
    Ok(())
}
