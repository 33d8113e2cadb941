//! A token, at login and in a file: 8 bytes of the file's expiry, 4 of the clock, then the token, or its claims.
#![no_main]

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use colony_fuzz::soundness;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((expiry, rest)) = input.split_first_chunk() else { return };
    let Some((now, rest)) = rest.split_first_chunk() else { return };
    let (expiry, now) = (f64::from_le_bytes(*expiry), f64::from(u32::from_le_bytes(*now)));
    let claims = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(rest));
    for token in [str::from_utf8(rest).ok(), Some(&claims)].into_iter().flatten() {
        soundness::token_at_login(token, now);
        if expiry.is_finite() {
            soundness::token_in_file(token, expiry, now);
        }
    }
});
