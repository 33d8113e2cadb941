//! Any number of starts are one login at the server.

use std::{sync::Arc, time::Duration};

use colony_cli::sandbox::Options;
use secrecy::ExposeSecret as _;

use crate::place::{Served, all_hold_the_file_s_token, mixed, run, turn};

const PROCESSES: usize = 200;

fn slow_logins() -> Options {
    Options { auth_latency: Duration::from_millis(50), ..Options::default() }
}

fn start_on_an_empty_cache(options: Options) {
    let _turn = turn();
    let served = Served::start(options);
    let reports = run(&served.place(), PROCESSES, mixed);
    all_hold_the_file_s_token(&reports, served.directory.path());
    let stats = served.stats();
    assert_eq!((stats.logins_started, stats.logins_completed, stats.in_flight_logins_max), (1, 1, 1));
    assert_eq!(stats.with_status("POST /auth/token", 200), 1);
    assert_eq!(stats.with_status("GET /users/me", 200), PROCESSES as u64);
    assert_eq!(stats.total("GET /users/me"), PROCESSES as u64);
    assert!(reports.iter().all(|report| report.warnings.is_empty()), "{reports:?}");
}

#[test]
fn two_hundred_processes_on_an_empty_cache() {
    start_on_an_empty_cache(slow_logins());
}

#[test]
fn two_hundred_processes_where_six_logins_an_hour_are_allowed() {
    start_on_an_empty_cache(Options { auth_limit: 6, ..slow_logins() });
}

#[test]
fn two_hundred_processes_after_the_token_was_revoked() {
    let _turn = turn();
    let served = Served::start(slow_logins());
    let before = all_hold_the_file_s_token(&run(&served.place(), 1, mixed), served.directory.path());
    served.sandbox().revoke_all();
    served.sandbox().reset();
    let reports = run(&served.place(), PROCESSES, mixed);
    let after = all_hold_the_file_s_token(&reports, served.directory.path());
    assert_ne!(after, before);
    let stats = served.stats();
    assert_eq!((stats.logins_started, stats.logins_completed, stats.in_flight_logins_max), (1, 1, 1));
    assert_eq!(stats.with_status("GET /users/me", 200), PROCESSES as u64);
    let rejected = stats.with_status("GET /users/me", 401);
    assert!((1..=PROCESSES as u64).contains(&rejected), "{rejected} calls were rejected");
    assert!(reports.iter().all(|report| report.warnings.is_empty()), "{reports:?}");
}

/// Runs ten thousand tasks on this many clients. Returns the number of logins.
fn ten_thousand_tasks(clients: usize, cached: bool) -> u64 {
    let served = Served::start(slow_logins());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(16).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..clients {
            let client = colony_async::Client::builder(served.sandbox().api_key())
                .base_url(served.sandbox().base_url())
                .token_cache_dir(served.directory.path())
                .cache_token(cached)
                .build()
                .expect("a client");
            for _ in 0..10_000 / clients {
                let client = client.clone();
                tasks.spawn(
                    async move { client.auth().token().await.map(|it| it.expose_secret().to_owned()) },
                );
            }
        }
        let mut tokens = std::collections::HashSet::new();
        let mut count = 0;
        while let Some(token) = tasks.join_next().await {
            tokens.insert(token.expect("a task").expect("a token"));
            count += 1;
        }
        assert_eq!((count, tokens.len()), (10_000, 1));
    });
    served.stats().logins_started
}

#[test]
fn ten_thousand_tasks_of_ten_clients() {
    assert_eq!(ten_thousand_tasks(10, true), 1);
}

#[test]
fn ten_thousand_tasks_without_a_file() {
    assert_eq!(ten_thousand_tasks(1, false), 1);
}

#[test]
fn sixteen_threads_share_a_blocking_client() {
    let served = Served::start(slow_logins());
    let client = colony_blocking::Client::builder(served.sandbox().api_key())
        .base_url(served.sandbox().base_url())
        .token_cache_dir(served.directory.path())
        .build()
        .expect("a client");
    let client = Arc::new(client);
    let barrier = std::sync::Barrier::new(16);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                barrier.wait();
                client.execute_json(colony_blocking::api::account::GetMe::default()).expect("a call");
            });
        }
    });
    let stats = served.stats();
    assert_eq!((stats.logins_started, stats.with_status("GET /users/me", 200)), (1, 16));
}
