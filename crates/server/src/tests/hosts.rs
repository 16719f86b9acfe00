//! Hosts with a role: invitations, joining, credentials, revocation.

mod administration;

use aws_api::{berth, iam, sts};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use aws_types::host_proof;
use http::Method;

use super::world::{ACCOUNT, Person, Refused, World, document, refused, statement};

const TRUST: &str =
    r#"{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}"#;

/// A machine with a key, and what it was told when it joined.
struct Machine {
    key: EcdsaKeyPair,
    joined: berth::JoinHostResponse,
}

impl World {
    /// An unsigned call.
    async fn unsigned<O: aws_api::Op>(&self, input: &O::Input) -> Result<O::Output, Refused> {
        let request = aws_api::encode_request::<O>(input);
        let target = request.target.unwrap();
        let headers = [
            ("content-type", request.content_type),
            ("x-amz-target", target.as_str()),
        ];
        let reply = self.send(Method::POST, "/", &headers, request.body).await;
        match reply.status {
            200 => Ok(aws_api::decode_response::<O>(&reply.body).unwrap()),
            _ => Err(refused(O::OPERATION.service(), &reply)),
        }
    }

    /// The role and instance profile `containerise`, which EC2 may assume and which may log in.
    async fn profile(&self, trust: &str) {
        let input = iam::CreateRoleRequest {
            role_name: "containerise".into(),
            assume_role_policy_document: document(trust),
            ..Default::default()
        };
        self.aws::<iam::ops::CreateRole>(&self.root, &input)
            .await
            .unwrap();
        let statements = [
            statement("Allow", &["ecr:GetAuthorizationToken"], "*"),
            r#"{"Effect":"Allow","Action":"ecr:DescribeRepositories","Resource":"*","Condition":{
                "ArnLike":{"ec2:SourceInstanceARN":"arn:aws:ec2:us-east-1:123456789012:instance/i-*"},
                "NumericEquals":{"ec2:RoleDelivery":"2.0"}}}"#
                .to_owned(),
        ];
        let input = iam::PutRolePolicyRequest {
            role_name: "containerise".into(),
            policy_name: "inline".into(),
            policy_document: document(&statements.join(",")),
        };
        self.aws::<iam::ops::PutRolePolicy>(&self.root, &input)
            .await
            .unwrap();
        let input = iam::CreateInstanceProfileRequest {
            instance_profile_name: "containerise".into(),
            ..Default::default()
        };
        self.aws::<iam::ops::CreateInstanceProfile>(&self.root, &input)
            .await
            .unwrap();
        self.add_role().await;
    }

    async fn add_role(&self) {
        let input = iam::AddRoleToInstanceProfileRequest {
            instance_profile_name: "containerise".into(),
            role_name: "containerise".into(),
        };
        self.aws::<iam::ops::AddRoleToInstanceProfile>(&self.root, &input)
            .await
            .unwrap();
    }

    async fn remove_role(&self) {
        let input = iam::RemoveRoleFromInstanceProfileRequest {
            instance_profile_name: "containerise".into(),
            role_name: "containerise".into(),
        };
        self.aws::<iam::ops::RemoveRoleFromInstanceProfile>(&self.root, &input)
            .await
            .unwrap();
    }

    async fn invite(
        &self,
        by: &Person,
        host_name: Option<&str>,
    ) -> Result<berth::CreateHostInvitationResponse, Refused> {
        let input = berth::CreateHostInvitationRequest {
            instance_profile_name: "containerise".into(),
            host_name: host_name.map(str::to_owned),
            ..Default::default()
        };
        self.aws::<berth::ops::CreateHostInvitation>(by, &input)
            .await
    }

    async fn machine(&self) -> Machine {
        let invited = self.invite(&self.root, None).await.unwrap();
        let (key, input) = joining(invited.code.expose(), Some("web-1"));
        let joined = self.unsigned::<berth::ops::JoinHost>(&input).await.unwrap();
        Machine { key, joined }
    }

    async fn fetch(&self, machine: &Machine) -> Result<Person, Refused> {
        let input = machine.request(self, "bm9uY2Utbm9uY2Utbm9uY2U");
        self.fetch_as(&input).await
    }

    async fn fetch_as(&self, input: &berth::GetHostCredentialsRequest) -> Result<Person, Refused> {
        let answer = self
            .unsigned::<berth::ops::GetHostCredentials>(input)
            .await?;
        let credentials = answer.credentials;
        Ok(Person {
            id: credentials.access_key_id,
            secret: credentials.secret_access_key.expose().clone(),
            token: Some(credentials.session_token.expose().clone()),
        })
    }

    async fn who(&self, person: &Person) -> Result<String, Refused> {
        let input = sts::GetCallerIdentityRequest::default();
        let answer = self
            .aws::<sts::ops::GetCallerIdentity>(person, &input)
            .await?;
        Ok(answer.arn.unwrap())
    }
}

