//! Sessions of roles.

use super::*;

#[on_every_engine]
async fn a_role_is_assumed_and_seen_as_its_session(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let role = w.create_role(&root, "ci", ALICE).await.unwrap();
    w.put_role_policy(&root, "ci", &allow("ecr:*")).await;
    let cx = w.call(&alice).await.unwrap();
    let answer = w.identity.assume_role(&cx, assume("ci")).await.unwrap();
    let user = answer.assumed_role_user.unwrap();
    assert_eq!(user.arn, "arn:aws:sts::111122223333:assumed-role/ci/job");
    assert_eq!(user.assumed_role_id, format!("{}:job", role.role_id));
    assert_eq!(answer.packed_policy_size, None);
    let session = answer.credentials.unwrap();
    assert!(session.access_key_id.starts_with("ASIA"));
    assert_eq!(session.expiration.as_second() - w.now.as_second(), 3600);
    let token = session.session_token.expose();
    assert!(token.len() < 600, "{} characters", token.len());

    let session = Credentials {
        id: session.access_key_id,
        secret: String::new(),
        token: Some(token.clone()),
    };
    let job = w.call(&session).await.unwrap();
    assert_eq!(*job.caller.arn, *user.arn);
    assert!(may(&job, "ecr:PutImage") && !may(&cx, "ecr:PutImage"));
    let context = &job.caller.context;
    // docs/semantics.md, rules 19, 20 and 40.
    assert_eq!(context.one("aws:PrincipalArn"), Some(role.arn.as_str()));
    assert_eq!(
        context.one("aws:userid"),
        Some(user.assumed_role_id.as_str())
    );
    assert_eq!(context.one("aws:username"), None);
    assert_eq!(context.one("aws:MultiFactorAuthPresent"), Some("false"));
    assert_eq!(
        context.one("aws:TokenIssueTime"),
        Some("2026-11-22T12:00:00Z")
    );
    let info = w
        .identity
        .get_access_key_info(
            &job,
            sts::GetAccessKeyInfoRequest {
                access_key_id: session.id,
            },
        )
        .await
        .unwrap();
    assert_eq!(info.account.as_deref(), Some(ACCOUNT));
    let who = w
        .identity
        .get_caller_identity(&job, sts::GetCallerIdentityRequest::default())
        .await
        .unwrap();
    assert_eq!(who.arn.as_deref(), Some(user.arn.as_str()));
}

#[on_every_engine]
async fn row_13_the_trust_policy_decides_who_may(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let bob = w.user(&root, "bob").await;
    w.put_user_policy(&root, "bob", &allow("sts:AssumeRole"))
        .await;
    w.create_role(&root, "named", ALICE).await.unwrap();
    w.create_role(&root, "account", "arn:aws:iam::111122223333:root")
        .await
        .unwrap();
    let (alice, bob) = (w.call(&alice).await.unwrap(), w.call(&bob).await.unwrap());
    let named = w
        .identity
        .role_for_assume("arn:aws:iam::111122223333:role/named")
        .await
        .unwrap()
        .unwrap();
    let account = w
        .identity
        .role_for_assume("arn:aws:iam::111122223333:role/account")
        .await
        .unwrap()
        .unwrap();
    assert!(may_assume(&alice, &named, Context::new()));
    assert!(!may_assume(&bob, &named, Context::new()));
    assert!(!may_assume(&alice, &account, Context::new()));
    assert!(may_assume(&bob, &account, Context::new()));
    assert!(
        w.identity
            .role_for_assume("arn:aws:iam::111122223333:role/none")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        w.identity
            .role_for_assume("nonsense")
            .await
            .unwrap()
            .is_none()
    );
}

