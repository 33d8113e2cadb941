//! What envelopes are put together from.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::{Error, JsonObject, Result, Timestamp};

/// The kinds of [`Part`].
pub mod kind {
    /// A party.
    pub enum Identity {}
    /// What is claimed.
    pub enum Claim {}
    /// A pointer to evidence.
    pub enum Evidence {}
    /// A time of validity.
    pub enum Validity {}
    /// A promise about what else would have been attested.
    pub enum Coverage {}
}

/// A party: the issuer or the subject of an envelope.
pub type Identity = Part<kind::Identity>;
/// What is claimed.
pub type Claim = Part<kind::Claim>;
/// A pointer to a record that can be fetched and checked independently.
pub type Evidence = Part<kind::Evidence>;
/// When an envelope is valid.
pub type Validity = Part<kind::Validity>;
/// A promise that things of certain kinds would have been attested, had they happened.
pub type Coverage = Part<kind::Coverage>;

/// A part of an envelope: a JSON object of one kind. It is signed as it stands, so fields this version
/// does not know are kept.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Part<K> {
    fields: JsonObject,
    #[serde(skip)]
    kind: PhantomData<fn() -> K>,
}

impl<K> Part<K> {
    /// A part from its fields, unchecked.
    pub fn from_fields(fields: JsonObject) -> Self {
        Self { fields, kind: PhantomData }
    }

    /// The fields.
    pub fn fields(&self) -> &JsonObject {
        &self.fields
    }

    fn of<const N: usize>(fields: [(&str, Value); N]) -> Self {
        Self::from_fields(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn and(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.fields.insert(name.to_owned(), value.into());
        }
        self
    }
}

impl Identity {
    /// A party known by a key, as the issuer should be: only then can a reader tell that the signature
    /// is the issuer's.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for anything but a `did:key` in base 58.
    pub fn did_key(did_key: impl Into<String>) -> Result<Self> {
        let did_key = did_key.into();
        if !did_key.starts_with(super::DID_KEY) {
            return Err(Error::argument_refused(
                "did_key",
                format!("{did_key:?} is not a did:key in base 58; it begins with {}", super::DID_KEY),
            ));
        }
        Ok(Self::of([("id_scheme", "did:key".into()), ("id", did_key.into())]))
    }

    /// A party known by a name on a platform, `thecolony.ai:ada`. Good for a subject; an issuer of this
    /// kind cannot be bound to a key.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a handle without a platform.
    pub fn platform_handle(handle: impl Into<String>) -> Result<Self> {
        let handle = handle.into();
        if !handle.contains(':') {
            return Err(Error::argument_refused(
                "handle",
                format!("{handle:?} names no platform; write it as platform:name, thecolony.ai:ada"),
            ));
        }
        Ok(Self::of([("id_scheme", "platform-handle".into()), ("id", handle.into())]))
    }

    /// Sets the name to show.
    #[must_use]
    pub fn display_name(self, name: impl Into<String>) -> Self {
        self.and("display_name", Some(name.into()))
    }
}

impl Claim {
    /// The subject published this; `content_hash` is of its bytes at that time, `sha256:<hex>`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a hash of another form.
    pub fn artifact_published(
        artifact_uri: impl Into<String>,
        content_hash: impl Into<String>,
        published_at: Option<Timestamp>,
    ) -> Result<Self> {
        let hash = checked_hash(content_hash.into())?;
        let claim = Self::of([
            ("claim_type", "artifact_published".into()),
            ("artifact_uri", artifact_uri.into().into()),
            ("content_hash", hash.into()),
        ]);
        Ok(claim.and("published_at", published_at.map(text)))
    }

    /// The subject did this; `kind` is like `colony.post.create`, and the receipt is the platform's.
    pub fn action_executed(
        kind: impl Into<String>,
        receipt_uri: impl Into<String>,
        executed_at: Option<Timestamp>,
    ) -> Self {
        Self::of([
            ("claim_type", "action_executed".into()),
            ("action_kind", kind.into().into()),
            ("action_receipt_uri", receipt_uri.into().into()),
        ])
        .and("executed_at", executed_at.map(text))
    }

    /// The subject went from one state to another, both visible from outside.
    pub fn state_transition(
        before: impl Into<String>,
        after: impl Into<String>,
        witness_uri: impl Into<String>,
    ) -> Self {
        Self::of([
            ("claim_type", "state_transition".into()),
            ("subject_state_before", before.into().into()),
            ("subject_state_after", after.into().into()),
            ("transition_witness_uri", witness_uri.into().into()),
        ])
    }

