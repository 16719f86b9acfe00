//! Deletes an image with what only it leads to, inside a transaction.

use std::collections::HashSet;

use store::Write;
use store::ecr::{image, referrer, repository};

use crate::cache::Change;
use crate::{Error, RepositoryFacts};

/// Parents that a refusal names.
pub(crate) const PARENTS_MAX: i64 = 10;
/// Cache entries that one deletion removes one by one; beyond, the cache is cleared.
const CHANGES_MAX: usize = 1_000;

/// Deletes an image, and with it the referrers that nothing leads to any more: those
/// without a tag that no manifest list needs. A signature is found through its subject, so
/// it would otherwise stay where no client looks. Amazon ECR deletes the referrers of a
/// deleted image within 24 hours (user guide, "Lifecycle policies"); this happens at once.
///
/// Deleting a list counts for its children likewise: a child whose subject is gone has lost
/// its last parent. So the index under a referrers tag (`sha256-…`) takes the signatures
/// that it lists along. Answers the digests of the referrers.
pub(crate) async fn delete_with_referrers(
    tx: &mut Write,
    repo: &RepositoryFacts,
    id: i64,
    digest: &str,
    changes: &mut Vec<Change>,
) -> Result<Vec<String>, Error> {
    let mut referrers = Vec::new();
    let mut seen = HashSet::from([digest.to_owned()]);
    let mut waiting = vec![(id, digest.to_owned())];
    while let Some((id, digest)) = waiting.pop() {
        let conn = &mut tx.conn();
        // Asked for while the rows that name the children are there.
        let mut orphans = referrer::orphaned_children(conn, id).await?;
        image::delete(conn, id).await?;
        repository::remove_image(conn, repo.id).await?;
        let sole = referrer::sole(conn, repo.id, &digest).await?;
        orphans.extend(sole.into_iter().map(|image| (image.id, image.digest)));
        let parsed = digest.parse().map_err(Error::internal)?;
        changes.push(Change::Image(repo.id, parsed));
        orphans.retain(|(_, digest)| seen.insert(digest.clone()));
        referrers.extend(orphans.iter().map(|(_, digest)| digest.clone()));
        waiting.extend(orphans);
    }
    if changes.len() > CHANGES_MAX {
        changes.clear();
        changes.push(Change::RepositoryContents(repo.id));
    }
    Ok(referrers)
}
