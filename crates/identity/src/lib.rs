//! Accounts, users, groups, roles, policies, access keys and sessions: IAM and STS
//! without HTTP.
//!
//! The example has account `111122223333`; its root user; `ana`, who has no
//! permission; the role `ci`, which trusts her.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # use std::sync::Arc;
//! # let dir = tempfile::tempdir().unwrap();
//! # let url = format!("sqlite:{}", dir.path().join("doc.db").display());
//! # let now: jiff::Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
//! use aws_api::{iam, sts};
//! use aws_types::SystemEntropy;
//! use identity::{Identity, MasterKey, Sealer, Settings};
//!
//! // The parts are passed in: the database, the master key, randomness, the time.
//! let store = store::Store::open(&url).await.unwrap();
//! let entropy = Arc::new(SystemEntropy);
//! let master = MasterKey::generate(&*entropy)?;
//! let sealer = Sealer::load(store.clone(), &master, entropy.clone(), now).await?;
//! let identity = Identity::open(store, sealer, entropy, Settings::default())?;
//! let account = "111122223333".parse().unwrap();
//! let start = authz::ServiceName::FirstStart;
//! let root = identity.create_account(start, account, "demo", None, now).await?;
//!
//! // A request begins with a credential. `find_key` gives the secret to check the
//! // signature with, `caller` says who that is *now* and what its policies are.
//! let call = async |id: &str, token: Option<&str>| {
//!     let key = identity.find_key(id, token).await.unwrap();
//!     let caller = identity.caller(&key.principal, now).await.unwrap();
//!     # authz::testing::authorized(authz::RequestContext { now, ..authz::testing::context(caller) })
//! };
//! let root = call(&root.access_key_id, None).await;
//!
//! // An operation takes the proof that the caller was allowed, which only the authorization
//! // step makes, and the generated request. It returns the generated response.
//! let user = iam::CreateUserRequest { user_name: "ana".into(), ..Default::default() };
//! identity.create_user(&root, user).await?;
//! let key = iam::CreateAccessKeyRequest { user_name: Some("ana".into()) };
//! let key = identity.create_access_key(&root, key).await?.access_key;
//! let role = iam::CreateRoleRequest {
//!     role_name: "ci".into(),
//!     assume_role_policy_document: r#"{"Version": "2012-10-17", "Statement": {
//!         "Effect": "Allow", "Action": "sts:AssumeRole",
//!         "Principal": {"AWS": "arn:aws:iam::111122223333:user/ana"}}}"#.into(),
//!     ..Default::default()
//! };
//! let role = identity.create_role(&root, role).await?.role;
//!
//! // A session is sealed into its token; nothing of it is stored.
//! let ana = call(&key.access_key_id, None).await;
//! let input = sts::AssumeRoleRequest {
//!     role_arn: role.arn,
//!     role_session_name: "build-7".into(),
//!     ..Default::default()
//! };
//! let session = identity.assume_role(&ana, input).await?.credentials.unwrap();
//! let job = call(&session.access_key_id, Some(session.session_token.expose())).await;
//! assert_eq!(&*job.caller.arn, "arn:aws:sts::111122223333:assumed-role/ci/build-7");
//!
//! // Deleted is deleted: the token still opens, the role behind it is gone.
//! let role = iam::DeleteRoleRequest { role_name: "ci".into() };
//! identity.delete_role(&root, role).await?;
//! assert!(identity.caller(job.caller.credential.get().unwrap(), now).await.is_err());
//! # Ok::<(), identity::Error>(()) }).unwrap();
//! ```
//!
//! # Modules
//! - `authenticate`: the hot path, from a credential to a [`Caller`], without SQL when warm.
//! - `session`, `sealer`, `registry_password`: what is sealed instead of stored.
//! - `hosts`: hosts with a role, of the service `berth`; `denials`: its explanations.
//! - `federation`: tokens of identity providers, and the keys that verify them.
//! - `iam` and `sts`: the operations, one file a resource; `messages` has AWS's sentences.
//! - `organizations`: AWS Organizations, and what it imposes on accounts at every request.
//! - `policy_cache`: parsed policies, and principals pinned to unique ids; `managed`: AWS's own.
//! - `authz_lookup`: what the authorization step asks of entities.
//! - `mfa`: virtual MFA devices, and what their codes prove.
//! - `passwords`: Argon2id, what an account demands, and sign-in.
//! - `console`: sign-ins to the web console, and its sessions.
//! - `last_used`: noted in memory, written in batches.
//!
//! # The promise
//! A change is seen by this node's next request and by other nodes when they poll
//! ([`store::Store::poll_changes`]). A check and the write that relies on it are one
//! transaction, so no quota is exceeded and nothing is deleted from under what depends on
//! it. Secrets are sealed at rest and never printed. A user or role that is deleted and
//! made anew is another one: nothing that named the first holds for the second.
//!
//! # What is absent
//! No HTTP, no SQL, no clock, and no decision: this crate says what a caller's policies
//! are, never whether they suffice.

mod access_analyzer;
mod accounts;
mod allowed_principals;
mod authenticate;
mod authz_lookup;
mod caches;
mod caller;
mod console;
mod console_end;
mod controls_cache;
mod denial_notes;
mod denials;
mod error;
pub mod federation;
mod hashing;
mod hosts;
mod iam;
mod identity;
mod ids;
mod last_used;
mod last_used_notes;
mod managed;
mod messages;
mod mfa;
mod organizations;
mod paging;
mod passwords;
mod pinning;
mod policy_cache;
pub mod proposals;
mod quotas;
mod registry_password;
mod registry_token;
mod sealer;
mod session;
mod settings;
mod sts;

pub use accounts::{Recovered, Recovery, RootCredentials};
pub use authz::{Authorized, Caller, CallerKind, SessionInfo};
pub use authz_lookup::{EntityFacts, EntityRef, RoleFacts};
pub use caller::{Key, PrincipalRef};
pub use console::federated::{
    PendingSignIn, ProviderAnswer, ProviderKind, RoleChoice, SignInProvider, session_name,
};
pub use console::sessions::{ConsoleAnswer, ConsoleCredentials, ConsoleSession, RoleBadge};
pub use console::sign_in::{PasswordSignIn, ProvenSignIn, SignInOutcome, SignInSubject};
pub use error::{AuthError, Code, Error};
pub use iam::{SamlProvider, SimulationTrace, TracedPolicy, TracedStatement};
pub use identity::Identity;
pub use organizations::{AccountControls, CREATE_ACCOUNT_JOB, OrganizationFacts, Organizations};
pub use passwords::rules::PasswordState;
pub use pinning::PinnedPrincipal;
pub use quotas::{AccountQuota, Quota};
pub use registry_token::{RegistryCredential, RepositoryScope, ScopeAction, TokenScope};
pub use sealer::{MasterKey, SealError, Sealer, TOKEN_CHARS_MAX};
pub use settings::Settings;
pub use sts::{
    ProvedClaims, SamlEndpoints, SamlIdentity, VerifiedAssertion, proved_claims, saml_caller,
    web_identity_caller,
};
