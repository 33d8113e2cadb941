//! Tables on terminals of several widths.

use std::{
    ffi::OsStr,
    fs::File,
    io::Read as _,
    os::unix::ffi::OsStrExt as _,
    process::{Command, Stdio},
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use crate::bench::{Bench, text};

/// Returns a command's output on a terminal with this many columns.
pub(crate) fn on_terminal(mut command: Command, columns: u16) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let screen = File::options().read(true).write(true).open(OsStr::from_bytes(name.as_bytes())).unwrap();
    tcsetwinsize(&screen, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let mut child = command.stdout(screen).stderr(Stdio::null()).spawn().unwrap();
    // This process's last handle on the terminal: reading ends when the child exits.
    drop(command);
    let mut shown = Vec::new();
    let _ = File::from(terminal).read_to_end(&mut shown);
    child.wait().unwrap();
    text(&shown).replace("\r\n", "\n")
}

const ID: usize = 36;

/// Returns whether a line contains a whole id.
fn has_id(line: &str) -> bool {
    line.split_whitespace().any(|word| word.len() == ID && word.matches('-').count() == 4)
}

#[test]
fn ids_are_whole_at_any_width() {
    let bench = Bench::new();
    for title in [
        "日本語の題名はとても長いので切らなければならないのです、とてもとても長いので",
        "🇩🇪🇫🇷🇯🇵🇧🇷 flags 👩‍👩‍👧‍👦 and a title that goes on for a while, and then some more",
    ] {
        bench.json(&["--json", "posts", "create", "--title", title, "--body", "x", "--colony", "general"]);
    }
    for columns in [0, 40, 60, 80, 100, 200] {
        for list in [&["posts", "list"][..], &["search", "the"]] {
            let shown = on_terminal(bench.command(list), columns);
            let lines: Vec<&str> = shown.lines().collect();
            let ids = lines.iter().filter(|line| has_id(line)).count();
            assert!(ids >= 1 && (list[0] == "search" || ids >= 6), "{columns} {list:?}:\n{shown}");
            assert!(lines[0].contains("ID") && lines[0].contains("TITLE"), "{columns}: {shown}");
            if columns >= 60 {
                for line in lines {
                    let bare = line.replace("\u{1b}[2m", "").replace("\u{1b}[0m", "");
                    let width = unicode_width::UnicodeWidthStr::width(&*bare);
                    assert!(width <= usize::from(columns), "{columns} {list:?}: {width} {line}");
                }
            }
        }
        let users = on_terminal(bench.command(&["users"]), columns);
        assert!(users.contains(bench.sandbox.username()), "{columns}: {users}");
    }
    let wide = on_terminal(bench.command(&["posts", "list"]), 200);
    for heading in ["WHEN", "SCORE", "COMMENTS", "AUTHOR", "COLONY"] {
        assert!(wide.contains(heading), "{wide}");
    }
    assert!(wide.contains("just now") || wide.contains("ago"), "{wide}");
    // Nothing is shortened for a program.
    let piped = text(&bench.run(&["posts", "list"]).stdout);
    assert!(piped.contains("and then some more") && piped.contains("とてもとても長いので"), "{piped}");
}

/// Text by others is not interpreted by the terminal, and does not reorder the line around it.
#[test]
fn text_of_others_stays_text() {
    let bench = Bench::new();
    let nasty = "safe \u{202e}gnp.exe\u{202c} \u{2066}x\u{2069} \u{1b}[31mred \u{9b}31m \u{2028}end";
    let created =
        bench.json(&["--json", "posts", "create", "--title", nasty, "--body", nasty, "--colony", "general"]);
    let id = created["id"].as_str().unwrap();
    bench.json(&["--json", "comment", id, nasty]);
    let commands: [&[&str]; 6] = [
        &["posts", "list"],
        &["posts", "view", id],
        &["--json", "posts", "view", id],
        &["api", "GET", &format!("/posts/{id}")],
        &["--field", "post.title", "posts", "view", id],
        &["search", "safe"],
    ];
    for arguments in commands {
        let shown = on_terminal(bench.command(arguments), 120);
        assert!(shown.contains("safe"), "{arguments:?}: {shown}");
        let bare = shown.replace("\u{1b}[2m", "").replace("\u{1b}[0m", "");
        for c in ['\u{1b}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{2028}'] {
            assert!(!bare.contains(c), "{arguments:?}: {c:?} in {shown:?}");
        }
    }
    // A program gets the text unchanged.
    let seen = bench.json(&["--json", "posts", "view", id]);
    assert_eq!(seen["post"]["title"], created["title"]);
}

#[test]
fn colour_is_for_people_who_want_it() {
    let bench = Bench::new();
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = bench.command(arguments);
        command.envs(variables.iter().copied());
        on_terminal(command, 80).contains('\u{1b}')
    };
    assert!(coloured(&["posts", "list"], &[]));
    assert!(!coloured(&["posts", "list"], &[("NO_COLOR", "1")]));
    assert!(!coloured(&["posts", "list"], &[("TERM", "dumb")]));
    assert!(!coloured(&["--color", "never", "posts", "list"], &[("CLICOLOR_FORCE", "1")]));
    assert!(coloured(&["--color", "always", "posts", "list"], &[("NO_COLOR", "1")]));
    let piped = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = bench.command(arguments).envs(variables.iter().copied()).output().unwrap();
        text(&output.stdout).contains('\u{1b}')
    };
    assert!(!piped(&["posts", "list"], &[]));
    assert!(piped(&["posts", "list"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!piped(&["posts", "list"], &[("CLICOLOR_FORCE", "0")]));
    assert!(piped(&["--color", "always", "posts", "list"], &[]));
}
