//! What is damaged here comes back from a peer, whose part is made up: whatever it sends, only the right bytes count.

use std::fs;

use bytes::Bytes;
use registry::{DamageWalk, Damaged, DamagedContent, Healed, NewReplicationPeer};
use serde_json::json;
use store::testing::{TestStore, on_every_engine};
use store::values;

use crate::damage::file_of;
use crate::replication::*;
use crate::world::*;

const SERVICE: ServiceName = ServiceName::Replication;

/// Everything that is damaged and has a peer.
async fn damaged(w: &World) -> Vec<Damaged> {
    let (mut all, mut walk) = (Vec::new(), DamageWalk::default());
    while let Some((page, next)) = w.registry.damaged_after(SERVICE, &walk).await.unwrap() {
        all.extend(page);
        walk = next;
    }
    all
}

async fn put_peer(w: &World) {
    let peer = NewReplicationPeer {
        region: THERE.into(),
        registry_id: ACCOUNT.into(),
        endpoint: "https://there.example".into(),
        access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
        secret: Some(b"sealed".to_vec()),
        certificate_authority: None,
    };
    w.registry.put_replication_peer(&w.cx, peer).await.unwrap();
}

async fn change_manifest(store: &TestStore, digest: &str) {
    let scope = store::Scope::System("test");
    let mut tx = store.store.write(scope).await.unwrap();
    let sql = "UPDATE images SET content = $1 WHERE digest = $2";
    tx.execute(sql, values![b"{}".as_slice(), digest])
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn is_asked_for(store: &TestStore) -> bool {
    let mut read = store.store.read().await.unwrap();
    let sql = "SELECT 1 FROM jobs WHERE kind = 'heal'";
    let found = read.fetch_optional(sql, values![]).await.unwrap();
    found.is_some()
}

#[on_every_engine]
async fn a_damaged_layer_comes_back_from_a_peer(store: TestStore) {
    let w = World::new(&store).await;
    let (repo, also, alone) = (
        w.repository("prod/app").await,
        w.repository("prod/also").await,
        w.repository("dev/app").await,
    );
    let digest = w.layer(&repo, "content").await["digest"].clone();
    let digest = digest.as_str().unwrap();
    w.layer(&also, "content").await;
    let other = w.layer(&alone, "another content").await["digest"].clone();
    for lost in [digest, other.as_str().unwrap()] {
        fs::remove_file(file_of(&w, &store, lost).await).unwrap();
    }
    for (repo, lost) in [(&repo, digest), (&alone, other.as_str().unwrap())] {
        let opened = w.registry.open_blob(&w.cx, repo, lost).await;
        assert_eq!(refusal(opened), "LayerDamaged");
    }
    assert!(is_asked_for(&store).await);

    // Nobody has it: no peer, or no rule that names it for the repository.
    assert!(damaged(&w).await.is_empty());
    put_peer(&w).await;
    assert!(damaged(&w).await.is_empty());
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &["prod/"])])
        .await
        .unwrap();
    let found = damaged(&w).await;
    let names: Vec<&str> = found.iter().map(|one| &*one.repository.name).collect();
    assert_eq!(names, ["prod/app", "prod/also"]);
    let [of, again] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(of.digest.to_string(), digest);
    assert_eq!(of.content, DamagedContent::Layer { size: 7 });
    let peer = &of.peers[0];

    // What is not of the digest leaves everything as it is; so does what is cut.
    for sent in ["CONTENT", "conten", ""] {
        let healed = w
            .registry
            .heal_layer(SERVICE, of, peer, body(sent), w.cx.now);
        assert_eq!(healed.await.unwrap(), Healed::OtherBytes, "{sent}");
    }
    let cut = futures_util::stream::iter([Ok(Bytes::from("cont")), Err("the wire was cut")]);
    let healed = w.registry.heal_layer(SERVICE, of, peer, cut, w.cx.now);
    assert_eq!(refusal(healed.await), "BodyBroken");
    let long = body("content and more");
    let healed = w.registry.heal_layer(SERVICE, of, peer, long, w.cx.now);
    assert_eq!(refusal(healed.await), "BodyBroken");
    assert!(w.registry.is_damaged(SERVICE, of).await.unwrap());
    assert_eq!(w.temporary_files(), 0);

    for of in [of, again] {
        let sent = body("content");
        let healed = w.registry.heal_layer(SERVICE, of, peer, sent, w.cx.now);
        assert_eq!(healed.await.unwrap(), Healed::Whole);
        assert!(!w.registry.is_damaged(SERVICE, of).await.unwrap());
    }
    for repo in [&repo, &also] {
        assert!(w.registry.open_blob(&w.cx, repo, digest).await.is_ok());
    }
    assert!(damaged(&w).await.is_empty());
    // The second one found it whole.
    let told = w.events(&store, "HealDamagedLayer").await;
    let expected = json!({"digest": digest, "peer": "https://there.example"});
    assert_eq!(told, [expected]);
    assert_eq!(w.temporary_files(), 0);
}

