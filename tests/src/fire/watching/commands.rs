//! W9, W12, W13, W14: `colony watch` with a refused login, beside a second watch, with stops, and with hostile texts.

use std::{
    fs,
    process::Child,
    time::{Duration, Instant},
};

use colony_cli::sandbox::Options;
use colony_core::events::Watch;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{scene::Scene, stops};
use crate::fire::{Ground, Outcome, Tally, scene::eventually};

type Failed = Box<dyn std::error::Error>;

/// A command that logs the event.
const NOTE: [&str; 4] = ["--exec", "/bin/sh", "-c", "echo \"$COLONY_EVENT_ID\" >> log"];
/// The same, which first waits for a file.
const SLOW: [&str; 4] = [
    "--exec",
    "/bin/sh",
    "-c",
    "echo begun >> log; while [ ! -e go ]; do sleep 0.05; done; echo \"$COLONY_EVENT_ID\" >> log",
];

fn signal(child: &Child, signal: Signal) -> Result<(), Failed> {
    Ok(kill_process(Pid::from_child(child), signal)?)
}

/// W9: a token that is refused for good, on both clients and the command line.
pub(in crate::fire) fn refused(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("watches whose login is revoked");
    // An operator withdraws the key while both clients listen.
    for blocking in [false, true] {
        let scene = Scene::new(ground, Options::default())?;
        let often = Watch::new().interval(Duration::from_millis(100)..=Duration::from_millis(200));
        let listener = scene.listen(blocking, often, colony_async::time::SystemTimer)?;
        scene.until("it listens", |scene| scene.asked("GET /since") > 0)?;
        let before = scene.asked("POST /auth/token");
        scene.sandbox.fail("/auth/token=401x1000".parse()?);
        scene.sandbox.revoke_all();
        let ended = listener.ended();
        let logins = scene.asked("POST /auth/token") - before;
        tally.check(ended.is_err() && (1..=2).contains(&logins), || {
            format!("{ended:?} after {logins} logins")
        });
    }
    // The service refuses every token, also a new one.
    for blocking in [false, true] {
        let scene = Scene::new(ground, Options::default())?;
        scene.sandbox.fail("/since=401x1000".parse()?);
        let listener = scene.listen(blocking, Default::default(), colony_async::time::SystemTimer)?;
        let ended = listener.ended();
        let logins = scene.asked("POST /auth/token");
        tally.check(ended.is_err() && logins <= 2, || format!("{ended:?} after {logins} logins"));
    }
    let scene = Scene::new(ground, Options::default())?;
    scene.begin()?;
    let before = scene.asked("POST /auth/token");
    scene.sandbox.fail("/since=401x1000".parse()?);
    let watch = scene.watch(&["--json"])?;
    let logins = scene.asked("POST /auth/token") - before;
    tally.check(watch.status.code() == Some(3) && logins <= 2, || format!("{logins} logins, {watch:?}"));
    tally.fault("refusals", scene.sandbox.stats().with_status("GET /since", 401), 1);
    Ok(tally)
}

/// W12: a second watch, beside the first one and after the first one was killed.
pub(in crate::fire) fn two(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("second watches");
    for _ in 0..ground.scale.pick(1, 20) {
        let scene = Scene::new(ground, Options::default())?;
        scene.begin()?;
        let mut first = scene.start(&NOTE)?;
        scene.happens("message", 1)?;
        scene.until("the first one runs", |scene| !scene.log().is_empty())?;
        let start = Instant::now();
        let second = scene.watch(&["--json", "--once"])?;
        let took = start.elapsed();
        tally.check(second.status.code() == Some(9) && took < Duration::from_secs(1), || {
            format!("{took:?}: {second:?}")
        });
        signal(&first, Signal::KILL)?;
        first.wait()?;
        let after = scene.watch(&["--once"])?;
        tally.check(after.status.success(), || format!("after SIGKILL: {after:?}"));
    }
    Ok(tally)
}

/// W13: a stop in a wait, in a request, in a back-off; in a command, and in a login.
pub(in crate::fire) fn stopped(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("stops");
    stops::quick(ground, &mut tally)?;
    for _ in 0..ground.scale.pick(1, 10) {
        in_a_command(ground, &mut tally)?;
        in_a_login(ground, &mut tally)?;
    }
    Ok(tally)
}

