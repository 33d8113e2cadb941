//! A server that answers by a script. It knows `POST /auth/token`; anything else is a call that needs a
//! token and is answered with `{}`.

use std::{
    collections::{HashSet, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::watch,
};

/// How a login is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With a token.
    Token,
    /// With this status.
    Status(u16),
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
    /// With a token, after so long.
    After(Duration),
    /// With this status, and a message that repeats all that was sent.
    Echo(u16),
}

/// One login as the server saw it.
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

/// What the server was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Logins that arrived.
    pub logins: u64,
    /// Other calls that arrived.
    pub calls: u64,
    /// Of these, the ones with a token that is no good.
    pub rejected: u64,
}

/// The server. It has a thread of its own, so that tests with and without a runtime can use it.
#[derive(Debug)]
pub struct Service {
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
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
    /// Good tokens that have come with a call.
    shown: HashSet<String>,
    issued: Vec<String>,
    log: Vec<Login>,
    lifetime: f64,
    call_status: u16,
    call_body: String,
    /// Calls of a path that ends so are answered with this status and body, whatever their token.
    refused: Option<(String, u16, String)>,
    /// Everything that came as a bearer token or a body, a line each.
    sent: String,
    /// Calls are answered when so many have arrived.
    gathering: u64,
}

impl Service {
    /// Starts a server that issues tokens by this clock (Unix seconds).
    ///
    /// # Errors
    ///
    /// When it cannot listen.
    pub fn start(clock: impl Fn() -> f64 + Send + Sync + 'static) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        // Not by `block_on`: the caller may be inside a runtime.
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
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
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&served)));
            }
        });
        Ok(Self { address, shared, runtime: Some(runtime) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }

    /// The API's base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    /// Answers the next logins so, one after the other.
    pub fn next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state().script.extend(answers);
    }

    /// Answers logins so when the script is at its end.
    pub fn otherwise(&self, answer: Answer) {
        self.state().otherwise = answer;
    }

    /// Tokens live so many seconds from now on.
    pub fn lifetime(&self, seconds: f64) {
        self.state().lifetime = seconds;
    }

    /// Answers other calls with this status from now on.
    pub fn answer_calls(&self, status: u16) {
        self.state().call_status = status;
    }

    /// Answers calls of a path that ends so with 401 from now on, whatever their token; none when it is empty.
    pub fn refuse(&self, path: &str) {
        self.refuse_with(path, 401, &detail(401));
    }

    /// As [`refuse`](Self::refuse), with this status and body.
    pub fn refuse_with(&self, path: &str, status: u16, body: &str) {
        self.state().refused = (!path.is_empty()).then(|| (path.to_owned(), status, body.to_owned()));
    }

    /// Answers other calls so from now on, when they succeed.
    pub fn answer_body(&self, json: &str) {
        json.clone_into(&mut self.state().call_body);
    }

    /// Whether this came in a request's body or as its token.
    pub fn was_sent(&self, text: &str) -> bool {
        self.state().sent.contains(text)
    }

    /// Keeps back the answers to calls until so many, counted from the first of all, have arrived.
    pub fn gather(&self, calls: u64) {
        self.state().gathering = calls;
    }

    /// Makes every token issued so far answer 401.
    pub fn revoke(&self) {
        self.state().good.clear();
    }

    /// Makes every token that has come with a call answer 401. One that is on its way to its client stays
    /// good: whoever got it might write it for others a moment after.
    pub fn revoke_shown(&self) {
        let mut state = self.state();
        let shown = std::mem::take(&mut state.shown);
        state.good.retain(|token| !shown.contains(token));
    }

    /// Answers the logins that are held.
    pub fn release(&self) {
        self.shared.released.send_modify(|times| *times += 1);
    }

    /// Every token that was issued.
    pub fn issued(&self) -> Vec<String> {
        self.state().issued.clone()
    }

    /// Every login that has ended.
    pub fn log(&self) -> Vec<Login> {
        self.state().log.clone()
    }

    /// What was asked so far.
    pub fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// Waits until the counts are so.
    ///
    /// # Panics
    ///
    /// When that does not come about within a minute.
    pub async fn until(&self, is_so: impl FnMut(&Counts) -> bool) {
        let mut counts = self.shared.counts.subscribe();
        let came = tokio::time::timeout(Duration::from_secs(60), counts.wait_for(is_so)).await;
        assert!(came.is_ok(), "it stayed at {:?}", self.counts());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl State {
    /// Keeps what was sent, while it is little.
    fn note(&mut self, asked: &Asked) {
        if self.sent.len() < 1 << 16 {
            self.sent.push_str(asked.bearer.as_deref().unwrap_or_default());
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

/// A request, as far as anybody here cares.
struct Asked {
    login: bool,
    path: String,
    client: String,
    bearer: Option<String>,
    body: Vec<u8>,
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(asked) = read(&mut stream).await? {
        shared.state().note(&asked);
        let reply = if asked.login {
            let from = Instant::now();
            let reply = tokio::select! {
                reply = log_in(&shared, &asked.body) => reply,
                // Nothing is sent before the answer, so this is the client's end.
                _ = stream.fill_buf() => None,
            };
            let answered = reply.is_some();
            shared.state().log.push(Login { client: asked.client, from, to: Instant::now(), answered });
            reply
        } else {
            Some(call(&shared, &asked).await)
        };
        let Some((status, header, body)) = reply else { return Ok(()) };
        let text = format!(
            "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\n{header}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).await?;
    }
    Ok(())
}

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    if line.is_empty() {
        return Ok(None);
    }
    let mut asked = Asked {
        login: line.contains(" /api/v1/auth/token "),
        path: line.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned(),
        client: String::new(),
        bearer: None,
        body: Vec::new(),
    };
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
            "user-agent" => asked.client = value.trim().to_owned(),
            "authorization" => asked.bearer = value.trim().strip_prefix("Bearer ").map(str::to_owned),
            _ => {}
        }
    }
    asked.body = vec![0; length];
    stream.read_exact(&mut asked.body).await?;
    Ok(Some(asked))
}

async fn log_in(shared: &Shared, body: &[u8]) -> Option<(u16, String, String)> {
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
            Some((status, String::new(), detail(status)))
        }
        Answer::Echo(status) => {
            let sent = String::from_utf8_lossy(body).replace('"', "'");
            Some((status, String::new(), detail(status).replace("scripted", &format!("you sent {sent}"))))
        }
        Answer::After(pause) => {
            tokio::time::sleep(pause).await;
            Some(issue(shared))
        }
        Answer::Status(status) => Some((status, String::new(), detail(status))),
        Answer::Page(status) => Some((status, String::new(), "<html>a page</html>".to_owned())),
        Answer::Limited(wait) => Some((429, format!("retry-after: {wait}\r\n"), detail(429))),
    }
}

