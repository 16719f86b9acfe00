//! Passwords and the account's rules for them.

use super::*;

#[on_every_engine]
async fn i2_a_login_profile_is_made_shown_changed_and_deleted(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    w.user(&root, "ada").await;
    let i = w.identity.clone();
    let get = |user: &str| iam::GetLoginProfileRequest {
        user_name: Some(user.to_owned()),
    };
    assert_eq!(
        said(i.get_login_profile(&root, get("ada")).await).1,
        "Login Profile for User ada cannot be found."
    );
    assert_eq!(
        said(i.get_login_profile(&root, get("bob")).await).1,
        "The user with name bob cannot be found."
    );
    let none = iam::CreateLoginProfileRequest {
        password: None,
        ..create("ada", "")
    };
    assert_eq!(
        said(i.create_login_profile(&root, none).await).0,
        "ValidationError"
    );
    let made = i
        .create_login_profile(&root, create("ada", "Correct-1"))
        .await
        .unwrap()
        .login_profile;
    assert_eq!(
        (
            made.user_name.as_str(),
            made.password_reset_required,
            made.create_date
        ),
        ("ada", Some(false), w.now)
    );
    let (code, message) = said(
        i.create_login_profile(&root, create("ada", "Correct-1"))
            .await,
    );
    assert_eq!(
        (code.as_str(), message.as_str()),
        (
            "EntityAlreadyExists",
            "Login Profile for user ada already exists."
        )
    );
    assert_eq!(
        check(&w, "ada", "Correct-1").await,
        Some(PasswordState::Valid)
    );
    for (user, password) in [("ada", "correct-1"), ("ada", ""), ("bob", "Correct-1")] {
        assert_eq!(check(&w, user, password).await, None, "{user} {password}");
    }
    w.pass(60);
    let root = w.root_again(&root).await;
    let options = iam::UpdateLoginProfileRequest {
        password: None,
        password_reset_required: Some(true),
        max_signin_session_duration: Some(7200),
        ..update("ada", "")
    };
    i.update_login_profile(&root, options).await.unwrap();
    let shown = i
        .get_login_profile(&root, get("ada"))
        .await
        .unwrap()
        .login_profile;
    assert_eq!(
        (
            shown.password_reset_required,
            shown.max_signin_session_duration
        ),
        (Some(true), Some(7200))
    );
    assert_eq!(shown.create_date, made.create_date);
    assert_eq!(
        check(&w, "ada", "Correct-1").await,
        Some(PasswordState::MustChange)
    );
    i.update_login_profile(&root, update("ada", "Battery-2"))
        .await
        .unwrap();
    assert_eq!(check(&w, "ada", "Correct-1").await, None);
    // I8
    let delete_user = || iam::DeleteUserRequest {
        user_name: "eva".to_owned(),
    };
    let eva = iam::CreateUserRequest {
        user_name: "eva".to_owned(),
        ..Default::default()
    };
    i.create_user(&root, eva).await.unwrap();
    i.create_login_profile(&root, create("eva", "Correct-1"))
        .await
        .unwrap();
    assert_eq!(
        said(i.delete_user(&root, delete_user()).await).1,
        "Cannot delete entity, must delete login profile first."
    );
    i.delete_login_profile(
        &root,
        iam::DeleteLoginProfileRequest {
            user_name: Some("eva".to_owned()),
        },
    )
    .await
    .unwrap();
    i.delete_user(&root, delete_user()).await.unwrap();
    assert_eq!(
        said(
            i.delete_login_profile(&root, iam::DeleteLoginProfileRequest::default())
                .await
        )
        .0,
        "NoSuchEntity"
    );
}

#[on_every_engine]
async fn i1_a_password_policy_holds_for_new_passwords(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    w.user(&root, "ada").await;
    let (code, message) = said(i.get_account_password_policy(&root, ()).await);
    assert_eq!(
        (code.as_str(), message),
        (
            "NoSuchEntity",
            format!("The Password Policy with domain name {ACCOUNT} cannot be found.")
        )
    );
    assert_eq!(
        said(i.delete_account_password_policy(&root, ()).await).1,
        "The account policy with name PasswordPolicy cannot be found."
    );
    assert_eq!(
        said(i.create_login_profile(&root, create("ada", "secret")).await).0,
        "PasswordPolicyViolation"
    );
    // Every omitted field falls to its default.
    let strict = iam::UpdateAccountPasswordPolicyRequest {
        minimum_password_length: Some(12),
        require_symbols: Some(true),
        max_password_age: Some(90),
        password_reuse_prevention: Some(2),
        ..Default::default()
    };
    i.update_account_password_policy(&root, strict)
        .await
        .unwrap();
    let shown = i
        .get_account_password_policy(&root, ())
        .await
        .unwrap()
        .password_policy;
    assert_eq!(
        (
            shown.minimum_password_length,
            shown.require_symbols,
            shown.require_numbers
        ),
        (Some(12), Some(true), Some(false))
    );
    assert_eq!(
        (
            shown.expire_passwords,
            shown.max_password_age,
            shown.hard_expiry
        ),
        (Some(true), Some(90), None)
    );
    i.update_account_password_policy(&root, iam::UpdateAccountPasswordPolicyRequest::default())
        .await
        .unwrap();
    let shown = i
        .get_account_password_policy(&root, ())
        .await
        .unwrap()
        .password_policy;
    assert_eq!(
        (shown.minimum_password_length, shown.require_symbols),
        (Some(6), Some(false))
    );
    assert_eq!(
        (
            shown.expire_passwords,
            shown.max_password_age,
            shown.password_reuse_prevention
        ),
        (Some(false), None, None)
    );
    i.create_login_profile(&root, create("ada", "secret"))
        .await
        .unwrap();
    i.delete_account_password_policy(&root, ()).await.unwrap();
    // A rule acts at the next change, not on a password that is there.
    assert_eq!(check(&w, "ada", "secret").await, Some(PasswordState::Valid));
    assert_eq!(
        said(i.update_login_profile(&root, update("ada", "secret")).await).0,
        "PasswordPolicyViolation"
    );
}

