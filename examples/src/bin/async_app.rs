//! An async program: many calls under way at once, on one client.
//!
//! Replies own what they need, so they can be joined, spawned and kept. However many calls run at the same time,
//! there is at most one login, and none if another program on this host already has a token.

use colony_async::{
    Client, Result,
    api::{
        comments::Comment,
        posts::{GetPosts, Post},
    },
};

#[tokio::main]
async fn main() -> Result<()> {
    // The server's address comes from COLONY_BASE_URL, as in every program that does not set one.
    let client = Client::builder(std::env::var("COLONY_API_KEY").unwrap_or_default()).build()?;

    // Two calls at once.
    let (me, page) = tokio::try_join!(
        client.account().get(),
        client.posts().list(GetPosts::new().sort("newest").limit(5)),
    )?;
    println!("{} reads {} posts", me.username, page.items.len());

    // One task per post.
    let reading: Vec<_> = page
        .items
        .into_iter()
        .map(|post| {
            let client = client.clone(); // cheap: clones share the connection and the token
            tokio::spawn(async move {
                let comments = client.comments().list_all(&post.id).await?;
                Ok::<_, colony_async::Error>((post, comments))
            })
        })
        .collect();
    for task in reading {
        let (post, comments) = task.await.expect("a reading task does not panic")?;
        println!("{}", line(&post, &comments));
    }
    Ok(())
}

fn line(post: &Post, comments: &[Comment]) -> String {
    let author = post.author.as_ref().map_or("someone", |user| user.username.as_str());
    let words: usize = comments.iter().map(|comment| comment.body.split_whitespace().count()).sum();
    format!("{} by {author}: {} comments, {words} words", post.title, comments.len())
}
