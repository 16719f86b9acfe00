//! From a backup to a database and a directory of blobs.
//!
//! The order: what can be refused is refused before anything is written ([`Backup::check`]); then the copies, each
//! verified; then the rows. The database carries its mark (`store::restore`) until the caller ends the restore.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use store::restore::{Restore, unknown_step};

use crate::copies::{self, Copied};
use crate::draft::next_copy;
use crate::error::{Error, Result, blocking, io_error};
use crate::index::{self, Keys, ROWS};
use crate::keep::fault_text;
use crate::pool::{Backup, Pool};
use crate::rows::{self, TableLine};
use crate::{LINE_BYTES_MAX, files};

/// Rows that are handed to the database together.
const ROWS_AT_ONCE: usize = 500;
/// And the bytes of their lines from which on fewer are.
const BYTES_AT_ONCE: usize = 8 << 20;
/// The file that is being copied.
const PART: &str = "restore.part";

impl Backup {
    /// Refuses a backup that cannot be restored by this version with this key: the key first.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Damaged`].
    pub fn check(&self, keys: &dyn Keys) -> Result<()> {
        let id = &self.index.id;
        if !self.index.is_key(keys) {
            return Err(Error::Refused(format!(
                "the master key is not the one of the backup {id}: give the key of the server that was backed up"
            )));
        }
        if let Some(step) = unknown_step(&self.index.schema_steps) {
            return Err(Error::Refused(format!(
                "the backup {id} was taken by version {} with the schema step `{step}`, which this version does \
                 not know: restore it with that version or a newer one",
                self.index.berth_version
            )));
        }
        let wrong = index::check_files(&self.folder, Some(keys))?;
        match wrong.into_iter().next() {
            None => Ok(()),
            Some(what) => Err(Error::Damaged {
                id: id.clone(),
                what,
            }),
        }
    }

    /// Copies all stored copies to the directory of blobs at `blobs`, each verified and synced. What is there of an
    /// earlier attempt is written again. `tell` hears of copies and bytes.
    ///
    /// # Errors
    /// [`Error::Damaged`], and the system's.
    pub async fn bring_back_copies(
        &self,
        pool: &Pool,
        blobs: &Path,
        mut tell: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<()> {
        let (this, root, blobs) = (self.clone(), pool.root().to_owned(), blobs.to_owned());
        blocking(move || {
            let mut list = this.copies()?;
            let mut touched = std::collections::BTreeSet::<PathBuf>::new();
            let part = blobs.join(PART);
            let (mut count, mut bytes) = (0, 0);
            while let Some(copy) = next_copy(&mut list, &this.folder)? {
                // It was not there when the backup was taken; its row says that it should have been.
                if copy.fault.is_some() {
                    continue;
                }
                let damaged = |what| Error::Damaged {
                    id: this.index.id.clone(),
                    what,
                };
                let key = copy.parsed_key().map_err(damaged)?;
                if let Some(above) = copies::path_of(&blobs, &key).parent()
                    && !touched.contains(above)
                {
                    files::make_folder(above)?;
                    touched.insert(above.to_owned());
                }
                let copied = copies::bring_back(&copy, (&root, &blobs), &part)?;
                if let Copied::Faulty(fault) = copied {
                    return Err(damaged(fault_text(&copy.key, &copy.digest, fault)));
                }
                count += 1;
                bytes += copy.size;
                tell(count, bytes);
            }
            for folder in &touched {
                files::sync_folder(folder)?;
            }
            Ok(())
        })
        .await
    }

    /// Writes all rows. `id` is the id that the database gets.
    ///
    /// # Errors
    /// [`Error::Damaged`], and the database's.
    pub async fn load_rows(&self, restore: &Restore, id: &str) -> Result<()> {
        let damaged = |what| Error::Damaged {
            id: self.index.id.clone(),
            what,
        };
        let path = self.folder.join(ROWS);
        let file = File::open(&path).map_err(io_error("open", &path))?;
        let mut lines = BufReader::new(file);
        let (mut table, mut last_numbers, mut row_count) = (None, Vec::new(), 0);
        loop {
            let (read, page) = blocking(move || read_lines(lines)).await?;
            lines = read;
            if page.is_empty() {
                break;
            }
            let mut waiting = Vec::new();
            for line in page {
                if line.first() == Some(&b'{') {
                    if let Some(table) = &table {
                        restore.write(table, std::mem::take(&mut waiting)).await?;
                    }
                    let head: TableLine = serde_json::from_slice(&line)
                        .map_err(|error| damaged(format!("{ROWS}: {error}")))?;
                    if let Some(last) = head.last_number {
                        last_numbers.push((head.table.clone(), last));
                    }
                    table = Some(head.table(restore.tables()).map_err(damaged)?);
                    continue;
                }
                let Some(table) = &table else {
                    return Err(damaged(format!("{ROWS} begins with a row")));
                };
                waiting.push(rows::read(&line, table).map_err(damaged)?);
                row_count += 1;
            }
            if let Some(table) = &table {
                restore.write(table, waiting).await?;
            }
        }
        if row_count != self.index.row_count {
            return Err(damaged(format!("{ROWS} has {row_count} rows")));
        }
        Ok(restore.settle(&last_numbers, id).await?)
    }
}

/// Some lines of a file.
fn read_lines(mut lines: BufReader<File>) -> Result<(BufReader<File>, Vec<Vec<u8>>)> {
    let (mut page, mut bytes) = (Vec::new(), 0);
    while page.len() < ROWS_AT_ONCE && bytes < BYTES_AT_ONCE {
        let mut line = Vec::new();
        let read = lines
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line);
        read.map_err(io_error("read", Path::new(ROWS)))?;
        if line.is_empty() {
            break;
        }
        bytes += line.len();
        page.push(line);
    }
    Ok((lines, page))
}
