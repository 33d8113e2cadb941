//! Those who hold the lock die or stop; the others go on.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime},
};

use colony_cli::sandbox::Options;
use colony_core::token::{cache_path, envelope::Envelope};
use colony_tests::{
    crew::{Crew, Place, Worker},
    plan::Plan,
    service::{Answer, Service},
};
use rustix::process::{Pid, Signal, kill_process};

use crate::place::{KEY, Served, directory, mixed, place, run, turn};

fn real_time() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

fn wait_for_logins(service: &Service, count: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(service.until(|counts| counts.logins >= count));
}

fn cache_file(place: &Place, kind: &str) -> PathBuf {
    let base_url = cache_path::normalise_base_url(&place.base_url);
    place.directory.join(format!("{}.{kind}", cache_path::fingerprint(base_url, &place.api_key)))
}

fn inode(path: &Path) -> u64 {
    std::fs::metadata(path).expect("a lock file").ino()
}

/// Whether some process holds the lock.
fn is_locked(lock: &Path) -> bool {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(lock).expect("a lock file");
    fd_lock::RwLock::new(file).try_write().is_err()
}

#[test]
fn a_killed_holder_is_succeeded_within_a_second() {
    let _turn = turn();
    let (service, directory) = (Service::start(real_time).expect("a service"), directory());
    service.next([Answer::Held]);
    let place = place(service.base_url(), KEY, directory.path());
    let lock = cache_file(&place, "lock");
    let mut crew = Crew::hire(&place, 2, mixed).expect("a crew");
    crew.0[0].go().expect("a start");
    wait_for_logins(&service, 1);
    assert!(is_locked(&lock));
    assert_eq!(std::fs::read_to_string(&lock).expect("a signature").trim(), crew.0[0].id().to_string());
    let before = inode(&lock);
    crew.0[1].go().expect("a start");
    crew.0[0].kill().expect("a kill");
    let killed = Instant::now();
    let report = crew.0[1].report().expect("a report").expect("it lives");
    assert!(killed.elapsed() < Duration::from_secs(1), "{:?}", killed.elapsed());
    assert_eq!(report.failure, None);
    assert_eq!(service.counts().logins, 2);
    assert_eq!(inode(&lock), before);
    assert!(!is_locked(&lock));
}

#[test]
fn a_stopped_holder_is_waited_for_until_the_deadline_and_not_longer() {
    let _turn = turn();
    let (service, directory) = (Service::start(real_time).expect("a service"), directory());
    service.next([Answer::Held]);
    let place = place(service.base_url(), KEY, directory.path());
    let lock = cache_file(&place, "lock");
    let mut holder = Worker::start(&place, &Plan::default()).expect("a worker");
    holder.ready().expect("ready");
    holder.go().expect("a start");
    wait_for_logins(&service, 1);
    let pid = Pid::from_raw(i32::try_from(holder.id()).expect("a pid")).expect("a pid");
    kill_process(pid, Signal::STOP).expect("a stop");
    let before = inode(&lock);

    let hasty = |number| Plan { timeout_ms: Some(1_500), patient: false, ..mixed(number) };
    for report in run(&place, 6, hasty) {
        assert_eq!(report.failure, None);
        // They wait as long as the holder's login could take by their own settings, then log in.
        assert!(report.took_ms >= 1_500 || report.warnings.is_empty(), "{report:?}");
        let waited = report.warnings.iter().filter(|text| text.contains("event=\"waited\"")).count();
        assert_eq!(waited, report.warnings.len(), "{report:?}");
    }
    assert!(is_locked(&lock), "nobody took the lock from its holder");
    assert_eq!(inode(&lock), before, "and nobody deleted it");

    kill_process(pid, Signal::CONT).expect("a continuation");
    service.release();
    assert_eq!(holder.report().expect("a report").expect("it lives").failure, None);
    assert!(!is_locked(&lock));
}

