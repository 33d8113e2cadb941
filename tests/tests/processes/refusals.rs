//! A refused login fails all waiting callers, and a cool-down also later ones.

use std::time::Duration;

use colony_async::ErrorKind;
use colony_cli::sandbox::Options;
use colony_tests::{plan::Plan, service::Answer};

use crate::place::{Scripted, Served, call, file_in, mixed, place, run, turn};

#[test]
fn fifty_processes_with_a_wrong_key_make_one_attempt() {
    let _turn = turn();
    // Long enough for all fifty to be waiting when the answer comes.
    let served = Served::start(Options { auth_latency: Duration::from_secs(4), ..Options::default() });
    let wrong = place(served.sandbox().base_url(), "col_wrong", served.directory.path());
    let reports = run(&wrong, 50, mixed);
    let first = reports[0].failure.as_ref().expect("a failure");
    assert_eq!((first.kind.as_str(), first.status), ("auth", Some(401)));
    assert_eq!(first.code.as_deref(), Some("AUTH_INVALID_KEY"));
    for report in &reports {
        let failure = report.failure.as_ref().expect("a failure");
        assert_eq!((&failure.kind, failure.status, &failure.code), (&first.kind, first.status, &first.code));
        assert_eq!(failure.message, first.message, "the same error for the one that asked and the others");
    }
    assert_eq!((served.stats().logins_started, served.logins(401)), (1, 1));
    // A later process asks: the key can have been activated meanwhile.
    assert!(run(&wrong, 1, mixed)[0].failure.is_some());
    assert_eq!(served.stats().logins_started, 2);
}

#[test]
fn a_cool_down_answers_later_processes_and_ends_with_a_success() {
    let _turn = turn();
    let rule = "/auth/token=429x1;retry-after=120".parse().expect("a rule");
    let served = Served::start(Options { fail: vec![rule], ..Options::default() });
    let place = served.place();
    for round in 0..3 {
        for report in run(&place, 2, mixed) {
            let failure = report.failure.expect("a failure");
            assert_eq!((failure.kind.as_str(), failure.status), ("rate_limit", Some(429)), "{round}");
            let left = failure.retry_after.expect("the time left");
            assert!(left > 30.0 && left <= 120.0, "{left}");
        }
    }
    assert_eq!(served.stats().logins_started, 1, "the others were answered from the note");
    let person = |_| Plan { ignore_cool_down: true, ..Plan::default() };
    assert_eq!(run(&place, 1, person)[0].failure, None);
    std::fs::remove_file(file_in(served.directory.path(), "json")).expect("no token any more");
    assert_eq!(run(&place, 1, mixed)[0].failure, None, "the success ended the cool-down");
    assert_eq!(served.stats().logins_started, 3);
}

#[tokio::test]
async fn a_cool_down_passes() {
    let scripted = Scripted::standing();
    scripted.service.next([Answer::Limited("120".to_owned())]);
    let first = call(&scripted.client()).await.expect_err("refused");
    assert_eq!(first.retry_after(), Some(Duration::from_secs(120)));
    for (passed, left) in [(50.0, 70), (69.0, 1)] {
        scripted.clock.jump(passed);
        let error = call(&scripted.client()).await.expect_err("cooling down");
        assert_eq!(error.kind(), ErrorKind::RateLimit);
        assert_eq!(error.retry_after().map(|wait| wait.as_secs_f64().round()), Some(f64::from(left)));
    }
    assert_eq!(scripted.logins(), 1);
    scripted.clock.jump(2.0);
    call(&scripted.client()).await.expect("it is over");
    assert_eq!(scripted.logins(), 2);
}

#[tokio::test]
async fn a_crazy_retry_after_locks_nobody_out_for_long() {
    for crazy in ["9999999999", "99999999999999999999999999", "18446744073709551615"] {
        let scripted = Scripted::standing();
        scripted.service.next([Answer::Limited(crazy.to_owned())]);
        assert!(call(&scripted.client()).await.is_err());
        let left =
            call(&scripted.client()).await.expect_err("cooling down").retry_after().expect("the time left");
        assert!(left <= Duration::from_secs(3600), "{left:?}");
        scripted.clock.jump(3601.0);
        call(&scripted.client()).await.expect("an hour at most");
    }
}

#[tokio::test]
async fn a_note_from_the_future_or_a_broken_one_stops_nobody() {
    let scripted = Scripted::standing();
    scripted.service.next([Answer::Limited("600".to_owned())]);
    assert!(call(&scripted.client()).await.is_err());
    // The clock is set back: the note is now from the future.
    scripted.clock.jump(-7200.0);
    call(&scripted.client()).await.expect("not believed");
    let token = file_in(scripted.directory.path(), "json");
    for broken in ["", "{", "[]", r#"{"v":1,"kind":"cool_down","at":0,"until":1e308,"status":429}"#] {
        std::fs::remove_file(&token).expect("a file");
        std::fs::write(token.with_extension("note"), broken).expect("a note");
        call(&scripted.client()).await.expect("ignored");
    }
}

#[tokio::test]
async fn another_program_s_success_ends_the_cool_down_of_one_that_runs() {
    let scripted = Scripted::standing();
    scripted.service.next([Answer::Limited("600".to_owned())]);
    let refused = scripted.client();
    assert!(call(&refused).await.is_err());
    let person = scripted.builder().ignore_cool_down(true).build().expect("a client");
    call(&person).await.expect("a login");
    std::fs::remove_file(file_in(scripted.directory.path(), "json")).expect("a file");
    call(&refused).await.expect("the cool-down is over for it too");
    assert_eq!(scripted.logins(), 3);
}

#[tokio::test]
async fn without_a_cache_a_client_keeps_the_cool_down_to_itself() {
    let scripted = Scripted::standing();
    scripted.service.next([Answer::Limited("600".to_owned())]);
    let client = scripted.builder().cache_token(false).build().expect("a client");
    for _ in 0..3 {
        assert_eq!(call(&client).await.expect_err("refused").kind(), ErrorKind::RateLimit);
    }
    assert_eq!(scripted.logins(), 1);
    scripted.clock.jump(601.0);
    call(&client).await.expect("it is over");
}
