//! Operations as data.

use std::{any::TypeId, sync::Arc};

use http::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    Reply, Request, Result,
    page::{Pages, Paging, Steps},
    reply::{Done, accept, accept_empty},
};

/// An operation of one request and one JSON reply.
///
/// The struct that implements it holds the arguments, named as in the other SDKs (that is what
/// `colony call` reads). But for uploads it is `Serialize`, and what it is written as is read back by the
/// [registry](crate::registry):
///
/// ```
/// use colony_core::{api::posts::GetPosts, registry};
///
/// let query = serde_json::to_value(GetPosts::new().author("ada").limit(5)).expect("JSON");
/// assert!(registry::find("get_posts").expect("it is there").prepare(query).is_ok());
/// ```
/// [`CONTRIBUTING.md`] has the recipe for adding one.
///
/// [`CONTRIBUTING.md`]: https://github.com/TheColonyAI/colony-sdk-rust/blob/main/CONTRIBUTING.md
pub trait Endpoint: DeserializeOwned + Send + 'static {
    /// The operation's name in the other SDKs and on the command line: `get_post`.
    const NAME: &'static str;
    /// The HTTP method.
    const METHOD: Method;
    /// The path below the base URL, with places for arguments: `/posts/{post_id}`.
    const PATH: &'static str;
    /// Whether this is a write for which the server keeps no `Idempotency-Key`, so that it is sent
    /// [once](crate::retry::Repeat::Once): always so without a login.
    const KEYLESS: bool = false;
    /// What the reply holds.
    type Response: DeserializeOwned + Send + 'static;

    /// The request these arguments stand for. A refused argument is remembered in it.
    fn request(&self) -> Request;

    /// Decodes the reply. Overridden where the value knows more than its text, as a page knows the next one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode).
    fn decode(reply: &Reply) -> Result<Self::Response> {
        reply.decode()
    }

    /// Turns the final reply, success or not, into the one to decode. Overridden where an operation
    /// answers something else than the server's body.
    ///
    /// # Errors
    ///
    /// The error that a reply without success stands for.
    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        // An empty success is one where an empty object says as much as the operation has to say.
        let need_not_answer = TypeId::of::<Self::Response>() == TypeId::of::<Done>();
        if need_not_answer { accept_empty(reply, request) } else { accept(reply, request) }
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

/// An operation that answers with one page of a list. Its list can also be walked to the end, from the page that the
/// arguments stand for, over as many requests as it takes.
pub trait Sequence: Endpoint {
    /// The walk's name in the other SDKs and on the command line: `iter_posts`. The list's own where it has none.
    const WALK: &'static str = Self::NAME;
    /// How a page is asked for.
    const PAGING: Paging = Paging::Offset;
    /// The fields of a reply in which the rows may be, in order of preference.
    const ROWS: &'static [&'static str] = &["items"];
    /// The fields of a row in which its id may be, in order of preference.
    const IDS: &'static [&'static str] = &["id"];
    /// What is listed.
    type Item: DeserializeOwned + Send + 'static;

    /// Returns the walk that these arguments start.
    fn pages(&self) -> Pages {
        Pages::of(self)
    }
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
        Self { request, answer: accept_empty }
    }
}
