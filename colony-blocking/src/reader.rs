//! A download that is handed on while it arrives.

use std::{
    fmt,
    io::{self, Read, Write},
};

use bytes::{Buf as _, Bytes};
use colony_async::ByteStream;
use colony_core::{Error, ErrorKind, Result};

use crate::Http;

/// The bytes of a download as they arrive: a [`Read`].
///
/// As [`colony_async::ByteStream`]: it may be of any size, `timeout` bounds each pause, and nothing is fetched
/// again. An error of [`Read`] holds the client's [`Error`] (see [`io::Error::get_ref`]); that of
/// [`write_to`](Self::write_to) is one.
///
/// ```no_run
/// # fn example(client: colony_blocking::Client) -> colony_blocking::Result<()> {
/// use colony_blocking::api::attachments::GetMessageAttachment;
///
/// let file = std::fs::File::create("image.png").expect("a new file");
/// client.stream(GetMessageAttachment::new("att-1"))?.write_to(file)?;
/// # Ok(()) }
/// ```
#[must_use = "dropping it ends the download"]
pub struct ByteReader {
    http: Http,
    /// Gone after an error.
    stream: Option<ByteStream>,
    chunk: Bytes,
}

impl ByteReader {
    pub(crate) fn new(http: Http, stream: ByteStream) -> Self {
        Self { http, stream: Some(stream), chunk: Bytes::new() }
    }

    /// Returns the size in bytes, where the server said it and the bytes come uncompressed.
    pub fn size(&self) -> Option<u64> {
        self.stream.as_ref()?.size()
    }

    /// Returns the media type, as the server says it.
    pub fn content_type(&self) -> Option<&str> {
        self.stream.as_ref()?.content_type()
    }

    /// Writes all that is left, flushes the writer, and returns how many bytes that were.
    ///
    /// # Errors
    ///
    /// As [`colony_async::ByteStream::write_to`].
    pub fn write_to(mut self, mut writer: impl Write) -> Result<u64> {
        let failed = |error: io::Error| {
            Error::build(ErrorKind::Io, format!("the download cannot be written: {error}"))
                .source(error)
                .finish()
        };
        let mut written = 0;
        while self.fill()? {
            let chunk = std::mem::take(&mut self.chunk);
            writer.write_all(&chunk).map_err(failed)?;
            written += chunk.len() as u64;
        }
        writer.flush().map_err(failed)?;
        Ok(written)
    }

    /// Waits until there are bytes; `false` at the end.
    fn fill(&mut self) -> Result<bool> {
        while self.chunk.is_empty() {
            let Some(mut stream) = self.stream.take() else { return Ok(false) };
            let (stream, next) = self.http.wait(async move {
                let next = stream.next().await;
                Ok((stream, next))
            })?;
            match next.transpose()? {
                Some(chunk) => (self.chunk, self.stream) = (chunk, Some(stream)),
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}

impl Read for ByteReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() || !self.fill().map_err(io::Error::other)? {
            return Ok(0);
        }
        let length = into.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut into[..length]);
        Ok(length)
    }
}

impl fmt::Debug for ByteReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteReader").field("stream", &self.stream).finish_non_exhaustive()
    }
}
