//! The rows M1 to M3: secrets on both databases.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use authz::testing::{authorized, caller, context};
use authz::{Authorized, ServiceName};
use aws_api::Secret;
use aws_api::secrets_manager::{
    CreateSecretRequest, DeleteSecretRequest, DescribeSecretRequest, ErrorCode,
    GetResourcePolicyRequest, GetSecretValueRequest, ListSecretVersionIdsRequest,
    ListSecretsRequest, PutSecretValueRequest, RestoreSecretRequest, Tag, TagResourceRequest,
    UntagResourceRequest, UpdateSecretRequest,
};
use aws_types::{Entropy, EntropyError};
use jiff::SignedDuration;
use secrets::{BoxFuture, Error, PlainValue, Seal, SealFailed, Secrets};
use store::testing::{TestStore, on_every_engine};
use zeroize::Zeroizing;

const NAME: &str = "ecr-pullthroughcache/hub";

struct Counting(std::sync::Mutex<u8>);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let mut next = self.0.lock().unwrap();
        for byte in bytes {
            *next = next.wrapping_add(1);
            *byte = *next;
        }
        Ok(())
    }
}

/// Turns each bit, which is enough to see whether plain text is stored.
struct Turned;

impl Seal for Turned {
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, SealFailed> {
        Ok(plain.iter().map(|byte| !byte).collect())
    }
    fn open<'a>(
        &'a self,
        sealed: &'a [u8],
    ) -> BoxFuture<'a, Result<Zeroizing<Vec<u8>>, SealFailed>> {
        let plain = sealed.iter().map(|byte| !byte).collect();
        Box::pin(async move { Ok(Zeroizing::new(plain)) })
    }
}

struct World {
    secrets: Secrets,
    cx: Authorized,
}

fn at(hours: i64) -> Authorized {
    let mut context = context(caller("arn:aws:iam::123456789012:user/alice", None));
    context.now += SignedDuration::from_hours(hours);
    authorized(context)
}

impl World {
    fn new(t: &TestStore) -> World {
        let entropy = Arc::new(Counting(std::sync::Mutex::new(0)));
        World {
            secrets: Secrets::new(t.store.clone(), Arc::new(Turned), entropy),
            cx: at(0),
        }
    }

    async fn create(&self, name: &str, value: &str) -> Result<String, Error> {
        let input = CreateSecretRequest {
            name: name.to_owned(),
            secret_string: Some(value.into()),
            ..Default::default()
        };
        let made = self.secrets.create_secret(&self.cx, input).await?;
        Ok(made.arn.unwrap())
    }

    async fn value(&self, cx: &Authorized, id: &str, stage: Option<&str>) -> Result<String, Error> {
        let input = GetSecretValueRequest {
            secret_id: id.to_owned(),
            version_stage: stage.map(str::to_owned),
            ..Default::default()
        };
        let found = self.secrets.get_secret_value(cx, input).await?;
        Ok(found.secret_string.unwrap().expose().clone())
    }

    async fn delete(&self, id: &str, days: Option<i64>, force: bool) -> Result<(), Error> {
        let input = DeleteSecretRequest {
            secret_id: id.to_owned(),
            recovery_window_in_days: days,
            force_delete_without_recovery: force.then_some(true),
        };
        self.secrets.delete_secret(&self.cx, input).await.map(drop)
    }

    async fn names(&self, cx: &Authorized, with_deleted: bool) -> Vec<String> {
        let input = ListSecretsRequest {
            include_planned_deletion: Some(with_deleted),
            ..Default::default()
        };
        let page = self.secrets.list_secrets(cx, input).await.unwrap();
        let names = page.secret_list.unwrap().into_iter();
        names.map(|entry| entry.name.unwrap()).collect()
    }

