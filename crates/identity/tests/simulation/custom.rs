//! `SimulateCustomPolicy`: policies that nobody has.

use super::*;

#[on_every_engine]
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
    assert!(
        decisions(&bare)
            .iter()
            .all(|decision| decision.1 == ImplicitDeny)
    );
    let missing = bare.evaluation_results.unwrap()[0]
        .missing_context_values
        .clone()
        .unwrap();
    assert_eq!(missing, ["aws:PrincipalTag/team", "aws:RequestedRegion"]);
    let entries = Some(vec![
        entry("aws:PrincipalTag/team", "blue"),
        entry("aws:RequestedRegion", "eu-west-1"),
    ]);
    let full = i
        .simulate_custom_policy(&root, ask(entries.clone()))
        .await
        .unwrap();
    // One result for each action: the team's own repository is allowed, the other one is not.
    assert_eq!(
        decisions(&full),
        [
            ("ecr:PutImage", ImplicitDeny),
            ("ecr:ListImages", ImplicitDeny)
        ]
    );
    for result in full.evaluation_results.as_ref().unwrap() {
        assert_eq!(
            result.eval_resource_name.as_deref(),
            Some("arn:aws:ecr:${Region}:${Account}:repository/${RepositoryName}")
        );
        let specific = result.resource_specific_results.as_ref().unwrap();
        let all: Vec<_> = specific
            .iter()
            .map(|one| one.eval_resource_decision)
            .collect();
        assert_eq!(all, [Allowed, ImplicitDeny]);
    }
    let (mut seen, mut marker) = (Vec::new(), None);
    loop {
        let input = iam::SimulateCustomPolicyRequest {
            max_items: Some(1),
            marker,
            ..ask(entries.clone())
        };
        let answer = i.simulate_custom_policy(&root, input).await.unwrap();
        seen.extend(answer.evaluation_results.unwrap());
        marker = answer.marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(Some(seen), full.evaluation_results);
    let broken = iam::SimulateCustomPolicyRequest {
        policy_input_list: vec!["{".to_owned()],
        ..ask(None)
    };
    assert_eq!(
        said(i.simulate_custom_policy(&root, broken).await).0,
        "InvalidInput"
    );
    let keys = iam::GetContextKeysForCustomPolicyRequest {
        policy_input_list: vec![policy.to_owned()],
    };
    let keys = i
        .get_context_keys_for_custom_policy(&root, keys)
        .await
        .unwrap()
        .context_key_names
        .unwrap();
    assert_eq!(keys, ["aws:principaltag/team", "aws:requestedregion"]);
}

#[on_every_engine]
async fn heavy_policies_make_short_pages_and_lose_nothing(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    let resources: Vec<String> = (0..2_000)
        .map(|n| format!("\"arn:aws:ecr:eu-west-1:111122223333:repository/r{n}\""))
        .collect();
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"ecr:PutImage","Resource":[{}]}}]}}"#,
        resources.join(","),
    );
    let repositories: Vec<String> = (0..250)
        .map(|n| format!("arn:aws:ecr:eu-west-1:111122223333:repository/r{n}"))
        .collect();
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
        assert_eq!((results.len(), results[0].eval_decision), (1, Allowed));
        let decided = results[0].resource_specific_results.clone().unwrap();
        assert!(
            !decided.is_empty() && decided.len() <= 200,
            "{} decisions at once",
            decided.len()
        );
        seen.extend(decided.into_iter().map(|one| one.eval_resource_name));
        pages += 1;
        marker = answer.marker;
        if marker.is_none() {
            break;
        }
    }
    assert!(pages > 1);
    assert_eq!(seen, repositories);
}

#[on_every_engine]
async fn a_resource_policy_takes_part(t: TestStore) {
    let w = World::new(&t).await;
    let (i, root) = (&w.identity, w.root().await);
    w.user(&root, "alice").await;
    let alice = "arn:aws:iam::111122223333:user/alice";
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{alice}"}},"Action":"ecr:PutImage","Resource":"*"}}]}}"#
    );
    let ask = |caller_arn: Option<&str>| iam::SimulateCustomPolicyRequest {
        policy_input_list: vec![allow("iam:*")],
        action_names: vec!["ecr:PutImage".to_owned()],
        resource_arns: Some(vec![
            "arn:aws:ecr:eu-west-1:111122223333:repository/app".to_owned(),
        ]),
        resource_policy: Some(document.clone()),
        caller_arn: caller_arn.map(str::to_owned),
        ..Default::default()
    };
    let named = i
        .simulate_custom_policy(&root, ask(Some(alice)))
        .await
        .unwrap();
    assert_eq!(decisions(&named), [("ecr:PutImage", Allowed)]);
    let without = i.simulate_custom_policy(&root, ask(None)).await;
    assert_eq!(
        said(without),
        (
            "InvalidInput".to_owned(),
            "Invalid caller - Caller cannot be null or empty.".to_owned()
        )
    );
    let nobody = i
        .simulate_custom_policy(&root, ask(Some("arn:aws:iam::111122223333:user/bob")))
        .await;
    assert_eq!(said(nobody).0, "InvalidInput");
}
