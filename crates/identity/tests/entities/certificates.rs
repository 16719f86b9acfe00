//! SSH public keys and signing certificates of users, and server certificates.

mod server_certificates;

use aws_api::Secret;
use aws_api::iam::{self, EncodingType, StatusType, SummaryKeyType as K};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use store::testing::{TestStore, on_every_engine};

use super::common::*;
use super::{create_user, iam_tag, words};

const KEY: &str = include_str!("../../../certificates/tests/documents/rsa.pub");
const PEM: &str = include_str!("../../../certificates/tests/documents/rsa.pub.pem");
const SHORT: &str = include_str!("../../../certificates/tests/documents/rsa1024.pub");

/// A fresh certificate that holds in the world's year, and its key.
fn certificate() -> (String, String) {
    dated(2026, 2027)
}

fn dated(from: i32, until: i32) -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "web");
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    (pem, key.serialize_pem())
}

/// Fresh `ssh-rsa` keys: RSA keys are slow to make, and any odd modulus of the right size will do.
fn ssh_key(number: u8) -> String {
    use base64::Engine as _;
    let mut blob = vec![0, 0, 0, 7];
    blob.extend(b"ssh-rsa");
    blob.extend([0, 0, 0, 3, 1, 0, 1]);
    blob.extend([0, 0, 1, 1, 0, 0x80]);
    blob.extend([number; 254]);
    blob.push(1);
    format!(
        "ssh-rsa {}",
        base64::engine::general_purpose::STANDARD.encode(blob)
    )
}

fn upload_key(user: &str, body: &str) -> iam::UploadSSHPublicKeyRequest {
    iam::UploadSSHPublicKeyRequest {
        user_name: user.to_owned(),
        ssh_public_key_body: body.to_owned(),
    }
}

fn get_key(user: &str, id: &str, encoding: EncodingType) -> iam::GetSSHPublicKeyRequest {
    iam::GetSSHPublicKeyRequest {
        user_name: user.to_owned(),
        ssh_public_key_id: id.to_owned(),
        encoding,
    }
}

fn upload_signing(user: Option<&str>, body: &str) -> iam::UploadSigningCertificateRequest {
    iam::UploadSigningCertificateRequest {
        user_name: user.map(str::to_owned),
        certificate_body: body.to_owned(),
    }
}

fn list_signing(user: Option<&str>) -> iam::ListSigningCertificatesRequest {
    iam::ListSigningCertificatesRequest {
        user_name: user.map(str::to_owned),
        ..Default::default()
    }
}

fn upload_server(name: &str, pair: &(String, String)) -> iam::UploadServerCertificateRequest {
    iam::UploadServerCertificateRequest {
        server_certificate_name: name.to_owned(),
        certificate_body: pair.0.clone(),
        private_key: Secret::new(pair.1.clone()),
        ..Default::default()
    }
}

fn get_server(name: &str) -> iam::GetServerCertificateRequest {
    iam::GetServerCertificateRequest {
        server_certificate_name: name.to_owned(),
    }
}

async fn delete_user(w: &World, cx: &identity::Authorized, name: &str) -> (String, String) {
    let input = iam::DeleteUserRequest {
        user_name: name.to_owned(),
    };
    said(w.identity.delete_user(cx, input).await)
}

