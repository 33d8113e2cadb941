//! A program's hooks and callbacks: a forbidden action is an error, and no call hangs.

use std::sync::{Arc, Mutex, OnceLock};

use colony_async::ErrorKind;
use colony_blocking::{Client, api::account::GetMe};
use colony_tests::service::Answer;

use crate::place::{KEY, Scripted, call};

fn builder(scripted: &Scripted) -> colony_blocking::Builder {
    Client::builder(KEY)
        .base_url(scripted.service.base_url())
        .token_cache_dir(scripted.directory.path())
        .timer(scripted.clock.clone())
}

#[test]
fn a_hook_that_calls_its_own_blocking_client() {
    let scripted = Scripted::flowing();
    let (own, told) = (Arc::new(OnceLock::<Client>::new()), Arc::new(Mutex::new(Vec::new())));
    let (seen, heard) = (Arc::clone(&own), Arc::clone(&told));
    let client = builder(&scripted).on_request(move |_| {
        if let Some(client) = seen.get() {
            let error = client.execute_json(GetMe::default()).expect_err("it would wait for itself");
            heard.lock().expect("a lock").push(error);
        }
    });
    let client = client.build().expect("a client");
    assert!(own.set(client.clone()).is_ok());
    client.execute_json(GetMe::default()).expect("a call");
    let told = told.lock().expect("a lock");
    // Once for the login, once for the call.
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|error| error.kind() == ErrorKind::Config && error.message().contains("hook")));
}

#[test]
fn a_two_factor_callback_that_calls_its_own_client() {
    let scripted = Scripted::flowing();
    let own = Arc::new(OnceLock::<Client>::new());
    let seen = Arc::clone(&own);
    let client = builder(&scripted).totp_with(move || {
        let error = seen.get().expect("a client").auth().token().expect_err("it would wait for itself");
        assert_eq!(error.kind(), ErrorKind::Config);
        "123456".to_owned()
    });
    let client = client.build().expect("a client");
    assert!(own.set(client.clone()).is_ok());
    client.execute_json(GetMe::default()).expect("a call");
}

#[test]
fn a_panic_in_a_hook_is_told() {
    let scripted = Scripted::flowing();
    let client = builder(&scripted).on_response(|reply| {
        assert!(reply.operation == "get_auth_token", "planted in {}", reply.operation);
    });
    let client = client.build().expect("a client");
    let error = client.execute_json(GetMe::default()).expect_err("a panic");
    assert!(error.message().contains("planted in get_me"), "{error}");
    client.auth().token().expect("the client is still usable");
}

/// Each request gets its own code.
#[tokio::test]
async fn a_two_factor_code_is_asked_for_every_request_and_never_sent_twice() {
    let scripted = Scripted::flowing();
    scripted.service.next([Answer::Status(503), Answer::Status(503)]);
    let asked = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&asked);
    let client = scripted.builder().auth_retry(colony_async::RetryPolicy::for_login()).totp_with(move || {
        let mut asked = counted.lock().expect("a lock");
        *asked += 1;
        format!("{:06}", *asked)
    });
    call(&client.build().expect("a client")).await.expect("a call");
    assert_eq!(*asked.lock().expect("a lock"), 3);
    for code in ["000001", "000002", "000003"] {
        assert!(scripted.service.was_sent(code), "{code}");
    }
}

#[tokio::test]
async fn a_single_two_factor_code_is_sent_once() {
    let scripted = Scripted::flowing();
    scripted.service.otherwise(Answer::Status(503));
    let client = scripted.builder().auth_retry(colony_async::RetryPolicy::for_login()).totp("123 456");
    let error = call(&client.build().expect("a client")).await.expect_err("an outage");
    assert_eq!((error.status(), scripted.logins()), (Some(503), 1));
}
