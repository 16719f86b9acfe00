//! Sessions that are narrowed, tokens that are padded, denials that are explained.

use aws_api::{Service, iam, sts};

use super::world::{ACCOUNT, Person, Refused, World, document, statement};

async fn scoped(
    world: &World,
    person: &Person,
    policy: Option<String>,
    seconds: Option<i32>,
) -> Result<(Person, sts::GetScopedCredentialsResponse), Refused> {
    let input = sts::GetScopedCredentialsRequest {
        policy,
        duration_seconds: seconds,
        ..Default::default()
    };
    let mut answer = world
        .aws::<sts::ops::GetScopedCredentials>(person, &input)
        .await?;
    let made = answer.credentials.take().unwrap();
    let person = Person {
        id: made.access_key_id,
        secret: made.secret_access_key.expose().clone(),
        token: Some(made.session_token.expose().clone()),
    };
    Ok((person, answer))
}

async fn may(world: &World, person: &Person, user: &str) -> bool {
    let input = iam::GetUserRequest {
        user_name: Some(user.to_owned()),
    };
    let answer = world.aws::<iam::ops::GetUser>(person, &input).await;
    match answer {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.code, "AccessDenied", "{error:?}");
            false
        }
    }
}

/// A session of a role that may do what `statements` say.
async fn session(world: &World, statements: &str) -> Person {
    let may = statement("Allow", &["sts:AssumeRole"], "*");
    let admin = world.user(&world.root, "admin", &may).await;
    world.role(&world.root, "ops", ACCOUNT, statements).await;
    let input = sts::AssumeRoleRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/ops"),
        role_session_name: "job".into(),
        ..Default::default()
    };
    world.assume(&admin, &input).await.unwrap()
}

