//! Checks of the token cache's files.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use colony_async::CacheDirectory;
use colony_core::token::freshness::unix_seconds;

use super::Report;
use crate::output::moment;

/// The age at which a temporary file counts as left over, in seconds: writing one takes less.
const LEFT: f64 = 60.0;

/// Checks the shared token directory, and whether files can be created and locked there.
pub(super) fn place(directory: &CacheDirectory, report: &mut Report) {
    if let Some(reason) = &directory.reason {
        let next = match &directory.path {
            Some(path) => format!("export COLONY_SDK_TOKEN_CACHE_DIR={}", path.display()),
            None => "export COLONY_SDK_TOKEN_CACHE_DIR=A_DIRECTORY_OF_YOURS".to_owned(),
        };
        report.found("place", reason, next);
    }
    let Some(path) = &directory.path else { return };
    report.unless_found("place", path.display().to_string());
    // Nothing is created just for a check.
    let there = path.ancestors().find(|path| path.is_dir()).unwrap_or(path);
    let elsewhere = "export COLONY_SDK_TOKEN_CACHE_DIR=A_DIRECTORY_ON_A_LOCAL_DISK";
    match locks_work(there) {
        Ok(true) => report.ok("file system", format!("files and locks work in {}", there.display())),
        Ok(false) => report.found(
            "file system",
            format!("locks do not hold in {}: programs that start together each log in", there.display()),
            elsewhere,
        ),
        Err(error) => {
            report.found(
                "file system",
                format!("no file can be made and locked in {}: {error}", there.display()),
                elsewhere,
            );
        }
    }
}

/// Returns whether a lock excludes another one, tried on a temporary file.
fn locks_work(directory: &Path) -> io::Result<bool> {
    let file = tempfile::Builder::new().prefix(".colony-doctor-").tempfile_in(directory)?;
    let second = File::options().read(true).write(true).open(file.path())?;
    match file.as_file().try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    Ok(matches!(second.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Checks who may write in the directories.
pub(super) fn modes(directory: &CacheDirectory, report: &mut Report) {
    for (path, mode) in directory.all.iter().filter_map(|path| Some((path, open_mode(path)?))) {
        let says = format!("others can write in {} ({mode:o}): nothing in it is believed", path.display());
        report.found("modes", says, format!("chmod 700 {}", path.display()));
    }
    report.unless_found("modes", "the cache is closed to others");
}

/// Returns the mode of a directory in which others can write.
#[cfg(unix)]
pub(super) fn open_mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o022 != 0).then_some(mode)
}

/// This system has no file modes.
#[cfg(not(unix))]
pub(super) fn open_mode(_: &Path) -> Option<u32> {
    None
}

/// Returns whether others can read a file that should be this user's only.
#[cfg(unix)]
pub(super) fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|facts| facts.permissions().mode() & 0o077 != 0)
}

/// This system has no file modes.
#[cfg(not(unix))]
pub(super) fn is_readable_by_others(_: &Path) -> bool {
    false
}

/// Checks for token files that cannot be read.
pub(super) fn tokens(directory: &CacheDirectory, report: &mut Report) {
    let mut count = 0;
    // In a directory that others can write, no file is trusted.
    for path in directory.all.iter().filter(|path| open_mode(path).is_none()) {
        let cached = match colony_async::cached_tokens(path, None, SystemTime::now()) {
            Ok(cached) => cached,
            Err(error) => {
                report.found(
                    "token files",
                    format!("{}: {error}", path.display()),
                    format!("ls -ld {}", path.display()),
                );
                continue;
            }
        };
        for token in cached {
            // A note alone is no token.
            let is_there = token.file.symlink_metadata().is_ok();
            count += usize::from(is_there);
            if let Some(problem) = token.problem.filter(|_| is_there) {
                let file = token.file.display();
                report.found("token files", format!("{file}: {problem}"), format!("rm {file}"));
            }
        }
    }
    let files = if count == 1 { "file" } else { "files" };
    report.unless_found("token files", format!("{count} {files}"));
}

/// Checks for lock files that cannot be locked, and reports how long a holder has had one.
pub(super) fn locks(directory: &CacheDirectory, report: &mut Report) {
    for path in names(directory, |name| name.ends_with(".lock") || name.ends_with(".lock2")) {
        let shown = path.display();
        let facts = match path.symlink_metadata() {
            Ok(facts) if facts.is_file() => facts,
            Ok(_) => {
                report.found(
                    "locks",
                    format!("{shown} is no regular file, so it cannot be locked"),
                    format!("rm -r {shown}"),
                );
                continue;
            }
            // Removed in the meantime.
            Err(_) => continue,
        };
        let Ok(mut file) = File::options().read(true).write(true).open(&path) else {
            report.found("locks", format!("{shown} cannot be opened"), format!("rm {shown}"));
            continue;
        };
        match file.try_lock() {
            Ok(()) => continue,
            Err(TryLockError::Error(error)) => {
                report.found("locks", format!("{shown} cannot be locked: {error}"), format!("rm {shown}"));
                continue;
            }
            Err(TryLockError::WouldBlock) => {}
        }
        let mut text = Vec::new();
        let _ = file.by_ref().take(64).read_to_end(&mut text);
        let (process, left) = announcement(&text);
        let since = facts.modified().map_or(0.0, unix_seconds);
        let who =
            process.map_or_else(|| "another process".to_owned(), |process| format!("process {process}"));
        let says = format!("{shown} is held by {who}, which was last heard of {}", moment(since));
        if crate::client::now() - since <= left.as_secs_f64() {
            report.ok("locks", format!("{says}, and is at work"));
        } else {
            let next = process.map_or_else(
                || format!("fuser {shown}"),
                |process| format!("kill -CONT {process} || kill {process}"),
            );
            report.found("locks", format!("{says}, longer ago than its work takes"), next);
        }
    }
    report.unless_found("locks", "no lock is held");
}

/// Parses a holder's announcement, after a byte that is never read: its process id, and how long it may be working.
fn announcement(text: &[u8]) -> (Option<u32>, Duration) {
    let text = text.get(1..).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
    let mut numbers = text.lines().map(|line| line.parse::<u32>().ok());
    let process = numbers.next().flatten();
    (process, Duration::from_millis(numbers.next().flatten().unwrap_or_default().into()))
}

/// Checks for temporary files that killed processes left.
pub(super) fn left_over(directory: &CacheDirectory, report: &mut Report) {
    for path in names(directory, |name| name.starts_with('.') && name.ends_with(".tmp")) {
        let written =
            path.symlink_metadata().and_then(|facts| facts.modified()).map_or(f64::MAX, unix_seconds);
        if crate::client::now() - written > LEFT {
            let shown = path.display();
            report.found(
                "left over",
                format!("{shown} was left by a process that was killed"),
                format!("rm {shown}"),
            );
        }
    }
    report.unless_found("left over", "no temporary files");
}

fn names(directory: &CacheDirectory, is_one: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let read = directory.all.iter().filter_map(|directory| fs::read_dir(directory).ok());
    let mut found: Vec<PathBuf> = read
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(&is_one))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}
