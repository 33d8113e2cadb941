//! The cache is unusable, in every way that a test can arrange: calls succeed, with one login and one warning for
//! each process, and no foreign file is followed, changed or waited for.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use colony_core::token::cache_path;
use colony_tests::{
    crew::{Crew, Place},
    plan::{Plan, Report},
};
use tempfile::TempDir;

use crate::place::{KEY, Scripted, directory, place, turn};

/// A valid file with a token that the server does not know: a 401 reveals a client that reads it.
const PLANTED: &str = r#"{"v": 1, "token": "planted", "expiry": 4000000000.5}"#;

struct Scene {
    outer: TempDir,
    cache: PathBuf,
    name: String,
    victim: PathBuf,
    mounted: bool,
}

impl Scene {
    fn set(base_url: &str) -> Self {
        let outer = directory();
        let (cache, victim) = (outer.path().join("colony-sdk"), outer.path().join("victim"));
        fs::create_dir(&cache).expect("a directory");
        mode(&cache, 0o700);
        private(&victim);
        let name = cache_path::fingerprint(cache_path::normalise_base_url(base_url), KEY);
        Self { outer, cache, name, victim, mounted: false }
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.cache.join(format!("{}.{kind}", self.name))
    }

    fn mount(&mut self, arguments: &[&str]) {
        let done = Command::new("mount").args(arguments).arg(&self.cache).status().expect("mount");
        assert!(done.success(), "mount {arguments:?}");
        self.mounted = true;
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg(&self.cache).status();
        }
    }
}

/// Returns whether this user can give files away and create devices: root, unless a container forbids it.
fn may_chown() -> bool {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let may = chown(file.path(), Some(12_345), None).is_ok();
    if !may {
        println!("NOT TRIED: what needs root (other owners, devices)");
    }
    may
}

/// Returns whether this user can mount a file system.
fn may_mount() -> bool {
    let folder = directory();
    let run = |program: &str, arguments: &[&str]| {
        let done = Command::new(program).args(arguments).arg(folder.path()).output();
        done.is_ok_and(|output| output.status.success())
    };
    let may = run("mount", &["-t", "tmpfs", "-o", "size=64k", "tmpfs"]) && run("umount", &[]);
    if !may {
        println!("NOT TRIED: what needs to mount a file system");
    }
    may
}

