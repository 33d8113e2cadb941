//! Holders of the lock die or stop; the others continue. For many kills see row R2 of `colony_tests::fire`.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use colony_core::token::cache_path;
use colony_tests::{
    crew::{Crew, Place, Worker},
    plan::Plan,
    service::{Answer, Service},
};
use rustix::process::{Pid, Signal, kill_process};

use crate::place::{KEY, directory, mixed, place, run, turn};

fn real_time() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

fn wait_for_logins(service: &Service, count: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(service.until(|counts| counts.logins >= count));
}

fn cache_file(place: &Place, kind: &str) -> PathBuf {
    let base_url = cache_path::normalise_base_url(&place.base_url);
    place.directory.join(format!("{}.{kind}", cache_path::fingerprint(base_url, &place.api_key)))
}

fn inode(path: &Path) -> u64 {
    std::fs::metadata(path).expect("a lock file").ino()
}

/// Returns whether a process holds the lock.
fn is_locked(lock: &Path) -> bool {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(lock).expect("a lock file");
    fd_lock::RwLock::new(file).try_write().is_err()
}

/// Returns the holder's announcement: its process id, and for how many milliseconds it can still be working.
fn announced(lock: &Path) -> (u32, u64) {
    let text = std::fs::read_to_string(lock).expect("an announcement");
    assert!(text.len() <= 64, "{text:?}");
    let mut numbers = text[1..].lines().map(|digits| digits.parse::<u64>().expect("a number"));
    let process = numbers.next().expect("a process id");
    (u32::try_from(process).expect("a process id"), numbers.next().expect("a time"))
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
    assert_eq!(announced(&lock).0, crew.0[0].id());
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

    assert_eq!(
        announced(&lock).1,
        32_000,
        "a request's limit and 2 s, the time for files comes with the answer"
    );

    let hasty = |number| Plan { lock_timeout_ms: Some(1_500), patient: false, ..mixed(number) };
    for report in run(&place, 6, hasty) {
        assert_eq!(report.failure, None);
        // They wait for the lock up to their limit, then log in.
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
