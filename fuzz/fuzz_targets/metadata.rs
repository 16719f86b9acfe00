//! Any bytes as a request of the metadata service.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policy_fuzz::metadata::parse(bytes));
