//! Who may upload, read and rename server certificates, and what the audit log says of them.

use aws_api::{Secret, iam};

use super::world::{ACCOUNT, World, statement};

const CERTIFICATE: &str = include_str!("../../../certificates/tests/documents/ec.crt");
const PRIVATE_KEY: &str = include_str!("../../../certificates/tests/documents/ec.key");

fn upload(name: &str, path: Option<&str>, tags: bool) -> iam::UploadServerCertificateRequest {
    let tag = iam::Tag {
        key: "team".into(),
        value: "core".into(),
    };
    iam::UploadServerCertificateRequest {
        server_certificate_name: name.into(),
        path: path.map(str::to_owned),
        certificate_body: CERTIFICATE.into(),
        private_key: Secret::new(PRIVATE_KEY.to_owned()),
        tags: tags.then(|| vec![tag]),
        ..Default::default()
    }
}

fn get(name: &str) -> iam::GetServerCertificateRequest {
    iam::GetServerCertificateRequest {
        server_certificate_name: name.into(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_certificates_are_permitted_by_path_name_and_tag() {
    let world = World::new().await;
    let arn = |rest: &str| format!("arn:aws:iam::{ACCOUNT}:server-certificate/{rest}");
    let actions = [
        "iam:UploadServerCertificate",
        "iam:UpdateServerCertificate",
        "iam:ListServerCertificates",
    ];
    let below = statement("Allow", &actions, &arn("tls/*"));
    let tagged = r#"{"Effect":"Allow","Action":"iam:GetServerCertificate","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"core"}}}"#;
    let alice = world
        .user(&world.root, "alice", &format!("{below},{tagged}"))
        .await;
    let denied = |message: String, resource: &str| {
        assert!(
            message.contains(&format!("on resource: {resource} ")),
            "{message}"
        );
    };
    type Upload = iam::ops::UploadServerCertificate;
    world
        .aws::<Upload>(&alice, &upload("web", Some("/tls/"), false))
        .await
        .unwrap();
    let error = world
        .aws::<Upload>(&alice, &upload("other", None, false))
        .await;
    denied(error.unwrap_err().message, &arn("other"));
    // Creating with tags is tagging as well.
    let error = world
        .aws::<Upload>(&alice, &upload("other", Some("/tls/"), true))
        .await
        .unwrap_err();
    assert!(
        error.message.contains("iam:TagServerCertificate"),
        "{}",
        error.message
    );
    world
        .aws::<Upload>(&world.root, &upload("other", None, true))
        .await
        .unwrap();
    type Get = iam::ops::GetServerCertificate;
    world.aws::<Get>(&alice, &get("other")).await.unwrap();
    // As AWS's denials name it.
    let error = world.aws::<Get>(&alice, &get("web")).await.unwrap_err();
    denied(error.message, "server certificate web");
    let list = |prefix: Option<&str>| iam::ListServerCertificatesRequest {
        path_prefix: prefix.map(str::to_owned),
        ..Default::default()
    };
    type List = iam::ops::ListServerCertificates;
    let listed = world
        .aws::<List>(&alice, &list(Some("/tls/")))
        .await
        .unwrap();
    assert_eq!(listed.server_certificate_metadata_list.len(), 1);
    let error = world.aws::<List>(&alice, &list(None)).await.unwrap_err();
    denied(error.message, &arn(""));
    // A new name takes permission on the source and on what it becomes.
    let rename = |name: &str, new: &str, path: Option<&str>| iam::UpdateServerCertificateRequest {
        server_certificate_name: name.into(),
        new_server_certificate_name: Some(new.into()),
        new_path: path.map(str::to_owned),
    };
    type Update = iam::ops::UpdateServerCertificate;
    let error = world
        .aws::<Update>(&alice, &rename("web", "web2", Some("/")))
        .await;
    denied(error.unwrap_err().message, &arn("web2"));
    let error = world
        .aws::<Update>(&alice, &rename("other", "web2", Some("/tls/")))
        .await;
    denied(error.unwrap_err().message, "server certificate other");
    world
        .aws::<Update>(&alice, &rename("web", "web2", None))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_keys_of_server_certificates_are_not_audited() {
    let world = World::new().await;
    world
        .aws::<iam::ops::UploadServerCertificate>(&world.root, &upload("web", None, false))
        .await
        .unwrap();
    let events = world.stop().await;
    let event = events
        .iter()
        .find(|event| event["eventName"] == "UploadServerCertificate")
        .unwrap();
    assert_eq!(event["requestParameters"]["serverCertificateName"], "web");
    let text = serde_json::to_string(&events).unwrap();
    for line in PRIVATE_KEY.lines().filter(|line| !line.starts_with('-')) {
        assert!(
            !text.contains(line),
            "a private key stands in the audit log"
        );
    }
}