#[on_every_engine]
async fn row_16_a_user_made_anew_is_not_the_one_that_was_trusted(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.create_role(&root, "ci", ALICE).await.unwrap();
    let arn = "arn:aws:iam::111122223333:role/ci";
    let cx = w.call(&alice).await.unwrap();
    let id = cx.caller.user_id.to_string();
    let shown = |role: iam::GetRoleResponse| role.role.assume_role_policy_document.unwrap();
    let ask = || iam::GetRoleRequest {
        role_name: "ci".to_owned(),
    };
    let text = shown(w.identity.get_role(&root, ask()).await.unwrap());
    assert!(
        text.contains("user%2Falice") && !text.contains(&id),
        "{text}"
    );
    let pinned = w.identity.pin_principal(ALICE).await.unwrap();
    assert_eq!(pinned, PinnedPrincipal::UniqueId(id.clone()));
    assert_eq!(
        w.identity.unpin_principal(&id).await.unwrap().as_deref(),
        Some(ALICE)
    );

    let key = iam::DeleteAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: alice.id.clone(),
    };
    w.identity.delete_access_key(&root, key).await.unwrap();
    w.identity
        .delete_user(
            &root,
            iam::DeleteUserRequest {
                user_name: "alice".to_owned(),
            },
        )
        .await
        .unwrap();
    let alice = w.user(&root, "alice").await;
    let cx = w.call(&alice).await.unwrap();
    let role = w.identity.role_for_assume(arn).await.unwrap().unwrap();
    assert!(!may_assume(&cx, &role, Context::new()));
    let text = shown(w.identity.get_role(&root, ask()).await.unwrap());
    assert!(text.contains(&id) && !text.contains("alice"), "{text}");

    // A renamed user is the same one.
    let update = iam::UpdateAssumeRolePolicyRequest {
        role_name: "ci".to_owned(),
        policy_document: trust(ALICE),
    };
    w.identity
        .update_assume_role_policy(&root, update)
        .await
        .unwrap();
    let rename = iam::UpdateUserRequest {
        user_name: "alice".to_owned(),
        new_user_name: Some("alicia".to_owned()),
        new_path: Some("/team/".to_owned()),
    };
    w.identity.update_user(&root, rename).await.unwrap();
    let cx = w.call(&alice).await.unwrap();
    assert_eq!(
        &*cx.caller.arn,
        "arn:aws:iam::111122223333:user/team/alicia"
    );
    let role = w.identity.role_for_assume(arn).await.unwrap().unwrap();
    assert!(may_assume(&cx, &role, Context::new()));
    let text = shown(w.identity.get_role(&root, ask()).await.unwrap());
    assert!(text.contains("user%2Fteam%2Falicia"), "{text}");
}

#[on_every_engine]
async fn a_principal_that_does_not_exist_is_refused(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    for principal in [
        "arn:aws:iam::111122223333:user/nobody",
        "arn:aws:iam::111122223333:role/nobody",
        "arn:aws:iam::444455556666:root",
        "444455556666",
        "arn:aws:sts::111122223333:assumed-role/nobody/job",
    ] {
        let (code, message) = said(w.create_role(&root, "ci", principal).await);
        assert_eq!(code, "MalformedPolicyDocument");
        assert_eq!(
            message,
            format!("Invalid principal in policy: \"AWS\":\"{principal}\"")
        );
    }
    w.account(OTHER_ACCOUNT).await;
    w.create_role(&root, "ci", "444455556666").await.unwrap();
}

#[on_every_engine]
async fn another_account_needs_both_sides_and_the_external_id(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let other = w.account(OTHER_ACCOUNT).await;
    let other = w.call(&other).await.unwrap();
    let partner = w.user(&other, "partner").await;
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
            "Principal":{"AWS":"arn:aws:iam::444455556666:user/partner"},"Action":"sts:AssumeRole",
            "Condition":{"StringEquals":{"sts:ExternalId":"42"}}}]}"#;
    let input = iam::CreateRoleRequest {
        role_name: "third".to_owned(),
        assume_role_policy_document: document.to_owned(),
        ..Default::default()
    };
    w.identity.create_role(&root, input).await.unwrap();
    let role = w
        .identity
        .role_for_assume("arn:aws:iam::111122223333:role/third")
        .await
        .unwrap()
        .unwrap();
    let with = |id: &str| Context::new().set("sts:ExternalId", id);
    let cx = w.call(&partner).await.unwrap();
    assert!(!may_assume(&cx, &role, with("42")));
    w.put_user_policy(&other, "partner", &allow("sts:AssumeRole"))
        .await;
    let cx = w.call(&partner).await.unwrap();
    assert!(may_assume(&cx, &role, with("42")));
    assert!(!may_assume(&cx, &role, with("43")));
    assert!(!may_assume(&cx, &role, Context::new()));
    let session = w.assume(&cx, assume("third")).await.unwrap();
    assert_eq!(
        w.call(&session).await.unwrap().caller.account.as_str(),
        ACCOUNT
    );
}

