//! `colony doctor`: finds problems with the login on this host, and the commands that fix them.
//!
//! It makes no lasting change. It reports the problems that a command would run into: each check is one line, with the
//! command that fixes it.

mod files;
mod online;
mod store;

use std::path::Path;

use colony_async::{CacheDirectory, TokenStatus, credential::Credential};
use colony_core::{openid::discovery::is_loopback, token::cache_path};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::Url;

use crate::{
    args::{DoctorArgs, Global},
    auth::{self, Tool},
    client::{self, CacheSettings, Found},
    failure::Failure,
    forward,
    output::{Output, moment, one_line, span},
    profile::{OpenIdLogin, Profiles, Storage},
};

/// Stores a key.
const LOGIN: &str = "colony auth login";
/// Names the program that prints the key.
const NAME_PROGRAM: &str = "colony config set api_key_command PROGRAM";

/// The checks so far.
#[derive(Default)]
struct Report(Vec<Line>);

struct Line {
    check: &'static str,
    says: String,
    /// The command to type; `None` if nothing is wrong.
    next: Option<String>,
}

impl Report {
    fn ok(&mut self, check: &'static str, says: impl Into<String>) {
        self.0.push(Line { check, says: says.into(), next: None });
    }

    fn found(&mut self, check: &'static str, says: impl Into<String>, next: impl Into<String>) {
        self.0.push(Line { check, says: says.into(), next: Some(next.into()) });
    }

    /// Adds one line saying that all is well, if the check found nothing.
    fn unless_found(&mut self, check: &'static str, says: impl Into<String>) {
        if self.0.iter().all(|line| line.check != check) {
            self.ok(check, says);
        }
    }
}

pub(crate) async fn run(global: &Global, args: &DoctorArgs, output: &Output) -> Result<(), Failure> {
    let mut report = Report::default();
    report.ok("version", concat!("colony ", env!("CARGO_PKG_VERSION")));
    settings(global, &mut report);
    let directory = CacheDirectory::from_environment();
    files::place(&directory, &mut report);
    files::modes(&directory, &mut report);
    files::tokens(&directory, &mut report);
    files::locks(&directory, &mut report);
    files::left_over(&directory, &mut report);
    profile(global, &mut report).await;
    login(global, &directory, &mut report);
    store::run(global, &mut report).await;
    if args.online {
        online::run(global, &mut report).await;
    }
    let findings = report.0.iter().filter(|line| line.next.is_some()).count();
    if output.json {
        let line = |line: &Line| json!({"check": line.check, "ok": line.next.is_none(), "says": line.says, "next": line.next});
        let checks: Vec<Value> = report.0.iter().map(line).collect();
        output.value(&json!({"ok": findings == 0, "findings": findings, "checks": checks}));
    } else {
        for Line { check, says, next } in &report.0 {
            let says = one_line(says);
            output.line(&match next {
                None => format!("ok     {check:<12} {says}"),
                Some(next) => format!("wrong  {check:<12} {says}; type: {}", one_line(next)),
            });
        }
    }
    match findings {
        0 => Ok(()),
        1 => Err(Failure::Local("one thing is wrong; its line says what to type".to_owned())),
        _ => Err(Failure::Local(format!("{findings} things are wrong; each line says what to type"))),
    }
}

