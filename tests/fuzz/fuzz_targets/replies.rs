//! The reply to an operation: 2 bytes that choose the operation, 1 the status, then the body.
#![no_main]

use bytes::Bytes;
use colony_core::Reply;
use colony_fuzz::{OPERATIONS, STATUSES, soundness};
use http::{HeaderMap, StatusCode};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some(([low, high, status], body)) = input.split_first_chunk() else { return };
    let (operation, arguments) =
        &OPERATIONS[usize::from(u16::from_le_bytes([*low, *high])) % OPERATIONS.len()];
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let status = StatusCode::from_u16(status).expect("a status");
    let reply = Reply::new(status, HeaderMap::new(), Bytes::copy_from_slice(body));
    let _ = soundness::answer(operation, arguments.clone(), reply);
});
