//! The ARNs of a request: IAM and STS refuse a malformed one as such, before they ask who may do
//! what, so that a typing error is never taken for an entity that is gone.
//!
//! Both models name the shape `arnType`, so each operation that takes an ARN is checked. Since 2024
//! IAM checks every part: partition, service, the empty region, the resource's type ("IAM is
//! changing how it validates IAM resource ARNs", a notice to customers that
//! <https://github.com/cloud-gov/aws-broker/issues/383> quotes).

use crate::shape::{Kind, Shape};
use crate::value::Value;
use aws_types::Arn;

use crate::{CommonError, Protocol, Service, WireError, iam};

/// The models' name for an ARN.
const SHAPE: &str = "arnType";
const PARTITION: &str = "aws";

/// The resource types of IAM (Service Authorization Reference, "Resource types defined by AWS
/// Identity and Access Management").
const TYPES: &[&str] = &[
    "access-report",
    "delegation-request",
    "federated-user",
    "group",
    "instance-profile",
    "mfa",
    "oidc-provider",
    "policy",
    "role",
    "role-template",
    "saml-provider",
    "server-certificate",
    "sms-mfa",
    "u2f",
    "user",
];

/// What the members that take one kind of entity take.
const MEMBERS: &[(&str, &[&str])] = &[
    ("PolicyArn", &["policy"]),
    ("PermissionsBoundary", &["policy"]),
    ("PolicySourceArn", &["user", "group", "role"]),
    ("OpenIDConnectProviderArn", &["oidc-provider"]),
    ("SAMLProviderArn", &["saml-provider"]),
];

/// Why an ARN is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidArn {
    arn: String,
    member: &'static str,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Unreadable,
    Partition,
    NotOfIam,
}

/// The first ARN of a request that its service refuses, in the order of the members.
pub(crate) fn check(
    service: Service,
    shape: &'static Shape,
    value: &Value<'_>,
) -> Option<InvalidArn> {
    let checks: fn(&str, &'static str) -> Option<Fault> = match service {
        Service::Iam => iam_fault,
        Service::Sts => |text, _| text.parse::<Arn>().is_err().then_some(Fault::Unreadable),
        _ => return None,
    };
    find(shape, "", value, checks)
}

fn find(
    shape: &'static Shape,
    member: &'static str,
    value: &Value<'_>,
    fault: fn(&str, &'static str) -> Option<Fault>,
) -> Option<InvalidArn> {
    match (shape.kind, value) {
        (Kind::String, Value::String(text)) if shape.name == SHAPE => {
            fault(text, member).map(|fault| InvalidArn {
                arn: text.to_string(),
                member,
                fault,
            })
        }
        (Kind::Structure(members), Value::Structure(slots)) => {
            members.iter().zip(slots).find_map(|(member, slot)| {
                let value = slot.as_ref()?;
                find(member.shape, member.name, value, fault)
            })
        }
        (Kind::List(item), Value::List(values)) => values
            .iter()
            .find_map(|value| find(item, member, value, fault)),
        _ => None,
    }
}

fn iam_fault(text: &str, member: &'static str) -> Option<Fault> {
    let Ok(arn) = text.parse::<Arn>() else {
        return Some(Fault::Unreadable);
    };
    if arn.partition() != PARTITION {
        return Some(Fault::Partition);
    }
    let types = MEMBERS.iter().find(|row| row.0 == member);
    let types = types.map_or(TYPES, |row| row.1);
    let (kind, name) = arn
        .resource()
        .split_once('/')
        .unwrap_or((arn.resource(), ""));
    let is_entity = types.contains(&kind) && !name.is_empty();
    let valid = arn.service() == "iam"
        && arn.region().is_empty()
        && is_entity
        && (kind != "policy" || name.split('/').all(is_policy_name));
    (!valid).then_some(Fault::NotOfIam)
}

/// A name, or a part of a path, of a managed policy (IAM API, `policyNameType`, `policyPathType`).
fn is_policy_name(part: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
    !part.is_empty() && part.bytes().all(allowed)
}

impl InvalidArn {
    /// The error as the service answers it.
    pub(crate) fn wire(&self, service: Service) -> WireError {
        let Self { arn, member, fault } = self;
        let validation = |message: String| CommonError::Validation.with(Protocol::Query, message);
        match (service, fault) {
            (Service::Sts, _) => validation(format!("{arn} is invalid")),
            // Two blanks: so AWS writes it.
            (_, Fault::Unreadable) => validation("Invalid ARN:  Could not be parsed!".to_owned()),
            (_, Fault::Partition) => validation("Invalid ARN partition".to_owned()),
            (_, Fault::NotOfIam) if *member == "PolicySourceArn" => iam::ErrorCode::InvalidInput
                .with(format!(
                    "Invalid Entity Arn: {arn} does not clearly define entity type and name."
                )),
            (_, Fault::NotOfIam) => {
                iam::ErrorCode::InvalidInput.with(format!("ARN {arn} is not valid."))
            }
        }
    }
}
