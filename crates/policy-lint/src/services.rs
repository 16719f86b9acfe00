//! Service principals, in `Principal` and in the values of conditions.
//!
//! UG reference_policies_elements_principal, "AWS service principals": the name is the service's,
//! with a region before the suffix for opt-in regions, as in the service's own guide. There is no
//! complete list, so each part of the name is checked.

use policy::language::{Operator, Test};
use policy::{ConditionEntry, Text};

use crate::codes::Code;
use crate::facts::Kind;
use crate::linter::Linter;
use crate::regions;
use crate::values::nothing;

/// The suffixes of names, by partition (General Reference, *AWS service endpoints*).
const SUFFIXES: [&str; 7] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".csp.hci.ic.gov",
    ".cloud.adc-e.uk",
];

/// Names outside those domains (Alexa Skills Kit, *Host a Custom Skill as an AWS Lambda
/// Function*; *Host a Smart Home Skill*).
const ELSEWHERE: [&str; 2] = ["alexa-appkit.amazon.com", "alexa-connectedhome.amazon.com"];

/// Parts of names that are not the prefix of an action, from the services' guides (mostly their pages
/// on service-linked roles) and AWS's managed policies. One known part is enough: `delivery.logs` is
/// known because of `logs`.
const KNOWN: &[&str] = &[
    "airflow-env",
    "amazonmq",
    "application-insights",
    "aws-artifact-account-sync",
    "aws-mcp",
    "bcm",
    "billingconsole",
    "billingreports",
    "cassandra-streams",
    "cloudwatch-crossaccount",
    "codecatalyst-runner",
    "cognito-identity-us-gov",
    "config-conforms",
    "config-multiaccountsetup",
    "costalerts",
    "ec2-images",
    "ec2fastlaunch",
    "ec2fleet",
    "ec2scheduled",
    "ec2sqlha",
    "ecs-compute",
    "ecs-tasks",
    "edgelambda",
    "eks-connector",
    "eks-fargate",
    "eks-fargate-pods",
    "eks-nodegroup",
    "elb",
    "email",
    "lexv2",
    "macie",
    "marketplace",
    "marketplace-mcp",
    "metering-marketplace",
    "migrationhub",
    "monitoring",
    "mturk-requester",
    "opensearchservice",
    "osis-pipelines",
    "partnercentral-selling",
    "rds-preview",
    "sdmp",
    "securityhubv2",
    "servicecatalog-appregistry",
    "spot",
    "spotfleet",
    "transitgateway",
    "user-attribute-cost-allocation-data",
    "vmie",
    "vpc-flow-logs",
];

pub(super) fn check(linter: &mut Linter<'_>, text: &Text) {
    let name = &*text.value;
    // IAM refuses wildcards here, and variables have a finding of their own.
    if linter.facts.services.is_empty() || name.contains(['*', '?', '$']) {
        return;
    }
    let folded = name.to_ascii_lowercase();
    if ELSEWHERE.contains(&&*folded) {
        return;
    }
    if !has_form(name, Test::StringEquals, false) {
        let service = folded.split('.').next().unwrap_or_default();
        let similar = match is_known(linter, service) {
            true => Some(service.to_owned()),
            false => meant(linter, service),
        };
        linter.find(
            Code::InvalidServicePrincipalFormat,
            text.position,
            format!("`{name}` is not a service principal"),
            match similar {
                Some(service) => format!("did you mean `{service}.amazonaws.com`?"),
                None => {
                    "write the service in lower case, such as `ecs-tasks.amazonaws.com`".to_owned()
                }
            },
        );
        return;
    }
    let suffix = SUFFIXES.iter().find(|suffix| folded.ends_with(*suffix));
    let service = suffix.map_or(&*folded, |suffix| &folded[..folded.len() - suffix.len()]);
    if suffix.is_some() && service.split('.').any(|part| is_known(linter, part)) {
        return;
    }
    let mut parts = service.split('.').filter(|part| !regions::has_form(part));
    // Without a known suffix the name starts with the service, if anything.
    let similar = match suffix {
        Some(_) => meant(linter, parts.next_back().unwrap_or_default()),
        None => meant(linter, parts.next().unwrap_or_default()),
    };
    linter.find(
        Code::InvalidServicePrincipal,
        text.position,
        format!("no AWS service has the service principal `{name}`"),
        match similar {
            Some(service) => format!("did you mean `{service}.amazonaws.com`?"),
            None => {
                "look the service principal up in the service's guide; most are `service.amazonaws.com`"
                    .to_owned()
            }
        },
    );
}

/// Condition keys whose values are service principals, in lower case (UG
/// reference_policies_condition-keys; UG reference_policies_iam-condition-keys; KMS Developer Guide,
/// conditions-kms).
const KEYS: [&str; 8] = [
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "iam:awsservicename",
    "iam:passedtoservice",
    "kms:viaservice",
];

/// Checks the form of service principals in a condition's values.
pub(crate) fn check_values(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) {
    let key = entry.key.value.to_ascii_lowercase();
    let string = matches!(
        operator.test,
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike
    );
    if !string || !KEYS.contains(&&*key) {
        return;
    }
    let in_region = key == "kms:viaservice";
    for text in &entry.values {
        let value = &*text.value;
        if value.contains(['*', '?', '$']) || has_form(value, operator.test, in_region) {
            continue;
        }
        linter.find(
            Code::InvalidServicePrincipalFormat,
            text.position,
            format!("`{value}` is not a service principal, so {}", nothing(entry, operator)),
            match in_region {
                true => "write the service and its region in lower case, such as `ecr.us-east-1.amazonaws.com`",
                false => "write the service in lower case, such as `ecs-tasks.amazonaws.com`",
            },
        );
    }
}

fn has_form(value: &str, test: Test, in_region: bool) -> bool {
    let folded = value.to_ascii_lowercase();
    let suffixes = SUFFIXES.iter().chain(&[".amazon.com"]);
    let mut services = suffixes.filter_map(|suffix| folded.strip_suffix(suffix));
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    services.any(|service| {
        let mut parts = service.split('.');
        parts.clone().all(plain)
            && (!in_region
                || parts.next_back().is_some_and(regions::is_possible) && service.contains('.'))
    }) && (folded == value || test == Test::StringEqualsIgnoreCase)
}

fn is_known(linter: &Linter<'_>, part: &str) -> bool {
    linter.facts.prefix(part).is_some() || KNOWN.contains(&part)
}

/// The service that a part of a name probably means.
fn meant(linter: &mut Linter<'_>, part: &str) -> Option<String> {
    if part.is_empty() || part == "amazonaws" {
        return None;
    }
    if is_known(linter, part) {
        return Some(part.to_owned());
    }
    let near = KNOWN
        .iter()
        .find(|known| lacks_one(known, part) || lacks_one(part, known));
    match near {
        Some(known) => Some((*known).to_owned()),
        None => linter.facts.similar(Kind::Service, "", part),
    }
}

/// Whether the second is the first without one letter.
fn lacks_one(whole: &str, part: &str) -> bool {
    let same = whole.bytes().zip(part.bytes()).take_while(|(a, b)| a == b);
    let same = same.count();
    whole.len() == part.len() + 1 && whole.as_bytes()[same + 1..] == part.as_bytes()[same..]
}
