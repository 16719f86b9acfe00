//! Pushes with several tags, with a named digest, and with conditions.

use crate::world::*;
use blobs::Digest;
use registry::{Condition, Error, Expected, ManifestPush, PutManifest, RepositoryFacts};
use serde_json::{Value, json};
use store::testing::{TestStore, on_every_engine};

/// Pushes `manifest` under its sha256 digest with these tags.
async fn push_tagged(
    w: &World,
    repo: &RepositoryFacts,
    manifest: &Value,
    tags: &[&str],
) -> Result<PutManifest, Error> {
    let text = manifest.to_string();
    let digest = Digest::sha256_of(text.as_bytes()).to_string();
    let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let push = ManifestPush {
        reference: &digest,
        tags: &tags,
        bytes: text.into(),
        ..ManifestPush::default()
    };
    w.registry.push_manifest(&w.cx, repo, push).await
}

async fn push_expecting(
    w: &World,
    repo: &RepositoryFacts,
    reference: &str,
    manifest: &Value,
    expected: Expected,
) -> Result<PutManifest, Error> {
    let push = ManifestPush {
        reference,
        bytes: manifest.to_string().into(),
        expected,
        ..ManifestPush::default()
    };
    w.registry.push_manifest(&w.cx, repo, push).await
}

fn if_match(digests: &[Digest]) -> Expected {
    Expected {
        matches: Some(Condition::OneOf(digests.to_vec())),
        none_matches: None,
    }
}

fn if_none_match(condition: Condition) -> Expected {
    Expected {
        matches: None,
        none_matches: Some(condition),
    }
}

async fn tags(w: &World, repo: &RepositoryFacts) -> Vec<String> {
    w.registry
        .list_tags(&w.cx, repo, None, None)
        .await
        .unwrap()
        .items
}

#[on_every_engine]
async fn one_push_sets_several_tags(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    w.image(&repo, "latest", "zero").await;
    let manifest = w.manifest(&repo, "one").await;
    let put = push_tagged(&w, &repo, &manifest, &["v1", "latest", "v1"])
        .await
        .unwrap();
    assert_eq!(
        (put.tags, put.media_type.as_str()),
        (vec!["v1".to_owned(), "latest".to_owned()], OCI_MANIFEST)
    );
    for tag in ["v1", "latest"] {
        assert_eq!(w.pull(&repo, tag).await.unwrap(), put.digest, "{tag}");
    }
    // Again, with one more.
    let again = push_tagged(&w, &repo, &manifest, &["v1", "v1.0"])
        .await
        .unwrap();
    assert_eq!(again.digest, put.digest);
    assert_eq!(tags(&w, &repo).await, ["latest", "v1", "v1.0"]);
}

#[on_every_engine]
async fn a_push_with_one_refused_tag_changes_nothing(store: TestStore) {
    let w = World::with(&store, |settings| settings.limits.tags_per_image_max = 3).await;
    let repo = w
        .create("app", |input| {
            input.image_tag_mutability = Some(aws_api::ecr::ImageTagMutability::Immutable)
        })
        .await
        .unwrap();
    let repo = w.facts(repo.repository_name.as_deref().unwrap()).await;
    w.image(&repo, "fixed", "zero").await;
    let manifest = w.manifest(&repo, "one").await;
    let digest = Digest::sha256_of(manifest.to_string().as_bytes()).to_string();
    let long = "x".repeat(129);
    for (refused, name) in [
        (vec!["new", "fixed"], "ImageTagAlreadyExists"),
        (vec!["new", "-"], "InvalidTag"),
        (vec!["new", ""], "InvalidTag"),
        (vec!["new", &long], "InvalidTag"),
        (vec!["a", "b", "c", "d"], "TooManyImageTags"),
        (vec!["x"; 101], "TooManyTagParameters"),
    ] {
        let put = push_tagged(&w, &repo, &manifest, &refused).await;
        assert_eq!(refusal(put), name, "{refused:?}");
    }
    assert_eq!(tags(&w, &repo).await, ["fixed"]);
    assert_eq!(refusal(w.pull(&repo, &digest).await), "ImageNotFound");
    // A push by tag has no further ones.
    let more = ["v2".to_owned()];
    let push = ManifestPush {
        reference: "v1",
        tags: &more,
        bytes: manifest.to_string().into(),
        ..Default::default()
    };
    assert_eq!(
        refusal(w.registry.push_manifest(&w.cx, &repo, push).await),
        "TagsBesideTag"
    );
    assert_eq!(tags(&w, &repo).await, ["fixed"]);
}

