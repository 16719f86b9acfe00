//! SSH public keys, signing certificates and server certificates: uploaded, shown, switched, refused, deleted.

use super::*;

const SSH: &str = include_str!("../../../../certificates/tests/documents/rsa.pub");
const PEM: &str = include_str!("../../../../certificates/tests/documents/rsa.pub.pem");
const SHORT: &str = include_str!("../../../../certificates/tests/documents/rsa1024.pub");
const CERTIFICATE: &str = include_str!("../../../../certificates/tests/documents/ec.crt");
const PRIVATE_KEY: &str = include_str!("../../../../certificates/tests/documents/ec.key");
const OTHER: &str = include_str!("../../../../certificates/tests/documents/ed25519.crt");
const THIRD: &str = include_str!("../../../../certificates/tests/documents/p521.crt");

async fn new() -> Golden {
    let g = Golden::new(Service::Iam).await;
    g.given("CreateUser", json!({"UserName": "alice"})).await;
    g
}

fn alice(more: Value) -> Value {
    let mut input = json!({"UserName": "alice"});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// The same input about a user who is not there.
fn nobody(mut input: Value) -> Value {
    input["UserName"] = "nobody".into();
    input
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_ssh_public_keys() {
    let mut g = new().await;
    let none = "APKAIOSFODNN7EXAMPLE";
    let upload = |body: &str| alice(json!({"SSHPublicKeyBody": body}));
    let made = g.call("UploadSSHPublicKey", "ssh-rsa", upload(SSH)).await;
    let id = member(&made, "SSHPublicKeyId").to_owned();
    for (title, input) in [
        ("the same key in PEM", upload(PEM)),
        ("too short", upload(SHORT)),
        (
            "another encoding",
            upload("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="),
        ),
        ("no such user", nobody(upload(SSH))),
    ] {
        g.call("UploadSSHPublicKey", title, input).await;
    }
    let get = |id: &str, encoding: &str| alice(json!({"SSHPublicKeyId": id, "Encoding": encoding}));
    g.call("GetSSHPublicKey", "as ssh-rsa", get(&id, "SSH"))
        .await;
    g.call("GetSSHPublicKey", "as PEM", get(&id, "PEM")).await;
    g.call("GetSSHPublicKey", "there is none", get(none, "SSH"))
        .await;
    g.call("GetSSHPublicKey", "no such user", nobody(get(&id, "SSH")))
        .await;
    g.call("ListSSHPublicKeys", "one", alice(json!({}))).await;
    g.call("ListSSHPublicKeys", "no such user", nobody(json!({})))
        .await;
    let update = |id: &str, status: &str| alice(json!({"SSHPublicKeyId": id, "Status": status}));
    for (title, input) in [
        ("off", update(&id, "Inactive")),
        ("a status that cannot be set", update(&id, "Expired")),
        ("there is none", update(none, "Inactive")),
        ("no such user", nobody(update(&id, "Inactive"))),
    ] {
        g.call("UpdateSSHPublicKey", title, input).await;
    }
    let delete = |id: &str| alice(json!({"SSHPublicKeyId": id}));
    g.call("DeleteSSHPublicKey", "deleted", delete(&id)).await;
    g.call("DeleteSSHPublicKey", "there is none", delete(none))
        .await;
    g.call("DeleteSSHPublicKey", "no such user", nobody(delete(&id)))
        .await;
    g.compare();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_signing_certificates() {
    let mut g = new().await;
    let none = "TA7SMP42TDN5Z26OBPJE7EXAMPLE";
    let upload = |body: &str| alice(json!({"CertificateBody": body}));
    let operation = "UploadSigningCertificate";
    let made = g.call(operation, "uploaded", upload(CERTIFICATE)).await;
    let id = member(&made, "CertificateId").to_owned();
    g.secret(&id);
    g.call(operation, "the same again", upload(CERTIFICATE))
        .await;
    g.call(operation, "no certificate", upload("certificate"))
        .await;
    g.call(operation, "no such user", nobody(upload(OTHER)))
        .await;
    g.call("ListSigningCertificates", "one", alice(json!({})))
        .await;
    g.call("ListSigningCertificates", "no such user", nobody(json!({})))
        .await;
    let second = g.given(operation, upload(OTHER)).await;
    g.secret(member(&second, "CertificateId"));
    g.call(operation, "a third", upload(THIRD)).await;
    let update = |id: &str| alice(json!({"CertificateId": id, "Status": "Inactive"}));
    g.call("UpdateSigningCertificate", "off", update(&id)).await;
    g.call("UpdateSigningCertificate", "there is none", update(none))
        .await;
    g.call(
        "UpdateSigningCertificate",
        "no such user",
        nobody(update(&id)),
    )
    .await;
    let delete = |id: &str| alice(json!({"CertificateId": id}));
    g.call("DeleteSigningCertificate", "deleted", delete(&id))
        .await;
    g.call("DeleteSigningCertificate", "there is none", delete(none))
        .await;
    g.call(
        "DeleteSigningCertificate",
        "no such user",
        nobody(delete(&id)),
    )
    .await;
    g.compare();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_server_certificates() {
    let mut g = new().await;
    let upload = |name: &str, certificate: &str| json!({"ServerCertificateName": name, "CertificateBody": certificate, "PrivateKey": PRIVATE_KEY});
    let operation = "UploadServerCertificate";
    let mut input = upload("web", CERTIFICATE);
    input["Path"] = "/tls/".into();
    input["CertificateChain"] = CERTIFICATE.into();
    input["Tags"] = json!([{"Key": "team", "Value": "core"}]);
    g.call("ListServerCertificates", "there is none", json!({}))
        .await;
    g.call(operation, "with a path, a chain and tags", input)
        .await;
    g.call(operation, "plain", upload("plain", CERTIFICATE))
        .await;
    g.call(operation, "the name is taken", upload("WEB", CERTIFICATE))
        .await;
    g.call(operation, "another's key", upload("other", OTHER))
        .await;
    g.call(operation, "no certificate", upload("other", "certbody"))
        .await;
    let mut input = upload("other", CERTIFICATE);
    input["CertificateChain"] = OTHER.into();
    g.call(operation, "another's chain", input).await;
    let named = |name: &str| json!({"ServerCertificateName": name});
    for (title, name) in [
        ("with tags", "web"),
        ("without", "plain"),
        ("there is none", "none"),
    ] {
        g.call("GetServerCertificate", title, named(name)).await;
        g.call("ListServerCertificateTags", title, named(name))
            .await;
    }
    g.call("ListServerCertificates", "two", json!({})).await;
    g.call(
        "ListServerCertificates",
        "below a path",
        json!({"PathPrefix": "/tls/"}),
    )
    .await;
    let tag =
        |name: &str| json!({"ServerCertificateName": name, "Tags": [{"Key": "k", "Value": "v"}]});
    let untag = |name: &str| json!({"ServerCertificateName": name, "TagKeys": ["k"]});
    let rename = |name: &str, new: &str| json!({"ServerCertificateName": name, "NewServerCertificateName": new, "NewPath": "/x/"});
    for (title, name) in [("done", "plain"), ("there is none", "none")] {
        g.call("TagServerCertificate", title, tag(name)).await;
        g.call("UntagServerCertificate", title, untag(name)).await;
        g.call("UpdateServerCertificate", title, rename(name, "renamed"))
            .await;
    }
    g.call(
        "UpdateServerCertificate",
        "the name is taken",
        rename("renamed", "web"),
    )
    .await;
    g.call("DeleteServerCertificate", "deleted", named("renamed"))
        .await;
    g.call("DeleteServerCertificate", "there is none", named("renamed"))
        .await;
    g.compare();
}
