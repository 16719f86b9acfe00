//! Copies of blobs and their files, and the links to blobs.

use blobs::{Blobs, Digest, Found, Listed, ObjectKey};
use serde_json::json;
use store::ecr::damage::{self, Copy, SCOPE};
use store::ecr::integrity::{self, Link};
use store::ecr::{collection, repository};

use super::{FindingKind, SEPARATOR, Step};
use crate::damage::Damage;
use crate::healing;
use crate::layer_keys::{of_word, stored_word};
use crate::stored_copy::StoredCopy;
use crate::{Error, KeyId};

/// Rows that a statement reads.
const ROWS_AT_ONCE: i64 = 200;
/// A step reads copies until it has read so many bytes.
const BYTES_AT_ONCE: u64 = 64 << 20;
/// Files that a step looks at, at least.
const FILES_AT_ONCE: usize = 500;
/// Files that one statement asks about.
const KEYS_AT_ONCE: usize = 64;
/// A file is stored a moment before the row that names it; clocks may differ.
const UNKNOWN_FILE_AGE_MS: i64 = 3_600_000;

/// What a row says of a copy.
pub(super) struct Row {
    pub(super) digest: Digest,
    pub(super) copy: StoredCopy,
}

impl Row {
    pub(super) fn of(row: &Copy) -> Result<Row, Error> {
        let blob = store::ecr::layer::Blob {
            size: row.size,
            object_key: row.object_key.clone(),
            encryption: row.encryption.clone(),
            is_damaged: row.damaged_at.is_some(),
        };
        Ok(Row {
            digest: row.digest.parse().map_err(Error::internal)?,
            copy: StoredCopy {
                // A length that cannot be one is that of no file.
                size: u64::try_from(row.size).unwrap_or(u64::MAX),
                key: row.object_key.parse().map_err(Error::internal)?,
                encryption: of_word(&blob)?,
            },
        })
    }
}

fn kind_of(damage: Damage) -> FindingKind {
    match damage {
        Damage::Lost => FindingKind::LostFile,
        Damage::Size => FindingKind::WrongSize,
        Damage::Bytes | Damage::Unreadable => FindingKind::WrongBytes,
    }
}

