//! The warnings of all clients in this process. Clients work on their own threads, so warnings are caught for the
//! whole process, and distinguished by the server's address.

use std::{
    fmt::{Debug, Write as _},
    sync::{Mutex, Once, PoisonError},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::set_global_default,
};

static CAUGHT: Mutex<Vec<String>> = Mutex::new(Vec::new());
static ONCE: Once = Once::new();

/// Starts to catch warnings. Can be called more than once.
pub(crate) fn catch() {
    ONCE.call_once(|| set_global_default(Catcher).expect("nobody else catches"));
}

/// Takes the deprecation warnings that concern this server.
pub(crate) fn take_deprecations(authority: &str) -> Vec<String> {
    let port = authority.rsplit(':').next().unwrap_or_default();
    let server = format!("port={port} ");
    let mut caught = CAUGHT.lock().unwrap_or_else(PoisonError::into_inner);
    caught.extract_if(.., |line| line.contains(&server)).collect()
}

struct Catcher;

impl Subscriber for Catcher {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN && metadata.target() == "colony::http"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        if line.0.contains("event=\"deprecated\"") {
            CAUGHT.lock().unwrap_or_else(PoisonError::into_inner).push(line.0);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}
