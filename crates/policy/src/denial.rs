//! AWS's messages for denied requests (UG troubleshoot_access-denied).

use crate::decide::{Decision, Effect, Reason};

impl Reason {
    /// The policy type with its article, as in "with an explicit deny in …".
    fn with_article(self) -> &'static str {
        match self {
            Reason::Trust => "the role trust policy",
            Reason::Resource => "a resource-based policy",
            Reason::PermissionsBoundary => "a permissions boundary",
            Reason::Session => "a session policy",
            Reason::ServiceControl => "a service control policy",
            Reason::ResourceControl => "a resource control policy",
            Reason::Identity | Reason::RootUser | Reason::NoPermissionNeeded => {
                "an identity-based policy"
            }
        }
    }

    /// The policy type alone, as in "because no … allows".
    pub(crate) fn name(self) -> &'static str {
        match self {
            Reason::Trust => "role trust policy",
            Reason::Resource => "resource-based policy",
            Reason::PermissionsBoundary => "permissions boundary",
            Reason::Session => "session policy",
            Reason::ServiceControl => "service control policy",
            Reason::ResourceControl => "resource control policy",
            Reason::Identity | Reason::RootUser | Reason::NoPermissionNeeded => {
                "identity-based policy"
            }
        }
    }
}

impl Decision<'_> {
    /// AWS's message for a denial: the caller, the action, the resource, and the type of policy
    /// that denied or did not allow the request.
    ///
    /// ```text
    /// User: arn:aws:iam::111122223333:user/ana is not authorized to perform: ecr:PutImage
    /// on resource: arn:aws:ecr:us-east-1:111122223333:repository/app because no
    /// identity-based policy allows the ecr:PutImage action
    /// ```
    pub fn denial_message(&self, user_arn: &str, action: &str, resource: &str) -> String {
        let request = format!(
            "User: {user_arn} is not authorized to perform: {action} on resource: {resource}"
        );
        match self.effect {
            // STS's message.
            Effect::ImplicitlyDenied if self.reason == Reason::RootUser => {
                "Roles may not be assumed by root accounts.".into()
            }
            Effect::ExplicitlyDenied => {
                format!(
                    "{request} with an explicit deny in {}",
                    self.reason.with_article()
                )
            }
            Effect::ImplicitlyDenied | Effect::Allowed => {
                format!(
                    "{request} because no {} allows the {action} action",
                    self.reason.name()
                )
            }
        }
    }
}
