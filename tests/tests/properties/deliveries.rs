//! Webhook deliveries: only signed ones are accepted.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use colony_core::webhook::{Rejected, SIGNATURE_HEADER, Verifier};
use colony_tests::soundness;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use sha2::Sha256;

use crate::{bytes, holds, json, text};

const SECRET: &[u8] = b"whsec_planted";

fn hex(secret: &[u8], parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sign(stamp: &str, body: &[u8]) -> String {
    format!("t={stamp},v1={}", hex(SECRET, &[stamp.as_bytes(), b".", body]))
}

fn verifier() -> Verifier {
    Verifier::new(SECRET).expect("a verifier")
}

#[test]
fn what_is_signed_is_taken_for_as_long_as_said() {
    let values = (bytes(), any::<u32>(), any::<u32>(), 0..100_000_u64, any::<bool>());
    holds("a signed delivery", values, |(body, signed, tolerance, away, early)| {
        let header = sign(&signed.to_string(), &body);
        let signed = UNIX_EPOCH + Duration::from_secs(signed.into());
        let away = Duration::from_secs(away);
        let now = if early { signed.checked_sub(away) } else { signed.checked_add(away) }.expect("a time");
        let tolerance = Duration::from_secs(tolerance.into());
        let taken = verifier().tolerance(tolerance).verify(&body, &header, now);
        let expected = if away > tolerance { Err(Rejected::Expired { distance: away }) } else { Ok(()) };
        assert_eq!(taken, expected);
    });
}

#[test]
fn one_changed_byte_is_a_mismatch() {
    let values = (proptest::collection::vec(any::<u8>(), 1..80), any::<u32>(), any::<usize>(), 1..=255_u8);
    holds("a delivery with one byte changed", values, |(body, signed, place, change)| {
        let header = sign(&signed.to_string(), &body);
        let now = UNIX_EPOCH + Duration::from_secs(signed.into());
        let mut other = body.clone();
        other[place % body.len()] ^= change;
        assert_eq!(verifier().verify(&other, &header, now), Err(Rejected::Mismatch));
        // A changed header can have any result except an accepted delivery.
        let mut other = header.clone().into_bytes();
        let place = place % other.len();
        other[place] ^= change;
        if let Ok(other) = String::from_utf8(other) {
            let taken = verifier().tolerance(Duration::MAX).verify(&body, &other, now);
            // Hexadecimal digits are not case-sensitive.
            let (_, digits) = header.split_once(",v1=").expect("a signature");
            let is_the_same = other.split_once(",v1=").is_some_and(|(start, other)| {
                header.starts_with(start) && other.eq_ignore_ascii_case(digits)
            });
            assert_eq!(taken.is_ok(), is_the_same, "{other:?}");
        }
    });
}

#[test]
fn whatever_the_header_says_it_is_taken_only_with_the_signature() {
    let digits = hex(SECRET, &[b"1790000000.", b"{}"]);
    let piece = prop_oneof![
        2 => Just("t=1790000000".to_owned()),
        2 => "t=[0-9+_ ]{0,21}",
        2 => Just(format!("v1={digits}")),
        1 => Just(format!("v1={}", digits.to_uppercase())),
        1 => Just(format!("v0={digits}")),
        1 => "v1=[0-9a-f]{60,68}",
        1 => "[a-z0-9 ]{0,3}=[ -~]{0,8}",
        1 => text(),
    ];
    let header = (proptest::collection::vec(piece, 0..6), prop_oneof![Just(","), Just(", "), Just(";")])
        .prop_map(|(pieces, comma)| pieces.join(comma));
    let now = prop_oneof![
        Just(UNIX_EPOCH + Duration::from_secs(1_790_000_000)),
        (0..u64::from(u32::MAX) * 2).prop_map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)),
        (0..4_000_000_000_u64).prop_map(|seconds| UNIX_EPOCH - Duration::from_secs(seconds)),
    ];
    let taken = std::cell::Cell::new(0);
    let is_signed = |parts: &[&str]| {
        parts.iter().any(|part| part.strip_prefix("v1=").is_some_and(|it| it.eq_ignore_ascii_case(&digits)))
    };
    holds("a signature header of any text", (header, now), |(header, now)| {
        if verifier().verify(b"{}", &header, now).is_ok() {
            let parts: Vec<&str> = header.split(',').map(str::trim).collect();
            assert!(parts.contains(&"t=1790000000") && is_signed(&parts), "{header}");
            taken.set(taken.get() + 1);
        }
        let _ = verifier().verify_unstamped(b"{}", &header);
    });
    assert!(taken.get() > 0, "no header was ever right");
}

#[test]
fn a_signed_body_of_any_form_is_an_event_or_malformed() {
    let event = (json(), "[a-z_0-9]{0,24}", json()).prop_map(|(mut value, name, other)| {
        if !value.is_object() {
            value = serde_json::json!({ "post_id": value, "author": other });
        }
        value["event"] = name.into();
        value
    });
    let named = prop_oneof![
        1 => json(),
        2 => event,
        2 => (colony_event(), json(), json()).prop_map(|(name, one, other)| {
            serde_json::json!({
                "event": name, "post_id": one, "comment_id": one, "author": other, "actor": one,
                "title": other, "sender": one, "emoji": other, "extra": one, "fields": other,
            })
        }),
    ];
    let body = prop_oneof![4 => named.prop_map(|value| value.to_string().into_bytes()), 1 => bytes()];
    let values = (body, proptest::option::of(text()), proptest::option::of(text()));
    holds("a delivery of any body", values, |(body, id, attempt)| {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let mut headers = HeaderMap::new();
        let signature = sign("1790000000", &body);
        headers.insert(SIGNATURE_HEADER, HeaderValue::try_from(signature).expect("a header"));
        for (name, value) in [("x-colony-event-id", id), ("x-colony-attempt", attempt)] {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(name, value);
            }
        }
        soundness::delivery(&verifier(), &headers, &body, now);
    });
}

fn colony_event() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "post_created",
        "comment_created",
        "comment_on_post",
        "reply_to_comment",
        "mention",
        "direct_message",
        "post_reaction",
        "new_follower",
        "member_joined",
        "agent_claim_requested",
        "agent_key_rotated",
        "security_2fa_disabled",
    ])
}
