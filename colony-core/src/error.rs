//! The one error type of all crates.

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use serde_json::Value;

use crate::{Request, retry::Unanswered};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the few classes a program branches on.
///
/// New kinds may be added; match with a `_` arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server refused the credentials or the caller's rights (401, 403). Not retried; a 401 on a
    /// call has already been through one round with a new token.
    Auth,
    /// The account has two-factor login and no code was given (`AUTH_2FA_REQUIRED`).
    TwoFactorRequired,
    /// The two-factor code was wrong or used before (`AUTH_2FA_INVALID`). Do not repeat blindly: the
    /// server counts failed codes.
    TwoFactorInvalid,
    /// The thing does not exist, or is not the caller's to see (404).
    NotFound,
    /// The request collides with the present state (409).
    Conflict,
    /// The server found the request wrong (400, 422).
    Validation,
    /// Too many requests (429). [`Error::retry_after`] says how long to wait, when the server said.
    RateLimit,
    /// The server failed (5xx). 502, 503 and 504 were retried.
    Server,
    /// Any other answer that is not a success.
    Api,
    /// No answer arrived: connection refused, name not found, time-out. [`Error::unanswered`] says
    /// whether the request may have been acted on.
    Network,
    /// An argument was refused here; nothing was sent for it.
    InvalidArgument,
    /// A reply arrived but could not be read as what the operation answers.
    Decode,
    /// A file, reader or writer of the program's own failed: what was to be uploaded cannot be read, or a
    /// download cannot be written.
    Io,
    /// Another program holds what this call needs and did not let go in time.
    Busy,
    /// Another program holds the lock of a stored credential and did not let go in time. Nothing was sent
    /// and nothing was changed; the same call may succeed later.
    CredentialBusy,
    /// The new credential is worth less than the stored one, or goes elsewhere; nothing was changed.
    /// [`Error::code`] names the reason, one of
    /// [`Downgrade::as_str`](crate::credential::change::Downgrade::as_str).
    CredentialDowngrade,
    /// The store of credentials cannot be used: its lock cannot be obtained, or its file cannot be read or
    /// written. Nothing was sent, and what is in the file was left as it is.
    CredentialStore,
    /// A person has to log in again: there is no credential, it does not renew itself, the provider refused
    /// its refresh token, or a crash left open whether that token is spent.
    ReauthRequired,
    /// The client's [policy](crate::policy) does not let the operation through. Nothing was sent.
    Refused,
    /// The client cannot be built or used as configured.
    Config,
}

/// As its name on the command line.
impl serde::Serialize for ErrorKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl ErrorKind {
    /// The kind's name as the command line prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::TwoFactorRequired => "two_factor_required",
            Self::TwoFactorInvalid => "two_factor_invalid",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Validation => "validation",
            Self::RateLimit => "rate_limit",
            Self::Server => "server",
            Self::Api | Self::Decode => "api",
            Self::Network => "network",
            Self::InvalidArgument | Self::Config => "invalid_argument",
            Self::Io => "io",
            Self::Busy => "busy",
            Self::CredentialBusy => "credential_busy",
            Self::CredentialDowngrade => "credential_downgrade",
            Self::CredentialStore => "credential_store",
            Self::ReauthRequired => "reauth_required",
            Self::Refused => "refused",
        }
    }

    fn of_status(status: u16, code: Option<&str>) -> Self {
        match (status, code) {
            (401 | 403, Some("AUTH_2FA_REQUIRED")) => Self::TwoFactorRequired,
            (401 | 403, Some("AUTH_2FA_INVALID")) => Self::TwoFactorInvalid,
            (401 | 403, _) => Self::Auth,
            (404, _) => Self::NotFound,
            (409, _) => Self::Conflict,
            (400 | 422, _) => Self::Validation,
            (429, _) => Self::RateLimit,
            (500..=599, _) => Self::Server,
            _ => Self::Api,
        }
    }
}

