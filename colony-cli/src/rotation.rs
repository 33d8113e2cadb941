//! Replaces the API key: one reply contains the new key, and sending it ends the old one.
//!
//! An idempotency key is stored first. The service keeps its reply under that key for 24 hours, so a rotation whose
//! reply was lost can be repeated, even by a later command.

use std::time::Duration;

use colony_async::{Client, private_files::PrivateFiles};
use colony_core::{
    Endpoint as _, Error, ErrorKind, Prepared, Transport as _,
    api::{account::GetMe, auth::RotateKey},
    idempotency,
    token::cache_path::fingerprint,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    args::Global,
    client::{self, Chosen, KeySource},
    failure::{Failure, NO_KEY},
    output::{Output, moment, printable},
    policy,
    profile::{KeyStore, Profiles},
    signals,
    sink::Sink,
};

/// How long the service repeats its first reply, in seconds.
const KEPT: f64 = 24.0 * 3600.0;
/// The pauses before the repetitions of a rotation with an unknown outcome.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// A rotation in progress. Kept until the new key is stored.
#[derive(Serialize, Deserialize)]
struct Begun {
    schema: u64,
    idempotency_key: String,
    /// When it began, in Unix seconds.
    since: f64,
}

/// The directory of rotations in progress: beside the profiles, one file per key, named by the key's fingerprint.
struct Journal {
    files: Option<PrivateFiles>,
    name: String,
}

impl Journal {
    fn of(base_url: &str, key: &SecretString) -> Self {
        let files = Profiles::from_environment().ok().map(|profiles| profiles.beside("rotations"));
        Self { files, name: format!("{}.json", fingerprint(base_url, key.expose_secret())) }
    }

    /// Returns this key's rotation in progress, else a new one, which is stored before this returns.
    fn begin(&self, output: &Output) -> Result<Begun, Failure> {
        let now = client::now();
        if let Some(begun) = self.read()?.filter(|begun| now - begun.since < KEPT) {
            output
                .say(&format!("a rotation of this key was begun at {}; it is repeated", moment(begun.since)));
            return Ok(begun);
        }
        let begun = Begun { schema: 1, idempotency_key: idempotency::new_key(), since: now };
        if let Some(files) = &self.files {
            files.write(&self.name, &serde_json::to_vec(&begun).map_err(std::io::Error::from)?)?;
        }
        Ok(begun)
    }

    fn read(&self) -> Result<Option<Begun>, Failure> {
        let Some(content) = self.files.as_ref().map(|files| files.read(&self.name)).transpose()?.flatten()
        else {
            return Ok(None);
        };
        Ok(serde_json::from_slice(content.expose_secret()).ok())
    }

    fn end(&self) {
        if let Some(files) = &self.files {
            let _ = files.remove(&self.name);
        }
    }
}

/// Replaces the key and stores the new one in place of the old. `raw` prints the server's reply as `colony call` does.
pub(crate) async fn run(global: &Global, sink: Sink, raw: bool, output: &Output) -> Result<(), Failure> {
    let operation = crate::call::find(RotateKey::NAME)?;
    policy::policy(global)?.check(operation, 0).map_err(Error::from)?;
    let missing = || Error::build(ErrorKind::Auth, "there is no API key").code(NO_KEY).finish();
    let (key, source) = client::api_key(global)?.ok_or_else(missing)?;
    let chosen = client::chosen(global)?;
    let base_url = client::base_url(global)?;
    let profile = matches!(source, KeySource::Profile { .. });
    // One rotation of a profile's key at a time.
    let lock = match profile {
        true => {
            let name = &chosen.name;
            let told = || output.say(&format!("waiting for another login of the profile {name} to end"));
            Some(chosen.profiles()?.lock(name, told).await?)
        }
        false => None,
    };
    let store = if profile { Some(store_of(&chosen)?) } else { None };
    if let Some(store) = &store
        && store.read()?.is_none_or(|kept| kept.key.expose_secret() != key.expose_secret())
    {
        let message =
            format!("the key of the profile {} was replaced meanwhile; nothing was sent", chosen.name);
        return Err(Failure::Local(message));
    }

    let client = client::builder_for(global, Some(key.clone()))?.build()?;
    let journal = Journal::of(&base_url, &key);
    // A failure here has replaced nothing.
    if let Err(error) = client.transport().token().await {
        let begun = journal.read()?.filter(|_| error.status() == Some(401));
        return Err(begun.map_or_else(|| Failure::from(error.clone()), |begun| lost(&error, begun.since)));
    }
    let hold = signals::hold(global.timeout * (PAUSES.len() as u32 + 1));
    let begun = journal.begin(output)?;
    let answer = match send(&client, &begun, output).await {
        Ok(answer) => answer,
        Err(error) if is_unclear(&error) => return Err(unclear(&error)),
        Err(error) => {
            journal.end();
            return Err(error.into());
        }
    };
    let fresh = answer.get("api_key").and_then(Value::as_str).map(|key| SecretString::from(key.to_owned()));
    let Some(fresh) = fresh else {
        if raw && store.is_none() {
            journal.end();
            return sink.answer(&answer, output);
        }
        let message = "the server's answer holds no API key; `colony auth rotate-key` asks for it again";
        return Err(Error::build(ErrorKind::Decode, message).operation(RotateKey::NAME).finish().into());
    };
    if let Some(store) = &store
        && let Err(failure) = store.write(&fresh)
    {
        // The output is the only other copy of the key.
        Sink::stdout().write(fresh.expose_secret(), output)?;
        journal.end();
        return Err(Failure::Local(format!(
            "the key is replaced, and the new one could not be stored ({}); it is on stdout: keep it with `colony auth \
             login`",
            failure.message()
        )));
    }
    match (raw, store.is_some()) {
        (true, _) => sink.answer(&answer, output)?,
        (false, false) => sink.write(&plain(&answer, &fresh, output), output)?,
        (false, true) => drop(sink),
    }
    journal.end();
    drop(hold);
    drop(lock);
    if raw && store.is_none() {
        // `colony call` sends the operation and nothing else.
        return Ok(());
    }
    let me = client.execute_json(GetMe::default()).await;
    tell(&source, store.as_ref(), &chosen, me, raw, output)
}

