//! A login continues regardless of the runtimes and threads of its callers.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, SystemTime},
};

use colony_async::Client;
use colony_tests::service::{Answer, Service};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::place::{KEY, call, directory};

/// A test that hangs fails after this.
const LIMIT: Duration = Duration::from_secs(100);

/// Runs the work under the limit.
fn limited(work: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let worker = thread::spawn(move || {
        work();
        let _ = done.send(());
    });
    match ended.recv_timeout(LIMIT) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        _ => worker.join().expect("it failed"),
    }
}

fn stage() -> (Service, TempDir, Client) {
    let clock =
        || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64();
    let (service, directory) = (Service::start(clock).expect("a service"), directory());
    let builder = Client::builder(KEY).base_url(service.base_url()).token_cache_dir(directory.path());
    let client = builder.build().expect("a client");
    (service, directory, client)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Callers occupy all threads for blocking work, and more callers wait for one.
#[test]
fn calls_from_every_blocking_thread_on_a_cold_cache() {
    limited(|| {
        let (service, _directory, client) = stage();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(512)
            .enable_all()
            .build()
            .expect("a runtime");
        let calls: Vec<_> = (0..600)
            .map(|_| {
                let (client, runtime_handle) = (client.clone(), runtime.handle().clone());
                runtime.spawn_blocking(move || runtime_handle.block_on(call(&client)))
            })
            .collect();
        runtime.block_on(async {
            for one in calls {
                one.await.expect("no panic").expect("a call");
            }
        });
        assert_eq!((service.counts().logins, service.counts().calls), (1, 600));
    });
}

/// The first caller gives up, and its runtime lives on without being polled.
#[test]
fn a_login_whose_first_caller_s_runtime_stands_still() {
    limited(|| {
        let (service, directory, client) = stage();
        service.next([Answer::Held]);
        let (idle, driven) = (runtime(), runtime());
        let first = async { tokio::time::timeout(Duration::from_millis(300), call(&client)).await };
        assert!(idle.block_on(first).is_err(), "the login is held");
        driven.block_on(service.until(|counts| counts.logins == 1));
        service.release();
        driven.block_on(call(&client)).expect("a call");
        assert_eq!(service.counts().logins, 1);
        // And the lock is free for others.
        let other = Client::builder(KEY).base_url(service.base_url()).token_cache_dir(directory.path());
        let other = other.build().expect("a client");
        driven.block_on(other.auth().forget_token()).expect("forgotten");
        driven.block_on(call(&other)).expect("a call");
        assert_eq!(service.counts().logins, 2);
        drop(idle);
    });
}

/// The login itself does not need the caller's runtime.
#[test]
fn a_token_without_a_runtime() {
    limited(|| {
        let (service, _directory, client) = stage();
        let token = smol::block_on(client.auth().token()).expect("a token");
        assert_eq!(service.issued(), [secrecy::ExposeSecret::expose_secret(&token)]);
        let error = smol::block_on(call(&client)).expect_err("no runtime");
        assert!(error.to_string().contains("runtime"), "{error}");
    });
}
