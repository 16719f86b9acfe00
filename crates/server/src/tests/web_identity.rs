//! `AssumeRoleWithWebIdentity` on the wire, with the tokens of an issuer on loopback over TLS.

#[path = "../../../identity/tests/jose/mod.rs"]
pub(super) mod jose;

use std::sync::Arc;

use aws_api::{iam, sts};
use identity::federation::oidc::Algorithm;
use jose::Signer;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::world::{ACCOUNT, OTHER, Person, Refused, World, document, refused, statement};

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";
const TAGS: &str = "https://aws.amazon.com/tags";
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

/// An issuer that serves its discovery document and its keys.
struct Issuer {
    /// Its URL without the scheme.
    name: String,
    signer: Signer,
}

impl Issuer {
    /// An issuer, and a world whose server may call it.
    async fn with_world() -> (Issuer, World) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let name = listener.local_addr().unwrap().to_string();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate: CertificateDer<'static> = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let issuer = Issuer {
            signer: Signer::new(Algorithm::Es256),
            name,
        };
        let discovery = json!({
            "issuer": issuer.url(),
            "jwks_uri": format!("{}/keys", issuer.url()),
        });
        let documents = (discovery.to_string(), issuer.signer.jwks("k1"));
        tokio::spawn(serve(
            listener,
            TlsAcceptor::from(Arc::new(config)),
            documents,
        ));
        let world = World::with(|settings| {
            settings.outbound.extra_roots = vec![certificate];
            settings.outbound.allow = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await;
        (issuer, world)
    }

    fn url(&self) -> String {
        format!("https://{}", self.name)
    }

    fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:oidc-provider/{}", self.name)
    }

    fn token(&self, world: &World, more: &Value) -> String {
        let now = world.now().as_second();
        let mut claims = json!({
            "iss": self.url(), "sub": "job", "aud": "sts.amazonaws.com", "iat": now - 10, "exp": now + 300,
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.signer.token("k1", &claims)
    }

    async fn create_provider(&self, world: &World, root: &Person) {
        let input = iam::CreateOpenIDConnectProviderRequest {
            url: self.url(),
            client_id_list: Some(vec!["sts.amazonaws.com".to_owned()]),
            thumbprint_list: Some(vec!["0".repeat(40)]),
            ..Default::default()
        };
        world
            .aws::<iam::ops::CreateOpenIDConnectProvider>(root, &input)
            .await
            .unwrap();
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, documents: (String, Vec<u8>)) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = tls.accept(stream).await else {
            continue;
        };
        let mut head = Vec::new();
        while !head.windows(4).any(|window| window == b"\r\n\r\n") {
            if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
                break;
            }
        }
        let body = match head.starts_with(b"GET /keys ") {
            true => &documents.1[..],
            false => documents.0.as_bytes(),
        };
        let length = body.len();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        let answer = [head.as_bytes(), body].concat();
        // A client that went away is none of the issuer's business.
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
    }
}

/// A role of `root`'s account that trusts a provider for these actions, under these conditions.
async fn create_role(
    world: &World,
    root: &Person,
    name: &str,
    provider: &str,
    (actions, condition): (&[&str], Value),
) {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"Federated": provider}, "Action": actions, "Condition": condition,
        }],
    });
    let input = iam::CreateRoleRequest {
        role_name: name.to_owned(),
        assume_role_policy_document: trust.to_string(),
        ..Default::default()
    };
    world
        .aws::<iam::ops::CreateRole>(root, &input)
        .await
        .unwrap();
}

async fn allow(world: &World, role: &str, statements: &str) {
    let input = iam::PutRolePolicyRequest {
        role_name: role.to_owned(),
        policy_name: "inline".to_owned(),
        policy_document: document(statements),
    };
    world
        .aws::<iam::ops::PutRolePolicy>(&world.root, &input)
        .await
        .unwrap();
}

fn role_arn(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role/{name}")
}

fn request(account: &str, name: &str, token: String) -> sts::AssumeRoleWithWebIdentityRequest {
    sts::AssumeRoleWithWebIdentityRequest {
        role_arn: role_arn(account, name),
        role_session_name: "build-7".to_owned(),
        web_identity_token: token.into(),
        ..Default::default()
    }
}

