//! The principals that make requests.

use std::sync::Arc;

use crate::context::Context;

/// What kind of principal makes the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum PrincipalKind {
    /// A request without credentials.
    Anonymous,
    /// An AWS service (or a service of this server) acting on its own behalf.
    Service,
    /// The account's root user.
    Root,
    /// An IAM user, with long-term keys or a `GetSessionToken` session.
    User,
    /// A session of a role (`AssumeRole` and its variants).
    RoleSession,
    /// A session of `GetFederationToken`.
    FederatedUser,
    /// An identity of an OIDC provider, while it asks for a role.
    WebIdentity,
    /// An identity of a SAML provider, while it asks for a role.
    Saml,
}

impl PrincipalKind {
    /// A principal of an AWS account, with an ARN of its own.
    pub(crate) fn is_aws(self) -> bool {
        matches!(
            self,
            PrincipalKind::Root
                | PrincipalKind::User
                | PrincipalKind::RoleSession
                | PrincipalKind::FederatedUser
        )
    }

    /// An identity that only its provider knows.
    pub(crate) fn is_federated(self) -> bool {
        matches!(self, PrincipalKind::WebIdentity | PrincipalKind::Saml)
    }
}

/// A principal: everything about the caller that policies look at, besides the
/// condition keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub(crate) kind: PrincipalKind,
    /// The ARN that messages show: user, session, root; a service's name;
    /// a provider's ARN.
    pub(crate) arn: Arc<str>,
    /// Twelve digits; empty for services and anonymous callers.
    pub(crate) account: Arc<str>,
    /// `AIDA...` of the user, `AROA...` of the session's role.
    pub(crate) unique_id: Option<Arc<str>>,
    /// The role behind a role session, the user behind a federated user.
    pub(crate) issuer_arn: Option<Arc<str>>,
    pub(crate) service_linked: bool,
}

/// Twelve digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The account field of an ARN, empty when there is none.
pub(crate) fn arn_account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or("")
}

/// The resource of an ARN: what follows the fifth colon.
pub(crate) fn arn_resource(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or("")
}

/// The last part of an ARN's resource: a user's name, a session's name.
pub(crate) fn arn_name(arn: &str) -> &str {
    arn_resource(arn).rsplit('/').next().unwrap_or("")
}

impl Principal {
    fn new(kind: PrincipalKind, arn: Arc<str>) -> Principal {
        Principal {
            account: arn_account(&arn).into(),
            kind,
            arn,
            unique_id: None,
            issuer_arn: None,
            service_linked: false,
        }
    }

    /// The root user of an account (partition `aws`).
    pub fn root(account: &str) -> Principal {
        Principal::new(
            PrincipalKind::Root,
            format!("arn:aws:iam::{account}:root").into(),
        )
    }

    /// A user by its ARN; `unique_id` is its `AIDA...`.
    pub fn user(arn: impl Into<Arc<str>>, unique_id: Option<&str>) -> Principal {
        let mut principal = Principal::new(PrincipalKind::User, arn.into());
        principal.unique_id = unique_id.map(Into::into);
        principal
    }

    /// A role's session: the session's ARN (`arn:aws:sts::…:assumed-role/role/session`),
    /// the role's ARN with its path, and the role's `AROA...`.
    pub fn role_session(
        session_arn: impl Into<Arc<str>>,
        role_arn: impl Into<Arc<str>>,
        role_unique_id: Option<&str>,
    ) -> Principal {
        let mut principal = Principal::new(PrincipalKind::RoleSession, session_arn.into());
        let role_arn = role_arn.into();
        principal.service_linked = role_arn.contains(":role/aws-service-role/");
        principal.issuer_arn = Some(role_arn);
        principal.unique_id = role_unique_id.map(Into::into);
        principal
    }

