//! Attestations: signed statements that anybody can check, like "I published this post".
//!
//! An [`Envelope`] holds a claim, pointers to evidence that can be fetched independently, a time of
//! validity, and a signature made with a key whose `did:key` stands in the envelope. The form is version
//! 0.1 of the [attestation envelope specification][spec], byte for byte what the Python package makes.
//!
//! ```
//! use std::time::SystemTime;
//! use colony_core::attestation::{Claim, Draft, Evidence, Signer, verify};
//!
//! let signer = Signer::from_seed(&[7; 32])?; // keep the seed: it is the private key
//! let now = SystemTime::now();
//! let claim = Claim::action_executed("deploy.finish", "https://ci.example/runs/7", None);
//! let evidence = Evidence::platform_receipt("https://ci.example/api/runs/7", "ci.example", None)?;
//! let envelope = Draft::new(claim, [evidence]).sign(&signer, now)?;
//!
//! let verdict = verify(envelope.as_json(), now);
//! assert!(verdict.ok && verdict.issuer_bound);
//! # Ok::<(), colony_core::Error>(())
//! ```
//!
//! For a post there is `client.posts().attest(..)`, which fetches it and signs what it says.
//!
//! [spec]: https://github.com/TheColonyCC/attestation-envelope-spec

mod envelope;
mod part;
mod verdict;

use std::{fmt, time::SystemTime};

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, de};

pub use envelope::{Draft, Envelope, PostSource};
pub use part::{Claim, Coverage, Evidence, Identity, Part, Validity, kind};
pub use verdict::{Verdict, verify};

use crate::{Error, ErrorKind, Result};

/// The version of the envelope's form.
pub const SPEC_VERSION: &str = "0.1";
/// How long an envelope is valid unless said otherwise, in days.
pub const DEFAULT_VALIDITY_DAYS: u64 = 365;

const DID_KEY: &str = "did:key:z";
/// The mark of an Ed25519 public key in a `did:key`.
const ED25519: [u8; 2] = [0xed, 0x01];

/// A key to sign envelopes with.
///
/// Its seed is the private key: who has it can sign in its name, and without it nobody can again.
#[derive(Clone)]
pub struct Signer(SigningKey);

impl Signer {
    /// The key of a seed of 32 bytes that was kept.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for another length.
    pub fn from_seed(seed: &[u8]) -> Result<Self> {
        let seed = seed.try_into().map_err(|_| {
            let message = format!("seed has {} bytes; an Ed25519 seed has 32", seed.len());
            Error::argument_refused("seed", message)
        })?;
        Ok(Self(SigningKey::from_bytes(seed)))
    }

    /// A new key, from the operating system's randomness. Keep its [`seed`](Self::seed).
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) when the system has no randomness to give.
    pub fn generate() -> Result<Self> {
        Self::from_seed(&random::<32>()?)
    }

    /// The seed, to be kept safe.
    pub fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The public key as a `did:key`.
    pub fn did_key(&self) -> String {
        did_key(self.0.verifying_key())
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for Signer {
    /// Without the seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.did_key()).finish()
    }
}

/// Reads `{"$ed25519_seed_hex": "…"}`, which is how `colony call` is given a key.
impl<'de> Deserialize<'de> for Signer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Encoded {
            #[serde(rename = "$ed25519_seed_hex")]
            seed: String,
        }

        // What was given is left out of the message: it may be a key all the same.
        let refused = || {
            de::Error::custom("give the key as {\"$ed25519_seed_hex\": \"...\"} with 64 hexadecimal digits")
        };
        let encoded = Encoded::deserialize(deserializer).map_err(|_| refused())?;
        let seed = bytes_of_hex(&encoded.seed).ok_or_else(refused)?;
        Self::from_seed(&seed).map_err(|_| refused())
    }
}

/// The `did:key` of a public key of 32 bytes.
///
/// # Errors
///
/// [`InvalidArgument`](ErrorKind::InvalidArgument) for another length.
pub fn did_key_of(public_key: &[u8]) -> Result<String> {
    let key: &[u8; 32] = public_key.try_into().map_err(|_| {
        let message = format!("public_key has {} bytes; an Ed25519 key has 32", public_key.len());
        Error::argument_refused("public_key", message)
    })?;
    Ok(encode(key))
}

/// The public key of a `did:key`.
///
/// # Errors
///
/// [`InvalidArgument`](ErrorKind::InvalidArgument) for anything but the `did:key` of an Ed25519 key.
pub fn public_key_of(did_key: &str) -> Result<[u8; 32]> {
    let refused = |problem: &str| {
        Error::argument_refused("did_key", format!("did_key {problem}; give one like {DID_KEY}6Mk..."))
    };
    let digits = did_key.strip_prefix(DID_KEY).ok_or_else(|| refused("does not begin as one in base 58"))?;
    let bytes = bs58::decode(digits).into_vec().map_err(|_| refused("is not base 58"))?;
    let key = bytes.strip_prefix(&ED25519).ok_or_else(|| refused("is not of an Ed25519 key"))?;
    key.try_into().map_err(|_| refused("does not hold 32 bytes"))
}

fn did_key(key: VerifyingKey) -> String {
    encode(key.as_bytes())
}

fn encode(public_key: &[u8; 32]) -> String {
    let bytes = [&ED25519[..], public_key].concat();
    format!("{DID_KEY}{}", bs58::encode(bytes).into_string())
}

/// The time for an attestation that was not given one: an operation called by its name has no argument
/// for it.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub(crate) fn time_now() -> SystemTime {
    SystemTime::now()
}

/// Bytes of the operating system's randomness; the one place that asks for them here.
fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::build(ErrorKind::Config, format!("the system provides no random numbers: {error}")).finish()
    })?;
    Ok(bytes)
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_and_refusals_show_no_seed() {
        let seed = "42".repeat(32);
        let signer: Signer =
            serde_json::from_value(serde_json::json!({"$ed25519_seed_hex": seed})).expect("a signer");
        let shown = format!("{signer:?}");
        assert!(
            shown.contains("did:key:z") && !shown.contains("4242") && !shown.contains("66, 66"),
            "{shown}"
        );
        for wrong in [serde_json::json!({"$ed25519_seed_hex": &seed[2..]}), serde_json::json!(seed)] {
            let error = serde_json::from_value::<Signer>(wrong).unwrap_err().to_string();
            assert!(!error.contains("4242"), "{error}");
        }
    }

    #[test]
    fn two_generated_keys_differ() {
        let keys = [Signer::generate().unwrap(), Signer::generate().unwrap()];
        assert_ne!(keys[0].seed(), keys[1].seed());
        assert_eq!(public_key_of(&keys[0].did_key()).unwrap(), keys[0].public_key());
    }
}
