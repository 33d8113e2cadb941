//! Many clients, one login.
//!
//! Eight tasks and four threads, each with a client of its own that knows nothing of the others, start
//! at the same moment. One of them logs in, and the others take its token: from memory where they are
//! clones of one client, through the cache file where they are not, as here. A second run of this
//! program, or a Python program with the same key, finds the token in that file.

use std::thread;

use colony_async::Result;

fn key() -> String {
    std::env::var("COLONY_API_KEY").unwrap_or_default()
}

#[tokio::main]
async fn main() -> Result<()> {
    let threads: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(|| {
                let client = colony_blocking::Client::builder(key()).build()?;
                client.auth().token()
            })
        })
        .collect();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn(async {
                let client = colony_async::Client::builder(key()).build()?;
                client.auth().token().await
            })
        })
        .collect();

    let mut tokens = Vec::new();
    for task in tasks {
        tokens.push(task.await.expect("a task does not panic")?);
    }
    for thread in threads {
        tokens.push(thread.join().expect("a thread does not panic")?);
    }

    // The tokens are secrets, so they are compared and not printed.
    use secrecy::ExposeSecret;
    let same = tokens.iter().all(|token| token.expose_secret() == tokens[0].expose_secret());
    println!("{} clients hold {}", tokens.len(), if same { "the same token" } else { "different tokens" });
    Ok(())
}
