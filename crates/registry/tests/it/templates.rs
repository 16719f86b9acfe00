//! Repository creation templates.

use crate::world::*;
use aws_api::ecr::{self, ImageTagMutability, RCTAppliedFor};
use registry::Error;
use store::testing::{TestStore, on_every_engine};

const ROLE: &str = "arn:aws:iam::123456789012:role/ecr-templates";

const LIFECYCLE: &str = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}"#;

fn input(prefix: &str) -> ecr::CreateRepositoryCreationTemplateRequest {
    ecr::CreateRepositoryCreationTemplateRequest {
        prefix: prefix.into(),
        applied_for: vec![RCTAppliedFor::CreateOnPush],
        ..Default::default()
    }
}

async fn create(
    w: &World,
    input: ecr::CreateRepositoryCreationTemplateRequest,
) -> Result<ecr::RepositoryCreationTemplate, Error> {
    let created = w
        .registry
        .create_repository_creation_template(&w.cx, input)
        .await?;
    Ok(created.repository_creation_template.unwrap())
}

async fn describe(w: &World, prefixes: &[&str]) -> Vec<String> {
    let prefixes = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
    let input = ecr::DescribeRepositoryCreationTemplatesRequest {
        prefixes: Some(prefixes),
        ..Default::default()
    };
    let found = w
        .registry
        .describe_repository_creation_templates(&w.cx, input);
    let found = found.await.unwrap().repository_creation_templates.unwrap();
    found
        .into_iter()
        .map(|template| template.prefix.unwrap())
        .collect()
}

/// Pushes to a repository that is not there; false where no template creates it.
async fn push(w: &World, name: &str) -> Result<bool, Error> {
    let (account, region) = (&w.cx.account, &w.cx.region);
    let found = w
        .registry
        .repository_on_push(&w.cx, account, region, name)
        .await?;
    let Some(templated) = found else {
        return Ok(false);
    };
    w.registry
        .create_templated_repository(&w.cx, templated)
        .await?;
    Ok(true)
}

#[on_every_engine]
async fn a_repository_is_created_as_its_template_says(store: TestStore) {
    let w = World::new(&store).await;
    w.people.0.lock().unwrap().extend([
        (ROLE.to_owned(), "AROAFIRSTFIRSTFIRST01".to_owned()),
        (
            "arn:aws:iam::123456789012:user/puller".to_owned(),
            "AIDAFIRSTFIRSTFIRST01".to_owned(),
        ),
    ]);
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/puller"},"Action":"ecr:BatchGetImage"}]}"#;
    let filter = ecr::ImageTagMutabilityExclusionFilter {
        filter_type: ecr::ImageTagMutabilityExclusionFilterType::Wildcard,
        filter: "dev-*".into(),
    };
    let made = create(
        &w,
        ecr::CreateRepositoryCreationTemplateRequest {
            description: Some("of the team".into()),
            resource_tags: Some(vec![ecr::Tag {
                key: "team".into(),
                value: "a".into(),
            }]),
            image_tag_mutability: Some(ImageTagMutability::ImmutableWithExclusion),
            image_tag_mutability_exclusion_filters: Some(vec![filter.clone()]),
            repository_policy: Some(policy.into()),
            custom_role_arn: Some(ROLE.into()),
            lifecycle_policy: Some(LIFECYCLE.into()),
            ..input("team")
        },
    )
    .await
    .unwrap();
    assert_eq!(made.repository_policy.as_deref(), Some(policy));
    assert_eq!(made.created_at, Some(w.cx.now));
    assert!(!push(&w, "app").await.unwrap(), "no template is for it");
    assert!(push(&w, "team/app").await.unwrap());

    let names = ecr::DescribeRepositoriesRequest {
        repository_names: Some(vec!["team/app".into()]),
        ..Default::default()
    };
    let described = w
        .registry
        .describe_repositories(&w.cx, names)
        .await
        .unwrap();
    let repository = described.repositories.unwrap().remove(0);
    assert_eq!(
        repository.image_tag_mutability,
        Some(ImageTagMutability::ImmutableWithExclusion)
    );
    assert_eq!(
        repository.image_tag_mutability_exclusion_filters,
        Some(vec![filter])
    );
    let facts = w.facts("team/app").await;
    assert_eq!(facts.tags.get("team").map(String::as_str), Some("a"));
    let get = ecr::GetRepositoryPolicyRequest {
        repository_name: "team/app".into(),
        ..Default::default()
    };
    let got = w.registry.get_repository_policy(&w.cx, get).await.unwrap();
    assert_eq!(got.policy_text.as_deref(), Some(policy));
    let get = ecr::GetLifecyclePolicyRequest {
        repository_name: "team/app".into(),
        ..Default::default()
    };
    let got = w.registry.get_lifecycle_policy(&w.cx, get).await.unwrap();
    assert_eq!(got.lifecycle_policy_text.as_deref(), Some(LIFECYCLE));
    let wrong = ecr::CreateRepositoryCreationTemplateRequest {
        lifecycle_policy: Some("{}".into()),
        ..input("other")
    };
    assert_eq!(refusal(create(&w, wrong).await), "InvalidParameter");
}

