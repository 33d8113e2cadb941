//! R15s: `strace -e inject` makes single system calls of a real process fail.

use std::{ffi::OsString, fs};

use super::{
    Ground, Outcome, Tally,
    scene::{DAY, Scene, mixed},
    warm::can_trace,
};
use crate::{
    crew::Worker,
    plan::{Order, Plan, digest},
};

/// System calls that fail, and how.
struct Case {
    /// The calls, with all their names on different systems.
    calls: &'static str,
    /// Only calls on this file: `json`, `lock`, `.` for the directory.
    path: Option<&'static str>,
    /// Only these of the calls, as strace counts them: `1`, `2+`.
    when: Option<&'static str>,
    errors: &'static [&'static str],
}

const fn case(calls: &'static str, path: Option<&'static str>, errors: &'static [&'static str]) -> Case {
    Case { calls, path, when: None, errors }
}

const DISK: &[&str] = &["EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES"];
const RENAME: &str = "?rename,?renameat,?renameat2";
const FACTS: &str = "?statx,?newfstatat,?fstat,?lstat,?stat";

const CASES: [Case; 15] = [
    case("fsync,fdatasync", None, &["EIO", "ENOSPC", "EDQUOT", "EROFS", "EINVAL"]),
    Case { calls: "fsync,fdatasync", path: None, when: Some("1"), errors: &["EINTR"] },
    case(RENAME, None, DISK),
    Case { calls: RENAME, path: None, when: Some("1"), errors: &["EINTR"] },
    case("flock", None, &["ENOLCK", "EOPNOTSUPP", "ENOSYS", "EIO", "EBADF", "ESTALE"]),
    Case { calls: "flock", path: None, when: Some("1..3"), errors: &["EINTR"] },
    case("ftruncate", None, &["EIO", "ENOSPC", "EROFS"]),
    case("?mkdir,?mkdirat", None, DISK),
    case("?unlink,?unlinkat", None, &["EIO", "EROFS", "EACCES"]),
    case("openat", Some("json"), &["EIO", "EACCES", "EMFILE", "ENFILE", "ESTALE"]),
    Case { calls: "openat", path: Some("json"), when: Some("1"), errors: &["EINTR"] },
    case("openat", Some("lock"), &["EIO", "EACCES", "EROFS", "EMFILE", "ESTALE"]),
    case("read,pread64", Some("json"), &["EIO", "ESTALE"]),
    case(FACTS, Some("json"), &["EIO", "ESTALE"]),
    case(FACTS, Some("."), &["EIO", "EACCES", "ESTALE"]),
];

/// Runs each failure on an empty cache, with the async client, and beside an expired token, with the blocking one.
pub(super) fn run(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("processes whose system calls fail");
    if !can_trace() {
        tally.not_tried("failing system calls: strace is not here or may not trace");
        return Ok(tally);
    }
    let most = ground.scale.pick(1, usize::MAX);
    let (mut injected, mut missed) = (0, Vec::new());
    for case in &CASES {
        for error in case.errors.iter().take(most) {
            let mut landed = 0;
            for expired in [false, true] {
                landed += one(ground, case, error, expired, &mut tally)?;
            }
            if landed == 0 {
                missed.push(format!("{} {error}", case.calls));
            }
            injected += landed;
        }
    }
    tally.same("failures that never came about", missed, Vec::new());
    tally.fault("injected failures", injected, 15);
    Ok(tally)
}

/// Returns how many calls failed.
fn one(
    ground: &Ground,
    case: &Case,
    error: &str,
    expired: bool,
    tally: &mut Tally,
) -> Result<u64, Box<dyn std::error::Error>> {
    let scene = Scene::new(ground)?;
    if expired {
        scene.run(1, mixed)?;
    }
    let old = scene.held()?;
    let log = scene.outer.path().join("strace");
    let mut place = scene.place.clone();
    let mut words: Vec<OsString> = ["strace", "-f", "-qq", "-o"].map(Into::into).into();
    words.push(log.clone().into());
    if let Some(path) = case.path {
        // As a full path, and as a name in the open directory.
        let path = if path == "." { scene.cache().to_owned() } else { scene.file(path) };
        words.extend([OsString::from("-P"), path.clone().into()]);
        words.extend(
            path.file_name().map(|name| [OsString::from("-P"), name.to_owned()]).into_iter().flatten(),
        );
    }
    let when = case.when.map(|when| format!(":when={when}")).unwrap_or_default();
    for part in [format!("trace={}", case.calls), format!("inject={}:error={error}{when}", case.calls)] {
        words.push("-e".into());
        words.push(part.into());
    }
    place.wrapper = words;
    scene.skew(DAY);
    let what = format!("{} {error}{when}{}", case.calls, if expired { ", expired" } else { "" });
    let before = scene.counts().logins;
    let plan = Plan { calls: 3, blocking: expired, ..Plan::default() };
    let mut worker = Worker::start(&place, &plan)?;
    worker.ready()?;
    worker.order(&Order { skew_s: DAY, ..Order::default() })?;
    let report = worker.report()?;
    worker.end()?;
    let report = report.ok_or_else(|| format!("{what}: the process is gone"))?;
    tally.check(report.failure.is_none() && report.token.is_some(), || format!("{what}: {report:?}"));
    tally.hold(report.warnings.len() <= 1, || format!("{what}: {:?}", report.warnings));
    tally.same(&what, scene.counts().logins - before, 1);
    tally.same("calls refused", scene.counts().rejected, 0);
    let held = scene.held()?;
    let new: Vec<_> = scene.service.issued().iter().map(|token| digest(token)).collect();
    tally.hold(held == old || held.as_ref().is_some_and(|held| new.contains(held)), || {
        format!("{what}: the file is neither the old nor the new one")
    });
    // If nothing can be removed, a later write removes it.
    if !case.calls.contains("unlink") {
        tally.same(&format!("{what}: temporary files left"), scene.litter(), Vec::new());
    }
    // A signal is not a fault.
    if error == "EINTR" {
        tally.hold(report.warnings.is_empty(), || format!("{what}: {:?}", report.warnings));
        tally.same(&format!("{what}: the file"), held.as_ref(), new.last());
    }
    tally.hold(!scene.is_locked(), || format!("{what}: the lock is stuck"));
    let text = fs::read_to_string(&log).unwrap_or_default();
    Ok(text.lines().filter(|line| line.contains("(INJECTED)")).count() as u64)
}
