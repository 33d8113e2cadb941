//! A list that is read page by page.

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use colony_core::{
    Reply as CoreReply, Result,
    idempotency::Keys,
    page::{self, Origin, Step, Steps},
};
use futures_core::Stream;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::Http;

/// The items of a list, a [`Stream`] of results.
///
/// Nothing is sent before the first poll, and each page is requested only after the items of the one before have been
/// taken. The first error ends the stream, after the items before it. Dropping the stream ends the walk.
///
/// ```no_run
/// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
/// use colony_core::api::posts::GetPosts;
///
/// let mut posts = client.posts().iter(GetPosts::new());
/// while let Some(post) = posts.next().await {
///     println!("{}", post?.title);
/// }
/// # Ok(()) }
/// ```
#[must_use = "nothing is sent until the first item is asked for"]
pub struct Listing<T> {
    http: Http,
    steps: Option<Result<Box<dyn Steps>>>,
    items: VecDeque<Value>,
    origin: Option<Origin>,
    left: Option<usize>,
    fetch: Option<Fetch>,
    keys: Keys,
    item: std::marker::PhantomData<fn() -> T>,
}

type Fetch = Pin<Box<dyn Future<Output = (Box<dyn Steps>, Result<(Origin, CoreReply)>)> + Send>>;

impl<T: DeserializeOwned> Listing<T> {
    pub(crate) fn new(http: Http, steps: Result<Box<dyn Steps>>) -> Self {
        let keys = http.batch_keys();
        Self {
            http,
            keys,
            steps: Some(steps),
            items: VecDeque::new(),
            origin: None,
            left: None,
            fetch: None,
            item: std::marker::PhantomData,
        }
    }

    /// Ends the list after this many items. Pages that cannot be needed are not requested.
    pub fn take(mut self, count: usize) -> Self {
        self.left = Some(self.left.map_or(count, |left| left.min(count)));
        self
    }

    /// Returns the next item; `None` at the end. Cancelling the wait loses nothing.
    pub async fn next(&mut self) -> Option<Result<T>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Returns the next item if it has already arrived; sends nothing and does not wait.
    #[doc(hidden)]
    pub fn next_ready(&mut self) -> Option<Result<T>> {
        let value = self.items.pop_front().filter(|_| self.left != Some(0))?;
        Some(self.decode(value))
    }

    fn decode(&mut self, value: Value) -> Result<T> {
        self.left = self.left.map(|left| left.saturating_sub(1));
        page::from_value(value).map_err(|error| {
            self.items.clear();
            self.steps = None;
            match &self.origin {
                Some(origin) => origin.name(error),
                None => error,
            }
        })
    }

    /// Collects the remaining items.
    ///
    /// # Errors
    ///
    /// The first error; the items before it are lost. Take them one by one to keep them.
    pub async fn collect(mut self) -> Result<Vec<T>> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await {
            all.push(item?);
        }
        Ok(all)
    }

    fn advance(&mut self, steps: Result<Box<dyn Steps>>) -> Option<Result<T>> {
        let mut steps = match steps {
            Ok(steps) => steps,
            Err(error) => return Some(Err(error)),
        };
        match steps.next() {
            Err(error) => Some(Err(error)),
            Ok(Step::Done) => None,
            Ok(Step::Send(mut request)) => {
                let http = self.http.clone();
                http.give_key(&mut self.keys, &mut request);
                self.fetch = Some(Box::pin(async move {
                    let reply = http.deliver(&request).await;
                    (steps, reply.map(|reply| (Origin::of(&request, &reply), reply)))
                }));
                None
            }
        }
    }
}

impl<T: DeserializeOwned> Stream for Listing<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.left == Some(0) {
            return Poll::Ready(None);
        }
        loop {
            if let Some(value) = this.items.pop_front() {
                return Poll::Ready(Some(this.decode(value)));
            }
            if let Some(fetch) = &mut this.fetch {
                let (mut steps, reply) = std::task::ready!(fetch.as_mut().poll(context));
                this.fetch = None;
                let taken = reply.and_then(|(origin, reply)| {
                    this.origin = Some(origin);
                    steps.take(reply)
                });
                match taken {
                    Ok(items) => {
                        this.items = items.into();
                        this.steps = Some(Ok(steps));
                    }
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
                continue;
            }
            let Some(steps) = this.steps.take() else { return Poll::Ready(None) };
            if let Some(refused) = this.advance(steps) {
                return Poll::Ready(Some(refused));
            }
        }
    }
}

impl<T> Unpin for Listing<T> {}

impl<T> fmt::Debug for Listing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").finish_non_exhaustive()
    }
}
