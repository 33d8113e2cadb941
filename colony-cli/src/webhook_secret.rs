//! The secret that signs this program's deliveries.

use std::path::Path;

use colony_async::private_files::PrivateFiles;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::{
    args::Global,
    client,
    failure::Failure,
    input::{self, tidy},
};

const VARIABLE: &str = "COLONY_WEBHOOK_SECRET";

/// Returns the secret of `--secret-file`, else of `COLONY_WEBHOOK_SECRET`, else the profile's own. The profile's is
/// generated on first use and stays: a receiver is set up with it once.
pub(crate) async fn find(global: &Global, file: Option<&Path>) -> Result<SecretString, Failure> {
    if let Some(path) = file {
        let text = input::file("--secret-file", path)?;
        return given(&text).ok_or_else(|| {
            Failure::usage(format!("--secret-file {}: there is no secret in it", path.display()))
        });
    }
    if let Some(secret) = std::env::var(VARIABLE).ok().as_deref().and_then(given) {
        return Ok(secret);
    }
    of_profile(global).await
}

fn given(text: &str) -> Option<SecretString> {
    let text = tidy(text);
    (!text.is_empty()).then(|| text.to_owned().into())
}

async fn of_profile(global: &Global) -> Result<SecretString, Failure> {
    let chosen = client::chosen(global)?;
    let (files, name) = (chosen.profiles()?.beside("webhooks"), format!("{}.secret", chosen.name));
    if let Some(secret) = read(&files, &name)? {
        return Ok(secret);
    }
    // Two programs that start together must not create two secrets.
    let _lock = chosen.profiles()?.lock(&chosen.name, || ()).await?;
    if let Some(secret) = read(&files, &name)? {
        return Ok(secret);
    }
    let secret = format!("whsec_{}", Uuid::new_v4().simple());
    files.write(&name, format!("{secret}\n").as_bytes())?;
    Ok(secret.into())
}

fn read(files: &PrivateFiles, name: &str) -> Result<Option<SecretString>, Failure> {
    let Some(content) = files.read(name)? else { return Ok(None) };
    let secret = std::str::from_utf8(content.expose_secret()).ok().and_then(given);
    secret.map(Some).ok_or_else(|| {
        Failure::Local(format!(
            "{} holds no secret; remove it and a new one is made",
            files.path(name).display()
        ))
    })
}
