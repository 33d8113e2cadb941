//! The form in which a store sees a token: names and bytes that mean nothing without the key.
//!
//! Everything is derived from the API key with HKDF-SHA256 ([RFC 5869](https://www.rfc-editor.org/rfc/rfc5869)): the
//! names of the entries, a key that seals their content (AES-256-GCM), and a key that names a token, so that the
//! store can compare two tokens without having them. Sealed content is bound to its name, so that one entry cannot
//! replace another.

use colony_core::token::cooldown::Note;
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf, hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::token::{CachedToken, Format, Record};

const SALT: &[u8] = b"colony-sdk token store 1";
/// The longest entry that is examined, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// The names of one token's entries, and the keys.
pub(crate) struct Seal {
    pub(super) token: String,
    pub(super) lock: String,
    pub(super) note: String,
    seal: LessSafeKey,
    id: hmac::Key,
    version: String,
}

/// A token as stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// When the token is stale, Unix seconds, in digits.
    pub(super) exp: String,
    /// A name of the token that does not reveal it.
    pub(super) id: String,
    pub(super) data: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Content {
    /// When it was stored.
    at: f64,
    /// The content of the token's file.
    file: String,
}

impl Seal {
    /// Creates the names and keys for the token of this server and key whose file has this name.
    pub(super) fn new(
        version: u32,
        prefix: &str,
        zone: &str,
        base_url: &str,
        file: &str,
        key: &SecretString,
    ) -> Self {
        let derived = |purpose: &str, length: usize| derive(key, &info(&[purpose, base_url, file]), length);
        let name = hex(&derived("name", 16));
        let of = |kind: &str| format!("{prefix}:{version}:{{{name}}}:{kind}");
        let seal = UnboundKey::new(&AES_256_GCM, &derived("seal", 32)).expect("a key of 32 bytes");
        Self {
            token: of("token"),
            lock: of("lock"),
            note: format!("{}:{zone}", of("note")),
            seal: LessSafeKey::new(seal),
            id: hmac::Key::new(hmac::HMAC_SHA256, &derived("id", 32)),
            version: version.to_string(),
        }
    }

    /// Returns a name of a token that does not reveal it.
    pub(super) fn id(&self, token: &SecretString) -> String {
        hex(&hmac::sign(&self.id, token.expose_secret().as_bytes()).as_ref()[..16])
    }

    /// Seals a token. `None` when it cannot be written or no random bytes are available.
    pub(super) fn close(&self, format: &Format, token: &CachedToken, now: f64) -> Option<Entry> {
        let file = format.write(token).ok()?;
        let (exp, id) = (token.lifetime.stale_at.to_string(), self.id(&token.secret));
        let content = serde_json::to_vec(&Content { at: now, file }).ok()?;
        let data = self.close_bytes(&[&self.token, &exp, &id], content)?;
        (data.len() <= MAX_BYTES).then_some(Entry { exp, id, data })
    }

    /// Opens an entry that [`close`](Self::close) sealed under this name. `None` for any other.
    pub(super) fn open(&self, format: &Format, entry: &Entry) -> Option<Record> {
        let bytes = self.open_bytes(&[&self.token, &entry.exp, &entry.id], &entry.data)?;
        let Content { at, file } = serde_json::from_slice(&bytes).ok()?;
        format.read(file.as_bytes(), at).ok()
    }

    /// Seals a note.
    pub(super) fn close_note(&self, note: &Note) -> Option<Vec<u8>> {
        self.close_bytes(&[&self.note, "note"], note.write().into_bytes())
    }

    /// Opens a note.
    pub(super) fn open_note(&self, data: &[u8]) -> Option<Note> {
        Note::read(&self.open_bytes(&[&self.note, "note"], data)?)
    }

    fn close_bytes(&self, about: &[&str], mut bytes: Vec<u8>) -> Option<Vec<u8>> {
        let nonce = random::<NONCE_LEN>()?;
        let sealed = Nonce::assume_unique_for_key(nonce);
        self.seal.seal_in_place_append_tag(sealed, Aad::from(self.about(about)), &mut bytes).ok()?;
        Some([nonce.as_slice(), &bytes].concat())
    }

    fn open_bytes(&self, about: &[&str], data: &[u8]) -> Option<Vec<u8>> {
        if data.len() > MAX_BYTES {
            return None;
        }
        let (nonce, sealed) = data.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = sealed.to_vec();
        let opened = self.seal.open_in_place(nonce, Aad::from(self.about(about)), &mut bytes).ok()?.len();
        bytes.truncate(opened);
        Some(bytes)
    }

