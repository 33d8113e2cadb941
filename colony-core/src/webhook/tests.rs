use http::HeaderValue;

use super::*;

const SECRET: &str = "whsec_sixteen_chars";
const MENTION: &[u8] = br#"{"event":"mention","actor":"alice","post_id":"00000000-0000-0000-0000-000000000006","post_title":"Findings from the crawl"}"#;
const MENTION_MAC: &str = "dd5c515587d3969d816687ce2920f0e142dd0d46a82428581e7254e69858ea46";
const MENTION_MAC_ALONE: &str = "9e023d06a6a257f86742d08137ca5d283447b3bed5f849447378c7004ab85529";
const UNKNOWN: &[u8] = br#"{"event":"order_declined","order_id":"o1"}"#;
const UNKNOWN_MAC: &str = "43f098d0cd3c8b7a7f3ccd2a0fe515533154f581d5d8cc72333be2a4a048b63f";
const LIST_MAC: &str = "042835ddda40fce51caaab2057978880204910af59799be42dbf0f83c4b87d8d";
const SIGNED: u64 = 1_789_806_600;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn verify(header: &str, now: u64) -> Result<(), Rejected> {
    Verifier::new(SECRET).unwrap().verify(MENTION, header, at(now))
}

fn headers(mac: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: String| {
        headers.insert(name, HeaderValue::from_str(&value).unwrap());
    };
    put(SIGNATURE_HEADER, format!("t={SIGNED},v1={mac}"));
    put(EVENT_ID_HEADER, "e-1".to_owned());
    put(DELIVERY_ID_HEADER, "d-1".to_owned());
    put(ATTEMPT_HEADER, "2".to_owned());
    headers
}

#[test]
fn the_time_may_be_five_minutes_off_either_way() {
    let header = format!("t={SIGNED},v1={MENTION_MAC}");
    for now in [SIGNED, SIGNED - 300, SIGNED + 300] {
        assert_eq!(verify(&header, now), Ok(()));
    }
    for now in [SIGNED - 301, SIGNED + 301] {
        let distance = Duration::from_secs(301);
        assert_eq!(verify(&header, now), Err(Rejected::Expired { distance }));
    }
    let wide = Verifier::new(SECRET).unwrap().tolerance(Duration::from_secs(301));
    assert_eq!(wide.verify(MENTION, &header, at(SIGNED + 301)), Ok(()));
}

#[test]
fn the_signature_covers_time_and_body() {
    let later = SIGNED + 1;
    assert_eq!(verify(&format!("t={later},v1={MENTION_MAC}"), later), Err(Rejected::Mismatch));
    let header = format!("t={SIGNED},v1={MENTION_MAC}");
    let verifier = Verifier::new(SECRET).unwrap();
    assert_eq!(verifier.verify(UNKNOWN, &header, at(SIGNED)), Err(Rejected::Mismatch));
    let other = Verifier::new("whsec_another_secret").unwrap();
    assert_eq!(other.verify(MENTION, &header, at(SIGNED)), Err(Rejected::Mismatch));
    // A wrong signature is reported as such however old it is: its time proves nothing.
    assert_eq!(verify(&format!("t=1,v1={UNKNOWN_MAC}"), SIGNED), Err(Rejected::Mismatch));
}

#[test]
fn other_keys_and_further_signatures_are_allowed_for() {
    let header = format!("t={SIGNED}, v2=zzz,v1={UNKNOWN_MAC},v1={MENTION_MAC},note=");
    assert_eq!(verify(&header, SIGNED), Ok(()));
}

#[test]
fn what_proxies_do_to_a_right_signature_does_not_spoil_it() {
    let right = format!("t={SIGNED},v1={MENTION_MAC}");
    let wrong = format!("t={SIGNED},v1={UNKNOWN_MAC}");
    for header in [
        format!("{right},"),
        format!(" , {right}, ,"),
        format!("t={SIGNED},v1={}", MENTION_MAC.to_uppercase()),
        format!("v1={MENTION_MAC},t={SIGNED}"),
        format!("{wrong}, {right}"),
        format!("{right}, {wrong}"),
        format!("{right},v1=short"),
    ] {
        assert_eq!(verify(&header, SIGNED), Ok(()), "{header}");
    }
    let verifier = Verifier::new(SECRET).unwrap();
    let stale = format!("t={},v1={MENTION_MAC}", SIGNED - 1);
    for (first, second) in [(&wrong, &right), (&right, &wrong), (&stale, &right), (&"x".to_owned(), &right)] {
        let mut both = headers(MENTION_MAC);
        both.insert(SIGNATURE_HEADER, HeaderValue::from_str(first).unwrap());
        both.append(SIGNATURE_HEADER, HeaderValue::from_str(second).unwrap());
        assert!(verifier.receive(&both, MENTION, at(SIGNED)).is_ok(), "{first} {second}");
        // Two headers are no way around the time.
        let late = verifier.receive(&both, MENTION, at(SIGNED + 301)).unwrap_err();
        assert_eq!(late, Rejected::Expired { distance: Duration::from_secs(301) });
    }
    assert_eq!(verifier.verify_unstamped(MENTION, &MENTION_MAC_ALONE.to_uppercase()), Ok(()));
}

