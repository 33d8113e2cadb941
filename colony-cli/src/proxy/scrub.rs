//! Removes the tokens that responses repeat.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use http::HeaderValue;
use memchr::memmem;
use secrecy::{ExposeSecret as _, SecretString};

/// Replaces each byte of a token, so that a response's length stays as announced.
const MASK: u8 = b'*';

/// The tokens that no response may repeat.
#[derive(Clone)]
pub(super) struct Scrub(Vec<SecretString>);

impl Scrub {
    pub(super) fn new(tokens: Vec<SecretString>) -> Self {
        // An empty token would match everywhere.
        Self(tokens.into_iter().filter(|token| !token.expose_secret().is_empty()).collect())
    }

    /// Masks the tokens in a whole text; `None` if there are none.
    pub(super) fn whole(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut scrubbed = text.to_vec();
        self.mask(&mut scrubbed).then_some(scrubbed)
    }

    /// Masks the tokens in the value of a header.
    pub(super) fn header(&self, value: HeaderValue) -> HeaderValue {
        match self.whole(value.as_bytes()) {
            None => value,
            Some(scrubbed) => {
                HeaderValue::from_bytes(&scrubbed).unwrap_or_else(|_| HeaderValue::from_static("*"))
            }
        }
    }

    /// Masks the tokens in a body as it arrives, including those split across chunks. Only an end that may be the
    /// beginning of a token is held back until the next chunk.
    pub(super) fn body<E>(
        self,
        body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    ) -> impl Stream<Item = Result<Bytes, E>> + Send + 'static
    where
        E: Send + 'static,
    {
        let state = Some((body, self, BytesMut::new()));
        stream::unfold(state, |state| async move {
            let (mut body, scrub, mut held) = state?;
            loop {
                match body.next().await {
                    Some(Ok(chunk)) => {
                        held.extend_from_slice(&chunk);
                        scrub.mask(&mut held);
                        let ready = held.split_to(held.len() - scrub.begun(&held)).freeze();
                        if !ready.is_empty() {
                            return Some((Ok(ready), Some((body, scrub, held))));
                        }
                    }
                    Some(Err(error)) => return Some((Err(error), None)),
                    None if held.is_empty() => return None,
                    None => return Some((Ok(held.freeze()), None)),
                }
            }
        })
    }

    fn mask(&self, text: &mut [u8]) -> bool {
        let mut found = false;
        for token in &self.0 {
            let token = token.expose_secret().as_bytes();
            let finder = memmem::Finder::new(token);
            let mut from = 0;
            while let Some(at) = finder.find(&text[from..]) {
                text[from + at..from + at + token.len()].fill(MASK);
                from += at + token.len();
                found = true;
            }
        }
        found
    }

    /// Returns how many bytes at the end may be the beginning of a token.
    fn begun(&self, text: &[u8]) -> usize {
        let of_token = |token: &SecretString| {
            let token = token.expose_secret().as_bytes();
            let most = text.len().min(token.len().saturating_sub(1));
            (1..=most).rev().find(|length| token.starts_with(&text[text.len() - length..])).unwrap_or(0)
        };
        self.0.iter().map(of_token).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2lnbmF0dXJl";

    fn scrub() -> Scrub {
        Scrub::new(vec!["eyJhbGciOiJub25lIn0.e30.".into(), TOKEN.into()])
    }

    async fn through(text: &[u8], size: usize) -> (Vec<u8>, Vec<usize>) {
        let chunks: Vec<_> =
            text.chunks(size).map(|chunk| Ok::<_, ()>(Bytes::copy_from_slice(chunk))).collect();
        let given: Vec<Bytes> =
            scrub().body(stream::iter(chunks)).map(|chunk| chunk.expect("no error")).collect().await;
        (given.concat(), given.iter().map(Bytes::len).collect())
    }

    #[tokio::test]
    async fn a_token_is_masked_wherever_it_is_cut() {
        let text = format!("before {TOKEN}{TOKEN} eyJhbGciOiJub25lIn0.e30. eyJhbGciOiJI after eyJ");
        let masked = text
            .replace(TOKEN, &"*".repeat(TOKEN.len()))
            .replace("eyJhbGciOiJub25lIn0.e30.", &"*".repeat(24));
        for size in 1..=text.len() {
            assert_eq!(through(text.as_bytes(), size).await.0, masked.as_bytes(), "{size}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_a_token_is_not_held_back() {
        let (_, sizes) = through(b"data: one\n\ndata: two\n\n", 11).await;
        assert_eq!(sizes, [11, 11]);
    }

    #[test]
    fn headers_are_masked() {
        let value = HeaderValue::from_str(&format!("Bearer {TOKEN}!")).expect("a value");
        assert_eq!(scrub().header(value), format!("Bearer {}!", "*".repeat(TOKEN.len())));
        assert_eq!(scrub().header(HeaderValue::from_static("plain")), "plain");
    }
}
