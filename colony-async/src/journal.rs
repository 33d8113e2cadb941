//! The log of a host's tokens: which process got one, when, and which was refused.
//!
//! `log.jsonl` is beside the files that it describes, is private, and grows by whole lines: each is one write to a
//! file opened for appending, which the system performs in one piece (not across a network mount). A line is JSON
//! with the time, the process, the program, the event, the name of the token file, and the first digits of the
//! token's SHA-256. It contains no token, no key and no text of a server. The file can be removed at any time; the
//! next line begins a new one.
//!
//! The log is best effort: a log that cannot be written fails no call. A token from memory or from the file, which is
//! almost every call, writes no line.

use std::{path::Path, time::Duration};

use colony_core::{Error, openid::audience::Audience, token::refusals};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::disk::Disk;

/// The log's name in its directory.
pub const FILE: &str = "log.jsonl";
/// The longest audience that is logged, in characters, so that a line stays well below the size that a system writes
/// in one piece.
const LONGEST: usize = 200;

/// Something that happened to a token.
pub(crate) enum Event<'e> {
    /// This process logged in, exchanged, or fetched a token.
    Minted { token: &'e SecretString, expires_at: f64, took: Duration },
    /// This process used a refresh token.
    Refreshed { token: Option<&'e SecretString>, expires_at: f64, took: Duration },
    /// Another process got a token first, and it is used here.
    Adopted { token: Option<&'e SecretString>, waited: Duration },
    /// The server returned no token, or nothing was sent.
    Refused { error: &'e Error },
}

/// Adds a line to the log in this directory (blocking). `name` is that of the token's file, without its extension.
pub(crate) fn write(
    disk: &dyn Disk,
    directory: &Path,
    now: f64,
    name: &str,
    audience: Option<&Audience>,
    event: &Event<'_>,
) {
    let line = line(now, name, audience, event);
    if let Err(error) = disk.append(&directory.join(FILE), line.as_bytes()) {
        tracing::debug!(target: "colony::token", event = "unlogged", %error, "the log of tokens cannot be written");
    }
}

fn line(now: f64, name: &str, audience: Option<&Audience>, event: &Event<'_>) -> String {
    let mut line = Map::new();
    // Milliseconds are precise enough, and easier to read.
    let rounded = |seconds: f64| json!((seconds * 1000.0).round() / 1000.0);
    line.insert("at".into(), rounded(now));
    line.insert("process".into(), std::process::id().into());
    line.insert("program".into(), program().into());
    let mut tell = |name: &str, value: Value| drop(line.insert(name.to_owned(), value));
    tell("name", name.into());
    if let Some(audience) = audience {
        tell("audience", audience.audience.chars().take(LONGEST).collect::<String>().into());
    }
    let mut with_token = |token: Option<&SecretString>| {
        if let Some(token) = token {
            tell("token", refusals::hash(token).into());
        }
    };
    match event {
        Event::Minted { token, expires_at, took } => {
            with_token(Some(token));
            tell("event", "minted".into());
            tell("expires_at", rounded(*expires_at));
            tell("took", rounded(took.as_secs_f64()));
        }
        Event::Refreshed { token, expires_at, took } => {
            with_token(*token);
            tell("event", "refreshed".into());
            tell("expires_at", rounded(*expires_at));
            tell("took", rounded(took.as_secs_f64()));
        }
        Event::Adopted { token, waited } => {
            with_token(*token);
            tell("event", "adopted".into());
            tell("waited", rounded(waited.as_secs_f64()));
        }
        Event::Refused { error } => {
            tell("event", "refused".into());
            tell("kind", error.kind().as_str().into());
            tell("status", error.status().into());
        }
    }
    format!("{}\n", Value::Object(line))
}

/// Returns the name of this program.
fn program() -> String {
    let path = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&path).file_name().unwrap_or_default().to_string_lossy();
    name.chars().filter(|c| c.is_ascii_graphic()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use colony_core::ErrorKind;

    use super::*;

    #[test]
    fn a_line_is_whole_and_holds_no_secret() {
        let token = SecretString::from("planted-token");
        let error = Error::build(ErrorKind::Auth, "planted-text").status(401).code("planted-code").finish();
        let audience = Audience::new("a\n".repeat(2_000));
        let took = Duration::from_millis(12);
        for event in [
            Event::Minted { token: &token, expires_at: 1_790_000_000.5, took },
            Event::Refreshed { token: Some(&token), expires_at: 1_790_000_000.5, took },
            Event::Adopted { token: Some(&token), waited: took },
            Event::Refused { error: &error },
        ] {
            let line = line(1_790_000_000.25, "0123456789abcdef", Some(&audience), &event);
            assert!(line.ends_with('\n') && line.lines().count() == 1 && line.len() < 1_000, "{line}");
            assert!(!line.contains("planted"), "{line}");
            let read: Value = serde_json::from_str(&line).unwrap();
            assert_eq!((&read["at"], &read["name"]), (&json!(1_790_000_000.25), &json!("0123456789abcdef")));
        }
    }

    /// Each line is written to a newly opened file, as a separate process does it.
    #[test]
    fn lines_of_many_writers_are_whole_and_none_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for writer in 0..100 {
                let directory = directory.path();
                scope.spawn(move || {
                    for number in 0..100 {
                        let token = SecretString::from(format!("{writer}-{number}"));
                        let event = Event::Adopted { token: Some(&token), waited: Duration::ZERO };
                        write(&crate::disk::Real, directory, 1.0, "0123456789abcdef", None, &event);
                    }
                });
            }
        });
        let text = fs::read_to_string(directory.path().join(FILE)).unwrap();
        let tokens: std::collections::BTreeSet<String> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["token"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!((text.lines().count(), tokens.len()), (10_000, 10_000));
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_to_what_others_put_there() {
        let directory = tempfile::tempdir().unwrap();
        let elsewhere = directory.path().join("elsewhere");
        fs::write(&elsewhere, "").unwrap();
        std::os::unix::fs::symlink(&elsewhere, directory.path().join(FILE)).unwrap();
        let token = SecretString::from("x");
        let event = Event::Adopted { token: Some(&token), waited: Duration::ZERO };
        write(&crate::disk::Real, directory.path(), 1.0, "0123456789abcdef", None, &event);
        assert_eq!(fs::read(&elsewhere).unwrap(), b"");
    }
}
