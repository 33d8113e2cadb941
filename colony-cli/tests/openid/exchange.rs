//! Discovery, keys and token exchange.

use std::time::Duration;

use colony_cli::sandbox::{App, AudiencePolicy, OpenIdOptions, Options};
use serde_json::json;

use crate::client::{Bench, EXCHANGE, Outcome, text};

#[tokio::test]
async fn both_addresses_say_the_same_and_every_endpoint_is_there() -> Outcome {
    let bench = Bench::start(Options::default()).await?;
    let site = bench.sandbox.site();
    let metadata = bench.get("/.well-known/openid-configuration").await?;
    assert_eq!(metadata, bench.get("/.well-known/oauth-authorization-server").await?);
    assert_eq!(metadata["issuer"], site);
    assert!(bench.sandbox.base_url().starts_with(&site));
    let endpoints = metadata.as_object().unwrap().iter();
    let mut seen = 0;
    for (name, value) in endpoints.filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri") {
        let address = value.as_str().unwrap();
        assert!(address.starts_with(&site), "{name}");
        assert_ne!(bench.http.get(address).send().await?.status(), 404, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 7);
    assert_eq!(metadata["token_endpoint_auth_methods_supported"].as_array().unwrap().len(), 2);
    let stats = bench.sandbox.stats();
    assert_eq!(stats.with_status("GET /.well-known/openid-configuration", 200), 1);
    assert_eq!(stats.with_status("GET /.well-known/jwks.json", 200), 1);
    Ok(())
}

