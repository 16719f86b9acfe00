//! OIDC providers. The messages are recorded (LocalStack's `test_iam_oidc.snapshot.json`, 2026-02).

use aws_api::iam::{
    AddClientIDToOpenIDConnectProviderRequest, CreateOpenIDConnectProviderRequest,
    CreateOpenIDConnectProviderResponse, DeleteOpenIDConnectProviderRequest, ErrorCode,
    GetOpenIDConnectProviderRequest, GetOpenIDConnectProviderResponse,
    ListOpenIDConnectProviderTagsRequest, ListOpenIDConnectProviderTagsResponse,
    ListOpenIDConnectProvidersRequest, ListOpenIDConnectProvidersResponse,
    OpenIDConnectProviderListEntry, RemoveClientIDFromOpenIDConnectProviderRequest,
    TagOpenIDConnectProviderRequest, UntagOpenIDConnectProviderRequest,
    UpdateOpenIDConnectProviderRequest, UpdateOpenIDConnectProviderThumbprintRequest,
};
use store::Conn;
use store::iam::entity::{self, Entity, Kind};
use store::iam::{oidc_provider, tag};

use super::{Wanted, commit, time, views};
use crate::federation::oidc::{self, Columns};
use crate::paging::Page;
use crate::quotas::Quota;
use crate::{Authorized, Error, Identity, messages};

/// Client ids of a provider (IAM API Reference, CreateOpenIDConnectProvider).
const CLIENT_IDS_MAX: usize = 100;
/// Thumbprints of a provider (the same page); AWS's message says "fewer than 5" and takes five.
const THUMBPRINTS_MAX: usize = 5;

fn check_client_ids(client_ids: &[String]) -> Result<(), Error> {
    match client_ids.len() > CLIENT_IDS_MAX {
        true => Err(messages::quota("ClientIdsPerOpenIdConnectProvider", 100)),
        false => Ok(()),
    }
}

fn check_thumbprints(thumbprints: &[String]) -> Result<(), Error> {
    match thumbprints.len() > THUMBPRINTS_MAX {
        true => Err(Error::new(
            ErrorCode::InvalidInput,
            "Thumbprint list must contain fewer than 5 entries.",
        )),
        false => Ok(()),
    }
}

/// A list without what it names again.
fn distinct(list: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(list.len());
    for entry in list {
        if !kept.contains(&entry) {
            kept.push(entry);
        }
    }
    kept
}

/// The provider of this ARN in the caller's account, which must be there.
async fn existing(conn: &mut Conn<'_>, cx: &Authorized, arn: &str) -> Result<Entity, Error> {
    let account = cx.account.as_str();
    let prefix = format!("arn:aws:iam::{account}:oidc-provider/");
    let found = match arn.strip_prefix(&prefix) {
        Some(name) => entity::find(conn, account, Kind::OidcProvider, name).await?,
        None => None,
    };
    found.ok_or_else(|| messages::not_found(Kind::OidcProvider, arn))
}

impl Identity {
    /// Checks what can be checked of a new provider without the database, before its thumbprint is
    /// fetched.
    ///
    /// # Errors
    /// `ValidationError`, `InvalidInput`, `LimitExceeded`.
    pub fn check_new_oidc_provider(
        input: &CreateOpenIDConnectProviderRequest,
    ) -> Result<(), Error> {
        oidc::provider_name(&input.url)?;
        check_thumbprints(input.thumbprint_list.as_deref().unwrap_or_default())?;
        check_client_ids(input.client_id_list.as_deref().unwrap_or_default())
    }

