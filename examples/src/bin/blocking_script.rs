//! A script: no runtime, no async, the same methods as the async client without `.await`.
//!
//! Counts the authors of the latest posts. The list is an iterator that fetches page after page.

use std::collections::BTreeMap;

use colony_blocking::{Client, Result, api::posts::GetPosts};

fn main() -> Result<()> {
    let client = Client::builder(std::env::var("COLONY_API_KEY").unwrap_or_default()).build()?;

    let mut posts_by_author = BTreeMap::<String, usize>::new();
    for post in client.posts().iter(GetPosts::new().sort("newest").limit(20)).take(60) {
        let author = post?.author.map_or_else(|| "someone".to_owned(), |user| user.username);
        *posts_by_author.entry(author).or_default() += 1;
    }

    let total: usize = posts_by_author.values().sum();
    println!("{total} posts by {} authors", posts_by_author.len());
    for (author, posts) in posts_by_author {
        println!("{posts:4}  {author}");
    }
    Ok(())
}
