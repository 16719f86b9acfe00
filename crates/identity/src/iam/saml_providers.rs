//! SAML providers (IAM User Guide, "Create a SAML identity provider in IAM"). The texts of refusals are
//! those of "Troubleshoot SAML federation with IAM"; which code each has is said there for none of
//! IAM's, so `InvalidInput` is a choice.

use aws_api::iam::{
    AssertionEncryptionModeType, CreateSAMLProviderRequest, CreateSAMLProviderResponse,
    DeleteSAMLProviderRequest, ErrorCode, GetSAMLProviderRequest, GetSAMLProviderResponse,
    ListSAMLProvidersRequest, ListSAMLProvidersResponse, SAMLPrivateKey, SAMLProviderListEntry,
    UpdateSAMLProviderRequest, UpdateSAMLProviderResponse,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use saml::{DecryptionKey, Metadata, SigningKey};
use store::Conn;
use store::iam::entity::{self, Entity, Kind};
use store::iam::provider_settings;
use store::iam::saml_provider::{self, PrivateKey, SamlProvider as Row};

use super::{Wanted, commit, time, views};
use crate::federation::oidc::{ConsoleSignIn, ProviderSettings};
use crate::policy_cache::entity_by_arn;
use crate::quotas::Quota;
use crate::{Authorized, Error, Identity, ids};

/// Private keys of a provider (S2).
const PRIVATE_KEYS_MAX: usize = 2;
/// `ValidUntil` is so many years after the creation (S1; AWS CLI Reference, `get-saml-provider`).
const VALID_YEARS: i16 = 100;
/// What private keys are sealed for.
const PRIVATE_KEY: &str = "saml-private-key";
/// The value of `AssertionEncryptionMode` that refuses assertions in the clear.
const REQUIRED: &str = "Required";

fn invalid(message: &str) -> Error {
    Error::new(ErrorCode::InvalidInput, message)
}

/// Recorded: LocalStack, test_get_saml_provider_not_found.
fn not_found(arn: &str) -> Error {
    let message = format!("Manifest not found for arn {arn}");
    Error::new(ErrorCode::NoSuchEntity, message)
}

/// The account's provider of this ARN.
pub(super) async fn existing(
    conn: &mut Conn<'_>,
    cx: &Authorized,
    arn: &str,
) -> Result<Entity, Error> {
    let found = entity_by_arn(conn, arn).await?;
    found
        .filter(|found| found.kind == Kind::SamlProvider && found.account == cx.account.as_str())
        .ok_or_else(|| not_found(arn))
}

/// What is stored of metadata beside its text.
struct Parsed {
    issuer: String,
    signing_keys: String,
    sign_on_url: Option<String>,
}

impl Parsed {
    /// Reads metadata apart from the server's other work: it may have ten million characters.
    async fn of(metadata: String) -> Result<(Parsed, String), Error> {
        let parsed = tokio::task::spawn_blocking(move || (Metadata::parse(&metadata), metadata));
        let (parsed, metadata) = parsed.await.map_err(Error::internal)?;
        let parsed = parsed.map_err(|error| {
            tracing::info!(%error, "metadata is refused");
            invalid("Could not parse metadata")
        })?;
        let keys: Vec<String> = parsed
            .signing_keys
            .iter()
            .map(|key| STANDARD.encode(key.as_der()))
            .collect();
        let parsed = Parsed {
            issuer: parsed.entity_id,
            signing_keys: serde_json::to_string(&keys).map_err(Error::internal)?,
            sign_on_url: parsed.sign_on_url,
        };
        Ok((parsed, metadata))
    }
}

fn valid_until(created: i64) -> Option<Timestamp> {
    let zoned = time(created).to_zoned(jiff::tz::TimeZone::UTC);
    let until = zoned.checked_add(jiff::Span::new().years(VALID_YEARS));
    until.ok().map(|until| until.timestamp())
}

impl Identity {
    /// A private key in its stored form.
    fn sealed_private_key(&self, cx: &Authorized, pem: &str) -> Result<PrivateKey, Error> {
        DecryptionKey::from_pem(pem).map_err(|error| invalid(&error.to_string()))?;
        Ok(PrivateKey {
            key_id: ids::saml_id("SAMLPK", &*self.0.entropy)?,
            sealed: self.0.sealer.seal_bytes(PRIVATE_KEY, pem.as_bytes())?,
            uploaded_at: cx.now.as_millisecond(),
        })
    }

    /// `CreateSAMLProvider`.
    ///
    /// # Errors
    /// `InvalidInput` for metadata, keys and modes; `EntityAlreadyExists`, `LimitExceeded`.
    pub async fn create_saml_provider(
        &self,
        cx: &Authorized,
        input: CreateSAMLProviderRequest,
    ) -> Result<CreateSAMLProviderResponse, Error> {
        let (parsed, metadata) = Parsed::of(input.saml_metadata_document).await?;
        let key = input.add_private_key;
        let key = key.map(|pem| self.sealed_private_key(cx, pem.expose()));
        let key = key.transpose()?;
        let mode = input.assertion_encryption_mode;
        let mode = mode.map(AssertionEncryptionModeType::as_str);
        if mode == Some(REQUIRED) && key.is_none() {
            return Err(required_without_key());
        }
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let wanted = Wanted {
            kind: Kind::SamlProvider,
            name: &input.name,
            path: None,
            boundary_arn: None,
            tags: input.tags.as_deref(),
        };
        let created = self.create_entity(&mut conn, cx, wanted).await?;
        let row = Row {
            uuid: ids::saml_id("SAMLSP", &*self.0.entropy)?,
            issuer: parsed.issuer,
            signing_keys: parsed.signing_keys,
            encryption_mode: mode.map(str::to_owned),
            sign_on_url: parsed.sign_on_url,
        };
        saml_provider::insert(&mut conn, created.id, &row, &metadata).await?;
        if let Some(key) = key {
            saml_provider::insert_private_key(&mut conn, created.id, &key).await?;
        }
        commit(tx).await?;
        Ok(CreateSAMLProviderResponse {
            saml_provider_arn: Some(created.arn()),
            tags: input.tags.filter(|tags| !tags.is_empty()),
        })
    }

    /// `GetSAMLProvider`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get_saml_provider(
        &self,
        cx: &Authorized,
        input: GetSAMLProviderRequest,
    ) -> Result<GetSAMLProviderResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = existing(&mut conn, cx, &input.saml_provider_arn).await?;
        let row = saml_provider::get(&mut conn, found.id).await?;
        let keys = saml_provider::private_keys(&mut conn, found.id).await?;
        let mode = row.encryption_mode.as_deref();
        Ok(GetSAMLProviderResponse {
            saml_provider_uuid: Some(row.uuid.clone()),
            saml_metadata_document: Some(saml_provider::metadata(&mut conn, found.id).await?),
            create_date: Some(time(found.created_at)),
            valid_until: valid_until(found.created_at),
            tags: Some(views::tags(&mut conn, found.id).await?.unwrap_or_default()),
            // A provider that was made without one allows encryption (recorded in LocalStack's
            // `test_get_saml_provider`).
            assertion_encryption_mode: Some(
                mode.map_or(AssertionEncryptionModeType::Allowed, shown_mode),
            ),
            private_key_list: Some(keys.into_iter().map(shown_key).collect()),
            ..GetSAMLProviderResponse::default()
        })
    }

    /// `ListSAMLProviders`: all of them, a quota bounds their number.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_saml_providers(
        &self,
        cx: &Authorized,
        _input: ListSAMLProvidersRequest,
    ) -> Result<ListSAMLProvidersResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        // The quota may be lower than their number.
        let (account, max) = (cx.account.as_str(), Quota::SamlProviders.greatest());
        let found = entity::list(&mut conn, account, Kind::SamlProvider, "/", "", max).await?;
        let shown = found.into_iter().map(|entity| SAMLProviderListEntry {
            arn: Some(entity.arn()),
            valid_until: valid_until(entity.created_at),
            create_date: Some(time(entity.created_at)),
            ..SAMLProviderListEntry::default()
        });
        Ok(ListSAMLProvidersResponse {
            saml_provider_list: Some(shown.collect()),
        })
    }

    /// `UpdateSAMLProvider`: replaces the metadata, sets the encryption mode, adds or removes a private
    /// key.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`, `LimitExceeded` for a third private key.
    pub async fn update_saml_provider(
        &self,
        cx: &Authorized,
        input: UpdateSAMLProviderRequest,
    ) -> Result<UpdateSAMLProviderResponse, Error> {
        let mode = input.assertion_encryption_mode;
        let mode = mode.map(AssertionEncryptionModeType::as_str);
        if input.add_private_key.is_some() && input.remove_private_key.is_some() {
            return Err(invalid(
                "Unable to add and remove private keys in the same request. Set a value for only one \
                 of the two parameters.",
            ));
        }
        let is_key_changed = input.add_private_key.is_some() || input.remove_private_key.is_some();
        if input.saml_metadata_document.is_none() && mode.is_none() && !is_key_changed {
            return Err(invalid(
                "Unable to update identity provider. No updates are defined for metadata or \
                 encryption assertion.",
            ));
        }
        let parsed = match input.saml_metadata_document {
            Some(metadata) => Some(Parsed::of(metadata).await?),
            None => None,
        };
        let key = input.add_private_key;
        let key = key.map(|pem| self.sealed_private_key(cx, pem.expose()));
        let key = key.transpose()?;

        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = existing(&mut conn, cx, &input.saml_provider_arn).await?;
        let row = saml_provider::get(&mut conn, found.id).await?;
        let mut keys = saml_provider::private_keys(&mut conn, found.id)
            .await?
            .len();
        if let Some((parsed, metadata)) = parsed {
            let Parsed {
                issuer,
                signing_keys,
                sign_on_url,
            } = parsed;
            let sign_on_url = sign_on_url.as_deref();
            saml_provider::set_metadata(
                &mut conn,
                found.id,
                &metadata,
                &issuer,
                &signing_keys,
                sign_on_url,
            )
            .await?;
        }
        if let Some(key) = key {
            if keys == PRIVATE_KEYS_MAX {
                let message = "Private key limit of 2 is reached.";
                return Err(Error::new(ErrorCode::LimitExceeded, message));
            }
            saml_provider::insert_private_key(&mut conn, found.id, &key).await?;
            keys += 1;
        }
        let is_required = mode.or(row.encryption_mode.as_deref()) == Some(REQUIRED);
        if let Some(key_id) = &input.remove_private_key {
            if !saml_provider::delete_private_key(&mut conn, found.id, key_id).await? {
                return Err(invalid(
                    "Failed to remove private key because the Key ID does not match a private key.",
                ));
            }
            keys -= 1;
            if keys == 0 && is_required {
                return Err(invalid("Failed to remove private key."));
            }
        }
        if keys == 0 && is_required {
            return Err(required_without_key());
        }
        if let Some(mode) = mode {
            saml_provider::set_encryption_mode(&mut conn, found.id, mode).await?;
        }
        commit(tx).await?;
        Ok(UpdateSAMLProviderResponse {
            saml_provider_arn: Some(found.arn()),
        })
    }

    /// `DeleteSAMLProvider`. Roles that trust it stay; nobody comes through it any more (IAM API
    /// Reference, DeleteSAMLProvider).
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn delete_saml_provider(
        &self,
        cx: &Authorized,
        input: DeleteSAMLProviderRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = existing(&mut conn, cx, &input.saml_provider_arn).await?;
        entity::delete(&mut conn, found.id).await?;
        commit(tx).await
    }

    /// What the assertions of a provider are checked against. `None`: no such provider.
    ///
    /// # Errors
    /// The database's.
    pub async fn saml_provider(&self, arn: &str) -> Result<Option<SamlProvider>, Error> {
        let (entity, row, sealed, settings) = {
            let mut read = self.0.store.snapshot().await?;
            let mut conn = read.conn();
            let found = entity_by_arn(&mut conn, arn).await?;
            let Some(found) = found.filter(|found| found.kind == Kind::SamlProvider) else {
                return Ok(None);
            };
            let row = saml_provider::get(&mut conn, found.id).await?;
            let keys = saml_provider::private_keys(&mut conn, found.id).await?;
            let settings = provider_settings::find(&mut conn, found.id).await?;
            (found, row, keys, settings)
        };
        let settings = match settings {
            Some(stored) => ProviderSettings::open(&self.0.sealer, &stored.sealed).await?,
            None => ProviderSettings::default(),
        };
        let stored: Vec<String> =
            serde_json::from_str(&row.signing_keys).map_err(Error::internal)?;
        let mut signing_keys = Vec::with_capacity(stored.len());
        for key in stored {
            let der = STANDARD.decode(key).map_err(Error::internal)?;
            signing_keys.push(SigningKey::from_der(&der).map_err(Error::internal)?);
        }
        let mut decryption_keys = Vec::with_capacity(sealed.len());
        for key in sealed {
            let pem = self.0.sealer.open_bytes(PRIVATE_KEY, &key.sealed).await;
            let pem = pem.map_err(Error::internal)?;
            let pem = std::str::from_utf8(&pem).map_err(Error::internal)?;
            decryption_keys.push(DecryptionKey::from_pem(pem).map_err(Error::internal)?);
        }
        Ok(Some(SamlProvider {
            arn: entity.arn(),
            account: entity.account.parse().map_err(Error::internal)?,
            name: entity.name,
            uuid: row.uuid,
            metadata: Metadata {
                entity_id: row.issuer,
                signing_keys,
                sign_on_url: row.sign_on_url,
            },
            decryption_keys,
            requires_encryption: row.encryption_mode.as_deref() == Some(REQUIRED),
            is_single_use: settings.single_use_assertions,
            console: settings.console,
            unique_id: entity.unique_id,
            entity: entity.id,
        }))
    }
}

