//! SSH public keys and signing certificates of users, and server certificates.

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

#[on_every_engine]
async fn server_certificates_are_checked_kept_and_their_keys_never_shown(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let pair = certificate();
    let input = iam::UploadServerCertificateRequest {
        path: Some("/cloudfront/".to_owned()),
        certificate_chain: Some(pair.0.clone()),
        tags: Some(vec![iam_tag("b", "2"), iam_tag("a", "1")]),
        ..upload_server("Web", &pair)
    };
    let made = i.upload_server_certificate(&root, input).await.unwrap();
    assert_eq!(made.tags, Some(vec![iam_tag("a", "1"), iam_tag("b", "2")]));
    let metadata = made.server_certificate_metadata.unwrap();
    assert_eq!(
        metadata.arn,
        format!("arn:aws:iam::{ACCOUNT}:server-certificate/cloudfront/Web")
    );
    assert!(
        metadata.server_certificate_id.starts_with("ASCA")
            && metadata.server_certificate_id.len() == 21
    );
    assert_eq!(
        (metadata.upload_date, metadata.expiration),
        (Some(w.now), Some("2027-01-01T00:00:00Z".parse().unwrap()))
    );
    // I10
    let found = i
        .get_server_certificate(&root, get_server("wEB"))
        .await
        .unwrap()
        .server_certificate;
    assert_eq!(
        (&found.certificate_body, found.certificate_chain.as_ref()),
        (&pair.0, Some(&pair.0))
    );
    assert_eq!(found.server_certificate_metadata, metadata);
    let taken = said(
        i.upload_server_certificate(&root, upload_server("web", &pair))
            .await,
    );
    assert_eq!(
        taken,
        words(
            "EntityAlreadyExists",
            "The Server Certificate with name web already exists."
        )
    );
    let other = certificate();
    let unreadable = "Unable to parse certificate. Please ensure the certificate is in PEM format.";
    let chain = |chain: &str| iam::UploadServerCertificateRequest {
        certificate_chain: Some(chain.to_owned()),
        ..upload_server("x", &pair)
    };
    let bad_chain = "Unable to validate certificate chain. The certificate chain must start with the immediate signing \
                         certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate is: ";
    let cases = [
            (upload_server("x", &("certbody".to_owned(), pair.1.clone())), "MalformedCertificate", unreadable.to_owned()),
            (upload_server("x", &(pair.0.clone(), other.1.clone())), "KeyPairMismatch", "The public key certificate and the private key do not match.".to_owned()),
            (upload_server("x", &(pair.0.clone(), "privatekey".to_owned())), "MalformedCertificate", "Unable to parse private key. Please ensure the private key is in PEM format and is not encrypted.".to_owned()),
            (upload_server("x", &dated(2024, 2025)), "MalformedCertificate", "The certificate has expired.".to_owned()),
            (upload_server("x", &dated(2028, 2029)), "MalformedCertificate", "The certificate is not valid yet.".to_owned()),
            (chain("certchain"), "MalformedCertificate", unreadable.to_owned()),
            // Of the same name, so its signature is looked at.
            (chain(&other.0), "MalformedCertificate", format!("{bad_chain}0")),
            (chain(&pair.0.repeat(101)), "MalformedCertificate", "The certificate chain has more than 100 certificates.".to_owned()),
        ];
    for (input, code, message) in cases {
        assert_eq!(
            said(i.upload_server_certificate(&root, input).await),
            (code.to_owned(), message)
        );
    }
    let plain = i
        .upload_server_certificate(&root, upload_server("Alpha", &other))
        .await
        .unwrap();
    assert_eq!(plain.tags, None);
    let shown = i
        .get_server_certificate(&root, get_server("Alpha"))
        .await
        .unwrap()
        .server_certificate;
    assert_eq!(
        (shown.certificate_chain, shown.tags),
        (None, Some(Vec::new()))
    );
    let list = |prefix: Option<&str>| iam::ListServerCertificatesRequest {
        path_prefix: prefix.map(str::to_owned),
        ..Default::default()
    };
    for (prefix, names) in [
        (None, &["Alpha", "Web"][..]),
        (Some("/cloud"), &["Web"]),
        (Some("/x/"), &[]),
    ] {
        let listed = i
            .list_server_certificates(&root, list(prefix))
            .await
            .unwrap();
        let listed: Vec<_> = listed
            .server_certificate_metadata_list
            .iter()
            .map(|m| m.server_certificate_name.as_str())
            .collect();
        assert_eq!(listed, names);
    }
    let first = i
        .list_server_certificates(
            &root,
            iam::ListServerCertificatesRequest {
                max_items: Some(1),
                ..list(None)
            },
        )
        .await
        .unwrap();
    assert_eq!(
        (
            first.server_certificate_metadata_list.len(),
            first.is_truncated
        ),
        (1, Some(true))
    );
    let update = |name: &str, new_name: Option<&str>, path: Option<&str>| {
        iam::UpdateServerCertificateRequest {
            server_certificate_name: name.to_owned(),
            new_server_certificate_name: new_name.map(str::to_owned),
            new_path: path.map(str::to_owned),
        }
    };
    assert_eq!(
        said(
            i.update_server_certificate(&root, update("Web", Some("ALPHA"), None))
                .await
        )
        .0,
        "EntityAlreadyExists"
    );
    i.update_server_certificate(&root, update("Web", Some("web2"), Some("/new/")))
        .await
        .unwrap();
    let renamed = i
        .get_server_certificate(&root, get_server("web2"))
        .await
        .unwrap()
        .server_certificate
        .server_certificate_metadata;
    assert_eq!(
        (renamed.server_certificate_id, renamed.path.as_str()),
        (metadata.server_certificate_id, "/new/")
    );
    let tag = iam::TagServerCertificateRequest {
        server_certificate_name: "web2".to_owned(),
        tags: vec![iam_tag("A", "3")],
    };
    i.tag_server_certificate(&root, tag).await.unwrap();
    let untag = iam::UntagServerCertificateRequest {
        server_certificate_name: "web2".to_owned(),
        tag_keys: vec!["b".to_owned()],
    };
    i.untag_server_certificate(&root, untag).await.unwrap();
    let tags = iam::ListServerCertificateTagsRequest {
        server_certificate_name: "web2".to_owned(),
        ..Default::default()
    };
    // Case counts in keys of tags but for users and roles.
    assert_eq!(
        i.list_server_certificate_tags(&root, tags)
            .await
            .unwrap()
            .tags,
        vec![iam_tag("A", "3"), iam_tag("a", "1")]
    );
    let summary = i
        .get_account_summary(&root, ())
        .await
        .unwrap()
        .summary_map
        .unwrap();
    assert_eq!(
        (
            summary[&K::ServerCertificates],
            summary[&K::ServerCertificatesQuota]
        ),
        (2, 20)
    );
    let delete = || iam::DeleteServerCertificateRequest {
        server_certificate_name: "web2".to_owned(),
    };
    i.delete_server_certificate(&root, delete()).await.unwrap();
    assert_eq!(
        said(i.delete_server_certificate(&root, delete()).await).1,
        "The Server Certificate with name web2 cannot be found."
    );
    assert_eq!(
        said(i.get_server_certificate(&root, get_server("web2")).await).0,
        "NoSuchEntity"
    );
}

