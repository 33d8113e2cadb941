//! F18: a rolling update, with two versions of entries side by side.

use super::scene::{Fleet, LOGIN, all_served, go, is_missing, reports};
use crate::{
    crew::Crew,
    fire::{Ground, Outcome, Tally},
    plan::Plan,
    service::Answer,
};

/// This build's version, and one that does not exist yet.
const VERSIONS: [u32; 2] = [1, 2];

pub(in crate::fire) fn run(ground: &Ground) -> Outcome {
    let (batches, hosts) = ground.scale.pick((3, 8), (20, 50));
    let mut tally = Tally::of("calls of two versions, each on a cold host");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let mut fleet = Fleet::new(ground)?;
    fleet.service.otherwise(Answer::After(LOGIN));
    let (mut tokens, mut entries) = ([vec![], vec![]], Vec::new());
    let mut adopted = 0;
    for batch in 0..batches {
        let places = fleet.hosts(hosts);
        let version = |number: usize| VERSIONS[number % VERSIONS.len()];
        // This build's own version needs no setting.
        let plan = |number| match version(number) {
            1 => Plan::default(),
            other => Plan { store_version: Some(other), ..Plan::default() },
        };
        let hired = places.iter().enumerate().map(|(number, place)| Crew::hire(place, 1, |_| plan(number)));
        let mut crews: Vec<Crew> = hired.collect::<Result<_, _>>()?;
        go(&mut crews)?;
        let served = reports(&mut crews)?;
        for (number, report) in served.iter().enumerate() {
            tokens[number % VERSIONS.len()].extend(all_served(&mut tally, std::slice::from_ref(report)));
            adopted += report.events.get("adopted").copied().unwrap_or_default();
        }
        let now = stored(&fleet)?;
        if batch == 0 {
            entries = now;
        } else {
            // An entry that is sealed again has other bytes.
            tally.hold(now == entries, || "an entry was written again or removed".to_owned());
        }
    }
    for (version, mut tokens) in VERSIONS.into_iter().zip(tokens) {
        tokens.sort();
        tokens.dedup();
        tally.same(&format!("tokens of version {version}"), tokens.len(), 1);
        let of_version = format!("colony-sdk:{version}:");
        let count = entries.iter().filter(|(name, _)| name.starts_with(&of_version)).count();
        tally.same(&format!("entries of version {version}"), count, 1);
    }
    tally.same("logins", fleet.logins(), 2);
    tally.fault(
        "tokens adopted from a host of the same version",
        adopted,
        u64::try_from(batches * hosts)? - 2,
    );
    Ok(tally)
}

/// Returns the tokens' entries, with their contents.
fn stored(fleet: &Fleet) -> std::io::Result<Vec<(String, String)>> {
    let mut names = fleet.server.keys(":token")?;
    names.sort();
    names
        .into_iter()
        .map(|name| Ok((name.clone(), fleet.server.cli(&["--no-raw", "HGETALL", &name])?)))
        .collect()
}
