//! The conditions that must hold for everything read from a file, a header or a reply. Property tests and fuzz
//! targets share them; the fuzz targets, which build without the clients, include this file by its path.

#![allow(clippy::missing_panics_doc, reason = "to panic is how these functions say no")]

use std::{
    error::Error as _,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use colony_core::{
    Error, ErrorKind, Reply, Result,
    page::{Step, Steps},
    registry::{Call, Operation},
    token::{
        cooldown::{MAX_COOL_DOWN, Note, NoteKind},
        envelope::{Envelope, MAX_BYTES},
        freshness::{Claims, LONGEST_LIFETIME, Lifetime, claims},
    },
    webhook::{Event, Rejected, Verifier},
};
use http::{HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER};
use secrecy::ExposeSecret as _;
use serde_json::Value;

/// Checks a cache file of these bytes. An envelope that can be read can be written, and is the same when it is read
/// again.
pub fn envelope(file: &[u8]) {
    let Ok(read) = Envelope::read(file) else { return };
    assert!(read.expiry.is_finite());
    let token = read.token.expose_secret();
    assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()), "{token:?}");
    // The standard form of a file just below the limit can be just above it.
    let Ok(written) = read.write() else { return assert!(file.len() > MAX_BYTES / 2) };
    assert!(written.len() <= MAX_BYTES);
    let again = Envelope::read(written.as_bytes()).expect("what was written can be read");
    assert_eq!(again.token.expose_secret(), token);
    assert_eq!(again.expiry.to_bits(), read.expiry.to_bits());
    assert_eq!(again.write().expect("again"), written);
}

/// Checks a lifetime from any source.
pub fn lifetime(life: Lifetime, now: f64) {
    assert!(life.stale_at <= life.dead_at, "{life:?}");
    assert!(!life.is_fresh(now) || life.is_alive(now), "fresh and dead: {life:?} at {now}");
    for random in [0.0, 0.5, 1.0, f64::NAN, -1.0] {
        let due = life.refresh_at(now, random);
        assert!(due >= now && due.is_finite(), "{life:?} at {now}: {due}");
        assert!(due <= now.max(life.stale_at), "{life:?} at {now}: renewed at {due}, after it is stale");
    }
}

/// Checks a token that was issued at this moment (Unix seconds, some time after 1970).
pub fn token_at_login(token: &str, now: f64) {
    let life = Lifetime::at_login(token, now);
    lifetime(life, now);
    assert!(life.dead_at >= now && life.stale_at >= now, "{life:?} at {now}");
    // The sum is rounded to the last place of a large number.
    assert!(life.dead_at <= now + LONGEST_LIFETIME.as_secs_f64() + 1.0, "{life:?} at {now}");
}

/// Checks a token in a file with this expiry, which is a number.
pub fn token_in_file(token: &str, expiry: f64, now: f64) {
    let life = Lifetime::from_file(expiry, token);
    lifetime(life, now);
    assert!(life.stale_at <= expiry, "{life:?}: later than the file says, {expiry}");
    let claims = claims(token);
    if let Some(claims) = claims {
        assert!(claims.exp.is_none_or(f64::is_finite) && claims.iat.is_none_or(f64::is_finite));
    }
    let ends_late = |claims: &Claims| claims.iat.zip(claims.exp).is_none_or(|(iat, exp)| exp > iat);
    let longest = LONGEST_LIFETIME.as_secs_f64();
    // A token without a plausible lifetime, years away from the file's expiry, is an error.
    let is_told = |claims: &Claims| claims.iat.zip(claims.exp).is_some_and(|(iat, exp)| exp - iat <= longest);
    let exp = claims
        .filter(ends_late)
        .and_then(|it| it.exp.filter(|exp| is_told(&it) || (exp - expiry).abs() <= longest));
    assert!(exp.is_none_or(|exp| life.dead_at <= exp), "{life:?}: alive after the token's {exp:?}");
}

/// Checks a note from any source: it locks no process out for long, and becomes an error that can be displayed.
pub fn note(note: &Note, now: f64) {
    let left = note.remaining(now);
    assert!(
        left.is_none_or(|left| !left.is_zero() && left <= MAX_COOL_DOWN),
        "{left:?} of {note:?} at {now}"
    );
    assert!(left.is_none() || note.kind == NoteKind::CoolDown);
    assert!(!note.message.contains('\n') && note.message.chars().count() <= 500, "{note:?}");
    let error = note.to_error(now);
    presentable(&error);
    assert_eq!(error.status(), Some(note.status).filter(|status| *status != 0));
    assert_eq!(error.retry_after(), left.filter(|_| note.status == 429));
    assert_eq!(error.body(), None);
}

/// Checks a note of these bytes. A note that can be read is the same when it is written and read again.
pub fn note_file(file: &[u8], now: f64) {
    let Some(read) = Note::read(file) else { return };
    note(&read, now);
    assert_eq!(Note::read(read.write().as_bytes()), Some(read));
}

