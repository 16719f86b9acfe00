//! The target `lifecycle` of `fuzz-checks`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_checks::check("lifecycle", bytes));
