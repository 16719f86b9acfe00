//! Numbers, dates and networks as conditions compare them.

use std::net::IpAddr;

/// Digits behind the decimal point that are kept: a value is a whole number of 10⁻¹⁸.
const SCALE: u32 = 18;

const YEAR_DIGITS: usize = 4;

/// Reads a decimal number exactly, as a multiple of 10⁻¹⁸ (docs/semantics.md#38: `900` = `900.0`).
/// Values of 10²⁰ and more, and digits beyond the 18th, are refused rather than rounded.
pub fn number(text: &str) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let mut value: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value
            .checked_mul(10)?
            .checked_add(i128::from(byte - b'0'))?;
    }
    let shift = exponent
        .checked_add(SCALE as i32)?
        .checked_sub(i32::try_from(fraction.len()).ok()?)?;
    if value == 0 {
        return Some(0);
    }
    let value = if shift >= 0 {
        value.checked_mul(10i128.checked_pow(shift.unsigned_abs())?)?
    } else {
        let unit = 10i128.checked_pow(shift.unsigned_abs())?;
        if value % unit != 0 {
            return None;
        }
        value / unit
    };
    let limit = 10i128.pow(20 + SCALE);
    (value < limit).then_some(if negative { -value } else { value })
}

/// The seconds that an epoch time can count, which IAM keeps in 64 bits.
const SECONDS_END: i128 = (1 << 63) * 10i128.pow(SCALE);

/// The years of a date in the ISO 8601 forms: those that milliseconds in 64 bits can count.
const YEARS: std::ops::RangeInclusive<i64> = -292_275_054..=292_278_993;

/// Reads a date of a policy. In the answers that were recorded, IAM reads the digits of a fraction as
/// a number and refuses more than 999,999,999, which requests may have.
pub(crate) fn policy_date(text: &str) -> Option<i128> {
    let fraction = text.split_once(['T', 't']).and_then(|(_, time)| {
        let (_, digits) = time.split_once('.')?;
        digits.split(['Z', 'z', '+', '-']).next()
    });
    let digits = fraction.unwrap_or_default().trim_start_matches('0').len();
    date(text).filter(|_| digits <= 9)
}

/// Reads a date: the forms of ISO 8601 that IAM takes, or seconds since the epoch
/// (docs/semantics.md#38). The unit is one nanosecond since 1970-01-01T00:00Z. Four digits are a year, the shortest of the
/// W3C's forms: read as seconds they would be an hour of 1970.
///
/// IAM takes more than the W3C's forms, as its recorded answers show: numbers without their leading
/// zeros, a `T` without a time, a time zone without minutes.
pub fn date(text: &str) -> Option<i128> {
    let epoch = text.strip_prefix('-').unwrap_or(text);
    if !epoch.is_empty()
        && fixed(text, YEAR_DIGITS).is_none()
        && epoch
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        // Nanoseconds are 10⁻⁹ of a second, numbers are kept in 10⁻¹⁸.
        let seconds = number(text)?;
        return (seconds < SECONDS_END).then(|| seconds.div_euclid(1_000_000_000));
    }
    let (day, time) = match text.split_once(['T', 't']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let (sign, day) = match day.strip_prefix('-') {
        Some(day) => (-1, day),
        None => (1, day),
    };
    let mut fields = day.split('-');
    let year = sign * up_to(fields.next()?, 9)?;
    let month = fields.next().map_or(Some(1), |text| up_to(text, 2))?;
    let day = fields.next().map_or(Some(1), |text| up_to(text, 2))?;
    if fields.next().is_some() || !YEARS.contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    if day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let seconds = i128::from(days_from_epoch(year, month, day)) * 86_400;
    let nanoseconds = match time {
        Some(time) => time_of_day(time)?,
        None => 0,
    };
    Some(seconds * 1_000_000_000 + nanoseconds)
}

fn fixed(text: &str, digits: usize) -> Option<i64> {
    let valid = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| text.parse().ok()).flatten()
}

/// A number of one digit at least.
fn up_to(text: &str, digits: usize) -> Option<i64> {
    fixed(text, text.len()).filter(|_| (1..=digits).contains(&text.len()))
}

/// `h`, `h:m`, `h:m:s`, `h:m:s.f` or nothing, then `Z`, `+hh`, `+hh:mm`, `-hh`, `-hh:mm`; no zone
/// means UTC.
fn time_of_day(text: &str) -> Option<i128> {
    let zone = text.find(['Z', 'z', '+', '-']);
    let (clock, zone) = text.split_at(zone.unwrap_or(text.len()));
    let mut fields = clock.split(':').filter(|_| !clock.is_empty());
    let hour = fields.next().map_or(Some(0), |text| up_to(text, 2))?;
    let minute = fields.next().map_or(Some(0), |text| up_to(text, 2))?;
    let (second, nanosecond) = match fields.next() {
        Some(text) => {
            let (second, fraction) = text.split_once('.').unwrap_or((text, "0"));
            (up_to(second, 2)?, fraction_nanoseconds(fraction)?)
        }
        None => (0, 0),
    };
    if fields.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset = match zone.as_bytes().first() {
        None => 0,
        Some(b'Z' | b'z') if zone.len() == 1 => 0,
        Some(sign @ (b'+' | b'-')) => {
            let (hours, minutes) = zone[1..].split_once(':').unwrap_or((&zone[1..], "00"));
            let (hours, minutes) = (fixed(hours, 2)?, fixed(minutes, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3_600 + minutes * 60;
            if *sign == b'+' { seconds } else { -seconds }
        }
        Some(_) => return None,
    };
    let seconds = hour * 3_600 + minute * 60 + second - offset;
    Some(i128::from(seconds) * 1_000_000_000 + nanosecond)
}

fn fraction_nanoseconds(text: &str) -> Option<i128> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The form has any number of digits; a nanosecond is what is kept.
    let kept = &text[..text.len().min(9)];
    let value: i128 = kept.parse().ok()?;
    Some(value * 10i128.pow(9 - kept.len() as u32))
}

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, carried on to all years.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    let months: i64 = (1..month).map(|month| days_in_month(year, month)).sum();
    // 719,162 days lie between 0001-01-01 and 1970-01-01.
    before * 365 + leap_days + months + day - 1 - 719_162
}

