//! The frame of an upload ([RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)).
//!
//! A repetition must have identical bytes, or the server takes its idempotency key for that of another call. So the
//! boundary is derived from the key, and a caller that repeats a call under its key also sends the same bytes.

use bytes::Bytes;
use colony_core::{Error, FilePart, Request, Result, idempotency};
use http::HeaderValue;

/// The bytes around the content of a file.
pub(super) struct Frame {
    pub(super) content_type: HeaderValue,
    pub(super) head: Bytes,
    pub(super) tail: Bytes,
}

/// Returns the frame of a request with one file.
pub(super) fn frame(request: &Request, file: &FilePart) -> Result<Frame> {
    let refused = || {
        let message = format!("content_type {:?} is not a media type like image/png", file.content_type);
        Error::argument_refused("content_type", message)
    };
    // This library can parse media types; the part itself is written below.
    reqwest::multipart::Part::bytes(Vec::new()).mime_str(&file.content_type).map_err(|_| refused())?;
    let boundary = boundary(request);
    let filename = file.filename.replace('\\', "\\\\").replace('"', "\\\"");
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{filename}\"\r\n\
         Content-Type: {}\r\n\r\n",
        file.field, file.content_type
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"));
    Ok(Frame { content_type: content_type.map_err(|_| refused())?, head: head.into(), tail: tail.into() })
}

/// Returns a boundary that the author of the file's content cannot know beforehand.
fn boundary(request: &Request) -> String {
    let key = request.idempotency_text().unwrap_or_else(idempotency::new_key);
    format!("colony-{}", idempotency::fingerprint(&key))
}
