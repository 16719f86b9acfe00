//! Time-based one-time passwords: RFC 6238 with HMAC-SHA-1, steps of 30 seconds and six digits, which is
//! what authenticator applications take from the `otpauth://` URL without further parameters.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use jiff::Timestamp;

/// Seconds of a step (RFC 6238, 5.2).
const STEP_SECONDS: i64 = 30;
/// Digits of a code.
pub(crate) const DIGITS: usize = 6;

/// The step of a time.
pub(crate) fn step_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(STEP_SECONDS)
}

/// The number that the code of a step is cut from (RFC 4226, 5.3).
fn truncated(seed: &[u8], step: i64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or(0) & 0x0f);
    let mut bytes = [0; 4];
    // The offset is at most 15 and the tag has 20 bytes.
    if let Some(window) = tag.get(offset..offset + 4) {
        bytes.copy_from_slice(window);
    }
    u32::from_be_bytes(bytes) & 0x7fff_ffff
}

/// The code of a step.
pub(crate) fn code(seed: &[u8], step: i64) -> [u8; DIGITS] {
    let mut number = truncated(seed, step);
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
    digits
}

/// Whether `given` is the code of the step, in constant time.
fn is_code(seed: &[u8], step: i64, given: &str) -> bool {
    verify_slices_are_equal(&code(seed, step), given.as_bytes()).is_ok()
}

/// The step within `window` steps around `middle` whose code is `given`. All steps are compared, so
/// that the time tells nothing; where two match, the earlier counts.
pub(crate) fn find(seed: &[u8], middle: i64, window: i64, given: &str) -> Option<i64> {
    search(middle, window, |step| is_code(seed, step, given))
}

/// The second of two consecutive steps within the window whose codes are `first` and `second`.
pub(crate) fn find_pair(
    seed: &[u8],
    middle: i64,
    window: i64,
    (first, second): (&str, &str),
) -> Option<i64> {
    let both = |step| is_code(seed, step, first) & is_code(seed, step + 1, second);
    search(middle, window, both).map(|step| step + 1)
}

fn search(middle: i64, window: i64, matches: impl Fn(i64) -> bool) -> Option<i64> {
    let steps = middle.saturating_sub(window)..=middle.saturating_add(window);
    steps.fold(None, |found, step| {
        let here = matches(step).then_some(step);
        found.or(here)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        // Eight digits there; six of them are the last six, since both are remainders.
        let seed = b"12345678901234567890";
        for (seconds, code_of_eight) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let at = Timestamp::from_second(seconds).unwrap();
            let eight = truncated(seed, step_of(at)) % 100_000_000;
            assert_eq!(format!("{eight:08}"), code_of_eight, "{seconds}");
            assert_eq!(
                code(seed, step_of(at)),
                code_of_eight.as_bytes()[2..],
                "{seconds}"
            );
        }
    }

    proptest! {
        #[test]
        fn finds_the_step_of_a_code_within_the_window(
            seed in proptest::collection::vec(any::<u8>(), 20..40),
            middle in 1_i64..1_000_000_000,
            off in -20_i64..=20,
        ) {
            let text = |step| String::from_utf8(code(&seed, step).to_vec()).unwrap();
            let step = middle + off;
            let found = find(&seed, middle, 20, &text(step)).unwrap();
            // An earlier step may have the same code by chance.
            prop_assert!(found <= step && text(found) == text(step));
            let pair = (text(step), text(step + 1));
            let found = find_pair(&seed, middle, 20, (&pair.0, &pair.1)).unwrap();
            prop_assert!(found <= step + 1);
            prop_assert!(find(&seed, middle, 20, "").is_none());
        }

        #[test]
        fn any_text_is_a_code_or_none(given in "\\PC*", middle in any::<i64>()) {
            let _ = find(b"seed", middle.clamp(i64::MIN + 10, i64::MAX - 10), 1, &given);
        }
    }
}
