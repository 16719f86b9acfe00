//! The stages of a run, a step at a time.

use authz::ServiceName;
use blobs::{Listed, ObjectKey};
use serde_json::json;
use store::Conn;
use store::backups;
use store::ecr::collection::{self, Run, SCOPE, SeenBlob, SeenLayer};
use store::ecr::repository;
use store::service_events::{self, NewEvent};
use store::settings;

use super::FILES_LOOKED_AT;
use super::runs::{COMPLETE, FAILED};
use crate::cache::Change;
use crate::{Error, Registry, facts};

const LAYERS: &str = "LAYERS";
const BLOBS: &str = "BLOBS";
const COUNT: &str = "COUNT";
const FILES: &str = "FILES";
/// What a run begins with.
pub(super) const FIRST: &str = LAYERS;

/// Files that one statement asks about.
const KEYS_AT_ONCE: usize = 64;
/// Rows that a step looks at.
const ROWS_AT_ONCE: i64 = 500;
/// Files that one event names.
const FILES_OF_AN_EVENT: usize = 500;
/// What separates the two parts of a place. Neither digests nor ids have it.
const SEPARATOR: char = ' ';
/// A layer that came a moment ago waits for its manifest: noting it would be work for nothing.
const YOUNG_MS: i64 = 10 * 60_000;
/// A file is stored a moment before the row that names it; clocks may differ.
const UNKNOWN_FILE_AGE_MS: i64 = 3_600_000;
/// Unknown files that are always deleted, and the share of all files from which on more of them are suspicious.
const UNKNOWN_FILES_MIN: i64 = 100;
const UNKNOWN_FILES_SHARE: i64 = 10;

/// Why a layer leaves its repository.
const UNUSED: &str = "no image needs the layer";
/// Why a blob is deleted.
const UNLINKED: &str = "no repository has the blob";
/// Why a file is deleted.
const UNKNOWN: &str = "no row names the file";

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

fn go_on(run: &mut Run, stage: &str) {
    stage.clone_into(&mut run.stage);
    run.place.clear();
}

fn end(run: &mut Run, now: i64) {
    COMPLETE.clone_into(&mut run.status);
    run.ended_at = Some(now);
}

/// Writes what was deleted, and why, in the transaction of it.
async fn tell(
    conn: &mut Conn<'_>,
    service: ServiceName,
    name: &str,
    resource: Option<(&str, &str)>,
    details: &serde_json::Value,
    now: i64,
) -> Result<(), Error> {
    let event = NewEvent {
        occurred_at: now,
        service: service.as_str(),
        source: ServiceName::EVENT_SOURCE,
        name,
        account: resource.map(|(account, _)| account),
        resource: resource.map(|(_, arn)| arn),
        details: &details.to_string(),
    };
    Ok(service_events::insert(conn, &event).await?)
}

impl Registry {
    /// Does one step.
    pub(super) async fn step(
        &self,
        service: ServiceName,
        run: &mut Run,
        now: i64,
    ) -> Result<(), Error> {
        match run.stage.as_str() {
            LAYERS => self.layers_step(service, run, now).await,
            BLOBS => self.blobs_step(service, run, now).await,
            COUNT | FILES => self.files_step(service, run, now).await,
            other => Err(Error::internal(format!(
                "no stage of a collection: {other}"
            ))),
        }
    }

    /// The time from which on a layer that is unused since then stays.
    fn stays_since(&self, now: i64) -> i64 {
        let after = self.0.settings.collect_after.as_millis();
        now.saturating_sub(i64::try_from(after).unwrap_or(i64::MAX))
    }

    async fn layers_step(
        &self,
        service: ServiceName,
        run: &mut Run,
        now: i64,
    ) -> Result<(), Error> {
        let until = self.stays_since(now);
        let young = now.saturating_sub(YOUNG_MS).max(until);
        let place = match run.place.split_once(SEPARATOR) {
            Some((id, digest)) => (id.parse().map_err(Error::internal)?, digest),
            None => (0, ""),
        };
        let page = {
            let mut read = self.0.store.read().await?;
            collection::layers_after(&mut read.conn(), place, ROWS_AT_ONCE).await?
        };
        let Some(last) = page.last() else {
            go_on(run, BLOBS);
            return Ok(());
        };
        let next = format!("{}{SEPARATOR}{}", last.repository_id, last.digest);
        for layers in page.chunk_by(|a, b| a.repository_id == b.repository_id) {
            if run.dry_run {
                self.count_unused(run, layers, until).await?;
            } else {
                self.change_unused(service, layers, (until, young), now)
                    .await?;
            }
        }
        run.place = next;
        Ok(())
    }

    /// Counts the blobs that would have no repository any more.
    async fn count_unused(
        &self,
        run: &mut Run,
        layers: &[SeenLayer],
        until: i64,
    ) -> Result<(), Error> {
        let is_due = |layer: &&SeenLayer| {
            !layer.is_used && layer.unused_since.is_some_and(|since| since <= until)
        };
        for layer in layers.iter().filter(is_due) {
            let mut read = self.0.store.read().await?;
            let (id, digest) = (layer.repository_id, &layer.digest);
            if let Some(size) = collection::would_free(&mut read.conn(), id, digest, until).await? {
                run.deleted += 1;
                run.deleted_bytes += size;
            }
        }
        Ok(())
    }

