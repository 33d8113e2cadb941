//! F1, F2, F3, F8: how often hosts log in and ask the store without faults.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use colony_async::{Minted, SharedToken, TokenName};
use futures_util::future::join_all;

use super::scene::{Fleet, LOGIN, all_served, is_missing, p99};
use crate::{
    crew::Place,
    fire::{Ground, Outcome, Scale, Tally, scene::runtime},
    service::Answer,
};

/// Runs row F1.
pub(in crate::fire) fn cold(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("calls on cold hosts");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    // A hundred processes on a core need more time than the default budget allows.
    let (runs, processes, alone) = ground.scale.pick((2, 8, "?file=no"), (10, 100, "?file=no&budget=5000"));
    let (mut worst, mut adopted) = (0, 0);
    for parameters in ["", alone] {
        for _ in 0..runs {
            let mut fleet = Fleet::new(ground)?;
            parameters.clone_into(&mut fleet.parameters);
            fleet.service.otherwise(Answer::After(LOGIN));
            let hosts = fleet.hosts(3);
            let reports = Fleet::run(&hosts, processes)?;
            let held = all_served(&mut tally, &reports);
            tally.same(&format!("logins of a fleet {parameters}"), fleet.logins(), 1);
            tally.same("tokens held", held.len(), 1);
            worst = worst.max(p99(&reports));
            adopted += reports.iter().filter(|report| report.events.contains_key("adopted")).count();
            let files = hosts.iter().filter(|host| Fleet::has_file(host)).count();
            tally.same("hosts with a file", files, if parameters.is_empty() { 3 } else { 0 });
        }
    }
    let fetches = shared_tokens(ground)?;
    tally.same("fetches of a token that three hosts' programs fetch", fetches, 1);
    let limit = u64::try_from(LOGIN.as_millis())? + 1_500;
    if ground.scale == Scale::Long {
        tally.hold(worst <= limit, || format!("99 of 100 took up to {worst} ms, more than {limit}"));
    }
    tally.fault("tokens adopted from another process or host", u64::try_from(adopted)?, 2);
    tally.fact(format!("99 of 100 served within {worst} ms, the login's {} among them", LOGIN.as_millis()));
    Ok(tally)
}

/// Runs three hosts with a token that the program fetches itself. Returns the number of fetches.
fn shared_tokens(ground: &Ground) -> Result<u64, Box<dyn std::error::Error>> {
    let mut fleet = Fleet::new(ground)?;
    let (hosts, fetches) = (fleet.hosts(3), Arc::new(AtomicU64::new(0)));
    let source = |host: &Place| {
        let fetches = Arc::clone(&fetches);
        SharedToken::builder(TokenName::new("fleet").secret("planted-secret"))
            .directory(&host.directory)
            .token_store(fleet.url())
            .mint(move || {
                fetches.fetch_add(1, Ordering::Relaxed);
                async {
                    tokio::time::sleep(LOGIN).await;
                    Ok(Minted::new("opaque").expires_in(Duration::from_secs(3_600)))
                }
            })
            .build()
    };
    let sources: Vec<SharedToken> = hosts.iter().map(source).collect::<Result<_, _>>()?;
    let tokens = join_all(sources.iter().map(SharedToken::token));
    let tokens = runtime()?.block_on(tokens);
    tokens.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(fetches.load(Ordering::Relaxed))
}

/// Runs row F2.
pub(in crate::fire) fn warm_calls(ground: &Ground) -> Outcome {
    let calls = ground.scale.pick(2_000, 100_000);
    let mut tally = Tally::of("warm calls");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let mut fleet = Fleet::new(ground)?;
    let host = fleet.host();
    let client = fleet.builder(&host).build()?;
    let runtime = runtime()?;
    runtime.block_on(client.auth().token())?;
    let commands = |fleet: &Fleet| fleet.server.info("stats", "total_connections_received");
    let before = commands(&fleet)?;
    let call = |tally: &mut Tally| {
        runtime.block_on(async {
            for _ in 0..calls {
                let outcome = client.auth().token().await;
                tally.check(outcome.is_ok(), || format!("{outcome:?}"));
            }
        });
    };
    call(&mut tally);
    // This query is a connection too.
    tally.same("connections meanwhile", commands(&fleet)? - before, 1);
    fleet.server.stop(true)?;
    call(&mut tally);
    fleet.server.stop(false)?;
    tally.same("logins", fleet.logins(), 1);
    tally.fault("warm calls beside a stopped server", calls, calls);
    Ok(tally)
}

/// Runs row F3.
pub(in crate::fire) fn warm_hosts(ground: &Ground) -> Outcome {
    let processes = ground.scale.pick(8, 100);
    let mut tally = Tally::of("calls of new processes on warm hosts");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let mut fleet = Fleet::new(ground)?;
    let hosts = fleet.hosts(3);
    Fleet::run(&hosts, 1)?;
    let before = fleet.server.info("stats", "total_connections_received")?;
    let reports = Fleet::run(&hosts, processes)?;
    all_served(&mut tally, &reports);
    let connections = fleet.server.info("stats", "total_connections_received")? - before;
    tally.same("connections, the question's aside", connections - 1, 0);
    tally.same("logins", fleet.logins(), 1);
    tally.fault("hosts that asked the store before", before - 1, 3);
    Ok(tally)
}

/// Runs row F8.
pub(in crate::fire) fn restarted(ground: &Ground) -> Outcome {
    let processes = ground.scale.pick(6, 100);
    let mut tally = Tally::of("calls beside a store that lost everything");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let mut fleet = Fleet::new(ground)?;
    let warm = fleet.hosts(3);
    Fleet::run(&warm, 1)?;
    tally.fault("entries lost", fleet.server.keys(":token")?.len() as u64, 1);
    fleet.server.restart()?;
    tally.same(
        "keys after the restart",
        fleet.server.keys("")?.iter().filter(|name| !name.is_empty()).count(),
        0,
    );
    let reports = Fleet::run(&warm, processes)?;
    all_served(&mut tally, &reports);
    tally.same("logins of warm hosts", fleet.logins(), 1);
    let cold = fleet.host();
    let reports = Fleet::run(&[cold], processes)?;
    all_served(&mut tally, &reports);
    tally.same("logins after a cold host", fleet.logins(), 2);
    Ok(tally)
}
