//! W1: `colony watch --exec` is killed repeatedly; no event is lost, and the action for each is done once.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Seek as _, SeekFrom},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use colony_cli::sandbox::Options;
use rustix::process::{Pid, Signal, kill_process};

use super::scene::{KINDS, Scene};
use crate::fire::{Ground, Outcome, Tally, scene::eventually};

/// Answers an event with a comment under the event's key, and logs it.
const HANDLER: &str = r#"#!/bin/bash
exec 3<>"/dev/tcp/127.0.0.1/$PORT" || exit 75
body='{"body":"heard"}'
printf 'POST /api/v1/posts/%s/comments HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nIdempotency-Key: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' \
    "$POST" "$TOKEN" "$COLONY_IDEMPOTENCY_KEY" "${#body}" "$body" >&3
read -r _ status _ <&3
[ "$status" = 201 ] || exit 1
echo "$COLONY_EVENT_ID" >> log
"#;

/// The raised events in the log, of which only new lines are read.
#[derive(Default)]
struct Answered {
    at: u64,
    ids: BTreeSet<String>,
}

impl Answered {
    fn count(&mut self, log: &Path, raised: &BTreeSet<String>) -> usize {
        let mut new = String::new();
        let read = fs::File::open(log).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.at))?;
            file.read_to_string(&mut new)
        });
        if read.is_ok() {
            let whole = new.rfind('\n').map_or(0, |end| end + 1);
            self.at += whole as u64;
            let ids = new[..whole].lines().filter_map(|line| line.rsplit(':').next());
            self.ids.extend(ids.filter(|id| raised.contains(*id)).map(str::to_owned));
        }
        self.ids.len()
    }
}

pub(in crate::fire) fn run(ground: &Ground) -> Outcome {
    let (events, kills) = ground.scale.pick((72, 6), (20_000, 200));
    let scene = Scene::new(ground, Options::default())?;
    let mut tally = Tally::of("events");
    scene.begin()?;
    fs::write(scene.path("answer"), HANDLER)?;
    fs::set_permissions(scene.path("answer"), fs::Permissions::from_mode(0o755))?;
    let post = scene.with_client(|client| async move { client.posts().list(Default::default()).await })?;
    let post = post.items.first().ok_or("no post")?.id.clone();
    let comments =
        || scene.with_client(|client| client.posts().get(post.clone())).map(|post| post.comment_count);
    let before = comments()?;
    let (token, site) = (scene.token()?, scene.sandbox.site());
    let port = site.rsplit(':').next().ok_or("no port")?.to_owned();
    let start = || {
        let mut command = scene.colony(&["watch", "--interval", "100ms..200ms", "--exec", "./answer"]);
        command.env("PORT", &port).env("POST", post.as_str()).env("TOKEN", &token);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn()
    };
    let (mut answered, path) = (Answered::default(), scene.path("log"));
    let mut raised = BTreeSet::new();
    for _ in 0..kills {
        // These are answered before the kill: an event that is not done behind a thousand newer ones is reported as a
        // gap.
        let earlier = raised.len();
        for kind in KINDS {
            raised.extend(scene.happens(kind, events / kills / KINDS.len())?);
        }
        let mut child = start()?;
        let some = earlier + fastrand::usize(1..=raised.len() - earlier);
        if !eventually(Duration::from_secs(120), || answered.count(&path, &raised) >= some) {
            return Err("some events are not answered".into());
        }
        kill_process(Pid::from_child(&child), Signal::KILL)?;
        child.wait()?;
    }
    let mut child = start()?;
    if !eventually(Duration::from_secs(120), || answered.count(&path, &raised) == raised.len()) {
        return Err("not all events are answered".into());
    }
    kill_process(Pid::from_child(&child), Signal::TERM)?;
    tally.same("the exit code after SIGTERM", child.wait()?.code(), Some(0));
    let rest = scene.watch(&["--once", "--json"])?;
    tally.hold(rest.stdout.is_empty(), || format!("after a clean stop: {rest:?}"));

    let log = scene.log();
    for id in &raised {
        tally.check(log.contains_key(id), || format!("{id} is missing"));
    }
    let repeats: usize = log.values().map(|count| count - 1).sum();
    tally.hold(repeats <= kills, || format!("{repeats} repeats after {kills} kills"));
    let written = comments()?.unwrap_or_default() - before.unwrap_or_default();
    tally.same("comments written", written, log.len() as u64);
    tally.fault("kills", kills as u64, kills as u64);
    tally.fact(format!(
        "{} events were given, with the notifications of messages; {repeats} of them twice; {written} comments written",
        log.len()
    ));
    Ok(tally)
}
