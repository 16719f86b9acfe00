//! The keys of conditions: checks that they exist, that the actions have them, and that they are
//! safe to rely on.

use std::sync::Arc;

use policy::language::{Operator, Test};
use policy::{ConditionEntry, Position, Statement};

use crate::actions::{Actions, Entry};
use crate::catalogue::KeyFacts;
use crate::codes::Code;
use crate::facts::Kind;
use crate::linter::{Linter, allows, is_fully_known};
use crate::messages::{did_you_mean, some_of};
use crate::{unlisted, who};

/// Keys that were renamed, in lower case, with their replacements.
const DEPRECATED: [(&str, &str); 2] = [
    ("aws:arn", "aws:PrincipalArn"),
    ("aws:sourceowner", "aws:SourceAccount"),
];

/// The keys of tags, which end in the tag's name.
const TAG_KEYS: [&str; 5] = [
    "requesttag",
    "resourcetag",
    "principaltag",
    "existingobjecttag",
    "requestobjecttag",
];

/// What is known of the key; reports a key that does not exist.
pub(crate) fn check<'a>(
    linter: &mut Linter<'a>,
    entry: &ConditionEntry,
    actions: &Actions<'a>,
) -> Option<KeyFacts> {
    let key = &*entry.key.value;
    let at = entry.key.position;
    let Some((prefix, name)) = key.split_once(':') else {
        linter.find(
            Code::InvalidConditionKeyFormat,
            at,
            format!("`{key}` is not a condition key: it has no prefix"),
            "write `service:Name`, such as `aws:SourceIp`",
        );
        return None;
    };
    let folded = key.to_ascii_lowercase();
    if let Some((_, replacement)) = DEPRECATED.iter().find(|(old, _)| *old == folded) {
        linter.find(
            Code::DeprecatedGlobalConditionKey,
            at,
            format!("`{key}` is deprecated"),
            format!("write `{replacement}`"),
        );
        return None;
    }
    let name = name.to_ascii_lowercase();
    if TAG_KEYS.contains(&name.strip_suffix('/').unwrap_or(&name)) {
        linter.find(
            Code::MissingTagKeyInCondition,
            at,
            format!("`{key}` does not name a tag"),
            format!("write `{}/TagKey`", key.trim_end_matches('/')),
        );
        return None;
    }
    if linter.facts.services.is_empty() || unlisted::is_key(key) || unlisted::is_service(prefix) {
        return None;
    }
    let facts = linter.facts.key(key);
    if facts.is_none() && !prefix.contains('.') && prefix != "saml" {
        // A few services have keys with another prefix (`catalog:ChangeType`).
        match known_to_any(linter, &entry.key.value, actions) {
            Some(true) => {}
            Some(false) => {
                unknown(linter, entry, prefix);
                return None;
            }
            None => return None,
        }
    }
    known_to_actions(linter, entry, actions);
    facts
}

/// Whether any action of the statement knows the key; `None` when the budget is spent.
fn known_to_any<'a>(
    linter: &mut Linter<'a>,
    key: &Arc<str>,
    actions: &Actions<'a>,
) -> Option<bool> {
    // Listing the actions is work as well, once for each key.
    if !linter.work.keys.take(actions.entries.len() as u64) {
        return None;
    }
    for entry in actions.known().unwrap_or_default() {
        if linter.facts.pattern_knows(&entry.pattern, key)? {
            return Some(true);
        }
    }
    Some(false)
}

fn unknown(linter: &mut Linter<'_>, entry: &ConditionEntry, prefix: &str) {
    let key = &entry.key.value;
    let similar = linter.facts.similar(Kind::Key, "", key);
    let (code, message) = if prefix.eq_ignore_ascii_case("aws") {
        (
            Code::InvalidGlobalConditionKey,
            format!("there is no global condition key `{key}`"),
        )
    } else if linter.facts.prefix(prefix).is_some() {
        (
            Code::InvalidServiceConditionKey,
            format!("`{prefix}` has no condition key `{key}`"),
        )
    } else {
        (
            Code::InvalidServiceConditionKey,
            format!("there is no service `{prefix}` and no condition key `{key}`"),
        )
    };
    let help = did_you_mean(
        similar,
        "look the key up in the Service Authorization Reference",
    );
    linter.find(code, entry.key.position, message, help);
}

