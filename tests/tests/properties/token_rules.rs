//! `Retry-After`, a token's lifetime, and the note of a refused login.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use colony_core::{
    retry::{Decision, Failure, Repeat, RetryPolicy, Tries},
    token::{
        cache_path::parse_ttl,
        cooldown::{self, MAX_COOL_DOWN, Note},
        freshness::Lifetime,
    },
};
use colony_tests::soundness;
use http::HeaderValue;
use proptest::prelude::*;
use serde_json::json;

use crate::{bytes, holds, json, text};

/// Generates a header's value: any bytes that a header can carry, and numbers in every form.
fn header() -> impl Strategy<Value = HeaderValue> {
    let values = prop_oneof![
        2 => "[0-9]{1,45}".prop_map(String::into_bytes),
        2 => "[ \\t]?[-+]?[0-9]{0,8}[.,eE_xs ]?[0-9]{0,4}[ \\t]?".prop_map(String::into_bytes),
        1 => "(Mon|Wed|Sun), [0-3][0-9] (Jan|Oct) 20[0-9]{2} [0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT"
            .prop_map(String::into_bytes),
        1 => text().prop_map(String::into_bytes),
        2 => proptest::collection::vec(proptest::num::u8::ANY, 0..30),
    ];
    values.prop_filter_map("a header's value", |bytes| HeaderValue::from_bytes(&bytes).ok())
}

#[test]
fn retry_after_is_digits_or_a_date() {
    holds("Retry-After of any bytes", header(), soundness::retry_after);
}

#[test]
fn a_wait_is_never_longer_than_the_policy_allows() {
    let wait = proptest::option::of(any::<Duration>());
    let policy = (any::<u32>(), any::<Duration>(), any::<Duration>(), any::<Duration>()).prop_map(
        |(times, base, longest, patience)| {
            RetryPolicy::default()
                .max_retries(times)
                .base_delay(base)
                .max_delay(longest)
                .max_retry_after(patience)
        },
    );
    holds(
        "waits of any policy",
        (policy, 0..20_u32, any::<u16>(), wait, 0.0..=1.0),
        |(policy, made, status, wait, jitter)| {
            assert!(policy.longest(Duration::from_secs(30)) >= Duration::from_secs(30));
            let mut tries = Tries::new(&policy, Repeat::Safe);
            for _ in 0..made {
                tries.after(Failure::Status(status), None, jitter);
            }
            let Decision::After(pause) = tries.after(Failure::Status(status), wait, jitter) else { return };
            assert!(made < policy.max_retries && policy.retry_on.contains(&status));
            match wait {
                None => assert!(pause <= policy.max_delay),
                // The server's wait applies, with at most a tenth more.
                Some(wait) => assert!(pause >= wait && pause <= wait.saturating_add(wait / 9)),
            }
        },
    );
}

/// Generates a moment: around now, a whole number, or any number.
fn moment() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (0..4_000_000_000_u64, 0..1_000_000_u32)
            .prop_map(|(seconds, micros)| seconds as f64 + f64::from(micros) / 1e6),
        1 => (-100_000..200_000_i64).prop_map(|seconds| seconds as f64),
        1 => proptest::num::f64::NORMAL,
    ]
}

/// Generates a token with claims of any kind, or an invalid token.
fn token() -> impl Strategy<Value = String> {
    let claim = || {
        prop_oneof![
            4 => moment().prop_map(|moment| json!(moment)),
            1 => any::<i64>().prop_map(|number| json!(number)),
            1 => json(),
        ]
    };
    let jwt = |payload: &[u8]| format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload));
    prop_oneof![
        4 => (claim(), claim()).prop_map(move |(iat, exp)| jwt(json!({"iat": iat, "exp": exp}).to_string().as_bytes())),
        1 => claim().prop_map(move |exp| jwt(json!({"exp": exp, "sub": [{}]}).to_string().as_bytes())),
        2 => bytes().prop_map(move |payload| jwt(&payload)),
        2 => text(),
        1 => "[A-Za-z0-9_-]{0,20}(\\.[A-Za-z0-9_=-]{0,20}){0,5}",
    ]
}

#[test]
fn a_lifetime_at_login_is_bounded_whatever_the_token_says() {
    holds("a lifetime at login", (token(), 0.0..4e9_f64), |(token, now)| {
        soundness::token_at_login(&token, now);
    });
}

#[test]
fn a_clock_that_is_wrong_makes_no_difference_at_login() {
    let times = (1_000_000_000..3_000_000_000_i64, 1..31_000_000_i64, -1_000_000_000..1_000_000_000_i64);
    holds("a login with a wrong clock", times, |(issued, lifetime, error)| {
        let payload = json!({"iat": issued, "exp": issued + lifetime}).to_string();
        let token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload));
        let now = (issued + error) as f64;
        let life = Lifetime::at_login(&token, now);
        assert_eq!(life.dead_at - now, lifetime as f64);
        assert!((life.stale_at - now - lifetime as f64 * 23.0 / 24.0).abs() < 0.001);
    });
}

