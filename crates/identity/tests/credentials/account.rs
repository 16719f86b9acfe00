//! The account: its alias, properties, delegation requests; conflicts and quotas.

use super::*;

#[on_every_engine]
async fn n2_properties_of_one_namespace_are_set_together(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let put = |pairs: &[(&str, &str)]| iam::PutAccountPropertiesRequest {
        properties: pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    for refused in [
        &[][..],
        &[("a", "1")],
        &[("/a", "1")],
        &[("a/", "1")],
        &[("a/b/c", "1")],
        &[("a/b", "1"), ("c/d", "1")],
    ] {
        assert_eq!(
            said(i.put_account_properties(&root, put(refused)).await).0,
            "InvalidInput",
            "{refused:?}"
        );
    }
    i.put_account_properties(&root, put(&[("roles/on", "true"), ("roles/max", "3")]))
        .await
        .unwrap();
    i.put_account_properties(&root, put(&[("other/x", "y")]))
        .await
        .unwrap();
    i.put_account_properties(&root, put(&[("roles/on", "false")]))
        .await
        .unwrap();
    let got = i
        .get_account_properties(&root, iam::GetAccountPropertiesRequest::default())
        .await
        .unwrap()
        .properties
        .unwrap();
    let got: Vec<_> = got
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        got,
        [("other/x", "y"), ("roles/max", "3"), ("roles/on", "false")]
    );
    let version = |v| iam::SetSecurityTokenServicePreferencesRequest {
        global_endpoint_token_version: v,
    };
    let summary = async || {
        i.get_account_summary(&root, ())
            .await
            .unwrap()
            .summary_map
            .unwrap()[&iam::SummaryKeyType::GlobalEndpointTokenVersion]
    };
    assert_eq!(summary().await, 1);
    for (chosen, shown) in [
        (iam::GlobalEndpointTokenVersion::V2Token, 2),
        (iam::GlobalEndpointTokenVersion::V1Token, 1),
    ] {
        i.set_security_token_service_preferences(&root, version(chosen))
            .await
            .unwrap();
        assert_eq!(summary().await, shown);
    }
}

#[on_every_engine]
async fn i3_a_new_alias_replaces_the_old(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    for alias in ["first", "second"] {
        i.create_account_alias(
            &root,
            iam::CreateAccountAliasRequest {
                account_alias: alias.to_owned(),
            },
        )
        .await
        .unwrap();
    }
    let listed = i
        .list_account_aliases(&root, iam::ListAccountAliasesRequest::default())
        .await
        .unwrap();
    assert_eq!(listed.account_aliases, ["second"]);
    let digits = iam::CreateAccountAliasRequest {
        account_alias: "123456789012".to_owned(),
    };
    assert_eq!(
        said(i.create_account_alias(&root, digits).await).0,
        "ValidationError"
    );
    assert_eq!(
        said(
            i.delete_account_alias(
                &root,
                iam::DeleteAccountAliasRequest {
                    account_alias: "first".to_owned()
                }
            )
            .await
        )
        .0,
        "NoSuchEntity"
    );
}