fn known_to_actions<'a>(linter: &mut Linter<'a>, entry: &ConditionEntry, actions: &Actions<'a>) {
    if !linter.work.keys.take(actions.entries.len() as u64) {
        return;
    }
    let Some(known) = actions.known() else {
        return;
    };
    let key = &*entry.key.value;
    let mut without: Vec<&str> = Vec::new();
    for action in &known {
        if shares_request(action) {
            continue;
        }
        match linter
            .facts
            .pattern_knows(&action.pattern, &entry.key.value)
        {
            Some(true) => {}
            Some(false) => without.push(action.text),
            None => return,
        }
    }
    if without.is_empty() {
        return;
    }
    let none = without.len() == known.len();
    let mut services = known.iter().flat_map(|entry| entry.pattern.actions());
    let certain = services.all(|action| is_fully_known(action.service));
    let names = some_of(without);
    let message = match (certain, none) {
        (true, true) => format!("requests of {names} never have `{key}`"),
        (true, false) => {
            format!("requests of {names} never have `{key}`, unlike the statement's other actions")
        }
        (false, true) => format!("AWS does not document `{key}` for {names}"),
        (false, false) => format!(
            "AWS does not document `{key}` for {names}, only for the statement's other actions"
        ),
    };
    linter.find(
        match certain {
            true => Code::UnsupportedActionForConditionKey,
            false => Code::ConditionKeyNotDocumentedForAction,
        },
        entry.key.position,
        message,
        match none {
            true => "use a key that the service documents for these actions",
            false => "move these actions to a statement without this condition",
        },
    );
}

/// Whether the entry's actions are authorized with the keys of another action's request: passing
/// tags or a source identity is part of assuming a role (STS API Reference, AssumeRole).
fn shares_request(entry: &Entry<'_>) -> bool {
    const PARTS: [&str; 3] = ["SetContext", "SetSourceIdentity", "TagSession"];
    let actions = entry.pattern.actions();
    let is_part = |name: &str| PARTS.contains(&name);
    !actions.is_empty()
        && actions
            .iter()
            .all(|action| action.service == "sts" && is_part(action.name))
}

/// Whether a condition of the statement has one of these keys, in lower case.
fn has_key(statement: &Statement, wanted: &[&str]) -> bool {
    let mut conditions = statement.conditions.iter();
    conditions.any(|entry| wanted.contains(&&*entry.key.value.to_ascii_lowercase()))
}

/// Keys whose value the caller chooses (UG reference_policies_condition-keys: both must not be used
/// to prevent unauthorized requests).
const UNTRUSTWORTHY: [&str; 2] = ["aws:referer", "aws:useragent"];

/// Keys that are only safe together with another one, with those (UG reference_policies_condition-keys,
/// aws:VpcSourceIp: two VPCs may have the same private addresses).
const PAIRED: [(&str, &[&str]); 1] = [(
    "aws:vpcsourceip",
    &["aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn"],
)];

/// Keys about the resource. A policy that is attached to a resource always sees the same value.
const OF_THE_RESOURCE: [&str; 4] = [
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "s3:resourceaccount",
];

/// Checks that the keys of a statement limit what they seem to limit.
pub(crate) fn safety(linter: &mut Linter<'_>, statement: &Statement) {
    for entry in &statement.conditions {
        let Some(operator) = Operator::parse(&entry.operator.value) else {
            continue;
        };
        let (key, at) = (&*entry.key.value, entry.key.position);
        let folded = key.to_ascii_lowercase();
        if UNTRUSTWORTHY.contains(&&*folded) {
            linter.find(
                Code::UntrustworthyConditionKey,
                at,
                format!("the caller chooses the value of `{key}`"),
                "use a key that the caller cannot choose, such as `aws:SourceArn`, `aws:SourceAccount` or `aws:PrincipalArn`",
            );
        }
        if let Some((_, partners)) = PAIRED.iter().find(|(known, _)| *known == folded)
            && !has_key(statement, partners)
        {
            linter.find(
                Code::MissingPairedConditionKeys,
                at,
                format!("without the VPC, `{key}` also matches the same addresses of other VPCs"),
                "add a condition on `aws:SourceVpc`, `aws:SourceVpce` or `aws:SourceVpcArn`",
            );
        }
        if linter.is_resource_policy() && OF_THE_RESOURCE.contains(&&*folded) {
            linter.find(
                Code::IrrelevantConditionKeyInPolicy,
                at,
                format!(
                    "`{key}` has always the same value in a policy that is attached to a resource"
                ),
                "use the key in an identity-based policy",
            );
        }
        match &*folded {
            _ if operator.test == Test::Null => {}
            "dynamodb:attributes" => dynamodb_attributes(linter, statement, at),
            "s3:prefix" => s3_prefix(linter, statement, operator, at),
            _ => {}
        }
    }
}

