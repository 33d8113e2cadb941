//! The device flow (RFC 8628): a login at any browser, for a program that has none.

use std::time::Duration;

use colony_core::{Error, ErrorKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::openid::{Answer, OpenId, refusal};
use crate::{
    args::Global,
    failure::Failure,
    output::{Output, one_line, span},
    signals::{self, Hold},
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The pause when the provider names none (section 3.2).
const DEFAULT_PAUSE: Duration = Duration::from_secs(5);
/// What `slow_down` adds to the pause (section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// The shortest pause, whatever the provider says.
const SHORTEST: Duration = Duration::from_millis(100);
/// The longest pause after trouble with the network.
const LONGEST: Duration = Duration::from_secs(60);

/// What the provider gave for the login.
#[derive(Deserialize)]
struct Begun {
    device_code: SecretString,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: Option<f64>,
    interval: Option<f64>,
}

/// What one poll says.
#[derive(Debug, PartialEq, Eq)]
enum Poll {
    Granted,
    Pending,
    SlowDown,
    /// Nobody can tell; asked again later.
    Trouble,
    Ended,
}

/// What the provider gave.
pub(super) struct Granted {
    /// The token endpoint's reply.
    pub(super) reply: Vec<u8>,
    /// When the request for it was sent, Unix seconds.
    pub(super) sent: f64,
    /// Holds signals until the reply is stored.
    pub(super) hold: Hold,
}

/// Logs in.
pub(super) async fn log_in(
    global: &Global,
    openid: &OpenId,
    scope: &str,
    output: &Output,
) -> Result<Granted, Failure> {
    let Some(url) = &openid.provider.device_authorization_endpoint else {
        let message = format!("the provider {} has no device flow", openid.provider.issuer);
        return Err(Error::build(ErrorKind::Config, message)
            .hint("Log in elsewhere and bring the refresh token: `colony auth login --with-refresh-token`")
            .finish()
            .into());
    };
    let answer = openid.post(url, &[("scope", scope)]).await?;
    if answer.status != 200 {
        return Err(refusal("device_authorization", &answer));
    }
    let begun: Begun = serde_json::from_slice(&answer.body).map_err(|_| {
        // Nothing of the reply is printed: it may hold the code.
        let message = "the provider's answer to the device does not hold what it has to";
        Failure::from(Error::build(ErrorKind::Decode, message).operation("device_authorization").finish())
    })?;
    let lifetime = seconds(begun.expires_in).unwrap_or(Duration::from_secs(900));
    tell(&begun, lifetime, output);
    wait(global, openid, &begun, lifetime).await
}

/// Said whatever `--quiet` says: without it nobody can log in. On stderr, where no script reads data.
fn tell(begun: &Begun, lifetime: Duration, output: &Output) {
    let code = one_line(&begun.user_code);
    output.error_line(&format!("Open {} and enter the code {code}", one_line(&begun.verification_uri)));
    if let Some(complete) = &begun.verification_uri_complete {
        output.say(&format!("  or open {}", one_line(complete)));
    }
    output.say(&format!("Waiting for it, for up to {} …", span(lifetime.as_secs_f64())));
}

async fn wait(
    global: &Global,
    openid: &OpenId,
    begun: &Begun,
    lifetime: Duration,
) -> Result<Granted, Failure> {
    let mut pause = seconds(begun.interval).unwrap_or(DEFAULT_PAUSE).max(SHORTEST);
    let mut waited = Duration::ZERO;
    loop {
        tokio::time::sleep(pause).await;
        waited += pause;
        let (sent, hold) = (crate::client::now(), signals::hold(global.timeout));
        let form = [("grant_type", GRANT), ("device_code", begun.device_code.expose_secret())];
        let answer = match openid.post(&openid.provider.token_endpoint, &form).await {
            Ok(answer) => answer,
            // Counted as trouble below, unless it goes on for too long.
            Err(Failure::Api(error)) if error.is_network() && waited < lifetime => {
                pause = slower(&Poll::Trouble, pause);
                continue;
            }
            Err(failure) => return Err(failure),
        };
        match read(&answer) {
            Poll::Granted => return Ok(Granted { reply: answer.body, sent, hold }),
            Poll::Ended => return Err(ended(&answer)),
            _ if waited >= lifetime => return Err(expired()),
            poll => pause = slower(&poll, pause),
        }
    }
}

fn read(answer: &Answer) -> Poll {
    if answer.status == 200 {
        return Poll::Granted;
    }
    let error = Error::from_oauth_reply("device_login", answer.status, &answer.body).without_body().finish();
    match error.code() {
        Some("authorization_pending") => Poll::Pending,
        Some("slow_down") => Poll::SlowDown,
        _ if answer.status == 429 || answer.status >= 500 => Poll::Trouble,
        _ => Poll::Ended,
    }
}

/// The pause before the next poll (section 3.5: 5 s more on `slow_down`, twice as long after trouble).
fn slower(poll: &Poll, pause: Duration) -> Duration {
    match poll {
        Poll::SlowDown => pause + SLOWER,
        Poll::Trouble => (pause * 2).min(LONGEST.max(pause)),
        _ => pause,
    }
}

fn ended(answer: &Answer) -> Failure {
    let error = Error::from_oauth_reply("device_login", answer.status, &answer.body).without_body().finish();
    match error.code() {
        Some("expired_token") => expired(),
        Some("access_denied") => Error::build(ErrorKind::Auth, "the login was refused at the browser")
            .operation("device_login")
            .status(answer.status)
            .code("access_denied")
            .finish()
            .into(),
        _ => refusal("device_login", answer),
    }
}

fn expired() -> Failure {
    Error::build(ErrorKind::Auth, "nobody entered the code in time")
        .operation("device_login")
        .code("expired_token")
        .hint("Start again: `colony auth login --device`")
        .finish()
        .into()
}

fn seconds(told: Option<f64>) -> Option<Duration> {
    told.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(status: u16, body: &str) -> Poll {
        read(&Answer { status, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn each_answer_means_one_thing() {
        assert_eq!(poll(200, "{}"), Poll::Granted);
        assert_eq!(poll(400, r#"{"error": "authorization_pending"}"#), Poll::Pending);
        assert_eq!(poll(428, r#"{"error": "authorization_pending"}"#), Poll::Pending);
        assert_eq!(poll(400, r#"{"error": "slow_down"}"#), Poll::SlowDown);
        for (status, body) in [(503, ""), (500, "<html>"), (429, "{}")] {
            assert_eq!(poll(status, body), Poll::Trouble);
        }
        for code in ["access_denied", "expired_token", "invalid_grant", "invalid_client"] {
            assert_eq!(poll(400, &format!(r#"{{"error": "{code}"}}"#)), Poll::Ended);
        }
        assert_eq!(poll(404, ""), Poll::Ended);
    }

    #[test]
    fn the_pause_only_grows() {
        let five = Duration::from_secs(5);
        assert_eq!(slower(&Poll::Pending, five), five);
        assert_eq!(slower(&Poll::SlowDown, five), Duration::from_secs(10));
        assert_eq!(slower(&Poll::Trouble, five), Duration::from_secs(10));
        assert_eq!(slower(&Poll::Trouble, Duration::from_secs(50)), Duration::from_secs(60));
        assert_eq!(slower(&Poll::Trouble, Duration::from_secs(100)), Duration::from_secs(100));
    }
}
