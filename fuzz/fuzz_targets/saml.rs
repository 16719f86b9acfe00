//! Any bytes as metadata and as a response of a SAML provider.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policy_fuzz::saml_responses::parse(bytes));
