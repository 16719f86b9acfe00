//! Signing certificates of users and of root users. AWS's SOAP services took requests that they signed; no
//! service of Berth does, so they are checked, kept and shown.
//!
//! The words are recorded from AWS in LocalStack's `test_iam_signing_certificates`; of `InvalidCertificate`,
//! `DuplicateCertificate` and an expired certificate no answer is public.

use aws_api::iam::{
    DeleteSigningCertificateRequest, ErrorCode, ListSigningCertificatesRequest,
    ListSigningCertificatesResponse, SigningCertificate, UpdateSigningCertificateRequest,
    UploadSigningCertificateRequest, UploadSigningCertificateResponse,
};
use aws_lc_rs::digest;
use certificates::{Certificate, Validity};
use store::Conn;
use store::iam::signing_certificate::{self, SigningCertificate as Row};

use super::access_keys::Owner;
use super::{commit, is_activation, shown_status, time};
use crate::ids::signing_certificate_id;
use crate::paging::Page;
use crate::{Authorized, Error, Identity, messages};

/// Certificates of a user (UG reference_iam-quotas; it cannot be raised).
pub(super) const PER_USER_MAX: i64 = 2;

fn not_found(id: &str) -> Error {
    Error::new(
        ErrorCode::NoSuchEntity,
        format!("The Certificate with id {id} cannot be found."),
    )
}

/// The certificate of a body, which must hold now. An expired one is malformed (I4; the model,
/// MalformedCertificateException); that one which does not hold yet is invalid is a choice.
fn read(body: &str, cx: &Authorized) -> Result<Certificate, Error> {
    let certificate = Certificate::from_pem(body).map_err(|_| {
        let message = format!("Certificate {body} is malformed.");
        Error::new(ErrorCode::MalformedCertificate, message)
    })?;
    match certificate.validity(cx.now.as_second()) {
        Validity::Valid => Ok(certificate),
        Validity::Expired => Err(Error::new(
            ErrorCode::MalformedCertificate,
            "The certificate has expired.",
        )),
        Validity::NotYet => Err(Error::new(
            ErrorCode::InvalidCertificate,
            "The certificate is not valid yet.",
        )),
    }
}

fn shown(owner: &Owner, row: Row) -> SigningCertificate {
    SigningCertificate {
        user_name: owner.name(),
        certificate_id: row.id,
        certificate_body: row.body,
        status: shown_status(row.active),
        upload_date: Some(time(row.uploaded_at)),
    }
}

async fn held_by(conn: &mut Conn<'_>, cx: &Authorized, owner: &Owner) -> Result<Vec<Row>, Error> {
    Ok(match owner {
        Owner::Root => signing_certificate::list_of_root(conn, cx.account.as_str()).await?,
        Owner::User(user) => signing_certificate::list_of_user(conn, user.id).await?,
    })
}

/// The owner's certificate of this id.
async fn certificate_of(
    conn: &mut Conn<'_>,
    cx: &Authorized,
    owner: &Owner,
    id: &str,
) -> Result<Row, Error> {
    let held = held_by(conn, cx, owner).await?;
    held.into_iter()
        .find(|row| row.id == id)
        .ok_or_else(|| not_found(id))
}

impl Identity {
    /// `UploadSigningCertificate`.
    ///
    /// # Errors
    /// `NoSuchEntity`, `MalformedCertificate`, `InvalidCertificate`, `DuplicateCertificate` for one that a
    /// user of the account has, `LimitExceeded`.
    pub async fn upload_signing_certificate(
        &self,
        cx: &Authorized,
        input: UploadSigningCertificateRequest,
    ) -> Result<UploadSigningCertificateResponse, Error> {
        let account = cx.account.as_str();
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let owner = Owner::of(&mut conn, cx, input.user_name).await?;
        let certificate = read(&input.certificate_body, cx)?;
        let digest = digest::digest(&digest::SHA256, certificate.der());
        let digest = aws_types::hex::encode(digest.as_ref());
        if signing_certificate::is_known(&mut conn, account, &digest).await? {
            return Err(Error::new(
                ErrorCode::DuplicateCertificate,
                "The same certificate is already associated with an IAM user in the account.",
            ));
        }
        let held = held_by(&mut conn, cx, &owner).await?.len();
        if i64::try_from(held).unwrap_or(i64::MAX) >= PER_USER_MAX {
            return Err(messages::quota("CertificatesPerUser", PER_USER_MAX));
        }
        let row = Row {
            id: signing_certificate_id(&*self.0.entropy)?,
            user_id: owner.id(),
            body: input.certificate_body,
            active: true,
            uploaded_at: cx.now_ms(),
        };
        signing_certificate::insert(&mut conn, account, &row, &digest).await?;
        commit(tx).await?;
        Ok(UploadSigningCertificateResponse {
            certificate: shown(&owner, row),
        })
    }

    /// `ListSigningCertificates`.
    ///
    /// # Errors
    /// `NoSuchEntity`; `ValidationError` for a marker.
    pub async fn list_signing_certificates(
        &self,
        cx: &Authorized,
        input: ListSigningCertificatesRequest,
    ) -> Result<ListSigningCertificatesResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let owner = Owner::of(&mut conn, cx, input.user_name).await?;
        let held = held_by(&mut conn, cx, &owner).await?;
        let cut = page.of(held, |row| row.id.clone());
        let certificates = cut.items.into_iter().map(|row| shown(&owner, row));
        Ok(ListSigningCertificatesResponse {
            certificates: certificates.collect(),
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `UpdateSigningCertificate`: switches a certificate on or off.
    ///
    /// # Errors
    /// `NoSuchEntity`; `ValidationError` for a status that a request cannot set.
    pub async fn update_signing_certificate(
        &self,
        cx: &Authorized,
        input: UpdateSigningCertificateRequest,
    ) -> Result<(), Error> {
        let active = is_activation(input.status)?;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let owner = Owner::of(&mut conn, cx, input.user_name).await?;
        let row = certificate_of(&mut conn, cx, &owner, &input.certificate_id).await?;
        signing_certificate::set_active(&mut conn, &row.id, active).await?;
        commit(tx).await
    }

    /// `DeleteSigningCertificate`.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn delete_signing_certificate(
        &self,
        cx: &Authorized,
        input: DeleteSigningCertificateRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let owner = Owner::of(&mut conn, cx, input.user_name).await?;
        let row = certificate_of(&mut conn, cx, &owner, &input.certificate_id).await?;
        signing_certificate::delete(&mut conn, &row.id).await?;
        commit(tx).await
    }
}
