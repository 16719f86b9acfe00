//! Any document as the services would store it, of every kind.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policy_fuzz::texts::validate(bytes));
