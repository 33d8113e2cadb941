//! Runs a command for an event: without a shell, one at a time, with the event's text on stdin only.

use std::{ffi::OsString, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, sync::mpsc::Receiver};

use super::line;
use crate::{
    args::{Global, WatchArgs},
    client,
    failure::Failure,
    signals,
};

/// The exit code by which a command asks to be run again later.
const LATER: i32 = 75;
/// The first pause before another run, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

pub(super) struct Command {
    line: Vec<OsString>,
    environment: Vec<(&'static str, String)>,
    attempts: u32,
    grace: Duration,
    clean: bool,
}

/// The result for an event.
#[derive(Debug)]
pub(super) enum Outcome {
    Done,
    /// The event is done, and a signal has arrived.
    Last,
    /// A signal has arrived, and the event is not done.
    Interrupted,
    /// The event is not done after the maximum number of attempts.
    Failed(String),
}

impl Command {
    pub(super) fn new(global: &Global, args: &WatchArgs) -> Result<Self, Failure> {
        // `colony` inside the command must use the same service and account.
        let mut environment = vec![("COLONY_BASE_URL", client::base_url(global)?)];
        if let Some(profile) = &global.profile {
            environment.push(("COLONY_PROFILE", profile.clone()));
        }
        let line = args.exec.clone();
        Ok(Self { line, environment, attempts: args.attempts, grace: args.grace, clean: args.clean })
    }

    /// Runs the command until the event is done, has failed too often, or a signal arrives.
    pub(super) async fn handle(
        &self,
        event: &Value,
        signals: &mut Receiver<i32>,
    ) -> Result<Outcome, Failure> {
        let cleaned = self.clean.then(|| line::cleaned(event.clone()));
        let event = cleaned.as_ref().unwrap_or(event);
        let (mut attempt, mut pause) = (1, PAUSE.0);
        loop {
            let (code, stopped) = self.run(event, attempt, signals).await?;
            match (code, stopped) {
                (Some(0), false) => return Ok(Outcome::Done),
                (Some(0), true) => return Ok(Outcome::Last),
                (_, true) => return Ok(Outcome::Interrupted),
                (Some(LATER), false) => {}
                (code, false) if attempt >= self.attempts => {
                    let how = code
                        .map_or_else(|| "ended by a signal".to_owned(), |code| format!("exit code {code}"));
                    return Ok(Outcome::Failed(how));
                }
                _ => attempt += 1,
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                Some(_) = signals.recv() => return Ok(Outcome::Interrupted),
            }
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// Runs the command once. Returns its exit code, and whether a signal arrived in the meantime.
    async fn run(
        &self,
        event: &Value,
        attempt: u32,
        signals: &mut Receiver<i32>,
    ) -> Result<(Option<i32>, bool), Failure> {
        let Some((program, arguments)) = self.line.split_first() else { return Ok((Some(0), false)) };
        let mut command = tokio::process::Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        let text = |name: &str| plain(event[name].as_str().unwrap_or_default());
        command
            .env("COLONY_EVENT_ID", text("id"))
            .env("COLONY_EVENT_KIND", text("kind"))
            .env("COLONY_EVENT_TYPE", text("type"))
            .env("COLONY_IDEMPOTENCY_KEY", text("idempotency_key"))
            .env("COLONY_ATTEMPT", attempt.to_string());
        // Ctrl-C on a terminal is for this program, which lets the command finish.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| {
            Failure::Local(format!("{} cannot be run: {error}", program.to_string_lossy()))
        })?;
        let (mut stdin, line) = (child.stdin.take(), format!("{event}\n"));
        let write = async {
            if let Some(mut stdin) = stdin.take() {
                // A command that does not read its stdin is no failure.
                let _ = stdin.write_all(line.as_bytes()).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::pin!(write);
        let ended = |status: std::io::Result<std::process::ExitStatus>| status.map(|status| status.code());
        tokio::select! {
            status = child.wait() => return Ok((ended(status)?, false)),
            Some(_) = signals.recv() => {}
            () = &mut write => {}
        }
        let grace = tokio::time::sleep(self.grace);
        tokio::select! {
            status = child.wait() => Ok((ended(status)?, true)),
            Some(_) = signals.recv() => signals::end(signals::ENDED),
            () = grace => Ok((None, true)),
            () = &mut write => Ok((None, true)),
        }
    }
}

/// Keeps only identifier characters, so that an environment variable carries no text by others.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "_:-".contains(*c)).collect()
}
