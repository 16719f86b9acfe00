//! Manifests of images, and the names and references beside them.

use registry::manifest::{self, Descriptor};
use registry::{Error, MANIFEST_BYTES_MAX, check_repository_name};

/// The longest message of a refusal, in characters: what a client wrote is cut in it.
const MESSAGE_CHARS_MAX: usize = 500;

/// The first line as a media type and a repository's name, the rest as a manifest; and all of it as a
/// manifest that comes without a media type.
///
/// What is accepted has sorted lists without repetitions, one size for a digest, and no more descriptors
/// than its text has room for. A refusal is short.
pub fn parse(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let line = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let rest = parts.next().unwrap_or_default();
    if check_repository_name(&line).is_ok() {
        assert!(
            !line.contains("..") && !line.contains("//") && line.is_ascii(),
            "{line}"
        );
    }
    manifest(bytes, None);
    manifest(rest, Some(&line));
}

fn manifest(bytes: &[u8], media_type: Option<&str>) {
    let parsed = match manifest::parse(bytes, media_type) {
        Ok(parsed) => parsed,
        Err(error) => {
            let message = error.to_string();
            assert!(
                (1..=MESSAGE_CHARS_MAX).contains(&message.chars().count()),
                "{message}"
            );
            let too_large = matches!(error, Error::ManifestTooLarge(_));
            assert_eq!(too_large, bytes.len() > MANIFEST_BYTES_MAX);
            return;
        }
    };
    let is_sorted = |list: &[Descriptor]| list.is_sorted_by(|a, b| a.digest < b.digest);
    assert!(
        is_sorted(&parsed.blobs) && is_sorted(&parsed.children),
        "{parsed:?}"
    );
    assert!(parsed.layers.is_sorted_by(|a, b| a < b), "{parsed:?}");
    // A digest is at least 71 bytes of the text.
    let named = parsed.blobs.len() + parsed.children.len() + parsed.foreign.len();
    assert!(
        named * 71 <= bytes.len(),
        "{named} descriptors in {} bytes",
        bytes.len()
    );
    for layer in &parsed.foreign {
        let is_own = |blob: &Descriptor| blob.digest == layer.descriptor.digest;
        assert!(
            !parsed.blobs.iter().any(is_own),
            "both foreign and its own: {layer:?}"
        );
    }
    assert!(parsed.subject.is_some() || parsed.annotations.is_empty());
    // The media type that was found is the one that the same bytes have when it is given.
    let again = manifest::parse(bytes, Some(&parsed.media_type));
    assert_eq!(again.as_ref().ok(), Some(&parsed));
}

/// Manifests as clients write them.
pub fn seeds() -> Vec<Vec<u8>> {
    const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const E: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let config = format!(
        r#"{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{E}","size":2}}"#
    );
    let layer = |kind: &str| {
        format!(
            r#"{{"mediaType":"application/vnd.oci.image.layer.{kind}","digest":"{D}","size":0,"urls":["https://a.example/x"]}}"#
        )
    };
    let (plain, foreign) = (layer("v1.tar+gzip"), layer("nondistributable.v1.tar+gzip"));
    let image = "application/vnd.oci.image.manifest.v1+json";
    let index = "application/vnd.oci.image.index.v1+json";
    let seeds = [
        "team/app\n".to_owned(),
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{image}","config":{config},"layers":[{plain},{plain}],"annotations":{{"a":"b"}}}}"#
        ),
        format!(
            "{image}\n{{\"schemaVersion\":2,\"config\":{config},\"layers\":[{foreign},{plain}]}}"
        ),
        format!(
            "{image}; charset=utf-8\n{{\"schemaVersion\":2,\"artifactType\":\"a/b\",\"config\":{config},\"layers\":null,\"subject\":{{\"mediaType\":\"{image}\",\"digest\":\"{D}\",\"size\":7}},\"annotations\":{{\"k\":\"v\"}}}}"
        ),
        format!(
            "{index}\n{{\"schemaVersion\":2,\"manifests\":[{{\"mediaType\":\"{image}\",\"digest\":\"{D}\",\"size\":7}},{plain}]}}"
        ),
        "application/vnd.docker.distribution.manifest.v1+json\n{\"schemaVersion\":1,\"fsLayers\":[]}"
            .to_owned(),
        format!(
            "application/vnd.oci.artifact.manifest.v1+json\n{{\"mediaType\":\"application/vnd.oci.artifact.manifest.v1+json\",\"artifactType\":\"a/b\",\"blobs\":[{plain}]}}"
        ),
    ];
    seeds.into_iter().map(String::into_bytes).collect()
}
