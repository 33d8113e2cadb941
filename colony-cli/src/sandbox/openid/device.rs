//! The device flow (RFC 8628).

use std::time::Instant;

use serde_json::json;
use uuid::Uuid;

use super::super::lock;
use super::super::reply::{Answer, Reply};
use super::request::{Form, authenticate, invalid_grant, no_store, refusal};
use super::store::{Decision, Grant, Pending, PendingKind, Session, Store, secret};
use super::{App, Asked, Provider, now, seconds, token};

/// The letters of a user code: none that looks or sounds like another, and no vowels (RFC 8628 section 6.1).
const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Handles a device's request for authorization (section 3.1).
pub(super) fn begin(provider: &Provider, asked: &Asked<'_>) -> Answer {
    let form = asked.form()?;
    let app = authenticate(&provider.apps, asked.headers, &form)?;
    let scopes = login_scopes(app, &form)?;
    let device_code = secret("dc");
    let lifetime = seconds(provider.options.request_ttl);
    let mut store = lock(&provider.store);
    let id = new_user_code(&store);
    store.requests.push(Pending {
        id: id.clone(),
        client_id: app.client_id.clone(),
        scopes,
        expires: now() + lifetime,
        kind: PendingKind::Device { device_code: device_code.clone(), polled: None },
        decision: None,
    });
    drop(store);
    Ok(no_store(Reply::ok(&json!({
        "device_code": device_code,
        "user_code": id,
        "verification_uri": format!("{}/device", provider.site),
        "verification_uri_complete": format!("{}/device?user_code={id}", provider.site),
        "expires_in": lifetime,
        "interval": seconds(provider.options.device_interval),
    }))))
}

/// Handles a device's poll for its tokens (sections 3.4 and 3.5).
pub(super) fn poll(provider: &Provider, app: &App, form: &Form) -> Answer {
    let wanted = form.need("device_code")?;
    let default_user = provider.options.auto_approve.then(|| provider.default_user()).flatten();
    let now = now();
    let mut store = lock(&provider.store);
    let at = store.requests.iter().position(|request| {
        let mine = matches!(&request.kind, PendingKind::Device { device_code, .. } if device_code == wanted);
        mine && request.client_id == app.client_id
    });
    let at =
        at.ok_or_else(|| invalid_grant("The device_code is unknown, was used, or is another client's"))?;
    let request = &mut store.requests[at];
    if now >= request.expires {
        return Err(refusal(400, "expired_token", "The device_code has expired"));
    }
    if let PendingKind::Device { polled, .. } = &mut request.kind {
        let moment = Instant::now();
        let soon = polled.is_some_and(|last| moment.duration_since(last) < provider.options.device_interval);
        *polled = Some(moment);
        if soon {
            return Err(refusal(400, "slow_down", "The device asks too often"));
        }
    }
    let user = match request.decision.or(default_user.map(Decision::Approved)) {
        None => return Err(refusal(400, "authorization_pending", "The user has not decided yet")),
        Some(Decision::Denied) => {
            store.requests.remove(at);
            return Err(refusal(400, "access_denied", "The user refused"));
        }
        Some(Decision::Approved(user)) => user,
    };
    let request = store.requests.remove(at);
    let session = Session::new(now, None);
    let grant = Grant::new(request.client_id, user, request.scopes, session);
    let (_, issued) = store.begin(grant, now, provider.lifetimes());
    drop(store);
    token::reply(provider, &app.client_id, &issued, None)
}

/// Returns the page where a person would decide. Here it explains how to decide.
pub(super) fn page(provider: &Provider, _: &Asked<'_>) -> Answer {
    Ok(Reply::ok(&json!({
        "message": "This is a sandbox: nobody is asked. To decide, POST JSON with the user code as `request`.",
        "approve": format!("{}/_control/openid/approve", provider.site),
        "deny": format!("{}/_control/openid/deny", provider.site),
    })))
}

/// Returns the scopes that a login requests. Unlike an exchange, it fails for scopes that are not allowed.
pub(super) fn login_scopes(app: &App, form: &Form) -> Result<Vec<String>, Reply> {
    let scopes = form.scopes().unwrap_or_else(|| vec!["openid"]);
    match scopes.iter().find(|scope| !app.allows_scope(scope)) {
        Some(refused) => {
            Err(refusal(400, "invalid_scope", &format!("The app may not have the scope {refused}")))
        }
        None => Ok(scopes.into_iter().map(str::to_owned).collect()),
    }
}

fn new_user_code(store: &Store) -> String {
    loop {
        let letters: Vec<char> = Uuid::new_v4().as_bytes()[8..]
            .iter()
            .map(|&byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]))
            .collect();
        let code = format!("{}-{}", String::from_iter(&letters[..4]), String::from_iter(&letters[4..]));
        if store.requests.iter().all(|request| request.id != code) {
            return code;
        }
    }
}
