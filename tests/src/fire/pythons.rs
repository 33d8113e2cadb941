//! R4: this SDK on one cache with the published Python package, which takes no lock and writes through one temporary
//! name.

use std::{
    io::{self, BufRead as _},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use colony_async::api::account::GetMe;
use secrecy::ExposeSecret as _;

use super::{
    Ground, Outcome, Scale, Tally,
    parts::{Player, hung_up, say},
    scene::{Scene, eventually},
};
use crate::plan::digest;

const EACH: usize = 4;

pub(super) fn run(ground: &Ground) -> Outcome {
    let Some(python) = ground.python.clone() else {
        let mut tally = Tally::of("calls");
        tally.not_tried(
            "the Python package: there is no interpreter that has it (.ci/interop.sh installs one)",
        );
        return Ok(tally);
    };
    let mut tally = together(ground, &python)?;
    tally.add(trials(ground, &python)?);
    Ok(tally)
}

/// Starts a Python process that runs the same part as one of ours.
fn python_player(scene: &Scene, python: &Path, part: &str) -> io::Result<Player> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("interop/fire_worker.py");
    let mut place = scene.place.clone();
    place.program = python.to_owned();
    let mut command: Command = place.command();
    command.arg(script).arg(part);
    Player::spawn(command)
}

/// The output of one of them so far.
#[derive(Default)]
struct Said {
    calls: AtomicU64,
    errors: Mutex<Vec<String>>,
}

/// Lets four processes of each kind call and refresh at random, while their token is revoked repeatedly: each time
/// after every process has made two more calls.
fn together(ground: &Ground, python: &Path) -> Outcome {
    let during = Duration::from_secs(ground.scale.pick(60, 600));
    let scene = Scene::new(ground)?;
    let mut tally = Tally::of("calls");
    let mut players = Vec::new();
    for number in 0..EACH {
        let kind = if number % 2 == 0 { "blocking" } else { "async" };
        players.push(("rust", Player::start(&scene.place, "chat", kind)?));
        players.push(("python", python_player(&scene, python, "chat")?));
    }
    let mut said = Vec::new();
    let mut listeners = Vec::new();
    for (_, player) in &mut players {
        let heard = Arc::new(Said::default());
        let mut stdout = player.take_stdout()?;
        said.push(Arc::clone(&heard));
        listeners.push(std::thread::spawn(move || {
            let mut line = String::new();
            while stdout.read_line(&mut line).is_ok_and(|length| length > 0) {
                if line == "ok\n" {
                    heard.calls.fetch_add(1, Ordering::Relaxed);
                } else if let Ok(mut errors) = heard.errors.lock() {
                    errors.push(line.trim().to_owned());
                }
                line.clear();
            }
        }));
    }
    let calls = || said.iter().map(|heard| heard.calls.load(Ordering::Relaxed)).collect::<Vec<_>>();
    let mut revocations = 0;
    let start = Instant::now();
    while start.elapsed() < during {
        let before = calls();
        let all = eventually(Duration::from_secs(30), || {
            calls().iter().zip(&before).all(|(now, before)| *now >= before + 2)
        });
        if !all {
            tally.hold(false, || format!("somebody is stuck: {before:?}, then {:?}", calls()));
            break;
        }
        std::thread::sleep(Duration::from_millis(fastrand::u64(..60)));
        scene.service.revoke_shown();
        revocations += 1;
    }
    for (_, player) in &mut players {
        player.hang_up();
    }
    for listener in listeners {
        listener.join().map_err(|_| "a listener panicked")?;
    }
    let (mut rust, mut pythons, mut refused_twice) = (0, 0, 0);
    for ((kind, player), heard) in players.iter_mut().zip(&said) {
        let count = heard.calls.load(Ordering::Relaxed);
        *(if *kind == "rust" { &mut rust } else { &mut pythons }) += count;
        tally.tries(count);
        let mut errors = heard.errors.lock().map_err(|_| "a listener panicked")?;
        // The package tries one other token after a 401, even if a revocation has ended that one too; it then raises
        // its own error for that, which is not a fault of the cache.
        errors.retain(|error| {
            let refused = *kind == "python" && error.starts_with("error ColonyAuthError");
            refused_twice += u64::from(refused);
            !refused
        });
        tally.losses(errors.len() as u64, || {
            format!("{kind}: {:?}", errors.iter().take(3).collect::<Vec<_>>())
        });
        let status = player.child.wait()?;
        tally.hold(status.success(), || format!("{kind} ended with {status}"));
    }
    let counts = scene.counts();
    tally.hold(scene.held()?.is_some(), || "no token in the file".to_owned());
    tally.fault("revocations", revocations, during.as_secs());
    tally.fault("calls refused with 401", counts.rejected, revocations);
    tally.fault("calls of Python", pythons, 100);
    tally.fact(format!(
        "{EACH} + {EACH} processes for {} s, {rust} calls of Rust, {} logins; \
         {refused_twice} calls of Python were refused with two tokens in a row, and said so",
        during.as_secs(),
        counts.logins
    ));
    Ok(tally)
}

