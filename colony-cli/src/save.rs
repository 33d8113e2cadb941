//! `--output FILE`: a download to a temporary file beside it, which then replaces it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use colony_async::Client;
use colony_core::{ErrorKind, Prepared, Transport as _};
use tempfile::NamedTempFile;

use crate::failure::Failure;

/// How often to restart a download whose connection broke.
const AGAIN: u32 = 2;

/// Fetches the bytes and stores them. Afterwards the file is complete or unchanged.
pub(crate) async fn download(client: &Client, call: Prepared, path: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Local(format!("{}: {error}", path.display()));
    let mut started = 0;
    loop {
        // Before anything is sent: a path that cannot be written should cost nothing.
        let mut target = Target::open(path).map_err(failed)?;
        let mut stream = client.transport().open(call.clone()).await?;
        let broken = loop {
            match stream.next().await {
                Some(Ok(chunk)) => target.file().write_all(&chunk).map_err(failed)?,
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        let Some(error) = broken else { return target.finish().map_err(failed) };
        let again = error.kind() == ErrorKind::Network && started < AGAIN && target.starts_afresh();
        if !again {
            return Err(error.into());
        }
        started += 1;
        tracing::info!(target: "colony::http", event = "download_again", %error, "the download is started again");
    }
}

/// The target of a download.
enum Target {
    /// A new file, and the path that it replaces.
    Beside(NamedTempFile, PathBuf),
    /// A device or a pipe.
    Direct(File),
}

impl Target {
    fn open(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path);
        if found.as_ref().is_ok_and(|found| !found.is_file()) {
            return Ok(Self::Direct(OpenOptions::new().write(true).open(path)?));
        }
        // A link stays, and its target is replaced.
        let place = if found.is_ok() { fs::canonicalize(path)? } else { path.to_owned() };
        let directory = place.parent().filter(|parent| !parent.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        builder.prefix(".colony-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // A new file gets the default mode; the umask applies.
            let mode = found.as_ref().map_or(0o666, |found| found.permissions().mode() & 0o777);
            builder.permissions(fs::Permissions::from_mode(mode));
        }
        Ok(Self::Beside(builder.tempfile_in(directory.unwrap_or(Path::new(".")))?, place))
    }

    fn file(&mut self) -> &mut File {
        match self {
            Self::Beside(file, _) => file.as_file_mut(),
            Self::Direct(file) => file,
        }
    }

    /// Returns whether opening the target again discards what was written so far.
    fn starts_afresh(&self) -> bool {
        matches!(self, Self::Beside(..))
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Beside(file, place) => {
                file.persist(place).map_err(|error| error.error)?;
                Ok(())
            }
            Self::Direct(mut file) => file.flush(),
        }
    }
}
