//! Members of inputs that AWS's model has and Berth does not support.
//!
//! Ignoring such a member could return a wrong result: a simulation that leaves out a policy, a
//! session that lacks a context. So a request that sets one is refused (`NotImplemented`, status 501,
//! which SDKs do not retry), after its caller is authorized and before anything is done. `docs/reference/not-built-yet.md` lists them.
//!
//! A test (`tests/input_members.rs`) walks the inputs of all operations that are built: each member
//! is read by a handler, refused here, or listed in [`NOT_READ`] with the reason; where there is
//! nothing to ask about ([`NOTHING_THERE`]), members have no effect. A newer model
//! cannot add a member that is silently ignored.

use aws_api::{CommonError, Kind, Op, Operation, Shape, Shaped, Value, iam, secrets_manager, sts};

use crate::error::ApiError;

/// A member that is refused.
pub(crate) struct Unsupported {
    pub(crate) operation: Operation,
    /// Its name; members of members are separated by a dot (`Tags.Key`), in lists of any element.
    pub(crate) member: &'static str,
    /// The value that has the same result as leaving the member out.
    default: Option<Value<'static>>,
}

macro_rules! unsupported {
    ($($service:ident $operation:ident $member:literal $(= $default:expr)?;)*) => {
        &[$(Unsupported {
            operation: <$service::ops::$operation as Op>::OPERATION,
            member: $member,
            default: unsupported!(@default $($default)?),
        }),*]
    };
    (@default) => { None };
    (@default $default:expr) => { Some($default) };
}

/// Members that are refused.
pub(crate) static UNSUPPORTED: &[Unsupported] = unsupported! {
    // Sign-in sessions of AWS's console.
    iam CreateRole "MaxSigninSessionDuration";
    iam UpdateRole "MaxSigninSessionDuration";
    // The order of an organization's SCPs decides; accounts of the server have none.
    iam SimulateCustomPolicy "OrderedOrganizationPolicyInputList";
    // Which combinations of EC2 resources must be present.
    iam SimulateCustomPolicy "ResourceHandlingOption";
    iam SimulatePrincipalPolicy "ResourceHandlingOption";
    iam SimulatePrincipalPolicy "PolicyExclusionList";
    // Trusted identity propagation needs IAM Identity Center.
    iam CreateOpenIDConnectProvider "ContextProvider";
    iam CreateOpenIDConnectProvider "IdentityCenterInstanceArn";
    iam UpdateOpenIDConnectProvider "ContextProvider";
    iam UpdateOpenIDConnectProvider "IdentityCenterInstanceArn";
    // Context assertions of IAM Identity Center.
    sts AssumeRole "ProvidedContexts";
    // OAuth 2.0 access tokens of Login with Amazon and Facebook.
    sts AssumeRoleWithWebIdentity "ProviderId";
    iam CreateSAMLProvider "ContextProvider";
    iam CreateSAMLProvider "IdentityCenterInstanceArn";
    iam UpdateSAMLProvider "ContextProvider";
    iam UpdateSAMLProvider "IdentityCenterInstanceArn";
    // Secrets have no replicas and rotate by no function.
    secrets_manager CreateSecret "AddReplicaRegions";
    secrets_manager CreateSecret "ForceOverwriteReplicaSecret" = Value::Boolean(false);
    secrets_manager CreateSecret "Type";
    secrets_manager CreateSecret "CrossAccountPrimaryARN";
    secrets_manager UpdateSecret "Type";
    secrets_manager PutSecretValue "RotationToken";
    // Trusted identity propagation, too: the subject that a session acts for.
    sts GetWebIdentityToken "Scope";
    sts GetWebIdentityToken "SubjectMode" = Value::String(std::borrow::Cow::Borrowed("AWSIdentity"));
};