/// The prefix of the v4 addresses within v6 (RFC 4291, section 2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// An address range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Reads an address. IPv4-mapped IPv6 addresses are compared as IPv4.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

impl Network {
    /// An address is the range of itself (docs/semantics.md#39).
    pub fn parse(text: &str) -> Option<Network> {
        let (text, prefix) = match text.split_once('/') {
            Some((text, prefix)) => (text, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = text.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) if !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit()) => {
                prefix.parse().ok()?
            }
            Some(_) => return None,
            None => bits,
        };
        if prefix > bits {
            return None;
        }
        // An IPv4-mapped network is an IPv4 network, as for the request's address.
        Some(match address.to_canonical() {
            IpAddr::V4(v4) if bits == 128 && prefix >= MAPPED_BITS => Network {
                address: v4.into(),
                prefix: prefix - MAPPED_BITS,
            },
            _ => Network { address, prefix },
        })
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(self.prefix))
                    .unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.prefix))
                    .unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        for (a, b) in [
            ("900", "900.0"),
            ("-0", "0"),
            ("1e3", "1000"),
            (".5", "0.50"),
            ("12e-1", "1.2"),
        ] {
            assert_eq!(number(a), number(b), "{a} {b}");
            assert!(number(a).is_some());
        }
        assert!(number("9007199254740993") > number("9007199254740992"));
        for wrong in [
            "",
            ".",
            "x",
            "1x",
            "--1",
            "1e",
            "1e99999999999",
            "1e400",
            "NaN",
        ] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates_in_all_w3c_forms() {
        let nanoseconds = |seconds: i128| Some(seconds * 1_000_000_000);
        for (text, seconds) in [
            ("0", 0),
            ("1970-01-01", 0),
            ("1970-01", 0),
            ("1970", 0),
            ("2026", 1_767_225_600),
            ("999", 999),
            ("10000", 10_000),
            ("1970-01-01T00:00Z", 0),
            ("1970-01-01T01:00:00+01:00", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2013-06-30T00:00:00z", 1_372_550_400),
            ("2013-06-30t00:00:00.000Z", 1_372_550_400),
            ("2013-06-30T00:00:00.0000000001234Z", 1_372_550_400),
            ("1372550400", 1_372_550_400),
            ("1969-12-31T23:59:59Z", -1),
            ("9999-12-31", 253_402_214_400),
            // Recorded: IAM accepts a policy with each of these.
            ("01T", -62_135_596_800),
            ("2017-07-01T00:00:00Z", 1_498_867_200),
            ("2019-07-01T13:20:15Z", 1_561_987_215),
            ("-292275054", -292_275_054),
            ("10000-1-1", 253_402_300_800),
            ("-1-12-31T1", -62_167_302_000),
            ("2000-02-29T1:2:3-01", 951_789_723),
        ] {
            assert_eq!(date(text), nanoseconds(seconds), "{text}");
        }
        for (text, nanosecond) in [
            (
                "2016-12-13T21:20:37.593194+00:00",
                1_481_664_037_593_194_000,
            ),
            ("2016-12-13t2:00:00.593194+23", 1_481_511_600_593_194_000),
        ] {
            assert_eq!(date(text), Some(nanosecond), "{text}");
        }
        for wrong in [
            // Recorded: IAM refuses a policy with each of these.
            "sdfdsf",
            "234-13",
            "2016-12-13t2:00:00.593194+1",
            "9223372036854775808",
            "",
            "T",
            "-",
            "2013-",
            "2013-6-",
            "2013-006",
            "2013T1:",
            "2013T:1",
            "2013T1:60",
            "2013T1:2:3:4",
            "2013T+1",
            "292278994-01",
            "-292275055-01",
            "2013-13-01",
            "2013-02-30",
            "2013-06-30T24:00Z",
            "2013-*",
            "tomorrow",
        ] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
        // Recorded as refused in a policy; a request's value may be as exact as it likes.
        let exact = "2016-12-13t2:00:00.1999999999+10:59";
        assert!(date(exact).is_some() && policy_date(exact).is_none());
        assert!(policy_date("2016-12-13t2:00:00.0000000001234Z").is_some());
    }

    #[test]
    fn networks_contain_their_addresses() {
        let contains = |network: &str, text: &str| {
            Network::parse(network)
                .unwrap()
                .contains(address(text).unwrap())
        };
        assert!(contains("10.0.0.0/8", "10.255.0.1"));
        assert!(!contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("0.0.0.0/0", "203.0.113.9"));
        assert!(contains("10.0.0.7", "::ffff:10.0.0.7"));
        assert!(contains("::ffff:10.0.0.7", "::ffff:a00:7"));
        assert!(contains("::ffff:10.0.0.0/104", "10.1.1.1"));
        assert!(!contains("::ffff:10.0.0.0/104", "11.1.1.1"));
        assert!(contains("::ffff:0:0/96", "11.1.1.1"));
        assert!(contains("2001:db8::/32", "2001:db8:1::1"));
        assert!(!contains("::/0", "10.0.0.1"));
        assert!(Network::parse("10.0.0.0/33").is_none());
        assert!(Network::parse("10.0.0.0/").is_none());
    }
}
