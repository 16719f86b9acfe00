//! Which credentials may call an operation at all, before any policy is asked.

use crate::{Caller, CallerKind};

/// Which kinds of credentials may call an operation, whatever their policies say. Long-term keys
/// may call every one that takes a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionScope {
    /// Sessions of `GetSessionToken`.
    user_sessions: UserSessions,
    /// Sessions of users and of root in the web console.
    console_sessions: bool,
    /// Sessions of `GetFederationToken`.
    federated_users: bool,
    /// Sessions of roles.
    role_sessions: bool,
    /// Callers that proved themselves by the operation's input, and no others.
    by_input: bool,
    refusal: Refusal,
}

/// Whether sessions of `GetSessionToken` may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UserSessions {
    Never,
    /// Those that were made with a code of an MFA device.
    WithMfa,
    Always,
}

/// How a call outside the scope is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    InvalidToken,
    AccessDenied,
}

/// A call that its credentials may never make.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionRefused {
    /// IAM: "The security token included in the request is invalid".
    #[error("The security token included in the request is invalid")]
    InvalidClientTokenId,
    /// STS: access is denied, naming the operation.
    #[error("Cannot call {0} with session credentials")]
    CannotCall(&'static str),
}

/// Whether the caller is a root session of `AssumeRoot` (IAM User Guide, "AWS global condition context
/// keys", `aws:AssumedRoot`).
fn is_assumed_root(caller: &Caller) -> bool {
    let key = caller.context.get("aws:AssumedRoot");
    matches!(key, Some(policy::ContextValue::One(value)) if **value == *"true")
}

impl SessionScope {
    /// Every kind of credentials.
    pub const ANY: SessionScope = SessionScope {
        user_sessions: UserSessions::Always,
        console_sessions: true,
        federated_users: true,
        role_sessions: true,
        by_input: false,
        refusal: Refusal::AccessDenied,
    };

    /// Operations whose input proves the caller: a token of an identity provider, a host's key. A
    /// signature proves nothing there, and such a caller may call nothing else.
    pub const BY_INPUT: SessionScope = SessionScope {
        by_input: true,
        ..SessionScope::ANY
    };

    /// IAM's operations: sessions of `GetSessionToken` need MFA for them, federated users cannot
    /// call them (STS API Reference, GetSessionToken and GetFederationToken, "Permissions").
    pub const IAM: SessionScope = SessionScope {
        user_sessions: UserSessions::WithMfa,
        console_sessions: true,
        federated_users: false,
        role_sessions: true,
        by_input: false,
        refusal: Refusal::InvalidToken,
    };

    /// STS's operations where the API Reference's two pages make no exception.
    pub const STS: SessionScope = SessionScope {
        user_sessions: UserSessions::Never,
        refusal: Refusal::AccessDenied,
        ..SessionScope::IAM
    };

    /// `AssumeRole`: all but federated users.
    pub const ASSUME_ROLE: SessionScope = SessionScope {
        user_sessions: UserSessions::Always,
        ..SessionScope::STS
    };

    /// `GetSessionToken` and `GetFederationToken`: long-term keys alone (IAM User Guide,
    /// "Comparing the AWS STS API operations").
    pub const LONG_TERM_KEYS: SessionScope = SessionScope {
        console_sessions: false,
        role_sessions: false,
        ..SessionScope::STS
    };

    /// Checks that the caller's credentials may call `operation`.
    ///
    /// # Errors
    /// [`SessionRefused`], in the form of the operation's service.
    pub fn check(self, caller: &Caller, operation: &'static str) -> Result<(), SessionRefused> {
        let allowed = match (&caller.kind, &caller.session_info) {
            (CallerKind::ProviderIdentity { .. } | CallerKind::Host { .. }, _) => self.by_input,
            _ if self.by_input => false,
            (CallerKind::Root | CallerKind::User { .. }, None) => true,
            // Of `AssumeRoot`: its task's policy denies the rest.
            (CallerKind::Root, Some(_)) if is_assumed_root(caller) => self.role_sessions,
            (CallerKind::Root | CallerKind::User { .. }, Some(session)) if session.is_console => {
                self.console_sessions
            }
            (CallerKind::Root | CallerKind::User { .. }, Some(session)) => {
                match self.user_sessions {
                    UserSessions::Never => false,
                    UserSessions::WithMfa => session.mfa_at.is_some(),
                    UserSessions::Always => true,
                }
            }
            (CallerKind::FederatedUser { .. }, _) => self.federated_users,
            (CallerKind::RoleSession { .. } | CallerKind::Service { .. }, _) => self.role_sessions,
        };
        match (allowed, self.refusal) {
            (true, _) => Ok(()),
            (false, Refusal::InvalidToken) => Err(SessionRefused::InvalidClientTokenId),
            (false, Refusal::AccessDenied) => Err(SessionRefused::CannotCall(operation)),
        }
    }
}

/// The credentials that may call, as `docs/api-coverage.md` lists them.
impl std::fmt::Display for SessionScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.by_input {
            return f.write_str("none: the input proves the caller");
        }
        let user_sessions = match self.user_sessions {
            UserSessions::Never => "",
            UserSessions::WithMfa => ", user sessions with MFA",
            UserSessions::Always => ", user sessions",
        };
        write!(f, "keys{user_sessions}")?;
        for (allowed, name) in [
            (self.federated_users, "federated users"),
            (self.role_sessions, "role sessions"),
        ] {
            if allowed {
                write!(f, ", {name}")?;
            }
        }
        Ok(())
    }
}