#[on_every_engine]
async fn durations_have_their_limits(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.create_role(&root, "ci", ALICE).await.unwrap();
    let cx = w.call(&alice).await.unwrap();
    let of = |seconds| sts::AssumeRoleRequest {
        duration_seconds: Some(seconds),
        ..assume("ci")
    };
    assert_eq!(
        said(w.identity.assume_role(&cx, of(899)).await).0,
        "ValidationError"
    );
    assert_eq!(
        said(w.identity.assume_role(&cx, of(3601)).await).1,
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    );
    let longer = iam::UpdateRoleRequest {
        role_name: "ci".to_owned(),
        max_session_duration: Some(43_200),
        description: None,
        ..Default::default()
    };
    w.identity.update_role(&root, longer).await.unwrap();
    let answer = w.identity.assume_role(&cx, of(43_200)).await.unwrap();
    assert_eq!(
        answer.credentials.unwrap().expiration.as_second() - w.now.as_second(),
        43_200
    );
    // Chained: one hour, whatever the role allows.
    let job = w.assume(&cx, of(900)).await.unwrap();
    let job = w.call(&job).await.unwrap();
    assert_eq!(
        said(w.identity.assume_role(&job, of(3601)).await).1,
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    );
    w.identity.assume_role(&job, of(3600)).await.unwrap();
}

#[on_every_engine]
async fn an_expired_session_is_refused(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.create_role(&root, "ci", ALICE).await.unwrap();
    let cx = w.call(&alice).await.unwrap();
    let session = w
        .assume(
            &cx,
            sts::AssumeRoleRequest {
                duration_seconds: Some(900),
                ..assume("ci")
            },
        )
        .await
        .unwrap();
    w.pass(899);
    w.call(&session).await.unwrap();
    w.pass(1);
    assert!(expired(w.call(&session).await));
}

#[on_every_engine]
async fn row_12_session_policies_limit_the_session(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.create_role(&root, "ci", ALICE).await.unwrap();
    w.put_role_policy(&root, "ci", &allow("ecr:*")).await;
    let cx = w.call(&alice).await.unwrap();
    let read_only = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly";
    let arns = |arn: &str| {
        Some(vec![sts::PolicyDescriptorType {
            arn: Some(arn.to_owned()),
        }])
    };
    let inline = sts::AssumeRoleRequest {
        policy: Some(allow("ecr:PutImage")),
        ..assume("ci")
    };
    let managed = sts::AssumeRoleRequest {
        policy_arns: arns(read_only),
        ..assume("ci")
    };
    let both = sts::AssumeRoleRequest {
        policy_arns: arns(read_only),
        ..inline.clone()
    };
    let wider = sts::AssumeRoleRequest {
        policy: Some(allow("*")),
        ..assume("ci")
    };
    for (input, put, get, iam) in [
        (inline.clone(), true, false, false),
        (managed, false, true, false),
        (both, true, true, false),
        (wider, true, true, false),
    ] {
        let job = w.assume(&cx, input.clone()).await.unwrap();
        let job = w.call(&job).await.unwrap();
        assert_eq!(may(&job, "ecr:PutImage"), put, "{input:?}");
        assert_eq!(may(&job, "ecr:BatchGetImage"), get, "{input:?}");
        assert_eq!(may(&job, "iam:CreateUser"), iam, "{input:?}");
    }
    let answer = w.identity.assume_role(&cx, inline).await.unwrap();
    assert!((1..=10).contains(&answer.packed_policy_size.unwrap()));

    let missing = sts::AssumeRoleRequest {
        policy_arns: arns("arn:aws:iam::111122223333:policy/none"),
        ..assume("ci")
    };
    assert_eq!(
        said(w.identity.assume_role(&cx, missing).await).0,
        "NoSuchEntity"
    );
    let broken = sts::AssumeRoleRequest {
        policy: Some("{".to_owned()),
        ..assume("ci")
    };
    assert_eq!(
        said(w.identity.assume_role(&cx, broken).await).0,
        "MalformedPolicyDocument"
    );
    let tags = (0..30)
        .map(|n| tag(&format!("{n:0>120}"), &"v".repeat(100)))
        .collect();
    let heavy = sts::AssumeRoleRequest {
        tags: Some(tags),
        ..assume("ci")
    };
    assert_eq!(
        said(w.identity.assume_role(&cx, heavy).await).0,
        "PackedPolicyTooLarge"
    );
}

