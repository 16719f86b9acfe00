//! What Berth adds to pull through cache rules: who may set it, and what becomes of keys and certificates.

use aws_api::berth::{
    self, DescribePullThroughCacheSettingsRequest, PullThroughCacheSettings,
    PullThroughCacheUpstream, PutPullThroughCacheSettingsRequest, ReferrersState,
};
use aws_api::ecr;

use super::world::{ACCOUNT, Person, Refused, World, statement};

const PREFIX: &str = "hub";

async fn world() -> World {
    let world = World::new().await;
    let input = ecr::CreatePullThroughCacheRuleRequest {
        ecr_repository_prefix: PREFIX.into(),
        upstream_registry_url: "quay.io".into(),
        ..Default::default()
    };
    let created = world.aws::<ecr::ops::CreatePullThroughCacheRule>(&world.root, &input);
    created.await.unwrap();
    world
}

fn settings() -> PutPullThroughCacheSettingsRequest {
    PutPullThroughCacheSettingsRequest {
        ecr_repository_prefix: PREFIX.into(),
        ..Default::default()
    }
}

fn by_role(arn: &str) -> PutPullThroughCacheSettingsRequest {
    PutPullThroughCacheSettingsRequest {
        upstreams: Some(vec![PullThroughCacheUpstream {
            upstream_registry_url: "mirror.example.com:5000".into(),
            custom_role_arn: Some(arn.into()),
            ..Default::default()
        }]),
        ..settings()
    }
}

async fn put(
    world: &World,
    person: &Person,
    input: &PutPullThroughCacheSettingsRequest,
) -> Result<PullThroughCacheSettings, Refused> {
    let put = world.aws::<berth::ops::PutPullThroughCacheSettings>(person, input);
    Ok(put.await?.settings)
}

async fn described(world: &World) -> PullThroughCacheSettings {
    let input = DescribePullThroughCacheSettingsRequest::default();
    let described = world.aws::<berth::ops::DescribePullThroughCacheSettings>(&world.root, &input);
    let mut settings = described.await.unwrap().settings;
    assert_eq!(settings.len(), 1);
    settings.remove(0)
}

