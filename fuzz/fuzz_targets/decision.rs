//! Whole decisions against the reference evaluator, and against their own explanation.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policy_fuzz::decisions::decide(bytes));