/// O11 (transitive tags are alike for every kind of session), and C4.
#[on_every_engine]
async fn tags_and_source_identity_pass_through_chains(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let first = w.create_role(&root, "first", ALICE).await.unwrap();
    w.create_role(&root, "second", &first.arn).await.unwrap();
    let tags = iam::TagRoleRequest {
        role_name: "second".to_owned(),
        tags: vec![
            iam::Tag {
                key: "team".to_owned(),
                value: "of-role".to_owned(),
            },
            iam::Tag {
                key: "Stage".to_owned(),
                value: "of-role".to_owned(),
            },
        ],
    };
    w.identity.tag_role(&root, tags).await.unwrap();
    let cx = w.call(&alice).await.unwrap();
    let input = sts::AssumeRoleRequest {
        tags: Some(vec![tag("Team", "blue"), tag("job", "7")]),
        transitive_tag_keys: Some(vec!["team".to_owned()]),
        source_identity: Some("alice".to_owned()),
        ..assume("first")
    };
    let session = w.assume(&cx, input.clone()).await.unwrap();
    let job = w.call(&session).await.unwrap();
    let context = &job.caller.context;
    assert_eq!(context.one("aws:PrincipalTag/team"), Some("blue"));
    assert_eq!(context.one("aws:PrincipalTag/job"), Some("7"));
    assert_eq!(context.one("aws:SourceIdentity"), Some("alice"));

    let second = w
        .identity
        .role_for_assume("arn:aws:iam::111122223333:role/second")
        .await
        .unwrap()
        .unwrap();
    assert!(may_assume(&job, &second, Context::new()) && !may_assume(&cx, &second, Context::new()));
    assert_eq!(second.tags.len(), 2);
    let chained = w.assume(&job, assume("second")).await.unwrap();
    let chained = w.call(&chained).await.unwrap();
    let context = &chained.caller.context;
    assert_eq!(context.one("aws:PrincipalTag/Team"), Some("blue"));
    assert_eq!(context.one("aws:PrincipalTag/job"), None);
    assert_eq!(context.one("aws:PrincipalTag/stage"), Some("of-role"));
    assert_eq!(context.one("aws:SourceIdentity"), Some("alice"));
    assert_eq!(
        chained
            .caller
            .session_info
            .as_ref()
            .unwrap()
            .transitive_tags
            .len(),
        1
    );

    let again = sts::AssumeRoleRequest {
        tags: Some(vec![tag("TEAM", "red")]),
        ..assume("second")
    };
    assert_eq!(
        said(w.identity.assume_role(&job, again).await).0,
        "InvalidParameterValue"
    );
    let other = sts::AssumeRoleRequest {
        source_identity: Some("bob".to_owned()),
        ..assume("second")
    };
    assert_eq!(
        said(w.identity.assume_role(&job, other).await).0,
        "AccessDenied"
    );
    let unknown = sts::AssumeRoleRequest {
        transitive_tag_keys: Some(vec!["none".to_owned()]),
        ..assume("first")
    };
    assert_eq!(
        said(w.identity.assume_role(&cx, unknown).await).0,
        "InvalidParameterValue"
    );
    let twice = sts::AssumeRoleRequest {
        tags: Some(vec![tag("a", "1"), tag("A", "2")]),
        ..assume("first")
    };
    assert_eq!(
        said(w.identity.assume_role(&cx, twice).await).0,
        "InvalidParameterValue"
    );
    let reserved = sts::AssumeRoleRequest {
        tags: Some(vec![tag("aws:x", "1")]),
        ..assume("first")
    };
    assert_eq!(
        said(w.identity.assume_role(&cx, reserved).await).0,
        "InvalidParameterValue"
    );
}

