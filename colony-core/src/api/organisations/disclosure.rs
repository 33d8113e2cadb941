//! Disclosure to other services, and verified domains.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, JsonObject, Open, Reply, Request, Result, Timestamp};

use super::{OrgStatus, list_of};

// ---- models

/// A service to which a membership has been disclosed.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OrgDisclosureRecipient {
    /// The service's client id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// The scopes under which it was disclosed.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub scopes: Vec<String>,
    /// When it was last disclosed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The text to publish to verify a domain, and where.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OrgDomainToken {
    /// The domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Where to publish it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Open<ProofMethod>>,
    /// The text to publish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The time by which it must be published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A domain that is verified or being verified.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OrgDomainChallenge {
    /// The domain.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub domain: String,
    /// How it is verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Open<ProofMethod>>,
    /// The state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When verification started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When the challenge expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How a domain is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProofMethod {
    /// By a TXT record.
    Dns,
    /// By a file under `.well-known`.
    Http,
}

// ---- endpoints

/// Sets what is disclosed about an organisation to other services.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetOrgDisclosure {
    /// The organisation's slug.
    pub slug: String,
    /// The mode: `public`, `opaque` or `none`.
    pub mode: String,
}

impl SetOrgDisclosure {
    /// Creates a request for this organisation.
    pub fn new(slug: impl Into<String>, mode: impl Into<String>) -> Self {
        Self { slug: slug.into(), mode: mode.into() }
    }
}

impl Endpoint for SetOrgDisclosure {
    const NAME: &'static str = "set_org_disclosure";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/orgs/{slug}/disclosure";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("slug", &self.slug)
            .name("slug", &self.slug)
            .require_text("mode", &self.mode)
            .json("mode", &self.mode)
    }
}

/// Sets whether your own membership may be disclosed to other services.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetOrgVisibility {
    /// The organisation's slug.
    pub slug: String,
    /// Whether it may be disclosed.
    pub visible: bool,
}

impl SetOrgVisibility {
    /// Creates a request for your membership of this organisation.
    pub fn new(slug: impl Into<String>, visible: bool) -> Self {
        Self { slug: slug.into(), visible }
    }
}

impl Endpoint for SetOrgVisibility {
    const NAME: &'static str = "set_org_visibility";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/orgs/{slug}/visibility";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("slug", &self.slug)
            .name("slug", &self.slug)
            .json("visible", self.visible)
    }
}

/// Lists the services to which one of your memberships has been disclosed.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListOrgDisclosureRecipients {}

impl ListOrgDisclosureRecipients {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListOrgDisclosureRecipients {
    const NAME: &'static str = "list_org_disclosure_recipients";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/orgs/disclosure-recipients";
    type Response = Vec<OrgDisclosureRecipient>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        list_of(reply, request)
    }
}

/// Starts verification of a domain of an organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StartOrgDomainChallenge {
    /// The organisation's slug.
    pub slug: String,
    /// The domain.
    pub domain: String,
    /// The method: `dns` or `http`.
    pub method: String,
}

impl StartOrgDomainChallenge {
    /// Creates a request to verify this domain.
    pub fn new(slug: impl Into<String>, domain: impl Into<String>, method: impl Into<String>) -> Self {
        Self { slug: slug.into(), domain: domain.into(), method: method.into() }
    }
}

impl Endpoint for StartOrgDomainChallenge {
    const NAME: &'static str = "start_org_domain_challenge";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/orgs/{slug}/domain";
    type Response = OrgDomainToken;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("slug", &self.slug)
            .name("slug", &self.slug)
            .require_text("domain", &self.domain)
            .json("domain", &self.domain)
            .require_text("method", &self.method)
            .json("method", &self.method)
    }
}

/// Lists the domains that are verified or being verified.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListOrgDomainChallenges {
    /// The organisation's slug.
    pub slug: String,
}

impl ListOrgDomainChallenges {
    /// Creates a query for this organisation.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into() }
    }
}

impl Endpoint for ListOrgDomainChallenges {
    const NAME: &'static str = "list_org_domain_challenges";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/orgs/{slug}/domain";
    type Response = Vec<OrgDomainChallenge>;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("slug", &self.slug).name("slug", &self.slug)
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        list_of(reply, request)
    }
}

/// Makes the server look for the published text.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VerifyOrgDomain {
    /// The organisation's slug.
    pub slug: String,
}

impl VerifyOrgDomain {
    /// Creates a request for this organisation.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into() }
    }
}

impl Endpoint for VerifyOrgDomain {
    const NAME: &'static str = "verify_org_domain";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/orgs/{slug}/domain/verify";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("slug", &self.slug).name("slug", &self.slug)
    }
}
