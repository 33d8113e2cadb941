//! Reads a reply's body up to a limit.

use bytes::{Bytes, BytesMut};

/// The most bytes of a reply's body that are kept, unless [`Builder::max_reply_size`](crate::Builder::max_reply_size)
/// is set.
pub(crate) const REPLY_LIMIT: usize = 16 * 1024 * 1024;
/// The same for a login and for OAuth requests.
pub(crate) const LOGIN_LIMIT: usize = 1024 * 1024;
/// The same for an error reply; of a longer one the beginning is kept.
pub(crate) const ERROR_LIMIT: usize = 1024 * 1024;

/// A body, or the allowed part of it.
pub(crate) struct Bounded {
    pub(crate) bytes: Bytes,
    /// Whether bytes were cut off.
    pub(crate) cut: bool,
}

/// Reads at most `limit` bytes, counted after decompression. The rest is neither read nor kept.
pub(crate) async fn read(response: &mut reqwest::Response, limit: usize) -> reqwest::Result<Bounded> {
    let Some(mut first) = response.chunk().await? else {
        return Ok(Bounded { bytes: Bytes::new(), cut: false });
    };
    if first.len() > limit {
        first.truncate(limit);
        return Ok(Bounded { bytes: first, cut: true });
    }
    // Most replies arrive in one piece, which needs no copy.
    let Some(mut next) = response.chunk().await? else { return Ok(Bounded { bytes: first, cut: false }) };
    // `Content-Length` may be wrong.
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut bytes = BytesMut::with_capacity(announced.min(limit));
    bytes.extend_from_slice(&first);
    loop {
        if bytes.len() + next.len() > limit {
            bytes.extend_from_slice(&next[..limit - bytes.len()]);
            return Ok(Bounded { bytes: bytes.freeze(), cut: true });
        }
        bytes.extend_from_slice(&next);
        next = match response.chunk().await? {
            Some(chunk) => chunk,
            None => return Ok(Bounded { bytes: bytes.freeze(), cut: false }),
        };
    }
}
