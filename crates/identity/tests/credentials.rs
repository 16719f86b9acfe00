//! Passwords, the credential report, credentials of other services, service-linked roles, account properties.

#![allow(clippy::unwrap_used)]

mod common;

use aws_api::{Secret, iam};
use common::*;
use identity::PasswordState;
use store::on_every_engine;

fn create(user: &str, password: &str) -> iam::CreateLoginProfileRequest {
    iam::CreateLoginProfileRequest {
        user_name: Some(user.to_owned()),
        password: Some(password.into()),
        ..Default::default()
    }
}

fn update(user: &str, password: &str) -> iam::UpdateLoginProfileRequest {
    iam::UpdateLoginProfileRequest {
        user_name: user.to_owned(),
        password: Some(password.into()),
        ..Default::default()
    }
}

fn change(old: &str, new: &str) -> iam::ChangePasswordRequest {
    iam::ChangePasswordRequest {
        old_password: old.into(),
        new_password: new.into(),
    }
}

async fn check(w: &World, user: &str, password: &str) -> Option<PasswordState> {
    let account = ACCOUNT.parse().unwrap();
    let password = Secret::new(password.to_owned());
    w.identity
        .check_password(account, user, &password, w.now)
        .await
        .unwrap()
}

on_every_engine! {
    async fn i2_a_login_profile_is_made_shown_changed_and_deleted(t: TestStore) {
        let mut w = World::new(&t).await;
        let root = w.root().await;
        w.user(&root, "ada").await;
        let i = w.identity.clone();
        let get = |user: &str| iam::GetLoginProfileRequest { user_name: Some(user.to_owned()) };
        assert_eq!(said(i.get_login_profile(&root, get("ada")).await).1, "Login Profile for User ada cannot be found.");
        assert_eq!(said(i.get_login_profile(&root, get("bob")).await).1, "The user with name bob cannot be found.");
        let none = iam::CreateLoginProfileRequest { password: None, ..create("ada", "") };
        assert_eq!(said(i.create_login_profile(&root, none).await).0, "ValidationError");
        let made = i.create_login_profile(&root, create("ada", "Correct-1")).await.unwrap().login_profile;
        assert_eq!((made.user_name.as_str(), made.password_reset_required, made.create_date), ("ada", Some(false), w.now));
        let (code, message) = said(i.create_login_profile(&root, create("ada", "Correct-1")).await);
        assert_eq!((code.as_str(), message.as_str()), ("EntityAlreadyExists", "Login Profile for user ada already exists."));
        assert_eq!(check(&w, "ada", "Correct-1").await, Some(PasswordState::Valid));
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
        let shown = i.get_login_profile(&root, get("ada")).await.unwrap().login_profile;
        assert_eq!((shown.password_reset_required, shown.max_signin_session_duration), (Some(true), Some(7200)));
        assert_eq!(shown.create_date, made.create_date);
        assert_eq!(check(&w, "ada", "Correct-1").await, Some(PasswordState::MustChange));
        i.update_login_profile(&root, update("ada", "Battery-2")).await.unwrap();
        assert_eq!(check(&w, "ada", "Correct-1").await, None);
        // I8
        let delete_user = || iam::DeleteUserRequest { user_name: "eva".to_owned() };
        let eva = iam::CreateUserRequest { user_name: "eva".to_owned(), ..Default::default() };
        i.create_user(&root, eva).await.unwrap();
        i.create_login_profile(&root, create("eva", "Correct-1")).await.unwrap();
        assert_eq!(said(i.delete_user(&root, delete_user()).await).1, "Cannot delete entity, must delete login profile first.");
        i.delete_login_profile(&root, iam::DeleteLoginProfileRequest { user_name: Some("eva".to_owned()) }).await.unwrap();
        i.delete_user(&root, delete_user()).await.unwrap();
        assert_eq!(said(i.delete_login_profile(&root, iam::DeleteLoginProfileRequest::default()).await).0, "NoSuchEntity");
    }

    async fn i1_a_password_policy_holds_for_new_passwords(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        w.user(&root, "ada").await;
        let (code, message) = said(i.get_account_password_policy(&root, ()).await);
        assert_eq!((code.as_str(), message), ("NoSuchEntity", format!("The Password Policy with domain name {ACCOUNT} cannot be found.")));
        assert_eq!(said(i.delete_account_password_policy(&root, ()).await).1, "The account policy with name PasswordPolicy cannot be found.");
        assert_eq!(said(i.create_login_profile(&root, create("ada", "secret")).await).0, "PasswordPolicyViolation");
        // Every omitted field falls to its default.
        let strict = iam::UpdateAccountPasswordPolicyRequest {
            minimum_password_length: Some(12),
            require_symbols: Some(true),
            max_password_age: Some(90),
            password_reuse_prevention: Some(2),
            ..Default::default()
        };
        i.update_account_password_policy(&root, strict).await.unwrap();
        let shown = i.get_account_password_policy(&root, ()).await.unwrap().password_policy;
        assert_eq!((shown.minimum_password_length, shown.require_symbols, shown.require_numbers), (Some(12), Some(true), Some(false)));
        assert_eq!((shown.expire_passwords, shown.max_password_age, shown.hard_expiry), (Some(true), Some(90), None));
        i.update_account_password_policy(&root, iam::UpdateAccountPasswordPolicyRequest::default()).await.unwrap();
        let shown = i.get_account_password_policy(&root, ()).await.unwrap().password_policy;
        assert_eq!((shown.minimum_password_length, shown.require_symbols), (Some(6), Some(false)));
        assert_eq!((shown.expire_passwords, shown.max_password_age, shown.password_reuse_prevention), (Some(false), None, None));
        i.create_login_profile(&root, create("ada", "secret")).await.unwrap();
        i.delete_account_password_policy(&root, ()).await.unwrap();
        // A rule acts at the next change, not on a password that is there.
        assert_eq!(check(&w, "ada", "secret").await, Some(PasswordState::Valid));
        assert_eq!(said(i.update_login_profile(&root, update("ada", "secret")).await).0, "PasswordPolicyViolation");
    }

    async fn i1_earlier_passwords_are_not_used_again(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let ada = w.user(&root, "ada").await;
        i.create_login_profile(&root, create("ada", "Password-1")).await.unwrap();
        let policy = iam::UpdateAccountPasswordPolicyRequest { password_reuse_prevention: Some(2), ..Default::default() };
        i.update_account_password_policy(&root, policy).await.unwrap();
        let cx = w.call(&ada).await.unwrap();
        assert_eq!(said(i.change_password(&cx, change("Password-1", "Password-1")).await).0, "PasswordPolicyViolation");
        i.change_password(&cx, change("Password-1", "Password-2")).await.unwrap();
        assert_eq!(said(i.change_password(&cx, change("Password-2", "Password-1")).await).0, "PasswordPolicyViolation");
        i.change_password(&cx, change("Password-2", "Password-3")).await.unwrap();
        i.change_password(&cx, change("Password-3", "Password-1")).await.unwrap();
    }

    async fn a_password_is_changed_by_its_user_who_knows_the_old_one(t: TestStore) {
        let mut w = World::new(&t).await;
        let root = w.root().await;
        let ada = w.user(&root, "ada").await;
        let i = w.identity.clone();
        let cx = w.call(&ada).await.unwrap();
        assert_eq!(said(i.change_password(&cx, change("x", "Password-2")).await).0, "NoSuchEntity");
        let reset = iam::CreateLoginProfileRequest { password_reset_required: Some(true), ..create("ada", "Password-1") };
        i.create_login_profile(&root, reset).await.unwrap();
        let (code, _) = said(i.change_password(&root, change("Password-1", "Password-2")).await);
        assert_eq!(code, "InvalidUserType");
        for _ in 0..10 {
            assert_eq!(said(i.change_password(&cx, change("wrong", "Password-2")).await).0, "AccessDenied");
        }
        // So many guesses cost time, also for the right password.
        assert_eq!(said(i.change_password(&cx, change("Password-1", "Password-2")).await).0, "AccessDenied");
        w.pass(600);
        let cx = w.call(&ada).await.unwrap();
        i.change_password(&cx, change("Password-1", "Password-2")).await.unwrap();
        assert_eq!(check(&w, "ada", "Password-2").await, Some(PasswordState::Valid));
        let shown = i.get_user(&root, iam::GetUserRequest { user_name: Some("ada".to_owned()) }).await.unwrap().user;
        assert_eq!(shown.password_last_used, Some(w.now));
        let listed = i.list_users(&root, iam::ListUsersRequest::default()).await.unwrap().users;
        assert_eq!(listed[0].password_last_used, Some(w.now));
    }

    async fn users_may_change_their_own_password_where_the_account_allows_it(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let ada = w.user(&root, "ada").await;
        let own = format!("arn:aws:iam::{ACCOUNT}:user/ada");
        let other = format!("arn:aws:iam::{ACCOUNT}:user/bob");
        let cx = w.call(&ada).await.unwrap();
        assert!(!may_on(&cx, "iam:ChangePassword", &own));
        let policy = iam::UpdateAccountPasswordPolicyRequest { allow_users_to_change_password: Some(true), ..Default::default() };
        i.update_account_password_policy(&root, policy).await.unwrap();
        let cx = w.call(&ada).await.unwrap();
        assert!(may_on(&cx, "iam:ChangePassword", &own) && may_on(&cx, "iam:GetAccountPasswordPolicy", "*"));
        assert!(!may_on(&cx, "iam:ChangePassword", &other) && !may_on(&cx, "iam:UpdateLoginProfile", &own));
        i.delete_account_password_policy(&root, ()).await.unwrap();
        let cx = w.call(&ada).await.unwrap();
        assert!(!may_on(&cx, "iam:ChangePassword", &own));
    }

    async fn i4_service_credentials_are_two_for_a_service(t: TestStore) {
        let mut w = World::new(&t).await;
        let root = w.root().await;
        w.user(&root, "ada").await;
        w.user(&root, "bob").await;
        let i = w.identity.clone();
        let create = |user: &str, service: &str| iam::CreateServiceSpecificCredentialRequest {
            user_name: user.to_owned(),
            service_name: service.to_owned(),
            ..Default::default()
        };
        // LocalStack's TestIAMServiceSpecificCredentials: the user is looked up before the service.
        for (user, service, message) in [
            ("eve", "nonexistentservice.amazonaws.com", "The user with name eve cannot be found."),
            ("ada", "lambda.amazonaws.com", "No such service lambda.amazonaws.com is supported for Service Specific Credentials"),
        ] {
            assert_eq!(said(i.create_service_specific_credential(&root, create(user, service)).await), ("NoSuchEntity".to_owned(), message.to_owned()));
        }
        let made = i.create_service_specific_credential(&root, create("ada", "codecommit.amazonaws.com")).await.unwrap();
        let made = made.service_specific_credential.unwrap();
        assert_eq!(made.service_user_name, Some(format!("ada-at-{ACCOUNT}")));
        assert!(made.service_specific_credential_id.starts_with("ACCA") && made.service_password.is_some());
        let second = i.create_service_specific_credential(&root, create("ada", "codecommit.amazonaws.com")).await.unwrap();
        assert_ne!(second.service_specific_credential.unwrap().service_user_name, made.service_user_name);
        let (code, message) = said(i.create_service_specific_credential(&root, create("ada", "codecommit.amazonaws.com")).await);
        assert_eq!((code.as_str(), message.as_str()), ("LimitExceeded", "Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2"));
        let age = iam::CreateServiceSpecificCredentialRequest { credential_age_days: Some(1), ..create("ada", "cassandra.amazonaws.com") };
        assert_eq!(said(i.create_service_specific_credential(&root, age).await).0, "ValidationError");
        let key = iam::CreateServiceSpecificCredentialRequest { credential_age_days: Some(1), ..create("bob", "bedrock.amazonaws.com") };
        let key = i.create_service_specific_credential(&root, key).await.unwrap().service_specific_credential.unwrap();
        assert!(key.service_user_name.is_none() && key.service_credential_alias.is_some() && key.service_credential_secret.is_some());

        let id = || made.service_specific_credential_id.clone();
        let update = |user: &str| iam::UpdateServiceSpecificCredentialRequest {
            user_name: Some(user.to_owned()),
            service_specific_credential_id: id(),
            status: iam::StatusType::Inactive,
        };
        assert_eq!(said(i.update_service_specific_credential(&root, update("bob")).await).1, format!("No such credential {} exists", id()));
        i.update_service_specific_credential(&root, update("ada")).await.unwrap();
        let reset = iam::ResetServiceSpecificCredentialRequest { user_name: Some("ada".to_owned()), service_specific_credential_id: id() };
        let reset = i.reset_service_specific_credential(&root, reset).await.unwrap().service_specific_credential.unwrap();
        assert_eq!(reset.status, iam::StatusType::Inactive);
        assert_ne!(reset.service_password.unwrap().expose(), made.service_password.as_ref().unwrap().expose());
        let list = |user: Option<&str>, service: Option<&str>| iam::ListServiceSpecificCredentialsRequest {
            user_name: user.map(str::to_owned),
            service_name: service.map(str::to_owned),
            ..Default::default()
        };
        let listed = async |input| i.list_service_specific_credentials(&root, input).await.unwrap().service_specific_credentials.unwrap();
        assert_eq!(listed(list(Some("ada"), None)).await.len(), 2);
        assert_eq!(listed(list(Some("ada"), Some("cassandra.amazonaws.com"))).await.len(), 0);
        let all = iam::ListServiceSpecificCredentialsRequest { all_users: Some(true), ..Default::default() };
        let everyone = listed(all.clone()).await;
        assert_eq!(everyone.iter().filter(|row| row.user_name == "bob" && row.status == iam::StatusType::Active).count(), 1);
        let both = iam::ListServiceSpecificCredentialsRequest { user_name: Some("ada".to_owned()), ..all.clone() };
        assert_eq!(said(i.list_service_specific_credentials(&root, both).await).0, "ValidationError");
        w.pass(25 * 3600);
        let later = w.root_again(&root).await;
        let later = i.list_service_specific_credentials(&later, all).await.unwrap().service_specific_credentials.unwrap();
        assert_eq!(later.iter().filter(|row| row.status == iam::StatusType::Expired).count(), 1);
        let delete = iam::DeleteServiceSpecificCredentialRequest { user_name: Some("ada".to_owned()), service_specific_credential_id: id() };
        i.delete_service_specific_credential(&root, delete.clone()).await.unwrap();
        assert_eq!(said(i.delete_service_specific_credential(&root, delete).await).0, "NoSuchEntity");
    }

    async fn i7_a_service_linked_role_is_changed_by_nobody(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let create = |service: &str, suffix: Option<&str>| iam::CreateServiceLinkedRoleRequest {
            aws_service_name: service.to_owned(),
            custom_suffix: suffix.map(str::to_owned),
            ..Default::default()
        };
        let made = i.create_service_linked_role(&root, create("ecs.amazonaws.com", None)).await.unwrap().role.unwrap();
        assert_eq!(made.arn, format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"));
        for (input, words) in [
            (create("ecs.amazonaws.com", None), "has been taken in this account, please try a different suffix."),
            (create("ecs.amazonaws.com", Some("x")), "Custom suffix is not allowed for ecs.amazonaws.com"),
            (create("nothing.amazonaws.com", None), "has no service-linked role"),
        ] {
            let (code, message) = said(i.create_service_linked_role(&root, input).await);
            assert!(code == "InvalidInput" && message.contains(words), "{code}: {message}");
        }
        let suffixed = i.create_service_linked_role(&root, create("autoscaling.amazonaws.com", Some("ci"))).await.unwrap();
        assert_eq!(suffixed.role.unwrap().role_name, "AWSServiceRoleForAutoScaling_ci");
        let role = || made.role_name.clone();
        let attach = iam::AttachRolePolicyRequest { role_name: role(), policy_arn: "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned() };
        let put = iam::PutRolePolicyRequest { role_name: role(), policy_name: "p".to_owned(), policy_document: allow("ecr:*") };
        let trust_policy = iam::UpdateAssumeRolePolicyRequest { role_name: role(), policy_document: trust(ACCOUNT) };
        let delete = iam::DeleteRoleRequest { role_name: role() };
        for refused in [
            i.attach_role_policy(&root, attach).await,
            i.put_role_policy(&root, put).await,
            i.update_assume_role_policy(&root, trust_policy).await,
            i.delete_role(&root, delete).await,
        ] {
            let (code, message) = said(refused);
            assert_eq!(code, "UnmodifiableEntity");
            assert_eq!(message, "Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this role is only modifiable by AWS");
        }
        let tag = iam::Tag { key: "team".to_owned(), value: "core".to_owned() };
        i.tag_role(&root, iam::TagRoleRequest { role_name: role(), tags: vec![tag] }).await.unwrap();
        let delete = || iam::DeleteServiceLinkedRoleRequest { role_name: role() };
        let task = i.delete_service_linked_role(&root, delete()).await.unwrap().deletion_task_id;
        assert!(task.starts_with("task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/"), "{task}");
        let status = |id: String| iam::GetServiceLinkedRoleDeletionStatusRequest { deletion_task_id: id };
        let done = i.get_service_linked_role_deletion_status(&root, status(task.clone())).await.unwrap();
        assert_eq!(done.status, iam::DeletionTaskStatusType::Succeeded);
        assert_eq!(said(i.delete_service_linked_role(&root, delete()).await).0, "NoSuchEntity");
        assert_eq!(said(i.get_service_linked_role_deletion_status(&root, status(task + "0")).await).0, "NoSuchEntity");
        w.create_role(&root, "own", ACCOUNT).await.unwrap();
        let own = iam::DeleteServiceLinkedRoleRequest { role_name: "own".to_owned() };
        assert_eq!(said(i.delete_service_linked_role(&root, own).await).0, "NoSuchEntity");
    }

    async fn i5_the_credential_report_shows_what_there_is(t: TestStore) {
        let mut w = World::new(&t).await;
        let root = w.root().await;
        let i = w.identity.clone();
        assert_eq!(said(i.get_credential_report(&root, ()).await), ("ReportNotPresent".to_owned(), String::new()));
        let ada = w.user(&root, "ada").await;
        i.create_user(&root, iam::CreateUserRequest { user_name: "b,ob".to_owned(), ..Default::default() }).await.unwrap();
        i.create_login_profile(&root, create("ada", "Correct-1")).await.unwrap();
        let aged = iam::UpdateAccountPasswordPolicyRequest { max_password_age: Some(1), ..Default::default() };
        i.update_account_password_policy(&root, aged).await.unwrap();
        let cx = w.call(&ada).await.unwrap();
        i.touch_key_last_used(&cx.caller, "ecr", "eu-west-1", w.now);
        let started = i.generate_credential_report(&root, ()).await.unwrap();
        assert_eq!(started.state, Some(iam::ReportStateType::Started));
        assert_eq!(started.description.as_deref(), Some("No report exists. Starting a new report generation task"));
        let again = i.generate_credential_report(&root, ()).await.unwrap();
        assert_eq!((again.state, again.description), (Some(iam::ReportStateType::Complete), None));
        let report = i.get_credential_report(&root, ()).await.unwrap();
        assert_eq!(report.generated_time, Some(w.now));
        let text = String::from_utf8(report.content.unwrap().to_vec()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[0].starts_with("user,arn,user_creation_time,password_enabled,") && lines[0].ends_with(",cert_2_last_rotated,additional_credentials_info"));
        let at = "2026-11-22T12:00:00+00:00";
        assert!(lines[1].starts_with(&format!("<root_account>,arn:aws:iam::{ACCOUNT}:root,{at},not_supported,no_information,not_supported,not_supported,false,true,{at},")), "{}", lines[1]);
        assert_eq!(lines[2], format!(
            "ada,arn:aws:iam::{ACCOUNT}:user/ada,{at},true,no_information,{at},2026-11-23T12:00:00+00:00,false,true,{at},{at},eu-west-1,ecr,\
             false,N/A,N/A,N/A,N/A,false,N/A,false,N/A,N/A"));
        assert!(lines[3].starts_with(&format!("\"b,ob\",\"arn:aws:iam::{ACCOUNT}:user/b,ob\",{at},false,N/A,N/A,N/A,false,false,N/A,")), "{}", lines[3]);
        w.pass(4 * 3600);
        let later = w.root_again(&root).await;
        assert_eq!(said(i.get_credential_report(&later, ()).await).0, "ReportExpired");
        assert_eq!(i.generate_credential_report(&later, ()).await.unwrap().state, Some(iam::ReportStateType::Started));
        assert_eq!(i.get_credential_report(&later, ()).await.unwrap().generated_time, Some(w.now));
    }

    async fn n2_properties_of_one_namespace_are_set_together(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let put = |pairs: &[(&str, &str)]| iam::PutAccountPropertiesRequest {
            properties: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        for refused in [&[][..], &[("a", "1")], &[("/a", "1")], &[("a/", "1")], &[("a/b/c", "1")], &[("a/b", "1"), ("c/d", "1")]] {
            assert_eq!(said(i.put_account_properties(&root, put(refused)).await).0, "InvalidInput", "{refused:?}");
        }
        i.put_account_properties(&root, put(&[("roles/on", "true"), ("roles/max", "3")])).await.unwrap();
        i.put_account_properties(&root, put(&[("other/x", "y")])).await.unwrap();
        i.put_account_properties(&root, put(&[("roles/on", "false")])).await.unwrap();
        let got = i.get_account_properties(&root, iam::GetAccountPropertiesRequest::default()).await.unwrap().properties.unwrap();
        let got: Vec<_> = got.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(got, [("other/x", "y"), ("roles/max", "3"), ("roles/on", "false")]);
        let version = |v| iam::SetSecurityTokenServicePreferencesRequest { global_endpoint_token_version: v };
        let summary = async || i.get_account_summary(&root, ()).await.unwrap().summary_map.unwrap()[&iam::SummaryKeyType::GlobalEndpointTokenVersion];
        assert_eq!(summary().await, 2);
        i.set_security_token_service_preferences(&root, version(iam::GlobalEndpointTokenVersion::V1Token)).await.unwrap();
        assert_eq!(summary().await, 1);
    }

    async fn i3_a_new_alias_replaces_the_old(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        for alias in ["first", "second"] {
            i.create_account_alias(&root, iam::CreateAccountAliasRequest { account_alias: alias.to_owned() }).await.unwrap();
        }
        let listed = i.list_account_aliases(&root, iam::ListAccountAliasesRequest::default()).await.unwrap();
        assert_eq!(listed.account_aliases, ["second"]);
        let digits = iam::CreateAccountAliasRequest { account_alias: "123456789012".to_owned() };
        assert_eq!(said(i.create_account_alias(&root, digits).await).0, "ValidationError");
        assert_eq!(said(i.delete_account_alias(&root, iam::DeleteAccountAliasRequest { account_alias: "first".to_owned() }).await).0, "NoSuchEntity");
    }

    async fn i6_last_accessed_data_come_from_real_use(t: TestStore) {
        let mut w = World::new(&t).await;
        let root = w.root().await;
        let i = w.identity.clone();
        let (ada, eve) = (w.user(&root, "ada").await, w.user(&root, "eve").await);
        w.put_user_policy(&root, "ada", &allow("ecr:Get*")).await;
        let group = iam::CreateGroupRequest { group_name: "ops".to_owned(), ..Default::default() };
        i.create_group(&root, group).await.unwrap();
        let read_only = "arn:aws:iam::aws:policy/IAMReadOnlyAccess".to_owned();
        let attach = iam::AttachGroupPolicyRequest { group_name: "ops".to_owned(), policy_arn: read_only.clone() };
        i.attach_group_policy(&root, attach).await.unwrap();
        let add = iam::AddUserToGroupRequest { group_name: "ops".to_owned(), user_name: "ada".to_owned() };
        i.add_user_to_group(&root, add).await.unwrap();
        let cx = w.call(&ada).await.unwrap();
        i.touch_key_last_used(&cx.caller, "ecr", "eu-west-1", w.now);
        i.touch_key_last_used(&cx.caller, "sts", "us-east-1", w.now);
        i.flush_last_used().await.unwrap();

        let arn = |rest: &str| format!("arn:aws:iam::{ACCOUNT}:{rest}");
        let generate = |arn: String| iam::GenerateServiceLastAccessedDetailsRequest { arn, granularity: None };
        assert_eq!(said(i.generate_service_last_accessed_details(&root, generate(arn("user/bob"))).await).0, "NoSuchEntity");
        let job = i.generate_service_last_accessed_details(&root, generate(arn("user/ada"))).await.unwrap().job_id.unwrap();
        let get = |id: &str, max: Option<i32>, marker: Option<String>| iam::GetServiceLastAccessedDetailsRequest { job_id: id.to_owned(), max_items: max, marker };
        let first = i.get_service_last_accessed_details(&root, get(&job, Some(1), None)).await.unwrap();
        assert_eq!((first.job_status, first.is_truncated), (iam::JobStatusType::Completed, Some(true)));
        let [ecr] = &first.services_last_accessed[..] else { panic!("{first:?}") };
        assert_eq!((ecr.service_namespace.as_str(), ecr.last_authenticated, ecr.total_authenticated_entities), ("ecr", Some(w.now), Some(1)));
        assert_eq!((ecr.last_authenticated_entity.as_deref(), ecr.last_authenticated_region.as_deref()), (Some(arn("user/ada").as_str()), Some("eu-west-1")));
        let second = i.get_service_last_accessed_details(&root, get(&job, Some(1), first.marker)).await.unwrap();
        let [iam_use] = &second.services_last_accessed[..] else { panic!("{second:?}") };
        // The group's policy allows it, and nobody used it; STS was used, and no policy allows it.
        assert_eq!((iam_use.service_namespace.as_str(), iam_use.last_authenticated, iam_use.total_authenticated_entities), ("iam", None, Some(0)));
        assert_eq!(second.is_truncated, Some(false));
        // A job is its maker's.
        let eve = w.call(&eve).await.unwrap();
        assert_eq!(said(i.get_service_last_accessed_details(&eve, get(&job, None, None)).await).0, "NoSuchEntity");

        let job = i.generate_service_last_accessed_details(&root, generate(arn("group/ops"))).await.unwrap().job_id.unwrap();
        let with = |service: &str| iam::GetServiceLastAccessedDetailsWithEntitiesRequest { job_id: job.clone(), service_namespace: service.to_owned(), ..Default::default() };
        let entities = i.get_service_last_accessed_details_with_entities(&root, with("iam")).await.unwrap().entity_details_list;
        assert_eq!(entities.iter().map(|entity| entity.entity_info.name.as_str()).collect::<Vec<_>>(), ["ada"]);
        assert_eq!(said(i.get_service_last_accessed_details_with_entities(&root, with("ecr")).await).0, "InvalidInput");
        // 400 days later it does not count.
        w.pass(401 * 24 * 3600);
        let later = w.root_again(&root).await;
        let job = i.generate_service_last_accessed_details(&later, generate(arn("user/ada"))).await.unwrap().job_id.unwrap();
        let report = i.get_service_last_accessed_details(&later, get(&job, None, None)).await.unwrap();
        assert!(report.services_last_accessed.iter().all(|service| service.last_authenticated.is_none()));

        let granting = iam::ListPoliciesGrantingServiceAccessRequest {
            arn: arn("user/ada"),
            service_namespaces: vec!["ecr".to_owned(), "iam".to_owned(), "s3".to_owned()],
            ..Default::default()
        };
        let entries = i.list_policies_granting_service_access(&root, granting).await.unwrap().policies_granting_service_access;
        let names: Vec<_> = entries.iter().map(|entry| entry.policies.as_ref().unwrap().iter().map(|policy| policy.policy_name.as_str()).collect::<Vec<_>>()).collect();
        assert_eq!(names, [vec!["inline"], vec!["IAMReadOnlyAccess"], vec![]]);
        assert_eq!(entries[0].policies.as_ref().unwrap()[0].entity_name.as_deref(), Some("ada"));
        assert_eq!(entries[1].policies.as_ref().unwrap()[0].policy_arn, Some(read_only));
        let report = iam::GenerateOrganizationsAccessReportRequest { entity_path: "o-a1b2c3d4e5/r-abcd/123456789012".to_owned(), organizations_policy_id: None };
        let job_id = i.generate_organizations_access_report(&root, report).await.unwrap().job_id.unwrap();
        let report = i.get_organizations_access_report(&root, iam::GetOrganizationsAccessReportRequest { job_id, ..Default::default() }).await.unwrap();
        assert!(report.job_status == iam::JobStatusType::Failed && report.error_details.is_some());
    }

    async fn n3_a_delegation_request_goes_through_its_states(t: TestStore) {
        let mut w = World::new(&t).await;
        let partner = w.call(&w.account(OTHER_ACCOUNT).await).await.unwrap();
        let root = w.root().await;
        let i = w.identity.clone();
        let create = |workflow: &str, owner: Option<&str>, seconds: i32| iam::CreateDelegationRequestRequest {
            owner_account_id: owner.map(str::to_owned),
            description: "set up".to_owned(),
            permissions: iam::DelegationPermission { policy_template_arn: Some("arn:aws:iam::aws:policy-template/x".to_owned()), parameters: None },
            requestor_workflow_id: workflow.to_owned(),
            notification_channel: "arn:aws:sns:us-east-1:444455556666:t".to_owned(),
            session_duration: seconds,
            only_send_by_owner: Some(true),
            ..Default::default()
        };
        let new = async |workflow: &str, owner: Option<&str>, seconds: i32| {
            i.create_delegation_request(&partner, create(workflow, owner, seconds)).await.unwrap().delegation_request_id.unwrap()
        };
        let id = new("flow1", Some(ACCOUNT), 3600).await;
        assert_eq!(said(i.create_delegation_request(&partner, create("flow1", None, 300)).await).0, "EntityAlreadyExists");
        let get = |id: &str| iam::GetDelegationRequestRequest { delegation_request_id: id.to_owned(), delegation_permission_check: None };
        let state = async |cx: &identity::Authorized, id: &str| {
            i.get_delegation_request(cx, get(id)).await.unwrap().delegation_request.unwrap().state.unwrap()
        };
        assert_eq!(said(i.get_delegation_request(&partner, get(&id)).await).0, "NoSuchEntity");
        assert_eq!(state(&root, &id).await, iam::StateType::Unassigned);
        let open = new("flow2", None, 3600).await;
        assert_eq!(state(&partner, &open).await, iam::StateType::Unassigned);
        let accept = |id: &str| iam::AcceptDelegationRequestRequest { delegation_request_id: id.to_owned() };
        let associate = |id: &str| iam::AssociateDelegationRequestRequest { delegation_request_id: id.to_owned() };
        let send = |id: &str| iam::SendDelegationTokenRequest { delegation_request_id: id.to_owned() };
        assert_eq!(said(i.accept_delegation_request(&root, accept(&id)).await).0, "ConcurrentModification");
        i.associate_delegation_request(&root, associate(&id)).await.unwrap();
        assert_eq!(said(i.associate_delegation_request(&root, associate(&id)).await).0, "ConcurrentModification");
        let update = iam::UpdateDelegationRequestRequest { delegation_request_id: id.clone(), notes: Some("please".to_owned()) };
        i.update_delegation_request(&root, update).await.unwrap();
        assert_eq!(state(&root, &id).await, iam::StateType::PendingApproval);
        i.accept_delegation_request(&root, accept(&id)).await.unwrap();
        w.user(&root, "ada").await;
        let ada = w.key(&root, "ada").await.unwrap();
        let ada = w.call(&ada).await.unwrap();
        assert_eq!(said(i.send_delegation_token(&ada, send(&id)).await).0, "AccessDenied");
        i.send_delegation_token(&root, send(&id)).await.unwrap();
        assert_eq!(state(&root, &id).await, iam::StateType::Finalized);
        let reject = |id: &str| iam::RejectDelegationRequestRequest { delegation_request_id: id.to_owned(), notes: Some("no".to_owned()) };
        assert_eq!(said(i.reject_delegation_request(&root, reject(&id)).await).0, "ConcurrentModification");
        // Root gives four hours at most; somebody else rejects.
        let long = new("flow3", Some(ACCOUNT), 14_401).await;
        i.associate_delegation_request(&root, associate(&long)).await.unwrap();
        assert_eq!(said(i.accept_delegation_request(&root, accept(&long)).await).0, "AccessDenied");
        i.reject_delegation_request(&ada, reject(&long)).await.unwrap();
        let shown = i.get_delegation_request(&root, get(&long)).await.unwrap().delegation_request.unwrap();
        assert_eq!((shown.state, shown.rejection_reason.as_deref()), (Some(iam::StateType::Rejected), Some("no")));
        let listed = i.list_delegation_requests(&root, iam::ListDelegationRequestsRequest::default()).await.unwrap();
        assert_eq!(listed.delegation_requests.unwrap().len(), 2);
        let summary = iam::GetHumanReadableSummaryRequest { entity_arn: format!("arn:aws:iam::{ACCOUNT}:delegation-request/{long}"), locale: None };
        let summary = i.get_human_readable_summary(&root, summary).await.unwrap();
        assert!(summary.summary_content.unwrap().contains("14401 seconds"));
        w.pass(7 * 24 * 3600);
        let later = w.root_again(&root).await;
        assert_eq!(state(&later, &long).await, iam::StateType::Expired);
        assert_eq!(state(&later, &id).await, iam::StateType::Finalized);
    }

    async fn i8_i9_conflicts_and_quotas_have_the_words_of_aws(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        w.user(&root, "ada").await;
        w.key(&root, "ada").await.unwrap();
        let third = w.key(&root, "ada").await;
        assert_eq!(said(third.map(|_| ())), ("LimitExceeded".to_owned(), "Cannot exceed quota for AccessKeysPerUser: 2".to_owned()));
        let delete = || iam::DeleteUserRequest { user_name: "ada".to_owned() };
        assert_eq!(said(i.delete_user(&root, delete()).await), ("DeleteConflict".to_owned(), "Cannot delete entity, must delete access keys first.".to_owned()));
        let keys = iam::ListAccessKeysRequest { user_name: Some("ada".to_owned()), ..Default::default() };
        for key in i.list_access_keys(&root, keys).await.unwrap().access_key_metadata {
            let key = iam::DeleteAccessKeyRequest { user_name: Some("ada".to_owned()), access_key_id: key.access_key_id.unwrap() };
            i.delete_access_key(&root, key).await.unwrap();
        }
        let credential = iam::CreateServiceSpecificCredentialRequest { user_name: "ada".to_owned(), service_name: "codecommit.amazonaws.com".to_owned(), ..Default::default() };
        i.create_service_specific_credential(&root, credential).await.unwrap();
        assert_eq!(said(i.delete_user(&root, delete()).await).0, "DeleteConflict");
    }

    async fn i10_names_ignore_case_and_temporary_keys_name_the_user(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let ada = w.user(&root, "ada").await;
        let again = iam::CreateUserRequest { user_name: "ADA".to_owned(), ..Default::default() };
        assert_eq!(said(i.create_user(&root, again).await).0, "EntityAlreadyExists");
        let device = |name: &str| iam::CreateVirtualMFADeviceRequest { virtual_mfa_device_name: name.to_owned(), ..Default::default() };
        i.create_virtual_mfa_device(&root, device("phone")).await.unwrap();
        assert_eq!(said(i.create_virtual_mfa_device(&root, device("Phone")).await).0, "EntityAlreadyExists");
        let cx = w.call(&ada).await.unwrap();
        let list = || iam::ListAccessKeysRequest::default();
        assert_eq!(i.list_access_keys(&cx, list()).await.unwrap().access_key_metadata.len(), 1);
        let made = i.get_session_token(&cx, aws_api::sts::GetSessionTokenRequest::default()).await.unwrap().credentials.unwrap();
        let session = Credentials { id: made.access_key_id, secret: made.secret_access_key.expose().clone(), token: Some(made.session_token.expose().clone()) };
        let session = w.call(&session).await.unwrap();
        assert_eq!(said(i.list_access_keys(&session, list()).await).0, "ValidationError");
    }
}
