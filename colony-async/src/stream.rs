//! A download that is streamed while it arrives.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use colony_core::{Error, ErrorKind, Reply, Result};
use futures_core::Stream;
use futures_util::stream;
use http::{HeaderMap, header};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// The bytes of a download as they arrive: a [`Stream`] of chunks.
///
/// It keeps nothing, so the download can be of any size. [`Builder::timeout`](crate::Builder::timeout) bounds each
/// pause without a byte. Bytes already returned are not fetched again: when the connection breaks, the last item is
/// an error that says how many bytes came before it.
///
/// Read it on the runtime that opened it, whose tasks drive the connection. Dropping it ends the download.
///
/// ```no_run
/// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
/// use colony_core::api::attachments::GetMessageAttachment;
///
/// let mut image = client.stream(GetMessageAttachment::new("att-1")).await?;
/// while let Some(chunk) = image.next().await {
///     println!("{} bytes more", chunk?.len());
/// }
/// # Ok(()) }
/// ```
#[must_use = "dropping it ends the download"]
pub struct ByteStream {
    chunks: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
    headers: Arc<HeaderMap>,
    size: Option<u64>,
    received: u64,
}

impl ByteStream {
    /// Reads `response`. `read` returns its next chunk or an error; it is passed the number of bytes received so far.
    pub(crate) fn new<S, F>(
        headers: Arc<HeaderMap>,
        size: Option<u64>,
        state: S,
        read: impl FnMut(S) -> F + Send + 'static,
    ) -> Self
    where
        S: Send + 'static,
        F: Future<Output = Option<(Result<Bytes>, S)>> + Send + 'static,
    {
        Self { chunks: Box::pin(stream::unfold(state, read)), headers, size, received: 0 }
    }

    /// Returns a stream of a reply that has already arrived.
    pub(crate) fn whole(reply: Reply) -> Self {
        let size = Some(reply.body.len() as u64);
        Self::new(reply.headers, size, Some(reply.body), |body| async { body.map(|body| (Ok(body), None)) })
    }

    /// Returns the next chunk; `None` at the end. Cancelling the wait loses nothing.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Returns the size in bytes, if the server sent it and the bytes are not compressed.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Returns how many bytes were returned so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Returns the media type that the server sent.
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get(header::CONTENT_TYPE)?.to_str().ok()
    }

    /// Writes the remaining bytes, flushes the writer, and returns how many bytes it wrote.
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client, file: tokio::fs::File) -> colony_core::Result<()> {
    /// # use colony_core::api::attachments::GetMessageAttachment;
    /// client.stream(GetMessageAttachment::new("att-1")).await?.write_to(file).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The error that interrupted the download, or [`ErrorKind::Io`] for an error of the writer. In both cases a part
    /// may have been written.
    pub async fn write_to(mut self, mut writer: impl AsyncWrite + Unpin) -> Result<u64> {
        let from = self.received;
        let failed = |error: std::io::Error| {
            Error::build(ErrorKind::Io, format!("the download cannot be written: {error}"))
                .source(error)
                .finish()
        };
        while let Some(chunk) = self.next().await {
            writer.write_all(&chunk?).await.map_err(failed)?;
        }
        writer.flush().await.map_err(failed)?;
        Ok(self.received - from)
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let next = std::task::ready!(self.chunks.as_mut().poll_next(context));
        if let Some(Ok(chunk)) = &next {
            self.received += chunk.len() as u64;
        }
        Poll::Ready(next)
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream")
            .field("size", &self.size)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}
