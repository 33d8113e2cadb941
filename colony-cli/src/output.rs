//! Output: data on stdout, messages on stderr, color only for people who want it.

mod select;
mod table;
mod wording;

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::OnceLock,
};

use serde_json::Value;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

pub(crate) use select::Select;
pub(crate) use table::{Column, spare, text, whole};
pub(crate) use wording::{ago, moment, moment_of, one_line, printable, span};

/// How to print.
#[derive(Debug)]
pub(crate) struct Output {
    /// Print JSON instead of tables.
    pub(crate) json: bool,
    /// Print nothing but the reply.
    pub(crate) quiet: bool,
    /// Why stdout could not be written. Nothing is written after that.
    broken: OnceLock<io::Error>,
    /// The part of the JSON to print.
    select: Option<Select>,
    /// The selected part that a reply lacks.
    missing: OnceLock<String>,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet, broken: OnceLock::new(), select: None, missing: OnceLock::new() }
    }

    /// Prints only this part of every reply, as JSON.
    pub(crate) fn select(mut self, select: Option<Select>) -> Self {
        self.json |= select.is_some();
        self.select = select;
        self
    }

    /// Prints a line of data.
    pub(crate) fn line(&self, text: &str) {
        self.bytes(format!("{text}\n").as_bytes());
    }

    /// Returns an error if output could not be written, or the selected part was missing. A closed pipe (`| head`) is
    /// no error: its reader has seen enough.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        match self.broken.get() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::Local(format!("cannot write to stdout: {error}")))
            }
            _ => self.missing.get().map_or(Ok(()), |missing| Err(Failure::Local(missing.clone()))),
        }
    }

    /// Prints JSON, or the selected part of it: on one line into a pipe, indented on a terminal.
    pub(crate) fn value(&self, value: &Value) {
        match &self.select {
            None => self.line(&rendered(value)),
            Some(select) => match select.apply(value) {
                Ok(found) => found.iter().for_each(|found| match found {
                    Value::String(text) if io::stdout().is_terminal() => self.line(&printable(text)),
                    Value::String(text) => self.line(text),
                    other => self.line(&rendered(other)),
                }),
                Err(missing) => drop(self.missing.set(missing)),
            },
        }
    }

    /// Prints JSON, or the selected part of it, on one line without terminal control characters.
    pub(crate) fn json_line(&self, value: &Value) {
        match &self.select {
            Some(_) => self.value(value),
            None if io::stdout().is_terminal() => self.line(&wording::escaped(&value.to_string())),
            None => self.line(&value.to_string()),
        }
    }

    /// Returns whether writing has failed, so that printing more is pointless.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.get().is_some()
    }

    /// Prints the bytes of a reply: unchanged into a pipe, on a terminal as text without control characters.
    pub(crate) fn answer(&self, bytes: &[u8]) {
        if io::stdout().is_terminal() {
            self.bytes(printable(&String::from_utf8_lossy(bytes)).as_bytes());
        } else {
            self.bytes(bytes);
        }
    }

    fn bytes(&self, bytes: &[u8]) {
        if self.broken.get().is_none()
            && let Err(error) = write_stdout(bytes)
        {
            let _ = self.broken.set(error);
        }
    }

    /// Prints a table that fits the terminal. Nothing is shortened in a pipe.
    pub(crate) fn table(&self, columns: &[Column], rows: Vec<Vec<String>>) {
        let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        let mut lines = table::lines(columns, &rows, width.filter(|width| *width > 0));
        if stdout_has_colour() {
            lines[0] = format!("\x1b[2m{}\x1b[0m", lines[0]);
        }
        self.line(&lines.join("\n"));
    }

    /// Prints a message on stderr, unless `--quiet` is set.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    pub(crate) fn error(&self, text: &str) {
        let (red, reset) = if stderr_has_colour() { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
        let _ = writeln!(io::stderr().lock(), "{red}error:{reset} {}", printable(text));
    }

    pub(crate) fn hint(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "  next: {}", printable(text));
    }

    pub(crate) fn error_line(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// Writes to the descriptor directly: [`io::stdout`] reports success for one that is not open for writing.
#[cfg(unix)]
fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    use std::os::fd::AsFd as _;

    if STDOUT_WAS_CLOSED.load(Ordering::Relaxed) {
        return Err(io::Error::other("it is closed"));
    }
    std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?).write_all(bytes)
}

/// Whether the program was started without a stdout. The standard library replaces a closed one with `/dev/null`
/// before `main` runs, and every write to that succeeds.
#[cfg(unix)]
static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
#[ctor::ctor]
fn look_at_stdout() {
    let descriptors = std::path::Path::new("/dev/fd");
    let closed = descriptors.join("1").symlink_metadata().is_err() && descriptors.join(".").is_dir();
    STDOUT_WAS_CLOSED.store(closed, Ordering::Relaxed);
}

#[cfg(not(unix))]
fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

fn rendered(value: &Value) -> String {
    if io::stdout().is_terminal() {
        wording::escaped(&serde_json::to_string_pretty(value).unwrap_or_default())
    } else {
        serde_json::to_string(value).unwrap_or_default()
    }
}

/// When to use color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless the environment says otherwise
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The value of `--color`.
static COLOUR: OnceLock<Colour> = OnceLock::new();

/// Stores the value of `--color`.
pub(crate) fn set_colour(colour: Colour) {
    let _ = COLOUR.set(colour);
}

/// Returns whether to use color. `--color` takes precedence over the environment: [`NO_COLOR`](https://no-color.org),
/// then [`CLICOLOR_FORCE`](https://bixense.com/clicolors/), then a `TERM` that is dumb.
fn has_colour(is_terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match COLOUR.get().copied().unwrap_or_default() {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto if set("NO_COLOR") => false,
        Colour::Auto
            if set("CLICOLOR_FORCE") && std::env::var_os("CLICOLOR_FORCE").is_some_and(|it| it != "0") =>
        {
            true
        }
        Colour::Auto => is_terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}

pub(crate) fn stdout_has_colour() -> bool {
    has_colour(io::stdout().is_terminal())
}

pub(crate) fn stderr_has_colour() -> bool {
    has_colour(io::stderr().is_terminal())
}
