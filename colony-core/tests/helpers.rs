//! Every recorded row of the Python package's pure functions, against those of this SDK.
//!
//! Where the two differ on purpose the row stands in [`DIFFERENCES`], with the reason; a row that stands
//! there and agrees after all fails the test. The rows of `attestation` have a test of their own.

use std::{cell::RefCell, collections::BTreeSet, fmt::Debug, fs, path::PathBuf, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use colony_core::{
    Body, Endpoint, PathStyle, Reply, Request,
    api::{notarisation, posts::GetPosts},
    base_url::site_root,
    canonical, colony_name,
    deprecation::{DeprecatedName, DeprecatedValue},
    generated_text::{looks_like_model_error, strip_llm_artifacts, validate_generated_output},
    idempotency,
    page::{Pages, Paging, Step, Steps},
    registry::{self, Call},
    retry::{Decision, Failure, Repeat, RetryPolicy, Tries},
    two_factor_code, webhook,
};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

/// Rows where this SDK answers otherwise, and why. A row without a name of its own goes by its value.
const DIFFERENCES: [(&str, &str); 17] = [
    ("verify_webhook/upper_hex", "capital letters spell the same signature"),
    ("verify_webhook/empty_secret", "with an empty secret anybody can sign, so it is refused"),
    ("percent_encoding/\"\"", "an empty segment would lead to another address, so it is refused"),
    ("percent_encoding/\".\"", "an HTTP client removes the segment, so it is refused"),
    ("percent_encoding/\"..\"", "an HTTP client removes the segment and its neighbour, so it is refused"),
    ("filters colony/\"\"", "no colony is no filter"),
    (
        "filters colony/\"0c18a97c-91b6-4817-aab2-52c3a9896ac8\\n\"",
        "the line break is no part of an id; the recorded pattern overlooks it",
    ),
    (
        "filters author/\"0c18a97c-91b6-4817-aab2-52c3a9896ac8\\n\"",
        "the line break is no part of an id; the recorded pattern overlooks it",
    ),
    ("is_last_page/10", "pages of no rows are never asked for; an empty page always ends the list"),
    ("totp_code/123456", "the type takes text only"),
    ("totp_code/null", "the type takes text only"),
    ("totp_code/1.0", "the type takes text only"),
    ("totp_code/[\"123456\"]", "the type takes text only"),
    ("totp_code/true", "the type takes text only"),
    ("retry delay/61 s", "a wait above the limit is not shortened: the error is told at once"),
    ("retry delay/86400 s", "a wait above the limit is not shortened: the error is told at once"),
    ("query_value", "queries are kept as pairs; the clients' HTTP library encodes them"),
];

/// Rows that are not compared at all: [`DIFFERENCES`] has the reason.
const NOT_COMPARED: [&str; 1] = ["query_value"];

/// What is compared, and what was found.
struct Rows {
    kind: &'static str,
    problems: RefCell<Vec<String>>,
    agreed: RefCell<BTreeSet<String>>,
    differing: RefCell<BTreeSet<String>>,
}

impl Rows {
    fn of(kind: &'static str) -> Self {
        Self { kind, problems: RefCell::default(), agreed: RefCell::default(), differing: RefCell::default() }
    }

    fn expect<T: PartialEq + Debug>(&self, row: &str, got: T, recorded: T) {
        let name = format!("{}/{row}", self.kind);
        let explained = DIFFERENCES.iter().any(|(row, _)| *row == name);
        match (got == recorded, explained) {
            (true, false) => drop(self.agreed.borrow_mut().insert(name)),
            (false, true) => drop(self.differing.borrow_mut().insert(name)),
            (true, true) => self.problems.borrow_mut().push(format!("{name} agrees after all")),
            (false, false) => {
                self.problems.borrow_mut().push(format!("{name}: {got:?}, recorded {recorded:?}"));
            }
        }
    }

    #[track_caller]
    fn finish(self, rows: usize) {
        let differing = self.differing.into_inner();
        for (row, _) in
            DIFFERENCES.iter().filter(|(row, _)| row.split_once('/').map(|it| it.0) == Some(self.kind))
        {
            if !differing.contains(*row) {
                self.problems.borrow_mut().push(format!("{row} does not differ, or is not there"));
            }
        }
        let problems = self.problems.into_inner();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        assert!(rows > 0 && !self.agreed.into_inner().is_empty(), "no row of {} was compared", self.kind);
    }
}

fn wire(file: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/wire");
    fs::read_to_string(folder.join(file)).expect(file)
}

fn recorded() -> Value {
    serde_json::from_str(&wire("helpers.json")).expect("helpers.json")
}

fn rows(name: &str) -> Vec<Value> {
    let value = name.split('/').fold(recorded(), |value, key| value[key].clone());
    value.as_array().unwrap_or_else(|| panic!("{name} is a list")).clone()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn accepted(row: &Value) -> bool {
    row.get("raises").is_none()
}

#[test]
fn webhook_signatures() {
    let (compare, all) = (Rows::of("verify_webhook"), rows("verify_webhook"));
    for row in &all {
        let body = match row["payload"].get("$bytes_base64") {
            Some(encoded) => BASE64_STANDARD.decode(text(encoded)).unwrap(),
            None => text(&row["payload"]).as_bytes().to_vec(),
        };
        let right = webhook::Verifier::new(text(&row["secret"]))
            .is_ok_and(|verifier| verifier.verify_unstamped(&body, text(&row["signature"])).is_ok());
        compare.expect(text(&row["id"]), right, row["result"].as_bool().unwrap_or(false));
    }
    compare.finish(all.len());
}

#[test]
fn generated_text() {
    let (compare, all) = (Rows::of("output_texts"), rows("output_texts"));
    for row in &all {
        let given = text(&row["text"]);
        let short: String = given.chars().take(60).collect();
        compare.expect(&short, json!(looks_like_model_error(given)), row["looks_like_model_error"].clone());
        compare.expect(&short, json!(strip_llm_artifacts(given)), row["stripped"].clone());
        let verdict = match validate_generated_output(given) {
            Ok(content) => json!({"ok": true, "content": content}),
            Err(reason) => json!({"ok": false, "reason": reason.as_str()}),
        };
        compare.expect(&short, verdict, row["validate"].clone());
    }
    compare.finish(all.len());
}

fn policy(config: &Value) -> RetryPolicy {
    // The package's own defaults.
    let second = Duration::from_secs(1);
    let mut policy = RetryPolicy::default().base_delay(second).max_delay(10 * second);
    for (name, value) in config.as_object().unwrap() {
        let seconds = || Duration::from_secs_f64(value.as_f64().unwrap());
        policy = match name.as_str() {
            "max_retries" => policy.max_retries(u32::try_from(value.as_u64().unwrap()).unwrap()),
            "base_delay" => policy.base_delay(seconds()),
            "max_delay" => policy.max_delay(seconds()),
            "retry_on" => policy.retry_on(serde_json::from_value::<Vec<u16>>(value.clone()).unwrap()),
            other => panic!("{other} is not known"),
        };
    }
    policy
}

/// What is decided after so many further tries and this status.
fn decide(policy: &RetryPolicy, row: &Value, status: u16) -> Decision {
    let mut tries = Tries::new(policy, Repeat::Safe);
    for _ in 0..row["attempt"].as_u64().unwrap() {
        tries.after(Failure::Status(status), None, 0.0);
    }
    tries.after(Failure::Status(status), retry_after(row), 0.0)
}

fn retry_after(row: &Value) -> Option<Duration> {
    row["retry_after"].as_u64().map(Duration::from_secs)
}

#[test]
fn retries() {
    let (compare, all) = (Rows::of("retry should_retry"), rows("retry/should_retry"));
    for row in &all {
        let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
        let decision = decide(&policy(&row["config"]), row, status);
        compare.expect(&row.to_string(), json!(decision != Decision::Stop), row["retry"].clone());
    }
    compare.finish(all.len());

    let (compare, all) = (Rows::of("retry delay"), rows("retry/delay"));
    for row in &all {
        let wait = retry_after(row);
        // Rows of delays go beyond the number of tries.
        let decision = decide(&policy(&row["config"]).max_retries(u32::MAX), row, 503);
        let delay = Duration::from_secs_f64(row["delay"].as_f64().unwrap());
        let name = wait.filter(|wait| wait.as_secs() > 60);
        let name = name.map_or_else(|| row.to_string(), |wait| format!("{} s", wait.as_secs()));
        compare.expect(&name, decision, Decision::After(delay));
    }
    compare.finish(all.len());
}

#[test]
fn filters() {
    for (kind, list, keys) in [
        ("filters colony", "filters/colony", ["colony", "colony_id"]),
        ("filters author", "filters/author", ["author", "author_id"]),
    ] {
        let (compare, all) = (Rows::of(kind), rows(list));
        for row in &all {
            let value = text(&row["value"]);
            let query = if keys[0] == "colony" {
                GetPosts::new().colony(value)
            } else {
                GetPosts::new().author(value)
            };
            let request = query.request();
            let pair = request.query_pairs().iter().find(|(key, _)| keys.contains(&key.as_ref()));
            compare.expect(&row["value"].to_string(), json!(pair), row["param"].clone());
        }
        compare.finish(all.len());
    }
}

/// What an argument of a named operation becomes in the JSON body, if it is accepted.
fn in_body(operation: &str, arguments: Value, field: &str) -> Option<Value> {
    let operation = registry::find(operation).expect("an operation");
    let Ok(Call::Request(call)) = operation.prepare(arguments) else { return None };
    let Body::Json(fields) = call.request.body() else { panic!("{operation:?} has a JSON body") };
    Some(fields[field].clone())
}

fn result(row: &Value) -> Option<Value> {
    accepted(row).then(|| row["result"].clone())
}

#[test]
fn ids() {
    let (compare, all) = (Rows::of("require_uuid"), rows("require_uuid"));
    for row in &all {
        let arguments = json!({"post_id": row["value"], "commentary": "x"});
        let id = in_body("create_echo", arguments, "post_id");
        compare.expect(&row["value"].to_string(), id, result(row));
    }
    compare.finish(all.len());
}

#[test]
fn slugs() {
    let (compare, all) = (Rows::of("slugs"), rows("slugs"));
    for row in &all {
        let page = json!({"slug": row["value"], "title": "t"});
        let puzzle = json!({"slug": row["value"], "title": "t", "description": "d", "puzzle_type": "logic",
            "content": "c", "answer": "a", "difficulty": 3});
        let name = row["value"].to_string();
        compare.expect(&name, in_body("create_wiki_page", page, "slug"), result(&row["wiki"]));
        compare.expect(&name, in_body("create_puzzle", puzzle, "slug"), result(&row["puzzle"]));
    }
    compare.finish(all.len());
}

#[test]
fn two_factor_codes() {
    let (compare, all) = (Rows::of("totp_code"), rows("totp_code"));
    for row in &all {
        let name = row["value"].to_string();
        match row["value"].as_str() {
            Some(code) => compare.expect(&name, two_factor_code::check(code).is_ok(), accepted(row)),
            // The other types cannot be given to the function.
            None => compare.expect(&name, None, Some(row["raises"].clone())),
        }
    }
    compare.finish(all.len());
}

#[test]
fn paths() {
    let (compare, all) = (Rows::of("percent_encoding"), rows("percent_encoding"));
    for row in &all {
        let value = text(&row["value"]);
        let path = |request: Request| request.path(PathStyle::Escaped).ok().map(|path| path[1..].to_owned());
        let to = || Request::new("x", Method::GET, "/{it}");
        let recorded = |column: &str| Some(text(&row[column]).to_owned());
        let name = row["value"].to_string();
        compare.expect(&name, path(to().name("it", value)), recorded("path_segment"));
        compare.expect(&name, path(to().nested("it", value)), recorded("vault_path"));
    }
    compare.finish(all.len());
}

#[test]
fn canonical_json() {
    let (compare, all) = (Rows::of("canonicalize"), rows("canonicalize"));
    for row in &all {
        let name = row["value"].to_string();
        compare.expect(&name, json!(canonical::to_string(&row["value"])), row["utf8"].clone());
    }
    compare.finish(all.len());
}

#[test]
fn notarisations() {
    let compare = Rows::of("verify_notarisation_results");
    let results = recorded()["verify_notarisation_results"].clone();
    let cases: Vec<Value> =
        wire(text(&results["inputs_in"])).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let all = results["rows"].as_array().unwrap();
    for row in all {
        let id = format!("verify_notarisation/{}", text(&row["id"]));
        let case = cases.iter().find(|case| case["id"] == *id).expect(&id);
        let given = &case["kwargs"];
        let record = given["record"].as_object().expect("a record");
        let check = notarisation::check(record, given["title"].as_str(), given["body"].as_str());
        let check = check.ok().map(|check| {
            json!({"ok": check.ok, "digest_ok": check.digest_ok, "content_ok": check.content_ok,
                "proof_state": check.proof_state, "reasons_count": check.reasons.len(),
                "notes_count": check.notes.len()})
        });
        compare.expect(text(&row["id"]), check, result(row));
    }
    compare.finish(all.len());
}

#[test]
fn site_roots() {
    let (compare, all) = (Rows::of("oauth_root"), rows("oauth_root"));
    for row in &all {
        let base = text(&row["base_url"]);
        compare.expect(base, json!(site_root(base)), row["root"].clone());
    }
    compare.finish(all.len());
}

#[test]
fn deprecated_names_and_values() {
    let (compare, all) = (Rows::of("deprecated_params_header"), rows("deprecated_params_header"));
    for row in &all {
        let names = match row["value"].as_str() {
            Some(header) => DeprecatedName::read(header),
            None => DeprecatedName::all_in(&HeaderMap::new()),
        };
        let pairs: Vec<_> = names.iter().map(|name| [&name.sent, &name.preferred]).collect();
        compare.expect(&row["value"].to_string(), json!(pairs), row["pairs"].clone());
    }
    compare.finish(all.len());

    let (compare, all) = (Rows::of("deprecated_values_header"), rows("deprecated_values_header"));
    for row in &all {
        let values = match row["value"].as_str() {
            Some(header) => DeprecatedValue::read(header),
            None => DeprecatedValue::all_in(&HeaderMap::new()),
        };
        let triples: Vec<_> = values.iter().map(|it| [&it.parameter, &it.sent, &it.preferred]).collect();
        compare.expect(&row["value"].to_string(), json!(triples), row["triples"].clone());
    }
    compare.finish(all.len());
}

#[test]
fn last_pages() {
    let (compare, all) = (Rows::of("is_last_page"), rows("is_last_page"));
    for (index, row) in all.iter().enumerate() {
        let items = vec![json!({}); usize::try_from(row["rows"].as_u64().unwrap()).unwrap()];
        let body = match &row["data"] {
            Value::Object(fields) => {
                let mut fields = fields.clone();
                fields.insert("items".to_owned(), items.into());
                fields.into()
            }
            _ => Value::Array(items),
        };
        let size = usize::try_from(row["page_size"].as_u64().unwrap()).unwrap();
        let first = Request::new("x", Method::GET, "/posts");
        let mut pages = Pages::new(first.query("limit", size), Paging::Offset);
        // A full page before it tells how many rows the server gives.
        let full = json!({"items": vec![json!({}); size.max(1)], "has_more": true});
        for body in [full, body] {
            assert!(matches!(pages.next().unwrap(), Step::Send(_)));
            let reply = Reply::new(StatusCode::OK, HeaderMap::new(), body.to_string().into());
            pages.take(reply).unwrap();
        }
        let last = matches!(pages.next().unwrap(), Step::Done);
        compare.expect(&index.to_string(), json!(last), row["last"].clone());
    }
    compare.finish(all.len());
}

#[test]
fn idempotency_keys() {
    let shape = &recorded()["generated_idempotency_key"];
    let keys = [idempotency::new_key(), idempotency::new_key()];
    assert_ne!(keys[0], keys[1]);
    for key in keys {
        assert_eq!(json!(key.len()), shape["length"]);
        assert_eq!(text(&shape["alphabet"]), "0-9a-f");
        assert!(key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{key}");
        let index = usize::try_from(shape["uuid_version_nibble_index"].as_u64().unwrap()).unwrap();
        assert_eq!(key[index..=index], *text(&shape["uuid_version_nibble"]));
    }
}

#[test]
fn words_that_the_service_takes() {
    let all = recorded();
    let colonies: serde_json::Map<String, Value> =
        colony_name::BUILT_IN.iter().map(|(name, id)| ((*name).to_owned(), json!(id))).collect();
    assert_eq!(Value::Object(colonies), all["colonies"]);
    for (list, operation, arguments, field) in [
        ("report_reasons", "report_post", json!({"post_id": "p1"}), "reason"),
        ("reaction_keys", "react_post", json!({"post_id": "p1"}), "emoji"),
        (
            "puzzle_types",
            "create_puzzle",
            json!({"slug": "s", "title": "t", "description": "d", "content": "c", "answer": "a",
                "difficulty": 3}),
            "puzzle_type",
        ),
    ] {
        let with = |word: &Value| {
            let mut arguments = arguments.clone();
            arguments[field] = word.clone();
            in_body(operation, arguments, field)
        };
        for word in all[list].as_array().unwrap() {
            assert_eq!(with(word).as_ref(), Some(word), "{list}");
        }
        assert_eq!(with(&json!("no_such_word")), None, "{list}");
    }
    assert_eq!(json!(notarisation::UNWITNESSED), all["unverified_by_notarisation"]);
    assert_eq!(json!(colony_core::DEFAULT_BASE_URL), all["default_base_url"]);
}

#[test]
fn limits_and_constants() {
    let all = recorded();
    let longest = usize::try_from(all["echo_commentary_max"].as_u64().unwrap()).unwrap();
    let echo = |length: usize| {
        in_body("create_echo", json!({"post_id": "p1", "commentary": "é".repeat(length)}), "commentary")
    };
    assert!(echo(longest).is_some() && echo(longest + 1).is_none());

    let batch = usize::try_from(all["notification_batch_size"].as_u64().unwrap()).unwrap();
    let operation = registry::find("delete_notifications").unwrap();
    let ids: Vec<String> = (0..=batch).map(|index| format!("n{index}")).collect();
    let Ok(Call::Batch(mut steps, _)) = operation.prepare(json!({"notification_ids": ids})) else {
        panic!("a batch")
    };
    let Ok(Step::Send(first)) = steps.next() else { panic!("a request") };
    let Body::Json(fields) = first.body() else { panic!("a JSON body") };
    assert_eq!(fields["ids"].as_array().map(Vec::len), Some(batch));

    let Ok(Call::Request(call)) = registry::find("exchange_token").unwrap().prepare(json!({"audience": "a"}))
    else {
        panic!("a request")
    };
    let Body::Form(form) = call.request.body() else { panic!("a form") };
    for (field, constant) in
        [("grant_type", "token_exchange_grant_type"), ("subject_token_type", "subject_token_type")]
    {
        let sent = form.iter().find(|(name, _)| *name == field).and_then(|(_, value)| value.as_deref());
        assert_eq!(json!(sent), all[constant]);
    }
}

#[test]
fn nothing_in_the_file_is_left_out() {
    let tested: BTreeSet<&str> = BTreeSet::from([
        "verify_webhook",
        "output_texts",
        "retry",
        "filters",
        "require_uuid",
        "totp_code",
        "slugs",
        "percent_encoding",
        "canonicalize",
        "attestation",
        "verify_notarisation_results",
        "oauth_root",
        "deprecated_params_header",
        "deprecated_values_header",
        "is_last_page",
        "generated_idempotency_key",
        "colonies",
        "report_reasons",
        "reaction_keys",
        "puzzle_types",
        "echo_commentary_max",
        "notification_batch_size",
        "token_exchange_grant_type",
        "subject_token_type",
        "default_base_url",
        "unverified_by_notarisation",
    ]);
    let all = recorded();
    let there: BTreeSet<&str> = all.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(tested, there);
    for name in NOT_COMPARED {
        assert!(DIFFERENCES.iter().any(|(row, _)| *row == name), "{name} has no reason");
    }
}
