//! The account as a whole, and what the authorization step asks.

use aws_api::iam;
use identity::EntityRef;
use identity::PinnedPrincipal;
use store::testing::{TestStore, on_every_engine};

use super::common::*;
use super::{attach, create_policy, create_user, iam_tag, policy_arn, words};

#[on_every_engine]
async fn the_account_has_an_alias_a_summary_and_details(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let alias = |alias: &str| iam::CreateAccountAliasRequest {
        account_alias: alias.to_owned(),
    };
    i.create_account_alias(&root, alias("one")).await.unwrap();
    i.create_account_alias(&root, alias("two")).await.unwrap();
    let other = w.account(OTHER_ACCOUNT).await;
    let other = w.call(&other).await.unwrap();
    assert_eq!(
        said(i.create_account_alias(&other, alias("two")).await),
        words(
            "EntityAlreadyExists",
            "The account alias two already exists."
        )
    );
    let list = i
        .list_account_aliases(&root, iam::ListAccountAliasesRequest::default())
        .await
        .unwrap();
    assert_eq!(list.account_aliases, ["two"]);
    let delete = |alias: &str| iam::DeleteAccountAliasRequest {
        account_alias: alias.to_owned(),
    };
    assert_eq!(
        said(i.delete_account_alias(&root, delete("one")).await).0,
        "NoSuchEntity"
    );
    i.delete_account_alias(&root, delete("two")).await.unwrap();

    w.user(&root, "alice").await;
    w.put_user_policy(&root, "alice", &allow("ecr:*")).await;
    i.attach_user_policy(
        &root,
        attach("alice", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
    )
    .await
    .unwrap();
    i.create_policy(&root, create_policy("p")).await.unwrap();
    i.create_group(
        &root,
        iam::CreateGroupRequest {
            group_name: "g".to_owned(),
            path: None,
        },
    )
    .await
    .unwrap();
    w.create_role(&root, "r", ACCOUNT).await.unwrap();
    let summary = i
        .get_account_summary(&root, ())
        .await
        .unwrap()
        .summary_map
        .unwrap();
    assert_eq!(summary[&iam::SummaryKeyType::Users], 1);
    assert_eq!(summary[&iam::SummaryKeyType::PolicyVersionsInUse], 1);
    assert_eq!(summary[&iam::SummaryKeyType::UsersQuota], 5000);

    let (mut users, mut groups, mut roles, mut policies) = (vec![], vec![], vec![], vec![]);
    let mut marker = None;
    loop {
        let input = iam::GetAccountAuthorizationDetailsRequest {
            max_items: Some(1),
            marker,
            filter: None,
        };
        let page = i
            .get_account_authorization_details(&root, input)
            .await
            .unwrap();
        users.extend(page.user_detail_list.unwrap());
        groups.extend(page.group_detail_list.unwrap());
        roles.extend(page.role_detail_list.unwrap());
        policies.extend(page.policies.unwrap());
        marker = page.marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!((users.len(), groups.len(), roles.len()), (1, 1, 1));
    let names: Vec<_> = policies
        .iter()
        .map(|policy| policy.policy_name.as_deref().unwrap())
        .collect();
    assert_eq!(names, ["ReadOnlyAccess", "p"]);
    assert_eq!(users[0].user_policy_list.as_ref().unwrap().len(), 1);
    assert_eq!(
        users[0].attached_managed_policies.as_ref().unwrap().len(),
        1
    );
    let only = iam::GetAccountAuthorizationDetailsRequest {
        filter: Some(vec![iam::EntityType::Role]),
        ..Default::default()
    };
    let page = i
        .get_account_authorization_details(&root, only)
        .await
        .unwrap();
    assert_eq!(
        (
            page.user_detail_list.unwrap().len(),
            page.role_detail_list.unwrap().len()
        ),
        (0, 1)
    );
}

#[on_every_engine]
async fn the_door_knows_entities(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let input = iam::CreateUserRequest {
        path: Some("/team/".to_owned()),
        tags: Some(vec![iam_tag("a", "1")]),
        permissions_boundary: Some("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()),
        ..create_user("Alice")
    };
    i.create_user(&root, input).await.unwrap();
    let facts = i
        .entity_facts(root.account, EntityRef::User("alice"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(facts.arn, "arn:aws:iam::111122223333:user/team/Alice");
    assert_eq!(facts.tags, [("a".to_owned(), "1".to_owned())]);
    assert_eq!(
        facts.boundary_arn.as_deref(),
        Some("arn:aws:iam::aws:policy/ReadOnlyAccess")
    );
    assert_eq!(
        i.entity_facts(root.account, EntityRef::Role("alice"))
            .await
            .unwrap(),
        None
    );
    let aws = i
        .entity_facts(
            root.account,
            EntityRef::Policy("arn:aws:iam::aws:policy/ReadOnlyAccess"),
        )
        .await
        .unwrap();
    assert!(aws.is_some());
    // Another account's policy is not looked up: its tags are nobody else's condition keys.
    i.create_policy(&root, create_policy("p")).await.unwrap();
    let other = w.account(OTHER_ACCOUNT).await;
    let other = w.call(&other).await.unwrap();
    for (account, known) in [(root.account, true), (other.account, false)] {
        let facts = i
            .entity_facts(account, EntityRef::Policy(&policy_arn("p")))
            .await
            .unwrap();
        assert_eq!(facts.is_some(), known);
    }
    // A path that is not the real one names nobody.
    for arn in [
        "arn:aws:iam::111122223333:user/Alice",
        "arn:aws:iam::111122223333:user/team/alice",
        "",
        "arn:aws:iam::x",
    ] {
        assert_eq!(
            i.pin_principal(arn).await.unwrap(),
            PinnedPrincipal::Unknown,
            "{arn}"
        );
    }
    let pinned = i.pin_principal(&facts.arn).await.unwrap();
    assert_eq!(pinned, PinnedPrincipal::UniqueId(facts.unique_id.clone()));
    assert_eq!(
        i.unpin_principal(&facts.unique_id).await.unwrap(),
        Some(facts.arn)
    );
}
