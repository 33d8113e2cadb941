//! `colony auth log`: the history of this host's tokens, from the logs beside them.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::PathBuf,
    time::Duration,
};

use colony_async::{CacheDirectory, LOG_FILE, credential::default_directory};
use serde_json::Value;

use crate::{
    failure::Failure,
    output::{Output, moment, one_line},
};

/// The pause between looks for new lines.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) async fn run(follow: bool, output: &Output) -> Result<(), Failure> {
    let mut logs: BTreeMap<PathBuf, u64> = BTreeMap::new();
    loop {
        let mut lines = Vec::new();
        for log in files() {
            let before = logs.get(&log).copied().unwrap_or_default();
            if let Ok((found, end)) = read(&log, before) {
                lines.extend(found);
                logs.insert(log, end);
            }
        }
        let at = |line: &Value| line["at"].as_f64().unwrap_or_default();
        lines.sort_by(|a, b| at(a).total_cmp(&at(b)));
        for line in &lines {
            if output.json {
                output.line(&line.to_string());
            } else {
                output.line(&told(line));
            }
        }
        if !follow {
            return Ok(());
        }
        output.finish()?;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns the logs of the login's tokens and of credentials, each log's older part first.
fn files() -> Vec<PathBuf> {
    let mut directories = CacheDirectory::from_environment().all;
    if let Ok(credentials) = default_directory() {
        let profiles = std::fs::read_dir(credentials.join("profiles")).into_iter().flatten().flatten();
        directories.extend(profiles.map(|entry| entry.path()));
        directories.push(credentials);
    }
    directories.into_iter().map(|directory| directory.join(LOG_FILE)).collect()
}

/// Returns the whole lines from an offset, and the offset where they end. A log that became shorter is read from its
/// start.
fn read(path: &PathBuf, from: u64) -> std::io::Result<(Vec<Value>, u64)> {
    let mut file = File::open(path)?;
    let from = if file.metadata()?.len() < from { 0 } else { from };
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let lines = bytes[..end].split(|byte| *byte == b'\n');
    let read = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    Ok((read, from + end as u64))
}

/// Returns a line for people.
fn told(line: &Value) -> String {
    let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let mut told = format!(
        "{}  {:<9}  {} ({})  {}",
        moment(line["at"].as_f64().unwrap_or_default()),
        text("event"),
        text("program"),
        line["process"],
        text("name"),
    );
    for name in ["audience", "kind", "token"] {
        if line[name].is_string() {
            told += &format!("  {name} {}", text(name));
        }
    }
    if let Some(status) = line["status"].as_u64() {
        told += &format!("  status {status}");
    }
    if let Some(end) = line["expires_at"].as_f64() {
        told += &format!("  ends {}", moment(end));
    }
    one_line(&told)
}
