//! Token exchange (RFC 8693): an agent's API JWT for an app's tokens.

use super::super::lock;
use super::super::reply::Answer;
use super::request::{Form, invalid_grant, invalid_request, refusal};
use super::{Provider, now, token};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Exchanges a token. The subject token is the credential: the app does not authenticate.
pub(super) fn grant(provider: &Provider, form: &Form) -> Answer {
    for variant in ["actor_token", "actor_org"] {
        if form.get(variant).is_some() {
            return Err(invalid_request(&format!("The sandbox does not serve {variant}")));
        }
    }
    if form.get("subject_token_type").is_some_and(|kind| kind != ACCESS_TOKEN) {
        return Err(invalid_request("subject_token_type is not an access token's"));
    }
    let subject = form.need("subject_token")?;
    if subject.starts_with("col_") {
        return Err(invalid_grant("subject_token is an API key; it has to be a JWT of the API"));
    }
    let user = lock(&provider.world)
        .signed_in(subject)
        .ok_or_else(|| invalid_grant("subject_token is invalid or expired"))?;
    if form.get("resource").is_some() {
        return Err(refusal(400, "invalid_target", "The sandbox knows no resources, only audiences"));
    }
    let audience = form.need("audience")?;
    let app = provider.apps.iter().find(|app| app.client_id == audience);
    let app = app.ok_or_else(|| refusal(400, "invalid_target", "No app is registered for this audience"))?;
    let kind = lock(&provider.world).users.get(&user).map(|user| user.kind);
    if !kind.is_some_and(|kind| app.takes(kind)) {
        return Err(refusal(400, "invalid_target", "The app's audience_policy does not take this account"));
    }
    // There is always an id_token; refused scopes, and offline_access, are dropped silently.
    let mut scopes = vec!["openid".to_owned()];
    let asked = form.scopes().unwrap_or_default().into_iter();
    let granted =
        asked.filter(|&scope| scope != "openid" && scope != "offline_access" && app.allows_scope(scope));
    scopes.extend(granted.map(str::to_owned));
    let issued = lock(&provider.store).issue_alone(audience, user, scopes, now(), provider.lifetimes());
    token::reply(provider, audience, &issued, Some(ACCESS_TOKEN))
}
