//! Times as signatures write them: seconds since the epoch inside, UTC outside.

use std::time::UNIX_EPOCH;

use jiff::Timestamp;

/// `YYYYMMDDTHHMMSSZ`, ISO 8601's basic format.
pub(crate) fn iso_basic(epoch_seconds: i64) -> String {
    aws_types::time::basic(Timestamp::from_second(epoch_seconds).unwrap_or(Timestamp::MAX))
}

/// Parses the form of [`iso_basic`] and nothing else: a time has one spelling.
pub(crate) fn parse_iso_basic(text: &str) -> Option<i64> {
    aws_types::time::parse_basic(text).map(Timestamp::as_second)
}

/// Parses a `Date` header: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7). Its two obsolete
/// forms are accepted as well, as that section asks.
pub(crate) fn parse_http_date(text: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(text).ok()?;
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    i64::try_from(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_times() {
        for (text, seconds) in [
            ("19700101T000000Z", 0),
            ("20150830T123600Z", 1_440_938_160),
            ("20000229T235959Z", 951_868_799),
            ("19691231T235959Z", -1),
        ] {
            assert_eq!(iso_basic(seconds), text);
            assert_eq!(parse_iso_basic(text), Some(seconds));
        }
        assert_eq!(
            parse_http_date("Sun, 30 Aug 2015 12:36:00 GMT"),
            Some(1_440_938_160)
        );
    }

    #[test]
    fn everything_else_is_no_time() {
        for text in [
            "",
            "20150830",
            "20150830T123600",
            "2015-08-30T12:36:00Z",
            "20150832T123600Z",
            "20150431T123600Z",
            "20150229T123600Z",
            "20150830T243600Z",
            "20150830T126000Z",
            "20150830T123660Z",
            "20151330T123600Z",
            "20150030T123600Z",
            "2015083+T123600Z",
            "20150830t123600z",
        ] {
            assert_eq!(parse_iso_basic(text), None, "{text}");
        }
        for text in [
            "Sun, 30 Xyz 2015 12:36:00 GMT",
            "Sun, 30 Aug 2015 12:36:00 CET",
            "ሴሴሴሴሴሴሴሴሴሴ",
        ] {
            assert_eq!(parse_http_date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back(seconds in 0_i64..253_402_300_800) {
            prop_assert_eq!(parse_iso_basic(&iso_basic(seconds)), Some(seconds));
        }
    }
}