    /// Notes which layers of a repository are unused, and removes those whose time is over.
    async fn change_unused(
        &self,
        service: ServiceName,
        layers: &[SeenLayer],
        (until, young): (i64, i64),
        now: i64,
    ) -> Result<(), Error> {
        let wants = |layer: &&SeenLayer| match (layer.is_used, layer.unused_since) {
            (true, since) => since.is_some(),
            (false, None) => layer.linked_at <= young,
            (false, Some(since)) => since <= until,
        };
        let wanted: Vec<&SeenLayer> = layers.iter().filter(wants).collect();
        let Some(first) = wanted.first() else {
            return Ok(());
        };
        let repository_id = first.repository_id;
        let mut tx = self.write(repository_id).await?;
        let Some(repo) = repository::get(&mut tx.conn(), repository_id).await? else {
            // Deleted meanwhile, with its layers.
            return Ok(());
        };
        let (mut changes, mut removed, mut bytes) = (Vec::new(), Vec::new(), 0);
        for layer in wanted {
            let (conn, digest) = (&mut tx.conn(), layer.digest.as_str());
            if layer.is_used {
                collection::mark_used(conn, repository_id, digest).await?;
                continue;
            }
            let is_changed = match layer.unused_since {
                None => collection::mark_unused(conn, repository_id, digest, now).await?,
                Some(_) => {
                    let size =
                        collection::unlink_unused(conn, repository_id, digest, until).await?;
                    if let Some(size) = size {
                        bytes += size;
                        removed.push(digest);
                    }
                    size.is_some()
                }
            };
            if is_changed {
                let digest = digest.parse().map_err(Error::internal)?;
                changes.push(Change::Layer(repository_id, digest));
            }
        }
        if !removed.is_empty() {
            let conn = &mut tx.conn();
            repository::remove_bytes(conn, repository_id, bytes).await?;
            let details = json!({"reason": UNUSED, "layerDigests": removed, "bytes": bytes});
            let account = repo.account.parse().map_err(Error::internal)?;
            let region = repo.region.parse().map_err(Error::internal)?;
            let arn = facts::arn(&account, &region, &repo.name);
            let resource = Some((repo.account.as_str(), arn.as_str()));
            tell(conn, service, "CollectLayers", resource, &details, now).await?;
        }
        self.commit(tx, &changes).await
    }

    async fn blobs_step(&self, service: ServiceName, run: &mut Run, now: i64) -> Result<(), Error> {
        let place = run.place.split_once(SEPARATOR).unwrap_or(("", ""));
        let page = {
            let mut read = self.0.store.read().await?;
            collection::blobs_after(&mut read.conn(), place, ROWS_AT_ONCE).await?
        };
        let Some(last) = page.last() else {
            match run.with_files {
                true => go_on(run, COUNT),
                false => end(run, now),
            }
            return Ok(());
        };
        let next = format!("{}{SEPARATOR}{}", last.digest, last.encryption);
        run.examined += count(page.len());
        let unlinked: Vec<SeenBlob> = page.into_iter().filter(|blob| !blob.is_linked).collect();
        if run.dry_run {
            run.deleted += count(unlinked.len());
            run.deleted_bytes += unlinked.iter().map(|blob| blob.size).sum::<i64>();
        } else if !unlinked.is_empty() {
            self.delete_blobs(service, run, &unlinked, now).await?;
        }
        run.place = next;
        Ok(())
    }

    /// Deletes what no repository has. Where one gets a blob of the page at this moment, the others are deleted
    /// one by one.
    async fn delete_blobs(
        &self,
        service: ServiceName,
        run: &mut Run,
        unlinked: &[SeenBlob],
        now: i64,
    ) -> Result<(), Error> {
        if self.delete_together(service, run, unlinked, now).await? || unlinked.len() == 1 {
            return Ok(());
        }
        for blob in unlinked {
            let blob = std::slice::from_ref(blob);
            self.delete_together(service, run, blob, now).await?;
        }
        Ok(())
    }

