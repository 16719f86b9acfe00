//! Sessions of users, and of those that they federate.

use super::*;

#[on_every_engine]
async fn session_tokens_carry_the_user(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.put_user_policy(&root, "alice", &allow("ecr:*")).await;
    let cx = w.call(&alice).await.unwrap();
    let answer = w
        .identity
        .get_session_token(&cx, sts::GetSessionTokenRequest::default())
        .await
        .unwrap();
    let session = answer.credentials.unwrap();
    assert_eq!(session.expiration.as_second() - w.now.as_second(), 43_200);
    let session = Credentials {
        id: session.access_key_id.clone(),
        secret: String::new(),
        token: Some(session.session_token.expose().clone()),
    };
    let same = w.call(&session).await.unwrap();
    assert_eq!(
        (&same.caller.arn, &same.caller.user_id),
        (&cx.caller.arn, &cx.caller.user_id)
    );
    assert_eq!(same.caller.context.one("aws:username"), Some("alice"));
    assert_eq!(
        same.caller.context.one("aws:MultiFactorAuthPresent"),
        Some("false")
    );
    assert!(may(&same, "ecr:PutImage"));
    assert_eq!(
        said(
            w.identity
                .get_session_token(&same, sts::GetSessionTokenRequest::default())
                .await
        ),
        (
            "AccessDenied".to_owned(),
            "Cannot call GetSessionToken with session credentials".to_owned()
        )
    );
    let root_session = w
        .identity
        .get_session_token(&root, sts::GetSessionTokenRequest::default())
        .await
        .unwrap();
    assert_eq!(
        root_session.credentials.unwrap().expiration.as_second() - w.now.as_second(),
        3600
    );
    w.pass(43_200);
    assert!(expired(w.call(&session).await));
}

#[on_every_engine]
async fn row_11_a_federated_user_has_what_both_allow(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.put_user_policy(&root, "alice", &allow("ecr:*")).await;
    let cx = w.call(&alice).await.unwrap();
    for (policy, put, iam) in [(None, false, false), (Some(allow("*")), true, false)] {
        let input = sts::GetFederationTokenRequest {
            name: "guest".to_owned(),
            policy,
            ..Default::default()
        };
        let answer = w.identity.get_federation_token(&cx, input).await.unwrap();
        assert_eq!(
            answer.federated_user.unwrap().arn,
            "arn:aws:sts::111122223333:federated-user/guest"
        );
        let session = answer.credentials.unwrap();
        let session = Credentials {
            id: session.access_key_id.clone(),
            secret: String::new(),
            token: Some(session.session_token.expose().clone()),
        };
        let guest = w.call(&session).await.unwrap();
        assert!(matches!(
            guest.caller.kind,
            CallerKind::FederatedUser { .. }
        ));
        assert_eq!(
            guest.caller.context.one("aws:userid"),
            Some("111122223333:guest")
        );
        assert_eq!(
            (may(&guest, "ecr:PutImage"), may(&guest, "iam:CreateUser")),
            (put, iam)
        );
    }
}

#[on_every_engine]
async fn root_hands_everything_on_to_a_federated_user(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    for (policy, put) in [(None, false), (Some(allow("ecr:*")), true)] {
        let input = sts::GetFederationTokenRequest {
            name: "guest".to_owned(),
            policy,
            ..Default::default()
        };
        let session = w
            .identity
            .get_federation_token(&root, input)
            .await
            .unwrap()
            .credentials
            .unwrap();
        let session = Credentials {
            id: session.access_key_id.clone(),
            secret: String::new(),
            token: Some(session.session_token.expose().clone()),
        };
        let guest = w.call(&session).await.unwrap();
        assert_eq!(
            (may(&guest, "ecr:PutImage"), may(&guest, "iam:CreateUser")),
            (put, false)
        );
    }
}

#[on_every_engine]
async fn some_sessions_may_not_call_iam_and_sts(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.create_role(&root, "ci", ALICE).await.unwrap();
    let cx = w.call(&alice).await.unwrap();
    let open = async |credentials: sts::Credentials| {
        let session = Credentials {
            id: credentials.access_key_id.clone(),
            secret: String::new(),
            token: Some(credentials.session_token.expose().clone()),
        };
        w.call(&session).await.unwrap()
    };
    let same = w
        .identity
        .get_session_token(&cx, sts::GetSessionTokenRequest::default())
        .await
        .unwrap();
    let guest = sts::GetFederationTokenRequest {
        name: "guest".to_owned(),
        ..Default::default()
    };
    let guest = w.identity.get_federation_token(&cx, guest).await.unwrap();
    let job = w.identity.assume_role(&cx, assume("ci")).await.unwrap();
    let same = open(same.credentials.unwrap()).await;
    let guest = open(guest.credentials.unwrap()).await;
    let job = open(job.credentials.unwrap()).await;
    for (scope, may) in [
        //                              root  user  same   guest  job
        (SessionScope::ANY, [true, true, true, true, true]),
        (SessionScope::IAM, [true, true, false, false, true]),
        (SessionScope::STS, [true, true, false, false, true]),
        (SessionScope::ASSUME_ROLE, [true, true, true, false, true]),
        (
            SessionScope::LONG_TERM_KEYS,
            [true, true, false, false, false],
        ),
    ] {
        let calls = [&root, &cx, &same, &guest, &job];
        assert_eq!(
            calls.map(|call| scope.check(&call.caller, "Operation").is_ok()),
            may,
            "{scope:?}"
        );
    }
}

#[on_every_engine]
async fn authorization_messages_are_decoded_for_their_account(t: TestStore) {
    let w = World::new(&t).await;
    let root = w.root().await;
    let other = w.account(OTHER_ACCOUNT).await;
    let other = w.call(&other).await.unwrap();
    let text = "{\"allowed\":false}\n\"second line\"";
    let message = w
        .identity
        .encode_authorization_message(root.account, text, w.now)
        .unwrap();
    let ask = |message: &str| sts::DecodeAuthorizationMessageRequest {
        encoded_message: message.to_owned(),
    };
    let answer = w
        .identity
        .decode_authorization_message(&root, ask(&message))
        .await
        .unwrap();
    assert_eq!(answer.decoded_message.as_deref(), Some(text));
    for (cx, message) in [(&other, message.as_str()), (&root, "nonsense"), (&root, "")] {
        let refused = w
            .identity
            .decode_authorization_message(cx, ask(message))
            .await;
        assert_eq!(said(refused).0, "InvalidAuthorizationMessageException");
    }
}
