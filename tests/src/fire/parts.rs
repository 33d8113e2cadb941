//! The parts that run in separate processes: `under_fire part NAME [ARGUMENT]`.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use colony_async::bench_support::TokenFile;
use colony_core::token::{cache_path, envelope::Envelope};
use secrecy::ExposeSecret as _;

use super::{children, pythons, readers, scene, secrets, swaps, warm, watching};
use crate::crew::Place;

type Failed = Box<dyn std::error::Error>;

/// Runs a part: the first argument is its name. For the program `under_fire` only.
///
/// # Errors
///
/// When there is no such part, or it cannot be run.
pub fn play(arguments: &[String]) -> Result<(), Failed> {
    let argument = arguments.get(1).map(String::as_str).unwrap_or_default();
    match arguments.first().map(String::as_str) {
        Some("write") => write(argument),
        Some("read") => read(argument),
        Some("hooks") => super::hooks::serve(),
        Some("hammer") => swaps::hammer(argument),
        Some("parent") => children::parent(argument),
        Some("fork") => children::fork(argument),
        Some("chat") => pythons::chat(argument),
        Some("tell") => secrets::tell(argument),
        Some("warm") => warm::lookups(argument),
        Some("hear") => watching::memory::hear(argument),
        other => Err(format!("there is no part {other:?}").into()),
    }
}

/// A process that runs a part. It is killed when this is dropped.
pub(super) struct Player {
    pub(super) child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
}

impl Player {
    pub(super) fn start(place: &Place, part: &str, argument: &str) -> io::Result<Self> {
        let mut command = place.command();
        command.args(["part", part, argument]);
        Self::spawn(command)
    }

    pub(super) fn spawn(mut command: std::process::Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().map(BufReader::new);
        Ok(Self { stdin: child.stdin.take(), stdout, child })
    }

    /// Reads the next line that it prints.
    pub(super) fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stdout.as_mut().ok_or_else(gone)?.read_line(&mut line)?;
        if line.is_empty() { Err(io::Error::other("a part ended too early")) } else { Ok(line) }
    }

    /// Takes its stdout, for a thread that reads all of it.
    pub(super) fn take_stdout(&mut self) -> io::Result<BufReader<ChildStdout>> {
        self.stdout.take().ok_or_else(gone)
    }

    pub(super) fn say(&mut self, line: &str) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or_else(gone)?;
        stdin.write_all(format!("{line}\n").as_bytes())
    }

    /// Closes its stdin, which tells a part to end.
    pub(super) fn hang_up(&mut self) {
        self.stdin = None;
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn gone() -> io::Error {
    io::Error::other("the stream is closed")
}

/// Returns the cache directory, as every program finds it.
pub(super) fn directory() -> Result<std::path::PathBuf, Failed> {
    Ok(std::env::var_os("COLONY_SDK_TOKEN_CACHE_DIR").ok_or("no directory")?.into())
}

pub(super) fn fingerprint() -> Result<String, Failed> {
    let (base_url, key) = (std::env::var("COLONY_BASE_URL")?, std::env::var("COLONY_API_KEY")?);
    Ok(cache_path::fingerprint(cache_path::normalise_base_url(&base_url), &key))
}

/// Returns the token file of the key in the environment.
pub(super) fn token_file() -> Result<TokenFile, Failed> {
    Ok(TokenFile::new(directory()?, fingerprint()?))
}

/// Prints a line.
pub(super) fn say(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// Returns a flag that becomes true when stdin is closed.
pub(super) fn hung_up() -> Arc<AtomicBool> {
    let ended = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&ended);
    std::thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        seen.store(true, Ordering::Relaxed);
    });
    ended
}

/// Writes this writer's token repeatedly, and prints how often.
fn write(writer: &str) -> Result<(), Failed> {
    let token = readers::token_of(writer.parse()?).into();
    let file = token_file()?;
    let ended = hung_up();
    let mut writes = 0_u64;
    while writes == 0 || !ended.load(Ordering::Relaxed) {
        file.save(&token, scene::real_time() + 80_000.0)?;
        writes += 1;
        if writes == 1 {
            say("written")?;
        }
    }
    say(&writes.to_string())?;
    Ok(())
}

/// Reads `reads` times, in turn with the SDK and as bare bytes.
fn read(reads: &str) -> Result<(), Failed> {
    let reads: u64 = reads.parse()?;
    let file = token_file()?;
    let path = directory()?.join(format!("{}.json", fingerprint()?));
    let mut seen = readers::Seen::default();
    let mut before = 0;
    while seen.reads < reads {
        seen.reads += 2;
        let known = |length: usize| (0..8).any(|writer| readers::token_of(writer).len() == length);
        seen.misses += u64::from(!file.load().is_some_and(known));
        let whole = Envelope::read(&std::fs::read(&path)?).ok().and_then(|envelope| {
            let token = envelope.token.expose_secret().to_owned();
            let writer = token.bytes().next()?.checked_sub(b'a')?;
            (token == readers::token_of(writer)).then_some(token.len())
        });
        seen.torn += u64::from(whole.is_none());
        seen.changes += u64::from(whole.is_some_and(|length| length != before));
        before = whole.unwrap_or_default();
    }
    say(&serde_json::to_string(&seen)?)?;
    Ok(())
}
