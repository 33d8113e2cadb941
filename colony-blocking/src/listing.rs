//! A list that is read page by page.

use std::fmt;

use colony_core::Result;
use serde::de::DeserializeOwned;

use crate::Http;

/// The items of a list, an [`Iterator`] of results.
///
/// Nothing is sent before the first item is asked for, and a page only when the items of the one before
/// have been taken. The first error is the last item.
#[must_use = "nothing is sent until the first item is asked for"]
pub struct Listing<T> {
    http: Http,
    walk: Option<colony_async::Listing<T>>,
}

impl<T> Listing<T> {
    pub(crate) fn new(http: Http, walk: colony_async::Listing<T>) -> Self {
        Self { http, walk: Some(walk) }
    }
}

impl<T: DeserializeOwned + Send + 'static> Iterator for Listing<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        // What has arrived already needs no trip to the client's thread.
        if let Some(item) = self.walk.as_mut()?.next_ready() {
            return Some(item);
        }
        let mut walk = self.walk.take()?;
        let waited = self.http.wait(async move {
            let item = walk.next().await;
            Ok((walk, item))
        });
        match waited {
            Ok((walk, item)) => {
                self.walk = Some(walk);
                item
            }
            Err(error) => Some(Err(error)),
        }
    }
}

impl<T> fmt::Debug for Listing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").finish_non_exhaustive()
    }
}
