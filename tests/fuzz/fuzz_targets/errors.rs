//! The error made from a reply: 2 bytes of status, 4 of `Retry-After`, then the body.
#![no_main]

use std::time::Duration;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((status, rest)) = input.split_first_chunk() else { return };
    let Some((wait, body)) = rest.split_first_chunk() else { return };
    let wait = Duration::from_millis(u32::from_le_bytes(*wait).into());
    let wait = Some(wait).filter(|wait| !wait.is_zero());
    colony_fuzz::soundness::errors(u16::from_le_bytes(*status), body, wait);
});
