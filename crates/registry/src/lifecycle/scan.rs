//! Reads the images of a repository for a policy, page by page.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use store::Conn;
use store::ecr::lifecycle::{self, Facts};
use store::ecr::{image, image_tag};

use super::options::Options;
use super::policy::{Policy, StorageClass};
use super::select::Candidate;
use crate::{Error, Registry};

/// Images that are read at once.
const PAGE: i64 = 500;
/// Tags that are read at once, and then those that the last image has besides.
const TAGS_MAX: i64 = 10_000;

impl Registry {
    /// All images of the repository that a rule may act on. Each page is read by itself: no reader waits
    /// for the database as long as the repository is large, and no transaction stays open.
    pub(super) async fn candidates(
        &self,
        repository_id: i64,
        policy: &Policy,
        options: &Options,
    ) -> Result<Vec<Candidate>, Error> {
        let mut candidates = Vec::new();
        let mut after = 0;
        loop {
            let mut read = self.0.store.read().await?;
            let (page, mut tags) = page(&mut read.conn(), repository_id, after).await?;
            drop(read);
            let Some(last) = page.last() else {
                return Ok(candidates);
            };
            after = last.id;
            for facts in &page {
                let tags = tags.remove(&facts.id).unwrap_or_default();
                candidates.extend(candidate(facts, &tags, policy, options));
                // Many patterns over many tags take long; other tasks go on meanwhile.
                tokio::task::consume_budget().await;
            }
        }
    }
}

/// The next images, each with all its tags.
async fn page(
    conn: &mut Conn<'_>,
    repository_id: i64,
    after: i64,
) -> Result<(Vec<Facts>, HashMap<i64, Vec<String>>), Error> {
    let mut page = lifecycle::facts(conn, repository_id, after, PAGE).await?;
    let mut tags: HashMap<i64, Vec<String>> = HashMap::new();
    let (Some(first), Some(last)) = (page.first(), page.last()) else {
        return Ok((page, tags));
    };
    let rows = image_tag::of_images(conn, repository_id, first.id, last.id, TAGS_MAX).await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= TAGS_MAX);
    let cut = rows
        .last()
        .filter(|_| is_full)
        .map(|(image_id, _)| *image_id);
    for (image_id, tag) in rows {
        tags.entry(image_id).or_default().push(tag);
    }
    // The page ends with the image that reached the bound, with all its tags.
    if let Some(id) = cut {
        tags.insert(id, image_tag::of_image(conn, id).await?);
        page.retain(|facts| facts.id <= id);
    }
    Ok((page, tags))
}

/// What rules ask of an image; `None` for one that is being restored, which no rule is about.
fn candidate(
    facts: &Facts,
    tags: &[String],
    policy: &Policy,
    options: &Options,
) -> Option<Candidate> {
    let class = class(&facts.status)?;
    let restored = facts.activated_at.unwrap_or(i64::MIN);
    Some(Candidate {
        id: facts.id,
        class,
        matching: policy.matching(tags),
        // The clocks are those of the user guide ("Automate the cleanup of images by using lifecycle
        // policies in Amazon ECR"): a restored image is as young as its restoration, and one that was never
        // pulled counts as pulled when it was pushed.
        pushed: facts.activated_at.unwrap_or(facts.pushed_at),
        pulled: facts.pulled_at.unwrap_or(facts.pushed_at).max(restored),
        archived: facts.archived_at.unwrap_or(facts.pushed_at),
        last_pull: facts.pulled_at,
        is_held: facts.is_held,
        is_protected: options.protect(tags),
        fingerprint: fingerprint(&facts.status, facts.pulled_at, tags),
    })
}

fn class(status: &str) -> Option<StorageClass> {
    match status {
        image::ACTIVE => Some(StorageClass::Standard),
        "ARCHIVED" => Some(StorageClass::Archive),
        _ => None,
    }
}

/// What of an image must be the same when it is acted on: its status, its last pull, its tags in their order.
pub(super) fn fingerprint(status: &str, pulled_at: Option<i64>, tags: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (status, pulled_at, tags).hash(&mut hasher);
    hasher.finish()
}
