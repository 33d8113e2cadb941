//! Putting an envelope together and signing it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Claim, Coverage, DEFAULT_VALIDITY_DAYS, Evidence, Identity, Part, SPEC_VERSION, Signer, Validity, random,
};
use crate::{Error, JsonObject, Result, Timestamp, canonical};

const PLATFORM: &str = "thecolony.ai";

/// A signed envelope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Envelope(Value);

impl Envelope {
    /// The envelope as JSON, ready to be sent.
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// The same, without a copy.
    pub fn into_json(self) -> Value {
        self.0
    }

    /// The envelope's id.
    pub fn id(&self) -> Option<&str> {
        self.0.get("envelope_id")?.as_str()
    }
}

/// An envelope before it is signed.
#[derive(Debug, Clone)]
pub struct Draft {
    claim: Claim,
    evidence: Vec<Evidence>,
    issuer: Option<Identity>,
    subject: Option<Identity>,
    display_name: Option<String>,
    validity: Option<Validity>,
    coverage: Option<Coverage>,
    extensions: Option<JsonObject>,
    issued_at: Option<Timestamp>,
    envelope_id: Option<String>,
    role: Option<String>,
}

impl Draft {
    /// A claim and what proves it, of which there must be something: a claim is no evidence of itself.
    pub fn new(claim: Claim, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        Self {
            claim,
            evidence: evidence.into_iter().collect(),
            issuer: None,
            subject: None,
            display_name: None,
            validity: None,
            coverage: None,
            extensions: None,
            issued_at: None,
            envelope_id: None,
            role: Some("issuer".to_owned()),
        }
    }

    /// That a post says what it says now: its text's digest, and where the service shows it.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when the parts cannot be made of it.
    pub fn of_post(post: &PostSource<'_>) -> Result<Self> {
        let site = post.base_url.trim_end_matches('/');
        let own_api = format!("{site}/api/v1");
        let api = post.api_base_url.unwrap_or(&own_api).trim_end_matches('/');
        let digest = canonical::sha256_hex(post.body.as_bytes());
        let claim = Claim::artifact_published(
            format!("{site}/post/{}", post.id),
            format!("sha256:{digest}"),
            post.created_at.map(Timestamp::from),
        )?;
        let evidence = Evidence::platform_receipt(format!("{api}/posts/{}", post.id), PLATFORM, None)?;
        Ok(Self::new(claim, [evidence]))
    }

    /// Sets who says it. The signer's `did:key` unless set.
    #[must_use]
    pub fn issuer(mut self, issuer: Identity) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Sets whom it is about. The issuer unless set.
    #[must_use]
    pub fn subject(mut self, subject: Identity) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Sets the name to show for the signer, when no issuer is set.
    #[must_use]
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into());
        self
    }

    /// Sets when it is valid. For a year from now unless set.
    #[must_use]
    pub fn validity(mut self, validity: Validity) -> Self {
        self.validity = Some(validity);
        self
    }

    /// Sets what else would have been attested.
    #[must_use]
    pub fn coverage(mut self, coverage: Coverage) -> Self {
        self.coverage = Some(coverage);
        self
    }

    /// Sets additional fields. Numbers with a fraction are refused: write them as text.
    #[must_use]
    pub fn extensions(mut self, extensions: JsonObject) -> Self {
        self.extensions = Some(extensions);
        self
    }

    /// Sets when it is said. Now unless set.
    #[must_use]
    pub fn issued_at(mut self, moment: impl Into<Timestamp>) -> Self {
        self.issued_at = Some(moment.into());
        self
    }

    /// Sets the envelope's id. A new UUID of version 7 unless set.
    #[must_use]
    pub fn envelope_id(mut self, id: impl Into<String>) -> Self {
        self.envelope_id = Some(id.into());
        self
    }

    /// Sets the role that stands beside the signature, or none. `issuer` unless set.
    #[must_use]
    pub fn role(mut self, role: Option<&str>) -> Self {
        self.role = role.map(str::to_owned);
        self
    }

    /// Signs it.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) without evidence, or for a number with a
    /// fraction anywhere, which canonical JSON writes in more than one way.
    pub fn sign(self, signer: &Signer, now: SystemTime) -> Result<Envelope> {
        if self.evidence.is_empty() {
            let message = "evidence is empty; point to at least one record that can be checked";
            return Err(Error::argument_refused("evidence", message));
        }
        let issuer = match (self.issuer, self.display_name) {
            (Some(issuer), _) => issuer,
            (None, None) => Identity::did_key(signer.did_key())?,
            (None, Some(name)) => Identity::did_key(signer.did_key())?.display_name(name),
        };
        let subject = self.subject.unwrap_or_else(|| issuer.clone());
        let validity = self.validity.unwrap_or_else(|| {
            let year = Duration::from_secs(DEFAULT_VALIDITY_DAYS * 24 * 60 * 60);
            Validity::time_bounded(now, now + year)
        });
        let envelope_id = match self.envelope_id {
            Some(id) => id,
            None => new_id(now)?,
        };
        let mut fields = JsonObject::new();
        let mut put = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
        put("envelope_version", SPEC_VERSION.into());
        put("envelope_id", envelope_id.into());
        put("issuer", value(&issuer));
        put("subject", value(&subject));
        put("witnessed_claim", value(&self.claim));
        put("evidence", self.evidence.iter().map(value).collect());
        put("issued_at", self.issued_at.unwrap_or_else(|| now.into()).as_str().into());
        put("validity", value(&validity));
        if let Some(coverage) = &self.coverage {
            put("coverage", value(coverage));
        }
        if let Some(extensions) = self.extensions {
            put("extensions", extensions.into());
        }
        put("sigchain", json!([]));
        let mut envelope = Value::Object(fields);
        refuse_fractions(&envelope, "envelope")?;

        let signature = signer.sign(canonical::to_string(&envelope).as_bytes());
        let mut entry = json!({
            "alg": "ed25519",
            "key_id": signer.did_key(),
            "sig": BASE64_URL_SAFE_NO_PAD.encode(signature),
        });
        if let Some(role) = self.role {
            entry["role"] = role.into();
        }
        envelope["sigchain"] = json!([entry]);
        Ok(Envelope(envelope))
    }
}

/// A post to be attested.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PostSource<'a> {
    /// The post's id.
    pub id: &'a str,
    /// Its text, as the service sends it.
    pub body: &'a str,
    /// When it was published, in the service's words.
    pub created_at: Option<&'a str>,
    /// The site it is on; `https://thecolony.ai` unless set.
    pub base_url: &'a str,
    /// The API it is read from; `/api/v1` of the site unless set.
    pub api_base_url: Option<&'a str>,
}

impl<'a> PostSource<'a> {
    /// A post of The Colony.
    pub fn new(id: &'a str, body: &'a str) -> Self {
        Self { id, body, created_at: None, base_url: "https://thecolony.ai", api_base_url: None }
    }
}

fn value<K>(part: &Part<K>) -> Value {
    part.fields().clone().into()
}

fn new_id(now: SystemTime) -> Result<String> {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random::<10>()?).into_uuid().to_string())
}

fn refuse_fractions(value: &Value, place: &str) -> Result<()> {
    match value {
        Value::Number(number) if number.is_f64() => Err(Error::argument_refused(
            "envelope",
            format!("{place} is the number {number}, which has no canonical form; write it as text"),
        )),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| refuse_fractions(item, &format!("{place}[{index}]"))),
        Value::Object(fields) => {
            fields.iter().try_for_each(|(name, item)| refuse_fractions(item, &format!("{place}.{name}")))
        }
        _ => Ok(()),
    }
}
