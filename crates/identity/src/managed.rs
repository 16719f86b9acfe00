//! The AWS managed policies, under `arn:aws:iam::aws:policy/`: all of them, with the document that
//! was in force when the table was generated (`cargo xtask codegen`, from moto's package).
//!
//! The table is static data in the order of the names; nothing is read at start. Documents are in
//! compressed blocks of about 64 KiB, and one is decompressed when it is needed: half a megabyte in
//! the binary, nothing on the heap.

#[cfg(test)]
mod findings;
mod table;

use std::sync::LazyLock;

use jiff::Timestamp;
use store::iam::entity::{Kind, fold};

use crate::Error;

/// The common prefix of the ARNs of AWS managed policies.
pub(crate) const ARN_PREFIX: &str = "arn:aws:iam::aws:policy";

/// The path of the policies of service-linked roles.
const SERVICE_LINKED_PATH: &str = "/aws-service-role/";

/// The blocks, one behind the other; `table::BLOCKS` has their ends.
static DOCUMENTS: &[u8] = include_bytes!("managed/documents.bin");

/// An AWS managed policy.
#[derive(Debug)]
pub(crate) struct AwsPolicy {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    /// The version in force, the only one that is known here.
    pub(crate) version: i64,
    /// Seconds since the epoch.
    created: i64,
    /// Seconds since the epoch; also when the version in force was created.
    updated: i64,
    /// Where the document is: block, offset and length in the decompressed block.
    place: (usize, usize, usize),
}

/// All of them, in the order of their names without case.
pub(crate) fn all() -> &'static [AwsPolicy] {
    table::POLICIES
}

/// The policy of this ARN.
pub(crate) fn find(arn: &str) -> Option<&'static AwsPolicy> {
    let resource = arn.strip_prefix(ARN_PREFIX)?;
    let (_, name) = resource.rsplit_once('/')?;
    let folded = fold(Kind::Policy, name);
    let at = all()
        .binary_search_by(|policy| fold(Kind::Policy, policy.name).cmp(&folded))
        .ok()?;
    // Of an ARN, path and case are significant.
    all().get(at).filter(|policy| policy.resource() == resource)
}

/// The policies from the oldest on, those of one second in the order of their names.
///
/// `ListPolicies` has AWS's policies in this order (recorded in LocalStack's `test_list_policies_scope_aws`:
/// `AdministratorAccess`, `PowerUserAccess`, `ReadOnlyAccess`, …).
pub(crate) fn by_age() -> &'static [&'static AwsPolicy] {
    static BY_AGE: LazyLock<Vec<&'static AwsPolicy>> = LazyLock::new(|| {
        let mut policies: Vec<_> = all().iter().collect();
        policies.sort_by_key(|policy| policy.created);
        policies
    });
    &BY_AGE
}

impl AwsPolicy {
    pub(crate) fn arn(&self) -> String {
        format!("{ARN_PREFIX}{}", self.resource())
    }

    fn resource(&self) -> String {
        format!("{}{}", self.path, self.name)
    }

    /// A text that sorts as [`by_age`] does.
    pub(crate) fn age_key(&self) -> String {
        format!("{:012} {}", self.created, fold(Kind::Policy, self.name))
    }

    pub(crate) fn created_at(&self) -> Timestamp {
        Timestamp::from_second(self.created).unwrap_or_default()
    }

    pub(crate) fn updated_at(&self) -> Timestamp {
        Timestamp::from_second(self.updated).unwrap_or_default()
    }

    /// Whether only the service that owns it can attach it, to its service-linked role.
    pub(crate) fn is_service_linked(&self) -> bool {
        self.path == SERVICE_LINKED_PATH
    }

    /// The document. Its block is decompressed for each call: about a millisecond.
    ///
    /// # Errors
    /// [`Error::Internal`] if the table does not fit the blocks, which a test excludes.
    pub(crate) fn text(&self) -> Result<String, Error> {
        let (block, start, length) = self.place;
        let place = |at: usize| table::BLOCKS.get(at).copied();
        let begin = match block.checked_sub(1) {
            Some(before) => place(before).map(|(end, _)| end),
            None => Some(0),
        };
        let text = begin.zip(place(block)).and_then(|(begin, (end, size))| {
            let packed = DOCUMENTS.get(begin..end)?;
            let bytes =
                miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, size).ok()?;
            let document = bytes.get(start..start + length)?;
            String::from_utf8(document.to_vec()).ok()
        });
        text.ok_or_else(|| Error::internal(format!("no document of {}", self.name)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use policy::{Document, DocumentKind};

    use super::*;

    #[test]
    fn every_policy_has_a_valid_document() {
        for policy in all() {
            let text = policy.text().unwrap();
            let parsed = Document::parse_language(&text, DocumentKind::Managed);
            assert!(parsed.is_ok(), "{}: {:?}", policy.name, parsed.err());
        }
    }

    #[test]
    fn every_policy_is_found_by_its_arn_alone() {
        assert!(all().len() > 1500, "{}", all().len());
        for policy in all() {
            let arn = policy.arn();
            assert_eq!(find(&arn).map(AwsPolicy::arn), Some(arn.clone()));
            assert!(find(&arn.to_ascii_lowercase()).is_none() || arn == arn.to_ascii_lowercase());
            assert!(find(&format!("{ARN_PREFIX}/other{}", policy.resource())).is_none());
        }
        assert!(find("arn:aws:iam::aws:policy/NoSuchPolicy").is_none());
        assert!(find("arn:aws:iam::111122223333:policy/AdministratorAccess").is_none());
    }

    #[test]
    fn ids_are_unique_and_dates_in_order() {
        let ids: BTreeSet<&str> = all().iter().map(|policy| policy.id).collect();
        assert_eq!(ids.len(), all().len());
        for policy in all() {
            assert!(
                policy.id.starts_with("ANPA") && policy.id.len() == 21,
                "{}",
                policy.name
            );
            assert!(policy.version >= 1, "{}", policy.name);
            assert!(
                policy.created_at() > Timestamp::UNIX_EPOCH,
                "{}",
                policy.name
            );
            assert!(
                policy.updated_at() >= policy.created_at(),
                "{}",
                policy.name
            );
        }
    }

    #[test]
    fn names_are_in_order() {
        assert!(all().is_sorted_by_key(|policy| fold(Kind::Policy, policy.name)));
    }

    #[test]
    fn the_oldest_come_first_and_keys_sort_as_they_do() {
        assert_eq!(by_age().len(), all().len());
        assert!(by_age().is_sorted_by_key(|policy| policy.age_key()));
        let first: Vec<&str> = by_age().iter().take(4).map(|policy| policy.name).collect();
        assert_eq!(
            first,
            [
                "AdministratorAccess",
                "PowerUserAccess",
                "ReadOnlyAccess",
                "AWSCloudFormationReadOnlyAccess"
            ]
        );
    }

    #[test]
    fn known_policies_say_what_aws_says() {
        let admin = find("arn:aws:iam::aws:policy/AdministratorAccess").unwrap();
        assert_eq!((admin.id, admin.version), ("ANPAIWMBCKSKIEE64ZLYK", 1));
        assert_eq!(admin.created_at().to_string(), "2015-02-06T18:39:46Z");
        assert!(admin.text().unwrap().contains(r#""Action":"*""#));
        let billing = find("arn:aws:iam::aws:policy/job-function/Billing").unwrap();
        assert!(!billing.is_service_linked());
        let linked = "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy";
        assert!(find(linked).unwrap().is_service_linked());
    }
}
