//! The policy simulator: decisions asked, nothing done.

#![allow(clippy::unwrap_used)]

mod common;

use aws_api::iam;
use aws_api::iam::PolicyEvaluationDecisionType::{Allowed, ExplicitDeny, ImplicitDeny};
use common::*;
use store::on_every_engine;

fn entry(name: &str, value: &str) -> iam::ContextEntry {
    iam::ContextEntry {
        context_key_name: Some(name.to_owned()),
        context_key_values: Some(vec![value.to_owned()]),
        context_key_type: Some(iam::ContextKeyTypeEnum::String),
    }
}

fn decisions(
    answer: &iam::SimulatePolicyResponse,
) -> Vec<(&str, iam::PolicyEvaluationDecisionType)> {
    let results = answer.evaluation_results.as_ref().unwrap();
    results
        .iter()
        .map(|result| (result.eval_action_name.as_str(), result.eval_decision))
        .collect()
}

on_every_engine! {
    async fn a_principal_is_simulated_with_its_groups_and_boundary(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        w.user(&root, "alice").await;
        w.put_user_policy(&root, "alice", &deny("ecr:DeleteRepository")).await;
        i.create_group(&root, iam::CreateGroupRequest { group_name: "g".to_owned(), path: None }).await.unwrap();
        let put = iam::PutGroupPolicyRequest {
            group_name: "g".to_owned(),
            policy_name: "all".to_owned(),
            policy_document: allow("ecr:*"),
        };
        i.put_group_policy(&root, put).await.unwrap();
        let add = iam::AddUserToGroupRequest { group_name: "g".to_owned(), user_name: "alice".to_owned() };
        i.add_user_to_group(&root, add).await.unwrap();
        let ask = || iam::SimulatePrincipalPolicyRequest {
            policy_source_arn: "arn:aws:iam::111122223333:user/alice".to_owned(),
            action_names: ["ecr:PutImage", "ecr:DeleteRepository", "iam:CreateUser"].map(str::to_owned).to_vec(),
            ..Default::default()
        };
        let answer = i.simulate_principal_policy(&root, ask()).await.unwrap();
        assert_eq!(decisions(&answer), [
            ("ecr:PutImage", Allowed), ("ecr:DeleteRepository", ExplicitDeny), ("iam:CreateUser", ImplicitDeny),
        ]);
        let results = answer.evaluation_results.unwrap();
        let matched = results[0].matched_statements.as_ref().unwrap();
        assert_eq!(matched[0].source_policy_id.as_deref(), Some("all"));
        assert_eq!(matched[0].source_policy_type, Some(iam::PolicySourceType::Group));

        let boundary = iam::PutUserPermissionsBoundaryRequest {
            user_name: "alice".to_owned(),
            permissions_boundary: "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly".to_owned(),
        };
        i.put_user_permissions_boundary(&root, boundary).await.unwrap();
        let answer = i.simulate_principal_policy(&root, ask()).await.unwrap();
        assert_eq!(decisions(&answer)[0], ("ecr:PutImage", ImplicitDeny));
        let detail = answer.evaluation_results.unwrap()[0].permissions_boundary_decision_detail.clone();
        assert_eq!(detail.unwrap().allowed_by_permissions_boundary, Some(false));
        // The group alone is not bounded.
        let group = iam::SimulatePrincipalPolicyRequest { policy_source_arn: "arn:aws:iam::111122223333:group/g".to_owned(), ..ask() };
        let answer = i.simulate_principal_policy(&root, group).await.unwrap();
        assert_eq!(decisions(&answer)[1], ("ecr:DeleteRepository", Allowed));
        let none = iam::SimulatePrincipalPolicyRequest { policy_source_arn: "arn:aws:iam::111122223333:user/none".to_owned(), ..ask() };
        assert_eq!(said(i.simulate_principal_policy(&root, none).await).0, "NoSuchEntity");
    }

    async fn a_custom_policy_is_simulated_page_by_page(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:*",
            "Resource":"arn:aws:ecr:*:*:repository/${aws:PrincipalTag/team}-*",
            "Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}"#;
        let ask = |entries| iam::SimulateCustomPolicyRequest {
            policy_input_list: vec![policy.to_owned()],
            action_names: vec!["ecr:PutImage".to_owned(), "ecr:ListImages".to_owned()],
            resource_arns: Some(vec![
                "arn:aws:ecr:eu-west-1:111122223333:repository/blue-app".to_owned(),
                "arn:aws:ecr:eu-west-1:111122223333:repository/red-app".to_owned(),
            ]),
            context_entries: entries,
            ..Default::default()
        };
        let bare = i.simulate_custom_policy(&root, ask(None)).await.unwrap();
        assert!(decisions(&bare).iter().all(|decision| decision.1 == ImplicitDeny));
        let missing = bare.evaluation_results.unwrap()[0].missing_context_values.clone().unwrap();
        assert_eq!(missing, ["aws:principaltag/team", "aws:requestedregion"]);
        let entries = Some(vec![entry("aws:PrincipalTag/team", "blue"), entry("aws:RequestedRegion", "eu-west-1")]);
        let full = i.simulate_custom_policy(&root, ask(entries.clone())).await.unwrap();
        let all: Vec<_> = decisions(&full).into_iter().map(|decision| decision.1).collect();
        assert_eq!(all, [Allowed, ImplicitDeny, Allowed, ImplicitDeny]);
        let (mut seen, mut marker) = (Vec::new(), None);
        loop {
            let input = iam::SimulateCustomPolicyRequest { max_items: Some(3), marker, ..ask(entries.clone()) };
            let answer = i.simulate_custom_policy(&root, input).await.unwrap();
            seen.extend(answer.evaluation_results.unwrap());
            marker = answer.marker;
            if marker.is_none() { break; }
        }
        assert_eq!(Some(seen), full.evaluation_results);
        let broken = iam::SimulateCustomPolicyRequest { policy_input_list: vec!["{".to_owned()], ..ask(None) };
        assert_eq!(said(i.simulate_custom_policy(&root, broken).await).0, "MalformedPolicyDocument");
        let keys = iam::GetContextKeysForCustomPolicyRequest { policy_input_list: vec![policy.to_owned()] };
        let keys = i.get_context_keys_for_custom_policy(&root, keys).await.unwrap().context_key_names.unwrap();
        assert_eq!(keys, ["aws:principaltag/team", "aws:requestedregion"]);
    }

    async fn heavy_policies_make_short_pages_and_lose_nothing(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let resources: Vec<String> = (0..2_000).map(|n| format!("\"arn:aws:ecr:eu-west-1:111122223333:repository/r{n}\"")).collect();
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"ecr:PutImage","Resource":[{}]}}]}}"#,
            resources.join(","),
        );
        let repositories: Vec<String> = (0..500).map(|n| format!("arn:aws:ecr:eu-west-1:111122223333:repository/r{n}")).collect();
        let (mut marker, mut seen, mut pages) = (None, Vec::new(), 0);
        loop {
            let input = iam::SimulateCustomPolicyRequest {
                policy_input_list: vec![policy.clone(); 3],
                action_names: vec!["ecr:PutImage".to_owned()],
                resource_arns: Some(repositories.clone()),
                max_items: Some(1000),
                marker,
                ..Default::default()
            };
            let answer = i.simulate_custom_policy(&root, input).await.unwrap();
            let results = answer.evaluation_results.unwrap();
            assert!(!results.is_empty() && results.len() <= 200, "{} decisions at once", results.len());
            assert!(results.iter().all(|result| result.eval_decision == Allowed));
            seen.extend(results.into_iter().filter_map(|result| result.eval_resource_name));
            pages += 1;
            marker = answer.marker;
            if marker.is_none() { break; }
        }
        assert!(pages > 1);
        assert_eq!(seen, repositories);
    }

    async fn a_resource_policy_takes_part(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        w.user(&root, "alice").await;
        let alice = "arn:aws:iam::111122223333:user/alice";
        let document = format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{alice}"}},"Action":"ecr:PutImage","Resource":"*"}}]}}"#);
        let ask = |caller_arn: Option<&str>| iam::SimulateCustomPolicyRequest {
            policy_input_list: vec![allow("iam:*")],
            action_names: vec!["ecr:PutImage".to_owned()],
            resource_arns: Some(vec!["arn:aws:ecr:eu-west-1:111122223333:repository/app".to_owned()]),
            resource_policy: Some(document.clone()),
            caller_arn: caller_arn.map(str::to_owned),
            ..Default::default()
        };
        let named = i.simulate_custom_policy(&root, ask(Some(alice))).await.unwrap();
        assert_eq!(decisions(&named), [("ecr:PutImage", Allowed)]);
        let other = i.simulate_custom_policy(&root, ask(None)).await.unwrap();
        assert_eq!(decisions(&other), [("ecr:PutImage", ImplicitDeny)]);
        let nobody = i.simulate_custom_policy(&root, ask(Some("arn:aws:iam::111122223333:user/bob"))).await;
        assert_eq!(said(nobody).0, "InvalidInput");
    }

    async fn a_caller_of_another_account_is_not_looked_up(t: TestStore) {
        let w = World::new(&t).await;
        let (i, root) = (&w.identity, w.root().await);
        let other = w.account(OTHER_ACCOUNT).await;
        let other = w.call(&other).await.unwrap();
        w.user(&other, "alice").await;
        let ask = |name: &str| iam::SimulateCustomPolicyRequest {
            policy_input_list: vec![allow("iam:*")],
            action_names: vec!["iam:GetUser".to_owned()],
            caller_arn: Some(format!("arn:aws:iam::{OTHER_ACCOUNT}:user/{name}")),
            ..Default::default()
        };
        let mut answers = Vec::new();
        for name in ["alice", "nobody"] {
            let (code, message) = said(i.simulate_custom_policy(&root, ask(name)).await);
            answers.push((code, message.replace(name, "NAME")));
        }
        assert_eq!(answers[0], answers[1]);
    }
}
