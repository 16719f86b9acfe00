//! Parts of a blob (RFC 9110, section 14): one range, or several as `multipart/byteranges`,
//! which clients that read images lazily ask for (stargz, SOCI).

use std::ops::Range;

/// Ranges of one answer. A client that asks for more is refused, upon which it asks for one
/// range at a time; to send the whole layer instead would cost it most.
pub(super) const RANGES_MAX: usize = 64;

/// What a `Range` header asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Wanted {
    /// Everything: the header is absent, or is not a range of bytes.
    All,
    /// One range.
    One(Range<u64>),
    /// Several, in the order of the request, none of which overlaps another.
    Several(Vec<Range<u64>>),
    /// No range lies within the blob.
    Unsatisfiable,
    /// More ranges than one answer has.
    TooMany,
}

/// Reads a `Range` header for a blob of `size` bytes. Another unit and what is malformed
/// count as absent, as RFC 9110, section 14.2, allows.
pub(super) fn parse(header: &str, size: u64) -> Wanted {
    let Some((unit, set)) = header.split_once('=') else {
        return Wanted::All;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Wanted::All;
    }
    let specs = set
        .split(',')
        .map(str::trim)
        .filter(|spec| !spec.is_empty());
    let (mut ranges, mut count) = (Vec::new(), 0);
    for spec in specs {
        count += 1;
        match range(spec, size) {
            None => return Wanted::All,
            // Not within the blob: the others are sent.
            Some(range) if range.is_empty() => {}
            // The number is bounded by the length of a request's headers.
            Some(range) => ranges.push(range),
        }
    }
    match (count, ranges.len()) {
        (0, _) => return Wanted::All,
        (_, 0) => return Wanted::Unsatisfiable,
        _ => {}
    }
    let mut ranges = without_overlaps(ranges);
    match ranges.len() {
        1 => Wanted::One(ranges.remove(0)),
        n if n > RANGES_MAX => Wanted::TooMany,
        _ => Wanted::Several(ranges),
    }
}

/// One `first-last`, `first-` or `-suffix`. `None`: it is malformed; empty: it does not lie
/// within the blob.
fn range(spec: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        let suffix = number(last)?;
        return Some(size.saturating_sub(suffix)..size);
    }
    let first = number(first)?;
    let end = match last {
        "" => size,
        last => {
            let last = number(last)?;
            if last < first {
                return None;
            }
            last.saturating_add(1).min(size)
        }
    };
    Some(first.min(end)..end)
}

