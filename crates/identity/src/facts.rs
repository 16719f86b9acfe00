//! What the authorization door must know of entities before it decides.

use std::sync::Arc;

use aws_api::AccountId;
use policy::PolicySet;

/// Names an entity as a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityRef<'a> {
    /// A user by name.
    User(&'a str),
    /// A group by name.
    Group(&'a str),
    /// A role by name.
    Role(&'a str),
    /// A managed policy by ARN, the customer's or AWS's.
    Policy(&'a str),
    /// An instance profile by name.
    InstanceProfile(&'a str),
}

/// What policies look at in an entity that is a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityFacts {
    /// The ARN, with its real path.
    pub arn: String,
    /// `AIDA…` and its like.
    pub unique_id: String,
    /// `iam:ResourceTag/…`, `aws:ResourceTag/…`.
    pub tags: Vec<(String, String)>,
    /// `iam:PermissionsBoundary`.
    pub boundary_arn: Option<String>,
}

/// A role that is to be assumed.
#[derive(Clone, Debug)]
pub struct RoleFacts {
    /// The ARN, with its real path.
    pub arn: String,
    /// `AROA…`
    pub unique_id: String,
    /// Whose role it is.
    pub account: AccountId,
    /// The trust policy, compiled: the resource policy of the decision.
    pub trust: Arc<PolicySet>,
    /// The role's tags.
    pub tags: Vec<(String, String)>,
    /// `MaxSessionDuration`.
    pub max_session_seconds: i64,
}