    fn about(&self, about: &[&str]) -> Vec<u8> {
        info(&[&[&*self.version], about].concat())
    }
}

/// Returns a name for the holder of a lease: 128 random bits.
pub(super) fn owner() -> Option<String> {
    random::<16>().map(|bytes| hex(&bytes))
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}

/// Concatenates texts, each preceded by its length.
fn info(texts: &[&str]) -> Vec<u8> {
    let long = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    texts.iter().flat_map(|text| long(text).into_iter().chain(text.bytes())).collect()
}

fn derive(key: &SecretString, info: &[u8], length: usize) -> Vec<u8> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let info = [info];
    let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(key.expose_secret().as_bytes());
    let material = pseudorandom.expand(&info, Length(length)).expect("a short key");
    let mut out = vec![0; length];
    material.fill(&mut out).expect("a buffer of this length");
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use colony_core::token::freshness::Lifetime;

    use super::{super::VERSION, *};

    fn seal(base_url: &str, file: &str, key: &str) -> Seal {
        Seal::new(VERSION, "colony-sdk", "default", base_url, file, &key.into())
    }

    fn token(text: &str) -> CachedToken {
        CachedToken::new(text.into(), Lifetime::short(1000.5, 3000.0))
    }

    #[test]
    fn keys_are_derived_as_the_vector_says() {
        let derived = derive(&"col_test".into(), b"name", 16);
        assert_eq!(hex(&derived), "710c5cf2feecbf7a345cb80f42f4d806");
    }

    #[test]
    fn names_differ_by_server_file_and_key_and_say_nothing() {
        let names: Vec<String> =
            [("u", "f", "k"), ("v", "f", "k"), ("u", "g", "k"), ("u", "f", "l"), ("uf", "", "k")]
                .map(|(url, file, key)| seal(url, file, key).token)
                .to_vec();
        for (at, name) in names.iter().enumerate() {
            assert!(name.starts_with("colony-sdk:1:{") && name.ends_with("}:token"), "{name}");
            assert!(!names[..at].contains(name), "{name}");
        }
        let seal = seal("u", "f", "k");
        assert!(seal.note.ends_with(":note:default") && seal.lock.ends_with(":lock"));
    }

    #[test]
    fn what_was_sealed_opens_and_nothing_else_does() {
        let own = seal("u", "f", "k");
        let entry = own.close(&Format::Login, &token("planted"), 1000.0).unwrap();
        let found = own.open(&Format::Login, &entry).unwrap();
        assert_eq!(found.token.secret.expose_secret(), "planted");
        assert_eq!((found.written_at, entry.id.len()), (1000.0, 32));
        assert!(!entry.data.windows(7).any(|part| part == b"planted"));
        let opens = |seal: &Seal, entry: &Entry| seal.open(&Format::Login, entry).is_some();
        for at in 0..entry.data.len() {
            for bit in 0..8 {
                let mut data = entry.data.clone();
                data[at] ^= 1 << bit;
                assert!(!opens(&own, &Entry { data, ..entry.clone() }), "byte {at}");
            }
            assert!(!opens(&own, &Entry { data: entry.data[..at].to_vec(), ..entry.clone() }));
        }
        assert!(!opens(&own, &Entry { exp: "9000".to_owned(), ..entry.clone() }));
        assert!(!opens(&own, &Entry { id: own.id(&"other".into()), ..entry.clone() }));
        for other in [seal("v", "f", "k"), seal("u", "g", "k"), seal("u", "f", "l")] {
            assert!(!opens(&other, &entry));
        }
        let note = own.close_note(&Note::cool_down(1000.0, None, 429, None, "wait")).unwrap();
        assert!(own.open_note(&note).is_some() && own.open_note(&entry.data).is_none());
        assert!(!opens(&own, &Entry { data: note, ..entry }));
        let other_zone = Seal::new(VERSION, "colony-sdk", "b", "u", "f", &"k".into());
        let note = other_zone.close_note(&Note::cool_down(1000.0, None, 429, None, "wait")).unwrap();
        assert!(own.open_note(&note).is_none());
    }

    #[test]
    fn drawn_entries_are_misses() {
        let own = seal("u", "f", "k");
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..10_000 {
            let length = random.usize(..200);
            let data = std::iter::repeat_with(|| random.u8(..)).take(length).collect();
            let entry = Entry { exp: random.u32(..).to_string(), id: random.u64(..).to_string(), data };
            assert!(own.open(&Format::Login, &entry).is_none() && own.open_note(&entry.data).is_none());
        }
        assert!(own.open_note(&vec![0; MAX_BYTES + 1]).is_none());
    }
}