/// Sends the request as SDKs do: without a signature.
async fn assume(
    world: &World,
    input: &sts::AssumeRoleWithWebIdentityRequest,
) -> Result<sts::AssumeRoleWithWebIdentityResponse, Refused> {
    type Operation = sts::ops::AssumeRoleWithWebIdentity;
    let request = aws_api::encode_request::<Operation>(input);
    let headers = [("content-type", request.content_type)];
    let reply = world
        .send(http::Method::POST, "/", &headers, request.body)
        .await;
    match reply.status {
        200 => Ok(aws_api::decode_response::<Operation>(&reply.body).unwrap()),
        _ => Err(refused(aws_api::Service::Sts, &reply)),
    }
}

fn person(answer: &sts::AssumeRoleWithWebIdentityResponse) -> Person {
    let credentials = answer.credentials.clone().unwrap();
    Person {
        id: credentials.access_key_id,
        secret: credentials.secret_access_key.expose().clone(),
        token: Some(credentials.session_token.expose().clone()),
    }
}

async fn may_list_users(world: &World, person: &Person) -> bool {
    let input = iam::ListUsersRequest::default();
    world
        .aws::<iam::ops::ListUsers>(person, &input)
        .await
        .is_ok()
}

fn list_users_if(condition: &Value) -> String {
    json!({"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*", "Condition": condition})
        .to_string()
}

/// O10: tags in either form need `sts:TagSession`, a source identity needs `sts:SetSourceIdentity`, both in
/// the role's trust policy; without them the whole call fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o10_tags_and_source_identity_need_actions_of_their_own() {
    let (issuer, world) = Issuer::with_world().await;
    issuer.create_provider(&world, &world.root).await;
    let provider = issuer.arn(ACCOUNT);
    let team = json!({"StringEquals": {"aws:RequestTag/team": "core"}});
    let none = json!({});
    for (name, actions, condition) in [
        ("plain", &[ACTION][..], &none),
        ("tagged", &[ACTION, "sts:TagSession"], &none),
        ("core", &[ACTION, "sts:TagSession"], &team),
        ("sourced", &[ACTION, "sts:SetSourceIdentity"], &none),
    ] {
        let trust = (actions, condition.clone());
        create_role(&world, &world.root, name, &provider, trust).await;
    }
    let nested =
        json!({(TAGS): {"principal_tags": {"team": ["core"]}, "transitive_tag_keys": ["team"]}});
    let flat = json!({
        (format!("{TAGS}/principal_tags/team")): "core",
        (format!("{TAGS}/transitive_tag_keys")): ["team"],
    });
    let other_team = json!({(TAGS): {"principal_tags": {"team": ["edge"]}}});
    let source = json!({(SOURCE_IDENTITY): "alice"});
    for (role, claims, lacking) in [
        ("plain", &none, None),
        ("plain", &nested, Some("sts:TagSession")),
        ("plain", &flat, Some("sts:TagSession")),
        ("plain", &source, Some("sts:SetSourceIdentity")),
        ("tagged", &none, None),
        ("tagged", &nested, None),
        ("tagged", &flat, None),
        ("tagged", &source, Some("sts:SetSourceIdentity")),
        ("core", &nested, None),
        ("core", &flat, None),
        ("core", &other_team, Some(ACTION)),
        ("core", &none, Some(ACTION)),
        ("sourced", &source, None),
        ("sourced", &nested, Some("sts:TagSession")),
    ] {
        let token = issuer.token(&world, claims);
        let answer = assume(&world, &request(ACCOUNT, role, token)).await;
        match (answer, lacking) {
            (Ok(answer), None) => {
                let named = claims.get(SOURCE_IDENTITY).and_then(Value::as_str);
                assert_eq!(answer.source_identity.as_deref(), named);
            }
            (Err(error), Some(action)) => {
                assert_eq!((error.status, error.code.as_str()), (403, "AccessDenied"));
                let message = format!("Not authorized to perform {action}");
                assert_eq!(error.message, message, "{role} {claims}");
            }
            (answer, _) => panic!("{role} {claims}: {answer:?}"),
        }
    }
    // The tag is the session's.
    let core = json!({"StringEquals": {"aws:PrincipalTag/team": "core"}});
    allow(&world, "tagged", &list_users_if(&core)).await;
    for (claims, may) in [(&nested, true), (&flat, true), (&other_team, false)] {
        let token = issuer.token(&world, claims);
        let answer = assume(&world, &request(ACCOUNT, "tagged", token)).await;
        let session = person(&answer.unwrap());
        assert_eq!(may_list_users(&world, &session).await, may, "{claims}");
    }
}

