//! The system's keyring was chosen, but there is none: the command fails, and nothing is stored elsewhere.

use crate::bench::{Bench, pipe};

#[test]
fn a_keyring_that_is_not_there_is_never_stood_in_for() {
    let bench = Bench::new();
    let key = bench.sandbox.api_key();
    let nowhere = bench.path("no-session");
    let mut command = bench.command(&["auth", "login", "--storage", "keyring"]);
    command
        .env("XDG_RUNTIME_DIR", &nowhere)
        .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", nowhere.display()));
    pipe(&mut command, key).fails(1, "--storage file");
    assert!(bench.holding(key).is_empty());
    assert!(!bench.path(".config/colony-sdk/profiles/default.json").exists());
    assert_eq!(bench.sandbox.stats().total("POST /auth/token"), 0, "it was to be kept first");
    // A profile that keeps its key in a file continues to do so by default.
    bench.pipe(&["auth", "login"], key).ok();
    let mut command = bench.command(&["auth", "login", "--storage", "keyring"]);
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", nowhere.display()));
    pipe(&mut command, key).fails(1, "keyring");
    assert_eq!(bench.holding(key).len(), 1);
    bench.run(&["whoami"]).ok();
}