/// Writes the planted token into a private file of this user.
fn private(path: &Path) {
    fs::write(path, PLANTED).expect("a file");
    mode(path, 0o600);
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

fn run_program(program: &str, arguments: &[&str], path: &Path) {
    let done = Command::new(program).args(arguments).arg(path).status().expect("a program");
    assert!(done.success(), "{program} {arguments:?}");
}

/// Runs a worker in the scene, with three calls.
fn attempt(scripted: &Scripted, place: &Place, blocking: bool) -> Report {
    let mut crew = Crew::hire(place, 1, |_| Plan { blocking, calls: 3, ..Plan::default() }).expect("a crew");
    crew.go().expect("a start");
    assert_eq!(scripted.service.counts().rejected, 0);
    crew.reports().expect("a report").remove(0)
}

/// Prepares a scene, and checks how processes cope with it.
fn trouble(what: &str, prepare: impl Fn(&mut Scene)) -> Report {
    let _turn = turn();
    let scripted = Scripted::standing();
    let mut last = None;
    for blocking in [false, true] {
        let mut scene = Scene::set(&scripted.service.base_url());
        prepare(&mut scene);
        let victim = fs::symlink_metadata(&scene.victim).expect("the victim");
        let place = place(scripted.service.base_url(), KEY, &scene.cache);
        let before = scripted.logins();
        let report = attempt(&scripted, &place, blocking);
        assert_eq!(report.failure, None, "{what}");
        assert_eq!(scripted.logins() - before, 1, "{what}");
        assert_eq!(report.warnings.len(), 1, "{what}: {:?}", report.warnings);
        assert!(report.warnings[0].contains("event=\"degraded\""), "{what}: {:?}", report.warnings);
        assert!(report.took_ms < 5_000, "{what}: {} ms", report.took_ms);
        assert_eq!(scripted.service.counts().rejected, 0, "{what}: the planted token was read");
        let after = fs::symlink_metadata(&scene.victim).expect("the victim");
        assert_eq!(fs::read_to_string(&scene.victim).expect("the victim"), PLANTED, "{what}");
        assert_eq!(
            (after.mode(), after.uid(), after.ino()),
            (victim.mode(), victim.uid(), victim.ino()),
            "{what}"
        );
        let litter = fs::read_dir(scene.outer.path())
            .expect("a directory")
            .chain(fs::read_dir(&scene.cache).into_iter().flatten());
        for entry in litter {
            let name = entry.expect("an entry").file_name();
            assert!(!name.to_string_lossy().ends_with(".tmp"), "{what}: {name:?} was left");
        }
        last = Some(report);
    }
    last.expect("a report")
}

#[test]
fn a_file_where_the_directory_should_be() {
    trouble("a file", |scene| {
        fs::remove_dir(&scene.cache).expect("a directory");
        private(&scene.cache);
    });
}

#[test]
fn a_directory_that_cannot_be_made() {
    trouble("below a file", |scene| scene.cache = scene.victim.join("colony-sdk"));
}

#[test]
fn a_directory_that_is_not_ours_to_write() {
    // Root can write regardless of the mode, so for root there is the read-only mount.
    if !may_chown() {
        trouble("mode 0500", |scene| mode(&scene.cache, 0o500));
    }
}

#[test]
fn a_read_only_mount() {
    if !may_mount() {
        return;
    }
    let report = trouble("read-only", |scene| {
        scene.mount(&["-t", "tmpfs", "-o", "ro,mode=700", "tmpfs"]);
    });
    assert!(report.warnings[0].contains("Read-only"), "{report:?}");
}

#[test]
fn a_full_disk() {
    if !may_mount() {
        return;
    }
    let report = trouble("full", |scene| {
        scene.mount(&["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs"]);
        // More than there is room for: a part is written.
        assert!(fs::write(scene.cache.join("filler"), vec![0; 1 << 20]).is_err());
    });
    assert!(report.warnings[0].contains("No space"), "{report:?}");
}

#[test]
fn something_else_in_the_file_s_place() {
    trouble("a directory", |scene| fs::create_dir(scene.file("json")).expect("a directory"));
    trouble("a pipe", |scene| run_program("mkfifo", &["-m", "600"], &scene.file("json")));
    trouble("a file of a gigabyte", |scene| {
        let file = fs::File::create(scene.file("json")).expect("a file");
        file.set_len(1 << 30).expect("a hole");
        mode(&scene.file("json"), 0o600);
    });
    if may_chown() {
        trouble("a device", |scene| {
            let done =
                Command::new("mknod").arg("-m600").arg(scene.file("json")).args(["c", "1", "7"]).status();
            assert!(done.expect("mknod").success());
        });
    }
    trouble("a socket", |scene| {
        drop(std::os::unix::net::UnixListener::bind(scene.file("json")).expect("a socket"));
    });
}

#[test]
fn a_file_that_others_may_have_made() {
    trouble("a link", |scene| symlink(&scene.victim, scene.file("json")).expect("a link"));
    trouble("a dangling link", |scene| {
        symlink(scene.outer.path().join("nothing"), scene.file("json")).expect("a link");
    });
    trouble("a second name", |scene| fs::hard_link(&scene.victim, scene.file("json")).expect("a link"));
    if may_chown() {
        trouble("another owner", |scene| {
            private(&scene.file("json"));
            chown(scene.file("json"), Some(12_345), None).expect("an owner");
        });
    }
    trouble("open to others", |scene| {
        private(&scene.file("json"));
        mode(&scene.file("json"), 0o644);
    });
}

#[test]
fn a_directory_that_others_may_write_in() {
    if may_chown() {
        trouble("another owner", |scene| {
            private(&scene.file("json"));
            chown(&scene.cache, Some(12_345), None).expect("an owner");
        });
    }
    trouble("a link to where others may write", |scene| {
        let elsewhere = scene.outer.path().join("elsewhere");
        fs::rename(&scene.cache, &elsewhere).expect("a move");
        mode(&elsewhere, 0o770);
        private(&elsewhere.join(format!("{}.json", scene.name)));
        symlink(&elsewhere, &scene.cache).expect("a link");
    });
    // This user's directory: its mode is tightened, and then it is used.
    trouble("open to all", |scene| mode(&scene.cache, 0o777));
}

#[test]
fn something_else_in_the_lock_s_place() {
    trouble("a directory", |scene| fs::create_dir(scene.file("lock")).expect("a directory"));
    trouble("a pipe", |scene| run_program("mkfifo", &["-m", "600"], &scene.file("lock")));
    trouble("a link", |scene| symlink(&scene.victim, scene.file("lock")).expect("a link"));
    trouble("a second name", |scene| fs::hard_link(&scene.victim, scene.file("lock")).expect("a link"));
    if may_chown() {
        trouble("another owner", |scene| {
            private(&scene.file("lock"));
            chown(scene.file("lock"), Some(12_345), None).expect("an owner");
        });
    }
}

#[test]
fn something_else_in_the_note_s_place_is_no_note() {
    let _turn = turn();
    let scripted = Scripted::standing();
    type Prepare = fn(&Scene);
    let prepare: [(&str, Prepare); 4] = [
        ("a link", |scene| symlink(&scene.victim, scene.file("note")).expect("a link")),
        ("a second name", |scene| fs::hard_link(&scene.victim, scene.file("note")).expect("a link")),
        ("a pipe", |scene| run_program("mkfifo", &["-m", "600"], &scene.file("note"))),
        ("a directory", |scene| fs::create_dir(scene.file("note")).expect("a directory")),
    ];
    for (what, prepare) in prepare {
        let scene = Scene::set(&scripted.service.base_url());
        prepare(&scene);
        let place = place(scripted.service.base_url(), KEY, &scene.cache);
        let report = attempt(&scripted, &place, false);
        assert_eq!(report.failure, None, "{what}");
        assert!(report.warnings.len() <= 1, "{what}: {report:?}");
        assert_eq!(fs::read_to_string(&scene.victim).expect("the victim"), PLANTED, "{what}");
    }
    assert_eq!(scripted.logins(), 4);
}
