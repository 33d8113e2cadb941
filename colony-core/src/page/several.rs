//! Several requests with one answer.

use serde_json::{Value, json};

use super::{Step, Steps};
use crate::{Error, ErrorKind, Reply, Request, Result, reply::accept};

/// Fetches things one by one; those that are not there (404) are left out.
pub struct OneByOne {
    requests: std::vec::IntoIter<Request>,
    current: Option<Request>,
}

impl OneByOne {
    /// A walk over these requests.
    pub fn new(requests: Vec<Request>) -> Self {
        Self { requests: requests.into_iter(), current: None }
    }
}

impl Steps for OneByOne {
    fn next(&mut self) -> Result<Step> {
        let Some(request) = self.requests.next() else { return Ok(Step::Done) };
        request.check()?;
        self.current = Some(request.clone());
        Ok(Step::Send(Box::new(request)))
    }

    fn take(&mut self, reply: Reply) -> Result<Vec<Value>> {
        if reply.status == http::StatusCode::NOT_FOUND {
            return Ok(Vec::new());
        }
        let request =
            self.current.take().ok_or_else(|| Error::build(ErrorKind::Api, "nothing was asked").finish())?;
        Ok(vec![accept(reply, &request)?.json()?])
    }
}

/// Sends a list of ids in pieces that the server accepts; each reply is an item.
pub struct Chunks {
    base: Request,
    field: &'static str,
    chunks: std::vec::IntoIter<Vec<String>>,
}

impl Chunks {
    /// A walk that sends `ids` in `field` of the JSON body, at most `size` at a time.
    ///
    /// # Errors
    ///
    /// The request's refused argument.
    pub fn new(base: Request, field: &'static str, ids: &[String], size: usize) -> Result<Self> {
        base.check()?;
        let chunks: Vec<Vec<String>> = ids.chunks(size).map(<[String]>::to_vec).collect();
        Ok(Self { base, field, chunks: chunks.into_iter() })
    }
}

impl Steps for Chunks {
    fn next(&mut self) -> Result<Step> {
        let Some(chunk) = self.chunks.next() else { return Ok(Step::Done) };
        Ok(Step::Send(Box::new(self.base.clone().json(self.field, json!(chunk)))))
    }

    fn take(&mut self, reply: Reply) -> Result<Vec<Value>> {
        Ok(vec![accept(reply, &self.base)?.json()?])
    }
}