    /// A principal by its ARN: root, user, role session, federated user, or a provider.
    /// `issuer_arn` is the role of a session (without it, a role without a path is
    /// assumed), or the user behind a federated user. A role's own ARN stands for some
    /// session of it. `None` when the ARN is none of these.
    pub fn from_arn(
        arn: &str,
        issuer_arn: Option<&str>,
        unique_id: Option<&str>,
    ) -> Option<Principal> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, partition, _, _, account, name] = parts[..] else {
            return None;
        };
        if name == "root" {
            return Some(Principal::new(PrincipalKind::Root, arn.into()));
        }
        let (kind, name) = name.split_once('/')?;
        if arn_name(arn).is_empty() {
            return None;
        }
        match kind {
            "user" => Some(Principal::user(arn, unique_id)),
            "assumed-role" => {
                let (role, _) = name.split_once('/')?;
                let role = format!("arn:{partition}:iam::{account}:role/{role}");
                let role = issuer_arn.map_or(role, str::to_owned);
                Some(Principal::role_session(arn, role, unique_id))
            }
            "role" => {
                let role = name.rsplit('/').next().unwrap_or_default();
                let session = format!("arn:{partition}:sts::{account}:assumed-role/{role}/session");
                Some(Principal::role_session(session, arn, unique_id))
            }
            "federated-user" => Some(Principal::federated_user(arn, issuer_arn, unique_id)),
            "oidc-provider" => Some(Principal::web_identity(arn)),
            "saml-provider" => Some(Principal::saml(arn)),
            _ => None,
        }
    }

    /// A federated user whom the root user made.
    pub(crate) fn is_federated_root(&self) -> bool {
        let by_root = |arn: &Arc<str>| arn_resource(arn) == "root";
        self.kind == PrincipalKind::FederatedUser && self.issuer_arn.as_ref().is_some_and(by_root)
    }

    /// Whether it is a session of a service-linked role (by the role's path
    /// `/aws-service-role/`): SCPs and RCPs do not apply to it.
    pub fn is_service_linked(&self) -> bool {
        self.service_linked
    }

    /// A federated user (`arn:aws:sts::…:federated-user/name`) and the ARN and unique ID of
    /// the user who called `GetFederationToken`.
    pub fn federated_user(
        arn: impl Into<Arc<str>>,
        user_arn: Option<&str>,
        user_unique_id: Option<&str>,
    ) -> Principal {
        let mut principal = Principal::new(PrincipalKind::FederatedUser, arn.into());
        principal.issuer_arn = user_arn.map(Into::into);
        principal.unique_id = user_unique_id.map(Into::into);
        principal
    }

    /// A service principal, e.g. `ec2.amazonaws.com`.
    pub fn service(name: impl Into<Arc<str>>) -> Principal {
        Principal::new(PrincipalKind::Service, name.into())
    }

    /// An identity of an OIDC provider: the provider's ARN, or a built-in provider's host
    /// name (`accounts.google.com`).
    pub fn web_identity(provider: impl Into<Arc<str>>) -> Principal {
        Principal::new(PrincipalKind::WebIdentity, provider.into())
    }

    /// An identity of a SAML provider, by the provider's ARN.
    pub fn saml(provider: impl Into<Arc<str>>) -> Principal {
        Principal::new(PrincipalKind::Saml, provider.into())
    }

    /// A request without credentials.
    pub fn anonymous() -> Principal {
        Principal::new(PrincipalKind::Anonymous, "anonymous".into())
    }

    /// The kind.
    pub fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// The ARN that messages name.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The account, empty for services and anonymous callers.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The role of a session, the user behind a federated user.
    pub fn issuer_arn(&self) -> Option<&str> {
        self.issuer_arn.as_deref()
    }

    /// `AIDA...` or `AROA...`.
    pub fn unique_id(&self) -> Option<&str> {
        self.unique_id.as_deref()
    }

    /// The condition keys that follow from the principal alone: `aws:PrincipalArn`,
    /// `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:userid`, `aws:username`,
    /// `aws:PrincipalIsAWSService`, `aws:PrincipalServiceName`
    /// (UG reference_policies_condition-keys and the table of principal values in
    /// reference_policies_variables).
    pub fn context(&self) -> Context {
        let context = Context::new();
        match self.kind {
            PrincipalKind::Anonymous => context
                .set("aws:PrincipalAccount", "anonymous")
                .set("aws:PrincipalType", "Anonymous"),
            PrincipalKind::Service => context
                .set("aws:PrincipalIsAWSService", "true")
                .set("aws:PrincipalServiceName", Arc::clone(&self.arn))
                .set_list("aws:PrincipalServiceNamesList", [Arc::clone(&self.arn)]),
            // Not yet a principal of any account: the provider's claims are the context.
            PrincipalKind::WebIdentity | PrincipalKind::Saml => context,
            PrincipalKind::Root => self
                .signed(context, &self.arn, "Account")
                .set("aws:userid", Arc::clone(&self.account)),
            PrincipalKind::User => self
                .signed(context, &self.arn, "User")
                .set("aws:username", arn_name(&self.arn))
                .set_option("aws:userid", self.unique_id.clone()),
            PrincipalKind::RoleSession => {
                let role = self.issuer_arn.as_ref().unwrap_or(&self.arn);
                let userid = self
                    .unique_id
                    .as_ref()
                    .map(|id| format!("{id}:{}", arn_name(&self.arn)));
                self.signed(context, role, "AssumedRole")
                    .set_option("aws:userid", userid)
            }
            PrincipalKind::FederatedUser => self.signed(context, &self.arn, "FederatedUser").set(
                "aws:userid",
                format!("{}:{}", self.account, arn_name(&self.arn)),
            ),
        }
    }

    fn signed(&self, context: Context, arn: &Arc<str>, kind: &str) -> Context {
        context
            .set("aws:PrincipalArn", Arc::clone(arn))
            .set("aws:PrincipalAccount", Arc::clone(&self.account))
            .set("aws:PrincipalType", kind)
            .set("aws:PrincipalIsAWSService", "false")
    }
}
