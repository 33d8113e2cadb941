//! A webhook's delivery: the signature header, a line's end, the body. The body is also read as if the signature were
//! valid.
#![no_main]

use std::time::{Duration, SystemTime};

use colony_core::webhook::{SIGNATURE_HEADER, Verifier};
use colony_fuzz::soundness;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    const SECRET: &[u8] = b"whsec_planted";
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (header, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let verifier = Verifier::new(SECRET).expect("a verifier");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(header) {
        headers.insert(SIGNATURE_HEADER, value);
        soundness::delivery(&verifier, &headers, body, now);
    }
    if let Ok(text) = str::from_utf8(header) {
        let _ = verifier.verify(body, text, now);
        let _ = verifier.verify_unstamped(body, text);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("a key");
    mac.update(b"1790000000.");
    mac.update(body);
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let right = HeaderValue::try_from(format!("t=1790000000,v1={digits}")).expect("a header");
    headers.insert(SIGNATURE_HEADER, right);
    soundness::delivery(&verifier, &headers, body, now);
});