/// The same as of a rule with a role: the role is passed to the service (ECR user guide, "Required IAM
/// permissions").
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_by_a_role_needs_that_the_caller_may_pass_the_role() {
    let world = world().await;
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    let nothing = statement("Deny", &["s3:*"], "*");
    world.role(&world.root, "cache", &root, &nothing).await;
    world.role(&world.root, "other", &root, &nothing).await;
    let sets = statement("Allow", &["berth:PutPullThroughCacheSettings"], "*");
    let cache = format!("arn:aws:iam::{ACCOUNT}:role/cache");
    let other = format!("arn:aws:iam::{ACCOUNT}:role/other");
    let user = world.user(&world.root, "mirrors", &sets).await;

    put(&world, &user, &settings()).await.unwrap();
    let refused = put(&world, &user, &by_role(&cache)).await.unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    assert!(
        refused.message.contains("iam:PassRole"),
        "{}",
        refused.message
    );

    let passes = |to: &str| {
        format!(
            r#"{sets},{{"Effect":"Allow","Action":"iam:PassRole","Resource":"{cache}","Condition":{{"StringEquals":{{"iam:PassedToService":"{to}"}}}}}}"#
        )
    };
    world
        .policy(&world.root, "mirrors", &passes("ec2.amazonaws.com"))
        .await;
    let refused = put(&world, &user, &by_role(&cache)).await.unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    let service = "pullthroughcache.ecr.amazonaws.com";
    world.policy(&world.root, "mirrors", &passes(service)).await;
    let set = put(&world, &user, &by_role(&cache)).await.unwrap();
    assert_eq!(set.upstreams[0].custom_role_arn.as_deref(), Some(&*cache));
    let refused = put(&world, &user, &by_role(&other)).await.unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    // What was refused changed nothing.
    let kept = described(&world).await;
    assert_eq!(kept.upstreams[0].custom_role_arn.as_deref(), Some(&*cache));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_set_all_at_once_and_reset() {
    let world = world().await;
    let defaults = described(&world).await;
    assert_eq!(
        (defaults.tag_freshness_seconds, defaults.updated_at),
        (86_400, None)
    );
    let input = PutPullThroughCacheSettingsRequest {
        tag_freshness_seconds: Some(60),
        platforms: Some(vec!["linux/amd64".into(), "linux/arm/v7".into()]),
        referrers: Some(ReferrersState::Disabled),
        upstreams: Some(vec![PullThroughCacheUpstream {
            upstream_registry_url: "mirror.example.com:5000".into(),
            upstream_repository_prefix: Some("docker-hub".into()),
            ..Default::default()
        }]),
        ..settings()
    };
    let set = put(&world, &world.root, &input).await.unwrap();
    assert_eq!(set, described(&world).await);
    assert_eq!(set.platforms, ["linux/amd64", "linux/arm/v7"]);
    assert_eq!(set.referrers, ReferrersState::Disabled);
    assert_eq!(set.upstreams[0].upstream_repository_prefix, "docker-hub");
    assert!(set.updated_at.is_some());

    // What is left out has its default.
    let again = PutPullThroughCacheSettingsRequest {
        tag_freshness_seconds: Some(0),
        ..settings()
    };
    let set = put(&world, &world.root, &again).await.unwrap();
    assert_eq!(set.tag_freshness_seconds, 0);
    assert!(set.platforms.is_empty() && set.upstreams.is_empty());
    assert_eq!(set.referrers, ReferrersState::Enabled);

    let input = berth::DeletePullThroughCacheSettingsRequest {
        ecr_repository_prefix: PREFIX.into(),
    };
    let deleted = world.aws::<berth::ops::DeletePullThroughCacheSettings>(&world.root, &input);
    deleted.await.unwrap();
    assert_eq!(described(&world).await, defaults);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_key_is_kept_for_its_certificate_alone_and_never_shown() {
    let world = world().await;
    let made = || rcgen::generate_simple_self_signed(vec!["berth.example.com".into()]).unwrap();
    let (one, two) = (made(), made());
    let key = one.signing_key.serialize_pem();
    let input = |certificate: Option<&rcgen::CertifiedKey<rcgen::KeyPair>>, key: Option<&str>| {
        PutPullThroughCacheSettingsRequest {
            client_certificate: certificate.map(|made| made.cert.pem()),
            client_key: key.map(|key| key.to_owned().into()),
            ..settings()
        }
    };
    for (input, message) in [
        (input(None, Some(&key)), "clientKey"),
        (input(Some(&one), None), "clientKey"),
        // The key of another certificate.
        (input(Some(&two), Some(&key)), "clientCertificate"),
        (input(Some(&one), Some("not a key")), "clientCertificate"),
    ] {
        let refused = put(&world, &world.root, &input).await.unwrap_err();
        assert_eq!(refused.code, "InvalidParameterException");
        assert!(refused.message.contains(message), "{}", refused.message);
        assert!(!refused.message.contains("PRIVATE"), "{}", refused.message);
    }
    assert!(!described(&world).await.has_client_key);

    let has_key = async |certificate, key| {
        let set = put(&world, &world.root, &input(certificate, key)).await;
        set.map(|set| set.has_client_key)
            .map_err(|refused| refused.code)
    };
    let invalid = || Err("InvalidParameterException".to_owned());
    assert_eq!(has_key(Some(&one), Some(&key)).await, Ok(true));
    // Without the key, that of the same certificate stays; another certificate needs its own.
    assert_eq!(has_key(Some(&one), None).await, Ok(true));
    assert_eq!(has_key(Some(&two), None).await, invalid());
    assert_eq!(has_key(None, None).await, Ok(false));
    assert_eq!(has_key(Some(&one), None).await, invalid());

    let secret = key.lines().nth(1).unwrap();
    let events = world.stop().await;
    let puts = events
        .iter()
        .filter(|event| event["eventName"] == "PutPullThroughCacheSettings");
    assert_eq!(puts.count(), 9);
    for event in events {
        assert!(!event.to_string().contains(secret));
    }
}
