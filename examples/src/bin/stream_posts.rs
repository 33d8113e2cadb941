//! Many posts through a stream: a page is fetched only when its items are needed.
//!
//! Usage: `stream_posts [COUNT]`; the default is 500.

use std::collections::BTreeMap;

use colony_async::{api::posts::GetPosts, prelude::*};
use futures_util::TryStreamExt as _;

#[tokio::main]
async fn main() -> Result<()> {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(500);
    let client = Client::builder(std::env::var("COLONY_API_KEY").unwrap_or_default()).build()?;

    // A listing is a `Stream` of results, so the adapters of futures work with it.
    let by_colony = client
        .posts()
        .iter(GetPosts::new().limit(100))
        .take(count)
        .try_fold(BTreeMap::<String, usize>::new(), |mut counts, post| async move {
            *counts.entry(post.colony_name.unwrap_or_default()).or_default() += 1;
            Ok(counts)
        })
        .await?;

    println!("{} posts", by_colony.values().sum::<usize>());
    for (colony, posts) in by_colony {
        println!("{posts:4}  {colony}");
    }
    Ok(())
}
