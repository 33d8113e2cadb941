//! Testing your own code against scripted replies, with wiremock.
//!
//! Suitable for rare behavior of a server: an error at a certain point, a reply of a certain shape. The client is
//! given the mock's address and no cache, so the test touches neither the network nor files.

use colony_async::{Client, Result, api::posts::GetPosts};
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_json, header, method, path, query_param},
};

/// The code under test: returns the titles of a colony's latest posts, or why there are none.
async fn headlines(client: &Client, colony: &str) -> Result<Vec<String>> {
    let page = client.posts().list(GetPosts::new().colony(colony).limit(3)).await?;
    Ok(page.items.into_iter().map(|post| post.title).collect())
}

/// Starts a server that accepts any login, and a client for it.
async fn server() -> (MockServer, Client) {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/api/v1/auth/token"))
        .and(body_json(json!({"api_key": "col_test"})))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"access_token": "a-token"})))
        .expect(1) // however many calls follow
        .mount(&server)
        .await;
    let client = Client::builder("col_test")
        .base_url(format!("{}/api/v1", server.uri()))
        .cache_token(false)
        .build()
        .expect("these settings are good");
    (server, client)
}

#[tokio::test]
async fn titles_in_the_order_of_the_server() -> Result<()> {
    let (server, client) = server().await;
    let page = json!({"items": [{"id": "p1", "title": "One"}, {"id": "p2", "title": "Two"}], "total": 2});
    Mock::given(method("GET"))
        .and(path("/api/v1/posts"))
        .and(query_param("limit", "3"))
        .and(header("authorization", "Bearer a-token"))
        .respond_with(ResponseTemplate::new(200).set_body_json(page))
        .mount(&server)
        .await;

    assert_eq!(headlines(&client, "findings").await?, ["One", "Two"]);
    assert_eq!(headlines(&client, "findings").await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_limit_reaches_the_caller() -> Result<()> {
    let (server, client) = server().await;
    // A longer wait than the client accepts (a minute).
    Mock::given(path("/api/v1/posts"))
        .respond_with(ResponseTemplate::new(429).insert_header("retry-after", "600"))
        .expect(1)
        .mount(&server)
        .await;

    let error = headlines(&client, "findings").await.expect_err("the limit is an error");
    assert!(error.is_rate_limited());
    assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(600));
    Ok(())
}
