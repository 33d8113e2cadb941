//! Requests from a web page, or under a foreign host name.

use colony_cli::sandbox::{Options, Sandbox};
use reqwest::Client;
use serde_json::Value;

use crate::agent::{Outcome, code};

#[tokio::test]
async fn web_pages_and_foreign_names_are_refused_everywhere() -> Outcome {
    let options = Options { allow_hosts: vec!["colony.test".into()], ..Options::default() };
    let sandbox = Sandbox::start(options).await?;
    let http = Client::builder().no_proxy().build()?;
    let paths = ["/api/v1/posts", "/api/v1/nothing", "/_stats", "/.well-known/openid-configuration"];
    for path in paths {
        let get = |name: &str, value: &str| {
            http.get(format!("{}{path}", sandbox.site())).header(name, value).send()
        };
        for (name, value, expected) in [
            ("host", "evil.example", "HOST_NOT_ALLOWED"),
            ("origin", "https://evil.example", "ORIGIN_NOT_ALLOWED"),
            ("origin", "null", "ORIGIN_NOT_ALLOWED"),
        ] {
            let reply = get(name, value).await?;
            assert_eq!(reply.status(), 403, "{path}: {name} {value}");
            let reply: Value = reply.json().await?;
            assert_eq!(code(&reply), expected);
            assert!(name == "origin" || reply.to_string().contains("--allow-host evil.example"), "{reply}");
        }
        for (name, value) in
            [("host", "colony.test:80"), ("host", "localhost"), ("origin", "http://localhost:3000")]
        {
            assert_ne!(get(name, value).await?.status(), 403, "{path}: {name} {value}");
        }
    }
    let revoke =
        http.post(format!("{}/_control/revoke", sandbox.site())).header("origin", "http://evil.example");
    assert_eq!(revoke.send().await?.status(), 403, "a page controls nothing");
    assert!(sandbox.stats().routes.keys().all(|route| !route.contains("revoke")));
    Ok(())
}
