//! What a manifest may say.
//!
//! A manifest is stored and served byte for byte. It is parsed once, when it is pushed,
//! for what it points at: layers, children, the subject (OCI image-spec 1.1, "Image
//! Manifest" and "Image Index"; Docker "Image Manifest V 2, Schema 2").

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use blobs::Digest;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

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
pub struct Descriptor {
    /// What it points at.
    pub digest: Digest,
    /// Length in bytes.
    pub size: u64,
}

/// A foreign (non-distributable) layer, which a client may leave out of its push
/// (image-spec, "Non-Distributable Layers").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The layer.
    pub descriptor: Descriptor,
    /// The descriptor's `urls` say where to fetch it. Without them the blob must be in the
    /// repository, or the image could not be pulled.
    pub fetchable: bool,
}

/// A manifest's contents, as far as the registry looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The media type.
    pub media_type: String,
    /// Blobs that must be in the repository: the config and the layers.
    pub blobs: Vec<Descriptor>,
    /// Layers that may be fetched elsewhere. One that the repository has belongs to the
    /// image like any other.
    pub foreign: Vec<Foreign>,
    /// Those of both that count as the image's size: the layers.
    pub layers: Vec<Digest>,
    /// Manifests that must be in the repository.
    pub children: Vec<Descriptor>,
    /// Whether some of them may be missing: of a list whose other images an upstream has (ADR 0017).
    pub sparse: bool,
    /// The manifest that this one is about.
    pub subject: Option<Digest>,
    /// `artifactType`, or else the config's media type.
    pub artifact_type: Option<String>,
    /// With a subject only, for the referrers' index.
    pub annotations: BTreeMap<String, String>,
}

/// Any of the five forms; which fields must be there depends on the media type. `null` is as
/// absent, and an absent list is an empty one: Go clients write `null` for empty slices
/// (`regctl image create`, `crane index filter`).
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: Option<u64>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Object<WireDescriptor>>,
    layers: Option<Vec<Object<WireDescriptor>>>,
    manifests: Option<Vec<Object<WireDescriptor>>>,
    /// The artifact manifest's layers.
    blobs: Option<Vec<Object<WireDescriptor>>>,
    /// Schema 1's layers; there to be refused.
    fs_layers: Option<serde::de::IgnoredAny>,
    subject: Option<Object<WireDescriptor>>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDescriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: i64,
    urls: Option<Vec<String>>,
}

/// A JSON object. Without it a structure is read from a list as well, its members in the order of its
/// fields, and no client would read such a manifest again.
struct Object<T>(T);

