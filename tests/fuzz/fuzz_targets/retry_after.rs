//! `Retry-After`, and the headers that report deprecated names: any bytes that a header can carry.
#![no_main]

use colony_core::deprecation::{DeprecatedName, DeprecatedValue};
use http::HeaderValue;

libfuzzer_sys::fuzz_target!(|value: &[u8]| {
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    if let Ok(text) = value.to_str() {
        let _ = (DeprecatedName::read(text), DeprecatedValue::read(text));
    }
    colony_fuzz::soundness::retry_after(value);
});
