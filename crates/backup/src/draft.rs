//! A backup that is being taken: first the rows, from one snapshot; then the stored copies that they name; then the
//! index. It has no name among the backups before its last file is on disk.
//!
//! An interrupted one goes on where it was: with the copies, where the rows are whole, and else from the beginning.
//! Copies that were brought already are found by their keys.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use store::{Engine, Store, Value, dump};

use crate::copies::{self, Copied, Fault, StoredCopy};
use crate::error::{Error, Result, blocking, io_error};
use crate::index::{self, COPIES, FORMAT, Index, Keys, ROWS};
use crate::pool::{Pool, is_id};
use crate::rows::{self, TableLine};
use crate::{LINE_BYTES_MAX, files};

/// What the snapshot found, written when its files are whole.
const SNAPSHOT: &str = "snapshot.json";
/// The copies that the rows name, in the form of [`COPIES`].
const WANTED: &str = "wanted.jsonl";
/// The file that is being copied.
const PART: &str = "copy.part";
const SNAPSHOT_BYTES_MAX: u64 = 1 << 20;
/// Copies, and bytes of them, that a step brings.
const COPIES_AT_ONCE: usize = 256;
const BYTES_AT_ONCE: u64 = 256 << 20;

/// A backup that is being taken.
#[derive(Debug)]
pub struct Draft {
    pool: Pool,
    folder: PathBuf,
    id: String,
}

/// What a step of copying found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Copies that were looked at, and the bytes of their contents.
    pub seen: u64,
    /// See there.
    pub seen_bytes: u64,
    /// Of these, copies that were not in the directory before.
    pub new: u64,
    /// And the bytes of their contents.
    pub new_bytes: u64,
    /// Of the new ones, those that share the file of the blob directory.
    pub linked: u64,
    /// Copies that are missing or damaged.
    pub faults: u64,
}

/// The copies that a draft still needs.
#[derive(Debug)]
pub struct Copying {
    pool: Pool,
    folder: PathBuf,
    blobs: PathBuf,
    wanted: BufReader<File>,
    found: File,
    hasher: Sha256,
    /// Folders of the pool that have new names.
    touched: std::collections::BTreeSet<PathBuf>,
    /// What was found so far.
    pub progress: Progress,
}

impl Draft {
    /// Begins the backup of this id, or goes on with it. What is left of other ones is removed: the lock says that
    /// nobody takes one.
    ///
    /// # Errors
    /// The system's.
    pub async fn open(pool: Pool, id: &str) -> Result<Draft> {
        if !is_id(id) {
            return Err(Error::Refused(format!("`{id}` is no id of a backup")));
        }
        let id = id.to_owned();
        blocking(move || {
            let unfinished = pool.unfinished_folder();
            for entry in fs::read_dir(&unfinished).map_err(io_error("read", &unfinished))? {
                let entry = entry.map_err(io_error("read", &unfinished))?;
                if entry.file_name() != id.as_str() {
                    files::remove_folder(&entry.path())?;
                }
            }
            let folder = unfinished.join(&id);
            files::make_folder(&folder)?;
            Ok(Draft { pool, folder, id })
        })
        .await
    }

    /// Whether the rows are there, from before an interruption. They are of use only while nothing was deleted that
    /// they name.
    ///
    /// # Errors
    /// The system's.
    pub fn has_snapshot(&self) -> Result<bool> {
        Ok(self.snapshot()?.is_some())
    }

    /// The time of the snapshot, and the copies that it names with their bytes.
    ///
    /// # Errors
    /// The system's.
    pub fn snapshot_of(&self) -> Result<Option<(Timestamp, u64, u64)>> {
        let found = self.snapshot()?;
        Ok(found.map(|(index, _)| (index.taken_at, index.blob_count, index.blob_bytes)))
    }

