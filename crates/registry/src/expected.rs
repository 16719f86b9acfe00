//! What a writer requires of the manifest that is there now.
//!
//! Two clients that both read a tag, add something and write it back would lose one of the
//! two changes: so it happens to the index of an image's signatures under the referrers tag
//! (distribution-spec, "Referrers Tag Schema"). A writer that says which manifest it read
//! is refused when another one is there. The check is made in the transaction that writes.

use blobs::Digest;

/// The manifests that a condition names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Any manifest.
    Any,
    /// One of these digests.
    OneOf(Vec<Digest>),
}

impl Condition {
    fn matches(&self, current: &str) -> bool {
        match self {
            Condition::Any => true,
            Condition::OneOf(digests) => digests.iter().any(|d| d.to_string() == current),
        }
    }
}

/// Requirements on the current manifest of a tag or digest (RFC 9110, sections 13.1.1 and
/// 13.1.2). The default requires nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// There must be a manifest, and one that this names (`If-Match`).
    pub matches: Option<Condition>,
    /// There must be no manifest that this names (`If-None-Match`).
    pub none_matches: Option<Condition>,
}

impl Expected {
    /// Whether the requirements hold for the digest `current`; `None`: there is no manifest.
    #[must_use]
    pub fn holds(&self, current: Option<&str>) -> bool {
        let named = |condition: &Condition| current.is_some_and(|digest| condition.matches(digest));
        self.matches.as_ref().is_none_or(named) && !self.none_matches.as_ref().is_some_and(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_as_rfc_9110_says() {
        let (a, b) = (Digest::sha256_of(b"a"), Digest::sha256_of(b"b"));
        let (any, of_a) = (Condition::Any, Condition::OneOf(vec![a]));
        let of_none = Condition::OneOf(Vec::new());
        let (a, b) = (a.to_string(), b.to_string());
        let (there, other, absent) = (Some(a.as_str()), Some(b.as_str()), None);
        // The condition; whether If-Match holds for the three states; and If-None-Match.
        let table = [
            (any, [true, true, false], [false, false, true]),
            (of_a, [true, false, false], [false, true, true]),
            (of_none, [false, false, false], [true, true, true]),
        ];
        for (condition, matches, none_matches) in table {
            for (at, current) in [there, other, absent].into_iter().enumerate() {
                let if_match = Expected {
                    matches: Some(condition.clone()),
                    none_matches: None,
                };
                assert_eq!(if_match.holds(current), matches[at], "{condition:?} {at}");
                let if_none_match = Expected {
                    matches: None,
                    none_matches: Some(condition.clone()),
                };
                let wanted = none_matches[at];
                assert_eq!(if_none_match.holds(current), wanted, "{condition:?} {at}");
                assert!(Expected::default().holds(current));
            }
        }
    }
}
