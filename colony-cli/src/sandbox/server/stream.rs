//! `GET /stream`: server-sent events of an account's notifications and messages, as far as the service describes them,
//! and simulated faults.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, header, request::Parts};
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

use super::super::reply::Reply;
use super::super::world::Frame;
use super::super::{StreamMode, lock};
use super::{Client, Server, rate_limit_headers, respond, too_many};

/// The kinds of notifications that `types` accepts.
const KINDS: [&str; 10] = [
    "mention",
    "comment",
    "comment_on_post",
    "reply",
    "reaction",
    "award",
    "follow",
    "group_invite",
    "group_message",
    "direct_message",
];
/// How often to check that the token is still valid, and after how many checks to send a keep-alive comment.
const TICK: Duration = Duration::from_secs(1);
const KEEP_ALIVE: u32 = 15;

/// An open stream.
struct Open {
    server: Arc<Server>,
    mode: watch::Receiver<StreamMode>,
    quitting: watch::Receiver<bool>,
    frames: broadcast::Receiver<Arc<Frame>>,
    pending: VecDeque<Bytes>,
    user: Uuid,
    token: String,
    full: bool,
    kinds: Vec<String>,
    ticks: u32,
}

pub(super) async fn serve(server: &Arc<Server>, peer: std::net::IpAddr, parts: &Parts) -> Response {
    let opened = open(server, parts).await;
    let client = opened.as_ref().map_or(Client::Address(peer), |open| Client::User(open.user));
    let verdict = server.count(client);
    let opened =
        if server.window_enforced && !verdict.allowed { Err(too_many(verdict, "requests")) } else { opened };
    let mut head = match opened {
        Ok(open) => {
            let mut response = respond(Reply::bytes(200, "text/event-stream", Bytes::new()));
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            *response.body_mut() = Body::from_stream(futures_util::stream::unfold(open, next));
            return response;
        }
        Err(refusal) => refusal,
    };
    rate_limit_headers(&mut head, verdict);
    respond(head)
}

async fn open(server: &Arc<Server>, parts: &Parts) -> Result<Open, Reply> {
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let given = |name: &str| {
        let value = query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    };
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let mut mode = server.stream.subscribe();
    let now = *mode.borrow_and_update();
    match now {
        StreamMode::Off => return Err(Reply::none("Page")),
        StreamMode::Hang => {}
        _ => return opened(server, mode, given, header),
    }
    // An error means that the server was dropped.
    let _ = mode.changed().await;
    Err(Reply::none("Page"))
}

fn opened<'a>(
    server: &Arc<Server>,
    mode: watch::Receiver<StreamMode>,
    given: impl Fn(&str) -> Option<&'a str>,
    header: impl Fn(&str) -> Option<&'a str>,
) -> Result<Open, Reply> {
    let bearer =
        header("authorization").and_then(|value| value.split_once(' ')).map(|(_, token)| token.trim());
    let Some(token) = bearer.or(given("token")) else {
        return Err(Reply::error(401, "AUTH_INVALID_TOKEN", "Not authenticated"));
    };
    let world = lock(&server.world);
    let user = world.signed_in(token);
    let user = user.ok_or_else(|| Reply::error(401, "AUTH_INVALID_TOKEN", "Invalid or expired token"))?;
    let own = format!("user:{user}:notifications");
    if given("channels").is_none_or(|channels| channels.split(',').any(|channel| channel.trim() != own)) {
        return Err(Reply::bad_input(format!("channels: the sandbox has {own} only")));
    }
    let kinds: Vec<String> = given("types")
        .map(|types| types.split(',').map(|kind| kind.trim().to_owned()).collect())
        .unwrap_or_default();
    if let Some(unknown) = kinds.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
        return Err(Reply::bad_input(format!("types: {unknown:?} is no type of notification")));
    }
    let full = match given("verbosity") {
        None | Some("compact") => false,
        Some("full") => true,
        Some(_) => return Err(Reply::bad_input("verbosity is compact or full")),
    };
    let last = header("last-event-id").or(given("last_event_id")).and_then(|id| id.parse().ok());
    let (kept, frames) = world.frames.after(last);
    drop(world);
    let mut open = Open {
        server: Arc::clone(server),
        mode,
        quitting: server.quitting.clone(),
        frames,
        pending: VecDeque::from([Bytes::from_static(b": welcome\n\n")]),
        user,
        token: token.to_owned(),
        full,
        kinds,
        ticks: 0,
    };
    let kept: Vec<Bytes> =
        kept.iter().filter(|frame| open.wants(frame)).map(|frame| frame.text(full).into()).collect();
    open.pending.extend(kept);
    Ok(open)
}

impl Open {
    fn wants(&self, frame: &Frame) -> bool {
        let is_kind = |kind: &str| self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind);
        frame.to == self.user && frame.kind.is_none_or(is_kind)
    }

    fn is_signed_in(&self) -> bool {
        lock(&self.server.world).signed_in(&self.token) == Some(self.user)
    }
}

/// The event that came first.
enum Came {
    Frame(Arc<Frame>),
    /// The mode changed, or the server stopped.
    End,
    Tick,
}

impl Open {
    async fn wait(&mut self) -> Came {
        tokio::select! {
            frame = self.frames.recv() => match frame {
                Ok(frame) => Came::Frame(frame),
                Err(broadcast::error::RecvError::Lagged(_)) => Came::Tick,
                Err(broadcast::error::RecvError::Closed) => Came::End,
            },
            _ = self.mode.changed() => Came::End,
            _ = self.quitting.wait_for(|quit| *quit) => Came::End,
            () = tokio::time::sleep(TICK) => Came::Tick,
        }
    }

    fn is_over(&self) -> bool {
        *self.quitting.borrow() || self.mode.has_changed().unwrap_or(true)
    }
}

/// Returns the next bytes of a stream; `None` ends it.
async fn next(mut open: Open) -> Option<(io::Result<Bytes>, Open)> {
    loop {
        if open.is_over() {
            return None;
        }
        let mode = *open.mode.borrow();
        match mode {
            StreamMode::On | StreamMode::Dying => {
                if let Some(bytes) = open.pending.pop_front() {
                    return Some((Ok(bytes), open));
                }
            }
            StreamMode::Garbage => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                let bytes = Uuid::new_v4().into_bytes().repeat(64);
                return Some((Ok(bytes.into()), open));
            }
            StreamMode::Endless => {
                return Some((Ok(Bytes::from(format!("data: {}", "x".repeat(64 * 1024)))), open));
            }
            // Breaks the connection.
            _ => return Some((Err(io::Error::other("as told")), open)),
        }
        if mode == StreamMode::Dying {
            lock(&open.server.world).tokens.revoke(&open.token);
        }
        if !open.is_signed_in() {
            return None;
        }
        match open.wait().await {
            Came::End => return None,
            Came::Frame(frame) if open.wants(&frame) => open.pending.push_back(frame.text(open.full).into()),
            Came::Frame(_) => {}
            Came::Tick => {
                open.ticks += 1;
                if open.ticks.is_multiple_of(KEEP_ALIVE) {
                    open.pending.push_back(Bytes::from_static(b": keep-alive\n\n"));
                }
            }
        }
    }
}
