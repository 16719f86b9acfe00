//! Who calls, and with what authority.

use std::fmt;
use std::sync::Arc;

use aws_api::Service;
use aws_types::{AccountId, Region};
use jiff::Timestamp;
use policy::{Context, PolicySet, Principal};
use sigv4::SecretKey;

use crate::Error;
use crate::session::Session;

/// Who and when: what each operation is called with.
#[derive(Clone, Debug)]
pub struct Call {
    /// The account that the operation is about: the caller's.
    pub account: AccountId,
    /// The signature's region.
    pub region: Region,
    /// The time of the request.
    pub now: Timestamp,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// The request's id, for the log.
    pub request_id: String,
}

/// A credential as it was found: enough to check a signature and to look up the caller.
#[derive(Clone)]
pub struct Key {
    /// The secret access key.
    pub secret: SecretKey,
    /// Whose it is.
    pub principal: PrincipalRef,
    /// For temporary credentials.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("principal", &self.principal)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Points at a principal without saying what it may do: each use looks that up again
/// ([`crate::Identity::caller`]), so that deletion bites at once.
#[derive(Clone)]
pub struct PrincipalRef(pub(crate) Arc<RefKind>);

// Always behind an `Arc`, so its size moves nowhere.
#[allow(clippy::large_enum_variant)]
pub(crate) enum RefKind {
    /// A long-term access key, or a registry password made with one, which ends.
    AccessKey {
        id: String,
        until: Option<Timestamp>,
    },
    /// A session, carried by its token.
    Session(Session),
}

impl PrincipalRef {
    /// The access key: `AKIA…` or `ASIA…`.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        match &*self.0 {
            RefKind::AccessKey { id, .. } => id,
            RefKind::Session(session) => &session.access_key_id,
        }
    }

    /// When the credential ends: a session, or a registry password. Past it
    /// [`crate::Identity::caller`] refuses, however long the reference was kept.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        match &*self.0 {
            RefKind::AccessKey { until, .. } => *until,
            RefKind::Session(session) => Some(session.expires_at()),
        }
    }
}

impl fmt::Debug for PrincipalRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PrincipalRef")
            .field(&self.access_key_id())
            .finish()
    }
}

/// What kind of principal the caller is, with what only that kind has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallerKind {
    /// The account's root user.
    Root,
    /// A user, by a long-term key or a session of `GetSessionToken`.
    User {
        /// The user's name.
        name: String,
        /// The user's path.
        path: String,
    },
    /// A session of a role.
    RoleSession {
        /// The role's ARN, with its path.
        role_arn: String,
        /// The role's name.
        role_name: String,
        /// `RoleSessionName`.
        session_name: String,
    },
    /// A session of `GetFederationToken`.
    FederatedUser {
        /// `Name`.
        name: String,
        /// The ARN of the user, or of the root user, who asked for the session.
        issuer_arn: String,
    },
}

/// What is known of the caller's temporary credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// `aws:TokenIssueTime`.
    pub issued_at: Timestamp,
    /// From here on the credentials are refused.
    pub expires_at: Timestamp,
    /// `aws:SourceIdentity`, kept through role chaining.
    pub source_identity: Option<String>,
    /// Session tags that pass on through role chaining.
    pub transitive_tags: Vec<(String, String)>,
}

/// A caller: the principal with all that its policies say now.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The principal's account.
    pub account: AccountId,
    /// The ARN that `GetCallerIdentity` and denials name.
    pub arn: Arc<str>,
    /// `aws:userid`: `AIDA…`, `AROA…:session`, `account:name`, or the account for root.
    pub user_id: Arc<str>,
    /// The principal as policies see it.
    pub principal: Principal,
    /// What kind of principal.
    pub kind: CallerKind,
    /// `AKIA…` or `ASIA…`.
    pub access_key_id: String,
    /// The identity-based policies: inline and attached, the user's and its groups', or
    /// the role's. For a federated user: those of the user who asked.
    pub identity: Arc<PolicySet>,
    /// The permissions boundary, where there is one.
    pub boundary: Option<Arc<PolicySet>>,
    /// The session policies, where the session has any; always for a federated user.
    pub session: Option<Arc<PolicySet>>,
    /// The condition keys that follow from principal and session: lay the request's on top.
    pub context: Arc<Context>,
    /// For temporary credentials.
    pub session_info: Option<SessionInfo>,
    /// The way back, for tokens made from this caller.
    pub principal_ref: PrincipalRef,
}

impl Caller {
    /// What sessions of `GetSessionToken` and `GetFederationToken` may not call whatever
    /// their policies say (STS API Reference, both pages, "Permissions"): nothing of IAM,
    /// since no MFA information is in them, and of STS only `GetCallerIdentity` and, for
    /// the former, `AssumeRole`. Ask before the authorization step decides.
    ///
    /// # Errors
    /// [`Error::InvalidClientTokenId`] for IAM, [`Error::AccessDenied`] for STS.
    pub fn check_session_scope(&self, service: Service, operation: &str) -> Result<(), Error> {
        let may_assume = match &self.kind {
            CallerKind::Root | CallerKind::User { .. } if self.session_info.is_some() => true,
            CallerKind::FederatedUser { .. } => false,
            _ => return Ok(()),
        };
        match (service, operation) {
            (Service::Iam, _) => Err(Error::InvalidClientTokenId),
            (Service::Sts, "GetCallerIdentity") => Ok(()),
            (Service::Sts, "AssumeRole") if may_assume => Ok(()),
            (Service::Sts, _) => Err(Error::AccessDenied(format!(
                "Cannot call {operation} with session credentials"
            ))),
            _ => Ok(()),
        }
    }
}