/// Returns the store of the profile's key.
fn store_of(chosen: &Chosen) -> Result<KeyStore, Failure> {
    let storage = chosen.existing()?.and_then(|profile| profile.api_key).unwrap_or_default();
    chosen.profiles()?.key(&chosen.name, storage)
}

/// Returns the text to print if no profile stores the new key.
fn plain(answer: &Value, fresh: &SecretString, output: &Output) -> String {
    if output.json { answer.to_string() } else { fresh.expose_secret().to_owned() }
}

/// Sends the request, and again under the same key while its outcome is unknown.
async fn send(client: &Client, begun: &Begun, output: &Output) -> Result<Value, Error> {
    let mut pauses = PAUSES.iter();
    loop {
        let mut call = Prepared::of(&RotateKey::new());
        call.request = call.request.idempotency_key(Some(&begun.idempotency_key));
        let sent = client.transport().run(colony_core::registry::Call::Request(call)).await;
        let Err(error) = sent else { return sent };
        let Some(pause) = pauses.next().filter(|_| is_repeated(&error)) else { return Err(error) };
        output
            .say(&format!("the outcome is not known ({}); the same rotation is sent again", error.message()));
        tokio::time::sleep(*pause).await;
    }
}

/// Returns whether to send again at once. The client itself has already retried gateway errors.
fn is_repeated(error: &Error) -> bool {
    error.kind() == ErrorKind::Network || error.kind() == ErrorKind::Conflict && is_unclear(error)
}

/// Returns whether the server may have acted.
fn is_unclear(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Network | ErrorKind::Server | ErrorKind::Decode => true,
        ErrorKind::Conflict => error.code() == Some("idempotency_in_progress"),
        _ => false,
    }
}

fn unclear(error: &Error) -> Failure {
    Failure::advised(
        error.clone(),
        "whether the key was replaced is not known. Run `colony auth rotate-key` again within 24 hours: it repeats the \
         same rotation, and the server then gives the same new key",
    )
}

/// Returns the failure for a refused old key whose rotation cannot be repeated without a token.
fn lost(error: &Error, since: f64) -> Failure {
    Failure::advised(
        error.clone(),
        format!(
            "the rotation begun at {} has replaced this key, and there is no token left to ask for its answer again. \
             `colony call recover_key` asks for a new key by mail",
            moment(since)
        ),
    )
}

fn tell(
    source: &KeySource,
    store: Option<&KeyStore>,
    chosen: &Chosen,
    me: Result<Value, Error>,
    raw: bool,
    output: &Output,
) -> Result<(), Failure> {
    let username = me.as_ref().ok().and_then(|me| me.get("username")).and_then(Value::as_str).unwrap_or("?");
    match store {
        Some(store) => {
            output.say(&format!(
                "the key of {} is replaced; the new one is kept in {} (profile {})",
                printable(username),
                store.place(),
                chosen.name
            ));
            if output.json && !raw {
                output.value(&json!({
                    "rotated": true, "profile": chosen.name, "place": store.place(), "username": username,
                    "confirmed": me.is_ok(),
                }));
            }
        }
        None => output
            .say(&format!("the key is replaced; the old one is still in {source}: put the new one there")),
    }
    me.map(drop).map_err(|error| {
        Failure::advised(
            error,
            "the new key is kept, but could not be confirmed; `colony auth status --verify` asks again",
        )
    })
}
