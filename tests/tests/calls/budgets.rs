//! Daily budgets (P3) on a failing disk, and with a clock that steps: never more than the budget.

use std::{path::Path, time::Duration};

use colony_async::{Builder, Client, policy::Policy};
use colony_cli::sandbox::{Options, Sandbox};
use colony_core::{Result, api::posts::CreatePost};
use colony_tests::{failing::Failing, timer::TestTimer};

const DAY: f64 = 86_400.0;
const BUDGET: u32 = 2;

fn builder(sandbox: &Sandbox, state: &Path) -> Builder {
    Client::builder(sandbox.api_key().to_owned())
        .base_url(sandbox.base_url())
        .cache_token(false)
        .state_dir(state)
        .policy(Policy::new().daily("create_post", BUDGET))
}

async fn create(client: &Client, number: u32) -> Result<()> {
    client.posts().create(CreatePost::new(format!("Post {number}"), "Some text")).await.map(drop)
}

fn created(sandbox: &Sandbox) -> u64 {
    let stats = sandbox.stats();
    stats.with_status("POST /posts", 200) + stats.with_status("POST /posts", 201)
}

/// The n-th operation of the disk fails, once or from then on: a call that cannot be counted is not sent, and a later
/// program has no more than the rest of the budget.
#[tokio::test]
async fn p3_a_disk_that_fails_gives_nothing_beyond_the_budget() {
    let (mut faults, mut refused) = (0, 0);
    // ENOSPC and EIO.
    for (errno, for_good) in [(28, false), (28, true), (5, false), (5, true)] {
        for at in 1.. {
            let sandbox = Sandbox::start(Options::default()).await.expect("a sandbox");
            let state = tempfile::tempdir().expect("a directory");
            let disk = if for_good { Failing::for_good(at, errno) } else { Failing::once(at, errno) };
            let client = builder(&sandbox, state.path()).disk(disk.clone()).build().expect("a client");
            for number in 0..=BUDGET {
                if let Err(error) = create(&client, number).await {
                    assert_eq!(error.kind().as_str(), "refused", "fault {at}: {error}");
                    refused += 1;
                }
            }
            let later = builder(&sandbox, state.path()).build().expect("a client");
            for number in 0..=BUDGET {
                let _ = create(&later, number).await;
            }
            let sent = created(&sandbox);
            assert!(sent <= u64::from(BUDGET), "fault {at}, error {errno}, for good {for_good}: {sent} sent");
            faults += disk.failed().len();
            if disk.failed().is_empty() {
                break;
            }
        }
    }
    assert!(faults > 40 && refused > 40, "{faults} faults, {refused} refused");
    println!("P3: {faults} operations of the disk that failed, {refused} refusals, 0 beyond the budget");
}

#[tokio::test]
async fn p3_a_clock_that_steps_gives_no_budget_twice() {
    let options = Options { token_ttl: Duration::from_secs(30 * 86_400), ..Options::default() };
    let sandbox = Sandbox::start(options).await.expect("a sandbox");
    let state = tempfile::tempdir().expect("a directory");
    let start = colony_core::token::freshness::unix_seconds(std::time::SystemTime::now());
    let timer = TestTimer::at(start);
    let client = builder(&sandbox, state.path()).timer(timer.clone()).build().expect("a client");
    // Days since the first, and how many calls are let through on that day.
    for (day, expected) in
        [(0.0, BUDGET), (1.0, BUDGET), (0.0, 0), (-3.0, 0), (1.0, 0), (2.0, BUDGET), (1.5, 0)]
    {
        timer.set(start + day * DAY);
        let before = created(&sandbox);
        for number in 0..=BUDGET {
            let _ = create(&client, number).await;
        }
        assert_eq!(created(&sandbox) - before, u64::from(expected), "day {day}");
    }
}
