//! Repository policies with pinned principals; registry policies.

use crate::world::*;
use aws_api::ecr;
use serde_json::json;
use store::ecr::repository;
use store::testing::{TestStore, on_every_engine};
use store::{Scope, Topic};

const USER: &str = "arn:aws:iam::123456789012:user/puller";

fn policy(principal: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "pull", "Effect": "Allow", "Principal": {"AWS": principal},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    }]})
    .to_string()
}

async fn set(w: &World, text: &str) -> Result<ecr::SetRepositoryPolicyResponse, registry::Error> {
    let input = ecr::SetRepositoryPolicyRequest {
        repository_name: "app".into(),
        policy_text: text.into(),
        ..Default::default()
    };
    w.registry.set_repository_policy(&w.cx, input).await
}

async fn get(w: &World) -> Result<String, registry::Error> {
    let input = ecr::GetRepositoryPolicyRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    Ok(w.registry
        .get_repository_policy(&w.cx, input)
        .await?
        .policy_text
        .unwrap())
}

#[on_every_engine]
async fn a_policy_is_set_shown_and_deleted(store: TestStore) {
    let w = World::new(&store).await;
    w.repository("app").await;
    assert!(w.facts("app").await.policy.is_none());
    let missing = get(&w).await;
    assert_eq!(
        missing.as_ref().unwrap_err().to_string(),
        "Repository policy does not exist for the repository with name 'app' in the registry with id '123456789012'"
    );
    assert_eq!(refusal(missing), "RepositoryPolicyNotFound");
    let text = policy("210987654321");
    assert_eq!(
        set(&w, &text).await.unwrap().policy_text.as_deref(),
        Some(text.as_str())
    );
    assert_eq!(get(&w).await.unwrap(), text);
    assert!(
        w.facts("app")
            .await
            .policy
            .as_ref()
            .is_some_and(|set| !set.is_empty())
    );
    let delete = || ecr::DeleteRepositoryPolicyRequest {
        repository_name: "app".into(),
        ..Default::default()
    };
    let deleted = w
        .registry
        .delete_repository_policy(&w.cx, delete())
        .await
        .unwrap();
    assert_eq!(deleted.policy_text, Some(text));
    assert!(w.facts("app").await.policy.is_none());
    assert_eq!(
        refusal(w.registry.delete_repository_policy(&w.cx, delete()).await),
        "RepositoryPolicyNotFound"
    );
}

#[on_every_engine]
async fn a_principal_is_pinned_to_its_unique_id(store: TestStore) {
    let w = World::new(&store).await;
    w.repository("app").await;
    let text = policy(USER);
    // A principal that does not exist cannot be named.
    assert_eq!(refusal(set(&w, &text).await), "PrincipalNotFound");
    assert_eq!(refusal(get(&w).await), "RepositoryPolicyNotFound");
    w.people
        .0
        .lock()
        .unwrap()
        .push((USER.into(), "AIDAFIRSTFIRSTFIRST01".into()));
    set(&w, &text).await.unwrap();
    assert_eq!(get(&w).await.unwrap(), text);
    assert!(w.facts("app").await.policy.is_some());
    // Deleted and made again, it is another: the policy shows whom it means.
    *w.people.0.lock().unwrap() = vec![(USER.into(), "AIDASECONDSECONDSEC02".into())];
    assert_eq!(get(&w).await.unwrap(), policy("AIDAFIRSTFIRSTFIRST01"));
}

#[on_every_engine]
async fn a_broken_policy_is_refused(store: TestStore) {
    let w = World::new(&store).await;
    w.repository("app").await;
    for text in [
        "",
        "{",
        "[]",
        "{\"Version\":\"2012-10-17\"}",
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"ecr:*\"}]}",
    ] {
        assert_eq!(refusal(set(&w, text).await), "InvalidPolicy", "{text}");
    }
    assert_eq!(refusal(get(&w).await), "RepositoryPolicyNotFound");
}

