//! Credentials of other services, and service-linked roles.

use super::*;

#[on_every_engine]
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
        (
            "eve",
            "nonexistentservice.amazonaws.com",
            "The user with name eve cannot be found.",
        ),
        (
            "ada",
            "lambda.amazonaws.com",
            "No such service lambda.amazonaws.com is supported for Service Specific Credentials",
        ),
    ] {
        assert_eq!(
            said(
                i.create_service_specific_credential(&root, create(user, service))
                    .await
            ),
            ("NoSuchEntity".to_owned(), message.to_owned())
        );
    }
    let made = i
        .create_service_specific_credential(&root, create("ada", "codecommit.amazonaws.com"))
        .await
        .unwrap();
    let made = made.service_specific_credential.unwrap();
    assert_eq!(made.service_user_name, Some(format!("ada-at-{ACCOUNT}")));
    assert!(
        made.service_specific_credential_id.starts_with("ACCA") && made.service_password.is_some()
    );
    let second = i
        .create_service_specific_credential(&root, create("ada", "codecommit.amazonaws.com"))
        .await
        .unwrap();
    assert_ne!(
        second
            .service_specific_credential
            .unwrap()
            .service_user_name,
        made.service_user_name
    );
    let (code, message) = said(
        i.create_service_specific_credential(&root, create("ada", "codecommit.amazonaws.com"))
            .await,
    );
    assert_eq!(
        (code.as_str(), message.as_str()),
        (
            "LimitExceeded",
            "Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2"
        )
    );
    let age = iam::CreateServiceSpecificCredentialRequest {
        credential_age_days: Some(1),
        ..create("ada", "cassandra.amazonaws.com")
    };
    assert_eq!(
        said(i.create_service_specific_credential(&root, age).await).0,
        "ValidationError"
    );
    let key = iam::CreateServiceSpecificCredentialRequest {
        credential_age_days: Some(1),
        ..create("bob", "bedrock.amazonaws.com")
    };
    let key = i
        .create_service_specific_credential(&root, key)
        .await
        .unwrap()
        .service_specific_credential
        .unwrap();
    assert!(
        key.service_user_name.is_none()
            && key.service_credential_alias.is_some()
            && key.service_credential_secret.is_some()
    );

    let id = || made.service_specific_credential_id.clone();
    let update = |user: &str| iam::UpdateServiceSpecificCredentialRequest {
        user_name: Some(user.to_owned()),
        service_specific_credential_id: id(),
        status: iam::StatusType::Inactive,
    };
    assert_eq!(
        said(
            i.update_service_specific_credential(&root, update("bob"))
                .await
        )
        .1,
        format!("No such credential {} exists", id())
    );
    i.update_service_specific_credential(&root, update("ada"))
        .await
        .unwrap();
    let reset = iam::ResetServiceSpecificCredentialRequest {
        user_name: Some("ada".to_owned()),
        service_specific_credential_id: id(),
    };
    let reset = i
        .reset_service_specific_credential(&root, reset)
        .await
        .unwrap()
        .service_specific_credential
        .unwrap();
    assert_eq!(reset.status, iam::StatusType::Inactive);
    assert_ne!(
        reset.service_password.unwrap().expose(),
        made.service_password.as_ref().unwrap().expose()
    );
    let list =
        |user: Option<&str>, service: Option<&str>| iam::ListServiceSpecificCredentialsRequest {
            user_name: user.map(str::to_owned),
            service_name: service.map(str::to_owned),
            ..Default::default()
        };
    let listed = async |input| {
        i.list_service_specific_credentials(&root, input)
            .await
            .unwrap()
            .service_specific_credentials
            .unwrap()
    };
    assert_eq!(listed(list(Some("ada"), None)).await.len(), 2);
    assert_eq!(
        listed(list(Some("ada"), Some("cassandra.amazonaws.com")))
            .await
            .len(),
        0
    );
    let all = iam::ListServiceSpecificCredentialsRequest {
        all_users: Some(true),
        ..Default::default()
    };
    let everyone = listed(all.clone()).await;
    assert_eq!(
        everyone
            .iter()
            .filter(|row| row.user_name == "bob" && row.status == iam::StatusType::Active)
            .count(),
        1
    );
    let both = iam::ListServiceSpecificCredentialsRequest {
        user_name: Some("ada".to_owned()),
        ..all.clone()
    };
    assert_eq!(
        said(i.list_service_specific_credentials(&root, both).await).0,
        "ValidationError"
    );
    w.pass(25 * 3600);
    let later = w.root_again(&root).await;
    let later = i
        .list_service_specific_credentials(&later, all)
        .await
        .unwrap()
        .service_specific_credentials
        .unwrap();
    assert_eq!(
        later
            .iter()
            .filter(|row| row.status == iam::StatusType::Expired)
            .count(),
        1
    );
    let delete = iam::DeleteServiceSpecificCredentialRequest {
        user_name: Some("ada".to_owned()),
        service_specific_credential_id: id(),
    };
    i.delete_service_specific_credential(&root, delete.clone())
        .await
        .unwrap();
    assert_eq!(
        said(i.delete_service_specific_credential(&root, delete).await).0,
        "NoSuchEntity"
    );
}

