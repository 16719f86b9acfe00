//! Keys that repositories are encrypted under, on both databases.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use authz::testing::{authorized, caller, context};
use authz::{Authorized, ServiceName};
use aws_api::kms::{
    CancelKeyDeletionRequest, CreateAliasRequest, CreateKeyRequest, DeleteAliasRequest,
    DescribeKeyRequest, DisableKeyRequest, EnableKeyRequest, EnableKeyRotationRequest, ErrorCode,
    GetKeyPolicyRequest, GetKeyRotationStatusRequest, KeyMetadata, KeySpec, KeyState,
    ListAliasesRequest, ListKeysRequest, ListResourceTagsRequest, PutKeyPolicyRequest,
    ScheduleKeyDeletionRequest, Tag, TagResourceRequest, UntagResourceRequest, UpdateAliasRequest,
    UpdateKeyDescriptionRequest,
};
use jiff::SignedDuration;
use secrets::kms::{KeyPolicies, Kms, KmsError, PolicyRefused};
use secrets::{BoxFuture, Seal, SealFailed};
use store::testing::{TestStore, on_every_engine};
use zeroize::Zeroizing;

const ACCOUNT: &str = "123456789012";

/// Turns each bit, which is enough to see whether material is stored in clear.
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

/// Knows everybody but nobody@.
struct AsWritten;

impl KeyPolicies for AsWritten {
    fn pin<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<String, PolicyRefused>> {
        Box::pin(async move {
            match text.contains("user/nobody") {
                true => Err(PolicyRefused::Malformed("Invalid principal".into())),
                false => Ok(text.to_owned()),
            }
        })
    }
    fn show<'a>(&'a self, stored: &'a str) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(async move { Ok(stored.to_owned()) })
    }
}

struct World {
    kms: Kms,
    cx: Authorized,
}

fn at(days: i64) -> Authorized {
    let mut context = context(caller("arn:aws:iam::123456789012:user/alice", None));
    context.now += SignedDuration::from_hours(24 * days);
    authorized(context)
}

fn open(store: &TestStore) -> Kms {
    let entropy = Arc::new(aws_types::SystemEntropy);
    Kms::new(
        store.store.clone(),
        Arc::new(Turned),
        Arc::new(AsWritten),
        entropy,
    )
}

impl World {
    fn new(store: &TestStore) -> World {
        World {
            kms: open(store),
            cx: at(0),
        }
    }

    async fn create(&self) -> KeyMetadata {
        let made = self
            .kms
            .create_key(&self.cx, CreateKeyRequest::default())
            .await;
        made.unwrap().key_metadata.unwrap()
    }

    async fn describe(&self, id: &str) -> Result<KeyMetadata, KmsError> {
        let key_id = id.to_owned();
        let input = DescribeKeyRequest {
            key_id,
            ..Default::default()
        };
        let found = self.kms.describe_key(&self.cx, input).await?;
        Ok(found.key_metadata.unwrap())
    }

    async fn alias(&self, name: &str, key: &str) -> Result<(), KmsError> {
        let input = CreateAliasRequest {
            alias_name: name.to_owned(),
            target_key_id: key.to_owned(),
        };
        self.kms.create_alias(&self.cx, input).await
    }

    async fn schedule(&self, id: &str, days: Option<i32>) -> Result<(), KmsError> {
        let input = ScheduleKeyDeletionRequest {
            key_id: id.to_owned(),
            pending_window_in_days: days,
        };
        self.kms
            .schedule_key_deletion(&self.cx, input)
            .await
            .map(drop)
    }

    async fn state(&self, id: &str) -> KeyState {
        self.describe(id).await.unwrap().key_state.unwrap()
    }
}

fn code(result: Result<impl std::fmt::Debug, KmsError>) -> ErrorCode {
    match result.unwrap_err() {
        KmsError::Refused(code, _) => code,
        other => panic!("{other:?}"),
    }
}

