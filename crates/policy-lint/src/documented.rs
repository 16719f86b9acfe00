//! ARNs that AWS's guides use with actions, and the service authorization reference does not list.
//!
//! Requests are authorized on these ARNs although the reference lists the action without resources,
//! or does not list the resource. What a guide shows works, so it is not a finding.

use crate::arn_forms::TRANSFORM;
use crate::facts::Pattern;
use crate::globs::Glob;

/// An action, and the form of an ARN that it is authorized on.
struct Documented {
    service: &'static str,
    /// In lower case.
    action: &'static str,
    form: &'static str,
}

const DOCUMENTED: [Documented; 13] = [
    // Denials of IAM's list actions name the path, such as `…:role/` (IAM User Guide,
    // *Troubleshoot access denied error messages*).
    Documented {
        service: "iam",
        action: "listusers",
        form: "arn:${Partition}:iam::${Account}:user/*",
    },
    Documented {
        service: "iam",
        action: "listgroups",
        form: "arn:${Partition}:iam::${Account}:group/*",
    },
    Documented {
        service: "iam",
        action: "listroles",
        form: "arn:${Partition}:iam::${Account}:role/*",
    },
    Documented {
        service: "iam",
        action: "listinstanceprofiles",
        form: "arn:${Partition}:iam::${Account}:instance-profile/*",
    },
    Documented {
        service: "iam",
        action: "listpolicies",
        form: "arn:${Partition}:iam::${Account}:policy/*",
    },
    Documented {
        service: "iam",
        action: "listsamlproviders",
        form: "arn:${Partition}:iam::${Account}:saml-provider/*",
    },
    Documented {
        service: "iam",
        action: "listopenidconnectproviders",
        form: "arn:${Partition}:iam::${Account}:oidc-provider/*",
    },
    Documented {
        service: "iam",
        action: "listservercertificates",
        form: "arn:${Partition}:iam::${Account}:server-certificate/*",
    },
    Documented {
        service: "iam",
        action: "listvirtualmfadevices",
        form: "arn:${Partition}:iam::${Account}:mfa/*",
    },
    // IAM User Guide, reference_policies_examples_s3_home-directory-console: a request uses a
    // star for all buckets, which the ARN of one bucket does not match.
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

/// The further forms that an entry's actions are authorized on.
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
