//! The content of an upload.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::SystemTime,
};

use bytes::Bytes;
use futures_core::Stream;

use crate::{Error, ErrorKind, Result};

/// Chunks of bytes, as an async source gives them.
pub type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// The content of an uploaded file: bytes, a file on disk, or a reader or stream that gives its bytes once.
///
/// Bytes and files can be sent again where a call is repeated. What [`reader`](Self::reader) and
/// [`stream`](Self::stream) give is sent once: any failure after that, a rejected token included, ends the call.
///
/// ```no_run
/// use colony_core::{Content, api::attachments::UploadMessageAttachment};
///
/// let small = UploadMessageAttachment::new("dot.png", b"\x89PNG".as_slice(), "image/png");
/// let large = UploadMessageAttachment::new("chart.png", Content::file("chart.png"), "image/png");
/// let piped = UploadMessageAttachment::new("in.png", Content::reader(std::io::stdin()), "image/png");
/// ```
#[derive(Clone)]
pub struct Content(Source);

#[derive(Clone)]
enum Source {
    Bytes(Bytes),
    File { path: PathBuf, seen: Arc<OnceLock<Version>> },
    Once(Arc<Mutex<Option<Opened>>>),
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, PartialEq)]
struct Version {
    size: u64,
    modified: Option<SystemTime>,
}

/// Content that is ready to be sent.
#[non_exhaustive]
pub enum Opened {
    /// All of it.
    Bytes(Bytes),
    /// What blocks while it reads, and how many bytes it has, where that is known.
    Reader(Box<dyn Read + Send>, Option<u64>),
    /// What has to be awaited.
    Stream(Chunks),
}

impl Content {
    /// The content of this file. It is opened for each sending, and read while it is sent. A file that changed
    /// between two of them is an error.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File { path: path.into(), seen: Arc::default() })
    }

    /// What this reader gives, to its end. Sent once.
    pub fn reader(reader: impl Read + Send + 'static) -> Self {
        Self::once(Opened::Reader(Box::new(reader), None))
    }

    /// What this stream gives, to its end. Sent once.
    pub fn stream(stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self::once(Opened::Stream(Box::pin(stream)))
    }

    fn once(opened: Opened) -> Self {
        Self(Source::Once(Arc::new(Mutex::new(Some(opened)))))
    }

    /// Returns the number of bytes, where that is known before it is opened.
    pub fn size(&self) -> Option<u64> {
        match &self.0 {
            Source::Bytes(bytes) => Some(bytes.len() as u64),
            _ => None,
        }
    }

    /// Whether it can be sent more than once, each time with the same bytes.
    pub fn is_repeatable(&self) -> bool {
        match &self.0 {
            Source::Bytes(_) => true,
            // A pipe gives its bytes once.
            Source::File { path, .. } => path.metadata().is_ok_and(|found| found.is_file()),
            Source::Once(_) => false,
        }
    }

    /// Opens it, for the client that sends it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] for a file that cannot be opened or has changed, and for what was read before.
    pub fn open(&self) -> Result<Opened> {
        match &self.0 {
            Source::Bytes(bytes) => Ok(Opened::Bytes(bytes.clone())),
            Source::File { path, seen } => open(path, seen),
            Source::Once(once) => {
                let opened = once.lock().unwrap_or_else(PoisonError::into_inner).take();
                opened.ok_or_else(|| {
                    let message = "the content of the upload has already been read";
                    Error::build(ErrorKind::Io, message)
                        .hint("Make a new `Content` for each call, or give bytes or a file")
                        .finish()
                })
            }
        }
    }
}

fn open(path: &Path, seen: &OnceLock<Version>) -> Result<Opened> {
    let failed = |error: io::Error| {
        let message = format!("the file {} cannot be read: {error}", path.display());
        Error::build(ErrorKind::Io, message).source(error).finish()
    };
    let file = File::open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    if found.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    if !found.is_file() {
        return Ok(Opened::Reader(Box::new(file), None));
    }
    let version = Version { size: found.len(), modified: found.modified().ok() };
    let size = version.size;
    if *seen.get_or_init(|| version) != version {
        return Err(failed(io::Error::other("it changed during the upload")));
    }
    // What is added meanwhile is not part of it.
    Ok(Opened::Reader(Box::new(file.take(size)), Some(size)))
}

macro_rules! from_bytes {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Content {
            fn from(bytes: $kind) -> Self {
                Self(Source::Bytes(bytes.into()))
            }
        }
    )*};
}

from_bytes!(Bytes, Vec<u8>, Box<[u8]>, &'static [u8], String, &'static str);

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Source::Bytes(one), Source::Bytes(two)) => one == two,
            (Source::File { path: one, .. }, Source::File { path: two, .. }) => one == two,
            (Source::Once(one), Source::Once(two)) => Arc::ptr_eq(one, two),
            _ => false,
        }
    }
}

impl Eq for Content {}

impl fmt::Debug for Content {
    /// Shows where it comes from and how long it is, not what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Source::File { path, .. } => write!(f, "{}", path.display()),
            Source::Once(_) => f.write_str("read once"),
        }
    }
}
