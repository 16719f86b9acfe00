//! OIDC providers as they are stored, and as tokens are checked against them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use aws_api::CommonError;
use aws_types::AccountId;
use store::Conn;
use store::iam::entity::{self, Kind};
use store::iam::{oidc_provider, provider_settings};

use super::settings::ProviderSettings;
use crate::{Error, Identity};

/// An OIDC provider of an account, as a token is checked against it.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Whose it is.
    pub account: AccountId,
    /// Its ARN.
    pub arn: String,
    /// Its id: a provider that is deleted and made again is another one.
    pub unique_id: String,
    /// Its URL without the scheme, as it was created.
    pub name: String,
    /// The audiences that it accepts.
    pub client_ids: Vec<String>,
    /// SHA-1 digests of certificates that its server's certificate may be signed by.
    pub thumbprints: Vec<String>,
    /// What AWS has no field for.
    pub settings: ProviderSettings,
}

pub(super) const SCHEME: &str = "https://";

impl Provider {
    /// The issuer, as tokens name it.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{SCHEME}{}", self.name)
    }

    /// Differs where its documents are to be fetched in another way.
    #[must_use]
    pub fn fetch_revision(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.thumbprints, &self.settings.fetch).hash(&mut hasher);
        hasher.finish()
    }
}

/// A provider's own columns, read.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) client_ids: Vec<String>,
    pub(crate) thumbprints: Vec<String>,
}

impl Columns {
    pub(crate) async fn read(conn: &mut Conn<'_>, entity: i64) -> Result<Columns, Error> {
        let row = oidc_provider::find(conn, entity).await?;
        let row = row.ok_or_else(|| Error::internal("an OIDC provider without its columns"))?;
        let list = |text: &str| serde_json::from_str(text).map_err(Error::internal);
        Ok(Columns {
            client_ids: list(&row.client_ids)?,
            thumbprints: list(&row.thumbprints)?,
        })
    }

    pub(crate) fn row(&self) -> Result<oidc_provider::OidcProvider, Error> {
        let text = |list: &[String]| serde_json::to_string(list).map_err(Error::internal);
        Ok(oidc_provider::OidcProvider {
            client_ids: text(&self.client_ids)?,
            thumbprints: text(&self.thumbprints)?,
        })
    }
}

/// The name of the provider with this URL: the URL without its scheme, otherwise unchanged, since the
/// case of letters and a slash at the end count (O1).
///
/// # Errors
/// `ValidationError` for a URL that no issuer can have.
pub fn provider_name(url: &str) -> Result<&str, Error> {
    let invalid = || {
        let message = "Invalid Open ID Connect Provider URL";
        Error::new(CommonError::Validation, message)
    };
    let name = url.strip_prefix(SCHEME).ok_or_else(invalid)?;
    let authority = name.split('/').next().unwrap_or_default();
    // An IPv6 address stands in brackets, and its colons begin no port.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_port = |port: &str| !port.starts_with('+') && port.parse::<u16>().is_ok();
    let host_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    // RFC 3986, 3.3: no query, no fragment; no user name in front.
    let path_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/".contains(&byte);
    let is_valid = !host.is_empty()
        && host.bytes().all(host_byte)
        && port.is_none_or(is_port)
        && name[authority.len()..].bytes().all(path_byte);
    match is_valid && !is_key_prefix(host) {
        true => Ok(name),
        false => Err(invalid()),
    }
}

/// Whether condition keys of a service begin with this word: claims of a provider `https://aws` would
/// be keys such as `aws:PrincipalArn`.
fn is_key_prefix(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "aws" || host == "saml" || aws_api::authorization::service(&host).is_some()
}

impl Identity {
    /// The account's OIDC provider of this name. The database is asked each time: a provider that is
    /// removed gives no new session.
    ///
    /// # Errors
    /// The database's.
    pub async fn oidc_provider(
        &self,
        account: AccountId,
        name: &str,
    ) -> Result<Option<Provider>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = entity::find(&mut conn, account.as_str(), Kind::OidcProvider, name).await?;
        let Some(found) = found else {
            return Ok(None);
        };
        let columns = Columns::read(&mut conn, found.id).await?;
        let stored = provider_settings::find(&mut conn, found.id).await?;
        let settings = match stored {
            None => ProviderSettings::default(),
            Some(stored) => ProviderSettings::open(&self.0.sealer, &stored.sealed).await?,
        };
        Ok(Some(Provider {
            account,
            arn: found.arn(),
            unique_id: found.unique_id,
            name: found.name,
            client_ids: columns.client_ids,
            thumbprints: columns.thumbprints,
            settings,
        }))
    }
}
