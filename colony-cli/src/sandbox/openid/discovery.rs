//! The provider's metadata (OpenID Connect Discovery 1.0 section 3, RFC 8414) and its keys.

use serde_json::json;

use super::super::lock;
use super::super::reply::{Answer, Reply};
use super::{Asked, Provider, SCOPES, broken, token};

/// Returns the metadata, the same at both well-known addresses. It names only what the sandbox serves.
pub(super) fn metadata(provider: &Provider, _: &Asked<'_>) -> Answer {
    let site = &provider.site;
    let at = |path: &str| format!("{site}{path}");
    let mut methods = vec!["client_secret_basic", "client_secret_post"];
    if provider.apps.iter().any(|app| app.client_secret.is_none()) {
        methods.push("none");
    }
    Ok(Reply::ok(&json!({
        "issuer": site,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "userinfo_endpoint": at("/oauth/userinfo"),
        "revocation_endpoint": at("/oauth/revoke"),
        "introspection_endpoint": at("/oauth/introspect"),
        "device_authorization_endpoint": at("/oauth/device_authorization"),
        "jwks_uri": at("/.well-known/jwks.json"),
        "grant_types_supported": token::GRANTS.map(|(urn, _)| urn),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "scopes_supported": SCOPES,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "at_hash", "nonce", "auth_time", "acr", "amr", "sid",
            "preferred_username", "name", "picture", "profile", "colony_verified_human", "colony_karma",
            "colony_memberships",
        ],
    })))
}

/// Returns the published keys.
pub(super) fn keys(provider: &Provider, _: &Asked<'_>) -> Answer {
    let published = lock(&provider.keys).published();
    published.map(|set| Reply::ok(&set)).ok_or_else(|| broken("No signing key could be made"))
}