    fn snapshot(&self) -> Result<Option<(Index, String)>> {
        let bytes = files::read_small(&self.folder.join(SNAPSHOT), SNAPSHOT_BYTES_MAX)?;
        // One that cannot be read was cut: the rows are taken again.
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Writes all rows as they are at one moment. Nobody waits for it: it reads one state of the database while
    /// others write.
    ///
    /// # Errors
    /// The database's and the system's.
    pub async fn take_snapshot(
        &self,
        store: &Store,
        keys: &dyn Keys,
        now: Timestamp,
    ) -> Result<()> {
        files::remove(&self.folder.join(SNAPSHOT))?;
        let mut snapshot = store.snapshot().await?;
        let conn = &mut snapshot.conn();
        // The first statement: from here on nothing changes.
        let schema_steps = dump::schema_steps(conn).await?;
        let tables = dump::tables(conn, store.engine()).await?;
        let mut out = Sink::create(&self.folder.join(ROWS))?;
        let mut wanted = Sink::create(&self.folder.join(WANTED))?;
        let (mut row_count, mut blob_count, mut blob_bytes) = (0, 0, 0);
        for table in &tables {
            let mut text = serde_json::to_vec(&TableLine::of(table)).map_err(unwritable)?;
            text.push(b'\n');
            out.write(text).await?;
            let mut last: Option<Vec<Value>> = None;
            loop {
                let page = dump::rows_after(conn, table, last.as_deref()).await?;
                let Some(end) = page.last() else { break };
                last = Some(end.clone());
                row_count += page.len() as u64;
                let (mut text, mut names) = (Vec::new(), Vec::new());
                for row in page {
                    if table.name == "blobs" {
                        let copy = copy_of(table, &row)?;
                        blob_count += 1;
                        blob_bytes += copy.size;
                        serde_json::to_writer(&mut names, &copy).map_err(unwritable)?;
                        names.push(b'\n');
                    }
                    rows::write(row, &mut text).map_err(Error::Refused)?;
                }
                out.write(text).await?;
                wanted.write(names).await?;
            }
        }
        drop(snapshot);
        wanted.finish().await?;
        let sum = out.finish().await?;
        let index = Index {
            format: FORMAT,
            id: self.id.clone(),
            berth_version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: match store.engine() {
                Engine::Sqlite => "sqlite",
                Engine::Postgres => "postgres",
            }
            .to_owned(),
            database: store.id().to_owned(),
            taken_at: now,
            schema_steps,
            key_check: index::key_check(&self.id, keys)?,
            row_count,
            blob_count,
            blob_bytes,
            fault_count: 0,
        };
        let text = serde_json::to_vec(&(index, hex::encode(sum))).map_err(unwritable)?;
        let (part, path) = (self.folder.join(PART), self.folder.join(SNAPSHOT));
        let folder = self.folder.clone();
        blocking(move || {
            files::write(&part, &text)?;
            fs::rename(&part, &path).map_err(io_error("write", &path))?;
            files::sync_folder(&folder)
        })
        .await
    }

    /// The copies that the rows name, to be brought from the directory of blobs at `blobs`.
    ///
    /// # Errors
    /// The system's.
    pub fn copies(&self, blobs: &Path) -> Result<Copying> {
        let wanted = self.folder.join(WANTED);
        let opened = File::open(&wanted).map_err(io_error("open", &wanted))?;
        Ok(Copying {
            pool: self.pool.clone(),
            folder: self.folder.clone(),
            blobs: blobs.to_owned(),
            wanted: BufReader::new(opened),
            found: files::create(&self.folder.join(COPIES))?,
            hasher: Sha256::new(),
            touched: std::collections::BTreeSet::new(),
            progress: Progress::default(),
        })
    }

    /// Ends the backup: from here on it is one.
    ///
    /// # Errors
    /// The system's.
    pub async fn finish(self, copying: Copying, keys: &dyn Keys) -> Result<Index> {
        let Some((mut index, rows)) = self.snapshot()? else {
            return Err(Error::Refused(
                "the snapshot is not there any more".to_owned(),
            ));
        };
        index.fault_count = copying.progress.faults;
        let mut sum = [0; 32];
        hex::decode_to_slice(rows, &mut sum).map_err(|error| Error::Refused(error.to_string()))?;
        let copies = copying.finish().await?;
        // The seal needs the keys, which are not this thread's to send elsewhere; the files are small.
        index::write(&self.folder, &index, (sum, copies), keys)?;
        blocking(move || {
            for name in [WANTED, SNAPSHOT, PART] {
                files::remove(&self.folder.join(name))?;
            }
            let target = self.pool.backups_folder().join(&self.id);
            files::sync_folder(&self.folder)?;
            fs::rename(&self.folder, &target).map_err(io_error("name", &target))?;
            files::sync_folder(&self.pool.backups_folder())?;
            files::sync_folder(&self.pool.unfinished_folder())?;
            Ok(index)
        })
        .await
    }

    /// Removes what there is of it. Copies that were brought stay for the next one.
    ///
    /// # Errors
    /// The system's.
    pub async fn discard(self) -> Result<()> {
        blocking(move || files::remove_folder(&self.folder)).await
    }
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::Refused(format!("a row cannot be written: {error}"))
}

/// The copy that a row of the table `blobs` names.
fn copy_of(table: &dump::Table, row: &[Value]) -> Result<StoredCopy> {
    let value = |name: &str| {
        let at = table.columns.iter().position(|column| column.name == name);
        at.and_then(|at| row.get(at))
    };
    let text = |name: &str| match value(name) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let size = match value("size") {
        Some(Value::Int(size)) => u64::try_from(*size).ok(),
        _ => None,
    };
    match (text("object_key"), text("digest"), text("encryption"), size) {
        (Some(key), Some(digest), Some(encryption), Some(size)) => Ok(StoredCopy {
            key,
            digest,
            encryption,
            size,
            file: None,
            fault: None,
        }),
        _ => Err(Error::Refused(
            "the table `blobs` has other columns than this version knows".to_owned(),
        )),
    }
}

impl Copying {
    /// Brings some copies; whether there are more.
    ///
    /// # Errors
    /// The system's, such as a full disk. The draft can be opened again.
    pub async fn step(self) -> Result<(Copying, bool)> {
        blocking(move || {
            let mut this = self;
            let more = this.some()?;
            Ok((this, more))
        })
        .await
    }

