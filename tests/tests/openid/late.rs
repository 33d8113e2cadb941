//! A provider that acts after its client has given up, or was killed, with real processes in real time.
//!
//! The short form is scaled: the limit of a request is 0.4 s, and the provider acts after 0.44 s. The long form adds the
//! same with a limit of 30 s and a provider that acts after 33 s.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use colony_tests::rotators::{OneToken, Orders, Rotated, Rotator};
use serde_json::json;

use crate::{Ground, long, now, scale, secret};

const SECRET: &str = "rig secret: 100%";

/// One attempt.
#[derive(Debug, Clone, Copy)]
struct Case {
    /// Whether the provider acts; otherwise a gateway answers 504 at that time, when the client is gone.
    acted: bool,
    /// Whether the first process is killed, or reaches its limit.
    killed: bool,
    introspection: bool,
    /// By how much the clock of the second process is wrong, in seconds.
    wrong: f64,
    refuse: bool,
}

/// The times of an attempt.
#[derive(Debug, Clone, Copy)]
struct Times {
    limit: Duration,
    acts_after: Duration,
    settle: Duration,
}

impl Times {
    fn of(limit: Duration, settle: Duration) -> Self {
        Self { limit, acts_after: limit.mul_f64(1.1), settle }
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (acted, killed, introspection) in [true, false]
        .into_iter()
        .flat_map(|a| [true, false].map(|k| (a, k)))
        .flat_map(|(a, k)| [true, false].map(|i| (a, k, i)))
    {
        for wrong in [0.0, 600.0, -600.0] {
            cases.push(Case { acted, killed, introspection, wrong, refuse: false });
        }
        cases.push(Case { acted, killed, introspection, wrong: 0.0, refuse: true });
    }
    cases
}

#[tokio::test]
async fn r28_a_provider_that_acts_too_late() {
    let Some(ground) = Ground::new(&json!({})) else { return };
    let mut tally = Tally::default();
    let scaled = Times::of(Duration::from_millis(400), Duration::from_millis(1_600));
    for _ in 0..scale(1, 14) {
        // A few at a time, so that the processes do not starve each other.
        for some in cases().chunks(8) {
            play(&ground, some, scaled, &mut tally).await;
        }
    }
    tally.print("limit 0.4 s, the provider acts after 0.44 s, `settle` 1.6 s");
    if long() {
        let mut tally = Tally::default();
        let real = Times::of(Duration::from_secs(30), Duration::from_secs(90));
        // All at once: these mostly wait.
        play(&ground, &cases(), real, &mut tally).await;
        tally.print("limit 30 s, the provider acts after 33 s, `settle` 90 s");
    }
    assert_eq!(ground.provider.count("overlapping"), 0, "presented while an earlier request was under way");
}

#[derive(Debug, Default)]
struct Tally {
    attempts: u32,
    killed: u32,
    looks: u32,
    early: u32,
    last: u32,
    replays: u32,
    replays_refused: u32,
    alive: u32,
    not_acted: u32,
    reauth: u32,
}

impl Tally {
    fn print(&self, times: &str) {
        println!(
            "R28 {times}: {} attempts, {} first processes killed; {} looks by second processes while waiting, {} \
             presentations before `settle`; {} last presentations, {} of them of a spent token; not acted on: {} of {} \
             alive without a person; acted on: {} ReauthRequired; `Unclear::Refuse`: {} presented again",
            self.attempts,
            self.killed,
            self.looks,
            self.early,
            self.last,
            self.replays,
            self.alive,
            self.not_acted,
            self.reauth,
            self.replays_refused
        );
        assert_eq!((self.early, self.replays_refused, self.alive), (0, 0, self.not_acted));
    }
}

/// An attempt under way.
struct UnderWay {
    case: Case,
    directory: PathBuf,
    token: String,
    second: Rotator,
}

async fn play(ground: &Ground, cases: &[Case], times: Times, tally: &mut Tally) {
    let program = Path::new(env!("CARGO_BIN_EXE_rotator"));
    let mut first = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let client = if case.introspection { "colony_basic" } else { "colony_public" };
        let mut fate = json!({"before_ms": times.acts_after.as_millis() as u64});
        if !case.acted {
            fate["refuse"] = json!(504);
        }
        // Stale for the slow clock too.
        let login = ground.provider.login_with_fate(client, now() - 10_000.0, &fate);
        let directory = ground.directory.path().join(format!("{}-{number}", tally.attempts));
        let store =
            colony_async::credential::CredentialStore::in_directory(&directory, ground.provider.id(client));
        store.save(&login).await.expect("stored");
        let start = |wrong: f64, once: bool| {
            let one_token = OneToken {
                limit: times.limit,
                settle: times.settle,
                pause: times.limit.div_f64(20.0).min(Duration::from_secs(1)),
                secret: case.introspection.then(|| SECRET.to_owned()),
                wrong,
                once,
                refuse: case.refuse,
            };
            let orders = Orders {
                issuer: ground.provider.issuer.clone(),
                client_id: client.to_owned(),
                directory: directory.clone(),
                rotations: None,
                undaunted: false,
                blocking: false,
                one_token: Some(one_token),
            };
            let mut rotator = Rotator::start(program, &orders).expect("a process");
            rotator.ready().expect("it starts");
            rotator
        };
        let (one, second) = (start(0.0, true), start(case.wrong, false));
        let under_way = UnderWay { case: *case, directory: directory.clone(), token: secret(&login), second };
        first.push((one, under_way));
    }
    for (one, _) in &mut first {
        one.go().expect("it goes");
    }
    let started = Instant::now();
    for (one, under_way) in &mut first {
        let file = std::fs::read_dir(&under_way.directory).expect("a directory");
        let file = file.map(|entry| entry.expect("an entry").path());
        let file = file.into_iter().find(|path| path.extension().is_some_and(|ext| ext == "json"));
        let file = file.expect("the credential");
        // Until the token is being sent.
        while !std::fs::read_to_string(&file).expect("readable").contains(r#""state": "sent""#) {
            assert!(started.elapsed() < Duration::from_secs(60), "no refresh was sent");
            std::thread::sleep(Duration::from_millis(1));
        }
        if under_way.case.killed {
            // At some moment before its limit.
            let left = times.limit.saturating_sub(started.elapsed()).min(Duration::from_millis(200));
            std::thread::sleep(left.mul_f64(fastrand::f64() * 0.5));
            tally.killed += u32::from(one.kill().expect("it ends"));
        }
        under_way.second.go().expect("it goes");
    }
    for (mut one, mut under_way) in first {
        if !under_way.case.killed {
            let report = one.report().expect("a line").expect("not killed");
            assert!(report.failure.is_some(), "{:?}: the fault missed", under_way.case);
        }
        let report = under_way.second.report().expect("a line").expect("not killed");
        count(ground, &under_way, &report, times, tally);
    }
}

