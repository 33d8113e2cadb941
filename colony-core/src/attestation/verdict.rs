//! Checking an envelope without asking anybody.

use std::time::SystemTime;

use base64::{Engine, engine::DecodePaddingMode, engine::general_purpose::GeneralPurposeConfig};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{SPEC_VERSION, public_key_of};
use crate::{Timestamp, canonical};

const REQUIRED: [&str; 6] = ["issuer", "subject", "witnessed_claim", "evidence", "validity", "sigchain"];

/// Both ways of padding are found in envelopes.
const BASE64: base64::engine::GeneralPurpose = base64::engine::GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What checking an envelope came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verdict {
    /// Whether every signature is right and the envelope is valid at this time.
    pub ok: bool,
    /// Whether the first signature's key is the issuer's own. Without it, what is known is that this key
    /// signed, and not who.
    pub issuer_bound: bool,
    /// Why `ok` is false; empty when it is true.
    pub reasons: Vec<String>,
    /// What was found, and what was not looked at: nobody is asked about revocation and evidence.
    pub notes: Vec<String>,
}

/// Checks an envelope: its form, the chain of signatures, the time, and whether the key is the issuer's.
///
/// Nothing is fetched. The evidence, and a revocation address if there is one, are the caller's to ask.
pub fn verify(envelope: &Value, now: SystemTime) -> Verdict {
    let mut verdict = Verdict::default();
    let Value::Object(fields) = envelope else {
        verdict.reasons.push("the envelope is not an object".to_owned());
        return verdict;
    };
    let chain = verdict.check_form(fields);
    // There is nothing to verify in what is not an envelope.
    if !verdict.reasons.is_empty() {
        return verdict;
    }
    let signed = verdict.check_chain(fields, chain);
    let valid = verdict.check_validity(fields.get("validity"), now);
    verdict.ok = signed && valid;
    verdict.issuer_bound = verdict.check_issuer(fields.get("issuer"), chain.first());
    verdict
}

impl Verdict {
    fn check_form<'a>(&mut self, fields: &'a Map<String, Value>) -> &'a [Value] {
        let version = fields.get("envelope_version").and_then(Value::as_str);
        if version != Some(SPEC_VERSION) {
            let version = version.unwrap_or("none");
            self.reasons.push(format!("envelope_version is {version}; {SPEC_VERSION} can be checked here"));
        }
        for name in REQUIRED {
            if !fields.contains_key(name) {
                self.reasons.push(format!("{name} is missing"));
            }
        }
        let list = |name| fields.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for name in ["evidence", "sigchain"] {
            if list(name).is_empty() {
                self.reasons.push(format!("{name} is not a list with something in it"));
            }
        }
        list("sigchain")
    }

    fn check_chain(&mut self, fields: &Map<String, Value>, chain: &[Value]) -> bool {
        let before = self.reasons.len();
        let role = chain.first().and_then(|entry| entry.get("role")).filter(|role| !role.is_null());
        if role.is_some_and(|role| role != "issuer") {
            self.reasons.push("the first signature's role is not that of the issuer".to_owned());
        }
        let mut signed = fields.clone();
        for (index, entry) in chain.iter().enumerate() {
            // Each signature covers those before it.
            signed.insert("sigchain".to_owned(), chain[..index].into());
            match check_entry(entry, &signed) {
                Ok(key) => self.notes.push(format!("sigchain[{index}] was signed by {key}")),
                Err(problem) => self.reasons.push(format!("sigchain[{index}]: {problem}")),
            }
        }
        self.reasons.len() == before
    }

    fn check_validity(&mut self, validity: Option<&Value>, now: SystemTime) -> bool {
        let text = |name| validity.and_then(|validity| validity.get(name)).and_then(Value::as_str);
        let moment = |name| text(name).and_then(|moment| Timestamp::from(moment).to_system_time());
        let problem = match text("validity_model") {
            Some("perpetual") => {
                self.notes.push("valid for good".to_owned());
                return true;
            }
            Some("revocation_checked") => {
                self.notes.push("whether it was revoked was not checked; its revocation_uri says".to_owned());
                return true;
            }
            Some("time_bounded") => match (moment("not_before"), moment("not_after")) {
                (Some(start), _) if now < start => "it is not valid yet",
                (Some(_), Some(end)) if now > end => "it has expired",
                (Some(_), Some(_)) => {
                    self.notes.push("within its time of validity".to_owned());
                    return true;
                }
                _ => "not_before or not_after is not a moment",
            },
            Some(_) => "the validity_model is unknown",
            None => "there is no validity_model",
        };
        self.reasons.push(format!("validity: {problem}"));
        false
    }

    fn check_issuer(&mut self, issuer: Option<&Value>, first: Option<&Value>) -> bool {
        let text = |value: Option<&Value>, name: &str| Some(value?.get(name)?.as_str()?.to_owned());
        let key = text(first, "key_id");
        let (bound, note) = match text(issuer, "id_scheme").as_deref() {
            Some("did:key") if key.is_some() && text(issuer, "id") == key => {
                (true, "the first signature is by the issuer's own key")
            }
            Some("did:key") => (false, "the first signature is not by the issuer's key"),
            _ => (
                false,
                "an issuer of this kind cannot be bound to a key: this key signed, and nothing else is known",
            ),
        };
        self.notes.push(note.to_owned());
        bound
    }
}

fn check_entry(entry: &Value, signed: &Map<String, Value>) -> Result<String, String> {
    let text = |name| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("alg") != "ed25519" {
        return Err("the algorithm is not ed25519".to_owned());
    }
    let key = public_key_of(text("key_id")).map_err(|error| error.message().to_owned())?;
    let key = VerifyingKey::from_bytes(&key).map_err(|_| "the key is not a point of the curve".to_owned())?;
    // The ordinary alphabet is taken for the one of addresses; nothing is ambiguous about it.
    let signature = text("sig").replace('+', "-").replace('/', "_");
    let signature = BASE64.decode(signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
    let signature = signature.ok_or_else(|| "the signature is not 64 bytes in base64".to_owned())?;
    let message = canonical::to_string(&Value::Object(signed.clone()));
    key.verify_strict(message.as_bytes(), &signature)
        .map_err(|_| "the signature is not of this content by this key".to_owned())?;
    Ok(text("key_id").to_owned())
}
