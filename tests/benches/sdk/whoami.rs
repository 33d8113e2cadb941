//! `colony whoami` from its start to its exit, with a token in the cache file, against a program that gets the token
//! and makes the same call with reqwest alone. Whole processes run in turn.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use secrecy::ExposeSecret;

use crate::{Outcome, pairs, server};

const RUNS: usize = 101;

pub(crate) fn run() -> Outcome {
    // Built as installed: without the reqwest features that the benchmarks add.
    let directory = build()?;
    let base_url = server::start()?;
    let cache = tempfile::tempdir()?;
    let client = colony_blocking::Client::builder("col_bench")
        .base_url(&base_url)
        .token_cache_dir(cache.path().join("cache"))
        .build()?;
    let token = client.auth().token()?.expose_secret().to_owned();

    let environment = [
        ("COLONY_BASE_URL", OsStr::new(&base_url).to_owned()),
        ("COLONY_API_KEY", "col_bench".into()),
        ("COLONY_TOKEN", token.into()),
        ("COLONY_SDK_TOKEN_CACHE_DIR", cache.path().join("cache").into()),
    ];
    let command = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(directory.join(program));
        command.args(arguments).env_clear().envs(environment.clone());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let whoami = || command("colony", &["whoami"]);
    for (name, arguments) in
        [("colony whoami", &[][..]), ("colony whoami; bare without certificates", &["--no-certificates"][..])]
    {
        let bare = || command("bare_whoami", arguments);
        let mut times = Vec::new();
        for run in 0..RUNS + 2 {
            let pair = (timed(whoami())?, timed(bare())?);
            if run >= 2 {
                times.push(pair);
            }
        }
        pairs::print_line(name, 1, &times);
        let peak = (peak_memory(&whoami())?, peak_memory(&bare())?);
        if let (Some(sdk), Some(bare)) = peak {
            println!("{:<44} {sdk:>7} KB {bare:>7} KB", format!("{name}, peak memory"));
        }
    }
    Ok(())
}

/// Builds both programs in release mode and returns their directory.
fn build() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(3).ok_or("this program is not in a target directory")?;
    for package in [&["-p", "colony-cli"][..], &["-p", "colony-tests", "--bin", "bare_whoami"]] {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--release", "--manifest-path"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
            .arg("--target-dir")
            .arg(target)
            .args(package)
            .status()?;
        if !built.success() {
            return Err(format!("cargo build {package:?}: {built}").into());
        }
    }
    Ok(target.join("release"))
}

fn timed(mut command: Command) -> Result<Duration, Box<dyn std::error::Error>> {
    let start = Instant::now();
    let status = command.status()?;
    let took = start.elapsed();
    if status.success() { Ok(took) } else { Err(format!("{command:?}: {status}").into()) }
}

/// Returns the peak resident memory, in KB: the median of eleven runs under GNU time, if that is installed. GNU time
/// is small, which matters because the kernel also counts the parent's memory.
fn peak_memory(command: &Command) -> Result<Option<u64>, Box<dyn std::error::Error>> {
    let time = Path::new("/usr/bin/time");
    if !time.exists() {
        return Ok(None);
    }
    let mut peaks = Vec::new();
    for _ in 0..11 {
        let mut timed = Command::new(time);
        timed.args(["-f", "peak=%M"]).arg(command.get_program()).args(command.get_args()).env_clear();
        timed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = timed.stdout(Stdio::null()).output()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let peak = text.lines().find_map(|line| line.strip_prefix("peak=")?.parse().ok());
        peaks.push(peak.ok_or_else(|| format!("no figure in {text:?}"))?);
    }
    peaks.sort_unstable();
    Ok(Some(peaks[peaks.len() / 2]))
}