#[on_every_engine]
async fn i4_ssh_keys_are_kept_shown_in_both_encodings_and_deleted(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    for user in ["ada", "bob"] {
        i.create_user(&root, create_user(user)).await.unwrap();
    }
    let made = i
        .upload_ssh_public_key(&root, upload_key("ada", KEY))
        .await
        .unwrap()
        .ssh_public_key
        .unwrap();
    assert_eq!(
        (made.user_name.as_str(), made.status, made.upload_date),
        ("ada", StatusType::Active, Some(w.now))
    );
    assert!(made.ssh_public_key_id.starts_with("APKA") && made.ssh_public_key_id.len() == 20);
    assert_eq!(
        made.fingerprint,
        "32:3c:aa:82:4c:54:5c:74:d9:b6:ec:a8:a6:b5:72:44"
    );
    let id = made.ssh_public_key_id.as_str();
    for (encoding, body) in [(EncodingType::Ssh, KEY), (EncodingType::Pem, PEM)] {
        let shown = i
            .get_ssh_public_key(&root, get_key("ada", id, encoding))
            .await
            .unwrap()
            .ssh_public_key
            .unwrap();
        assert_eq!(shown.ssh_public_key_body, body);
    }
    // The same key in the other encoding; another user may have it.
    assert_eq!(
        said(i.upload_ssh_public_key(&root, upload_key("ada", PEM)).await).0,
        "DuplicateSSHPublicKey"
    );
    i.upload_ssh_public_key(&root, upload_key("bob", PEM))
        .await
        .unwrap();
    for (body, code) in [
        (SHORT, "InvalidPublicKey"),
        ("ssh-ed25519 AAAA", "UnrecognizedPublicKeyEncoding"),
        ("key", "UnrecognizedPublicKeyEncoding"),
    ] {
        assert_eq!(
            said(
                i.upload_ssh_public_key(&root, upload_key("ada", body))
                    .await
            )
            .0,
            code,
            "{body}"
        );
    }
    assert_eq!(
        said(i.upload_ssh_public_key(&root, upload_key("eve", KEY)).await).1,
        "The user with name eve cannot be found."
    );
    for number in 1..5 {
        i.upload_ssh_public_key(&root, upload_key("ada", &ssh_key(number)))
            .await
            .unwrap();
    }
    // I9
    let limit = said(
        i.upload_ssh_public_key(&root, upload_key("ada", &ssh_key(6)))
            .await,
    );
    assert_eq!(
        limit,
        words(
            "LimitExceeded",
            "Cannot exceed quota for SSHPublicKeysPerUser: 5"
        )
    );
    let mut seen = Vec::new();
    let mut marker = None;
    loop {
        let input = iam::ListSSHPublicKeysRequest {
            user_name: Some("ada".to_owned()),
            max_items: Some(2),
            marker,
        };
        let page = i.list_ssh_public_keys(&root, input).await.unwrap();
        seen.extend(
            page.ssh_public_keys
                .unwrap()
                .into_iter()
                .map(|key| key.ssh_public_key_id),
        );
        marker = page.marker;
        if marker.is_none() {
            break;
        }
    }
    assert!(seen.len() == 5 && seen.contains(&made.ssh_public_key_id));
    let root_list = i
        .list_ssh_public_keys(&root, iam::ListSSHPublicKeysRequest::default())
        .await
        .unwrap();
    assert_eq!(root_list.ssh_public_keys, Some(Vec::new()));
    let update = |user: &str, status| iam::UpdateSSHPublicKeyRequest {
        user_name: user.to_owned(),
        ssh_public_key_id: id.to_owned(),
        status,
    };
    i.update_ssh_public_key(&root, update("ada", StatusType::Inactive))
        .await
        .unwrap();
    let shown = i
        .get_ssh_public_key(&root, get_key("ada", id, EncodingType::Ssh))
        .await
        .unwrap();
    assert_eq!(shown.ssh_public_key.unwrap().status, StatusType::Inactive);
    assert_eq!(
        said(
            i.update_ssh_public_key(&root, update("ada", StatusType::Expired))
                .await
        )
        .0,
        "ValidationError"
    );
    let missing = words(
        "NoSuchEntity",
        &format!("The Public Key with id {id} cannot be found."),
    );
    assert_eq!(
        said(
            i.update_ssh_public_key(&root, update("bob", StatusType::Active))
                .await
        ),
        missing
    );
    assert_eq!(
        said(
            i.get_ssh_public_key(&root, get_key("bob", id, EncodingType::Ssh))
                .await
        ),
        missing
    );
    // I8
    assert_eq!(
        delete_user(&w, &root, "ada").await,
        words(
            "DeleteConflict",
            "Cannot delete entity, must remove referenced objects first."
        )
    );
    for key in &seen {
        let input = iam::DeleteSSHPublicKeyRequest {
            user_name: "ada".to_owned(),
            ssh_public_key_id: key.clone(),
        };
        i.delete_ssh_public_key(&root, input).await.unwrap();
    }
    let again = iam::DeleteSSHPublicKeyRequest {
        user_name: "ada".to_owned(),
        ssh_public_key_id: id.to_owned(),
    };
    assert_eq!(said(i.delete_ssh_public_key(&root, again).await), missing);
    i.delete_user(
        &root,
        iam::DeleteUserRequest {
            user_name: "ada".to_owned(),
        },
    )
    .await
    .unwrap();
}