/// A time limit of a call, named as the builder's setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// Opening a connection.
    Connect,
    /// One request, its reply included.
    Request,
    /// The whole call: waiting for the login, all tries and the pauses between them.
    Deadline,
}

impl Limit {
    /// The name of the builder's setting: `connect_timeout`, `timeout` or `deadline`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect_timeout",
            Self::Request => "timeout",
            Self::Deadline => "deadline",
        }
    }
}

/// Why a call failed.
///
/// One word wide, cheap to clone: tasks that waited for the same login share the same error. The
/// message says its own part and leaves the cause to [`source`](StdError::source).
///
/// ```
/// # fn handle(error: colony_core::Error) {
/// if error.is_rate_limited() {
///     println!("try again in {:?}", error.retry_after());
/// } else if error.is_not_found() {
///     println!("{} found nothing", error.operation().unwrap_or("the call"));
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: Option<&'static str>,
    argument: Option<&'static str>,
    status: Option<u16>,
    code: Option<String>,
    message: String,
    hint: Option<Cow<'static, str>>,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    idempotency_key: Option<String>,
    unanswered: Option<Unanswered>,
    limit: Option<(Limit, Duration)>,
    body: Option<Value>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    is_page: bool,
}

impl Error {
    /// What class of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation's name, `get_post` for example, when one was being carried out.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The argument that was refused, for [`ErrorKind::InvalidArgument`].
    pub fn argument(&self) -> Option<&'static str> {
        self.0.argument
    }

    /// The HTTP status, when a reply arrived.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The server's machine-readable code, `POST_NOT_FOUND` for example.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The message without the operation's name and the hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do next, when that is known.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// How long to wait before the next try: as the server asked, whatever the status, or until a note or
    /// the circuit breaker lets calls through.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The server's id of the request (`x-request-id`), to name it in a report.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The `Idempotency-Key` that the failed write carried.
    ///
    /// Repeating the same call with it is safe where it is not known whether the server acted: a call that
    /// did act is answered again and not carried out again. The service keeps a key for 24 hours, for the
    /// same user, method and path; not for replies over 1 MB, and not while its cache is down.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.0.idempotency_key.as_deref()
    }

    /// How a request ended that got no answer, for [`ErrorKind::Network`].
    pub fn unanswered(&self) -> Option<Unanswered> {
        self.0.unanswered
    }

    /// The time limit that ended the call, and its value.
    pub fn limit(&self) -> Option<(Limit, Duration)> {
        self.0.limit
    }

    /// The body of the server's answer, when it was JSON. Never kept for login requests.
    pub fn body(&self) -> Option<&Value> {
        self.0.body.as_ref()
    }

    /// The server refused the credentials or the caller's rights, two-factor cases included.
    pub fn is_auth(&self) -> bool {
        matches!(self.kind(), ErrorKind::Auth | ErrorKind::TwoFactorRequired | ErrorKind::TwoFactorInvalid)
    }

    /// A 401 or 403 whose body is not JSON: a page of a proxy or a CDN, as it seems. It is no verdict on the
    /// API key or the token.
    pub fn is_page(&self) -> bool {
        self.0.is_page
    }

    /// The thing does not exist (404). The server may have acted on nothing.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// The request collided with the present state (409).
    pub fn is_conflict(&self) -> bool {
        self.kind() == ErrorKind::Conflict
    }

    /// Too many requests (429): wait [`retry_after`](Self::retry_after), then try again.
    pub fn is_rate_limited(&self) -> bool {
        self.kind() == ErrorKind::RateLimit
    }

    /// No answer arrived. The server may have acted on the request.
    pub fn is_network(&self) -> bool {
        self.kind() == ErrorKind::Network
    }

    /// An argument was refused before anything was sent for it.
    pub fn is_invalid_argument(&self) -> bool {
        self.kind() == ErrorKind::InvalidArgument
    }

    /// A person has to log in again ([`ErrorKind::ReauthRequired`]).
    pub fn is_reauth_required(&self) -> bool {
        self.kind() == ErrorKind::ReauthRequired
    }

    /// The same call may succeed later without a change: network trouble, 429, 502, 503, 504, busy.
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            ErrorKind::RateLimit | ErrorKind::Network | ErrorKind::Busy | ErrorKind::CredentialBusy => true,
            ErrorKind::Server => matches!(self.status(), Some(502..=504)),
            _ => false,
        }
    }

    /// Adds the operation and the server's id of the request, where the error does not name them yet.
    #[must_use]
    pub fn of_request(mut self, operation: &'static str, request_id: Option<&str>) -> Self {
        // An error that others share keeps what it says.
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.operation.get_or_insert(operation);
            inner.request_id = inner.request_id.take().or_else(|| request_id.map(str::to_owned));
        }
        self
    }

    /// Starts an error of this kind. For code that implements a transport.
    pub fn build(kind: ErrorKind, message: impl Into<String>) -> ErrorBuilder {
        ErrorBuilder(Inner {
            kind,
            operation: None,
            argument: None,
            status: None,
            code: None,
            message: message.into(),
            hint: None,
            retry_after: None,
            request_id: None,
            idempotency_key: None,
            unanswered: None,
            limit: None,
            body: None,
            source: None,
            is_page: false,
        })
    }

    /// Adds to the error of the last of `tries` failed tries that the call's time limit leaves no time for another.
    #[must_use]
    pub fn out_of_time(mut self, limit: Limit, value: Duration, tries: u32) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.limit = Some((limit, value));
            let tries = if tries == 1 { "one try".to_owned() } else { format!("{tries} tries") };
            inner.message += &format!(
                "; the {} of {} s leaves no time to try again after {tries}",
                limit.as_str(),
                value.as_secs_f64()
            );
        }
        self
    }

    /// Names the request in an error that does not do so yet: its operation, and its idempotency key.
    #[must_use]
    pub fn about(mut self, request: &Request) -> Self {
        // An error that several callers share, a login's, is about no request of theirs.
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.operation.get_or_insert(request.operation());
            if inner.idempotency_key.is_none() {
                inner.idempotency_key = request.idempotency_text();
            }
        }
        self
    }

    /// An argument that is refused here. The message names the argument and the remedy.
    pub fn argument_refused(argument: &'static str, message: impl Into<String>) -> Self {
        let mut builder = Self::build(ErrorKind::InvalidArgument, message);
        builder.0.argument = Some(argument);
        builder.finish()
    }

    /// The error an API reply with this status and body stands for.
    ///
    /// Reads the platform's three JSON bodies: `{"detail": {"code", "message"}}`, `{"detail": "text"}`
    /// or `{"error": "text"}`, and the validation list `{"detail": [{"loc", "msg"}]}`. Anything else,
    /// also a body that is not JSON, keeps the status.
    pub fn from_api_reply(
        operation: &'static str,
        status: u16,
        body: &[u8],
        retry_after: Option<Duration>,
    ) -> ErrorBuilder {
        let body: Option<Value> = serde_json::from_slice(body).ok();
        let detail = body.as_ref().and_then(|body| body.get("detail"));
        let mut code = None;
        let mut message = None;
        match detail {
            Some(Value::Object(detail)) => {
                code = detail.get("code").and_then(Value::as_str).map(str::to_owned);
                message = detail.get("message").and_then(Value::as_str).map(str::to_owned);
            }
            Some(Value::String(text)) => message = Some(text.clone()),
            Some(Value::Array(items)) => message = validation_message(items),
            _ => {}
        }
        let message = message
            .filter(|text| says_something(text))
            .or_else(|| {
                body.as_ref()?.get("error")?.as_str().map(str::to_owned).filter(|text| says_something(text))
            })
            .unwrap_or_else(|| status_text(status));
        let kind = ErrorKind::of_status(status, code.as_deref());
        let is_page = body.is_none() && matches!(status, 401 | 403);
        let (message, hint) = if is_page {
            (format!("{message}, not in JSON"), Some(PAGE_HINT))
        } else {
            (message, code_hint(code.as_deref()).or_else(|| status_hint(status)))
        };
        let mut builder = Self::build(kind, message);
        builder.0.is_page = is_page;
        builder.0.operation = Some(operation);
        builder.0.status = Some(status);
        builder.0.code = code;
        builder.0.hint = hint.map(Cow::Borrowed);
        builder.0.retry_after = retry_after;
        builder.0.body = body;
        builder
    }

    /// The error an OAuth reply stands for: `{"error": "invalid_grant", "error_description": "…"}`
    /// ([RFC 6749, section 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)).
    pub fn from_oauth_reply(operation: &'static str, status: u16, body: &[u8]) -> ErrorBuilder {
        let body: Option<Value> = serde_json::from_slice(body).ok();
        let text = |key: &str| {
            body.as_ref()?.get(key)?.as_str().map(str::to_owned).filter(|text| says_something(text))
        };
        let code = text("error");
        let kind = match code.as_deref() {
            Some("invalid_grant") => ErrorKind::Auth,
            Some("invalid_request" | "invalid_target" | "invalid_scope") => ErrorKind::Validation,
            _ if (500..600).contains(&status) => ErrorKind::Server,
            _ => ErrorKind::Api,
        };
        let message =
            text("error_description").or_else(|| code.clone()).unwrap_or_else(|| status_text(status));
        let mut builder = Self::build(kind, message);
        builder.0.operation = Some(operation);
        builder.0.status = Some(status);
        builder.0.code = code;
        builder.0.body = body;
        builder
    }
}

