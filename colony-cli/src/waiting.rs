//! Reports on stderr what a command is waiting for, after a second.
//!
//! The library reports retries and locks as `tracing` events and each request through a hook. Nothing is printed with
//! `--quiet`, nor with `--json` if no person sees it: there the only line on stderr is an error.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

use crate::args::Global;

/// A shorter wait is not reported.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often to check for something to report.
const TICK: Duration = Duration::from_millis(200);
/// How long one call may take in total, and a login, unless the options set less: the client's defaults.
const CALL: Duration = Duration::from_secs(180);
const LOGIN: Duration = Duration::from_secs(130);

struct Wait {
    what: String,
    since: Instant,
    limit: Duration,
    is_told: bool,
}

#[derive(Default)]
struct State {
    /// The current operation, and when it began.
    begun: Option<(&'static str, Instant)>,
    wait: Option<Wait>,
    /// Its failed attempts.
    failed: Option<String>,
}

static STATE: Mutex<State> = Mutex::new(State { begun: None, wait: None, failed: None });
/// Whether anything is printed.
static TELLS: OnceLock<bool> = OnceLock::new();
/// The value of `--deadline`.
static DEADLINE: OnceLock<Duration> = OnceLock::new();

fn state() -> std::sync::MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Decides whether anything is printed.
pub(crate) fn set(global: &Global, json: bool) {
    if let Some(deadline) = global.deadline {
        let _ = DEADLINE.set(deadline);
    }
    let _ = TELLS.set(!global.quiet && (!json || io::stderr().is_terminal()));
}

/// Returns whether a person wants reports.
pub(crate) fn tells() -> bool {
    TELLS.get() == Some(&true)
}

fn tell(text: &str) {
    if tells() {
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// Records that a request was sent, whose reply is awaited for at most `limit`.
pub(crate) fn sent(operation: &'static str, limit: Duration) {
    let (mut state, now) = (state(), Instant::now());
    if state.begun.is_none_or(|(begun, _)| begun != operation) {
        state.begun = Some((operation, now));
        state.failed = None;
    }
    let what = format!("waiting for the answer to {}", name(operation));
    state.wait = Some(Wait { what, since: now, limit, is_told: false });
}

/// Describes the current operation's failed attempts.
pub(crate) fn failed() -> Option<String> {
    state().failed.clone()
}

/// Marks a wait until this is dropped, for at most the limit of one request.
pub(crate) struct Waiting(());

/// Marks a wait for an OpenID provider's reply.
pub(crate) fn provider(limit: Duration) -> Waiting {
    let what = "waiting for the answer of the provider".to_owned();
    state().wait = Some(Wait { what, since: Instant::now(), limit, is_told: false });
    Waiting(())
}

impl Drop for Waiting {
    fn drop(&mut self) {
        state().wait = None;
    }
}

/// Reports waits as long as it is polled.
pub(crate) async fn watch() {
    loop {
        tokio::time::sleep(TICK).await;
        let mut state = state();
        let Some(wait) = state.wait.as_mut().filter(|wait| !wait.is_told && wait.since.elapsed() > PATIENCE)
        else {
            continue;
        };
        wait.is_told = true;
        let (since, left) = (wait.since.elapsed(), wait.limit.saturating_sub(wait.since.elapsed()));
        tell(&format!("{}, for {} s so far, at most {} s more", wait.what, since.as_secs(), seconds(left)));
    }
}

fn seconds(time: Duration) -> u64 {
    time.as_secs_f64().ceil() as u64
}

fn name(operation: &str) -> &str {
    if operation == "get_auth_token" { "the login" } else { operation }
}

/// Listens to the library's events.
pub(crate) struct Listener;

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut seen = Seen::default();
        event.record(&mut seen);
        match seen.event.as_str() {
            "retry" => retry(&seen),
            "waiting" => {
                let what = "waiting for the login of another program".to_owned();
                let limit = Duration::from_millis(seen.limit_ms);
                state().wait = Some(Wait { what, since: Instant::now(), limit, is_told: false });
            }
            "waited" => state().wait = None,
            _ => {}
        }
    }
}

fn retry(seen: &Seen) {
    let pause = Duration::from_millis(seen.wait_ms);
    let mut state = state();
    state.wait = None;
    let tries = if seen.tries == 1 { "one try".to_owned() } else { format!("{} tries", seen.tries) };
    state.failed = Some(format!("{tries} of {} had failed, the last with {}", seen.operation, seen.why));
    if pause < PATIENCE {
        return;
    }
    let spent = state.begun.map_or(Duration::ZERO, |(_, begun)| begun.elapsed());
    drop(state);
    let limit = if seen.operation == "get_auth_token" { LOGIN } else { CALL };
    tell(&format!(
        "retrying {} ({}), next try in {} s, at most {} s more",
        name(&seen.operation),
        seen.why,
        seconds(pause),
        seconds(limit.min(DEADLINE.get().copied().unwrap_or(limit)).saturating_sub(spent))
    ));
}

/// The fields of an event that are printed.
#[derive(Default)]
struct Seen {
    event: String,
    operation: String,
    why: String,
    wait_ms: u64,
    limit_ms: u64,
    tries: u64,
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let place = match field.name() {
            "event" => &mut self.event,
            "operation" => &mut self.operation,
            "error.type" => &mut self.why,
            _ => return,
        };
        *place = format!("{value:?}").trim_matches('"').to_owned();
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "wait_ms" => self.wait_ms = value,
            "limit_ms" => self.limit_ms = value,
            "http.request.resend_count" => self.tries = value,
            _ => {}
        }
    }
}
