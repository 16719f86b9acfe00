//! Values that are an ID or a region, whose form is known: one of another form matches nothing,
//! and is mostly a slip of the hand.

use policy::language::is_account_id;
use policy::language::{Operator, Test};
use policy::{ConditionEntry, Text};

use crate::arns::{is_region, may_be_of_aws, unknown_region};
use crate::globs::has_wildcard;
use crate::values::nothing;
use crate::{Code, Linter};

/// What a key's values are.
#[derive(Clone, Copy)]
enum Kind {
    Vpc,
    VpcEndpoint,
    Organization,
    Account,
    Region,
}

/// The keys, in lower case (UG reference_policies_condition-keys; KMS Developer Guide,
/// conditions-kms; Service Authorization Reference, Amazon S3 and Amazon EC2).
const KEYS: [(&str, Kind); 16] = [
    ("aws:sourcevpc", Kind::Vpc),
    ("aws:ec2instancesourcevpc", Kind::Vpc),
    ("aws:sourcevpce", Kind::VpcEndpoint),
    ("aws:principalorgid", Kind::Organization),
    ("aws:resourceorgid", Kind::Organization),
    ("aws:sourceorgid", Kind::Organization),
    ("aws:vpceorgid", Kind::Organization),
    ("aws:principalaccount", Kind::Account),
    ("aws:resourceaccount", Kind::Account),
    ("aws:sourceaccount", Kind::Account),
    ("aws:vpceaccount", Kind::Account),
    ("kms:calleraccount", Kind::Account),
    ("s3:resourceaccount", Kind::Account),
    ("s3:dataaccesspointaccount", Kind::Account),
    ("aws:requestedregion", Kind::Region),
    ("ec2:region", Kind::Region),
];

pub(super) fn check(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    let string = matches!(
        operator.test,
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike
    );
    let key = entry.key.value.to_ascii_lowercase();
    let Some((_, kind)) = KEYS.iter().find(|(known, _)| string && *known == key) else {
        return;
    };
    for text in &entry.values {
        // What a wildcard or a variable stands for is not known here.
        let open = has_wildcard(&text.value) || text.value.contains("${");
        if open {
            continue;
        }
        let value = match operator.test {
            Test::StringEqualsIgnoreCase => text.value.to_ascii_lowercase(),
            _ => text.value.to_string(),
        };
        if !kind.has(&value) {
            misformed(linter, entry, operator, *kind, text);
        } else if matches!(kind, Kind::Region) && !may_be_of_aws(&value) {
            unknown_region(&text.value).at(linter, text.position);
        }
    }
}

impl Kind {
    /// Whether the text has the form of an ID of this kind.
    fn has(self, text: &str) -> bool {
        match self {
            Kind::Vpc => is_numbered(text, "vpc-"),
            Kind::VpcEndpoint => is_numbered(text, "vpce-"),
            // Organizations API Reference, Organization.
            Kind::Organization => text.strip_prefix("o-").is_some_and(|id| {
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
                (10..=32).contains(&id.len()) && id.bytes().all(plain)
            }),
            // Requests without credentials have no account, and are of `anonymous`.
            Kind::Account => is_account_id(text) || text == "anonymous",
            Kind::Region => is_region(text),
        }
    }

    fn say(self) -> (Code, &'static str, &'static str) {
        match self {
            Kind::Vpc => (
                Code::InvalidVpcFormat,
                "the ID of a VPC",
                "write `vpc-` and the 8 or 17 characters behind it",
            ),
            Kind::VpcEndpoint => (
                Code::InvalidVpceFormat,
                "the ID of a VPC endpoint",
                "write `vpce-` and the 8 or 17 characters behind it",
            ),
            Kind::Organization => (
                Code::InvalidOrganizationId,
                "the ID of an organization",
                "write `o-` and the 10 to 32 small letters and digits behind it",
            ),
            Kind::Account => (
                Code::InvalidAccountId,
                "an account ID",
                "write the twelve digits of the account",
            ),
            Kind::Region => (
                Code::InvalidRegion,
                "a region of AWS",
                "write a region such as `us-east-1`",
            ),
        }
    }
}

/// UG access-analyzer-reference-policy-checks, "Invalid vpc format" and "Invalid vpce format":
/// the prefix, and 8 or 17 characters.
fn is_numbered(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|id| {
        matches!(id.len(), 8 | 17) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

fn misformed(
    linter: &mut Linter<'_>,
    entry: &ConditionEntry,
    operator: Operator,
    kind: Kind,
    text: &Text,
) {
    let (code, what, help) = kind.say();
    linter.find(
        code,
        text.position,
        format!(
            "`{}` has not the form of {what}, so {}",
            text.value,
            nothing(entry, operator)
        ),
        help,
    );
}
