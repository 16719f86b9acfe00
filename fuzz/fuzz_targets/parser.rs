//! Any bytes as a policy document of every kind.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policy_fuzz::texts::parse(bytes));
