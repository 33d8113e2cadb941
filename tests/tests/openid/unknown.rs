//! Refreshes with an unknown outcome: a gateway answered in the provider's place, the answer was lost, or it was too
//! late.

use std::time::Duration;

use colony_async::{
    Error, ErrorKind,
    credential::{ClientAuth, RotatingBuilder, Unclear},
};
use serde_json::{Value, json};

use crate::{Ground, long, machine::Machine, secret};

/// Returns the answers in place of the provider's.
fn answers() -> Vec<Value> {
    let statuses = [403, 404, 408, 429, 500, 502, 503, 504].map(|status| json!(status));
    let others = ["503 wait", "429 wait", "page", "close"].map(|how| json!(how));
    let odd = [204, 302, 304, 418, 520].map(|status| json!(status));
    statuses.into_iter().chain(others).chain(if long() { odd.to_vec() } else { Vec::new() }).collect()
}

/// The process that reads the note of the attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Reader {
    /// The same process.
    Same,
    /// Another one of the same boot, whose wall clock is wrong by this many seconds.
    Wrong(f64),
    /// One after a restart of the machine.
    Rebooted,
}

const READERS: [Reader; 5] =
    [Reader::Same, Reader::Wrong(0.0), Reader::Wrong(600.0), Reader::Wrong(-600.0), Reader::Rebooted];

/// The seconds after which no request of an attempt is under way any more, with the default settings.
const SETTLE: f64 = 300.0;

#[derive(Debug, Default)]
struct Tally {
    attempts: u32,
    acted: u32,
    looks_before: u32,
    presented_before: u64,
    last_presentations: u64,
    alive: u32,
    not_acted: u32,
    reauth: u32,
    replays: u64,
    replays_when_refused: u64,
    lost_though_held: u32,
}

/// Tests every answer, acted on and not, with and without introspection, for every reader and both policies.
#[tokio::test]
async fn r26_what_a_gateway_answered_in_the_providers_place() {
    let clients = [
        ("colony_public", ClientAuth::None, false),
        ("colony_basic", ClientAuth::Basic("rig secret: 100%".to_owned().into()), true),
    ];
    let mut tally = Tally::default();
    for (client, auth, introspection) in clients {
        let Some(ground) = Ground::of_client(client, &json!({})) else { return };
        let endpoint = format!("{}/oauth/introspect", ground.provider.issuer);
        let settings = |builder: RotatingBuilder| {
            let builder = builder.client_auth(auth.clone());
            if introspection { builder.introspection_endpoint(&endpoint) } else { builder }
        };
        for (number, how) in answers().into_iter().enumerate() {
            for acted in [true, false] {
                for (at, reader) in READERS.into_iter().enumerate() {
                    // Short: each answer with two of the readers, in turn.
                    if !long() && (at + number) % 3 != 0 && reader != Reader::Same {
                        continue;
                    }
                    for policy in [Unclear::Retry, Unclear::Refuse] {
                        let attempt = Attempt { how: &how, acted, reader, policy, introspection };
                        attempt.play(&ground, &settings, &mut tally).await;
                    }
                }
            }
        }
        assert_eq!(ground.provider.count("overlapping"), 0);
    }
    println!(
        "R26 unknown outcomes: {} attempts, {} acted on; before `settle` {} looks by others presented the token {} \
         times; after it {} last presentations, {} spent tokens among them; not acted on: {} of {} logins alive \
         without a person; acted on: {} ReauthRequired, {} tokens lost that somebody held; `Unclear::Refuse`: {} \
         spent tokens sent again",
        tally.attempts,
        tally.acted,
        tally.looks_before,
        tally.presented_before,
        tally.last_presentations,
        tally.replays,
        tally.alive,
        tally.not_acted,
        tally.reauth,
        tally.lost_though_held,
        tally.replays_when_refused
    );
    assert_eq!(tally.presented_before, 0);
    assert_eq!(tally.alive, tally.not_acted);
    assert_eq!((tally.lost_though_held, tally.replays_when_refused), (0, 0));
    assert!(tally.attempts >= if long() { 400 } else { 100 }, "{tally:?}");
}

struct Attempt<'a> {
    how: &'a Value,
    acted: bool,
    reader: Reader,
    policy: Unclear,
    introspection: bool,
}

