//! One operation answers 401 to every token: that costs a few logins and not one for each call.

use colony_async::{Client, ErrorKind, Result, api::notifications::GetNotificationCount};
use colony_core::{Prepared, Request};
use colony_tests::service::{Answer, Service};
use http::Method;

use crate::place::{KEY, Scripted, call, directory, file_in, mixed, place, run, token_in, turn};

/// The path of [`call`].
const REFUSED: &str = "/users/me";

async fn other_call(client: &Client) -> Result<()> {
    client.execute_json(GetNotificationCount::default()).await.map(drop)
}

fn is_remembered(scripted: &Scripted) -> bool {
    std::fs::read_dir(scripted.directory.path())
        .expect("a directory")
        .any(|entry| entry.expect("an entry").path().extension().is_some_and(|kind| kind == "refusals"))
}

#[tokio::test]
async fn ten_programs_at_one_moment_make_one_login_beyond_the_first() {
    let scripted = Scripted::standing();
    scripted.service.refuse(REFUSED);
    for _ in 0..10 {
        let error = call(&scripted.client()).await.expect_err("refused");
        assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
        assert_eq!(error.code(), Some("AUTH_INVALID_KEY"), "the operation's own answer");
    }
    assert_eq!(scripted.logins(), 2);
    other_call(&scripted.client()).await.expect("the token is good");
    assert_eq!(scripted.logins(), 2);
}

#[tokio::test]
async fn an_hour_of_calls_by_two_programs_makes_at_most_twelve_logins() {
    for cached in [true, false] {
        let scripted = Scripted::standing();
        scripted.service.refuse(REFUSED);
        let client = || scripted.builder().cache_token(cached).build().expect("a client");
        let programs = [client(), client()];
        for second in 0..720 {
            call(&programs[if cached { second % 2 } else { 0 }]).await.expect_err("refused");
            scripted.clock.jump(5.0);
        }
        let logins = scripted.logins();
        assert!((8..=12).contains(&logins), "{logins}");
    }
}

#[tokio::test]
async fn a_revocation_meanwhile_is_healed() {
    let scripted = Scripted::standing();
    let (one, other) = (scripted.client(), scripted.client());
    scripted.service.refuse(REFUSED);
    call(&one).await.expect_err("refused");
    call(&other).await.expect_err("refused");
    assert_eq!(scripted.logins(), 2);
    scripted.service.revoke();
    // The operation's own 401 is final at this moment, but any other operation's 401 leads to a new token.
    call(&one).await.expect_err("refused");
    assert_eq!(scripted.logins(), 2);
    other_call(&other).await.expect("healed");
    other_call(&one).await.expect("healed");
    assert_eq!(scripted.logins(), 3);
    // And without another operation, its own does after a while.
    scripted.service.revoke();
    scripted.service.refuse("");
    scripted.clock.jump(5.0);
    call(&one).await.expect("healed");
    assert_eq!(scripted.logins(), 4);
    assert!(!is_remembered(&scripted), "a success is the end of it");
}

#[tokio::test]
async fn a_success_of_another_program_is_the_end_of_it() {
    let scripted = Scripted::standing();
    scripted.service.refuse(REFUSED);
    call(&scripted.client()).await.expect_err("refused");
    assert!(is_remembered(&scripted));
    scripted.service.refuse("");
    call(&scripted.client()).await.expect("a call");
    assert!(!is_remembered(&scripted));
}

#[tokio::test]
async fn raw_calls_are_told_apart_by_method_and_path() {
    let scripted = Scripted::standing();
    scripted.service.refuse("/one");
    let client = scripted.client();
    let raw = async |method, path: &str| {
        client.transport().call(Prepared::plain(Request::raw(method, path).expect("a path"))).await
    };
    for _ in 0..3 {
        raw(Method::GET, "/one?a=1").await.expect_err("refused");
    }
    assert_eq!(scripted.logins(), 2);
    raw(Method::GET, "/two").await.expect("a call");
    scripted.service.revoke();
    raw(Method::GET, "/two").await.expect("healed");
    raw(Method::DELETE, "/one").await.expect_err("refused");
    assert_eq!(scripted.logins(), 4, "one to heal, one for the other method");
}

#[tokio::test]
async fn a_page_is_no_verdict_on_the_token() {
    let scripted = Scripted::standing();
    scripted.service.refuse_with(REFUSED, 401, "<html>who are you?</html>");
    let client = scripted.client();
    for _ in 0..3 {
        let error = call(&client).await.expect_err("a page");
        assert!(error.is_page() && error.to_string().contains("proxy"), "{error}");
    }
    assert_eq!(scripted.logins(), 1);
    assert_eq!(token_in(scripted.directory.path()), scripted.service.issued()[0]);
}

#[tokio::test]
async fn a_page_is_no_verdict_on_the_key() {
    let scripted = Scripted::standing();
    scripted.service.next([Answer::Page(401), Answer::Page(403)]);
    let client = scripted.client();
    for _ in 0..2 {
        let error = call(&client).await.expect_err("a page");
        assert!(error.is_page() && error.to_string().contains("says nothing about the API key"), "{error}");
    }
    call(&client).await.expect("the next login");
    assert!(file_in(scripted.directory.path(), "json").exists());
}

#[test]
fn ten_processes_make_few_logins() {
    let _turn = turn();
    let real_time = || {
        let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
        now.expect("after 1970").as_secs_f64()
    };
    let (service, directory) = (Service::start(real_time).expect("a service"), directory());
    service.refuse(REFUSED);
    let reports = run(&place(service.base_url(), KEY, directory.path()), 10, mixed);
    assert!(reports.iter().all(|report| report.failure.as_ref().is_some_and(|it| it.status == Some(401))));
    let slowest = reports.iter().map(|report| report.took_ms).max().unwrap_or_default();
    // Two beyond the first, and one more for each time that the record can have expired meanwhile.
    let most = 3 + slowest / 2_000;
    assert!(service.counts().logins <= most, "{} logins in {slowest} ms", service.counts().logins);
}
