//! The cache file: any bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| colony_fuzz::soundness::envelope(file));
