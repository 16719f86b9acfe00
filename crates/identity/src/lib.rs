//! Accounts, users, groups, roles, policies, access keys and sessions: IAM and STS
//! without HTTP.

mod accounts;
mod authenticate;
mod caller;
mod documents;
mod entropy;
mod error;
mod facts;
mod iam;
mod identity;
mod ids;
mod last_used;
mod managed;
mod paging;
mod registry_password;
mod sealer;
mod session;
mod settings;
mod sts;
mod words;

pub use accounts::RootCredentials;
pub use caller::{Call, Caller, CallerKind, Key, PrincipalRef, SessionInfo};
pub use entropy::{Entropy, SystemEntropy};
pub use error::{AuthError, Error};
pub use facts::{EntityFacts, EntityRef, RoleFacts};
pub use identity::Identity;
pub use sealer::{MasterKey, SealError, Sealer, TOKEN_CHARS_MAX};
pub use settings::Settings;