#[on_every_engine]
async fn i1_earlier_passwords_are_not_used_again(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let ada = w.user(&root, "ada").await;
    i.create_login_profile(&root, create("ada", "Password-1"))
        .await
        .unwrap();
    let policy = iam::UpdateAccountPasswordPolicyRequest {
        password_reuse_prevention: Some(2),
        ..Default::default()
    };
    i.update_account_password_policy(&root, policy)
        .await
        .unwrap();
    let cx = w.call(&ada).await.unwrap();
    assert_eq!(
        said(
            i.change_password(&cx, change("Password-1", "Password-1"))
                .await
        )
        .0,
        "PasswordPolicyViolation"
    );
    i.change_password(&cx, change("Password-1", "Password-2"))
        .await
        .unwrap();
    assert_eq!(
        said(
            i.change_password(&cx, change("Password-2", "Password-1"))
                .await
        )
        .0,
        "PasswordPolicyViolation"
    );
    i.change_password(&cx, change("Password-2", "Password-3"))
        .await
        .unwrap();
    i.change_password(&cx, change("Password-3", "Password-1"))
        .await
        .unwrap();
}

#[on_every_engine]
async fn a_password_is_changed_by_its_user_who_knows_the_old_one(t: TestStore) {
    let mut w = World::new(&t).await;
    let root = w.root().await;
    let ada = w.user(&root, "ada").await;
    let i = w.identity.clone();
    let cx = w.call(&ada).await.unwrap();
    assert_eq!(
        said(i.change_password(&cx, change("x", "Password-2")).await).0,
        "NoSuchEntity"
    );
    let reset = iam::CreateLoginProfileRequest {
        password_reset_required: Some(true),
        ..create("ada", "Password-1")
    };
    i.create_login_profile(&root, reset).await.unwrap();
    let (code, _) = said(
        i.change_password(&root, change("Password-1", "Password-2"))
            .await,
    );
    assert_eq!(code, "InvalidUserType");
    for _ in 0..10 {
        assert_eq!(
            said(i.change_password(&cx, change("wrong", "Password-2")).await).0,
            "AccessDenied"
        );
    }
    // So many guesses cost time, also for the right password.
    assert_eq!(
        said(
            i.change_password(&cx, change("Password-1", "Password-2"))
                .await
        )
        .0,
        "AccessDenied"
    );
    w.pass(600);
    let cx = w.call(&ada).await.unwrap();
    i.change_password(&cx, change("Password-1", "Password-2"))
        .await
        .unwrap();
    assert_eq!(
        check(&w, "ada", "Password-2").await,
        Some(PasswordState::Valid)
    );
    let shown = i
        .get_user(
            &root,
            iam::GetUserRequest {
                user_name: Some("ada".to_owned()),
            },
        )
        .await
        .unwrap()
        .user;
    assert_eq!(shown.password_last_used, Some(w.now));
    let listed = i
        .list_users(&root, iam::ListUsersRequest::default())
        .await
        .unwrap()
        .users;
    assert_eq!(listed[0].password_last_used, Some(w.now));
}

#[on_every_engine]
async fn users_may_change_their_own_password_where_the_account_allows_it(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let ada = w.user(&root, "ada").await;
    let own = format!("arn:aws:iam::{ACCOUNT}:user/ada");
    let other = format!("arn:aws:iam::{ACCOUNT}:user/bob");
    let cx = w.call(&ada).await.unwrap();
    assert!(!may_on(&cx, "iam:ChangePassword", &own));
    let policy = iam::UpdateAccountPasswordPolicyRequest {
        allow_users_to_change_password: Some(true),
        ..Default::default()
    };
    i.update_account_password_policy(&root, policy)
        .await
        .unwrap();
    let cx = w.call(&ada).await.unwrap();
    assert!(
        may_on(&cx, "iam:ChangePassword", &own) && may_on(&cx, "iam:GetAccountPasswordPolicy", "*")
    );
    assert!(
        !may_on(&cx, "iam:ChangePassword", &other) && !may_on(&cx, "iam:UpdateLoginProfile", &own)
    );
    i.delete_account_password_policy(&root, ()).await.unwrap();
    let cx = w.call(&ada).await.unwrap();
    assert!(!may_on(&cx, "iam:ChangePassword", &own));
}