#[on_every_engine]
async fn n3_a_delegation_request_goes_through_its_states(t: TestStore) {
    let mut w = World::new(&t).await;
    let partner = w.call(&w.account(OTHER_ACCOUNT).await).await.unwrap();
    let root = w.root().await;
    let i = w.identity.clone();
    let create =
        |workflow: &str, owner: Option<&str>, seconds: i32| iam::CreateDelegationRequestRequest {
            owner_account_id: owner.map(str::to_owned),
            description: "set up".to_owned(),
            permissions: iam::DelegationPermission {
                policy_template_arn: Some("arn:aws:iam::aws:policy-template/x".to_owned()),
                parameters: None,
            },
            requestor_workflow_id: workflow.to_owned(),
            notification_channel: "arn:aws:sns:us-east-1:444455556666:t".to_owned(),
            session_duration: seconds,
            only_send_by_owner: Some(true),
            ..Default::default()
        };
    let new = async |workflow: &str, owner: Option<&str>, seconds: i32| {
        i.create_delegation_request(&partner, create(workflow, owner, seconds))
            .await
            .unwrap()
            .delegation_request_id
            .unwrap()
    };
    let id = new("flow1", Some(ACCOUNT), 3600).await;
    assert_eq!(
        said(
            i.create_delegation_request(&partner, create("flow1", None, 300))
                .await
        )
        .0,
        "EntityAlreadyExists"
    );
    let get = |id: &str| iam::GetDelegationRequestRequest {
        delegation_request_id: id.to_owned(),
        delegation_permission_check: None,
    };
    let state = async |cx: &identity::Authorized, id: &str| {
        i.get_delegation_request(cx, get(id))
            .await
            .unwrap()
            .delegation_request
            .unwrap()
            .state
            .unwrap()
    };
    assert_eq!(
        said(i.get_delegation_request(&partner, get(&id)).await).0,
        "NoSuchEntity"
    );
    assert_eq!(state(&root, &id).await, iam::StateType::Unassigned);
    let open = new("flow2", None, 3600).await;
    assert_eq!(state(&partner, &open).await, iam::StateType::Unassigned);
    let accept = |id: &str| iam::AcceptDelegationRequestRequest {
        delegation_request_id: id.to_owned(),
    };
    let associate = |id: &str| iam::AssociateDelegationRequestRequest {
        delegation_request_id: id.to_owned(),
    };
    let send = |id: &str| iam::SendDelegationTokenRequest {
        delegation_request_id: id.to_owned(),
    };
    assert_eq!(
        said(i.accept_delegation_request(&root, accept(&id)).await).0,
        "ConcurrentModification"
    );
    i.associate_delegation_request(&root, associate(&id))
        .await
        .unwrap();
    assert_eq!(
        said(i.associate_delegation_request(&root, associate(&id)).await).0,
        "ConcurrentModification"
    );
    let update = iam::UpdateDelegationRequestRequest {
        delegation_request_id: id.clone(),
        notes: Some("please".to_owned()),
    };
    i.update_delegation_request(&root, update).await.unwrap();
    assert_eq!(state(&root, &id).await, iam::StateType::PendingApproval);
    i.accept_delegation_request(&root, accept(&id))
        .await
        .unwrap();
    w.user(&root, "ada").await;
    let ada = w.key(&root, "ada").await.unwrap();
    let ada = w.call(&ada).await.unwrap();
    assert_eq!(
        said(i.send_delegation_token(&ada, send(&id)).await).0,
        "AccessDenied"
    );
    i.send_delegation_token(&root, send(&id)).await.unwrap();
    assert_eq!(state(&root, &id).await, iam::StateType::Finalized);
    let reject = |id: &str| iam::RejectDelegationRequestRequest {
        delegation_request_id: id.to_owned(),
        notes: Some("no".to_owned()),
    };
    assert_eq!(
        said(i.reject_delegation_request(&root, reject(&id)).await).0,
        "ConcurrentModification"
    );
    // Root gives four hours at most; somebody else rejects.
    let long = new("flow3", Some(ACCOUNT), 14_401).await;
    i.associate_delegation_request(&root, associate(&long))
        .await
        .unwrap();
    assert_eq!(
        said(i.accept_delegation_request(&root, accept(&long)).await).0,
        "AccessDenied"
    );
    i.reject_delegation_request(&ada, reject(&long))
        .await
        .unwrap();
    let shown = i
        .get_delegation_request(&root, get(&long))
        .await
        .unwrap()
        .delegation_request
        .unwrap();
    assert_eq!(
        (shown.state, shown.rejection_reason.as_deref()),
        (Some(iam::StateType::Rejected), Some("no"))
    );
    let listed = i
        .list_delegation_requests(&root, iam::ListDelegationRequestsRequest::default())
        .await
        .unwrap();
    assert_eq!(listed.delegation_requests.unwrap().len(), 2);
    let summary = iam::GetHumanReadableSummaryRequest {
        entity_arn: format!("arn:aws:iam::{ACCOUNT}:delegation-request/{long}"),
        locale: None,
    };
    let summary = i.get_human_readable_summary(&root, summary).await.unwrap();
    assert!(summary.summary_content.unwrap().contains("14401 seconds"));
    w.pass(7 * 24 * 3600);
    let later = w.root_again(&root).await;
    assert_eq!(state(&later, &long).await, iam::StateType::Expired);
    assert_eq!(state(&later, &id).await, iam::StateType::Finalized);
}

