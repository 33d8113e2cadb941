//! The token lookup of every call, against the least that such a lookup can do: one atomic load, the clock, one
//! comparison. It is measured twice: only the lookup, and as in a call, which keeps the token while its request is
//! under way (the bare program then counts a reference as well).

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use colony_async::{Client, Http, bench_support};
use tokio::runtime::{Builder, Runtime};

use crate::{Outcome, pairs, server};

const ROUNDS: usize = 41;
const TASKS: usize = 8;

struct Token {
    text: String,
    stale_at: SystemTime,
}

type Slot = Arc<ArcSwapOption<Token>>;

fn look(slot: &Slot) -> Option<usize> {
    let token = slot.load();
    let token = token.as_ref()?;
    (SystemTime::now() < token.stale_at).then_some(token.text.len())
}

fn keep(slot: &Slot) -> Option<Arc<Token>> {
    slot.load_full().filter(|token| SystemTime::now() < token.stale_at)
}

/// Runs this work in eight concurrent tasks and waits for them.
fn in_tasks<T: Clone, F: Future<Output = ()> + Send + 'static>(
    runtime: &Runtime,
    shared: &T,
    work: impl Fn(T) -> F,
) {
    runtime.block_on(async {
        let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(work(shared.clone()))).collect();
        for task in tasks {
            task.await.expect("a task does not panic");
        }
    });
}

async fn look_often(http: Http, count: usize) {
    for _ in 0..count {
        black_box(bench_support::look(black_box(&http)));
    }
}

async fn look_often_bare(slot: Slot, count: usize) {
    for _ in 0..count {
        black_box(look(black_box(&slot)));
    }
}

async fn keep_often(http: Http, count: usize) {
    for _ in 0..count {
        black_box(bench_support::token(black_box(&http)).await.is_ok());
    }
}

async fn keep_often_bare(slot: Slot, count: usize) {
    for _ in 0..count {
        black_box(keep(black_box(&slot)));
    }
}

pub(crate) fn run() -> Outcome {
    let client = Client::builder("col_bench").base_url(server::start()?).cache_token(false).build()?;
    let http = client.transport().clone();
    let stale_at = SystemTime::now() + Duration::from_secs(82_800);
    let slot = Slot::new(ArcSwapOption::from_pointee(Token { text: "a.b.c".to_owned(), stale_at }));

    let one = Builder::new_current_thread().enable_all().build()?;
    one.block_on(client.auth().token())?;
    pairs::compare(
        "token lookup, 1 task",
        ROUNDS,
        200_000,
        |count| one.block_on(look_often(http.clone(), count)),
        |count| one.block_on(look_often_bare(slot.clone(), count)),
    );
    pairs::compare(
        "token lookup and keeping it, 1 task",
        ROUNDS,
        200_000,
        |count| one.block_on(keep_often(http.clone(), count)),
        |count| one.block_on(keep_often_bare(slot.clone(), count)),
    );

    let many = Builder::new_multi_thread().worker_threads(TASKS).enable_all().build()?;
    pairs::compare(
        "token lookup, 8 tasks",
        ROUNDS,
        800_000,
        |count| in_tasks(&many, &http, |http| look_often(http, count / TASKS)),
        |count| in_tasks(&many, &slot, |slot| look_often_bare(slot, count / TASKS)),
    );
    pairs::compare(
        "token lookup and keeping it, 8 tasks",
        ROUNDS,
        800_000,
        |count| in_tasks(&many, &http, |http| keep_often(http, count / TASKS)),
        |count| in_tasks(&many, &slot, |slot| keep_often_bare(slot, count / TASKS)),
    );
    Ok(())
}
