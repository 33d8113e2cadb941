//! The events whose command failed too often: the lines of `STATE.failed.jsonl`.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use colony_async::{Client, events::PositionFile};
use serde_json::Value;
use tokio::sync::mpsc::Receiver;

use super::exec::{Command, Outcome};
use crate::{args::WatchArgs, failure::Failure, output::Output};

pub(super) struct FailedFile(PathBuf);

impl FailedFile {
    /// Returns the file that belongs to a state file.
    pub(super) fn beside(state: &Path) -> Self {
        let mut name = state.file_name().unwrap_or_default().to_owned();
        name.push(".failed.jsonl");
        Self(state.with_file_name(name))
    }

    pub(super) fn append(&self, event: &Value) -> Result<(), Failure> {
        let mut options = fs::OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let write = |mut file: fs::File| {
            file.write_all(format!("{event}\n").as_bytes())?;
            file.sync_data()
        };
        options.open(&self.0).and_then(write).map_err(|error| self.failure(&error))
    }

    fn lines(&self) -> Result<Vec<String>, Failure> {
        match fs::read_to_string(&self.0) {
            Ok(text) => Ok(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Replaces the content with these lines, atomically.
    fn write(&self, lines: &[String]) -> Result<(), Failure> {
        let directory = self.0.parent().unwrap_or(Path::new("."));
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(directory)?;
            for line in lines {
                writeln!(file, "{line}")?;
            }
            file.as_file().sync_data()?;
            file.persist(&self.0).map_err(|error| error.error)
        };
        write().map(drop).map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::Local(format!("{}: {error}", self.0.display()))
    }
}

/// Runs the command for each event in the file, and removes those for which it succeeds.
pub(super) async fn retry(
    client: &Client,
    args: &WatchArgs,
    command: Command,
    signals: &mut Receiver<i32>,
    output: &Output,
) -> Result<(), Failure> {
    let Some(file) = super::state_file(args) else { return Ok(()) };
    let account = super::account(client).await?;
    // No watch may add to the file in the meantime.
    let (state, _) = PositionFile::open(&file, &account, client.transport().base_url())?;
    let failed = FailedFile::beside(&state.path());
    let mut lines = failed.lines()?;
    let (all, mut at) = (lines.len(), 0);
    while at < lines.len() {
        let event: Value = serde_json::from_str(&lines[at])
            .map_err(|error| Failure::Local(format!("{}, line {}: {error}", failed.0.display(), at + 1)))?;
        let outcome = command.handle(&event, signals).await?;
        match outcome {
            Outcome::Done | Outcome::Last => {
                lines.remove(at);
                failed.write(&lines)?;
            }
            Outcome::Interrupted => return Ok(()),
            Outcome::Failed(_) => at += 1,
        }
        if matches!(outcome, Outcome::Last) {
            return Ok(());
        }
    }
    output.say(&format!("{} of {all} events are done now", all - lines.len()));
    if lines.is_empty() {
        return Ok(());
    }
    Err(Failure::Local(format!(
        "the command failed for {} events; they stay in {}",
        lines.len(),
        failed.0.display()
    )))
}
