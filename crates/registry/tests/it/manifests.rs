//! Manifests that are accepted and refused, one a line.

use crate::world::*;
use serde_json::{Value, json};
use store::testing::{TestStore, on_every_engine};

const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// The manifest `m` with some members changed; null takes one away.
fn with(m: &Value, changes: Value) -> Value {
    let mut m = m.clone();
    for (key, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(m.as_object_mut().unwrap().remove(key)),
            value => m[key] = value.clone(),
        }
    }
    m
}

/// The manifest `m` with these members null.
fn null(mut m: Value, members: &[&str]) -> Value {
    for member in members {
        m[member] = Value::Null;
    }
    m
}

#[on_every_engine]
async fn accepted(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let m = w.manifest(&repo, "one").await;
    let (config, layers) = (m["config"].clone(), m["layers"].clone());
    let zstd = with(
        &layers[0],
        json!({"mediaType": "application/vnd.oci.image.layer.v1.tar+zstd"}),
    );
    let nulls = null(layers[0].clone(), &["urls", "annotations", "platform"]);
    let helm = with(
        &config,
        json!({"mediaType": "application/vnd.cncf.helm.config.v1+json"}),
    );
    let cases: Vec<(&str, Option<&str>, Value)> = vec![
        ("as it says", None, m.clone()),
        ("as it says and as was given", Some(OCI_MANIFEST), m.clone()),
        (
            "with a parameter",
            Some("application/vnd.oci.image.manifest.v1+json; charset=utf-8"),
            m.clone(),
        ),
        ("sent as JSON", Some("application/json"), m.clone()),
        (
            "as was given only",
            Some(OCI_MANIFEST),
            with(&m, json!({"mediaType": null})),
        ),
        (
            "docker",
            Some(DOCKER),
            with(&m, json!({"mediaType": DOCKER})),
        ),
        ("no layers", None, with(&m, json!({"layers": []}))),
        (
            "a missing list of layers",
            None,
            with(&m, json!({"layers": null})),
        ),
        (
            "null layers",
            None,
            null(with(&m, json!({"layers": []})), &["layers"]),
        ),
        (
            "null members",
            None,
            null(
                m.clone(),
                &[
                    "manifests",
                    "blobs",
                    "subject",
                    "annotations",
                    "artifactType",
                ],
            ),
        ),
        ("null urls", None, with(&m, json!({"layers": [nulls]}))),
        (
            "a missing list of manifests",
            None,
            json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "annotations": {"n": "1"}}),
        ),
        (
            "null manifests",
            None,
            json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": null}),
        ),
        (
            "null manifests of docker",
            None,
            json!({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": null}),
        ),
        (
            "null blobs",
            None,
            json!({"mediaType": ARTIFACT, "artifactType": "x/y", "blobs": null}),
        ),
        (
            "a layer twice",
            None,
            with(&m, json!({"layers": [layers[0], layers[0]]})),
        ),
        ("zstd", None, with(&m, json!({"layers": [zstd]}))),
        ("a chart", None, with(&m, json!({"config": helm}))),
        (
            "unknown members",
            None,
            with(&m, json!({"x": {"y": [1, 2]}})),
        ),
        (
            "an empty list",
            None,
            json!({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": []}),
        ),
        (
            "an index of layers, as build caches are",
            None,
            json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [layers[0], config]}),
        ),
        (
            "an artifact manifest",
            None,
            json!({"mediaType": ARTIFACT, "artifactType": "x/y", "blobs": [layers[0]]}),
        ),
    ];
    for (n, (what, media_type, manifest)) in cases.into_iter().enumerate() {
        let bytes = manifest.to_string();
        let put = w
            .registry
            .put_manifest(
                &w.cx,
                &repo,
                &format!("t{n}"),
                media_type,
                bytes.clone().into(),
            )
            .await;
        put.unwrap_or_else(|error| panic!("{what}: {error}"));
        let pulled = w
            .registry
            .get_manifest(&w.cx, &repo, &format!("t{n}"))
            .await
            .unwrap();
        assert_eq!(pulled.bytes, bytes.as_bytes(), "{what}");
    }
}

#[on_every_engine]
async fn refused(store: TestStore) {
    let w = World::new(&store).await;
    let repo = w.repository("app").await;
    let m = w.manifest(&repo, "one").await;
    let layer = m["layers"][0].clone();
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let cases: Vec<(&str, Option<&str>, String)> = vec![
        ("nothing", None, String::new()),
        ("no JSON", None, "{".into()),
        ("no object", None, "[]".into()),
        ("too deep", Some(OCI_MANIFEST), deep),
        (
            "no media type",
            None,
            with(&m, json!({"mediaType": null})).to_string(),
        ),
        ("another media type than given", Some(DOCKER), m.to_string()),
        (
            "no manifest's media type",
            None,
            with(&m, json!({"mediaType": "text/plain"})).to_string(),
        ),
        (
            "no manifest's media type given",
            Some("text/plain"),
            with(&m, json!({"mediaType": null})).to_string(),
        ),
        (
            "schema 1",
            Some(SCHEMA_1),
            json!({"schemaVersion": 1, "fsLayers": [], "history": []}).to_string(),
        ),
        (
            "schema 1 in disguise",
            Some(OCI_MANIFEST),
            with(&m, json!({"fsLayers": []})).to_string(),
        ),
        (
            "schema version 1",
            None,
            with(&m, json!({"schemaVersion": 1})).to_string(),
        ),
        (
            "no schema version",
            None,
            with(&m, json!({"schemaVersion": null})).to_string(),
        ),
        (
            "no config",
            None,
            with(&m, json!({"config": null})).to_string(),
        ),
        (
            "image and list at once",
            None,
            with(&m, json!({"manifests": []})).to_string(),
        ),
        (
            "a list with layers",
            None,
            json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "layers": []})
                .to_string(),
        ),
        (
            "a member twice",
            None,
            m.to_string().replacen('{', "{\"mediaType\":\"x\",", 1),
        ),
        (
            "a broken digest",
            None,
            with(
                &m,
                json!({"layers": [with(&layer, json!({"digest": "sha256:../../x"}))]}),
            )
            .to_string(),
        ),
        (
            "a negative size",
            None,
            with(&m, json!({"layers": [with(&layer, json!({"size": -1}))]})).to_string(),
        ),
        (
            "a huge size",
            None,
            with(&m, json!({"layers": [with(&layer, json!({"size": 1e40}))]})).to_string(),
        ),
        (
            "two sizes",
            None,
            with(
                &m,
                json!({"layers": [layer, with(&layer, json!({"size": 4}))]}),
            )
            .to_string(),
        ),
        (
            "annotations that are no texts",
            None,
            with(&m, json!({"annotations": {"a": 1}})).to_string(),
        ),
        (
            "a long artifact type",
            None,
            with(&m, json!({"artifactType": "x".repeat(300)})).to_string(),
        ),
    ];
    for (what, media_type, text) in cases {
        let put = w
            .registry
            .put_manifest(&w.cx, &repo, "v1", media_type, text.into())
            .await;
        assert_eq!(refusal(put), "InvalidManifest", "{what}");
    }
    let large = with(&m, json!({"annotations": {"a": "x".repeat(4 << 20)}})).to_string();
    let put = w
        .registry
        .put_manifest(&w.cx, &repo, "v1", None, large.into())
        .await;
    assert_eq!(refusal(put), "ManifestTooLarge");
    assert!(
        w.registry
            .list_tags(&w.cx, &repo, None, None)
            .await
            .unwrap()
            .items
            .is_empty()
    );
}
