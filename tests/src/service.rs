//! A server that answers from a script. It knows `POST /auth/token`; any other request is a call that needs a token
//! and gets `{}`.

use std::{
    collections::{HashSet, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _},
    sync::watch,
};

use crate::raw::{Listener, Received, Stream, reply};

/// The answer to a login.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With a token.
    Token,
    /// With this status.
    Status(u16),
    /// With this status, after this delay.
    Late(u16, Duration),
    /// With this status, and a page instead of JSON.
    Page(u16),
    /// With 429 and this `Retry-After`.
    Limited(String),
    /// The connection is closed without an answer.
    Hangup,
    /// With a token, once [`Service::release`] is called.
    Held,
    /// With this status, once [`Service::release`] is called.
    Refused(u16),
    /// With a token, after this delay.
    After(Duration),
    /// With this status, and a message that repeats everything that was sent.
    Echo(u16),
}

/// One login, as seen by the server.
#[derive(Debug, Clone)]
pub struct Login {
    /// The client's `User-Agent`.
    pub client: String,
    /// When it arrived.
    pub from: Instant,
    /// When it was answered, or the client was seen to be gone.
    pub to: Instant,
    /// Whether it was answered.
    pub answered: bool,
}

/// The number of requests to the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Logins that arrived.
    pub logins: u64,
    /// Other calls that arrived.
    pub calls: u64,
    /// Of these, calls with an invalid token.
    pub rejected: u64,
}

/// The server.
#[derive(Debug)]
pub struct Service {
    listener: Listener,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    counts: watch::Sender<Counts>,
    released: watch::Sender<u64>,
    clock: Box<dyn Fn() -> f64 + Send + Sync>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

struct State {
    script: VecDeque<Answer>,
    otherwise: Answer,
    good: HashSet<String>,
    /// Valid tokens that have arrived with a call.
    shown: HashSet<String>,
    issued: Vec<String>,
    log: Vec<Login>,
    lifetime: f64,
    call_status: u16,
    call_body: String,
    /// Calls of a path with this end get this status and body, with any token.
    refused: Option<(String, u16, String)>,
    /// Everything that arrived as a bearer token or a body, a line each.
    sent: String,
    /// Calls are answered when this many have arrived.
    gathering: u64,
}

impl Service {
    /// Starts a server that issues tokens by this clock (Unix seconds).
    ///
    /// # Errors
    ///
    /// When it cannot listen.
    pub fn start(clock: impl Fn() -> f64 + Send + Sync + 'static) -> io::Result<Self> {
        let listener = Listener::bind()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                script: VecDeque::new(),
                otherwise: Answer::Token,
                good: HashSet::new(),
                shown: HashSet::new(),
                issued: Vec::new(),
                log: Vec::new(),
                lifetime: 86_400.0,
                call_status: 200,
                call_body: "{}".to_owned(),
                refused: None,
                sent: String::new(),
                gathering: 0,
            }),
            counts: watch::Sender::default(),
            released: watch::Sender::default(),
            clock: Box::new(clock),
        });
        let served = Arc::clone(&shared);
        listener.serve(move |stream| serve(stream, Arc::clone(&served)))?;
        Ok(Self { listener, shared })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }

    /// Returns the API's base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}/api/v1", self.listener.address)
    }

    /// Sets the answers to the next logins, in order.
    pub fn next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state().script.extend(answers);
    }

    /// Sets the answer to logins after the end of the script.
    pub fn otherwise(&self, answer: Answer) {
        self.state().otherwise = answer;
    }

    /// Sets how many seconds tokens live from now on.
    pub fn lifetime(&self, seconds: f64) {
        self.state().lifetime = seconds;
    }

    /// Answers other calls with this status from now on.
    pub fn answer_calls(&self, status: u16) {
        self.state().call_status = status;
    }

    /// Answers calls of a path with this end with 401 from now on, with any token; an empty path refuses no call.
    pub fn refuse(&self, path: &str) {
        self.refuse_with(path, 401, &detail(401));
    }

    /// Does the same as [`refuse`](Self::refuse), with this status and body.
    pub fn refuse_with(&self, path: &str, status: u16, body: &str) {
        self.state().refused = (!path.is_empty()).then(|| (path.to_owned(), status, body.to_owned()));
    }

    /// Answers other calls that succeed with this body from now on.
    pub fn answer_body(&self, json: &str) {
        json.clone_into(&mut self.state().call_body);
    }

    /// Returns whether this text arrived in a request's body or as its token.
    pub fn was_sent(&self, text: &str) -> bool {
        self.state().sent.contains(text)
    }

    /// Holds the answers to calls until `calls`, counted from the very first, have arrived.
    pub fn gather(&self, calls: u64) {
        self.state().gathering = calls;
    }

    /// Makes every token issued so far answer 401.
    pub fn revoke(&self) {
        self.state().good.clear();
    }

    /// Makes every token that has arrived with a call answer 401. A token on its way to its client stays valid,
    /// because that client could write it for others a moment later.
    pub fn revoke_shown(&self) {
        let mut state = self.state();
        let shown = std::mem::take(&mut state.shown);
        state.good.retain(|token| !shown.contains(token));
    }

    /// Answers the logins that are held.
    pub fn release(&self) {
        self.shared.released.send_modify(|times| *times += 1);
    }

    /// Returns every issued token.
    pub fn issued(&self) -> Vec<String> {
        self.state().issued.clone()
    }

    /// Returns every login that has ended.
    pub fn log(&self) -> Vec<Login> {
        self.state().log.clone()
    }

    /// Returns the counts so far.
    pub fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// Waits until the counts satisfy this condition.
    ///
    /// # Panics
    ///
    /// When that does not happen within a minute.
    pub async fn until(&self, is_so: impl FnMut(&Counts) -> bool) {
        let mut counts = self.shared.counts.subscribe();
        let came = tokio::time::timeout(Duration::from_secs(60), counts.wait_for(is_so)).await;
        assert!(came.is_ok(), "it stayed at {:?}", self.counts());
    }
}