#[test]
fn a_file_is_never_believed_beyond_its_token() {
    holds("a lifetime from a file", (moment(), token(), 0.0..4e9_f64), |(expiry, token, now)| {
        soundness::token_in_file(&token, expiry, now);
    });
}

#[test]
fn the_cap_on_age_is_read_from_whatever_it_is() {
    let value = prop_oneof![text(), "[0-9]{0,25}[a-zA-Z]?", "[ ]?[0-9]{1,4}[smhSMH ]{0,2}"];
    holds("the cap on age", value, |text| match parse_ttl(&text) {
        Ok(_) => assert!(text.trim().starts_with(|c: char| c.is_ascii_digit()), "{text:?}"),
        Err(error) => assert!(error.to_string().contains("COLONY_SDK_TOKEN_CACHE_TTL")),
    });
}

/// Generates the code and message of a server's refusal.
fn words() -> impl Strategy<Value = (Option<String>, String)> {
    let long = (text(), 0..200_usize).prop_map(|(text, times)| text.repeat(times));
    let secret = (text(), "col_[A-Za-z0-9_]{20,47}", text()).prop_map(|(a, b, c)| format!("{a} {b} {c}"));
    (proptest::option::of(text()), prop_oneof![text(), long, secret])
}

fn note() -> impl Strategy<Value = Note> {
    let now = moment();
    prop_oneof![
        (now, proptest::option::of(any::<Duration>()), words()).prop_map(|(now, wait, (code, message))| {
            Note::cool_down(now, wait, 429, code.as_deref(), &message)
        }),
        (moment(), proptest::bool::ANY, words()).prop_map(|(now, forbidden, (code, message))| {
            Note::refused(now, if forbidden { 403 } else { 401 }, code.as_deref(), &message)
        }),
    ]
}

#[test]
fn a_note_says_what_was_written() {
    holds("a note, written and read", (note(), moment()), |(note, now)| {
        let text = note.write();
        assert!(text.len() <= cooldown::MAX_BYTES, "{} bytes", text.len());
        assert_eq!(Note::read(text.as_bytes()).as_ref(), Some(&note), "{text}");
        soundness::note(&note, now);
    });
}

#[test]
fn a_note_holds_no_key() {
    let planted = "col_Planted0123456789abcdefABCDEF";
    holds("a note about a key", (text(), text(), text()), |(before, after, code)| {
        // After a letter or a digit it would be a part of another word.
        let before = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric());
        let message = format!("{before}{planted} {after}");
        let code = format!("{code} {planted}");
        for note in [
            Note::refused(1.0, 401, Some(&code), &message),
            Note::cool_down(1.0, None, 429, Some(&code), &message),
        ] {
            assert!(!note.write().contains(planted), "{}", note.write());
        }
    });
}

#[test]
fn a_note_is_read_from_whatever_it_is() {
    holds("a note of any bytes", (bytes(), moment()), |(bytes, now)| {
        soundness::note_file(&bytes, now);
    });
    let fields = (json(), moment(), moment(), any::<u16>(), json(), json(), 0..5_u8);
    holds("a note that is nearly right", (fields, moment()), |(fields, now)| {
        let (version, at, until, status, code, message, kind) = fields;
        let kind = ["cool_down", "refused", "failed", "no_answer", "other"][usize::from(kind)];
        let status = if status % 2 == 0 { [429, 401, 403][usize::from(status) % 3] } else { status };
        let version = if status % 5 == 0 { version } else { json!(1) };
        let note = json!({
            "v": version, "kind": kind, "limits": {"connection": "", "timeout_ms": 1, "login_deadline_ms": 1}, "at": at, "until": until, "status": status, "code": code,
            "message": message,
        });
        soundness::note_file(note.to_string().as_bytes(), now);
    });
}

#[test]
fn a_cool_down_ends() {
    let wait = proptest::option::of(any::<Duration>());
    holds("a cool-down", (0.0..4e9_f64, wait), |(now, wait)| {
        let note = Note::cool_down(now, wait, 429, None, "");
        // For any wait of the server, the next login is let through an hour later.
        assert_eq!(note.remaining(now + MAX_COOL_DOWN.as_secs_f64() + 1.0), None, "{note:?}");
        // And the note holds for the requested wait, up to that hour.
        if let Some(wait) = wait.filter(|wait| *wait > Duration::from_secs(1) && *wait < MAX_COOL_DOWN) {
            let left = note.remaining(now).expect("it has just begun");
            assert!(left.abs_diff(wait) < Duration::from_millis(1), "{left:?} of {wait:?}");
        }
    });
}
