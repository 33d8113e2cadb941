//! Errors made from replies: any status, any body.

use std::time::Duration;

use bytes::Bytes;
use colony_core::{
    Reply, Request,
    deprecation::{DeprecatedName, DeprecatedValue},
};
use colony_tests::soundness;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use proptest::prelude::*;
use serde_json::json;

use crate::{bytes, holds, json, text};

/// Generates a body: one of the service's forms, or any bytes.
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

/// Generates any status, those with a special meaning more often.
fn status() -> impl Strategy<Value = u16> {
    let known = vec![400, 401, 403, 404, 409, 410, 412, 413, 422, 429, 500, 502, 503, 504];
    prop_oneof![2 => proptest::sample::select(known), 1 => any::<u16>()]
}

#[test]
fn the_status_decides_the_kind_whatever_the_body_is() {
    let wait = proptest::option::of(any::<Duration>());
    holds("an error of any status and body", (status(), body(), wait), |(status, body, wait)| {
        soundness::errors(status, &body, wait);
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
        soundness::presentable(&error);
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
