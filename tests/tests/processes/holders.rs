//! Those who hold the lock die or stop; the others go on.

use std::{
    collections::HashMap,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime},
};

use colony_core::token::{cache_path, envelope::Envelope};
use colony_tests::{
    crew::{Crew, Place, Worker},
    plan::Plan,
    service::{Answer, Login, Service},
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

/// A server where every login takes a while, and the kills so far.
struct Storm {
    service: Service,
    kills: HashMap<u32, Instant>,
}

impl Storm {
    fn begun(&self) -> u64 {
        self.service.counts().logins
    }

    fn answered(&self) -> Vec<Login> {
        self.service.log().into_iter().filter(|login| login.answered).collect()
    }

    fn kill(&mut self, worker: &mut Worker) {
        self.kills.entry(worker.id()).or_insert_with(Instant::now);
        worker.kill().expect("a kill");
    }

    /// Kills the process that has signed the lock file, once the server works on its login. Gives whether
    /// the lock was held and the login cut off.
    fn kill_the_holder(&mut self, crew: &mut Crew, lock: &Path, begun: u64) -> bool {
        wait_for_logins(&self.service, begun + 1);
        let answered = self.answered().len();
        let signed = std::fs::read_to_string(lock).unwrap_or_default();
        let holder = crew.0.iter_mut().find(|worker| worker.id().to_string() == signed.trim());
        let Some(holder) = holder else { return false };
        let held = is_locked(lock);
        self.kill(holder);
        held && self.answered().len() == answered
    }

    /// Logins that were in flight together: one that was cut off lasted until its client was killed, and not
    /// until the server heard of that.
    fn overlaps(&self) -> usize {
        let mut spans: Vec<(Instant, Instant)> = Vec::new();
        for login in self.service.log() {
            let killed = login.client.parse().ok().and_then(|id: u32| self.kills.get(&id).copied());
            assert!(
                login.answered || killed.is_some(),
                "a login was given up by a client that lives: {login:?}"
            );
            spans.push((login.from, killed.map_or(login.to, |killed| killed.min(login.to))));
        }
        spans.sort();
        spans.windows(2).filter(|pair| pair[1].0 < pair[0].1).count()
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the counts are the result")]
fn a_storm_of_kills() {
    const WINDOWS: usize = 10;
    const CREW: usize = 8;
    let _turn = turn();
    let (latency, directory) = (Duration::from_millis(200), directory());
    let mut storm = Storm { service: Service::start(real_time).expect("a service"), kills: HashMap::new() };
    storm.service.otherwise(Answer::After(latency));
    let place = place(storm.service.base_url(), KEY, directory.path());
    let (token, lock) = (cache_file(&place, "json"), cache_file(&place, "lock"));
    assert_eq!(run(&place, 1, mixed)[0].failure, None);
    let (first_inode, reading) = (inode(&lock), AtomicBool::new(true));
    let (reads, torn) = (AtomicU64::new(0), AtomicU64::new(0));
    let (mut aimed, mut landed, mut blind, mut late) = (0, 0, 0, 0);

    std::thread::scope(|scope| {
        // Also when this one panics, or the other would read for ever.
        let _ended = Ended(&reading);
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
            let (begun, answered, killed) = (storm.begun(), storm.answered().len(), storm.kills.len());
            crew.go().expect("a start");
            if window % 2 == 0 {
                // The holder, in the middle of its login, twice.
                for n in 0..2 {
                    aimed += 1;
                    landed += usize::from(storm.kill_the_holder(&mut crew, &lock, begun + n));
                }
            } else {
                // Anybody, at any moment.
                for _ in 0..3 {
                    std::thread::sleep(latency.mul_f64(fastrand::f64() / 2.0));
                    storm.kill(&mut crew.0[fastrand::usize(..CREW)]);
                    blind += 1;
                }
            }
            let reports = crew.reports().expect("reports");
            let killed = storm.kills.len() - killed;
            assert!(reports.len() >= CREW - killed, "{} of {CREW} reported, {killed} killed", reports.len());
            for report in reports {
                assert_eq!(report.failure, None, "window {window}");
            }
            // A process that is killed between the server's answer and its own write leaves a login that
            // nobody has.
            let answered = storm.answered().len() - answered;
            assert!(answered >= 1 && answered <= 1 + killed, "window {window}: {answered} logins");
            late += answered - 1;
        }
    });

    let (begun, answered) = (storm.begun() as usize, storm.answered().len());
    let cut_off = begun - answered;
    println!(
        "kills: {aimed} at holders ({landed} landed), {blind} blind; logins: {begun} begun, {answered} answered, \
         {cut_off} cut off, {late} lost after the answer; reads: {}",
        reads.load(Ordering::Relaxed),
    );
    assert!(landed >= 5, "only {landed} of {aimed} kills hit a holder at its login: the run proves nothing");
    assert!(cut_off >= landed && cut_off <= storm.kills.len(), "{cut_off} logins were cut off");
    assert_eq!(answered, 1 + WINDOWS + late);
    assert_eq!(storm.overlaps(), 0, "two logins were in flight at a time");
    assert!(reads.load(Ordering::Relaxed) > 0);
    assert_eq!(torn.load(Ordering::Relaxed), 0);
    assert_eq!(inode(&lock), first_inode);
    assert!(!is_locked(&lock), "a lock is stuck");
    std::fs::remove_file(&token).expect("a token");
    assert_eq!(run(&place, 1, mixed)[0].failure, None);
}

struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