#[on_every_engine]
async fn a_key_is_found_by_id_arn_alias_and_alias_arn(store: TestStore) {
    let w = World::new(&store);
    let key = w.create().await;
    let arn = key.arn.clone().unwrap();
    assert_eq!(
        arn,
        format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{}", key.key_id)
    );
    w.alias("alias/app", &key.key_id).await.unwrap();
    let alias_arn = format!("arn:aws:kms:us-east-1:{ACCOUNT}:alias/app");
    for id in [&key.key_id, &arn, "alias/app", &alias_arn] {
        assert_eq!(w.describe(id).await.unwrap(), key, "{id}");
    }
    let other = "12345678-1234-4234-8234-123456789012";
    for (id, message) in [
        (
            other,
            format!("Key 'arn:aws:kms:us-east-1:{ACCOUNT}:key/{other}' does not exist"),
        ),
        ("app", "Invalid keyId 'app'".to_owned()),
        (
            "alias/none",
            format!("Alias arn:aws:kms:us-east-1:{ACCOUNT}:alias/none is not found."),
        ),
        (
            "arn:aws:kms:eu-west-1:123456789012:key/x",
            "Invalid arn eu-west-1".to_owned(),
        ),
        (
            "arn:aws:kms:us-east-1:999999999999:key/x",
            "Key 'arn:aws:kms:us-east-1:999999999999:key/x' does not exist".to_owned(),
        ),
    ] {
        let refused = w.describe(id).await.unwrap_err();
        assert!(refused.is(ErrorCode::NotFound), "{refused:?}");
        assert_eq!(refused.to_string(), message);
    }
    assert_eq!(
        code(w.describe("arn:aws:s3:::x").await),
        ErrorCode::InvalidArn
    );
    let sign = CreateKeyRequest {
        key_spec: Some(KeySpec::Rsa2048),
        ..Default::default()
    };
    assert_eq!(
        code(w.kms.create_key(&w.cx, sign).await),
        ErrorCode::UnsupportedOperation
    );
}

#[on_every_engine]
async fn material_is_sealed_and_opens_while_the_key_is_enabled(store: TestStore) {
    let w = World::new(&store);
    let id = w.create().await.key_id;
    let other_node = open(&store);
    let key = w.kms.layer_key(&id).await.unwrap();
    assert_eq!(
        other_node.layer_key(&id).await.unwrap().current,
        key.current
    );
    let mut read = store.store.read().await.unwrap();
    let row = store::kms::materials(&mut read.conn(), &id)
        .await
        .unwrap()
        .remove(0);
    drop(read);
    assert!(
        !row.sealed
            .windows(32)
            .any(|bytes| bytes == &key.current.1[..])
    );

    let disable = DisableKeyRequest { key_id: id.clone() };
    w.kms.disable_key(&w.cx, disable).await.unwrap();
    for kms in [&w.kms, &other_node] {
        assert_eq!(code(kms.layer_key(&id).await), ErrorCode::Disabled);
    }
    let enable = EnableKeyRequest { key_id: id.clone() };
    w.kms.enable_key(&w.cx, enable).await.unwrap();
    assert_eq!(w.kms.layer_key(&id).await.unwrap().current, key.current);

    // The material of another key in this one's row opens nothing.
    let thief = w.create().await.key_id;
    let mut tx = store
        .store
        .write(store::Scope::Account(ACCOUNT))
        .await
        .unwrap();
    let sql = "UPDATE kms_materials SET sealed = $2 WHERE key_id = $1";
    tx.execute(sql, store::values![&thief, row.sealed.clone()])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(matches!(
        open(&store).layer_key(&thief).await,
        Err(KmsError::Internal(_))
    ));
}

