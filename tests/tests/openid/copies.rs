//! Copies of a store are noticed before anything is spent; changes that are not copies raise no alarm.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use colony_async::credential::{CredentialStore, RotatingCredential};
use rustix::mount::UnmountFlags;
use serde_json::json;

use crate::{Ground, machine::Machine, scale};

/// The ways to copy or move a directory.
const WAYS: [&str; 5] = ["cp -a", "rsync -a", "tar", "mv to another file system", "another machine"];

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Copies a directory; `None` if the tool is missing.
fn copy(way: &str, from: &Path, to: &Path) -> Option<()> {
    let copied = match way {
        "cp -a" => run("cp", &["-a", text(from), text(to)]),
        "rsync -a" => run("rsync", &["-a", &format!("{}/", text(from)), text(to)]),
        // As a container image and a volume backup do.
        "tar" => {
            let image = to.with_extension("tar");
            fs::create_dir(to).expect("a directory");
            run("tar", &["-C", text(from), "-cpf", text(&image), "."])
                && run("tar", &["-C", text(to), "-xpf", text(&image)])
        }
        "mv to another file system" => {
            run("cp", &["-a", text(from), text(&to.with_extension("2"))])
                && run("mv", &[text(&to.with_extension("2")), text(to)])
        }
        _ => return Some(()),
    };
    copied.then_some(())
}

#[tokio::test]
async fn r27_a_copy_of_the_store_is_noticed_before_anything_is_spent() {
    let Some(ground) = Ground::of_client("colony_public", &json!({})) else { return };
    // On a disk, and in memory: copies go from one to the other and within each.
    let places = [tempfile::tempdir().expect("a directory"), crate::in_memory()];
    let (mut copies, mut refused, mut adopted, mut untried) = (0, 0, 0, Vec::new());
    for round in 0..scale(10, 100) {
        let way = WAYS[round as usize % WAYS.len()];
        let at = |place: usize, name: &str| places[place].path().join(format!("{name}{round}"));
        let (from, to) = (at(round as usize % 2, "from"), at((round / 2) as usize % 2, "to"));
        let first = CredentialStore::in_directory(&from, ground.id());
        // The access token has expired.
        let login = ground.provider.login(ground.client, crate::now() - 10_000.0);
        first.save(&login).await.expect("stored");
        let second = if way == "another machine" {
            CredentialStore::in_directory(&from, ground.id()).machine(Some("another machine's id"))
        } else {
            CredentialStore::in_directory(&to, ground.id())
        };
        if copy(way, &from, &to).is_none() {
            untried.push(way);
            continue;
        }
        copies += 1;
        // Either can be first; the copy never sends anything.
        let (requests, replays) = (ground.provider.count("token_requests"), ground.provider.count("replays"));
        let original = RotatingCredential::builder(first.clone()).build();
        let copy = RotatingCredential::builder(second.clone()).build();
        if round % 3 == 0 {
            original.token().await.expect("the original goes on");
        }
        let sent = ground.provider.count("token_requests");
        if way != "another machine" {
            // One store, seen from two machines: the second reads the first one's file.
            for error in [
                copy.token().await.expect_err(way),
                copy.rotate().await.expect_err(way),
                copy.log_out(Some(&format!("{}/oauth/revoke", ground.provider.issuer))).await.expect_err(way),
            ] {
                assert!(error.is_reauth_required(), "{way}: {error}");
                assert_eq!(error.code(), Some("copied"), "{way}: {error}");
                assert!(error.hint().is_some_and(|hint| hint.contains("auth adopt")), "{way}: {error:?}");
            }
        } else {
            let error = copy.rotate().await.expect_err(way);
            assert_eq!(error.code(), Some("copied"), "{way}: {error}");
        }
        assert!(second.status().await.is_copied && !first.status().await.is_copied, "{way}");
        assert_eq!(ground.provider.count("token_requests"), sent, "{way}: the copy sent something");
        refused += 1;
        if round % 3 == 0 {
            original.rotate().await.expect("the original goes on");
        } else {
            // The store was moved: the other one is gone.
            assert!(second.adopt().await.expect("adopted") && !second.adopt().await.expect("adopted"));
            copy.token().await.expect("the moved one goes on");
            adopted += 1;
        }
        assert!(ground.provider.count("token_requests") > requests);
        assert_eq!(ground.provider.count("replays"), replays, "{way}");
    }
    println!(
        "R27 copies: {copies}, {refused} refused with `copied` before anything was sent, {adopted} adopted and alive, \
         {} spent tokens sent again; not tried: {untried:?}",
        ground.provider.count("replays")
    );
    assert_eq!(ground.provider.count("replays"), 0);
    assert!(copies >= scale(6, 60) && adopted > 0);
}

