//! Completion scripts in their shells, and manual pages.

use crate::bench::{colony, text};

fn script(shell: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = colony(home.path()).args(["completion", shell]).output().unwrap();
    assert!(output.status.success(), "{shell}: {}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn there_is_a_script_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = script(shell);
        assert!(script.contains("notifications"), "{shell}");
        assert!(script.contains("create_post") || ["powershell", "elvish"].contains(&shell), "{shell}");
    }
}

/// Completes `colony call crea<TAB>` in each shell that is installed.
#[cfg(unix)]
#[test]
fn the_scripts_complete_in_their_shells() {
    let directory = tempfile::tempdir().unwrap();
    let bash = r#"source "$1"; COMP_WORDS=(colony call crea); COMP_CWORD=2; COMP_LINE="colony call crea"
        COMP_POINT=16; _colony colony crea call; printf '%s\n' "${COMPREPLY[@]}""#;
    let fish = r#"source $argv[1]; complete -C "colony call crea""#;
    let zsh = r#"autoload -U compinit; compinit -u -D; source "$1"; (( $+functions[_colony] )) && grep -c create_post "$1" > /dev/null && echo create_post"#;
    for (shell, program) in [("bash", bash), ("fish", fish), ("zsh", zsh)] {
        let file = directory.path().join(shell);
        std::fs::write(&file, script(shell)).unwrap();
        let mut command = std::process::Command::new(shell);
        match shell {
            "fish" => command.args(["--no-config", "-c", program]).arg(&file),
            "zsh" => command.args(["-f", "-c", program, "zsh"]).arg(&file),
            _ => command.args(["-c", program, "bash"]).arg(&file),
        };
        let Ok(output) = command.output() else { continue };
        let completed = text(&output.stdout);
        assert!(completed.contains("create_post"), "{shell}: {completed} {}", text(&output.stderr));
    }
}

#[test]
fn every_command_has_a_page() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man");
    let output = colony(directory.path()).arg("man").arg(&pages).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let names: Vec<String> = std::fs::read_dir(&pages)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for page in ["colony.1", "colony-posts.1", "colony-posts-create.1", "colony-auth-rotate-key.1"] {
        assert!(names.iter().any(|name| name == page), "{page} is not in {names:?}");
    }
    for name in &names {
        let page = std::fs::read_to_string(pages.join(name)).unwrap();
        let lines: Vec<&str> = page.lines().filter(|line| !line.trim().is_empty()).collect();
        for pair in lines.windows(2) {
            assert!(!(pair[0].starts_with(".SH") && pair[1].starts_with(".SH")), "{name}: {pair:?} is empty");
        }
        assert!(!lines.last().unwrap().starts_with(".SH"), "{name} ends with a heading");
    }
}
