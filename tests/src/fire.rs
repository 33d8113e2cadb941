//! The token cache and watching under fire: promises, the attempts to break each, and their results.
//!
//! A row is a function that injects faults, in real processes where possible, and counts its tries, the losses, and
//! the *faults that landed*: a run whose faults missed proves nothing and fails. The same code runs short, as a test
//! (`cargo test -p colony-tests --test fire`), and at full length:
//!
//! ```console
//! $ cargo under-fire                    # every row; prints the table of docs/reliability.md
//! $ cargo under-fire --row R2 --row R16
//! $ cargo under-fire --short
//! ```

mod ahead;
mod away;
mod calls;
mod cancels;
mod children;
mod deliveries;
mod disks;
mod fleet;
mod hooks;
mod kills;
mod modes;
mod no_lock;
mod parts;
mod preload;
mod proxied;
mod pythons;
mod readers;
mod refused;
mod runtimes;
mod scene;
mod secrets;
mod signals;
mod simulated;
mod stopped;
mod swaps;
mod tally;
mod tasks;
mod traced;
mod warm;
mod watching;
mod windows;

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

pub use fleet::server::Server as RedisServer;
pub use parts::play;
pub use tally::Tally;

use crate::subject::Subject::{Login, Shared};

/// The result of a row; an error is a failure of the harness, and counts as a loss.
pub type Outcome = Result<Tally, Box<dyn std::error::Error>>;

/// How much of a row is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Seconds, for every change.
    Short,
    /// Minutes, for the project's pass criteria.
    Long,
}

impl Scale {
    fn pick<T>(self, short: T, long: T) -> T {
        match self {
            Self::Short => short,
            Self::Long => long,
        }
    }
}

/// What rows need from their runner.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The program `under_fire`, which runs every [part](play) that needs its own process.
    pub program: PathBuf,
    /// How much is run.
    pub scale: Scale,
    /// A Python interpreter that has the published package, for the rows that need it.
    pub python: Option<PathBuf>,
}

/// Runs a row in its short form, as a test does, with the program `under_fire`. Only one row runs at a time: rows
/// would starve each other, and some check the memory and the descriptors of this process.
///
/// # Panics
///
/// If the promise is broken, or the row proves nothing.
#[expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "it is a test, whose figures are shown with --nocapture"
)]
pub fn short(id: &str, program: &str) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // `.ci/interop.sh` sets it; the package must be installed.
    let python = std::env::var_os("COLONY_TESTS_PYTHON").map(Into::into);
    let ground = Ground { program: program.into(), scale: Scale::Short, python };
    let row = ROWS.iter().find(|row| row.id == id).expect("a row");
    let tally = (row.run)(&ground).expect("a harness that works");
    println!("{id} {}: {}", row.promise, tally.cells().join(" | "));
    tally.untried().iter().for_each(|what| println!("NOT TRIED: {what}"));
    assert!(tally.passed(), "{id}\n{}", tally.problems());
}

/// A promise, and the function that tries to break it.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name in the list.
    pub id: &'static str,
    /// The promise.
    pub promise: &'static str,
    /// Tries to break it.
    pub run: fn(&Ground) -> Outcome,
}

const fn row(id: &'static str, promise: &'static str, run: fn(&Ground) -> Outcome) -> Row {
    Row { id, promise, run }
}

