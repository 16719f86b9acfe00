//! The stores of stopped registries.
//!
//! - **distribution** and Harbor, which runs it: `docker/registry/v2` with `repositories/<name>/_manifests` (links
//!   to digests) and `blobs/<algorithm>/<two digits>/<digest>/data` (distribution's `registry/storage/paths.go`).
//! - **zot**: a folder for each repository with an OCI image layout, whose index names tags in
//!   `org.opencontainers.image.ref.name` and lists every other manifest without a name.

use std::collections::BTreeSet;

use blobs::Digest;

use crate::error::{Result, refused};
use crate::files::{Files, Folder};
use crate::layout;
use crate::names;
use crate::repository::Repository;

/// Components of a repository's name.
const DEPTH_MAX: usize = 32;
const REPOSITORIES_MAX: usize = 1_000_000;
/// A link holds one digest.
const LINK_BYTES_MAX: usize = 256;

/// A kind of store, and where it begins.
pub(crate) enum Store {
    /// The folder that holds `repositories` and `blobs`, as a prefix of names.
    Distribution(String),
    Zot,
}

impl Store {
    /// Finds the kind of a store.
    pub fn find(folder: &Folder) -> Result<Option<Store>> {
        // The whole data folder of distribution, of Harbor, and the inner one.
        for prefix in ["docker/registry/v2/", "registry/docker/registry/v2/", ""] {
            let within = folder.folders(prefix)?;
            if ["repositories", "blobs"]
                .iter()
                .all(|name| within.iter().any(|one| one == name))
            {
                return Ok(Some(Store::Distribution(prefix.to_owned())));
            }
        }
        let mut found = Vec::new();
        zot(folder, "", 0, &mut found)?;
        Ok((!found.is_empty()).then_some(Store::Zot))
    }

    pub fn repositories(&self, files: &Files) -> Result<Vec<String>> {
        let folder = folder(files)?;
        let mut found = Vec::new();
        match self {
            Store::Distribution(prefix) => {
                distribution(folder, &format!("{prefix}repositories"), "", 0, &mut found)?;
            }
            Store::Zot => zot(folder, "", 0, &mut found)?,
        }
        found.sort();
        Ok(found)
    }

    pub fn read(&self, files: &Files, name: &str) -> Result<Option<Repository>> {
        names::check_repository(name)?;
        match self {
            Store::Distribution(prefix) => read_distribution(files, prefix, name),
            Store::Zot => read_zot(files, name),
        }
    }

    pub fn blob_name(&self, repository: &str, digest: &Digest) -> String {
        match self {
            Store::Distribution(prefix) => {
                let hex = digest.hex();
                format!(
                    "{prefix}blobs/{}/{}/{hex}/data",
                    digest.algorithm(),
                    &hex[..2]
                )
            }
            Store::Zot => format!("{repository}/{}", layout::blob_name(digest)),
        }
    }
}

fn folder(files: &Files) -> Result<&Folder> {
    match files {
        Files::Folder(folder) => Ok(folder),
        Files::Archive(_) => Err(refused("a store is a folder")),
    }
}

fn joined(parent: &str, name: &str) -> String {
    match parent.is_empty() {
        true => name.to_owned(),
        false => format!("{parent}/{name}"),
    }
}

fn bounded(found: &[String], depth: usize) -> Result<()> {
    match found.len() > REPOSITORIES_MAX || depth > DEPTH_MAX {
        true => Err(refused("the store has too many or too deep folders")),
        false => Ok(()),
    }
}

fn distribution(
    at: &Folder,
    root: &str,
    name: &str,
    depth: usize,
    found: &mut Vec<String>,
) -> Result<()> {
    bounded(found, depth)?;
    for inner in at.folders(&joined(root, name))? {
        if inner == "_manifests" {
            found.push(name.to_owned());
        } else if !inner.starts_with('_') {
            distribution(at, root, &joined(name, &inner), depth + 1, found)?;
        }
    }
    Ok(())
}

fn zot(at: &Folder, name: &str, depth: usize, found: &mut Vec<String>) -> Result<()> {
    bounded(found, depth)?;
    let is_layout = |name: &str| -> Result<bool> {
        let layout = at.file(&format!("{name}/{}", layout::LAYOUT_FILE))?;
        Ok(layout.is_some()
            && at
                .file(&format!("{name}/{}", layout::INDEX_FILE))?
                .is_some())
    };
    for inner in at.folders(name)? {
        // `.uploads`, `.trivy` and the like.
        if inner.starts_with(['.', '_']) || inner == "blobs" {
            continue;
        }
        let inner = joined(name, &inner);
        if is_layout(&inner)? {
            found.push(inner.clone());
        }
        zot(at, &inner, depth + 1, found)?;
    }
    Ok(())
}

fn link(files: &Files, name: &str) -> Result<Option<Digest>> {
    let Some(bytes) = files.read(name, LINK_BYTES_MAX)? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes);
    let digest = text.trim().parse();
    digest
        .map(Some)
        .map_err(|error| refused(format!("{name}: {error}")))
}

fn read_distribution(files: &Files, prefix: &str, name: &str) -> Result<Option<Repository>> {
    let folder = folder(files)?;
    let manifests = format!("{prefix}repositories/{name}/_manifests");
    let mut repository = Repository::default();
    let mut revisions = BTreeSet::new();
    for algorithm in folder.folders(&format!("{manifests}/revisions"))? {
        for hex in folder.folders(&format!("{manifests}/revisions/{algorithm}"))? {
            // A deleted manifest leaves its folder without the link.
            let link = link(
                files,
                &format!("{manifests}/revisions/{algorithm}/{hex}/link"),
            )?;
            revisions.extend(link);
        }
    }
    for tag in folder.folders(&format!("{manifests}/tags"))? {
        names::check_tag(&tag)?;
        let link = link(files, &format!("{manifests}/tags/{tag}/current/link"))?;
        if let Some(digest) = link.filter(|digest| revisions.contains(digest)) {
            repository.tags.insert(tag, digest);
        }
    }
    let named: BTreeSet<_> = repository.tags.values().collect();
    repository.untagged = revisions
        .iter()
        .filter(|one| !named.contains(one))
        .copied()
        .collect();
    let exists = folder.folders(&format!("{prefix}repositories/{name}"))?;
    Ok(exists
        .iter()
        .any(|one| one == "_manifests")
        .then_some(repository))
}

fn read_zot(files: &Files, name: &str) -> Result<Option<Repository>> {
    if files
        .file(&format!("{name}/{}", layout::INDEX_FILE))?
        .is_none()
    {
        return Ok(None);
    }
    let (entries, _) = layout::index(files, &format!("{name}/"))?;
    let mut repository = Repository::default();
    for entry in &entries {
        let tag = entry
            .annotations
            .get(layout::REF_NAME)
            .filter(|tag| !tag.is_empty());
        if let Some(tag) = tag {
            names::check_tag(tag)?;
        }
        repository.add(name, tag.cloned(), entry)?;
    }
    Ok(Some(repository))
}