#[on_every_engine]
async fn a_push_by_tag_may_name_its_digest(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let manifest = w.manifest(&repo, "one").await;
    let text = manifest.to_string();
    let (sha256, sha512) = (
        Digest::sha256_of(text.as_bytes()),
        Digest::sha512_of(text.as_bytes()),
    );
    let put = async |tag: &str, digest: &str| {
        let push = ManifestPush {
            reference: tag,
            digest: Some(digest),
            bytes: text.clone().into(),
            ..Default::default()
        };
        w.registry.push_manifest(&w.cx, &repo, push).await
    };
    let other = |digest: Digest| (digest.to_string(), "ImageDigestDoesNotMatch");
    let invalid = |text: &str| (text.to_owned(), "InvalidDigest");
    for (wrong, name) in [
        other(Digest::sha256_of(b"other")),
        other(Digest::sha512_of(b"other")),
        invalid("sha256:short"),
        invalid("md5:00"),
        invalid("v1"),
    ] {
        assert_eq!(refusal(put("v1", &wrong).await), name, "{wrong}");
        // Also where the reference is right.
        assert_eq!(
            refusal(put(&sha256.to_string(), &wrong).await),
            "ImageDigestDoesNotMatch",
            "{wrong}"
        );
    }
    assert!(tags(&w, &repo).await.is_empty());
    assert_eq!(put("v1", &sha256.to_string()).await.unwrap().digest, sha256);
    // The tag leads to the manifest under the digest that was named.
    assert_eq!(put("v2", &sha512.to_string()).await.unwrap().digest, sha512);
    assert_eq!(w.pull(&repo, "v2").await.unwrap(), sha512);
    assert_eq!(w.pull(&repo, &sha512.to_string()).await.unwrap(), sha512);
    assert_eq!(w.pull(&repo, "v1").await.unwrap(), sha256);
}

#[on_every_engine]
async fn a_push_is_refused_when_its_condition_does_not_hold(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let (one, two) = (
        w.manifest(&repo, "one").await,
        w.manifest(&repo, "two").await,
    );
    let first = Digest::sha256_of(one.to_string().as_bytes());
    let second = Digest::sha256_of(two.to_string().as_bytes());
    let failed = "PreconditionFailed";
    // Nothing is there.
    for expected in [
        if_match(&[first]),
        Expected {
            matches: Some(Condition::Any),
            none_matches: None,
        },
    ] {
        assert_eq!(
            refusal(push_expecting(&w, &repo, "v1", &one, expected).await),
            failed
        );
    }
    assert_eq!(
        refusal(w.pull(&repo, &first.to_string()).await),
        "ImageNotFound"
    );
    push_expecting(&w, &repo, "v1", &one, if_none_match(Condition::Any))
        .await
        .unwrap();
    // Now there is; also for the very same push.
    for (manifest, expected) in [
        (&two, if_none_match(Condition::Any)),
        (&one, if_none_match(Condition::Any)),
        (&two, if_none_match(Condition::OneOf(vec![first]))),
        (&two, if_match(&[second])),
        (&one, if_match(&[second])),
        (
            &two,
            Expected {
                matches: Some(Condition::OneOf(vec![first])),
                none_matches: Some(Condition::Any),
            },
        ),
    ] {
        let put = push_expecting(&w, &repo, "v1", manifest, expected.clone()).await;
        assert_eq!(refusal(put), failed, "{expected:?}");
        assert_eq!(w.pull(&repo, "v1").await.unwrap(), first);
    }
    push_expecting(&w, &repo, "v1", &two, if_match(&[second, first]))
        .await
        .unwrap();
    assert_eq!(w.pull(&repo, "v1").await.unwrap(), second);
    // By digest, the manifest of that digest is meant.
    let digest = second.to_string();
    push_expecting(&w, &repo, &digest, &two, if_match(&[second]))
        .await
        .unwrap();
    assert_eq!(
        refusal(push_expecting(&w, &repo, &digest, &two, if_none_match(Condition::Any)).await),
        failed
    );
}