#[on_every_engine]
async fn i7_a_service_linked_role_is_changed_by_nobody(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let create = |service: &str, suffix: Option<&str>| iam::CreateServiceLinkedRoleRequest {
        aws_service_name: service.to_owned(),
        custom_suffix: suffix.map(str::to_owned),
        ..Default::default()
    };
    let made = i
        .create_service_linked_role(&root, create("ecs.amazonaws.com", None))
        .await
        .unwrap()
        .role
        .unwrap();
    assert_eq!(
        made.arn,
        format!(
            "arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
        )
    );
    for (input, words) in [
        (
            create("ecs.amazonaws.com", None),
            "has been taken in this account, please try a different suffix.",
        ),
        (
            create("ecs.amazonaws.com", Some("x")),
            "Custom suffix is not allowed for ecs.amazonaws.com",
        ),
        (
            create("nothing.amazonaws.com", None),
            "has no service-linked role",
        ),
    ] {
        let (code, message) = said(i.create_service_linked_role(&root, input).await);
        assert!(
            code == "InvalidInput" && message.contains(words),
            "{code}: {message}"
        );
    }
    let suffixed = i
        .create_service_linked_role(&root, create("autoscaling.amazonaws.com", Some("ci")))
        .await
        .unwrap();
    assert_eq!(
        suffixed.role.unwrap().role_name,
        "AWSServiceRoleForAutoScaling_ci"
    );
    let role = || made.role_name.clone();
    let attach = iam::AttachRolePolicyRequest {
        role_name: role(),
        policy_arn: "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(),
    };
    let put = iam::PutRolePolicyRequest {
        role_name: role(),
        policy_name: "p".to_owned(),
        policy_document: allow("ecr:*"),
    };
    let trust_policy = iam::UpdateAssumeRolePolicyRequest {
        role_name: role(),
        policy_document: trust(ACCOUNT),
    };
    let delete = iam::DeleteRoleRequest { role_name: role() };
    for refused in [
        i.attach_role_policy(&root, attach).await,
        i.put_role_policy(&root, put).await,
        i.update_assume_role_policy(&root, trust_policy).await,
        i.delete_role(&root, delete).await,
    ] {
        let (code, message) = said(refused);
        assert_eq!(code, "UnmodifiableEntity");
        assert_eq!(
            message,
            "Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this role is only modifiable by AWS"
        );
    }
    let tag = iam::Tag {
        key: "team".to_owned(),
        value: "core".to_owned(),
    };
    i.tag_role(
        &root,
        iam::TagRoleRequest {
            role_name: role(),
            tags: vec![tag],
        },
    )
    .await
    .unwrap();
    let delete = || iam::DeleteServiceLinkedRoleRequest { role_name: role() };
    let task = i
        .delete_service_linked_role(&root, delete())
        .await
        .unwrap()
        .deletion_task_id;
    assert!(
        task.starts_with("task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/"),
        "{task}"
    );
    let status = |id: String| iam::GetServiceLinkedRoleDeletionStatusRequest {
        deletion_task_id: id,
    };
    let done = i
        .get_service_linked_role_deletion_status(&root, status(task.clone()))
        .await
        .unwrap();
    assert_eq!(done.status, iam::DeletionTaskStatusType::Succeeded);
    assert_eq!(
        said(i.delete_service_linked_role(&root, delete()).await).0,
        "NoSuchEntity"
    );
    assert_eq!(
        said(
            i.get_service_linked_role_deletion_status(&root, status(task + "0"))
                .await
        )
        .0,
        "NoSuchEntity"
    );
    w.create_role(&root, "own", ACCOUNT).await.unwrap();
    let own = iam::DeleteServiceLinkedRoleRequest {
        role_name: "own".to_owned(),
    };
    assert_eq!(
        said(i.delete_service_linked_role(&root, own).await).0,
        "NoSuchEntity"
    );
}