fn get_user(name: &str) -> Option<String> {
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
    let statements = [
        statement("Allow", &["iam:GetUser"], &arn),
        statement("Allow", &["sts:GetScopedCredentials"], "*"),
    ];
    Some(document(&statements.join(",")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c6_scoped_credentials_are_the_intersection_of_all_layers() {
    let world = World::new().await;
    let job = session(&world, &statement("Allow", &["*"], "*")).await;
    for name in ["alice", "bob"] {
        world.user(&world.root, name, "").await;
    }
    let (narrow, answer) = scoped(&world, &job, get_user("*"), None).await.unwrap();
    assert_eq!(answer.scoped_policies_count, Some(1));
    let info = answer.session_info.unwrap();
    let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/ops/job");
    assert_eq!(info.arn, arn);
    assert!(info.scoped_session_id.ends_with(":job"), "{info:?}");
    assert!(may(&world, &narrow, "bob").await);
    let list = iam::ListUsersRequest::default();
    let listed = world.aws::<iam::ops::ListUsers>(&narrow, &list).await;
    assert_eq!(listed.unwrap_err().code, "AccessDenied");

    let (narrower, answer) = scoped(&world, &narrow, get_user("alice"), None)
        .await
        .unwrap();
    assert_eq!(answer.scoped_policies_count, Some(2));
    assert!(may(&world, &narrower, "alice").await && !may(&world, &narrower, "bob").await);
    // A wider layer gives nothing back, a duration alone is no layer, and there are three at most.
    let (third, _) = scoped(&world, &narrower, get_user("*"), None)
        .await
        .unwrap();
    assert!(may(&world, &third, "alice").await && !may(&world, &third, "bob").await);
    let (shorter, answer) = scoped(&world, &third, None, Some(60)).await.unwrap();
    assert_eq!(answer.scoped_policies_count, Some(3));
    let fourth = scoped(&world, &shorter, get_user("*"), None).await;
    assert_eq!(fourth.unwrap_err().code, "AccessDenied");
    world.pass(60);
    let input = iam::GetUserRequest {
        user_name: Some("alice".into()),
    };
    let over = world.aws::<iam::ops::GetUser>(&shorter, &input).await;
    assert_eq!(over.unwrap_err().code, "ExpiredToken");
    assert!(may(&world, &third, "alice").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c6_scoped_credentials_need_a_session_and_do_not_outlast_it() {
    let world = World::new().await;
    let job = session(&world, &statement("Allow", &["*"], "*")).await;
    for (person, policy, seconds, code) in [
        (
            &world.root,
            get_user("*"),
            None,
            "InvalidSubjectCredentials",
        ),
        (&job, None, None, "ValidationError"),
        (&job, None, Some(3601), "InsufficientSessionLifetime"),
        (&job, Some("{}".to_owned()), None, "MalformedPolicyDocument"),
    ] {
        let refused = scoped(&world, person, policy, seconds).await.unwrap_err();
        assert_eq!(refused.code, code, "{refused:?}");
    }
    assert!(scoped(&world, &job, None, Some(3600)).await.is_ok());
    // What is revoked by its time of issue stays so.
    world.pass(60);
    let (late, _) = scoped(&world, &job, None, Some(60)).await.unwrap();
    let (late, job) = (world.caller(&late).await, world.caller(&job).await);
    let issued = |caller: &identity::Caller| {
        let issued = caller.context.one("aws:TokenIssueTime");
        issued.map(str::to_owned)
    };
    assert_eq!(issued(&late), issued(&job));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c7_tokens_are_padded_and_their_size_is_told() {
    let world = World::new().await;
    let alice = world.user(&world.root, "alice", "").await;
    for minimum in [None, Some(0), Some(600), Some(2000), Some(4096)] {
        let input = sts::GetSessionTokenRequest {
            minimum_session_token_size: minimum,
            ..Default::default()
        };
        let answer = world.aws::<sts::ops::GetSessionToken>(&alice, &input).await;
        let answer = answer.unwrap();
        let made = answer.credentials.unwrap();
        let size = i32::try_from(made.session_token.expose().len()).unwrap();
        assert_eq!(answer.session_token_size, Some(size));
        assert!(
            size >= minimum.unwrap_or(0) && size < minimum.unwrap_or(0).max(600) + 40,
            "{size}"
        );
        let percent = answer.session_token_utilization.unwrap();
        assert!((1..=100).contains(&percent), "{percent}");
        let padded = Person {
            id: made.access_key_id,
            secret: made.secret_access_key.expose().clone(),
            token: Some(made.session_token.expose().clone()),
        };
        let input = sts::GetCallerIdentityRequest::default();
        let who = world
            .aws::<sts::ops::GetCallerIdentity>(&padded, &input)
            .await;
        assert!(who.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c3_root_assumes_no_role_and_c4_session_policies_are_short() {
    let world = World::new().await;
    let job = session(&world, &statement("Allow", &["*"], "*")).await;
    let assume = |policy: Option<String>, arns: usize| sts::AssumeRoleRequest {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/ops"),
        role_session_name: "job".into(),
        policy,
        policy_arns: Some(
            (0..arns)
                .map(|_| sts::PolicyDescriptorType {
                    arn: Some("arn:aws:iam::aws:policy/ReadOnlyAccess".into()),
                })
                .collect(),
        ),
        ..Default::default()
    };
    let root = world
        .assume(&world.root, &assume(None, 0))
        .await
        .unwrap_err();
    assert_eq!(
        (root.code.as_str(), root.message.as_str()),
        ("AccessDenied", "Roles may not be assumed by root accounts.")
    );
    let long = |arn: &str| document(&statement("Allow", &["ecr:*"], arn));
    let filler = format!(
        "arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{}",
        "a".repeat(1700)
    );
    assert!(
        world
            .assume(&job, &assume(Some(long(&filler)), 1))
            .await
            .is_ok()
    );
    let refused = world.assume(&job, &assume(Some(long(&filler)), 10)).await;
    assert_eq!(refused.unwrap_err().code, "ValidationError");
    let chained = sts::AssumeRoleRequest {
        duration_seconds: Some(3601),
        ..assume(None, 0)
    };
    let chained = world.assume(&job, &chained).await.unwrap_err();
    assert_eq!(
        chained.message,
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role \
         chaining."
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c8_a_denial_is_explained_to_who_may_decode_it() {
    let world = World::new().await;
    let deny = r#"{"Sid":"no","Effect":"Deny","Action":"iam:*","Resource":"*"}"#;
    let alice = world.user(&world.root, "alice", deny).await;
    let body = "Action=GetUser&Version=2010-05-08&UserName=alice";
    let kind = "application/x-www-form-urlencoded";
    let reply = world
        .call(&alice, Service::Iam, None, kind, body.into())
        .await;
    assert_eq!(reply.status, 403);
    let encoded = reply.header("x-berth-encoded-authorization-message");
    assert!(!encoded.is_empty() && encoded.len() < 8192);
    let input = sts::DecodeAuthorizationMessageRequest {
        encoded_message: encoded.to_owned(),
    };
    let decoded = world
        .aws::<sts::ops::DecodeAuthorizationMessage>(&world.root, &input)
        .await
        .unwrap()
        .decoded_message
        .unwrap();
    let decoded: serde_json::Value = serde_json::from_str(&decoded).unwrap();
    assert_eq!(decoded["allowed"], false);
    assert_eq!(decoded["explicitDeny"], true);
    assert_eq!(
        decoded["matchedStatements"]["items"][0]["statementId"],
        "no"
    );
    assert_eq!(decoded["context"]["principal"]["name"], "alice");
    assert_eq!(decoded["context"]["action"], "iam:GetUser");
    assert_eq!(
        decoded["context"]["resource"],
        format!("arn:aws:iam::{ACCOUNT}:user/alice")
    );
    let conditions = decoded["context"]["conditions"]["items"]
        .as_array()
        .unwrap();
    let user = conditions.iter().find(|item| item["key"] == "aws:username");
    assert_eq!(user.unwrap()["values"]["items"][0]["value"], "alice");
    // Not by the one who was denied, not in another account, not later than a day.
    let denied = world
        .aws::<sts::ops::DecodeAuthorizationMessage>(&alice, &input)
        .await;
    assert_eq!(denied.unwrap_err().code, "AccessDenied");
    let other = world.other_account().await;
    let other = world
        .aws::<sts::ops::DecodeAuthorizationMessage>(&other, &input)
        .await;
    assert_eq!(
        other.unwrap_err().code,
        "InvalidAuthorizationMessageException"
    );
    world.pass(24 * 3600);
    let late = world
        .aws::<sts::ops::DecodeAuthorizationMessage>(&world.root, &input)
        .await;
    assert_eq!(
        late.unwrap_err().code,
        "InvalidAuthorizationMessageException"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c1_c2_sessions_of_users_call_few_operations_of_sts() {
    let world = World::new().await;
    let all = statement("Allow", &["*"], "*");
    let alice = world.user(&world.root, "alice", &all).await;
    let input = sts::GetFederationTokenRequest {
        name: "guest".into(),
        policy: Some(document(&all)),
        ..Default::default()
    };
    let made = world
        .aws::<sts::ops::GetFederationToken>(&alice, &input)
        .await;
    let made = made.unwrap();
    let user = made.federated_user.unwrap();
    assert_eq!(
        user.arn,
        format!("arn:aws:sts::{ACCOUNT}:federated-user/guest")
    );
    assert_eq!(user.federated_user_id, format!("{ACCOUNT}:guest"));
    let person = |made: sts::Credentials| Person {
        id: made.access_key_id,
        secret: made.secret_access_key.expose().clone(),
        token: Some(made.session_token.expose().clone()),
    };
    let guest = person(made.credentials.unwrap());
    let input = sts::GetSessionTokenRequest::default();
    let made = world.aws::<sts::ops::GetSessionToken>(&alice, &input).await;
    let session = person(made.unwrap().credentials.unwrap());
    // F4: federated users have no word of MFA.
    let caller = world.caller(&guest).await;
    assert_eq!(caller.context.one("aws:MultiFactorAuthPresent"), None);

    let kind = "application/x-www-form-urlencoded";
    for (form, for_session, for_guest) in [
        ("Action=GetCallerIdentity", 200, 200),
        ("Action=GetScopedCredentials&DurationSeconds=900", 200, 200),
        // The token is refused, the call is not.
        ("Action=GetDelegatedAccessToken&TradeInToken=x", 400, 400),
        ("Action=GetSessionToken", 403, 403),
        ("Action=GetFederationToken&Name=x1", 403, 403),
        (
            "Action=GetAccessKeyInfo&AccessKeyId=AKIAIOSFODNN7EXAMPLE",
            403,
            403,
        ),
    ] {
        for (person, status) in [(&session, for_session), (&guest, for_guest)] {
            let body = format!("{form}&Version=2011-06-15");
            let reply = world
                .call(person, Service::Sts, None, kind, body.into())
                .await;
            assert_eq!(reply.status, status, "{form}: {}", reply.text());
        }
    }
    let body = "Action=ListUsers&Version=2010-05-08";
    for person in [&session, &guest] {
        let reply = world
            .call(person, Service::Iam, None, kind, body.into())
            .await;
        assert_eq!(reply.status, 403, "{}", reply.text());
    }
}
