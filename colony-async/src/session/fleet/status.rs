//! The status of a token in the store, for `colony auth status`, and its removal.

use std::{sync::Arc, time::Duration};

use colony_core::{
    Error, ErrorKind, Result,
    token::{cache_path, store_url::TokenStoreUrl},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Fleet, RedisStore,
    engine::{Answer, Trouble},
    sealed::{self, Entry},
};
use crate::{time::SystemTimer, token::Format};

/// The state of one key's token in the store that hosts share. Holds no secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenStoreStatus {
    /// The store: scheme, host, port and database.
    pub address: String,
    /// The name of the token's entry.
    pub name: String,
    /// Whether the entry holds a token that this key opens.
    pub has_token: bool,
    /// The time until the entry expires.
    pub ends_in: Option<Duration>,
    /// The time left of the lease that a host holds while it logs in; `None` when no host does.
    pub lease_left: Option<Duration>,
    /// The time left of a cool-down that this zone's hosts share.
    pub cool_down: Option<Duration>,
    /// Why the store cannot be used.
    pub problem: Option<String>,
}

fn store(url: TokenStoreUrl, base_url: &str, key: &SecretString) -> RedisStore {
    let base_url = cache_path::normalise_base_url(base_url);
    let file = cache_path::fingerprint(base_url, key.expose_secret());
    let fleet = Arc::new(Fleet::new(url, &SystemTimer));
    RedisStore { fleet, base_url: base_url.to_owned(), key: key.clone(), file, format: Format::Login }
}

/// Runs the commands that sharing a token needs and a pipeline does not include, on a temporary name.
const TRY: &str = "
redis.call('GET', KEYS[1])
redis.call('PTTL', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'v', '1')
redis.call('PEXPIRE', KEYS[1], 1000)
redis.call('HGET', KEYS[1], 'v')
redis.call('HMGET', KEYS[1], 'v')
return redis.call('DEL', KEYS[1])";

impl TokenStoreStatus {
    /// The minimal rights of a user of the store, as `ACL SETUSER` takes them. The user also needs the keys that
    /// begin with the prefix.
    pub const RIGHTS: &'static str =
        "resetchannels -@all +hmget +hget +get +set +del +hset +pexpire +pttl +time +eval";

    /// Tries every command that sharing a token needs, on a temporary name. Returns why the store cannot be used;
    /// `None` if it can.
    pub async fn check(url: &TokenStoreUrl) -> Option<String> {
        let fleet = Fleet::new(url.clone(), &SystemTimer);
        let Some(name) = sealed::owner() else {
            return Some("the system provides no random numbers".to_owned());
        };
        let name = format!("{}:check:{name}", url.prefix);
        let commands =
            [vec!["SET", &name, "1", "NX", "PX", "1000"], vec!["TIME"], vec!["EVAL", TRY, "1", &name]];
        let commands = commands.map(|words| words.iter().map(|word| word.as_bytes().to_vec()).collect());
        let tried = async {
            let mut connection = fleet.engine.connect(url.budget).await?;
            connection.pipeline(commands.to_vec(), url.budget).await
        };
        match tried.await {
            Err(trouble) => Some(trouble.to_string()),
            Ok(answers) => answers.into_iter().find_map(|answer| match answer {
                Answer::Refused(trouble) => Some(trouble.to_string()),
                _ => None,
            }),
        }
    }

    /// Reads the status of the token of this server and key, without changing anything.
    pub async fn read(url: &TokenStoreUrl, base_url: &str, key: &SecretString) -> Self {
        let store = store(url.clone(), base_url, key);
        let seal = store.seal(&store.file);
        let mut out = Self {
            address: url.to_string(),
            name: seal.token.clone(),
            has_token: false,
            ends_in: None,
            lease_left: None,
            cool_down: None,
            problem: None,
        };
        let look = async {
            let mut connection = store.fleet.engine.connect(url.budget).await?;
            let commands = vec![
                vec!["HMGET", &seal.token, "exp", "id", "data"],
                vec!["PTTL", &seal.token],
                vec!["PTTL", &seal.lock],
                vec!["GET", &seal.note],
                vec!["PTTL", &seal.note],
            ];
            let words = |words: Vec<&str>| words.into_iter().map(|word| word.as_bytes().to_vec()).collect();
            let answers = connection
                .pipeline(commands.into_iter().map(words).collect(), store.fleet.command_limit())
                .await?;
            let refused = answers.iter().find_map(|answer| match answer {
                Answer::Refused(trouble) => Some(trouble.clone()),
                _ => None,
            });
            refused.map_or(Ok(answers), Err::<_, Trouble>)
        };
        match look.await {
            Err(trouble) => out.problem = Some(trouble.to_string()),
            Ok(answers) => {
                let left = |at: usize| {
                    let millis = answers.get(at).and_then(Answer::number).filter(|millis| *millis > 0)?;
                    u64::try_from(millis).ok().map(Duration::from_millis)
                };
                (out.ends_in, out.lease_left) = (left(1), left(2));
                let fields = answers.first().map(Answer::list).unwrap_or_default();
                let bytes = |at: usize| fields.get(at).and_then(Answer::bytes);
                let text = |at: usize| bytes(at).and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
                if let (Some(exp), Some(id), Some(data)) = (text(0), text(1), bytes(2)) {
                    let entry = Entry { exp, id, data: data.to_vec() };
                    out.has_token = seal.open(&store.format, &entry).is_some();
                }
                let note = answers.get(3).and_then(Answer::bytes).and_then(|data| seal.open_note(data));
                out.cool_down = note.filter(|note| !note.is_failure()).and_then(|_| left(4));
            }
        }
        out
    }

    /// Removes the token of this server and key, and the tokens whose files have these names. Returns how many it
    /// removed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Network`] when the store cannot be used.
    pub async fn remove(
        url: &TokenStoreUrl,
        base_url: &str,
        key: &SecretString,
        files: &[String],
    ) -> Result<u64> {
        let store = store(url.clone(), base_url, key);
        let own = store.file.clone();
        let files: Vec<String> = std::iter::once(own).chain(files.iter().cloned()).collect();
        store.remove_entries(&files, &SystemTimer).await.map_err(|trouble| {
            Error::build(ErrorKind::Network, format!("the token store {url} cannot be used: {trouble}"))
                .hint("The token there ends by itself; remove it when the store is back")
                .finish()
        })
    }
}
