//! The token that every call looks up, against the least that such a lookup can do: one atomic load, the
//! clock, one comparison.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use colony_async::{Client, bench_support};

use crate::{Outcome, pairs, server};

struct Token {
    text: String,
    stale_at: SystemTime,
}

type Slot = ArcSwapOption<Token>;

fn bare(slot: &Slot) -> Option<usize> {
    let token = slot.load();
    let token = token.as_ref()?;
    (SystemTime::now() < token.stale_at).then_some(token.text.len())
}

pub(crate) fn run() -> Outcome {
    let client = Client::builder("col_bench").base_url(server::start()?).cache_token(false).build()?;
    let http = client.transport().clone();
    let stale_at = SystemTime::now() + Duration::from_secs(82_800);
    let slot = Arc::new(Slot::from_pointee(Token { text: "a.b.c".to_owned(), stale_at }));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(client.auth().token())?;
    pairs::compare(
        "token lookup, 1 task",
        41,
        200_000,
        |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    black_box(bench_support::lookup(black_box(&http)).await.is_ok());
                }
            });
        },
        |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    black_box(bare(black_box(&slot)));
                }
            });
        },
    );

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(8).enable_all().build()?;
    pairs::compare(
        "token lookup, 8 tasks on 8 threads",
        41,
        800_000,
        |count| {
            runtime.block_on(async {
                let tasks: Vec<_> = (0..8)
                    .map(|_| {
                        let http = http.clone();
                        tokio::spawn(async move {
                            for _ in 0..count / 8 {
                                black_box(bench_support::lookup(black_box(&http)).await.is_ok());
                            }
                        })
                    })
                    .collect();
                for task in tasks {
                    let _ = task.await;
                }
            });
        },
        |count| {
            runtime.block_on(async {
                let tasks: Vec<_> = (0..8)
                    .map(|_| {
                        let slot = Arc::clone(&slot);
                        tokio::spawn(async move {
                            for _ in 0..count / 8 {
                                black_box(bare(black_box(&slot)));
                            }
                        })
                    })
                    .collect();
                for task in tasks {
                    let _ = task.await;
                }
            });
        },
    );
    Ok(())
}
