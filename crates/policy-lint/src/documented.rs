//! ARNs that AWS's guides give to actions, and the Service Authorization Reference does not.
//!
//! The reference lists these actions without resources, or these resources not at all, and
//! requests name them all the same. What a guide shows works, so it is no finding.

use crate::actions::Pattern;
use crate::globs::Glob;

/// An action, and the form of an ARN that it is asked about.
struct Documented {
    service: &'static str,
    /// In lower case.
    action: &'static str,
    form: &'static str,
}

const DOCUMENTED: [Documented; 4] = [
    // IAM User Guide, reference_policies_examples_s3_home-directory-console: a request names all
    // buckets by a star, which a single bucket's ARN does not match.
    Documented {
        service: "s3",
        action: "listallmybuckets",
        form: "arn:${Partition}:s3:::${*}",
    },
    // Systems Manager User Guide, getting-started-restrict-access-quickstart.
    Documented {
        service: "ssmmessages",
        action: "opendatachannel",
        form: "arn:${Partition}:ssm:${Region}:${Account}:session/${SessionId}",
    },
    // Amazon Bedrock AgentCore Developer Guide, runtime-permissions: a request names no group, so
    // that `log-group:*` matches and the ARN of one group does not.
    Documented {
        service: "logs",
        action: "describeloggroups",
        form: "arn:${Partition}:logs:${Region}:${Account}:log-group::log-stream:",
    },
    Documented {
        service: "cloudformation",
        action: "createchangeset",
        form: TRANSFORM,
    },
];

/// AWS's own macros (CloudFormation User Guide, control-access-with-iam: a change set that uses
/// one is asked about it too).
const TRANSFORM: &str = "arn:${Partition}:cloudformation:${Region}:aws:transform/${TransformName}";

/// The forms of ARNs of a service that the reference leaves out.
pub(super) fn of_service(service: &str) -> &'static [&'static str] {
    match service {
        "cloudformation" => &[TRANSFORM],
        _ => &[],
    }
}

/// The further forms of what an entry's actions act on.
pub(super) fn forms(pattern: &Pattern<'_>) -> Vec<Glob> {
    let listed = |known: &&Documented| {
        let mut actions = pattern.actions().iter();
        actions.any(|action| {
            action.service == known.service && action.name.eq_ignore_ascii_case(known.action)
        })
    };
    let known = DOCUMENTED.iter().filter(listed);
    known.map(|known| Glob::form(known.form)).collect()
}