#[tokio::test]
async fn a_jwt_is_exchanged_for_tokens_of_an_app() -> Outcome {
    let bench = Bench::start(Options::default()).await?;
    let jwt = bench.jwt().await?;
    let audience = bench.sandbox.openid().app().client_id.clone();
    let mut form = vec![
        ("grant_type", EXCHANGE),
        ("subject_token", jwt.as_str()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("audience", &audience),
        ("scope", "profile nonsense offline_access colony:karma"),
    ];
    // The app does not authenticate: the subject token is the credential.
    let (status, tokens) = bench.send("/oauth/token", &form, None).await?;
    assert_eq!(status, 200, "{tokens}");
    let mut names: Vec<&String> = tokens.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(
        names,
        ["access_token", "expires_in", "id_token", "issued_token_type", "scope", "token_type"],
        "no refresh token"
    );
    assert_eq!(tokens["scope"], "openid profile colony:karma");
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    let claims = bench.verified(&text(&tokens["id_token"])).await?;
    assert_eq!(
        (claims["iss"].as_str(), claims["aud"].as_str()),
        (Some(&*bench.sandbox.site()), Some(&*audience))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    assert_eq!(claims["preferred_username"], bench.sandbox.username());
    assert!(claims["colony_karma"].is_i64());
    assert!(claims.get("nonce").is_none() && claims.get("acr").is_none());
    let (status, info) = bench.userinfo(&text(&tokens["access_token"])).await?;
    assert_eq!((status, &info["sub"]), (200, &claims["sub"]));

    form.truncate(4);
    assert_eq!(bench.send("/oauth/token", &form, None).await?.1["scope"], "openid");
    let stats = bench.sandbox.stats();
    assert_eq!((stats.total("POST /oauth/token"), stats.grant("token-exchange")), (2, 2));
    Ok(())
}

#[tokio::test]
async fn exchanges_are_refused_for_the_reasons_the_platform_names() -> Outcome {
    let apps = vec![
        App::new("open"),
        App::new("humans").audience_policy(AudiencePolicy::HumansOnly),
        App::new("narrow").audience_policy(AudiencePolicy::AgentsOnly).scopes(["openid", "email"]),
    ];
    let openid = OpenIdOptions { apps, ..OpenIdOptions::default() };
    let bench = Bench::start(Options { openid, ..Options::default() }).await?;
    let jwt = bench.jwt().await?;
    let key = bench.sandbox.api_key().to_owned();
    let refused = async |subject: &str, audience: &str, more: &[(&str, &str)]| {
        let mut form = vec![("grant_type", EXCHANGE), ("subject_token", subject), ("audience", audience)];
        form.extend_from_slice(more);
        let (status, reply) = bench.send("/oauth/token", &form, None).await?;
        let outcome = if status == 200 { text(&reply["scope"]) } else { text(&reply["error"]) };
        reqwest::Result::Ok((status, outcome))
    };
    let bad = |error: &str| (400, error.to_owned());
    assert_eq!(refused(&key, "open", &[]).await?, bad("invalid_grant"));
    assert_eq!(refused("a.b.c", "open", &[]).await?, bad("invalid_grant"));
    assert_eq!(refused("", "open", &[]).await?, bad("invalid_request"));
    assert_eq!(refused(&jwt, "nobody", &[]).await?, bad("invalid_target"));
    assert_eq!(refused(&jwt, "humans", &[]).await?, bad("invalid_target"));
    assert_eq!(refused(&jwt, "", &[]).await?, bad("invalid_request"));
    let other = ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt");
    assert_eq!(refused(&jwt, "open", &[other]).await?, bad("invalid_request"));
    assert_eq!(refused(&jwt, "open", &[("actor_token", "x")]).await?, bad("invalid_request"));
    assert_eq!(refused(&jwt, "narrow", &[("scope", "email profile")]).await?, (200, "openid email".into()));
    bench.sandbox.revoke_all();
    assert_eq!(refused(&jwt, "open", &[]).await?, bad("invalid_grant"));
    let (status, reply) = bench.send("/oauth/token", &[("grant_type", "password")], None).await?;
    assert_eq!((status, text(&reply["error"]).as_str()), (401, "invalid_client"));
    assert_eq!(bench.send("/oauth/token", &[], None).await?.1["error"], "invalid_request");
    Ok(())
}

#[tokio::test]
async fn keys_can_be_rolled_and_withdrawn() -> Outcome {
    let bench = Bench::start(Options::default()).await?;
    let jwt = bench.jwt().await?;
    let form = [("grant_type", EXCHANGE), ("subject_token", jwt.as_str()), ("audience", "colony_sandbox")];
    let token = async || {
        let (_, tokens) = bench.send("/oauth/token", &form, None).await?;
        reqwest::Result::Ok(text(&tokens["id_token"]))
    };
    let first = token().await?;
    bench.sandbox.openid().roll_keys()?;
    let second = token().await?;
    assert_ne!(first.split('.').next(), second.split('.').next(), "another kid");
    bench.verified(&first).await?;
    bench.verified(&second).await?;
    let control = format!("{}/_control/openid/keys", bench.sandbox.site());
    bench.http.post(control).json(&json!({"withdraw": true})).send().await?.error_for_status()?;
    assert!(bench.verified(&second).await.is_err());
    bench.verified(&token().await?).await?;
    Ok(())
}

#[tokio::test]
async fn access_tokens_expire_and_failures_have_the_oauth_shape() -> Outcome {
    let openid = OpenIdOptions { access_token_ttl: Duration::from_secs(60), ..OpenIdOptions::default() };
    let bench = Bench::start(Options { openid, ..Options::default() }).await?;
    let jwt = bench.jwt().await?;
    let form = [("grant_type", EXCHANGE), ("subject_token", jwt.as_str()), ("audience", "colony_sandbox")];
    let (_, tokens) = bench.send("/oauth/token", &form, None).await?;
    assert_eq!(tokens["expires_in"], 60);
    let token = text(&tokens["access_token"]);
    assert_eq!(bench.userinfo(&token).await?.0, 200);
    let control = format!("{}/_control/openid/expire", bench.sandbox.site());
    bench.http.post(control).send().await?.error_for_status()?;
    assert_eq!(bench.userinfo(&token).await?.0, 401);
    assert_eq!(bench.userinfo(&jwt).await?.0, 401, "the API's token is no access token of the provider");

    let rule = json!({"rule": "POST /oauth/token#token-exchange=503x1;retry-after=3"});
    let control = format!("{}/_control/fail", bench.sandbox.site());
    bench.http.post(&control).json(&rule).send().await?.error_for_status()?;
    let (status, reply) = bench.send("/oauth/token", &form, None).await?;
    assert_eq!((status, text(&reply["error"]).as_str()), (503, "temporarily_unavailable"));
    assert_eq!(bench.send("/oauth/token", &form, None).await?.0, 200);
    bench.sandbox.fail("/.well-known/openid-configuration=500".parse()?);
    let discovery = format!("{}/.well-known/openid-configuration", bench.sandbox.site());
    assert_eq!(bench.http.get(&discovery).send().await?.status(), 500);
    bench.http.post(&control).json(&json!({"rule": null})).send().await?.error_for_status()?;
    assert_eq!(bench.http.get(&discovery).send().await?.status(), 200);
    Ok(())
}
