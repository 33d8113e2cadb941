//! The token is renewed before it goes stale, and no call waits for that.

use colony_core::token::envelope::Envelope;
use colony_tests::service::Answer;

use crate::place::{Scripted, call, file_in, token_in};

const HOUR: f64 = 3_600.0;

async fn started(scripted: &Scripted) -> colony_async::Client {
    let client = scripted.builder().refresh_ahead(true).build().expect("a client");
    call(&client).await.expect("a call");
    scripted.clock.sleepers(1).await;
    client
}

#[tokio::test]
async fn the_token_is_renewed_before_it_is_stale() {
    let scripted = Scripted::standing();
    let client = started(&scripted).await;
    scripted.clock.pass(21.9 * HOUR).await;
    assert_eq!(scripted.logins(), 1, "not in the first twenty-one hours");
    scripted.clock.pass(1.1 * HOUR - 60.0).await;
    assert_eq!(scripted.logins(), 2, "but before a call would have to wait");
    let text = std::fs::read(file_in(scripted.directory.path(), "json")).expect("a file");
    let envelope = Envelope::read(&text).expect("an envelope");
    assert!(envelope.expiry > scripted.clock.unix() + 22.0 * HOUR, "and the others have it too");
    call(&client).await.expect("a call");
    assert_eq!(scripted.logins(), 2);
    // And so on, for ten days.
    scripted.clock.pass(10.0 * 24.0 * HOUR).await;
    assert!((11..=13).contains(&scripted.logins()), "{} logins in eleven days", scripted.logins());
}

#[tokio::test]
async fn a_token_that_another_program_has_renewed_is_adopted() {
    let scripted = Scripted::standing();
    let client = started(&scripted).await;
    scripted.clock.pass(20.0 * HOUR).await;
    let other = scripted.client();
    other.auth().forget_token().await.expect("forgotten");
    call(&other).await.expect("a call");
    assert_eq!(scripted.logins(), 2);
    scripted.clock.pass(2.999 * HOUR).await;
    assert_eq!(scripted.logins(), 2);
    call(&client).await.expect("a call");
    assert_eq!((scripted.logins(), scripted.service.counts().rejected), (2, 0));
}

#[tokio::test]
async fn a_failing_renewal_keeps_the_old_token_and_waits() {
    for answer in [
        Answer::Status(503),
        Answer::Status(500),
        Answer::Hangup,
        Answer::Status(401),
        Answer::Limited("30".into()),
    ] {
        let scripted = Scripted::standing();
        let client = started(&scripted).await;
        let first = token_in(scripted.directory.path());
        scripted.service.otherwise(answer.clone());
        scripted.clock.pass(22.98 * HOUR).await;
        call(&client).await.unwrap_or_else(|error| panic!("{answer:?}: {error}"));
        assert_eq!(token_in(scripted.directory.path()), first, "{answer:?}");
        // Pauses grow to ten minutes: in an hour there are few tries, but at least one.
        scripted.clock.pass(0.5 * HOUR).await;
        let tries = scripted.logins() - 1;
        assert!((1..=30).contains(&tries), "{answer:?}: {tries} tries");
        scripted.clock.pass(100.0 * HOUR).await;
        let later = scripted.logins() - 1 - tries;
        assert!((100..=1_500).contains(&later), "{answer:?}: {later} tries in a hundred hours");
        // The task has not ended.
        scripted.service.otherwise(Answer::Token);
        scripted.clock.pass(HOUR).await;
        let before = scripted.logins();
        call(&client).await.unwrap_or_else(|error| panic!("{answer:?}: {error}"));
        assert_eq!(scripted.logins(), before, "{answer:?}: it was renewed before the call");
    }
}

#[tokio::test]
async fn calls_do_not_wait_for_a_renewal() {
    let scripted = Scripted::standing();
    let client = started(&scripted).await;
    scripted.service.next([Answer::Held]);
    let passing = tokio::spawn({
        let clock = scripted.clock.clone();
        async move { clock.pass(22.99 * HOUR).await }
    });
    scripted.service.until(|counts| counts.logins == 2).await;
    for _ in 0..100 {
        call(&client).await.expect("a call");
    }
    assert_eq!(scripted.service.counts().calls, 101);
    scripted.service.release();
    passing.await.expect("a renewal");
    call(&client).await.expect("a call");
    assert_eq!(scripted.logins(), 2);
}

