//! Server certificates. AWS's load balancers use them; no service of Berth does, so they are checked, kept
//! and shown. The private key is sealed and shown to nobody.
//!
//! What AWS checks: UG id_credentials_server-certs. The words are recorded from AWS: LocalStack's
//! `test_iam_server_certificates`; <https://github.com/go-acme/lego/issues/304> (the chain),
//! <https://github.com/openshift/openshift-ansible/issues/11214> (what cannot be read). Of a certificate
//! whose time is over, of a private key that cannot be read and of one that is another certificate's, no
//! answer is public.

use aws_api::iam::{
    DeleteServerCertificateRequest, ErrorCode, GetServerCertificateRequest,
    GetServerCertificateResponse, ListServerCertificatesRequest, ListServerCertificatesResponse,
    ServerCertificate, ServerCertificateMetadata, UpdateServerCertificateRequest,
    UploadServerCertificateRequest, UploadServerCertificateResponse,
};
use certificates::{Certificate, Validity, key_matches, verify_chain};
use store::iam::entity::{self, Entity, Kind};
use store::iam::server_certificate::{self, ServerCertificate as Row};

use super::{Wanted, commit, get_existing, page_of, time, views};
use crate::paging::Page;
use crate::{Authorized, Error, Identity};

/// What private keys are sealed for.
const PRIVATE_KEY: &str = "server-certificate-key";
/// Certificates of a chain. AWS bounds its text alone, at two million characters.
const CHAIN_MAX: usize = 100;

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::MalformedCertificate, message)
}

fn unreadable() -> Error {
    malformed("Unable to parse certificate. Please ensure the certificate is in PEM format.")
}

fn invalid_chain(index: i32) -> Error {
    malformed(format!(
        "Unable to validate certificate chain. The certificate chain must start with the immediate \
         signing certificate, followed by any intermediaries in order. The index within the chain of \
         the invalid certificate is: {index}"
    ))
}

/// Checks certificate, chain and key; the answer is when the certificate expires, in milliseconds.
fn check(
    body: &str,
    chain: Option<&str>,
    private_key: &str,
    now_seconds: i64,
) -> Result<i64, Error> {
    let certificate = Certificate::from_pem(body).map_err(|_| unreadable())?;
    // "You cannot upload a certificate before its validity period begins … or after it expires".
    match certificate.validity(now_seconds) {
        Validity::Valid => {}
        Validity::Expired => return Err(malformed("The certificate has expired.")),
        Validity::NotYet => return Err(malformed("The certificate is not valid yet.")),
    }
    let matches = key_matches(&certificate, private_key).map_err(|_| {
        malformed(
            "Unable to parse private key. Please ensure the private key is in PEM format and is not \
             encrypted.",
        )
    })?;
    if !matches {
        return Err(Error::new(
            ErrorCode::KeyPairMismatch,
            "The public key certificate and the private key do not match.",
        ));
    }
    if let Some(chain) = chain {
        let chain = Certificate::list_from_pem(chain).map_err(|_| unreadable())?;
        if chain.len() > CHAIN_MAX {
            return Err(malformed(format!(
                "The certificate chain has more than {CHAIN_MAX} certificates."
            )));
        }
        verify_chain(&certificate, &chain, now_seconds)
            .map_err(|error| invalid_chain(error.index))?;
    }
    Ok(certificate.not_after().saturating_mul(1000))
}

fn metadata(entity: &Entity, expires_at: i64) -> ServerCertificateMetadata {
    ServerCertificateMetadata {
        path: entity.path.clone(),
        server_certificate_name: entity.name.clone(),
        server_certificate_id: entity.unique_id.clone(),
        arn: entity.arn(),
        upload_date: Some(time(entity.created_at)),
        expiration: Some(time(expires_at)),
    }
}

