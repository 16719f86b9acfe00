//! Any bytes as the body of a Query request.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policy_fuzz::forms::parse(bytes));
