//! Operations as data.

use std::sync::Arc;

use http::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Reply, Request, Result, page::Steps};

/// An operation of one request and one JSON reply.
///
/// The struct that implements it holds the arguments, named as in the other SDKs (that is what
/// `colony call` reads). [`CONTRIBUTING.md`] has the recipe for adding one.
///
/// [`CONTRIBUTING.md`]: https://github.com/TheColonyAI/colony-sdk-rust/blob/main/CONTRIBUTING.md
pub trait Endpoint: DeserializeOwned + Send + 'static {
    /// The operation's name in the other SDKs and on the command line: `get_post`.
    const NAME: &'static str;
    /// The HTTP method.
    const METHOD: Method;
    /// The path below the base URL, with places for arguments: `/posts/{post_id}`.
    const PATH: &'static str;
    /// What the reply holds.
    type Response: DeserializeOwned + Send + 'static;

    /// The request these arguments stand for. A refused argument is remembered in it.
    fn request(&self) -> Request;

    /// Turns the final reply, success or not, into the one to decode. Overridden where an operation
    /// answers something else than the server's body.
    ///
    /// # Errors
    ///
    /// The error that a reply without success stands for.
    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        if reply.is_success() { Ok(reply) } else { Err(reply.into_error(request)) }
    }
}

/// An operation that answers with bytes.
pub trait Download: DeserializeOwned + Send + 'static {
    /// The operation's name.
    const NAME: &'static str;
    /// The path; the method is GET.
    const PATH: &'static str;

    /// The request these arguments stand for.
    fn request(&self) -> Request;
}

/// An operation that lists things over as many requests as it takes.
pub trait Sequence: DeserializeOwned + Send + 'static {
    /// The operation's name.
    const NAME: &'static str;
    /// The path of a page; the method is GET.
    const PATH: &'static str;
    /// What is listed.
    type Item: DeserializeOwned + Send + 'static;

    /// The machine that says which request is next.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument).
    fn steps(&self) -> Result<Box<dyn Steps>>;
}

/// An operation of several requests with one answer.
pub trait Batch: DeserializeOwned + Send + 'static {
    /// The operation's name.
    const NAME: &'static str;
    /// The HTTP method of each request.
    const METHOD: Method;
    /// The path of each request.
    const PATH: &'static str;
    /// The answer.
    type Output: DeserializeOwned + Send + 'static;

    /// The machine that says which request is next.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument).
    fn steps(&self) -> Result<Box<dyn Steps>>;

    /// The answer, from what the single requests gave.
    fn gather(items: Vec<Value>) -> Value {
        Value::Array(items)
    }
}

/// A request together with the way to read its reply: an [`Endpoint`] without its type.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What to send.
    pub request: Request,
    /// [`Endpoint::answer`].
    pub answer: fn(Reply, &Request) -> Result<Reply>,
}

impl Prepared {
    /// Prepares an operation.
    pub fn of<E: Endpoint>(endpoint: &E) -> Self {
        Self { request: endpoint.request(), answer: E::answer }
    }

    /// Prepares a download.
    pub fn download<D: Download>(download: &D) -> Self {
        Self::plain(download.request().bytes())
    }

    /// Reads the final reply, success or not, as the operation does. What is decoded from it names the operation in its
    /// errors.
    ///
    /// # Errors
    ///
    /// What the reply stands for.
    pub fn finish(self, mut reply: Reply) -> Result<Reply> {
        let request = Arc::new(self.request);
        reply.request = Some(Arc::clone(&request));
        (self.answer)(reply, &request)
    }

    /// Prepares a request whose reply is taken as it is.
    pub fn plain(request: Request) -> Self {
        Self { request, answer: crate::reply::accept }
    }
}
