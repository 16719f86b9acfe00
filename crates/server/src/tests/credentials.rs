//! Who calls: AWS's errors in AWS's order, sessions that end, keys and policies that change.

use aws_api::{Service, ecr, iam, sts};
use bytes::Bytes;
use http::Method;

use super::world::{ACCOUNT, World, document, refused, statement};

const FORM: &str = "application/x-www-form-urlencoded";
const WHO: &[u8] = b"Action=GetCallerIdentity&Version=2011-06-15";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authentication_fails_in_awss_words_and_order() {
    let world = World::new().await;
    let good = world.signed(&world.root, Service::Sts, None, FORM, WHO);
    let changed = |name: &str, value: &str| {
        let mut headers = good.clone();
        headers.retain(|(header, _)| header != name);
        if !value.is_empty() {
            headers.push((name.to_owned(), value.to_owned()));
        }
        headers
    };
    let authorization = &good
        .iter()
        .find(|(name, _)| name == "authorization")
        .unwrap()
        .1;
    let key = &world.root.id;
    let table = [
        (good.clone(), 200, ""),
        (
            changed("authorization", ""),
            403,
            "MissingAuthenticationToken",
        ),
        (
            changed("authorization", "AWS4-HMAC-SHA256 nonsense"),
            400,
            "IncompleteSignature",
        ),
        (
            changed(
                "authorization",
                &authorization.replace(key.as_str(), "AKIAIOSFODNN7EXAMPLE"),
            ),
            403,
            "InvalidClientTokenId",
        ),
        (
            changed("authorization", &authorization.replace("/sts/", "/iam/")),
            403,
            "SignatureDoesNotMatch",
        ),
        (
            changed("x-amz-security-token", "made-up"),
            403,
            "InvalidClientTokenId",
        ),
    ];
    for (headers, status, code) in table {
        let headers: Vec<_> = headers
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        let reply = world.send(Method::POST, "/", &headers, WHO).await;
        assert_eq!(
            (reply.status, refused(Service::Sts, &reply).code.as_str()),
            (status, code)
        );
    }
    // Signed, then changed on its way.
    let headers: Vec<_> = good.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let reply = world
        .send(Method::POST, "/", &headers, [WHO, b"&x=1"].concat())
        .await;
    assert_eq!(refused(Service::Sts, &reply).code, "SignatureDoesNotMatch");
    // The same errors have other names in JSON.
    let target = "AmazonEC2ContainerRegistry_V20150921.DescribeRegistry";
    let headers = [("x-amz-target", target)];
    let reply = world.send(Method::POST, "/", &headers, "{}").await;
    let error = refused(Service::Ecr, &reply);
    assert_eq!(
        (error.status, error.code.as_str()),
        (400, "MissingAuthenticationTokenException")
    );
    assert_eq!(
        reply.header("x-amzn-errortype"),
        "MissingAuthenticationTokenException"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_has_its_quarter_of_an_hour() {
    let world = World::new().await;
    let headers = world.signed(&world.root, Service::Sts, None, FORM, WHO);
    let headers: Vec<_> = headers
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    world.pass(15 * 60);
    assert_eq!(
        world.send(Method::POST, "/", &headers, WHO).await.status,
        200
    );
    world.pass(1);
    let error = refused(
        Service::Sts,
        &world.send(Method::POST, "/", &headers, WHO).await,
    );
    assert_eq!(
        (error.status, error.code.as_str()),
        (403, "SignatureDoesNotMatch")
    );
    assert!(
        error
            .message
            .starts_with("Signature expired: 20261122T120000Z is now earlier than"),
        "{error:?}"
    );
    world.pass(-2 * (15 * 60 + 1));
    let error = refused(
        Service::Sts,
        &world.send(Method::POST, "/", &headers, WHO).await,
    );
    assert!(
        error.message.starts_with("Signature not yet current: "),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_and_its_docker_login_after_twelve_hours() {
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let ci = world.user(&world.root, "circleci", "").await;
    let all = statement("Allow", &["ecr:*"], "*");
    let trusted = format!("arn:aws:iam::{ACCOUNT}:user/circleci");
    world
        .role(&world.root, "containerise", &trusted, &all)
        .await;
    let input = sts::AssumeRoleRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/containerise"),
        role_session_name: "job1".into(),
        duration_seconds: Some(900),
        ..Default::default()
    };
    let session = world.assume(&ci, &input).await.unwrap();
    let token = Default::default();
    let answer = world
        .aws::<ecr::ops::GetAuthorizationToken>(&session, &token)
        .await
        .unwrap();
    let data = answer.authorization_data.unwrap();
    let [data] = data.as_slice() else {
        panic!("one registry was asked for")
    };
    let endpoint = format!("http://{}", world.address);
    assert_eq!(data.proxy_endpoint.as_deref(), Some(endpoint.as_str()));
    let login = format!(
        "Basic {}",
        data.authorization_token.as_ref().unwrap().expose()
    );
    let pull = |login: String| {
        let world = &world;
        async move {
            let headers = [("authorization", login.as_str())];
            world
                .send(Method::GET, "/v2/app1/tags/list", &headers, "")
                .await
        }
    };
    assert_eq!(pull(login.clone()).await.status, 200);
    let who = Default::default();
    let me = world
        .aws::<sts::ops::GetCallerIdentity>(&session, &who)
        .await
        .unwrap();
    assert_eq!(
        me.arn.unwrap(),
        format!("arn:aws:sts::{ACCOUNT}:assumed-role/containerise/job1")
    );

    world.pass(900);
    let error = world
        .aws::<sts::ops::GetCallerIdentity>(&session, &who)
        .await
        .unwrap_err();
    assert_eq!((error.status, error.code.as_str()), (403, "ExpiredToken"));
    // The login has its own twelve hours (ECR API, GetAuthorizationToken).
    assert_eq!(pull(login.clone()).await.status, 200);
    world.pass(12 * 3600 - 900);
    let reply = pull(login).await;
    assert_eq!((reply.status, reply.oci_code().as_str()), (403, "DENIED"));
    assert!(
        reply
            .text()
            .contains("Your authorization token has expired. Reauthenticate and try again.")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_policy_and_a_deleted_key_bite_at_the_next_request() {
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let alice = world
        .user(&world.root, "alice", &statement("Allow", &["ecr:*"], "*"))
        .await;
    let login = world.login(&alice).await;
    let headers = [("authorization", login.as_str())];
    let list = || world.send(Method::GET, "/v2/app1/tags/list", &headers, "");
    assert_eq!(list().await.status, 200);
    world
        .policy(
            &world.root,
            "alice",
            &statement("Deny", &["ecr:ListImages"], "*"),
        )
        .await;
    let reply = list().await;
    assert_eq!(reply.status, 403);
    assert!(
        reply
            .text()
            .contains("with an explicit deny in an identity-based policy"),
        "{}",
        reply.text()
    );
    world
        .policy(&world.root, "alice", &statement("Allow", &["ecr:*"], "*"))
        .await;
    assert_eq!(list().await.status, 200);

    let input = iam::DeleteAccessKeyRequest {
        user_name: Some("alice".into()),
        access_key_id: alice.id.clone(),
    };
    world
        .aws::<iam::ops::DeleteAccessKey>(&world.root, &input)
        .await
        .unwrap();
    let reply = list().await;
    assert_eq!(
        (reply.status, reply.oci_code().as_str()),
        (401, "UNAUTHORIZED")
    );
    let who = Default::default();
    let error = world
        .aws::<sts::ops::GetCallerIdentity>(&alice, &who)
        .await
        .unwrap_err();
    assert_eq!(
        (error.status, error.code.as_str()),
        (403, "InvalidClientTokenId")
    );
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_presigned_query_is_a_request() {
    use sigv4::{Parts, PathStyle, SecretKey, Signer};
    let world = World::new().await;
    let host = world.address.to_string();
    let secret = SecretKey::new(world.root.secret.as_str());
    let signer = Signer {
        access_key_id: &world.root.id,
        secret: &secret,
        session_token: None,
        region: "us-east-1",
        service: "sts",
        now_epoch_seconds: world.now().as_second(),
        path_style: PathStyle::Standard,
    };
    let parts = Parts {
        method: "GET",
        path: "/",
        query: "Action=GetCallerIdentity&Version=2011-06-15",
        headers: &[("host", host.as_bytes())],
    };
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let query = signer.presign(&parts, nothing, 60).unwrap();
    let reply = world
        .send(Method::GET, &format!("/?{query}"), &[], "")
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(
        reply
            .text()
            .contains("<Arn>arn:aws:iam::123456789012:root</Arn>"),
        "{}",
        reply.text()
    );
    world.pass(61);
    let reply = world
        .send(Method::GET, &format!("/?{query}"), &[], "")
        .await;
    assert_eq!(refused(Service::Sts, &reply).code, "SignatureDoesNotMatch");
}

/// ECR API, GetDownloadUrlForLayer: the URL is enough, for a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_layers_url_works_without_credentials_for_an_hour() {
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let login = world.login(&world.root).await;
    let layer = Bytes::from_static(b"a layer's bytes");
    let digest = blobs::Digest::sha256_of(&layer).to_string();
    let headers = [("authorization", login.as_str())];
    let path = format!("/v2/app1/blobs/uploads/?digest={digest}");
    assert_eq!(
        world
            .send(Method::POST, &path, &headers, layer.clone())
            .await
            .status,
        201
    );
    let manifest = super::registry_routes::manifest(&digest, layer.len());
    let kind = ("content-type", super::registry_routes::MANIFEST);
    let headers = [headers[0], kind];
    assert_eq!(
        world
            .send(Method::PUT, "/v2/app1/manifests/v1", &headers, manifest)
            .await
            .status,
        201
    );

    let input = ecr::GetDownloadUrlForLayerRequest {
        repository_name: "app1".into(),
        layer_digest: digest,
        ..Default::default()
    };
    let answer = world
        .aws::<ecr::ops::GetDownloadUrlForLayer>(&world.root, &input)
        .await
        .unwrap();
    let url = answer.download_url.unwrap().expose().clone();
    let path = url
        .strip_prefix(&format!("http://{}", world.address))
        .unwrap();
    let reply = world.send(Method::GET, path, &[], "").await;
    assert_eq!((reply.status, &reply.body), (200, &layer));
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    let reply = world
        .send(Method::GET, path, &[("range", "bytes=2-6")], "")
        .await;
    assert_eq!((reply.status, reply.text()), (206, "layer"));
    let reply = world
        .send(Method::GET, &path[..path.len() - 1], &[], "")
        .await;
    assert_eq!(reply.status, 403);
    world.pass(3600);
    assert_eq!(world.send(Method::GET, path, &[], "").await.status, 403);

    // A pull is told of, with whose URL it was, and so is a try.
    let path = path.to_owned();
    let (key, digest) = (world.root.id.clone(), input.layer_digest);
    let events = world.stop().await;
    let pulls: Vec<_> = events
        .iter()
        .filter(|event| event["eventName"] == "GetDownloadUrlForLayer")
        .filter(|event| event["eventCategory"] == "Data")
        .collect();
    assert_eq!(pulls.len(), 4);
    assert_eq!(pulls[0]["userIdentity"]["accessKeyId"], key);
    assert_eq!(pulls[0]["recipientAccountId"], ACCOUNT);
    assert_eq!(
        pulls[0]["requestParameters"],
        serde_json::json!({"registryId": ACCOUNT, "repositoryName": "app1", "layerDigest": digest})
    );
    assert_eq!(pulls[2]["errorCode"], "DENIED");
    let text = serde_json::to_string(&events).unwrap();
    assert!(
        !text.contains(&path["/layers/".len()..]),
        "a URL is a secret"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_accounts_user_pulls_by_repository_policy_alone_and_no_more() {
    let world = World::new().await;
    world.repository(&world.root, "app1").await;
    let other = world.other_account().await;
    let guest = world
        .user(&other, "guest", &statement("Allow", &["ecr:*"], "*"))
        .await;
    let login = world.login(&guest).await;
    let headers = [("authorization", login.as_str())];
    let pull = || world.send(Method::GET, "/v2/app1/manifests/v1", &headers, "");
    assert_eq!(pull().await.status, 403);
    let guest_arn = "arn:aws:iam::444455556666:user/guest";
    let input = ecr::SetRepositoryPolicyRequest {
        repository_name: "app1".into(),
        policy_text: document(&format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"{guest_arn}"}},"Action":"ecr:BatchGetImage"}}"#
        )),
        ..Default::default()
    };
    world
        .aws::<ecr::ops::SetRepositoryPolicy>(&world.root, &input)
        .await
        .unwrap();
    // Allowed: there is no such image.
    assert_eq!(pull().await.oci_code(), "MANIFEST_UNKNOWN");
    let put = world
        .send(Method::PUT, "/v2/app1/manifests/v1", &headers, "{}")
        .await;
    assert_eq!(put.status, 403);
    // A principal that does not exist is refused.
    let input = ecr::SetRepositoryPolicyRequest {
        policy_text: input.policy_text.replace("guest", "nobody"),
        ..input
    };
    let error = world
        .aws::<ecr::ops::SetRepositoryPolicy>(&world.root, &input)
        .await
        .unwrap_err();
    assert_eq!(error.code, "InvalidParameterException", "{error:?}");
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