#[on_every_engine]
async fn a_deletion_is_refused_when_its_condition_does_not_hold(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let first = w.image(&repo, "v1", "one").await;
    let other = Digest::sha256_of(b"other");
    let delete = async |reference: &str, expected: &Expected| {
        w.registry
            .delete_expected_manifest(&w.cx, &repo, reference, expected)
            .await
    };
    let failed = "PreconditionFailed";
    for reference in ["v1", &first.to_string()] {
        for expected in [
            if_match(&[other]),
            if_none_match(Condition::Any),
            if_none_match(Condition::OneOf(vec![first])),
        ] {
            assert_eq!(
                refusal(delete(reference, &expected).await),
                failed,
                "{reference} {expected:?}"
            );
        }
    }
    assert_eq!(w.pull(&repo, "v1").await.unwrap(), first);
    // What is not there is not found, whatever the condition (RFC 9110, section 13.2.1).
    assert_eq!(
        refusal(delete("v2", &if_match(&[first])).await),
        "ImageNotFound"
    );
    let deleted = delete("v1", &if_match(&[first])).await.unwrap();
    assert_eq!(
        (deleted.digest, deleted.tags, deleted.image_deleted),
        (first.to_string(), vec!["v1".to_owned()], true)
    );
}

/// What clients do that maintain the index under the referrers tag.
#[on_every_engine]
async fn writers_of_one_tag_lose_nothing(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let mut signatures = Vec::new();
    for n in 0..5 {
        let digest = w
            .image(&repo, &format!("signature-{n}"), &format!("signature {n}"))
            .await;
        let size = w
            .registry
            .stat_manifest(&w.cx, &repo, &digest.to_string())
            .await
            .unwrap()
            .bytes
            .len();
        signatures
            .push(json!({"mediaType": OCI_MANIFEST, "digest": digest.to_string(), "size": size}));
    }
    let add = async |signature: &Value| loop {
        let (mut listed, expected) = match w.registry.stat_manifest(&w.cx, &repo, "sha256-aa").await
        {
            Ok(found) => {
                let index: Value = serde_json::from_slice(&found.bytes).unwrap();
                (
                    index["manifests"].as_array().unwrap().clone(),
                    if_match(&[found.digest]),
                )
            }
            Err(Error::ImageNotFound { .. }) => (Vec::new(), if_none_match(Condition::Any)),
            Err(error) => panic!("{error}"),
        };
        listed.push(signature.clone());
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed});
        match push_expecting(&w, &repo, "sha256-aa", &index, expected).await {
            Ok(_) => break,
            Err(Error::PreconditionFailed { .. }) => continue,
            Err(error) => panic!("{error}"),
        }
    };
    futures_util::future::join_all(signatures.iter().map(add)).await;
    let index = w
        .registry
        .stat_manifest(&w.cx, &repo, "sha256-aa")
        .await
        .unwrap();
    let index: Value = serde_json::from_slice(&index.bytes).unwrap();
    for signature in &signatures {
        assert!(
            index["manifests"].as_array().unwrap().contains(signature),
            "{index}"
        );
    }
}

