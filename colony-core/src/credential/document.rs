//! What a credential's file says.
//!
//! ```json
//! {"schema": 1, "issuer": "https://thecolony.ai", "client_id": "colony_app", "resource": null,
//!  "token_endpoint": "https://thecolony.ai/oauth/token", "access_token": "…", "refresh_token": "…",
//!  "expiry": 1790000900.0, "scope": "openid offline_access", "obtained_at": 1790000000.0,
//!  "rotated_at": 1790000000.0, "refresh_expiry": null, "spending": null,
//!  "location": {"machine": "…", "inode": "…", "born": "…"}}
//! ```
//!
//! The reader is strict: what it does not understand it refuses, because the next step is to spend the token
//! or to write over the file. Fields it does not know are kept and written again.
//!
//! A credential that is kept elsewhere, in the system's keyring for example, leaves a *pointer* here: the same
//! ids, `"keeping": "keyring"`, and no token. So a program that cannot reach the keyring knows what it must not
//! replace.
//!
//! `spending` is the [note](Spending) about a refresh token that is under way to the provider. It is written, and
//! synced, *before* the request is sent, and goes with the write that stores the answer. `location` says
//! [where the store lives](Location), so that a copy of it is noticed.

use std::{error::Error as StdError, fmt};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Credential, CredentialId, check_endpoints, keeping::Keeping, location::Location, spending::Spending,
};
use crate::{JsonObject, token::envelope::MAX_BYTES};

/// The version that is written, and the only one that is read.
pub const SCHEMA: u64 = 1;

/// A credential's file: the credential, the note about its refresh token, and where the store lives.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Stored {
    /// The credential.
    pub credential: Credential,
    /// A request that was about to be sent and whose answer was not stored.
    pub spending: Option<Spending>,
    /// Where it was written. `None` in files of earlier versions.
    pub location: Option<Location>,
}

impl Stored {
    /// A credential nobody is refreshing.
    pub fn new(credential: Credential) -> Self {
        Self { credential, spending: None, location: None }
    }

    /// The note about the present refresh token. One about an earlier token says nothing any more.
    pub fn present_spending(&self) -> Option<&Spending> {
        let token = self.credential.refresh_fingerprint()?;
        self.spending.as_ref().filter(|spending| spending.token == token)
    }

    /// Reads a file's content.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], whatever the bytes are. The caller must then neither refresh nor write.
    pub fn read(text: &[u8]) -> Result<Self, Unreadable> {
        if text.len() > MAX_BYTES {
            return Err(Unreadable::TooLarge);
        }
        let head: Value = serde_json::from_slice(text).map_err(|_| Unreadable::NotJson)?;
        let head = head.as_object().ok_or(Unreadable::NotAnObject)?;
        match head.get("schema").map(Value::as_u64) {
            Some(Some(SCHEMA)) => {}
            Some(Some(schema)) => return Err(Unreadable::OtherSchema(schema)),
            _ => return Err(Unreadable::NoSchema),
        }
        if let Some(keeping) = head.get("keeping") {
            let keeping = keeping.as_str().and_then(Keeping::from_name);
            return Err(
                keeping.map_or_else(|| Unreadable::Field("keeping".to_owned()), Unreadable::KeptElsewhere)
            );
        }
        // The error's text may repeat a piece of the file, so only the field's name is kept.
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let wire: Wire = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| Unreadable::Field(field_of(&error)))?;
        wire.try_into()
    }

    /// The file's content, with a newline at its end.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], where the file could not be read again.
    pub fn write(&self) -> Result<Vec<u8>, Unreadable> {
        let Credential {
            id,
            token_endpoint,
            access_token,
            refresh_token,
            expiry,
            scope,
            obtained_at,
            rotated_at,
            refresh_expiry,
            brought,
            extra,
        } = self.credential.clone();
        let text = |token: Option<SecretString>| token.map(|token| token.expose_secret().to_owned());
        let wire = Wire {
            schema: SCHEMA,
            issuer: id.issuer,
            client_id: id.client_id,
            resource: id.resource,
            token_endpoint,
            access_token: text(access_token),
            refresh_token: text(refresh_token),
            expiry,
            scope,
            obtained_at,
            rotated_at,
            refresh_expiry,
            brought,
            spending: self.spending.clone(),
            location: self.location.clone(),
            extra,
        };
        let mut bytes = serde_json::to_vec_pretty(&wire).map_err(|_| Unreadable::NotJson)?;
        bytes.push(b'\n');
        // Nothing is written that the next reader would refuse: that would be the end of the credential.
        Self::read(&bytes)?;
        Ok(bytes)
    }
}

