//! The note of a refused login: 8 bytes of the clock, then the file.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((now, file)) = input.split_first_chunk() else { return };
    colony_fuzz::soundness::note_file(file, f64::from_le_bytes(*now));
});