    fn some(&mut self) -> Result<bool> {
        let part = self.folder.join(PART);
        let mut bytes = 0;
        for _ in 0..COPIES_AT_ONCE {
            let Some(mut copy) = next_copy(&mut self.wanted, &self.folder)? else {
                return Ok(false);
            };
            if let Ok(key) = copy.parsed_key() {
                let path = copies::path_of(self.pool.root(), &key);
                if let Some(above) = path.parent()
                    && !self.touched.contains(above)
                {
                    files::make_folder(above)?;
                    self.touched.insert(above.to_owned());
                }
            }
            let directories = (self.blobs.as_path(), self.pool.root());
            let copied = copies::keep(&mut copy, directories, &part)?;
            let progress = &mut self.progress;
            progress.seen += 1;
            progress.seen_bytes += copy.size;
            match copied {
                Copied::Present => {}
                Copied::Linked | Copied::Streamed => {
                    progress.new += 1;
                    progress.new_bytes += copy.size;
                    progress.linked += u64::from(copied == Copied::Linked);
                    bytes += copy.size;
                }
                Copied::Faulty(fault) => {
                    tracing::error!(
                        key = copy.key,
                        digest = copy.digest,
                        ?fault,
                        "a blob is not in the backup"
                    );
                    copy.fault = Some(fault);
                    progress.faults += 1;
                }
            }
            let mut line = serde_json::to_vec(&copy).map_err(unwritable)?;
            line.push(b'\n');
            self.hasher.update(&line);
            let written = self.found.write_all(&line);
            written.map_err(io_error("write", &self.folder.join(COPIES)))?;
            if bytes >= BYTES_AT_ONCE {
                break;
            }
        }
        Ok(true)
    }

    async fn finish(self) -> Result<[u8; 32]> {
        blocking(move || {
            for folder in &self.touched {
                files::sync_folder(folder)?;
            }
            let synced = self.found.sync_all();
            synced.map_err(io_error("sync", &self.folder.join(COPIES)))?;
            Ok(self.hasher.finalize().into())
        })
        .await
    }
}

/// The next line of a list of copies.
pub(crate) fn next_copy(list: &mut BufReader<File>, folder: &Path) -> Result<Option<StoredCopy>> {
    let mut line = Vec::new();
    let read = list.take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
    read.map_err(io_error("read a list of copies in", folder))?;
    if line.is_empty() {
        return Ok(None);
    }
    let copy = serde_json::from_slice(&line);
    copy.map(Some).map_err(|error| {
        Error::Refused(format!("a list of copies in {}: {error}", folder.display()))
    })
}

/// A file that is written and hashed.
struct Sink {
    file: tokio::fs::File,
    path: PathBuf,
    hasher: Sha256,
}

impl Sink {
    fn create(path: &Path) -> Result<Sink> {
        Ok(Sink {
            file: tokio::fs::File::from_std(files::create(path)?),
            path: path.to_owned(),
            hasher: Sha256::new(),
        })
    }

    async fn write(&mut self, bytes: Vec<u8>) -> Result<()> {
        use tokio::io::AsyncWriteExt as _;
        self.hasher.update(&bytes);
        let written = self.file.write_all(&bytes).await;
        written.map_err(io_error("write", &self.path))
    }

    async fn finish(mut self) -> Result<[u8; 32]> {
        use tokio::io::AsyncWriteExt as _;
        let flushed = self.file.flush().await;
        flushed.map_err(io_error("write", &self.path))?;
        let synced = self.file.sync_all().await;
        synced.map_err(io_error("sync", &self.path))?;
        Ok(self.hasher.finalize().into())
    }
}

impl Fault {
    /// For operators.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Fault::Missing => "is missing",
            Fault::Damaged => "is damaged",
        }
    }
}