/// The file of a credential that is kept elsewhere. It is written anew with every change of the credential, so
/// that a program which holds the credential in memory notices the change.
pub fn pointer(id: &CredentialId, keeping: Keeping) -> Vec<u8> {
    let pointer = serde_json::json!({
        "schema": SCHEMA, "keeping": keeping.name(), "issuer": id.issuer, "client_id": id.client_id,
        "resource": id.resource,
    });
    format!("{pointer:#}\n").into_bytes()
}

/// The fields as they stand in the file.
#[derive(Serialize, Deserialize)]
struct Wire {
    schema: u64,
    issuer: String,
    client_id: String,
    resource: Option<String>,
    token_endpoint: String,
    access_token: Option<String>,
    refresh_token: Option<String>,
    expiry: f64,
    scope: Option<String>,
    obtained_at: f64,
    rotated_at: f64,
    refresh_expiry: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    brought: Option<String>,
    spending: Option<Spending>,
    #[serde(default)]
    location: Option<Location>,
    #[serde(flatten)]
    extra: JsonObject,
}

impl TryFrom<Wire> for Stored {
    type Error = Unreadable;

    fn try_from(wire: Wire) -> Result<Self, Unreadable> {
        if wire.access_token.as_deref().is_some_and(|token| !is_access_token(token)) {
            return Err(Unreadable::Field("access_token".to_owned()));
        }
        if wire.refresh_token.as_deref().is_some_and(|token| !is_refresh_token(token)) {
            return Err(Unreadable::Field("refresh_token".to_owned()));
        }
        if wire.access_token.is_none() && wire.refresh_token.is_none() {
            return Err(Unreadable::NoToken);
        }
        check_endpoints(&wire.issuer, &wire.token_endpoint)
            .map_err(|error| Unreadable::Field(error.argument().unwrap_or("token_endpoint").to_owned()))?;
        let credential = Credential {
            id: CredentialId { issuer: wire.issuer, client_id: wire.client_id, resource: wire.resource },
            token_endpoint: wire.token_endpoint,
            access_token: wire.access_token.map(SecretString::from),
            refresh_token: wire.refresh_token.map(SecretString::from),
            expiry: wire.expiry,
            scope: wire.scope,
            obtained_at: wire.obtained_at,
            rotated_at: wire.rotated_at,
            refresh_expiry: wire.refresh_expiry,
            brought: wire.brought,
            extra: wire.extra,
        };
        Ok(Self { credential, spending: wire.spending, location: wire.location })
    }
}

/// The field an error is about, as far as that can be told without repeating what stands in the file.
fn field_of(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    const FIELDS: [&str; 14] = [
        "issuer",
        "client_id",
        "resource",
        "token_endpoint",
        "access_token",
        "refresh_token",
        "refresh_expiry",
        "expiry",
        "scope",
        "obtained_at",
        "rotated_at",
        "brought",
        "spending",
        "location",
    ];
    let (path, text) = (error.path().to_string(), error.inner().to_string());
    let named = |field: &&&str| path == **field || text.contains(&format!("field `{field}`"));
    FIELDS.iter().find(named).map_or_else(|| "a field".to_owned(), |field| (*field).to_owned())
}

