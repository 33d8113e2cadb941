//! Whether a name for a colony is free.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, JsonObject, Request, Transport};

use super::Colonies;

// ---- methods

impl<C: Transport> Colonies<'_, C> {
    /// Checks whether a name for a colony is well formed and free.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for no name at all.
    #[doc(alias = "check_colony_name")]
    pub fn check_name(&self, name: impl Into<String>) -> C::Reply<ColonyNameCheck> {
        self.transport.execute(CheckColonyName::new(name))
    }
}

// ---- models

/// Whether a name for a colony can be had.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ColonyNameCheck {
    /// The name that was asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is well formed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<bool>,
    /// Whether it is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Checks whether a name for a colony is well formed and free.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CheckColonyName {
    /// The name.
    pub name: String,
}

impl CheckColonyName {
    /// This name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl Endpoint for CheckColonyName {
    const NAME: &'static str = "check_colony_name";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/check-name";
    type Response = ColonyNameCheck;

    fn request(&self) -> Request {
        Request::to::<Self>().query("name", &self.name)
    }
}
