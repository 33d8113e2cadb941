//! The failure of a command, and how it is printed.

use std::process::ExitCode;

use colony_core::{Error, ErrorKind, NOT_JSON};
use serde_json::json;

use crate::{
    help,
    output::{Output, stderr_has_colour},
};

/// A failed command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A call failed, or an argument was refused.
    Api(Error),
    /// The same, with the command's own advice.
    Advised(Error, String),
    /// Something on this machine failed: a file, a stream.
    Local(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Api(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Local(error.to_string())
    }
}

impl Failure {
    /// Returns the failure for a wrong argument: what is wrong, and what to do.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Api(Error::build(ErrorKind::InvalidArgument, message).finish())
    }

    /// Returns a call's error with specific advice instead of the general one.
    pub(crate) fn advised(error: Error, advice: impl Into<String>) -> Self {
        Self::Advised(error, advice.into())
    }

    /// Returns what went wrong, in a sentence.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Api(error) | Self::Advised(error, _) => error.message(),
            Self::Local(message) => message,
        }
    }

    /// Prints the failure and returns the exit code. `base_url` is the one in use.
    pub(crate) fn report(&self, base_url: Option<&str>, output: &Output) -> ExitCode {
        let (mut body, text, hint, code) = match self {
            Self::Api(error) | Self::Advised(error, _) => {
                let text = error.to_string();
                let own = error.hint().and_then(|hint| text.strip_suffix(hint)?.strip_suffix(". "));
                let body = json!({
                    "kind": error.kind().as_str(),
                    "status": error.status(),
                    "code": error.code(),
                    "retry_after": error.retry_after().map(|wait| wait.as_secs()),
                    "operation": error.operation(),
                    "request_id": error.request_id(),
                    "idempotency_key": error.idempotency_key(),
                });
                let hint = match self {
                    Self::Advised(_, advice) => Some(advice.clone()),
                    _ => hint(error, base_url),
                };
                (body, own.unwrap_or(&text).to_owned(), hint, exit_code(error.kind()))
            }
            Self::Local(message) => (local("local"), message.clone(), None, 1),
        };
        if output.json {
            body["message"] = text.into();
            body["hint"] = hint.into();
            output.error_line(&json!({"error": body}).to_string());
        } else {
            output.error(&text);
            if let Some(hint) = hint {
                output.hint(&hint);
            }
        }
        ExitCode::from(code)
    }
}

/// Returns the fields of an error that involves no server and no operation.
fn local(kind: &str) -> serde_json::Value {
    json!({
        "kind": kind, "status": null, "code": null, "retry_after": null, "operation": null, "request_id": null,
        "idempotency_key": null,
        "hint": null,
    })
}

/// Returns the exit code of an error kind, part of the contract with scripts.
fn exit_code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::InvalidArgument | ErrorKind::Config => 2,
        ErrorKind::Auth
        | ErrorKind::TwoFactorRequired
        | ErrorKind::TwoFactorInvalid
        | ErrorKind::ReauthRequired => 3,
        ErrorKind::NotFound => 4,
        ErrorKind::Conflict | ErrorKind::Validation | ErrorKind::CredentialDowngrade => 5,
        ErrorKind::RateLimit => 6,
        ErrorKind::Server | ErrorKind::Api | ErrorKind::Decode => 7,
        ErrorKind::Network => 8,
        ErrorKind::Busy | ErrorKind::CredentialBusy => 9,
        ErrorKind::Refused => 10,
        _ => 1,
    }
}

/// The error code of a call that needs a key when there is none.
pub(crate) const NO_KEY: &str = "NO_API_KEY";

/// Returns what to do next: the library's advice, unless that is for programs or the command line knows more.
pub(crate) fn hint(error: &Error, base_url: Option<&str>) -> Option<String> {
    let path =
        base_url.and_then(|url| Some(url.parse::<url::Url>().ok()?.path().trim_matches('/').to_owned()));
    let is_login = error.operation() == Some("get_auth_token");
    let own = match (error.kind(), error.status()) {
        (ErrorKind::Auth, _) if error.code() == Some(NO_KEY) => {
            "`colony auth login` keeps a key, from stdin or typed; or set COLONY_API_KEY, or pass --api-key-file FILE"
        }
        (ErrorKind::Auth, Some(401)) => {
            "`colony auth status --verify` shows which key is in use and what the server says of it; `colony auth login` \
             keeps another"
        }
        (ErrorKind::Refused, _) if matches!(error.code(), Some("access" | "denied")) => {
            "the policy comes from --read-only, --allow and --deny, and from the profile (`colony config list`)"
        }
        (ErrorKind::TwoFactorRequired, _) => "set COLONY_TOTP to the current code of your authenticator",
        _ if error.hint().is_some_and(|hint| hint.contains("totp")) => {
            "set COLONY_TOTP to a new code of your authenticator"
        }
        (ErrorKind::RateLimit, _) if is_login => {
            "`colony auth status` shows the cool-down; `colony auth refresh --force` overrides it"
        }
        (ErrorKind::RateLimit, Some(_)) if error.retry_after().is_some() => {
            "wait that long, then run it again"
        }
        (ErrorKind::RateLimit, Some(_)) => "wait a minute, then run it again",
        // An unreadable reply from the API comes from the right address.
        (ErrorKind::Decode, _) if error.code() != Some(NOT_JSON) => return error.hint().map(str::to_owned),
        (ErrorKind::NotFound | ErrorKind::Api | ErrorKind::Decode, _) if path.as_deref() == Some("") => {
            let url = base_url.unwrap_or_default().trim_end_matches('/');
            return Some(format!(
                "the address {url} has no path; is it {url}/api/v1? (--base-url, COLONY_BASE_URL)"
            ));
        }
        (ErrorKind::Network, _) if error.hint().is_none() => {
            let url = base_url?;
            return Some(format!(
                "check the connection, and the address {url} (--base-url, COLONY_BASE_URL)"
            ));
        }
        _ => return error.hint().map(str::to_owned),
    };
    Some(own.to_owned())
}

/// Prints clap's message about wrong usage, or the requested help.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    let output = Output::new(json, false);
    if !error.use_stderr() {
        help::print(&error.render(), &output);
        return output.finish().map_or_else(|failure| failure.report(None, &output), |()| ExitCode::SUCCESS);
    }
    let advice = help::advice(error);
    if json {
        let mut body = local("invalid_argument");
        body["message"] = error.render().to_string().trim().into();
        body["hint"] = advice.into();
        output.error_line(&json!({"error": body}).to_string());
    } else {
        let text = error.render();
        let text = if stderr_has_colour() { text.ansi().to_string() } else { text.to_string() };
        output.error_line(text.trim_end());
        if let Some(advice) = advice {
            output.hint(&advice);
        }
    }
    ExitCode::from(2)
}
