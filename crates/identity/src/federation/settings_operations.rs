//! `PutProviderSettings` and `GetProviderSettings` of the service `berth`.

use aws_api::berth::{
    ErrorCode, GetProviderSettingsRequest, GetProviderSettingsResponse, ProviderSettings as Shown,
    PutProviderSettingsRequest, PutProviderSettingsResponse, SigningAlgorithm,
};
use jiff::Timestamp;
use store::Conn;
use store::iam::entity::{self, Entity, Kind};
use store::iam::{provider_settings, saml_provider};
use store::{Scope, Topic};

use super::callback::callback_url;
use super::console_settings;
use super::oidc::{Algorithm, Columns, FetchSettings, ProviderSettings};
use crate::{Authorized, Error, Identity};

/// The provider of this ARN in the caller's account, an OIDC or a SAML one.
async fn existing(conn: &mut Conn<'_>, cx: &Authorized, arn: &str) -> Result<Entity, Error> {
    let account = cx.account.as_str();
    for kind in [Kind::OidcProvider, Kind::SamlProvider] {
        let prefix = format!("arn:aws:iam::{account}:{}/", kind.as_str());
        let Some(name) = arn.strip_prefix(&prefix) else {
            continue;
        };
        if let Some(found) = entity::find(conn, account, kind, name).await? {
            return Ok(found);
        }
    }
    Err(Error::new(
        ErrorCode::ProviderNotFound,
        format!("The identity provider {arn} does not exist."),
    ))
}

/// Where people sign in, of metadata that was accepted once. Reads it apart from the server's other work: it may
/// have ten million characters.
async fn sign_on_url(metadata: String) -> Result<Option<String>, Error> {
    let parsed = tokio::task::spawn_blocking(move || saml::Metadata::parse(&metadata));
    let parsed = parsed.await.map_err(Error::internal)?;
    Ok(parsed.map_err(Error::internal)?.sign_on_url)
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorCode::InvalidParameter, message)
}

/// The settings that a request asks for, without those of the console.
fn wanted(kind: Kind, input: PutProviderSettingsRequest) -> Result<ProviderSettings, Error> {
    let single_use_assertions = input.single_use_assertions.unwrap_or(false);
    let algorithms = input.signing_algorithms;
    let algorithms = algorithms.map(|chosen| chosen.iter().filter_map(algorithm).collect());
    let settings = ProviderSettings {
        algorithms,
        claims: input.condition_key_claims.unwrap_or_default(),
        fetch: FetchSettings {
            certificate_authority: input.certificate_authority,
            bearer_token: input.bearer_token.map(|token| token.expose().clone()),
            keys_host: input.keys_host,
            client_certificate: input.client_certificate,
            client_key: input.client_key.map(|key| key.expose().clone()),
        },
        single_use_assertions,
        console: None,
    };
    let of_oidc_alone = ProviderSettings {
        single_use_assertions: false,
        ..settings.clone()
    };
    if kind == Kind::OidcProvider && single_use_assertions {
        return Err(invalid("Only SAML providers have assertions."));
    }
    if kind == Kind::SamlProvider && of_oidc_alone != ProviderSettings::default() {
        return Err(invalid(
            "A SAML provider has no other settings than singleUseAssertions and consoleSignIn.",
        ));
    }
    Ok(settings)
}

/// Refuses settings that have no meaning.
fn check(settings: &ProviderSettings) -> Result<(), Error> {
    if settings.fetch.client_certificate.is_some() != settings.fetch.client_key.is_some() {
        return Err(invalid(
            "clientCertificate and clientKey must be given together.",
        ));
    }
    if settings.fetch.keys_host.is_some() && settings.fetch.bearer_token.is_none() {
        return Err(invalid("keysHost has no meaning without bearerToken."));
    }
    Ok(())
}

fn algorithm(chosen: &SigningAlgorithm) -> Option<Algorithm> {
    Algorithm::from_name(chosen.as_str())
}

fn shown(
    (base, found): (&str, &Entity),
    settings: &ProviderSettings,
    updated_at: Option<i64>,
) -> Shown {
    let arn = found.arn();
    let fetch = &settings.fetch;
    let algorithms = settings.algorithms.as_ref();
    Shown {
        console_sign_in: settings.console.as_ref().map(console_settings::shown),
        console_callback_url: Some(callback_url(base, found.kind, &arn)),
        provider_arn: arn,
        certificate_authority: fetch.certificate_authority.clone(),
        client_certificate: fetch.client_certificate.clone(),
        condition_key_claims: Some(settings.claims.clone()),
        keys_host: fetch.keys_host.clone(),
        has_bearer_token: Some(fetch.bearer_token.is_some()),
        has_client_key: Some(fetch.client_key.is_some()),
        signing_algorithms: algorithms.map(|chosen| {
            let named = chosen.iter().map(|one| match one {
                Algorithm::Rs256 => SigningAlgorithm::Rs256,
                Algorithm::Rs384 => SigningAlgorithm::Rs384,
                Algorithm::Rs512 => SigningAlgorithm::Rs512,
                Algorithm::Es256 => SigningAlgorithm::Es256,
                Algorithm::Es384 => SigningAlgorithm::Es384,
                Algorithm::Es512 => SigningAlgorithm::Es512,
            });
            named.collect()
        }),
        single_use_assertions: Some(settings.single_use_assertions),
        updated_at: updated_at.and_then(|at| Timestamp::from_millisecond(at).ok()),
    }
}