/// All rows.
pub const ROWS: &[Row] = &[
    row("R1", "one login for each expiry, whatever the number of processes", |ground| {
        windows::run(ground, Login)
    }),
    row("R2", "the same under kill -9; no lock stuck, no file torn, never two logins in flight", |ground| {
        kills::run(ground, Login)
    }),
    row("R3", "a reader sees a whole file, whoever writes", readers::run),
    row("R4", "lives with the published Python package, which takes no lock", pythons::run),
    row("R6", "one login for ten thousand tasks, a refused one too", tasks::run),
    row("R7", "one refresh for a crowd of 401s, none when a newer token is held", refused::run),
    row("R8", "renewal ahead of time stalls no call and is spread over its window", ahead::run),
    row("R9", "a caller or a runtime that goes away loses no login and sticks no lock", cancels::run),
    row("R11", "where there is no lock, the login goes on without", no_lock::run),
    row("R13", "files 0600 and directory 0700 at every moment, under every umask", modes::run),
    row("R14", "paths that are swapped between check and open: nothing followed", swaps::run),
    row("R15", "a failing disk, outside the process: a token all the same, whole files", disks::run),
    row("R15c", "each call to the disk fails in turn: a token all the same, whole files", calls::run),
    row("R15s", "system calls that fail (strace): a token all the same, whole files", traced::run),
    row("R16", "a signal every millisecond, in every thread: no error comes to light", signals::run),
    row("R17", "a stopped holder is waited for and passed by; the lock file stays", |ground| {
        stopped::run(ground, Login)
    }),
    row("R18", "a child inherits no lock and no token; a forked one does not hang", children::run),
    row("R20", "no secret in any stream, error, panic or log at TRACE", secrets::run),
    row("R22", "the blocking client is built, used and dropped in any runtime", runtimes::run),
    row("R25", "a warm token costs no system call", warm::run),
    row("R26", "a limit is an answer to all, until a person knows better", |ground| {
        away::limited(ground, Login)
    }),
    row("R27", "in an outage all end together, after a few requests", |ground| away::outage(ground, Login)),
    row("S1", "SharedToken: as R1, one fetch for each expiry", |ground| windows::run(ground, Shared)),
    row("S2", "SharedToken: as R2, under kill -9", |ground| kills::run(ground, Shared)),
    row("S7", "SharedToken: as R7, one fetch for a crowd of 401s", |ground| {
        refused::processes(ground, Shared)
    }),
    row("S17", "SharedToken: as R17, beside a stopped holder", |ground| stopped::run(ground, Shared)),
    row("S26", "SharedToken: as R26, under a limit", |ground| away::limited(ground, Shared)),
    row("S27", "SharedToken: as R27, in an outage", |ground| away::outage(ground, Shared)),
    row("L1", "signatures of made deliveries are the service's", deliveries::signatures),
    row("L2", "the same event is the same delivery, after a restart too", hooks::restarts),
    row("L3", "a delivery that fails is tried again as the service does", deliveries::retries),
    row("L4", "a failing handler gets an event again, one that succeeded never", hooks::random),
    row("L5", "a delivery that was caught is refused under another id", hooks::replays),
    row("L6", "hostile senders are refused, and cost no memory", hooks::hostile),
    row("L7", "listen --receive passes bytes on as they came", deliveries::passed_on),
    row("L8", "bodies are the service's", deliveries::bodies),
    row("P1", "exec --proxy: tokens end, and the child notices nothing", proxied::child),
    row("P2", "twelve tools through one proxy: one login", proxied::tools),
    row("P3", "hostile requests lead to no other origin", proxied::hostile),
    row("P4", "no answer repeats the token", proxied::answers),
    row("F1", "one login for a cold fleet of three hosts", fleet::logins::cold),
    row("F2", "warm calls do not know the store", fleet::logins::warm_calls),
    row("F3", "a warm host does not connect to the store", fleet::logins::warm_hosts),
    row("F4", "a dead holder costs the other hosts its lease's time", fleet::kills::run),
    row("F5", "a dead store costs nearly nothing", fleet::away::from_the_start),
    row(
        "F6",
        "a store that is killed in the middle of a login: one login for each host",
        fleet::away::in_the_middle,
    ),
    row("F7", "a store that stands still leaves no knot", fleet::away::paused),
    row(
        "F8",
        "a store that lost everything: no login of a warm host, one of a cold one",
        fleet::logins::restarted,
    ),
    row("F9", "a host that is cut off costs one login, and the others none", fleet::cut::run),
    row("F10", "a full store is read, and costs a login for each host at most", fleet::trouble::full),
    row("F11", "a store that is wrongly set up fails no call and is told once", fleet::trouble::wrong),
    row("F12", "a failover costs two logins at most", fleet::failover::run),
    row("F13", "a token that is revoked for all costs one login", fleet::trouble::revoked),
    row("F14", "a limit is shared by a zone, and by it alone", fleet::trouble::limited),
    row("F15", "the store learns nothing, and no event tells anything", fleet::lies::secrets),
    row("F16", "the store cannot lie", fleet::lies::lies),
    row("F17", "clocks that are wrong cost few logins and fail no call", |ground| {
        let mut tally = simulated::clocks(ground)?;
        tally.add(fleet::clocks::reported(ground)?);
        Ok(tally)
    }),
    row("F18", "two versions beside each other cost a login each", fleet::versions::run),
    row("F19", "a login that outlasts its lease is one login", fleet::usual::run),
    row("F21", "no new crate for it by default", fleet::others::weight),
    row(
        "SIMF",
        "hosts over a store, simulated: lost calls and answers, failovers, kills, wrong clocks",
        simulated::fleets,
    ),
    row("SIM", "the protocol between processes, simulated: every rule at every step", simulated::run),
    row(
        "SIMR",
        "the rotation of a credential, simulated: no token presented while it may be under way, none lost that \
         somebody holds",
        simulated::rotations,
    ),
    row(
        "W1",
        "watching loses nothing under kill -9, and what an event leads to is done once",
        watching::kills::run,
    ),
    row("W2", "rows that become visible late are seen", watching::late::run),
    row(
        "W3",
        "nothing comes twice while a watch lives, nothing that is done after a stop",
        watching::repeats::run,
    ),
    row("W4", "a kind that comes full is filled, or a gap says so", watching::repeats::full),
    row("W5", "a position that is too old is told, first and once", watching::repeats::too_old),
    row(
        "W6",
        "no 429 of its own making: five watches on one account, two simulated days",
        watching::days::run,
    ),
    row("W7", "no request before the time that the service asked for", watching::service::pauses),
    row("W8", "an hour's outage costs few requests and two lines", watching::service::outage),
    row("W9", "a login that is revoked ends it, after two logins at most", watching::commands::refused),
    row("W10", "a row that cannot be read stalls nothing", watching::service::bad_row),
    row("W11", "the state file is the old one or the new one, whatever fails", watching::disks::run),
    row("W12", "one watch for each state file", watching::commands::two),
    row("W13", "stopping is quick; a command and a login come to their end", watching::commands::stopped),
    row("W14", "text of others reaches no shell and no terminal", watching::commands::hostile),
    row("W15", "both clients ask and give the same", watching::clients::run),
    row("W16", "memory is bounded beside a slow handler", watching::memory::run),
    row("W17", "what the account wrote itself is no event", watching::repeats::own),
    row(
        "W18",
        "the bell is only a bell: the same events whatever it does, at once where it rings",
        watching::bell::run,
    ),
    row("W19", "no new crate for it in the libraries", watching::weight::run),
];
