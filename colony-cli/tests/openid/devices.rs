//! The device flow.

use std::time::Duration;

use colony_cli::sandbox::{OpenIdOptions, Options};
use serde_json::{Value, json};

use crate::client::{Bench, DEVICE, Outcome, text};

/// Returns options for a provider without a limit on requests.
fn patient() -> Options {
    let openid = OpenIdOptions { device_interval: Duration::ZERO, ..OpenIdOptions::default() };
    Options { openid, ..Options::default() }
}

async fn begin(bench: &Bench) -> reqwest::Result<Value> {
    let (status, begun) = bench.post("/oauth/device_authorization", &[("scope", "openid")]).await?;
    assert_eq!(status, 200, "{begun}");
    Ok(begun)
}

async fn poll(bench: &Bench, begun: &Value) -> reqwest::Result<String> {
    let code = text(&begun["device_code"]);
    let (_, reply) = bench.post("/oauth/token", &[("grant_type", DEVICE), ("device_code", &code)]).await?;
    Ok(if reply.get("access_token").is_some() { "tokens".to_owned() } else { text(&reply["error"]) })
}

#[tokio::test]
async fn a_device_waits_until_somebody_decides() -> Outcome {
    let bench = Bench::start(patient()).await?;
    let begun = begin(&bench).await?;
    assert_eq!((&begun["interval"], &begun["expires_in"]), (&json!(0), &json!(900)));
    assert_eq!(begun["verification_uri"], format!("{}/device", bench.sandbox.site()));
    let code = text(&begun["user_code"]);
    assert!(code.len() == 9 && code.as_bytes()[4] == b'-', "{code}");
    bench.get("/device").await?;
    assert_eq!(poll(&bench, &begun).await?, "authorization_pending");
    assert_eq!(poll(&bench, &begun).await?, "authorization_pending");
    assert_eq!(bench.sandbox.openid().pending()[0].request, code);
    let control = format!("{}/_control/openid/approve", bench.sandbox.site());
    let typed = code.replace('-', "").to_lowercase();
    let body = json!({"request": typed, "username": "ferris"});
    bench.http.post(&control).json(&body).send().await?.error_for_status()?;
    assert_eq!(bench.http.post(&control).json(&body).send().await?.status(), 404, "it is decided");
    assert_eq!(poll(&bench, &begun).await?, "tokens");
    assert_eq!(poll(&bench, &begun).await?, "invalid_grant", "a code is good once");
    assert!(bench.sandbox.openid().pending().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_device_is_refused_or_too_late_or_too_eager() -> Outcome {
    let bench = Bench::start(patient()).await?;
    let begun = begin(&bench).await?;
    bench.sandbox.openid().deny(&text(&begun["user_code"]))?;
    assert_eq!(poll(&bench, &begun).await?, "access_denied");
    let begun = begin(&bench).await?;
    bench.sandbox.openid().expire_requests();
    assert_eq!(poll(&bench, &begun).await?, "expired_token");
    assert!(bench.sandbox.openid().approve(&text(&begun["user_code"])).is_err());
    assert_eq!(poll(&bench, &json!({"device_code": "dc_none"})).await?, "invalid_grant");
    let wrong = [("scope", "openid nonsense")];
    assert_eq!(bench.refused("/oauth/device_authorization", &wrong).await?, "invalid_scope");
    assert_eq!(bench.send("/oauth/device_authorization", &[], None).await?.0, 401);

    let openid = OpenIdOptions { device_interval: Duration::from_secs(3600), ..OpenIdOptions::default() };
    let slow = Bench::start(Options { openid, ..Options::default() }).await?;
    let begun = begin(&slow).await?;
    assert_eq!(poll(&slow, &begun).await?, "authorization_pending");
    assert_eq!(poll(&slow, &begun).await?, "slow_down");
    Ok(())
}

#[tokio::test]
async fn logins_can_be_approved_beforehand() -> Outcome {
    let openid = OpenIdOptions { auto_approve: true, ..OpenIdOptions::default() };
    let bench = Bench::start(Options { openid, ..Options::default() }).await?;
    let begun = begin(&bench).await?;
    assert_eq!(poll(&bench, &begun).await?, "tokens");
    Ok(())
}
