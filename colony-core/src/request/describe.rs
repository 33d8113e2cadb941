//! A request for people and scripts to read.

use serde_json::{Map, Value, json};

use super::{
    Auth, Base, Body, ColonyPlace, Request,
    path::{Encoding, PathArgument, PathStyle},
};
use crate::Result;

impl Request {
    /// The request as JSON, for people and scripts: `method`, `path`, `query`, `headers`, and the body
    /// as `json`, `form` or `multipart`. The token is never part of it.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check) and [`path`](Self::path).
    pub fn describe(&self) -> Result<Value> {
        self.check()?;
        let mut out = Map::new();
        out.insert("operation".into(), self.operation.into());
        out.insert("method".into(), self.method.as_str().into());
        let path = match &self.colony {
            // Nothing is sent to find out, so the place stays open.
            Some((name, ColonyPlace::Path)) => {
                let mut open = self.clone();
                open.arguments.push(PathArgument {
                    name: "colony_id",
                    value: format!("<id of {name}>"),
                    encoding: Encoding::Id,
                });
                open.path(PathStyle::Compatible)?
            }
            _ => self.path(self.style)?,
        };
        out.insert("path".into(), path.into());
        match &self.base {
            Base::Api => {}
            Base::Site => drop(out.insert("base".into(), "site".into())),
            Base::Other(url) | Base::Endpoint(url) => drop(out.insert("base".into(), url.clone().into())),
        }
        if !self.query_pairs().is_empty() {
            out.insert("query".into(), json!(self.query_pairs()));
        }
        let mut headers = Map::new();
        if self.auth == Auth::Bearer {
            headers.insert("authorization".into(), "Bearer <token>".into());
        }
        if let Some(key) = self.idempotency() {
            headers.insert("idempotency-key".into(), String::from_utf8_lossy(key.as_bytes()).into());
        }
        for (name, value) in &self.headers {
            headers.insert((*name).into(), String::from_utf8_lossy(value.as_bytes()).into());
        }
        out.insert("headers".into(), headers.into());
        match &self.body {
            Body::Empty => {}
            Body::Json(fields) => {
                let mut fields = fields.clone();
                if let Some((name, ColonyPlace::Json)) = &self.colony {
                    fields.insert("colony_id".into(), format!("<id of {name}>").into());
                }
                out.insert("json".into(), fields.into());
            }
            Body::Form(fields) => {
                let fields: Vec<(&str, &str)> =
                    fields.iter().map(|(key, value)| (*key, value.as_deref().unwrap_or("<token>"))).collect();
                out.insert("form".into(), json!(fields));
            }
            Body::File(file) => {
                out.insert(
                    "multipart".into(),
                    json!({
                        "field": file.field, "filename": file.filename,
                        "content_type": file.content_type, "size": file.content.size(),
                    }),
                );
            }
        }
        Ok(out.into())
    }
}