#[on_every_engine]
async fn a_role_that_is_not_there_is_not_assumed(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.create_role(&root, "ci", ALICE).await.unwrap();
    let cx = w.call(&alice).await.unwrap();
    assert_eq!(
        said(w.identity.assume_role(&cx, assume("none")).await).0,
        "AccessDenied"
    );
}

#[on_every_engine]
async fn only_the_role_that_was_decided_on_is_assumed(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.create_role(&root, "ci", ALICE).await.unwrap();
    let cx = w.call(&alice).await.unwrap();
    let input = assume("ci");
    let decided = w
        .identity
        .role_for_assume(&input.role_arn)
        .await
        .unwrap()
        .unwrap();
    let proof = |role: &RoleFacts| authorized_on(cx.context().clone(), &role.unique_id);
    w.identity
        .assume_role(&proof(&decided), input.clone())
        .await
        .unwrap();
    // Deleted and made anew between the decision and the session: another role.
    w.identity
        .delete_role(
            &root,
            iam::DeleteRoleRequest {
                role_name: "ci".to_owned(),
            },
        )
        .await
        .unwrap();
    w.create_role(&root, "ci", "arn:aws:iam::111122223333:root")
        .await
        .unwrap();
    let refused = w
        .identity
        .assume_role(&proof(&decided), input.clone())
        .await;
    assert_eq!(said(refused).0, "AccessDenied");
    let now = w
        .identity
        .role_for_assume(&input.role_arn)
        .await
        .unwrap()
        .unwrap();
    w.identity.assume_role(&proof(&now), input).await.unwrap();
}

#[on_every_engine]
async fn a_role_deleted_while_it_is_assumed_is_no_failure(t: TestStore) {
    const ROUNDS: usize = 100;
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let cx = w.call(&alice).await.unwrap();
    let identity = &w.identity;
    let make_and_delete = async {
        for _ in 0..ROUNDS {
            w.create_role(&root, "ci", ALICE).await.unwrap();
            let role = iam::DeleteRoleRequest {
                role_name: "ci".to_owned(),
            };
            identity.delete_role(&root, role).await.unwrap();
        }
    };
    let use_it = async {
        for _ in 0..ROUNDS {
            let known = identity
                .role_for_assume("arn:aws:iam::111122223333:role/ci")
                .await
                .unwrap();
            let id = known.map(|role| role.unique_id.clone()).unwrap_or_default();
            match identity
                .assume_role(&authorized_on(cx.context().clone(), &id), assume("ci"))
                .await
            {
                Ok(_) => {}
                Err(refused) => assert_eq!(refused.code().as_str(), "AccessDenied", "{refused:?}"),
            }
            let get = iam::GetRoleRequest {
                role_name: "ci".to_owned(),
            };
            if let Err(refused) = identity.get_role(&root, get).await {
                assert_eq!(refused.code().as_str(), "NoSuchEntity", "{refused:?}");
            }
            identity
                .list_roles(&root, iam::ListRolesRequest::default())
                .await
                .unwrap();
        }
    };
    tokio::join!(make_and_delete, use_it);
}
