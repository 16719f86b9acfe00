//! Manifests, as far as a copy looks: which blobs and manifests one needs, and what it is about.
//!
//! The target checks a manifest by its own rules. Here it is only read, with the bounds that the OCI
//! distribution specification and Amazon ECR have.

use blobs::Digest;
use bytes::Bytes;
use serde::Deserialize;

use crate::content::has_digest;
use crate::error::{Error, Result, refused};

/// The longest manifest, in bytes (Amazon ECR's `ImageManifest`).
pub const MANIFEST_BYTES_MAX: usize = 4 << 20;
/// Descriptors of one manifest.
const DESCRIPTORS_MAX: usize = 10_000;

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// The media types of manifests that can be copied.
pub const MANIFEST_TYPES: [&str; 5] = [
    OCI_MANIFEST,
    OCI_INDEX,
    DOCKER_MANIFEST,
    DOCKER_LIST,
    OCI_ARTIFACT,
];

/// What a manifest points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The media type; empty where none is given.
    pub media_type: String,
    /// The digest.
    pub digest: Digest,
    /// The length in bytes.
    pub size: u64,
    /// Whether it may be absent: its `urls` say where clients fetch it (OCI image-spec, "Descriptors").
    pub foreign: bool,
}

impl Descriptor {
    /// Whether it names a manifest. BuildKit's caches name layers in an index.
    pub(crate) fn is_manifest(&self) -> bool {
        MANIFEST_TYPES.contains(&self.media_type.as_str())
    }
}

/// A manifest whose bytes have its digest.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The media type.
    pub media_type: String,
    /// The digest.
    pub digest: Digest,
    /// The bytes as they were pushed.
    pub bytes: Bytes,
    /// Configuration and layers.
    pub blobs: Vec<Descriptor>,
    /// Manifests of an index.
    pub children: Vec<Descriptor>,
    /// The manifest that this one is about.
    pub subject: Option<Digest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: Option<u64>,
    media_type: Option<String>,
    config: Option<WireDescriptor>,
    // Go clients write `null` for an empty list.
    layers: Option<Vec<WireDescriptor>>,
    manifests: Option<Vec<WireDescriptor>>,
    blobs: Option<Vec<WireDescriptor>>,
    subject: Option<WireDescriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDescriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
    urls: Option<Vec<String>>,
}

impl WireDescriptor {
    fn check(self) -> Result<Descriptor> {
        let digest = self.digest.parse::<Digest>();
        Ok(Descriptor {
            digest: digest.map_err(|error| refused(error.to_string()))?,
            media_type: self.media_type,
            size: self.size,
            foreign: self.urls.is_some_and(|urls| !urls.is_empty()),
        })
    }
}

impl Manifest {
    /// Reads a manifest that must have this digest. `given` is the media type that came with it, which
    /// counts where the manifest itself has none.
    ///
    /// # Errors
    /// [`Error::Content`] for another digest, [`Error::Refused`] for what is no manifest.
    pub fn read(digest: Digest, bytes: Bytes, given: Option<&str>) -> Result<Manifest> {
        let wrong = |what: String| refused(format!("the manifest {digest} {what}"));
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(wrong(format!("is longer than {MANIFEST_BYTES_MAX} bytes")));
        }
        if !has_digest(&bytes, &digest) {
            return Err(Error::Content {
                expected: digest,
                found: "it has another digest".to_owned(),
            });
        }
        let wire: Wire = serde_json::from_slice(&bytes)
            .map_err(|error| wrong(format!("cannot be read: {error}")))?;
        if wire.schema_version == Some(1) {
            return Err(wrong(
                "has schema version 1, which no registry takes any more: pull and push it with a new client"
                    .to_owned(),
            ));
        }
        let given = given.map(|given| given.split(';').next().unwrap_or_default().trim());
        let given = given.filter(|given| MANIFEST_TYPES.contains(given));
        let media_type = match wire.media_type {
            Some(own) if MANIFEST_TYPES.contains(&own.as_str()) => own,
            Some(own) => return Err(wrong(format!("has the unknown media type `{own}`"))),
            None => given
                .unwrap_or(match wire.manifests {
                    Some(_) => OCI_INDEX,
                    None => OCI_MANIFEST,
                })
                .to_owned(),
        };
        let lists = [wire.layers, wire.manifests, wire.blobs];
        let all: Vec<WireDescriptor> = lists.into_iter().flatten().flatten().collect();
        if all.len() > DESCRIPTORS_MAX {
            return Err(wrong(format!(
                "has more than {DESCRIPTORS_MAX} descriptors"
            )));
        }
        let all = wire.config.into_iter().chain(all);
        let all = all.map(WireDescriptor::check);
        let all = all.collect::<Result<Vec<_>>>();
        let all = all.map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let is_index = [OCI_INDEX, DOCKER_LIST].contains(&media_type.as_str());
        let (children, blobs) = all
            .into_iter()
            .partition(|one| is_index && one.is_manifest());
        let subject = wire.subject.map(WireDescriptor::check).transpose()?;
        Ok(Manifest {
            media_type,
            digest,
            bytes,
            blobs,
            children,
            subject: subject.map(|subject| subject.digest),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &serde_json::Value) -> Result<Manifest> {
        let bytes = Bytes::from(value.to_string());
        Manifest::read(Digest::sha256_of(&bytes), bytes, None)
    }

    fn descriptor(media_type: &str, of: &[u8]) -> serde_json::Value {
        let digest = Digest::sha256_of(of).to_string();
        json!({"mediaType": media_type, "digest": digest, "size": of.len()})
    }

    #[test]
    fn an_image_needs_configuration_and_layers() {
        let manifest = read(&json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": descriptor("c", b"config"), "layers": [descriptor("l", b"layer")],
            "subject": descriptor(OCI_MANIFEST, b"subject")}))
        .unwrap();
        assert_eq!(manifest.blobs.len(), 2);
        assert_eq!(manifest.subject, Some(Digest::sha256_of(b"subject")));
    }

    #[test]
    fn an_index_of_a_build_cache_names_blobs() {
        let manifest = read(&json!({"schemaVersion": 2, "manifests": [
            descriptor(OCI_MANIFEST, b"image"), descriptor("application/vnd.oci.image.layer.v1.tar+gzip", b"layer")]}))
        .unwrap();
        assert_eq!(manifest.media_type, OCI_INDEX);
        assert_eq!((manifest.children.len(), manifest.blobs.len()), (1, 1));
    }

    #[test]
    fn refuses_what_is_no_manifest() {
        for value in [
            json!([]),
            json!({"schemaVersion": 1, "fsLayers": []}),
            json!({"schemaVersion": 2, "mediaType": "text/plain"}),
            json!({"schemaVersion": 2, "layers": [{"digest": "sha256:../../x", "size": 1}]}),
            json!({"schemaVersion": 2, "layers": [{"digest": Digest::sha256_of(b"").to_string(), "size": -1}]}),
        ] {
            assert!(read(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn refuses_bytes_of_another_digest() {
        let error = Manifest::read(Digest::sha256_of(b"a"), Bytes::from("b"), None).unwrap_err();
        assert!(matches!(error, Error::Content { .. }));
    }
}