/// Under a key the bytes are stored encrypted, as a push stores them.
#[on_every_engine]
async fn a_damaged_encrypted_layer_comes_back(store: TestStore) {
    let w = World::new(&store).await;
    let key = w.keys.add(&store, 7).await;
    put_peer(&w).await;
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let setting = aws_api::ecr::EncryptionConfiguration {
        encryption_type: aws_api::ecr::EncryptionType::Kms,
        kms_key: Some(key),
    };
    w.create("app", |input| {
        input.encryption_configuration = Some(setting);
    })
    .await
    .unwrap();
    let repo = w.facts("app").await;
    let digest = w.layer(&repo, "content").await["digest"].clone();
    let digest = digest.as_str().unwrap();
    fs::remove_file(file_of(&w, &store, digest).await).unwrap();
    let opened = w.registry.open_blob(&w.cx, &repo, digest).await;
    assert_eq!(refusal(opened), "LayerDamaged");
    let of = damaged(&w).await.remove(0);
    let sent = body("content");
    let healed = w
        .registry
        .heal_layer(SERVICE, &of, &of.peers[0], sent, w.cx.now);
    assert_eq!(healed.await.unwrap(), Healed::Whole);
    assert!(w.registry.open_blob(&w.cx, &repo, digest).await.is_ok());
    let stored = fs::read(file_of(&w, &store, digest).await).unwrap();
    assert!(!stored.windows(7).any(|part| part == b"content"));
}

#[on_every_engine]
async fn a_damaged_manifest_comes_back_from_a_peer(store: TestStore) {
    let w = World::new(&store).await;
    put_peer(&w).await;
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let repo = w.repository("app").await;
    let digest = w.image(&repo, "v1", "content").await;
    let manifest = w.manifest(&repo, "content").await.to_string();
    change_manifest(&store, &digest.to_string()).await;
    assert_eq!(refusal(w.pull(&repo, "v1").await), "ImageDamaged");
    assert!(is_asked_for(&store).await);
    let of = damaged(&w).await.remove(0);
    assert!(matches!(of.content, DamagedContent::Manifest { .. }));
    let heal = |sent: &'static str, bytes: Vec<u8>| {
        let (w, of) = (&w, &of);
        async move {
            let peer = &of.peers[0];
            let healed = w
                .registry
                .heal_manifest(SERVICE, of, peer, &bytes, w.cx.now);
            (sent, healed.await.unwrap())
        }
    };
    let other = heal("another", b"{}".to_vec()).await;
    assert_eq!(other, ("another", Healed::OtherBytes));
    assert_eq!(refusal(w.pull(&repo, "v1").await), "ImageDamaged");
    for sent in ["the right one", "the right one again"] {
        let healed = heal(sent, manifest.clone().into_bytes()).await;
        assert_eq!(healed, (sent, Healed::Whole));
    }
    assert_eq!(w.pull(&repo, "v1").await.unwrap(), digest);
    let told = w.events(&store, "HealDamagedImage").await;
    let expected = json!({"imageDigest": digest.to_string(), "peer": "https://there.example"});
    assert_eq!(told, [expected]);
    assert!(damaged(&w).await.is_empty());
}

/// An image or a repository that is deleted meanwhile stays deleted.
#[on_every_engine]
async fn what_was_deleted_does_not_come_back(store: TestStore) {
    let w = World::new(&store).await;
    put_peer(&w).await;
    configure(&w, vec![rule(&[(ACCOUNT, THERE)], &[])])
        .await
        .unwrap();
    let repo = w.repository("app").await;
    let digest = w.layer(&repo, "content").await["digest"].clone();
    let digest = digest.as_str().unwrap();
    fs::remove_file(file_of(&w, &store, digest).await).unwrap();
    let opened = w.registry.open_blob(&w.cx, &repo, digest).await;
    assert_eq!(refusal(opened), "LayerDamaged");
    let of = damaged(&w).await.remove(0);
    w.registry.delete_blob(&w.cx, &repo, digest).await.unwrap();
    let sent = body("content");
    let healed = w
        .registry
        .heal_layer(SERVICE, &of, &of.peers[0], sent, w.cx.now);
    assert_eq!(healed.await.unwrap(), Healed::Whole);
    let gone = w.registry.stat_blob(&w.cx, &repo, digest).await;
    assert_eq!(refusal(gone), "LayerNotFound");
    w.delete("app").await;
    assert!(damaged(&w).await.is_empty());
}
