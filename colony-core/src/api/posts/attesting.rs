//! Attesting to a post: fetching it and signing its content.

use std::time::SystemTime;

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Batch, PostId, Reply, Request, Result,
    attestation::{Coverage, Draft, Envelope, Identity, PostSource, Signer, Validity, time_now},
    id::checked_id,
    page::{Step, Steps},
    reply::accept,
};

/// Fetches a post and signs a statement of its present content: see [`attestation`](crate::attestation).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AttestPost {
    /// The post.
    pub post_id: PostId,
    /// The key to sign with.
    pub signer: Signer,
    /// The identity the statement is about; the signer unless set.
    pub subject: Option<Identity>,
    /// The period of validity; a year from now unless set.
    pub validity: Option<Validity>,
    /// A promise about what else would have been attested.
    pub coverage: Option<Coverage>,
    /// The site the post is on; `https://thecolony.ai` unless set.
    pub base_url: Option<String>,
    /// The API the post can be read from; `/api/v1` of the site unless set.
    pub api_base_url: Option<String>,
    /// The display name of the signer.
    pub display_name: Option<String>,
    /// The time of signing; the current time unless set.
    #[serde(skip)]
    pub at: Option<SystemTime>,
    /// The envelope's id; a new one unless set.
    #[serde(skip)]
    pub envelope_id: Option<String>,
}

impl AttestPost {
    /// Creates a request to attest to this post with this key.
    pub fn new(post_id: impl Into<PostId>, signer: Signer) -> Self {
        Self {
            post_id: post_id.into(),
            signer,
            subject: None,
            validity: None,
            coverage: None,
            base_url: None,
            api_base_url: None,
            display_name: None,
            at: None,
            envelope_id: None,
        }
    }

    /// Sets the identity the statement is about.
    #[must_use]
    pub fn subject(mut self, subject: Identity) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Sets the period of validity.
    #[must_use]
    pub fn validity(mut self, validity: Validity) -> Self {
        self.validity = Some(validity);
        self
    }

    /// Sets a promise about what else would have been attested.
    #[must_use]
    pub fn coverage(mut self, coverage: Coverage) -> Self {
        self.coverage = Some(coverage);
        self
    }

    /// Sets the site the post is on.
    #[must_use]
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets the API the post can be read from.
    #[must_use]
    pub fn api_base_url(mut self, api_base_url: impl Into<String>) -> Self {
        self.api_base_url = Some(api_base_url.into());
        self
    }

    /// Sets the display name of the signer.
    #[must_use]
    pub fn display_name(mut self, display_name: impl Into<String>) -> Self {
        self.display_name = Some(display_name.into());
        self
    }

    /// Sets the time of signing.
    #[must_use]
    pub fn at(mut self, at: SystemTime) -> Self {
        self.at = Some(at);
        self
    }

    /// Sets the envelope's id.
    #[must_use]
    pub fn envelope_id(mut self, id: impl Into<String>) -> Self {
        self.envelope_id = Some(id.into());
        self
    }

    fn sign(&self, post: &Value) -> Result<Envelope> {
        let text = |name| post.get(name).and_then(Value::as_str);
        let mut source =
            PostSource::new(checked_id("post_id", &self.post_id)?, text("body").unwrap_or_default());
        source.created_at = text("created_at");
        source.base_url = self.base_url.as_deref().unwrap_or(source.base_url);
        source.api_base_url = self.api_base_url.as_deref();
        let mut draft = Draft::of_post(&source)?;
        if let Some(subject) = &self.subject {
            draft = draft.subject(subject.clone());
        }
        if let Some(validity) = &self.validity {
            draft = draft.validity(validity.clone());
        }
        if let Some(coverage) = &self.coverage {
            draft = draft.coverage(coverage.clone());
        }
        if let Some(name) = &self.display_name {
            draft = draft.display_name(name);
        }
        if let Some(id) = &self.envelope_id {
            draft = draft.envelope_id(id);
        }
        draft.sign(&self.signer, self.at.unwrap_or_else(time_now))
    }
}

impl Batch for AttestPost {
    const NAME: &'static str = "attest_post";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}";
    type Output = Envelope;

    fn steps(&self) -> Result<Box<dyn Steps>> {
        let request = Request::new(Self::NAME, Self::METHOD, Self::PATH).id("post_id", &self.post_id);
        request.check()?;
        Ok(Box::new(FetchAndSign { attest: self.clone(), request, asked: false }))
    }

    fn gather(items: Vec<Value>) -> Value {
        items.into_iter().next().unwrap_or_default()
    }
}

struct FetchAndSign {
    attest: AttestPost,
    request: Request,
    asked: bool,
}

impl Steps for FetchAndSign {
    fn next(&mut self) -> Result<Step> {
        if std::mem::replace(&mut self.asked, true) {
            return Ok(Step::Done);
        }
        Ok(Step::Send(Box::new(self.request.clone())))
    }

    fn take(&mut self, reply: Reply) -> Result<Vec<Value>> {
        let post = accept(reply, &self.request)?.json()?;
        Ok(vec![self.attest.sign(&post)?.into_json()])
    }
}
