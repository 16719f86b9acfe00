//! What the authorization step checks beyond an operation's own action, and what conditions see: tags and source
//! identities, roles that are passed, renames, the request, and whose a resource is.

use crate::ops;
use authz::ResourceSelector;
use aws_api::{ecr, iam, sts};

use super::world::{ACCOUNT, World, document, statement};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_and_source_identity_are_permissions_of_their_own() {
    let world = World::new().await;
    let ci = world.user(&world.root, "ci", "").await;
    let trusted = format!("arn:aws:iam::{ACCOUNT}:user/ci");
    // The trust policy of `World::role` allows sts:AssumeRole and sts:TagSession.
    world
        .role(
            &world.root,
            "job",
            &trusted,
            &statement("Allow", &["ecr:*"], "*"),
        )
        .await;
    let input = sts::AssumeRoleRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/job"),
        role_session_name: "one".into(),
        tags: Some(vec![sts::Tag {
            key: "team".into(),
            value: "a".into(),
        }]),
        ..Default::default()
    };
    assert!(world.assume(&ci, &input).await.is_ok());
    let input = sts::AssumeRoleRequest {
        source_identity: Some("me".into()),
        ..input
    };
    let error = world.assume(&ci, &input).await.unwrap_err();
    assert_eq!((error.status, error.code.as_str()), (403, "AccessDenied"));
    assert!(
        error
            .message
            .contains("is not authorized to perform: sts:SetSourceIdentity on resource: ")
    );
}

/// STS API Reference, AssumeRole: not with the root user's credentials.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_root_user_assumes_no_role() {
    let world = World::new().await;
    let may = statement("Allow", &["ecr:*"], "*");
    world.role(&world.root, "job", ACCOUNT, &may).await;
    let input = sts::AssumeRoleRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/job"),
        role_session_name: "one".into(),
        ..Default::default()
    };
    let error = world.assume(&world.root, &input).await.unwrap_err();
    assert_eq!((error.status, error.code.as_str()), (403, "AccessDenied"));
    assert_eq!(error.message, "Roles may not be assumed by root accounts.");
}

/// IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_put_into_an_instance_profile_by_who_may_pass_it() {
    let world = World::new().await;
    world
        .role(
            &world.root,
            "web",
            ACCOUNT,
            &statement("Allow", &["ecr:*"], "*"),
        )
        .await;
    let input = iam::CreateInstanceProfileRequest {
        instance_profile_name: "web".into(),
        ..Default::default()
    };
    world
        .aws::<iam::ops::CreateInstanceProfile>(&world.root, &input)
        .await
        .unwrap();
    let may = statement("Allow", &["iam:AddRoleToInstanceProfile"], "*");
    let ops = world.user(&world.root, "ops", &may).await;
    let input = iam::AddRoleToInstanceProfileRequest {
        instance_profile_name: "web".into(),
        role_name: "web".into(),
    };
    let error = world
        .aws::<iam::ops::AddRoleToInstanceProfile>(&ops, &input)
        .await
        .unwrap_err();
    let words = format!("iam:PassRole on resource: arn:aws:iam::{ACCOUNT}:role/web");
    assert!(error.message.contains(&words), "{error:?}");
    let pass = |service: &str| {
        format!(
            r#"{may},{{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{{"StringEquals":{{"iam:PassedToService":"{service}"}}}}}}"#
        )
    };
    world
        .policy(&world.root, "ops", &pass("lambda.amazonaws.com"))
        .await;
    assert!(
        world
            .aws::<iam::ops::AddRoleToInstanceProfile>(&ops, &input)
            .await
            .is_err()
    );
    world
        .policy(&world.root, "ops", &pass("ec2.amazonaws.com"))
        .await;
    world
        .aws::<iam::ops::AddRoleToInstanceProfile>(&ops, &input)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_see_the_request() {
    let world = World::new().await;
    let with = |condition: &str| {
        format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{{condition}}}}}"#)
    };
    let user = world.user(&world.root, "someone", "").await;
    let table = [
        (r#""IpAddress":{"aws:SourceIp":"127.0.0.0/8"}"#, true),
        (r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#, false),
        (r#""Bool":{"aws:SecureTransport":"false"}"#, true),
        (r#""Bool":{"aws:SecureTransport":"true"}"#, false),
        (
            r#""StringEquals":{"aws:RequestedRegion":"us-east-1"}"#,
            true,
        ),
        (
            r#""DateLessThan":{"aws:CurrentTime":"2026-11-22T12:00:01Z"}"#,
            true,
        ),
        (
            r#""DateLessThan":{"aws:CurrentTime":"2026-11-22T12:00:00Z"}"#,
            false,
        ),
        (
            r#""StringEquals":{"aws:RequestTag/team":"a"},"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}"#,
            true,
        ),
        (r#""StringEquals":{"aws:RequestTag/team":"b"}"#, false),
        (r#""Null":{"aws:MultiFactorAuthPresent":"true"}"#, true),
    ];
    for (at, (condition, allowed)) in table.into_iter().enumerate() {
        world.policy(&world.root, "someone", &with(condition)).await;
        let input = ecr::CreateRepositoryRequest {
            repository_name: format!("app{at}"),
            tags: Some(vec![ecr::Tag {
                key: "team".into(),
                value: "a".into(),
            }]),
            ..Default::default()
        };
        let answer = world.aws::<ecr::ops::CreateRepository>(&user, &input).await;
        assert_eq!(answer.is_ok(), allowed, "{condition}: {answer:?}");
    }
    // A resource's own tags.
    world
        .policy(
            &world.root,
            "someone",
            &with(r#""StringEquals":{"ecr:ResourceTag/team":"a"}"#),
        )
        .await;
    let input = ecr::DescribeRepositoriesRequest {
        repository_names: Some(vec!["app0".into()]),
        ..Default::default()
    };
    assert!(
        world
            .aws::<ecr::ops::DescribeRepositories>(&user, &input)
            .await
            .is_ok()
    );
    world
        .policy(
            &world.root,
            "someone",
            &with(r#""StringEquals":{"aws:ResourceTag/team":"b"}"#),
        )
        .await;
    assert!(
        world
            .aws::<ecr::ops::DescribeRepositories>(&user, &input)
            .await
            .is_err()
    );
}

/// `aws:ResourceAccount` is the owner's, for every resource.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_see_whose_the_resource_is() {
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let other = world.other_account().await;
    world.repository(&other, "app1").await;
    let everybody = r#"{"Effect":"Allow","Principal":"*","Action":"ecr:*"}"#;
    let input = ecr::SetRepositoryPolicyRequest {
        repository_name: "app1".into(),
        policy_text: document(everybody),
        ..Default::default()
    };
    world
        .aws::<ecr::ops::SetRepositoryPolicy>(&other, &input)
        .await
        .unwrap();
    let own = format!(
        r#"{{"Effect":"Allow","Action":["ecr:*","iam:*"],"Resource":"*","Condition":{{"StringEquals":{{"aws:ResourceAccount":"{ACCOUNT}"}}}}}}"#
    );
    let alice = world.user(&world.root, "alice", &own).await;
    let list = |registry: Option<&str>| ecr::ListImagesRequest {
        registry_id: registry.map(str::to_owned),
        repository_name: "app1".into(),
        ..Default::default()
    };
    world
        .aws::<ecr::ops::ListImages>(&alice, &list(None))
        .await
        .unwrap();
    world
        .aws::<iam::ops::GetUser>(&alice, &Default::default())
        .await
        .unwrap();
    let refused = world
        .aws::<ecr::ops::ListImages>(&alice, &list(Some(super::world::OTHER)))
        .await
        .unwrap_err();
    assert!(refused.code.starts_with("AccessDenied"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_accounts_key_is_none() {
    let world = World::new().await;
    let nobody = world.user(&world.root, "nobody", "").await;
    let other = world.other_account().await;
    let secret = world.user(&other, "secret-project", "").await;
    let ask = |id: &str| iam::GetAccessKeyLastUsedRequest {
        access_key_id: id.to_owned(),
    };
    let mut answers = Vec::new();
    for id in [secret.id.as_str(), "AKIAIOSFODNN7EXAMPLE"] {
        for person in [&nobody, &world.root] {
            let refused = world
                .aws::<iam::ops::GetAccessKeyLastUsed>(person, &ask(id))
                .await
                .unwrap_err();
            answers.push(refused.message.replace(id, "KEY"));
        }
    }
    assert_eq!(answers[..2], answers[2..]);
}

/// The number of queries is what the time of a denial mostly depends on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denial_runs_the_same_queries_whether_the_resource_exists_or_not() {
    const ASKS: usize = 3;
    let world = World::new().await;
    let other = world.other_account().await;
    let foreign = super::world::OTHER;
    world.repository(&other, "there").await;
    let may = statement("Allow", &["ecr:*"], "*");
    let trusted = format!("arn:aws:iam::{foreign}:root");
    world.role(&other, "there", &trusted, &may).await;
    let key = world.user(&other, "there", "").await;
    let nobody = world.user(&world.root, "nobody", "").await;
    let context = world.context(&nobody).await;
    let repository = |name: &str| ResourceSelector::Repository {
        registry: Some(foreign.to_owned()),
        name: name.to_owned(),
    };
    let by_arn = |name: &str| {
        let arn = format!("arn:aws:ecr:us-east-1:{foreign}:repository/{name}");
        ResourceSelector::RepositoryArn(arn)
    };
    let role =
        |name: &str| ResourceSelector::TrustingRole(format!("arn:aws:iam::{foreign}:role/{name}"));
    let key_owner = |id: &str| ResourceSelector::KeyOwner(id.to_owned());
    let cases = [
        (repository("there"), repository("missing")),
        (by_arn("there"), by_arn("missing")),
        (role("there"), role("missing")),
        (key_owner(&key.id), key_owner("AKIAIOSFODNN7EXAMPLE")),
        (key_owner(&other.id), key_owner("AKIAIOSFODNN7EXAMPLE")),
    ];
    let rule = ops::columns(aws_api::ecr::Operation::DescribeRepositories).rule;
    let queries = async |selector: &ResourceSelector| {
        let mut counts = Vec::new();
        // The first look-up loads the resource, later ones find it in memory.
        for _ in 0..ASKS {
            let requirements = authz::require(selector.clone());
            let check = crate::authorize::check(&world.app, &context, &rule, &requirements);
            let (decided, count) = Box::pin(store::testing::count_queries(check)).await;
            assert!(
                matches!(decided, Err(crate::error::ApiError::Denied(_))),
                "{selector:?}: {decided:?}"
            );
            counts.push(count);
        }
        counts
    };
    // What organizations impose is looked up by account, whatever there is in it.
    for account in [super::world::ACCOUNT, foreign] {
        let controls = world
            .app
            .identity
            .account_controls(account.parse().unwrap());
        controls.await.unwrap();
    }
    // So are the policy and the settings of a registry.
    let (owner, region) = (foreign.parse().unwrap(), "us-east-1".parse().unwrap());
    let registry = world.app.registry.registry_policy(&owner, &region);
    registry.await.unwrap();
    for (there, missing) in cases {
        let counts = Box::pin(queries(&there)).await;
        assert!(counts.iter().all(|count| *count > 0), "{there:?}");
        assert_eq!(counts, Box::pin(queries(&missing)).await, "{there:?}");
    }
}

/// A new name takes permission on the source and on what it becomes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_renames_a_user_into_anothers_name() {
    let world = World::new().await;
    let arn = |rest: &str| format!("arn:aws:iam::{ACCOUNT}:{rest}");
    let may = |resources: &[String]| {
        let resources = serde_json::json!(resources);
        format!(
            r#"{{"Effect":"Allow","Action":["iam:UpdateUser","iam:UpdateGroup"],"Resource":{resources}}}"#
        )
    };
    let statements = may(&[arn("user/team/*"), arn("group/team/*"), arn("user/bob")]);
    let alice = world.user(&world.root, "alice", &statements).await;
    for name in ["intern", "clerk"] {
        let input = iam::CreateUserRequest {
            user_name: name.into(),
            path: Some("/team/".into()),
            ..Default::default()
        };
        world
            .aws::<iam::ops::CreateUser>(&world.root, &input)
            .await
            .unwrap();
    }
    let rename = |name: &str, new: Option<&str>, path: Option<&str>| iam::UpdateUserRequest {
        user_name: name.into(),
        new_user_name: new.map(str::to_owned),
        new_path: path.map(str::to_owned),
    };
    let table = [
        (rename("intern", Some("admin"), Some("/")), "user/admin"),
        (
            rename("intern", None, Some("/admins/")),
            "user/admins/intern",
        ),
        (rename("intern", None, None), ""),
        // The path stays when only the name changes.
        (rename("intern", Some("bob"), None), ""),
        (rename("bob", Some("trainee"), Some("/team/x/")), ""),
        (rename("clerk", Some("bob"), Some("/")), ""),
        // No longer below /team/.
        (rename("bob", Some("carol"), None), "user/carol"),
    ];
    for (input, denied) in table {
        let answer = world.aws::<iam::ops::UpdateUser>(&alice, &input).await;
        match denied {
            "" => assert!(answer.is_ok(), "{input:?}: {answer:?}"),
            resource => {
                let message = answer.unwrap_err().message;
                let resource = format!("on resource: {}", arn(resource));
                assert!(message.contains(&resource), "{input:?}: {message}");
            }
        }
    }
    let input = iam::CreateGroupRequest {
        group_name: "interns".into(),
        path: Some("/team/".into()),
    };
    world
        .aws::<iam::ops::CreateGroup>(&world.root, &input)
        .await
        .unwrap();
    let input = iam::UpdateGroupRequest {
        group_name: "interns".into(),
        new_path: Some("/admins/".into()),
        ..Default::default()
    };
    let answer = world.aws::<iam::ops::UpdateGroup>(&alice, &input).await;
    assert!(answer.is_err());
}