    /// Deletes blobs in one transaction, and their files after it; false where a repository gets one of them at
    /// this moment, and nothing is changed.
    async fn delete_together(
        &self,
        service: ServiceName,
        run: &mut Run,
        unlinked: &[SeenBlob],
        now: i64,
    ) -> Result<bool, Error> {
        let (mut keys, mut digests, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut tx = self.0.store.write(SCOPE).await?;
        let conn = &mut tx.conn();
        // A backup that is being taken names them: a later run deletes them.
        if backups::is_held(conn, now).await? {
            return Ok(true);
        }
        for blob in unlinked {
            match collection::delete_unlinked(conn, &blob.digest, &blob.encryption).await {
                Ok(Some(key)) => {
                    keys.push(key.parse::<ObjectKey>().map_err(Error::internal)?);
                    digests.push(blob.digest.as_str());
                    bytes += blob.size;
                }
                Ok(None) => {}
                Err(store::Error::ForeignKey(_)) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        if keys.is_empty() {
            return Ok(true);
        }
        let details = json!({"reason": UNLINKED, "digests": digests, "bytes": bytes});
        tell(conn, service, "CollectBlobs", None, &details, now).await?;
        tx.commit().await?;
        run.deleted += count(keys.len());
        run.deleted_bytes += bytes;
        // No row names these keys any more, and none will.
        self.delete_files(keys.iter()).await;
        Ok(true)
    }

    /// Deletes files that no row names. One that cannot be deleted holds up no other: it is an unknown file from
    /// now on, which the next look at all files finds.
    async fn delete_files(&self, keys: impl Iterator<Item = &ObjectKey>) {
        for key in keys {
            if let Err(error) = self.0.blobs.delete(key).await {
                tracing::warn!(%key, %error, "a file that no row names cannot be deleted");
            }
        }
    }

    /// Looks at some folders of files: counts those that no row names, or deletes them.
    async fn files_step(&self, service: ServiceName, run: &mut Run, now: i64) -> Result<(), Error> {
        let mut folder: u16 = match run.place.as_str() {
            "" => 0,
            place => place.parse().map_err(Error::internal)?,
        };
        let mut looked_at = 0;
        while looked_at < ROWS_AT_ONCE {
            let Some(listed) = self.0.blobs.list_folder(folder).await? else {
                end_of_files(run, now);
                return self.note_files_were_looked_at(now).await;
            };
            self.look_at_files(service, run, &listed, now).await?;
            looked_at += count(listed.len());
            folder += 1;
        }
        run.place = folder.to_string();
        Ok(())
    }

    async fn look_at_files(
        &self,
        service: ServiceName,
        run: &mut Run,
        listed: &[Listed],
        now: i64,
    ) -> Result<(), Error> {
        let old = now.saturating_sub(UNKNOWN_FILE_AGE_MS);
        let mut unknown: Vec<&Listed> = Vec::new();
        for files in listed.chunks(KEYS_AT_ONCE) {
            let keys: Vec<String> = files.iter().map(|file| file.key.to_string()).collect();
            let known = {
                let mut read = self.0.store.read().await?;
                collection::known_copies(&mut read.conn(), &keys).await?
            };
            let is_unknown =
                |(file, key): &(&Listed, String)| file.stored_ms <= old && !known.contains(key);
            let found = files.iter().zip(keys).filter(is_unknown);
            unknown.extend(found.map(|(file, _)| file));
        }
        let bytes = unknown.iter().map(|file| file.size).sum::<u64>();
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        if run.stage == COUNT {
            run.known_files += count(listed.len() - unknown.len());
            run.unknown_files += count(unknown.len());
        } else if !unknown.is_empty() {
            // They had names when a backup began that is still being taken, as far as anybody knows.
            if self.are_files_held(now).await {
                return Ok(());
            }
            for files in unknown.chunks(FILES_OF_AN_EVENT) {
                self.delete_unknown(service, files, now).await?;
            }
        }
        if run.stage == FILES || run.dry_run {
            run.deleted += count(unknown.len());
            run.deleted_bytes += bytes;
        }
        Ok(())
    }

    /// Writes the event of files that are deleted, then deletes them.
    async fn delete_unknown(
        &self,
        service: ServiceName,
        files: &[&Listed],
        now: i64,
    ) -> Result<(), Error> {
        let keys: Vec<String> = files.iter().map(|file| file.key.to_string()).collect();
        let bytes = files.iter().map(|file| file.size).sum::<u64>();
        let details = json!({"reason": UNKNOWN, "files": keys, "bytes": bytes});
        let mut tx = self.0.store.write(SCOPE).await?;
        tell(&mut tx.conn(), service, "CollectFiles", None, &details, now).await?;
        tx.commit().await?;
        self.delete_files(files.iter().map(|file| &file.key)).await;
        Ok(())
    }

    async fn note_files_were_looked_at(&self, now: i64) -> Result<(), Error> {
        let mut tx = self.0.store.write(SCOPE).await?;
        settings::put(&mut tx.conn(), FILES_LOOKED_AT, &now.to_string()).await?;
        Ok(tx.commit().await?)
    }
}

/// After the last folder.
fn end_of_files(run: &mut Run, now: i64) {
    if run.stage == FILES || run.dry_run || run.unknown_files == 0 {
        end(run, now);
        return;
    }
    let all = run.known_files.saturating_add(run.unknown_files);
    let is_suspicious =
        run.unknown_files > UNKNOWN_FILES_MIN && run.unknown_files > all / UNKNOWN_FILES_SHARE;
    if is_suspicious && !run.forced {
        FAILED.clone_into(&mut run.status);
        run.ended_at = Some(now);
        run.reason = Some(format!(
            "the database does not know {} of {all} files: was it restored from an older backup? They stay. \
             Where they are to be deleted, start a collection with `force`",
            run.unknown_files
        ));
        return;
    }
    go_on(run, FILES);
}
