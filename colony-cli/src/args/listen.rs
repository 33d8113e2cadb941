//! The arguments of `colony listen` and `colony trigger`.

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::watch::{Since, interval, since};
use crate::input::tidied;

#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// The receiver: http://127.0.0.1:8080/hooks/colony
    #[arg(long, value_name = "URL", value_parser = tidied, required_unless_present_any = ["receive", "print_secret"])]
    pub(crate) forward_to: Option<String>,
    /// Receive the service's own deliveries here, behind a tunnel, verify them and pass them on unchanged
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["events", "since", "interval", "attempts"])]
    pub(crate) receive: Option<SocketAddr>,
    /// Only these events: mention,direct_message; may be given several times
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) events: Vec<String>,
    /// Where to begin: `now`, a time ago (2h), or a point in time
    #[arg(long, value_name = "WHEN", default_value = "now", value_parser = since)]
    pub(crate) since: Since,
    /// How long to wait between two rounds
    #[arg(long, value_name = "MIN..MAX", default_value = "10s..60s", value_parser = interval)]
    pub(crate) interval: RangeInclusive<Duration>,
    /// How often to try a delivery: again after 5 s, 30 s, 2 min and 10 min
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub(crate) attempts: u8,
    /// Print the secret that deliveries are signed with, and exit
    #[arg(long)]
    pub(crate) print_secret: bool,
    #[command(flatten)]
    pub(crate) receiver: ReceiverArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TriggerArgs {
    /// The event: mention, direct_message … (--list names all)
    #[arg(required_unless_present = "list")]
    pub(crate) event: Option<String>,
    /// Set a field of the sample; may be given several times
    #[arg(long, value_name = "FIELD=VALUE")]
    pub(crate) set: Vec<String>,
    /// The receiver: http://127.0.0.1:8080/hooks/colony
    #[arg(long, value_name = "URL", value_parser = tidied, required_unless_present = "list")]
    pub(crate) forward_to: Option<String>,
    /// Send a delivery that a receiver must refuse: a wrong `signature`, a `time` an hour ago, or a `body` changed
    /// after signing
    #[arg(long, value_name = "WHAT", hide_possible_values = true)]
    pub(crate) tamper: Option<Tamper>,
    /// List the events and their fields
    #[arg(long, conflicts_with_all = ["event", "set", "forward_to", "tamper"])]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) receiver: ReceiverArgs,
}

/// How to sign deliveries, and where they may go.
#[derive(Debug, Args)]
pub(crate) struct ReceiverArgs {
    /// A file with the secret [default: COLONY_WEBHOOK_SECRET, else one generated once for the profile]
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Also send over plain http to other machines
    #[arg(long)]
    pub(crate) insecure: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tamper {
    Signature,
    Time,
    Body,
}
