//! Requests for what no operation covers.

use std::{borrow::Cow, fmt};

use http::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Client, Error, Prepared, Request, Transport};

/// A request of any method and path. From [`Client::request`].
///
/// A refused part (a path that is none, a body that is no object) is remembered, and
/// [`send`](Self::send) tells.
#[must_use = "nothing is sent until `send`"]
pub struct RawRequest<'c, C> {
    transport: &'c C,
    request: Request,
}

impl<C: Transport> Client<C> {
    /// Starts a request for what no operation covers. It carries the session's token, and is retried and
    /// refused like any other.
    ///
    /// The path is below the base URL and already encoded; it may have a query.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use http::Method;
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let stats = client.request(Method::GET, "/stats/timeseries").query("interval", "week").send().await?;
    /// println!("{stats}");
    ///
    /// let body = serde_json::json!({"note": "seen"});
    /// client.request(Method::POST, "/posts/e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3/notes").json(&body).send().await?;
    /// # Ok(()) }
    /// ```
    pub fn request(&self, method: Method, path: &str) -> RawRequest<'_, C> {
        let request = Request::raw(method.clone(), path)
            .unwrap_or_else(|refusal| Request::new("request", method, "/").refuse(refusal));
        RawRequest { transport: self.transport(), request }
    }
}

impl<C: Transport> RawRequest<'_, C> {
    /// Adds a query parameter.
    pub fn query(mut self, key: impl Into<Cow<'static, str>>, value: impl fmt::Display) -> Self {
        self.request = self.request.query(key, value);
        self
    }

    /// Sets the body: anything that is a JSON object.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.request = match serde_json::to_value(body) {
            Ok(Value::Object(fields)) => self.request.json_object().json_fields(&fields),
            Ok(_) => self.request.refuse(Error::argument_refused("json", "the body must be a JSON object")),
            Err(error) => {
                let message = format!("the body cannot be written as JSON: {error}");
                self.request.refuse(Error::argument_refused("json", message))
            }
        };
        self
    }

    /// Sets the idempotency key, by which the server recognises a repetition, in place of one that the client makes.
    pub fn idempotency_key(mut self, key: &str) -> Self {
        self.request = self.request.idempotency_key(Some(key));
        self
    }

    /// Sends the request without the token.
    pub fn anonymous(mut self) -> Self {
        self.request = self.request.anonymous();
        self
    }

    /// Marks a write for which the server keeps no key: it is repeated only where the first one cannot
    /// have acted.
    pub fn keyless(mut self) -> Self {
        self.request = self.request.keyless();
        self
    }

    /// Sends the request and answers with the server's JSON; an empty body (204) is an empty object.
    ///
    /// # Errors
    ///
    /// What the server answered, or why it was not asked, as [`Client::execute`].
    pub fn send(self) -> C::Reply<Value> {
        self.send_as()
    }

    /// Sends the request and reads the server's JSON as a type.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); [`Decode`](crate::ErrorKind::Decode) when the JSON is not a `T`.
    pub fn send_as<T: DeserializeOwned + Send + 'static>(self) -> C::Reply<T> {
        self.transport.send(Prepared::plain(self.request), |reply| reply.decode())
    }
}

impl<C> fmt::Debug for RawRequest<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(f)
    }
}
