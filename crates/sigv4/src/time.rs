//! Times as signatures write them. Seconds since the epoch inside, UTC outside.

/// `YYYYMMDDTHHMMSSZ`, ISO 8601's basic format.
pub(crate) fn iso_basic(epoch_seconds: i64) -> String {
    let (year, month, day) = civil(epoch_seconds.div_euclid(86_400));
    let second = epoch_seconds.rem_euclid(86_400);
    format!(
        "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Reads [`iso_basic`]'s form, and nothing else: one time has one spelling.
pub(crate) fn parse_iso_basic(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let (year, month, day) = (
        number(&bytes[..4])?,
        number(&bytes[4..6])?,
        number(&bytes[6..8])?,
    );
    seconds(
        year,
        month,
        day,
        &bytes[9..11],
        &bytes[11..13],
        &bytes[13..15],
    )
}

/// Reads a `Date` header: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7, the preferred form).
pub(crate) fn parse_http_date(text: &str) -> Option<i64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let bytes = text.as_bytes();
    if bytes.len() != 29 || &bytes[3..5] != b", " || &bytes[25..] != b" GMT" {
        return None;
    }
    let spaces = [7, 11, 16].iter().all(|at| bytes[*at] == b' ');
    let colons = [19, 22].iter().all(|at| bytes[*at] == b':');
    let month = MONTHS
        .as_bytes()
        .chunks_exact(3)
        .position(|month| *month == bytes[8..11])?;
    if !spaces || !colons {
        return None;
    }
    seconds(
        number(&bytes[12..16])?,
        i64::try_from(month).ok()? + 1,
        number(&bytes[5..7])?,
        &bytes[17..19],
        &bytes[20..22],
        &bytes[23..25],
    )
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + i64::from(digit - b'0'))
    })
}

fn seconds(year: i64, month: i64, day: i64, h: &[u8], m: &[u8], s: &[u8]) -> Option<i64> {
    let (h, m, s) = (number(h)?, number(m)?, number(s)?);
    let days = days(year, month, day);
    // A day that does not exist, say the 31st of April, comes back as another.
    let exists = civil(days) == (year, month, day);
    (exists && h < 24 && m < 60 && s < 60).then(|| days * 86_400 + h * 3600 + m * 60 + s)
}

// Days since 1970-01-01 in the proleptic Gregorian calendar. A year counts from March here, so that
// the leap day is its last, and 400 years ("an era") repeat with 146,097 days.

fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
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
