//! The authorization endpoint: issues a code to a browser (RFC 6749 section 4.1, with PKCE, RFC 7636).

use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::super::lock;
use super::super::reply::{Answer, Reply};
use super::device::login_scopes;
use super::request::{Form, invalid_request, no_store};
use super::store::{Code, Decision, Pending, PendingKind, Store};
use super::{Asked, Provider, now, seconds};

/// How long an authorization code lives, in seconds; a minute, as at the service.
const CODE_LIFETIME: i64 = 60;

pub(super) fn answer(provider: &Provider, asked: &Asked<'_>) -> Answer {
    let form = Form::parse(asked.query.as_bytes())?;
    // No redirect before both are known to belong together (RFC 6749 section 4.1.2.1).
    let client_id = form.need("client_id")?;
    let app = provider.apps.iter().find(|app| app.client_id == client_id);
    let app = app.ok_or_else(|| invalid_request("client_id is no registered app"))?;
    let redirect_uri = form.need("redirect_uri")?;
    if !app.allows_redirect(redirect_uri) {
        return Err(invalid_request("redirect_uri is not registered for this app"));
    }
    let state = form.get("state");
    let back = |error: &str, description: &str| {
        let fields = [("error", error), ("error_description", description)];
        Err(redirect(&address(&provider.site, redirect_uri, state, &fields)))
    };
    if form.get("response_type") != Some("code") {
        return back("unsupported_response_type", "response_type is not code");
    }
    let challenge = match (form.get("code_challenge"), form.get("code_challenge_method")) {
        (Some(challenge), Some("S256")) => challenge.to_owned(),
        _ => return back("invalid_request", "code_challenge with code_challenge_method=S256 is needed"),
    };
    let scopes = match login_scopes(app, &form) {
        Ok(scopes) => scopes,
        Err(_) => return back("invalid_scope", "The app may not have one of the scopes"),
    };
    let request = Pending {
        id: Uuid::new_v4().to_string(),
        client_id: client_id.to_owned(),
        scopes,
        expires: now() + seconds(provider.options.request_ttl),
        kind: PendingKind::Browser {
            redirect_uri: redirect_uri.to_owned(),
            state: state.map(str::to_owned),
            nonce: form.get("nonce").map(str::to_owned),
            challenge,
        },
        decision: None,
    };
    if provider.options.auto_approve {
        let Some(user) = provider.default_user() else {
            return back("server_error", "The sandbox's account is gone");
        };
        let mut store = lock(&provider.store);
        let next = decide(&mut store, &provider.site, &request, Decision::Approved(user));
        return Ok(redirect(&next.unwrap_or_default()));
    }
    if form.get("prompt") == Some("none") {
        return back("login_required", "Somebody has to decide");
    }
    let id = request.id.clone();
    lock(&provider.store).requests.push(request);
    Ok(no_store(Reply::ok(&json!({
        "message": "This is a sandbox: nobody is asked. To decide, POST JSON with this `request`.",
        "request": id,
        "approve": format!("{}/_control/openid/approve", provider.site),
        "deny": format!("{}/_control/openid/deny", provider.site),
    }))))
}

/// Returns where a browser's request continues after a decision. `None` for a device's request.
pub(super) fn decide(store: &mut Store, site: &str, request: &Pending, decision: Decision) -> Option<String> {
    let PendingKind::Browser { redirect_uri, state, nonce, challenge } = &request.kind else { return None };
    let now = now();
    let fields = match decision {
        Decision::Approved(user) => {
            let code = store.add_code(Code {
                client_id: request.client_id.clone(),
                user,
                scopes: request.scopes.clone(),
                redirect_uri: redirect_uri.clone(),
                challenge: challenge.clone(),
                nonce: nonce.clone(),
                auth_time: now,
                expires: now + CODE_LIFETIME,
                grant: None,
            });
            vec![("code", code)]
        }
        Decision::Denied => vec![("error", "access_denied".to_owned())],
    };
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Some(address(site, redirect_uri, state.as_deref(), &fields))
}

/// Returns the app's address with a response and its issuer in the query (RFC 9207).
fn address(site: &str, redirect_uri: &str, state: Option<&str>, fields: &[(&str, &str)]) -> String {
    let Ok(mut url) = Url::parse(redirect_uri) else { return String::new() };
    url.query_pairs_mut().extend_pairs(fields).append_pair("iss", site);
    if let Some(state) = state {
        url.query_pairs_mut().append_pair("state", state);
    }
    url.into()
}

fn redirect(location: &str) -> Reply {
    let reply = Reply::empty(302);
    no_store(reply).with_header("location", location)
}
