//! Warnings of the token session and connections, as lines on stderr for people: each once, however many clients a
//! command builds.

use std::{
    collections::BTreeSet,
    fmt::{Debug, Write as _},
    io::Write as _,
    sync::{Mutex, PoisonError},
};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{Layer, filter::Targets, layer::Context, registry::LookupSpan};

use crate::output::printable;

/// Prints the warnings that it receives.
pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    let targets = Targets::new()
        .with_target("colony::token", LevelFilter::WARN)
        .with_target("colony::events", LevelFilter::WARN)
        .with_target("colony::http", LevelFilter::WARN);
    Warnings::default().with_filter(targets)
}

#[derive(Default)]
struct Warnings {
    printed: Mutex<BTreeSet<String>>,
}

impl<S: Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let text = printable(&(text.message + &text.error));
        // Outages start and end while a program runs.
        let is_repeated = event.metadata().target() == "colony::events";
        if is_repeated || self.printed.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone()) {
            let _ = writeln!(std::io::stderr().lock(), "warning: {text}");
        }
    }
}

#[derive(Default)]
struct Text {
    message: String,
    error: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            "error" => write!(self.error, ": {value:?}"),
            _ => Ok(()),
        };
    }
}
