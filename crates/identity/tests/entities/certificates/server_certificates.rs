//! Server certificates and their private keys.

use super::*;

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
