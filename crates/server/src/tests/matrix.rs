//! Who may do what: principals × operations, decided by the authorization step and compared with `matrix.txt`.
//!
//! `A` allowed, `D` denied by a statement, `-` denied because nothing allows it, `S` not for this kind of
//! credentials. To accept a change that
//! is meant: run with `BERTH_WRITE_GOLDEN=1` and read the difference.

use std::fmt::Write as _;

use aws_api::{Service, iam, sts};

use super::sample;
use super::world::{ACCOUNT, OTHER, Person, World, document, statement};
use crate::authorize;
use crate::error::ApiError;
use crate::ops;
use authz::{Requirements, Rule};
use policy::Effect;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/matrix.txt");

const PUSH: [&str; 8] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
];

async fn people(world: &World) -> Vec<(&'static str, Person)> {
    let root = &world.root;
    let all = statement("Allow", &["*"], "*");
    let app1 = format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app1");
    let login = statement("Allow", &["ecr:GetAuthorizationToken"], "*");

    let admin = world.user(root, "admin", &all).await;
    let nobody = world.user(root, "nobody", "").await;
    let pusher = format!("{login},{}", statement("Allow", &PUSH, &app1));
    let pusher = world.user(root, "pusher", &pusher).await;
    let elsewhere = statement("Allow", &PUSH, &app1.replace("app1", "my-app-*"));
    let elsewhere = world.user(root, "elsewhere", &elsewhere).await;
    let spared = statement(
        "Deny",
        &[
            "ecr:DeleteRepository",
            "ecr:PutImage",
            "iam:*",
            "sts:AssumeRole",
        ],
        "*",
    );
    let spared = world.user(root, "spared", &format!("{all},{spared}")).await;

    let puller = world.user(root, "puller", "").await;
    let policy_arn = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly".to_owned();
    let input = iam::AttachUserPolicyRequest {
        user_name: "puller".into(),
        policy_arn,
    };
    world
        .aws::<iam::ops::AttachUserPolicy>(root, &input)
        .await
        .unwrap();

    let bounded = world.user(root, "bounded", &all).await;
    let input = iam::PutUserPermissionsBoundaryRequest {
        user_name: "bounded".into(),
        permissions_boundary: "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly".into(),
    };
    world
        .aws::<iam::ops::PutUserPermissionsBoundary>(root, &input)
        .await
        .unwrap();

    world.role(root, "app1", ACCOUNT, &all).await;
    let input = sts::AssumeRoleRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/app1"),
        role_session_name: "job".into(),
        policy: Some(document(&statement("Allow", &["ecr:*"], &app1))),
        ..Default::default()
    };
    let session = world.assume(&admin, &input).await.unwrap();

    // Another account's administrator, whom the repository lets pull.
    let other = world.other_account().await;
    let stranger = world.user(&other, "stranger", &all).await;
    let policy_text = document(&format!(
        r#"{{"Sid":"pull","Effect":"Allow","Principal":{{"AWS":"{OTHER}"}},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}}"#
    ));
    let input = aws_api::ecr::SetRepositoryPolicyRequest {
        repository_name: "app1".into(),
        policy_text,
        ..Default::default()
    };
    world
        .aws::<aws_api::ecr::ops::SetRepositoryPolicy>(root, &input)
        .await
        .unwrap();

    vec![
        ("root", root.clone()),
        ("admin", admin),
        ("nobody", nobody),
        ("puller", puller),
        ("pusher", pusher),
        ("elsewhere", elsewhere),
        ("bounded", bounded),
        ("spared", spared),
        ("session", session),
        ("stranger", stranger),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_do_what() {
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let people = people(&world).await;

    let mut rows: Vec<(String, Rule, Requirements)> = Vec::new();
    for operation in Service::ALL.iter().flat_map(|service| service.operations()) {
        if let Some(row) = ops::row(operation) {
            let requirements = (row.requirements)(&sample::api_body(operation)).unwrap();
            let rule = row.columns.rule;
            rows.push((rule.action.to_owned(), rule, requirements));
        }
    }
    for sample in sample::routes() {
        let route = sample.route();
        let body_follows = sample.method == http::Method::PUT;
        let required = crate::ops::oci::requirements(&route, ACCOUNT, body_follows);
        if let Some((operation, requirements)) = required {
            let path = sample.path.split("sha256:").next().unwrap_or_default();
            let rule = ops::columns(operation).rule;
            rows.push((format!("{} {path}", sample.method), rule, requirements));
        }
    }

    let names: Vec<_> = people.iter().map(|(name, _)| *name).collect();
    let mut matrix = format!("{:75} {}\n", "", names.join(" "));
    for (row, rule, requirements) in rows {
        let _ = write!(matrix, "{row:75}");
        for (name, person) in &people {
            let context = world.context(person).await;
            let letter = match authorize::check(&world.app, &context, &rule, &requirements).await {
                Ok(_) => 'A',
                Err(ApiError::Denied(refusal))
                    if refusal.decision.effect == Effect::ExplicitlyDenied =>
                {
                    'D'
                }
                Err(ApiError::Denied(_)) => '-',
                Err(ApiError::Session(_)) => 'S',
                Err(other) => panic!("{row}: {other:?}"),
            };
            let _ = write!(matrix, " {letter:width$}", width = name.len());
        }
        matrix.truncate(matrix.trim_end().len());
        matrix.push('\n');
    }
    if std::env::var_os("BERTH_WRITE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &matrix).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    for (now, before) in matrix.lines().zip(golden.lines()) {
        assert_eq!(now, before, "see the head of this file");
    }
    assert_eq!(matrix.lines().count(), golden.lines().count());
}
