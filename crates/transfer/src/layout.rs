//! The format of a bundle: an OCI image layout (OCI image-spec, "OCI Image Layout Specification") with two
//! additions that other readers pass over.
//!
//! - Entries of `index.json` name their repository in the annotation [`REPOSITORY`], and are named
//!   `repository:tag` in `org.opencontainers.image.ref.name`. An entry without that name is an image or
//!   artifact that no tag names.
//! - [`BUNDLE_FILE`] lists every blob with its length and the repositories that need it, those that were left
//!   out since an earlier bundle has them, and the digest of `index.json`. It is written last.

use std::collections::BTreeMap;
use std::path::Path;

use blobs::Digest;
use serde::{Deserialize, Serialize};

use crate::content::has_digest;
use crate::error::{Error, Result, refused};
use crate::files::Files;
use crate::names;

pub(crate) const LAYOUT_FILE: &str = "oci-layout";
pub(crate) const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
pub(crate) const INDEX_FILE: &str = "index.json";
/// The list of a bundle's blobs.
pub const BUNDLE_FILE: &str = "berth-bundle.json";
/// Marks a folder whose export is not finished.
pub(crate) const PARTIAL_FILE: &str = "berth-bundle.partial";

/// The annotation that names an entry's repository.
pub(crate) const REPOSITORY: &str = "berth.repository";
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// Written by BuildKit and `ctr`, with a registry's host.
const IMAGE_NAME: &str = "io.containerd.image.name";

/// The longest `index.json` and the longest list of blobs, in bytes.
pub(crate) const INDEX_BYTES_MAX: usize = 64 << 20;
const LAYOUT_BYTES_MAX: usize = 4 << 10;
/// The version of [`BUNDLE_FILE`].
const BUNDLE_VERSION: u32 = 1;

/// An entry of `index.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    #[serde(default)]
    pub media_type: String,
    #[serde(with = "as_text")]
    pub digest: Digest,
    pub size: u64,
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    pub schema_version: u32,
    #[serde(default)]
    pub media_type: String,
    pub manifests: Vec<Entry>,
}

/// The list of a bundle's blobs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contents {
    pub berth_bundle: u32,
    /// The digest of `index.json`.
    #[serde(with = "as_text")]
    pub index: Digest,
    /// What is in the bundle.
    pub blobs: Vec<Blob>,
    /// What an earlier bundle has.
    #[serde(default)]
    pub left_out: Vec<Blob>,
}

/// A blob of a bundle.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Blob {
    #[serde(with = "as_text")]
    pub digest: Digest,
    pub size: u64,
    /// The repositories whose images need it; of a blob that is left out, those of the earlier bundle.
    pub repositories: Vec<String>,
}

impl Contents {
    pub fn new(index: Digest, blobs: Vec<Blob>, left_out: Vec<Blob>) -> Contents {
        Contents {
            berth_bundle: BUNDLE_VERSION,
            index,
            blobs,
            left_out,
        }
    }

    fn parse(bytes: &[u8]) -> Result<Contents> {
        let contents: Contents = serde_json::from_slice(bytes)
            .map_err(|error| refused(format!("{BUNDLE_FILE} cannot be read: {error}")))?;
        match contents.berth_bundle {
            BUNDLE_VERSION => Ok(contents),
            other => Err(refused(format!(
                "{BUNDLE_FILE} has version {other}: this program reads version {BUNDLE_VERSION}"
            ))),
        }
    }

    /// The list of an earlier bundle: of the bundle, or the file itself.
    pub fn earlier(path: &Path) -> Result<Contents> {
        let bytes = match path.extension().is_some_and(|kind| kind == "json") {
            true => {
                let folder = path
                    .parent()
                    .filter(|folder| !folder.as_os_str().is_empty());
                let folder = Files::open(folder.unwrap_or(Path::new(".")))?;
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                folder.read(&name, INDEX_BYTES_MAX)?
            }
            false => Files::open(path)?.read(BUNDLE_FILE, INDEX_BYTES_MAX)?,
        };
        let bytes = bytes.ok_or_else(|| {
            refused(format!(
                "{} is no finished bundle: it has no {BUNDLE_FILE}",
                path.display()
            ))
        })?;
        Contents::parse(&bytes)
    }

    /// The list of a bundle that is read; `None` for a layout that another program made.
    pub fn of(files: &Files, index: &[u8]) -> Result<Option<Contents>> {
        let Some(bytes) = files.read(BUNDLE_FILE, INDEX_BYTES_MAX)? else {
            return Ok(None);
        };
        let contents = Contents::parse(&bytes)?;
        match has_digest(index, &contents.index) {
            true => Ok(Some(contents)),
            false => Err(Error::Content {
                expected: contents.index,
                found: format!("{INDEX_FILE} is not the one that {BUNDLE_FILE} names"),
            }),
        }
    }
}

