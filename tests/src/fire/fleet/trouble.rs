//! F10, F11, F13, F14: a full server, a misconfigured one, a revocation, and a limit.

use colony_async::TokenStoreStatus;

use super::{
    scene::{Fleet, LOGIN, all_served, go, is_missing, reports},
    server::Server,
};
use crate::{
    crew::Place,
    fire::{Ground, Outcome, Tally},
    plan::Plan,
    service::Answer,
};

/// Runs row F10.
pub(in crate::fire) fn full(ground: &Ground) -> Outcome {
    let processes = ground.scale.pick(3, 50);
    let mut tally = Tally::of("calls beside a full store");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let mut fleet = Fleet::new(ground)?;
    let first = fleet.host();
    all_served(&mut tally, &Fleet::run(&[first], 1)?);
    fleet.server.cli(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])?;
    fleet.server.cli(&["CONFIG", "SET", "maxmemory", "1"])?;
    let refused = fleet.server.cli(&["SET", "x", "y"]).unwrap_or_default();
    tally.fault("writes that a full server refuses", u64::from(refused.contains("OOM")), 1);
    // Existing entries are read.
    let hosts = fleet.hosts(2);
    all_served(&mut tally, &Fleet::run(&hosts, processes)?);
    tally.same("logins of hosts that could read", fleet.logins(), 1);
    // Neither a new token nor a lease can be stored.
    fleet.server.cli(&["FLUSHALL"])?;
    let hosts = fleet.hosts(3);
    all_served(&mut tally, &Fleet::run(&hosts, processes)?);
    let logins = fleet.logins() - 1;
    tally.hold((1..=3).contains(&logins), || format!("{logins} logins of 3 hosts beside a full server"));
    // With another policy every entry is evicted, and stored again.
    fleet.server.cli(&["CONFIG", "SET", "maxmemory", "0"])?;
    all_served(&mut tally, &Fleet::run(&[fleet.host()], 1)?);
    fleet.server.cli(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"])?;
    fleet.server.cli(&["CONFIG", "SET", "maxmemory", "1"])?;
    let _ = fleet.server.cli(&["SET", "x", "y"]);
    fleet.server.cli(&["CONFIG", "SET", "maxmemory", "0"])?;
    let evicted = fleet.server.info("stats", "evicted_keys")?;
    tally.fault("keys evicted", evicted, 1);
    let before = fleet.logins();
    let hosts = fleet.hosts(2);
    all_served(&mut tally, &Fleet::run(&hosts, processes)?);
    tally.same("logins after the token was evicted", fleet.logins() - before, 1);
    tally.fact(format!("{logins} logins of 3 cold hosts beside a full server"));
    Ok(tally)
}

/// Runs row F11.
pub(in crate::fire) fn wrong(ground: &Ground) -> Outcome {
    let processes = ground.scale.pick(3, 20);
    let mut tally = Tally::of("calls beside a store that is wrongly set up");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let certificates = tempfile::tempdir()?;
    let path = |name: &str| certificates.path().join(name).display().to_string();
    let tls = Server::over_tls(certificates.path())?;
    if tls.is_none() {
        tally.not_tried("a store over TLS: openssl is not installed");
    }
    let mut server = Server::start(&[])?;
    server.cli(&["ACL", "SETUSER", "weak", "on", ">planted", "~colony-sdk:*", "+ping", "+get"])?;
    let least = format!("ACL SETUSER colony on >planted ~colony-sdk:* {}", TokenStoreStatus::RIGHTS);
    server.cli(&least.split(' ').collect::<Vec<_>>())?;
    let port = server.port;
    let mut cases: Vec<(&str, String, bool)> = vec![
        ("a wrong password", format!("redis://weak:wrong@127.0.0.1:{port}"), false),
        (
            "a user without the rights",
            format!("redis://weak:planted@127.0.0.1:{port}?prefix=colony-sdk:weak"),
            false,
        ),
        ("TLS against a plain server", format!("rediss://127.0.0.1:{port}?prefix=tls"), false),
        ("the least rights", format!("redis://colony:planted@127.0.0.1:{port}"), true),
        ("another database", format!("redis://127.0.0.1:{port}/3?prefix=three"), true),
    ];
    if let Some((_, port)) = &tls {
        let (ca, other) = (path("ca.pem"), path("other.pem"));
        cases.push(("a plain client against TLS", format!("redis://127.0.0.1:{port}"), false));
        cases.push(("a certificate of nobody known", format!("rediss://localhost:{port}"), false));
        cases.push(("the wrong authority", format!("rediss://localhost:{port}?ca={other}"), false));
        cases.push(("TLS with the right authority", format!("rediss://localhost:{port}?ca={ca}"), true));
    }
    for (what, url, works) in &cases {
        let mut fleet = Fleet::with(ground, Server::start(&[])?)?;
        fleet.service.otherwise(Answer::After(LOGIN));
        let hosts = [fleet.host_with(url), fleet.host_with(url)];
        let served = Fleet::run(&hosts, processes)?;
        all_served(&mut tally, &served);
        tally.same(&format!("logins of two hosts with {what}"), fleet.logins(), if *works { 1 } else { 2 });
        for report in &served {
            let warned = report.warnings.len();
            tally.hold(warned <= 1, || format!("{what}: {:?}", report.warnings));
        }
        let told = served.iter().filter(|report| !report.warnings.is_empty()).count();
        tally.hold((told > 0) != *works, || format!("{what}: told by {told}"));
        tally.fault(format!("fleets with {what}"), 1, 1);
    }
    // A key of another type under the token's name.
    let mut fleet = Fleet::new(ground)?;
    let first = fleet.host();
    all_served(&mut tally, &Fleet::run(&[first], 1)?);
    let name = fleet.server.keys(":token")?.into_iter().next().ok_or("no entry")?;
    fleet.server.cli(&["SET", &name, "text"])?;
    all_served(&mut tally, &Fleet::run(&[fleet.host()], processes)?);
    tally.same("logins beside a key of another type", fleet.logins(), 2);
    // More clients than the server accepts: they connect later, or continue without it.
    let mut fleet = Fleet::with(ground, Server::start(&["--maxclients", "3"])?)?;
    fleet.service.otherwise(Answer::After(LOGIN));
    let hosts = fleet.hosts(6);
    all_served(&mut tally, &Fleet::run(&hosts, 1)?);
    let logins = fleet.logins();
    tally.hold((1..=6).contains(&logins), || format!("{logins} logins of 6 hosts at a busy server"));
    tally.fact(format!("{logins} logins of 6 hosts at a server that takes 3 clients"));
    server.kill()?;
    Ok(tally)
}