#[on_every_engine]
async fn i9_server_certificates_have_a_quota(t: TestStore) {
    let settings = identity::Settings {
        server_certificates_max: 1,
        ..Default::default()
    };
    let w = World::with(&t, settings).await;
    let (i, root) = (&w.identity, w.root().await);
    let pair = certificate();
    i.upload_server_certificate(&root, upload_server("a", &pair))
        .await
        .unwrap();
    let limit = said(
        i.upload_server_certificate(&root, upload_server("b", &pair))
            .await,
    );
    assert_eq!(
        limit,
        words(
            "LimitExceeded",
            "Cannot exceed quota for ServerCertificatesPerAccount: 1"
        )
    );
}

#[on_every_engine]
async fn private_keys_of_server_certificates_are_sealed_in_the_database(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let pair = certificate();
    i.upload_server_certificate(&root, upload_server("web", &pair))
        .await
        .unwrap();
    let mut read = t.store.read().await.unwrap();
    let sql = "SELECT sealed_private_key FROM iam_server_certificates";
    let sealed = read.fetch_all(sql, Vec::new()).await.unwrap()[0]
        .bytes(0)
        .unwrap();
    let inner = pair.1.lines().nth(1).unwrap().as_bytes();
    assert!(!sealed.windows(inner.len()).any(|window| window == inner));
}