/// Checks the environment's settings.
fn settings(global: &Global, report: &mut Report) {
    let environment = cache_path::from_environment();
    for problem in &environment.problems {
        report.found("settings", problem, format!("unset {}", cache_path::TTL_VARIABLE));
    }
    if environment.disabled {
        let name = cache_path::DISABLED_VARIABLE;
        report.found(
            "settings",
            format!("{name} turns the token cache off: each command logs in"),
            format!("unset {name}"),
        );
    } else if !CacheSettings::new(global).is_on && !global.no_cache {
        let name = cache_path::TTL_VARIABLE;
        report.found("settings", format!("{name} is 0: each command logs in"), format!("unset {name}"));
    }
    report.unless_found("settings", "the token cache is on");
    if let Some(path) = &global.ca_file {
        match forward::authorities(path) {
            Ok(_) => report.ok("authorities", path.display().to_string()),
            Err(failure) => report.found("authorities", failure.message(), "export COLONY_CA_FILE=FILE.pem"),
        }
    }
    let Ok(base_url) = client::base_url(global) else { return };
    let url: Option<Url> = base_url.parse().ok();
    match url {
        None => report.found("address", format!("{base_url} is no address"), "unset COLONY_BASE_URL"),
        Some(url) if url.scheme() == "http" && !is_loopback(&url) => report.found(
            "address",
            format!("{base_url} is reached without TLS: the key is sent in the clear"),
            format!("export COLONY_BASE_URL={}", base_url.replacen("http://", "https://", 1)),
        ),
        Some(url) if url.path().trim_matches('/').is_empty() => report.found(
            "address",
            format!("{base_url} has no path, and the API's is /api/v1"),
            format!("export COLONY_BASE_URL={}/api/v1", base_url.trim_end_matches('/')),
        ),
        Some(_) => report.ok("address", base_url),
    }
}

/// Checks the profile: its file, the tools that use it, and its login at a provider.
async fn profile(global: &Global, report: &mut Report) {
    let chosen = match client::chosen(global) {
        Ok(chosen) => chosen,
        Err(failure) => {
            let next = match Profiles::from_environment() {
                Err(_) => "export HOME=YOUR_HOME".to_owned(),
                Ok(profiles) => {
                    let name = client::profile_name(global, Some(&profiles));
                    let path = profiles.path(&name);
                    if files::is_readable_by_others(&path) {
                        format!("chmod 600 {}", path.display())
                    } else {
                        let path = path.display();
                        format!("mv {path} {path}.old; colony --profile {name} auth login")
                    }
                }
            };
            return report.found("profile", failure.message(), next);
        }
    };
    let profile = match chosen.existing() {
        Ok(profile) => profile,
        Err(failure) => {
            return report.found(
                "profile",
                failure.message(),
                format!("colony --profile {} auth login", chosen.name),
            );
        }
    };
    let Some(profile) = profile else { return report.ok("profile", "none yet") };
    report.ok("profile", format!("{} at {}", chosen.name, profile.base_url));
    for (tool, hosts) in &profile.helpers {
        for host in hosts.keys().filter(|_| *tool == Tool::Git) {
            if !auth::git_is_configured(host) {
                let next = format!("colony auth helper install git {host}");
                report.found("helpers", format!("git does not use colony for {host}"), next);
            }
        }
    }
    report.unless_found("helpers", "git uses colony where it has a login");
    if let Some(login) = &profile.openid {
        credential(&chosen.name, login, report).await;
    }
}

/// Checks the credential of a login at a provider.
async fn credential(name: &str, login: &OpenIdLogin, report: &mut Report) {
    let colony = if name == "default" { "colony".to_owned() } else { format!("colony --profile {name}") };
    let again = format!("{colony} auth login --client-id {}", login.client_id);
    if let Some(path) = &login.client_secret_file
        && let Err(error) = std::fs::metadata(path)
    {
        let says = format!("the app's secret cannot be read from {}: {error}", path.display());
        report.found("app secret", says, format!("{again} --client-secret-file FILE"));
    }
    if login.storage == Storage::Keyring && !cfg!(feature = "keyring") {
        let says = "the credential is in the keyring, which this build cannot use";
        return report.found("keyring", says, format!("{again} --storage file"));
    }
    let store = match auth::credential_store(name, login) {
        Ok(store) => store,
        Err(failure) => return report.found("credential", failure.message(), again),
    };
    let status = store.status().await;
    let file = status.file.display();
    match (&status.problem, &status.credential) {
        (Some(problem), _) => {
            report.found(
                "credential",
                format!("{file}: {problem}; move it away, then log in again"),
                format!("mv {file} {file}.old; {again}"),
            );
        }
        (None, None) => report.found("credential", format!("there is none in {file}"), again),
        (None, Some(_)) if status.is_copied => {
            let says = format!("{file} is a copy of a store in another place: nothing is refreshed");
            report.found("credential", says, format!("{colony} auth adopt"));
        }
        (None, Some(_)) if status.is_refused => {
            report.found("credential", format!("{file}: the provider refused the refresh token"), again);
        }
        (None, Some(known)) if !Credential::is_refreshable(known) => {
            report.found("credential", format!("{file} has no refresh token"), again);
        }
        (None, Some(_)) => match status.refreshing_since {
            Some(since) => report.found(
                "credential",
                format!("{file}: what came of the refresh of {} is not known", moment(since)),
                format!("{colony} auth refresh || {again}"),
            ),
            None => report.ok("credential", file.to_string()),
        },
    }
}

