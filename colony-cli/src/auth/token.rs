//! `colony auth token`: prints a valid token in the format of another tool.
//!
//! | Format | Reader and specification |
//! | --- | --- |
//! | `header` | `curl -H @-`: one header line |
//! | `exec-credential` | [client-go credential plugins](https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins): the object has the version that `KUBERNETES_EXEC_INFO` names |
//! | `google` | [executable-sourced credentials](https://google.aip.dev/auth/4117): a JWT with its expiry, also in the file that `GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE` names |
//! | `git`, `docker`, `bazel` | see [`helper`](super::helper) |

use std::{io::Write as _, path::Path, time::Duration};

use clap::ValueEnum;
use colony_async::credential::Credential;
use colony_core::{
    credential::timing,
    openid::audience::Need,
    token::{TokenDetails, freshness},
};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{
    helper::{self, Tool},
    openid::{self, OpenId},
    openid_login,
};
use crate::{
    args::{Global, TokenArgs},
    client::{self, builder},
    failure::Failure,
    output::{Output, moment},
    signals,
};

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenFormat {
    Token,
    Json,
    Header,
    ExecCredential,
    Google,
    Git,
    Docker,
    Bazel,
}

/// The requested token.
#[derive(Debug, Default)]
pub(crate) struct Want {
    /// The other service that the token is for.
    pub(crate) audience: Option<String>,
    /// Whether to return the exchange's `id_token` instead of its access token.
    pub(crate) id_token: bool,
    pub(crate) min_ttl: Duration,
}

pub(super) async fn run(global: &Global, args: TokenArgs, output: &Output) -> Result<(), Failure> {
    let TokenArgs { format, audience, id_token, min_ttl, operation } = args;
    let mut want = Want { audience, id_token, min_ttl };
    let tool = match format {
        TokenFormat::Git => Tool::Git,
        TokenFormat::Docker => Tool::Docker,
        TokenFormat::Bazel => Tool::Bazel,
        _ => {
            if let Some(operation) = operation {
                return Err(Failure::usage(format!("{operation:?}: this format takes no operation")));
            }
            // Readers of these formats verify a signature, which an opaque access token lacks.
            want.id_token |= want.audience.is_some()
                && matches!(format, TokenFormat::Google | TokenFormat::ExecCredential);
            return print(global, format, &want, output).await;
        }
    };
    helper::answer(global, tool, operation.as_deref().unwrap_or("get"), want, output).await
}

async fn print(global: &Global, format: TokenFormat, want: &Want, output: &Output) -> Result<(), Failure> {
    match format {
        TokenFormat::Header => {
            let details = obtain(global, want, output).await?;
            output.line(&format!("Authorization: {}", bearer(&details)));
        }
        TokenFormat::ExecCredential => {
            let version = exec_version(std::env::var("KUBERNETES_EXEC_INFO").ok().as_deref())?;
            let details = obtain(global, want, output).await?;
            output.value(&json!({
                "apiVersion": version,
                "kind": "ExecCredential",
                "status": {"token": details.token.expose_secret(), "expirationTimestamp": rfc3339(&details)},
            }));
        }
        TokenFormat::Google => {
            let answer = google(global, want, output).await;
            let told = match &answer {
                Ok(answer) => answer.clone(),
                // Read even if the exit code is not 0.
                Err(failure) => {
                    json!({"version": 1, "success": false, "code": "colony", "message": failure.message()})
                }
            };
            output.value(&told);
            answer?;
        }
        _ => {
            let details = obtain(global, want, output).await?;
            let token = details.token.expose_secret();
            if format == TokenFormat::Json || output.json {
                output.value(&json!({
                    "token": token, "token_type": "Bearer", "expires_at": end(&details), "audience": want.audience,
                }));
            } else {
                output.line(token);
            }
        }
    }
    Ok(())
}

/// Returns the token as a header value.
pub(super) fn bearer(details: &TokenDetails) -> String {
    format!("Bearer {}", details.token.expose_secret())
}

/// Returns the token's expiry in whole Unix seconds, rounded down.
pub(crate) fn end(details: &TokenDetails) -> i64 {
    freshness::unix_seconds(details.expires_at).floor() as i64
}

/// Returns the token's expiry in RFC 3339 format.
pub(super) fn rfc3339(details: &TokenDetails) -> String {
    Timestamp::from_second(end(details)).unwrap_or(Timestamp::MAX).to_string()
}

/// Returns the version that the client asked for; clients refuse an object of any other.
fn exec_version(info: Option<&str>) -> Result<String, Failure> {
    const GROUP: &str = "client.authentication.k8s.io";
    let Some(info) = info else { return Ok(format!("{GROUP}/v1")) };
    let info: Value = serde_json::from_str(info)
        .map_err(|error| Failure::usage(format!("KUBERNETES_EXEC_INFO is not JSON: {error}")))?;
    let asked = info["apiVersion"].as_str().unwrap_or_default();
    match asked.strip_prefix(GROUP) {
        Some("/v1" | "/v1beta1") => Ok(asked.to_owned()),
        _ => Err(Failure::usage(format!(
            "KUBERNETES_EXEC_INFO asks for {asked:?}; write `apiVersion: {GROUP}/v1` in the kubeconfig"
        ))),
    }
}

