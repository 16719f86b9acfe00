//! What an OIDC provider can be told beyond AWS's fields.

use serde::{Deserialize, Serialize};

use super::jws::Algorithm;
use crate::{Error, Sealer};

/// What the documents are sealed for.
const PURPOSE: &str = "provider-settings";

/// Settings of an identity provider; the default is what AWS does. Sealed as JSON, since they may hold
/// credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSettings {
    /// The only algorithms that tokens may be signed with; `None`: all that AWS accepts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithms: Option<Vec<Algorithm>>,
    /// Claims that become condition keys besides those that AWS knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<String>,
    /// How the documents of a closed issuer are fetched.
    #[serde(default)]
    pub fetch: FetchSettings,
    /// Of a SAML provider: an assertion may be used once.
    #[serde(default)]
    pub single_use_assertions: bool,
    /// How people sign in to the console through the provider; none where they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<ConsoleSignIn>,
}

/// How people sign in to the console through a provider.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleSignIn {
    /// The provider's name on the sign-in page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The console's client id; empty for a SAML provider.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_id: String,
    /// The client's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// What is asked for besides `openid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

impl std::fmt::Debug for ConsoleSignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsoleSignIn").finish_non_exhaustive()
    }
}

/// How an issuer's documents are fetched.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FetchSettings {
    /// Certificates, in PEM, that the server's certificate may be signed by besides the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authority: Option<String>,
    /// Sent as `Authorization: Bearer` to the issuer and to `keys_host`, and nowhere else: who writes the
    /// discovery document must not choose who gets the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer_token: Option<String>,
    /// A host, with a port unless that is 443, that the discovery document may name for the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_host: Option<String>,
    /// The certificate chain, in PEM, that is presented to these hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
    /// Its private key, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<String>,
}

impl std::fmt::Debug for FetchSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FetchSettings").finish_non_exhaustive()
    }
}

impl ProviderSettings {
    /// The sealed form.
    pub(crate) fn seal(&self, sealer: &Sealer) -> Result<Vec<u8>, Error> {
        let document = serde_json::to_vec(self).map_err(Error::internal)?;
        sealer.seal_bytes(PURPOSE, &zeroize::Zeroizing::new(document))
    }

    /// Reads the sealed form.
    pub(crate) async fn open(sealer: &Sealer, sealed: &[u8]) -> Result<ProviderSettings, Error> {
        let document = sealer.open_bytes(PURPOSE, sealed).await;
        let document = document.map_err(Error::internal)?;
        serde_json::from_slice(&document).map_err(Error::internal)
    }
}
