//! Text from a person or a file: an argument, a file, or stdin.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{edit, failure::Failure};

/// Removes the blanks, line ends and byte order marks around a key, a code or an address.
pub(crate) fn tidy(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0')
}

/// [`tidy`], and removes the quotation marks that files of `NAME="value"` leave around a key when no shell reads them.
pub(crate) fn tidy_secret(text: &str) -> &str {
    let text = tidy(text);
    let unquoted = |mark: char| text.strip_prefix(mark)?.strip_suffix(mark);
    unquoted('"').or_else(|| unquoted('\'')).map_or(text, tidy)
}

/// [`tidy`] as an argument parser.
pub(crate) fn tidied(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(tidy(text).to_owned())
}

/// Reads stdin. Reading it twice is an error: the second text would be empty.
pub(crate) fn stdin(name: &str) -> Result<Vec<u8>, Failure> {
    static IS_READ: AtomicBool = AtomicBool::new(false);
    if IS_READ.swap(true, Ordering::Relaxed) {
        return Err(Failure::usage(format!("{name}: stdin is read by another argument already")));
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file, or stdin for `-`.
pub(crate) fn bytes(name: &str, file: &Path) -> Result<Vec<u8>, Failure> {
    if file.as_os_str() == "-" {
        return stdin(name);
    }
    fs::read(file).map_err(|error| Failure::usage(format!("{name} {}: {error}", file.display())))
}

/// Reads a text file, or stdin for `-`.
pub(crate) fn file(name: &str, file: &Path) -> Result<String, Failure> {
    decode(bytes(name, file)?)
        .ok_or_else(|| Failure::usage(format!("{name} {}: this is not text in UTF-8", file.display())))
}

/// Decodes text without a byte order mark. Also accepts UTF-16, which PowerShell's `>` writes.
pub(crate) fn decode(bytes: Vec<u8>) -> Option<String> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units = bytes[2..].as_chunks().0.iter().map(|pair| unit(*pair));
        char::decode_utf16(units)
            .collect::<Result<String, _>>()
            .ok()
            .filter(|_| bytes.len().is_multiple_of(2))
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes).ok(),
    }
}

/// Parses an argument that is JSON, `-` for stdin, or `@FILE`.
pub(crate) fn json_argument(name: &str, given: &str) -> Result<serde_json::Value, Failure> {
    let text = match (given, given.strip_prefix('@')) {
        ("-", _) => file(name, Path::new("-"))?,
        (_, Some(path)) => file(name, Path::new(path))?,
        _ => given.to_owned(),
    };
    serde_json::from_str(tidy(&text)).map_err(|error| {
        Failure::usage(format!(
            "{name} is not JSON: {error}. Give an object like '{{\"post_id\": \"…\"}}', @FILE, or - for stdin"
        ))
    })
}

/// A text to publish: given as an argument, in a file, or in an editor.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Text {
    /// The text itself
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) body: Option<String>,
    /// A file with the text; `-` reads stdin
    #[arg(long, value_name = "FILE", conflicts_with = "body")]
    pub(crate) body_file: Option<PathBuf>,
    /// Write the text in $VISUAL or $EDITOR, starting with the text from the other options
    #[arg(long)]
    pub(crate) edit: bool,
}

/// The same, and the text can be given without an option.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Message {
    /// The text; `-` reads stdin
    #[arg(value_name = "TEXT", conflicts_with_all = ["body", "body_file"])]
    message: Option<String>,
    #[command(flatten)]
    text: Text,
}

/// A text ready to be sent. If dropped before that, it reports the file that keeps it, if any.
#[must_use]
pub(crate) struct Draft {
    pub(crate) text: String,
    file: Option<PathBuf>,
}

impl Draft {
    /// Marks the text as sent; it is no longer kept.
    pub(crate) fn sent(mut self) {
        if let Some(path) = self.file.take() {
            let _ = fs::remove_file(path);
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(path) = &self.file {
            edit::tell(path);
        }
    }
}

impl Message {
    /// Returns the text; `None` if none was given.
    pub(crate) fn read(self) -> Result<Option<Draft>, Failure> {
        match self.message.as_deref() {
            Some("-") => Text { body_file: Some("-".into()), ..self.text }.read(),
            Some(_) => Text { body: self.message, ..self.text }.read(),
            None => self.text.read(),
        }
    }

    /// Returns the text, for a command that needs one.
    pub(crate) fn required(self) -> Result<Draft, Failure> {
        self.read()?.ok_or_else(|| {
            Failure::usage(
                "give the text: as an argument, with --body-file FILE (`-` reads stdin), or with --edit",
            )
        })
    }
}

impl Text {
    /// Returns the text without its trailing line ends; `None` if none was given.
    pub(crate) fn read(&self) -> Result<Option<Draft>, Failure> {
        let given = match (&self.body, &self.body_file) {
            (Some(text), _) => Some(published("--body", text)?),
            (None, Some(path)) => Some(file("--body-file", path)?),
            (None, None) => None,
        };
        let (text, file) = match (given, self.edit) {
            (given, true) => {
                let (text, file) = edit::edit(given.as_deref().unwrap_or_default())?;
                (text, Some(file))
            }
            (Some(text), false) => (text, None),
            (None, false) => return Ok(None),
        };
        let text = text.trim_end_matches(['\r', '\n']).to_owned();
        if text.trim().is_empty() {
            return Err(Failure::usage("the text is empty; nothing was sent"));
        }
        Ok(Some(Draft { text, file }))
    }

    /// Returns the text, for a command that needs one.
    pub(crate) fn required(&self) -> Result<Draft, Failure> {
        self.read()?.ok_or_else(|| {
            Failure::usage("give the text: --body TEXT, --body-file FILE (`-` reads stdin), or --edit")
        })
    }
}

/// Checks a text that is published as given, so that a file's name is not published by mistake.
fn published(name: &str, text: &str) -> Result<String, Failure> {
    let file = text.strip_prefix('@').filter(|path| !path.is_empty() && Path::new(path).exists());
    match (text, file) {
        ("-", _) => Err(Failure::usage(format!("{name} takes the text itself; --body-file - reads stdin"))),
        (_, Some(path)) => Err(Failure::usage(format!(
            "{name} takes the text itself, and {path} is a file; --body-file {path} publishes what it holds"
        ))),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_blanks_are_removed() {
        assert_eq!(tidy("\u{feff} col_x\r\n"), "col_x");
        assert_eq!(tidy_secret(" \"col_x\"\n"), "col_x");
        assert_eq!(tidy_secret("'col_x'"), "col_x");
        for odd in ["\"", "\"col_x", "'col_x\"", "", "''"] {
            assert_eq!(tidy_secret(odd), if odd == "''" { "" } else { odd });
        }
        let decoded = |bytes: &[u8]| decode(bytes.to_vec());
        for bytes in [&b"key"[..], b"\xef\xbb\xbfkey", b"\xff\xfek\0e\0y\0", b"\xfe\xff\0k\0e\0y"] {
            assert_eq!(decoded(bytes).as_deref(), Some("key"), "{bytes:?}");
        }
        for bytes in [&b"\xff"[..], b"\xff\xfek", b"k\xff"] {
            assert_eq!(decoded(bytes), None, "{bytes:?}");
        }
        assert_eq!(decoded(b"").as_deref(), Some(""));
    }
}
