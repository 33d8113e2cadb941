//! A login at a browser on this machine: what the browser is sent to, and what comes back
//! ([RFC 8252](https://www.rfc-editor.org/rfc/rfc8252), [RFC 9700](https://www.rfc-editor.org/rfc/rfc9700)).
//!
//! The answer comes by way of the browser, where other pages and programs can put in one of theirs. It counts only with
//! the `state` of this very request; the provider says in it who it is (`iss`,
//! [RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)); and the code is worth nothing without the verifier, which never
//! leaves this process but for the token endpoint (PKCE, [RFC 7636](https://www.rfc-editor.org/rfc/rfc7636), always
//! `S256`).

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::discovery::Provider;
use crate::{Error, ErrorKind, Result};

/// The name of the login in errors.
pub const OPERATION: &str = "browser_login";

/// The metadata that says that every answer carries `iss` (RFC 9207, section 3).
const SAYS_WHO: &str = "authorization_response_iss_parameter_supported";

/// One request of a login at a browser. It is good for one answer.
///
/// ```
/// use colony_core::openid::{authorization::Authorization, discovery::Provider};
///
/// let document = br#"{"issuer": "https://thecolony.ai", "token_endpoint": "https://thecolony.ai/oauth/token",
///     "authorization_endpoint": "https://thecolony.ai/oauth/authorize"}"#;
/// let provider = Provider::read("https://thecolony.ai", document).expect("a provider");
/// let request = Authorization::new(&provider, "colony_app", "http://127.0.0.1:4711/callback", "openid")?;
/// assert!(request.url().as_str().contains("code_challenge_method=S256"));
/// assert!(request.read("code=c&state=another&iss=https%3A%2F%2Fthecolony.ai").is_err());
/// # Ok::<(), colony_core::Error>(())
/// ```
pub struct Authorization {
    url: Url,
    issuer: String,
    redirect_uri: String,
    state: SecretString,
    verifier: SecretString,
    says_who: bool,
}

impl Authorization {
    /// Makes a request with a `state` and a verifier of its own, 244 random bits each.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) for a provider that names no `authorization_endpoint`, or names the methods of PKCE
    /// that it takes without `S256`.
    pub fn new(provider: &Provider, client_id: &str, redirect_uri: &str, scope: &str) -> Result<Self> {
        let refused =
            |message: String| Error::build(ErrorKind::Config, message).operation(OPERATION).finish();
        let issuer = provider.issuer.clone();
        let Some(mut url) = provider.authorization_endpoint.clone() else {
            return Err(refused(format!("the provider {issuer} has no login at a browser on this machine")));
        };
        if let Some(methods) = &provider.code_challenge_methods_supported
            && !methods.iter().any(|method| method == "S256")
        {
            return Err(refused(format!("the provider {issuer} does not take PKCE with S256")));
        }
        let (state, verifier) = (random(), random());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", redirect_uri),
            ("scope", scope),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        if scope.split(' ').any(|scope| scope == "offline_access") {
            // Without it providers give no refresh token (OpenID Connect Core, section 11).
            url.query_pairs_mut().append_pair("prompt", "consent");
        }
        let says_who = provider.extra.get(SAYS_WHO).and_then(serde_json::Value::as_bool) == Some(true);
        let redirect_uri = redirect_uri.to_owned();
        Ok(Self { url, issuer, redirect_uri, state: state.into(), verifier: verifier.into(), says_who })
    }

    /// Returns the address that the browser is sent to.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the address that the browser comes back to.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Returns whether an answer has the `state` of this request: any other is another user's.
    pub fn is_answer(&self, query: &str) -> bool {
        let states: Vec<_> = all(query, "state");
        let [state] = &states[..] else { return false };
        // Hashes, so that the time it takes says nothing of the state.
        Sha256::digest(state) == Sha256::digest(self.state.expose_secret())
    }