/// Runs row F13, with processes; the worlds of SIMF have many more revocations.
pub(in crate::fire) fn revoked(ground: &Ground) -> Outcome {
    let processes = ground.scale.pick(6, 100);
    let mut tally = Tally::of("calls before and after a revocation");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let mut fleet = Fleet::new(ground)?;
    fleet.service.otherwise(Answer::After(LOGIN));
    let hosts = fleet.hosts(3);
    let mut crews = Fleet::hire(&hosts, processes, &Plan::default())?;
    go(&mut crews)?;
    all_served(&mut tally, &reports(&mut crews)?);
    fleet.service.revoke();
    let all = 3 * u64::try_from(processes)?;
    // All calls arrive with the revoked token before any is answered.
    fleet.service.gather(2 * all);
    go(&mut crews)?;
    let held = all_served(&mut tally, &reports(&mut crews)?);
    tally.same("logins, the first among them", fleet.logins(), 2);
    tally.same("tokens held afterwards", held.len(), 1);
    tally.fault("calls refused with 401", fleet.service.counts().rejected, all);
    Ok(tally)
}

/// Runs row F14.
pub(in crate::fire) fn limited(ground: &Ground) -> Outcome {
    let processes = ground.scale.pick(5, 100);
    let mut tally = Tally::of("calls in a zone under a limit, and beside it");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let mut fleet = Fleet::new(ground)?;
    let wait = 30;
    fleet.service.next([Answer::Limited(wait.to_string())]);
    let in_zone = |fleet: &mut Fleet, zone: &str| -> Vec<Place> {
        fleet.parameters = format!("?zone={zone}");
        fleet.hosts(3)
    };
    let limited = in_zone(&mut fleet, "nat-1");
    let mut most: f64 = 0.0;
    let served = Fleet::run(&limited, processes)?;
    for report in &served {
        let left = report.failure.as_ref().and_then(|failure| failure.retry_after);
        most = most.max(left.unwrap_or_default());
        tally.check(left.is_some_and(|left| left > 0.0 && left <= f64::from(wait)), || format!("{report:?}"));
    }
    tally.same("requests of the zone", fleet.logins(), 1);
    let cold = in_zone(&mut fleet, "nat-1");
    let served = Fleet::run(&cold[..1], processes)?;
    let refused = served.iter().filter(|report| report.failure.is_some()).count();
    tally.same("calls of a later host that were refused", refused, processes);
    tally.same("requests of the zone, later", fleet.logins(), 1);
    let beside = in_zone(&mut fleet, "nat-2");
    all_served(&mut tally, &Fleet::run(&beside, processes)?);
    tally.same("logins, the other zone's among them", fleet.logins(), 2);
    tally.fault("hosts under the limit", 4, 4);
    tally.fact(format!("at most {most:.1} s left of {wait}"));
    Ok(tally)
}
