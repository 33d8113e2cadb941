//! R25: a token in memory costs no system call.

use std::{fs, path::Path, process::Command};

use super::{
    Ground, Outcome, Tally,
    parts::{Player, say},
    scene::Scene,
};

/// Paths that are accessed before and after the lookups, as marks in the trace.
const BEGIN: &str = "/colony-lookups-begin";
const END: &str = "/colony-lookups-end";

/// Returns whether `strace` is installed and allowed to trace.
pub(super) fn can_trace() -> bool {
    Command::new("strace")
        .args(["-f", "-o", "/dev/null", "true"])
        .output()
        .is_ok_and(|it| it.status.success())
}

pub(super) fn run(ground: &Ground) -> Outcome {
    let lookups = ground.scale.pick(10_000, 1_000_000);
    let mut tally = Tally::of("lookups");
    if !can_trace() {
        tally.not_tried("system calls are not counted: strace is not here or may not trace");
        return Ok(tally);
    }
    let mut scene = Scene::new(ground)?;
    let log = scene.outer.path().join("strace");
    let plain = scene.place.clone();
    for kind in ["look", "token"] {
        let mut words: Vec<std::ffi::OsString> = ["strace", "-f", "-qq", "-o"].map(Into::into).into();
        words.push(log.clone().into());
        scene.place = plain.clone();
        scene.place.wrapper = words;
        let mut player = Player::start(&scene.place, "warm", &format!("{kind} {lookups}"))?;
        let found: u64 = player.line()?.trim().parse()?;
        player.hang_up();
        player.child.wait()?;
        let (calls, marked) = between(&log)?;
        tally.tries(found);
        tally.same("lookups that found the token", found, lookups);
        tally.losses(calls.len() as u64, || format!("{kind}: {}", calls.join(" | ")));
        tally.fault(format!("traced, with both marks ({kind})"), marked, 2);
    }
    Ok(tally)
}

/// Returns the system calls between the marks, in the thread that made them, and the number of marks.
fn between(log: &Path) -> std::io::Result<(Vec<String>, u64)> {
    let text = fs::read_to_string(log)?;
    let (mut calls, mut marks, mut thread) = (Vec::new(), 0, None);
    for line in text.lines() {
        let id = line.split_whitespace().next();
        if line.contains(BEGIN) {
            (thread, marks) = (id, marks + 1);
        } else if line.contains(END) {
            (thread, marks) = (None, marks + 1);
        } else if thread.is_some() && thread == id && !line.contains(" resumed>") {
            calls.push(line.to_owned());
        }
    }
    Ok((calls, marks))
}

/// The part: looks up a token in memory, this many times.
pub(super) fn lookups(argument: &str) -> Result<(), Box<dyn std::error::Error>> {
    let (kind, count) = argument.split_once(' ').ok_or("how often?")?;
    let count: u64 = count.parse()?;
    let runtime = super::scene::runtime()?;
    let client = colony_async::Client::builder(std::env::var("COLONY_API_KEY")?).build()?;
    runtime.block_on(client.auth().token())?;
    let http = client.transport();
    let mut found = 0_u64;
    runtime.block_on(async {
        let _ = fs::metadata(BEGIN);
        for _ in 0..count {
            found += u64::from(match kind {
                "look" => colony_async::bench_support::look(http).is_some(),
                _ => colony_async::bench_support::token(http).await.is_ok(),
            });
        }
        let _ = fs::metadata(END);
    });
    say(&found.to_string())?;
    Ok(())
}
