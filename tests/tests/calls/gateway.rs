//! A gateway in front of a server that fails as gateways do: it loses requests and answers, repeats them, holds
//! them back, and answers 502, 503 and 504, before or after the server has acted. By a seed.

use std::{
    collections::HashMap,
    io::{self, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use colony_tests::server::{Received, read_request, reply};
use reqwest::blocking::{Client, Response};

/// How the gateway is set up.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    /// Where the server is: `http://host:port`.
    pub(crate) seed: u64,
    /// Whether it takes the key out, as a server sees it that keeps none. It sends nothing twice then.
    pub(crate) hides_keys: bool,
}

/// What became of the writes, by the marker that each call carries (`call-17`).
#[derive(Default)]
pub(crate) struct Tally {
    /// How often the server acted.
    pub(crate) acted: HashMap<String, u32>,
    /// How often each fate was drawn.
    pub(crate) fates: HashMap<&'static str, u32>,
}

/// The gateway; it runs to the end of the process.
#[derive(Clone)]
pub(crate) struct Gateway {
    server: String,
    settings: Settings,
    http: Client,
    state: Arc<Mutex<(fastrand::Rng, Tally)>>,
}

/// What happens to a write.
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
    /// Starts one before the server at `http://host:port`, and gives its own `host:port`.
    pub(crate) fn start(server: String, settings: Settings) -> (Self, String) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
        let authority = listener.local_addr().expect("its address").to_string();
        let random = fastrand::Rng::with_seed(settings.seed);
        // It has a runtime of its own, and must not be built on another one's thread.
        let http = thread::spawn(|| Client::builder().no_proxy().build().expect("a client"));
        let http = http.join().expect("no panic");
        let gateway =
            Self { server, settings, http, state: Arc::new(Mutex::new((random, Tally::default()))) };
        let shared = gateway.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let gateway = shared.clone();
                thread::spawn(move || drop(gateway.serve(stream)));
            }
        });
        (gateway, authority)
    }

    /// What became of the writes.
    pub(crate) fn tally(&self) -> Tally {
        std::mem::take(&mut self.state().1)
    }

    fn state(&self) -> MutexGuard<'_, (fastrand::Rng, Tally)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut writer = stream;
        while let Some(request) = read_request(&mut reader)? {
            let fate = if request.method == "GET" || request.path().ends_with("/auth/token") {
                Fate::Pass
            } else {
                self.draw()
            };
            let answer = match fate {
                Fate::LoseRequest => return Ok(()),
                Fate::Status(status) => reply(status, &[], b"the gateway does not know"),
                Fate::StatusAfter(status) => {
                    self.forward(&request);
                    reply(status, &[], b"the gateway does not know")
                }
                Fate::LoseAnswer => return self.forward(&request).map_or(Ok(()), |_| Ok(())),
                Fate::Twice => {
                    let (gateway, first) = (self.clone(), request.clone());
                    let first = thread::spawn(move || gateway.forward(&first));
                    let answer = self.forward(&request);
                    let _ = first.join();
                    answer.ok_or(io::ErrorKind::ConnectionAborted)?
                }
                Fate::Pass | Fate::Hold | Fate::HalfAnswer => {
                    self.forward(&request).ok_or(io::ErrorKind::ConnectionAborted)?
                }
            };
            match fate {
                Fate::HalfAnswer => return writer.write_all(&answer[..answer.len() / 2]),
                Fate::Hold => thread::sleep(Duration::from_millis(20)),
                _ => {}
            }
            writer.write_all(&answer)?;
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

    /// Sends a request on, notes whether the server acted on it, and gives its answer.
    fn forward(&self, request: &Received) -> Option<Vec<u8>> {
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
        let answer = forwarded.body(request.body.clone()).send().ok()?;
        if answer.status().is_success()
            && !answer.headers().contains_key("idempotent-replay")
            && let Some(marker) = marker(request)
        {
            *self.state().1.acted.entry(marker).or_default() += 1;
        }
        played(answer)
    }
}

fn played(answer: Response) -> Option<Vec<u8>> {
    let status = answer.status().as_u16();
    let headers: Vec<(String, String)> = answer
        .headers()
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection"))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    Some(reply(status, &headers, &answer.bytes().ok()?))
}

/// The marker in a request's address or body.
fn marker(request: &Received) -> Option<String> {
    let text = format!("{} {}", request.target, String::from_utf8_lossy(&request.body));
    let start = text.find("call-")?;
    let digits = text[start + 5..].bytes().take_while(u8::is_ascii_digit).count();
    Some(text[start..start + 5 + digits].to_owned())
}