    async fn put(&self, value: &str, token: &str) -> Result<Vec<String>, Error> {
        let input = PutSecretValueRequest {
            secret_id: NAME.to_owned(),
            client_request_token: Some(token.to_owned()),
            secret_string: Some(value.into()),
            ..Default::default()
        };
        let put = self.secrets.put_secret_value(&self.cx, input).await?;
        assert_eq!(put.version_id.as_deref(), Some(token));
        Ok(put.version_stages.unwrap())
    }
}

fn refused(error: Error, code: ErrorCode, message: &str) {
    assert!(error.is(code), "{error:?}");
    assert_eq!(error.to_string(), message);
}

#[on_every_engine]
async fn m1_a_secret_is_read_by_name_and_by_arn(t: TestStore) {
    let w = World::new(&t);
    let arn = w.create(NAME, "s3cret").await.unwrap();
    let start = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/hub-";
    assert_eq!(arn.strip_prefix(start).unwrap().len(), 6);
    let partial = arn.rsplit_once('-').unwrap().0.to_owned();
    for id in [NAME, &arn, &partial] {
        assert_eq!(w.value(&w.cx, id, None).await.unwrap(), "s3cret", "{id}");
    }
    let other = format!("{partial}-ZZZZZZ");
    for id in [other.as_str(), "ecr-pullthroughcache/none"] {
        let error = w.value(&w.cx, id, None).await.unwrap_err();
        let message = "Secrets Manager can't find the specified secret.";
        refused(error, ErrorCode::ResourceNotFound, message);
    }
    let facts = w.secrets.facts(w.cx.account, &w.cx.region, NAME).await;
    assert_eq!(facts.unwrap().arn, arn);
    let absent = w
        .secrets
        .facts(w.cx.account, &w.cx.region, "ecr-pullthroughcache/x")
        .await;
    assert!(
        absent
            .unwrap()
            .arn
            .ends_with("secret:ecr-pullthroughcache/x-??????")
    );
    // Nothing of the value is in the row.
    let mut read = t.store.read().await.unwrap();
    let (account, region) = ("123456789012", "us-east-1");
    let secret = store::secrets::find(&mut read.conn(), account, region, NAME).await;
    let secret = secret.unwrap().unwrap();
    let versions = store::secrets::versions(&mut read.conn(), secret.id)
        .await
        .unwrap();
    assert!(!versions[0].sealed.windows(6).any(|part| part == b"s3cret"));
}

#[on_every_engine]
async fn m1_a_new_value_is_current_and_the_old_one_previous(t: TestStore) {
    let w = World::new(&t);
    w.create(NAME, "one").await.unwrap();
    let two = "2".repeat(32);
    assert_eq!(w.put("two", &two).await.unwrap(), ["AWSCURRENT"]);
    // The same token and value change nothing; with another value they are refused.
    assert_eq!(w.put("two", &two).await.unwrap(), ["AWSCURRENT"]);
    let error = w.put("other", &two).await.unwrap_err();
    assert!(error.is(ErrorCode::ResourceExists), "{error}");
    assert!(!format!("{error:?}").contains("other"));
    assert_eq!(w.value(&w.cx, NAME, None).await.unwrap(), "two");
    assert_eq!(
        w.value(&w.cx, NAME, Some("AWSPREVIOUS")).await.unwrap(),
        "one"
    );
    w.put("three", &"3".repeat(32)).await.unwrap();
    assert_eq!(
        w.value(&w.cx, NAME, Some("AWSPREVIOUS")).await.unwrap(),
        "two"
    );
    let described = DescribeSecretRequest {
        secret_id: NAME.to_owned(),
    };
    let described = w.secrets.describe_secret(&w.cx, described).await.unwrap();
    assert_eq!(described.version_ids_to_stages.unwrap().len(), 2);
    let list = |deprecated| ListSecretVersionIdsRequest {
        secret_id: NAME.to_owned(),
        include_deprecated: Some(deprecated),
        ..Default::default()
    };
    for (deprecated, count) in [(false, 2), (true, 3)] {
        let listed = w
            .secrets
            .list_secret_version_ids(&w.cx, list(deprecated))
            .await
            .unwrap();
        assert_eq!(listed.versions.unwrap().len(), count);
    }
    let update = UpdateSecretRequest {
        secret_id: NAME.to_owned(),
        description: Some("Docker Hub".to_owned()),
        secret_string: Some("four".into()),
        ..Default::default()
    };
    w.secrets.update_secret(&w.cx, update).await.unwrap();
    assert_eq!(w.value(&w.cx, NAME, None).await.unwrap(), "four");
    let arn = w
        .secrets
        .facts(w.cx.account, &w.cx.region, NAME)
        .await
        .unwrap()
        .arn;
    let used = w
        .secrets
        .current_value(ServiceName::Maintenance, &arn, w.cx.now)
        .await;
    assert_eq!(used.unwrap(), Some(PlainValue::Text("four".into())));
}

