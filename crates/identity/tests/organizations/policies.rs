//! Policies: what they may say, where they are attached, whom they bind.

use super::*;

#[on_every_engine]
async fn g1_all_features_enable_service_control_policies_at_once(t: TestStore) {
    let s = Story::new(&t).await;
    let o = s
        .organizations()
        .describe_organization(&s.root, ())
        .await
        .unwrap()
        .organization
        .unwrap();
    assert_eq!(o.feature_set, Some(org::OrganizationFeatureSet::All));
    assert_eq!(o.master_account_id.as_deref(), Some(ACCOUNT));
    let root = s.root_id().await;
    assert_eq!(s.attached(&root, SCP).await, ["p-FullAWSAccess"]);
    assert_eq!(s.attached(ACCOUNT, SCP).await, ["p-FullAWSAccess"]);
    assert!(s.attached(&root, RCP).await.is_empty());
    let again = s
        .organizations()
        .create_organization(&s.root, Default::default())
        .await;
    assert!(again.unwrap_err().is(E::AlreadyInOrganization));
    // RCPs by EnablePolicyType, which attaches AWS's own everywhere.
    let unit = s.unit(&root, "dev").await.unwrap();
    let member = s.account("dev").await;
    s.enable(RCP).await.unwrap();
    for target in [&root, &unit, &member, &ACCOUNT.to_owned()] {
        assert_eq!(
            s.attached(target, RCP).await,
            ["p-RCPFullAWSAccess"],
            "{target}"
        );
    }
    assert!(
        s.enable(RCP)
            .await
            .unwrap_err()
            .is(E::PolicyTypeAlreadyEnabled)
    );
    let member = s.describe(&member).await.unwrap();
    assert_eq!(member.state, Some(org::AccountState::Active));
    let path = &member.paths.unwrap()[0];
    assert!(
        path.starts_with(&format!("{}/{root}/", o.id.unwrap())),
        "{path}"
    );
}

#[on_every_engine]
async fn g1_consolidated_billing_has_no_policies(t: TestStore) {
    let world = World::new(&t).await;
    let root = world.root().await;
    let s = Story { world, root };
    let input = org::CreateOrganizationRequest {
        feature_set: Some(org::OrganizationFeatureSet::ConsolidatedBilling),
    };
    s.organizations()
        .create_organization(&s.root, input)
        .await
        .unwrap();
    let refused = s.policy(SCP, "p", DENY_DELETE).await.unwrap_err();
    assert!(
        refused.is(E::PolicyTypeNotAvailableForOrganization),
        "{refused:?}"
    );
    assert!(
        s.enable(SCP)
            .await
            .unwrap_err()
            .is(E::PolicyTypeNotAvailableForOrganization)
    );
    // Nobody was invited, so the management account enables all features alone.
    let handshake = s
        .organizations()
        .enable_all_features(&s.root, Default::default())
        .await
        .unwrap();
    let handshake_id = handshake.handshake.unwrap().id.unwrap();
    let input = org::AcceptHandshakeRequest { handshake_id };
    s.organizations()
        .accept_handshake(&s.root, input)
        .await
        .unwrap();
    assert_eq!(s.attached(ACCOUNT, SCP).await, ["p-FullAWSAccess"]);
    s.policy(SCP, "p", DENY_DELETE).await.unwrap();
}

#[on_every_engine]
async fn g2_sizes_numbers_and_levels_are_bounded(t: TestStore) {
    let s = Story::new(&t).await;
    // All characters count, white space too.
    let pad = |length: usize| format!("{}{}", DENY_DELETE, " ".repeat(length - DENY_DELETE.len()));
    s.policy(SCP, "fits", &pad(10_240)).await.unwrap();
    let long = s.policy(SCP, "long", &pad(10_241)).await.unwrap_err();
    assert!(long.is(E::ConstraintViolation), "{long:?}");
    assert_eq!(long.reason(), Some("POLICY_CONTENT_LIMIT_EXCEEDED"));
    let mut parent = s.root_id().await;
    for level in 1..=5 {
        parent = s.unit(&parent, &format!("level {level}")).await.unwrap();
    }
    let deep = s.unit(&parent, "level 6").await.unwrap_err();
    assert_eq!(deep.reason(), Some("OU_DEPTH_LIMIT_EXCEEDED"));
    // AWS's own counts: nine more, and the eleventh is one too many.
    for number in 1..=10 {
        let policy = s
            .policy(SCP, &format!("scp {number}"), DENY_DELETE)
            .await
            .unwrap();
        let attached = s.attach(&policy, &parent).await;
        match number < 10 {
            true => attached.unwrap(),
            false => assert_eq!(
                attached.unwrap_err().reason(),
                Some("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")
            ),
        }
    }
    s.enable(RCP).await.unwrap();
    for number in 1..=5 {
        let policy = s
            .policy(RCP, &format!("rcp {number}"), DENY_STRANGERS)
            .await
            .unwrap();
        assert_eq!(
            s.attach(&policy, &parent).await.is_ok(),
            number < 5,
            "{number}"
        );
    }
}