#[on_every_engine]
async fn a_key_is_deleted_after_its_window_unless_it_is_used(store: TestStore) {
    let w = World::new(&store);
    let key = w.create().await;
    let id = key.key_id.clone();
    for days in [1, 6, 31] {
        assert!(matches!(
            w.schedule(&id, Some(days)).await,
            Err(KmsError::Validation(_))
        ));
    }
    w.schedule(&id, Some(7)).await.unwrap();
    assert_eq!(w.state(&id).await, KeyState::PendingDeletion);
    assert_eq!(code(w.kms.layer_key(&id).await), ErrorCode::KMSInvalidState);
    assert_eq!(
        code(w.schedule(&id, None).await),
        ErrorCode::KMSInvalidState
    );
    let cancel = CancelKeyDeletionRequest { key_id: id.clone() };
    w.kms
        .cancel_key_deletion(&w.cx, cancel.clone())
        .await
        .unwrap();
    assert_eq!(w.state(&id).await, KeyState::Disabled);
    assert_eq!(
        code(w.kms.cancel_key_deletion(&w.cx, cancel).await),
        ErrorCode::KMSInvalidState
    );

    w.alias("alias/app", &id).await.unwrap();
    w.schedule(&id, Some(7)).await.unwrap();
    let service = ServiceName::Maintenance;
    w.kms.maintain(service, at(6).now).await.unwrap();
    assert_eq!(w.state(&id).await, KeyState::PendingDeletion);
    w.kms.maintain(service, at(7).now).await.unwrap();
    assert_eq!(code(w.describe(&id).await), ErrorCode::NotFound);
    assert_eq!(code(w.describe("alias/app").await), ErrorCode::NotFound);
    let mut read = store.store.read().await.unwrap();
    assert_eq!(
        store::kms::materials(&mut read.conn(), &id).await.unwrap(),
        []
    );
}

#[on_every_engine]
async fn a_key_that_a_repository_uses_is_not_deleted(store: TestStore) {
    let w = World::new(&store);
    let key = w.create().await;
    let arn = key.arn.unwrap();
    let mut tx = store
        .store
        .write(store::Scope::System("test"))
        .await
        .unwrap();
    let conn = &mut tx.conn();
    let sql = "INSERT INTO repositories (account, region, name, created_at, tag_mutability, \
               tag_mutability_exclusions, scan_on_push, image_count, kms_key) \
               VALUES ($1, 'us-east-1', 'team/app', 0, 'MUTABLE', '', 0, 0, $2)";
    conn.execute(sql, store::values![ACCOUNT, &arn])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let refused = w.schedule(&key.key_id, None).await.unwrap_err();
    assert!(refused.is(ErrorCode::KMSInvalidState), "{refused:?}");
    assert!(refused.to_string().contains("'team/app'"), "{refused}");
    assert_eq!(w.state(&key.key_id).await, KeyState::Enabled);
}

#[on_every_engine]
async fn a_rotation_adds_material(store: TestStore) {
    let w = World::new(&store);
    let id = w.create().await.key_id;
    let status = async || {
        let input = GetKeyRotationStatusRequest { key_id: id.clone() };
        w.kms.get_key_rotation_status(&w.cx, input).await.unwrap()
    };
    assert_eq!(status().await.key_rotation_enabled, Some(false));
    let enable = EnableKeyRotationRequest {
        key_id: id.clone(),
        rotation_period_in_days: Some(90),
    };
    w.kms.enable_key_rotation(&w.cx, enable).await.unwrap();
    let found = status().await;
    assert_eq!(found.key_rotation_enabled, Some(true));
    assert_eq!(found.rotation_period_in_days, Some(90));
    assert_eq!(found.next_rotation_date, Some(at(90).now));
    let before = w.kms.layer_key(&id).await.unwrap();
    let service = ServiceName::Maintenance;
    w.kms.maintain(service, at(89).now).await.unwrap();
    assert_eq!(w.kms.layer_key(&id).await.unwrap().current, before.current);
    w.kms.maintain(service, at(90).now).await.unwrap();
    w.kms.maintain(service, at(91).now).await.unwrap();
    let after = w.kms.layer_key(&id).await.unwrap();
    assert_ne!(after.current, before.current);
    assert_eq!(
        after.earlier.as_slice(),
        std::slice::from_ref(&before.current)
    );
    assert_eq!(status().await.next_rotation_date, Some(at(180).now));
}

