//! W3, W4, W5, W17: against the sandbox, in this process: no repeats, full kinds, positions that are too old, the
//! account's own posts.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use colony_cli::sandbox::Options;
use colony_core::{
    Timestamp,
    api::posts::CreatePost,
    events::{Event, GapReason, StateFile, Watch},
};
use serde_json::json;

use super::scene::{KINDS, Scene, bare};
use crate::fire::{Ground, Outcome, Tally};

/// Writes the state file of a watch that begins now.
fn begin(scene: &Scene, watch: Watch) -> Result<(), Box<dyn std::error::Error>> {
    scene.with_client(|client| async move {
        let mut events = client.events().watch(watch);
        events.try_next().await?;
        events.close().await.map(drop)
    })
}

/// W3: no event is delivered twice while a watch lives, and none that was done is delivered again after a clean stop.
pub(in crate::fire) fn run(ground: &Ground) -> Outcome {
    let (events, stops) = ground.scale.pick((400, 4), (20_000, 40));
    let scene = Scene::new(ground, Options::default())?;
    let mut tally = Tally::of("events");
    let quick = Duration::from_millis(100)..=Duration::from_millis(200);
    let watch = Watch::new().interval(quick).state_file(StateFile::path(scene.path("state/watch.json")));
    let mut done: BTreeMap<String, usize> = BTreeMap::new();
    let (mut raised, mut delayed, mut again) = (BTreeSet::new(), BTreeSet::new(), 0);
    begin(&scene, watch.once(true))?;
    for stop in 0..stops {
        for kind in KINDS {
            raised.extend(scene.happens(kind, events / stops / KINDS.len())?);
        }
        let quick = Duration::from_millis(100)..=Duration::from_millis(200);
        let watch = Watch::new().interval(quick).state_file(StateFile::path(scene.path("state/watch.json")));
        let (raised, delayed, done, again) = (&raised, &mut delayed, &mut done, &mut again);
        let is_last = stop + 1 == stops;
        scene.with_client(|client| async move {
            let mut events = client.events().watch(watch);
            let mut left = BTreeSet::new();
            while raised.iter().any(|id| !done.contains_key(id) && !left.contains(id)) {
                let Some(received) = events.try_next().await? else { break };
                let id = bare(received.id().as_str()).to_owned();
                // Some are not done when it stops, once each: those are delivered again, if the walk reaches back to
                // them.
                if !is_last
                    && fastrand::u8(..10) == 0
                    && !done.contains_key(&id)
                    && delayed.insert(id.clone())
                {
                    left.insert(id);
                    continue;
                }
                *done.entry(id).or_default() += 1;
                received.done();
            }
            *again += left.len();
            events.close().await
        })?;
    }
    for id in &raised {
        let times = done.get(id).copied().unwrap_or_default();
        tally.check(times == 1, || format!("{id} was given {times} times"));
    }
    let twice = done.values().filter(|count| **count > 1).count();
    tally.losses(twice as u64, || format!("{twice} came again after they were done"));
    tally.fault("events left undone at a stop, which came again", again as u64, 10);
    tally.fact(format!(
        "{stops} clean stops; {} events given, with the notifications of messages",
        done.len()
    ));
    Ok(tally)
}

