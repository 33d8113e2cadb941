//! R13: the permissions of everything in the cache, checked while it is written.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    Ground, Outcome, Tally,
    scene::{Scene, is_root},
};
use crate::{
    crew::Crew,
    plan::{Order, Plan},
    service::Answer,
};

/// The user `nobody` of some systems; any other user would do.
const NOBODY: u32 = 65_534;

pub(super) fn run(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("looks at a mode");
    let mut kinds = BTreeSet::new();
    let users: &[Option<u32>] = if is_root() { &[None, Some(NOBODY)] } else { &[None] };
    for mask in [0o000, 0o022, 0o077, 0o777] {
        for &user in users {
            kinds.extend(watch(ground, mask, user, &mut tally)?);
        }
    }
    if !is_root() {
        tally.not_tried("another user than root");
    }
    for kind in ["json", "lock", "note", "tmp"] {
        let masks = kinds.iter().filter(|(seen, _)| seen == kind).count() as u64;
        tally.fault(
            format!("umasks under which a .{kind} was seen"),
            masks,
            if kind == "tmp" { 2 } else { 3 },
        );
    }
    Ok(tally)
}

/// Lets two processes log in repeatedly, with every third login refused, so that token, lock and note are written,
/// and checks everything in the directory meanwhile. Returns the kinds of file that were seen.
fn watch(
    ground: &Ground,
    mask: u32,
    user: Option<u32>,
    tally: &mut Tally,
) -> Result<BTreeSet<(String, u32)>, Box<dyn std::error::Error>> {
    let logins = ground.scale.pick(15, 150);
    let mut scene = Scene::new(ground)?;
    scene.place.user = user;
    if user.is_some() {
        chown(scene.outer.path(), user, None)?;
    }
    // The directory must not exist yet: the row tests its creation.
    assert!(!scene.cache().exists());
    for _ in 0..2 * logins {
        scene.service.next([Answer::Token, Answer::Token, Answer::Limited("1".to_owned())]);
    }
    let plan = |number: usize| Plan {
        blocking: number == 1,
        umask: Some(mask),
        patient: false,
        ignore_cool_down: true,
        calls: logins,
        ..Plan::default()
    };
    let mut crew = Crew::hire(&scene.place, 2, plan)?;
    let working = AtomicBool::new(true);
    let what = format!("umask {mask:03o}, user {user:?}");
    let seen = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let (mut looks, mut wrong, mut kinds) = (0_u64, Vec::new(), BTreeSet::new());
            while working.load(Ordering::Relaxed) {
                look(scene.cache(), &mut looks, &mut wrong, &mut kinds);
            }
            (looks, wrong, kinds)
        });
        let reports = crew.order(&Order { forget: true, ..Order::default() }).and_then(|()| crew.reports());
        working.store(false, Ordering::Relaxed);
        Ok::<_, Box<dyn std::error::Error>>((reports?, watcher.join().map_err(|_| "the watcher panicked")?))
    });
    let (reports, (looks, wrong, kinds)) = seen?;
    for report in reports {
        // Every third login is refused, and nothing else fails.
        let fine = report.failure.as_ref().is_none_or(|failure| failure.status == Some(429));
        tally.hold(fine, || format!("{what}: {report:?}"));
        let degraded = report.warnings.iter().any(|text| text.contains("degraded"));
        // Under umask 0777 even the owner, unless root, cannot use the new files; the token is used from memory.
        tally.hold(!degraded || (mask == 0o777 && user.is_some()), || format!("{what}: {report:?}"));
    }
    tally.tries(looks);
    tally.losses(wrong.len() as u64, || format!("{what}: {}", wrong.join(", ")));
    let least = ground.scale.pick(300, 10_000);
    tally.fault(format!("looks under {what}"), looks, if mask == 0o777 { 1 } else { least });
    // In the end the modes must be exact, not only strict enough.
    if mask != 0o777 {
        let mode = |path: &Path| fs::symlink_metadata(path).map(|found| found.mode() & 0o7777);
        tally.same("the directory's mode", mode(scene.cache())?, 0o700);
        for entry in fs::read_dir(scene.cache())? {
            let path = entry?.path();
            tally.same(&format!("{what}: {}", path.display()), mode(&path)?, 0o600);
        }
    } else {
        // So that it can be removed.
        let _ = fs::set_permissions(scene.cache(), fs::Permissions::from_mode(0o700));
    }
    Ok(kinds.into_iter().map(|kind| (kind, mask)).collect())
}

/// Checks the directory and everything in it once.
fn look(directory: &Path, looks: &mut u64, wrong: &mut Vec<String>, kinds: &mut BTreeSet<String>) {
    let Ok(found) = fs::symlink_metadata(directory) else { return };
    *looks += 1;
    if found.mode() & 0o077 != 0 {
        wrong.push(format!("the directory is {:o}", found.mode() & 0o7777));
    }
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        // It can be gone by now.
        let Ok(found) = fs::symlink_metadata(entry.path()) else { continue };
        *looks += 1;
        if found.mode() & 0o177 != 0 || !found.is_file() {
            wrong.push(format!("{} is {:o}", entry.path().display(), found.mode()));
        }
        if let Some(kind) = entry.path().extension() {
            kinds.insert(kind.to_string_lossy().into_owned());
        }
    }
}
