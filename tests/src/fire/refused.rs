//! R7, S7: five hundred requests are refused with one token.

use colony_async::{Client, api::account::GetMe};
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::{
    Ground, Outcome, Tally,
    scene::{Scene, runtime},
};
use crate::{
    crew::Crew,
    plan::{Order, Plan},
    subject::Subject,
};

const CALLS: u64 = 500;

/// Runs many refusals in one process, then among many processes.
pub(super) fn run(ground: &Ground) -> Outcome {
    let mut tally = tasks(ground)?;
    tally.add(processes(ground, Subject::Login)?);
    Ok(tally)
}

/// Runs rounds in which the token that all processes hold is refused for each, and no call is answered before all
/// have arrived. The rounds are an hour apart, because a token that is refused at once is another case.
pub(super) fn processes(ground: &Ground, subject: Subject) -> Outcome {
    let (processes, rounds) = ground.scale.pick((40, 2), (200, 20));
    let scene = Scene::of(ground, subject)?;
    let mut tally = Tally::of("calls");
    let plan = |number| Plan { longest_life_s: 3_600, ..scene.mixed(number) };
    let mut crew = Crew::hire(&scene.place, processes, plan)?;
    let all = u64::try_from(processes)?;
    for round in 0..=rounds {
        let order = Order { skew_s: i64::try_from(round)? * 3_600, ..Order::default() };
        scene.skew(order.skew_s);
        let before = scene.counts();
        if round > 0 {
            scene.service.revoke();
            scene.service.gather(before.calls + all);
        }
        crew.order(&order)?;
        let reports = crew.reports()?;
        tally.same("processes that reported", reports.len(), processes);
        let newest = scene.newest();
        for report in &reports {
            let good = report.failure.is_none() && report.token == newest && report.warnings.is_empty();
            tally.check(good, || format!("round {round}: {report:?}"));
        }
        let after = scene.counts();
        tally.same("tokens asked for in a round", after.logins - before.logins, 1);
        let refused = if round > 0 { all } else { 0 };
        tally.same("calls refused", after.rejected - before.rejected, refused);
    }
    tally.fault("calls of processes refused with 401", scene.counts().rejected, all * rounds);
    tally.fact(format!("{processes} processes, {} tokens asked for", scene.counts().logins));
    Ok(tally)
}

/// Runs rounds in which the token is revoked, five hundred calls are sent with it, and none is answered before all
/// have arrived. Then a client that still holds the previous round's token makes a call: it is refused, and finds the
/// newer one.
fn tasks(ground: &Ground) -> Outcome {
    let rounds = ground.scale.pick(3, 40);
    let scene = Scene::new(ground)?;
    let mut tally = Tally::of("calls");
    runtime()?.block_on(async {
        let (client, late) = (scene.builder().build()?, scene.builder().build()?);
        client.auth().token().await?;
        late.auth().token().await?;
        for round in 1..=rounds {
            scene.service.revoke();
            let before = scene.counts();
            scene.service.gather(before.calls + CALLS);
            crowd(&client, &mut tally).await;
            let after = scene.counts();
            tally.same("logins in a round", after.logins - before.logins, 1);
            tally.same("calls at the server", after.calls - before.calls, 2 * CALLS);
            tally.same("calls refused", after.rejected - before.rejected, CALLS);

            let before = scene.counts();
            let outcome = late.execute_json(GetMe::default()).await;
            tally.check(outcome.is_ok(), || format!("round {round}, the late one: {outcome:?}"));
            let after = scene.counts();
            tally.same("logins for an old token while a newer is held", after.logins - before.logins, 0);
            tally.same("refusals of the old token", after.rejected - before.rejected, 1);
            let (one, other) = (client.auth().token().await?, late.auth().token().await?);
            tally.hold(one.expose_secret() == other.expose_secret(), || "two tokens".to_owned());
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    let counts = scene.counts();
    tally.fault("calls refused with 401", counts.rejected, (CALLS + 1) * rounds);
    tally.fact(format!("{rounds} rounds, {} logins", counts.logins));
    Ok(tally)
}

async fn crowd(client: &Client, tally: &mut Tally) {
    let mut tasks = JoinSet::new();
    for _ in 0..CALLS {
        let client = client.clone();
        tasks.spawn(async move { client.execute_json(GetMe::default()).await.map(drop) });
    }
    while let Some(outcome) = tasks.join_next().await {
        let outcome = outcome.map_err(|error| error.to_string()).and_then(|it| it.map_err(|e| e.to_string()));
        tally.check(outcome.is_ok(), || format!("{outcome:?}"));
    }
}
