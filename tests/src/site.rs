//! A site that answers from a script: logins, the discovery document, exchanges and keys.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, sync::watch};

use crate::raw::{Listener, Received, Stream, reply};

/// `POST /api/v1/auth/token`.
pub const LOGIN: &str = "/api/v1/auth/token";
/// The discovery document.
pub const DISCOVERY: &str = "/.well-known/openid-configuration";
/// The token endpoint.
pub const EXCHANGE: &str = "/oauth/token";
/// The keys.
pub const KEYS: &str = "/.well-known/jwks.json";

/// The answer to one request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// As a correct provider does.
    Good,
    /// With this status and this JSON.
    Json(u16, Value),
    /// With this status, these header lines and this text.
    Text(u16, String, String),
    /// With 429 and this `Retry-After`.
    Limited(String),
    /// With bytes that never end.
    Endless,
    /// The connection is closed without an answer.
    Hangup,
    /// This answer, once [`Site::release`] is called.
    Held(Box<Answer>),
}

/// The site.
#[derive(Debug)]
pub struct Site {
    listener: Listener,
    shared: Arc<Shared>,
}

struct Shared {
    root: String,
    state: Mutex<State>,
    counts: watch::Sender<BTreeMap<String, u64>>,
    released: watch::Sender<u64>,
    clock: Box<dyn Fn() -> f64 + Send + Sync>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    scripts: HashMap<String, VecDeque<Answer>>,
    otherwise: HashMap<String, Answer>,
    /// The forms of the exchanges.
    forms: Vec<BTreeMap<String, String>>,
    issued: Vec<String>,
}

impl Site {
    /// Starts a site that issues tokens by this clock (Unix seconds).
    ///
    /// # Errors
    ///
    /// When it cannot listen.
    pub fn start(clock: impl Fn() -> f64 + Send + Sync + 'static) -> io::Result<Self> {
        let listener = Listener::bind()?;
        let shared = Arc::new(Shared {
            root: format!("http://{}", listener.address),
            state: Mutex::default(),
            counts: watch::Sender::default(),
            released: watch::Sender::default(),
            clock: Box::new(clock),
        });
        let served = Arc::clone(&shared);
        listener.serve(move |stream| serve(stream, Arc::clone(&served)))?;
        Ok(Self { listener, shared })
    }

    /// Returns its root, which is the issuer.
    pub fn issuer(&self) -> String {
        self.shared.root.clone()
    }

    /// Returns the API's base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}/api/v1", self.listener.address)
    }

    /// Sets the answers to the next requests for this path, in order.
    pub fn next(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        self.shared.state().scripts.entry(path.to_owned()).or_default().extend(answers);
    }

    /// Sets the answer to requests for this path after the end of the script.
    pub fn otherwise(&self, path: &str, answer: Answer) {
        self.shared.state().otherwise.insert(path.to_owned(), answer);
    }

    /// Returns the document that a correct provider would publish here.
    pub fn document(&self) -> Value {
        document(&self.shared.root)
    }

    /// Sends the answers that are held.
    pub fn release(&self) {
        self.shared.released.send_modify(|times| *times += 1);
    }

    /// Returns how often this path was requested.
    pub fn count(&self, path: &str) -> u64 {
        self.shared.counts.borrow().get(path).copied().unwrap_or_default()
    }

    /// Returns the counts of logins, documents and exchanges so far.
    pub fn counts(&self) -> (u64, u64, u64) {
        (self.count(LOGIN), self.count(DISCOVERY), self.count(EXCHANGE))
    }

    /// Waits until this path was requested `times` times.
    ///
    /// # Panics
    ///
    /// When that does not happen within a minute.
    pub async fn until(&self, path: &str, times: u64) {
        let mut counts = self.shared.counts.subscribe();
        let reached = counts.wait_for(|counts| counts.get(path).is_some_and(|count| *count >= times));
        let came = tokio::time::timeout(Duration::from_secs(60), reached).await;
        assert!(came.is_ok(), "{path} was asked for {} times", self.count(path));
    }

    /// Returns the forms that were sent to the token endpoint.
    pub fn forms(&self) -> Vec<BTreeMap<String, String>> {
        self.shared.state().forms.clone()
    }

    /// Returns every issued token, of any kind.
    pub fn issued(&self) -> Vec<String> {
        self.shared.state().issued.clone()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a JWT that lives for `seconds`, without a valid signature.
    fn jwt(&self, seconds: f64) -> String {
        let iat = (self.clock)().floor();
        let mut state = self.state();
        let number = state.issued.len();
        let payload = json!({"iat": iat, "exp": iat + seconds, "jti": number}).to_string();
        let token = format!("e30.{}.plantedsignature", BASE64_URL_SAFE_NO_PAD.encode(payload));
        state.issued.push(token.clone());
        token
    }

    fn opaque(&self) -> String {
        let mut state = self.state();
        let token = format!("plantedopaque{}", state.issued.len());
        state.issued.push(token.clone());
        token
    }

    fn good(&self, path: &str) -> Vec<u8> {
        let body = match path {
            LOGIN => json!({"access_token": self.jwt(86_400.0), "token_type": "bearer"}),
            DISCOVERY => document(&self.root),
            EXCHANGE => json!({
                "access_token": self.opaque(),
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "token_type": "Bearer",
                "expires_in": 900,
                "scope": "openid profile",
                "id_token": self.jwt(300.0),
            }),
            KEYS => json!({"keys": []}),
            _ => json!({}),
        };
        reply(200, &[], body.to_string())
    }
}

fn document(site: &str) -> Value {
    json!({
        "issuer": site,
        "token_endpoint": format!("{site}{EXCHANGE}"),
        "jwks_uri": format!("{site}{KEYS}"),
        "grant_types_supported": ["urn:ietf:params:oauth:grant-type:token-exchange"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

async fn serve(mut stream: Stream, shared: Arc<Shared>) -> io::Result<()> {
    while let Some(asked) = Received::read(&mut stream).await? {
        let path = asked.target;
        let mut answer = {
            let mut state = shared.state();
            if path == EXCHANGE {
                state.forms.push(url::form_urlencoded::parse(&asked.body).into_owned().collect());
            }
            let scripted = state.scripts.get_mut(&path).and_then(VecDeque::pop_front);
            scripted.or_else(|| state.otherwise.get(&path).cloned()).unwrap_or(Answer::Good)
        };
        let mut released = shared.released.subscribe();
        shared.counts.send_modify(|counts| *counts.entry(path.clone()).or_default() += 1);
        if let Answer::Held(then) = answer {
            let _ = released.changed().await;
            answer = *then;
        }
        let reply = match answer {
            Answer::Good | Answer::Held(_) => shared.good(&path),
            Answer::Json(status, body) => reply(status, &[], body.to_string()),
            Answer::Text(status, header, body) => {
                reply(status, header.trim_end().split_once(": ").as_slice(), body)
            }
            Answer::Limited(wait) => {
                let body = json!({"error": "temporarily_unavailable", "error_description": "scripted"});
                reply(429, &[("retry-after", &wait)], body.to_string())
            }
            Answer::Hangup => return Ok(()),
            Answer::Endless => return flood(&mut stream).await,
        };
        stream.write_all(&reply).await?;
    }
    Ok(())
}

/// Sends until the other side closes the connection.
async fn flood(stream: &mut Stream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 Scripted\r\ntransfer-encoding: chunked\r\n\r\n").await?;
    loop {
        stream.write_all(format!("1000\r\n{}\r\n", " ".repeat(0x1000)).as_bytes()).await?;
    }
}