/// Checks the login by key: the key's source, its cached token, and a cool-down.
fn login(global: &Global, directory: &CacheDirectory, report: &mut Report) {
    let found = match client::find_key(global) {
        Ok(found) => found,
        // Already reported for the profile.
        Err(_) if report.0.iter().any(|line| line.check == "profile" && line.next.is_some()) => return,
        Err(failure) => return report.found("key", failure.message(), key_remedy(global)),
    };
    let (key, source) = match found {
        None => {
            let has_login =
                client::chosen(global).is_ok_and(|it| it.profile.is_some_and(|it| it.has_login()));
            if !has_login {
                report.found("key", "there is no login", "colony auth login");
            }
            return;
        }
        // It may prompt a person.
        Some(Found::Command(command, _)) => {
            match which(command.program()) {
                true => report.ok("key", format!("printed by {:?}, which was not asked", command.program())),
                false => report.found(
                    "key",
                    format!("the program {:?} (api_key_command) is not there", command.program()),
                    NAME_PROGRAM,
                ),
            }
            return;
        }
        Some(Found::Key(key, source)) => (key, source),
    };
    if !key.expose_secret().starts_with("col_") {
        return report.found(
            "key",
            format!("the value from {source} is not an API key: keys begin with col_"),
            "colony auth login",
        );
    }
    report.ok("key", format!("from {source}"));
    let (Some(directory), Ok(base_url)) = (&directory.path, client::base_url(global)) else { return };
    // Reading in a directory that others can write would close it to them.
    if files::open_mode(directory).is_some() {
        return;
    }
    let now = client::now();
    let status = TokenStatus::read(directory, &base_url, &key, None, now);
    match status.cool_down {
        Some(left) => report.found(
            "cool-down",
            format!(
                "the server refused a login with 429; none is tried for {}",
                span(left.as_secs_f64().ceil())
            ),
            "colony auth refresh --force",
        ),
        None => report.ok("cool-down", "none"),
    }
    match status.fresh_until {
        Some(until) if status.is_fresh => report.ok("token", format!("fresh until {}", moment(until))),
        _ => report.ok("token", "none that is fresh: the next call logs in"),
    }
}

/// Returns the fix for a key that cannot be read.
fn key_remedy(global: &Global) -> String {
    let of_profile = || {
        let chosen = client::chosen(global).ok()?;
        let profile = chosen.profile.as_ref()?;
        if let Some(given) = &global.base_url
            && client::check_place(&chosen.name, profile, given).is_err()
        {
            return Some("unset COLONY_BASE_URL".to_owned());
        }
        if profile.api_key_command.is_some() {
            return Some(NAME_PROGRAM.to_owned());
        }
        match profile.api_key? {
            Storage::Keyring => Some(format!("{LOGIN} --storage file")),
            Storage::File => {
                let file = chosen.profiles.as_ref()?.key(&chosen.name, Storage::File).ok()?.place();
                files::is_readable_by_others(Path::new(&file)).then(|| format!("chmod 600 {file}"))
            }
        }
    };
    of_profile().unwrap_or_else(|| LOGIN.to_owned())
}

/// Returns whether a program can be found.
fn which(program: &str) -> bool {
    if program.contains(std::path::MAIN_SEPARATOR) {
        return std::fs::metadata(program).is_ok();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| {
        let file = directory.join(program);
        file.is_file() || cfg!(windows) && file.with_extension("exe").is_file()
    })
}
