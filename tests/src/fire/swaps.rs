//! R14: the file at a path is swapped continuously while it is used.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, symlink},
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use colony_core::token::envelope::Envelope;
use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::{
    Ground, Outcome, Tally,
    parts::{Player, directory, fingerprint, hung_up, say, token_file},
    scene::{Scene, eventually, mixed, real_time},
};
use crate::{
    crew::Crew,
    plan::{Order, Plan},
};

/// The length of the SDK's own token, which differs from that of the planted one.
const GENUINE: usize = 700;
const PLANTED: usize = 900;

/// The counts of the process that uses the path.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Fared {
    loads: u64,
    genuine: u64,
    planted: u64,
    /// Loads that returned no token, by the reason.
    misses: BTreeMap<String, u64>,
    saves: u64,
    refused_saves: u64,
    /// How often a careless reader, which checks the path and then opens it, got the planted token.
    careless: u64,
    /// Operations that took longer than a second.
    slow: u64,
}

pub(super) fn run(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("loads, saves and locks while the path is swapped");
    let decoys: [(&str, Decoy); 5] = [
        ("link", |victim, decoy| symlink(victim, decoy)),
        ("hard_linked", |victim, decoy| fs::hard_link(victim, decoy)),
        ("not_a_regular_file", |_, decoy| pipe(decoy)),
        ("link", |_, decoy| symlink("/nonexistent/colony", decoy)),
        ("not_a_regular_file", |_, decoy| fs::create_dir(decoy)),
    ];
    for (reason, decoy) in decoys {
        the_file(ground, reason, decoy, &mut tally)?;
    }
    the_directory(ground, &mut tally)?;
    the_lock(ground, &mut tally)?;
    Ok(tally)
}

/// Creates the decoy for the path; the first path is the victim's.
type Decoy = fn(&Path, &Path) -> io::Result<()>;

fn pipe(path: &Path) -> io::Result<()> {
    let status = std::process::Command::new("mkfifo").arg(path).status()?;
    status.success().then_some(()).ok_or_else(|| io::Error::other("mkfifo failed"))
}

fn plant(path: &Path) -> io::Result<()> {
    let envelope = Envelope { token: "p".repeat(PLANTED).into(), expiry: real_time().floor() + 80_000.5 };
    let text = envelope.write().map_err(io::Error::other)?;
    let mut options = fs::OpenOptions::new();
    io::Write::write_all(&mut options.write(true).create_new(true).mode(0o600).open(path)?, text.as_bytes())
}

/// Returns the state that must not change: the file's bytes, mode and inode.
fn state(path: &Path) -> io::Result<(Vec<u8>, u32, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((fs::read(path)?, found.mode(), found.ino()))
}

fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

/// Swaps the path for a decoy and back until stopped; counts the swaps.
fn swap_away(
    path: &Path,
    decoy: &Path,
    make: impl Fn() -> io::Result<()>,
    going: &AtomicBool,
    swaps: &AtomicU64,
) {
    while going.load(Ordering::Relaxed) {
        let _ = make();
        // Both states last for a while, or on a busy machine the other process would see only one of them.
        std::thread::sleep(Duration::from_micros(fastrand::u64(..30)));
        swaps.fetch_add(u64::from(exchange(path, decoy).is_ok()), Ordering::Relaxed);
        std::thread::sleep(Duration::from_micros(fastrand::u64(..30)));
        let _ = exchange(path, decoy);
        // A file written meanwhile is as good as the previous one.
        let _ = fs::remove_file(decoy).or_else(|_| fs::remove_dir(decoy));
    }
}

fn the_file(ground: &Ground, reason: &str, make: Decoy, tally: &mut Tally) -> Result<(), Failed> {
    let scene = Scene::new(ground)?;
    let (victim, decoy) = (scene.outer.path().join("victim"), scene.outer.path().join("decoy"));
    plant(&victim)?;
    let before = state(&victim)?;
    let (fared, swaps) = hammered(ground, &scene, &scene.file("json"), &decoy, || make(&victim, &decoy))?;
    judge(ground, tally, &fared, swaps, reason);
    let _ = fs::remove_file(&decoy);
    tally.hold(state(&victim)? == before, || "the file behind the link was written to".to_owned());
    let missed = fared.misses.get(reason).copied().unwrap_or_default();
    tally.fault(format!("opens of a swapped-in {reason}"), missed, 10);
    Ok(())
}

/// Swaps the whole directory for a link to another one of ours, with a file of the same name in it.
fn the_directory(ground: &Ground, tally: &mut Tally) -> Result<(), Failed> {
    let scene = Scene::new(ground)?;
    let (elsewhere, decoy) = (scene.outer.path().join("elsewhere"), scene.outer.path().join("decoy"));
    fs::DirBuilder::new().mode(0o700).create(&elsewhere)?;
    let victim = elsewhere.join(scene.file("json").file_name().ok_or("no name")?);
    plant(&victim)?;
    let before = state(&victim)?;
    let cache = scene.cache().to_owned();
    let (fared, swaps) = hammered(ground, &scene, &cache, &decoy, || symlink(&elsewhere, &decoy))?;
    judge(ground, tally, &fared, swaps, "link to a directory");
    tally.hold(state(&victim)? == before, || "the planted file was replaced".to_owned());
    let others: Vec<_> = fs::read_dir(&elsewhere)?.flatten().map(|entry| entry.file_name()).collect();
    tally.hold(others.len() == 1, || format!("files were made elsewhere: {others:?}"));
    tally.fault("times a careless reader followed the link", fared.careless, 1);
    Ok(())
}

