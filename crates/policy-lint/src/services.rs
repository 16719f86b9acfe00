//! `Principal.Service`: is there such a service principal?
//!
//! UG reference_policies_elements_principal, "AWS service principals": the name is the service's,
//! with a region ahead of the suffix for opt-in regions, and is written as the service's own
//! guide has it. There is no list of all; what is judged here is each part of the name.

use policy::Text;

use crate::arns::is_region;
use crate::facts::Kind;
use crate::{Code, Linter};

/// What names end in, by partition (General Reference, *AWS service endpoints*).
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

/// Parts that stand for a service in such names and are no action's prefix, from the services'
/// guides (mostly their pages on service-linked roles) and AWS's managed policies. One known
/// part is enough: `delivery.logs` is known by `logs`.
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
    // IAM refuses wildcards here, and a variable is a finding of its own.
    if linter.facts.services.is_empty() || name.contains(['*', '?', '$']) {
        return;
    }
    let folded = name.to_ascii_lowercase();
    if ELSEWHERE.contains(&&*folded) {
        return;
    }
    let suffix = SUFFIXES.iter().find(|suffix| folded.ends_with(*suffix));
    let service = suffix.map_or(&*folded, |suffix| &folded[..folded.len() - suffix.len()]);
    if suffix.is_some() && service.split('.').any(|part| is_known(linter, part)) {
        return;
    }
    let mut parts = service.split('.').filter(|part| !is_region(part));
    // Without a known suffix the name starts with the service, if anything.
    let similar = match suffix {
        Some(_) => meant(linter, parts.next_back().unwrap_or_default()),
        None => meant(linter, parts.next().unwrap_or_default()),
    };
    linter.find(
        Code::InvalidServicePrincipal,
        text.position,
        format!("no AWS service goes by the name `{name}`"),
        match similar {
            Some(service) => format!("did you mean `{service}.amazonaws.com`?"),
            None => {
                "look the service's principal up in its guide; most are `service.amazonaws.com`"
                    .to_owned()
            }
        },
    );
}

fn is_known(linter: &Linter<'_>, part: &str) -> bool {
    linter.facts.prefix(part).is_some() || KNOWN.contains(&part)
}

/// The service that a part of a name means.
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

/// Whether the second is the first without one of its letters.
fn lacks_one(whole: &str, part: &str) -> bool {
    let same = whole.bytes().zip(part.bytes()).take_while(|(a, b)| a == b);
    let same = same.count();
    whole.len() == part.len() + 1 && whole.as_bytes()[same + 1..] == part.as_bytes()[same..]
}