/// O11: transitive tags pass on and beat the next role's own, and cannot be set again whatever the case of
/// their letters; other tags, and tags of roles, end with their session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o11_transitive_tags_beat_the_next_roles_tags() {
    let (issuer, world) = Issuer::with_world().await;
    issuer.create_provider(&world, &world.root).await;
    let trust = (&[ACTION, "sts:TagSession"][..], json!({}));
    create_role(&world, &world.root, "first", &issuer.arn(ACCOUNT), trust).await;
    allow(&world, "first", &statement("Allow", &["sts:*"], "*")).await;
    let first = role_arn(ACCOUNT, "first");
    let second = role_arn(ACCOUNT, "second");
    let tag = |key: &str, value: &str| iam::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    for (name, trusted, tags) in [
        (
            "second",
            &first,
            vec![tag("TEAM", "edge"), tag("floor", "2"), tag("own", "yes")],
        ),
        ("third", &second, vec![]),
    ] {
        let all = statement("Allow", &["sts:*"], "*");
        world.role(&world.root, name, trusted, &all).await;
        if tags.is_empty() {
            continue;
        }
        let input = iam::TagRoleRequest {
            role_name: name.to_owned(),
            tags,
        };
        world
            .aws::<iam::ops::TagRole>(&world.root, &input)
            .await
            .unwrap();
    }
    let claims = json!({(TAGS): {
        "principal_tags": {"team": ["core"], "floor": ["1"]}, "transitive_tag_keys": ["team"],
    }});
    let token = issuer.token(&world, &claims);
    let answer = assume(&world, &request(ACCOUNT, "first", token)).await;
    let one = person(&answer.unwrap());
    let to = |name: &str| sts::AssumeRoleRequest {
        role_arn: role_arn(ACCOUNT, name),
        role_session_name: "next".to_owned(),
        ..Default::default()
    };
    let two = world.assume(&one, &to("second")).await.unwrap();
    let three = world.assume(&two, &to("third")).await.unwrap();
    for (person, role, key, value) in [
        (&two, "second", "team", Some("core")),
        (&two, "second", "floor", Some("2")),
        (&two, "second", "own", Some("yes")),
        (&three, "third", "team", Some("core")),
        (&three, "third", "floor", None),
        (&three, "third", "own", None),
    ] {
        let name = format!("aws:PrincipalTag/{key}");
        let condition = match value {
            Some(value) => json!({"StringEquals": {name: value}}),
            None => json!({"Null": {name: "true"}}),
        };
        allow(&world, role, &list_users_if(&condition)).await;
        assert!(may_list_users(&world, person).await, "{role} {key}");
    }
    let all = statement("Allow", &["sts:*"], "*");
    allow(&world, "second", &all).await;
    for key in ["team", "Team"] {
        let tags = vec![sts::Tag {
            key: key.to_owned(),
            value: "edge".to_owned(),
        }];
        let input = sts::AssumeRoleRequest {
            tags: Some(tags),
            ..to("second")
        };
        let refused = world.assume(&one, &input).await.unwrap_err();
        assert_eq!(refused.code, "InvalidParameterValue", "{key}");
    }
    // IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail", the examples with web identity
    // and with role chaining.
    let events = world.stop().await;
    let parameters = |name: &str, index: usize| {
        let called = events.iter().filter(|event| event["eventName"] == name);
        called
            .skip(index)
            .map(|event| event["requestParameters"].clone())
            .next()
    };
    let by_token = parameters("AssumeRoleWithWebIdentity", 0).unwrap();
    assert_eq!(
        by_token["principalTags"],
        json!({"team": "core", "floor": "1"})
    );
    assert_eq!(by_token["transitiveTagKeys"], json!(["team"]));
    for index in [0, 1] {
        let chained = parameters("AssumeRole", index).unwrap();
        assert_eq!(chained["incomingTransitiveTags"], json!({"team": "core"}));
    }
}

