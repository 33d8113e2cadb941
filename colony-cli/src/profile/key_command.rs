//! A key that another program prints, such as a password manager (`api_key_command` of a profile).

use std::{
    io::{IsTerminal as _, Read as _},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use colony_core::{Error, ErrorKind, Result};
use secrecy::{ExposeSecret as _, SecretString};

use crate::input::{self, tidy_secret};

/// The most that is read of the program's output, in bytes. A key is much shorter.
const LONGEST: u64 = 64 * 1024;

/// The program that prints a profile's key, and its arguments. It runs without a shell.
#[derive(Clone)]
pub(crate) struct KeyCommand {
    profile: String,
    program: String,
    arguments: Vec<String>,
}

impl KeyCommand {
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the command names no program.
    pub(super) fn new(profile: &str, command: &[String]) -> Result<Self> {
        let Some((program, arguments)) = command.split_first().filter(|(program, _)| !program.is_empty())
        else {
            let message = format!("api_key_command of the profile {profile} names no program");
            return Err(Error::build(ErrorKind::Config, message)
                .hint(
                    "Give a program and its arguments: `colony config set api_key_command pass show colony`",
                )
                .finish());
        };
        Ok(Self { profile: profile.to_owned(), program: program.clone(), arguments: arguments.to_vec() })
    }

    /// Returns the program's name. Its arguments may be confidential.
    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    /// Returns the key. The program runs once per process; `anew` runs it again.
    ///
    /// # Errors
    ///
    /// As [`ask`](Self::ask).
    pub(crate) fn key(&self, anew: bool) -> Result<SecretString> {
        // A process uses one profile.
        static PRINTED: Mutex<Option<SecretString>> = Mutex::new(None);
        let mut printed = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = printed.as_ref().filter(|_| !anew) {
            return Ok(key.clone());
        }
        let key = self.ask()?;
        Ok(printed.insert(key).clone())
    }

    /// Runs the program and reads the key from its standard output.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if it cannot be started, [`ErrorKind::Auth`] if it fails or prints anything but one key.
    fn ask(&self) -> Result<SecretString> {
        // It may ask a person, on the terminal; scripts read stderr. Stdin is reserved for this program's own
        // arguments.
        let stderr = if std::io::stderr().is_terminal() { Stdio::inherit() } else { Stdio::null() };
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(|error| self.failed(ErrorKind::Config, &format!("cannot be started: {error}")))?;
        let mut printed = Vec::new();
        let read = child.stdout.take().map(|stdout| stdout.take(LONGEST).read_to_end(&mut printed));
        let ended = child.wait();
        read.transpose()
            .and(ended.map(Some))
            .map_err(|error| self.failed(ErrorKind::Auth, &format!("cannot be read: {error}")))?
            .filter(|status| !status.success())
            .map_or(Ok(()), |status| Err(self.failed(ErrorKind::Auth, &format!("failed ({status})"))))?;
        let text = input::decode(printed).map(SecretString::from);
        match text.as_ref().map(|text| tidy_secret(text.expose_secret())) {
            Some("") => Err(self.failed(ErrorKind::Auth, "printed nothing")),
            Some(key) if !key.contains(|c: char| c.is_whitespace() || c.is_control()) => {
                Ok(key.to_owned().into())
            }
            _ => Err(self.failed(ErrorKind::Auth, "printed something else than one key")),
        }
    }

    /// Returns an error that names the program and repeats nothing that it printed.
    fn failed(&self, kind: ErrorKind, why: &str) -> Error {
        let Self { profile, program, .. } = self;
        Error::build(kind, format!("{program:?}, the api_key_command of the profile {profile}, {why}"))
            .code("api_key_command")
            .hint(
                "Run it by hand: it must end with 0 and print the key, and nothing else, on stdout; `colony config set \
                 api_key_command PROGRAM` names another",
            )
            .finish()
    }
}
