//! The caller: a principal with everything that its policies say now.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use aws_types::AccountId;
use jiff::Timestamp;
use policy::{Context, PolicySet, Principal};

/// What kind of principal the caller is, with the data that only that kind has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallerKind {
    /// The account's root user.
    Root,
    /// A user, by a long-term key, a session of `GetSessionToken` or one of the web console.
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
    /// An identity of an identity provider, while it asks for a role. It has proved itself by a
    /// token or an assertion of the provider, not by a signature.
    ProviderIdentity {
        /// How the provider speaks.
        protocol: Federation,
        /// The provider's ARN.
        provider_arn: String,
        /// Who it is there: the claim `sub`, the `NameID`.
        subject: String,
    },
    /// A host, while it joins or asks for its role's credentials.
    Host {
        /// `i-` and 17 hexadecimal digits.
        id: String,
    },
    /// A part of the server, as the AWS service whose work it does, while it assumes a role that trusts the
    /// service.
    Service {
        /// The service principal.
        name: &'static str,
    },
}

/// The protocols of identity providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Federation {
    /// OpenID Connect.
    WebIdentity,
    /// SAML 2.0.
    Saml,
}

/// What is known of the caller's temporary credentials; for an identity of a provider, of its token or
/// assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// `aws:TokenIssueTime`.
    pub issued_at: Timestamp,
    /// From this time on the credentials are refused.
    pub expires_at: Timestamp,
    /// `aws:SourceIdentity`, kept through role chaining.
    pub source_identity: Option<String>,
    /// Session tags that are passed on through role chaining. An identity of a provider passes on all
    /// tags that its token brings.
    pub transitive_tags: Vec<(String, String)>,
    /// When a code of an MFA device was verified for the session.
    pub mfa_at: Option<Timestamp>,
    /// Whether the credentials are those of a session of the web console. `GetSessionToken`'s limits do
    /// not apply to them.
    pub is_console: bool,
}

/// The credential that a caller was found by. Opaque here: the crate that made it is the only
/// one that can read it.
#[derive(Clone)]
pub struct Credential(Arc<dyn Any + Send + Sync>);

impl Credential {
    /// Wraps a credential of the identity domain.
    pub fn new<T: Any + Send + Sync>(credential: T) -> Credential {
        Credential(Arc::new(credential))
    }

    /// The credential, for the crate that knows its type.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}

/// What an organization imposes on one of its accounts.
#[derive(Clone, Debug)]
pub struct AccountControls {
    /// `aws:PrincipalOrgID`, `aws:ResourceOrgID`.
    pub organization: Arc<str>,
    /// `aws:PrincipalOrgMasterAccount`.
    pub management_account: Arc<str>,
    /// `o-…/r-…/ou-…/`: `aws:PrincipalOrgPaths`, `aws:ResourceOrgPaths`.
    pub path: Arc<str>,
    /// Whether the account is the management account.
    pub is_management: bool,
    /// Service control policies, one union a level, from the root down to the account. None for the
    /// management account, and where the policy type is not enabled.
    pub service_control: Vec<PolicySet>,
    /// Resource control policies, in the same way.
    pub resource_control: Vec<PolicySet>,
}

/// A principal with everything that its policies say now.
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
    /// `AKIA…` or `ASIA…`; empty for a caller without a key, which proved itself otherwise.
    pub access_key_id: String,
    /// The identity-based policies: inline and attached, the user's and its groups', or the
    /// role's. For a federated user: those of the user who asked for the session.
    pub identity: Arc<PolicySet>,
    /// The permissions boundary, where there is one.
    pub boundary: Option<Arc<PolicySet>>,
    /// The session policies, where the session has any; always for a federated user.
    pub session: Option<Arc<PolicySet>>,
    /// The policies of `GetScopedCredentials`: each must allow as well, whatever the others say.
    pub scope_downs: Vec<Arc<PolicySet>>,
    /// The condition keys that follow from principal and session. Those of the request are
    /// added on top.
    pub context: Arc<Context>,
    /// For temporary credentials, and for identities of providers.
    pub session_info: Option<SessionInfo>,
    /// The credential, for tokens that are made from this caller.
    pub credential: Credential,
}
