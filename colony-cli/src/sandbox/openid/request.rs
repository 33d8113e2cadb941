//! Requests to an OAuth endpoint, and their refusals (RFC 6749 section 5.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use serde_json::json;

use super::super::reply::Reply;
use super::App;

/// A form's fields. An empty one counts as absent (RFC 6749 section 3.2).
#[derive(Debug)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Parses a body whose type is a form.
    pub(crate) fn from_body(headers: &HeaderMap, body: &[u8]) -> Result<Self, Reply> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(invalid_request("The body is not application/x-www-form-urlencoded"));
        }
        Self::parse(body)
    }

    /// Parses the fields of a body or of an address.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Reply> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(text) {
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(invalid_request(&format!("{name} is given more than once")));
            }
            fields.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(fields))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    pub(crate) fn need(&self, name: &str) -> Result<&str, Reply> {
        self.get(name).ok_or_else(|| invalid_request(&format!("{name} is missing")))
    }

    /// Returns `scope` as a list without repetitions.
    pub(crate) fn scopes(&self) -> Option<Vec<&str>> {
        let mut scopes: Vec<&str> = Vec::new();
        for scope in self.get("scope")?.split_whitespace() {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        Some(scopes)
    }
}

/// Returns `{"error", "error_description"}`, never cached.
pub(crate) fn refusal(status: u16, error: &str, description: &str) -> Reply {
    no_store(Reply::json(status, &json!({"error": error, "error_description": description})))
}

pub(crate) fn invalid_request(description: &str) -> Reply {
    refusal(400, "invalid_request", description)
}

pub(crate) fn invalid_grant(description: &str) -> Reply {
    refusal(400, "invalid_grant", description)
}

fn invalid_client(description: &str) -> Reply {
    refusal(401, "invalid_client", description).with_header("www-authenticate", "Basic realm=\"colony\"")
}

/// Marks a reply with tokens, or about tokens, as not to be stored (RFC 6749 section 5.1).
pub(crate) fn no_store(reply: Reply) -> Reply {
    reply.with_header("cache-control", "no-store").with_header("pragma", "no-cache")
}

/// Returns the app that sent a request: by `client_secret_basic`, `client_secret_post`, or its id alone if it has no
/// secret (RFC 6749 sections 2.3.1 and 3.2.1).
pub(crate) fn authenticate<'a>(apps: &'a [App], headers: &HeaderMap, form: &Form) -> Result<&'a App, Reply> {
    let find = |id: &str| apps.iter().find(|app| app.client_id == id);
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let Some((id, secret)) = value.to_str().ok().and_then(basic) else {
            return Err(invalid_client("The Authorization header is not HTTP Basic"));
        };
        if form.get("client_secret").is_some() {
            return Err(invalid_request("The client authenticates twice, by header and by form"));
        }
        if form.get("client_id").is_some_and(|other| other != id) {
            return Err(invalid_request("client_id is not the client that authenticates"));
        }
        return find(&id)
            .filter(|app| app.has_secret(&secret))
            .ok_or_else(|| invalid_client("The client or its secret is wrong"));
    }
    let Some(id) = form.get("client_id") else {
        return Err(invalid_client("The client does not authenticate"));
    };
    let app = match (find(id), form.get("client_secret")) {
        (Some(app), Some(secret)) if app.has_secret(secret) => Some(app),
        (Some(app), None) if app.client_secret.is_none() => Some(app),
        _ => None,
    };
    app.ok_or_else(|| invalid_client("The client or its secret is wrong"))
}

/// Returns the id and the secret from an HTTP Basic header; each was form-encoded first.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((form_decode(id), form_decode(secret)))
}

fn form_decode(text: &str) -> String {
    // A form with one name and no value; an encoded name contains neither `&` nor `=`.
    url::form_urlencoded::parse(text.as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apps() -> Vec<App> {
        vec![App::new("open"), App::new("colony:x").client_secret("a b%c")]
    }

    fn who(authorization: Option<&str>, form: &str) -> Result<String, u16> {
        let mut headers = HeaderMap::new();
        if let Some(pair) = authorization {
            let value = format!("Basic {}", STANDARD.encode(pair));
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        let form = Form::parse(form.as_bytes()).map_err(|reply| reply.status)?;
        let apps = apps();
        let app = authenticate(&apps, &headers, &form).map_err(|reply| reply.status)?;
        Ok(app.client_id.clone())
    }

    #[test]
    fn clients_authenticate_one_way_at_a_time() {
        assert_eq!(who(Some("colony%3Ax:a+b%25c"), ""), Ok("colony:x".into()));
        assert_eq!(who(Some("colony%3Ax:a+b%25c"), "client_id=colony%3Ax"), Ok("colony:x".into()));
        assert_eq!(who(None, "client_id=colony%3Ax&client_secret=a+b%25c"), Ok("colony:x".into()));
        assert_eq!(who(None, "client_id=open"), Ok("open".into()));
        assert_eq!(who(Some("colony%3Ax:wrong"), ""), Err(401));
        assert_eq!(who(Some("open:"), ""), Err(401), "it has no secret");
        assert_eq!(who(None, "client_id=colony%3Ax"), Err(401), "the secret is missing");
        assert_eq!(who(None, "client_id=colony%3Ax&client_secret=no"), Err(401));
        assert_eq!(who(None, "client_id=nobody"), Err(401));
        assert_eq!(who(None, ""), Err(401));
        assert_eq!(who(Some("colony%3Ax:a+b%25c"), "client_secret=a+b%25c"), Err(400));
        assert_eq!(who(Some("colony%3Ax:a+b%25c"), "client_id=open"), Err(400));
        assert_eq!(who(None, "client_id=open&client_id=open"), Err(400));
    }

    #[test]
    fn only_forms_are_read() {
        let mut headers = HeaderMap::new();
        assert_eq!(Form::from_body(&headers, b"a=1").unwrap_err().status, 400);
        let kind = "application/x-www-form-urlencoded; charset=UTF-8".parse().unwrap();
        headers.insert(header::CONTENT_TYPE, kind);
        let form = Form::from_body(&headers, b"a=1&b=&scope=x++y+x").unwrap();
        assert_eq!((form.get("a"), form.get("b")), (Some("1"), None));
        assert_eq!(form.scopes(), Some(vec!["x", "y"]));
        assert!(form.need("b").is_err());
    }
}
