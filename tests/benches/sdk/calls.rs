//! One authenticated call, against reqwest and serde with the same models on the same server.

use std::time::Duration;

use colony_async::{
    Page,
    api::{
        posts::{GetPosts, Post},
        users::User,
    },
};
use futures_util::future::join_all;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;

use crate::{Outcome, pairs, server};

const ROUNDS: usize = 41;
const PAGE: &str = "/posts?limit=20";

/// The state of a program without this SDK.
struct Bare<C> {
    http: C,
    base_url: String,
    token: String,
}

impl Bare<reqwest::Client> {
    async fn get<T: DeserializeOwned>(&self, path: &str) -> reqwest::Result<T> {
        let url = format!("{}{path}", self.base_url);
        let response = self.http.get(url).bearer_auth(&self.token).send().await?.error_for_status()?;
        let body = response.bytes().await?;
        Ok(serde_json::from_slice(&body).expect("the reply has this shape"))
    }
}

impl Bare<reqwest::blocking::Client> {
    fn get<T: DeserializeOwned>(&self, path: &str) -> reqwest::Result<T> {
        let url = format!("{}{path}", self.base_url);
        let body = self.http.get(url).bearer_auth(&self.token).send()?.error_for_status()?.bytes()?;
        Ok(serde_json::from_slice(&body).expect("the reply has this shape"))
    }
}

fn twenty() -> GetPosts {
    GetPosts::new().limit(20)
}

pub(crate) fn run() -> Outcome {
    let base_url = server::start()?;
    let (limit, connect) = (Duration::from_secs(30), Duration::from_secs(10));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;

    let client = colony_async::Client::builder("col_bench").base_url(&base_url).cache_token(false).build()?;
    let token = runtime.block_on(client.auth().token())?.expose_secret().to_owned();
    colony_async::install_tls_provider();
    let http = reqwest::Client::builder().timeout(limit).connect_timeout(connect).build()?;
    let bare = Bare { http, base_url: base_url.clone(), token: token.clone() };

    pairs::compare(
        "get_me, one after another",
        ROUNDS,
        400,
        |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    client.account().get().await.expect("the server answers");
                }
            });
        },
        |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    bare.get::<User>("/users/me").await.expect("the server answers");
                }
            });
        },
    );
    pairs::compare(
        "get_me, 64 at once",
        ROUNDS,
        640,
        |count| {
            runtime.block_on(async {
                for _ in 0..count / 64 {
                    let replies = join_all((0..64).map(|_| client.account().get())).await;
                    assert!(replies.iter().all(Result::is_ok));
                }
            });
        },
        |count| {
            runtime.block_on(async {
                for _ in 0..count / 64 {
                    let replies = join_all((0..64).map(|_| bare.get::<User>("/users/me"))).await;
                    assert!(replies.iter().all(Result::is_ok));
                }
            });
        },
    );
    pairs::compare(
        "page of 20 posts, one after another",
        ROUNDS,
        200,
        |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    client.posts().list(twenty()).await.expect("the server answers");
                }
            });
        },
        |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    bare.get::<Page<Post>>(PAGE).await.expect("the server answers");
                }
            });
        },
    );
    pairs::compare(
        "page of 20 posts, 64 at once",
        ROUNDS,
        320,
        |count| {
            runtime.block_on(async {
                for _ in 0..count / 64 {
                    let replies = join_all((0..64).map(|_| client.posts().list(twenty()))).await;
                    assert!(replies.iter().all(Result::is_ok));
                }
            });
        },
        |count| {
            runtime.block_on(async {
                for _ in 0..count / 64 {
                    let replies = join_all((0..64).map(|_| bare.get::<Page<Post>>(PAGE))).await;
                    assert!(replies.iter().all(Result::is_ok));
                }
            });
        },
    );

    let client =
        colony_blocking::Client::builder("col_bench").base_url(&base_url).cache_token(false).build()?;
    client.auth().token()?;
    colony_async::install_tls_provider();
    let http = reqwest::blocking::Client::builder().timeout(limit).connect_timeout(connect).build()?;
    let bare = Bare { http, base_url, token };
    pairs::compare(
        "blocking: get_me, one after another",
        ROUNDS,
        400,
        |count| {
            for _ in 0..count {
                client.account().get().expect("the server answers");
            }
        },
        |count| {
            for _ in 0..count {
                bare.get::<User>("/users/me").expect("the server answers");
            }
        },
    );
    pairs::compare(
        "blocking: page of 20 posts, one after another",
        ROUNDS,
        200,
        |count| {
            for _ in 0..count {
                client.posts().list(twenty()).expect("the server answers");
            }
        },
        |count| {
            for _ in 0..count {
                bare.get::<Page<Post>>(PAGE).expect("the server answers");
            }
        },
    );
    Ok(())
}
