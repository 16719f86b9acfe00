//! Wildcards and variables against a slow matcher.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policy_fuzz::patterns::matching(bytes));
