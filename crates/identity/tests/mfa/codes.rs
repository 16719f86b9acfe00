//! What a code gives, and what a wrong one costs.

use super::*;

#[on_every_engine]
async fn f3_a_code_is_accepted_once_and_only_from_its_user(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let (alice, bob) = (w.user(&root, "alice").await, w.user(&root, "bob").await);
    let phone = phone(&w, &root, "phone").await;
    let i = w.identity.clone();
    i.enable_mfa_device(&root, phone.enable(&w, "alice", 0))
        .await
        .unwrap();
    w.pass(60);
    let code = phone.code(w.now.as_second());
    // Who has another user's code does not spend it.
    let cx = w.call(&bob).await.unwrap();
    let (refused, message) = said(i.get_session_token(&cx, phone.session(&code)).await);
    assert_eq!(refused, "AccessDenied");
    assert!(
        message.starts_with("MultiFactorAuthentication failed, unable to validate MFA code."),
        "{message}"
    );
    let cx = w.call(&alice).await.unwrap();
    i.get_session_token(&cx, phone.session(&code))
        .await
        .unwrap();
    let (refused, message) = said(i.get_session_token(&cx, phone.session(&code)).await);
    assert_eq!(
        (refused.as_str(), message.as_str()),
        ("AccessDenied", BAD_CODE)
    );
    // One of the two alone proves nothing.
    let serial = sts::GetSessionTokenRequest {
        token_code: None,
        ..phone.session(&code)
    };
    assert_eq!(
        said(i.get_session_token(&cx, serial).await).0,
        "AccessDenied"
    );
    // A code of an hour ago, and one of a device that was taken away.
    assert_eq!(
        said(
            i.get_session_token(&cx, phone.session(&phone.code(w.now.as_second() - 3600)))
                .await
        )
        .1,
        BAD_CODE
    );
    i.deactivate_mfa_device(&root, deactivate("alice", &phone))
        .await
        .unwrap();
    w.pass(60);
    let cx = w.call(&alice).await.unwrap();
    assert_eq!(
        said(
            i.get_session_token(&cx, phone.session(&phone.code(w.now.as_second())))
                .await
        )
        .0,
        "AccessDenied"
    );
}

#[on_every_engine]
async fn guessing_codes_costs_time_and_locks_nobody_out(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let phone = phone(&w, &root, "phone").await;
    let i = w.identity.clone();
    i.enable_mfa_device(&root, phone.enable(&w, "alice", 0))
        .await
        .unwrap();
    w.pass(60);
    let cx = w.call(&alice).await.unwrap();
    let wrong = phone.code(w.now.as_second() + 86_400);
    for _ in 0..20 {
        assert!(
            i.get_session_token(&cx, phone.session(&wrong))
                .await
                .is_err()
        );
    }
    let right = phone.code(w.now.as_second());
    assert_eq!(
        said(i.get_session_token(&cx, phone.session(&right)).await).1,
        BAD_CODE
    );
    w.pass(600);
    let cx = w.call(&alice).await.unwrap();
    let right = phone.code(w.now.as_second());
    i.get_session_token(&cx, phone.session(&right))
        .await
        .unwrap();
}

#[on_every_engine]
async fn f4_a_session_with_mfa_says_so_and_may_call_iam(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let phone = phone(&w, &root, "phone").await;
    let i = w.identity.clone();
    i.enable_mfa_device(&root, phone.enable(&w, "alice", 0))
        .await
        .unwrap();
    w.pass(60);
    let cx = w.call(&alice).await.unwrap();
    let plain = credentials(
        i.get_session_token(&cx, sts::GetSessionTokenRequest::default())
            .await
            .unwrap(),
    );
    let code = phone.code(w.now.as_second());
    let with_mfa = credentials(
        i.get_session_token(&cx, phone.session(&code))
            .await
            .unwrap(),
    );
    w.pass(90);
    let (plain, with_mfa) = (
        w.call(&plain).await.unwrap(),
        w.call(&with_mfa).await.unwrap(),
    );
    let present = |cx: &identity::Authorized| {
        cx.caller
            .context
            .one("aws:MultiFactorAuthPresent")
            .map(str::to_owned)
    };
    assert_eq!(
        (
            present(&cx),
            present(&plain).as_deref(),
            present(&with_mfa).as_deref()
        ),
        (None, Some("false"), Some("true"))
    );
    let at = |cx: &identity::Authorized| cx.caller.session_info.as_ref().unwrap().mfa_at;
    assert_eq!(at(&plain), None);
    assert_eq!(
        at(&with_mfa).map(|at| w.now.as_second() - at.as_second()),
        Some(90)
    );
    // C1
    assert_eq!(
        SessionScope::IAM.check(&plain.caller, "GetUser"),
        Err(SessionRefused::InvalidClientTokenId)
    );
    assert_eq!(SessionScope::IAM.check(&with_mfa.caller, "GetUser"), Ok(()));
    assert!(
        SessionScope::STS
            .check(&with_mfa.caller, "DecodeAuthorizationMessage")
            .is_err()
    );
}
