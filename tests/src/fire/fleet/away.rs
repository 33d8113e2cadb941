//! F5, F6, F7: the store is away from the start, goes away, or stands still for a while.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use super::{
    scene::{Fleet, all_served, go, is_missing, reports},
    server::Server,
};
use crate::{
    fire::{
        Ground, Outcome, Scale, Tally,
        scene::{eventually, runtime},
    },
    plan::Plan,
    service::Answer,
};

/// F5.
pub(in crate::fire) fn from_the_start(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("flights without a store");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let rounds = ground.scale.pick(1, 10);
    for (what, least, most) in [("refused", 0, 50), ("stopped", 400, 500), ("silent", 400, 500)] {
        let (mut first, mut next) = (0, 0);
        for round in 0..rounds {
            let mut fleet = Fleet::new(ground)?;
            // Each round is a store of its own, which this process has not yet met.
            fleet.parameters = format!("?prefix=round-{what}-{round}");
            let silent = TcpListener::bind("127.0.0.1:0")?;
            match what {
                "refused" => fleet.server.kill()?,
                "stopped" => fleet.server.stop(true)?,
                // It takes connections, and nobody answers.
                _ => fleet.server.port = silent.local_addr()?.port(),
            }
            let host = fleet.host();
            let runtime = runtime()?;
            let with = fleet.builder(&host).build()?;
            let bare_host = fleet.host();
            let bare = colony_async::Client::builder("col_another_key_0123456789")
                .base_url(fleet.service.base_url())
                .token_cache_dir(&bare_host.directory)
                .build()?;
            let timed = |client: &colony_async::Client| {
                let start = Instant::now();
                let outcome = runtime.block_on(async { client.auth().token().await });
                (outcome, start.elapsed())
            };
            let (_, plain) = timed(&bare);
            let (outcome, took) = timed(&with);
            tally.check(outcome.is_ok(), || format!("{what}: {outcome:?}"));
            first = first.max(took.saturating_sub(plain).as_millis());
            runtime.block_on(async { bare.auth().forget_token().await })?;
            runtime.block_on(async { with.auth().forget_token().await })?;
            let (_, plain) = timed(&bare);
            let (outcome, took) = timed(&with);
            tally.check(outcome.is_ok(), || format!("{what}, next: {outcome:?}"));
            next = next.max(took.saturating_sub(plain).as_millis());
            tally.same("logins of two clients, two each", fleet.logins(), 4);
            if what == "stopped" {
                fleet.server.stop(false)?;
            }
        }
        if ground.scale == Scale::Long {
            tally.hold(first <= most + 30, || format!("{what}: the first flight took {first} ms more"));
            tally.hold(next <= 20, || format!("{what}: the next flight took {next} ms more"));
        }
        tally.fault(
            format!("first flights that waited for a store that is {what}"),
            u64::from(first >= least),
            1,
        );
        tally.fact(format!("{what}: + {first} ms on the first flight, + {next} ms on the next"));
    }
    Ok(tally)
}

/// F6.
pub(in crate::fire) fn in_the_middle(ground: &Ground) -> Outcome {
    let (moments, processes) = ground.scale.pick((2, 5), (20, 100));
    let mut tally = Tally::of("calls beside a store that is killed");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let (mut most, mut leases) = (0, 0);
    for _ in 0..moments {
        let mut fleet = Fleet::new(ground)?;
        fleet.service.next([Answer::Held]);
        let hosts = fleet.hosts(3);
        let mut crews = Fleet::hire(&hosts, processes, &Plan::default())?;
        go(&mut crews)?;
        runtime()?.block_on(fleet.service.until(|counts| counts.logins == 1));
        // The other hosts wait at the store.
        std::thread::sleep(Duration::from_millis(fastrand::u64(..400)));
        leases += fleet.server.keys(":lock")?.len() as u64;
        fleet.server.kill()?;
        // Not before the others have gone on without it.
        let goes_on = || fleet.logins() >= 3;
        tally.hold(eventually(Duration::from_secs(20), goes_on), || "the other hosts wait on".to_owned());
        fleet.service.release();
        all_served(&mut tally, &reports(&mut crews)?);
        most = most.max(fleet.logins());
        tally.hold(fleet.logins() <= 3, || format!("{} logins of 3 hosts", fleet.logins()));
        let files = hosts.iter().filter(|host| Fleet::has_file(host)).count();
        tally.same("hosts with a file", files, 3);
    }
    tally.fault("leases lost with the store", leases, moments);
    tally.fact(format!("at most {most} logins of 3 hosts"));
    Ok(tally)
}

/// F7.
pub(in crate::fire) fn paused(ground: &Ground) -> Outcome {
    let pauses: &[u64] = ground.scale.pick(&[3], &[5, 60]);
    let processes = ground.scale.pick(4, 100);
    let mut tally = Tally::of("calls beside a store that stands still");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    for pause in pauses {
        let mut fleet = Fleet::with(ground, Server::start(&[])?)?;
        fleet.service.otherwise(Answer::After(Duration::from_millis(300)));
        let hosts = fleet.hosts(3);
        let mut crews = Fleet::hire(&hosts, processes, &Plan::default())?;
        fleet.server.stop(true)?;
        go(&mut crews)?;
        let start = Instant::now();
        let served = reports(&mut crews)?;
        all_served(&mut tally, &served);
        tally.hold(fleet.logins() <= 3, || format!("{} logins of 3 hosts", fleet.logins()));
        std::thread::sleep(Duration::from_secs(*pause).saturating_sub(start.elapsed()));
        fleet.server.stop(false)?;
        let (server, going_on) = (&fleet.server, Instant::now());
        let is_free = || server.keys(":lock").is_ok_and(|locks| locks.is_empty());
        let freed = eventually(Duration::from_secs(12), is_free);
        tally.hold(freed, || "a lease that nobody has is left".to_owned());
        let ghost = going_on.elapsed();
        let cold = fleet.host();
        all_served(&mut tally, &Fleet::run(&[cold], 2)?);
        tally.fault("seconds without the store", *pause, *pause);
        tally.fact(format!("stopped for {pause} s: no lease {:.1} s after it went on", ghost.as_secs_f64()));
    }
    Ok(tally)
}