impl<T> Deref for Object<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
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

    /// Whether this is a layer that its licence may keep out of registries.
    fn is_foreign(&self) -> bool {
        self.media_type.contains(".foreign.") || self.media_type.contains(".nondistributable.")
    }

    /// Whether `urls` names a place that clients fetch from: they know http and https.
    fn is_fetchable(&self) -> bool {
        let known = |url: &String| {
            let scheme = url.split_once("://").map(|(scheme, _)| scheme);
            scheme.is_some_and(|scheme| {
                scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
            })
        };
        self.urls.iter().flatten().any(known)
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
///
/// # Errors
/// [`Error::ManifestTooLarge`], [`Error::InvalidManifest`].
pub fn parse(bytes: &[u8], given: Option<&str>) -> Result<Parsed, Error> {
    if bytes.len() > MANIFEST_BYTES_MAX {
        return Err(Error::ManifestTooLarge(MANIFEST_BYTES_MAX));
    }
    let Object(wire): Object<Wire> = serde_json::from_slice(bytes)
        // ECR's words, without a place (recorded answers: radkawar/stackd, `testdata/aws/ecr`).
        .map_err(|_| invalid("Invalid JSON syntax"))?;
    // `{}` is answered alike.
    if given.is_none() && wire.media_type.is_none() && wire.schema_version.is_none() {
        return Err(invalid("Invalid JSON syntax"));
    }
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
        for entry in &wire.manifests.unwrap_or_default() {
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
            true => wire.blobs,
            false => wire.layers,
        };
        match &wire.config {
            Some(config) => parsed.blobs.push(config.check()?),
            None if !is_artifact => return Err(invalid("config must not be missing")),
            None => {}
        }
        for layer in &layers.unwrap_or_default() {
            count += 1;
            let descriptor = layer.check()?;
            parsed.layers.push(descriptor.digest);
            match layer.is_foreign() {
                true => parsed.foreign.push(Foreign {
                    descriptor,
                    fetchable: layer.is_fetchable(),
                }),
                false => parsed.blobs.push(descriptor),
            }
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
            .map(|config| config.0.media_type)
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
    let mut blobs = parsed.blobs.clone();
    blobs.extend(parsed.foreign.iter().map(|layer| layer.descriptor.clone()));
    one_size_each(&mut blobs)?;
    one_size_each(&mut parsed.children)?;
    one_size_each(&mut parsed.blobs)?;
    // A layer that is listed both ways must be in the repository.
    let own = &parsed.blobs;
    parsed.foreign.retain(|layer| {
        let digest = layer.descriptor.digest;
        own.binary_search_by_key(&digest, |blob| blob.digest)
            .is_err()
    });
    parsed.foreign.sort_by_key(|layer| layer.descriptor.digest);
    parsed.foreign.dedup_by(|later, kept| {
        let same = later.descriptor == kept.descriptor;
        kept.fetchable |= same && later.fetchable;
        same
    });
    parsed.layers.sort();
    parsed.layers.dedup();
    Ok(())
}

/// Sorts descriptors and drops repeated ones. One blob cannot have two sizes.
fn one_size_each(descriptors: &mut Vec<Descriptor>) -> Result<(), Error> {
    descriptors.sort_by_key(|descriptor| descriptor.digest);
    descriptors.dedup();
    let two_sizes = descriptors
        .windows(2)
        .find(|pair| pair[0].digest == pair[1].digest);
    match two_sizes {
        Some(pair) => Err(invalid(format!(
            "{} is listed with two sizes",
            pair[0].digest
        ))),
        None => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The longest message of a refusal: names of clients are cut in it.
    const MESSAGE_CHARS_MAX: usize = 500;
    /// What stands in a member of a composed manifest, right or wrong.
    const VALUES: &[&str] = &[
        "null",
        "[]",
        "{}",
        "2",
        "-1",
        "1e400",
        "\"application/vnd.oci.image.manifest.v1+json\"",
        "\"application/vnd.oci.image.index.v1+json\"",
        "\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
        "[{\"mediaType\":\"a.foreign.b\",\"digest\":\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"size\":0,\"urls\":null}]",
        "{\"digest\":\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"size\":7}",
        "{\"digest\":\"md5:00\",\"size\":9223372036854775807}",
    ];
    const MEMBERS: &[&str] = &[
        "schemaVersion",
        "mediaType",
        "artifactType",
        "config",
        "layers",
        "manifests",
        "blobs",
        "fsLayers",
        "subject",
        "annotations",
    ];

    fn check(bytes: &[u8], media_type: Option<&str>) {
        match parse(bytes, media_type) {
            Ok(parsed) => {
                let digests = |list: &[Descriptor]| -> Vec<Digest> {
                    list.iter().map(|descriptor| descriptor.digest).collect()
                };
                for list in [digests(&parsed.blobs), digests(&parsed.children)] {
                    assert!(list.is_sorted_by(|a, b| a < b), "{list:?}");
                }
                assert!(is_manifest_type(&parsed.media_type));
            }
            Err(error) => {
                let message = error.to_string();
                assert!(!message.is_empty());
                assert!(message.chars().count() <= MESSAGE_CHARS_MAX, "{message}");
            }
        }
    }

    #[test]
    fn refuses_lists_in_the_place_of_objects() {
        const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let object = format!(r#"{{"mediaType":"a/b","digest":"{D}","size":0}}"#);
        let list = format!(r#"["a/b","{D}",0,null]"#);
        let manifest = |config: &str, layer: &str| {
            format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}]}}"#)
        };
        let all =
            format!(r#"[2,"{OCI_MANIFEST}",null,{object},[{object}],null,null,null,null,null]"#);
        for (text, valid) in [
            (manifest(&object, &object), true),
            (manifest(&list, &object), false),
            (manifest(&object, &list), false),
            (all, false),
        ] {
            let parsed = parse(text.as_bytes(), Some(OCI_MANIFEST));
            assert_eq!(parsed.is_ok(), valid, "{text}: {parsed:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_manifest_or_a_short_refusal(bytes: Vec<u8>, media_type: Option<String>) {
            check(&bytes, media_type.as_deref());
        }

        #[test]
        fn any_members_are_a_manifest_or_a_short_refusal(
            members in proptest::collection::vec((0..MEMBERS.len(), 0..VALUES.len()), 0..8),
            media_type in proptest::sample::select(vec![None, Some(OCI_INDEX), Some("application/json")]),
            cut in 0_usize..2000,
        ) {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("\"{}\":{}", MEMBERS[*name], VALUES[*value]))
                .collect();
            let text = format!("{{{}}}", members.join(","));
            check(text.as_bytes(), media_type);
            check(&text.as_bytes()[..cut.min(text.len())], media_type);
        }
    }
}