async fn google(global: &Global, want: &Want, output: &Output) -> Result<Value, Failure> {
    const TYPES: &str = "urn:ietf:params:oauth:token-type:";
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let of_token = if want.id_token { "id_token" } else { "jwt" };
    let asked = variable("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE");
    let kind = asked.unwrap_or_else(|| format!("{TYPES}{of_token}"));
    if !matches!(kind.strip_prefix(TYPES), Some("id_token" | "jwt")) {
        return Err(Failure::usage(format!(
            "the credential configuration asks for {kind}; write `\"subject_token_type\": \"{TYPES}{of_token}\"`"
        )));
    }
    let details = obtain(global, want, output).await?;
    let token = details.token.expose_secret();
    if freshness::claims(token).is_none() {
        return Err(Failure::Local("the token is not a JWT, which alone can be exchanged there".to_owned()));
    }
    let answer = json!({
        "version": 1, "success": true, "token_type": kind, "id_token": token, "expiration_time": end(&details),
    });
    if let Some(path) = variable("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE") {
        write_private(Path::new(&path), &answer.to_string())
            .map_err(|error| Failure::Local(format!("cannot write {path} (output_file): {error}")))?;
    }
    Ok(answer)
}

/// Writes a file atomically, readable by this user only.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    // 0600 from its creation.
    let mut file = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// Returns a token of the login in use, or one exchanged for it.
pub(crate) async fn obtain(global: &Global, want: &Want, output: &Output) -> Result<TokenDetails, Failure> {
    if let Some(audience) = &want.audience {
        let client = builder(global)?.build()?;
        let tokens = client.auth().audience(audience).min_ttl(want.min_ttl);
        let need = if want.id_token { Need::IdToken } else { Need::AccessToken };
        let token = tokens.token_for(need).await?;
        let (secret, end) = match (token.id_token, token.id_token_expires_at) {
            (Some(id), Some(end)) if want.id_token => (id, end),
            _ if want.id_token => {
                return Err(Failure::Local("the provider granted no id_token for this audience".to_owned()));
            }
            _ => (token.access_token, token.expires_at),
        };
        return Ok(TokenDetails::new(secret, freshness::unix_seconds(end)));
    }
    if client::find_key(global)?.is_some() {
        let _hold = signals::hold(global.timeout);
        return Ok(builder(global)?.build()?.auth().token_with_min_ttl(want.min_ttl).await?);
    }
    of_credential(global, want.min_ttl, output).await
}

/// Returns the access token of the profile's login at an OpenID provider.
async fn of_credential(global: &Global, min_ttl: Duration, output: &Output) -> Result<TokenDetails, Failure> {
    let (name, login, store) = openid_login(global)?;
    let present = store.load().await?;
    let now = client::now();
    let details = |present: &Credential| {
        let token = present.access_token.clone()?;
        Some(TokenDetails::new(token, present.expiry))
            .filter(|details| end(details) as f64 - now >= min_ttl.as_secs_f64())
    };
    let kept_alive =
        |present: &Credential| timing::keep_alive_due(present, None, 0.0).is_none_or(|due| due > now);
    // If there is a fresh token, and the refresh token is not half-way to its expiry, the provider is not asked.
    if let Some(present) = &present
        && timing::is_fresh(present, now)
        && kept_alive(present)
        && let Some(details) = details(present)
    {
        return Ok(details);
    }
    let provider = match OpenId::discover(global, &login).await {
        Ok(provider) => provider,
        // The provider cannot be reached; a token that it issued before is still valid.
        Err(failure) => {
            let living = present.filter(|present| timing::is_alive(present, client::now()));
            let Some((details, expiry)) = living.and_then(|it| Some((details(&it)?, it.expiry))) else {
                return Err(failure);
            };
            output.say(&format!(
                "the token could not be refreshed ({}); the present one ends at {}",
                failure.message(),
                moment(expiry)
            ));
            return Ok(details);
        }
    };
    let (rotating, hold) = (provider.rotating(global, store, None), signals::hold(openid::limit(global)));
    let token = openid::guarded(&hold, &rotating, rotating.token_with_min_ttl(min_ttl)).await;
    drop(hold);
    Ok(token.map_err(|error| openid::for_profile(&error, &name))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_client_s() {
        let info = |version: &str| json!({"apiVersion": version, "kind": "ExecCredential"}).to_string();
        let asked = |text: &str| exec_version(Some(text)).ok();
        assert_eq!(exec_version(None).ok().as_deref(), Some("client.authentication.k8s.io/v1"));
        for version in ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"] {
            assert_eq!(asked(&info(version)).as_deref(), Some(version));
        }
        for text in ["", "{}", "[]", &info("client.authentication.k8s.io/v1alpha1"), &info("v1")] {
            assert_eq!(asked(text), None, "{text}");
        }
    }
}