/// Uses the same directory under another name, on another mount, after a restart, and beside other directories.
#[tokio::test]
async fn r27_what_is_no_copy_raises_no_alarm() {
    let Some(ground) = Ground::new(&json!({})) else { return };
    let mut ground = ground;
    ground.directory = tempfile::tempdir().expect("a directory on a disk");
    let base = ground.directory.path().to_owned();
    let place = |name: &str| base.join(name);
    let machine = Machine::new();
    let store = |path: PathBuf| CredentialStore::in_directory(path, ground.id()).timer(machine.timer(0.0));
    let (mut now_at, mut looks) = (place("a"), 0);
    store(now_at.clone()).save(&ground.provider.login(ground.client, crate::now())).await.expect("stored");
    for round in 0..scale(12, 60) {
        match round % 4 {
            0 => {
                let next = place(&format!("renamed{round}"));
                fs::rename(&now_at, &next).expect("renamed");
                now_at = next;
            }
            1 => machine.reboot(60.0),
            // Other programs write to it, so its times change.
            2 => fs::write(now_at.join("neighbour"), "x").expect("a file"),
            _ => {
                let moved = place(&format!("parent{round}"));
                fs::create_dir(&moved).expect("a directory");
                fs::rename(&now_at, moved.join("a")).expect("moved within the file system");
                now_at = moved.join("a");
            }
        }
        let found = store(now_at.clone());
        assert!(!found.status().await.is_copied, "round {round}");
        RotatingCredential::builder(found).build().rotate().await.expect("a rotation");
        looks += 1;
    }
    // A bind mount needs the right to make one.
    let mounted = place("mounted");
    fs::create_dir(&mounted).expect("a directory");
    let bound = rustix::mount::mount_bind(&now_at, &mounted).is_ok();
    if bound {
        let outcome = RotatingCredential::builder(store(mounted.clone())).build().rotate().await;
        rustix::mount::unmount(&mounted, UnmountFlags::DETACH).expect("unmounted");
        outcome.expect("a rotation on a bind mount");
        looks += 1;
    }
    let another_device = remounted(&ground).await;
    println!(
        "R27 no copies: {looks} rotations after renames, moves, restarts{}{}: 0 alarms",
        if bound { ", on a bind mount" } else { " (no right to mount)" },
        if another_device { ", and on a file system with another device number" } else { "" }
    );
    assert_eq!(ground.provider.count("replays"), 0);
}

/// Mounts a file system again, which changes its device number as a restart of the machine does. Returns `false`
/// without the right to mount.
async fn remounted(ground: &Ground) -> bool {
    let base = ground.directory.path();
    let (image, mount) = (base.join("image"), base.join("mount"));
    fs::create_dir(&mount).expect("a directory");
    if !run("truncate", &["-s", "8M", text(&image)]) || !run("mkfs.ext4", &["-q", text(&image)]) {
        return false;
    }
    // Another image is mounted in between, so that the number is not reused.
    let (other, between) = (base.join("other"), base.join("between"));
    fs::create_dir(&between).expect("a directory");
    fs::copy(&image, &other).expect("a copy");
    let device = |path: &Path| std::os::unix::fs::MetadataExt::dev(&fs::metadata(path).expect("metadata"));
    if !run("mount", &["-o", "loop", text(&image), text(&mount)]) {
        return false;
    }
    let store = || CredentialStore::in_directory(mount.join("store"), ground.id());
    store().save(&ground.provider.login(ground.client, crate::now())).await.expect("stored");
    let before = device(&mount);
    let unmount = |path: &Path| rustix::mount::unmount(path, UnmountFlags::empty()).expect("unmounted");
    unmount(&mount);
    let in_between = run("mount", &["-o", "loop", text(&other), text(&between)]);
    let again = run("mount", &["-o", "loop", text(&image), text(&mount)]);
    assert!(again, "it was mounted before");
    let after = device(&mount);
    let outcome = RotatingCredential::builder(store()).build().rotate().await;
    unmount(&mount);
    if in_between {
        unmount(&between);
    }
    outcome.expect("a rotation on the same file system");
    before != after
}
