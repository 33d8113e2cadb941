//! F15, F16: the information that the store gets, and the lies that it can tell.

use std::fs;

use secrecy::ExposeSecret as _;

use super::{
    scene::{Fleet, go, is_missing},
    server::Server,
};
use crate::{
    fire::{
        Ground, Outcome, Tally,
        scene::{KEY, runtime},
    },
    plan::Plan,
    service::Answer,
};

const PASSWORD: &str = "planted-redis-password";

/// Runs row F15.
pub(in crate::fire) fn secrets(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("searches for a secret");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let processes = ground.scale.pick(3, 20);
    let server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"])?;
    let mut fleet = Fleet::with(ground, server)?;
    let log = fleet.outer.path().join("monitor");
    let monitor = fleet.server.monitor(&log)?;
    // The default user takes any password when it has none.
    fleet.server.cli(&["CONFIG", "SET", "requirepass", PASSWORD])?;
    fleet.server.cli(&[
        "-a",
        PASSWORD,
        "--no-auth-warning",
        "ACL",
        "SETUSER",
        "open",
        "on",
        "nopass",
        "+@all",
        "~*",
    ])?;
    fleet.service.next([Answer::Limited("1".to_owned())]);
    fleet.service.otherwise(Answer::Echo(401));
    let mut told = String::new();
    for round in 0..4 {
        if round > 1 {
            fleet.service.otherwise(Answer::Token);
        }
        let mut hosts = fleet.hosts(2);
        for host in &mut hosts {
            host.environment.push(("COLONY_SDK_TOKEN_STORE_PASSWORD".into(), PASSWORD.into()));
        }
        let plan = Plan { trace: true, ignore_cool_down: true, ..Plan::default() };
        let mut crews = Fleet::hire(&hosts, processes, &plan)?;
        go(&mut crews)?;
        for crew in crews {
            for mut worker in crew.0 {
                worker.report()?;
                told.push_str(&worker.end()?);
            }
        }
    }
    let cli = |words: &[&str]| fleet.server.cli(&[&["-a", PASSWORD, "--no-auth-warning"], words].concat());
    tally.fault(
        "entries stored",
        cli(&["KEYS", "*:token"])?.lines().filter(|it| !it.is_empty()).count() as u64,
        1,
    );
    cli(&["SAVE"])?;
    drop(monitor);
    let (mut stored, mut bytes) = (Vec::new(), told.len());
    for path in files(fleet.server.directory.path())?.into_iter().chain([log]) {
        stored.extend(fs::read(path)?);
    }
    bytes += stored.len();
    let fingerprint = {
        let url = fleet.service.base_url();
        colony_core::token::cache_path::fingerprint(&url, KEY)
    };
    let issued = fleet.service.issued();
    let parts = issued.iter().flat_map(|token| token.split('.').map(str::to_owned)).filter(|it| it.len() > 8);
    let mut secrets: Vec<(String, String)> =
        parts.map(|part| ("a part of a token".to_owned(), part)).collect();
    secrets.push(("the API key".to_owned(), KEY.to_owned()));
    for (what, secret) in &secrets {
        let found = contains(&stored, secret.as_bytes());
        tally.check(!found, || format!("the store has {what}"));
        tally.check(!told.contains(secret.as_str()), || format!("an event has {what}"));
    }
    tally.check(!contains(&stored, fingerprint.as_bytes()), || "the store has the file's name".to_owned());
    tally.check(!told.contains(PASSWORD), || "an event has the store's password".to_owned());
    tally.fault("tokens issued", issued.len() as u64, 1);
    tally.fault("bytes searched", bytes as u64, 10_000);
    Ok(tally)
}

fn files(directory: &std::path::Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Runs row F16.
pub(in crate::fire) fn lies(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("cold hosts beside an entry that is a lie");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let drawn = ground.scale.pick(10, 300);
    let mut fleet = Fleet::new(ground)?;
    let first = fleet.host();
    let runtime = runtime()?;
    let token = |fleet: &Fleet, host: &crate::crew::Place| -> Result<String, colony_core::Error> {
        let client = fleet.builder(host).build()?;
        runtime.block_on(async { client.auth().token().await }).map(|token| token.expose_secret().to_owned())
    };
    token(&fleet, &first)?;
    let name = fleet.server.keys(":token")?.into_iter().next().ok_or("no entry")?;
    // An entry of another key, which is whole.
    let other = colony_async::Client::builder("col_another_key_0123456789")
        .base_url(fleet.service.base_url())
        .token_cache_dir(fleet.outer.path().join("other"))
        .token_store(fleet.url())
        .build()?;
    runtime.block_on(async { other.auth().token().await })?;
    let foreign = fleet.server.keys(":token")?.into_iter().find(|found| *found != name).ok_or("no entry")?;
    let mut replaced = 0;
    for number in 0..drawn {
        match number {
            0 => drop(fleet.server.cli(&["COPY", &foreign, &name, "REPLACE"])?),
            1 => drop(fleet.server.cli(&["HSET", &name, "exp", "99999999999"])?),
            2 => drop(fleet.server.cli(&[
                "HSET",
                &name,
                "id",
                "00000000000000000000000000000000",
                "exp",
                "inf",
            ])?),
            3 => drop(fleet.server.cli(&["HDEL", &name, "data"])?),
            _ => {
                let text: String =
                    std::iter::repeat_with(fastrand::alphanumeric).take(fastrand::usize(..900)).collect();
                let field = ["data", "exp", "id"][fastrand::usize(..3)];
                fleet.server.cli(&["HSET", &name, field, &text])?;
            }
        }
        let before = fleet.logins();
        let host = fleet.host();
        let outcome = token(&fleet, &host);
        let issued = fleet.service.issued();
        tally.check(outcome.as_ref().is_ok_and(|token| issued.last() == Some(token)), || {
            format!("lie {number}: {outcome:?}")
        });
        tally.same("logins for a lie", fleet.logins() - before, 1);
        // The lie is overwritten, so that the next host has a token.
        let next = fleet.host();
        let again = token(&fleet, &next);
        replaced += u64::from(again.is_ok() && fleet.logins() - before == 1);
    }
    tally.same("lies that were written over", replaced, drawn);
    tally.fault("lies", drawn, drawn);
    Ok(tally)
}
