//! Where a bundle is written to.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use blobs::Digest;
use futures_util::StreamExt as _;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use crate::archive::{self, BLOCK_BYTES, Member, Walk};
use crate::content::Chunks;
use crate::error::{Error, Result, refused};
use crate::layout;

pub(crate) enum Out {
    Folder(FolderOut),
    Tar(Box<TarOut>),
}

impl Out {
    /// A blob of an earlier run, of this length.
    pub async fn find(&self, digest: &Digest, size: u64) -> Result<Option<(File, u64)>> {
        match self {
            Out::Folder(folder) => folder.find(digest, size),
            Out::Tar(tar) => tar.find(digest, size),
        }
    }

    /// Removes a blob whose bytes are wrong.
    pub async fn forget(&self, digest: &Digest) -> Result<()> {
        match self {
            Out::Folder(folder) => {
                let path = folder.path.join(layout::blob_name(digest));
                fs::remove_file(&path).map_err(Error::io("cannot remove", &path))
            }
            Out::Tar(tar) => Err(refused(format!(
                "{} is damaged in the middle: remove it and export again",
                tar.partial.display()
            ))),
        }
    }

    /// Writes a blob.
    pub async fn write(&self, digest: &Digest, size: u64, chunks: Chunks) -> Result<()> {
        match self {
            Out::Folder(folder) => folder.write(digest, chunks).await,
            Out::Tar(tar) => tar.append(&layout::blob_name(digest), size, chunks).await,
        }
    }

    /// Writes what makes the bundle whole.
    pub async fn finish(&self, index: &[u8], contents: &[u8]) -> Result<()> {
        match self {
            Out::Folder(folder) => folder.finish(index, contents),
            Out::Tar(tar) => tar.finish(index, contents).await,
        }
    }
}

/// A folder.
pub(crate) struct FolderOut {
    path: PathBuf,
    /// Numbers unfinished files: two images may bring the same manifest at once.
    unfinished: AtomicUsize,
}

impl FolderOut {
    pub fn open(path: &Path) -> Result<FolderOut> {
        fs::create_dir_all(path).map_err(Error::io("cannot create", path))?;
        let mark = path.join(layout::PARTIAL_FILE);
        let mut entries = fs::read_dir(path).map_err(Error::io("cannot read", path))?;
        if !mark.exists() {
            if path.join(layout::BUNDLE_FILE).exists() {
                return Err(refused(format!(
                    "{0} is a finished bundle: choose another path, and --since {0} to leave out what it has",
                    path.display()
                )));
            }
            if entries.next().is_some() {
                return Err(refused(format!(
                    "{} is not empty, and no bundle: choose another path",
                    path.display()
                )));
            }
            fs::write(&mark, "").map_err(Error::io("cannot write", &mark))?;
        }
        for algorithm in ["sha256", "sha512"] {
            let blobs = path.join("blobs").join(algorithm);
            fs::create_dir_all(&blobs).map_err(Error::io("cannot create", &blobs))?;
            remove_unfinished(&blobs)?;
        }
        let out = FolderOut {
            path: path.to_owned(),
            unfinished: AtomicUsize::new(0),
        };
        out.put(layout::LAYOUT_FILE, layout::LAYOUT.as_bytes())?;
        Ok(out)
    }

    fn find(&self, digest: &Digest, size: u64) -> Result<Option<(File, u64)>> {
        let path = self.path.join(layout::blob_name(digest));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("cannot open", &path)(error)),
        };
        let bytes = file
            .metadata()
            .map_err(Error::io("cannot read", &path))?
            .len();
        Ok((bytes == size).then_some((file, bytes)))
    }

    async fn write(&self, digest: &Digest, mut chunks: Chunks) -> Result<()> {
        let path = self.path.join(layout::blob_name(digest));
        let number = self.unfinished.fetch_add(1, Ordering::Relaxed);
        let unfinished = path.with_extension(format!("{number}.partial"));
        let failed = || Error::io("cannot write", &unfinished);
        let file = File::create(&unfinished).map_err(failed())?;
        let mut file = tokio::fs::File::from_std(file);
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => file.write_all(&chunk).await.map_err(failed())?,
                Err(error) => {
                    drop(file);
                    fs::remove_file(&unfinished).map_err(failed())?;
                    return Err(error);
                }
            }
        }
        file.flush().await.map_err(failed())?;
        file.sync_all().await.map_err(failed())?;
        fs::rename(&unfinished, &path).map_err(failed())
    }

    /// Replaces a small file.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        let new = path.with_extension("new");
        let failed = || Error::io("cannot write", &path);
        let written = fs::write(&new, bytes)
            .and_then(|()| File::open(&new)?.sync_all())
            .and_then(|()| fs::rename(&new, &path));
        written.map_err(failed())
    }

    fn finish(&self, index: &[u8], contents: &[u8]) -> Result<()> {
        self.put(layout::INDEX_FILE, index)?;
        for name in ["blobs/sha256", "blobs/sha512", "blobs", ""] {
            sync_folder(&self.path.join(name))?;
        }
        self.put(layout::BUNDLE_FILE, contents)?;
        let mark = self.path.join(layout::PARTIAL_FILE);
        fs::remove_file(&mark).map_err(Error::io("cannot remove", &mark))?;
        sync_folder(&self.path)
    }
}

/// Removes what an interrupted run was writing.
fn remove_unfinished(blobs: &Path) -> Result<()> {
    let entries = fs::read_dir(blobs).map_err(Error::io("cannot read", blobs))?;
    for entry in entries {
        let path = entry.map_err(Error::io("cannot read", blobs))?.path();
        if path.extension().is_some_and(|kind| kind == "partial") {
            fs::remove_file(&path).map_err(Error::io("cannot remove", &path))?;
        }
    }
    Ok(())
}

