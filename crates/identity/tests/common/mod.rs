//! A small language for the stories of these tests: an account, callers by key or by
//! session, a clock that is moved, decisions.

#![allow(clippy::unwrap_used, dead_code)]

use std::sync::Arc;

use authz::ServiceName;
use aws_api::{iam, sts};
use aws_types::AccountId;
use aws_types::SystemEntropy;
use identity::{
    AuthError, Authorized, Caller, Error, Identity, MasterKey, RoleFacts, Sealer, Settings,
};
use jiff::{SignedDuration, Timestamp};
use policy::{ApplicablePolicies, Context, Request};
use store::testing::TestStore;

pub const ACCOUNT: &str = "111122223333";
pub const OTHER_ACCOUNT: &str = "444455556666";

pub struct World {
    pub identity: Identity,
    pub master: MasterKey,
    pub now: Timestamp,
}

/// What a client holds: the id, the secret, and for a session its token.
#[derive(Clone)]
pub struct Credentials {
    pub id: String,
    pub secret: String,
    pub token: Option<String>,
}

impl World {
    pub async fn new(t: &TestStore) -> World {
        World::with(t, Settings::default()).await
    }

    pub async fn with(t: &TestStore, settings: Settings) -> World {
        let entropy = Arc::new(SystemEntropy);
        let master = MasterKey::generate(&*entropy).unwrap();
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let sealer = Sealer::load(t.store.clone(), &master, entropy.clone(), now)
            .await
            .unwrap();
        let identity = Identity::open(t.store.clone(), sealer, entropy, settings).unwrap();
        World {
            identity,
            master,
            now,
        }
    }

    pub fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// The root user's credentials; the account is made where it is missing.
    pub async fn account(&self, id: &str) -> Credentials {
        let id: AccountId = id.parse().unwrap();
        let root = self
            .identity
            .create_account(ServiceName::FirstStart, id, "test", None, self.now)
            .await
            .unwrap();
        Credentials {
            id: root.access_key_id,
            secret: root.secret.expose().clone(),
            token: None,
        }
    }

    pub async fn root(&self) -> Authorized {
        let credentials = self.account(ACCOUNT).await;
        self.call(&credentials).await.unwrap()
    }

    /// The same caller at the world's time.
    pub async fn root_again(&self, cx: &Authorized) -> Authorized {
        self.call_as(Arc::clone(&cx.caller))
    }

    /// As a request does it: find the key, look the principal up.
    pub async fn call(&self, credentials: &Credentials) -> Result<Authorized, AuthError> {
        let token = credentials.token.as_deref();
        let key = self.identity.find_key(&credentials.id, token).await?;
        let caller = self.identity.caller(&key.principal, self.now).await?;
        Ok(self.call_as(caller))
    }

    pub fn call_as(&self, caller: Arc<Caller>) -> Authorized {
        let mut context = authz::testing::context(caller);
        context.now = self.now;
        authz::testing::authorized(context)
    }

    /// A user with a key.
    pub async fn user(&self, cx: &Authorized, name: &str) -> Credentials {
        let input = iam::CreateUserRequest {
            user_name: name.to_owned(),
            ..Default::default()
        };
        self.identity.create_user(cx, input).await.unwrap();
        self.key(cx, name).await.unwrap()
    }

    pub async fn key(&self, cx: &Authorized, user: &str) -> Result<Credentials, Error> {
        let input = iam::CreateAccessKeyRequest {
            user_name: Some(user.to_owned()),
        };
        let key = self.identity.create_access_key(cx, input).await?.access_key;
        Ok(Credentials {
            id: key.access_key_id,
            secret: key.secret_access_key.expose().clone(),
            token: None,
        })
    }

    pub async fn create_role(
        &self,
        cx: &Authorized,
        name: &str,
        trusted: &str,
    ) -> Result<iam::Role, Error> {
        let input = iam::CreateRoleRequest {
            role_name: name.to_owned(),
            assume_role_policy_document: trust(trusted),
            ..Default::default()
        };
        Ok(self.identity.create_role(cx, input).await?.role)
    }

    pub async fn put_user_policy(&self, cx: &Authorized, user: &str, document: &str) {
        let input = iam::PutUserPolicyRequest {
            user_name: user.to_owned(),
            policy_name: "inline".to_owned(),
            policy_document: document.to_owned(),
        };
        self.identity.put_user_policy(cx, input).await.unwrap();
    }

    pub async fn put_role_policy(&self, cx: &Authorized, role: &str, document: &str) {
        let input = iam::PutRolePolicyRequest {
            role_name: role.to_owned(),
            policy_name: "inline".to_owned(),
            policy_document: document.to_owned(),
        };
        self.identity.put_role_policy(cx, input).await.unwrap();
    }

    pub async fn assume(
        &self,
        cx: &Authorized,
        input: sts::AssumeRoleRequest,
    ) -> Result<Credentials, Error> {
        let answer = self.identity.assume_role(cx, input).await?;
        let credentials = answer.credentials.unwrap();
        Ok(Credentials {
            id: credentials.access_key_id,
            secret: credentials.secret_access_key.expose().clone(),
            token: Some(credentials.session_token.expose().clone()),
        })
    }
}

pub fn assume(role: &str) -> sts::AssumeRoleRequest {
    sts::AssumeRoleRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/{role}"),
        role_session_name: "job".to_owned(),
        ..Default::default()
    }
}

pub fn trust(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}]}}"#
    )
}

pub fn allow(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#
    )
}

pub fn deny(action: &str) -> String {
    allow(action).replace("Allow", "Deny")
}

/// Whether the caller may, as the authorization step decides it.
pub fn may(cx: &Authorized, action: &str) -> bool {
    let resource = format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app");
    decide(cx, action, &resource, None, Context::new())
}

/// The same on a resource.
pub fn may_on(cx: &Authorized, action: &str, resource: &str) -> bool {
    decide(cx, action, resource, None, Context::new())
}

/// Whether the caller may assume the role, with further condition keys.
pub fn may_assume(cx: &Authorized, role: &RoleFacts, context: Context) -> bool {
    decide(cx, "sts:AssumeRole", &role.arn, Some(role), context)
}

fn decide(
    cx: &Authorized,
    action: &str,
    resource: &str,
    role: Option<&RoleFacts>,
    context: Context,
) -> bool {
    let caller = &cx.caller;
    let context = Context::layered(&caller.context, context);
    let account = role.map(|role| role.account);
    let request = Request {
        principal: &caller.principal,
        action,
        resource,
        resource_account: account.as_ref().map(|account| account.as_str()),
        context: &context,
    };
    let applicable = ApplicablePolicies {
        identity: Some(&caller.identity),
        boundary: caller.boundary.as_deref(),
        session: caller.session.as_deref(),
        resource: role.map(|role| &*role.trust),
        ..ApplicablePolicies::default()
    };
    policy::decide(&request, &applicable).is_allowed()
}

/// The error's code and message.
pub fn said<T: std::fmt::Debug>(result: Result<T, Error>) -> (String, String) {
    let error = result.unwrap_err();
    (error.code().as_str().to_owned(), error.to_string())
}

pub fn invalid<T>(result: Result<T, AuthError>) -> bool {
    matches!(result, Err(AuthError::InvalidClientTokenId))
}

pub fn expired<T>(result: Result<T, AuthError>) -> bool {
    matches!(result, Err(AuthError::ExpiredToken))
}