impl State {
    /// Records what was sent, if it is short.
    fn note(&mut self, asked: &Received) {
        if self.sent.len() < 1 << 16 {
            self.sent.push_str(bearer(asked).unwrap_or_default());
            self.sent.push_str(&String::from_utf8_lossy(&asked.body));
            self.sent.push('\n');
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bearer(asked: &Received) -> Option<&str> {
    asked.header("authorization")?.strip_prefix("Bearer ")
}

async fn serve(mut stream: Stream, shared: Arc<Shared>) -> io::Result<()> {
    while let Some(asked) = Received::read(&mut stream).await? {
        shared.state().note(&asked);
        let reply = if asked.path() == "/api/v1/auth/token" {
            let from = Instant::now();
            let reply = tokio::select! {
                reply = log_in(&shared, &asked.body) => reply,
                // The client sends nothing before the answer, so it has gone.
                _ = stream.fill_buf() => None,
            };
            let (client, answered) =
                (asked.header("user-agent").unwrap_or_default().to_owned(), reply.is_some());
            shared.state().log.push(Login { client, from, to: Instant::now(), answered });
            reply
        } else {
            Some(call(&shared, &asked).await)
        };
        let Some(reply) = reply else { return Ok(()) };
        stream.write_all(&reply).await?;
    }
    Ok(())
}

fn json(status: u16, body: impl AsRef<[u8]>) -> Vec<u8> {
    reply(status, &[("content-type", "application/json")], body)
}

async fn log_in(shared: &Shared, body: &[u8]) -> Option<Vec<u8>> {
    let answer = {
        let mut state = shared.state();
        state.script.pop_front().unwrap_or_else(|| state.otherwise.clone())
    };
    let mut released = shared.released.subscribe();
    shared.counts.send_modify(|counts| counts.logins += 1);
    match answer {
        Answer::Hangup => None,
        Answer::Token => Some(issue(shared)),
        Answer::Held => {
            let _ = released.changed().await;
            Some(issue(shared))
        }
        Answer::Refused(status) => {
            let _ = released.changed().await;
            Some(json(status, detail(status)))
        }
        Answer::Echo(status) => {
            let sent = String::from_utf8_lossy(body).replace('"', "'");
            Some(json(status, detail(status).replace("scripted", &format!("you sent {sent}"))))
        }
        Answer::After(pause) => {
            tokio::time::sleep(pause).await;
            Some(issue(shared))
        }
        Answer::Late(status, pause) => {
            tokio::time::sleep(pause).await;
            Some(json(status, detail(status)))
        }
        Answer::Status(status) => Some(json(status, detail(status))),
        Answer::Page(status) => Some(json(status, "<html>a page</html>")),
        Answer::Limited(wait) => {
            let headers = [("content-type", "application/json"), ("retry-after", &*wait)];
            Some(reply(429, &headers, detail(429)))
        }
    }
}

fn issue(shared: &Shared) -> Vec<u8> {
    let mut state = shared.state();
    let iat = (shared.clock)().floor();
    let payload =
        format!(r#"{{"iat": {iat}, "exp": {}, "jti": "{}"}}"#, iat + state.lifetime, state.issued.len());
    let token = format!("e30.{}.plantedsignature", BASE64_URL_SAFE_NO_PAD.encode(payload));
    state.good.insert(token.clone());
    state.issued.push(token.clone());
    json(200, format!(r#"{{"access_token": "{token}", "token_type": "bearer"}}"#))
}

async fn call(shared: &Shared, asked: &Received) -> Vec<u8> {
    let (good, status, gathering, body, refused) = {
        let mut state = shared.state();
        let good = bearer(asked).filter(|token| state.good.contains(*token));
        if let Some(token) = good {
            state.shown.insert(token.to_owned());
        }
        let good = good.is_some();
        let refused = state.refused.clone().filter(|(path, _, _)| asked.path().ends_with(path.as_str()));
        (good, state.call_status, state.gathering, state.call_body.clone(), refused)
    };
    shared.counts.send_modify(|counts| {
        counts.calls += 1;
        counts.rejected += u64::from(!good);
    });
    let _ = shared.counts.subscribe().wait_for(|counts| counts.calls >= gathering).await;
    if let Some((_, status, body)) = refused {
        return json(status, body);
    }
    match (good, status) {
        (false, _) => json(401, detail(401)),
        (true, 200) => json(200, body),
        (true, status) => json(status, detail(status)),
    }
}

fn detail(status: u16) -> String {
    let code = match status {
        401 => "AUTH_INVALID_KEY",
        403 => "FORBIDDEN",
        429 => "RATE_LIMITED",
        _ => "SCRIPTED",
    };
    format!(r#"{{"detail": {{"code": "{code}", "message": "scripted"}}}}"#)
}
