//! Values that are an ID, a region or a key's ARN. A value of another form matches nothing and is
//! usually a typing error.

use policy::language::is_account_id;
use policy::language::{Operator, Test};
use policy::{ConditionEntry, Text};

use crate::codes::Code;
use crate::globs::{arn_fields, has_wildcard};
use crate::linter::Linter;
use crate::regions;
use crate::values::nothing;

/// What a key's values are.
#[derive(Clone, Copy)]
enum Kind {
    Vpc,
    VpcEndpoint,
    Organization,
    Account,
    Region,
    KmsKey,
}

/// The keys, in lower case (UG reference_policies_condition-keys; KMS Developer Guide,
/// conditions-kms; Service Authorization Reference, Amazon S3 and Amazon EC2).
const KEYS: [(&str, Kind); 17] = [
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
    (
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        Kind::KmsKey,
    ),
];

pub(super) fn check(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    let string = matches!(
        operator.test,
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike | Test::Arn
    );
    let key = entry.key.value.to_ascii_lowercase();
    let Some((_, kind)) = KEYS.iter().find(|(known, _)| string && *known == key) else {
        return;
    };
    for text in &entry.values {
        // The value of a wildcard or a variable is not known here.
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
            // Requests without credentials have the account `anonymous`.
            Kind::Account => is_account_id(text) || text == "anonymous",
            Kind::Region => regions::is_possible(text),
            Kind::KmsKey => is_kms_key(text),
        }
    }

    fn describe(self) -> (Code, &'static str, &'static str) {
        match self {
            Kind::Vpc => (
                Code::InvalidVpcFormat,
                "a VPC ID",
                "write `vpc-` and 8 or 17 characters",
            ),
            Kind::VpcEndpoint => (
                Code::InvalidVpceFormat,
                "a VPC endpoint ID",
                "write `vpce-` and 8 or 17 characters",
            ),
            Kind::Organization => (
                Code::InvalidOrganizationId,
                "an organization ID",
                "write `o-` and 10 to 32 lower-case letters and digits",
            ),
            Kind::Account => (
                Code::InvalidAccountId,
                "an account ID",
                "write the twelve digits of the account",
            ),
            Kind::Region => (
                Code::InvalidRegion,
                "a region",
                "write a region such as `us-east-1`",
            ),
            Kind::KmsKey => (
                Code::InvalidKmsKeyValue,
                "a KMS key's ARN",
                "write `arn:aws:kms:region:account:key/key-id`",
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

/// KMS Developer Guide, *Key ARN*: `arn:partition:kms:region:account:key/id`.
fn is_kms_key(text: &str) -> bool {
    let fields = arn_fields(text);
    matches!(fields[..], ["arn", _, "kms", region, account, name]
        if !region.is_empty() && is_account_id(account) && name.starts_with("key/") && name.len() > 4)
}

fn misformed(
    linter: &mut Linter<'_>,
    entry: &ConditionEntry,
    operator: Operator,
    kind: Kind,
    text: &Text,
) {
    let (code, what, help) = kind.describe();
    let help = match kind {
        Kind::Region => regions::help(&text.value),
        _ => help.to_owned(),
    };
    linter.find(
        code,
        text.position,
        format!(
            "`{}` is not {what}, so {}",
            text.value,
            nothing(entry, operator)
        ),
        help,
    );
}