/// Members that no handler reads, and rightly so: operation, member, reason.
#[cfg(test)]
pub(crate) static NOT_READ: &[(&str, &str, &str)] = &[
    (
        "kms:CreateKey",
        "BypassPolicyLockoutSafetyCheck",
        "each key policy must let the account administer the key",
    ),
    (
        "kms:PutKeyPolicy",
        "BypassPolicyLockoutSafetyCheck",
        "each key policy must let the account administer the key",
    ),
    ("kms:DescribeKey", "GrantTokens", "there are no grants"),
    ("kms:ListKeyPolicies", "Limit", "a key has one policy"),
    ("kms:ListKeyPolicies", "Marker", "a key has one policy"),
    (
        "sts:AssumeRoleWithWebIdentity",
        "WebIdentityToken",
        "proves the caller, before the authorization step",
    ),
    (
        "berth:GetHostCredentials",
        "hostId",
        "proves the caller, before the authorization step",
    ),
    (
        "berth:GetHostCredentials",
        "serverId",
        "proves the caller, before the authorization step",
    ),
    (
        "berth:GetHostCredentials",
        "timestamp",
        "proves the caller, before the authorization step",
    ),
    (
        "berth:GetHostCredentials",
        "nonce",
        "proves the caller, before the authorization step",
    ),
    (
        "berth:GetHostCredentials",
        "signature",
        "proves the caller, before the authorization step",
    ),
    (
        "berth:JoinHost",
        "code",
        "proves the caller, before the authorization step",
    ),
    (
        "berth:JoinHost",
        "signature",
        "proves the caller, before the authorization step",
    ),
    (
        "berth:JoinHost",
        "publicKey",
        "proves the caller, before the authorization step",
    ),
    (
        "iam:UpdateRole",
        "ResetMaxSigninSessionDuration",
        "the setting is never set, and \"clearing a setting that is already unset has no effect\" (IAM API \
         Reference, UpdateRole)",
    ),
    (
        "iam:UpdateSAMLProvider",
        "RemoveContextProvider",
        "a provider never has one",
    ),
    (
        "iam:UpdateSAMLProvider",
        "RemoveIdentityCenterInstance",
        "a provider never has one",
    ),
    (
        "secretsmanager:GetResourcePolicy",
        "PolicyName",
        "no secret has a resource policy that could have a name",
    ),
    (
        "sts:AssumeRoleWithSAML",
        "PrincipalArn",
        "it names the provider that proves the caller, before the operation runs",
    ),
    (
        "sts:AssumeRoleWithSAML",
        "SAMLAssertion",
        "it proves the caller, before the operation runs",
    ),
    (
        "iam:ListAccountAliases",
        "MaxItems",
        "an account has at most one alias",
    ),
    (
        "iam:ListAccountAliases",
        "Marker",
        "an account has at most one alias, so there is no second page",
    ),
    (
        "organizations:CreateAccount",
        "IamUserAccessToBilling",
        "there is no billing console that it could open",
    ),
    (
        "sts:AssumeRole",
        "ExternalId",
        "a condition key; the authorization step reads it",
    ),
    (
        "sts:AssumeRole",
        "SerialNumber",
        "the authorization step verifies the code of the device before it decides",
    ),
    (
        "sts:AssumeRole",
        "TokenCode",
        "the authorization step verifies it before it decides",
    ),
    (
        "sts:GetScopedCredentials",
        "ScopedSessionDescription",
        "it is for the audit event, which has the request's parameters",
    ),
    (
        "ecr:PutRegistryScanningConfiguration",
        "rules.repositoryFilters.filterType",
        "the model has one value, WILDCARD",
    ),
    (
        "ecr:CreateRepositoryCreationTemplate",
        "imageTagMutabilityExclusionFilters.filterType",
        "the model has one value, WILDCARD",
    ),
    (
        "ecr:UpdateRepositoryCreationTemplate",
        "imageTagMutabilityExclusionFilters.filterType",
        "the model has one value, WILDCARD",
    ),
    (
        "ecr:PutReplicationConfiguration",
        "replicationConfiguration.rules.repositoryFilters.filterType",
        "the model has one value, PREFIX_MATCH",
    ),
    (
        "ecr:CreateRepository",
        "imageTagMutabilityExclusionFilters.filterType",
        "the model has one value, WILDCARD",
    ),
    (
        "ecr:PutImageTagMutability",
        "imageTagMutabilityExclusionFilters.filterType",
        "the model has one value, WILDCARD",
    ),
];

