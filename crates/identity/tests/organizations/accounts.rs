//! Accounts: requested, invited, moved, entered.

use super::*;

#[on_every_engine]
async fn g7_an_account_is_requested_and_found_by_its_request(t: TestStore) {
    let s = Story::new(&t).await;
    let taken = s
        .request("dev")
        .await
        .unwrap()
        .create_account_status
        .unwrap();
    assert_eq!(taken.state, Some(org::CreateAccountState::InProgress));
    assert_eq!(taken.account_id, None);
    let id = taken.id.as_deref().unwrap();
    let waiting = s.status(id).await;
    assert_eq!(
        (waiting.state, waiting.completed_timestamp),
        (taken.state, None)
    );
    s.finish(id).await;
    let done = s.status(id).await;
    assert_eq!(
        (done.requested_timestamp, done.completed_timestamp),
        (Some(s.world.now), Some(s.world.now))
    );
    assert_eq!(done.state, Some(org::CreateAccountState::Succeeded));
    let account = s
        .describe(done.account_id.as_deref().unwrap())
        .await
        .unwrap();
    assert_eq!(
        account.joined_method,
        Some(org::AccountJoinedMethod::Created)
    );
    let twice = s
        .request("Dev")
        .await
        .unwrap()
        .create_account_status
        .unwrap();
    s.finish(twice.id.as_deref().unwrap()).await;
    let failed = s.status(twice.id.as_deref().unwrap()).await;
    assert_eq!(
        failed.failure_reason,
        Some(org::CreateAccountFailureReason::EmailAlreadyExists)
    );
    let input = org::ListCreateAccountStatusRequest {
        states: Some(vec![org::CreateAccountState::Failed]),
        ..Default::default()
    };
    let listed = s
        .organizations()
        .list_create_account_status(&s.root, input)
        .await
        .unwrap();
    assert_eq!(listed.create_account_statuses.unwrap().len(), 1);
}

#[on_every_engine]
async fn g7_five_accounts_are_made_at_once(t: TestStore) {
    let s = Story::new(&t).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let taken = s.request(&format!("member{number}")).await.unwrap();
        ids.push(taken.create_account_status.unwrap().id.unwrap());
    }
    let refused = s.request("member5").await.unwrap_err();
    assert!(refused.is(E::TooManyRequests), "{refused}");
    s.finish(&ids[2]).await;
    s.request("member5").await.unwrap();
    let accounts = async || {
        let listed = s
            .organizations()
            .list_accounts(&s.root, Default::default())
            .await;
        listed.unwrap().accounts.unwrap().len()
    };
    assert_eq!(accounts().await, 2);
    // A job that runs twice makes one account, and one that nobody asked for none.
    s.finish(&ids[2]).await;
    s.finish("car-none").await;
    assert_eq!(accounts().await, 2);
}

#[on_every_engine]
async fn g7_a_request_puts_its_job_and_its_end_is_an_audit_event(t: TestStore) {
    let s = Story::new(&t).await;
    let input = org::CreateAccountRequest {
        email: Secret::new("dev@example.com".to_owned()),
        account_name: Secret::new("dev".to_owned()),
        role_name: Some("Entrance".to_owned()),
        tags: Some(vec![org::Tag {
            key: "team".to_owned(),
            value: "core".to_owned(),
        }]),
        ..Default::default()
    };
    let tagged = |key: &str| org::CreateAccountRequest {
        tags: Some(vec![org::Tag {
            key: key.to_owned(),
            value: String::new(),
        }]),
        ..input.clone()
    };
    let refused = s
        .organizations()
        .create_account(&s.root, tagged("aws:x"))
        .await
        .unwrap_err();
    assert_eq!(refused.reason(), Some("INVALID_SYSTEM_TAGS_PARAMETER"));
    let taken = s
        .organizations()
        .create_account(&s.root, input)
        .await
        .unwrap();
    let id = taken.create_account_status.unwrap().id.unwrap();
    let mut tx = t.store.write(store::jobs::SCOPE).await.unwrap();
    let now = s.world.now.as_millisecond();
    let job = store::jobs::lease(
        &mut tx.conn(),
        identity::CREATE_ACCOUNT_JOB,
        "node",
        now,
        now + 1,
    )
    .await;
    tx.commit().await.unwrap();
    assert_eq!(job.unwrap().unwrap().subject, id);
    s.finish(&id).await;
    let account = s.status(&id).await.account_id.unwrap();
    let mut read = t.store.read().await.unwrap();
    let role = store::iam::entity::find(
        &mut read.conn(),
        &account,
        store::iam::entity::Kind::Role,
        "Entrance",
    )
    .await;
    assert!(role.unwrap().is_some());
    drop(read);
    let input = org::ListTagsForResourceRequest {
        resource_id: account.clone(),
        next_token: None,
    };
    let tags = s
        .organizations()
        .list_tags_for_resource(&s.root, input)
        .await
        .unwrap()
        .tags
        .unwrap();
    assert_eq!(
        (tags[0].key.as_str(), tags[0].value.as_str()),
        ("team", "core")
    );
    let mut tx = t.store.write(store::service_events::SCOPE).await.unwrap();
    let events = store::service_events::claim(&mut tx.conn(), 1, 2, 100)
        .await
        .unwrap();
    let event = events
        .iter()
        .find(|event| event.name == "CreateAccountResult")
        .unwrap();
    assert_eq!(
        (event.source.as_str(), event.account.as_deref()),
        ("organizations.amazonaws.com", Some(ACCOUNT))
    );
    assert!(
        event.details.contains(&account) && !event.details.contains("dev"),
        "{}",
        event.details
    );
}

