//! Streams that end, are full, or do not exist.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Read as _},
    process::{Command, Stdio},
};

use crate::bench::{Bench, text};

const COMMANDS: [&[&str]; 12] = [
    &["auth", "token"],
    &["whoami"],
    &["--json", "whoami"],
    &["posts", "list"],
    &["--json", "posts", "list"],
    &["methods"],
    &["cache", "path"],
    &["call", "get_me"],
    &["call", "get_me", "--help"],
    &["api", "GET", "/users/me"],
    &["--help"],
    &["--version"],
];

/// Returns a command started through the shell, for redirections that `Command` does not have.
fn shell(bench: &Bench, redirection: &str, arguments: &[&str]) -> Command {
    let plain = bench.command(&[]);
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(format!("exec \"$0\" \"$@\" {redirection}")).arg(plain.get_program()).args(arguments);
    shell.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(Stdio::null());
    shell
}

#[test]
#[cfg(target_os = "linux")]
fn what_cannot_be_written_is_a_failure() {
    let bench = Bench::new();
    for arguments in COMMANDS {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = bench.command(arguments).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let output = output.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("cannot write to stdout: No space left"), "{arguments:?}");
        let output = shell(&bench, "1</dev/null", arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output.stderr));
    }
    let sandbox = shell(&bench, ">/dev/full", &["sandbox", "--port", "0"]).output().unwrap();
    assert_eq!(sandbox.status.code(), Some(1));
}

#[test]
fn a_stdout_that_is_closed_takes_nothing() {
    let bench = Bench::new();
    for arguments in COMMANDS {
        let output = shell(&bench, ">&-", arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("cannot write to stdout: it is closed"), "{arguments:?}");
    }
    let output = shell(&bench, "<&- 2>&-", &["whoami"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "the others do not matter");
}

#[test]
fn the_null_device_takes_everything() {
    let bench = Bench::new();
    for redirection in [">/dev/null", "</dev/null >/dev/null 2>&1", "<>/dev/null >&0 2>&0"] {
        let output = shell(&bench, redirection, &["whoami"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{redirection}");
    }
    let opened = OpenOptions::new().read(true).write(true).open("/dev/null").unwrap();
    assert!(bench.command(&["whoami"]).stdout(opened).status().unwrap().success());
}

#[test]
fn a_reader_that_has_gone_is_no_failure() {
    let bench = Bench::new();
    for arguments in COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = bench.command(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = output.wait_with_output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("pipe") && !said.contains("error"), "{arguments:?}: {said}");
    }
    let mut child = bench.command(&["--json", "methods"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_command_does_its_work_without_stderr() {
    let bench = Bench::new();
    let me = bench.json(&["--json", "whoami"]);
    for options in [&["--json", "whoami"][..], &["--json", "-v", "whoami"], &["--json", "-vvv", "whoami"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let full = File::options().write(true).open("/dev/full");
        let writers = [Some(writer), None];
        for writer in writers {
            let mut command = bench.command(options);
            match (writer, &full) {
                (Some(pipe), _) => command.stderr(pipe),
                (None, Ok(full)) => command.stderr(full.try_clone().unwrap()),
                (None, Err(_)) => continue,
            };
            let output = command.stdout(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
            assert!(output.status.success(), "{options:?}");
            let got: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(got, me);
        }
        let output = shell(&bench, "2>&-", options).stdout(Stdio::piped()).output().unwrap();
        assert!(output.status.success(), "{options:?} without stderr");
    }
    // An error keeps its exit code.
    let mut child = shell(&bench, "2>/dev/full", &["call", "no_such_operation"]).spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    // The sandbox still serves.
    let mut sandbox = shell(&bench, "2>&-", &["sandbox", "--port", "0", "--host", "0.0.0.0"]);
    let mut child = sandbox.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("A local Colony listens"), "{line}");
    child.kill().unwrap();
    child.wait().unwrap();
}
