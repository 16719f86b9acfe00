//! Account properties, and the account's preference for STS's global endpoint.

use std::collections::BTreeMap;

use aws_api::iam::{
    ErrorCode, GetAccountPropertiesRequest, GetAccountPropertiesResponse,
    GlobalEndpointTokenVersion, PutAccountPropertiesRequest, PutAccountPropertiesResponse,
    SetSecurityTokenServicePreferencesRequest,
};
use store::iam::account_property;

use super::commit;
use crate::{Authorized, Error, Identity};

/// Properties of an account, at most. AWS names no number; each is at most about 1.3 KB.
const PROPERTIES_MAX: usize = 100;
/// Characters of a property's name, at most.
const NAME_CHARS_MAX: usize = 256;

fn invalid(message: String) -> Error {
    Error::new(ErrorCode::InvalidInput, message)
}

/// The namespace of a property's name: "The key must contain exactly one / separating the namespace from
/// the property name, and cannot start or end with /" (the model).
fn namespace(name: &str) -> Result<&str, Error> {
    match name.split_once('/') {
        Some((namespace, rest))
            if !namespace.is_empty()
                && !rest.is_empty()
                && !rest.contains('/')
                && name.chars().count() <= NAME_CHARS_MAX =>
        {
            Ok(namespace)
        }
        _ => Err(invalid(format!(
            "The property key {name} is not valid: use Namespace/PropertyName."
        ))),
    }
}

impl Identity {
    /// `GetAccountProperties`.
    ///
    /// # Errors
    /// The database's.
    pub async fn get_account_properties(
        &self,
        cx: &Authorized,
        _input: GetAccountPropertiesRequest,
    ) -> Result<GetAccountPropertiesResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let listed = account_property::list(&mut read.conn(), cx.account.as_str()).await?;
        Ok(GetAccountPropertiesResponse {
            properties: Some(listed.into_iter().collect()),
        })
    }

    /// `PutAccountProperties`: sets properties of one namespace; the others stay.
    ///
    /// # Errors
    /// `InvalidInput` for keys that are no `Namespace/PropertyName`, or of several namespaces.
    pub async fn put_account_properties(
        &self,
        cx: &Authorized,
        input: PutAccountPropertiesRequest,
    ) -> Result<PutAccountPropertiesResponse, Error> {
        let mut one: Option<&str> = None;
        for name in input.properties.keys() {
            let namespace = namespace(name)?;
            if *one.get_or_insert(namespace) != namespace {
                return Err(invalid(
                    "All properties in a request must belong to the same namespace.".to_owned(),
                ));
            }
        }
        if one.is_none() {
            return Err(invalid("Properties must not be empty.".to_owned()));
        }
        let account = cx.account.as_str();
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let listed = account_property::list(&mut conn, account).await?;
        let mut all: BTreeMap<&str, &str> = listed
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        for (name, value) in &input.properties {
            all.insert(name, value);
            account_property::put(&mut conn, account, name, value).await?;
        }
        if all.len() > PROPERTIES_MAX {
            return Err(invalid(format!(
                "An account can have up to {PROPERTIES_MAX} properties."
            )));
        }
        commit(tx).await?;
        Ok(PutAccountPropertiesResponse::default())
    }

    /// `SetSecurityTokenServicePreferences`. Every token of Berth is valid in every region; the choice is
    /// kept, and `GetAccountSummary` shows it.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_security_token_service_preferences(
        &self,
        cx: &Authorized,
        input: SetSecurityTokenServicePreferencesRequest,
    ) -> Result<(), Error> {
        let version = match input.global_endpoint_token_version {
            GlobalEndpointTokenVersion::V1Token => 1,
            _ => 2,
        };
        let mut tx = self.change(cx).await?;
        let account = cx.account.as_str();
        account_property::set_token_version(&mut tx.conn(), account, version).await?;
        commit(tx).await
    }
}
