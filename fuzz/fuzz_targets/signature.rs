//! Any bytes as a request that may be signed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policy_fuzz::signatures::parse(bytes));
