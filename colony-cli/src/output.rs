//! Printing: data on stdout, talk on stderr, colour only for people who want it.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::OnceLock,
};

use comfy_table::{Cell, ContentArrangement, Table, presets};
use serde_json::Value;

use crate::failure::Failure;

/// How to print.
#[derive(Debug)]
pub(crate) struct Output {
    /// JSON instead of tables.
    pub(crate) json: bool,
    /// Nothing but the answer.
    pub(crate) quiet: bool,
    /// Why stdout could not be written. Nothing is written after that.
    broken: OnceLock<io::Error>,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet, broken: OnceLock::new() }
    }

    /// Prints a line of data.
    pub(crate) fn line(&self, text: &str) {
        self.bytes(format!("{text}\n").as_bytes());
    }

    /// Returns an error if something printed did not get there. A closed pipe (`| head`) is not one: its reader has
    /// seen enough.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        match self.broken.get() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::Local(format!("cannot write to stdout: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Prints JSON: on one line into a pipe, indented on a terminal.
    pub(crate) fn value(&self, value: &Value) {
        let pretty = io::stdout().is_terminal();
        let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
        self.line(&text.unwrap_or_default());
    }

    /// Prints bytes as they are.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        if self.broken.get().is_none()
            && let Err(error) = write_stdout(bytes)
        {
            let _ = self.broken.set(error);
        }
    }

    /// Prints a table with these headings.
    pub(crate) fn table(&self, headings: &[&str], rows: Vec<Vec<String>>) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        if !io::stdout().is_terminal() {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        let colour = stdout_has_colour();
        table.set_header(headings.iter().map(|heading| {
            let cell = Cell::new(heading.to_uppercase());
            if colour { cell.add_attribute(comfy_table::Attribute::Dim) } else { cell }
        }));
        if colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.add_rows(rows);
        self.line(table.trim_fmt().trim_end());
    }

    /// Tells something on stderr, unless that is unwanted.
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

/// Writes to the descriptor itself: [`io::stdout`] counts a write to one that is not open for writing as
/// done.
#[cfg(unix)]
fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    use std::os::fd::AsFd as _;

    std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?).write_all(bytes)
}

#[cfg(not(unix))]
fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// What others wrote, made safe for a terminal: no control characters, which could move the cursor or
/// change its title.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// One line of text, cut to so many characters.
pub(crate) fn short(text: &str, width: usize) -> String {
    let line = printable(text).replace(['\n', '\t'], " ");
    if line.chars().count() <= width {
        return line;
    }
    let cut: String = line.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// A moment as people read it.
pub(crate) fn moment(unix_seconds: f64) -> String {
    let moment = jiff::Timestamp::from_second(unix_seconds as i64).unwrap_or_default();
    moment.to_string()
}

/// A length of time in its largest unit.
pub(crate) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    match seconds {
        s if s >= 172_800.0 => format!("{:.0} days", s / 86_400.0),
        s if s >= 7200.0 => format!("{:.0} hours", s / 3600.0),
        s if s >= 120.0 => format!("{:.0} minutes", s / 60.0),
        s => format!("{s:.0} seconds"),
    }
}

/// <https://no-color.org>: any non-empty value means no colour.
fn colour_wanted() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

pub(crate) fn stdout_has_colour() -> bool {
    colour_wanted() && io::stdout().is_terminal()
}

pub(crate) fn stderr_has_colour() -> bool {
    colour_wanted() && io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_drive_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(short("one\ntwo three", 8), "one two…");
    }
}
