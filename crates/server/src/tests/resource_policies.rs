//! What the resource's side and the order of checks decide: the registry's policy, tokens
//! that are over.

use aws_api::{Service, ecr, sts};
use http::Method;

use super::world::{ACCOUNT, OTHER, World, document, refused, statement};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_policy_lets_another_account_in() {
    let world = World::new().await;
    let other = world.other_account().await;
    let guest = world
        .user(&other, "guest", &statement("Allow", &["ecr:*"], "*"))
        .await;
    world.repository(&world.root, "app").await;
    let list = |names: Option<Vec<String>>| ecr::DescribeRepositoriesRequest {
        registry_id: Some(ACCOUNT.to_owned()),
        repository_names: names,
        ..Default::default()
    };
    let images = |name: &str| ecr::ListImagesRequest {
        registry_id: Some(ACCOUNT.to_owned()),
        repository_name: name.to_owned(),
        ..Default::default()
    };
    // All repositories, one, and one that is not there.
    let answers = async || {
        let all = list(None);
        let all = world.aws::<ecr::ops::DescribeRepositories>(&guest, &all);
        let one = list(Some(vec!["app".to_owned()]));
        let one = world.aws::<ecr::ops::DescribeRepositories>(&guest, &one);
        let (there, not_there) = (images("app"), images("none"));
        let there = world.aws::<ecr::ops::ListImages>(&guest, &there);
        let not_there = world.aws::<ecr::ops::ListImages>(&guest, &not_there);
        let code = |refused: super::world::Refused| refused.code;
        [
            all.await.err().map(code),
            one.await.err().map(code),
            there.await.err().map(code),
            not_there.await.err().map(code),
        ]
    };
    let denied = || Some("AccessDeniedException".to_owned());
    let no_repository = || Some("RepositoryNotFoundException".to_owned());
    assert_eq!(answers().await, [denied(), denied(), denied(), denied()]);
    let policy = |effect: &str, action: &str| {
        document(&format!(
            r#"{{"Effect":"{effect}","Principal":{{"AWS":"arn:aws:iam::{OTHER}:root"}},"Action":"{action}","Resource":"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/*"}}"#
        ))
    };
    let put = async |policy_text: String| {
        let input = ecr::PutRegistryPolicyRequest { policy_text };
        let put = world.aws::<ecr::ops::PutRegistryPolicy>(&world.root, &input);
        put.await.unwrap();
    };
    put(policy("Allow", "ecr:ListImages")).await;
    let expected = [denied(), denied(), None, no_repository()];
    assert_eq!(answers().await, expected);
    put(policy("Allow", "ecr:*")).await;
    assert_eq!(answers().await, [None, None, None, no_repository()]);
    let input = ecr::DeleteRegistryPolicyRequest::default();
    let deleted = world.aws::<ecr::ops::DeleteRegistryPolicy>(&world.root, &input);
    deleted.await.unwrap();
    assert_eq!(answers().await, [denied(), denied(), denied(), denied()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_holds_its_secret_learns_that_a_token_is_over() {
    const FORM: &str = "application/x-www-form-urlencoded";
    const WHO: &[u8] = b"Action=GetCallerIdentity&Version=2011-06-15";
    let world = World::new().await;
    let ana = world.user(&world.root, "ana", "").await;
    let trusted = format!("arn:aws:iam::{ACCOUNT}:user/ana");
    let may = statement("Allow", &["ecr:*"], "*");
    world.role(&world.root, "ci", &trusted, &may).await;
    let input = sts::AssumeRoleRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/ci"),
        role_session_name: "job".to_owned(),
        ..Default::default()
    };
    let session = world.assume(&ana, &input).await.unwrap();
    let stolen = super::world::Person {
        id: session.id.clone(),
        secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        token: session.token.clone(),
    };
    for (seconds, with_secret) in [(0, ""), (3_600, "ExpiredToken")] {
        world.pass(seconds);
        for (person, code) in [(&session, with_secret), (&stolen, "SignatureDoesNotMatch")] {
            let headers = world.signed(person, Service::Sts, None, FORM, WHO);
            let headers: Vec<_> = headers
                .iter()
                .map(|(k, v)| (k.as_str(), v.as_str()))
                .collect();
            let reply = world.send(Method::POST, "/", &headers, WHO).await;
            assert_eq!(refused(Service::Sts, &reply).code, code);
        }
    }
}