fn judge(ground: &Ground, tally: &mut Tally, fared: &Fared, swaps: u64, what: &str) {
    tally.tries(fared.loads + fared.saves);
    tally.losses(fared.planted, || format!("{what}: the planted token was taken {} times", fared.planted));
    tally.losses(fared.slow, || format!("{what}: {} operations took longer than a second", fared.slow));
    tally.hold(fared.genuine > 0, || format!("{what}: never the genuine token: {fared:?}"));
    tally.fault(format!("swaps for a {what}"), swaps, least_swaps(ground));
}

type Failed = Box<dyn std::error::Error>;

/// Lets a process load and save while the path is swapped.
fn hammered(
    ground: &Ground,
    scene: &Scene,
    path: &Path,
    decoy: &Path,
    make: impl Fn() -> io::Result<()> + Send + Sync,
) -> Result<(Fared, u64), Failed> {
    let loads = ground.scale.pick(1_500, 15_000);
    let mut player = Player::start(&scene.place, "hammer", &loads.to_string())?;
    player.line()?; // the genuine file is there
    let (going, swaps) = (AtomicBool::new(true), AtomicU64::new(0));
    let fared = std::thread::scope(|scope| {
        scope.spawn(|| swap_away(path, decoy, make, &going, &swaps));
        let least = least_swaps(ground);
        eventually(Duration::from_secs(120), || swaps.load(Ordering::Relaxed) >= least);
        // It also ends when it has made its loads.
        player.hang_up();
        let line = player.line();
        going.store(false, Ordering::Relaxed);
        line
    })?;
    Ok((serde_json::from_str(&fared)?, swaps.load(Ordering::Relaxed)))
}

fn least_swaps(ground: &Ground) -> u64 {
    ground.scale.pick(200, 2_000)
}

/// The part: loads, now and then saves, and reads carelessly for comparison.
pub(super) fn hammer(loads: &str) -> Result<(), Failed> {
    let loads: u64 = loads.parse()?;
    let file = token_file()?;
    let path = directory()?.join(format!("{}.json", fingerprint()?));
    let token = "g".repeat(GENUINE).into();
    let save = || file.save(&token, real_time().floor() + 80_000.5);
    save()?;
    say("saved")?;
    let enough = hung_up();
    let mut fared = Fared::default();
    while fared.loads < loads || !enough.load(Ordering::Relaxed) {
        let began = Instant::now();
        fared.loads += 1;
        match file.load_or_why() {
            Ok(GENUINE) => fared.genuine += 1,
            Ok(_) => fared.planted += 1,
            Err(reason) => *fared.misses.entry(reason.to_owned()).or_default() += 1,
        }
        fared.slow += u64::from(began.elapsed() > Duration::from_secs(1));
        fared.careless += u64::from(careless(&path) == Some(PLANTED));
        if fared.loads.is_multiple_of(100) {
            let began = Instant::now();
            fared.saves += 1;
            fared.refused_saves += u64::from(save().is_err());
            fared.slow += u64::from(began.elapsed() > Duration::from_secs(1));
        }
    }
    say(&serde_json::to_string(&fared)?)?;
    Ok(())
}

/// Checks the path, then opens it: the file can change in between.
fn careless(path: &Path) -> Option<usize> {
    let directory = fs::symlink_metadata(path.parent()?).ok()?;
    let found = fs::symlink_metadata(path).ok()?;
    let fine = directory.is_dir() && found.is_file() && found.nlink() == 1 && found.mode() & 0o077 == 0;
    // However short the time between the two is, it can be long enough.
    std::thread::yield_now();
    // Do not wait for the other end of a pipe.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let mut file = fine.then(|| fs::OpenOptions::new().read(true).custom_flags(flags).open(path).ok())??;
    let mut text = Vec::new();
    io::Read::read_to_end(&mut file, &mut text).ok()?;
    Some(Envelope::read(&text).ok()?.token.expose_secret().len())
}

/// Swaps the lock for links to a file of ours and for a pipe, while processes log in. The lock's holder writes into
/// it.
fn the_lock(ground: &Ground, tally: &mut Tally) -> Result<(), Failed> {
    let scene = Scene::new(ground)?;
    let (victim, decoy) = (scene.outer.path().join("victim"), scene.outer.path().join("decoy"));
    plant(&victim)?;
    let before = state(&victim)?;
    scene.run(1, mixed)?;
    let lock = scene.file("lock");
    let (going, swaps, turn) = (AtomicBool::new(true), AtomicU64::new(0), AtomicU64::new(0));
    let make = || match turn.fetch_add(1, Ordering::Relaxed) % 3 {
        0 => symlink(&victim, &decoy),
        1 => fs::hard_link(&victim, &decoy),
        _ => pipe(&decoy),
    };
    let during_ms = ground.scale.pick(1_500, 20_000);
    let reports = std::thread::scope(|scope| {
        scope.spawn(|| swap_away(&lock, &decoy, make, &going, &swaps));
        let work = || -> io::Result<_> {
            let mut crew = Crew::hire(&scene.place, 2, |number| Plan { calls: 20, ..mixed(number) })?;
            crew.order(&Order { forget: true, during_ms: Some(during_ms), ..Order::default() })?;
            crew.reports()
        };
        let reports = work();
        going.store(false, Ordering::Relaxed);
        reports
    })?;
    let mut refused = 0;
    for report in &reports {
        tally.tries(report.calls.into());
        tally.hold(report.failure.is_none(), || format!("{report:?}"));
        refused += report.events.get("degraded").copied().unwrap_or_default();
    }
    let _ = fs::remove_file(&decoy);
    tally.hold(state(&victim)? == before, || "the file behind the lock was written to".to_owned());
    tally.fault("swaps of the lock", swaps.into_inner(), least_swaps(ground));
    tally.fault("locks refused for what was in their place", refused, 5);
    Ok(())
}
