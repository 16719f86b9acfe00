//! What Berth does not have: SSH keys, certificates, identity providers. Nobody can have made any, so reads, changes and deletes answer as AWS
//! does where there are none. Tools call them for every user and role that they describe or delete.
//!
//! The words are recorded from AWS where that is said beside them, in LocalStack's
//! `tests/aws/services/iam/test_iam_*.snapshot.json` (2026-02) and cloud-custodian's placebo files.
//! Each operation moves to a file of its own when it is built.

use aws_api::iam::*;
use store::iam::entity::Kind;

use super::get_existing;
use super::users::user_or_caller;
use crate::paging::Page;
use crate::{Authorized, CallerKind, Error, Identity};

fn none(message: String) -> Error {
    Error::new(ErrorCode::NoSuchEntity, message)
}

/// test_get_ssh_public_key_not_found.
fn no_ssh_key(id: &str) -> Error {
    none(format!("The Public Key with id {id} cannot be found."))
}

/// test_signing_certificate_errors.
fn no_signing_certificate(id: &str) -> Error {
    none(format!("The Certificate with id {id} cannot be found."))
}

/// test_server_certificate_errors.
fn no_server_certificate(name: &str) -> Error {
    none(format!(
        "The Server Certificate with name {name} cannot be found."
    ))
}

/// A page of nothing: its marker must be one.
fn empty_page(max_items: Option<i32>, marker: Option<&str>) -> Result<Option<bool>, Error> {
    Page::new(max_items, marker)?;
    Ok(Some(false))
}

impl Identity {
    /// The user that is named, or the caller, who must be there. Root is always there.
    async fn existing_user(&self, cx: &Authorized, name: Option<String>) -> Result<String, Error> {
        if name.is_none() && cx.caller.kind == CallerKind::Root {
            return Ok("root".to_owned());
        }
        let name = user_or_caller(cx, name)?;
        let mut read = self.0.store.read().await?;
        let user = get_existing(&mut read.conn(), cx, Kind::User, &name).await?;
        Ok(user.name)
    }
}

/// `Operation(function, Input) |cx, input, user| -> Output: error`: an operation on something that does
/// not exist. The first form is about something of a user's, who is looked up before.
macro_rules! absent {
    ($($op:ident $function:ident($input:ty) -> $output:ty $(, user $user:expr)?; |$i:ident| $error:expr;)*) => {
        impl Identity {$(
            #[doc = concat!("`", stringify!($op), "`.")]
            ///
            /// # Errors
            /// Always: there is none.
            pub async fn $function(&self, _cx: &Authorized, $i: $input) -> Result<$output, Error> {
                $(let get: fn(&$input) -> Option<String> = $user;
                self.existing_user(_cx, get(&$i)).await?;)?
                Err($error)
            }
        )*}
    };
}

absent! {

    GetSSHPublicKey get_ssh_public_key(GetSSHPublicKeyRequest) -> GetSSHPublicKeyResponse, user |i| Some(i.user_name.clone());
        |i| no_ssh_key(&i.ssh_public_key_id);
    UpdateSSHPublicKey update_ssh_public_key(UpdateSSHPublicKeyRequest) -> (), user |i| Some(i.user_name.clone());
        |i| no_ssh_key(&i.ssh_public_key_id);
    DeleteSSHPublicKey delete_ssh_public_key(DeleteSSHPublicKeyRequest) -> (), user |i| Some(i.user_name.clone());
        |i| no_ssh_key(&i.ssh_public_key_id);

    UpdateSigningCertificate update_signing_certificate(UpdateSigningCertificateRequest) -> (), user |i| i.user_name.clone();
        |i| no_signing_certificate(&i.certificate_id);
    DeleteSigningCertificate delete_signing_certificate(DeleteSigningCertificateRequest) -> (), user |i| i.user_name.clone();
        |i| no_signing_certificate(&i.certificate_id);


    GetServerCertificate get_server_certificate(GetServerCertificateRequest) -> GetServerCertificateResponse;
        |i| no_server_certificate(&i.server_certificate_name);
    UpdateServerCertificate update_server_certificate(UpdateServerCertificateRequest) -> ();
        |i| no_server_certificate(&i.server_certificate_name);
    DeleteServerCertificate delete_server_certificate(DeleteServerCertificateRequest) -> ();
        |i| no_server_certificate(&i.server_certificate_name);
    ListServerCertificateTags list_server_certificate_tags(ListServerCertificateTagsRequest) -> ListServerCertificateTagsResponse;
        |i| no_server_certificate(&i.server_certificate_name);
    TagServerCertificate tag_server_certificate(TagServerCertificateRequest) -> ();
        |i| no_server_certificate(&i.server_certificate_name);
    UntagServerCertificate untag_server_certificate(UntagServerCertificateRequest) -> ();
        |i| no_server_certificate(&i.server_certificate_name);
}

impl Identity {
    /// `ListSSHPublicKeys`.
    ///
    /// # Errors
    /// `NoSuchEntity` for the user.
    pub async fn list_ssh_public_keys(
        &self,
        cx: &Authorized,
        input: ListSSHPublicKeysRequest,
    ) -> Result<ListSSHPublicKeysResponse, Error> {
        let is_truncated = empty_page(input.max_items, input.marker.as_deref())?;
        self.existing_user(cx, input.user_name).await?;
        Ok(ListSSHPublicKeysResponse {
            ssh_public_keys: Some(Vec::new()),
            is_truncated,
            ..Default::default()
        })
    }

    /// `ListSigningCertificates`.
    ///
    /// # Errors
    /// `NoSuchEntity` for the user.
    pub async fn list_signing_certificates(
        &self,
        cx: &Authorized,
        input: ListSigningCertificatesRequest,
    ) -> Result<ListSigningCertificatesResponse, Error> {
        let is_truncated = empty_page(input.max_items, input.marker.as_deref())?;
        self.existing_user(cx, input.user_name).await?;
        Ok(ListSigningCertificatesResponse {
            is_truncated,
            ..Default::default()
        })
    }

    /// `ListServerCertificates`.
    ///
    /// # Errors
    /// `ValidationError` for a marker.
    pub async fn list_server_certificates(
        &self,
        _cx: &Authorized,
        input: ListServerCertificatesRequest,
    ) -> Result<ListServerCertificatesResponse, Error> {
        Ok(ListServerCertificatesResponse {
            is_truncated: empty_page(input.max_items, input.marker.as_deref())?,
            ..Default::default()
        })
    }
}
