//! What a token or an assertion brings for the session beside the identity: the audit log shows it.

use super::saml::SamlIdentity;
use crate::Caller;
use crate::federation::oidc::WebIdentity;

/// What an identity provider set for the session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProvedClaims<'a> {
    /// The id of a SAML assertion.
    pub assertion_id: Option<&'a str>,
    /// The session's name, where the provider chooses it.
    pub role_session_name: Option<&'a str>,
    /// The source identity.
    pub source_identity: Option<&'a str>,
    /// Session tags: keys and values.
    pub tags: Vec<(&'a str, &'a str)>,
    /// The keys of the tags that are passed on through role chaining.
    pub transitive_tag_keys: Vec<&'a str>,
}

/// What the provider of the caller set, where the caller is an identity of a provider.
#[must_use]
pub fn proved_claims(caller: &Caller) -> Option<ProvedClaims<'_>> {
    if let Some(identity) = caller.credential.get::<SamlIdentity>() {
        return Some(identity.proved_claims());
    }
    let identity = caller.credential.get::<WebIdentity>()?;
    let tags = identity.tags.iter();
    let transitive = tags.clone().filter(|(_, _, passes_on)| *passes_on);
    Some(ProvedClaims {
        source_identity: identity.source_identity.as_deref(),
        tags: tags.map(|(key, value, _)| (&**key, &**value)).collect(),
        transitive_tag_keys: transitive.map(|(key, _, _)| &**key).collect(),
        ..ProvedClaims::default()
    })
}
