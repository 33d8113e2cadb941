//! The driver of a watch: sends, waits and keeps the position for [`Machine`], which contains the rules.

mod bell;
mod file;

use std::{
    fmt,
    ops::Deref,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use colony_core::{Reply as CoreReply, Result};
use futures_util::future::{BoxFuture, Either, select};
use serde_json::Value;
use tokio::sync::watch;

#[doc(hidden)]
pub use self::file::PositionFile;
pub(crate) use self::file::default_directory as state_directory;
use crate::{http::Http, time::unix};
#[doc(inline)]
pub use colony_core::events::*;

/// A stream of events that lasts until it is stopped. From [`Client::events`](colony_core::Client::events).
///
/// ```no_run
/// # async fn example(client: colony_async::Client) -> colony_async::Result<()> {
/// use colony_async::events::Watch;
///
/// let mut events = client.events().watch(Watch::new());
/// while let Some(received) = events.try_next().await? {
///     println!("{}", received.id());
///     received.done();
/// }
/// # Ok(()) }
/// ```
#[must_use = "nothing is sent until the first event is asked for"]
pub struct EventStream {
    http: Http,
    shared: Arc<Shared>,
    wanted: Option<StateFile>,
    file: Option<PositionFile>,
    /// The request under way: a cancelled wait does not end it.
    call: Option<BoxFuture<'static, Result<CoreReply>>>,
    bell: bell::Bell,
    clock: Clock,
}

/// Gives a machine the time.
#[derive(Clone, Copy)]
struct Clock {
    start: f64,
    /// The time slept on a timer for tests, on which pauses take no time.
    skipped: Duration,
}

impl Clock {
    fn now(self, http: &Http) -> Moment {
        let timer = &**http.timer();
        let unix = unix(timer);
        let elapsed = timer.monotonic();
        let elapsed =
            elapsed.unwrap_or_else(|| Duration::try_from_secs_f64(unix - self.start).unwrap_or_default());
        Moment::new(elapsed + self.skipped, unix + self.skipped.as_secs_f64())
    }
}

struct Shared {
    machine: Mutex<Machine>,
    /// Whether to stop, and how many events are handled.
    state: watch::Sender<(bool, u64)>,
}

impl Shared {
    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopped(&self) -> bool {
        self.state.borrow().0
    }
}

impl EventStream {
    pub(crate) fn new(http: Http, settings: Watch) -> Self {
        let clock = Clock { start: unix(&**http.timer()), skipped: Duration::ZERO };
        let settings = if http.can_listen() { settings } else { settings.bell(false) };
        let wanted = settings.file().cloned();
        let shared =
            Shared { machine: Mutex::new(Machine::new(settings)), state: watch::Sender::new((false, 0)) };
        Self {
            http,
            shared: Arc::new(shared),
            wanted,
            file: None,
            call: None,
            bell: bell::Bell::default(),
            clock,
        }
    }

    /// Waits for the next event; `None` once the watch is stopped. Cancelling the wait loses nothing.
    ///
    /// # Errors
    ///
    /// A permanent failure, such as a refused login or a state file that cannot be used. Passing failures are waited
    /// out.
    pub async fn try_next(&mut self) -> Result<Option<Received>> {
        let mut state = self.shared.state.subscribe();
        loop {
            if self.shared.is_stopped() {
                self.call = None;
                return Ok(None);
            }
            if let Some(call) = &mut self.call {
                let stopped = pin!(state.wait_for(|state| state.0));
                let Either::Right((outcome, _)) = select(stopped, call).await else { continue };
                self.call = None;
                let now = self.now();
                let mut machine = self.shared.machine();
                match outcome {
                    Ok(reply) => machine.took(&reply, now),
                    Err(error) => machine.failed(error, now),
                }
                machine.take_notices().iter().for_each(report);
                continue;
            }
            let timer = Arc::clone(self.http.timer());
            let now = self.now();
            let step = {
                let mut machine = self.shared.machine();
                let step = machine.next(now, timer.random());
                machine.take_notices().iter().for_each(report);
                step
            };
            match step {
                Step::Give(given) => {
                    return Ok(Some(Received { given: *given, shared: Arc::clone(&self.shared) }));
                }
                Step::Send(request) => {
                    self.keep();
                    let http = self.http.clone();
                    self.call = Some(Box::pin(async move { http.send_fresh(&request).await }));
                }
                Step::Open { account } => self.open(&account)?,
                Step::Wait(wait) => {
                    self.keep();
                    let has_slept = {
                        let stopped = pin!(state.wait_for(|state| state.0));
                        let rung = pin!(self.bell.rung(&self.http, &self.shared, self.clock));
                        let ended = select(stopped, select(timer.sleep(wait), rung)).await;
                        matches!(ended, Either::Right((Either::Left(_), _)))
                    };
                    if has_slept && self.now().elapsed.saturating_sub(now.elapsed) < wait / 2 {
                        self.clock.skipped += wait;
                        // Gives other tasks their turn.
                        tokio::task::yield_now().await;
                    }
                }
                Step::Full => {
                    self.keep();
                    // The sender lives in `shared`.
                    let _ = state.changed().await;
                }
                Step::End(error) => return Err(error),
                _ => return Ok(None),
            }
        }
    }

    /// Returns a handle that ends the watch, for a signal handler: [`try_next`](Self::try_next) then returns `None`
    /// at once, whatever it is waiting for.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.shared))
    }

    /// Returns the health of the watch.
    pub fn health(&self) -> Health {
        self.shared.machine().health()
    }

    /// Returns the position of the watch. After a resume from it, events not handled by now come again.
    pub fn position(&self) -> Position {
        self.shared.machine().position()
    }

    /// Returns the account's id, once it is known.
    pub fn account(&self) -> Option<String> {
        self.shared.machine().account().map(str::to_owned)
    }

    /// Returns the path of the state file, once it is open.
    pub fn state_path(&self) -> Option<std::path::PathBuf> {
        self.file.as_ref().map(PositionFile::path)
    }

    /// Writes the state file, if there is one and something has changed. It is also written when the next round
    /// begins, and by [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// [`Io`](colony_core::ErrorKind::Io) when it cannot be written; the old one stays.
    pub fn save(&mut self) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let changed = {
            let mut machine = self.shared.machine();
            machine.take_change().then(|| machine.position())
        };
        changed.map_or(Ok(()), |position| file.write(&position))
    }

    /// Ends the watch: writes the position, and releases the state file. A login under way is completed, for as long
    /// as one request may take, so that its token is kept.
    ///
    /// # Errors
    ///
    /// [`Io`](colony_core::ErrorKind::Io) when the file cannot be written.
    pub async fn close(mut self) -> Result<Position> {
        self.call = None;
        let saved = self.save();
        let limit = self.http.timer().sleep(self.http.timeout());
        select(pin!(self.http.session().settled()), limit).await;
        saved?;
        Ok(self.position())
    }

    fn now(&self) -> Moment {
        self.clock.now(&self.http)
    }

    fn open(&mut self, account: &str) -> Result<()> {
        let Some(wanted) = &self.wanted else { return Ok(()) };
        let (file, position) = PositionFile::open(wanted, account, self.http.base_url())?;
        self.file = Some(file);
        self.shared.machine().resume(position);
        Ok(())
    }

    /// As [`save`](Self::save), but only logs an error: it costs repeats after a restart, and no event.
    fn keep(&mut self) {
        if let Err(error) = self.save() {
            tracing::warn!(
                target: "colony::events", event = "position_not_kept", %error,
                "the position cannot be written; after a restart events come again"
            );
        }
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("health", &self.health()).finish_non_exhaustive()
    }
}

