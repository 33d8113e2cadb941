//! The reasons for not getting a new credential, and the errors that callers receive.

use std::time::Duration;

use colony_core::{
    Error, ErrorKind,
    credential::{grant, reauth_required},
};

/// The remedy in messages.
const LOGIN: &str = "log in again (`colony auth login --device`)";

/// The reason why there is no new credential.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// A short reason for the log.
    pub(super) reason: &'static str,
    /// Whether the present access token can still be used.
    pub(super) living_serves: bool,
    /// Whether a refresh for another purpose might still be made.
    pub(super) is_for_those_who_can_wait: bool,
}

impl Failure {
    /// Returns a failure after which the present access token can still be used.
    pub(super) fn passing(reason: &'static str, error: Error) -> Self {
        Self { error, reason, living_serves: true, is_for_those_who_can_wait: false }
    }

    /// Returns a failure that a person must learn of now.
    pub(super) fn lasting(reason: &'static str, error: Error) -> Self {
        Self { living_serves: false, ..Self::passing(reason, error) }
    }

    /// Returns the failure when no credential is stored.
    pub(super) fn no_credential() -> Self {
        let error = Error::build(ErrorKind::ReauthRequired, "no credential is stored")
            .code("no_credential")
            .hint("Log in (`colony auth login --device`)")
            .finish();
        Self::lasting("no_credential", error)
    }

    /// Returns the failure when the stored credential has no refresh token.
    pub(super) fn not_refreshable() -> Self {
        let error = reauth_required("the stored credential has no refresh token");
        Self::passing("not_refreshable", with_code(error, "not_refreshable"))
    }

    /// Returns the failure when the store is a copy of another one.
    pub(super) fn copied() -> Self {
        let message = "this credential was stored in another place: it is a copy, and two copies that refresh end \
                       the login for both, so nothing was sent";
        let error = Error::build(ErrorKind::ReauthRequired, message)
            .operation(grant::OPERATION)
            .code("copied")
            .hint(format!(
                "If it was moved and the other one is gone: `colony auth adopt`; otherwise {LOGIN} here"
            ))
            .finish();
        Self::passing("copied", error)
    }

    /// Returns the failure when the provider has refused the token before.
    pub(super) fn refused_before() -> Self {
        let error = reauth_required("the provider has refused the stored refresh token before");
        Self::lasting("invalid_grant", with_code(error, "invalid_grant"))
    }

    /// Returns the failure when the provider refused the request itself a while ago.
    pub(super) fn declined_before(left: Duration) -> Self {
        let message = format!(
            "the provider refused the last refresh as invalid (`invalid_request`), which is how some reply to an expired refresh token; it is not asked again for {}",
            spoken(left)
        );
        let error = Error::build(ErrorKind::Validation, message)
            .operation(grant::OPERATION)
            .code("invalid_request")
            .retry_after(left)
            .hint(format!("`colony auth refresh` asks now; if that fails, {LOGIN}"))
            .finish();
        Self { is_for_those_who_can_wait: true, ..Self::passing("declined", error) }
    }

    /// Returns the failure when it is not known whether the token is spent; it is not presented before `left` has
    /// passed.
    pub(super) fn unsettled(left: Duration) -> Self {
        let message = format!(
            "the outcome of the last refresh is not known, and its request may still be on its way; the refresh token is presented again in {}",
            spoken(left)
        );
        Self::passing("unsettled", busy(message, left).finish())
    }

    /// Returns the failure when it is not known whether the token is spent, and the access token still lives.
    pub(super) fn spared(left: Duration) -> Self {
        let message = format!(
            "the outcome of the last refresh is not known; the refresh token is not presented again while the \
             access token lives, {} more",
            spoken(left)
        );
        let hint = format!("`colony auth refresh` presents it now; or {LOGIN}");
        let failure = Self::passing("spared", busy(message, left).hint(hint).finish());
        Self { is_for_those_who_can_wait: true, ..failure }
    }

    /// Returns the failure of a request with an unknown outcome: the token is not presented again for `left`.
    pub(super) fn unknown(cause: Error, left: Duration) -> Self {
        let message = format!(
            "{}, and the provider may still have acted on it; the refresh token is presented again in {}",
            cause.message(),
            spoken(left)
        );
        let error = match cause.status() {
            Some(status) => busy(message, left).status(status),
            None => busy(message, left),
        };
        Self::passing("unknown", error.source(cause).finish())
    }

    /// As [`unknown`](Self::unknown) or [`unsettled`](Self::unsettled), where the settings never present such a token
    /// again.
    pub(super) fn interrupted(cause: Option<Error>) -> Self {
        let message = "a refresh was sent and its reply was lost, so the stored refresh token may be spent";
        let error = Error::build(ErrorKind::ReauthRequired, message)
            .operation(grant::OPERATION)
            .code("interrupted")
            .hint(
                "Log in again (`colony auth login --device`); presenting a spent token would revoke every token of \
                 the login",
            );
        let error = match cause {
            Some(cause) => error.source(cause),
            None => error,
        };
        Self::passing("interrupted", error.finish())
    }

    /// The provider reported by introspection that the token is no longer valid.
    pub(super) fn spent() -> Self {
        let error = reauth_required(
            "a refresh was sent and its reply was lost, and the provider says that the token is no longer valid",
        );
        Self::passing("spent", with_code(error, "interrupted"))
    }

    /// Returns the failure when the provider refused the token just now.
    pub(super) fn invalid_grant(cause: Error) -> Self {
        let message = "the provider refused the refresh token: it is spent, revoked or expired";
        let error = Error::build(ErrorKind::ReauthRequired, message)
            .operation(grant::OPERATION)
            .status(cause.status().unwrap_or(400))
            .code("invalid_grant")
            .hint("Log in again (`colony auth login --device`); what is stored was left as it is")
            .source(cause)
            .finish();
        Self::lasting("invalid_grant", error)
    }

    /// Returns the failure when the program is about to end.
    pub(super) fn closed() -> Self {
        let error = Error::build(ErrorKind::Busy, "this credential was closed: it is not refreshed any more")
            .operation(grant::OPERATION)
            .finish();
        Self::passing("closed", error)
    }
}

fn busy(message: String, left: Duration) -> colony_core::ErrorBuilder {
    Error::build(ErrorKind::CredentialBusy, message)
        .operation(grant::OPERATION)
        .code("interrupted")
        .retry_after(left)
        .hint("A new login ends the wait: `colony auth login --device`")
}

fn with_code(error: Error, code: &'static str) -> Error {
    Error::build(error.kind(), error.message())
        .operation(grant::OPERATION)
        .code(code)
        .hint(error.hint().unwrap_or_default().to_owned())
        .finish()
}

/// Formats a time for a person: `4 min 48 s`.
fn spoken(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}
