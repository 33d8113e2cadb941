//! The arguments of `colony watch`.

use std::{ffi::OsString, ops::RangeInclusive, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use colony_core::{Timestamp, events::EventKind};

use super::parse_duration;

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Only events of this kind: notification, message or post; may be given several times
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub(crate) kind: Vec<EventKind>,
    /// Where to begin: `last` (where the last watch ended, else now), `now`, a time ago (2h), or a point in time
    #[arg(long, value_name = "WHEN", default_value = "last", value_parser = since)]
    pub(crate) since: Since,
    /// The file that stores the position [default: watch-ACCOUNT.json in the state directory]
    #[arg(long, value_name = "FILE", conflicts_with = "no_state")]
    pub(crate) state: Option<PathBuf>,
    /// Store no position
    #[arg(long)]
    pub(crate) no_state: bool,
    /// Poll once and exit, even without events; for cron
    #[arg(long)]
    pub(crate) once: bool,
    /// Only poll: do not listen to the service's stream, which announces events at once
    #[arg(long)]
    pub(crate) no_bell: bool,
    /// How long to wait between two rounds; up to twice the longer time while the stream is connected
    #[arg(long, value_name = "MIN..MAX", default_value = "10s..60s", value_parser = interval)]
    pub(crate) interval: RangeInclusive<Duration>,
    /// For a model that reads the events: remove characters that a model reads but a person does not see, and report
    /// how many (`removed_characters`)
    #[arg(long)]
    pub(crate) clean: bool,
    /// How often to try a command for one event
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) attempts: u32,
    /// What to do with an event whose command failed that often: `skip` puts it into STATE.failed.jsonl and goes on,
    /// `stop` exits before it
    #[arg(long, value_name = "WHAT", default_value = "skip", hide_possible_values = true)]
    pub(crate) on_failure: OnFailure,
    /// How long a running command may take to exit after Ctrl-C
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    pub(crate) grace: Duration,
    /// Run the command again for the events in STATE.failed.jsonl, and exit
    #[arg(long, requires = "exec", conflicts_with_all = ["once", "no_state"])]
    pub(crate) retry_failed: bool,
    /// Run this command for each event, without a shell, the event as JSON on its stdin; takes the rest of the line
    #[arg(long, value_name = "CMD", num_args = 1.., allow_hyphen_values = true)]
    pub(crate) exec: Vec<OsString>,
}

/// Where a watch begins.
#[derive(Debug, Clone)]
pub(crate) enum Since {
    Last,
    Now,
    Ago(Duration),
    Moment(Timestamp),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnFailure {
    Skip,
    Stop,
}

fn kind(text: &str) -> Result<EventKind, String> {
    let known = EventKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    known.ok_or_else(|| format!("use one of {}", EventKind::ALL.map(EventKind::as_str).join(", ")))
}

pub(super) fn since(text: &str) -> Result<Since, String> {
    Ok(match text {
        "last" => Since::Last,
        "now" => Since::Now,
        _ => match parse_duration(text) {
            Ok(time) => Since::Ago(time),
            Err(_) => {
                let moment = text.parse();
                Since::Moment(
                    moment
                        .map_err(|_| "use last, now, a time like 2h, or 2026-11-26T08:30:00Z".to_owned())?,
                )
            }
        },
    })
}

pub(super) fn interval(text: &str) -> Result<RangeInclusive<Duration>, String> {
    let times = times(text)?;
    if *times.start() < Duration::from_millis(100) {
        return Err("the first time is at least 100ms".to_owned());
    }
    Ok(times)
}

/// Parses two durations: `10s..60s`.
pub(super) fn times(text: &str) -> Result<RangeInclusive<Duration>, String> {
    let (least, most) = text.split_once("..").ok_or("give two times, like 10s..60s")?;
    let (least, most) = (parse_duration(least)?, parse_duration(most)?);
    if least > most { Err("the second time is not less than the first".to_owned()) } else { Ok(least..=most) }
}