impl Identity {
    /// `UploadServerCertificate`.
    ///
    /// # Errors
    /// `MalformedCertificate`, `KeyPairMismatch`, `EntityAlreadyExists`, `LimitExceeded`, `InvalidInput` for
    /// tags and a reserved path.
    pub async fn upload_server_certificate(
        &self,
        cx: &Authorized,
        input: UploadServerCertificateRequest,
    ) -> Result<UploadServerCertificateResponse, Error> {
        let sealed = self
            .0
            .sealer
            .seal_bytes(PRIVATE_KEY, input.private_key.expose().as_bytes())?;
        let (body, chain, now) = (
            input.certificate_body,
            input.certificate_chain,
            cx.now.as_second(),
        );
        let private_key = input.private_key;
        // Apart from the server's other work: a chain has up to a hundred signatures.
        let checked = tokio::task::spawn_blocking(move || {
            let checked = check(&body, chain.as_deref(), private_key.expose(), now);
            checked.map(|expires_at| Row {
                body,
                chain,
                expires_at,
            })
        });
        let row = checked.await.map_err(Error::internal)??;
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let wanted = Wanted {
            kind: Kind::ServerCertificate,
            name: &input.server_certificate_name,
            path: input.path.as_deref(),
            boundary_arn: None,
            tags: input.tags.as_deref(),
        };
        let created = self.create_entity(&mut conn, cx, wanted).await?;
        server_certificate::insert(&mut conn, created.id, &row, &sealed).await?;
        // "The returned list of tags is sorted by tag key" (the model).
        let tags = views::tags(&mut conn, created.id).await?;
        commit(tx).await?;
        Ok(UploadServerCertificateResponse {
            server_certificate_metadata: Some(metadata(&created, row.expires_at)),
            tags,
        })
    }

    /// `GetServerCertificate`, without the private key.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get_server_certificate(
        &self,
        cx: &Authorized,
        input: GetServerCertificateRequest,
    ) -> Result<GetServerCertificateResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let name = &input.server_certificate_name;
        let found = get_existing(&mut conn, cx, Kind::ServerCertificate, name).await?;
        let row = server_certificate::get(&mut conn, found.id).await?;
        Ok(GetServerCertificateResponse {
            server_certificate: ServerCertificate {
                server_certificate_metadata: metadata(&found, row.expires_at),
                certificate_body: row.body,
                certificate_chain: row.chain,
                // AWS sends the list also when it is empty.
                tags: Some(views::tags(&mut conn, found.id).await?.unwrap_or_default()),
            },
        })
    }

    /// `ListServerCertificates`.
    ///
    /// # Errors
    /// `ValidationError` for a marker.
    pub async fn list_server_certificates(
        &self,
        cx: &Authorized,
        input: ListServerCertificatesRequest,
    ) -> Result<ListServerCertificatesResponse, Error> {
        let page = Page::new(input.max_items, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let prefix = input.path_prefix.as_deref();
        let cut = page_of(&mut conn, cx, Kind::ServerCertificate, prefix, &page).await?;
        let mut listed = Vec::with_capacity(cut.items.len());
        for entity in &cut.items {
            let expires_at = server_certificate::expires_at(&mut conn, entity.id).await?;
            listed.push(metadata(entity, expires_at));
        }
        Ok(ListServerCertificatesResponse {
            server_certificate_metadata_list: listed,
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    /// `UpdateServerCertificate`: another name or path, the same id.
    ///
    /// # Errors
    /// `NoSuchEntity`, `EntityAlreadyExists`.
    pub async fn update_server_certificate(
        &self,
        cx: &Authorized,
        input: UpdateServerCertificateRequest,
    ) -> Result<(), Error> {
        self.rename_entity(
            cx,
            Kind::ServerCertificate,
            &input.server_certificate_name,
            input.new_server_certificate_name.as_deref(),
            input.new_path.as_deref(),
        )
        .await
    }

    /// `DeleteServerCertificate`. Nothing can depend on it.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn delete_server_certificate(
        &self,
        cx: &Authorized,
        input: DeleteServerCertificateRequest,
    ) -> Result<(), Error> {
        let mut tx = self.change(cx).await?;
        let mut conn = tx.conn();
        let name = &input.server_certificate_name;
        let found = get_existing(&mut conn, cx, Kind::ServerCertificate, name).await?;
        entity::delete(&mut conn, found.id).await?;
        commit(tx).await
    }
}
