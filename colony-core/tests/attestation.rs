//! Every recorded row of the Python package's attestations, against those of this SDK.

#![cfg(feature = "attestation")]

use std::{fs, path::PathBuf, time::SystemTime};

use colony_core::{
    Batch, Reply, Result, Timestamp,
    api::posts::AttestPost,
    attestation::{
        Claim, Coverage, DEFAULT_VALIDITY_DAYS, Draft, Evidence, Identity, PostSource, SPEC_VERSION, Signer,
        Validity, did_key_of, public_key_of, verify,
    },
    canonical,
    page::Step,
    registry,
};
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Rows that a typed language has no place for, and why.
const NOT_COMPARED: [(&str, &str); 2] = [
    ("did_key_decode/5", "the function takes text only"),
    ("did_key_decode/null", "the function takes text only"),
];

fn wire(file: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/wire");
    fs::read_to_string(folder.join(file)).expect(file)
}

fn recorded() -> Value {
    let all: Value = serde_json::from_str(&wire("helpers.json")).expect("helpers.json");
    all["attestation"].clone()
}

fn rows(value: &Value) -> &[Value] {
    let rows = value.as_array().expect("a list");
    assert!(!rows.is_empty());
    rows
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn part<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).expect("a part")
}

fn signer(seed: &str) -> Signer {
    part(&json!({"$ed25519_seed_hex": seed}))
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = text(hex);
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn moment(value: &Value) -> SystemTime {
    Timestamp::from(text(value)).to_system_time().expect("a moment")
}

fn raises(row: &Value) -> bool {
    row.get("raises").is_some_and(|class| !class.is_null())
}

#[test]
fn keys_and_signatures() {
    for row in rows(&recorded()["keys"]) {
        let signer = signer(text(&row["seed_hex"]));
        assert_eq!(signer.seed().as_slice(), bytes(&row["seed_hex"]));
        assert_eq!(signer.public_key().as_slice(), bytes(&row["public_key_hex"]));
        assert_eq!(signer.did_key(), text(&row["did_key"]));
        for signature in rows(&row["signatures"]) {
            let signed = signer.sign(&bytes(&signature["message_hex"]));
            assert_eq!(signed.as_slice(), bytes(&signature["signature_hex"]));
        }
    }
}

#[test]
fn did_keys() {
    let all = recorded();
    for row in rows(&all["did_key_decode"]) {
        let Some(key) = row["did_key"].as_str() else {
            let name = format!("did_key_decode/{}", row["did_key"]);
            assert!(NOT_COMPARED.iter().any(|(row, _)| *row == name), "{name} has no reason");
            continue;
        };
        match public_key_of(key) {
            Ok(public) => assert_eq!(public.as_slice(), bytes(&row["public_key_hex"]), "{key}"),
            Err(error) => assert!(raises(row) && error.is_invalid_argument(), "{key}: {error}"),
        }
    }
    for row in rows(&all["did_key_encode_length"]) {
        let length = usize::try_from(row["length"].as_u64().unwrap()).unwrap();
        // The recorded keys are zeros or counted up; what they are is told by the row's own decoding.
        let key = match row["did_key"].as_str() {
            Some(did_key) => public_key_of(did_key).unwrap().to_vec(),
            None => vec![0; length],
        };
        assert_eq!(key.len(), length);
        assert_eq!(did_key_of(&key).ok().as_deref(), row["did_key"].as_str(), "{row}");
    }
    for row in rows(&all["seed_length"]) {
        let length = usize::try_from(row["length"].as_u64().unwrap()).unwrap();
        assert_eq!(Signer::from_seed(&vec![1; length]).is_ok(), row["ok"] == true, "{row}");
    }
    assert_eq!(json!(SPEC_VERSION), all["spec_version"]);
    assert_eq!(json!(DEFAULT_VALIDITY_DAYS), all["default_validity_days"]);
}

fn named(identity: Result<Identity>, name: Option<String>) -> Result<Identity> {
    Ok(match name {
        Some(name) => identity?.display_name(name),
        None => identity?,
    })
}

fn build(function: &str, given: &Value) -> Result<Value> {
    let optional = |name: &str| given.get(name).and_then(Value::as_str);
    let get = |name: &str| optional(name).unwrap_or_else(|| panic!("{function} has {name}")).to_owned();
    let at = |name: &str| optional(name).map(Timestamp::from);
    let hash = optional("content_hash");
    fn json<T: serde::Serialize>(part: T) -> Value {
        serde_json::to_value(part).unwrap()
    }
    Ok(match function {
        "did_key_identity" => {
            json(named(Identity::did_key(get("did_key")), optional("display_name").map(str::to_owned))?)
        }
        "platform_handle_identity" => json(named(
            Identity::platform_handle(get("handle")),
            optional("display_name").map(str::to_owned),
        )?),
        "artifact_published" => {
            json(Claim::artifact_published(get("artifact_uri"), get("content_hash"), at("published_at"))?)
        }
        "action_executed" => {
            json(Claim::action_executed(get("action_kind"), get("action_receipt_uri"), at("executed_at")))
        }
        "state_transition" => json(Claim::state_transition(
            get("subject_state_before"),
            get("subject_state_after"),
            get("transition_witness_uri"),
        )),
        "capability_coverage" => json(Claim::capability_coverage(get("capability_id"), get("coverage_uri"))),
        "evidence_immutable_uri" => json(Evidence::immutable_uri(get("uri"), hash)?),
        "evidence_platform_receipt" => {
            json(Evidence::platform_receipt(get("uri"), get("platform_id"), hash)?)
        }
        "evidence_commit_hash" => json(Evidence::commit_hash(get("uri"), hash)?),
        "evidence_transcript_id" => json(Evidence::transcript_id(get("uri"), get("platform_id"))),
        "validity_time_bounded" => json(Validity::time_bounded(get("not_before"), get("not_after"))),
        "validity_perpetual" => json(Validity::perpetual(get("not_before"), get("not_after"))),
        "validity_revocation_checked" => {
            json(Validity::revocation_checked(get("not_before"), get("not_after"), get("revocation_uri")))
        }
        "coverage" => {
            let types: Vec<String> = part(&given["covered_claim_types"]);
            json(Coverage::new(get("coverage_uri"), types, at("coverage_signed_at"))?)
        }
        other => panic!("{other} is not known"),
    })
}

#[test]
fn parts() {
    for row in rows(&recorded()["builders"]) {
        match build(text(&row["function"]), &row["kwargs"]) {
            Ok(part) => assert_eq!(part, row["result"], "{row}"),
            Err(error) => assert!(raises(row) && error.is_invalid_argument(), "{row}: {error}"),
        }
    }
}

#[test]
fn moments_are_written_in_utc() {
    for row in rows(&recorded()["timestamps"]) {
        assert_eq!(Timestamp::from(moment(&row["input"])).as_str(), text(&row["output"]), "{row}");
    }
}

fn draft(given: &Value) -> Draft {
    let evidence: Vec<Evidence> = part(&given["evidence"]);
    let mut draft = Draft::new(part(&given["witnessed_claim"]), evidence);
    for (name, value) in given.as_object().unwrap() {
        draft = match name.as_str() {
            "witnessed_claim" | "evidence" => draft,
            "issuer" => draft.issuer(part(value)),
            "subject" => draft.subject(part(value)),
            "validity" => draft.validity(part(value)),
            "coverage" => draft.coverage(part(value)),
            "extensions" => draft.extensions(part(value)),
            "issued_at" => draft.issued_at(text(value)),
            "envelope_id" => draft.envelope_id(text(value)),
            "role" => draft.role(value.as_str()),
            other => panic!("{other} is not known"),
        };
    }
    draft
}

#[test]
fn envelopes() {
    let all = recorded();
    let signer = signer(text(&all["envelope_signer_seed_hex"]));
    for row in rows(&all["envelopes"]) {
        match draft(&row["kwargs"]).sign(&signer, SystemTime::UNIX_EPOCH) {
            Ok(envelope) => {
                assert_eq!(*envelope.as_json(), row["envelope"], "{}", row["id"]);
                let mut unsigned = envelope.into_json();
                unsigned["sigchain"] = json!([]);
                assert_eq!(canonical::to_string(&unsigned), text(&row["canonical_signing_input"]));
            }
            Err(error) => assert!(raises(row) && error.is_invalid_argument(), "{}: {error}", row["id"]),
        }
    }
}

#[test]
fn numbers_with_a_fraction_are_refused() {
    let all = recorded();
    let signer = signer(text(&all["envelope_signer_seed_hex"]));
    let given = &all["envelopes"][0]["kwargs"];
    for row in rows(&all["reject_floats"]) {
        let extended = draft(given).extensions(part(&json!({"value": row["value"]})));
        let refused = extended.sign(&signer, SystemTime::UNIX_EPOCH).is_err();
        assert_eq!(json!(refused), row["rejected"], "{row}");
    }
}

#[test]
fn verdicts() {
    for row in rows(&recorded()["verify"]) {
        let verdict = verify(&row["envelope"], moment(&row["now"]));
        let got = json!({"ok": verdict.ok, "issuer_bound": verdict.issuer_bound,
            "reasons_count": verdict.reasons.len(), "notes_count": verdict.notes.len()});
        for (name, value) in got.as_object().unwrap() {
            assert_eq!(*value, row[name], "{} {name}: {verdict:?}", row["id"]);
        }
    }
}

#[test]
fn envelopes_of_posts() {
    for row in rows(&recorded()["post_attestations"]) {
        let given = &row["kwargs"];
        let mut source =
            PostSource::new(text(&row["post_id"]), row["post"]["body"].as_str().unwrap_or_default());
        source.created_at = row["post"]["created_at"].as_str();
        source.base_url = text(&given["base_url"]);
        source.api_base_url = given["api_base_url"].as_str();
        let draft = Draft::of_post(&source).unwrap();
        let draft = draft.validity(part(&given["validity"])).envelope_id(text(&row["envelope_id"]));
        let envelope = draft.sign(&signer(text(&row["seed_hex"])), moment(&row["now"])).unwrap();
        assert_eq!(*envelope.as_json(), row["envelope"], "{row}");
    }
}

#[test]
fn a_new_envelope_has_an_id_and_a_year() {
    let now = moment(&json!("2026-01-02T03:04:05.678Z"));
    let claim = Claim::capability_coverage("c", "u");
    let evidence = Evidence::transcript_id("u", "p");
    let envelope = Draft::new(claim, [evidence]).sign(&Signer::generate().unwrap(), now).unwrap().into_json();
    let id = text(&envelope["envelope_id"]);
    // 48 bits of milliseconds, then the version and the variant.
    assert_eq!(u64::from_str_radix(&id.replace('-', "")[..12], 16), Ok(1_767_323_045_678));
    assert!(&id[14..15] == "7" && matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
    assert_eq!(envelope["validity"]["not_after"], "2027-01-02T03:04:05.678000Z");
    assert_eq!(envelope["subject"], envelope["issuer"]);
    assert!(verify(&envelope, now).ok);
}

/// Drives the recorded exchange through the operation's steps.
fn attest(case: &Value) -> Result<(Value, usize)> {
    let returned = &case["returns"];
    let mut operation: AttestPost = registry::read_arguments("attest_post", case["kwargs"].clone())?;
    if let Some(id) = returned["envelope_id"].as_str() {
        operation = operation.envelope_id(id).at(moment(&returned["issued_at"]));
    }
    let mut steps = operation.steps()?;
    let (mut items, mut requests) = (Vec::new(), 0);
    while let Step::Send(request) = steps.next()? {
        let exchange = &case["exchanges"][requests];
        assert_eq!(request.path(request.path_style())?, text(&exchange["request"]["path"]));
        assert_eq!(request.method().as_str(), text(&exchange["request"]["method"]));
        requests += 1;
        let status = u16::try_from(exchange["response"]["status"].as_u64().unwrap()).unwrap();
        let body = exchange["response"]["json"].to_string();
        items.extend(steps.take(Reply::new(
            StatusCode::from_u16(status).unwrap(),
            HeaderMap::new(),
            body.into(),
        ))?);
    }
    Ok((AttestPost::gather(items), requests))
}

#[test]
fn attesting_to_a_post() {
    assert!(registry::find("attest_post").is_some());
    let cases = wire("posts.jsonl");
    let cases = cases.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let cases: Vec<Value> = cases.filter(|case| case["method"] == "attest_post").collect();
    assert!(!cases.is_empty());
    for case in &cases {
        let kind = match case["raises"]["type"].as_str() {
            None => "",
            Some("ColonyNotFoundError") => "not_found",
            Some(_) => "invalid_argument",
        };
        match attest(case) {
            Ok((envelope, requests)) => {
                assert_eq!((kind, requests), ("", rows(&case["exchanges"]).len()), "{}", case["id"]);
                assert_eq!(envelope, case["returns"], "{}", case["id"]);
            }
            Err(error) => assert_eq!(error.kind().as_str(), kind, "{}: {error}", case["id"]),
        }
    }
}
