//! F5, F6, F7: the store is down from the start, goes down, or is stopped for a while.

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

/// Runs row F5.
pub(in crate::fire) fn from_the_start(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("flights without a store");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let rounds = ground.scale.pick(1, 15);
    for (what, least, most) in
        [("refused", None, 50), ("stopped", Some(400), 500), ("silent", Some(400), 500)]
    {
        let (mut first, mut next, mut without) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let mut fleet = Fleet::new(ground)?;
            // Each round uses a separate store, which this process has not used yet.
            fleet.parameters = format!("?prefix=round-{what}-{round}");
            let silent = TcpListener::bind("127.0.0.1:0")?;
            match what {
                "refused" => fleet.server.kill()?,
                "stopped" => fleet.server.stop(true)?,
                // It accepts connections and never answers.
                _ => fleet.server.port = silent.local_addr()?.port(),
            }
            let host = fleet.host();
            let runtime = runtime()?;
            let with = fleet.builder(&host).build()?;
            // Two clients without a store: the difference of their times is the precision of the other figures.
            let mut bare = |key: &str| {
                let directory = fleet.host().directory;
                let builder = colony_async::Client::builder(key).base_url(fleet.service.base_url());
                builder.token_cache_dir(directory).build()
            };
            let (bare, control) = (bare("col_another_key_0123456789")?, bare("col_a_third_key_0123456789")?);
            for more in [&mut first, &mut next] {
                let mut flight = |client: &colony_async::Client| -> Result<i64, Box<dyn std::error::Error>> {
                    let start = Instant::now();
                    let outcome = runtime.block_on(async { client.auth().token().await });
                    let took = start.elapsed();
                    tally.check(outcome.is_ok(), || format!("{what}: {outcome:?}"));
                    runtime.block_on(async { client.auth().forget_token().await })?;
                    Ok(i64::try_from(took.as_millis())?)
                };
                let plain = flight(&bare)?;
                without.push(flight(&control)? - plain);
                more.push(flight(&with)? - plain);
            }
            tally.same("logins of three clients, two each", fleet.logins(), 6);
            if what == "stopped" {
                fleet.server.stop(false)?;
            }
        }
        let [first, next, without] = [first, next, without].map(Spread::of);
        if ground.scale == Scale::Long {
            // The runtime's timer counts in milliseconds, and rounds up.
            let most = most + 5;
            tally.hold(first.median <= most, || format!("{what}: the first flight took {first} more"));
            tally.hold(next.median <= 5, || format!("{what}: the next flight took {next} more"));
        }
        // A refused connection causes no wait.
        if let Some(least) = least {
            let waited = u64::from(first.median >= least);
            tally.fault(format!("first flights that waited for a store that is {what}"), waited, 1);
        }
        tally.fact(format!(
            "{what}: {first} on the first flight, {next} on the next ({without} without a store)"
        ));
    }
    Ok(tally)
}

/// Times in milliseconds.
struct Spread {
    least: i64,
    median: i64,
    most: i64,
}

impl Spread {
    fn of(mut times: Vec<i64>) -> Self {
        times.sort_unstable();
        let at = |index: usize| times.get(index).copied().unwrap_or_default();
        Self { least: at(0), median: at(times.len() / 2), most: at(times.len().saturating_sub(1)) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:+} ms [{:+} to {:+}]", self.median, self.least, self.most)
    }
}

/// Runs row F6.
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
        // The other hosts wait for the store.
        std::thread::sleep(Duration::from_millis(fastrand::u64(..400)));
        leases += fleet.server.keys(":lock")?.len() as u64;
        fleet.server.kill()?;
        // Not before the others have continued without it.
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

/// Runs row F7.
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