/// O12: provider and role are in one account, and `aws:FederatedProvider` is the provider's ARN, in the trust
/// policy and in the session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o12_a_provider_vouches_in_its_own_account_alone() {
    let (issuer, world) = Issuer::with_world().await;
    issuer.create_provider(&world, &world.root).await;
    let provider = issuer.arn(ACCOUNT);
    let other = world.other_account().await;
    // The other account trusts the provider by name, in vain: it is not one of its own.
    let trust = (&[ACTION][..], json!({}));
    create_role(&world, &other, "foreign", &provider, trust.clone()).await;
    let token = issuer.token(&world, &json!({}));
    let refused = assume(&world, &request(OTHER, "foreign", token.clone()))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "InvalidIdentityToken")
    );
    let url = issuer.url();
    assert_eq!(
        refused.message,
        format!("No OpenIDConnect provider found in your account for {url}")
    );
    // With a provider of the same issuer there, the role still names the wrong one.
    issuer.create_provider(&world, &other).await;
    let refused = assume(&world, &request(OTHER, "foreign", token.clone()))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "AccessDenied");

    for (name, federated, is_allowed) in [
        ("right", provider.clone(), true),
        ("wrong", issuer.arn(OTHER), false),
    ] {
        let condition = json!({"StringEquals": {"aws:FederatedProvider": federated}});
        let trust = (&[ACTION][..], condition);
        create_role(&world, &world.root, name, &provider, trust).await;
        let answer = assume(&world, &request(ACCOUNT, name, token.clone())).await;
        assert_eq!(answer.is_ok(), is_allowed, "{name}: {answer:?}");
    }
    create_role(&world, &world.root, "session", &provider, trust).await;
    let answer = assume(&world, &request(ACCOUNT, "session", token)).await;
    let answer = answer.unwrap();
    assert_eq!(answer.provider, Some(provider.clone()));
    let session = person(&answer);
    for (federated, may) in [(provider, true), (issuer.arn(OTHER), false)] {
        let condition = json!({"StringEquals": {"aws:FederatedProvider": federated}});
        allow(&world, "session", &list_users_if(&condition)).await;
        assert_eq!(may_list_users(&world, &session).await, may);
    }
}

/// CloudTrail User Guide, "Values for AWS STS APIs with SAML and web identity federation". The region is the
/// server's: an unsigned call names none, and AWS records the region of the endpoint that was called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_log_names_the_web_identity() {
    let (issuer, world) = Issuer::with_world().await;
    issuer.create_provider(&world, &world.root).await;
    let provider = issuer.arn(ACCOUNT);
    let trust = (&[ACTION][..], json!({}));
    create_role(&world, &world.root, "ci", &provider, trust).await;
    let token = issuer.token(&world, &json!({}));
    let session = assume(&world, &request(ACCOUNT, "ci", token.clone())).await;
    let session = person(&session.unwrap());
    let refused = assume(&world, &request(ACCOUNT, "absent", token.clone())).await;
    refused.unwrap_err();
    let events = world.stop().await;
    let text = serde_json::to_string(&events).unwrap();
    for secret in [&token, &session.secret, session.token.as_ref().unwrap()] {
        assert!(!text.contains(secret.as_str()));
    }
    let called: Vec<_> = events
        .iter()
        .filter(|event| event["eventName"] == "AssumeRoleWithWebIdentity")
        .collect();
    assert_eq!(called.len(), 2);
    for event in &called {
        assert_eq!(
            event["userIdentity"],
            json!({
                "type": "WebIdentityUser",
                "principalId": format!("{provider}:sts.amazonaws.com:job"),
                "userName": "job",
                "identityProvider": provider,
            })
        );
        assert_eq!(event["awsRegion"], "us-east-1");
        assert_eq!(event["recipientAccountId"], ACCOUNT);
        assert_eq!(event["requestParameters"]["roleSessionName"], "build-7");
    }
    let credentials = &called[0]["responseElements"]["credentials"];
    assert_eq!(credentials["accessKeyId"], session.id);
    assert_eq!(called[1]["errorCode"], "AccessDenied");
}
