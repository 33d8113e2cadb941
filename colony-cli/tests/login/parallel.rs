//! Concurrent logins of one profile, as by CI jobs on one machine.

use crate::bench::{Bench, CLIENT, Done, start};

/// With the same refresh token: one login spends it, the others find it spent. With separate tokens: all succeed, and
/// one of them stays.
#[test]
fn logins_with_refresh_tokens_do_not_refuse_each_other() {
    for same in [true, false] {
        let bench = Bench::new();
        let secret = bench.path("app-secret");
        let mut arguments = vec!["auth", "login", "--with-refresh-token", "--client-id", CLIENT];
        arguments.extend(["--client-secret-file", secret.to_str().unwrap()]);
        let first = bench.refresh_token();
        let tokens: Vec<String> =
            (0..20).map(|_| if same { first.clone() } else { bench.refresh_token() }).collect();
        let started: Vec<_> =
            tokens.iter().map(|token| start(&mut bench.command(&arguments), token)).collect();
        let done: Vec<_> =
            started.into_iter().map(|child| Done(child.wait_with_output().unwrap()).ok()).collect();
        let stats = bench.sandbox.stats();
        assert_eq!((stats.rotations, stats.replays), (if same { 1 } else { 20 }, 0));
        let again = done.iter().filter(|done| done.stderr().contains("logged in with already")).count();
        assert_eq!(again, if same { 19 } else { 0 });
        // The stored login is valid, and nothing is left of the given tokens.
        bench.run(&["auth", "refresh"]).ok();
        assert_eq!(bench.sandbox.stats().replays, 0);
        for token in &tokens {
            assert!(bench.holding(token).is_empty(), "a spent token lies about");
        }
        let login = bench.path(".local/share/colony-sdk/credentials/login");
        assert_eq!(std::fs::read_dir(login).unwrap().count(), 0, "a login is left over");
    }
}

/// Concurrent logins, logouts and calls of one profile: each ends as it would alone, and a final login holds.
#[test]
fn logins_and_logouts_of_one_profile_tear_nothing() {
    let bench = Bench::with(|options| options.auth_limit = 10_000);
    let key = bench.sandbox.api_key().to_owned();
    for _ in 0..3 {
        let jobs: Vec<_> = (0..12)
            .map(|job| {
                let command: &[&str] = match job % 3 {
                    0 => &["auth", "logout"],
                    1 => &["whoami"],
                    _ => &["auth", "login"],
                };
                (command, start(&mut bench.command(command), if job % 3 == 2 { &key } else { "" }))
            })
            .collect();
        for (command, child) in jobs {
            let done = Done(child.wait_with_output().unwrap());
            // Without a login there is nothing to log out of, and no token for a call.
            let fine = match command {
                ["auth", "login"] => done.code() == 0,
                _ => matches!(done.code(), 0 | 3),
            };
            assert!(fine, "{command:?}: {}: {}", done.code(), done.stderr());
        }
        bench.pipe(&["auth", "login"], &key).ok();
        bench.run(&["whoami"]).ok();
        let keys = std::fs::read_dir(bench.path(".config/colony-sdk/keys")).unwrap();
        let names: Vec<_> = keys.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["default.key"], "something is left over");
    }
}
