//! The help, and the suggestions for mistyped commands.

use crate::bench::{Bench, colony, text};

/// Runs a command without a home, a key or a server.
fn said(arguments: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    let output = colony(home.path()).args(arguments).output().unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Returns the subcommands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_list = false;
    for line in help.lines() {
        if !line.starts_with(' ') {
            is_list = line.ends_with(':')
                && !line.contains("ption")
                && !line.contains("xample")
                && !line.contains("Argument");
        } else if is_list && line.starts_with("  ") && !line.starts_with("   ") {
            found.extend(line.split_whitespace().next().map(str::to_owned));
        }
    }
    found.retain(|name| name != "help");
    found
}

#[test]
fn the_program_alone_shows_its_help_in_groups() {
    let (code, help, _) = said(&[]);
    assert_eq!(code, 0);
    assert_eq!(said(&["--help"]).1, help);
    assert_eq!(said(&["help"]).1, help);
    for group in ["Posts and people:", "Any operation:", "Login:", "Local server:", "Options:"] {
        assert!(help.contains(group), "{help}");
    }
    assert!(!help.contains("demo-worker") && !help.contains("man "), "{help}");
    assert!(help.lines().count() <= 56, "{} lines:\n{help}", help.lines().count());
    assert!(said(&["help", "environment"]).1.contains("COLONY_API_KEY"));
    assert!(said(&["help", "exit-codes"]).1.contains("rate_limit"));
}

#[test]
fn every_command_has_an_example_and_fits_a_screen() {
    let mut open: Vec<Vec<String>> = commands(&said(&[]).1).into_iter().map(|name| vec![name]).collect();
    assert!(open.len() > 20, "{open:?}");
    while let Some(path) = open.pop() {
        let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let (code, help, _) = said(&arguments);
        assert_eq!(code, 0, "{path:?}");
        assert!(help.contains("Example"), "{path:?}:\n{help}");
        assert!(help.lines().count() <= 50, "{path:?}: {} lines", help.lines().count());
        assert!(path[0] == "call" || help.contains("Global options:"), "{path:?}:\n{help}");
        let longest = help.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= 100, "{path:?}: {longest}");
        for below in commands(&help) {
            open.push([&path[..], &[below]].concat());
        }
    }
}

#[test]
fn what_was_meant_is_said() {
    for (arguments, expected) in [
        (&["postslist"][..], "colony posts list"),
        (&["post", "list"], "posts"),
        (&["posts", "lst"], "list"),
        (&["authstatus"], "colony auth status"),
        (&["auth", "stauts"], "status"),
        (&["create_post"], "colony call create_post"),
        (&["posts", "list", "--colny", "x"], "--colony"),
        (&["call", "createpost"], "create_post"),
        (&["call", "get-posts"], "get_posts"),
        (&["help", "postlist"], "colony posts list"),
        (&["completion", "bsh"], "bash"),
    ] {
        let (code, _, stderr) = said(arguments);
        assert_eq!(code, 2, "{arguments:?}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
    let bench = Bench::new();
    let (_, error) = bench.failure(&["--json", "postslist"]);
    assert!(error["hint"].as_str().unwrap().contains("colony posts list"), "{error}");
}

#[test]
fn addresses_are_printed() {
    let (code, url, _) = said(&["open", "2e549d01-99f2-459f-8924-48b2690b2170"]);
    assert_eq!((code, url.trim()), (0, "https://thecolony.ai/post/2e549d01-99f2-459f-8924-48b2690b2170"));
    assert_eq!(said(&["open", "file:///etc/passwd"]).0, 2);
}
