//! What a manifest may say.
//!
//! A manifest is stored and served byte for byte. It is parsed once, when it is pushed,
//! for what it points at: layers, children, the subject (OCI image-spec 1.1, "Image
//! Manifest" and "Image Index"; Docker "Image Manifest V 2, Schema 2").

use std::collections::BTreeMap;

use blobs::Digest;
use serde::Deserialize;

use crate::{Error, MANIFEST_BYTES_MAX};

pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI_ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
const DOCKER_SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1";

/// Descriptors of one manifest. Real ones have a few hundred at most.
const DESCRIPTORS_MAX: usize = 10_000;
/// A media or artifact type is at most this long (RFC 6838, section 4.2: 127 + 1 + 127).
const MEDIA_TYPE_BYTES_MAX: usize = 255;

/// A descriptor (OCI image-spec, "Content Descriptors").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    pub(crate) digest: Digest,
    /// Length in bytes.
    pub(crate) size: u64,
}

/// A manifest's contents, as far as the registry looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) media_type: String,
    /// Blobs that must be in the repository: the config and the layers.
    pub(crate) blobs: Vec<Descriptor>,
    /// Those of them that count as the image's size: the layers.
    pub(crate) layers: Vec<Digest>,
    /// Manifests that must be in the repository.
    pub(crate) children: Vec<Descriptor>,
    pub(crate) subject: Option<Digest>,
    pub(crate) artifact_type: Option<String>,
    /// With a subject only, for the referrers' index.
    pub(crate) annotations: BTreeMap<String, String>,
}

/// Any of the five forms; which fields must be there depends on the media type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: Option<u64>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<WireDescriptor>,
    layers: Option<Vec<WireDescriptor>>,
    manifests: Option<Vec<WireDescriptor>>,
    /// The artifact manifest's layers.
    blobs: Option<Vec<WireDescriptor>>,
    /// Schema 1's layers; there to be refused.
    fs_layers: Option<serde::de::IgnoredAny>,
    subject: Option<WireDescriptor>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDescriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: i64,
}

impl WireDescriptor {
    fn check(&self) -> Result<Descriptor, Error> {
        let digest = self
            .digest
            .parse::<Digest>()
            .map_err(|error| invalid(error.to_string()))?;
        let size = u64::try_from(self.size)
            .map_err(|_| invalid(format!("the size of {digest} must not be negative")))?;
        Ok(Descriptor { digest, size })
    }

    /// Layers that their licence keeps out of registries: they are fetched elsewhere.
    fn is_foreign(&self) -> bool {
        self.media_type.contains(".foreign.") || self.media_type.contains(".nondistributable.")
    }

    /// Whether an index's entry is a manifest. BuildKit's cache puts layers there too.
    fn is_manifest(&self) -> bool {
        is_manifest_type(&self.media_type)
    }
}

fn invalid(what: impl Into<String>) -> Error {
    Error::InvalidManifest(what.into())
}

fn is_manifest_type(media_type: &str) -> bool {
    matches!(
        media_type,
        DOCKER_MANIFEST | DOCKER_LIST | OCI_MANIFEST | OCI_INDEX | OCI_ARTIFACT
    ) || media_type.starts_with(DOCKER_SCHEMA_1)
}