#[on_every_engine]
async fn g7_lists_have_pages_of_twenty(t: TestStore) {
    let s = Story::new(&t).await;
    for number in 0..21 {
        s.account(&format!("member{number}")).await;
    }
    let mut input = org::ListAccountsRequest::default();
    let (mut pages, mut seen) = (Vec::new(), std::collections::BTreeSet::new());
    loop {
        let answer = s
            .organizations()
            .list_accounts(&s.root, input.clone())
            .await
            .unwrap();
        let accounts = answer.accounts.unwrap();
        pages.push(accounts.len());
        seen.extend(accounts.into_iter().map(|account| account.id.unwrap()));
        input.next_token = answer.next_token;
        if input.next_token.is_none() {
            break;
        }
    }
    assert_eq!((pages.as_slice(), seen.len()), (&[20, 2][..], 22));
    input.next_token = Some("!".to_owned());
    let refused = s
        .organizations()
        .list_accounts(&s.root, input)
        .await
        .unwrap_err();
    assert_eq!(refused.reason(), Some("INVALID_PAGINATION_TOKEN"));
}

#[on_every_engine]
async fn g7_a_delegated_administrator_is_a_member_of_a_service_with_access(t: TestStore) {
    let s = Story::new(&t).await;
    let member = s.account("security").await;
    let register = async |account: &str| {
        let input = org::RegisterDelegatedAdministratorRequest {
            account_id: account.to_owned(),
            service_principal: "iam.amazonaws.com".to_owned(),
        };
        s.organizations()
            .register_delegated_administrator(&s.root, input)
            .await
    };
    assert_eq!(
        register(&member).await.unwrap_err().reason(),
        Some("SERVICE_ACCESS_NOT_ENABLED")
    );
    let service_principal = "iam.amazonaws.com".to_owned();
    let input = org::EnableAWSServiceAccessRequest { service_principal };
    s.organizations()
        .enable_aws_service_access(&s.root, input)
        .await
        .unwrap();
    let management = register(ACCOUNT).await.unwrap_err();
    assert_eq!(
        management.reason(),
        Some("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR")
    );
    register(&member).await.unwrap();
    assert!(
        register(&member)
            .await
            .unwrap_err()
            .is(E::AccountAlreadyRegistered)
    );
    let input = org::RemoveAccountFromOrganizationRequest {
        account_id: member.clone(),
    };
    let kept = s
        .organizations()
        .remove_account_from_organization(&s.root, input)
        .await
        .unwrap_err();
    assert_eq!(
        kept.reason(),
        Some("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG")
    );
    let listed = s
        .organizations()
        .list_delegated_administrators(&s.root, Default::default())
        .await;
    assert_eq!(
        listed.unwrap().delegated_administrators.unwrap()[0]
            .id
            .as_deref(),
        Some(&*member)
    );
}

