//! Several calls on one client: login and renewal, the response cache, the circuit breaker, hooks, rate
//! limits, deprecations.

use std::{path::Path, sync::Arc};

use colony_tests::{
    json_lines,
    recorded::{compare_outcome, mask},
    server::Server,
    stage::{Client, KINDS, Kind, LIFETIME, NOW, SEEDED, Settings, Stage, report},
    wire,
};
use serde_json::{Value, json};

use crate::warnings;

/// Rows where this SDK differs deliberately. A row that agrees fails the test. `docs/differences.md` has the same as
/// a table.
pub(crate) const DIFFERENCES: [(&str, &str); 16] = [
    ("flow/breaker_blocks_login_too", "the breaker's error has a code"),
    ("flow/breaker_counts_network_errors", "a read that got no answer is sent again"),
    ("flow/token_renewed_after_23_hours", "a token with a minute or less to go is renewed, not sent"),
    ("flow/expired_token_on_upload_is_still_used", "uploads and downloads renew a token like all calls"),
    ("flow/upload_401_then_json_call_keeps_token", "a rejected token is replaced, on uploads as well"),
    ("flow/cache_survives_patch", "a PATCH is a write"),
    ("flow/cache_survives_upload", "an upload is a write"),
    ("flow/breaker_opens_after_threshold", "a 404 is the answer of a service in good health"),
    ("flow/breaker_ignores_uploads", "uploads go to the same service"),
    ("flow/breaker_upload_failures_do_not_count", "uploads go to the same service"),
    (
        "flow/rate_limit_unchanged_by_error",
        "the last reply is the last, and a refused one tells most of a limit",
    ),
    ("flow/deprecated_values_not_reported_on_error", "values are reported wherever parameters are"),
    ("flow/hooks_on_error", "hooks see every reply"),
    ("flow/hooks_on_retry_and_login", "hooks never see a key or a token, and see every reply"),
    ("flow/hooks_status_is_always_200_on_json_calls", "hooks see the status that arrived"),
    ("flow/hooks_on_exchange_token", "hooks never see a token, and always the method and the address"),
];

fn settings_of(row: &Value) -> Settings {
    let setup = &row["setup"];
    Settings {
        response_cache: setup["cache_ttl"].as_f64(),
        breaker: setup["breaker"].as_u64().map(|threshold| threshold as u32),
        hooks: (setup["hooks"] == json!(true)).then(Arc::default),
        ..Settings::of_client(&row["client"])
    }
}

struct Scene<'a> {
    stage: Stage<'a>,
    settings: Settings,
    kind: Kind,
    client: Client,
}

impl<'a> Scene<'a> {
    fn new(row: &Value, kind: Kind, server: &'a Server, directory: &Path) -> Self {
        let (stage, settings) = (Stage::new(server, directory), settings_of(row));
        if row["token_seeded"] != json!(false) {
            let left = row["setup"]["token_expires_in"].as_f64().unwrap_or(LIFETIME);
            stage.seed(&settings, SEEDED, NOW + left);
        }
        let client = stage.client(kind, &settings).expect("a client");
        Self { stage, settings, kind, client }
    }

    /// Settings belong to the builder here: other settings need another client.
    fn rebuild(&mut self) {
        self.client = self.stage.client(self.kind, &self.settings).expect("a client");
    }

