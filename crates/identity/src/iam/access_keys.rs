//! Access keys.

use aws_api::CommonError;
use aws_api::iam::{
    AccessKey, AccessKeyLastUsed, AccessKeyMetadata, CreateAccessKeyRequest,
    CreateAccessKeyResponse, DeleteAccessKeyRequest, GetAccessKeyLastUsedRequest,
    GetAccessKeyLastUsedResponse, ListAccessKeysRequest, ListAccessKeysResponse, StatusType,
    UpdateAccessKeyRequest,
};
use store::Conn;
use store::iam::access_key::{self, AccessKey as Row};
use store::iam::entity::{self, Entity, Kind};

use super::users::user_or_caller;
use super::{commit, get_existing, is_activation, shown_status, time};
use crate::authz_lookup::NO_ENTITY;
use crate::paging::Page;
use crate::{Authorized, CallerKind, Error, Identity, messages};

/// What AWS shows where a key was never used.
const NEVER: &str = "N/A";

/// Whose keys or certificates an operation is about.
pub(super) enum Owner {
    Root,
    User(Entity),
}

impl Owner {
    /// The user who is named, or the caller: a user, or root for its own keys.
    pub(super) async fn of(
        conn: &mut Conn<'_>,
        cx: &Authorized,
        name: Option<String>,
    ) -> Result<Owner, Error> {
        if name.is_none() && cx.caller.kind == CallerKind::Root {
            return Ok(Owner::Root);
        }
        let name = user_or_caller(cx, name)?;
        Ok(Owner::User(
            get_existing(conn, cx, Kind::User, &name).await?,
        ))
    }

    pub(super) fn id(&self) -> Option<i64> {
        match self {
            Owner::Root => None,
            Owner::User(user) => Some(user.id),
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Owner::Root => "root".to_owned(),
            Owner::User(user) => user.name.clone(),
        }
    }

    async fn keys(&self, conn: &mut Conn<'_>, cx: &Authorized) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Owner::Root => access_key::list_of_root(conn, cx.account.as_str()).await?,
            Owner::User(user) => access_key::list_of_user(conn, user.id).await?,
        })
    }

    /// The key of this id, if it is the owner's.
    async fn key(&self, conn: &mut Conn<'_>, cx: &Authorized, id: &str) -> Result<Row, Error> {
        let found = access_key::find(conn, id).await?;
        found
            .filter(|key| key.account == cx.account.as_str() && key.user_id == self.id())
            .ok_or_else(|| messages::key_not_found(id))
    }
}

/// What AWS answers for a key that is unknown or another account's: nobody may ask for it.
fn unknown_key(cx: &Authorized, id: &str) -> Error {
    let caller = &cx.caller.arn;
    Error::new(
        CommonError::AccessDenied,
        format!(
            "User: {caller} is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key {id}"
        ),
    )
}