#[on_every_engine]
async fn i4_signing_certificates_are_checked_kept_and_reported(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let i = w.identity.clone();
    i.create_user(&root, create_user("ada")).await.unwrap();
    i.create_user(&root, create_user("bob")).await.unwrap();
    let certificates = [certificate().0, certificate().0, certificate().0];
    let made = i
        .upload_signing_certificate(&root, upload_signing(Some("ada"), &certificates[0]))
        .await
        .unwrap()
        .certificate;
    assert_eq!(
        (made.user_name.as_str(), made.status, made.upload_date),
        ("ada", StatusType::Active, Some(w.now))
    );
    assert_eq!(made.certificate_body, certificates[0]);
    // One account, one holder.
    for user in [Some("ada"), Some("bob"), None] {
        let again = i
            .upload_signing_certificate(&root, upload_signing(user, &certificates[0]))
            .await;
        assert_eq!(said(again).0, "DuplicateCertificate");
    }
    let malformed = said(
        i.upload_signing_certificate(
            &root,
            upload_signing(Some("ada"), "invalid-certificate-body"),
        )
        .await,
    );
    assert_eq!(
        malformed,
        words(
            "MalformedCertificate",
            "Certificate invalid-certificate-body is malformed."
        )
    );
    for (body, code) in [
        (dated(2024, 2025).0, "MalformedCertificate"),
        (dated(2028, 2029).0, "InvalidCertificate"),
    ] {
        assert_eq!(
            said(
                i.upload_signing_certificate(&root, upload_signing(Some("ada"), &body))
                    .await
            )
            .0,
            code
        );
    }
    assert_eq!(
        said(
            i.upload_signing_certificate(&root, upload_signing(Some("eve"), &certificates[1]))
                .await
        )
        .1,
        "The user with name eve cannot be found."
    );
    w.pass(60);
    let root = w.root_again(&root).await;
    i.upload_signing_certificate(&root, upload_signing(Some("ada"), &certificates[1]))
        .await
        .unwrap();
    // I9
    let limit = said(
        i.upload_signing_certificate(&root, upload_signing(Some("ada"), &certificates[2]))
            .await,
    );
    assert_eq!(
        limit,
        words(
            "LimitExceeded",
            "Cannot exceed quota for CertificatesPerUser: 2"
        )
    );
    // Root's own.
    let summary = i
        .get_account_summary(&root, ())
        .await
        .unwrap()
        .summary_map
        .unwrap();
    assert_eq!(summary[&K::AccountSigningCertificatesPresent], 0);
    i.upload_signing_certificate(&root, upload_signing(None, &certificates[2]))
        .await
        .unwrap();
    let own = i
        .list_signing_certificates(&root, list_signing(None))
        .await
        .unwrap();
    assert_eq!((own.certificates.len(), own.is_truncated), (1, Some(false)));
    let summary = i
        .get_account_summary(&root, ())
        .await
        .unwrap()
        .summary_map
        .unwrap();
    assert_eq!(summary[&K::AccountSigningCertificatesPresent], 1);
    let update = |user: Option<&str>, status| iam::UpdateSigningCertificateRequest {
        user_name: user.map(str::to_owned),
        certificate_id: made.certificate_id.clone(),
        status,
    };
    i.update_signing_certificate(&root, update(Some("ada"), StatusType::Inactive))
        .await
        .unwrap();
    let missing = words(
        "NoSuchEntity",
        &format!(
            "The Certificate with id {} cannot be found.",
            made.certificate_id
        ),
    );
    for user in [Some("bob"), None] {
        assert_eq!(
            said(
                i.update_signing_certificate(&root, update(user, StatusType::Active))
                    .await
            ),
            missing
        );
    }
    assert_eq!(
        said(
            i.update_signing_certificate(&root, update(Some("ada"), StatusType::Expired))
                .await
        )
        .0,
        "ValidationError"
    );
    // I5
    i.generate_credential_report(&root, ()).await.unwrap();
    let report = i
        .get_credential_report(&root, ())
        .await
        .unwrap()
        .content
        .unwrap();
    let report = String::from_utf8(report.to_vec()).unwrap();
    let last = |user: &str| {
        let line = report.lines().find(|line| line.starts_with(user)).unwrap();
        line.split(',').skip(18).collect::<Vec<_>>().join(",")
    };
    assert_eq!(
        last("ada"),
        "false,2026-11-22T12:00:00Z,true,2026-11-22T12:01:00Z,N/A"
    );
    assert_eq!(last("bob"), "false,N/A,false,N/A,N/A");
    assert_eq!(
        last("<root_account>"),
        "true,2026-11-22T12:01:00Z,false,N/A,N/A"
    );
    // I8
    assert_eq!(
        delete_user(&w, &root, "ada").await.1,
        "Cannot delete entity, must delete certificates first."
    );
    for held in i
        .list_signing_certificates(&root, list_signing(Some("ada")))
        .await
        .unwrap()
        .certificates
    {
        let input = iam::DeleteSigningCertificateRequest {
            user_name: Some("ada".to_owned()),
            certificate_id: held.certificate_id,
        };
        i.delete_signing_certificate(&root, input).await.unwrap();
    }
    i.delete_user(
        &root,
        iam::DeleteUserRequest {
            user_name: "ada".to_owned(),
        },
    )
    .await
    .unwrap();
    // Nobody has it any more.
    i.upload_signing_certificate(&root, upload_signing(Some("bob"), &certificates[0]))
        .await
        .unwrap();
}