/// The texts are Amazon ECR's: Terraform and others match them.
#[on_every_engine]
async fn refusals_are_in_amazon_ecrs_words(store: TestStore) {
    let w = World::new(&store).await;
    w.repository("app").await;
    let statement = |action: serde_json::Value| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "210987654321"}, "Action": action,
        }]})
        .to_string()
    };
    let invalid = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'";
    for action in [
        json!("ecr:GetAuthorizationToken"),
        json!("ECR:getauthorizationtoken"),
        json!(["ecr:BatchGetImage", "ecr:DescribeRegistry"]),
        json!("ecr:PutRegistryPolicy"),
        json!("s3:GetObject"),
        json!(["ecr:*", "s3:*"]),
        json!("ecr-public:*"),
    ] {
        let refused = set(&w, &statement(action.clone())).await;
        assert!(
            refused
                .as_ref()
                .unwrap_err()
                .to_string()
                .starts_with(invalid),
            "{action} {refused:?}"
        );
        assert_eq!(refusal(refused), "InvalidPolicy");
    }
    for action in [
        json!("ecr:*"),
        json!("*"),
        json!("ecr:Get*"),
        json!([
            "ecr:BatchGetImage",
            "ecr:CreateRepository",
            "ecr:TagResource"
        ]),
        json!("ecr:ListImageReferrers"),
    ] {
        set(&w, &statement(action.clone()))
            .await
            .unwrap_or_else(|error| panic!("{action} {error}"));
    }
    assert!(
        set(&w, "{")
            .await
            .unwrap_err()
            .to_string()
            .starts_with(invalid)
    );
    let unknown = set(&w, &policy(USER)).await.unwrap_err().to_string();
    assert!(
        unknown.starts_with(
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'"
        ),
        "{unknown}"
    );
    let put = ecr::PutRegistryPolicyRequest {
        policy_text: statement(json!("s3:*")),
    };
    let refused = w
        .registry
        .put_registry_policy(&w.cx, put)
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.starts_with("Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid registry policy provided'"), "{refused}");
}

#[on_every_engine]
async fn statements_may_share_a_sid(store: TestStore) {
    let w = World::new(&store).await;
    w.repository("app").await;
    let statement = |action: &str| json!({"Sid": "same", "Effect": "Allow", "Principal": {"AWS": "210987654321"}, "Action": action});
    let text = json!({"Version": "2012-10-17", "Statement": [statement("ecr:BatchGetImage"), statement("ecr:ListImages")]}).to_string();
    set(&w, &text).await.unwrap();
    assert_eq!(get(&w).await.unwrap(), text);
}

#[on_every_engine]
async fn a_registry_policy_decides_with_every_repository(store: TestStore) {
    let w = World::new(&store).await;
    w.repository("app").await;
    w.people
        .0
        .lock()
        .unwrap()
        .push((USER.into(), "AIDAFIRSTFIRSTFIRST01".into()));
    let (node, other, _) = w.another_node(true, w.cx.now).await;
    // Who may pull: the user by the registry's policy, and by either of both nodes.
    let may = async |id: &str, action: &str, name: &str| {
        let mut both = Vec::new();
        for registry in [&w.registry, &node] {
            let facts = registry
                .repository_facts(&w.cx.account, &w.cx.region, name)
                .await
                .unwrap();
            let policy = match facts {
                Some(facts) => facts.policy.clone(),
                None => registry
                    .registry_policy(&w.cx.account, &w.cx.region)
                    .await
                    .unwrap(),
            };
            let principal = policy::Principal::user(USER, Some(id));
            let context = policy::Context::new();
            let resource = format!("arn:aws:ecr:us-east-1:123456789012:repository/{name}");
            let request = policy::Request {
                principal: &principal,
                action,
                resource: &resource,
                resource_account: Some("123456789012"),
                context: &context,
            };
            let applicable = policy::ApplicablePolicies {
                resource: policy.as_deref(),
                ..Default::default()
            };
            both.push(policy::decide(&request, &applicable).is_allowed());
        }
        assert_eq!(both[0], both[1], "{id} {action} {name}");
        both[0]
    };
    let first = "AIDAFIRSTFIRSTFIRST01";
    for name in ["app", "none", "*"] {
        assert!(!may(first, "ecr:BatchGetImage", name).await, "{name}");
    }
    let statement = |effect: &str, action: &str, principal: &str| {
        json!({
            "Effect": effect, "Principal": {"AWS": principal}, "Action": action,
            "Resource": "arn:aws:ecr:us-east-1:123456789012:repository/*",
        })
    };
    let text = json!({"Version": "2012-10-17", "Statement": [
        statement("Allow", "ecr:*", USER), statement("Deny", "ecr:PutImage", USER),
    ]})
    .to_string();
    let unknown = text.replace("puller", "nobody");
    let put = |policy_text: &str| ecr::PutRegistryPolicyRequest {
        policy_text: policy_text.into(),
    };
    assert_eq!(
        refusal(w.registry.put_registry_policy(&w.cx, put(&unknown)).await),
        "PrincipalNotFound"
    );
    w.registry
        .put_registry_policy(&w.cx, put(&text))
        .await
        .unwrap();
    other.poll_changes().await.unwrap();
    for name in ["app", "none", "*"] {
        assert!(may(first, "ecr:BatchGetImage", name).await, "{name}");
        assert!(
            !may("AIDASECONDSECONDSEC02", "ecr:BatchGetImage", name).await,
            "{name}"
        );
        assert!(!may(first, "ecr:PutImage", name).await, "{name}");
    }
    // Beside the repository's own: a Deny of either stands.
    set(
        &w,
        &policy(USER).replace("ecr:BatchGetImage", "ecr:PutImage"),
    )
    .await
    .unwrap();
    other.poll_changes().await.unwrap();
    assert!(!may(first, "ecr:PutImage", "app").await);
    assert!(may(first, "ecr:BatchGetImage", "app").await);
    // It is shown with the ARN while that is the same user's.
    let get = async || {
        w.registry
            .get_registry_policy(&w.cx, ecr::GetRegistryPolicyRequest::default())
            .await
            .unwrap()
            .policy_text
            .unwrap()
    };
    assert_eq!(get().await, text);
    *w.people.0.lock().unwrap() = vec![(USER.into(), "AIDASECONDSECONDSEC02".into())];
    assert_eq!(get().await, text.replace(USER, first));
    w.registry
        .delete_registry_policy(&w.cx, ecr::DeleteRegistryPolicyRequest::default())
        .await
        .unwrap();
    other.poll_changes().await.unwrap();
    for name in ["app", "none", "*"] {
        assert!(!may(first, "ecr:BatchGetImage", name).await, "{name}");
    }
    assert!(may(first, "ecr:PutImage", "app").await);
}

