//! Registry passwords.

use super::*;

#[on_every_engine]
async fn a_registry_password_points_at_its_principal(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let cx = w.call(&alice).await.unwrap();
    let (password, until) = w
        .identity
        .issue_registry_password(&cx.caller, w.now)
        .unwrap();
    let password = password.expose().clone();
    assert!(!password.contains(':'));
    assert_eq!(until.as_second() - w.now.as_second(), 12 * 3600);
    let principal = w
        .identity
        .open_registry_password(&password, w.now)
        .await
        .unwrap();
    let caller = w.identity.caller(&principal, w.now).await.unwrap();
    assert_eq!(caller.arn, cx.caller.arn);
    assert_eq!(caller.access_key_id, alice.id);

    // It is no session token, nor the other way round.
    assert!(invalid(
        w.identity.find_key(&alice.id, Some(&password)).await
    ));
    let delete = iam::DeleteAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: alice.id.clone(),
    };
    w.identity.delete_access_key(&root, delete).await.unwrap();
    assert!(invalid(w.identity.caller(&principal, w.now).await));

    w.pass(12 * 3600 - 1);
    w.identity
        .open_registry_password(&password, w.now)
        .await
        .unwrap();
    w.pass(1);
    assert!(expired(
        w.identity.open_registry_password(&password, w.now).await
    ));
}

#[on_every_engine]
async fn what_a_password_opened_ends_with_it_however_long_it_is_kept(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    let cx = w.call(&alice).await.unwrap();
    let (password, _) = w
        .identity
        .issue_registry_password(&cx.caller, w.now)
        .unwrap();
    let kept = w
        .identity
        .open_registry_password(password.expose(), w.now)
        .await
        .unwrap();
    w.pass(12 * 3600 - 1);
    w.identity.caller(&kept, w.now).await.unwrap();
    w.pass(1);
    assert!(expired(w.identity.caller(&kept, w.now).await));
}

#[on_every_engine]
async fn a_password_outlives_its_session_but_not_its_role(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let alice = w.user(&root, "alice").await;
    w.create_role(&root, "ci", "arn:aws:iam::111122223333:user/alice")
        .await
        .unwrap();
    w.put_role_policy(&root, "ci", &allow("ecr:*")).await;
    let cx = w.call(&alice).await.unwrap();
    let session = w.assume(&cx, assume("ci")).await.unwrap();
    let job = w.call(&session).await.unwrap();
    let (password, _) = w
        .identity
        .issue_registry_password(&job.caller, w.now)
        .unwrap();
    let password = password.expose().clone();
    assert!(!password.contains(&session.secret));

    w.pass(3600);
    // Found still, so that the signature is judged first; then it is over.
    let key = w
        .identity
        .find_key(&session.id, session.token.as_deref())
        .await
        .unwrap();
    assert_eq!(key.expires_at, Some(w.now));
    assert!(expired(w.identity.caller(&key.principal, w.now).await));
    assert!(invalid(
        w.identity
            .find_key(&alice.id, session.token.as_deref())
            .await
    ));
    assert!(expired(w.call(&session).await));
    assert!(expired(
        w.identity
            .caller(job.caller.credential.get().unwrap(), w.now)
            .await
    ));
    let principal = w
        .identity
        .open_registry_password(&password, w.now)
        .await
        .unwrap();
    let caller = w.identity.caller(&principal, w.now).await.unwrap();
    assert_eq!(
        &*caller.arn,
        "arn:aws:sts::111122223333:assumed-role/ci/job"
    );
    assert!(may(&w.call_as(caller), "ecr:PutImage"));

    let input = iam::DeleteRolePolicyRequest {
        role_name: "ci".to_owned(),
        policy_name: "inline".to_owned(),
    };
    w.identity.delete_role_policy(&root, input).await.unwrap();
    let caller = w.identity.caller(&principal, w.now).await.unwrap();
    assert!(!may(&w.call_as(caller), "ecr:PutImage"));
    w.identity
        .delete_role(
            &root,
            iam::DeleteRoleRequest {
                role_name: "ci".to_owned(),
            },
        )
        .await
        .unwrap();
    assert!(invalid(w.identity.caller(&principal, w.now).await));
    // Made anew, it is another role.
    w.create_role(&root, "ci", "arn:aws:iam::111122223333:user/alice")
        .await
        .unwrap();
    assert!(invalid(w.identity.caller(&principal, w.now).await));
}