#[on_every_engine]
async fn aliases_move_and_have_bounds(store: TestStore) {
    let w = World::new(&store);
    let (one, other) = (w.create().await.key_id, w.create().await.key_id);
    w.alias("alias/app", &one).await.unwrap();
    let refused = w.alias("alias/app", &other).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("An alias with the name arn:aws:kms:us-east-1:{ACCOUNT}:alias/app already exists")
    );
    assert!(matches!(
        w.alias("app", &one).await,
        Err(KmsError::Validation(_))
    ));
    assert_eq!(
        code(w.alias("alias/aws/x", &one).await),
        ErrorCode::InvalidAliasName
    );
    assert_eq!(
        code(w.alias("alias/b", "alias/app").await),
        ErrorCode::NotFound
    );
    let update = UpdateAliasRequest {
        alias_name: "alias/app".into(),
        target_key_id: other.clone(),
    };
    w.kms.update_alias(&w.cx, update).await.unwrap();
    assert_eq!(w.describe("alias/app").await.unwrap().key_id, other);
    for n in 0..49 {
        w.alias(&format!("alias/n{n:02}"), &other).await.unwrap();
    }
    assert_eq!(
        code(w.alias("alias/more", &other).await),
        ErrorCode::LimitExceeded
    );
    let page = async |marker| {
        let input = ListAliasesRequest {
            limit: Some(30),
            marker,
            ..Default::default()
        };
        w.kms.list_aliases(&w.cx, input).await.unwrap()
    };
    let first = page(None).await;
    assert_eq!(first.truncated, Some(true));
    let second = page(first.next_marker.clone()).await;
    assert_eq!(second.truncated, Some(false));
    let names: Vec<_> = [first, second]
        .into_iter()
        .flat_map(|page| page.aliases.unwrap())
        .map(|alias| alias.alias_name.unwrap())
        .collect();
    assert!(names.is_sorted() && names.len() == 50, "{names:?}");
    let delete = DeleteAliasRequest {
        alias_name: "alias/app".into(),
    };
    w.kms.delete_alias(&w.cx, delete.clone()).await.unwrap();
    assert_eq!(
        code(w.kms.delete_alias(&w.cx, delete).await),
        ErrorCode::NotFound
    );
    let mut of_one = ListAliasesRequest {
        key_id: Some(one),
        ..Default::default()
    };
    let found = w.kms.list_aliases(&w.cx, of_one.clone()).await.unwrap();
    assert_eq!(found.aliases, Some(vec![]));
    of_one.marker = Some("?".into());
    assert_eq!(
        code(w.kms.list_aliases(&w.cx, of_one).await),
        ErrorCode::InvalidMarker
    );
}

#[on_every_engine]
async fn a_key_policy_always_lets_the_account_administer_the_key(store: TestStore) {
    let w = World::new(&store);
    let id = w.create().await.key_id;
    let get = async || {
        let input = GetKeyPolicyRequest {
            key_id: id.clone(),
            policy_name: None,
        };
        w.kms
            .get_key_policy(&w.cx, input)
            .await
            .unwrap()
            .policy
            .unwrap()
    };
    let default = get().await;
    assert!(default.contains("Enable IAM User Permissions"), "{default}");
    let put = async |policy: &str| {
        let input = PutKeyPolicyRequest {
            key_id: id.clone(),
            policy: policy.to_owned(),
            ..Default::default()
        };
        w.kms.put_key_policy(&w.cx, input).await
    };
    let root = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}"#;
    let document =
        |statements: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let bob = r#"{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::123456789012:user/bob"},"Action":"kms:*","Resource":"*"}"#;
    put(&document(&format!("{root},{bob}"))).await.unwrap();
    assert!(get().await.contains("user/bob"));
    put(&default).await.unwrap();
    for refused in [
        "no policy".to_owned(),
        document(bob),
        document(&root.replace("Allow", "Deny")),
        document(&root.replace("kms:*", "kms:DescribeKey")),
        document(&root.replace("123456789012", "999999999999")),
        document(&root.replace(
            r#""Resource""#,
            r#""Condition":{"Bool":{"aws:SecureTransport":"true"}},"Resource""#,
        )),
        document(&root.replace("Principal", "NotPrincipal")),
        document(&format!(
            "{root},{}",
            bob.replace("user/bob", "user/nobody")
        )),
    ] {
        assert_eq!(
            code(put(&refused).await),
            ErrorCode::MalformedPolicyDocument,
            "{refused}"
        );
    }
}