fn sync_folder(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.map_err(Error::io("cannot sync", path))
}

/// A tar file.
pub(crate) struct TarOut {
    path: PathBuf,
    partial: PathBuf,
    /// What is in it, by its name.
    members: Mutex<HashMap<String, Member>>,
    /// The file, and where the next header goes. Blobs are written one after the other.
    file: tokio::sync::Mutex<(tokio::fs::File, u64)>,
}

impl TarOut {
    pub fn open(path: &Path) -> Result<TarOut> {
        if path.exists() {
            return Err(refused(format!(
                "{0} exists: choose another path, and --since {0} to leave out what it has",
                path.display()
            )));
        }
        let unfinished = partial(path);
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&unfinished);
        let failed = || Error::io("cannot write", &unfinished);
        let mut file = file.map_err(failed())?;
        let (members, end) = whole_members(&mut file, &unfinished)?;
        file.set_len(end).map_err(failed())?;
        file.seek(SeekFrom::Start(end)).map_err(failed())?;
        Ok(TarOut {
            path: path.to_owned(),
            members: Mutex::new(members),
            file: tokio::sync::Mutex::new((tokio::fs::File::from_std(file), end)),
            partial: unfinished,
        })
    }

    fn member(&self, name: &str) -> Option<Member> {
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.get(name).copied()
    }

    fn find(&self, digest: &Digest, size: u64) -> Result<Option<(File, u64)>> {
        let Some(member) = self.member(&layout::blob_name(digest)) else {
            return Ok(None);
        };
        if member.bytes != size {
            return Err(refused(format!(
                "{} holds {digest} with another length: remove it and export again",
                self.partial.display()
            )));
        }
        let mut file =
            File::open(&self.partial).map_err(Error::io("cannot open", &self.partial))?;
        let sought = file.seek(SeekFrom::Start(member.offset));
        sought.map_err(Error::io("cannot read", &self.partial))?;
        Ok(Some((file, member.bytes)))
    }

    async fn append(&self, name: &str, size: u64, mut chunks: Chunks) -> Result<()> {
        let mut guard = self.file.lock().await;
        let (file, start) = &mut *guard;
        // Another image of the same time may have brought it.
        if self.member(name).is_some() {
            return Ok(());
        }
        let failed = || Error::io("cannot write", &self.partial);
        let header = archive::header(name, size)?;
        let written = async {
            file.write_all(&header).await.map_err(failed())?;
            while let Some(chunk) = chunks.next().await {
                file.write_all(&chunk?).await.map_err(failed())?;
            }
            let padding = size.next_multiple_of(BLOCK_BYTES) - size;
            let padding = vec![0; usize::try_from(padding).unwrap_or_default()];
            file.write_all(&padding).await.map_err(failed())?;
            file.flush().await.map_err(failed())
        };
        if let Err(error) = written.await {
            file.set_len(*start).await.map_err(failed())?;
            file.seek(SeekFrom::Start(*start)).await.map_err(failed())?;
            return Err(error);
        }
        let offset = *start + header.len() as u64;
        *start = (offset + size).next_multiple_of(BLOCK_BYTES);
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.insert(
            name.to_owned(),
            Member {
                offset,
                bytes: size,
            },
        );
        Ok(())
    }

    async fn finish(&self, index: &[u8], contents: &[u8]) -> Result<()> {
        let small = [
            (layout::LAYOUT_FILE, layout::LAYOUT.as_bytes()),
            (layout::INDEX_FILE, index),
            (layout::BUNDLE_FILE, contents),
        ];
        for (name, bytes) in small {
            let bytes = bytes::Bytes::copy_from_slice(bytes);
            let length = bytes.len() as u64;
            let chunks = futures_util::stream::iter([Ok(bytes)]).boxed();
            self.append(name, length, chunks).await?;
        }
        let failed = || Error::io("cannot write", &self.partial);
        let mut guard = self.file.lock().await;
        let end = [0; 2 * BLOCK_BYTES as usize];
        guard.0.write_all(&end).await.map_err(failed())?;
        guard.0.flush().await.map_err(failed())?;
        guard.0.sync_all().await.map_err(failed())?;
        fs::rename(&self.partial, &self.path).map_err(failed())?;
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        sync_folder(folder.unwrap_or(Path::new(".")))
    }
}

/// The blobs that an interrupted export wrote, and where the last one ends. The lists at the end are written
/// anew.
fn whole_members(file: &mut File, path: &Path) -> Result<(HashMap<String, Member>, u64)> {
    let length = file
        .metadata()
        .map_err(Error::io("cannot read", path))?
        .len();
    // Only a file that this program began is gone on with.
    let mut start = [0; 6];
    if length >= start.len() as u64 {
        file.read_exact(&mut start)
            .map_err(Error::io("cannot read", path))?;
        if &start != b"blobs/" {
            return Err(refused(format!(
                "{} is no unfinished bundle",
                path.display()
            )));
        }
    }
    let mut walk = Walk::new(file, length);
    let mut members = HashMap::new();
    let mut end = 0;
    // A member that is cut off, or whose header is, ends what is kept.
    while let Ok(Some(Some((name, member)))) = walk.next() {
        if !name.starts_with("blobs/") {
            break;
        }
        members.insert(name, member);
        end = walk.next;
    }
    // A crash may have lost the bytes of the last blob while its length stayed; its digest tells.
    Ok((members, end))
}

/// The name under which a tar file grows.
fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}
