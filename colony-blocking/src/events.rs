//! Hearing what happens, for code without async: [`colony_async::events`] with the same promises.
//!
//! ```no_run
//! use colony_blocking::events::{StateFile, Watch};
//!
//! # fn example(client: colony_blocking::Client) -> colony_blocking::Result<()> {
//! let mut events = client.events().watch(Watch::new().state_file(StateFile::for_account("reply-bot")));
//! let stopper = events.stopper(); // for the handler of Ctrl-C
//! while let Some(received) = events.try_next()? {
//!     println!("{}", received.id());
//!     received.done();
//! }
//! events.close()?;
//! # Ok(()) }
//! ```

use std::fmt;

use colony_async::events::EventStream;
#[doc(inline)]
pub use colony_async::events::{Received, Stopper};
#[doc(inline)]
pub use colony_core::events::*;
use colony_core::{Error, ErrorKind, Result};

use crate::Http;

/// What happens, event by event, until it is stopped: an [`Iterator`] of results, whose first error is the last item.
/// From [`Client::events`](colony_core::Client::events).
#[must_use = "nothing is sent until the first event is asked for"]
pub struct EventIter {
    http: Http,
    /// On its way to the client's thread and back while an event is waited for.
    stream: Option<EventStream>,
    stopper: Stopper,
}

impl EventIter {
    pub(crate) fn new(http: Http, stream: EventStream) -> Self {
        Self { http, stopper: stream.stopper(), stream: Some(stream) }
    }

    /// Waits for the next event; `None` once it is stopped.
    ///
    /// # Errors
    ///
    /// See [`EventStream::try_next`].
    pub fn try_next(&mut self) -> Result<Option<Received>> {
        let mut stream = self.stream.take().ok_or_else(gone)?;
        let (stream, next) = self.http.wait(async move {
            let next = stream.try_next().await;
            Ok((stream, next))
        })?;
        self.stream = Some(stream);
        next
    }

    /// See [`EventStream::stopper`]: it is how a loop in another thread ends.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// See [`EventStream::health`].
    pub fn health(&self) -> Option<Health> {
        self.stream.as_ref().map(EventStream::health)
    }

    /// See [`EventStream::close`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn close(mut self) -> Result<Position> {
        let stream = self.stream.take().ok_or_else(gone)?;
        self.http.wait(stream.close())
    }
}

impl Iterator for EventIter {
    type Item = Result<Received>;

    fn next(&mut self) -> Option<Result<Received>> {
        self.stream.as_ref()?;
        let next = self.try_next().transpose();
        if let Some(Err(_)) = next {
            self.stream = None;
        }
        next
    }
}

impl fmt::Debug for EventIter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventIter").field("health", &self.health()).finish_non_exhaustive()
    }
}

#[cold]
fn gone() -> Error {
    Error::build(ErrorKind::Config, "the watch has ended with the client's thread").finish()
}
