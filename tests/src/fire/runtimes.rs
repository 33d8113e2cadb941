//! R22: the blocking client inside every kind of runtime.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use colony_blocking::{Client, api::account::GetMe};

use super::{Ground, Outcome, Tally, scene::Scene};

/// Runs some work somewhere.
type Host = fn(Box<dyn FnOnce() + Send>);

/// The places where a program can use the client.
const HOSTS: [(&str, Host); 10] = [
    ("a plain thread", |work| carry(std::thread::spawn(work).join())),
    ("this thread", |work| work()),
    ("tokio, one thread", |work| tokio_current(async move { work() })),
    ("tokio, many threads", |work| tokio_many().block_on(async move { work() })),
    ("a task of tokio", |work| {
        let task = async move { tokio::spawn(async move { work() }).await };
        carry(tokio_many().block_on(task).map_err(tokio::task::JoinError::into_panic));
    }),
    ("blocking work of tokio", |work| {
        let task = async move { tokio::task::spawn_blocking(work).await };
        tokio_current(async move { carry(task.await.map_err(tokio::task::JoinError::into_panic)) });
    }),
    ("a local set of tokio", |work| {
        let tasks = tokio::task::LocalSet::new();
        let run = tasks.run_until(async move { tokio::task::spawn_local(async move { work() }).await });
        tokio_current(async move { carry(run.await.map_err(tokio::task::JoinError::into_panic)) });
    }),
    ("actix", |work| actix_rt::System::new().block_on(async move { work() })),
    ("an arbiter of actix", |work| {
        actix_rt::System::new().block_on(async move {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let arbiter = actix_rt::Arbiter::new();
            arbiter.spawn(async move {
                let _ = sender.send(catch_unwind(AssertUnwindSafe(work)));
            });
            let outcome = receiver.await;
            arbiter.stop();
            carry(outcome.unwrap_or_else(|gone| Err(Box::new(gone))));
        });
    }),
    ("smol", |work| smol::block_on(smol::spawn(async move { work() }))),
];

fn tokio_current<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

fn tokio_many() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn carry(outcome: std::thread::Result<()>) {
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

/// One use of a client.
type Use = Box<dyn FnOnce() + Send>;

/// Tests in each of them: building, using and dropping a client; using and dropping one built elsewhere; only
/// dropping one; logging in; and dropping one while another thread's call is under way.
pub(super) fn run(ground: &Ground) -> Outcome {
    let rounds = ground.scale.pick(1, 20);
    let scene = Scene::new(ground)?;
    let mut tally = Tally::of("uses");
    colony_async::install_tls_provider();
    let connections = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build()?;
    let (base_url, cache) = (scene.place.base_url.clone(), scene.cache().to_owned());
    let build = move || {
        let builder = Client::builder(super::scene::KEY).base_url(&base_url).token_cache_dir(&cache);
        builder.http_client(connections.clone()).timeout(Duration::from_secs(20)).build().expect("a client")
    };
    let call = |client: &Client| drop(client.execute_json(GetMe::default()).expect("a call"));
    for _ in 0..rounds {
        for (name, host) in HOSTS {
            let within = build.clone();
            let (outside, twice, dropped, login) = (build(), build(), build(), build());
            let kept = twice.clone();
            let uses: [(&str, Use); 5] = [
                ("built, used and dropped", Box::new(move || call(&within()))),
                ("used and dropped", Box::new(move || call(&outside))),
                ("used, and kept elsewhere", Box::new(move || call(&twice))),
                ("dropped", Box::new(move || drop(dropped))),
                (
                    "a login",
                    Box::new(move || {
                        login.auth().forget_token().expect("forgotten");
                        login.auth().token().expect("a token");
                    }),
                ),
            ];
            for (what, work) in uses {
                let outcome = catch_unwind(AssertUnwindSafe(|| host(work)));
                tally.check(outcome.is_ok(), || format!("{what} in {name}: {}", told(outcome.err())));
            }
            // The clone outlived the other one's host.
            let outcome = catch_unwind(AssertUnwindSafe(|| call(&kept)));
            tally.check(outcome.is_ok(), || format!("a clone after {name}: {}", told(outcome.err())));
        }
    }
    let expected = rounds * HOSTS.len() as u64 * 4;
    tally.same("calls at the server", scene.counts().calls, expected);
    tally.fact(format!("{} hosts, {rounds} rounds, {} logins", HOSTS.len(), scene.counts().logins));
    // Checks that a panic in a host is detected.
    let hosts = HOSTS.iter().filter(|(_, host)| {
        catch_unwind(AssertUnwindSafe(|| host(Box::new(|| std::panic::resume_unwind(Box::new("tried"))))))
            .is_err()
    });
    tally.fault(
        "hosts in which a panic was seen, when there was one",
        hosts.count() as u64,
        HOSTS.len() as u64,
    );
    Ok(tally)
}

fn told(panic: Option<Box<dyn std::any::Any + Send>>) -> String {
    let Some(panic) = panic else { return String::new() };
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic".to_owned())
}
