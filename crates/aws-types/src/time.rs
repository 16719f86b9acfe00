//! The forms in which AWS writes points in time.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// `2026-11-26T12:00:00Z`: ISO 8601 in seconds, as Query answers, CloudTrail events and condition
/// keys have it.
pub fn iso8601(time: Timestamp) -> String {
    // Jiff's own form is this one, and a few times faster than a pattern.
    format!("{time:.0}")
}

/// `20261126T120000Z`: the basic form of `X-Amz-Date`.
pub fn basic(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// `20261126`: the date of a credential scope.
pub fn date(time: Timestamp) -> String {
    time.strftime("%Y%m%d").to_string()
}

/// Parses the basic form. Nothing may precede or follow it.
pub fn parse_basic(text: &str) -> Option<Timestamp> {
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        part.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| part.parse::<i16>().ok())?
    };
    let shaped = text.len() == 16 && text.as_bytes()[8] == b'T' && text.as_bytes()[15] == b'Z';
    if !shaped {
        return None;
    }
    let narrow = |part: Option<i16>| i8::try_from(part?).ok();
    let civil = DateTime::new(
        digits(0..4)?,
        narrow(digits(4..6))?,
        narrow(digits(6..8))?,
        narrow(digits(9..11))?,
        narrow(digits(11..13))?,
        narrow(digits(13..15))?,
        0,
    );
    let zoned = civil.ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn forms_agree() {
        let time: Timestamp = "2026-11-26T01:02:03Z".parse().unwrap();
        assert_eq!(iso8601(time), "2026-11-26T01:02:03Z");
        // Parts of a second are cut off, not rounded.
        let late = time + SignedDuration::from_millis(999);
        assert_eq!(iso8601(late), "2026-11-26T01:02:03Z");
        assert_eq!(iso8601(Timestamp::UNIX_EPOCH), "1970-01-01T00:00:00Z");
        assert_eq!(basic(time), "20261126T010203Z");
        assert_eq!(date(time), "20261126");
        assert_eq!(parse_basic("20261126T010203Z"), Some(time));
    }

    #[test]
    fn refuses_what_is_not_the_basic_form() {
        for bad in [
            "",
            "20261126T010203",
            "20261126t010203Z",
            "20261126T010203z",
            "20261326T010203Z",
            "20260230T010203Z",
            "20261126T250203Z",
            "+0261126T010203Z",
            "2026-11-26T01:02",
            "20261126T010203\u{e9}",
        ] {
            assert_eq!(parse_basic(bad), None, "{bad}");
        }
    }
}