/// An access token stands in a header: visible ASCII, no spaces.
pub(super) fn is_access_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A refresh token is what RFC 6749 (appendix A.17) lets it be: visible ASCII and spaces.
pub(super) fn is_refresh_token(token: &str) -> bool {
    !token.trim().is_empty() && token.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Why a file's content is refused. None of these holds a piece of it but a field's name.
///
/// New reasons may be added; match with a `_` arm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// More than 64 KiB.
    TooLarge,
    /// Not JSON.
    NotJson,
    /// JSON, but not an object.
    NotAnObject,
    /// `schema` is absent or not a number.
    NoSchema,
    /// Written by another version of this SDK: its fields may mean something else.
    OtherSchema(u64),
    /// This field is absent, twice there, of another type, or has a value that it cannot have.
    Field(String),
    /// The file is a pointer: the credential is kept in a keyring, for example.
    KeptElsewhere(Keeping),
    /// There is neither an access token nor a refresh token.
    NoToken,
}

impl Unreadable {
    /// The reason in one word, for a field of a log event.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::NoSchema => "no_schema",
            Self::OtherSchema(_) => "other_schema",
            Self::Field(_) => "field",
            Self::KeptElsewhere(_) => "kept_elsewhere",
            Self::NoToken => "no_token",
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the file is larger than 64 KiB"),
            Self::NotJson => f.write_str("the file is not JSON"),
            Self::NotAnObject => f.write_str("the file is not a JSON object"),
            Self::NoSchema => f.write_str("the file does not say its schema version"),
            Self::OtherSchema(schema) => {
                write!(f, "the file has schema version {schema}, and this version reads {SCHEMA}")
            }
            Self::Field(field) => write!(f, "the file's {field} cannot be what it says"),
            Self::KeptElsewhere(keeping) => {
                write!(f, "the credential is not in the file but kept elsewhere ({})", keeping.name())
            }
            Self::NoToken => f.write_str("the file holds no token"),
        }
    }
}

impl StdError for Unreadable {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::credential::spending::Uptime;

    fn stored() -> Value {
        json!({
            "schema": 1, "issuer": "https://thecolony.ai", "client_id": "colony_app", "resource": null,
            "token_endpoint": "https://thecolony.ai/oauth/token", "access_token": "at-1",
            "refresh_token": "rt-1", "expiry": 1_790_000_900.25, "scope": "openid",
            "obtained_at": 1_790_000_000.25, "rotated_at": 1_790_000_000.25, "refresh_expiry": null,
            "spending": null
        })
    }

    fn note(credential: &Credential) -> Option<Spending> {
        let uptime = Uptime::new("b1", 12.5);
        Spending::of(credential, "a1", 1_790_000_001.5, uptime, Duration::from_secs(30), None)
    }

    fn read(value: &Value) -> Result<Stored, Unreadable> {
        Stored::read(value.to_string().as_bytes())
    }

    #[test]
    fn what_is_written_is_read_again_with_what_is_not_known() {
        let mut value = stored();
        value["later"] = json!({"kept": [1, 2.5, "x"]});
        let mut found = read(&value).unwrap();
        found.spending = note(&found.credential);
        found.location = Some(Location::of(Some("m"), Some(7), Some(1)));
        let text = found.write().unwrap();
        let again = Stored::read(&text).unwrap();
        assert_eq!(again.write().unwrap(), text);
        assert_eq!(again.credential.extra["later"], value["later"]);
        assert_eq!(again.present_spending(), note(&found.credential).as_ref());
        assert_eq!(again.location, found.location);
        assert_eq!(again.credential.refresh_token.as_ref().unwrap().expose_secret(), "rt-1");
    }

