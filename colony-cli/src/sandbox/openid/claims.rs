//! The claims about a user in tokens and at the userinfo endpoint, by scope.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::super::world::World;
use super::store::Session;

/// Returns the claims about a user that these scopes grant. `sub` is always the user's id.
pub(crate) fn about(world: &World, user: Uuid, scopes: &[String]) -> Option<Map<String, Value>> {
    let known = world.users.get(&user)?;
    let has = |scope: &str| scopes.iter().any(|granted| granted == scope);
    let mut claims = Map::new();
    let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    say("sub", user.to_string().into());
    if has("profile") {
        say("preferred_username", known.username.as_str().into());
        say("name", known.display_name.as_str().into());
        say("picture", format!("https://thecolony.ai/avatars/{user}.png").into());
        say("profile", format!("https://thecolony.ai/u/{}", known.username).into());
        say("colony_verified_human", (known.kind == "human").into());
    }
    // No account of the sandbox has a verified address, so `email` grants nothing, as at the service.
    if has("colony:karma") {
        say("colony_karma", known.karma.into());
    }
    if has("colony:memberships") {
        let memberships = world.colonies.iter().filter_map(|colony| {
            let role = colony.member(user)?.role;
            Some(json!({"id": colony.id, "name": colony.name, "role": role}))
        });
        say("colony_memberships", memberships.collect());
    }
    Some(claims)
}

/// Returns the claims of an `id_token` (OpenID Connect Core section 2).
pub(crate) fn id_token(
    mut about: Map<String, Value>,
    issuer: &str,
    client_id: &str,
    access_token: &str,
    session: Option<&Session>,
    (now, expires): (i64, i64),
) -> Value {
    let mut say = |name: &str, value: Value| about.insert(name.to_owned(), value);
    say("iss", issuer.into());
    say("aud", client_id.into());
    say("iat", now.into());
    say("exp", expires.into());
    say("at_hash", at_hash(access_token).into());
    // An exchanged token has none of these, since there was no sign-in.
    if let Some(session) = session {
        say("auth_time", session.auth_time.into());
        say("sid", session.id.as_str().into());
        say("acr", "single".into());
        say("amr", json!(["pwd"]));
        if let Some(nonce) = &session.nonce {
            say("nonce", nonce.as_str().into());
        }
    }
    Value::Object(about)
}

/// Returns the left half of the token's SHA-256 (OpenID Connect Core section 3.1.3.6).
fn at_hash(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_open_claims() {
        let (world, account) = World::seeded(&[], std::time::Duration::from_secs(60), String::new());
        let user = world.names[&account.username];
        let scopes = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let keys = |names: &[&str]| {
            let claims = about(&world, user, &scopes(names)).unwrap();
            claims.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(keys(&["openid", "email"]), ["sub"]);
        assert_eq!(keys(&["colony:karma"]), ["colony_karma", "sub"]);
        let all = about(&world, user, &scopes(&["profile", "colony:memberships"])).unwrap();
        assert_eq!(all["preferred_username"], account.username);
        assert_eq!(all["colony_verified_human"], false);
        assert_eq!(all["colony_memberships"][0]["name"], "general");
        assert!(about(&world, Uuid::from_u128(1), &[]).is_none());
    }

    #[test]
    fn at_hash_matches_a_published_example() {
        // OpenID Connect Core 1.0, appendix A.3.
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash(token), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