impl Step<'_> {
    pub(super) async fn copies(&mut self) -> Result<(), Error> {
        let page = {
            let place = self.check.place.split_once(SEPARATOR).unwrap_or(("", ""));
            let mut read = self.registry.0.store.read().await?;
            damage::copies_after(&mut read.conn(), place, ROWS_AT_ONCE).await?
        };
        if page.is_empty() {
            self.check.go_on();
            return Ok(());
        }
        let mut bytes = 0_u64;
        for row in page {
            self.copy(&row).await?;
            self.check.place = format!("{}{SEPARATOR}{}", row.digest, row.encryption);
            bytes = bytes.saturating_add(row.size.unsigned_abs());
            if bytes >= BYTES_AT_ONCE {
                break;
            }
        }
        Ok(())
    }

    async fn copy(&mut self, row: &Copy) -> Result<(), Error> {
        let of = Row::of(row)?;
        let found = match self.registry.blobs_under(of.copy.encryption).await {
            Ok(blobs) => {
                self.check.totals.copies += 1;
                let found = self
                    .registry
                    .inspect(&blobs, &of.digest, &of.copy, 0)
                    .await?;
                let found = self
                    .registry
                    .confirmed(&blobs, &of.digest, &of.copy, found)
                    .await?;
                self.check.totals.bytes += row.size.unsigned_abs();
                found
            }
            // The key is disabled: what can be seen without it is whether there is a file.
            Err(Error::Kms(_)) => {
                self.check.totals.unread += 1;
                let is_there = self.registry.0.blobs.stat(&of.copy.key).await?;
                is_there.is_none().then_some(Damage::Lost)
            }
            Err(error) => return Err(error),
        };
        // A push or the collection may have been faster: both change the row before the file.
        let now = {
            let mut read = self.registry.0.store.read().await?;
            match (found, row.damaged_at) {
                (None, None) => return Ok(()),
                _ => damage::get(&mut read.conn(), row).await?,
            }
        };
        let Some(now) = now else {
            return Ok(());
        };
        match (found, now.damaged_at) {
            (None, None) => Ok(()),
            (None, Some(_)) => {
                let object = object(row);
                self.found(FindingKind::WrongMark, object, "");
                if self.repairs() {
                    self.point()?;
                    let mut tx = self.registry.0.store.write(SCOPE).await?;
                    damage::set_verified(&mut tx.conn(), row, true, self.now).await?;
                    self.tell(&mut tx.conn()).await?;
                    tx.commit().await?;
                    self.point()?;
                    self.repaired();
                }
                Ok(())
            }
            (Some(Damage::Lost), Some(_)) => {
                self.check.totals.known += 1;
                Ok(())
            }
            (Some(found), marked) => self.damaged(row, &of, found, marked.is_some()).await,
        }
    }

    async fn damaged(
        &mut self,
        row: &Copy,
        of: &Row,
        found: Damage,
        is_marked: bool,
    ) -> Result<(), Error> {
        let detail = match found {
            Damage::Lost => format!("{} is missing", row.object_key),
            Damage::Size => format!("{} has not {} bytes", row.object_key, row.size),
            Damage::Bytes => row.object_key.clone(),
            Damage::Unreadable => format!("{} cannot be read", row.object_key),
        };
        self.found(kind_of(found), object(row), detail);
        if !self.repairs() {
            return Ok(());
        }
        if !is_marked {
            self.point()?;
            let service = self.service;
            let marked = self
                .registry
                .mark_copy(service, &of.digest, &of.copy, found, self.now);
            marked.await?;
            self.point()?;
        }
        if found != Damage::Lost {
            self.point()?;
            let note = self.note();
            let blobs: &Blobs = &self.registry.0.blobs;
            blobs.quarantine(&of.copy.key, &note).await?;
            self.point()?;
        }
        self.repaired();
        Ok(())
    }

    /// What stands beside a file in the quarantine.
    fn note(&self) -> String {
        let finding = self.findings.last();
        let at = jiff::Timestamp::from_millisecond(self.now).map(|at| at.to_string());
        json!({
            "finding": finding.map(|one| one.kind.as_str()),
            "object": finding.map(|one| one.object.as_str()),
            "detail": finding.map(|one| one.detail.as_str()),
            "movedAt": at.unwrap_or_default(),
        })
        .to_string()
    }

    pub(super) async fn files(&mut self) -> Result<(), Error> {
        let mut folder: u16 = match self.check.place.as_str() {
            "" => {
                let uploads = self.registry.0.blobs.upload_files().await?;
                self.check.totals.uploads = uploads.uploads;
                self.check.totals.temporary = uploads.temporary;
                0
            }
            place => place.parse().map_err(Error::internal)?,
        };
        let mut looked_at = 0;
        while looked_at < FILES_AT_ONCE {
            let Some(found) = self.registry.0.blobs.survey_folder(folder).await? else {
                self.check.go_on();
                return Ok(());
            };
            looked_at += found.len() + 1;
            self.folder(found).await?;
            // An empty folder has the next number too: the numbers of an area's folders have no gap.
            folder = next_folder(folder);
            self.check.place = folder.to_string();
        }
        Ok(())
    }

    async fn folder(&mut self, found: Vec<Found>) -> Result<(), Error> {
        let (mut copies, mut strays) = (Vec::new(), Vec::new());
        for one in found {
            match one {
                Found::Copy(listed) => copies.push(listed),
                Found::Stray(path) => strays.push(path),
            }
        }
        self.check.totals.files += (copies.len() + strays.len()) as u64;
        for files in copies.chunks(KEYS_AT_ONCE) {
            let keys: Vec<String> = files.iter().map(|file| file.key.to_string()).collect();
            let known = {
                let mut read = self.registry.0.store.read().await?;
                collection::known_copies(&mut read.conn(), &keys).await?
            };
            for (file, key) in files.iter().zip(&keys) {
                if !known.contains(key) && (self.check.exclusive || self.is_old(file)) {
                    self.unknown(file, key).await?;
                }
            }
        }
        for path in strays {
            self.found(FindingKind::StrayFile, path.as_str(), "");
            if self.repairs() {
                self.point()?;
                let note = self.note();
                let blobs: &Blobs = &self.registry.0.blobs;
                blobs.quarantine_stray(&path, &note).await?;
                self.tell_alone().await?;
                self.repaired();
            }
        }
        Ok(())
    }

    fn is_old(&self, file: &Listed) -> bool {
        file.stored_ms <= self.now.saturating_sub(UNKNOWN_FILE_AGE_MS)
    }

    async fn unknown(&mut self, file: &Listed, key: &str) -> Result<(), Error> {
        self.found(
            FindingKind::UnknownFile,
            key,
            format!("{} bytes", file.size),
        );
        // What a backup needs that is being taken stays where it is, for the next repair.
        if !self.repairs() || self.registry.are_files_held(self.now).await {
            return Ok(());
        }
        self.point()?;
        let note = self.note();
        let key: &ObjectKey = &file.key;
        self.registry.0.blobs.quarantine(key, &note).await?;
        self.tell_alone().await?;
        self.repaired();
        Ok(())
    }

    /// Writes the event of a move, which is no transaction. A process that is killed in between leaves the note
    /// beside the file.
    async fn tell_alone(&self) -> Result<(), Error> {
        self.point()?;
        let mut tx = self.registry.0.store.write(SCOPE).await?;
        self.tell(&mut tx.conn()).await?;
        tx.commit().await?;
        self.point()
    }

    pub(super) async fn links(&mut self) -> Result<(), Error> {
        let page = {
            let place = self.check.numbered()?;
            let mut read = self.registry.0.store.read().await?;
            integrity::links_after(&mut read.conn(), place, ROWS_AT_ONCE).await?
        };
        let Some(last) = page.last() else {
            self.check.go_on();
            return Ok(());
        };
        let place = format!("{}{SEPARATOR}{}", last.repository_id, last.digest);
        for link in &page {
            match link.blob_size {
                Some(size) if size == link.size => {}
                Some(size) => self.link_size(link, size).await?,
                None => self.link_without_blob(link).await?,
            }
        }
        self.check.place = place;
        Ok(())
    }

    async fn link_size(&mut self, link: &Link, size: i64) -> Result<(), Error> {
        let detail = format!("{} bytes instead of {size}", link.size);
        self.found(FindingKind::LinkSize, linked(link), detail);
        if self.repairs() {
            self.point()?;
            let id = link.repository_id;
            let mut tx = self.registry.write(id).await?;
            let conn = &mut tx.conn();
            integrity::set_link_size(conn, id, &link.digest).await?;
            integrity::recount(conn, id).await?;
            self.tell(conn).await?;
            tx.commit().await?;
            self.point()?;
            self.repaired();
        }
        Ok(())
    }

    async fn link_without_blob(&mut self, link: &Link) -> Result<(), Error> {
        self.found(FindingKind::LinkWithoutBlob, linked(link), "");
        if self.repairs() {
            self.point()?;
            let mut tx = self.registry.write(link.repository_id).await?;
            let conn = &mut tx.conn();
            let key = self.registry.new_key()?.to_string();
            let (digest, encryption) = (&link.digest, &link.encryption);
            integrity::put_lost_blob(conn, digest, encryption, link.size, &key, self.now).await?;
            healing::ask(conn, self.now).await?;
            self.tell(conn).await?;
            tx.commit().await?;
            self.point()?;
            self.repaired();
        }
        Ok(())
    }

    /// Gives a repository a layer that an image of it needs: the blob that is stored, or one that is noted as lost.
    pub(super) async fn relink(
        &mut self,
        repository_id: i64,
        digest: &str,
        size: i64,
    ) -> Result<(), Error> {
        let mut tx = self.registry.write(repository_id).await?;
        let conn = &mut tx.conn();
        let Some(repo) = repository::get(conn, repository_id).await? else {
            return Ok(());
        };
        let key: Option<KeyId> = crate::layer_keys::stored_key(repo.kms_key.as_deref())?;
        let (encryption, new) = (stored_word(key), self.registry.new_key()?.to_string());
        integrity::put_lost_blob(conn, digest, &encryption, size, &new, self.now).await?;
        healing::ask(conn, self.now).await?;
        let blob = store::ecr::layer::blob(conn, digest, &encryption).await?;
        let blob = blob.ok_or_else(|| Error::internal("a row that was just written is gone"))?;
        store::ecr::layer::link(conn, repository_id, digest, &blob, self.now).await?;
        integrity::recount(conn, repository_id).await?;
        self.tell(conn).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn object(row: &Copy) -> String {
    match row.encryption.as_str() {
        "" => row.digest.clone(),
        key => format!("{} under the key {key}", row.digest),
    }
}

fn linked(link: &Link) -> String {
    format!("{} in the repository {}", link.digest, link.repository_id)
}

/// The number of the folder behind one.
fn next_folder(number: u16) -> u16 {
    number.saturating_add(1)
}
