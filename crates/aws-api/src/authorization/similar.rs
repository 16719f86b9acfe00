//! "Did you mean": the name most similar to one that does not exist.

/// Longer names are not typing errors, and comparing them costs time.
const NAME_BYTES_MAX: usize = 128;

/// The most similar of the candidates: the fewest edits, at most one in three
/// characters; else the shortest that the name abbreviates (`GetAuthToken` for
/// `GetAuthorizationToken`). Ties go to the earlier candidate.
pub(super) fn best(name: &str, among: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return None;
    }
    let name = name.to_ascii_lowercase().into_bytes();
    let edits_max = (name.len() / 3).max(1);
    let mut nearest: Option<(usize, &str)> = None;
    let mut shortest: Option<&str> = None;
    for candidate in among {
        let other = candidate.to_ascii_lowercase().into_bytes();
        let limit = nearest.map_or(edits_max + 1, |(edits, _)| edits);
        // The lengths' difference is the least number of edits.
        if other.len().abs_diff(name.len()) < limit {
            let edits = distance(&name, &other);
            if edits < limit {
                nearest = Some((edits, candidate));
            }
        }
        if shortest.is_none_or(|s| other.len() < s.len()) && abbreviates(&name, &other) {
            shortest = Some(candidate);
        }
    }
    nearest.map(|(_, candidate)| candidate).or(shortest)
}

/// The number of insertions, deletions, replacements and swaps of neighbours
/// between two names (optimal string alignment distance).
fn distance(from: &[u8], to: &[u8]) -> usize {
    let mut before = vec![0; to.len() + 1];
    let mut above: Vec<usize> = (0..=to.len()).collect();
    let mut row = vec![0; to.len() + 1];
    for (i, &a) in from.iter().enumerate() {
        row[0] = i + 1;
        for (j, &b) in to.iter().enumerate() {
            let replaced = above[j] + usize::from(a != b);
            row[j + 1] = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a == to[j - 1] && from[i - 1] == b {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        std::mem::swap(&mut before, &mut above);
        std::mem::swap(&mut above, &mut row);
    }
    above[to.len()]
}

/// Whether `short` is `full` with letters left out: at least half of them, and the
/// first four, which include the verb, must be kept.
fn abbreviates(short: &[u8], full: &[u8]) -> bool {
    if short.len() * 2 < full.len() || short.get(..4) != full.get(..4) || short.len() < 4 {
        return false;
    }
    let mut full = full.iter();
    short.iter().all(|c| full.any(|f| f == c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = [
        "BatchGetImage",
        "GetAuthorizationToken",
        "ListImages",
        "PutImage",
        "PutImageTagMutability",
    ];

    #[test]
    fn edits_are_counted() {
        for (from, to, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("image", "image", 0),
            ("imgae", "image", 1),
            ("iamge", "image", 1),
            ("kitten", "sitting", 3),
            ("put", "get", 2),
        ] {
            assert_eq!(distance(from.as_bytes(), to.as_bytes()), edits, "{from}");
            assert_eq!(distance(to.as_bytes(), from.as_bytes()), edits, "{to}");
        }
    }

    #[test]
    fn the_nearest_is_meant_if_it_is_near() {
        for (name, meant) in [
            ("PutImages", Some("PutImage")),
            ("putimgae", Some("PutImage")),
            ("ListImage", Some("ListImages")),
            ("BatchGetImages", Some("BatchGetImage")),
            ("GetAuthToken", Some("GetAuthorizationToken")),
            ("FlyToMoon", None),
            ("", None),
        ] {
            assert_eq!(best(name, NAMES.into_iter()), meant, "{name}");
        }
        assert_eq!(best(&"PutImage".repeat(20), NAMES.into_iter()), None);
    }
}
