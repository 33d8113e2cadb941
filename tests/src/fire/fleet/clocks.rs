//! F17, beside the simulated days: a clock that differs much from the store's is reported once in each process.

use super::scene::{Fleet, is_missing, reports};
use crate::{
    fire::{Ground, Outcome, Tally},
    plan::{Order, Plan},
};

/// Logins of each process, each of which reads the store's clock.
const LOGINS: u64 = 3;

pub(in crate::fire) fn reported(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("worlds of three days");
    if is_missing(&mut tally) {
        return Ok(tally);
    }
    let (mut fleet, mut looks) = (Fleet::new(ground)?, 0);
    // Each process asks the store for each login.
    fleet.parameters = "?file=no".to_owned();
    let skews = [(0, 0), (30, 0), (-30, 0), (120, 1), (-120, 1)];
    for (skew_s, expected) in skews {
        let mut crews = Fleet::hire(&[fleet.host()], 2, &Plan::default())?;
        let order = Order { skew_s, forget: true, ..Order::default() };
        let before = looked(&fleet)?;
        let mut last = Vec::new();
        for _ in 0..LOGINS {
            crews[0].order(&order)?;
            last = reports(&mut crews)?;
        }
        looks += looked(&fleet)? - before;
        for report in last {
            tally.hold(report.failure.is_none(), || format!("{:?}", report.failure));
            let is_skew = |text: &&String| text.starts_with("colony::token") && text.contains("clock_skew");
            let told = report.warnings.iter().filter(is_skew).count();
            tally.same(&format!("warnings of a clock that is {skew_s} s ahead"), told, expected);
        }
    }
    // Two processes for each clock.
    tally.fault("looks at the clock of a store", looks, 2 * LOGINS * skews.len() as u64);
    tally.fact("more than 60 s apart: one warning in each process; 30 s: none");
    Ok(tally)
}

/// Returns how often the store was asked for its time.
fn looked(fleet: &Fleet) -> std::io::Result<u64> {
    let text = fleet.server.cli(&["INFO", "commandstats"])?;
    let calls = text.lines().find_map(|line| line.strip_prefix("cmdstat_time:calls="));
    Ok(calls.and_then(|calls| calls.split(',').next()?.parse().ok()).unwrap_or_default())
}
