//! Who carries the operations.

use std::time::Duration;

use bytes::Bytes;
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use crate::{
    Batch, Download, Endpoint, Prepared, Reply, Result, Sequence,
    events::{Event, Position, Watch},
    openid::audience::{Audience, AudienceToken, Wanted},
    page::Steps,
    token::TokenDetails,
};

/// Carries operations to the server and decides the shape of the answer: a future in
/// `colony_async`, a plain [`Result`] in `colony_blocking`.
///
/// A transport implements the type-erased methods; the rest are thin conversions on top, so that
/// hundreds of operations add little code.
pub trait Transport: Sized {
    /// An answer: a future of a result, or the result.
    type Reply<T: Send + 'static>;
    /// A list read page by page: a stream, or an iterator.
    type Listing<T: DeserializeOwned + Send + 'static>;

    /// A download that is handed on while it arrives: a stream of chunks, or a reader.
    type Stream: Send + 'static;
    /// What happens, event by event.
    type Events: Send + 'static;

    /// Sends one request and decodes what came back.
    fn send<T: Send + 'static>(&self, call: Prepared, decode: fn(Reply) -> Result<T>) -> Self::Reply<T>;

    /// Sends one request and hands its reply on while it arrives.
    fn open(&self, call: Prepared) -> Self::Reply<Self::Stream>;

    /// Walks a list.
    fn walk<T: DeserializeOwned + Send + 'static>(&self, steps: Result<Box<dyn Steps>>) -> Self::Listing<T>;

    /// Walks to the end and hands over everything at once.
    fn collect<T: Send + 'static>(
        &self,
        steps: Result<Box<dyn Steps>>,
        finish: fn(Vec<serde_json::Value>) -> Result<T>,
    ) -> Self::Reply<T>;

    /// A token that is fresh now, logging in if necessary.
    fn token(&self) -> Self::Reply<SecretString>;

    /// Such a token that lives at least this long, and when it ends.
    fn token_details(&self, min_ttl: Duration) -> Self::Reply<TokenDetails>;

    /// Makes the next call log in anew. Nothing is sent now.
    fn forget_token(&self) -> Self::Reply<()>;

    /// A token for another service, exchanging the client's own if necessary.
    fn audience_token(&self, wanted: Wanted) -> Self::Reply<AudienceToken>;

    /// The part of such a token that is [needed](Wanted::need), the access token unless it is the
    /// `id_token`.
    fn audience_secret(&self, wanted: Wanted) -> Self::Reply<SecretString>;

    /// Makes the next call for such a token exchange anew. Nothing is sent now.
    fn forget_audience_token(&self, audience: Audience) -> Self::Reply<()>;

    /// Watches what happens.
    fn watch(&self, watch: Watch) -> Self::Events;

    /// Fetches what has happened since a position, and the position after it.
    fn peek(&self, position: Position) -> Self::Reply<(Vec<Event>, Position)>;

    /// Carries out an operation.
    fn execute<E: Endpoint>(&self, endpoint: E) -> Self::Reply<E::Response> {
        self.send(Prepared::of(&endpoint), |reply| E::decode(&reply))
    }

    /// Carries out an operation and answers with the server's JSON as it came.
    fn execute_json<E: Endpoint>(&self, endpoint: E) -> Self::Reply<serde_json::Value> {
        self.send(Prepared::of(&endpoint), |reply| reply.json())
    }

    /// Fetches bytes.
    fn download<D: Download>(&self, download: D) -> Self::Reply<Bytes> {
        self.send(Prepared::download(&download), |reply| Ok(reply.body))
    }

    /// Fetches bytes and hands them on while they arrive.
    fn stream<D: Download>(&self, download: D) -> Self::Reply<Self::Stream> {
        self.open(Prepared::download(&download))
    }

    /// Walks a list.
    fn list<S: Sequence>(&self, sequence: S) -> Self::Listing<S::Item> {
        self.walk(Ok(sequence.pages().boxed()))
    }

    /// Carries out an operation of several requests.
    fn gather<B: Batch>(&self, batch: B) -> Self::Reply<B::Output> {
        self.collect(batch.steps(), |items| crate::page::from_value(B::gather(items)))
    }
}

/// What may differ from call to call on one client; what is not set is the builder's.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CallSettings {
    /// The limit of one request.
    pub timeout: Option<Duration>,
    /// The limit of a whole call.
    pub deadline: Option<Duration>,
    /// The key of a write.
    pub idempotency_key: Option<String>,
}

/// Makes a client's builder reachable from the alias: `Client::builder(key)`.
pub trait Connect: Transport {
    /// The builder.
    type Builder;

    /// A builder for this key.
    fn builder(api_key: SecretString) -> Self::Builder;

    /// A builder for a client without a key, for the calls that need none.
    fn anonymous() -> Self::Builder;

    /// The same transport, session and all, with changed settings for its calls.
    #[must_use]
    fn with_settings(&self, change: impl FnOnce(&mut CallSettings)) -> Self;
}