    /// Reads the answer: the query of the address that the browser came back to.
    ///
    /// # Errors
    ///
    /// [`Auth`](ErrorKind::Auth) with the code `state` for an answer to another request, `iss` for one of another
    /// provider or, where the provider says that it names itself, of none; with the provider's own code
    /// (`access_denied`) where the login was refused; and [`Decode`](ErrorKind::Decode) for an answer without a code or
    /// with one field twice.
    pub fn read(&self, query: &str) -> Result<Code> {
        let refused = |kind: ErrorKind, code: &str, message: String| {
            Error::build(kind, message).operation(OPERATION).code(code).finish()
        };
        if !self.is_answer(query) {
            let message = "the reply belongs to another login, and was not used";
            return Err(refused(ErrorKind::Auth, "state", message.to_owned()));
        }
        let once = |name: &str| match &all(query, name)[..] {
            [] => Ok(None),
            [value] => Ok(Some(value.clone())),
            _ => Err(refused(ErrorKind::Decode, "malformed", format!("the reply has {name} twice"))),
        };
        match once("iss")? {
            Some(issuer) if issuer == self.issuer => {}
            None if !self.says_who => {}
            _ => {
                let message = format!("the reply is not from {}, and was not used", self.issuer);
                return Err(refused(ErrorKind::Auth, "iss", message));
            }
        }
        if let Some(error) = once("error")? {
            let message = match &*error {
                "access_denied" => "the login was refused at the browser".to_owned(),
                _ => format!("the provider refused the login: {}", shown(&error)),
            };
            return Err(refused(ErrorKind::Auth, &shown(&error), message));
        }
        match once("code")?.filter(|code| !code.is_empty()) {
            Some(code) => Ok(Code(code.into())),
            None => Err(refused(ErrorKind::Decode, "malformed", "the reply has no code".to_owned())),
        }
    }

    /// Returns the fields of the request that trades a code for tokens, which spends the code.
    pub fn form<'a>(&'a self, code: &'a Code) -> [(&'static str, &'a str); 4] {
        [
            ("grant_type", "authorization_code"),
            ("code", code.0.expose_secret()),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", self.verifier.expose_secret()),
        ]
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Authorization");
        fields.field("issuer", &self.issuer).field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

/// A code that a provider gave in answer to an [`Authorization`].
#[derive(Debug)]
pub struct Code(SecretString);

/// From the system's generator: 244 bits, in characters that a verifier may have (RFC 7636, section 4.1).
fn random() -> String {
    format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}

fn all(query: &str, name: &str) -> Vec<String> {
    let fields = url::form_urlencoded::parse(query.trim_start_matches('?').as_bytes());
    fields.filter(|(known, _)| known == name).map(|(_, value)| value.into_owned()).collect()
}

/// A stranger's code as it may stand in a message.
fn shown(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://colony.example";

    fn request(says_who: bool) -> Authorization {
        let document = format!(
            r#"{{"issuer": "{ISSUER}", "token_endpoint": "{ISSUER}/token", "authorization_endpoint": "{ISSUER}/auth",
               "{SAYS_WHO}": {says_who}}}"#
        );
        let provider = Provider::read(ISSUER, document.as_bytes()).expect("a provider");
        Authorization::new(&provider, "app", "http://127.0.0.1:1/callback", "openid offline_access")
            .expect("a request")
    }

    #[test]
    fn each_request_has_its_own_secrets_and_s256() {
        let (one, other) = (request(true), request(true));
        let field = |request: &Authorization, name: &str| all(request.url().query().expect("a query"), name);
        for name in ["state", "code_challenge"] {
            assert_ne!(field(&one, name), field(&other, name));
        }
        let code = Code("c".into());
        let verifier = one.form(&code)[3].1;
        assert_eq!(field(&one, "code_challenge"), [BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))]);
        assert_eq!(field(&one, "code_challenge_method"), ["S256"]);
        assert_eq!((verifier.len(), field(&one, "prompt")), (64, vec!["consent".to_owned()]));
        assert!(!format!("{one:?}").contains(verifier));
    }

    #[test]
    fn only_the_provider_s_answer_to_this_request_is_taken() {
        for (says_who, rest, outcome) in [
            (true, "code=c&iss=https%3A%2F%2Fcolony.example", Ok(())),
            (false, "code=c", Ok(())),
            (true, "code=c", Err("iss")),
            (false, "code=c&iss=https%3A%2F%2Fevil.example", Err("iss")),
            (true, "code=c&iss=https%3A%2F%2Fcolony.example%2F", Err("iss")),
            (false, "error=access_denied", Err("access_denied")),
            (false, "", Err("malformed")),
            (false, "code=", Err("malformed")),
            (false, "code=c&code=d", Err("malformed")),
            (false, "code=c&state=x", Err("state")),
        ] {
            let request = request(says_who);
            let query = format!("state={}&{rest}", request.state.expose_secret());
            let read = request.read(&query);
            assert_eq!(
                read.map(drop).map_err(|error| error.code().map(str::to_owned)),
                outcome.map_err(|code: &str| Some(code.to_owned())),
                "{rest}"
            );
        }
        let error = request(false).read("state=forged&code=c").expect_err("it is forged");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Auth, Some("state")));
    }
}