/// W4: between two rounds, more events of each kind than `/since` returns.
pub(in crate::fire) fn full(ground: &Ground) -> Outcome {
    let scene = Scene::new(ground, Options::default())?;
    let mut tally = Tally::of("events");
    let state = || StateFile::path(scene.path("state/watch.json"));
    let once = || Watch::new().once(true).state_file(state());
    begin(&scene, once())?;
    let mut raised = Vec::new();
    for (kind, count) in [("post", 1000), ("mention", 1000), ("message", 300)] {
        raised.extend(scene.happens_so(&json!({"kind": kind, "count": count}))?);
    }
    let token = scene.token()?;
    let unread = || scene.ask("GET", "/api/v1/me/unread", &token, "");
    let before = unread()?;
    let (given, gaps) = scene.with_client(|client| async move {
        let mut events = client.events().watch(once());
        let (mut given, mut gaps) = (BTreeMap::<String, usize>::new(), Vec::new());
        while let Some(received) = events.try_next().await? {
            match &*received {
                Event::Gap(gap) => gaps.push((gap.from.clone(), gap.to.clone(), gap.why)),
                _ => *given.entry(bare(received.id().as_str()).to_owned()).or_default() += 1,
            }
            received.done();
        }
        events.close().await?;
        Ok((given, gaps))
    })?;
    // The messages bring 300 notifications of their own.
    let missing = raised.iter().filter(|id| !given.contains_key(*id)).count();
    tally.tries(raised.len() as u64);
    let is_told = missing == 0 || gaps.iter().any(|(_, _, why)| *why == GapReason::Full);
    tally.hold(is_told, || format!("{missing} events are missing, and no gap says so"));
    let twice = given.values().filter(|count| **count > 1).count();
    tally.losses(twice as u64, || format!("{twice} came twice"));
    tally.same("unread", unread()?, before);
    tally.fault("events given", given.len() as u64, 2_000);
    tally.fact(format!("{missing} missing; {} gaps", gaps.len()));
    Ok(tally)
}

/// W5: a position of 40 days ago.
pub(in crate::fire) fn too_old(ground: &Ground) -> Outcome {
    let scene = Scene::new(ground, Options::default())?;
    let mut tally = Tally::of("watches from a position that is too old");
    scene.happens("message", 3)?;
    let old = Timestamp::from(SystemTime::now() - Duration::from_secs(40 * 86_400));
    for _ in 0..3 {
        let since = old.clone();
        let events = scene.with_client(|client| async move {
            let mut events = client.events().watch(Watch::new().since(since).once(true));
            let mut given = Vec::new();
            while let Some(received) = events.try_next().await? {
                given.push(Event::clone(&received));
                received.done();
            }
            Ok(given)
        })?;
        let is_gap = |event: &Event| matches!(event, Event::Gap(gap) if gap.why == GapReason::TooOld && gap.from == old);
        let gaps = events.iter().filter(|event| matches!(event, Event::Gap(_))).count();
        let is_good = events.first().is_some_and(is_gap) && gaps == 1 && events.len() > 3;
        tally.check(is_good, || format!("{events:?}"));
    }
    Ok(tally)
}

/// W17: the account's own posts.
pub(in crate::fire) fn own(ground: &Ground) -> Outcome {
    let scene = Scene::new(ground, Options::default())?;
    let mut tally = Tally::of("watches beside one's own posts");
    let posts = ground.scale.pick(5, 50);
    let start = Timestamp::from(SystemTime::now() - Duration::from_secs(1));
    let colony =
        scene.with_client(|client| async move { client.colonies().list(Default::default()).await })?;
    let colony = colony.items.first().and_then(|colony| colony.name.clone()).ok_or("no colony")?;
    let mut own = BTreeSet::new();
    for n in 0..posts {
        let post = CreatePost::new(format!("To myself {n}"), "I say something").colony(colony.clone());
        own.insert(scene.with_client(|client| client.posts().create(post))?.id.to_string());
    }
    let theirs = scene.happens("post", 3)?;
    for wanted in [false, true] {
        let since = start.clone();
        let given = scene.with_client(|client| async move {
            let mut events = client.events().watch(Watch::new().since(since).own(wanted).once(true));
            let mut given = BTreeSet::new();
            while let Some(received) = events.try_next().await? {
                given.insert(bare(received.id().as_str()).to_owned());
                received.done();
            }
            Ok(given)
        })?;
        let found = own.iter().filter(|id| given.contains(*id)).count();
        let expected = if wanted { own.len() } else { 0 };
        let others = theirs.iter().all(|id| given.contains(id));
        tally.check(found == expected && others, || {
            format!("own({wanted}): {found} of {expected}, others' {others}")
        });
    }
    tally.fault("own posts", own.len() as u64, 5);
    Ok(tally)
}