/// Digits. What does not fit is beyond every blob.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Ranges that overlap are sent as one, so that no answer is longer than the blob.
fn without_overlaps(ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut sorted = ranges.clone();
    sorted.sort_by_key(|range| (range.start, range.end));
    if sorted.windows(2).all(|pair| pair[0].end <= pair[1].start) {
        return ranges;
    }
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// The frame of a `multipart/byteranges` body: what precedes each part, and the end.
pub(super) struct Frame {
    boundary: String,
    media_type: &'static str,
    size: u64,
}

impl Frame {
    /// `boundary` must be unpredictable, so that no blob contains it.
    pub(super) fn new(boundary: &str, media_type: &'static str, size: u64) -> Frame {
        let allowed = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        Frame {
            boundary: boundary.chars().filter(allowed).take(70).collect(),
            media_type,
            size,
        }
    }

    /// The body's media type.
    pub(super) fn content_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    /// What precedes the bytes of the `nth` part.
    pub(super) fn head(&self, nth: usize, range: &Range<u64>) -> String {
        let line_end = if nth == 0 { "" } else { "\r\n" };
        format!(
            "{line_end}--{}\r\nContent-Type: {}\r\nContent-Range: bytes {}-{}/{}\r\n\r\n",
            self.boundary,
            self.media_type,
            range.start,
            range.end - 1,
            self.size
        )
    }

    /// What follows the last part.
    pub(super) fn end(&self) -> String {
        format!("\r\n--{}--\r\n", self.boundary)
    }

    /// The length of the whole body.
    pub(super) fn length(&self, ranges: &[Range<u64>]) -> u64 {
        let parts = ranges.iter().enumerate();
        let part = |(nth, range): (usize, &Range<u64>)| {
            self.head(nth, range).len() as u64 + range.end - range.start
        };
        parts.map(part).sum::<u64>() + self.end().len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// No header makes an answer longer than the blob and its frames.
        #[test]
        fn any_header_asks_for_ranges_within_the_blob(
            header in "(bytes|Bytes|lines)?[ =]{0,2}([0-9]{0,20}[-,a ]{0,2}){0,80}",
            size: u64,
        ) {
            match parse(&header, size) {
                Wanted::All | Wanted::Unsatisfiable | Wanted::TooMany => {}
                Wanted::One(range) => prop_assert!(range.start < range.end && range.end <= size),
                Wanted::Several(mut ranges) => {
                    prop_assert!((2..=RANGES_MAX).contains(&ranges.len()));
                    ranges.sort_by_key(|range| range.start);
                    prop_assert!(ranges.iter().all(|range| range.start < range.end && range.end <= size));
                    prop_assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
                }
            }
        }
    }

    #[test]
    fn ranges_are_parsed_as_rfc_9110_says() {
        let several = |ranges: &[Range<u64>]| Wanted::Several(ranges.to_vec());
        let table = [
            ("bytes=0-9", Wanted::One(0..10)),
            ("bytes=10-", Wanted::One(10..100)),
            ("bytes=-5", Wanted::One(95..100)),
            ("bytes=-500", Wanted::One(0..100)),
            ("bytes=90-200", Wanted::One(90..100)),
            ("Bytes = 0-9 ", Wanted::One(0..10)),
            ("bytes=100-", Wanted::Unsatisfiable),
            ("bytes=100-200", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=0-18446744073709551615", Wanted::One(0..100)),
            ("bytes=0-99999999999999999999", Wanted::One(0..100)),
            ("bytes=99999999999999999999-", Wanted::Unsatisfiable),
            ("bytes=9-5", Wanted::All),
            ("bytes=0-1,9-5", Wanted::All),
            ("bytes=0-1,4-5", several(&[0..2, 4..6])),
            ("bytes=4-5, 0-1", several(&[4..6, 0..2])),
            ("bytes=0-1,2-3", several(&[0..2, 2..4])),
            ("bytes=0-1,,-1", several(&[0..2, 99..100])),
            ("bytes=0-1,200-300", Wanted::One(0..2)),
            ("bytes=200-300,-0", Wanted::Unsatisfiable),
            ("bytes=0-9,5-14", Wanted::One(0..15)),
            ("bytes=50-,0-9,5-14", several(&[0..15, 50..100])),
            ("bytes=0-,0-,0-", Wanted::One(0..100)),
            ("bytes=a-", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("bytes=-", Wanted::All),
            ("bytes=", Wanted::All),
            ("lines=0-1", Wanted::All),
            ("", Wanted::All),
        ];
        for (header, expected) in table {
            assert_eq!(parse(header, 100), expected, "{header}");
        }
        assert_eq!(parse("bytes=0-", 0), Wanted::Unsatisfiable);
        assert_eq!(parse("bytes=-1", 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn an_answer_has_a_bounded_number_of_parts() {
        let header = |n: usize| {
            let specs: Vec<_> = (0..n).map(|i| format!("{}-{}", i * 2, i * 2)).collect();
            format!("bytes={}", specs.join(","))
        };
        let most = parse(&header(RANGES_MAX), 10_000);
        assert!(matches!(most, Wanted::Several(ranges) if ranges.len() == RANGES_MAX));
        for n in [RANGES_MAX + 1, 4_000] {
            assert_eq!(parse(&header(n), 10_000), Wanted::TooMany, "{n}");
        }
    }

    #[test]
    fn the_announced_length_is_that_of_the_body() {
        let frame = Frame::new("3f-\"x\"", "text/plain", 100);
        assert_eq!(frame.content_type(), "multipart/byteranges; boundary=3f-x");
        let ranges = [0..2, 50..100];
        let body: String = ranges
            .iter()
            .enumerate()
            .map(|(nth, range)| frame.head(nth, range) + &"x".repeat(range.clone().count()))
            .collect();
        let whole = body + &frame.end();
        assert_eq!(frame.length(&ranges), whole.len() as u64);
    }
}
