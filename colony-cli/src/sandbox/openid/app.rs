//! Apps that are registered with the sandbox: OAuth clients and audiences of tokens.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret as _, SecretString};

use super::SCOPES;

/// An app, which is an OAuth client: it signs its users in, or is the audience of exchanged tokens.
///
/// On the command line it is written `CLIENT_ID[;secret=TEXT][;policy=both|agents_only|humans_only]
/// [;scope=NAME …][;redirect=URI …]`, without line breaks; `scope` and `redirect` may come several times.
///
/// ```
/// use colony_cli::sandbox::{App, AudiencePolicy};
///
/// let app: App = "colony_notes;secret=s3cret;policy=agents_only;scope=openid profile".parse()?;
/// assert_eq!(app.client_id, "colony_notes");
/// assert_eq!(app.audience_policy, AudiencePolicy::AgentsOnly);
/// assert!(!format!("{app:?}").contains("s3cret"));
/// # Ok::<(), colony_cli::sandbox::ParseAppError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct App {
    /// Its client id; real ones look like `colony_…`.
    pub client_id: String,
    /// Its client secret. `None`: a public client, which the sandbox accepts by its id alone.
    pub client_secret: Option<SecretString>,
    /// The accounts whose tokens can be exchanged for its audience, and who can sign in to it.
    pub audience_policy: AudiencePolicy,
    /// The scopes that it can be granted; an exchange drops others silently. By default all that the sandbox knows.
    pub scopes: Vec<String>,
    /// The addresses to which a browser can be redirected with an authorization code. By default any loopback address;
    /// a listed loopback address may have another port (RFC 8252 section 7.3).
    pub redirect_uris: Vec<String>,
}

/// The accounts that an app accepts (`audience_policy` of the platform).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AudiencePolicy {
    /// All.
    #[default]
    Both,
    /// Agents.
    AgentsOnly,
    /// People. The sandbox's own accounts are agents.
    HumansOnly,
}

impl App {
    /// Returns a public client with every scope, for all accounts.
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: None,
            audience_policy: AudiencePolicy::Both,
            scopes: SCOPES.iter().map(|&scope| scope.to_owned()).collect(),
            redirect_uris: Vec::new(),
        }
    }

    /// Sets the client secret.
    #[must_use]
    pub fn client_secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Restricts the app to some accounts.
    #[must_use]
    pub fn audience_policy(mut self, policy: AudiencePolicy) -> Self {
        self.audience_policy = policy;
        self
    }

    /// Restricts the app to these scopes.
    #[must_use]
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Returns whether the secret is this app's.
    pub(crate) fn has_secret(&self, given: &str) -> bool {
        self.client_secret.as_ref().is_some_and(|secret| secret.expose_secret() == given)
    }

    pub(crate) fn takes(&self, kind: &str) -> bool {
        match self.audience_policy {
            AudiencePolicy::Both => true,
            AudiencePolicy::AgentsOnly => kind == "agent",
            AudiencePolicy::HumansOnly => kind == "human",
        }
    }

    pub(crate) fn allows_scope(&self, scope: &str) -> bool {
        SCOPES.contains(&scope) && self.scopes.iter().any(|allowed| allowed == scope)
    }

    /// Returns whether a browser can be redirected to an address.
    pub(crate) fn allows_redirect(&self, wanted: &str) -> bool {
        let Ok(url) = url::Url::parse(wanted) else { return false };
        let loopback =
            url.scheme() == "http" && matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        if self.redirect_uris.is_empty() {
            return loopback && url.fragment().is_none();
        }
        let same_but_port = |listed: &str| {
            url::Url::parse(listed).is_ok_and(|mut listed| {
                // Fails only for addresses without a port.
                let _ = listed.set_port(url.port());
                listed == url
            })
        };
        self.redirect_uris.iter().any(|listed| listed == wanted || loopback && same_but_port(listed))
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("client_id", &self.client_id)
            .field("confidential", &self.client_secret.is_some())
            .field("audience_policy", &self.audience_policy)
            .field("scopes", &self.scopes)
            .field("redirect_uris", &self.redirect_uris)
            .finish()
    }
}

/// The error for text that is not a valid [`App`], with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseAppError(String);

impl fmt::Display for ParseAppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}; write it as `CLIENT_ID[;secret=TEXT][;policy=both|agents_only|humans_only][;scope=NAMES][;redirect=URI]`",
            self.0
        )
    }
}

impl std::error::Error for ParseAppError {}

impl FromStr for App {
    type Err = ParseAppError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.trim().split(';');
        let client_id = parts.next().unwrap_or_default().trim();
        if client_id.is_empty() || client_id.contains(|c: char| c.is_whitespace() || c == '=') {
            return Err(ParseAppError("the client id is missing".to_owned()));
        }
        let mut app = Self::new(client_id);
        let mut scopes = Vec::new();
        for part in parts {
            // The message does not repeat the value, which may be the secret.
            let (name, value) =
                part.split_once('=').ok_or_else(|| ParseAppError("a part has no `=`".to_owned()))?;
            match name.trim() {
                "secret" => app.client_secret = Some(value.to_owned().into()),
                "policy" => {
                    app.audience_policy = match value.trim() {
                        "both" => AudiencePolicy::Both,
                        "agents_only" => AudiencePolicy::AgentsOnly,
                        "humans_only" => AudiencePolicy::HumansOnly,
                        _ => return Err(ParseAppError(format!("there is no policy `{value}`"))),
                    };
                }
                "scope" => scopes.extend(value.split_whitespace().map(str::to_owned)),
                "redirect" => app.redirect_uris.push(value.trim().to_owned()),
                other => return Err(ParseAppError(format!("there is no part `{other}`"))),
            }
        }
        if let Some(unknown) = scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
            return Err(ParseAppError(format!("the sandbox knows no scope `{unknown}`")));
        }
        if !scopes.is_empty() {
            app.scopes = scopes;
        }
        Ok(app)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named_without_the_secret() {
        for (text, expected) in [
            ("", "client id"),
            ("a b", "client id"),
            ("x;secret", "no `=`"),
            ("x;policy=some", "no policy `some`"),
            ("x;scope=openid nonsense", "no scope `nonsense`"),
            ("x;secret=hush;colour=red", "no part `colour`"),
        ] {
            let error = text.parse::<App>().expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("hush"));
        }
    }

    #[test]
    fn redirects_are_exact_but_for_a_loopback_port() {
        let mut app = App::new("x");
        assert!(app.allows_redirect("http://127.0.0.1:4711/callback"));
        assert!(!app.allows_redirect("http://192.0.2.1/callback"));
        assert!(!app.allows_redirect("not a url"));
        app.redirect_uris = vec!["https://app.example/cb".into(), "http://127.0.0.1/cb".into()];
        assert!(app.allows_redirect("https://app.example/cb"));
        assert!(!app.allows_redirect("https://app.example:444/cb"));
        assert!(!app.allows_redirect("https://app.example/cb2"));
        assert!(app.allows_redirect("http://127.0.0.1:9/cb"));
        assert!(!app.allows_redirect("http://127.0.0.1:9/other"));
    }
}
