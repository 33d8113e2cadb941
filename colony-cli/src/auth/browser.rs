//! A login with a browser on this machine, which redirects to a loopback port
//! ([RFC 8252](https://www.rfc-editor.org/rfc/rfc8252)), or one whose final address a person pastes (`--paste`).

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use colony_async::credential::Credential;
use colony_core::{Error, ErrorKind, openid::authorization::Authorization};
use http::{Method, StatusCode, header};
use secrecy::ExposeSecret as _;
use tokio::{net::TcpListener, sync::oneshot};
use url::Url;

use super::{
    login::secret_from_stdin,
    openid::{self, OpenId, refused},
};
use crate::{
    args::Global,
    failure::Failure,
    open,
    output::{Output, span},
    signals::{self, Hold},
};

/// The path that the browser is redirected to, below the port.
const PATH: &str = "/callback";
/// How long to wait for a person.
const PATIENCE: Duration = Duration::from_secs(600);

/// Returns whether a person seems to sit at this machine: a terminal, a desktop, and no remote shell.
pub(super) fn is_desktop() -> bool {
    use std::io::IsTerminal as _;

    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_remote = is_set("SSH_CONNECTION") || is_set("SSH_TTY");
    let has_screen =
        cfg!(any(windows, target_os = "macos")) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    std::io::stderr().is_terminal() && has_screen && !is_remote
}

/// Logs in with a browser. Signals are held from the redirect until the provider's reply is stored.
pub(super) async fn log_in(
    global: &Global,
    openid: &OpenId,
    scope: &str,
    opens: bool,
    output: &Output,
) -> Result<(Credential, Hold), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let host = listener.local_addr()?.to_string();
    let request = Arc::new(openid.login.authorization(&format!("http://{host}{PATH}"), scope)?);
    let (answer, answered) = oneshot::channel();
    let waiting = Arc::new(Waiting { host, request: Arc::clone(&request), answer: Mutex::new(Some(answer)) });
    let router = Router::new().fallback(came_back).with_state(waiting);
    let server = tokio::spawn(axum::serve(listener, router).into_future());
    // Printed even with `--quiet`: the browser may not start.
    output.error_line(&format!("Log in at {}", request.url()));
    if opens && let Err(error) = open::start(request.url().as_str()) {
        output.say(&format!("no browser could be started ({error}); open the address yourself"));
    }
    output.say(&format!("Waiting for it, for up to {} …", span(PATIENCE.as_secs_f64())));
    let query = tokio::time::timeout(PATIENCE, answered).await;
    let hold = signals::hold(openid::limit(global));
    let redeemed = match query {
        Ok(Ok(query)) => redeem(openid, request, &query).await,
        _ => Err(late()),
    };
    // Lets the reply to the browser go out.
    tokio::task::yield_now().await;
    server.abort();
    Ok((redeemed?, hold))
}

/// Logs in with a browser on another machine, whose final address a person pastes.
pub(super) async fn paste(
    global: &Global,
    openid: &OpenId,
    scope: &str,
    output: &Output,
) -> Result<(Credential, Hold), Failure> {
    // A free port: nothing listens on it where the browser runs.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?;
    let request = Arc::new(openid.login.authorization(&format!("http://{address}{PATH}"), scope)?);
    output.error_line(&format!("Log in at {}", request.url()));
    output.say("At the end the browser shows an error, since nothing listens where it is sent");
    let pasted = secret_from_stdin("the address at which the browser ended", output)?;
    let wrong = || {
        Failure::usage(format!(
            "what was pasted is not the address at which the browser ended: {}?code=…",
            request.redirect_uri()
        ))
    };
    let url: Url = pasted.expose_secret().parse().map_err(|_| wrong())?;
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    let query = url.query().filter(|_| bare.as_str() == request.redirect_uri()).ok_or_else(wrong)?;
    let hold = signals::hold(openid::limit(global));
    Ok((redeem(openid, Arc::clone(&request), query).await?, hold))
}

async fn redeem(openid: &OpenId, request: Arc<Authorization>, query: &str) -> Result<Credential, Failure> {
    openid.login.redeem(&request, query).await.map_err(refused)
}

fn late() -> Failure {
    Error::build(ErrorKind::Auth, "no login at the browser within the time limit")
        .hint("Start again: `colony auth login --browser`; without a browser here, `--device` or `--paste`")
        .finish()
        .into()
}

/// A login that waits for its redirect.
struct Waiting {
    /// The host name that the browser must use, so that a page under another name cannot reach this server.
    host: String,
    request: Arc<Authorization>,
    /// Taken by the one reply.
    answer: Mutex<Option<oneshot::Sender<String>>>,
}

async fn came_back(State(waiting): State<Arc<Waiting>>, request: Request) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if request.method() != Method::GET || host != Some(&waiting.host) || request.uri().path() != PATH {
        return page(StatusCode::NOT_FOUND, "There is nothing here.");
    }
    let query = request.uri().query().unwrap_or_default();
    // A redirect that belongs to another login ends nothing: this login keeps waiting for its own.
    if !waiting.request.is_answer(query) {
        return page(StatusCode::BAD_REQUEST, "This answers another login than the one that waits here.");
    }
    let Some(answer) = waiting.answer.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return page(StatusCode::CONFLICT, "This login was answered already.");
    };
    let is_good = waiting.request.read(query).is_ok();
    let _ = answer.send(query.to_owned());
    if is_good {
        page(
            StatusCode::OK,
            "Go back to the terminal: it says what came of the login. You can close this page.",
        )
    } else {
        page(StatusCode::BAD_REQUEST, "The login failed; the terminal says why. You can close this page.")
    }
}

fn page(status: StatusCode, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::CONNECTION, "close"),
    ];
    (status, headers, text).into_response()
}
