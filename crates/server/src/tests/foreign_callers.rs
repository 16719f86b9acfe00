//! Every operation of every service, called from another account: nothing of an account is visible there,
//! and nothing of it changes. Driven by the table of operations, so a new operation is covered when it has
//! its row.

use std::collections::BTreeMap;

use aws_api::organizations as org;
use aws_api::{Kind, Operation, Secret, ecr, iam};
use serde_json::{Value, json};

use super::sample;
use super::world::{ACCOUNT, Person, World, refused, statement};

/// Stands in everything that the account keeps; no request has it.
const MARK: &str = "zebra";

const CERTIFICATE: &str = include_str!("../../../certificates/tests/documents/ec.crt");
const PRIVATE_KEY: &str = include_str!("../../../certificates/tests/documents/ec.key");
const SSH_KEY: &str = include_str!("../../../certificates/tests/documents/rsa.pub");

/// Of two alike requests in a row the second meets what the first left: an alias is unique among all
/// accounts, at AWS too, and an account has one; a backfill goes to the destination that the caller's own
/// configuration named last.
const NOT_COMPARED: [&str; 3] = [
    "ecr:StartReplicationBackfill",
    "iam:CreateAccountAlias",
    "iam:DeleteAccountAlias",
];

/// The account with one of everything, named as the samples name things.
struct Owner {
    /// What a sample's id of an organization stands for, and the real one.
    ids: Vec<(&'static str, String)>,
    unique_ids: Vec<String>,
}

async fn owner(world: &World) -> Owner {
    let root = &world.root;
    let all = statement("Allow", &["*"], "*");
    let tag = || iam::Tag {
        key: "stripes".into(),
        value: MARK.into(),
    };
    let mut unique_ids = Vec::new();
    world
        .user(root, "app1", &all.replace("Allow", "Deny"))
        .await;
    let input = iam::GetUserRequest {
        user_name: Some("app1".into()),
    };
    let user = world.aws::<iam::ops::GetUser>(root, &input).await.unwrap();
    unique_ids.push(user.user.user_id);
    let input = iam::TagUserRequest {
        user_name: "app1".into(),
        tags: vec![tag()],
    };
    world.aws::<iam::ops::TagUser>(root, &input).await.unwrap();
    world.role(root, "app1", ACCOUNT, &all).await;
    let input = iam::UpdateRoleRequest {
        role_name: "app1".into(),
        description: Some(MARK.into()),
        ..Default::default()
    };
    world
        .aws::<iam::ops::UpdateRole>(root, &input)
        .await
        .unwrap();
    let input = iam::GetRoleRequest {
        role_name: "app1".into(),
    };
    let role = world.aws::<iam::ops::GetRole>(root, &input).await.unwrap();
    unique_ids.push(role.role.role_id);
    let input = iam::CreateGroupRequest {
        group_name: "app1".into(),
        path: Some(format!("/{MARK}/")),
    };
    world
        .aws::<iam::ops::CreateGroup>(root, &input)
        .await
        .unwrap();
    let input = iam::CreatePolicyRequest {
        policy_name: "app1".into(),
        policy_document: super::world::document(&statement("Deny", &["ecr:*"], "*")),
        description: Some(MARK.into()),
        ..Default::default()
    };
    world
        .aws::<iam::ops::CreatePolicy>(root, &input)
        .await
        .unwrap();
    let input = iam::CreateInstanceProfileRequest {
        instance_profile_name: "app1".into(),
        tags: Some(vec![tag()]),
        ..Default::default()
    };
    world
        .aws::<iam::ops::CreateInstanceProfile>(root, &input)
        .await
        .unwrap();
    let input = iam::UploadServerCertificateRequest {
        server_certificate_name: "app1".into(),
        path: Some(format!("/{MARK}/")),
        certificate_body: CERTIFICATE.to_owned(),
        private_key: Secret::new(PRIVATE_KEY.to_owned()),
        tags: Some(vec![tag()]),
        ..Default::default()
    };
    let certificate = world
        .aws::<iam::ops::UploadServerCertificate>(root, &input)
        .await
        .unwrap();
    let certificate = certificate.server_certificate_metadata.unwrap();
    unique_ids.push(certificate.server_certificate_id);
    let input = iam::UploadSigningCertificateRequest {
        user_name: Some("app1".into()),
        certificate_body: CERTIFICATE.to_owned(),
    };
    let certificate = world
        .aws::<iam::ops::UploadSigningCertificate>(root, &input)
        .await
        .unwrap();
    unique_ids.push(certificate.certificate.certificate_id);
    let input = iam::UploadSSHPublicKeyRequest {
        user_name: "app1".into(),
        ssh_public_key_body: SSH_KEY.to_owned(),
    };
    let key = world
        .aws::<iam::ops::UploadSSHPublicKey>(root, &input)
        .await
        .unwrap();
    unique_ids.push(key.ssh_public_key.unwrap().ssh_public_key_id);
    let input = ecr::CreateRepositoryRequest {
        repository_name: "app1".into(),
        tags: Some(vec![ecr::Tag {
            key: "stripes".into(),
            value: MARK.into(),
        }]),
        ..Default::default()
    };
    world
        .aws::<ecr::ops::CreateRepository>(root, &input)
        .await
        .unwrap();
    Owner {
        ids: organization(world, root, MARK).await,
        unique_ids,
    }
}

/// An organization of the person's account with a unit, a policy and an invitation.
async fn organization(world: &World, root: &Person, mark: &str) -> Vec<(&'static str, String)> {
    let input = org::CreateOrganizationRequest::default();
    world
        .aws::<org::ops::CreateOrganization>(root, &input)
        .await
        .unwrap();
    let roots = world
        .aws::<org::ops::ListRoots>(root, &Default::default())
        .await
        .unwrap();
    let root_id = roots.roots.unwrap()[0].id.clone().unwrap();
    let input = org::CreateOrganizationalUnitRequest {
        parent_id: root_id.clone(),
        name: mark.to_owned(),
        tags: None,
    };
    let unit = world
        .aws::<org::ops::CreateOrganizationalUnit>(root, &input)
        .await
        .unwrap();
    let input = org::CreatePolicyRequest {
        content: super::world::document(&statement("Deny", &["ecr:Delete*"], "*")),
        description: mark.to_owned(),
        name: mark.to_owned(),
        r#type: org::PolicyType::ServiceControlPolicy,
        tags: None,
    };
    let policy = world
        .aws::<org::ops::CreatePolicy>(root, &input)
        .await
        .unwrap();
    let input = org::InviteAccountToOrganizationRequest {
        target: org::HandshakeParty {
            id: Secret::new("777788889999".to_owned()),
            r#type: org::HandshakePartyType::Account,
        },
        notes: Some(Secret::new(mark.to_owned())),
        tags: None,
    };
    let sent = world
        .aws::<org::ops::InviteAccountToOrganization>(root, &input)
        .await
        .unwrap();
    let input = org::CreateAccountRequest {
        email: Secret::new(format!("{mark}@example.com")),
        account_name: Secret::new(mark.to_owned()),
        ..Default::default()
    };
    let request = world
        .aws::<org::ops::CreateAccount>(root, &input)
        .await
        .unwrap();
    let request = request.create_account_status.unwrap().id.unwrap();
    world.finish_account(&request).await;
    vec![
        (
            "ou-app1-app1app1",
            unit.organizational_unit.unwrap().id.unwrap(),
        ),
        (
            "p-app1app1",
            policy.policy.unwrap().policy_summary.unwrap().id.unwrap(),
        ),
        ("h-app1app1", sent.handshake.unwrap().id.unwrap()),
        ("car-app1app1", request),
        ("r-app1", root_id),
    ]
}

/// What the account's root user sees of it.
async fn everything(world: &World, root: &Person) -> Vec<String> {
    let mut seen = Vec::new();
    let details = iam::GetAccountAuthorizationDetailsRequest::default();
    let details = world
        .aws::<iam::ops::GetAccountAuthorizationDetails>(root, &details)
        .await;
    seen.push(format!("{:?}", details.unwrap()));
    let certificates = iam::ListServerCertificatesRequest::default();
    let certificates = world
        .aws::<iam::ops::ListServerCertificates>(root, &certificates)
        .await;
    seen.push(format!("{:?}", certificates.unwrap()));
    let keys = iam::ListSSHPublicKeysRequest {
        user_name: Some("app1".into()),
        ..Default::default()
    };
    let keys = world.aws::<iam::ops::ListSSHPublicKeys>(root, &keys).await;
    seen.push(format!("{:?}", keys.unwrap()));
    let certificates = iam::ListSigningCertificatesRequest {
        user_name: Some("app1".into()),
        ..Default::default()
    };
    let certificates = world
        .aws::<iam::ops::ListSigningCertificates>(root, &certificates)
        .await;
    seen.push(format!("{:?}", certificates.unwrap()));
    let repositories = ecr::DescribeRepositoriesRequest::default();
    let repositories = world
        .aws::<ecr::ops::DescribeRepositories>(root, &repositories)
        .await;
    seen.push(format!("{:?}", repositories.unwrap()));
    let accounts = world
        .aws::<org::ops::ListAccounts>(root, &Default::default())
        .await;
    seen.push(format!(
        "{:?}",
        accounts.unwrap().accounts.map(|accounts| accounts.len())
    ));
    let roots = world
        .aws::<org::ops::ListRoots>(root, &Default::default())
        .await;
    seen.push(format!("{:?}", roots.unwrap()));
    let input = org::ListHandshakesForOrganizationRequest::default();
    let sent = world
        .aws::<org::ops::ListHandshakesForOrganization>(root, &input)
        .await;
    let states = sent
        .unwrap()
        .handshakes
        .unwrap()
        .into_iter()
        .map(|handshake| handshake.state);
    seen.push(format!("{:?}", states.collect::<Vec<_>>()));
    seen
}

/// The bodies that an operation is called with: the least that its model takes, and the same with the
/// members that name an account.
fn bodies(operation: Operation) -> Vec<Value> {
    let least = sample::least(operation.input()).unwrap();
    let mut bodies = vec![least.clone()];
    if let Kind::Structure(members) = operation.input().kind {
        let mut named = least.clone();
        for member in members {
            let value = match member.name {
                "registryId" => json!(ACCOUNT),
                "UserName" | "RoleName" | "GroupName" | "repositoryName" => json!("app1"),
                "repositoryNames" => json!(["app1"]),
                _ => continue,
            };
            named[member.name] = value;
        }
        if named != least {
            bodies.push(named);
        }
    }
    bodies
}

async fn call(
    world: &World,
    person: &Person,
    operation: Operation,
    body: &str,
) -> (u16, String, String) {
    let service = operation.service();
    let sent = sample::request(operation, &serde_json::from_str(body).unwrap());
    let reply = world.call_operation(person, service, &sent).await;
    let text = reply.text().to_owned();
    match reply.status {
        200 => (200, String::new(), text),
        status => {
            let error = refused(service, &reply);
            (status, format!("{}: {}", error.code, error.message), text)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_account_is_visible_or_changes_in_another() {
    let world = World::new().await;
    let owner = owner(&world).await;
    let stranger = world.other_account().await;
    let own = organization(&world, &stranger, "lion").await;
    // Not the root user, who may not assume roles.
    let all = statement("Allow", &["*"], "*");
    let stranger = world.user(&stranger, "stranger", &all).await;
    let before = everything(&world, &world.root).await;

    let operations: BTreeMap<String, Operation> = crate::ops::table()
        .values()
        .map(|row| (row.columns.rule.action.to_owned(), row.operation))
        .collect();
    for (action, operation) in &operations {
        for body in bodies(*operation) {
            let body = body.to_string();
            let mut of_owner = body.clone();
            let mut nobodys = body.replace("app1", "app9");
            for (sample, real) in &owner.ids {
                of_owner = of_owner.replace(sample, real);
                // Of the same shape, and nobody's.
                let other: String = real.chars().rev().take(3).collect();
                let none = format!("{}{other}", &real[..real.len() - 3]);
                nobodys = nobodys.replace(&sample.replace("app1", "app9"), &none);
            }
            let (status, error, text) = call(&world, &stranger, *operation, &of_owner).await;
            assert!(
                !text.contains(MARK),
                "{action} shows another account's: {text}"
            );
            for id in &owner.unique_ids {
                assert!(
                    !text.contains(id),
                    "{action} shows another account's id: {text}"
                );
            }
            let (none_status, none, _) = call(&world, &stranger, *operation, &nobodys).await;
            // What exists is refused as what does not.
            let names = |text: &str| {
                let mut text = text.replace("app9", "app1");
                for (sample, real) in owner.ids.iter().chain(&own) {
                    let other: String = real.chars().rev().take(3).collect();
                    let none = format!("{}{other}", &real[..real.len() - 3]);
                    text = text.replace(real, sample).replace(&none, sample);
                }
                text
            };
            // A request that names nothing is about the caller's own.
            if of_owner != nobodys && !NOT_COMPARED.contains(&action.as_str()) {
                assert_eq!(
                    (status, names(&error)),
                    (none_status, names(&none)),
                    "{action} tells what exists: {of_owner}"
                );
            }
        }
    }
    assert_eq!(before, everything(&world, &world.root).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_login_reads_and_changes_nothing_in_a_registry() {
    let world = World::new().await;
    owner(&world).await;
    let stranger = world.other_account().await;
    let all = statement("Allow", &["*"], "*");
    let stranger = world.user(&stranger, "stranger", &all).await;
    let login = world.login(&stranger).await;
    let before = everything(&world, &world.root).await;
    for sample in sample::routes() {
        let mut answers = Vec::new();
        for path in [sample.path.clone(), sample.path.replace("app1", "app9")] {
            let headers = [("authorization", login.as_str())];
            let reply = world.send(sample.method.clone(), &path, &headers, "").await;
            let text = reply.text().replace("app9", "app1");
            assert!(!text.contains(MARK), "{path}: {text}");
            answers.push((reply.status, text));
        }
        let expected = if sample.action.is_some() { 403 } else { 200 };
        assert_eq!(answers[0].0, expected, "{} {}", sample.method, sample.path);
        assert_eq!(answers[0], answers[1], "{} {}", sample.method, sample.path);
    }
    assert_eq!(before, everything(&world, &world.root).await);
}