#[tokio::test]
async fn short_lives_make_no_busy_loop() {
    let scripted = Scripted::standing();
    for lifetime in [1.0, 30.0, 60.0, 90.0] {
        scripted.service.lifetime(lifetime);
        let directory = crate::place::directory();
        let client = scripted.builder().token_cache_dir(directory.path()).refresh_ahead(true).build();
        let client = client.expect("a client");
        call(&client).await.expect("a call");
        scripted.clock.sleepers(1).await;
        let (logins, slept) = (scripted.logins(), scripted.clock.slept());
        scripted.clock.pass(600.0).await;
        let (logins, slept) = (scripted.logins() - logins, scripted.clock.slept() - slept);
        assert!(logins <= 21, "{logins} logins in ten minutes for tokens of {lifetime} s");
        assert!(slept <= 1_200, "{slept} looks in ten minutes for tokens of {lifetime} s");
        drop(client);
        scripted.clock.sleepers(0).await;
    }
}

#[tokio::test]
async fn it_ends_with_the_client() {
    let scripted = Scripted::standing();
    let client = started(&scripted).await;
    let clone = client.clone();
    drop(client);
    tokio::task::yield_now().await;
    scripted.clock.sleepers(1).await;
    drop(clone);
    scripted.clock.sleepers(0).await;
}

#[tokio::test]
async fn it_ends_with_the_client_also_in_the_middle_of_a_renewal() {
    let scripted = Scripted::standing();
    let client = started(&scripted).await;
    scripted.service.next([Answer::Held]);
    let clock = scripted.clock.clone();
    let passing = tokio::spawn(async move { clock.pass(22.99 * HOUR).await });
    scripted.service.until(|counts| counts.logins == 2).await;
    drop(client);
    // The login itself continues, so that it is not wasted; no caller waits for it.
    scripted.service.release();
    let next = scripted.builder().timer(colony_async::time::SystemTimer).build().expect("a client");
    let next = call(&next);
    next.await.expect("a call");
    assert_eq!(scripted.logins(), 2);
    scripted.clock.sleepers(0).await;
    passing.abort();
}

/// Counts threads and descriptors of this process, in which other tests run too; so it is started again for this
/// test.
#[test]
#[expect(clippy::print_stdout, reason = "the counts are the result")]
fn a_thousand_clients_leave_no_thread_and_no_descriptor() {
    const ALONE: &str = "COLONY_TESTS_ALONE";
    const NAME: &str = "ahead::a_thousand_clients_leave_no_thread_and_no_descriptor";
    if std::env::var_os(ALONE).is_none() {
        let _turn = crate::place::turn();
        let mut command = std::process::Command::new(std::env::current_exe().expect("a program"));
        let done = command.args(["--exact", NAME, "--nocapture"]).env(ALONE, "1").output().expect("a run");
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    let scripted = Scripted::standing();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    // One client in ten has its own connections: reading the system's root certificates is slow.
    // No connection is kept: one that a blocking client opened would end with that client's thread, while another
    // client uses it.
    colony_async::install_tls_provider();
    let connections = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build();
    let connections = connections.expect("connections");
    let cycle = |number: usize| {
        let connections = Some(connections.clone()).filter(|_| number % 10 > 1);
        if number.is_multiple_of(2) {
            runtime.block_on(async {
                let builder = scripted.builder().refresh_ahead(true);
                let builder = match connections {
                    Some(connections) => builder.http_client(connections),
                    None => builder,
                };
                call(&builder.build().expect("a client")).await.expect("a call");
            });
        } else {
            let builder = colony_blocking::Client::builder(crate::place::KEY)
                .base_url(scripted.service.base_url())
                .token_cache_dir(scripted.directory.path())
                .timer(scripted.clock.clone())
                .refresh_ahead(true);
            let builder = match connections {
                Some(connections) => builder.http_client(connections),
                None => builder,
            };
            let client = builder.build().expect("a client");
            client.execute_json(colony_blocking::api::account::GetMe::default()).expect("a call");
        }
    };
    let count = |what: &str| std::fs::read_dir(what).expect("/proc").count();
    (0..20).for_each(cycle);
    let settle = |most: (usize, usize)| {
        // Threads end a moment after their client.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            let now = (count("/proc/self/task"), count("/proc/self/fd"));
            if (now.0 <= most.0 && now.1 <= most.1) || std::time::Instant::now() > deadline {
                return now;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    };
    let before = settle((6, 30));
    (0..1_000).for_each(cycle);
    // Idle threads end after ten seconds, some of them from before the first count: a few more or less mean nothing.
    // A leak would be of a thousand.
    let most = (before.0 + 8, before.1 + 16);
    let after = settle(most);
    println!("threads and descriptors: {before:?} before, {after:?} after");
    assert!(after.0 <= most.0 && after.1 <= most.1, "{before:?} before, {after:?} after");
    assert_eq!(scripted.logins(), 1);
    runtime.block_on(scripted.clock.sleepers(0));
}
