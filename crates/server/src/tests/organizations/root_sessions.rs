//! Sessions of `AssumeRoot`: one task in a member account.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c5_a_root_session_does_its_task_and_nothing_else() {
    let o = Managed::new().await;
    let world = &o.world;
    let (account, member) = o.member("dev").await;
    let input = org::EnableAWSServiceAccessRequest {
        service_principal: "iam.amazonaws.com".into(),
    };
    world
        .aws::<org::ops::EnableAWSServiceAccess>(&world.root, &input)
        .await
        .unwrap();
    let input = iam::EnableOrganizationsRootSessionsRequest::default();
    world
        .aws::<iam::ops::EnableOrganizationsRootSessions>(&world.root, &input)
        .await
        .unwrap();
    let admin = world
        .user(
            &world.root,
            "admin",
            &statement("Allow", &["sts:AssumeRoot"], "*"),
        )
        .await;
    let session = root_task(world, &admin, &account, "IAMAuditRootUserCredentials").await;
    let input = iam::ListAccessKeysRequest::default();
    world
        .aws::<iam::ops::ListAccessKeys>(&session, &input)
        .await
        .unwrap();
    let input = iam::CreateUserRequest {
        user_name: "bob".into(),
        ..Default::default()
    };
    let denied = world
        .aws::<iam::ops::CreateUser>(&session, &input)
        .await
        .unwrap_err();
    assert!(
        denied
            .message
            .ends_with("with an explicit deny in a session policy"),
        "{denied:?}"
    );
    // A repository that lets its own account in does not let the session in.
    world.repository(&member, "app1").await;
    let own = format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{account}"}},"Action":"ecr:*"}}"#);
    let input = ecr::SetRepositoryPolicyRequest {
        repository_name: "app1".into(),
        policy_text: document(&own),
        force: Some(true),
        ..Default::default()
    };
    world
        .aws::<ecr::ops::SetRepositoryPolicy>(&member, &input)
        .await
        .unwrap();
    assert!(describe(world, &session, None).await.is_err());

    // C5: the root user's login profile has no password, and each task does its part of its life.
    let creates = root_task(world, &admin, &account, "IAMCreateRootUserPassword").await;
    let deletes = root_task(world, &admin, &account, "IAMDeleteRootUserCredentials").await;
    let present = || async {
        let summary = world.aws::<iam::ops::GetAccountSummary>(&member, &());
        summary.await.unwrap().summary_map.unwrap()[&iam::SummaryKeyType::AccountPasswordPresent]
    };
    let create = |input: iam::CreateLoginProfileRequest| {
        let creates = creates.clone();
        async move {
            world
                .aws::<iam::ops::CreateLoginProfile>(&creates, &input)
                .await
        }
    };
    let with_password = iam::CreateLoginProfileRequest {
        password: Some("Correct-Horse-1".to_owned().into()),
        ..Default::default()
    };
    let refused = create(with_password).await.unwrap_err();
    assert_eq!(
        refused.message,
        "Password must be omitted for the root user."
    );
    assert_eq!(present().await, 0);
    let made = create(Default::default()).await.unwrap().login_profile;
    assert_eq!(made.user_name, "root");
    assert_eq!(
        create(Default::default()).await.unwrap_err().code,
        "EntityAlreadyExists"
    );
    assert_eq!(present().await, 1);
    let input = iam::GetLoginProfileRequest::default();
    let shown = world.aws::<iam::ops::GetLoginProfile>(&session, &input);
    assert_eq!(
        shown.await.unwrap().login_profile.create_date,
        made.create_date
    );
    let input = iam::DeleteLoginProfileRequest::default();
    for (person, code) in [
        (&creates, Some("AccessDenied")),
        (&deletes, None),
        (&deletes, Some("NoSuchEntity")),
    ] {
        let deleted = world
            .aws::<iam::ops::DeleteLoginProfile>(person, &input)
            .await;
        assert_eq!(
            deleted.err().map(|error| error.code),
            code.map(str::to_owned)
        );
    }
    assert_eq!(present().await, 0);
    // A user of the account is none of these tasks' business.
    let of_user = iam::CreateLoginProfileRequest {
        user_name: Some("bob".to_owned()),
        password: Some("Correct-Horse-1".to_owned().into()),
        ..Default::default()
    };
    assert_eq!(create(of_user).await.unwrap_err().code, "AccessDenied");
}

/// A session of the member's root user for one task.
async fn root_task(world: &World, admin: &Person, account: &str, task: &str) -> Person {
    let input = sts::AssumeRootRequest {
        target_principal: account.to_owned(),
        task_policy_arn: sts::PolicyDescriptorType {
            arn: Some(format!("arn:aws:iam::aws:policy/root-task/{task}")),
        },
        ..Default::default()
    };
    let given = world.aws::<sts::ops::AssumeRoot>(admin, &input).await;
    let given = given.unwrap().credentials.unwrap();
    Person {
        id: given.access_key_id,
        secret: given.secret_access_key.expose().clone(),
        token: Some(given.session_token.expose().clone()),
    }
}