#[on_every_engine]
async fn tags_and_description(store: TestStore) {
    let w = World::new(&store);
    let tag = |key: &str, value: &str| Tag {
        tag_key: key.into(),
        tag_value: value.into(),
    };
    let input = CreateKeyRequest {
        description: Some("of the team".into()),
        tags: Some(vec![tag("team", "red")]),
        ..Default::default()
    };
    let key = w
        .kms
        .create_key(&w.cx, input)
        .await
        .unwrap()
        .key_metadata
        .unwrap();
    assert_eq!(key.description.as_deref(), Some("of the team"));
    let put = async |tags| {
        let input = TagResourceRequest {
            key_id: key.key_id.clone(),
            tags,
        };
        w.kms.tag_resource(&w.cx, input).await
    };
    put(vec![tag("team", "blue"), tag("stage", "")])
        .await
        .unwrap();
    assert_eq!(code(put(vec![tag("aws:x", "")]).await), ErrorCode::Tag);
    assert_eq!(
        code(put(vec![tag("a", ""), tag("a", "")]).await),
        ErrorCode::Tag
    );
    let many = (0..49).map(|n| tag(&format!("n{n}"), "")).collect();
    assert_eq!(code(put(many).await), ErrorCode::LimitExceeded);
    let untag = UntagResourceRequest {
        key_id: key.key_id.clone(),
        tag_keys: vec!["stage".into()],
    };
    w.kms.untag_resource(&w.cx, untag).await.unwrap();
    let list = ListResourceTagsRequest {
        key_id: key.key_id.clone(),
        ..Default::default()
    };
    let found = w.kms.list_resource_tags(&w.cx, list).await.unwrap();
    assert_eq!(found.tags, Some(vec![tag("team", "blue")]));
    let update = UpdateKeyDescriptionRequest {
        key_id: key.key_id.clone(),
        description: "new".into(),
    };
    w.kms.update_key_description(&w.cx, update).await.unwrap();
    assert_eq!(
        w.describe(&key.key_id)
            .await
            .unwrap()
            .description
            .as_deref(),
        Some("new")
    );
    let keys = w
        .kms
        .list_keys(&w.cx, ListKeysRequest::default())
        .await
        .unwrap();
    assert_eq!(keys.keys.unwrap().len(), 1);
    let facts = w
        .kms
        .facts(w.cx.account, &w.cx.region, &key.key_id)
        .await
        .unwrap();
    assert_eq!(facts.tags.get("team").map(String::as_str), Some("blue"));
}

#[on_every_engine]
async fn repositories_without_a_key_of_their_own_share_one(store: TestStore) {
    let w = World::new(&store);
    let (account, region, now) = (w.cx.account, &w.cx.region, w.cx.now_ms());
    let arn = w.kms.resolve(account, region, None, now).await.unwrap();
    assert_eq!(
        w.kms
            .resolve(account, region, Some("alias/aws/ecr"), now)
            .await
            .unwrap(),
        arn
    );
    let key = w.describe("alias/aws/ecr").await.unwrap();
    assert_eq!(key.arn.as_deref(), Some(&*arn));
    assert_eq!(key.key_manager.unwrap().as_str(), "AWS");
    assert_eq!(
        code(w.schedule(&key.key_id, None).await),
        ErrorCode::UnsupportedOperation
    );
    let own = w.create().await;
    let resolved = w
        .kms
        .resolve(account, region, Some(&own.key_id), now)
        .await
        .unwrap();
    assert_eq!(Some(resolved), own.arn);
    let disable = DisableKeyRequest {
        key_id: own.key_id.clone(),
    };
    w.kms.disable_key(&w.cx, disable).await.unwrap();
    let refused = w.kms.resolve(account, region, Some(&own.key_id), now).await;
    assert_eq!(code(refused), ErrorCode::Disabled);
    let other = "eu-west-1".parse().unwrap();
    assert_ne!(
        w.kms.resolve(account, &other, None, now).await.unwrap(),
        arn
    );
}
