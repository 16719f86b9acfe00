//! Any bytes as certificates, private keys and SSH keys.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policy_fuzz::certificates::parse(bytes));
