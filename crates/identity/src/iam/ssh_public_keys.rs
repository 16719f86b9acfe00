//! SSH public keys of users. AWS takes them for CodeCommit; no service of Berth does, so they are checked,
//! kept and shown.
//!
//! The words of what is not found are recorded from AWS in LocalStack's `test_iam_ssh_public_keys`; the
//! other refusals have the words of the model's errors.

use aws_api::iam::{
    DeleteSSHPublicKeyRequest, EncodingType, ErrorCode, GetSSHPublicKeyRequest,
    GetSSHPublicKeyResponse, ListSSHPublicKeysRequest, ListSSHPublicKeysResponse, SSHPublicKey,
    SSHPublicKeyMetadata, UpdateSSHPublicKeyRequest, UploadSSHPublicKeyRequest,
    UploadSSHPublicKeyResponse,
};
use certificates::{Encoding, SshKeyError, SshPublicKey};
use store::Conn;
use store::iam::entity::{Entity, Kind};
use store::iam::ssh_public_key::{self, SshPublicKey as Row};

use super::users::user_or_caller;
use super::{commit, get_existing, is_activation, shown_status, time};
use crate::ids::ssh_public_key_id;
use crate::paging::Page;
use crate::{Authorized, CallerKind, Error, Identity, messages};

/// Keys of a user (UG reference_iam-quotas; it cannot be raised).
const PER_USER_MAX: i64 = 5;

fn not_found(id: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("The Public Key with id {id} cannot be found."),
    )
}

fn refused(error: SshKeyError) -> Error {
    match error {
        SshKeyError::Encoding => Error::new(
            ErrorCode::UnrecognizedPublicKeyEncoding,
            "The public key encoding format is unsupported or unrecognized: use ssh-rsa or PEM.",
        ),
        SshKeyError::Invalid => Error::new(
            ErrorCode::InvalidPublicKey,
            "The public key is malformed or otherwise invalid: it must be an RSA key of at least 2048 bits.",
        ),
    }
}

fn shown(user: &Entity, row: Row, key: &SshPublicKey) -> SSHPublicKey {
    SSHPublicKey {
        user_name: user.name.clone(),
        ssh_public_key_id: row.id,
        fingerprint: key.fingerprint(),
        ssh_public_key_body: row.body,
        status: shown_status(row.active),
        upload_date: Some(time(row.uploaded_at)),
    }
}

/// The user's key of this id.
async fn key_of(conn: &mut Conn<'_>, user: &Entity, id: &str) -> Result<Row, Error> {
    let held = ssh_public_key::list_of_user(conn, user.id).await?;
    held.into_iter()
        .find(|row| row.id == id)
        .ok_or_else(|| not_found(id))
}