/// An [`Error`] in the making, from [`Error::build`].
pub struct ErrorBuilder(Inner);

impl ErrorBuilder {
    /// Sets the kind, where the caller knows more than the reply tells.
    #[must_use]
    pub fn kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Names the operation.
    #[must_use]
    pub fn operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// The HTTP status of the reply.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// The server's code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// What to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// How long to wait.
    #[must_use]
    pub fn retry_after(mut self, wait: impl Into<Option<Duration>>) -> Self {
        self.0.retry_after = wait.into();
        self
    }

    /// The server's id of the request.
    #[must_use]
    pub fn request_id(mut self, id: Option<String>) -> Self {
        self.0.request_id = id;
        self
    }

    /// Says how a request ended that got no answer.
    #[must_use]
    pub fn unanswered(mut self, how: Unanswered) -> Self {
        self.0.unanswered = Some(how);
        self
    }

    /// Says which time limit ended the call.
    #[must_use]
    pub fn limit(mut self, limit: Limit, value: Duration) -> Self {
        self.0.limit = Some((limit, value));
        self
    }

    /// Forgets the reply's body, which may hold secrets.
    #[must_use]
    pub fn without_body(mut self) -> Self {
        self.0.body = None;
        self
    }

    /// Takes these texts out of everything that the server said: it may repeat what it was sent.
    #[must_use]
    pub(crate) fn without(mut self, secrets: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let said = [&mut self.0.code, &mut self.0.request_id];
        let mut said: Vec<&mut String> = said.into_iter().flatten().chain([&mut self.0.message]).collect();
        for secret in secrets {
            for text in &mut said {
                **text = text.replace(secret.as_ref(), "[hidden]");
            }
        }
        self
    }

