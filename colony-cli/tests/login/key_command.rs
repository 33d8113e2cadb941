//! A profile whose key another program prints.

use crate::bench::{Bench, Done, pipe};

/// Makes the default profile get its key from this shell script, and counts the runs.
fn ask(bench: &Bench, script: &str) {
    let script = format!("echo run >> {}; {script}", bench.path("runs").display());
    bench.run(&["config", "set", "base_url", &bench.sandbox.base_url()]).ok();
    bench
        .run(&["config", "set", "api_key_command", "--", "/bin/sh", "-c", &script, "a-planted-argument"])
        .ok();
}

/// Returns a script that prints the sandbox's key.
fn printing(bench: &Bench) -> String {
    format!("echo {}", bench.sandbox.api_key())
}

/// Returns how often the program ran since the last check.
fn runs(bench: &Bench) -> usize {
    let runs = std::fs::read_to_string(bench.path("runs")).unwrap_or_default().lines().count();
    let _ = std::fs::remove_file(bench.path("runs"));
    runs
}

fn logins(bench: &Bench) -> u64 {
    bench.sandbox.stats().total("POST /auth/token")
}

#[test]
fn the_program_is_asked_once_for_each_command_with_a_token() {
    let bench = Bench::new();
    ask(&bench, &printing(&bench));
    for (arguments, expected) in [
        (&["whoami"][..], 1),
        (&["whoami"], 1),
        (&["auth", "token"], 1),
        (&["auth", "status", "--verify"], 1),
        (&["auth", "exchange", "--audience", "colony_other"], 1),
        // None of these needs a token.
        (&["call", "get_me", "--dry-run"], 0),
        (&["api", "GET", "/posts", "--anonymous"], 0),
        (&["config", "list"], 0),
        (&["methods"], 0),
    ] {
        bench.run(arguments).ok();
        assert_eq!(runs(&bench), expected, "{arguments:?}");
    }
    assert_eq!(logins(&bench), 1, "the token is shared by its file as that of any key");
    bench.run(&["auth", "refresh"]).ok();
    assert_eq!((logins(&bench), runs(&bench)), (2, 1), "a new login although the file's token is good");
    // A key in the environment takes precedence, and the program is not run.
    let mut command = bench.command(&["whoami"]);
    pipe(command.env("COLONY_API_KEY", bench.sandbox.api_key()), "").ok();
    assert_eq!(runs(&bench), 0);
    assert!(bench.holding(bench.sandbox.api_key()).iter().all(|path| path.ends_with("default.json")));
}

#[test]
fn marks_and_blanks_around_the_key_are_removed() {
    let bench = Bench::new();
    for format in ["\\357\\273\\277  %s\\r\\n\\n", "%s", "\\n\\t%s\\0"] {
        ask(&bench, &format!("printf '{format}' {}", bench.sandbox.api_key()));
        assert_eq!(bench.json(&["whoami"])["username"], bench.sandbox.username(), "{format}");
    }
}

/// Fails unless the error names the program and repeats nothing that it printed.
#[track_caller]
fn tells(done: Done, code: i32, why: &str) {
    let done = done.fails(code, why);
    for secret in ["col_planted", "a-planted-argument", "planted on stderr"] {
        assert!(!done.stderr().contains(secret), "{}", done.stderr());
    }
    assert!(done.stderr().contains("api_key_command of the profile default"), "{}", done.stderr());
}

#[test]
fn a_program_that_gives_no_key_is_an_error_and_nothing_is_sent() {
    let bench = Bench::new();
    for (script, why) in [
        ("true", "printed nothing"),
        ("printf ' \\n'", "printed nothing"),
        ("echo col_planted; echo planted on stderr >&2; exit 7", "failed (exit status: 7)"),
        ("echo col_planted; kill -9 $$", "failed (signal: 9"),
        ("echo col_planted second", "something else than one key"),
        ("printf '\\377'", "something else than one key"),
        ("head -c 100000 /dev/zero | tr '\\0' '\\n'; exit 0", ""),
    ] {
        ask(&bench, script);
        for arguments in [&["whoami"][..], &["auth", "status"], &["auth", "token"], &["auth", "refresh"]] {
            tells(bench.run(arguments), 3, why);
        }
    }
    let json = bench.run(&["--json", "whoami"]).fails(3, r#""kind":"auth""#);
    assert_eq!(json.stderr().lines().count(), 1);
    for program in ["/nowhere/a-key-program", ""] {
        bench.run(&["config", "set", "api_key_command", program, "x"]).ok();
        tells(bench.run(&["whoami"]), 2, if program.is_empty() { "names no program" } else { program });
    }
    assert!(bench.sandbox.stats().routes.is_empty(), "something was sent");
}

#[test]
fn where_the_key_comes_from_is_shown() {
    let bench = Bench::new();
    ask(&bench, &printing(&bench));
    let source = bench.json(&["auth", "status"])["key"]["source"].to_string();
    assert!(source.contains("/bin/sh") && source.contains("api_key_command"), "{source}");
    assert!(!source.contains(bench.sandbox.api_key()));
    let command = &bench.json(&["config", "list"])["api_key_command"];
    assert_eq!((command[0].as_str(), command[1].as_str()), (Some("/bin/sh"), Some("-c")));
    assert!(bench.run(&["config", "get", "api_key_command"]).ok().stdout().starts_with(r#"["/bin/sh","#));
    // The key belongs to this service only.
    bench.run(&["config", "set", "base_url", "https://elsewhere.example/api/v1"]).fails(2, "log out first");
    let mut command = bench.command(&["whoami"]);
    pipe(command.env("COLONY_BASE_URL", "http://127.0.0.1:9/api/v1"), "").fails(2, "is logged in at");

    bench.run(&["config", "set", "api_key_command", ""]).ok();
    bench.run(&["whoami"]).fails(3, "colony auth login");
    bench.run(&["config", "set", "output", "json", "table"]).fails(2, "takes one value");
}

#[test]
fn a_logout_and_a_login_end_it() {
    let bench = Bench::new();
    ask(&bench, &printing(&bench));
    bench.run(&["whoami"]).ok();
    bench.run(&["auth", "logout"]).ok();
    assert!(
        bench.holding("e30").is_empty() && !bench.path(".config/colony-sdk/profiles/default.json").exists()
    );
    bench.run(&["whoami"]).fails(3, "colony auth login");

    // A program that fails ends the login.
    ask(&bench, "exit 1");
    let done = bench.run(&["auth", "logout"]).ok();
    assert!(done.stderr().contains("cache clear"), "{}", done.stderr());
    bench.run(&["whoami"]).fails(3, "colony auth login");

    ask(&bench, "exit 1");
    runs(&bench);
    bench.pipe(&["auth", "login"], bench.sandbox.api_key()).ok();
    bench.run(&["whoami"]).ok();
    assert_eq!(runs(&bench), 0);
}