impl Identity {
    /// `UploadSSHPublicKey`.
    ///
    /// # Errors
    /// `NoSuchEntity`, `UnrecognizedPublicKeyEncoding`, `InvalidPublicKey`, `DuplicateSSHPublicKey` for a key
    /// that the user has, in whichever encoding, `LimitExceeded`.
    pub async fn upload_ssh_public_key(
        &self,
        cx: &Authorized,
        input: UploadSSHPublicKeyRequest,
    ) -> Result<UploadSSHPublicKeyResponse, Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let user = get_existing(&mut conn, cx, Kind::User, &input.user_name).await?;
        let key = SshPublicKey::parse(&input.ssh_public_key_body).map_err(refused)?;
        let ssh_form = key.to_ssh();
        let held = ssh_public_key::list_of_user(&mut conn, user.id).await?;
        if held.iter().any(|row| row.ssh_form == ssh_form) {
            return Err(Error::new(
                ErrorCode::DuplicateSSHPublicKey,
                "The SSH public key is already associated with the specified IAM user.",
            ));
        }
        if i64::try_from(held.len()).unwrap_or(i64::MAX) >= PER_USER_MAX {
            return Err(messages::quota("SSHPublicKeysPerUser", PER_USER_MAX));
        }
        let row = Row {
            id: ssh_public_key_id(&*self.0.entropy)?,
            user_id: user.id,
            body: input.ssh_public_key_body,
            ssh_form,
            active: true,
            uploaded_at: cx.now_ms(),
        };
        ssh_public_key::insert(&mut conn, cx.account.as_str(), &row).await?;
        commit(tx).await?;
        Ok(UploadSSHPublicKeyResponse {
            ssh_public_key: Some(shown(&user, row, &key)),
        })
    }

    /// `GetSSHPublicKey`: the body as it was uploaded, where that is the encoding asked for.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get_ssh_public_key(
        &self,
        cx: &Authorized,
        input: GetSSHPublicKeyRequest,
    ) -> Result<GetSSHPublicKeyResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let user = get_existing(&mut conn, cx, Kind::User, &input.user_name).await?;
        let row = key_of(&mut conn, &user, &input.ssh_public_key_id).await?;
        let key = SshPublicKey::parse(&row.body).map_err(Error::internal)?;
        let mut shown = shown(&user, row, &key);
        match (input.encoding, key.encoding()) {
            (EncodingType::Ssh, Encoding::Pem) => shown.ssh_public_key_body = key.to_ssh(),
            (EncodingType::Pem, Encoding::Ssh) => shown.ssh_public_key_body = key.to_pem(),
            (EncodingType::Ssh, Encoding::Ssh) | (EncodingType::Pem, Encoding::Pem) => {}
        }
        Ok(GetSSHPublicKeyResponse {
            ssh_public_key: Some(shown),
        })
    }

    /// `ListSSHPublicKeys`, without bodies and fingerprints.
    ///
    /// # Errors
    /// `NoSuchEntity`; `ValidationError` for a marker, and without a name for a caller that is no user.
    pub async fn list_ssh_public_keys(
        &self,
        cx: &Authorized,
        input: ListSSHPublicKeysRequest,
    ) -> Result<ListSSHPublicKeysResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        // Root has none.
        let is_root = input.user_name.is_none() && cx.caller.kind == CallerKind::Root;
        if is_root {
            return Ok(ListSSHPublicKeysResponse {
                ssh_public_keys: Some(Vec::new()),
                is_truncated: Some(false),
                marker: None,
            });
        }
        let name = user_or_caller(cx, input.user_name)?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let user = get_existing(&mut conn, cx, Kind::User, &name).await?;
        let held = ssh_public_key::list_of_user(&mut conn, user.id).await?;
        let cut = page.of(held, |row| row.id.clone());
        let metadata = |row: Row| SSHPublicKeyMetadata {
            user_name: user.name.clone(),
            ssh_public_key_id: row.id,
            status: shown_status(row.active),
            upload_date: time(row.uploaded_at),
        };
        Ok(ListSSHPublicKeysResponse {
            ssh_public_keys: Some(cut.items.into_iter().map(metadata).collect()),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `UpdateSSHPublicKey`: switches a key on or off.
    ///
    /// # Errors
    /// `NoSuchEntity`; `ValidationError` for a status that a request cannot set.
    pub async fn update_ssh_public_key(
        &self,
        cx: &Authorized,
        input: UpdateSSHPublicKeyRequest,
    ) -> Result<(), Error> {
        let active = is_activation(input.status)?;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let user = get_existing(&mut conn, cx, Kind::User, &input.user_name).await?;
        let row = key_of(&mut conn, &user, &input.ssh_public_key_id).await?;
        ssh_public_key::set_active(&mut conn, &row.id, active).await?;
        commit(tx).await
    }

    /// `DeleteSSHPublicKey`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn delete_ssh_public_key(
        &self,
        cx: &Authorized,
        input: DeleteSSHPublicKeyRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let user = get_existing(&mut conn, cx, Kind::User, &input.user_name).await?;
        let row = key_of(&mut conn, &user, &input.ssh_public_key_id).await?;
        ssh_public_key::delete(&mut conn, &row.id).await?;
        commit(tx).await
    }
}
