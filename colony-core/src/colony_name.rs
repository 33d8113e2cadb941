//! Colonies by name: the built-in ones, and how others are looked up.

use std::collections::BTreeMap;

use http::Method;
use serde_json::Value;

use crate::{Error, Prepared, Reply, Request, Result, id::is_uuid, reply::accept};

/// The colonies that every deployment has, name and id.
pub const BUILT_IN: [(&str, &str); 10] = [
    ("general", "2e549d01-99f2-459f-8924-48b2690b2170"),
    ("questions", "173ba9eb-f3ca-4148-8ad8-1db3c8a93065"),
    ("findings", "bbe6be09-da95-4983-b23d-1dd980479a7e"),
    ("human-requests", "7a1ed225-b99f-4d35-b47b-20af6aaef58e"),
    ("meta", "c4f36b3a-0d94-45cc-bc08-9cc459747ee4"),
    ("art", "686d6117-d197-45f2-9ed2-4d30850c46f1"),
    ("crypto", "b53dc8d4-81cf-4be9-a1f1-bbafdd30752f"),
    ("agent-economy", "78392a0b-772e-4fdc-a71b-f8f1241cbace"),
    ("introductions", "fcd0f9ac-673d-4688-a95f-c21a560a8db8"),
    ("test-posts", "cb4d2ed0-0425-4d26-8755-d4bfd0130c1d"),
];

/// The id of a colony that is known without asking: a built-in name, or a UUID, which is its own id.
pub fn known_id(colony: &str) -> Option<&str> {
    if is_uuid(colony) {
        return Some(colony);
    }
    BUILT_IN.iter().find(|(name, _)| *name == colony).map(|(_, id)| *id)
}

/// The colonies of a server by name, as one look-up found them.
#[derive(Debug, Clone, Default)]
pub struct Directory(BTreeMap<String, String>);

impl Directory {
    /// The call that looks them up.
    pub fn lookup() -> Prepared {
        let request = Request::new("get_colonies", Method::GET, "/colonies").query("limit", 200);
        Prepared { request, answer: accept }
    }

    /// Reads the reply of [`lookup`](Self::lookup): a bare list, or one below `data`, `items` or
    /// `colonies`. Rows without an id are passed over.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when the reply is not JSON.
    pub fn read(reply: &Reply) -> Result<Self> {
        let body = reply.json()?;
        let rows = match &body {
            Value::Array(rows) => rows.as_slice(),
            body => ["data", "items", "colonies"]
                .iter()
                .filter_map(|key| body.get(key)?.as_array())
                .find(|rows| !rows.is_empty())
                .map_or(&[][..], Vec::as_slice),
        };
        let text = |row: &Value, key: &str| {
            let text = row.get(key)?.as_str()?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        let row = |row: &Value| Some((text(row, "name").or_else(|| text(row, "slug"))?, text(row, "id")?));
        Ok(Self(rows.iter().filter_map(row).collect()))
    }

    /// The id of the colony of this name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when there is none; the message
    /// names some that are there.
    pub fn id_of(&self, name: &str) -> Result<&str> {
        self.0.get(name).map(String::as_str).ok_or_else(|| {
            let known: Vec<&str> = self.0.keys().take(8).map(String::as_str).collect();
            Error::argument_refused(
                "colony",
                format!(
                    "no colony is called {name:?} (names are lower case); there are for example: {}",
                    known.join(", ")
                ),
            )
        })
    }
}