fn count(ground: &Ground, under_way: &UnderWay, report: &Rotated, times: Times, tally: &mut Tally) {
    let UnderWay { case, token, .. } = under_way;
    let presented = ground.provider.presented(token);
    tally.attempts += 1;
    tally.looks += report.busy;
    assert!((1..=2).contains(&presented.len()), "{case:?}: {presented:?}");
    if let [first, again] = presented[..] {
        // Counted from the note, which is written a moment before the token is sent.
        tally.early += u32::from(again - first < times.settle.as_secs_f64() - 0.1);
        tally.last += 1;
    }
    let again = presented.len() as u32 - 1;
    if case.refuse {
        tally.replays_refused += again;
        assert_eq!(report.failure.as_ref().expect("refused").kind, "reauth_required", "{case:?}");
    } else if case.acted {
        tally.reauth += 1;
        // Introspection reveals it before.
        assert_eq!(again, u32::from(!case.introspection), "{case:?}");
        tally.replays += again;
        let failure = report.failure.as_ref().unwrap_or_else(|| panic!("{case:?}: a token"));
        assert_eq!(failure.kind, "reauth_required", "{case:?}");
    } else {
        tally.not_acted += 1;
        tally.alive += u32::from(report.own == 1);
        assert_eq!(report.failure, None, "{case:?}");
    }
}