/// A fresh key, and the request to join with it.
fn joining(code: &str, host_name: Option<&str>) -> (EcdsaKeyPair, berth::JoinHostRequest) {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let spki: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let input = berth::JoinHostRequest {
        code: code.to_owned().into(),
        public_key: spki.as_ref().to_vec().into(),
        signature: sign(&key, &host_proof::join(code, host_name)).into(),
        host_name: host_name.map(str::to_owned),
    };
    (key, input)
}

fn sign(key: &EcdsaKeyPair, text: &str) -> Vec<u8> {
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    signature.as_ref().to_vec()
}

impl Machine {
    fn request(&self, world: &World, nonce: &str) -> berth::GetHostCredentialsRequest {
        let timestamp = world.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        self.request_at(&self.joined.server_id, &timestamp, nonce)
    }

    fn request_at(
        &self,
        server_id: &str,
        timestamp: &str,
        nonce: &str,
    ) -> berth::GetHostCredentialsRequest {
        let text = host_proof::credentials(server_id, &self.joined.host_id, timestamp, nonce);
        berth::GetHostCredentialsRequest {
            host_id: self.joined.host_id.clone(),
            server_id: server_id.to_owned(),
            timestamp: timestamp.to_owned(),
            nonce: nonce.to_owned(),
            signature: sign(&self.key, &text).into(),
        }
    }
}