/// Checks a `Retry-After`: only digits are a wait.
pub fn retry_after(value: HeaderValue) {
    let digits = value.as_bytes();
    let expected = (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then(|| {
        // Added up here, so that a number that overflows counts as long and not as absent.
        let add = |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
        digits.iter().fold(0, add)
    });
    let headers = HeaderMap::from_iter([(RETRY_AFTER, value)]);
    let reply = Reply::new(StatusCode::TOO_MANY_REQUESTS, headers, Bytes::new());
    assert_eq!(reply.retry_after(), expected.map(Duration::from_secs));
}

/// Checks a delivery with these headers and this body: it is accepted and read, or refused. With a valid signature,
/// an event whose name is text is never refused, because the service adds new events.
pub fn delivery(verifier: &Verifier, headers: &HeaderMap, body: &[u8], now: SystemTime) {
    let sent: Option<Value> = serde_json::from_slice(body).ok();
    let name = sent.as_ref().and_then(|sent| sent.get("event")?.as_str());
    match (verifier.receive(headers, body, now), name) {
        (Ok(delivery), Some(name)) => {
            assert_eq!(delivery.event.name(), name);
            // It is the same when it is stored and read again.
            let kept = serde_json::to_value(&delivery.event).expect("JSON");
            let again: Event =
                serde_json::from_value(kept.clone()).unwrap_or_else(|error| panic!("{error}: {kept}"));
            assert_eq!(again, delivery.event, "{kept}");
        }
        (Ok(delivery), None) => panic!("{delivery:?} was read from {sent:?}"),
        (Err(Rejected::Malformed("the body is not an event")), Some(name)) => panic!("{name} was refused"),
        (Err(_), _) => {}
    }
}

/// Checks an error: it can be displayed repeatedly, with all its causes, and has a message.
pub fn presentable(error: &Error) {
    let shown = error.to_string();
    assert!(!error.message().trim().is_empty(), "it says nothing: {shown:?}");
    assert!(shown.contains(error.message()));
    assert!(!error.kind().as_str().is_empty());
    assert_eq!(error.clone().to_string(), shown);
    let _ = (format!("{error:?}"), error.source(), error.is_retryable());
}

/// Checks the errors made from a reply of this status and body. The status decides the kind.
pub fn errors(status: u16, body: &[u8], wait: Option<Duration>) {
    let error = Error::from_api_reply("get_post", status, body, wait).finish();
    presentable(&error);
    let sent: Option<Value> = serde_json::from_slice(body).ok();
    let code = sent.as_ref().and_then(|sent| sent.get("detail")?.get("code")?.as_str());
    assert_eq!(error.kind(), expected_kind(status, code));
    assert_eq!((error.status(), error.code()), (Some(status), code));
    assert_eq!(error.retry_after(), wait);
    assert_eq!(error.body(), sent.as_ref());
    presentable(&Error::from_oauth_reply("exchange_token", status, body).finish());
}

fn expected_kind(status: u16, code: Option<&str>) -> ErrorKind {
    match status {
        401 | 403 if code == Some("AUTH_2FA_REQUIRED") => ErrorKind::TwoFactorRequired,
        401 | 403 if code == Some("AUTH_2FA_INVALID") => ErrorKind::TwoFactorInvalid,
        401 | 403 => ErrorKind::Auth,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        400 | 422 => ErrorKind::Validation,
        429 => ErrorKind::RateLimit,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Api,
    }
}

/// Reads a reply to the first request of an operation with these arguments, as its method does. Returns the paths of
/// the fields that its model does not know; `None` if the operation sends no request.
pub fn answer(operation: &Operation, arguments: Value, reply: Reply) -> Option<Result<Vec<String>>> {
    let read = |answer: Result<Value>| answer.and_then(|answer| operation.check_answer(answer));
    let answer = match operation.prepare(arguments).ok()? {
        Call::Request(call) => read((call.answer)(reply, &call.request).and_then(|reply| reply.json())),
        Call::Download(call) => (call.answer)(reply, &call.request).map(|_| Vec::new()),
        Call::List(mut steps) => read(first_step(&mut *steps, reply)?.map(Value::from)),
        Call::Batch(mut steps, gather) => read(first_step(&mut *steps, reply)?.map(gather)),
        _ => return None,
    };
    if let Err(error) = &answer {
        presentable(error);
        // A bad reply is never reported as an invalid argument.
        assert_ne!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
    Some(answer)
}

/// Gives a machine this reply to its first request. After an error it must have ended.
fn first_step(steps: &mut dyn Steps, reply: Reply) -> Option<Result<Vec<Value>>> {
    let Ok(Step::Send(_)) = steps.next() else { return None };
    let taken = steps.take(reply);
    if taken.is_err() {
        assert!(matches!(steps.next(), Ok(Step::Done)), "it goes on after an error");
    }
    Some(taken)
}
