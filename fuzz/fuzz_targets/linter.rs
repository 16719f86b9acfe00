//! Whatever can be parsed is linted, within bounds.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policy_fuzz::texts::lint(bytes));
