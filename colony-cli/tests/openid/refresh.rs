//! Refresh tokens that rotate, and revocation.

use colony_cli::sandbox::{App, OpenIdOptions, Options};
use serde_json::Value;

use crate::client::{Bench, Outcome, text};

const SCOPE: &str = "openid profile offline_access";

fn refresh(tokens: &Value) -> Vec<(&'static str, String)> {
    vec![("grant_type", "refresh_token".into()), ("refresh_token", text(&tokens["refresh_token"]))]
}

async fn rotate(bench: &Bench, tokens: &Value) -> reqwest::Result<(u16, Value)> {
    let form = refresh(tokens);
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    bench.post("/oauth/token", &form).await
}

#[tokio::test]
async fn every_use_rotates_and_a_replay_ends_the_family() -> Outcome {
    let bench = Bench::start(Options::default()).await?;
    let other = bench.device_login(SCOPE).await?;
    let first = bench.device_login(SCOPE).await?;
    let claims = bench.verified(&text(&first["id_token"])).await?;
    let (status, second) = rotate(&bench, &first).await?;
    assert_eq!((status, &second["scope"]), (200, &first["scope"]));
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let again = bench.verified(&text(&second["id_token"])).await?;
    assert_eq!(
        (&again["sub"], &again["sid"], &again["auth_time"]),
        (&claims["sub"], &claims["sid"], &claims["auth_time"])
    );
    let (_, third) = rotate(&bench, &second).await?;
    let access = text(&third["access_token"]);
    assert_eq!(bench.userinfo(&access).await?.0, 200);

    let (status, reply) = rotate(&bench, &first).await?;
    assert_eq!((status, text(&reply["error"]).as_str()), (400, "invalid_grant"));
    assert_eq!(rotate(&bench, &third).await?.1["error"], "invalid_grant", "the live one too");
    assert_eq!(bench.userinfo(&access).await?.0, 401);
    assert_eq!(rotate(&bench, &other).await?.0, 200, "another login lives on");

    let stats = bench.sandbox.stats();
    assert_eq!((stats.rotations, stats.replays, stats.grant("refresh_token")), (3, 1, 5));
    assert_eq!(stats.grants["refresh_token"].by_status, [(200, 3), (400, 2)].into());
    let grants = bench.sandbox.openid().grants();
    let seen: Vec<_> = grants.iter().map(|grant| (grant.revoked, grant.rotations)).collect();
    assert_eq!(seen, [(false, 1), (true, 2)]);
    Ok(())
}

#[tokio::test]
async fn scopes_may_narrow_and_never_widen() -> Outcome {
    let bench = Bench::start(Options::default()).await?;
    let tokens = bench.device_login(SCOPE).await?;
    let token = text(&tokens["refresh_token"]);
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    let wider = [form[0], form[1], ("scope", "openid email")];
    assert_eq!(bench.refused("/oauth/token", &wider).await?, "invalid_scope");
    let (status, narrow) = bench.post("/oauth/token", &[form[0], form[1], ("scope", "openid")]).await?;
    assert_eq!((status, text(&narrow["scope"]).as_str()), (200, "openid"), "nothing was spent before");
    assert_eq!(bench.device_login("openid").await?.get("refresh_token"), None);
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_spends_the_token() -> Outcome {
    let bench = Bench::start(Options::default()).await?;
    let tokens = bench.device_login(SCOPE).await?;
    bench.sandbox.fail("POST /oauth/token#refresh_token=503x1".parse()?);
    assert_eq!(rotate(&bench, &tokens).await?.0, 503);
    assert_eq!(bench.sandbox.stats().rotations, 0, "it failed before anything was done");
    bench.sandbox.fail("POST /oauth/token#refresh_token=502x1;after-acting".parse()?);
    assert_eq!(rotate(&bench, &tokens).await?.0, 502);
    assert_eq!(bench.sandbox.stats().rotations, 1);
    assert_eq!(rotate(&bench, &tokens).await?.1["error"], "invalid_grant");
    assert_eq!(bench.sandbox.stats().replays, 1);
    Ok(())
}

#[tokio::test]
async fn revoking_ends_a_family_and_says_200_to_anything() -> Outcome {
    let bench = Bench::start(Options::default()).await?;
    let tokens = bench.device_login(SCOPE).await?;
    assert_eq!(bench.post("/oauth/revoke", &[("token", "nothing of the kind")]).await?.0, 200);
    let access = text(&tokens["access_token"]);
    assert_eq!(bench.userinfo(&access).await?.0, 200);
    assert_eq!(bench.send("/oauth/revoke", &[("token", &access)], None).await?.0, 401);
    let token = text(&tokens["refresh_token"]);
    assert_eq!(bench.post("/oauth/revoke", &[("token", &token)]).await?.0, 200);
    assert_eq!(bench.userinfo(&access).await?.0, 401);
    assert_eq!(rotate(&bench, &tokens).await?.1["error"], "invalid_grant");
    assert_eq!(bench.sandbox.stats().replays, 0);

    let tokens = bench.device_login(SCOPE).await?;
    bench.sandbox.openid().revoke_grants();
    assert_eq!(rotate(&bench, &tokens).await?.1["error"], "invalid_grant");
    let tokens = bench.device_login(SCOPE).await?;
    bench.sandbox.openid().expire_refresh_tokens();
    assert_eq!(rotate(&bench, &tokens).await?.1["error"], "invalid_grant");
    Ok(())
}

#[tokio::test]
async fn a_look_at_a_token_spends_nothing() -> Outcome {
    let bench = Bench::start(Options::default()).await?;
    let tokens = bench.sandbox.openid().login(SCOPE)?;
    let look = async |token: &Value| {
        let (status, reply) = bench.post("/oauth/introspect", &[("token", &text(token))]).await?;
        assert_eq!(status, 200);
        reqwest::Result::Ok(reply)
    };
    let known = look(&tokens["refresh_token"]).await?;
    assert_eq!((&known["active"], &known["token_type"]), (&true.into(), &"refresh_token".into()));
    assert_eq!(look(&tokens["access_token"]).await?["token_type"], "access_token");
    assert_eq!(look(&"nothing".into()).await?["active"], false);
    let (status, _) = rotate(&bench, &tokens).await?;
    assert_eq!(status, 200, "it was not spent");
    assert_eq!(look(&tokens["refresh_token"]).await?["active"], false, "it is now");
    assert!(!bench.sandbox.openid().grants()[0].revoked, "looking at a spent one is no replay");
    assert!(bench.sandbox.openid().login("openid nonsense").is_err());
    Ok(())
}

#[tokio::test]
async fn another_app_cannot_use_a_token() -> Outcome {
    let apps = vec![App::new("one").client_secret("a"), App::new("two")];
    let openid = OpenIdOptions { apps, ..OpenIdOptions::default() };
    let bench = Bench::start(Options { openid, ..Options::default() }).await?;
    let tokens = bench.device_login(SCOPE).await?;
    let token = text(&tokens["refresh_token"]);
    let mut form =
        vec![("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("client_id", "two")];
    assert_eq!(bench.send("/oauth/token", &form, None).await?.1["error"], "invalid_grant");
    form.truncate(2);
    assert_eq!(bench.send("/oauth/token", &form, None).await?.1["error"], "invalid_client");
    form.extend([("client_id", "one"), ("client_secret", "a")]);
    assert_eq!(bench.send("/oauth/token", &form, None).await?.0, 200);
    Ok(())
}