fn issue(shared: &Shared) -> (u16, String, String) {
    let mut state = shared.state();
    let iat = (shared.clock)().floor();
    let payload =
        format!(r#"{{"iat": {iat}, "exp": {}, "jti": "{}"}}"#, iat + state.lifetime, state.issued.len());
    let token = format!("e30.{}.plantedsignature", BASE64_URL_SAFE_NO_PAD.encode(payload));
    state.good.insert(token.clone());
    state.issued.push(token.clone());
    (200, String::new(), format!(r#"{{"access_token": "{token}", "token_type": "bearer"}}"#))
}

async fn call(shared: &Shared, asked: &Asked) -> (u16, String, String) {
    let (good, status, gathering, body, refused) = {
        let mut state = shared.state();
        let good = asked.bearer.as_ref().is_some_and(|token| state.good.contains(token));
        if let Some(token) = asked.bearer.as_ref().filter(|_| good) {
            state.shown.insert(token.clone());
        }
        let refused = state.refused.clone().filter(|(path, _, _)| asked.path.ends_with(path.as_str()));
        (good, state.call_status, state.gathering, state.call_body.clone(), refused)
    };
    shared.counts.send_modify(|counts| {
        counts.calls += 1;
        counts.rejected += u64::from(!good);
    });
    let _ = shared.counts.subscribe().wait_for(|counts| counts.calls >= gathering).await;
    if let Some((_, status, body)) = refused {
        return (status, String::new(), body);
    }
    match (good, status) {
        (false, _) => (401, String::new(), detail(401)),
        (true, 200) => (200, String::new(), body),
        (true, status) => (status, String::new(), detail(status)),
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