/// Parses and checks a manifest. `given` is the media type that came with it.
pub(crate) fn parse(bytes: &[u8], given: Option<&str>) -> Result<Parsed, Error> {
    if bytes.len() > MANIFEST_BYTES_MAX {
        return Err(Error::ManifestTooLarge(MANIFEST_BYTES_MAX));
    }
    let wire: Wire = serde_json::from_slice(bytes)
        .map_err(|error| invalid(format!("Invalid JSON syntax: {error}")))?;
    let media_type = media_type(given, &wire)?;
    if wire.schema_version != Some(2) && media_type != OCI_ARTIFACT {
        return Err(invalid("schemaVersion must be 2"));
    }
    let (is_list, is_artifact) = (
        matches!(media_type.as_str(), DOCKER_LIST | OCI_INDEX),
        media_type == OCI_ARTIFACT,
    );
    // A document that reads as an image and as a list means different things to
    // different clients.
    let (images_own, lists_own) = (
        wire.layers.is_some() || wire.config.is_some(),
        wire.manifests.is_some(),
    );
    if (is_list && images_own) || (!is_list && lists_own) {
        return Err(invalid(format!(
            "config, layers and manifests do not fit a {media_type}"
        )));
    }
    if wire.blobs.is_some() && !is_artifact {
        return Err(invalid(format!("blobs do not fit a {media_type}")));
    }

    let mut parsed = Parsed {
        media_type,
        ..Parsed::default()
    };
    let mut count = 0;
    if is_list {
        let manifests = wire
            .manifests
            .ok_or_else(|| invalid("manifests must not be missing"))?;
        for entry in &manifests {
            count += 1;
            let descriptor = entry.check()?;
            match entry.is_manifest() {
                true => parsed.children.push(descriptor),
                false => {
                    parsed.layers.push(descriptor.digest);
                    parsed.blobs.push(descriptor);
                }
            }
        }
    } else {
        let layers = match is_artifact {
            true => wire.blobs.unwrap_or_default(),
            false => wire
                .layers
                .ok_or_else(|| invalid("layers must not be missing"))?,
        };
        match &wire.config {
            Some(config) => parsed.blobs.push(config.check()?),
            None if !is_artifact => return Err(invalid("config must not be missing")),
            None => {}
        }
        for layer in layers.iter().filter(|layer| !layer.is_foreign()) {
            count += 1;
            let descriptor = layer.check()?;
            parsed.layers.push(descriptor.digest);
            parsed.blobs.push(descriptor);
        }
    }
    if count > DESCRIPTORS_MAX {
        return Err(invalid(format!(
            "there may be {DESCRIPTORS_MAX} descriptors at most"
        )));
    }
    parsed.subject = match &wire.subject {
        Some(subject) => Some(subject.check()?.digest),
        None => None,
    };
    parsed.artifact_type = match wire.artifact_type.filter(|text| !text.is_empty()) {
        Some(text) => Some(text),
        None => wire
            .config
            .map(|config| config.media_type)
            .filter(|text| !text.is_empty()),
    };
    let artifact_type_bytes = parsed.artifact_type.as_deref().unwrap_or("").len();
    if artifact_type_bytes > MEDIA_TYPE_BYTES_MAX {
        return Err(invalid(format!(
            "artifactType may have {MEDIA_TYPE_BYTES_MAX} characters at most"
        )));
    }
    if parsed.subject.is_some() {
        parsed.annotations = wire.annotations.unwrap_or_default();
    }
    dedup(&mut parsed)?;
    Ok(parsed)
}

/// An image may hold a layer twice; it is checked and linked once.
fn dedup(parsed: &mut Parsed) -> Result<(), Error> {
    for descriptors in [&mut parsed.blobs, &mut parsed.children] {
        descriptors.sort_by_key(|descriptor| descriptor.digest);
        descriptors.dedup();
        if let Some(pair) = descriptors
            .windows(2)
            .find(|pair| pair[0].digest == pair[1].digest)
        {
            return Err(invalid(format!(
                "{} stands there with two sizes",
                pair[0].digest
            )));
        }
    }
    parsed.layers.sort();
    parsed.layers.dedup();
    Ok(())
}

/// The media type of a manifest: what came with it and what it says must agree.
fn media_type(given: Option<&str>, wire: &Wire) -> Result<String, Error> {
    let given = given
        .map(|text| text.split(';').next().unwrap_or("").trim())
        .filter(|text| !text.is_empty());
    if wire.fs_layers.is_some() || given.is_some_and(|text| text.starts_with(DOCKER_SCHEMA_1)) {
        return Err(invalid(
            "image manifests of schema version 1 are not supported: push with a newer client",
        ));
    }
    let media_type = match (given, wire.media_type.as_deref()) {
        (Some(given), Some(said)) if given != said => {
            // Clients that do not know better send JSON as JSON.
            match is_manifest_type(given) {
                true => {
                    return Err(invalid(format!(
                        "the manifest's mediaType '{}' is not the given '{}'",
                        short(said),
                        short(given)
                    )));
                }
                false => said,
            }
        }
        (_, Some(said)) => said,
        (Some(given), None) => given,
        (None, None) => {
            return Err(invalid(
                "the manifest has no mediaType, so its media type must be given with it",
            ));
        }
    };
    match is_manifest_type(media_type) && !media_type.starts_with(DOCKER_SCHEMA_1) {
        true => Ok(media_type.to_owned()),
        false => Err(invalid(format!(
            "the media type '{}' is not that of a manifest",
            short(media_type)
        ))),
    }
}

/// A client's text, cut for a message.
fn short(text: &str) -> String {
    text.chars().take(100).collect()
}