#[track_caller]
fn is<T: std::fmt::Debug>(result: Result<T, Refused>, code: &str, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code, code, "{error:?}");
    assert!(error.message.contains(words), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_joins_by_a_code_and_gets_the_role_of_its_profile() {
    let world = World::new().await;
    world.profile(TRUST).await;
    let machine = world.machine().await;
    let id = machine.joined.host_id.clone();
    assert!(id.starts_with("i-") && id.len() == 19, "{id}");
    let host = world.fetch(&machine).await.unwrap();
    assert_eq!(
        world.who(&host).await.unwrap(),
        format!("arn:aws:sts::{ACCOUNT}:assumed-role/containerise/{id}")
    );
    // The role's policy allows this with the host's condition keys only.
    let input = aws_api::ecr::DescribeRepositoriesRequest::default();
    world
        .aws::<aws_api::ecr::ops::DescribeRepositories>(&host, &input)
        .await
        .unwrap();
    let listed = world
        .aws::<berth::ops::ListHosts>(&world.root, &Default::default())
        .await
        .unwrap();
    let listed = &listed.hosts[0];
    assert_eq!(listed.host_id, id);
    assert_eq!(listed.host_name.as_deref(), Some("web-1"));
    assert_eq!(listed.status, berth::HostStatus::Active);
    assert_eq!(listed.last_seen_at, Some(world.now()));
    // The sessions are short: an hour, whatever the role's maximum.
    world.pass(3_600);
    is(world.who(&host).await, "ExpiredToken", "expired");
}

/// Trap: the bootstrap code is used once, bound, and expires.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_joins_one_host_within_its_time_and_by_its_name() {
    let world = World::new().await;
    world.profile(TRUST).await;
    let join = async |code: &str, name: Option<&str>| {
        let (_, input) = joining(code, name);
        world.unsigned::<berth::ops::JoinHost>(&input).await
    };
    let invited = world.invite(&world.root, Some("web-1")).await.unwrap();
    let code = invited.code.expose().clone();
    let invitation = "InvalidInvitationException";
    is(join(&code, Some("web-2")).await, invitation, "another name");
    is(join(&code, None).await, invitation, "another name");
    is(
        join(&format!("{code}x"), Some("web-1")).await,
        invitation,
        "not valid",
    );
    // The case of a host's name does not count.
    join(&code, Some("WEB-1")).await.unwrap();
    is(join(&code, Some("web-1")).await, invitation, "used before");
    let late = world.invite(&world.root, None).await.unwrap();
    world.pass(3_600);
    is(join(late.code.expose(), None).await, invitation, "expired");

    // A signature by another key does not prove possession of the key that is sent.
    let invited = world.invite(&world.root, None).await.unwrap();
    let code = invited.code.expose();
    let (_, mut input) = joining(code, None);
    input.signature = joining(code, None).1.signature;
    let answer = world.unsigned::<berth::ops::JoinHost>(&input).await;
    is(
        answer,
        "InvalidParameterException",
        "not one of the public key",
    );
    // A key of another curve.
    let key =
        EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
    let spki: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    input.public_key = spki.as_ref().to_vec().into();
    let answer = world.unsigned::<berth::ops::JoinHost>(&input).await;
    is(answer, "InvalidParameterException", "P-256");
    // Neither used the code.
    join(code, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_hosts_key_gets_credentials_and_each_request_counts_once() {
    let world = World::new().await;
    world.profile(TRUST).await;
    let machine = world.machine().await;
    let other = world.machine().await;
    let code = "HostAuthenticationException";
    let request = machine.request(&world, "AAAAAAAAAAAAAAAAAAAAAA");
    world.fetch_as(&request).await.unwrap();
    is(world.fetch_as(&request).await, code, "sent before");
    // The same nonce with another time, which gives another signature.
    world.pass(1);
    let again = machine.request(&world, "AAAAAAAAAAAAAAAAAAAAAA");
    is(world.fetch_as(&again).await, code, "sent before");
    // Nonces are a host's own.
    world
        .fetch_as(&other.request(&world, "AAAAAAAAAAAAAAAAAAAAAA"))
        .await
        .unwrap();

    let mut forged = other.request(&world, "BBBBBBBBBBBBBBBBBBBBBB");
    forged.host_id = machine.joined.host_id.clone();
    is(
        world.fetch_as(&forged).await,
        code,
        "not signed by the key of a host",
    );
    forged.host_id = "i-00000000000000000".into();
    is(
        world.fetch_as(&forged).await,
        code,
        "not signed by the key of a host",
    );
    let mut changed = machine.request(&world, "CCCCCCCCCCCCCCCCCCCCCC");
    changed.nonce = "DDDDDDDDDDDDDDDDDDDDDD".into();
    is(
        world.fetch_as(&changed).await,
        code,
        "not signed by the key of a host",
    );

    let time = |seconds: i64| {
        let at = world.now() + jiff::SignedDuration::from_secs(seconds);
        at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    let server = &machine.joined.server_id;
    for seconds in [-301, 301] {
        let request = machine.request_at(server, &time(seconds), "EEEEEEEEEEEEEEEEEEEEEE");
        is(
            world.fetch_as(&request).await,
            code,
            "seconds from the server's",
        );
    }
    for (seconds, nonce) in [
        (-300, "FFFFFFFFFFFFFFFFFFFFFF"),
        (300, "GGGGGGGGGGGGGGGGGGGGGG"),
    ] {
        let request = machine.request_at(server, &time(seconds), nonce);
        world.fetch_as(&request).await.unwrap();
        // As long as its time is accepted, the nonce is remembered.
        is(world.fetch_as(&request).await, code, "sent before");
    }
    // A request to another server, which passes it on.
    let request = machine.request_at("00ff", &time(0), "HHHHHHHHHHHHHHHHHHHHHH");
    is(world.fetch_as(&request).await, code, "another server");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nonce_is_remembered_as_long_as_its_time_is_accepted() {
    let world = World::new().await;
    world.profile(TRUST).await;
    let machine = world.machine().await;
    let ahead = world.now() + jiff::SignedDuration::from_secs(300);
    let ahead = ahead.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let request = machine.request_at(&machine.joined.server_id, &ahead, "AAAAAAAAAAAAAAAAAAAAAA");
    world.fetch_as(&request).await.unwrap();
    for _ in 0..60 {
        world.pass(10);
        // Another request sweeps what is over.
        let nonce = format!("{:0>22}", world.now().as_second());
        world
            .fetch_as(&machine.request(&world, &nonce))
            .await
            .unwrap();
        is(
            world.fetch_as(&request).await,
            "HostAuthenticationException",
            "sent before",
        );
    }
    world.pass(1);
    is(
        world.fetch_as(&request).await,
        "HostAuthenticationException",
        "seconds from",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_host_is_refused_at_its_next_request() {
    let world = World::new().await;
    world.profile(TRUST).await;
    let machine = world.machine().await;
    let spared = world.machine().await;
    let host = world.fetch(&machine).await.unwrap();
    let other = world.fetch(&spared).await.unwrap();
    world.who(&host).await.unwrap();
    let login = world.login(&host).await;
    let ping = async || {
        let headers = [("authorization", login.as_str())];
        world.send(Method::GET, "/v2/", &headers, "").await.status
    };
    assert_eq!(ping().await, 200);
    let input = berth::RevokeHostRequest {
        host_id: machine.joined.host_id.clone(),
    };
    let revoke = async || {
        let answer = world
            .aws::<berth::ops::RevokeHost>(&world.root, &input)
            .await;
        answer.unwrap().host
    };
    let revoked = revoke().await;
    assert_eq!(revoked.status, berth::HostStatus::Revoked);
    is(world.who(&host).await, "InvalidClientTokenId", "invalid");
    // The registry's password that the host made, too.
    assert_eq!(ping().await, 401);
    is(
        world.fetch(&machine).await,
        "HostRevokedException",
        "was revoked",
    );
    world.who(&other).await.unwrap();
    // Again: nothing changes.
    world.pass(60);
    assert_eq!(revoke().await.revoked_at, revoked.revoked_at);
    // It is listed for a month, and forgotten when another host joins after that.
    world.pass(31 * 24 * 3_600);
    world.machine().await;
    let answer = world
        .aws::<berth::ops::RevokeHost>(&world.root, &input)
        .await;
    is(answer, "HostNotFoundException", &machine.joined.host_id);
    is(
        world.fetch(&machine).await,
        "HostAuthenticationException",
        "not signed",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_with_the_role_in_the_profile() {
    let world = World::new().await;
    world.profile(TRUST).await;
    let machine = world.machine().await;
    let host = world.fetch(&machine).await.unwrap();
    world.who(&host).await.unwrap();
    world.remove_role().await;
    is(world.who(&host).await, "InvalidClientTokenId", "invalid");
    let fetch = async |nonce: &str| world.fetch_as(&machine.request(&world, nonce)).await;
    is(
        fetch("AAAAAAAAAAAAAAAAAAAAAA").await,
        "AccessDeniedException",
        "Not authorized to perform sts:AssumeRole",
    );
    // The role is back, and with it the session.
    world.add_role().await;
    world.who(&host).await.unwrap();
    world.remove_role().await;
    let delete = iam::DeleteRolePolicyRequest {
        role_name: "containerise".into(),
        policy_name: "inline".into(),
    };
    world
        .aws::<iam::ops::DeleteRolePolicy>(&world.root, &delete)
        .await
        .unwrap();
    let delete = iam::DeleteRoleRequest {
        role_name: "containerise".into(),
    };
    world
        .aws::<iam::ops::DeleteRole>(&world.root, &delete)
        .await
        .unwrap();
    is(world.who(&host).await, "InvalidClientTokenId", "invalid");
    let delete = iam::DeleteInstanceProfileRequest {
        instance_profile_name: "containerise".into(),
    };
    world
        .aws::<iam::ops::DeleteInstanceProfile>(&world.root, &delete)
        .await
        .unwrap();
    is(
        fetch("BBBBBBBBBBBBBBBBBBBBBB").await,
        "AccessDeniedException",
        "sts:AssumeRole",
    );
    // A profile and a role of the same names are others.
    world.profile(TRUST).await;
    is(world.who(&host).await, "InvalidClientTokenId", "invalid");
    is(
        fetch("CCCCCCCCCCCCCCCCCCCCCC").await,
        "AccessDeniedException",
        "sts:AssumeRole",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_roles_trust_policy_decides_in_the_authorization_step() {
    let world = World::new().await;
    let users = format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"sts:AssumeRole"}}"#
    );
    world.profile(&users).await;
    let invited = world.invite(&world.root, None).await.unwrap();
    let (key, input) = joining(invited.code.expose(), None);
    let answer = world.unsigned::<berth::ops::JoinHost>(&input).await;
    is(
        answer,
        "AccessDeniedException",
        "Not authorized to perform sts:AssumeRole",
    );
    let trust = async |statement: &str| {
        let input = iam::UpdateAssumeRolePolicyRequest {
            role_name: "containerise".into(),
            policy_document: document(statement),
        };
        world
            .aws::<iam::ops::UpdateAssumeRolePolicy>(&world.root, &input)
            .await
            .unwrap();
    };
    trust(TRUST).await;
    let joined = world
        .unsigned::<berth::ops::JoinHost>(&input)
        .await
        .unwrap();
    let machine = Machine { key, joined };
    let fetch = async |nonce: &str| world.fetch_as(&machine.request(&world, nonce)).await;
    fetch("AAAAAAAAAAAAAAAAAAAAAA").await.unwrap();
    for refusing in [
        users.clone(),
        format!("{TRUST},{}", TRUST.replace("Allow", "Deny")),
        TRUST.replace("ec2", "ecs-tasks"),
        // The request's keys count.
        TRUST.replace("}}", "}").replace(
            r#""Action":"sts:AssumeRole"}"#,
            r#""Action":"sts:AssumeRole","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}"#,
        ),
    ] {
        trust(&refusing).await;
        is(
            fetch("BBBBBBBBBBBBBBBBBBBBBB").await,
            "AccessDeniedException",
            "Not authorized to perform sts:AssumeRole",
        );
    }
    trust(TRUST).await;
    fetch("CCCCCCCCCCCCCCCCCCCCCC").await.unwrap();
}
