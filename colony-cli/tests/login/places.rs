//! Credential directories: relative, a link, another user's, or open to others.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
};

use crate::bench::{Bench, CLIENT, Done, mode, start};

const VARIABLE: &str = "COLONY_SDK_CREDENTIALS_DIR";

/// Logs in and lets twenty processes refresh at once, all with the directory of this name.
fn use_it(bench: &Bench, name: &str) {
    let set = |arguments: &[&str]| {
        let mut command = bench.command(arguments);
        command.env(VARIABLE, name).current_dir(bench.home.path());
        command
    };
    let secret = bench.path("app-secret");
    let mut login = vec!["auth", "login", "--with-refresh-token", "--client-id", CLIENT];
    login.extend(["--client-secret-file", secret.to_str().unwrap()]);
    let done = start(&mut set(&login), &bench.refresh_token()).wait_with_output().unwrap();
    Done(done).ok();
    let before = bench.sandbox.stats().rotations;
    let started: Vec<_> = (0..20).map(|_| start(&mut set(&["auth", "refresh"]), "")).collect();
    for child in started {
        Done(child.wait_with_output().unwrap()).ok();
    }
    let stats = bench.sandbox.stats();
    assert_eq!(stats.replays, 0, "{name}");
    assert!(stats.rotations > before, "{name}");
    Done(set(&["auth", "logout"]).output().unwrap()).ok();
}

#[test]
fn a_relative_directory_and_a_link_to_ones_own_are_used() {
    let bench = Bench::new();
    let target = bench.path("target");
    fs::create_dir(&target).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o700)).unwrap();
    symlink(&target, bench.path("link")).unwrap();
    let absolute = bench.path("link");
    for name in ["relative", "./a/b/", "link", "link/", absolute.to_str().unwrap()] {
        use_it(&bench, name);
    }
    assert!(bench.path("relative").is_dir() && bench.path("a/b").is_dir());
    assert!(fs::symlink_metadata(bench.path("link")).unwrap().is_symlink());
}

/// The user's own open directory is closed; an open directory behind a link is deliberate and left alone.
#[test]
fn an_open_directory_is_closed_and_never_followed_to() {
    let bench = Bench::new();
    let open = |name: &str| {
        fs::create_dir(bench.path(name)).unwrap();
        fs::set_permissions(bench.path(name), fs::Permissions::from_mode(0o777)).unwrap();
    };
    open("open");
    open("behind");
    symlink(bench.path("behind"), bench.path("link")).unwrap();
    use_it(&bench, "open");
    assert_eq!(mode(&bench.path("open")), 0o700);
    let before = bench.sandbox.stats().rotations;
    let secret = bench.path("app-secret");
    for name in ["link", "link/"] {
        let mut login = vec!["auth", "login", "--with-refresh-token", "--client-id", CLIENT];
        login.extend(["--client-secret-file", secret.to_str().unwrap()]);
        let mut command = bench.command(&login);
        command.env(VARIABLE, name).current_dir(bench.home.path());
        let token = bench.refresh_token();
        let done = Done(start(&mut command, &token).wait_with_output().unwrap());
        assert_ne!(done.code(), 0, "{name}");
        assert!(done.stderr().contains("link"), "the directory is named: {}", done.stderr());
        let stats = bench.sandbox.stats();
        assert_eq!((stats.rotations, stats.replays), (before, 0), "{name}: something was sent");
        assert!(bench.holding(&token).is_empty(), "{name}");
        assert_eq!(fs::read_dir(bench.path("behind")).unwrap().count(), 0);
    }
}

/// On an open volume of another user: a subdirectory of this user's.
#[test]
fn a_volume_of_another_user_gets_a_directory_of_ones_own() {
    let bench = Bench::new();
    let volume = bench.path("volume");
    fs::create_dir(&volume).unwrap();
    fs::set_permissions(&volume, fs::Permissions::from_mode(0o777)).unwrap();
    if chown(&volume, Some(54_321), None).is_err() {
        #[allow(clippy::print_stdout, reason = "what was not tried is to be seen")]
        {
            println!("NOT TRIED: what needs root, to be another user");
        }
        return;
    }
    use_it(&bench, volume.to_str().unwrap());
    let names: Vec<_> = fs::read_dir(&volume)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["colony-sdk-0"]);
}
