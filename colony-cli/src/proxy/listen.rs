//! Where a proxy listens: a loopback port, or a socket file that only this user can open.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
};

use axum::{Router, serve::ListenerExt as _};
use colony_core::{Error, ErrorKind, Result};
use tokio::{net::TcpListener, sync::watch};

/// Where a proxy listens.
///
/// ```
/// use colony_cli::proxy::Listen;
///
/// let port: Listen = "127.0.0.1:0".parse()?;
/// let file: Listen = "unix:/run/user/1000/colony.sock".parse()?;
/// assert!("0.0.0.0:80".parse::<Listen>().is_err());
/// # Ok::<(), colony_cli::proxy::ParseListenError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listen {
    /// A port on this machine's loopback; 0 takes a free one.
    Port(SocketAddr),
    /// A socket file. Its directory is created with mode 0700 if it does not exist.
    File(PathBuf),
}

impl Default for Listen {
    fn default() -> Self {
        Self::Port((Ipv4Addr::LOCALHOST, 0).into())
    }
}

impl FromStr for Listen {
    type Err = ParseListenError;

    fn from_str(text: &str) -> Result<Self, ParseListenError> {
        if let Some(path) = text.strip_prefix("unix:") {
            // Also accepts `unix:///path`.
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(ParseListenError(())) } else { Ok(Self::File(path.into())) };
        }
        let text = text
            .strip_prefix("localhost:")
            .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(Self::Port(address)),
            _ => Err(ParseListenError(())),
        }
    }
}

/// The error for text that is not a valid [`Listen`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseListenError(());

impl fmt::Display for ParseListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "give unix:PATH, or a port of loopback like 127.0.0.1:0; other machines must not reach it",
        )
    }
}

impl std::error::Error for ParseListenError {}

/// An open listener.
#[derive(Debug)]
pub(super) enum Listening {
    Port(SocketAddr),
    /// Includes the file's identity, so that another program's file in its place is left alone.
    #[cfg_attr(not(unix), allow(dead_code, reason = "this system has no socket files for it"))]
    File {
        path: PathBuf,
        file: Option<(u64, u64)>,
    },
}

pub(super) enum Bound {
    Port(TcpListener),
    #[cfg(unix)]
    File(tokio::net::UnixListener),
}

impl Listen {
    /// Begins to listen.
    pub(super) async fn bind(&self) -> Result<(Bound, Listening)> {
        let unusable = |place: &dyn fmt::Display, why: &dyn fmt::Display| {
            Error::build(ErrorKind::InvalidArgument, format!("cannot listen on {place}: {why}")).finish()
        };
        match self {
            Self::Port(address) => {
                let bind = async {
                    let listener = TcpListener::bind(address).await?;
                    let address = listener.local_addr()?;
                    io::Result::Ok((Bound::Port(listener), Listening::Port(address)))
                };
                bind.await.map_err(|error| unusable(address, &format!("{error}; port 0 takes a free one")))
            }
            Self::File(path) => file::bind(path).map_err(|error| unusable(&path.display(), &error)),
        }
    }
}

impl Listening {
    /// Removes the socket file.
    pub(super) fn clear(&self) {
        if let Self::File { path, file: Some(own) } = self
            && file::named(path).ok().as_ref() == Some(own)
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Bound {
    /// Serves until it is time to quit, then completes the requests in progress.
    pub(super) async fn serve(self, router: Router, mut quitting: watch::Receiver<bool>) {
        let quit = async move {
            // An error means that the proxy was dropped, which is a reason to quit as well.
            let _ = quitting.wait_for(|quit| *quit).await;
        };
        let served = match self {
            Self::Port(listener) => {
                let listener = listener.tap_io(|stream| {
                    // Best effort: without it responses are only slower.
                    let _ = stream.set_nodelay(true);
                });
                axum::serve(listener, router).with_graceful_shutdown(quit).await
            }
            #[cfg(unix)]
            Self::File(listener) => axum::serve(listener, router).with_graceful_shutdown(quit).await,
        };
        if let Err(error) = served {
            tracing::warn!(%error, "the proxy stopped serving");
        }
    }
}

#[cfg(unix)]
mod file {
    use std::{
        fs,
        os::unix::{
            fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
            net::{UnixListener, UnixStream},
        },
    };

    use super::{Bound, Listening, Path, io};

    /// Listens on a file that only this user can ever open: it is created in a private directory and moved to its
    /// place.
    pub(super) fn bind(path: &Path) -> io::Result<(Bound, Listening)> {
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        check_directory(directory)?;
        clear_place(path)?;
        let private = tempfile::Builder::new().prefix(".").rand_bytes(4).tempdir_in(directory)?;
        let made = private.path().join("s");
        let listener = UnixListener::bind(&made)?;
        fs::set_permissions(&made, fs::Permissions::from_mode(0o600))?;
        let file = named(&made)?;
        fs::rename(&made, path)?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::UnixListener::from_std(listener)?;
        Ok((Bound::File(listener), Listening::File { path: path.to_owned(), file: Some(file) }))
    }

    pub(super) fn named(path: &Path) -> io::Result<(u64, u64)> {
        let metadata = fs::symlink_metadata(path)?;
        Ok((metadata.dev(), metadata.ino()))
    }

    /// Refuses a directory in which another user could replace the socket.
    fn check_directory(directory: &Path) -> io::Result<()> {
        const STICKY: u32 = 0o1000;
        let metadata = fs::metadata(directory)?;
        let (mode, own) = (metadata.mode(), rustix::process::geteuid().as_raw());
        let is_ours = metadata.uid() == own || metadata.uid() == 0;
        if is_ours && (mode & 0o022 == 0 || mode & STICKY != 0) {
            return Ok(());
        }
        let directory = directory.display();
        Err(io::Error::other(format!(
            "other users can change {directory}; `mkdir -m 700` a directory for it"
        )))
    }

    /// Removes a socket file that a killed proxy left.
    fn clear_place(path: &Path) -> io::Result<()> {
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if !found.file_type().is_socket() {
            return Err(io::Error::other("there is a file already, and it is no socket"));
        }
        match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
            _ => Err(io::Error::other("another program listens there")),
        }
    }
}

#[cfg(not(unix))]
mod file {
    use super::{Bound, Listening, Path, io};

    pub(super) fn bind(_: &Path) -> io::Result<(Bound, Listening)> {
        Err(io::Error::other("this system has no socket files for it; use 127.0.0.1:0"))
    }

    pub(super) fn named(_: &Path) -> io::Result<(u64, u64)> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_listened_to() {
        for (text, is_good) in [
            ("127.0.0.1:0", true),
            ("127.0.0.1:8080", true),
            ("localhost:0", true),
            ("[::1]:0", true),
            ("unix:/tmp/x", true),
            ("unix:x.sock", true),
            ("0.0.0.0:0", false),
            ("192.0.2.1:80", false),
            ("[::]:0", false),
            ("127.0.0.1", false),
            ("unix:", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<Listen>().is_ok(), is_good, "{text}");
        }
    }
}