/// An event for the program. Until it is marked as [`done`](Self::done) it counts as not handled, and comes again
/// after a restart. Events can be marked in any order, from any task.
#[must_use = "an event that is not `done` comes again after a restart"]
pub struct Received {
    given: Given,
    shared: Arc<Shared>,
}

impl Received {
    /// Marks the event as handled.
    pub fn done(self) {
        self.shared.machine().done(&self.given.event.id());
        self.shared.state.send_modify(|state| state.1 += 1);
    }

    /// Returns the row as the service sent it; for a gap, the known part of it.
    pub fn row(&self) -> &Value {
        &self.given.row
    }
}

impl Deref for Received {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.given.event
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Received").field(&self.given.event.id()).finish()
    }
}

/// A handle that ends a watch from anywhere. Cloning is cheap.
#[derive(Clone)]
pub struct Stopper(Arc<Shared>);

impl Stopper {
    /// Ends the watch. No more requests are sent, and the next event is `None`.
    pub fn stop(&self) {
        self.0.state.send_modify(|state| state.0 = true);
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stopper")
    }
}

impl Http {
    pub(crate) async fn peek_events(self, position: Position) -> Result<(Vec<Event>, Position)> {
        let mut stream = EventStream::new(self, Watch::new().position(position).once(true));
        let mut events = Vec::new();
        while let Some(received) = stream.try_next().await? {
            events.push(Event::clone(&received));
            received.done();
        }
        Ok((events, stream.position()))
    }
}

fn report(notice: &Notice) {
    match notice {
        Notice::Outage(error) => tracing::warn!(
            target: "colony::events", event = "outage", %error, "no events can be fetched; trying again until it works"
        ),
        Notice::Recovered(failures) => tracing::warn!(
            target: "colony::events", event = "recovered", failures, "events are fetched again"
        ),
        Notice::Full(undone) => tracing::warn!(
            target: "colony::events", event = "full", undone,
            "no more events are fetched until some of these are done"
        ),
        Notice::Forgetful => tracing::warn!(
            target: "colony::events", event = "forgetful",
            "more events are done than are remembered; finish the oldest one, or some come again after a restart"
        ),
        Notice::NoBell(why) => tracing::debug!(
            target: "colony::events", event = "no_bell", %why,
            "the service does not push events; it is polled"
        ),
        _ => {}
    }
}
