//! Checking a notarisation offline.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error, JsonObject, Result,
    canonical::{self, sha256_hex},
    operation::{Call, read_arguments},
};

use super::Notarisation;

/// The fields of the notarised document that only the platform vouches for: the service that keeps the record
/// receives a digest and sees neither content nor author.
pub const UNWITNESSED: [&str; 4] = ["subject_id", "author_id", "colony_id", "created_at"];

/// The result of checking a notarisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NotarisationCheck {
    /// Whether every local check passed. The proof is not checked.
    pub ok: bool,
    /// Whether the document's digest matches the recorded one.
    pub digest_ok: bool,
    /// Whether the given title and body match the digests in the document; `None` if neither was given, which is not
    /// a mismatch.
    pub content_ok: Option<bool>,
    /// The state of the proof, according to the platform: `recorded`, `included`, `anchored`. Reported, but not
    /// relied on.
    pub proof_state: String,
    /// Why `ok` is false; empty if it is true.
    pub reasons: Vec<String>,
    /// What was not checked, and what checking it would take.
    pub notes: Vec<String>,
}

/// Checks a record as sent by the service: that its document has the recorded digest, and that the given title and
/// body match the document.
///
/// Needs neither an account nor a request, so a record can be checked without trusting the service. Give the title
/// and body exactly as stored (the Markdown source, nothing trimmed); a comment has no title.
///
/// # Errors
///
/// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a value that is not a record: one without a `canonical`
/// document or without a `payload_hash`.
///
/// # Examples
///
/// ```
/// use colony_core::api::notarisation;
/// use serde_json::json;
///
/// let record = json!({
///     "canonical": {},
///     "payload_hash": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
/// });
/// let check = notarisation::check(record.as_object().unwrap(), None, None)?;
/// assert!(check.digest_ok);
/// assert_eq!(check.content_ok, None);
/// # Ok::<(), colony_core::Error>(())
/// ```
#[doc(alias = "verify_notarisation")]
pub fn check(record: &JsonObject, title: Option<&str>, body: Option<&str>) -> Result<NotarisationCheck> {
    let malformed = |field: &str, is: &str| {
        Error::argument_refused(
            "record",
            format!("record has no {field} {is}; give the whole record as the service sent it"),
        )
    };
    let document = record.get("canonical").filter(|document| document.is_object());
    let document = document.ok_or_else(|| malformed("`canonical`", "document"))?;
    let recorded = record.get("payload_hash").and_then(Value::as_str).filter(|hash| !hash.is_empty());
    let recorded = recorded.ok_or_else(|| malformed("`payload_hash`", "to compare with"))?;

    let mut reasons = Vec::new();
    let computed = sha256_hex(canonical::to_string(document).as_bytes());
    let digest_ok = computed.eq_ignore_ascii_case(recorded);
    if !digest_ok {
        reasons.push(format!("the document's digest is {computed}, and {recorded} was recorded"));
    }

    let mut content_ok = None;
    for (name, text) in [("body", body), ("title", title)] {
        let Some(text) = text else { continue };
        let field = format!("{name}_sha256");
        let wanted = document.get(&field).and_then(Value::as_str).unwrap_or_default();
        let computed = sha256_hex(text.as_bytes());
        let same = computed.eq_ignore_ascii_case(wanted);
        if !same {
            let wanted = if wanted.is_empty() { "nothing" } else { wanted };
            reasons.push(format!("the {name} given has the digest {computed}; the document says {wanted}"));
        }
        content_ok = Some(content_ok.unwrap_or(true) && same);
    }

    let proof_state = text_or(record.get("proof_state"), "recorded");
    let notes = notes(content_ok.is_none(), &proof_state, &text_or(record.get("proof_url"), ""));
    Ok(NotarisationCheck {
        ok: digest_ok && content_ok != Some(false),
        digest_ok,
        content_ok,
        proof_state,
        reasons,
        notes,
    })
}

impl Notarisation {
    /// Checks this record, as [`check`] does.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when the record has no digest.
    pub fn check(&self, title: Option<&str>, body: Option<&str>) -> Result<NotarisationCheck> {
        let mut record = JsonObject::new();
        record.insert("canonical".to_owned(), self.canonical.clone().into());
        record.insert("payload_hash".to_owned(), self.payload_hash.clone().into());
        record.insert("proof_state".to_owned(), serde_json::to_value(&self.proof_state).unwrap_or_default());
        record.insert("proof_url".to_owned(), self.proof_url.clone().into());
        check(&record, title, body)
    }
}

fn notes(content_is_unknown: bool, proof_state: &str, proof_url: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if content_is_unknown {
        notes.push(
            "neither title nor body was given: the record is consistent, but was not compared with any text"
                .to_owned(),
        );
    }
    notes.push(format!("proof_state is {proof_state:?} as the platform reports it, and was not checked"));
    notes.push(if proof_url.is_empty() {
        "the record names no proof_url: its place in the log is not published yet".to_owned()
    } else {
        format!(
            "the proof of inclusion was not fetched: get {proof_url} yourself, follow its path to the \
             checkpoint, and check the checkpoint with OpenTimestamps"
        )
    });
    notes.push(format!(
        "only the platform vouches for these fields of the document: {}",
        UNWITNESSED.join(", ")
    ));
    notes
}

fn text_or(value: Option<&Value>, otherwise: &str) -> String {
    match value {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(true))) => value.to_string(),
        _ => otherwise.to_owned(),
    }
}

/// Checks that a notarisation record is intact and that it matches the title and text, if they are given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyNotarisation {
    /// The record, as sent by the service.
    record: JsonObject,
    /// The text to compare with the record.
    body: Option<String>,
    /// The title to compare with the record.
    title: Option<String>,
}

/// Builds the call of `verify_notarisation` from named arguments.
pub(super) fn by_name(arguments: Value) -> Result<Call> {
    let given: VerifyNotarisation = read_arguments("verify_notarisation", arguments)?;
    let check = check(&given.record, given.title.as_deref(), given.body.as_deref())?;
    Ok(Call::Local(serde_json::to_value(check).expect("a check has text keys only")))
}