#[on_every_engine]
async fn a_registry_policy_is_kept(store: TestStore) {
    let w = World::new(&store).await;
    let get = || ecr::GetRegistryPolicyRequest::default();
    assert_eq!(
        refusal(w.registry.get_registry_policy(&w.cx, get()).await),
        "RegistryPolicyNotFound"
    );
    let text = json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "replicate", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
            "Action": ["ecr:ReplicateImage"], "Resource": ["arn:aws:ecr:us-east-1:123456789012:repository/*"],
        }]}).to_string();
    let put = ecr::PutRegistryPolicyRequest {
        policy_text: text.clone(),
    };
    w.registry.put_registry_policy(&w.cx, put).await.unwrap();
    assert_eq!(
        w.registry
            .get_registry_policy(&w.cx, get())
            .await
            .unwrap()
            .policy_text,
        Some(text.clone())
    );
    let deleted = w
        .registry
        .delete_registry_policy(&w.cx, ecr::DeleteRegistryPolicyRequest::default())
        .await
        .unwrap();
    assert_eq!(deleted.policy_text, Some(text));
    assert_eq!(
        refusal(
            w.registry
                .delete_registry_policy(&w.cx, ecr::DeleteRegistryPolicyRequest::default())
                .await
        ),
        "RegistryPolicyNotFound"
    );
}

/// A rule of storing that came later takes no policy away, and locks nobody out.
#[on_every_engine]
async fn policies_stored_before_a_rule_still_decide(store: TestStore) {
    let w = World::new(&store).await;
    let id = w.repository("app").await.id;
    let old = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
            "Action": "ecr:BatchGetImage", "Resource": "*"}]})
    .to_string();
    assert_eq!(refusal(set(&w, &old).await), "InvalidPolicy");
    let mut tx = store
        .store
        .write(Scope::Registry {
            account: ACCOUNT,
            region: REGION,
        })
        .await
        .unwrap();
    assert!(
        repository::set_policy(&mut tx.conn(), id, Some(old.clone()))
            .await
            .unwrap()
    );
    tx.touch(Topic::Repository(id));
    tx.commit().await.unwrap();
    assert_eq!(get(&w).await.unwrap(), old);
    assert!(
        w.facts("app")
            .await
            .policy
            .as_ref()
            .is_some_and(|set| !set.is_empty())
    );
}
