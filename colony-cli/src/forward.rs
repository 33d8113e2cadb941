//! Sends deliveries to a receiver, and prints the results.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use colony_core::{openid::discovery::is_loopback, webhook::Attempt};
use http::HeaderMap;
use serde_json::{Value, json};
use url::Url;

use crate::{
    args::Global,
    client::USER_AGENT,
    failure::Failure,
    output::{Output, one_line},
};

/// How long a receiver may take to reply, as at the service.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// The header that marks a delivery not made by the service.
pub(crate) const MADE_BY: &str = "x-colony-made-by";

/// A receiver of deliveries.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    url: Url,
    http: reqwest::Client,
}

/// The result of an attempt.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The status, or why there is none.
    pub(crate) status: Result<u16, String>,
    /// Whether the attempt timed out.
    pub(crate) is_late: bool,
    pub(crate) took: Duration,
    /// The receiver's Retry-After.
    pub(crate) retry_after: Option<http::HeaderValue>,
}

impl Answer {
    /// Returns whether the delivery is done: redirects are not followed, and are no success.
    pub(crate) fn is_success(&self) -> bool {
        matches!(self.status, Ok(200..=299))
    }
}

impl Target {
    /// Returns the receiver at this address: https, or http on this machine unless `insecure` allows any.
    pub(crate) fn new(address: &str, insecure: bool, global: &Global) -> Result<Self, Failure> {
        let refused = |why: String| Failure::usage(format!("--forward-to {address}: {why}"));
        let url: Url =
            address.parse().map_err(|error| refused(format!("{error}; give http://… or https://…")))?;
        match url.scheme() {
            "https" => {}
            "http" if insecure || is_loopback(&url) => {}
            "http" => {
                return Err(refused(
                    "plain http to another machine shows the deliveries to the network; use https, or --insecure"
                        .to_owned(),
                ));
            }
            _ => return Err(refused("give an address that begins with http:// or https://".to_owned())),
        }
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .user_agent(USER_AGENT);
        if is_loopback(&url) {
            builder = builder.no_proxy();
        }
        if let Some(path) = &global.ca_file {
            builder = builder.tls_certs_merge(authorities(path)?);
        }
        let http = builder.build().map_err(|error| Failure::Local(reason(&error)))?;
        Ok(Self { url, http })
    }

    /// Makes one attempt.
    pub(crate) async fn send(&self, headers: HeaderMap, body: Bytes) -> Answer {
        let began = Instant::now();
        let mut request = self.http.post(self.url.clone()).body(body);
        if !headers.contains_key(http::header::CONTENT_TYPE) {
            request = request.header(http::header::CONTENT_TYPE, "application/json");
        }
        let reply = request.headers(headers).send().await;
        let took = began.elapsed();
        match reply {
            Ok(reply) => {
                let retry_after = reply.headers().get(http::header::RETRY_AFTER).cloned();
                Answer { status: Ok(reply.status().as_u16()), is_late: false, took, retry_after }
            }
            Err(error) => {
                Answer { status: Err(reason(&error)), is_late: error.is_timeout(), took, retry_after: None }
            }
        }
    }
}

/// Reads the certificates of `--ca-file`.
pub(crate) fn authorities(path: &Path) -> Result<Vec<reqwest::Certificate>, Failure> {
    let pem = std::fs::read(path)
        .map_err(|error| Failure::usage(format!("--ca-file {}: {error}", path.display())))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem)
        .map_err(|error| Failure::usage(format!("--ca-file {}: {}", path.display(), reason(&error))))?;
    if found.is_empty() {
        let message = format!("--ca-file {} holds no certificate; give a file in PEM format", path.display());
        return Err(Failure::usage(message));
    }
    Ok(found)
}

/// Returns why a request got no reply: the root cause, without the address.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", PATIENCE.as_secs());
    }
    root_cause(error)
}

/// Returns the innermost cause of a failed request, which does not repeat the address.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut root: &dyn std::error::Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    one_line(&root.to_string())
}

/// Prints that an attempt starts.
pub(crate) fn tell_sent(attempt: &Attempt, output: &Output) {
    if output.json {
        output.json_line(&line("attempt", attempt));
    } else {
        let (now, Attempt { event, event_id, number, .. }) = (time(), attempt);
        output.line(&format!("{now} → {} {} (attempt {number})", one_line(event), one_line(event_id)));
    }
}

/// Prints an attempt's result, and when it is repeated: `None` if it is not.
pub(crate) fn tell_answer(attempt: &Attempt, answer: &Answer, again: Option<Duration>, output: &Output) {
    if output.json {
        let mut line = line("answer", attempt);
        line["delivered"] = answer.is_success().into();
        line["status"] = json!(answer.status.as_ref().ok());
        line["problem"] = json!(answer.status.as_ref().err());
        line["ms"] = json!(answer.took.as_millis());
        line["again_in"] = json!(again.map(|pause| pause.as_secs_f64()));
        return output.json_line(&line);
    }
    let what = match &answer.status {
        Ok(status) => format!("{status} {} ms", answer.took.as_millis()),
        Err(why) => why.clone(),
    };
    let next = match again {
        _ if answer.is_success() => String::new(),
        Some(pause) => format!(", again in {} s", pause.as_secs()),
        None => ", not tried again".to_owned(),
    };
    output.line(&format!("         ← {what}{next}"));
}

fn line(kind: &str, attempt: &Attempt) -> Value {
    json!({
        "v": 1,
        "kind": kind,
        "at": jiff::Timestamp::now().to_string(),
        "event": attempt.event,
        "event_id": attempt.event_id,
        "delivery_id": attempt.delivery_id,
        "attempt": attempt.number,
    })
}

/// Returns the time of day.
fn time() -> String {
    jiff::Zoned::now().strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn plain_http_stays_on_this_machine() {
        colony_async::install_tls_provider();
        let global = Cli::parse_from(["colony"]).global;
        for (address, insecure, is_good) in [
            ("http://127.0.0.1:8080/x", false, true),
            ("http://localhost/", false, true),
            ("http://[::1]:1/", false, true),
            ("https://example.com/hooks", false, true),
            ("http://example.com/", false, false),
            ("http://example.com/", true, true),
            ("http://127.0.0.1.example.com/", false, false),
            ("ftp://127.0.0.1/", true, false),
            ("127.0.0.1:80", true, false),
        ] {
            assert_eq!(Target::new(address, insecure, &global).is_ok(), is_good, "{address}");
        }
    }
}
