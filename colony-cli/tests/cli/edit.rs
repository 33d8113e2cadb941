//! `--edit`: no text is ever lost.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Output};

use crate::bench::{Bench, text};

/// Returns an editor that runs these shell commands on the file `$1`.
fn editor(bench: &Bench, commands: &str) -> PathBuf {
    let path = bench.cache.path().join("editor");
    fs::write(&path, format!("#!/bin/sh\n{commands}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Runs a command that edits; temporary files go where the test can see them.
fn run(bench: &Bench, commands: &str, arguments: &[&str]) -> Output {
    let drafts = drafts(bench);
    fs::create_dir_all(&drafts).unwrap();
    let editor = editor(bench, commands);
    let mut command = bench.command(arguments);
    command
        .env("VISUAL", editor)
        .env("EDITOR", "/nowhere/editor")
        .env("TMPDIR", drafts)
        .env("PATH", "/usr/bin:/bin");
    command.output().unwrap()
}

fn drafts(bench: &Bench) -> PathBuf {
    bench.cache.path().join("drafts")
}

/// Returns the texts that were kept.
fn kept(bench: &Bench) -> Vec<String> {
    let entries = fs::read_dir(drafts(bench)).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| fs::read_to_string(path).unwrap_or_default()).collect()
}

const CREATE: [&str; 7] = ["--json", "posts", "create", "--title", "Edited", "--colony", "general"];

#[test]
fn the_text_of_the_editor_is_sent() {
    let bench = Bench::new();
    let with = |more: &[&'static str]| [&CREATE[..], more].concat();
    for (commands, arguments, expected) in [
        (
            "test \"$(stat -c %a \"$1\" 2>/dev/null || echo 600)\" = 600 && echo written > \"$1\"",
            with(&["--edit"]),
            "written",
        ),
        ("echo more >> \"$1\"", with(&["--edit", "--body", "first\n"]), "first\nmore"),
        ("printf new > \"$1.new\"; mv \"$1.new\" \"$1\"", with(&["--edit"]), "new"),
        ("printf '\\357\\273\\277bom\\r\\n' > \"$1\"", with(&["--edit"]), "bom"),
    ] {
        let output = run(&bench, commands, &arguments);
        assert!(output.status.success(), "{commands}: {}", text(&output.stderr));
        let created: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(created["body"], expected, "{commands}");
        assert_eq!(kept(&bench), Vec::<String>::new(), "{commands}");
    }
    let output = run(&bench, "echo hello > \"$1\"", &["dm", "colonist-one", "--edit"]);
    assert!(output.status.code() != Some(2), "{}", text(&output.stderr));
}

#[test]
fn no_text_is_lost() {
    let bench = Bench::new();
    let posts = || bench.sandbox.stats().total("POST /posts");
    // Nothing was written: nothing is kept or sent.
    for commands in ["true", ": > \"$1\"", "printf ' \\n' > \"$1\"", "rm \"$1\"; : > \"$1\""] {
        let before = posts();
        let output = run(&bench, commands, &[&CREATE[..], &["--edit"]].concat());
        assert_eq!(output.status.code(), Some(2), "{commands}: {}", text(&output.stderr));
        assert_eq!((kept(&bench), posts()), (Vec::new(), before), "{commands}");
    }
    let output = run(&bench, "true", &[&CREATE[..], &["--edit", "--body", "as it was"]].concat());
    assert_eq!(output.status.code(), Some(2), "unchanged");
    // Written, but not sent: the text is kept, and its path is reported.
    for (commands, rule, more) in [
        ("echo precious > \"$1\"; exit 1", None, &[][..]),
        ("echo precious > \"$1\"; kill -9 $$", None, &[]),
        ("echo precious > \"$1\"", Some("POST /posts=500x1"), &[]),
        ("echo precious > \"$1\"", Some("POST /posts=403x1"), &[]),
        ("echo precious > \"$1\"", Some("POST /posts=422x1"), &[]),
        ("echo precious > \"$1\"", Some("POST /posts=400x1"), &[]),
        ("echo precious > \"$1\"", Some("POST /posts=404x1"), &[]),
        ("echo precious > \"$1\"", Some("POST /posts=409x1"), &[]),
        ("echo precious > \"$1\"", Some("POST /posts=401"), &[]),
        ("echo precious > \"$1\"", Some("POST /posts=501x1"), &[]),
        ("echo precious > \"$1\"", Some("POST /posts=500x1;after-acting"), &[]),
        ("echo precious > \"$1\"", Some("POST /posts=429x1;retry-after=3600"), &[]),
        ("echo precious > \"$1\"", None, &["--colony", "no-such-colony"]),
        ("echo precious > \"$1\"", None, &["--base-url", "http://127.0.0.1:9/api/v1"]),
        ("echo precious > \"$1\"", None, &["--profile", "no-such-profile"]),
    ] {
        if let Some(rule) = rule {
            bench.sandbox.fail(rule.parse().unwrap());
        }
        let mut arguments: Vec<&str> = CREATE.to_vec();
        if more.first() == Some(&"--colony") {
            arguments.truncate(5);
        }
        let output = run(&bench, commands, &[&arguments[..], more, &["--edit"]].concat());
        assert!(!output.status.success(), "{commands} {rule:?} {more:?}");
        let (kept, said) = (kept(&bench), text(&output.stderr));
        if kept.is_empty() {
            // Refused before the editor started: there was no text yet.
            assert!(more.first() == Some(&"--profile"), "{commands} {rule:?} {more:?}: {said}");
        } else {
            assert_eq!(kept, ["precious\n"], "{commands} {rule:?} {more:?}: {said}");
            assert!(said.contains(drafts(&bench).to_str().unwrap()), "{commands} {rule:?} {more:?}: {said}");
        }
        fs::remove_dir_all(drafts(&bench)).unwrap();
        bench.sandbox.clear_failures();
    }
}