    fn step(&mut self, step: &Value) -> Vec<String> {
        self.stage.timer.advance(step["advance"].as_f64().unwrap_or(0.0));
        let exchanges = step["exchanges"].as_array().expect("exchanges");
        self.stage.server.play(exchanges.iter().map(|exchange| &exchange["response"]));
        let arguments = &step["kwargs"];
        match step["call"].as_str().expect("a call") {
            "clear_cache" => self.client.clear_response_cache(),
            "enable_cache" => {
                self.settings.response_cache = arguments["ttl"].as_f64();
                self.rebuild();
            }
            "enable_circuit_breaker" => {
                self.settings.breaker = arguments["threshold"].as_u64().map(|threshold| threshold as u32);
                self.rebuild();
            }
            call => {
                let outcome = self.client.call(call, arguments);
                let mut found = compare_outcome(step, outcome);
                let received = self.stage.server.take_received();
                found.extend(wire::compare_all(
                    &step["exchanges"],
                    &received,
                    Stage::base_path(&self.settings),
                ));
                let slept = json!(self.stage.timer.take_sleeps());
                let recorded = step.get("sleeps").cloned().unwrap_or_else(|| json!([]));
                if slept != recorded {
                    found.push(format!("slept {slept}, recorded {recorded}"));
                }
                found.extend(self.hooks(step));
                found.extend(self.state(&step["state"]));
                found.extend(self.warnings(step));
                return found;
            }
        }
        assert!(exchanges.is_empty(), "{step}");
        Vec::new()
    }

    fn hooks(&self, step: &Value) -> Option<String> {
        let mut seen = std::mem::take(&mut *self.settings.hooks.as_ref()?.lock().expect("no panic before"));
        let base_url = format!("http://{}/api/v1", self.stage.server.authority());
        for event in &mut seen {
            // Recorded without the base URL.
            if let Some(path) = event[2].as_str().and_then(|url| url.strip_prefix(&base_url)) {
                event[2] = json!(path);
            }
        }
        let recorded = step.get("hooks").cloned().unwrap_or_else(|| json!([]));
        (mask(json!(seen)) != mask(recorded.clone())).then(|| format!("hooks {seen:?}, recorded {recorded}"))
    }

    fn state(&self, recorded: &Value) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(limit) = recorded.get("last_rate_limit") {
            let ours = self.client.last_rate_limit().map(
                |limit| json!({"limit": limit.limit, "remaining": limit.remaining, "reset": limit.reset}),
            );
            if json!(ours) != *limit {
                found.push(format!("rate limit {ours:?}, recorded {limit}"));
            }
        }
        for (name, value) in recorded["last_response_headers"].as_object().into_iter().flatten() {
            let ours = self.client.last_header(name);
            if ours.as_deref() != value.as_str() {
                found.push(format!("header {name} {ours:?}, recorded {value}"));
            }
        }
        found
    }

    fn warnings(&self, step: &Value) -> Option<String> {
        let told = warnings::take_deprecations(&self.stage.server.authority());
        let recorded = step["warnings"].as_array().map_or(0, Vec::len);
        (told.len() != recorded).then(|| format!("{} warnings {told:?}, recorded {recorded}", told.len()))
    }
}

fn differences(row: &Value, kind: Kind, server: &Server, directory: &Path) -> Vec<String> {
    let mut scene = Scene::new(row, kind, server, directory);
    let steps = row["steps"].as_array().expect("steps").iter().enumerate();
    steps
        .flat_map(|(index, step)| {
            let found = scene.step(step);
            found.into_iter().map(move |text| format!("step {}: {text}", index + 1))
        })
        .collect()
}

#[test]
fn every_row_agrees_or_is_listed() {
    warnings::catch();
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    let rows = json_lines("client_behaviour.jsonl");
    let mut failures = Vec::new();
    for row in &rows {
        let id = row["id"].as_str().expect("an id");
        let listed = DIFFERENCES.iter().find(|(listed, _)| *listed == id);
        for kind in KINDS {
            let directory = folder.path().join(format!("{}-{kind:?}", id.replace('/', "-")));
            let found = differences(row, kind, &server, &directory);
            match (listed, found.is_empty()) {
                (None, false) => failures.push((format!("{id} ({kind:?})"), found)),
                (Some((_, reason)), true) => {
                    failures.push((id.to_owned(), vec![format!("agrees, though listed: {reason}")]));
                }
                _ => {}
            }
        }
    }
    println!("{} rows, {} of them listed as differences", rows.len(), DIFFERENCES.len());
    for (id, _) in DIFFERENCES {
        assert!(rows.iter().any(|row| row["id"] == id), "{id} is listed, but no row");
    }
    assert!(rows.len() >= 53 && failures.is_empty(), "{}", report(&failures, 40));
}
