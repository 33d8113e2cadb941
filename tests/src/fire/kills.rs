//! R2, S2: processes are killed with SIGKILL, most of all those that hold the lock.

use std::{
    collections::HashMap,
    io,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use super::{
    Ground, Outcome, Tally,
    scene::{Scene, inode, token_in},
};
use crate::{
    crew::{Crew, Worker},
    plan::digest,
    service::{Answer, Login},
    subject::Subject,
};

/// How long a login takes that is not held until its client is killed.
const LATENCY: Duration = Duration::from_millis(80);

/// The faults, and their results.
struct Storm {
    scene: Scene,
    /// The time of each kill, by process id.
    kills: HashMap<u32, Instant>,
    holders: u64,
    landed: u64,
}

pub(super) fn run(ground: &Ground, subject: Subject) -> Outcome {
    // The windows, the processes in each, and of those the killed ones and the killed holders of the lock.
    let (windows, processes, killed, holders) = ground.scale.pick((6, 10, 7, 2), (64, 24, 18, 3));
    let mut storm =
        Storm { scene: Scene::of(ground, subject)?, kills: HashMap::new(), holders: 0, landed: 0 };
    let mut tally = Tally::of("calls of processes that were left alive");
    storm.scene.service.otherwise(Answer::After(LATENCY));
    storm.scene.run(1, |number| storm.scene.mixed(number))?;
    let first = inode(&storm.scene.file("lock"))?;
    let reading = AtomicBool::new(true);
    let (reads, torn) = (AtomicU64::new(0), AtomicU64::new(0));
    let token = storm.scene.file("json");
    let mut lost_answers = 0;
    std::thread::scope(|scope| {
        // Also if this thread fails, or the other one would read for ever.
        let _ended = Ended(&reading);
        scope.spawn(|| {
            while reading.load(Ordering::Relaxed) {
                if let Ok(text) = std::fs::read(&token) {
                    reads.fetch_add(1, Ordering::Relaxed);
                    torn.fetch_add(u64::from(token_in(subject, &text).is_none()), Ordering::Relaxed);
                }
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        for window in 0..windows {
            let holders = if window % 2 == 0 { holders } else { 0 };
            lost_answers += storm.window(&mut tally, processes, killed, holders)?;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;

    let scene = &storm.scene;
    let begun = scene.counts().logins;
    let answered = u64::try_from(storm.answered().len())?;
    let windows = u64::try_from(windows)?;
    tally.same("logins kept", answered - lost_answers, windows + 1);
    let overlaps = storm.overlaps(&mut tally);
    tally.same("logins in flight together", overlaps, 0);
    tally.losses(torn.load(Ordering::Relaxed), || "a file was read that was not whole".to_owned());
    tally.same("the lock file's inode", inode(&scene.file("lock"))?, first);
    tally.hold(!scene.is_locked(), || "the lock is stuck".to_owned());
    // A later process waits for no other one.
    std::fs::remove_file(&token)?;
    let reports = scene.run(1, |number| scene.mixed(number))?;
    let good = reports.iter().all(|report| report.failure.is_none() && !report.events.contains_key("waited"));
    tally.check(good, || format!("after the storm: {reports:?}"));
    // A writer removes the files of killed processes once they are old.
    let litter = scene.litter();
    let old = std::time::SystemTime::now() - Duration::from_secs(3_600);
    for name in &litter {
        std::fs::File::open(scene.cache().join(name))?.set_modified(old)?;
    }
    std::fs::remove_file(&token)?;
    scene.run(1, |number| scene.mixed(number))?;
    tally.same("temporary files left", scene.litter(), Vec::new());
    let (kills, holders) = ground.scale.pick((30, 5), (1_000, 90));
    tally.fault("processes killed at work", storm.landed, kills);
    tally.fault("of them holding the lock, their login in flight", storm.holders, holders);
    tally.fault("reads of the file meanwhile", reads.load(Ordering::Relaxed), 100);
    tally.fact(format!("{} temporary files left by the killed, swept away later", litter.len()));
    tally.fact(format!(
        "{windows} windows: {begun} logins begun, {} cut off by a kill, {answered} answered, \
         {lost_answers} of them to a process that was killed before it could write",
        begun - answered
    ));
    Ok(tally)
}

impl Storm {
    fn answered(&self) -> Vec<Login> {
        self.scene.service.log().into_iter().filter(|login| login.answered).collect()
    }

    fn kill(&mut self, worker: &mut Worker) -> io::Result<()> {
        self.kills.entry(worker.id()).or_insert_with(Instant::now);
        worker.kill()
    }

    /// Runs one window on an empty cache. Returns the logins whose answers were lost with their process.
    fn window(
        &mut self,
        tally: &mut Tally,
        processes: usize,
        killed: usize,
        holders: u64,
    ) -> Result<u64, Box<dyn std::error::Error>> {
        let _ = std::fs::remove_file(self.scene.file("json"));
        let (begun, before) = (self.scene.counts().logins, self.answered().len());
        let mut crew = Crew::hire(&self.scene.place, processes, |number| self.scene.mixed(number))?;
        // These logins are not answered while their client lives, so the kill cannot come too late.
        self.scene.service.next((0..holders).map(|_| Answer::Held));
        crew.go()?;
        let mut dead = Vec::new();
        for number in 0..holders {
            self.scene.until_logins(begun + number + 1)?;
            let lock = self.scene.file("lock");
            let signed = std::fs::read_to_string(&lock)?;
            // A filler, then the process id in ten digits.
            let process = signed.get(1..11).and_then(|digits| digits.parse::<u32>().ok());
            let holder = crew.0.iter().position(|worker| Some(worker.id()) == process);
            let Some(holder) = holder else {
                tally.hold(false, || format!("the lock is signed by {signed:?}, who is none of the crew"));
                continue;
            };
            self.holders += u64::from(self.scene.is_locked());
            self.kill(&mut crew.0[holder])?;
            dead.push(holder);
        }
        while dead.len() < killed {
            let victim = fastrand::usize(..processes);
            if !dead.contains(&victim) {
                std::thread::sleep(LATENCY.mul_f64(fastrand::f64() / 5.0));
                self.kill(&mut crew.0[victim])?;
                dead.push(victim);
            }
        }
        let mut held = Vec::new();
        for (number, worker) in crew.0.iter_mut().enumerate() {
            let (report, died) = (worker.report()?, dead.contains(&number));
            // A process that had done its work when it was killed proves nothing.
            self.landed += u64::from(died && report.is_none());
            match report {
                Some(report) => {
                    let good = report.failure.is_none() && report.warnings.is_empty();
                    tally.check(good, || format!("{report:?}"));
                    held.extend(report.token);
                }
                None => tally.hold(died, || format!("{} ended by itself", worker.id())),
            }
        }
        held.dedup();
        // A login is only lost together with the process that asked for it.
        let answered = &self.answered()[before..];
        let lost: Vec<&Login> = answered.iter().filter(|login| self.is_killed(login)).collect();
        let kept = answered.len() - lost.len();
        let issued = self.scene.service.issued();
        // A killed process can have written its token first; then all processes have that token.
        let by_the_dead = lost.len().min(1 - kept.min(1));
        tally.same("logins kept in a window", kept + by_the_dead, 1);
        tally.hold(held.len() == 1, || format!("{} tokens in one window", held.len()));
        let known = issued.iter().skip(before).any(|token| Some(&digest(token)) == held.first());
        tally.hold(known, || "a token that was not issued in this window".to_owned());
        tally.same("the token in the file", self.scene.held()?, held.first().cloned());
        Ok(u64::try_from(lost.len() - by_the_dead)?)
    }

    fn is_killed(&self, login: &Login) -> bool {
        login.client.parse().is_ok_and(|id: u32| self.kills.contains_key(&id))
    }

    /// Counts logins that were in flight together: one that was cut off lasted until its client was killed, and not
    /// until the server noticed.
    fn overlaps(&self, tally: &mut Tally) -> usize {
        let mut spans: Vec<(Instant, Instant)> = Vec::new();
        for login in self.scene.service.log() {
            let killed = login.client.parse().ok().and_then(|id: u32| self.kills.get(&id).copied());
            tally.hold(login.answered || killed.is_some(), || {
                format!("a login was given up by a client that lives: {login:?}")
            });
            let to = killed.map_or(login.to, |killed| killed.min(login.to));
            // The server can read a request after its client has been killed.
            if login.from < to {
                spans.push((login.from, to));
            }
        }
        spans.sort();
        spans.windows(2).filter(|pair| pair[1].0 < pair[0].1).count()
    }
}

struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
