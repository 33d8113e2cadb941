//! The destination of a reply that exists only once: a new API key, a webhook's secret.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{failure::Failure, output::Output};

/// A private file that is opened before the request is sent: a path that cannot be written must not cost the reply.
/// Without a file the reply goes to stdout.
pub(crate) struct Sink {
    file: Option<(PathBuf, File)>,
    /// Whether the file is new, to be removed if there is no reply for it.
    is_new: bool,
}

impl Sink {
    pub(crate) fn stdout() -> Self {
        Self { file: None, is_new: false }
    }

    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::stdout()) };
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).and_then(|file| close_to_others(&file).map(|()| file));
        let file = file.map_err(|error| {
            Failure::usage(format!("--output {}: {error}; nothing was sent", path.display()))
        })?;
        Ok(Self { file: Some((path.to_owned(), file)), is_new })
    }

    /// Writes the server's reply as JSON.
    pub(crate) fn answer(self, answer: &Value, output: &Output) -> Result<(), Failure> {
        if self.file.is_some() {
            return self.write(&answer.to_string(), output);
        }
        output.value(answer);
        output.finish().inspect_err(|_| output.error_line(&answer.to_string()))
    }

    /// Writes a text. If the file fails, the text is printed: better on a screen than nowhere.
    pub(crate) fn write(mut self, text: &str, output: &Output) -> Result<(), Failure> {
        let Some((path, file)) = self.file.take() else {
            output.line(text);
            return output.finish().inspect_err(|_| output.error_line(text));
        };
        let Err(error) = write(&file, text) else { return Ok(()) };
        output.line(text);
        output.finish().inspect_err(|_| output.error_line(text))?;
        Err(Failure::Local(format!(
            "cannot write to {}: {error}; the answer exists once and is on stdout",
            path.display()
        )))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some((path, _)) = &self.file
            && self.is_new
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn write(mut file: &File, text: &str) -> io::Result<()> {
    let is_regular = file.metadata()?.is_file();
    if is_regular {
        file.set_len(0)?;
    }
    writeln!(file, "{text}")?;
    if is_regular { file.sync_all() } else { Ok(()) }
}

/// Closes an existing regular file to others.
#[cfg(unix)]
fn close_to_others(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    match file.metadata()?.is_file() {
        true => file.set_permissions(std::fs::Permissions::from_mode(0o600)),
        false => Ok(()),
    }
}

#[cfg(not(unix))]
fn close_to_others(_: &File) -> io::Result<()> {
    Ok(())
}
