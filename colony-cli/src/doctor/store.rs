//! Checks of the store that hosts share: whether it is usable, and the command to type if not.

use colony_async::TokenStoreUrl;
use colony_core::token::{cache_path, store_url::STORE_VARIABLE};
#[cfg(feature = "redis")]
use {
    crate::client::{self, Found},
    colony_async::TokenStoreStatus,
    colony_core::token::store_url::STORE_PASSWORD_VARIABLE,
};

use super::Report;
use crate::{args::Global, client::CacheSettings};

const CHECK: &str = "token store";

/// Checks the store that the environment names, if any.
pub(super) async fn run(global: &Global, report: &mut Report) {
    let url = match cache_path::from_environment().token_store(None) {
        Ok(Some(url)) if CacheSettings::new(global).is_on => url,
        Ok(_) => return,
        Err(error) => {
            let next = format!("export {STORE_VARIABLE}=redis://HOST:6379/0");
            return report.found(CHECK, error.message(), next);
        }
    };
    look(global, &url, report).await;
}

/// Reports that this build cannot use a store.
#[cfg(not(feature = "redis"))]
async fn look(_: &Global, url: &TokenStoreUrl, report: &mut Report) {
    let says = format!("{url} is not used: colony was built without the feature redis");
    report.found(CHECK, says, "cargo install --path colony-cli");
}

/// Tries the store, and looks at this login's entry.
#[cfg(feature = "redis")]
async fn look(global: &Global, url: &TokenStoreUrl, report: &mut Report) {
    let mut problem = TokenStoreStatus::check(url).await;
    let mut entry = None;
    // The program that prints the key is not run.
    if problem.is_none()
        && let Ok(Some(Found::Key(key, _))) = client::find_key(global)
        && let Ok(base_url) = client::base_url(global)
    {
        let status = TokenStoreStatus::read(url, &base_url, &key).await;
        (problem, entry) = (status.problem, Some(status.name));
    }
    match problem {
        None => report.ok(CHECK, format!("{url} works")),
        Some(problem) => report.found(
            CHECK,
            format!("{url} cannot be used, so this host logs in without it: {problem}"),
            next(url, &problem, entry.as_deref()),
        ),
    }
}

/// Returns the command to type for an error from the server, the system or TLS.
#[cfg(feature = "redis")]
fn next(url: &TokenStoreUrl, problem: &str, entry: Option<&str>) -> String {
    let TokenStoreUrl { host, port, database, prefix, .. } = url;
    let tls = if url.tls { " --tls" } else { "" };
    let ask = format!("redis-cli -h {host} -p {port} -n {database}{tls}");
    // The shell changes the address, so that its password is not shown and its parameters stay.
    let change =
        |before: &str, after: &str| format!("export {STORE_VARIABLE}=\"{before}${{{STORE_VARIABLE}{after}\"");
    let says = |texts: &[&str]| texts.iter().any(|text| problem.contains(text));
    if says(&["NOAUTH", "authentication failed"]) {
        format!("export {STORE_PASSWORD_VARIABLE}=THE_PASSWORD")
    } else if says(&["NOPERM", "can't run this command", "can't access"]) {
        let is_plain =
            |user: &&String| user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let user = url.user.as_ref().filter(is_plain).map_or("THE_USER", |user| user);
        format!("{ask} ACL SETUSER {user} '~{prefix}:*' {}", TokenStoreStatus::RIGHTS)
    } else if let (true, Some(entry)) = (says(&["WRONGTYPE"]), entry) {
        format!("{ask} DEL '{entry}'")
    } else if says(&["READONLY"]) {
        format!("{ask} ROLE")
    } else if says(&["OOM", "MISCONF"]) {
        format!("{ask} INFO memory")
    } else if says(&["DB index"]) {
        change("", &format!("%/{database}*}}/0${{{STORE_VARIABLE}##*/{database}}}"))
    } else if says(&["certificate", "UnknownIssuer"]) {
        let has_parameters =
            std::env::var_os(STORE_VARIABLE).is_some_and(|text| text.to_string_lossy().contains('?'));
        change("", if has_parameters { "}&ca=THE_AUTHORITY.pem" } else { "}?ca=THE_AUTHORITY.pem" })
    } else if !url.tls && says(&["broken pipe", "reset", "closed"]) {
        // The reply of a server that expects TLS.
        change("rediss", "#redis}")
    } else if url.tls && says(&["no answer"]) {
        // A server without TLS does not reply at all.
        format!("openssl s_client -connect {host}:{port}")
    } else {
        format!("{ask} PING")
    }
}
