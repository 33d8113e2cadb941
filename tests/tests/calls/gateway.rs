//! A gateway in front of a server that fails as gateways do: it loses requests and answers, repeats them, holds them
//! back, and answers 502, 503 and 504, before or after the server has acted, from a seed.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use colony_tests::raw::{Listener, Received, Stream, reply};
use reqwest::{Client, Response};
use tokio::io::AsyncWriteExt as _;

/// The settings of the gateway.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    /// Where the server is: `http://host:port`.
    pub(crate) seed: u64,
    /// Whether it removes the key, to simulate a server that keeps none. It then sends no request twice.
    pub(crate) hides_keys: bool,
}

/// The results of the writes, by the marker of each call (`call-17`).
#[derive(Default)]
pub(crate) struct Tally {
    /// How often the server acted.
    pub(crate) acted: HashMap<String, u32>,
    /// How often each fate was drawn.
    pub(crate) fates: HashMap<&'static str, u32>,
}

/// The gateway.
#[derive(Clone)]
pub(crate) struct Gateway {
    server: String,
    settings: Settings,
    http: Client,
    state: Arc<Mutex<(fastrand::Rng, Tally)>>,
}

/// The fate of a write.
#[derive(Clone, Copy)]
enum Fate {
    Pass,
    Hold,
    LoseRequest,
    LoseAnswer,
    HalfAnswer,
    Twice,
    Status(u16),
    StatusAfter(u16),
}

impl Gateway {
    /// Starts a gateway in front of the server at `http://host:port`, and returns its listener.
    pub(crate) fn start(server: String, settings: Settings) -> (Self, Listener) {
        let listener = Listener::bind().expect("a loopback port");
        let random = fastrand::Rng::with_seed(settings.seed);
        let http = Client::builder().no_proxy().build().expect("a client");
        let gateway =
            Self { server, settings, http, state: Arc::new(Mutex::new((random, Tally::default()))) };
        let shared = gateway.clone();
        listener.serve(move |stream| shared.clone().serve(stream)).expect("a listener");
        (gateway, listener)
    }

    /// Returns the results of the writes.
    pub(crate) fn tally(&self) -> Tally {
        std::mem::take(&mut self.state().1)
    }

    fn state(&self) -> MutexGuard<'_, (fastrand::Rng, Tally)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(self, mut stream: Stream) -> io::Result<()> {
        while let Some(request) = Received::read(&mut stream).await? {
            let fate = if request.method == "GET" || request.path().ends_with("/auth/token") {
                Fate::Pass
            } else {
                self.draw()
            };
            let answer = match fate {
                Fate::LoseRequest => return Ok(()),
                Fate::Status(status) => reply(status, &[], b"the gateway does not know"),
                Fate::StatusAfter(status) => {
                    self.forward(&request).await;
                    reply(status, &[], b"the gateway does not know")
                }
                Fate::LoseAnswer => {
                    self.forward(&request).await;
                    return Ok(());
                }
                Fate::Twice => {
                    let (_, answer) = tokio::join!(self.forward(&request), self.forward(&request));
                    answer.ok_or(io::ErrorKind::ConnectionAborted)?
                }
                Fate::Pass | Fate::Hold | Fate::HalfAnswer => {
                    self.forward(&request).await.ok_or(io::ErrorKind::ConnectionAborted)?
                }
            };
            match fate {
                Fate::HalfAnswer => return stream.write_all(&answer[..answer.len() / 2]).await,
                Fate::Hold => tokio::time::sleep(Duration::from_millis(20)).await,
                _ => {}
            }
            stream.write_all(&answer).await?;
        }
        Ok(())
    }

    fn draw(&self) -> Fate {
        let mut state = self.state();
        let status = [502, 503, 504][state.0.usize(..3)];
        let (name, fate) = match state.0.u32(..100) {
            0..6 => ("request lost", Fate::LoseRequest),
            6..14 => ("answer lost", Fate::LoseAnswer),
            14..18 => ("half an answer", Fate::HalfAnswer),
            18..26 => ("status before", Fate::Status(status)),
            26..38 => ("status after", Fate::StatusAfter(status)),
            38..46 if !self.settings.hides_keys => ("twice", Fate::Twice),
            46..50 => ("held back", Fate::Hold),
            _ => ("passed on", Fate::Pass),
        };
        *state.1.fates.entry(name).or_default() += 1;
        fate
    }

    /// Forwards a request, records whether the server acted on it, and returns its answer.
    async fn forward(&self, request: &Received) -> Option<Vec<u8>> {
        let method = request.method.parse().expect("a method");
        let mut forwarded = self.http.request(method, format!("{}{}", self.server, request.target));
        for (name, value) in &request.headers {
            let is_own =
                matches!(name.as_str(), "host" | "content-length" | "connection" | "accept-encoding");
            let is_hidden = self.settings.hides_keys && name == "idempotency-key";
            if !is_own && !is_hidden {
                forwarded = forwarded.header(name, value);
            }
        }
        let answer = forwarded.body(request.body.clone()).send().await.ok()?;
        if answer.status().is_success()
            && !answer.headers().contains_key("idempotent-replay")
            && let Some(marker) = marker(request)
        {
            *self.state().1.acted.entry(marker).or_default() += 1;
        }
        played(answer).await
    }
}

async fn played(answer: Response) -> Option<Vec<u8>> {
    let status = answer.status().as_u16();
    let headers: Vec<(String, String)> = answer
        .headers()
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection"))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    Some(reply(status, &headers, answer.bytes().await.ok()?))
}

/// Returns the marker in a request's address or body.
fn marker(request: &Received) -> Option<String> {
    let text = format!("{} {}", request.target, String::from_utf8_lossy(&request.body));
    let start = text.find("call-")?;
    let digits = text[start + 5..].bytes().take_while(u8::is_ascii_digit).count();
    Some(text[start..start + 5 + digits].to_owned())
}
