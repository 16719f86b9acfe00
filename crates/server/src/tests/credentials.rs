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
async fn a_presigned_query_is_a_request() {
    use sigv4::{PathStyle, RequestParts, SecretKey, Signer};
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
    let parts = RequestParts {
        method: "GET",
        path: "/",
        query: "Action=GetCallerIdentity&Version=2011-06-15",
        headers: &[("host", host.as_bytes())],
    };
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    // `aws-iam-authenticator` 0.6 says 0.
    let nil = signer.presign(&parts, nothing, 0).unwrap();
    let reply = world.send(Method::GET, &format!("/?{nil}"), &[], "").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
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
    // Whatever X-Amz-Expires says, for 15 minutes from the date.
    for (seconds, status) in [(61, 200), (13 * 60, 200), (60, 403)] {
        world.pass(seconds);
        let reply = world
            .send(Method::GET, &format!("/?{query}"), &[], "")
            .await;
        assert_eq!(reply.status, status, "{seconds}: {}", reply.text());
    }
    // Never longer.
    let signer = Signer {
        now_epoch_seconds: world.now().as_second(),
        ..signer
    };
    let week = signer.presign(&parts, nothing, 7 * 86_400).unwrap();
    world.pass(15 * 60 + 1);
    let reply = world.send(Method::GET, &format!("/?{week}"), &[], "").await;
    assert_eq!(refused(Service::Sts, &reply).code, "SignatureDoesNotMatch");
    // Another operation keeps the limit that it states.
    let signer = Signer {
        now_epoch_seconds: world.now().as_second(),
        ..signer
    };
    let parts = RequestParts {
        query: "Action=GetSessionToken&Version=2011-06-15",
        ..parts
    };
    let other = signer.presign(&parts, nothing, 60).unwrap();
    for (seconds, status) in [(59, 200), (2, 403)] {
        world.pass(seconds);
        let reply = world
            .send(Method::GET, &format!("/?{other}"), &[], "")
            .await;
        assert_eq!(reply.status, status, "{seconds}: {}", reply.text());
    }
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
        // The call that made the URL is such an event too, and says who called.
        .filter(|event| event["userIdentity"]["type"] == "Unknown")
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
