//! `colony watch`: events as lines, or as runs of a command.

mod exec;
mod failed;
mod line;

#[cfg(feature = "mcp")]
pub(crate) use line::json as event_json;

use colony_async::{
    Client,
    events::{EventStream, Received, StateFile, Watch},
};
use colony_core::Timestamp;
use tokio::sync::mpsc::Receiver;

use self::{
    exec::{Command, Outcome},
    failed::FailedFile,
};
use crate::{
    args::{Global, OnFailure, Since, WatchArgs},
    client,
    failure::Failure,
    output::Output,
    signals,
};

/// The prefix of the position's file, `watch-<account>.json`.
const NAME: &str = "watch";

pub(crate) async fn run(global: &Global, args: WatchArgs, output: &Output) -> Result<(), Failure> {
    if args.clean && args.exec.is_empty() && !output.json {
        return Err(Failure::usage("--clean is for the events as JSON: add --json or --exec"));
    }
    let mut signals = signals::arriving()?;
    let client = client::client(global)?;
    if args.retry_failed {
        let command = Command::new(global, &args)?;
        return failed::retry(&client, &args, command, &mut signals, output).await;
    }
    let command = if args.exec.is_empty() { None } else { Some(Command::new(global, &args)?) };
    let mut watch = Watching { events: client.events().watch(settings(&args)), command, args, output };
    let outcome = watch.run(&mut signals).await;
    // A login in progress is completed.
    let closed = tokio::select! {
        closed = watch.events.close() => closed,
        Some(_) = signals.recv() => signals::end(signals::ENDED),
    };
    outcome?;
    closed?;
    Ok(())
}

fn settings(args: &WatchArgs) -> Watch {
    let mut watch = Watch::new().interval(args.interval.clone()).once(args.once).bell(!args.no_bell);
    if !args.kind.is_empty() {
        watch = watch.kinds(args.kind.iter().copied());
    }
    if let Some(file) = state_file(args) {
        watch = watch.state_file(file);
    }
    match &args.since {
        Since::Last => watch,
        Since::Now => watch.from_now().anew(true),
        Since::Moment(moment) => watch.since(moment.clone()).anew(true),
        Since::Ago(time) => {
            let now = std::time::SystemTime::now();
            watch
                .since(Timestamp::from(now.checked_sub(*time).unwrap_or(std::time::SystemTime::UNIX_EPOCH)))
                .anew(true)
        }
    }
}

fn state_file(args: &WatchArgs) -> Option<StateFile> {
    match &args.state {
        Some(path) => Some(StateFile::path(path)),
        None if args.no_state => None,
        None => Some(StateFile::for_account(NAME)),
    }
}

struct Watching<'a> {
    events: EventStream,
    command: Option<Command>,
    args: WatchArgs,
    output: &'a Output,
}

impl Watching<'_> {
    async fn run(&mut self, signals: &mut Receiver<i32>) -> Result<(), Failure> {
        loop {
            let received = tokio::select! {
                received = self.events.try_next() => received?,
                Some(_) = signals.recv() => return Ok(()),
            };
            let Some(received) = received else { return Ok(()) };
            match self.handle(received, signals).await? {
                Next::GoOn => self.events.save()?,
                Next::Stop => return Ok(()),
            }
        }
    }

    async fn handle(&self, received: Received, signals: &mut Receiver<i32>) -> Result<Next, Failure> {
        let Some(command) = &self.command else {
            if self.output.json {
                let line = line::json(&received);
                self.output.json_line(&if self.args.clean { line::cleaned(line) } else { line });
            } else {
                self.output.line(&line::text(&received));
            }
            // An event that was not written is not done.
            if self.output.is_broken() {
                return Ok(Next::Stop);
            }
            received.done();
            return Ok(Next::GoOn);
        };
        let event = line::json(&received);
        match command.handle(&event, signals).await? {
            Outcome::Done => received.done(),
            Outcome::Interrupted => return Ok(Next::Stop),
            Outcome::Last => {
                received.done();
                return Ok(Next::Stop);
            }
            Outcome::Failed(how) if self.args.on_failure == OnFailure::Stop => {
                return Err(Failure::Local(format!(
                    "the command failed for {}: {how}; the next watch begins with this event",
                    received.id()
                )));
            }
            Outcome::Failed(how) => {
                match self.events.state_path() {
                    Some(state) => FailedFile::beside(&state).append(&event)?,
                    None => self.output.say("no state file: the event is not kept"),
                }
                self.output.say(&format!("the command failed for {}: {how}; going on", received.id()));
                received.done();
            }
        }
        Ok(Next::GoOn)
    }
}

enum Next {
    GoOn,
    Stop,
}

/// Returns the account's id.
async fn account(client: &Client) -> Result<String, Failure> {
    Ok(client.account().get().await?.id.to_string())
}
