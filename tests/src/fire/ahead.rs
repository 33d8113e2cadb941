//! R8: tokens are renewed before they go stale. No call waits for a renewal, and renewals are spread over time.

use std::{
    future::Future as _,
    pin::pin,
    task::{Context, Poll, Waker},
};

use super::{Ground, Outcome, Tally, scene::runtime};
use crate::{
    clock::Clock,
    service::{Answer, Service},
};

const HOUR: f64 = 3_600.0;
/// When a token that lives for a day is renewed: within an hour that ends a minute before it goes stale.
const WINDOW: (f64, f64) = (22.0 * HOUR - 60.0, 23.0 * HOUR - 60.0);

pub(super) fn run(ground: &Ground) -> Outcome {
    let mut tally = stall(ground)?;
    tally.add(spread(ground)?);
    Ok(tally)
}

fn scripted() -> std::io::Result<(Service, Clock)> {
    let clock = Clock::standing();
    let seen = clock.clone();
    Ok((Service::start(move || seen.unix())?, clock))
}

fn builder(service: &Service, clock: &Clock) -> colony_async::Builder {
    colony_async::Client::builder("col_ahead").base_url(service.base_url()).timer(clock.clone())
}

/// Looks tokens up during a renewal that does not end. Each lookup is polled once: one that had to wait would not be
/// ready.
fn stall(ground: &Ground) -> Outcome {
    let lookups = ground.scale.pick(20_000, 100_000);
    let (service, clock) = scripted()?;
    let directory = tempfile::tempdir()?;
    let mut tally = Tally::of("lookups during a renewal, and renewals");
    runtime()?.block_on(async {
        let client =
            builder(&service, &clock).token_cache_dir(directory.path().join("cache")).refresh_ahead(true);
        let client = client.build()?;
        client.auth().token().await?;
        clock.sleepers(1).await;
        service.next([Answer::Held]);
        // Up to the last moment of the window.
        let passing = tokio::spawn({
            let clock = clock.clone();
            async move { clock.pass(WINDOW.1).await }
        });
        service.until(|counts| counts.logins == 2).await;
        let mut waited = 0;
        for _ in 0..lookups {
            let mut token = pin!(client.auth().token());
            match token.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(_)) => tally.check(true, String::new),
                Poll::Ready(Err(error)) => tally.check(false, || error.to_string()),
                Poll::Pending => {
                    waited += 1;
                    tally.check(false, || "a lookup waited for the renewal".to_owned());
                }
            }
        }
        tally.same("lookups that waited", waited, 0);
        let in_flight = service.counts().logins - u64::try_from(service.log().len())?;
        tally.fault("renewal in flight to the end of the lookups", in_flight, 1);
        service.release();
        passing.await?;
        tally.same("logins", service.counts().logins, 2);
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    Ok(tally)
}

/// Counts the renewals of many clients, by the minute.
fn spread(ground: &Ground) -> Outcome {
    const MINUTE: f64 = 60.0;
    let clients = ground.scale.pick(200, 1_000);
    let (service, clock) = scripted()?;
    let mut tally = Tally::of("renewals");
    colony_async::install_tls_provider();
    let connections = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build()?;
    let mut by_minute = Vec::new();
    runtime()?.block_on(async {
        let mut running = Vec::new();
        for _ in 0..clients {
            // Each client has its own token.
            let client = builder(&service, &clock).cache_token(false).refresh_ahead(true);
            let client = client.http_client(connections.clone()).build()?;
            client.auth().token().await?;
            running.push(client);
        }
        clock.sleepers(clients).await;
        clock.jump(WINDOW.0 - MINUTE);
        let mut before = service.counts().logins;
        for _ in 0..62 {
            clock.pass(MINUTE).await;
            // Let the woken clients go back to sleep.
            clock.sleepers(clients).await;
            let now = service.counts().logins;
            by_minute.push(now - before);
            before = now;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    let renewals: u64 = by_minute.iter().sum();
    let expected = u64::try_from(clients)?;
    for _ in 0..renewals.min(expected) {
        tally.check(true, String::new);
    }
    tally.same("clients that renewed within the window", renewals, expected);
    let first = by_minute.iter().position(|&count| count > 0).unwrap_or_default();
    let last = by_minute.iter().rposition(|&count| count > 0).unwrap_or_default();
    let covered = (last - first + 1) * 100 / 60;
    tally.hold(covered >= 80, || format!("renewals cover {covered} % of the window: {by_minute:?}"));
    let busiest = by_minute.iter().max().copied().unwrap_or_default();
    // Evenly spread, each minute has one sixtieth.
    tally.hold(busiest <= expected / 60 * 4 + 4, || format!("{busiest} renew in one minute: {by_minute:?}"));
    tally.fact(format!(
        "{clients} clients renew over {covered} % of the window, at most {busiest} in a minute"
    ));
    Ok(tally)
}