/// DynamoDB Developer Guide, specifying-conditions: `dynamodb:Attributes` has the attributes that a
/// request names, and a read that names none returns all.
fn dynamodb_attributes(linter: &mut Linter<'_>, statement: &Statement, at: Position) {
    if allows(statement) && !has_key(statement, &["dynamodb:select"]) {
        linter.find(
            Code::DynamodbAttributesWithoutSelect,
            at,
            "a read that names no attributes returns all of them",
            "add \"StringEquals\": {\"dynamodb:Select\": \"SPECIFIC_ATTRIBUTES\"}",
        );
    }
}

/// A request may list with a shorter prefix than the one that the condition excludes.
fn s3_prefix(linter: &mut Linter<'_>, statement: &Statement, operator: Operator, at: Position) {
    let string = matches!(
        operator.test,
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike
    );
    // An Allow must list prefixes, and a Deny all others.
    if string && allows(statement) == operator.negated {
        linter.find(
            Code::S3PrefixInNegativeContext,
            at,
            "a request with a shorter prefix bypasses the condition and still lists the objects",
            "allow with `StringLike`, or deny with `StringNotLike`",
        );
    }
}

/// The keys about the VPC endpoint's owner, and the services that support them
/// (UG reference_policies_condition-keys, aws:VpceOrgPaths, as of 2026-11).
const VPCE_OWNER: [&str; 3] = ["aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths"];
const VPCE_OWNER_SERVICES: [&str; 39] = [
    "acm-pca",
    "applicationinsights",
    "apprunner",
    "athena",
    "cloudformation",
    "comprehendmedical",
    "compute-optimizer",
    "datasync",
    "discovery",
    "dynamodb",
    "ebs",
    "ecr",
    "ecs",
    "firehose",
    "gamelift",
    "healthlake",
    "iam",
    "iotfleetwise",
    "iotwireless",
    "kinesisanalytics",
    "kms",
    "lambda",
    "medical-imaging",
    "omics",
    "payment-cryptography",
    "polly",
    "rbin",
    "rekognition",
    "route53",
    "s3",
    "scheduler",
    "servicediscovery",
    "servicequotas",
    "shield",
    "ssm-contacts",
    "storagegateway",
    "textract",
    "transcribe",
    "transfer",
];

/// Checks that keys which few services support are used with those alone.
pub(crate) fn supported_services<'a>(
    linter: &mut Linter<'a>,
    statement: &Statement,
    actions: &Actions<'a>,
) {
    let mut conditions = statement.conditions.iter();
    let key =
        |entry: &&ConditionEntry| VPCE_OWNER.contains(&&*entry.key.value.to_ascii_lowercase());
    let Some(entry) = conditions.find(key) else {
        return;
    };
    let of_supported = |action: &str| {
        let (service, name) = action.split_once(':').unwrap_or((action, ""));
        let service = service.to_ascii_lowercase();
        VPCE_OWNER_SERVICES.contains(&&*service)
            && !(service == "iam" && name.eq_ignore_ascii_case("PassRole"))
    };
    let mut listed = actions.entries.iter();
    if !actions.not && listed.all(|entry| of_supported(entry.text)) {
        return;
    }
    linter.find(
        Code::UseConditionKeyOnlyWithSupportedServices,
        entry.key.position,
        format!(
            "only some services support `{}`, and the statement has actions of others",
            entry.key.value
        ),
        "limit the statement to actions of services that support the key",
    );
}

/// Conditions that the requests of AWS services never satisfy: their principal does not belong to an account
/// (UG reference_policies_condition-keys, "Properties of the principal").
const OF_ACCOUNTS: [&str; 6] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principaltype",
    "aws:username",
];

/// The first condition that a request of an AWS service never satisfies.
pub(crate) fn never_of_a_service(statement: &Statement) -> Option<&ConditionEntry> {
    statement.conditions.iter().find(|entry| {
        let key = entry.key.value.to_ascii_lowercase();
        let of_account = OF_ACCOUNTS.contains(&&*key) || key.starts_with("aws:principaltag/");
        of_account && who::needs(entry).is_some()
    })
}