impl Attempt<'_> {
    async fn play(
        &self,
        ground: &Ground,
        settings: &impl Fn(RotatingBuilder) -> RotatingBuilder,
        tally: &mut Tally,
    ) {
        let Self { how, acted, reader, policy, introspection } = self;
        let case = format!("{how} acted {acted}, {reader:?}, {policy:?}, introspection {introspection}");
        let (machine, provider) = (Machine::new(), &ground.provider);
        let build = |wrong: f64| settings(ground.over(machine.timer(wrong))).unclear(*policy).build();
        // Thirty seconds left to live.
        let first = provider.login(ground.client, crate::now() - 870.0);
        ground.store().save_despite_downgrade(&first).await.expect("stored");
        let counts = |name: &str| provider.count(name);
        let (requests, replays) = (counts("token_requests"), counts("replays"));
        provider.set(&if *acted {
            json!({"lose_next": 1, "lose": how})
        } else {
            json!({"refuse_next": 1, "refuse": how})
        });
        tally.attempts += 1;
        tally.acted += u32::from(*acted);

        let same = build(0.0);
        let token = same.token().await.unwrap_or_else(|error| panic!("{case}: the living token: {error}"));
        assert!(first.has_access_token(&token), "{case}");
        assert_eq!(counts("token_requests"), requests + 1, "{case}: the fault missed");
        if *reader == Reader::Rebooted {
            machine.reboot(5.0);
        }
        let next = || match reader {
            Reader::Same => same.clone(),
            Reader::Wrong(seconds) => build(*seconds),
            Reader::Rebooted => build(0.0),
        };

        // Every process checks repeatedly, until just before the token may be presented.
        machine.pass(40.0);
        // A reader of another boot counts from its first read.
        let start = if *reader == Reader::Rebooted { SETTLE } else { SETTLE - 40.0 };
        let mut left = start;
        while left > 2.0 {
            // Valid by a clock that is ten minutes slow; but the resource refuses it by now.
            let error = next().token_other_than(first.access_token.as_ref().expect("a token")).await;
            let error = error.expect_err(&case);
            let person = next().rotate().await.expect_err(&case);
            tally.looks_before += 2;
            for error in [error, person] {
                self.assert_waiting(&error, &case);
            }
            tally.presented_before += counts("token_requests") - requests - 1;
            if error_is_final(&next().rotate().await.expect_err(&case)) {
                break;
            }
            machine.pass(50.0_f64.min(left - 1.0));
            left -= 50.0;
        }
        machine.pass(SETTLE);

        let outcome = next().token().await;
        // By a clock that is ten minutes slow the access token is valid.
        let outcome = match outcome {
            Ok(token) if first.has_access_token(&token) => next().token_other_than(&token).await,
            outcome => outcome,
        };
        let again = counts("token_requests") - requests - 1;
        tally.last_presentations += again;
        assert!(again <= 1, "{case}: presented {again} times more");
        let replayed = counts("replays") - replays;
        match policy {
            Unclear::Refuse => {
                tally.replays_when_refused += replayed;
                let error = outcome.expect_err(&case);
                assert_eq!((error.kind(), again), (ErrorKind::ReauthRequired, 0), "{case}: {error}");
                // A person logs in, and calls work again.
            }
            _ if *acted => {
                tally.replays += replayed;
                tally.reauth += 1;
                let error = outcome.expect_err(&case);
                assert_eq!(error.kind(), ErrorKind::ReauthRequired, "{case}: {error}");
                // Introspection reveals it without a replay.
                assert_eq!(replayed, u64::from(!introspection), "{case}");
                // No process got the token that replaced it, and none will present this one again.
                assert_eq!(ground.refresh_token(), secret(&first), "{case}: wiped");
                machine.pass(7200.0);
                assert!(next().token().await.is_err(), "{case}");
                assert_eq!(counts("token_requests") - requests - 1, again, "{case}: presented once more");
            }
            _ => {
                tally.not_acted += 1;
                assert_eq!(replayed, 0, "{case}");
                match outcome {
                    Ok(_) => tally.alive += 1,
                    Err(error) => panic!("{case}: {error}"),
                }
                tally.lost_though_held += u32::from(!provider.is_good(&ground.refresh_token()));
            }
        }
    }

    /// Asserts the error of a process that checks while the request can be under way.
    fn assert_waiting(&self, error: &Error, case: &str) {
        assert_eq!(
            error.code(),
            Some(if error_is_spent(error) { "invalid_grant" } else { "interrupted" }),
            "{case}"
        );
        if self.policy == Unclear::Refuse || (self.introspection && self.acted) {
            assert!(error.is_reauth_required(), "{case}: {error}");
            return;
        }
        assert_eq!(error.kind(), ErrorKind::CredentialBusy, "{case}: {error}");
        let wait = error.retry_after().unwrap_or_else(|| panic!("{case}: no retry_after: {error:?}"));
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(300), "{case}: {wait:?}");
        assert!(error.to_string().contains("presented again"), "{case}: {error}");
    }
}