    #[test]
    fn a_note_about_another_token_says_nothing() {
        let mut found = read(&stored()).unwrap();
        found.spending = note(&found.credential);
        assert!(found.present_spending().is_some());
        found.credential.refresh_token = Some("rt-2".to_owned().into());
        assert!(found.present_spending().is_none());
        found.credential.refresh_token = None;
        assert!(found.present_spending().is_none());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let with = |field: &str, value: Value| {
            let mut changed = stored();
            changed[field] = value;
            read(&changed).unwrap_err()
        };
        assert_eq!(with("schema", json!(2)), Unreadable::OtherSchema(2));
        assert_eq!(with("schema", json!(0)), Unreadable::OtherSchema(0));
        assert_eq!(with("schema", json!("1")), Unreadable::NoSchema);
        let field = |name: &str| Unreadable::Field(name.to_owned());
        for (name, value) in [
            ("access_token", json!("")),
            ("access_token", json!("a b")),
            ("access_token", json!(7)),
            ("refresh_token", json!(" ")),
            ("refresh_token", json!("r\n")),
            ("expiry", json!("1790000900")),
            ("expiry", json!(null)),
            ("rotated_at", json!(null)),
            ("issuer", json!("http://thecolony.ai")),
            ("token_endpoint", json!("https://evil.example/token")),
            ("resource", json!(1)),
            ("location", json!("here")),
        ] {
            assert_eq!(with(name, value.clone()), field(name), "{name} {value}");
        }
        assert!(matches!(with("spending", json!({"token": "x"})), Unreadable::Field(_)));
        let mut none = stored();
        none["access_token"] = Value::Null;
        none["refresh_token"] = Value::Null;
        assert_eq!(read(&none).unwrap_err(), Unreadable::NoToken);
        let mut absent = stored();
        absent.as_object_mut().unwrap().remove("rotated_at");
        assert_eq!(read(&absent).unwrap_err(), field("rotated_at"));
        for text in ["", "{", "nul", "\u{0}", "{\"schema\": 1"] {
            assert_eq!(Stored::read(text.as_bytes()).unwrap_err(), Unreadable::NotJson, "{text:?}");
        }
        for text in ["[]", "null", "\"s\"", "1"] {
            assert_eq!(Stored::read(text.as_bytes()).unwrap_err(), Unreadable::NotAnObject);
        }
        let twice = stored().to_string().replacen('{', r#"{"refresh_token": "rt-0","#, 1);
        assert_eq!(Stored::read(twice.as_bytes()).unwrap_err(), field("refresh_token"));
        let long = format!("{}{}", stored(), " ".repeat(MAX_BYTES));
        assert_eq!(Stored::read(long.as_bytes()).unwrap_err(), Unreadable::TooLarge);
    }

    #[test]
    fn a_pointer_says_where_the_credential_is() {
        let id = CredentialId::new("https://thecolony.ai", "colony_app");
        for keeping in [Keeping::Keyring, Keeping::Encrypted] {
            let found = Stored::read(&pointer(&id, keeping)).unwrap_err();
            assert_eq!(found, Unreadable::KeptElsewhere(keeping));
        }
        let mut odd = stored();
        odd["keeping"] = json!("file");
        assert_eq!(read(&odd).unwrap_err(), Unreadable::Field("keeping".to_owned()));
    }

    #[test]
    fn a_refusal_repeats_nothing_of_the_file() {
        for field in ["access_token", "refresh_token", "expiry", "issuer", "scope", "spending", "location"] {
            let mut value = stored();
            value[field] = json!({"planted-secret": "planted-secret"});
            let error = read(&value).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("planted"), "{error:?}");
        }
    }

    #[test]
    fn nothing_is_written_that_could_not_be_read() {
        let mut found = read(&stored()).unwrap();
        found.credential.expiry = f64::NAN;
        assert!(found.write().is_err());
        found.credential.expiry = 1.0;
        found.credential.token_endpoint = "http://evil.example".to_owned();
        assert!(found.write().is_err());
    }
}