    /// The cause, shown by reporters that walk [`source`](StdError::source).
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The finished error.
    pub fn finish(self) -> Error {
        Error(Arc::new(self.0))
    }
}

impl From<ErrorBuilder> for Error {
    fn from(builder: ErrorBuilder) -> Self {
        builder.finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(operation) = inner.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&inner.message)?;
        match (inner.status, inner.code.as_deref()) {
            (Some(status), Some(code)) => write!(f, " (HTTP {status}, {code})")?,
            (Some(status), None) => write!(f, " (HTTP {status})")?,
            _ => {}
        }
        if let (ErrorKind::Decode, Some(id)) = (inner.kind, &inner.request_id) {
            write!(f, ", request {id}")?;
        }
        if let Some(wait) = inner.retry_after {
            write!(f, "; try again in {} s", wait.as_secs_f64().ceil())?;
        }
        if let Some(hint) = &inner.hint {
            write!(f, ". {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        // The body is left out: a reply may carry what should not stand in a log.
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("operation", &inner.operation)
            .field("argument", &inner.argument)
            .field("status", &inner.status)
            .field("code", &inner.code)
            .field("message", &inner.message)
            .field("retry_after", &inner.retry_after)
            .field("request_id", &inner.request_id)
            .field("unanswered", &inner.unanswered)
            .field("source", &inner.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

fn says_something(text: &str) -> bool {
    !text.trim().is_empty()
}

fn validation_message(items: &[Value]) -> Option<String> {
    let lines: Vec<String> = items
        .iter()
        .filter_map(|item| {
            let message = item.get("msg")?.as_str()?;
            let place: Vec<String> = item
                .get("loc")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(|x| x.as_str().map_or_else(|| x.to_string(), str::to_owned))
                .collect();
            Some(if place.is_empty() {
                message.to_owned()
            } else {
                format!("{}: {message}", place.join("."))
            })
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

fn status_text(status: u16) -> String {
    match http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()) {
        Some(reason) => format!("the server answered {reason}"),
        None => "the server answered with an unusual status".to_owned(),
    }
}

fn code_hint(code: Option<&str>) -> Option<&'static str> {
    Some(match code? {
        "AUTH_2FA_REQUIRED" => "This account has two-factor login: give the client a code with `totp`",
        "AUTH_2FA_INVALID" => {
            "A code is accepted once, within its 30 seconds; wait for the next one before trying again"
        }
        "AUTH_INVALID_KEY" => "Check the API key; a rotated or recovered key replaces the old one at once",
        "AUTH_PENDING_ACTIVATION" => "Finish the registration with `register_confirm`",
        _ => return None,
    })
}

const PAGE_HINT: &str = "This probably came from a proxy or a CDN, and says nothing about the API key: check \
                         the base URL and the proxy";

fn status_hint(status: u16) -> Option<&'static str> {
    Some(match status {
        400 => "Check the arguments",
        401 => "Check the API key",
        403 => "The account may not do this; check its karma, role or the colony's rules",
        404 => "Check the id or name; a deleted object looks the same as one that never existed",
        409 => "It may already be done",
        422 => "Check the arguments' form and length",
        429 => "Slow down",
        500 | 502 | 503 | 504 => "The service is in trouble; try again later",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn two_factor_codes_count_only_on_auth_statuses() {
        let body = br#"{"detail": {"code": "AUTH_2FA_INVALID", "message": "no"}}"#;
        assert_eq!(Error::from_api_reply("x", 403, body, None).finish().kind(), ErrorKind::TwoFactorInvalid);
        assert_eq!(Error::from_api_reply("x", 404, body, None).finish().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn an_empty_message_is_none() {
        for body in [
            r#"{"detail": {"code": "", "message": ""}}"#,
            r#"{"detail": " "}"#,
            r#"{"error": ""}"#,
            r#"{"detail": [{"loc": [], "msg": ""}]}"#,
            r#"{"error": "\n", "error_description": ""}"#,
        ] {
            let error = Error::from_api_reply("x", 404, body.as_bytes(), None).finish();
            assert_eq!(error.message(), "the server answered Not Found", "{body}");
            let error = Error::from_oauth_reply("x", 404, body.as_bytes()).finish();
            assert_eq!(error.message(), "the server answered Not Found", "{body}");
        }
    }

    #[test]
    fn a_validation_list_names_the_fields() {
        let body = br#"{"detail": [{"loc": ["body", "title"], "msg": "too short"}]}"#;
        let error = Error::from_api_reply("create_post", 422, body, None).finish();
        assert_eq!(error.message(), "body.title: too short");
    }
}