impl Identity {
    /// `PutProviderSettings`: replaces all settings of a provider. `base` is the server's URL.
    ///
    /// # Errors
    /// `ProviderNotFoundException`, `InvalidParameterException`.
    pub async fn put_provider_settings(
        &self,
        cx: &Authorized,
        base: &str,
        mut input: PutProviderSettingsRequest,
    ) -> Result<PutProviderSettingsResponse, Error> {
        let account = cx.account.as_str();
        let keeps_secrets = input.keep_secrets == Some(true);
        let console = input.console_sign_in.take();
        let keeps_client_secret = console
            .as_ref()
            .is_some_and(|console| console.has_client_secret == Some(true));
        if console.is_some() {
            self.read_sign_on_url(cx, &input.provider_arn).await?;
        }
        let mut tx = self.0.store.write(Scope::Account(account)).await?;
        tx.touch(Topic::Account(account));
        let mut conn = tx.conn();
        let found = existing(&mut conn, cx, &input.provider_arn).await?;
        let mut settings = wanted(found.kind, input)?;
        if let Some(wanted) = console {
            settings.console = Some(match found.kind {
                Kind::SamlProvider => {
                    let row = saml_provider::get(&mut conn, found.id).await?;
                    console_settings::of_saml(wanted, row.sign_on_url.is_some())?
                }
                _ => {
                    let columns = Columns::read(&mut conn, found.id).await?;
                    console_settings::of_oidc(wanted, &columns.client_ids)?
                }
            });
        }
        if keeps_secrets || keeps_client_secret {
            let stored = provider_settings::find(&mut conn, found.id).await?;
            let now = match stored {
                None => ProviderSettings::default(),
                Some(stored) => ProviderSettings::open(&self.0.sealer, &stored.sealed).await?,
            };
            console_settings::keep_client_secret(&mut settings, &now)?;
            if keeps_secrets {
                console_settings::keep_fetch_secrets(&mut settings, &now)?;
            }
        }
        check(&settings)?;
        let now = cx.now.as_millisecond();
        let row = provider_settings::ProviderSettings {
            sealed: settings.seal(&self.0.sealer)?,
            updated_at: now,
            is_for_console: settings.console.is_some(),
        };
        provider_settings::put(&mut conn, found.id, &row).await?;
        tx.commit().await?;
        Ok(PutProviderSettingsResponse {
            settings: shown((base, &found), &settings, Some(now)),
        })
    }

    /// Reads where people sign in from the metadata of a SAML provider that was uploaded before that was kept.
    async fn read_sign_on_url(&self, cx: &Authorized, arn: &str) -> Result<(), Error> {
        let (provider, metadata) = {
            let mut read = self.0.store.snapshot().await?;
            let mut conn = read.conn();
            let found = existing(&mut conn, cx, arn).await?;
            if found.kind != Kind::SamlProvider
                || saml_provider::get(&mut conn, found.id)
                    .await?
                    .sign_on_url
                    .is_some()
            {
                return Ok(());
            }
            let metadata = saml_provider::metadata(&mut conn, found.id).await?;
            (found.id, metadata)
        };
        let Some(url) = sign_on_url(metadata).await? else {
            return Ok(());
        };
        let mut tx = self
            .0
            .store
            .write(Scope::Account(cx.account.as_str()))
            .await?;
        saml_provider::set_sign_on_url(&mut tx.conn(), provider, Some(&url)).await?;
        Ok(tx.commit().await?)
    }

    /// `GetProviderSettings`; secrets are not shown. `base` is the server's URL.
    ///
    /// # Errors
    /// `ProviderNotFoundException`.
    pub async fn get_provider_settings(
        &self,
        cx: &Authorized,
        base: &str,
        input: GetProviderSettingsRequest,
    ) -> Result<GetProviderSettingsResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = existing(&mut conn, cx, &input.provider_arn).await?;
        let stored = provider_settings::find(&mut conn, found.id).await?;
        let (settings, updated_at) = match stored {
            None => (ProviderSettings::default(), None),
            Some(stored) => {
                let settings = ProviderSettings::open(&self.0.sealer, &stored.sealed).await?;
                (settings, Some(stored.updated_at))
            }
        };
        Ok(GetProviderSettingsResponse {
            settings: shown((base, &found), &settings, updated_at),
        })
    }
}
