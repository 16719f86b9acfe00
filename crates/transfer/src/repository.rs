//! One repository of stored images.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use blobs::Digest;
use tokio::sync::OnceCell;

use crate::error::{Result, refused};
use crate::layout::Entry;

/// A repository's manifests.
#[derive(Default)]
pub(crate) struct Repository {
    pub tags: BTreeMap<String, Digest>,
    pub untagged: BTreeSet<Digest>,
    /// By what the format notes beside the manifest.
    pub media_types: HashMap<Digest, String>,
    /// The manifests about each, once somebody has asked.
    pub referrers: OnceCell<HashMap<Digest, Vec<Digest>>>,
}

impl Repository {
    /// Adds the entries of a layout's index.
    pub fn add(&mut self, repository: &str, tag: Option<String>, entry: &Entry) -> Result<()> {
        self.media_types
            .insert(entry.digest, entry.media_type.clone());
        match tag {
            None => {
                self.untagged.insert(entry.digest);
            }
            Some(tag) => match self.tags.insert(tag.clone(), entry.digest) {
                Some(other) if other != entry.digest => {
                    return Err(refused(format!(
                        "index.json names two images {repository}:{tag}"
                    )));
                }
                _ => {}
            },
        }
        Ok(())
    }
}
