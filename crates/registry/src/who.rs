//! The principal behind a caller.

use authz::{Caller, CallerKind};

/// A user, a role or a root user, and the name of its session where the credentials are temporary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    /// The ARN. Sessions of a role are the role, so that what is kept by principal does not grow with
    /// each session.
    pub(crate) principal: String,
    /// `RoleSessionName`, or the name of a federated user.
    pub(crate) session_name: Option<String>,
}

impl Who {
    pub(crate) fn of(caller: &Caller) -> Who {
        let (principal, session_name) = match &caller.kind {
            CallerKind::RoleSession {
                role_arn,
                session_name,
                ..
            } => (role_arn.as_str(), Some(session_name.clone())),
            CallerKind::FederatedUser { name, issuer_arn } => {
                (issuer_arn.as_str(), Some(name.clone()))
            }
            CallerKind::Root
            | CallerKind::User { .. }
            | CallerKind::ProviderIdentity { .. }
            | CallerKind::Host { .. }
            | CallerKind::Service { .. } => (&*caller.arn, None),
        };
        Who {
            principal: principal.to_owned(),
            session_name,
        }
    }
}