#[on_every_engine]
async fn a_pushed_foreign_layer_belongs_to_its_image(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let with_urls = |layer: &Value, urls: Value| {
        let mut layer = layer.clone();
        layer["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip".into();
        layer["urls"] = urls;
        layer
    };
    let base = w.manifest(&repo, "one").await;
    let image = |layers: &[Value]| {
        let mut manifest = base.clone();
        manifest["layers"] = layers.to_vec().into();
        manifest
    };
    let absent = json!({"digest": Digest::sha256_of(b"elsewhere").to_string(), "size": 9});
    for urls in [
        Value::Null,
        json!([]),
        json!(["ftp://example.com/x"]),
        json!(["x"]),
    ] {
        let missing = w
            .put(&repo, "v1", &image(&[with_urls(&absent, urls.clone())]))
            .await;
        assert_eq!(refusal(missing), "LayersNotFound", "{urls}");
    }
    // One that is here needs no URL, and has the size that the manifest says.
    let here = w.layer(&repo, "foreign").await;
    let mut lying = with_urls(&here, json!(["https://example.com/x"]));
    lying["size"] = 4711.into();
    assert_eq!(
        refusal(w.put(&repo, "v1", &image(&[lying])).await),
        "InvalidManifest"
    );
    let elsewhere = with_urls(&absent, json!(["https://example.com/x"]));
    let manifest = image(&[with_urls(&here, Value::Null), elsewhere]);
    w.put(&repo, "v1", &manifest).await.unwrap();
    let delete = async |layer: &Value| {
        w.registry
            .delete_blob(&w.cx, &repo, layer["digest"].as_str().unwrap())
            .await
    };
    assert_eq!(refusal(delete(&here).await), "LayerInUse");
    assert_eq!(refusal(delete(&absent).await), "LayerInUse");
    // Pushed later, it belongs to the image as well.
    w.layer(&repo, "elsewhere").await;
    assert_eq!(refusal(delete(&absent).await), "LayerInUse");
    w.registry
        .delete_manifest(&w.cx, &repo, "v1")
        .await
        .unwrap();
    delete(&here).await.unwrap();
    delete(&absent).await.unwrap();
}

#[on_every_engine]
async fn foreign_layers_of_earlier_images_are_linked_once(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let mut manifest = w.manifest(&repo, "one").await;
    let foreign = w.layer(&repo, "foreign").await;
    let mut layer = foreign.clone();
    layer["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar".into();
    manifest["layers"].as_array_mut().unwrap().push(layer);
    // More images than are read at once.
    for n in 0..10 {
        manifest["annotations"] = json!({"n": n.to_string()});
        w.put(&repo, &format!("v{n}"), &manifest).await.unwrap();
    }
    let digest = foreign["digest"].as_str().unwrap();
    let links = async || {
        let mut read = store.store.read().await.unwrap();
        let sql = "SELECT COUNT(*) FROM image_layers WHERE digest = $1";
        read.fetch_one(sql, store::values![digest])
            .await
            .unwrap()
            .int(0)
            .unwrap()
    };
    let unlink = async || {
        let mut tx = store
            .store
            .write(store::Scope::System("test"))
            .await
            .unwrap();
        tx.execute(
            "DELETE FROM image_layers WHERE digest = $1",
            store::values![digest],
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
    };
    assert_eq!(links().await, 10);
    // As version 0.1 stored them.
    unlink().await;
    w.registry
        .link_foreign_layers(ServiceName::Maintenance, w.cx.now)
        .await
        .unwrap();
    assert_eq!(links().await, 10);
    assert_eq!(
        refusal(w.registry.delete_blob(&w.cx, &repo, digest).await),
        "LayerInUse"
    );
    // Once in the life of a database: later images say it themselves.
    unlink().await;
    w.registry
        .link_foreign_layers(ServiceName::Maintenance, w.cx.now)
        .await
        .unwrap();
    assert_eq!(links().await, 0);
}

#[on_every_engine]
async fn names_all_missing_blobs(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let mut manifest = w.manifest(&repo, "one").await;
    let unknown = |n: u8| json!({"mediaType": OCI_LAYER, "digest": Digest::sha256_of(&[n]).to_string(), "size": 1});
    manifest["layers"] = vec![unknown(1), unknown(2), manifest["layers"][0].clone()].into();
    let error = w.put(&repo, "v1", &manifest).await.unwrap_err();
    let mut wanted: Vec<_> = [unknown(1), unknown(2)]
        .iter()
        .map(|l| l["digest"].as_str().unwrap().to_owned())
        .collect();
    wanted.sort();
    assert_eq!(
        error.to_string(),
        format!(
            "Layers with digests '[{}]' required for pushing image into repository with name 'app' in the registry with id '123456789012' do not exist",
            wanted.join(",")
        )
    );
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {"mediaType": OCI_MANIFEST, "digest": wanted[0], "size": 7}, {"mediaType": OCI_MANIFEST, "digest": wanted[1], "size": 7},
    ]});
    let error = w.put(&repo, "list", &index).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "Images with digests '[{}]' required for pushing image into repository with name 'app' in the registry with id '123456789012' do not exist",
            wanted.join(",")
        )
    );
}
