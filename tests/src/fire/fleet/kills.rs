//! F4: the host that logs in is killed.

use std::{
    io, thread,
    time::{Duration, Instant},
};

use super::scene::{Fleet, LOGIN, all_served, go, is_missing};
use crate::{
    crew::Crew,
    fire::{Ground, Outcome, Scale, Tally},
    plan::Plan,
    service::Answer,
};

/// How long a lease lasts without an extension, plus the longest pause between two checks.
const LEASE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(1_500);

pub(in crate::fire) fn run(ground: &Ground) -> Outcome {
    // A fleet mostly waits for a lease to end, so several run at the same time.
    let (kills, side_by_side, processes) = ground.scale.pick((1, 1, 4), (200, 5, 10));
    let mut tally = Tally::of("calls beside a dead holder");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let outcomes: Vec<io::Result<Vec<Kill>>> = thread::scope(|scope| {
        let share = || (0..kills / side_by_side).map(|_| kill_one(ground, processes)).collect();
        let working: Vec<_> = (0..side_by_side).map(|_| scope.spawn(share)).collect();
        let died = || io::Error::other("a fleet's thread panicked");
        working.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(died()))).collect()
    });
    let (mut worst, mut leases) = (Duration::ZERO, 0);
    for outcome in outcomes {
        for kill in outcome? {
            tally.add(kill.tally);
            worst = worst.max(kill.took);
            leases += kill.leases;
        }
    }
    tally.fault("leases of the killed", leases, kills);
    let limit = LEASE + POLL + LOGIN;
    if ground.scale == Scale::Long {
        tally.hold(worst <= limit, || format!("all were served after {worst:?}, more than {limit:?}"));
    }
    // A token stored before the kill makes no process wait.
    let mut fleet = Fleet::new(ground)?;
    let (first, second) = (fleet.host(), fleet.host());
    let mut dying = Crew::hire(&first, 1, |_| Plan::default())?;
    dying.go()?;
    dying.reports()?;
    dying.0[0].kill()?;
    tally.same("leases left by one that had stored its token", fleet.server.keys(":lock")?.len(), 0);
    all_served(&mut tally, &Fleet::run(&[second], processes)?);
    tally.same("logins where the token was stored", fleet.logins(), 1);
    tally.fact(format!("all served within {:.1} s of a kill", worst.as_secs_f64()));
    Ok(tally)
}

/// The result of one kill.
struct Kill {
    tally: Tally,
    /// From the kill until the last call was served.
    took: Duration,
    /// The leases that the killed process held.
    leases: u64,
}

fn kill_one(ground: &Ground, processes: usize) -> io::Result<Kill> {
    let mut tally = Tally::of("calls beside a dead holder");
    let mut fleet = Fleet::new(ground)?;
    fleet.service.next([Answer::Held]);
    fleet.service.otherwise(Answer::After(LOGIN));
    let holder = fleet.host();
    let mut dying = Crew::hire(&holder, 1, |_| Plan::default())?;
    dying.go()?;
    crate::fire::scene::runtime()?.block_on(fleet.service.until(|counts| counts.logins == 1));
    thread::sleep(Duration::from_millis(fastrand::u64(..200)));
    let hosts = fleet.hosts(3);
    let mut crews = Fleet::hire(&hosts, processes, &Plan::default())?;
    go(&mut crews)?;
    let start = Instant::now();
    let leases = fleet.server.keys(":lock")?.len() as u64;
    dying.0[0].kill()?;
    let reports = super::scene::reports(&mut crews)?;
    let took = start.elapsed();
    let held = all_served(&mut tally, &reports);
    tally.same("tokens held by the living", held.len(), 1);
    tally.same("logins, that of the dead among them", fleet.logins(), 2);
    Ok(Kill { tally, took, leases })
}
