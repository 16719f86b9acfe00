//! Accounts, users, groups, roles, policies, access keys and sessions: IAM and STS
//! without HTTP. (Skeleton; the operations of `iam` and `sts` follow.)

mod caller;
mod entropy;
mod error;
mod facts;
mod identity;
mod sealer;
mod session;
mod settings;

pub use caller::{Call, Caller, CallerKind, Key, PrincipalRef, SessionInfo};
pub use entropy::{Entropy, SystemEntropy};
pub use error::{AuthError, Error};
pub use facts::{EntityFacts, EntityRef, RoleFacts};
pub use identity::{Identity, RootCredentials};
pub use sealer::{MasterKey, SealError, Sealer, TOKEN_CHARS_MAX};
pub use settings::Settings;
