//! The console's addresses that identity providers send browsers back to.

use aws_lc_rs::digest::{SHA256, digest};
use aws_types::hex;

use store::iam::entity::Kind;

/// The path of the addresses, below the server's URL.
const PATH: &str = "/console/federation";
/// Bytes of a digest that tell providers apart.
const KEY_BYTES: usize = 16;

/// What tells an OIDC provider's redirect URI from others: each provider has one of its own, so that a provider
/// that sends browsers on to another one never gets the other one's codes (RFC 9700, section 4.4). It follows from
/// the ARN alone, so it can be registered before the provider is created here.
#[must_use]
pub fn provider_key(provider_arn: &str) -> String {
    hex::encode(&digest(&SHA256, provider_arn.as_bytes()).as_ref()[..KEY_BYTES])
}

/// The redirect URI of an OIDC provider.
#[must_use]
pub fn redirect_uri(base: &str, provider_arn: &str) -> String {
    format!("{base}{PATH}/oidc/{}", provider_key(provider_arn))
}

/// The assertion consumer service, which is also the console's entity id.
#[must_use]
pub fn consumer_url(base: &str) -> String {
    format!("{base}{PATH}/saml")
}

/// The address of a provider.
pub(super) fn callback_url(base: &str, kind: Kind, provider_arn: &str) -> String {
    match kind {
        Kind::SamlProvider => consumer_url(base),
        _ => redirect_uri(base, provider_arn),
    }
}
