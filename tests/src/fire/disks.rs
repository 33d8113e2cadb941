//! R15, from outside the process: file systems that are full, read-only or limited.

use std::{ffi::OsString, fs, path::Path, process::Command};

use super::{
    Ground, Outcome, Tally,
    scene::{DAY, Scene, is_root, mixed},
};
use crate::{
    crew::Crew,
    plan::{Order, Plan, digest},
};

/// A disk that fails in this way.
struct Trouble {
    name: &'static str,
    /// The text of the warning, which proves that the fault had an effect.
    says: &'static str,
    /// The options of a separate mount for the file system.
    mount: Option<&'static str>,
    /// Starts the fault, once the cache directory has its content.
    begin: fn(&Path) -> std::io::Result<()>,
    wrapper: &'static [&'static str],
}

const TROUBLES: [Trouble; 4] = [
    Trouble {
        name: "a full tmpfs of 64 KiB",
        says: "No space",
        mount: Some("size=64k,mode=700"),
        begin: |cache| {
            // More than there is room for: a part is written.
            let full = fs::write(cache.join("filler"), vec![0; 1 << 20]).is_err();
            if full { Ok(()) } else { Err(std::io::Error::other("there is room")) }
        },
        wrapper: &[],
    },
    Trouble {
        name: "a tmpfs without inodes",
        says: "No space",
        mount: Some("size=64k,mode=700,nr_inodes=8"),
        begin: |cache| {
            let full = (0..64).any(|number| fs::write(cache.join(format!("filler{number}")), "").is_err());
            if full { Ok(()) } else { Err(std::io::Error::other("there is room")) }
        },
        wrapper: &[],
    },
    Trouble {
        name: "a read-only mount",
        says: "Read-only",
        mount: Some("size=64k,mode=700"),
        begin: |cache| {
            let done = Command::new("mount").args(["-o", "remount,ro"]).arg(cache).status()?;
            if done.success() { Ok(()) } else { Err(std::io::Error::other("mount")) }
        },
        wrapper: &[],
    },
    Trouble {
        name: "a limit of 0 bytes for a file, with SIGXFSZ ignored",
        says: "File too large",
        mount: None,
        begin: |_| Ok(()),
        // The signal ends a program that neither ignores nor handles it. `colony` handles it; a library must not, so
        // this is for programs that do. An ignored signal stays ignored, and the write fails.
        wrapper: &["sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""],
    },
];

/// Runs each fault on an empty cache and beside an expired token; each with both clients.
pub(super) fn run(ground: &Ground) -> Outcome {
    let rounds = ground.scale.pick(1, 10);
    let mut tally = Tally::of("processes on a failing disk");
    let may_mount = may_mount();
    if !may_mount {
        tally.not_tried("a full and a read-only file system: mounting is not allowed here");
    }
    for trouble in TROUBLES.iter().filter(|trouble| may_mount || trouble.mount.is_none()) {
        let mut told = 0;
        for _ in 0..rounds {
            for expired in [false, true] {
                told += one(ground, trouble, expired, &mut tally)?;
            }
        }
        tally.fault(format!("on {}", trouble.name), told, 4 * rounds);
    }
    Ok(tally)
}

/// A mount that is removed when this is dropped.
struct Mounted<'p>(&'p Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

fn mount(options: &str, at: &Path) -> std::io::Result<bool> {
    Ok(Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output()?.status.success())
}

fn may_mount() -> bool {
    let Ok(folder) = tempfile::tempdir() else { return false };
    let may = is_root() && mount("size=64k", folder.path()).unwrap_or(false);
    drop(may.then(|| Mounted(folder.path())));
    may
}

/// Returns how many processes reported the fault.
fn one(
    ground: &Ground,
    trouble: &Trouble,
    expired: bool,
    tally: &mut Tally,
) -> Result<u64, Box<dyn std::error::Error>> {
    let scene = Scene::new(ground)?;
    let cache = scene.cache().to_owned();
    let mut place = scene.place.clone();
    fs::create_dir(&cache)?;
    fs::set_permissions(&cache, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let _mounted = match trouble.mount {
        Some(options) => Some(mount(options, &cache)?.then(|| Mounted(&cache)).ok_or("mount")?),
        None => None,
    };
    if expired {
        scene.run(1, mixed)?;
    }
    let old = scene.held()?;
    (trouble.begin)(&cache)?;
    place.wrapper = trouble.wrapper.iter().map(OsString::from).collect();
    scene.skew(DAY);
    let before = scene.counts();
    let mut told = 0;
    for number in 0..2 {
        let mut crew = Crew::hire(&place, 1, |_| Plan { calls: 3, ..mixed(number) })?;
        crew.order(&Order { skew_s: DAY, ..Order::default() })?;
        for report in crew.reports()? {
            tally.check(report.failure.is_none() && report.token.is_some(), || {
                format!("{}: {report:?}", trouble.name)
            });
            tally.same("warnings", report.warnings.len(), 1);
            told += u64::from(report.warnings.iter().any(|text| text.contains(trouble.says)));
            tally.hold(told > 0, || format!("{}: {:?}", trouble.name, report.warnings));
        }
    }
    let after = scene.counts();
    // Each process logs in once.
    tally.same("logins", after.logins - before.logins, 2);
    tally.same("calls refused", after.rejected, 0);
    let held = scene.held()?;
    let new: Vec<_> = scene.service.issued().iter().map(|token| digest(token)).collect();
    let whole = held == old || held.as_ref().is_some_and(|held| new.contains(held));
    tally.hold(whole, || format!("{}: the file is neither the old nor a new one", trouble.name));
    tally.same("temporary files left", scene.litter(), Vec::new());
    Ok(told)
}