#[on_every_engine]
async fn g3_own_policies_follow_their_types_syntax(t: TestStore) {
    let s = Story::new(&t).await;
    let allow_some = DENY_DELETE.replace("Deny", "Allow");
    s.policy(SCP, "allow", &allow_some).await.unwrap();
    for (kind, content) in [
        (SCP, DENY_STRANGERS.to_owned()),
        (SCP, "{}".to_owned()),
        (RCP, DENY_DELETE.to_owned()),
        (RCP, DENY_STRANGERS.replace("Deny", "Allow")),
        (RCP, DENY_STRANGERS.replace("ecr:*", "*")),
        (RCP, DENY_STRANGERS.replace("\"Action\"", "\"NotAction\"")),
        (
            RCP,
            DENY_STRANGERS.replace(
                "\"Principal\":\"*\"",
                "\"Principal\":{\"AWS\":\"111122223333\"}",
            ),
        ),
    ] {
        let refused = s.policy(kind, "bad", &content).await.unwrap_err();
        assert!(
            refused.is(E::MalformedPolicyDocument),
            "{content}: {refused:?}"
        );
    }
}

#[on_every_engine]
async fn g6_what_must_stay_cannot_be_detached(t: TestStore) {
    let s = Story::new(&t).await;
    let root = s.root_id().await;
    let last = s.detach("p-FullAWSAccess", &root).await.unwrap_err();
    assert!(last.is(E::ConstraintViolation));
    assert_eq!(
        last.reason(),
        Some("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")
    );
    s.enable(RCP).await.unwrap();
    let aws = s.detach("p-RCPFullAWSAccess", &root).await.unwrap_err();
    assert!(aws.is(E::InvalidInput));
    assert_eq!(aws.reason(), Some("NON_DETACHABLE_POLICY"));
    // Disabling a type drops attachments; enabling restores the default only.
    let policy = s.policy(SCP, "p", DENY_DELETE).await.unwrap();
    s.attach(&policy, &root).await.unwrap();
    assert!(
        s.attach(&policy, &root)
            .await
            .unwrap_err()
            .is(E::DuplicatePolicyAttachment)
    );
    let used = org::DeletePolicyRequest {
        policy_id: policy.clone(),
    };
    assert!(
        s.organizations()
            .delete_policy(&s.root, used)
            .await
            .unwrap_err()
            .is(E::PolicyInUse)
    );
    s.disable(SCP).await;
    assert!(s.attached(&root, SCP).await.is_empty());
    assert!(
        s.attach(&policy, &root)
            .await
            .unwrap_err()
            .is(E::PolicyTypeNotEnabled)
    );
    s.enable(SCP).await.unwrap();
    assert_eq!(s.attached(&root, SCP).await, ["p-FullAWSAccess"]);
}

#[on_every_engine]
async fn controls_follow_every_change(t: TestStore) {
    let s = Story::new(&t).await;
    let root = s.root_id().await;
    let member = s.account("member").await;
    let id = member.parse().unwrap();
    let levels = async || {
        let controls = s
            .world
            .identity
            .account_controls(id)
            .await
            .unwrap()
            .unwrap();
        let names = |set: &policy::PolicySet| set.policies().len();
        (
            controls.path.to_string(),
            controls
                .service_control
                .iter()
                .map(names)
                .collect::<Vec<_>>(),
        )
    };
    let (path, at_root) = levels().await;
    assert!(path.ends_with(&format!("/{root}/")), "{path}");
    assert_eq!(at_root, [1, 1]);
    let policy = s.policy(SCP, "p", DENY_DELETE).await.unwrap();
    s.attach(&policy, &root).await.unwrap();
    assert_eq!(levels().await.1, [2, 1]);
    let unit = s.unit(&root, "dev").await.unwrap();
    s.move_to(&member, &root, &unit).await.unwrap();
    let (path, moved) = levels().await;
    assert!(path.ends_with(&format!("/{root}/{unit}/")), "{path}");
    assert_eq!(moved, [2, 1, 1]);
    s.detach(&policy, &root).await.unwrap();
    assert_eq!(levels().await.1, [1, 1, 1]);
    // Not the management account.
    let controls = s
        .world
        .identity
        .account_controls(ACCOUNT.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert!(controls.is_management && controls.service_control.is_empty());
    let input = org::RemoveAccountFromOrganizationRequest { account_id: member };
    s.organizations()
        .remove_account_from_organization(&s.root, input)
        .await
        .unwrap();
    assert!(
        s.world
            .identity
            .account_controls(id)
            .await
            .unwrap()
            .is_none()
    );
}

#[on_every_engine]
async fn a_simulation_takes_service_control_policies_into_account(t: TestStore) {
    let s = Story::new(&t).await;
    let root = s.root_id().await;
    let member = s.account("member").await;
    let admin = s.enter(&member).await;
    let simulate = async || {
        let admin = s.world.call(&admin).await.unwrap();
        let input = iam::SimulatePrincipalPolicyRequest {
            policy_source_arn: format!("arn:aws:iam::{member}:role/OrganizationAccountAccessRole"),
            action_names: vec!["ecr:DeleteRepository".to_owned()],
            ..Default::default()
        };
        let answer = s
            .world
            .identity
            .simulate_principal_policy(&admin, input)
            .await
            .unwrap();
        let result = answer.evaluation_results.unwrap().remove(0);
        let detail = result.organizations_decision_detail.unwrap();
        (result.eval_decision, detail.allowed_by_organizations)
    };
    let allowed = iam::PolicyEvaluationDecisionType::Allowed;
    assert_eq!(simulate().await, (allowed, Some(true)));
    let policy = s.policy(SCP, "p", DENY_DELETE).await.unwrap();
    s.attach(&policy, &root).await.unwrap();
    let denied = iam::PolicyEvaluationDecisionType::ExplicitDeny;
    assert_eq!(simulate().await, (denied, Some(false)));
}
