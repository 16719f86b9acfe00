//! Pushes: one transaction that checks what an image needs and stores it.

use blobs::Digest;
use bytes::Bytes;
use store::Write;
use store::ecr::image::{self, Image};
use store::ecr::{image_tag, layer, repository};

use crate::cache::Change;
use crate::manifest::{Descriptor, Parsed};
use crate::mutability::Mutability;
use crate::{Call, Error, Registry, RepositoryFacts};

/// What a push changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// A new image, a new tag, or a moved one.
    Changed,
    /// Nothing: image and tag were there.
    Same,
}

impl Registry {
    /// Stores an image and points its tag at it, in one transaction.
    pub(crate) async fn push(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        tag: Option<&str>,
        digest: &Digest,
        parsed: &Parsed,
        bytes: &Bytes,
    ) -> Result<Pushed, Error> {
        let digest = digest.to_string();
        let mut tx = self.write(repo.id).await?;
        let Some(row) = repository::get(&mut tx.conn(), repo.id).await? else {
            return Err(Error::RepositoryNotFound(repo.place()));
        };
        let tagged = match tag {
            Some(tag) => image_tag::find(&mut tx.conn(), repo.id, tag).await?,
            None => None,
        };
        let moves = tagged
            .as_ref()
            .is_some_and(|(_, current)| *current != digest);
        if let (true, Some(tag)) = (moves, tag) {
            let mutability = Mutability::stored(&row)?;
            if mutability.forbids_moving(tag) {
                return Err(Error::ImageTagAlreadyExists {
                    tag: tag.to_owned(),
                    place: repo.place(),
                });
            }
        }
        let existing = image::find(&mut tx.conn(), repo.id, &digest).await?;
        let known = existing.is_some();
        if known && (tag.is_none() || (tagged.is_some() && !moves)) {
            return Ok(Pushed::Same);
        }
        let image_id = match existing {
            Some(image) => image.id,
            None => {
                self.insert(cx, &mut tx, repo, &digest, parsed, bytes)
                    .await?
            }
        };
        let mut changes = Vec::new();
        if let Some(tag) = tag {
            let max = self.0.settings.limits.tags_per_image_max;
            if image_tag::count(&mut tx.conn(), image_id)
                .await?
                .unsigned_abs()
                >= max
            {
                return Err(Error::LimitExceeded {
                    what: "tags for an image",
                    max,
                });
            }
            image_tag::put(&mut tx.conn(), repo.id, tag, image_id, cx.now_ms()).await?;
            if moves {
                changes.push(Change::Tag(repo.id, tag.to_owned()));
            }
        }
        self.commit(tx, &changes).await?;
        Ok(Pushed::Changed)
    }

    /// Adds the rows of a new image after checking that all it needs is there.
    async fn insert(
        &self,
        cx: &Call,
        tx: &mut Write,
        repo: &RepositoryFacts,
        digest: &str,
        parsed: &Parsed,
        bytes: &Bytes,
    ) -> Result<i64, Error> {
        let layer_digests: Vec<String> = digests(&parsed.blobs);
        let child_digests: Vec<String> = digests(&parsed.children);
        let layers = layer::sizes(&mut tx.conn(), repo.id, &layer_digests).await?;
        let found = |d: &str| {
            layers
                .iter()
                .find(|(known, _)| known == d)
                .map(|(_, size)| *size)
        };
        let missing = check(&parsed.blobs, found)?;
        if !missing.is_empty() {
            return Err(Error::LayersNotFound {
                digests: missing,
                place: repo.place(),
            });
        }
        let children = image::sizes(&mut tx.conn(), repo.id, &child_digests).await?;
        let found = |d: &str| children.iter().find(|(known, ..)| known == d).map(|c| c.1);
        let missing = check(&parsed.children, found)?;
        if !missing.is_empty() {
            return Err(Error::ReferencedImagesNotFound {
                digests: missing,
                place: repo.place(),
            });
        }
        let own_size = layers
            .iter()
            .filter(|(known, _)| {
                parsed
                    .layers
                    .iter()
                    .any(|layer| layer.to_string() == *known)
            })
            .fold(0_i64, |sum, (_, size)| sum.saturating_add(*size));
        // Of a list, the size of its largest image (ECR API, `ImageDetail`).
        let largest_child = children.iter().map(|child| child.2).max().unwrap_or(0);

        let max = self.0.settings.limits.images_per_repository_max;
        let max_rows = i64::try_from(max).unwrap_or(i64::MAX);
        if !repository::add_image(&mut tx.conn(), repo.id, max_rows).await? {
            return Err(Error::LimitExceeded {
                what: "images in a repository",
                max,
            });
        }
        let annotations = match parsed.subject {
            Some(_) => Some(serde_json::to_string(&parsed.annotations).map_err(Error::internal)?),
            None => None,
        };
        let new = Image {
            id: 0,
            digest: digest.to_owned(),
            media_type: parsed.media_type.clone(),
            artifact_type: parsed.artifact_type.clone(),
            subject: parsed.subject.map(|subject| subject.to_string()),
            content_size: i64::try_from(bytes.len()).map_err(Error::internal)?,
            image_size: own_size.max(largest_child),
            pushed_at: cx.now_ms(),
            pulled_at: None,
        };
        let image_id =
            image::insert(&mut tx.conn(), repo.id, &new, annotations.as_deref(), bytes).await?;
        for digest in &layer_digests {
            image::add_layer(&mut tx.conn(), image_id, repo.id, digest).await?;
        }
        for digest in &child_digests {
            image::add_child(&mut tx.conn(), image_id, repo.id, digest).await?;
        }
        Ok(image_id)
    }
}

fn digests(descriptors: &[Descriptor]) -> Vec<String> {
    descriptors.iter().map(|d| d.digest.to_string()).collect()
}

/// Those of `wanted` that are missing. One that is there with another size makes an
/// image that no client can pull: it is refused.
fn check(wanted: &[Descriptor], found: impl Fn(&str) -> Option<i64>) -> Result<Vec<String>, Error> {
    let mut missing = Vec::new();
    for descriptor in wanted {
        let digest = descriptor.digest.to_string();
        match found(&digest) {
            None => missing.push(digest),
            Some(size) if size.unsigned_abs() == descriptor.size => {}
            Some(size) => {
                return Err(Error::InvalidManifest(format!(
                    "the size of {digest} is {size}, not {}",
                    descriptor.size
                )));
            }
        }
    }
    Ok(missing)
}
