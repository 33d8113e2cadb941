//! Checks with the server: whether it answers, its clock, and whether it accepts the key.

use colony_core::{
    Error, ErrorKind,
    api::{account::GetMe, session::GetStats},
    retry::RetryPolicy,
};
use jiff::fmt::rfc2822;

use super::Report;
use crate::{
    args::Global,
    client, failure, forward,
    output::{one_line, span},
};

/// The smallest difference between the two clocks that is reported, in seconds.
const APART: f64 = 60.0;

pub(super) async fn run(global: &Global, report: &mut Report) {
    let Ok(base_url) = client::base_url(global) else { return };
    let reply = match answer(global, &base_url).await {
        Ok(reply) => reply,
        Err(why) => {
            return report.found(
                "server",
                format!("no answer from {base_url}: {}", trouble(global, &base_url).await.unwrap_or(why)),
                format!("curl -v {base_url}"),
            );
        }
    };
    report.ok("server", format!("{base_url} answers"));
    let date = reply.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
    let shown =
        date.and_then(|date| rfc2822::parse(date).ok()).map(|date| date.timestamp().as_second() as f64);
    match shown.map(|shown| client::now() - shown) {
        None => report.ok("clock", "the server does not say what time it is"),
        Some(ahead) if ahead.abs() > APART => {
            let how = if ahead > 0.0 { "ahead of" } else { "behind" };
            let says = format!("this machine's clock is {} {how} the server's", span(ahead.abs()));
            report.found("clock", says, "timedatectl set-ntp true");
        }
        Some(_) => report.ok("clock", "agrees with the server's"),
    }
    let Ok(client) = client::client(global) else { return };
    if !matches!(client::find_key(global), Ok(Some(_))) {
        return;
    }
    match client.execute(GetMe::default()).await {
        Ok(me) => report.ok("account", one_line(&me.username)),
        Err(error) => {
            let next = match error.kind() {
                _ if error.code() == Some("api_key_command") => super::NAME_PROGRAM.to_owned(),
                ErrorKind::TwoFactorRequired | ErrorKind::TwoFactorInvalid => {
                    "COLONY_TOTP=CODE colony auth refresh".to_owned()
                }
                ErrorKind::Auth => super::LOGIN.to_owned(),
                ErrorKind::RateLimit => "colony auth status".to_owned(),
                _ => format!("curl -v {base_url}/users/me"),
            };
            report.found("account", advised(&error, &base_url), next);
        }
    }
}

/// Returns the error's message, and the advice of a command that fails with it.
fn advised(error: &Error, base_url: &str) -> String {
    let advice =
        failure::hint(error, Some(base_url)).map_or_else(String::new, |advice| format!(". {advice}"));
    one_line(&format!("{}{advice}", error.message()))
}

/// Returns why a call gets no reply, using a client with the configured proxies and authorities.
async fn trouble(global: &Global, base_url: &str) -> Option<String> {
    let client = client::builder_for(global, None).ok()?.retry(RetryPolicy::none()).build();
    let called = match client {
        Ok(client) => client.execute(GetStats::new()).await.map(drop),
        Err(error) => Err(error),
    };
    called.err().map(|error| advised(&error, base_url))
}

/// Returns any reply: only its existence matters.
async fn answer(global: &Global, url: &str) -> Result<reqwest::Response, String> {
    let mut builder = reqwest::Client::builder()
        .timeout(global.timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(client::USER_AGENT);
    if let Some(path) = &global.ca_file {
        let authorities = forward::authorities(path).map_err(|failure| failure.message().to_owned())?;
        builder = builder.tls_certs_merge(authorities);
    }
    let http = builder.build().map_err(|error| forward::root_cause(&error))?;
    http.get(url).send().await.map_err(|error| forward::root_cause(&error))
}
