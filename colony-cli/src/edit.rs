//! `--edit`: a text written in the user's editor.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use crate::{failure::Failure, input, signals};

/// Opens the editor on a private temporary file with this content. The file stays until the text is sent; every
/// failure names it.
pub(crate) fn edit(initial: &str) -> Result<(String, PathBuf), Failure> {
    let mut file = tempfile::Builder::new().prefix("colony-").suffix(".md").tempfile()?;
    file.write_all(initial.as_bytes())?;
    file.flush()?;
    // An editor may replace the file.
    let path = file.into_temp_path().keep().map_err(|error| Failure::Local(error.to_string()))?;
    let edited = run(&path, initial);
    if let Err((_, false)) = &edited {
        let _ = std::fs::remove_file(&path);
    }
    match edited {
        Ok(text) => Ok((text, path)),
        Err((failure, false)) => Err(failure),
        Err((failure, true)) => {
            tell(&path);
            Err(failure)
        }
    }
}

/// Reports where an unsent text is kept.
pub(crate) fn tell(path: &Path) {
    let _ = writeln!(io::stderr(), "the text is kept in {}", path.display());
}

/// Returns the text. A failure comes with whether the file has content worth keeping.
fn run(path: &Path, initial: &str) -> Result<String, (Failure, bool)> {
    let kept = path.to_owned();
    let _cleanup = signals::on_end(move || tell(&kept));
    let editor = editor();
    let status = start(&editor, path);
    let text = std::fs::read(path).ok().and_then(input::decode);
    let is_worth_keeping = text.as_ref().is_none_or(|text| !text.trim().is_empty() && text != initial);
    match (status, text) {
        (Err(error), _) => {
            let message = format!("the editor {editor:?} cannot be started: {error}. Set VISUAL or EDITOR");
            Err((Failure::Local(message), is_worth_keeping))
        }
        (Ok(status), _) if !status.success() => {
            let message = format!("the editor {editor:?} failed ({status}); nothing was sent");
            Err((Failure::Local(message), is_worth_keeping))
        }
        (Ok(_), None) => {
            Err((Failure::usage(format!("{} is not text in UTF-8; nothing was sent", path.display())), true))
        }
        (Ok(_), Some(text)) if text.trim().is_empty() => {
            Err((Failure::usage("the text is empty; nothing was sent"), false))
        }
        (Ok(_), Some(text)) if text == initial => {
            Err((Failure::usage("the text was not changed; nothing was sent"), false))
        }
        (Ok(_), Some(text)) => Ok(text),
    }
}

fn editor() -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
    let default = if cfg!(windows) { "notepad" } else { "vi" };
    named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| default.to_owned())
}

/// Starts the editor, which may be named with options (`code --wait`), as in other programs.
#[cfg(unix)]
fn start(editor: &str, path: &Path) -> io::Result<ExitStatus> {
    use std::io::IsTerminal as _;
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("{editor} \"$@\"")).arg(editor).arg(path);
    // A program may read the command's output; the editor talks to the person.
    let terminal = || std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").ok();
    if let Some(terminal) = terminal().filter(|_| !io::stdout().is_terminal()) {
        command.stdout(terminal);
    }
    if let Some(terminal) = terminal().filter(|_| !io::stdin().is_terminal()) {
        command.stdin(terminal);
    }
    command.status()
}

#[cfg(not(unix))]
fn start(editor: &str, path: &Path) -> io::Result<ExitStatus> {
    let mut words = editor.split_whitespace();
    Command::new(words.next().unwrap_or(editor)).args(words).arg(path).status()
}