#[on_every_engine]
async fn accounts_move_and_units_keep_their_rules(t: TestStore) {
    let s = Story::new(&t).await;
    let root = s.root_id().await;
    let dev = s.unit(&root, "dev").await.unwrap();
    assert!(
        s.unit(&root, "dev")
            .await
            .unwrap_err()
            .is(E::DuplicateOrganizationalUnit)
    );
    assert!(
        s.unit("r-none", "x")
            .await
            .unwrap_err()
            .is(E::ParentNotFound)
    );
    let member = s.account("member").await;
    assert!(
        s.move_to(&member, &dev, &root)
            .await
            .unwrap_err()
            .is(E::DuplicateAccount)
    );
    assert!(
        s.move_to(&member, "ou-none-none1234", &dev)
            .await
            .unwrap_err()
            .is(E::SourceParentNotFound)
    );
    assert!(
        s.move_to(&member, &root, "r-none")
            .await
            .unwrap_err()
            .is(E::DestinationParentNotFound)
    );
    assert!(
        s.move_to("999999999999", &root, &dev)
            .await
            .unwrap_err()
            .is(E::AccountNotFound)
    );
    s.move_to(&member, &root, &dev).await.unwrap();
    let input = org::DeleteOrganizationalUnitRequest {
        organizational_unit_id: dev.clone(),
    };
    let full = s
        .organizations()
        .delete_organizational_unit(&s.root, input.clone())
        .await;
    assert!(full.unwrap_err().is(E::OrganizationalUnitNotEmpty));
    s.move_to(&member, &dev, &root).await.unwrap();
    s.organizations()
        .delete_organizational_unit(&s.root, input)
        .await
        .unwrap();
    let refused = s.organizations().delete_organization(&s.root, ()).await;
    assert!(refused.unwrap_err().is(E::OrganizationNotEmpty));
}

#[on_every_engine]
async fn the_management_account_enters_a_new_account_by_its_role(t: TestStore) {
    let s = Story::new(&t).await;
    let member = s.account("member").await;
    let open = s.enter(&member).await;
    let session = s.world.call(&open).await.unwrap();
    assert_eq!(session.account.as_str(), member);
    // A closed account lets nobody in, the session that is open neither.
    let input = org::CloseAccountRequest {
        account_id: member.clone(),
    };
    s.organizations()
        .close_account(&s.root, input.clone())
        .await
        .unwrap();
    assert!(s.world.call(&open).await.is_err());
    assert_eq!(
        s.describe(&member).await.unwrap().state,
        Some(org::AccountState::Suspended)
    );
    let twice = s
        .organizations()
        .close_account(&s.root, input)
        .await
        .unwrap_err();
    assert!(twice.is(E::AccountAlreadyClosed));
    let input = org::CloseAccountRequest {
        account_id: ACCOUNT.to_owned(),
    };
    let management = s
        .organizations()
        .close_account(&s.root, input)
        .await
        .unwrap_err();
    assert_eq!(management.reason(), Some("CANNOT_CLOSE_MANAGEMENT_ACCOUNT"));
}

#[on_every_engine]
async fn an_invited_account_joins_and_leaves(t: TestStore) {
    let s = Story::new(&t).await;
    let other = s.world.account(OTHER_ACCOUNT).await;
    let other = s.world.call(&other).await.unwrap();
    let invite = async |id: &str, kind| {
        let input = org::InviteAccountToOrganizationRequest {
            target: org::HandshakeParty {
                id: Secret::new(id.to_owned()),
                r#type: kind,
            },
            notes: Some(Secret::new("come".to_owned())),
            tags: None,
        };
        s.organizations()
            .invite_account_to_organization(&s.root, input)
            .await
    };
    let account = org::HandshakePartyType::Account;
    let sent = invite(OTHER_ACCOUNT, account)
        .await
        .unwrap()
        .handshake
        .unwrap();
    let handshake_id = sent.id.unwrap();
    assert!(
        invite(OTHER_ACCOUNT, account)
            .await
            .unwrap_err()
            .is(E::DuplicateHandshake)
    );
    // To an account that is no party it does not exist.
    let third = s.world.account("777788889999").await;
    let third = s.world.call(&third).await.unwrap();
    let input = org::AcceptHandshakeRequest {
        handshake_id: handshake_id.clone(),
    };
    let foreign = s
        .organizations()
        .accept_handshake(&third, input.clone())
        .await
        .unwrap_err();
    assert!(foreign.is(E::HandshakeNotFound), "{foreign:?}");
    let listed = s
        .organizations()
        .list_handshakes_for_account(&other, Default::default())
        .await;
    assert_eq!(listed.unwrap().handshakes.unwrap().len(), 1);
    let joined = s
        .organizations()
        .accept_handshake(&other, input.clone())
        .await
        .unwrap();
    assert_eq!(
        joined.handshake.unwrap().state,
        Some(org::HandshakeState::Accepted)
    );
    let twice = s
        .organizations()
        .accept_handshake(&other, input)
        .await
        .unwrap_err();
    assert!(twice.is(E::HandshakeAlreadyInState));
    let member = s.describe(OTHER_ACCOUNT).await.unwrap();
    assert_eq!(
        member.joined_method,
        Some(org::AccountJoinedMethod::Invited)
    );
    let already = invite(OTHER_ACCOUNT, account).await.unwrap_err();
    assert_eq!(already.reason(), Some("ALREADY_IN_AN_ORGANIZATION"));
    s.organizations()
        .leave_organization(&other, ())
        .await
        .unwrap();
    assert!(
        s.describe(OTHER_ACCOUNT)
            .await
            .unwrap_err()
            .is(E::AccountNotFound)
    );
    let management = s
        .organizations()
        .leave_organization(&s.root, ())
        .await
        .unwrap_err();
    assert!(management.is(E::MasterCannotLeaveOrganization));
}