impl Identity {
    /// `CreateAccessKey`: the one time that the secret is told.
    ///
    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`.
    pub async fn create_access_key(
        &self,
        cx: &Authorized,
        input: CreateAccessKeyRequest,
    ) -> Result<CreateAccessKeyResponse, Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let owner = Owner::of(&mut conn, cx, input.user_name).await?;
        let max = self.0.settings.access_keys_per_user_max;
        let count = owner.keys(&mut conn, cx).await?.len();
        if i64::try_from(count).unwrap_or(i64::MAX) >= max {
            return Err(messages::quota("AccessKeysPerUser", max));
        }
        let (key, secret) = self
            .new_key(&mut conn, cx.account, owner.id(), cx.now)
            .await?;
        commit(tx).await?;
        Ok(CreateAccessKeyResponse {
            access_key: AccessKey {
                user_name: owner.name(),
                access_key_id: key.id,
                status: StatusType::Active,
                secret_access_key: secret,
                create_date: Some(time(key.created_at)),
            },
        })
    }

    /// `ListAccessKeys`, without secrets.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn list_access_keys(
        &self,
        cx: &Authorized,
        input: ListAccessKeysRequest,
    ) -> Result<ListAccessKeysResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        // "If you use temporary credentials, this operation requires a user name" (I10; the model).
        // A session of `AssumeRoot` asks about the root user, who has no name to give.
        let is_root_task = cx.caller.context.one("aws:AssumedRoot") == Some("true");
        if input.user_name.is_none() && cx.caller.session_info.is_some() && !is_root_task {
            return Err(Error::new(
                CommonError::Validation,
                "Must specify userName when calling with non-User credentials",
            ));
        }
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let owner = Owner::of(&mut conn, cx, input.user_name).await?;
        let keys = owner.keys(&mut conn, cx).await?;
        let cut = page.of(keys, |key| key.id.clone());
        let metadata = |key: Row| AccessKeyMetadata {
            user_name: Some(owner.name()),
            access_key_id: Some(key.id),
            status: Some(shown_status(key.active)),
            create_date: Some(time(key.created_at)),
        };
        Ok(ListAccessKeysResponse {
            access_key_metadata: cut.items.into_iter().map(metadata).collect(),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `UpdateAccessKey`: switches a key on or off.
    ///
    /// # Errors
    /// `NoSuchEntity`; `ValidationError` for a status that keys cannot have.
    pub async fn update_access_key(
        &self,
        cx: &Authorized,
        input: UpdateAccessKeyRequest,
    ) -> Result<(), Error> {
        let active = is_activation(input.status)?;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let owner = Owner::of(&mut conn, cx, input.user_name).await?;
        let key = owner.key(&mut conn, cx, &input.access_key_id).await?;
        access_key::set_active(&mut conn, &key.id, active).await?;
        commit(tx).await
    }

    /// `DeleteAccessKey`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn delete_access_key(
        &self,
        cx: &Authorized,
        input: DeleteAccessKeyRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let owner = Owner::of(&mut conn, cx, input.user_name).await?;
        let key = owner.key(&mut conn, cx, &input.access_key_id).await?;
        access_key::delete(&mut conn, &key.id).await?;
        commit(tx).await
    }

    /// `GetAccessKeyLastUsed`.
    ///
    /// # Errors
    /// `AccessDenied` for an unknown key and for another account's.
    pub async fn get_access_key_last_used(
        &self,
        cx: &Authorized,
        input: GetAccessKeyLastUsedRequest,
    ) -> Result<GetAccessKeyLastUsedResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let id = input.access_key_id;
        let key = access_key::find(&mut conn, &id)
            .await?
            .filter(|key| key.account == cx.account.as_str())
            .ok_or_else(|| unknown_key(cx, &id))?;
        let user = match key.user_id {
            Some(user) => entity::find_by_id(&mut conn, user).await?,
            None => None,
        };
        // What is noted is later than what is written.
        let used = self.0.last_used.of_key(&id).or(key.last_used);
        Ok(GetAccessKeyLastUsedResponse {
            user_name: Some(user.map_or_else(|| "root".to_owned(), |user| user.name)),
            access_key_last_used: Some(match used {
                Some(used) => AccessKeyLastUsed {
                    last_used_date: Some(time(used.at)),
                    service_name: used.service,
                    region: used.region,
                },
                None => AccessKeyLastUsed {
                    last_used_date: None,
                    service_name: NEVER.to_owned(),
                    region: NEVER.to_owned(),
                },
            }),
        })
    }

    /// The account and ARN of an access key's owner: what the authorization step needs for
    /// `iam:GetAccessKeyLastUsed`, whose resource is the user. `None`: no such key.
    ///
    /// Runs the same queries whether the key exists or not, so that the time of a denial does not
    /// tell strangers which keys exist.
    ///
    /// # Errors
    /// The database's.
    pub async fn owner_of_key(&self, access_key_id: &str) -> Result<Option<String>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let key = access_key::find(&mut conn, access_key_id).await?;
        let user = key.as_ref().and_then(|key| key.user_id);
        let user = entity::find_by_id(&mut conn, user.unwrap_or(NO_ENTITY)).await?;
        Ok(key.and_then(|key| match key.user_id {
            None => Some(format!("arn:aws:iam::{}:root", key.account)),
            Some(_) => user.map(|user| user.arn()),
        }))
    }
}
