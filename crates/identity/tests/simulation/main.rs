//! The policy simulator: decisions asked, nothing done.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod custom;

use aws_api::iam;
use aws_api::iam::PolicyEvaluationDecisionType::{Allowed, ExplicitDeny, ImplicitDeny};
use common::*;
use store::testing::{TestStore, on_every_engine};

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

/// Policy, type, and start and end as lines and columns.
type Matched<'a> = (&'a str, &'a str, [i32; 4]);

fn matched(statements: Option<&Vec<iam::Statement>>) -> Vec<Matched<'_>> {
    let numbers = |position: Option<&iam::Position>| {
        let position = position.unwrap();
        (position.line.unwrap(), position.column.unwrap())
    };
    let statements = statements.unwrap().iter();
    statements
        .map(|statement| {
            let (line, column) = numbers(statement.start_position.as_ref());
            let (end_line, end_column) = numbers(statement.end_position.as_ref());
            (
                statement.source_policy_id.as_deref().unwrap(),
                statement.source_policy_type.unwrap().as_str(),
                [line, column, end_line, end_column],
            )
        })
        .collect()
}

fn by_boundary(detail: Option<&iam::PermissionsBoundaryDecisionDetail>) -> Option<bool> {
    detail.and_then(|detail| detail.allowed_by_permissions_boundary)
}

fn details(
    details: Option<&std::collections::BTreeMap<String, iam::PolicyEvaluationDecisionType>>,
) -> Option<Vec<(&str, iam::PolicyEvaluationDecisionType)>> {
    details.map(|details| {
        details
            .iter()
            .map(|(kind, decision)| (kind.as_str(), *decision))
            .collect()
    })
}

const ARN_A: &str = "arn:aws:s3:::bucket/a";
const ARN_B: &str = "arn:aws:s3:::bucket/b";
const IAM: &str = "IAM Policy";
const BOUNDARY: &str = "Permissions Boundary Policy";
const RESOURCE: &str = "Resource Policy";

/// One policy in one line, as the recorded requests have it: its statement starts in column 38.
fn one(effect: &str, resource: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"s3:GetObject","Resource":"{resource}"}}]}}"#
    )
}

fn custom(policies: &[String], resources: &[&str]) -> iam::SimulateCustomPolicyRequest {
    iam::SimulateCustomPolicyRequest {
        policy_input_list: policies.to_vec(),
        action_names: vec!["s3:GetObject".to_owned()],
        resource_arns: (!resources.is_empty())
            .then(|| resources.iter().map(|&arn| arn.to_owned()).collect()),
        ..Default::default()
    }
}

