//! Identities of other providers.

pub mod oidc;