/// ECR user guide, "Creating a repository creation template".
#[on_every_engine]
async fn resource_tags_need_a_role(store: TestStore) {
    let w = World::new(&store).await;
    let tagged = ecr::CreateRepositoryCreationTemplateRequest {
        resource_tags: Some(vec![ecr::Tag {
            key: "team".into(),
            value: "a".into(),
        }]),
        ..input("team")
    };
    create(&w, tagged).await.unwrap();
    assert_eq!(refusal(push(&w, "team/app").await), "TemplateWithoutRole");
    for arn in [
        ROLE,
        "arn:aws:iam::210987654321:role/foreign",
        "arn:aws:iam::123456789012:user/pusher",
        "role",
    ] {
        let with_role = ecr::CreateRepositoryCreationTemplateRequest {
            custom_role_arn: Some(arn.into()),
            ..input("other")
        };
        assert_eq!(
            refusal(create(&w, with_role).await),
            "InvalidParameter",
            "{arn}"
        );
    }
}

#[on_every_engine]
async fn templates_are_found_by_their_prefix(store: TestStore) {
    let w = World::new(&store).await;
    for prefix in ["ROOT", "prod/", "prod/team"] {
        create(&w, input(prefix)).await.unwrap();
    }
    assert_eq!(
        refusal(create(&w, input("prod")).await),
        "TemplateAlreadyExists"
    );
    assert_eq!(describe(&w, &[]).await, ["ROOT", "prod/", "prod/team"]);
    assert_eq!(describe(&w, &["prod", "none"]).await, ["prod/"]);
    let page = async |next_token| {
        let input = ecr::DescribeRepositoryCreationTemplatesRequest {
            max_results: Some(2),
            next_token,
            ..Default::default()
        };
        let found = w
            .registry
            .describe_repository_creation_templates(&w.cx, input);
        let found = found.await.unwrap();
        (
            found.repository_creation_templates.unwrap().len(),
            found.next_token,
        )
    };
    let (first, token) = page(None).await;
    assert_eq!((first, token.is_some()), (2, true));
    assert_eq!(page(token).await, (1, None));

    let delete = async |prefix: &str| {
        let input = ecr::DeleteRepositoryCreationTemplateRequest {
            prefix: prefix.into(),
        };
        w.registry
            .delete_repository_creation_template(&w.cx, input)
            .await
    };
    delete("ROOT").await.unwrap();
    assert_eq!(refusal(delete("ROOT").await), "TemplateNotFound");
    assert!(!push(&w, "app").await.unwrap());
    assert!(push(&w, "prod/team/app").await.unwrap());
}

#[on_every_engine]
async fn an_update_changes_what_it_names(store: TestStore) {
    let w = World::new(&store).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}]}"#;
    let made = ecr::CreateRepositoryCreationTemplateRequest {
        description: Some("first".into()),
        repository_policy: Some(policy.into()),
        image_tag_mutability: Some(ImageTagMutability::Immutable),
        ..input("team")
    };
    create(&w, made).await.unwrap();
    let update = async |input: ecr::UpdateRepositoryCreationTemplateRequest| {
        let input = ecr::UpdateRepositoryCreationTemplateRequest {
            prefix: "team".into(),
            ..input
        };
        let later = w.later(1);
        let updated = w
            .registry
            .update_repository_creation_template(&later, input)
            .await?;
        Ok::<_, Error>(updated.repository_creation_template.unwrap())
    };
    let updated = update(ecr::UpdateRepositoryCreationTemplateRequest {
        applied_for: Some(vec![RCTAppliedFor::Replication, RCTAppliedFor::Replication]),
        ..Default::default()
    })
    .await
    .unwrap();
    assert_eq!(updated.applied_for, Some(vec![RCTAppliedFor::Replication]));
    assert_eq!(updated.description.as_deref(), Some("first"));
    assert_eq!(
        updated.image_tag_mutability,
        Some(ImageTagMutability::Immutable)
    );
    assert_eq!(updated.repository_policy.as_deref(), Some(policy));
    assert!(updated.updated_at > updated.created_at);
    assert!(!push(&w, "team/app").await.unwrap());

    let updated = update(ecr::UpdateRepositoryCreationTemplateRequest {
        repository_policy: Some(String::new()),
        image_tag_mutability: Some(ImageTagMutability::Mutable),
        ..Default::default()
    })
    .await
    .unwrap();
    assert_eq!(updated.repository_policy, None);
    assert_eq!(
        updated.image_tag_mutability,
        Some(ImageTagMutability::Mutable)
    );
    let none = update(ecr::UpdateRepositoryCreationTemplateRequest {
        applied_for: Some(vec![]),
        ..Default::default()
    });
    assert_eq!(refusal(none.await), "InvalidParameter");
    let kms = update(ecr::UpdateRepositoryCreationTemplateRequest {
        encryption_configuration: Some(ecr::EncryptionConfigurationForRepositoryCreationTemplate {
            encryption_type: ecr::EncryptionType::Kms,
            kms_key: Some("alias/mine".into()),
        }),
        ..Default::default()
    });
    assert_eq!(refusal(kms.await), "InvalidParameter");
}