/// The requests and the members of AWS's recorded answers.
#[on_every_engine]
async fn results_have_the_members_of_aws(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let first = async |ask| {
        let answer = i.simulate_custom_policy(&root, ask).await.unwrap();
        let mut results = answer.evaluation_results.unwrap();
        assert_eq!(results.len(), 1);
        results.remove(0)
    };
    let allow = one("Allow", "*");
    let here: Matched<'_> = ("PolicyInputList.1", IAM, [1, 38, 1, 95]);

    // No resource is named: one decision.
    for resources in [&[][..], &["*"]] {
        let result = first(custom(std::slice::from_ref(&allow), resources)).await;
        assert_eq!(
            (result.eval_resource_name.as_deref(), result.eval_decision),
            (Some("*"), Allowed)
        );
        assert_eq!(matched(result.matched_statements.as_ref()), [here]);
        assert_eq!(
            (
                result.eval_decision_details,
                result.resource_specific_results
            ),
            (None, None)
        );
    }
    let result = first(custom(std::slice::from_ref(&allow), &[ARN_A])).await;
    assert_eq!(result.eval_resource_name.as_deref(), Some(ARN_A));
    assert_eq!(details(result.eval_decision_details.as_ref()), Some(vec![]));
    let specific = result.resource_specific_results.unwrap();
    assert_eq!(
        (specific.len(), specific[0].eval_resource_name.as_str()),
        (1, ARN_A)
    );
    assert_eq!(matched(specific[0].matched_statements.as_ref()), [here]);
    assert_eq!(
        (
            &specific[0].eval_decision_details,
            &specific[0].permissions_boundary_decision_detail
        ),
        (&None, &None)
    );

    // Several: the strictest decision, what matched for any, and each by itself.
    let result = first(custom(&[one("Allow", ARN_A)], &[ARN_A, ARN_B])).await;
    assert_eq!(result.eval_decision, ImplicitDeny);
    assert!(
        result
            .eval_resource_name
            .unwrap()
            .starts_with("arn:aws:s3:::${BucketName}/")
    );
    let end = 38 + i32::try_from(one("Allow", ARN_A).len() - 37 - 2).unwrap();
    assert_eq!(
        matched(result.matched_statements.as_ref()),
        [("PolicyInputList.1", IAM, [1, 38, 1, end])]
    );
    let specific = result.resource_specific_results.unwrap();
    let each: Vec<_> = specific
        .iter()
        .map(|one| (one.eval_resource_name.as_str(), one.eval_resource_decision))
        .collect();
    assert_eq!(each, [(ARN_A, Allowed), (ARN_B, ImplicitDeny)]);
    assert_eq!(specific[1].matched_statements, Some(vec![]));

    // A denial is the only entry, also where another resource is allowed.
    let result = first(custom(
        &[allow.clone(), one("Deny", ARN_B)],
        &[ARN_A, ARN_B],
    ))
    .await;
    assert_eq!(result.eval_decision, ExplicitDeny);
    let all = matched(result.matched_statements.as_ref());
    assert_eq!((all.len(), all[0].0), (1, "PolicyInputList.2"));

    // Keys are missing where their absence may be the reason.
    let condition = r#""Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/Team":"x"}}"#;
    let wants = allow.replace(r#""Resource":"*""#, condition);
    let result = first(custom(std::slice::from_ref(&wants), &[ARN_A])).await;
    assert_eq!(
        result.missing_context_values.as_deref(),
        Some(&["aws:RequestTag/Team".to_owned()][..])
    );
    assert_eq!(
        result.resource_specific_results.unwrap()[0].missing_context_values,
        result.missing_context_values
    );
    let result = first(custom(&[allow.clone(), wants], &[])).await;
    assert_eq!(
        (result.eval_decision, result.missing_context_values),
        (Allowed, Some(vec![]))
    );

    // Boundaries: they show where they deny.
    let with =
        |policy: &str, boundary: String, resources: &[&str]| iam::SimulateCustomPolicyRequest {
            permissions_boundary_policy_input_list: Some(vec![boundary]),
            ..custom(&[policy.to_owned()], resources)
        };
    let put = allow.replace("GetObject", "PutObject");
    let (deny, denied) = (one("Deny", "*"), [1, 38, 1, 94]);
    let bound: Matched<'_> = ("PermissionsBoundaryPolicyInputList.1", BOUNDARY, denied);
    for (ask, decision, allowed, statements) in [
        (
            with(&allow, allow.clone(), &[ARN_A, ARN_B]),
            Allowed,
            true,
            vec![here],
        ),
        (
            with(&allow, put, &[ARN_A, ARN_B]),
            ImplicitDeny,
            false,
            vec![],
        ),
        (
            with(&allow, deny.clone(), &[ARN_A, ARN_B]),
            ExplicitDeny,
            false,
            vec![bound],
        ),
        (
            with(&deny, deny.clone(), &[]),
            ExplicitDeny,
            false,
            vec![("PolicyInputList.1", IAM, denied), bound],
        ),
    ] {
        let result = first(ask).await;
        assert_eq!(result.eval_decision, decision);
        assert_eq!(
            by_boundary(result.permissions_boundary_decision_detail.as_ref()),
            Some(allowed)
        );
        assert_eq!(matched(result.matched_statements.as_ref()), statements);
        for one in result.resource_specific_results.iter().flatten() {
            assert_eq!(one.eval_resource_decision, decision);
            assert_eq!(
                by_boundary(one.permissions_boundary_decision_detail.as_ref()),
                Some(allowed)
            );
            assert_eq!(matched(one.matched_statements.as_ref()), statements);
        }
    }
}

#[on_every_engine]
async fn two_accounts_have_a_decision_for_each_policy_type(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    w.user(&root, "arnav").await;
    let arnav = "arn:aws:iam::111122223333:user/arnav";
    // A text over several lines, which pinning the principal does not move.
    let resource_policy = format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {{\n    \"Effect\": \"Allow\", \"Principal\": {{\"AWS\": \"{arnav}\"}},\n    \
             \"Action\": \"s3:*\", \"Resource\": \"*\"}}\n}}"
    );
    let ask = |owner: &str| iam::SimulateCustomPolicyRequest {
        permissions_boundary_policy_input_list: Some(vec![allow("iam:*")]),
        resource_policy: Some(resource_policy.clone()),
        resource_owner: Some(format!("arn:aws:iam::{owner}:root")),
        caller_arn: Some(arnav.to_owned()),
        ..custom(&[allow("iam:*")], &[ARN_A])
    };
    let answer = i
        .simulate_custom_policy(&root, ask(OTHER_ACCOUNT))
        .await
        .unwrap();
    let result = &answer.evaluation_results.unwrap()[0];
    assert_eq!(
        (result.eval_decision, result.matched_statements.as_deref()),
        (ImplicitDeny, Some(&[][..]))
    );
    let each = Some(vec![
        (IAM, ImplicitDeny),
        (BOUNDARY, ImplicitDeny),
        (RESOURCE, Allowed),
    ]);
    assert_eq!(details(result.eval_decision_details.as_ref()), each);
    assert_eq!(
        by_boundary(result.permissions_boundary_decision_detail.as_ref()),
        Some(false)
    );
    let specific = &result.resource_specific_results.as_ref().unwrap()[0];
    assert_eq!(details(specific.eval_decision_details.as_ref()), each);

    let answer = i
        .simulate_custom_policy(&root, ask("111122223333"))
        .await
        .unwrap();
    let result = &answer.evaluation_results.unwrap()[0];
    assert_eq!(result.eval_decision, Allowed);
    assert_eq!(
        matched(result.matched_statements.as_ref()),
        [("ResourcePolicy", RESOURCE, [3, 17, 5, 39])]
    );
    assert_eq!(details(result.eval_decision_details.as_ref()), Some(vec![]));
    assert_eq!(
        by_boundary(result.permissions_boundary_decision_detail.as_ref()),
        Some(false)
    );
}

#[on_every_engine]
async fn policies_of_a_principal_are_named_as_aws_names_them(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    w.user(&root, "alice").await;
    w.put_user_policy(&root, "alice", &one("Allow", "*")).await;
    let read_only = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly";
    for name in ["one", "two"] {
        i.create_group(
            &root,
            iam::CreateGroupRequest {
                group_name: name.to_owned(),
                path: None,
            },
        )
        .await
        .unwrap();
        let put = iam::PutGroupPolicyRequest {
            group_name: name.to_owned(),
            policy_name: "all".to_owned(),
            policy_document: one("Allow", "*").replacen('{', "{\n", 1),
        };
        i.put_group_policy(&root, put).await.unwrap();
        let attach = iam::AttachGroupPolicyRequest {
            group_name: name.to_owned(),
            policy_arn: read_only.to_owned(),
        };
        i.attach_group_policy(&root, attach).await.unwrap();
        let add = iam::AddUserToGroupRequest {
            group_name: name.to_owned(),
            user_name: "alice".to_owned(),
        };
        i.add_user_to_group(&root, add).await.unwrap();
    }
    let ask = iam::SimulatePrincipalPolicyRequest {
        policy_source_arn: "arn:aws:iam::111122223333:user/alice".to_owned(),
        action_names: vec!["s3:GetObject".to_owned(), "ecr:BatchGetImage".to_owned()],
        policy_input_list: Some(vec![one("Allow", "*")]),
        ..Default::default()
    };
    let answer = i.simulate_principal_policy(&root, ask).await.unwrap();
    let results = answer.evaluation_results.unwrap();
    let mut names = matched(results[0].matched_statements.as_ref());
    names.sort_unstable();
    assert_eq!(
        names,
        [
            ("PolicyInputList.1", IAM, [1, 38, 1, 95]),
            ("group_one_all", IAM, [2, 37, 2, 94]),
            ("group_two_all", IAM, [2, 37, 2, 94]),
            ("user_alice_inline", IAM, [1, 38, 1, 95]),
        ]
    );
    let managed = matched(results[1].matched_statements.as_ref());
    assert_eq!(
        (managed.len(), managed[0].0, managed[0].1),
        (1, "AmazonEC2ContainerRegistryReadOnly", IAM)
    );
}

#[on_every_engine]
async fn a_principal_is_simulated_with_its_groups_and_boundary(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    w.user(&root, "alice").await;
    w.put_user_policy(&root, "alice", &deny("ecr:DeleteRepository"))
        .await;
    i.create_group(
        &root,
        iam::CreateGroupRequest {
            group_name: "g".to_owned(),
            path: None,
        },
    )
    .await
    .unwrap();
    let put = iam::PutGroupPolicyRequest {
        group_name: "g".to_owned(),
        policy_name: "all".to_owned(),
        policy_document: allow("ecr:*"),
    };
    i.put_group_policy(&root, put).await.unwrap();
    let add = iam::AddUserToGroupRequest {
        group_name: "g".to_owned(),
        user_name: "alice".to_owned(),
    };
    i.add_user_to_group(&root, add).await.unwrap();
    let ask = || iam::SimulatePrincipalPolicyRequest {
        policy_source_arn: "arn:aws:iam::111122223333:user/alice".to_owned(),
        action_names: ["ecr:PutImage", "ecr:DeleteRepository", "iam:CreateUser"]
            .map(str::to_owned)
            .to_vec(),
        ..Default::default()
    };
    let answer = i.simulate_principal_policy(&root, ask()).await.unwrap();
    assert_eq!(
        decisions(&answer),
        [
            ("ecr:PutImage", Allowed),
            ("ecr:DeleteRepository", ExplicitDeny),
            ("iam:CreateUser", ImplicitDeny),
        ]
    );
    let results = answer.evaluation_results.unwrap();
    let matched = results[0].matched_statements.as_ref().unwrap();
    assert_eq!(matched[0].source_policy_id.as_deref(), Some("group_g_all"));
    assert_eq!(
        matched[0].source_policy_type,
        Some(iam::PolicySourceType::IamPolicy)
    );

    let boundary = iam::PutUserPermissionsBoundaryRequest {
        user_name: "alice".to_owned(),
        permissions_boundary: "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
            .to_owned(),
    };
    i.put_user_permissions_boundary(&root, boundary)
        .await
        .unwrap();
    let answer = i.simulate_principal_policy(&root, ask()).await.unwrap();
    assert_eq!(decisions(&answer)[0], ("ecr:PutImage", ImplicitDeny));
    let detail = answer.evaluation_results.unwrap()[0]
        .permissions_boundary_decision_detail
        .clone();
    assert_eq!(detail.unwrap().allowed_by_permissions_boundary, Some(false));
    // The group alone is not bounded.
    let group = iam::SimulatePrincipalPolicyRequest {
        policy_source_arn: "arn:aws:iam::111122223333:group/g".to_owned(),
        ..ask()
    };
    let answer = i.simulate_principal_policy(&root, group).await.unwrap();
    assert_eq!(decisions(&answer)[1], ("ecr:DeleteRepository", Allowed));
    let none = iam::SimulatePrincipalPolicyRequest {
        policy_source_arn: "arn:aws:iam::111122223333:user/none".to_owned(),
        ..ask()
    };
    assert_eq!(
        said(i.simulate_principal_policy(&root, none).await).0,
        "NoSuchEntity"
    );
}

#[on_every_engine]
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
