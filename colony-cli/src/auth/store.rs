//! The token store that hosts share, as `colony auth status` shows it and `colony auth logout` clears it.

use colony_core::token::cache_path;
use secrecy::SecretString;
use serde_json::{Value, json};

#[cfg(feature = "redis")]
use {
    crate::output::{one_line, span},
    colony_async::{CacheDirectory, TokenStoreStatus},
};

/// The store's entry for a key, or why the store is not used.
pub(super) struct Store {
    pub(super) json: Value,
    pub(super) lines: Vec<String>,
}

impl Store {
    /// Reads from the store that the environment names, without changing anything. `None` if it names none.
    pub(super) async fn read(base_url: &str, key: &SecretString) -> Option<Self> {
        match cache_path::from_environment().token_store(None).transpose()? {
            Err(error) => Some(Self::unusable(&error.to_string())),
            #[cfg(feature = "redis")]
            Ok(url) => Some(Self::of(&TokenStoreStatus::read(&url, base_url, key).await)),
            #[cfg(not(feature = "redis"))]
            Ok(url) => {
                let _ = (base_url, key);
                Some(Self::unusable(&format!("{url} is ignored: colony was built without the feature redis")))
            }
        }
    }

    fn unusable(problem: &str) -> Self {
        Self { json: json!({"problem": problem}), lines: vec![problem.to_owned()] }
    }

    #[cfg(feature = "redis")]
    fn of(store: &TokenStoreStatus) -> Self {
        let json = json!({
            "address": store.address,
            "name": store.name,
            "present": store.has_token,
            "ends_in": store.ends_in.map(|left| left.as_secs_f64()),
            "lease_left": store.lease_left.map(|left| left.as_secs_f64()),
            "cool_down": store.cool_down.map(|left| left.as_secs_f64().ceil()),
            "problem": store.problem,
        });
        if let Some(problem) = &store.problem {
            let problem = one_line(problem);
            let line = format!("{}, cannot be used: {problem}; hosts go on without it", store.address);
            return Self { json, lines: vec![line] };
        }
        let mut lines = vec![format!("{}, {}", store.address, store.name)];
        lines.push(match (store.has_token, store.ends_in) {
            (true, Some(left)) => format!("has a token for {}", span(left.as_secs_f64())),
            (true, None) => "has a token".to_owned(),
            (false, Some(_)) => "has an entry that this key does not open".to_owned(),
            (false, None) => "has no token".to_owned(),
        });
        if let Some(left) = store.lease_left {
            let left = span(left.as_secs_f64().ceil());
            lines.push(format!("a host is logging in; its lease lasts {left} unless it lengthens it"));
        }
        if let Some(left) = store.cool_down {
            let left = span(left.as_secs_f64().ceil());
            lines.push(format!("cool-down of the zone: {left} left"));
        }
        Self { json, lines }
    }
}

/// Removes the key's token from the store that the environment names, and the exchanged tokens that this host knows.
/// Other keys' exchanged tokens have other names there. Returns the error, if any.
#[cfg(feature = "redis")]
pub(super) async fn remove(base_url: &str, key: &SecretString) -> Option<String> {
    let url = match cache_path::from_environment().token_store(None).transpose()? {
        Ok(url) => url,
        Err(error) => return Some(error.to_string()),
    };
    let directory = CacheDirectory::from_environment();
    let entries = directory.all.iter().filter_map(|directory| {
        colony_async::cached_tokens(directory, None, std::time::SystemTime::now()).ok()
    });
    let exchanged: Vec<_> = entries
        .flatten()
        .map(|entry| entry.fingerprint)
        .filter(|name| name.starts_with("exchange-"))
        .collect();
    TokenStoreStatus::remove(&url, base_url, key, &exchanged).await.err().map(|error| error.to_string())
}

/// Reports that a token in the store stays there.
#[cfg(not(feature = "redis"))]
pub(super) async fn remove(base_url: &str, key: &SecretString) -> Option<String> {
    let store = Store::read(base_url, key).await?;
    Some(format!("{}; a token that another program put there stays", store.lines.join(", ")))
}