#[on_every_engine]
async fn m1_bytes_come_back_as_bytes(t: TestStore) {
    let w = World::new(&t);
    let input = CreateSecretRequest {
        name: NAME.to_owned(),
        secret_binary: Some(Secret::new(vec![0, 255, 0])),
        ..Default::default()
    };
    w.secrets.create_secret(&w.cx, input).await.unwrap();
    let input = GetSecretValueRequest {
        secret_id: NAME.to_owned(),
        ..Default::default()
    };
    let found = w.secrets.get_secret_value(&w.cx, input).await.unwrap();
    assert_eq!(found.secret_binary.unwrap().expose(), &vec![0, 255, 0]);
    assert_eq!(found.secret_string, None);
}

#[on_every_engine]
async fn m2_a_name_is_taken_also_while_it_is_scheduled_for_deletion(t: TestStore) {
    let w = World::new(&t);
    w.create(NAME, "one").await.unwrap();
    let error = w.create(NAME, "two").await.unwrap_err();
    let message =
        "The operation failed because the secret ecr-pullthroughcache/hub already exists.";
    refused(error, ErrorCode::ResourceExists, message);
    w.delete(NAME, None, false).await.unwrap();
    let error = w.create(NAME, "two").await.unwrap_err();
    let message = "You can't create this secret because a secret with this name is already scheduled for deletion.";
    refused(error, ErrorCode::InvalidRequest, message);
    let error = w.create("database", "one").await.unwrap_err();
    assert!(error.is(ErrorCode::InvalidRequest), "{error}");
}

#[on_every_engine]
async fn m3_a_deleted_secret_can_be_restored_within_its_window(t: TestStore) {
    let w = World::new(&t);
    let arn = w.create(NAME, "one").await.unwrap();
    for (days, force) in [(Some(6), false), (Some(31), false), (Some(7), true)] {
        let error = w.delete(NAME, days, force).await.unwrap_err();
        assert!(error.is(ErrorCode::InvalidParameter), "{error}");
    }
    w.delete(NAME, Some(7), false).await.unwrap();
    let error = w.value(&w.cx, NAME, None).await.unwrap_err();
    assert!(error.is(ErrorCode::InvalidRequest), "{error}");
    let used = w
        .secrets
        .current_value(ServiceName::Maintenance, &arn, w.cx.now)
        .await;
    assert_eq!(used.unwrap(), None);
    assert!(w.names(&w.cx, false).await.is_empty());
    assert_eq!(w.names(&w.cx, true).await, [NAME]);
    let restore = || RestoreSecretRequest {
        secret_id: NAME.to_owned(),
    };
    w.secrets.restore_secret(&w.cx, restore()).await.unwrap();
    assert_eq!(w.value(&w.cx, NAME, None).await.unwrap(), "one");
    w.delete(NAME, Some(7), false).await.unwrap();
    // Over: gone, also before the row is removed.
    let late = at(7 * 24);
    let error = w
        .secrets
        .restore_secret(&late, restore())
        .await
        .unwrap_err();
    assert!(error.is(ErrorCode::ResourceNotFound), "{error}");
    assert!(w.names(&late, true).await.is_empty());
    w.secrets
        .purge(ServiceName::Maintenance, at(7 * 24 - 1).now)
        .await
        .unwrap();
    w.secrets
        .restore_secret(&at(7 * 24 - 1), restore())
        .await
        .unwrap();
    w.delete(NAME, Some(7), false).await.unwrap();
    w.secrets
        .purge(ServiceName::Maintenance, late.now)
        .await
        .unwrap();
    let mut read = t.store.read().await.unwrap();
    assert_eq!(
        store::secrets::count(&mut read.conn(), "123456789012", "us-east-1")
            .await
            .unwrap(),
        0
    );
}