    /// `CreateOpenIDConnectProvider`. Where the request names no thumbprints, the caller of this function
    /// has fetched one.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `InvalidInput`, `ValidationError` for the URL.
    pub async fn create_open_id_connect_provider(
        &self,
        cx: &Authorized,
        input: CreateOpenIDConnectProviderRequest,
    ) -> Result<CreateOpenIDConnectProviderResponse, Error> {
        Identity::check_new_oidc_provider(&input)?;
        let columns = Columns {
            client_ids: distinct(input.client_id_list.unwrap_or_default()),
            thumbprints: input.thumbprint_list.unwrap_or_default(),
        };
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let wanted = Wanted {
            kind: Kind::OidcProvider,
            name: oidc::provider_name(&input.url)?,
            path: None,
            boundary_arn: None,
            tags: input.tags.as_deref(),
        };
        let created = self.create_entity(&mut conn, cx, wanted).await?;
        oidc_provider::insert(&mut conn, created.id, &columns.row()?).await?;
        commit(tx).await?;
        Ok(CreateOpenIDConnectProviderResponse {
            open_id_connect_provider_arn: Some(created.arn()),
            tags: input.tags.filter(|tags| !tags.is_empty()),
        })
    }

    /// `GetOpenIDConnectProvider`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get_open_id_connect_provider(
        &self,
        cx: &Authorized,
        input: GetOpenIDConnectProviderRequest,
    ) -> Result<GetOpenIDConnectProviderResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = existing(&mut conn, cx, &input.open_id_connect_provider_arn).await?;
        let columns = Columns::read(&mut conn, found.id).await?;
        let tags = views::tags(&mut conn, found.id).await?;
        Ok(GetOpenIDConnectProviderResponse {
            client_id_list: Some(columns.client_ids),
            thumbprint_list: Some(columns.thumbprints),
            create_date: Some(time(found.created_at)),
            // AWS sends the list also when it is empty.
            tags: Some(tags.unwrap_or_default()),
            url: Some(found.name),
            ..GetOpenIDConnectProviderResponse::default()
        })
    }

    /// `ListOpenIDConnectProviders`: all of them, since the operation has no pages and a quota bounds
    /// them.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_open_id_connect_providers(
        &self,
        cx: &Authorized,
        _input: ListOpenIDConnectProvidersRequest,
    ) -> Result<ListOpenIDConnectProvidersResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        // The quota may be lower than their number.
        let (account, max) = (cx.account.as_str(), Quota::OidcProviders.greatest());
        let mut conn = read.conn();
        let found = entity::list(&mut conn, account, Kind::OidcProvider, "/", "", max).await?;
        let entry = |provider: &Entity| OpenIDConnectProviderListEntry {
            arn: Some(provider.arn()),
            ..OpenIDConnectProviderListEntry::default()
        };
        Ok(ListOpenIDConnectProvidersResponse {
            open_id_connect_provider_list: Some(found.iter().map(entry).collect()),
        })
    }

    /// `DeleteOpenIDConnectProvider`. Roles that name it stay, and nobody can assume them by it.
    ///
    /// # Errors
    /// `NoSuchEntity`, in words of its own.
    pub async fn delete_open_id_connect_provider(
        &self,
        cx: &Authorized,
        input: DeleteOpenIDConnectProviderRequest,
    ) -> Result<(), Error> {
        let arn = &input.open_id_connect_provider_arn;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = existing(&mut conn, cx, arn).await;
        let found = found.map_err(|error| match error.is(ErrorCode::NoSuchEntity) {
            true => Error::new(
                ErrorCode::NoSuchEntity,
                format!("OpenId connect Provider {arn} cannot be found."),
            ),
            false => error,
        })?;
        entity::delete(&mut conn, found.id).await?;
        commit(tx).await
    }

    /// Changes a provider's own columns.
    async fn change_oidc_provider(
        &self,
        cx: &Authorized,
        arn: &str,
        change: impl FnOnce(&mut Columns) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = existing(&mut conn, cx, arn).await?;
        let mut columns = Columns::read(&mut conn, found.id).await?;
        change(&mut columns)?;
        oidc_provider::update(&mut conn, found.id, &columns.row()?).await?;
        commit(tx).await
    }

    /// `AddClientIDToOpenIDConnectProvider`: one that is registered already changes nothing.
    ///
    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`.
    pub async fn add_client_id_to_open_id_connect_provider(
        &self,
        cx: &Authorized,
        input: AddClientIDToOpenIDConnectProviderRequest,
    ) -> Result<(), Error> {
        let added = input.client_id;
        let change = |columns: &mut Columns| {
            if !columns.client_ids.contains(&added) {
                columns.client_ids.push(added);
            }
            check_client_ids(&columns.client_ids)
        };
        self.change_oidc_provider(cx, &input.open_id_connect_provider_arn, change)
            .await
    }

    /// `RemoveClientIDFromOpenIDConnectProvider`: one that is not registered changes nothing.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn remove_client_id_from_open_id_connect_provider(
        &self,
        cx: &Authorized,
        input: RemoveClientIDFromOpenIDConnectProviderRequest,
    ) -> Result<(), Error> {
        let change = |columns: &mut Columns| {
            columns.client_ids.retain(|known| *known != input.client_id);
            Ok(())
        };
        self.change_oidc_provider(cx, &input.open_id_connect_provider_arn, change)
            .await
    }

    /// `UpdateOpenIDConnectProviderThumbprint`: replaces the whole list.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`.
    pub async fn update_open_id_connect_provider_thumbprint(
        &self,
        cx: &Authorized,
        input: UpdateOpenIDConnectProviderThumbprintRequest,
    ) -> Result<(), Error> {
        check_thumbprints(&input.thumbprint_list)?;
        let change = |columns: &mut Columns| {
            columns.thumbprints = input.thumbprint_list;
            Ok(())
        };
        self.change_oidc_provider(cx, &input.open_id_connect_provider_arn, change)
            .await
    }

    /// `UpdateOpenIDConnectProvider` is about trusted identity propagation, which needs IAM Identity
    /// Center: setting either member is refused before. Removing what is not there changes nothing.
    ///
    /// # Errors
    /// `NoSuchEntity`; `InvalidInput` for a request that asks for two things or for none (N4).
    pub async fn update_open_id_connect_provider(
        &self,
        cx: &Authorized,
        input: UpdateOpenIDConnectProviderRequest,
    ) -> Result<(), Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        existing(&mut conn, cx, &input.open_id_connect_provider_arn).await?;
        let removes = [
            input.remove_context_provider,
            input.remove_identity_center_instance,
        ];
        match removes
            .into_iter()
            .filter(|asked| *asked == Some(true))
            .count()
        {
            1 => Ok(()),
            _ => Err(Error::new(
                ErrorCode::InvalidInput,
                "A request must change either the context provider or the IAM Identity Center \
                 instance.",
            )),
        }
    }

    /// `TagOpenIDConnectProvider`; a tag of the same key is replaced.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`, `LimitExceeded`.
    pub async fn tag_open_id_connect_provider(
        &self,
        cx: &Authorized,
        input: TagOpenIDConnectProviderRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = existing(&mut conn, cx, &input.open_id_connect_provider_arn).await?;
        self.put_tags(&mut conn, &found, &input.tags).await?;
        commit(tx).await
    }

    /// `UntagOpenIDConnectProvider`; keys that are not there are left out.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn untag_open_id_connect_provider(
        &self,
        cx: &Authorized,
        input: UntagOpenIDConnectProviderRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let found = existing(&mut conn, cx, &input.open_id_connect_provider_arn).await?;
        for key in &input.tag_keys {
            tag::delete(&mut conn, found.id, Kind::OidcProvider, key).await?;
        }
        commit(tx).await
    }

    /// `ListOpenIDConnectProviderTags`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn list_open_id_connect_provider_tags(
        &self,
        cx: &Authorized,
        input: ListOpenIDConnectProviderTagsRequest,
    ) -> Result<ListOpenIDConnectProviderTagsResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = existing(&mut conn, cx, &input.open_id_connect_provider_arn).await?;
        let tags = views::tags(&mut conn, found.id).await?.unwrap_or_default();
        let cut = page.of(tags, |tag| tag.key.clone());
        Ok(ListOpenIDConnectProviderTagsResponse {
            tags: cut.items,
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }
}
