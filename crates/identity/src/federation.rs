//! Identity providers: those that Berth trusts ([`oidc`]), and accounts as issuers of tokens of their own.

mod callback;
mod console_settings;
pub mod oidc;
mod outbound;
mod outbound_keys;
mod settings_operations;

pub use callback::{consumer_url, provider_key, redirect_uri};
pub use outbound::KEY_SET_MAX_AGE;