    /// The subject covers a capability.
    pub fn capability_coverage(capability_id: impl Into<String>, coverage_uri: impl Into<String>) -> Self {
        Self::of([
            ("claim_type", "capability_coverage".into()),
            ("capability_id", capability_id.into().into()),
            ("coverage_uri", coverage_uri.into().into()),
        ])
    }
}

impl Evidence {
    /// An address whose content cannot change unnoticed.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a hash that is not `<algorithm>:<hex>`.
    pub fn immutable_uri(uri: impl Into<String>, content_hash: Option<&str>) -> Result<Self> {
        Self::pointer("immutable_uri", uri.into(), content_hash, None)
    }

    /// A record that a platform keeps and shows.
    ///
    /// # Errors
    ///
    /// As [`immutable_uri`](Self::immutable_uri).
    pub fn platform_receipt(
        uri: impl Into<String>,
        platform_id: impl Into<String>,
        content_hash: Option<&str>,
    ) -> Result<Self> {
        Self::pointer("platform_receipt", uri.into(), content_hash, Some(platform_id.into()))
    }

    /// A commit of a version control system.
    ///
    /// # Errors
    ///
    /// As [`immutable_uri`](Self::immutable_uri).
    pub fn commit_hash(uri: impl Into<String>, content_hash: Option<&str>) -> Result<Self> {
        Self::pointer("commit_hash", uri.into(), content_hash, None)
    }

    /// A transcript that a platform keeps.
    pub fn transcript_id(uri: impl Into<String>, platform_id: impl Into<String>) -> Self {
        Self::of([
            ("pointer_type", "transcript_id".into()),
            ("uri", uri.into().into()),
            ("platform_id", platform_id.into().into()),
        ])
    }

    fn pointer(kind: &str, uri: String, hash: Option<&str>, platform: Option<String>) -> Result<Self> {
        let hash = hash.map(|hash| checked_hash(hash.to_owned())).transpose()?;
        let pointer = Self::of([("pointer_type", kind.into()), ("uri", uri.into())]);
        Ok(pointer.and("content_hash", hash).and("platform_id", platform))
    }
}

impl Validity {
    /// Valid between these times.
    pub fn time_bounded(not_before: impl Into<Timestamp>, not_after: impl Into<Timestamp>) -> Self {
        Self::window("time_bounded", not_before.into(), not_after.into())
    }

    /// Valid for good; the times are for information.
    pub fn perpetual(not_before: impl Into<Timestamp>, not_after: impl Into<Timestamp>) -> Self {
        Self::window("perpetual", not_before.into(), not_after.into())
    }

    /// Valid between these times unless the address says otherwise, which readers have to ask.
    pub fn revocation_checked(
        not_before: impl Into<Timestamp>,
        not_after: impl Into<Timestamp>,
        revocation_uri: impl Into<String>,
    ) -> Self {
        let window = Self::window("revocation_checked", not_before.into(), not_after.into());
        window.and("revocation_uri", Some(revocation_uri.into()))
    }

    fn window(model: &str, not_before: Timestamp, not_after: Timestamp) -> Self {
        Self::of([
            ("validity_model", model.into()),
            ("not_before", text(not_before).into()),
            ("not_after", text(not_after).into()),
        ])
    }
}

impl Coverage {
    /// Things of these kinds would have been attested.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) without a kind.
    pub fn new(
        coverage_uri: impl Into<String>,
        claim_types: impl IntoIterator<Item = impl Into<String>>,
        signed_at: Option<Timestamp>,
    ) -> Result<Self> {
        let types: Vec<Value> = claim_types.into_iter().map(|kind| kind.into().into()).collect();
        if types.is_empty() {
            let message = "covered_claim_types is empty; name at least one type of claim";
            return Err(Error::argument_refused("covered_claim_types", message));
        }
        let coverage =
            Self::of([("coverage_uri", coverage_uri.into().into()), ("covered_claim_types", types.into())]);
        Ok(coverage.and("coverage_signed_at", signed_at.map(text)))
    }
}

fn text(moment: Timestamp) -> String {
    moment.as_str().to_owned()
}

fn checked_hash(hash: String) -> Result<String> {
    let digits = hash.split_once(':').filter(|(algorithm, _)| !algorithm.is_empty()).map(|(_, hex)| hex);
    let is_hex =
        |hex: &str| !hex.is_empty() && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if digits.is_some_and(is_hex) {
        return Ok(hash);
    }
    Err(Error::argument_refused(
        "content_hash",
        format!("content_hash {hash:?} is not <algorithm>:<hex in lower case>, like sha256:9f86d0..."),
    ))
}

// By hand, because a derive would ask the same of the kind, which is only a mark.

impl<K> Clone for Part<K> {
    fn clone(&self) -> Self {
        Self::from_fields(self.fields.clone())
    }
}

impl<K> PartialEq for Part<K> {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl<K> fmt::Debug for Part<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields.fmt(f)
    }
}

impl<K> Serialize for Part<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.fields.serialize(serializer)
    }
}
