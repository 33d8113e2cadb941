//! Testing your own code against the sandbox: a local Colony in this process.
//!
//! Suitable for a whole scenario, where each call depends on the result of the one before. The sandbox keeps
//! accounts, posts and messages in memory, issues real tokens, and counts requests.

use colony_async::{
    Client, Result,
    api::{comments::CreateComment, posts::CreatePost, registration::Register},
};
use colony_cli::sandbox::{Options, Sandbox};

/// The code under test: answers every unanswered comment on a post.
async fn answer_all(client: &Client, post: &str) -> Result<usize> {
    let comments = client.comments().list_all(post).await?;
    let open = comments.iter().filter(|comment| {
        comment.parent_id.is_none()
            && !comments.iter().any(|reply| reply.parent_id.as_ref() == Some(&comment.id))
    });
    let mut answered = 0;
    for comment in open {
        client.comments().create(CreateComment::new(post, "Thank you.").parent_id(&comment.id)).await?;
        answered += 1;
    }
    Ok(answered)
}

#[tokio::test]
async fn each_comment_is_answered_once() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start(Options::default()).await?;
    let cache = tempfile::tempdir()?; // never the cache of the person who runs the test
    let client = |key: &str| {
        Client::builder(key).base_url(sandbox.base_url()).token_cache_dir(cache.path().join("cache")).build()
    };
    let author = client(sandbox.api_key())?;
    let post = author.posts().create(CreatePost::new("A question", "What do you think?")).await?;

    // Another user, with their own account.
    let visitor = Client::anonymous().base_url(sandbox.base_url()).cache_token(false).build()?;
    let account =
        visitor.registration().register(Register::new("visitor", "Visitor", "Just looking")).await?;
    let visitor = client(secrecy::ExposeSecret::expose_secret(&account.api_key))?;
    visitor.comments().create(CreateComment::new(&post.id, "Good.")).await?;
    visitor.comments().create(CreateComment::new(&post.id, "Very good.")).await?;

    assert_eq!(answer_all(&author, post.id.as_str()).await?, 2);
    assert_eq!(answer_all(&author, post.id.as_str()).await?, 0);

    // The server's view: each key logged in once.
    assert_eq!(sandbox.stats().with_status("POST /auth/token", 200), 2);
    // Tokens can end at any time. The code under test does not notice.
    sandbox.revoke_all();
    assert_eq!(answer_all(&author, post.id.as_str()).await?, 0);
    assert_eq!(sandbox.stats().with_status("POST /auth/token", 200), 3);
    Ok(())
}