/// A SAML provider, as assertions are checked against it.
#[derive(Debug)]
pub struct SamlProvider {
    pub(crate) arn: String,
    pub(crate) account: aws_types::AccountId,
    pub(crate) name: String,
    pub(crate) uuid: String,
    pub(crate) metadata: Metadata,
    pub(crate) decryption_keys: Vec<DecryptionKey>,
    pub(crate) requires_encryption: bool,
    /// Whether an assertion may be used once.
    pub(crate) is_single_use: bool,
    /// How people sign in to the console through it; none where they do not.
    pub(crate) console: Option<ConsoleSignIn>,
    /// A provider that is deleted and made again is another one.
    pub(crate) unique_id: String,
    /// Its row.
    pub(crate) entity: i64,
}

impl SamlProvider {
    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Its id: a provider that is deleted and made again is another one.
    #[must_use]
    pub fn unique_id(&self) -> &str {
        &self.unique_id
    }

    /// Where people sign in, where they may sign in to the console through it.
    #[must_use]
    pub fn console_sign_on_url(&self) -> Option<&str> {
        self.console.as_ref()?;
        self.metadata.sign_on_url.as_deref()
    }
}

fn required_without_key() -> Error {
    invalid(
        "Unable to set assertion encryption mode to Required because no private key is provided.",
    )
}

fn shown_mode(mode: &str) -> AssertionEncryptionModeType {
    match mode {
        REQUIRED => AssertionEncryptionModeType::Required,
        _ => AssertionEncryptionModeType::Allowed,
    }
}

fn shown_key(key: PrivateKey) -> SAMLPrivateKey {
    SAMLPrivateKey {
        key_id: Some(key.key_id),
        timestamp: Some(time(key.uploaded_at)),
    }
}
