//! A server on a loopback socket that plays the replies it was given, in order, and remembers what it was
//! asked. HTTP/1.1 with keep-alive; a thread for each connection.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method.
    pub method: String,
    /// What the request line named: path and query, as encoded.
    pub target: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The body as JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
enum Played {
    Reply(Vec<u8>),
    /// The connection is closed without a reply.
    Close,
    /// Nothing is ever said.
    Silence,
}

#[derive(Default)]
struct State {
    script: VecDeque<Played>,
    received: Vec<Received>,
}

/// The server. Dropping it ends it.
pub struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    ended: Arc<AtomicBool>,
}

/// The status of a reply to a request that the script did not foresee.
pub const NOT_SCRIPTED: u16 = 418;

impl Server {
    /// Starts a server on a port of its own.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
        let address = listener.local_addr().expect("its address");
        let state = Arc::<Mutex<State>>::default();
        let ended = Arc::new(AtomicBool::new(false));
        let (shared, stop) = (Arc::clone(&state), Arc::clone(&ended));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let state = Arc::clone(&shared);
                let Ok(stream) = stream else { continue };
                thread::spawn(move || drop(serve(stream, &state)));
            }
        });
        Self { address, state, ended }
    }

    /// `127.0.0.1:PORT`.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Forgets what was, and plays these recorded responses from now on.
    pub fn play<'a>(&self, responses: impl IntoIterator<Item = &'a Value>) {
        let mut state = self.lock();
        state.script = responses.into_iter().map(played).collect();
        state.received.clear();
    }

    /// The requests since the last look.
    pub fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut self.lock().received)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it has ended.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(request) = read_request(&mut reader)? {
        let played = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.received.push(request);
            state.script.pop_front()
        };
        match played {
            Some(Played::Reply(bytes)) => writer.write_all(&bytes)?,
            Some(Played::Close) => return Ok(()),
            // Until the client goes away.
            Some(Played::Silence) => return reader.read_to_end(&mut Vec::new()).map(drop),
            None => {
                let body = br#"{"detail": "the script of the test has no reply to this"}"#;
                writer.write_all(&reply(NOT_SCRIPTED, &[], body))?;
            }
        }
    }
    Ok(())
}

/// Reads a request; `None` at the end of the connection.
///
/// # Errors
///
/// What kept it from being read.
pub fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Received>> {
    let Some(first) = read_line(reader)? else { return Ok(None) };
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    while let Some(line) = read_line(reader)?.filter(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let mut request = Received { method, target, headers, body: Vec::new() };
    if request.header("transfer-encoding") == Some("chunked") {
        loop {
            let size = read_line(reader)?.unwrap_or_default();
            let size = u64::from_str_radix(&size, 16).map_err(io::Error::other)?;
            reader.by_ref().take(size).read_to_end(&mut request.body)?;
            read_line(reader)?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = request.header("content-length").and_then(|text| text.parse().ok()) {
        reader.by_ref().take(length).read_to_end(&mut request.body)?;
    }
    Ok(Some(request))
}

/// A line without its end, each byte as one character; `None` at the end of the connection.
fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    while line.last().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
        line.pop();
    }
    Ok(Some(line.iter().map(|byte| char::from(*byte)).collect()))
}

fn played(response: &Value) -> Played {
    match response["network_error"].as_str() {
        Some("timeout") => return Played::Silence,
        Some(_) => return Played::Close,
        None => {}
    }
    let body = if let Some(json) = response.get("json") {
        json.to_string().into_bytes()
    } else if let Some(text) = response["text"].as_str() {
        text.as_bytes().to_vec()
    } else {
        BASE64_STANDARD.decode(response["bytes_base64"].as_str().unwrap_or_default()).expect("base64")
    };
    let headers: Vec<(&str, &str)> = response["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value.as_str().expect("a header's text")))
        .collect();
    let status = response["status"].as_u64().and_then(|status| status.try_into().ok()).expect("a status");
    Played::Reply(reply(status, &headers, &body))
}

/// Writes a reply.
pub fn reply(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status} Recorded\r\n").into_bytes();
    for (name, value) in headers {
        out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    // These two never have a body, nor a length.
    if !matches!(status, 204 | 304) {
        out.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    if !matches!(status, 204 | 304) {
        out.extend_from_slice(body);
    }
    out
}
