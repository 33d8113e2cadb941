//! The token endpoint, and the endpoints that accept a token: userinfo and revocation.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::super::lock;
use super::super::reply::{Answer, Reply};
use super::request::{Form, authenticate, invalid_grant, no_store, refusal};
use super::store::{Grant, Issued, Refused, Session};
use super::{App, Asked, Provider, broken, claims, device, exchange, now, seconds};

/// The grants by their name in requests and in the counters.
pub(super) const GRANTS: [(&str, &str); 4] = [
    ("authorization_code", "authorization_code"),
    ("refresh_token", "refresh_token"),
    ("urn:ietf:params:oauth:grant-type:token-exchange", "token-exchange"),
    ("urn:ietf:params:oauth:grant-type:device_code", "device_code"),
];

pub(super) fn answer(provider: &Provider, asked: &Asked<'_>) -> Answer {
    let form = asked.form()?;
    let wanted = form.need("grant_type")?;
    let grant = GRANTS.iter().find(|(urn, _)| *urn == wanted).map(|&(_, name)| name);
    if grant == Some("token-exchange") {
        return exchange::grant(provider, &form);
    }
    let app = authenticate(&provider.apps, asked.headers, &form)?;
    match grant {
        Some("refresh_token") => refresh(provider, app, &form),
        Some("authorization_code") => code(provider, app, &form),
        Some("device_code") => device::poll(provider, app, &form),
        _ => Err(refusal(400, "unsupported_grant_type", "The sandbox does not serve this grant type")),
    }
}

/// Refreshes (RFC 6749 section 6), with rotation on every use.
fn refresh(provider: &Provider, app: &App, form: &Form) -> Answer {
    let token = form.need("refresh_token")?;
    let narrowed = form.scopes();
    let id = &app.client_id;
    let outcome = lock(&provider.store).rotate(token, id, narrowed.as_deref(), now(), provider.lifetimes());
    match outcome {
        Ok(issued) => {
            provider.counters.rotated();
            reply(provider, &app.client_id, &issued, None)
        }
        Err(Refused::Replayed) => {
            provider.counters.replayed();
            Err(invalid_grant("The refresh token was used before: every token of its family is revoked"))
        }
        Err(Refused::Revoked) => Err(invalid_grant("The refresh token is revoked")),
        Err(Refused::Expired) => Err(invalid_grant("The refresh token has expired")),
        Err(Refused::Unknown) => Err(invalid_grant("The refresh token is unknown or another client's")),
        Err(Refused::Scope) => Err(refusal(400, "invalid_scope", "scope asks for more than was granted")),
    }
}

/// Redeems a code (RFC 6749 section 4.1.3, with the proof of RFC 7636).
fn code(provider: &Provider, app: &App, form: &Form) -> Answer {
    let text = form.need("code")?;
    let redirect_uri = form.need("redirect_uri")?;
    let verifier = form.need("code_verifier")?;
    let now = now();
    let mut store = lock(&provider.store);
    let code = store.code(text).ok_or_else(|| invalid_grant("The code is unknown or was used"))?;
    if code.client_id != app.client_id || code.redirect_uri != redirect_uri {
        return Err(invalid_grant("The code was issued to another client or redirect_uri"));
    }
    if now >= code.expires {
        return Err(invalid_grant("The code has expired"));
    }
    if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != code.challenge {
        return Err(invalid_grant("code_verifier does not fit the code_challenge"));
    }
    let session = Session::new(code.auth_time, code.nonce);
    let grant = Grant::new(app.client_id.clone(), code.user, code.scopes, session);
    let (name, issued) = store.begin(grant, now, provider.lifetimes());
    store.redeemed(text, name);
    drop(store);
    reply(provider, &app.client_id, &issued, None)
}

/// Returns a reply with tokens (RFC 6749 section 5.1). The scope `openid` adds an `id_token`.
pub(super) fn reply(provider: &Provider, client_id: &str, issued: &Issued, kind: Option<&str>) -> Answer {
    let mut body = json!({
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": provider.lifetimes().access,
        "scope": issued.scopes.join(" "),
    });
    if let Some(kind) = kind {
        body["issued_token_type"] = kind.into();
    }
    if let Some(token) = &issued.refresh_token {
        body["refresh_token"] = token.as_str().into();
    }
    if issued.scopes.iter().any(|scope| scope == "openid") {
        let about = claims::about(&lock(&provider.world), issued.user, &issued.scopes)
            .ok_or_else(|| invalid_grant("The account is gone"))?;
        let now = now();
        let times = (now, now + seconds(provider.options.id_token_ttl));
        let session = issued.session.as_ref();
        let claims = claims::id_token(about, &provider.site, client_id, &issued.access_token, session, times);
        let signed = lock(&provider.keys).sign(&claims);
        body["id_token"] = signed.ok_or_else(|| broken("No signing key could be made"))?.into();
    }
    Ok(no_store(Reply::ok(&body)))
}

/// Revokes a token (RFC 7009): 200 for any token.
pub(super) fn revoke(provider: &Provider, asked: &Asked<'_>) -> Answer {
    let form = asked.form()?;
    let app = authenticate(&provider.apps, asked.headers, &form)?;
    lock(&provider.store).revoke(form.need("token")?, &app.client_id);
    Ok(no_store(Reply::empty(200)))
}

/// Returns whether a token of this app is valid (RFC 7662). Spends nothing.
pub(super) fn introspect(provider: &Provider, asked: &Asked<'_>) -> Answer {
    let form = asked.form()?;
    let app = authenticate(&provider.apps, asked.headers, &form)?;
    let found = lock(&provider.store).look_at(form.need("token")?, &app.client_id, now());
    let body = match found {
        None => json!({"active": false}),
        Some(known) => json!({
            "active": true,
            "token_type": known.kind,
            "client_id": app.client_id,
            "sub": known.user,
            "scope": known.scopes.join(" "),
            "exp": known.expires,
            "iss": provider.site,
        }),
    };
    Ok(no_store(Reply::ok(&body)))
}

/// Returns the user's claims (OpenID Connect Core section 5.3).
pub(super) fn userinfo(provider: &Provider, asked: &Asked<'_>) -> Answer {
    let value = asked.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else {
        let reply = refusal(401, "invalid_token", "There is no bearer token");
        return Err(reply.with_header("www-authenticate", "Bearer"));
    };
    let known = lock(&provider.store).access(token.trim(), now()).cloned();
    let about = known.and_then(|known| claims::about(&lock(&provider.world), known.user, &known.scopes));
    about.map(|claims| no_store(Reply::ok(&claims))).ok_or_else(|| {
        refusal(401, "invalid_token", "The access token is unknown, revoked or expired")
            .with_header("www-authenticate", "Bearer error=\"invalid_token\"")
    })
}