fn in_a_command(ground: &Ground, tally: &mut Tally) -> Result<(), Failed> {
    let scene = Scene::new(ground, Options::default())?;
    scene.begin()?;
    let id = scene.happens("post", 1)?.remove(0);
    let mut child = scene.start(&SLOW)?;
    scene.until("the command runs", |scene| scene.log().contains_key("begun"))?;
    signal(&child, Signal::TERM)?;
    fs::write(scene.path("go"), "")?;
    let code = child.wait()?.code();
    let is_done = scene.log().contains_key(&id) && scene.watch(&["--once", "--json"])?.stdout.is_empty();
    tally.check(code == Some(0) && is_done, || format!("in a command: exit code {code:?}, done {is_done}"));
    // A second signal ends it at once, and the event is delivered again.
    fs::remove_file(scene.path("go"))?;
    fs::remove_file(scene.path("log"))?;
    let id = scene.happens("post", 1)?.remove(0);
    let mut child = scene.start(&SLOW)?;
    scene.until("the command runs", |scene| scene.log().contains_key("begun"))?;
    signal(&child, Signal::TERM)?;
    signal(&child, Signal::INT)?;
    let code = child.wait()?.code();
    fs::write(scene.path("go"), "")?;
    let again = scene.watch(&["--once", "--json"])?;
    let comes = String::from_utf8_lossy(&again.stdout).contains(&id);
    tally.check(code == Some(130) && comes, || {
        format!("two signals: exit code {code:?}, comes again {comes}")
    });
    Ok(())
}

/// Checks that a login under way is completed and its token kept.
fn in_a_login(ground: &Ground, tally: &mut Tally) -> Result<(), Failed> {
    let auth_latency = Duration::from_secs(1);
    let scene = Scene::new(ground, Options { auth_latency, ..Options::default() })?;
    let mut child = scene.start(&["--json"])?;
    scene.until("the login is under way", |scene| scene.sandbox.stats().logins_started > 0)?;
    let before = scene.sandbox.stats().logins_completed;
    signal(&child, Signal::TERM)?;
    let code = child.wait()?.code();
    let tokens = fs::read_dir(scene.path("tokens"))?.flatten();
    let kept = tokens.filter(|entry| entry.path().extension().is_some_and(|end| end == "json")).count();
    tally.check(code == Some(0) && kept == 1, || {
        format!("in a login: exit code {code:?}, {kept} tokens kept")
    });
    tally.fault("stops in a login", u64::from(before == 0), 1);
    Ok(())
}

/// W14: text written by others reaches no shell and no terminal.
pub(in crate::fire) fn hostile(ground: &Ground) -> Outcome {
    let scene = Scene::new(ground, Options::default())?;
    scene.begin()?;
    let mut tally = Tally::of("hostile texts");
    let pieces = [
        "$(touch made)",
        "`touch made`",
        "';touch made;'",
        "\";touch made;\"",
        "\n",
        "\r",
        "\u{1b}]0;title\u{7}",
        "\u{1b}[2J",
        "\u{9b}31m",
        "\u{202e}",
        "\u{2066}",
        "\u{e0041}",
        "\u{e007f}",
        "\u{0}",
        "\u{8}",
        "word",
        "|| touch made",
    ];
    let texts: Vec<String> = (0..ground.scale.pick(10, 500))
        .map(|_| {
            "touch made ".to_owned()
                + &(0..8).map(|_| pieces[fastrand::usize(..pieces.len())]).collect::<String>()
        })
        .collect();
    for (n, text) in texts.iter().enumerate() {
        let kind = if n % 2 == 0 { "message" } else { "post" };
        scene.happens_so(&json!({"kind": kind, "text": text}))?;
    }
    let shown = scene.watch(&["--once", "--no-state", "--since", "1h"])?;
    let stdout = String::from_utf8_lossy(&shown.stdout).into_owned();
    let is_bad = |c: char| {
        c != '\n' && c.is_control() || matches!(c, '\u{202e}' | '\u{2066}' | '\u{e0000}'..='\u{e007f}')
    };
    let bad = stdout.chars().filter(|c| is_bad(*c)).count();
    tally.losses(bad as u64, || format!("{bad} characters that drive a terminal"));
    let lines = stdout.lines().filter(|line| line.contains("touch made")).count();
    tally.same("lines on a terminal", lines, texts.len());
    let run = ["--once", "--exec", "/bin/sh", "-c", "cat >> lines; env | grep ^COLONY_EVENT >> env"];
    let run = scene.watch(&run)?;
    tally.same("the exit code", run.status.code(), Some(0));
    tally.hold(!scene.path("made").exists(), || "a shell has read the text".to_owned());
    let lines = fs::read_to_string(scene.path("lines"))?;
    let events: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    for text in &texts {
        let is_there = |event: &Value| event["data"]["body"] == text.as_str();
        tally.check(events.iter().filter(|event| is_there(event)).count() == 1, || {
            format!("{text:?} is not whole")
        });
    }
    let environment = fs::read_to_string(scene.path("env"))?;
    let is_plain = environment.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:-=\n".contains(&b));
    tally.hold(is_plain, || "text of others in the environment".to_owned());
    tally.fault("commands run", events.len() as u64, texts.len() as u64);
    // No process that was started is left.
    tally.hold(eventually(Duration::from_secs(5), || !scene.path("made").exists()), String::new);
    Ok(tally)
}
