//! Why a command failed, and how that is told.

use std::process::ExitCode;

use colony_core::{Error, ErrorKind};
use serde_json::json;

use crate::output::Output;

/// A failed command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A call failed, or an argument was refused.
    Api(Error),
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
    /// A wrong argument: what is wrong, and what to do.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Api(Error::build(ErrorKind::InvalidArgument, message).finish())
    }

    /// What went wrong, in a sentence.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Api(error) => error.message(),
            Self::Local(message) => message,
        }
    }

    /// Prints the failure and gives the exit code.
    pub(crate) fn report(&self, output: &Output) -> ExitCode {
        match self {
            Self::Api(error) => {
                if output.json {
                    let body = json!({"error": {
                        "kind": error.kind().as_str(),
                        "status": error.status(),
                        "code": error.code(),
                        "message": error.to_string(),
                        "retry_after": error.retry_after().map(|wait| wait.as_secs()),
                        "idempotency_key": error.idempotency_key(),
                    }});
                    output.error_line(&body.to_string());
                } else {
                    output.error(&error.to_string());
                    if let Some(step) = next_step(error) {
                        output.hint(step);
                    }
                }
                ExitCode::from(exit_code(error.kind()))
            }
            Self::Local(message) => {
                if output.json {
                    let body = json!({"error": {
                        "kind": "local", "status": null, "code": null, "message": message, "retry_after": null,
                    }});
                    output.error_line(&body.to_string());
                } else {
                    output.error(message);
                }
                ExitCode::FAILURE
            }
        }
    }
}

/// The exit code of a kind of error, part of the contract with scripts.
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
        _ => 1,
    }
}

/// The command to type next, where there is one.
fn next_step(error: &Error) -> Option<&'static str> {
    Some(match error.kind() {
        ErrorKind::Auth if error.status().is_none() => {
            "colony auth login < FILE   keeps a key; or export COLONY_API_KEY=col_…, or pass --api-key-file FILE"
        }
        ErrorKind::Auth => {
            "colony auth status --verify   shows which key is in use and what the server says of it"
        }
        ErrorKind::TwoFactorRequired => "set COLONY_TOTP to the current code of your authenticator",
        ErrorKind::RateLimit => {
            "colony auth status   shows a cool-down; colony auth refresh --force overrides it"
        }
        ErrorKind::Network => "colony sandbox   runs a local server to try against",
        _ => return None,
    })
}

/// Prints what clap says about wrong usage, or the help that was asked for.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    if json && error.use_stderr() {
        let message = error.render().to_string();
        let body = json!({"error": {
            "kind": "invalid_argument", "status": null, "code": null, "message": message.trim(), "retry_after": null,
        }});
        Output::new(true, false).error_line(&body.to_string());
    } else {
        let _ = error.print();
    }
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}
