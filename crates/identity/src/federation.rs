//! Identity providers: those that Berth trusts ([`oidc`]), and accounts as issuers of tokens of their own.

pub mod oidc;
mod outbound;
mod outbound_keys;
mod settings_operations;

pub use outbound::KEY_SET_MAX_AGE;
