//! Authorization codes with PKCE.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use colony_cli::sandbox::{OpenIdOptions, Options};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::client::{Bench, Outcome, text};

const REDIRECT: &str = "http://127.0.0.1:4711/callback?kept=1";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Returns the address that a browser opens, with these changes.
fn address(bench: &Bench, changes: &[(&str, &str)]) -> Url {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let fields = [
        ("response_type", "code"),
        ("client_id", "colony_sandbox"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid profile offline_access"),
        ("state", "a state"),
        ("nonce", "a nonce"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let mut url = Url::parse(&format!("{}/oauth/authorize", bench.sandbox.site())).unwrap();
    for (name, value) in fields {
        let value = changes.iter().find(|(changed, _)| *changed == name).map_or(value, |(_, new)| new);
        url.query_pairs_mut().append_pair(name, value);
    }
    url
}

fn field(address: &str, name: &str) -> Option<String> {
    let url = Url::parse(address).unwrap();
    assert!(address.starts_with("http://127.0.0.1:4711/callback?kept=1"), "{address}");
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Returns the address that the browser is redirected to.
async fn location(bench: &Bench, changes: &[(&str, &str)]) -> reqwest::Result<String> {
    let reply = bench.http.get(address(bench, changes)).send().await?;
    assert_eq!(reply.status(), 302);
    Ok(reply.headers()["location"].to_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_code_is_good_once_and_only_with_its_verifier() -> Outcome {
    let bench = Bench::start(Options::default()).await?;
    let page = bench.http.get(address(&bench, &[])).send().await?.json::<serde_json::Value>().await?;
    let next = bench.sandbox.openid().approve(&text(&page["request"]))?.ok_or("no address")?;
    assert_eq!(field(&next, "state").as_deref(), Some("a state"));
    assert_eq!(field(&next, "iss"), Some(bench.sandbox.site()));
    let code = field(&next, "code").ok_or("no code")?;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let wrong = [form[0], form[1], form[2], ("code_verifier", "another")];
    assert_eq!(bench.refused("/oauth/token", &wrong).await?, "invalid_grant");
    let wrong = [form[0], form[1], ("redirect_uri", "http://127.0.0.1:4712/"), form[3]];
    assert_eq!(bench.refused("/oauth/token", &wrong).await?, "invalid_grant");
    let (status, tokens) = bench.post("/oauth/token", &form).await?;
    assert_eq!(status, 200, "{tokens}");
    let claims = bench.verified(&text(&tokens["id_token"])).await?;
    assert_eq!(claims["nonce"], "a nonce");
    assert!(claims["auth_time"].is_i64() && claims["sid"].is_string());
    let access = text(&tokens["access_token"]);
    assert_eq!(bench.userinfo(&access).await?.0, 200);
    assert_eq!(bench.refused("/oauth/token", &form).await?, "invalid_grant");
    assert_eq!(bench.userinfo(&access).await?.0, 401, "what came of the code has ended");
    Ok(())
}

#[tokio::test]
async fn refusals_go_back_to_the_app_or_stay() -> Outcome {
    let bench = Bench::start(Options::default()).await?;
    for (changes, expected) in [
        ([("response_type", "token")], "unsupported_response_type"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("code_challenge", "")], "invalid_request"),
        ([("scope", "openid nonsense")], "invalid_scope"),
    ] {
        let next = location(&bench, &changes).await?;
        assert_eq!(field(&next, "error").as_deref(), Some(expected));
        assert_eq!(field(&next, "state").as_deref(), Some("a state"));
    }
    for changes in [[("client_id", "nobody")], [("redirect_uri", "https://elsewhere.example/")]] {
        assert_eq!(bench.http.get(address(&bench, &changes)).send().await?.status(), 400);
    }
    let page = bench.http.get(address(&bench, &[])).send().await?.json::<serde_json::Value>().await?;
    let next = bench.sandbox.openid().deny(&text(&page["request"]))?.ok_or("no address")?;
    assert_eq!(field(&next, "error").as_deref(), Some("access_denied"));
    Ok(())
}

#[tokio::test]
async fn a_login_approved_beforehand_goes_straight_back() -> Outcome {
    let openid = OpenIdOptions { auto_approve: true, ..OpenIdOptions::default() };
    let bench = Bench::start(Options { openid, ..Options::default() }).await?;
    let next = location(&bench, &[]).await?;
    let code = field(&next, "code").ok_or("no code")?;
    bench.sandbox.openid().expire_requests();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(bench.refused("/oauth/token", &form).await?, "invalid_grant", "it has expired");
    Ok(())
}