#[on_every_engine]
async fn m3_forced_deletion_succeeds_for_unknown_names(t: TestStore) {
    let w = World::new(&t);
    w.create(NAME, "one").await.unwrap();
    w.delete(NAME, None, true).await.unwrap();
    w.delete(NAME, None, true).await.unwrap();
    let error = w.delete(NAME, None, false).await.unwrap_err();
    assert!(error.is(ErrorCode::ResourceNotFound), "{error}");
    let again = w.create(NAME, "two").await.unwrap();
    assert_eq!(w.value(&w.cx, &again, None).await.unwrap(), "two");
}

#[on_every_engine]
async fn m3_terraform_finds_no_resource_policy_and_its_tags(t: TestStore) {
    let w = World::new(&t);
    w.create(NAME, "one").await.unwrap();
    let input = GetResourcePolicyRequest {
        secret_id: NAME.to_owned(),
        policy_name: None,
    };
    let policy = w.secrets.get_resource_policy(&w.cx, input).await.unwrap();
    assert_eq!(policy.resource_policy, None);
    let tag = |key: &str, value: &str| Tag {
        key: Some(key.to_owned()),
        value: Some(value.to_owned()),
    };
    let input = TagResourceRequest {
        secret_id: NAME.to_owned(),
        tags: vec![tag("team", "red"), tag("env", "dev")],
    };
    w.secrets.tag_resource(&w.cx, input).await.unwrap();
    let input = UntagResourceRequest {
        secret_id: NAME.to_owned(),
        tag_keys: vec!["env".to_owned()],
    };
    w.secrets.untag_resource(&w.cx, input).await.unwrap();
    let described = DescribeSecretRequest {
        secret_id: NAME.to_owned(),
    };
    let described = w.secrets.describe_secret(&w.cx, described).await.unwrap();
    assert_eq!(described.tags, Some(vec![tag("team", "red")]));
    let facts = w
        .secrets
        .facts(w.cx.account, &w.cx.region, NAME)
        .await
        .unwrap();
    assert_eq!(facts.tags.get("team").map(String::as_str), Some("red"));
}

#[on_every_engine]
async fn lists_have_pages(t: TestStore) {
    let w = World::new(&t);
    for name in [
        "ecr-pullthroughcache/a",
        "ecr-pullthroughcache/b",
        "ecr-pullthroughcache/c",
    ] {
        w.create(name, "x").await.unwrap();
    }
    let mut input = ListSecretsRequest {
        max_results: Some(2),
        ..Default::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = w.secrets.list_secrets(&w.cx, input.clone()).await.unwrap();
        seen.extend(
            page.secret_list
                .unwrap()
                .into_iter()
                .map(|one| one.name.unwrap()),
        );
        match page.next_token {
            Some(token) => input.next_token = Some(token),
            None => break,
        }
    }
    seen.sort();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[2], "ecr-pullthroughcache/c");
    input.next_token = Some("!".to_owned());
    let error = w.secrets.list_secrets(&w.cx, input).await.unwrap_err();
    assert!(error.is(ErrorCode::InvalidNextToken), "{error}");
}
