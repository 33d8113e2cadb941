//! `colony exec`: runs a command with a token, and without the key.
//!
//! On Unix the command replaces this process (execve(2)): it handles its own signals, stops and exit code, with
//! nothing in between. With `--proxy`, another process of this program keeps the proxy running beside it: see
//! [`crate::proxied`].

use std::{ffi::OsString, process::Command};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::{
    args::{ExecArgs, Global, Toward},
    auth::{Want, end, obtain},
    client,
    failure::Failure,
    output::Output,
    proxied,
};

/// Variables with secrets that the command must not get, and with an outdated token.
const WITHHELD: [&str; 7] = [
    "COLONY_API_KEY",
    "COLONY_TOTP",
    "COLONY_CLIENT_SECRET",
    "COLONY_WEBHOOK_SECRET",
    TOKEN_VARIABLE,
    "COLONY_TOKEN_EXPIRES_AT",
    PROXY_VARIABLE,
];
/// The variable for the token, unless `--env` names another.
pub(crate) const TOKEN_VARIABLE: &str = "COLONY_TOKEN";
/// The variable for the address of the command's proxy.
pub(crate) const PROXY_VARIABLE: &str = "COLONY_PROXY_URL";
/// The capacity that every system's pipe has.
#[cfg(unix)]
const MOST: usize = 16 * 1024;

pub(crate) fn run(global: &Global, args: ExecArgs, output: &Output) -> Result<(), Failure> {
    // Reserved while no other open file can have its number.
    let descriptor = args.fd.map(Descriptor::reserve).transpose()?;
    let ExecArgs { audience, id_token, min_ttl, env, proxy, line, .. } = args;
    let (global, allow) = &proxied::patterns(global)?;
    // The proxy needs the other service's address.
    let toward: Option<Toward> = match &audience {
        Some(text) if proxy => {
            Some(text.parse().map_err(|why| Failure::usage(format!("--audience {text}: {why}")))?)
        }
        _ => None,
    };
    let audience = toward.as_ref().map_or(audience, |toward| Some(toward.audience.clone()));
    let runtime = crate::runtime()?;
    let want = Want { audience, id_token, min_ttl };
    let details = runtime.block_on(obtain(global, &want, output))?;
    runtime.shutdown_background();
    let (program, arguments) =
        line.split_first().ok_or_else(|| Failure::usage("no command is given after `--`"))?;
    let mut command = Command::new(program);
    command.args(arguments);
    for name in WITHHELD {
        command.env_remove(name);
    }
    // `colony` inside the command must use the same service and account.
    command.env("COLONY_BASE_URL", client::base_url(global)?);
    if let Some(profile) = &global.profile {
        command.env("COLONY_PROFILE", profile);
    }
    if proxy {
        let kept = proxied::keep(global, toward.as_ref(), allow, &details.token)?;
        if toward.is_none() {
            command.env("COLONY_BASE_URL", &kept.base_url);
        }
        command.env(PROXY_VARIABLE, &kept.base_url);
        command.env(env.as_deref().unwrap_or(TOKEN_VARIABLE), kept.token.expose_secret());
        reach_directly(&mut command);
        return replace(command, program, None);
    }
    let (token, expires_at) = (details.token.expose_secret(), end(&details));
    if let Some(descriptor) = descriptor {
        let text = json!({
            "token": token, "token_type": "Bearer", "expires_at": expires_at, "audience": want.audience,
        });
        command.env("COLONY_TOKEN_FD", descriptor.number.to_string());
        return replace(command, program, Some((descriptor, format!("{text}\n").into())));
    }
    let name = env.as_deref().unwrap_or(TOKEN_VARIABLE);
    command.env(name, token).env(format!("{name}_EXPIRES_AT"), expires_at.to_string());
    replace(command, program, None)
}

/// Makes the command's requests to its proxy bypass any other proxy.
fn reach_directly(command: &mut Command) {
    const LOOPBACK: &str = "127.0.0.1";
    if !["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some())
    {
        return;
    }
    for name in ["no_proxy", "NO_PROXY"] {
        let set = std::env::var(name).unwrap_or_default();
        let direct = if set.is_empty() { LOOPBACK.to_owned() } else { format!("{set},{LOOPBACK}") };
        command.env(name, direct);
    }
}

/// A descriptor with a given number, from which the command reads its token.
struct Descriptor {
    number: u16,
    #[cfg(unix)]
    reader: std::os::fd::OwnedFd,
    #[cfg(unix)]
    writer: std::io::PipeWriter,
}

#[cfg(unix)]
impl Descriptor {
    fn reserve(number: u16) -> Result<Self, Failure> {
        use std::os::fd::AsRawFd as _;

        let (reader, writer) = std::io::pipe()?;
        // The lowest free descriptor from that number on.
        let reader =
            rustix::io::fcntl_dupfd_cloexec(&reader, i32::from(number)).map_err(std::io::Error::from)?;
        if reader.as_raw_fd() != i32::from(number) {
            return Err(Failure::usage(format!("--fd {number}: this descriptor is in use; take another")));
        }
        Ok(Self { number, reader, writer })
    }

    /// Puts the text where the command reads it, and lets the command inherit the descriptor.
    fn fill(self, text: &SecretString) -> Result<std::os::fd::OwnedFd, Failure> {
        use std::io::Write as _;

        let Self { reader, mut writer, .. } = self;
        if text.expose_secret().len() > MOST {
            return Err(Failure::Local("the token is too long for a pipe; see --env".to_owned()));
        }
        writer.write_all(text.expose_secret().as_bytes())?;
        rustix::io::fcntl_setfd(&reader, rustix::io::FdFlags::empty()).map_err(std::io::Error::from)?;
        Ok(reader)
    }
}

#[cfg(not(unix))]
impl Descriptor {
    fn reserve(_: u16) -> Result<Self, Failure> {
        Err(Failure::usage("--fd: this system hands no descriptors on; see --env"))
    }
}

/// Replaces this program with the command.
#[cfg(unix)]
fn replace(
    mut command: Command,
    program: &OsString,
    descriptor: Option<(Descriptor, SecretString)>,
) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt as _;

    let _open = descriptor.map(|(descriptor, text)| descriptor.fill(&text)).transpose()?;
    let error = command.exec();
    Err(Failure::Local(format!("{} cannot be run: {error}", program.to_string_lossy())))
}

/// Runs the command and exits with its status.
#[cfg(not(unix))]
fn replace(
    mut command: Command,
    program: &OsString,
    _: Option<(Descriptor, SecretString)>,
) -> Result<(), Failure> {
    let status = command
        .status()
        .map_err(|error| Failure::Local(format!("{} cannot be run: {error}", program.to_string_lossy())))?;
    crate::signals::end(status.code().unwrap_or(1))
}
