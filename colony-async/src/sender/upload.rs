//! An upload's content, read while it is sent.

use std::{
    fmt,
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use bytes::Bytes;
use colony_core::{Chunks, Opened};
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;

/// How much of a reader is buffered at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// The progress of an upload, which distinguishes a slow one from a stalled one.
#[derive(Clone, Default)]
pub(super) struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Returns how many chunks were passed to the connection.
    pub(super) fn chunks(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The error of an upload whose content cannot be read; the network is not at fault.
#[derive(Debug)]
pub(super) struct Unreadable(io::Error);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the content of the upload cannot be read: {}", self.0)
    }
}

impl std::error::Error for Unreadable {}

/// Returns the body of an upload between a head and a tail, and its length, if known.
pub(super) fn body(
    head: Bytes,
    content: Opened,
    tail: Bytes,
    progress: &Progress,
) -> (reqwest::Body, Option<u64>) {
    let (content, size) = match content {
        Opened::Reader(reader, size) => (read(reader, size), size),
        Opened::Stream(stream) => (stream, None),
        Opened::Bytes(bytes) => {
            let size = bytes.len() as u64;
            (stream::iter([Ok(bytes)]).boxed(), Some(size))
        }
        _ => (stream::iter([Err(io::ErrorKind::Unsupported.into())]).boxed(), None),
    };
    let length = size.map(|size| size + head.len() as u64 + tail.len() as u64);
    let progress = progress.clone();
    let whole = stream::iter([Ok(head)]).chain(content).chain(stream::iter([Ok(tail)]));
    let counted = whole.map(move |chunk| {
        progress.0.fetch_add(1, Ordering::Relaxed);
        chunk.map_err(Unreadable)
    });
    (reqwest::Body::wrap_stream(counted), length)
}

/// Reads on a separate thread, since the caller's may all be waiting for this very call. The thread ends with the
/// stream.
fn read(mut reader: Box<dyn Read + Send>, size: Option<u64>) -> Chunks {
    let (sender, mut receiver) = mpsc::channel::<io::Result<Bytes>>(2);
    let failed = sender.clone();
    let work = move || {
        let mut read = 0;
        loop {
            let mut chunk = vec![0; CHUNK];
            let next = match reader.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok(0) if size.is_some_and(|size| read < size) => {
                    Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read"))
                }
                Ok(0) => return,
                Ok(length) => {
                    read += length as u64;
                    chunk.truncate(length);
                    Ok(Bytes::from(chunk))
                }
                Err(error) => Err(error),
            };
            let ends = next.is_err();
            if sender.blocking_send(next).is_err() || ends {
                return;
            }
        }
    };
    if let Err(error) = thread::Builder::new().name("colony-upload".to_owned()).spawn(work) {
        let _ = failed.try_send(Err(error));
    }
    drop(failed);
    stream::poll_fn(move |context| receiver.poll_recv(context)).boxed()
}