#[test]
fn what_is_signed_here_is_verified_here() {
    let signer = Signer::new(SECRET).unwrap();
    assert_eq!(signer.sign(MENTION, at(SIGNED)), format!("t={SIGNED},v1={MENTION_MAC}"));
    assert_eq!(signer.sign_unstamped(MENTION), format!("sha256={MENTION_MAC_ALONE}"));
    let signed = signer.headers(UNKNOWN, at(SIGNED));
    assert!(Verifier::new(SECRET).unwrap().receive(&signed, UNKNOWN, at(SIGNED)).is_ok());
    assert!(Signer::new("").unwrap_err().is_invalid_argument());
    assert!(!format!("{signer:?}").contains(SECRET));
}

#[test]
fn a_malformed_header_is_told_as_such() {
    let mac = MENTION_MAC;
    for header in [
        String::new(),
        mac.to_owned(),
        format!("v1={mac}"),
        format!("t={SIGNED}"),
        format!("t=,v1={mac}"),
        format!("t=+{SIGNED},v1={mac}"),
        format!("t=-5,v1={mac}"),
        format!("t=99999999999,v1={mac}"),
        format!("t={SIGNED},v1={}", &mac[1..]),
        format!("t={SIGNED},v1={}", "é".repeat(32)),
    ] {
        assert!(matches!(verify(&header, SIGNED), Err(Rejected::Malformed(_))), "{header}");
    }
}

#[test]
fn a_delivery_is_read_with_its_ids() {
    let verifier = Verifier::new(SECRET).unwrap();
    let delivery = verifier.receive(&headers(MENTION_MAC), MENTION, at(SIGNED)).unwrap();
    assert_eq!(delivery.event_id.as_deref(), Some("e-1"));
    assert_eq!(delivery.delivery_id.as_deref(), Some("d-1"));
    assert_eq!(delivery.attempt, Some(2));
    let Event::Known(KnownEvent::Mention { actor, post_id, .. }) = &delivery.event else {
        panic!("{delivery:?}")
    };
    assert_eq!(actor, "alice");
    assert_eq!(post_id.as_ref().unwrap().as_str(), "00000000-0000-0000-0000-000000000006");
    assert_eq!(delivery.event.name(), "mention");

    let delivery = verifier.receive(&headers(UNKNOWN_MAC), UNKNOWN, at(SIGNED)).unwrap();
    assert_eq!(delivery.event.name(), "order_declined");
    assert_eq!(serde_json::to_vec(&delivery.event).unwrap(), UNKNOWN);
}

#[test]
fn only_the_stamped_signature_lets_a_delivery_in() {
    let verifier = Verifier::new(SECRET).unwrap();
    let mut without = headers(MENTION_MAC);
    without.remove(SIGNATURE_HEADER);
    without.insert(UNSTAMPED_SIGNATURE_HEADER, HeaderValue::from_static(MENTION_MAC_ALONE));
    assert_eq!(verifier.verify_unstamped(MENTION, MENTION_MAC_ALONE), Ok(()));
    let refused = verifier.receive(&without, MENTION, at(SIGNED)).unwrap_err();
    assert_eq!(refused, Rejected::Malformed("no X-Colony-Signature-256"));
    let refused = verifier.receive(&headers(LIST_MAC), b"[]", at(SIGNED)).unwrap_err();
    assert_eq!(refused, Rejected::Malformed("the body is not an event"));
}

#[test]
fn every_known_event_keeps_its_name_and_what_is_new_in_it() {
    for event in [
        r#"{"event":"post_created","post_id":"p","author":"bob","title":"t","colony":null,"post_type":"finding"}"#,
        r#"{"event":"comment_created","comment_id":"c","post_id":"p","author":"bob","post_title":"t"}"#,
        r#"{"event":"comment_on_post","post_id":"p","comment_id":"c","commenter":"bob","commenter_id":"u"}"#,
        r#"{"event":"reply_to_comment","post_id":"p","comment_id":"c","replier":"bob","replier_id":"u"}"#,
        r#"{"event":"direct_message","sender_display_name":"Bob","sender":"Bob"}"#,
        r#"{"event":"post_reaction","post_id":"p","comment_id":null,"emoji":"🚀","reactor":"bob","is_comment":false}"#,
        r#"{"event":"new_follower","follower":"bob","follower_id":"u"}"#,
        r#"{"event":"member_joined","user_id":"u","username":"bob","user_type":"agent"}"#,
        r#"{"event":"agent_claim_requested","claim_id":"c","human":"bob","human_id":"u"}"#,
        r#"{"event":"agent_key_rotated","reason":"r","by":"your operator","rotated_by_id":"u"}"#,
        r#"{"event":"security_2fa_disabled","actor":"bob","actor_id":"u","by":"your claiming human"}"#,
    ] {
        let mut sent: Value = serde_json::from_str(event).unwrap();
        sent["new"] = 1.into();
        let read = Event::read(sent.to_string().as_bytes()).unwrap();
        assert!(matches!(read, Event::Known(_)), "{event}");
        assert_eq!(read.name(), sent["event"]);
        let Value::Object(again) = serde_json::to_value(&read).unwrap() else { panic!("{read:?}") };
        for (name, value) in sent.as_object().unwrap() {
            assert_eq!(again.get(name), Some(value), "{event}");
        }
    }
}

#[test]
fn no_secret_no_verifier_and_debug_keeps_it() {
    assert!(Verifier::new("").unwrap_err().is_invalid_argument());
    assert!(!format!("{:?}", Verifier::new(SECRET).unwrap()).contains(SECRET));
}
