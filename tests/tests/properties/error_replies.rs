//! Errors made of replies: any status, any body.

use std::{error::Error as _, time::Duration};

use bytes::Bytes;
use colony_core::{
    Error, ErrorKind, Reply, Request,
    deprecation::{DeprecatedName, DeprecatedValue},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{bytes, holds, json, text};

/// A body: one of the forms that the service has, or anything.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let form = prop_oneof![
        (json(), json(), json()).prop_map(|(code, message, more)| {
            json!({"detail": {"code": code, "message": message, "follow_id": more}})
        }),
        (text(), text()).prop_map(|(code, message)| json!({"detail": {"code": code, "message": message}})),
        proptest::sample::select(vec!["AUTH_2FA_REQUIRED", "AUTH_2FA_INVALID", "AUTH_INVALID_KEY"])
            .prop_map(|code| json!({"detail": {"code": code}})),
        text().prop_map(|text| json!({"detail": text})),
        (json(), json()).prop_map(|(detail, error)| json!({"detail": detail, "error": error})),
        proptest::collection::vec((json(), json()), 0..4).prop_map(|items| {
            json!({"detail": items.into_iter().map(|(loc, msg)| json!({"loc": loc, "msg": msg})).collect::<Vec<_>>()})
        }),
        (text(), text()).prop_map(|(error, description)| {
            json!({"error": error, "error_description": description})
        }),
    ];
    prop_oneof![4 => form.prop_map(|value| value.to_string().into_bytes()), 1 => bytes()]
}

/// What holds of every error: it can be shown, in full, as often as one likes.
fn is_presentable(error: &Error) {
    let shown = error.to_string();
    assert!(!error.message().trim().is_empty(), "it says nothing: {shown:?}");
    assert!(shown.contains(error.message()));
    assert!(!error.kind().as_str().is_empty());
    assert_eq!(error.clone().to_string(), shown);
    let _ = (format!("{error:?}"), error.source(), error.is_retryable());
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

/// Any status, those with a meaning of their own more often.
fn status() -> impl Strategy<Value = u16> {
    let known = vec![400, 401, 403, 404, 409, 410, 412, 413, 422, 429, 500, 502, 503, 504];
    prop_oneof![2 => proptest::sample::select(known), 1 => any::<u16>()]
}

#[test]
fn the_status_decides_the_kind_whatever_the_body_is() {
    let wait = proptest::option::of(any::<Duration>());
    holds("an error of any status and body", (status(), body(), wait), |(status, body, wait)| {
        let error = Error::from_api_reply("get_post", status, &body, wait).finish();
        is_presentable(&error);
        let sent: Option<Value> = serde_json::from_slice(&body).ok();
        let code = sent.as_ref().and_then(|sent| sent.get("detail")?.get("code")?.as_str());
        assert_eq!(error.kind(), expected_kind(status, code));
        assert_eq!((error.status(), error.code()), (Some(status), code));
        assert_eq!(error.retry_after(), wait.filter(|_| status == 429));
        assert_eq!(error.body(), sent.as_ref());
        is_presentable(&Error::from_oauth_reply("exchange_token", status, &body).finish());
    });
}

#[test]
fn nothing_is_kept_of_the_body_of_a_secret_reply() {
    let status = status().prop_filter_map("a status", |status| StatusCode::from_u16(status).ok());
    holds("an error of a secret request", (status, body(), text()), |(status, body, id)| {
        let mut headers = HeaderMap::new();
        if let Ok(id) = HeaderValue::try_from(id) {
            headers.insert("x-request-id", id);
        }
        let request = Request::new("x", Method::POST, "/auth/token").secret();
        let error = Reply::new(status, headers, Bytes::from(body)).into_error(&request);
        is_presentable(&error);
        assert_eq!(error.body(), None);
    });
}

#[test]
fn deprecations_are_read_from_whatever_the_header_says() {
    let header = prop_oneof!["([a-z_]{0,5}[:=, ]{0,2}){0,8}", text()];
    holds("headers of deprecated names", header, |header| {
        for name in DeprecatedName::read(&header) {
            assert!(!name.sent.is_empty() && !name.preferred.is_empty(), "{header:?}");
        }
        for value in DeprecatedValue::read(&header) {
            let parts = [&value.parameter, &value.sent, &value.preferred];
            assert!(parts.iter().all(|part| !part.is_empty()), "{header:?}");
        }
    });
}