#[on_every_engine]
async fn an_invitation_expires(t: TestStore) {
    let mut s = Story::new(&t).await;
    let other = s.world.account(OTHER_ACCOUNT).await;
    let input = org::InviteAccountToOrganizationRequest {
        target: org::HandshakeParty {
            id: Secret::new(OTHER_ACCOUNT.to_owned()),
            r#type: org::HandshakePartyType::Account,
        },
        notes: None,
        tags: None,
    };
    let sent = s
        .organizations()
        .invite_account_to_organization(&s.root, input)
        .await
        .unwrap();
    let handshake_id = sent.handshake.unwrap().id.unwrap();
    s.world.pass(15 * 24 * 3600);
    let other = s.world.call(&other).await.unwrap();
    let input = org::AcceptHandshakeRequest { handshake_id };
    let late = s
        .organizations()
        .accept_handshake(&other, input)
        .await
        .unwrap_err();
    assert!(late.is(E::InvalidHandshakeTransition), "{late:?}");
}

#[on_every_engine]
async fn c5_root_sessions_do_one_task(t: TestStore) {
    let s = Story::new(&t).await;
    let member = s.account("member").await;
    let ana = s.world.user(&s.root, "ana").await;
    let ana = s.world.call(&ana).await.unwrap();
    let assume = async |cx: &Authorized, task: &str, target: &str| {
        let input = sts::AssumeRootRequest {
            target_principal: target.to_owned(),
            task_policy_arn: sts::PolicyDescriptorType {
                arn: Some(task.to_owned()),
            },
            ..Default::default()
        };
        s.world.identity.assume_root(cx, input).await
    };
    let audit = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials";
    assert!(assume(&ana, audit, &member).await.is_err(), "not enabled");
    let enable = async || {
        let input = iam::EnableOrganizationsRootSessionsRequest::default();
        s.world
            .identity
            .enable_organizations_root_sessions(&s.root, input)
            .await
    };
    assert!(
        enable()
            .await
            .unwrap_err()
            .is(iam::ErrorCode::ServiceAccessNotEnabled)
    );
    let service_principal = "iam.amazonaws.com".to_owned();
    let input = org::EnableAWSServiceAccessRequest { service_principal };
    s.organizations()
        .enable_aws_service_access(&s.root, input)
        .await
        .unwrap();
    let enabled = enable().await.unwrap();
    assert_eq!(
        enabled.enabled_features,
        Some(vec![iam::FeatureType::RootSessions])
    );
    // The root user may not, nor may another account, another task or the management account be it.
    assert!(assume(&s.root, audit, &member).await.is_err());
    assert!(
        assume(&ana, "arn:aws:iam::aws:policy/AdministratorAccess", &member)
            .await
            .is_err()
    );
    assert!(assume(&ana, audit, ACCOUNT).await.is_err());
    assert!(assume(&ana, audit, OTHER_ACCOUNT).await.is_err());
    let given = assume(&ana, audit, &member)
        .await
        .unwrap()
        .credentials
        .unwrap();
    let lasts = given.expiration.duration_since(s.world.now);
    assert_eq!(lasts.as_secs(), 900);
    let session = s.world.call(&credentials(given)).await.unwrap();
    assert_eq!(&*session.caller.arn, format!("arn:aws:iam::{member}:root"));
    assert_eq!(session.caller.context.one("aws:AssumedRoot"), Some("true"));
    assert!(session.caller.session.is_some());
}
