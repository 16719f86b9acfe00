//! OpenID Connect: tokens of web identities.
//!
//! A token is split ([`jws`](self::Jws)), its provider is looked up by the issuer that it claims, the
//! provider's keys verify its signature ([`KeySet`]), and only then its claims count
//! ([`Presented::verify`]). What comes out is a [`WebIdentity`]; what it may do is decided by the role's
//! trust policy, in the authorization step.
//!
//! Nothing here reads a clock or the network: times are passed in, and documents are fetched through
//! [`FetchKeys`].

mod claims;
mod condition_keys;
mod jwks;
mod jws;
mod key_cache;
mod provider;
mod settings;
mod unique_json;
mod verify;

pub use claims::{ClaimError, Claims};
pub use condition_keys::Value;
pub use jwks::{KEYS_OF_TYPE_MAX, KeyError, KeySet, NotAKeySet};
pub use jws::{Algorithm, Jws, Malformed, TOKEN_BYTES_MAX};
pub use key_cache::{FetchKeys, KeyCache};
pub(crate) use provider::Columns;
pub use provider::{Provider, provider_name};
pub use settings::{ConsoleSignIn, FetchSettings, ProviderSettings};
pub use verify::{Presented, Verified, WebIdentity};