/// Checks that a new client of each side gets the other side's new token without a login.
fn trials(ground: &Ground, python: &Path) -> Outcome {
    let count = if ground.scale == Scale::Long { 1_000 } else { 100 };
    let scene = Scene::new(ground)?;
    let mut tally = Tally::of("reads of the other's token");
    let mut rust = Player::start(&scene.place, "chat", "trial")?;
    let mut python = python_player(&scene, python, "trial")?;
    let ask = |player: &mut Player, what: &str| -> io::Result<String> {
        player.say(what)?;
        Ok(player.line()?.trim().to_owned())
    };
    for turn in 1..=count {
        for python_mints in [true, false] {
            let (minter, reader) =
                if python_mints { (&mut python, &mut rust) } else { (&mut rust, &mut python) };
            let minted = ask(minter, "mint")?;
            let read = ask(reader, "read")?;
            tally.check(minted == read && Some(minted) == scene.newest(), || {
                format!("turn {turn}, minted by Python: {python_mints}: {read}")
            });
            let expected = (turn - 1) * 2 + if python_mints { 1 } else { 2 };
            tally.same("logins", scene.counts().logins, expected);
        }
    }
    tally.fact(format!("{count} of {count} trials each way read the other's token"));
    Ok(tally)
}

type Failed = Box<dyn std::error::Error>;

/// The part: makes calls and prints `ok` for each, now and then with a refreshed token or a new client; or follows
/// orders, one line for each.
pub(super) fn chat(kind: &str) -> Result<(), Failed> {
    // Shared, since reading the system's certificates is slow; but no connection outlives its client's runtime.
    colony_async::install_tls_provider();
    let connections = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build()?;
    let key = std::env::var("COLONY_API_KEY")?;
    let limit = Duration::from_secs(30);
    if kind == "blocking" {
        let build = || {
            colony_blocking::Client::builder(key.clone())
                .http_client(connections.clone())
                .timeout(limit)
                .build()
        };
        let mut client = build()?;
        let ended = hung_up();
        while !ended.load(Ordering::Relaxed) {
            let outcome = match fastrand::u8(..24) {
                0 | 1 => client.auth().forget_token(),
                2 => build().map(|new| client = new),
                _ => Ok(()),
            };
            tell(outcome.and_then(|()| client.execute_json(GetMe::default()).map(drop)))?;
        }
        return Ok(());
    }
    let runtime = super::scene::runtime()?;
    let build =
        || colony_async::Client::builder(key.clone()).http_client(connections.clone()).timeout(limit).build();
    runtime.block_on(async {
        let mut client = build()?;
        if kind == "trial" {
            for line in io::stdin().lines() {
                if line? == "mint" {
                    client.auth().forget_token().await?;
                } else {
                    client = build()?;
                }
                client.execute_json(GetMe::default()).await?;
                say(&digest(client.auth().token().await?.expose_secret()))?;
            }
            return Ok(());
        }
        let ended = hung_up();
        while !ended.load(Ordering::Relaxed) {
            let outcome = match fastrand::u8(..24) {
                0 | 1 => client.auth().forget_token().await,
                2 => build().map(|new| client = new),
                _ => Ok(()),
            };
            tell(match outcome {
                Ok(()) => client.execute_json(GetMe::default()).await.map(drop),
                Err(error) => Err(error),
            })?;
        }
        Ok(())
    })
}

fn tell(outcome: colony_core::Result<()>) -> io::Result<()> {
    match outcome {
        Ok(()) => say("ok"),
        Err(error) => say(&format!("error {error:?}").replace('\n', " ")),
    }
}
