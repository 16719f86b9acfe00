//! The names of regions.
//!
//! A name that looks like one of AWS's is compared with AWS's list. Any other name may be the
//! region of a Berth server, which its operator chooses.

/// AWS's regions, announced ones included (General Reference, *AWS service endpoints*; partitions
/// of botocore 1.44.8).
const REGIONS: [&str; 49] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "me-west-1",
    "mx-central-1",
    "sa-east-1",
    "sa-west-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
    // A scope of signatures, which some SDKs send for global services.
    "aws-global",
];

/// What the names of AWS's regions start with.
const AREAS: [&str; 11] = [
    "af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us",
];

/// Whether requests can have this region: one of AWS's, or the name of an own server's region.
pub(crate) fn is_possible(name: &str) -> bool {
    REGIONS.contains(&name) || is_name(name) && !looks_like_aws(name)
}

/// The rules of ECR's model, which Berth's regions follow; a number alone is an account.
fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (2..=25).contains(&name.len())
        && name.bytes().all(plain)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && name.bytes().any(|b| b.is_ascii_lowercase())
}

fn looks_like_aws(name: &str) -> bool {
    let area = name.split('-').next().unwrap_or_default();
    name.contains('-') && AREAS.contains(&area) || similar(name).is_some()
}

/// The region of AWS that differs from the name in its hyphens, or in one character.
pub(crate) fn similar(name: &str) -> Option<&'static str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
    let wanted = plain(name);
    let mut regions = REGIONS.iter().copied();
    let same = regions.clone().find(|region| plain(region) == wanted);
    same.or_else(|| regions.find(|region| is_near(region, name)))
}

/// Whether two names differ in one character that is missing, added, wrong, or swapped with the
/// next one.
fn is_near(one: &str, other: &str) -> bool {
    let (a, b) = (one.as_bytes(), other.as_bytes());
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    let from = |text: &'_ [u8], at: usize| text.get(at..).map(<[u8]>::to_vec);
    let swapped = a.len() >= 2 && b.len() >= 2 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..];
    swapped
        || from(a, 1) == from(b, 1)
        || from(a, 1).as_deref() == Some(b)
        || Some(a) == from(b, 1).as_deref()
}

/// The help of a finding about a region.
pub(crate) fn help(name: &str) -> String {
    match similar(name) {
        Some(region) => format!("did you mean `{region}`?"),
        None => "write a region such as `us-east-1`".to_owned(),
    }
}

/// Whether a text has the form of most regions: words, then a number.
pub(crate) fn has_form(text: &str) -> bool {
    let mut words = text.rsplit('-');
    let number = words.next().unwrap_or_default();
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = words.collect();
    let word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    numbered && words.len() >= 2 && words.iter().all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_names_that_look_like_aws_regions() {
        for known in [
            "us-east-1",
            "eusc-de-east-1",
            "us-gov-west-1",
            "ap-southeast-6",
        ] {
            assert!(is_possible(known), "{known}");
        }
        for (wrong, meant) in [
            ("us-east-9", Some("us-east-1")),
            ("us-esat-1", Some("us-east-1")),
            ("eu-cental-1", Some("eu-central-1")),
            ("useast1", Some("us-east-1")),
            ("uss-east-1", Some("us-east-1")),
            ("US-EAST-1", Some("us-east-1")),
            ("us-east-1a", Some("us-east-1")),
            ("eu-east-7", None),
            ("111122223333", None),
            ("-", None),
            ("a b", None),
        ] {
            assert!(!is_possible(wrong), "{wrong}");
            assert_eq!(similar(wrong), meant, "{wrong}");
        }
    }

    #[test]
    fn accepts_the_regions_of_own_servers() {
        for own in ["local", "home-1", "berlin-rack-2", "dc1"] {
            assert!(is_possible(own), "{own}");
        }
    }
}