/// Returns whether the error says that the token is spent.
fn error_is_spent(error: &Error) -> bool {
    error.is_reauth_required() && error.code() == Some("invalid_grant")
}

fn error_is_final(error: &Error) -> bool {
    error.is_reauth_required()
}

/// While the access token is valid, no refresh token is presented, except by a person's refresh once the request is
/// over.
#[tokio::test]
async fn a_living_access_token_spares_the_refresh_token() {
    let Some(ground) = Ground::new(&json!({"refuse_next": 1, "access_token_seconds": 7200})) else { return };
    let machine = Machine::new();
    let first = ground.login().await;
    let build = || ground.over(machine.timer(0.0)).build();
    let error = build().rotate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CredentialBusy, "{error}");
    // Within the refresh window, and the request is over.
    machine.pass(7150.0);
    let token = build().token().await.expect("the living token");
    assert!(first.has_access_token(&token));
    assert_eq!(ground.provider.count("token_requests"), 1);
    build().rotate().await.expect("a person asks");
    ground.assert_family_alive();
}

/// A chosen time overrides the default, but is never below the request's limit.
#[tokio::test]
async fn the_time_to_settle_can_be_set_and_is_never_below_the_requests_limit() {
    let Some(ground) = Ground::new(&json!({"refuse_next": 1})) else { return };
    let machine = Machine::new();
    ground.login_long_ago().await;
    let build = |settle: u64| ground.over(machine.timer(0.0)).settle(Duration::from_secs(settle)).build();
    build(300).rotate().await.unwrap_err();
    machine.pass(29.0);
    let error = build(0).rotate().await.unwrap_err();
    assert_eq!(error.retry_after().map(|wait| wait.as_secs_f64().ceil()), Some(1.0), "{error}");
    machine.pass(2.0);
    let error = build(60).rotate().await.unwrap_err();
    assert_eq!(error.retry_after().map(|wait| wait.as_secs_f64().ceil()), Some(29.0), "{error}");
    build(0).rotate().await.expect("a rotation");
    ground.assert_family_alive();
}

/// A long outage of a gateway: each further unknown outcome doubles the wait, up to an hour, and the login is valid
/// at the end.
#[tokio::test]
async fn each_further_unknown_outcome_doubles_the_wait() {
    let Some(ground) = Ground::new(&json!({"refuse_next": 6, "refuse": 502})) else { return };
    let machine = Machine::new();
    ground.login_long_ago().await;
    let build = || ground.over(machine.timer(0.0)).build();
    for (sent, minutes) in [5.0, 10.0, 20.0, 40.0, 60.0, 60.0].into_iter().enumerate() {
        let error = build().token().await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs_f64(minutes * 60.0)), "{error}");
        machine.pass(minutes * 60.0 - 1.0);
        build().token().await.unwrap_err();
        assert_eq!(ground.provider.count("token_requests"), sent as u64 + 1);
        machine.pass(2.0);
    }
    build().token().await.expect("a token");
    assert_eq!(ground.provider.count("overlapping"), 0);
    ground.assert_family_alive();
}

/// If the token could not be presented again, the earlier outcome stays unknown, and the wait does not grow.
#[tokio::test]
async fn no_connection_takes_nothing_back_but_its_own_note() {
    let Some(mut ground) = Ground::new(&json!({"refuse_next": 1})) else { return };
    let machine = Machine::new();
    ground.login_long_ago().await;
    let build = |ground: &Ground| ground.over(machine.timer(0.0)).build();
    build(&ground).token().await.unwrap_err();
    let note = ground.spending();
    machine.pass(301.0);
    ground.provider.process().kill().and_then(|()| ground.provider.process().wait()).expect("it ends");
    for _ in 0..3 {
        assert!(build(&ground).token().await.unwrap_err().is_network());
        assert_eq!(ground.spending(), note, "the note about the first request is still there");
    }
}
