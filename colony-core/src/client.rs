//! The client: what programs hold.

use std::{fmt, time::Duration};

use bytes::Bytes;
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use crate::{
    Answered, Batch, Connect, Download, Endpoint, Page, Prepared, Sequence, Transport, page::NextPage,
};

/// A client of The Colony. `colony_async::Client` and `colony_blocking::Client` are this type with
/// their own transports; cloning it is cheap and shares everything.
///
/// Operations are grouped into handles, one for each resource: [`posts`](Self::posts),
/// [`comments`](Self::comments), [`messages`](Self::messages) and so on. Below them,
/// [`execute`](Self::execute) carries out any operation of [`crate::api`].
#[derive(Clone)]
pub struct Client<C> {
    transport: C,
}

impl<C: Transport> Client<C> {
    /// A client over this transport.
    pub fn from_transport(transport: C) -> Self {
        Self { transport }
    }

    /// What carries the operations.
    pub fn transport(&self) -> &C {
        &self.transport
    }

    /// Carries out an operation.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`](crate::ErrorKind): what the server answered, or why it was not asked.
    pub fn execute<E: Endpoint>(&self, endpoint: E) -> C::Reply<E::Response> {
        self.transport.execute(endpoint)
    }

    /// Carries out an operation and answers with its value beside the reply's status and headers: the server's id of
    /// the request, the rate limit.
    ///
    /// ```no_run
    /// # use colony_core::api::posts::GetPost;
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let post = client.execute_answered(GetPost::new("e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3")).await?;
    /// println!("{} (request {:?}, {:?} left)", post.value.title, post.request_id(), post.rate_limit().remaining);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    pub fn execute_answered<E: Endpoint>(&self, endpoint: E) -> C::Reply<Answered<E::Response>> {
        self.transport.send(Prepared::of(&endpoint), |reply| {
            Ok(Answered::new(E::decode(&reply)?, reply.status, reply.headers))
        })
    }

    /// Carries out an operation and answers with the server's JSON as it came, typed models aside.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    pub fn execute_json<E: Endpoint>(&self, endpoint: E) -> C::Reply<serde_json::Value> {
        self.transport.execute_json(endpoint)
    }

    /// Fetches bytes, all at once. What may be large is better [streamed](Self::stream).
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    pub fn download<D: Download>(&self, download: D) -> C::Reply<Bytes> {
        self.transport.download(download)
    }

    /// Fetches bytes and hands them on while they arrive: a stream in `colony_async`, a
    /// [`Read`](std::io::Read) in `colony_blocking`. It may be of any size, and either can be written to a file.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute), until the bytes begin; then they end with the error.
    pub fn stream<D: Download>(&self, download: D) -> C::Reply<C::Stream> {
        self.transport.stream(download)
    }

    /// Fetches the page after another one, from [`Page::next_page`].
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    pub fn page<T: DeserializeOwned + Send + 'static>(&self, next: NextPage<T>) -> C::Reply<Page<T>> {
        let decode = next.decoder();
        self.transport.send(Prepared::plain(next.request), decode)
    }

    /// Walks a list page by page. Nothing is sent before the first item is asked for.
    pub fn list<S: Sequence>(&self, sequence: S) -> C::Listing<S::Item> {
        self.transport.list(sequence)
    }

    /// Carries out an operation that takes several requests.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    pub fn gather<B: Batch>(&self, batch: B) -> C::Reply<B::Output> {
        self.transport.gather(batch)
    }
}

impl<C: Connect> Client<C> {
    /// Starts a client for an API key (`col_…`).
    pub fn builder(api_key: impl Into<String>) -> C::Builder {
        C::builder(SecretString::from(api_key.into()))
    }

    /// Starts a client without a key, for the calls that need none: registration, key recovery.
    pub fn anonymous() -> C::Builder {
        C::anonymous()
    }

    /// Returns a client that shares everything with this one, and whose requests are given so long each.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # fn main() -> colony_core::Result<()> {
    /// let client = colony_async::Client::builder("col_example").build()?;
    /// let patient = client.with_timeout(Duration::from_secs(90)).with_deadline(Duration::from_secs(300));
    /// # Ok(()) }
    /// ```
    pub fn with_timeout(&self, limit: Duration) -> Self {
        Self::from_transport(self.transport.with_settings(|settings| settings.timeout = Some(limit)))
    }

    /// Returns a client that shares everything with this one, and whose calls have to end within this time:
    /// waiting for the login, all tries and the pauses between them. For each request of a walk.
    pub fn with_deadline(&self, limit: Duration) -> Self {
        Self::from_transport(self.transport.with_settings(|settings| settings.deadline = Some(limit)))
    }

    /// Returns a client that shares everything with this one, and whose writes carry this
    /// `Idempotency-Key`. For one call, as after an error whose
    /// [`idempotency_key`](crate::Error::idempotency_key) is to be used again: the server takes another
    /// call with the same key, method and path for a repetition.
    ///
    /// A key that the call itself names wins.
    pub fn with_idempotency_key(&self, key: impl Into<String>) -> Self {
        let key = Some(key.into());
        Self::from_transport(self.transport.with_settings(|settings| settings.idempotency_key = key))
    }
}

impl<C> fmt::Debug for Client<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
