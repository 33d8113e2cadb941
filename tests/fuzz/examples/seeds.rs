//! Writes the recorded cases as initial inputs into `corpus/<target>/`.

use std::{fs, path::PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use colony_core::token::cooldown::Note;
use colony_fuzz::{OPERATIONS, STATUSES, calls, json_file};
use serde_json::{Value, json};

/// The inputs of one target.
struct Seeds {
    folder: PathBuf,
    count: usize,
}

impl Seeds {
    fn of(target: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        fs::create_dir_all(&folder).expect("a folder");
        Self { folder, count: 0 }
    }

    fn add(&mut self, parts: &[&[u8]]) {
        fs::write(self.folder.join(format!("seed-{:04}", self.count)), parts.concat()).expect("a file");
        self.count += 1;
    }
}

/// Returns the bytes that a row holds as text or as base64.
fn content(row: &Value, text: &str) -> Option<Vec<u8>> {
    let encoded = row["bytes_base64"].as_str().or(row[text]["$bytes_base64"].as_str());
    match (row[text].as_str(), encoded) {
        (Some(text), _) => Some(text.as_bytes().to_vec()),
        (None, Some(encoded)) => Some(BASE64_STANDARD.decode(encoded).expect("base64")),
        (None, None) => None,
    }
}

fn rows<'a>(file: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    file[name].as_array().expect("rows").iter()
}

fn main() {
    let cache = json_file("token_cache.json");
    let mut envelopes = Seeds::of("envelope");
    for row in rows(&cache, "reading").chain(rows(&cache, "writing")) {
        if let Some(file) = content(row, "text").or_else(|| content(row, "file_text")) {
            envelopes.add(&[&file]);
        }
    }

    let (expiry, now) = (1_790_003_600.25_f64.to_le_bytes(), 1_790_000_000_u32.to_le_bytes());
    let mut tokens = Seeds::of("jwt");
    for row in rows(&cache, "writing") {
        tokens.add(&[&expiry, &now, row["token"].as_str().expect("a token").as_bytes()]);
    }
    for claims in [
        json!({"iat": 1_790_000_000, "exp": 1_790_086_400, "sub": "u"}),
        json!({"exp": 1_790_000_900.5}),
        json!({"iat": "1790000000", "exp": null}),
        json!({"iat": -1e308, "exp": 1e308}),
    ] {
        tokens.add(&[&expiry, &now, claims.to_string().as_bytes()]);
    }

    let mut notes = Seeds::of("note");
    let now = 1_790_000_000.25_f64;
    for note in [
        Note::cool_down(now, None, 429, Some("RATE_LIMITED"), "Too many logins"),
        Note::cool_down(now, Some(std::time::Duration::from_secs(90)), 429, None, ""),
        Note::refused(now, 401, Some("AUTH_2FA_REQUIRED"), "A code is needed"),
        Note::refused(now, 403, None, "key 'col_x' and eyJ0.e30.x"),
    ] {
        notes.add(&[&now.to_le_bytes(), note.write().as_bytes()]);
    }

    let recorded = json_file("errors.json");
    let (mut errors, mut waits) = (Seeds::of("errors"), Seeds::of("retry_after"));
    for response in rows(&recorded, "cases").flat_map(|case| rows(case, "responses")) {
        let Some(status) = response["status"].as_u64().and_then(|status| u16::try_from(status).ok()) else {
            continue;
        };
        let body = response.get("json").map(|json| json.to_string().into_bytes());
        let body = body.or_else(|| content(response, "text")).unwrap_or_default();
        errors.add(&[&status.to_le_bytes(), &1500_u32.to_le_bytes(), &body]);
        for (name, value) in response["headers"].as_object().into_iter().flatten() {
            if name.eq_ignore_ascii_case("retry-after") {
                waits.add(&[value.as_str().expect("text").as_bytes()]);
            }
        }
    }

    let mut deliveries = Seeds::of("delivery");
    for row in rows(&json_file("helpers.json"), "verify_webhook") {
        if let Some(body) = content(row, "payload") {
            let old = row["signature"].as_str().unwrap_or_default().trim_start_matches("sha256=");
            deliveries.add(&[format!("t=1790000000,v1={old}\n").as_bytes(), &body]);
        }
    }
    for event in ["post_created", "mention", "direct_message", "security_2fa_disabled", "a_new_one"] {
        let body =
            json!({"event": event, "post_id": "p", "author": "a", "title": "t", "actor": "b", "sender": "c"});
        deliveries.add(&[b"t=1790000000,v1=\n", body.to_string().as_bytes()]);
    }

    let mut replies = Seeds::of("replies");
    for call in calls() {
        let Some(place) = OPERATIONS.iter().position(|(operation, _)| call["method"] == operation.name)
        else {
            continue;
        };
        let place = u16::try_from(place).expect("a few hundred").to_le_bytes();
        for response in rows(&call, "exchanges").map(|exchange| &exchange["response"]) {
            let status = STATUSES.iter().position(|status| response["status"] == *status).unwrap_or(0);
            if let Some(body) = response.get("json") {
                let status = u8::try_from(status).expect("a few");
                replies.add(&[&place, &[status], body.to_string().as_bytes()]);
            }
        }
    }

    for seeds in [envelopes, tokens, notes, errors, waits, deliveries, replies] {
        println!("{}: {} recorded cases", seeds.folder.display(), seeds.count);
        assert!(seeds.count > 0);
    }
}