/// Kills the process that has signed the lock file, once the server works on its login. Gives whether the
/// login was cut off by that.
fn kill_the_holder(served: &Served, crew: &mut Crew, lock: &Path, started: u64) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while served.stats().logins_started <= started {
        assert!(Instant::now() < deadline, "no login began: the lock is stuck");
        std::thread::sleep(Duration::from_millis(1));
    }
    let completed = served.stats().logins_completed;
    let signed = std::fs::read_to_string(lock).unwrap_or_default();
    let holder = crew.0.iter_mut().find(|worker| worker.id().to_string() == signed.trim());
    let Some(holder) = holder else { return false };
    let held = is_locked(lock);
    holder.kill().expect("a kill");
    held && served.stats().logins_completed == completed
}

#[test]
fn a_storm_of_kills() {
    const WINDOWS: u64 = 10;
    const CREW: usize = 8;
    let _turn = turn();
    let latency = Duration::from_millis(200);
    let served = Served::start(Options { auth_latency: latency, auth_limit: 10_000, ..Options::default() });
    let place = served.place();
    let (token, lock) = (cache_file(&place, "json"), cache_file(&place, "lock"));
    assert_eq!(run(&place, 1, mixed)[0].failure, None);
    let (inode_before, reading, reads, torn) =
        (inode(&lock), AtomicBool::new(true), AtomicU64::new(0), AtomicU64::new(0));
    let (mut aimed, mut landed, mut blind, mut late) = (0, 0, 0, 0);

    std::thread::scope(|scope| {
        scope.spawn(|| {
            while reading.load(Ordering::Relaxed) {
                if let Ok(text) = std::fs::read(&token) {
                    reads.fetch_add(1, Ordering::Relaxed);
                    torn.fetch_add(u64::from(Envelope::read(&text).is_err()), Ordering::Relaxed);
                }
                std::thread::sleep(Duration::from_micros(500));
            }
        });
        for window in 0..WINDOWS {
            let _ = std::fs::remove_file(&token);
            let mut crew = Crew::hire(&place, CREW, mixed).expect("a crew");
            let before = served.stats();
            crew.go().expect("a start");
            let mut killed = 0;
            if window % 2 == 0 {
                // The holder, in the middle of its login, twice.
                for n in 0..2 {
                    aimed += 1;
                    killed += 1;
                    landed +=
                        u64::from(kill_the_holder(&served, &mut crew, &lock, before.logins_started + n));
                }
            } else {
                // Anybody, at any moment.
                for _ in 0..3 {
                    std::thread::sleep(latency.mul_f64(fastrand::f64() / 2.0));
                    crew.0[fastrand::usize(..CREW)].kill().expect("a kill");
                    killed += 1;
                    blind += 1;
                }
            }
            let reports = crew.reports().expect("reports");
            assert!(reports.len() >= CREW - killed, "{} of {CREW} reported, {killed} killed", reports.len());
            for report in reports {
                assert_eq!(report.failure, None, "window {window}");
            }
            let after = served.stats();
            let completed = after.logins_completed - before.logins_completed;
            // A process that is killed between the server's answer and its own write leaves a login that
            // nobody has.
            assert!(completed >= 1 && completed <= 1 + killed as u64, "window {window}: {completed} logins");
            late += completed - 1;
        }
        reading.store(false, Ordering::Relaxed);
    });

    let stats = served.stats();
    let cut_off = stats.logins_started - stats.logins_completed;
    println!(
        "kills: {aimed} at holders ({landed} landed), {blind} blind; logins: {} begun, {} ended, {cut_off} cut off, \
         {late} lost after the answer; reads: {}",
        stats.logins_started,
        stats.logins_completed,
        reads.load(Ordering::Relaxed),
    );
    assert!(landed >= 5, "only {landed} of {aimed} kills hit a holder at its login: the run proves nothing");
    assert!(cut_off >= landed && cut_off <= aimed + blind, "{cut_off} logins were cut off");
    assert_eq!(stats.logins_completed, 1 + WINDOWS + late);
    assert_eq!(stats.in_flight_logins_max, 1);
    assert!(reads.load(Ordering::Relaxed) > 0);
    assert_eq!(torn.load(Ordering::Relaxed), 0);
    assert_eq!(inode(&lock), inode_before);
    assert!(!is_locked(&lock), "a lock is stuck");
    std::fs::remove_file(&token).expect("a token");
    assert_eq!(run(&place, 1, mixed)[0].failure, None);
}