#[on_every_engine]
async fn i8_i9_conflicts_and_quotas_have_the_words_of_aws(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    w.user(&root, "ada").await;
    w.key(&root, "ada").await.unwrap();
    let third = w.key(&root, "ada").await;
    assert_eq!(
        said(third.map(|_| ())),
        (
            "LimitExceeded".to_owned(),
            "Cannot exceed quota for AccessKeysPerUser: 2".to_owned()
        )
    );
    let delete = || iam::DeleteUserRequest {
        user_name: "ada".to_owned(),
    };
    assert_eq!(
        said(i.delete_user(&root, delete()).await),
        (
            "DeleteConflict".to_owned(),
            "Cannot delete entity, must delete access keys first.".to_owned()
        )
    );
    let keys = iam::ListAccessKeysRequest {
        user_name: Some("ada".to_owned()),
        ..Default::default()
    };
    for key in i
        .list_access_keys(&root, keys)
        .await
        .unwrap()
        .access_key_metadata
    {
        let key = iam::DeleteAccessKeyRequest {
            user_name: Some("ada".to_owned()),
            access_key_id: key.access_key_id.unwrap(),
        };
        i.delete_access_key(&root, key).await.unwrap();
    }
    let credential = iam::CreateServiceSpecificCredentialRequest {
        user_name: "ada".to_owned(),
        service_name: "codecommit.amazonaws.com".to_owned(),
        ..Default::default()
    };
    i.create_service_specific_credential(&root, credential)
        .await
        .unwrap();
    assert_eq!(
        said(i.delete_user(&root, delete()).await).0,
        "DeleteConflict"
    );
}

#[on_every_engine]
async fn i10_names_ignore_case_and_temporary_keys_name_the_user(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let ada = w.user(&root, "ada").await;
    let again = iam::CreateUserRequest {
        user_name: "ADA".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        said(i.create_user(&root, again).await).0,
        "EntityAlreadyExists"
    );
    let device = |name: &str| iam::CreateVirtualMFADeviceRequest {
        virtual_mfa_device_name: name.to_owned(),
        ..Default::default()
    };
    i.create_virtual_mfa_device(&root, device("phone"))
        .await
        .unwrap();
    assert_eq!(
        said(i.create_virtual_mfa_device(&root, device("Phone")).await).0,
        "EntityAlreadyExists"
    );
    let cx = w.call(&ada).await.unwrap();
    let list = || iam::ListAccessKeysRequest::default();
    assert_eq!(
        i.list_access_keys(&cx, list())
            .await
            .unwrap()
            .access_key_metadata
            .len(),
        1
    );
    let made = i
        .get_session_token(&cx, aws_api::sts::GetSessionTokenRequest::default())
        .await
        .unwrap()
        .credentials
        .unwrap();
    let session = Credentials {
        id: made.access_key_id,
        secret: made.secret_access_key.expose().clone(),
        token: Some(made.session_token.expose().clone()),
    };
    let session = w.call(&session).await.unwrap();
    assert_eq!(
        said(i.list_access_keys(&session, list()).await).0,
        "ValidationError"
    );
}