/// Operations on what nobody can have made. Whatever their members ask for, the answer is that there
/// is none.
#[cfg(test)]
pub(crate) static NOTHING_THERE: &[&str] = &[
    "ecr:DescribeImageScanFindings",
    "ecr:GetLifecyclePolicyPreview",
    "iam:AcquireRole",
    "iam:GetOrganizationsAccessReport",
    "iam:GetRoleTemplateVersion",
    "sts:GetDelegatedAccessToken",
];

/// Refuses an input that sets a member that is not supported.
pub(super) fn check<O: Op>(input: &O::Input) -> Result<(), ApiError> {
    // A few comparisons of integers for all operations but the handful that are listed.
    let mut rows = UNSUPPORTED
        .iter()
        .filter(|row| row.operation == O::OPERATION)
        .peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let (shape, value) = (O::Input::shape(), input.to_value());
    match rows.find(|row| is_set(shape, &value, row.member, row.default.as_ref())) {
        None => Ok(()),
        Some(Unsupported { member, .. }) => Err(ApiError::Common(
            CommonError::NotImplemented,
            format!(
                "The parameter {member} of {} is not supported, and ignoring it could return a wrong \
                 result: see docs/reference/not-built-yet.md.",
                O::NAME
            ),
        )),
    }
}

/// Whether the member is there with a value other than its default or an empty list or map.
fn is_set(shape: &Shape, value: &Value<'_>, path: &str, default: Option<&Value<'_>>) -> bool {
    match (shape.kind, value) {
        (Kind::List(element), Value::List(values)) => values
            .iter()
            .any(|value| is_set(element, value, path, default)),
        (Kind::Structure(members), Value::Structure(slots)) => {
            let (name, rest) = match path.split_once('.') {
                Some((name, rest)) => (name, Some(rest)),
                None => (path, None),
            };
            let mut slots = members.iter().zip(slots);
            match slots.find(|(member, _)| member.name == name) {
                Some((member, Some(value))) => match rest {
                    Some(rest) => is_set(member.shape, value, rest, default),
                    None => !is_empty(value) && default != Some(value),
                },
                _ => false,
            }
        }
        _ => false,
    }
}

fn is_empty(value: &Value<'_>) -> bool {
    match value {
        Value::List(values) => values.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<O: Op>(input: &O::Input) -> Option<String> {
        match check::<O>(input) {
            Ok(()) => None,
            Err(ApiError::Common(CommonError::NotImplemented, message)) => Some(message),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn refuses_a_member_that_is_not_supported() {
        let excluded = iam::PolicyIdentifier {
            policy_arn: Some("arn:aws:iam::111122223333:policy/p".to_owned()),
            ..Default::default()
        };
        let input = iam::SimulatePrincipalPolicyRequest {
            policy_exclusion_list: Some(vec![excluded]),
            ..Default::default()
        };
        let message = refused::<iam::ops::SimulatePrincipalPolicy>(&input);
        assert!(
            message.as_deref().is_some_and(|text| text
                .starts_with("The parameter PolicyExclusionList of SimulatePrincipalPolicy")),
            "{message:?}"
        );
    }

    #[test]
    fn accepts_empty_lists_and_defaults() {
        let input = iam::SimulatePrincipalPolicyRequest {
            policy_exclusion_list: Some(Vec::new()),
            ..Default::default()
        };
        assert_eq!(refused::<iam::ops::SimulatePrincipalPolicy>(&input), None);
    }

    #[test]
    fn finds_members_of_members() {
        let tag = |key: &str| iam::Tag {
            key: key.to_owned(),
            value: String::new(),
        };
        let input = iam::TagUserRequest {
            user_name: "alice".to_owned(),
            tags: vec![tag("a"), tag("b")],
        };
        let set = |path, default: Option<Value<'_>>| {
            let shape = iam::TagUserRequest::shape();
            is_set(shape, &input.to_value(), path, default.as_ref())
        };
        assert!(set("Tags.Key", None));
        assert!(set("Tags.Key", Some(Value::String("a".into()))));
        assert!(!set("Tags.Value", Some(Value::String("".into()))));
        assert!(!set("Tags.Other", None));
    }
}