/// Reads the index of a layout that lies under `prefix`, which is empty or ends with `/`.
pub(crate) fn index(files: &Files, prefix: &str) -> Result<(Vec<Entry>, Vec<u8>)> {
    if files.file(&format!("{prefix}{PARTIAL_FILE}"))?.is_some() {
        return Err(refused(
            "the bundle is not finished: run the same `berth bundle export` again",
        ));
    }
    let layout = files.read(&format!("{prefix}{LAYOUT_FILE}"), LAYOUT_BYTES_MAX)?;
    let layout =
        layout.ok_or_else(|| refused("it is no OCI image layout: it has no oci-layout"))?;
    let layout: serde_json::Value = serde_json::from_slice(&layout).unwrap_or_default();
    let version = layout["imageLayoutVersion"].as_str().unwrap_or_default();
    if !version.starts_with("1.") {
        return Err(refused(format!(
            "its oci-layout has version `{version}`: this program reads 1.0.0"
        )));
    }
    let bytes = files.read(&format!("{prefix}{INDEX_FILE}"), INDEX_BYTES_MAX)?;
    let bytes = bytes.ok_or_else(|| refused("it is no OCI image layout: it has no index.json"))?;
    let index: Index = serde_json::from_slice(&bytes)
        .map_err(|error| refused(format!("its index.json cannot be read: {error}")))?;
    Ok((index.manifests, bytes))
}

pub(crate) fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

/// The repository, and the tag, of images that name none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The repository.
    pub repository: String,
    /// The tag of an image without a name.
    pub tag: Option<String>,
}

/// Repository and tag of an entry.
pub(crate) fn place(entry: &Entry, home: Option<&Home>) -> Result<(String, Option<String>)> {
    let annotation = |key: &str| entry.annotations.get(key).map(String::as_str);
    let name = annotation(REF_NAME).filter(|name| !name.is_empty());
    let (repository, tag) = if let Some(repository) = annotation(REPOSITORY) {
        let own = |name: &'_ str| {
            let rest = name.strip_prefix(repository)?.strip_prefix(':')?;
            Some(rest.to_owned())
        };
        let wrong =
            |name: &str| refused(format!("`{name}` is not in the repository `{repository}`"));
        let tag = name.map(|name| own(name).ok_or_else(|| wrong(name)));
        (repository, tag.transpose()?)
    } else if let Some(home) = home {
        let tag = name.map(|name| match names::is_tag(name) {
            true => Some(name),
            false => names::image_name(name).1,
        });
        let tag = tag.flatten().map(str::to_owned);
        (home.repository.as_str(), tag.or_else(|| home.tag.clone()))
    } else {
        let full = name.filter(|name| !names::is_tag(name));
        let (repository, tag) = annotation(IMAGE_NAME)
            .or(full)
            .map(names::image_name)
            .ok_or_else(|| {
                refused(format!(
                    "the layout names no repository for {}: add --repository NAME",
                    name.map_or_else(|| entry.digest.to_string(), |tag| format!("`{tag}`"))
                ))
            })?;
        (repository, tag.map(str::to_owned))
    };
    names::check_repository(repository)?;
    if let Some(tag) = &tag {
        names::check_tag(tag)?;
    }
    Ok((repository.to_owned(), tag))
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

mod as_text {
    use blobs::Digest;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(digest: &Digest, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(digest)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(
        annotations: &[(&str, &str)],
        home: Option<&str>,
    ) -> Result<(String, Option<String>)> {
        let annotations = annotations.iter();
        let entry = Entry {
            media_type: String::new(),
            digest: Digest::sha256_of(b""),
            size: 0,
            annotations: annotations
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        };
        let home = home.map(|repository| Home {
            repository: repository.to_owned(),
            tag: Some("latest".to_owned()),
        });
        place(&entry, home.as_ref())
    }

    #[test]
    fn entries_of_every_maker_have_a_place() {
        let app = |tag: Option<&str>| ("app".to_owned(), tag.map(str::to_owned));
        for (annotations, home, expected) in [
            (
                &[(REPOSITORY, "app"), (REF_NAME, "app:v1")][..],
                None,
                app(Some("v1")),
            ),
            (&[(REPOSITORY, "app")], Some("other"), app(None)),
            (&[(REF_NAME, "v1")], Some("app"), app(Some("v1"))),
            (
                &[(REF_NAME, "docker.io/x/y:v2")],
                Some("app"),
                app(Some("v2")),
            ),
            (&[], Some("app"), app(Some("latest"))),
            (
                &[(REF_NAME, "v1"), (IMAGE_NAME, "docker.io/app:v1")],
                None,
                app(Some("v1")),
            ),
            (&[(REF_NAME, "app:v1")], None, app(Some("v1"))),
        ] {
            assert_eq!(
                placed(annotations, home).unwrap(),
                expected,
                "{annotations:?}"
            );
        }
    }

    #[test]
    fn refuses_names_that_are_none() {
        for annotations in [
            &[(REF_NAME, "v1")][..],
            &[(REPOSITORY, "../app")],
            &[(REPOSITORY, "app"), (REF_NAME, "other:v1")],
            &[(REPOSITORY, "app"), (REF_NAME, "app:v/1")],
        ] {
            assert!(placed(annotations, None).is_err(), "{annotations:?}");
        }
    }
}
