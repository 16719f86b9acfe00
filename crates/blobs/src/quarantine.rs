//! The quarantine: files that are damaged, or that no row names, out of the way and not deleted.
//!
//! ```text
//! <root>/quarantine/objects-7f-7f3c…        a file as it was found
//! <root>/quarantine/objects-7f-7f3c….json   where it was, and why it was moved
//! ```
//!
//! The note is written and synced before the file is moved. A process that is killed between the two leaves a note
//! whose file is still in its place, and the next repair moves it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::blocking;
use crate::layout::{FILE_MODE, Layout, make_folder, sync_folder};
use crate::{Blobs, Error, Listed, ObjectKey};

/// Files of one name that are kept.
const SAME_NAME_MAX: u32 = 10_000;

/// A file among the stored copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It has the name of a copy.
    Copy(Listed),
    /// It has not: its path below the folder of blobs.
    Stray(String),
}

/// What is in the folder of uploads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UploadFiles {
    /// Unfinished uploads.
    pub uploads: u64,
    /// Files of contents that came in one request and were cut off, and others that the next start removes.
    pub temporary: u64,
}

impl Blobs {
    /// Moves a copy to the quarantine, with a note of why; durable when this returns. False when there is no such
    /// file. Reads that are open continue.
    pub async fn quarantine(&self, key: &ObjectKey, note: &str) -> Result<bool, Error> {
        let (layout, key, note) = (Arc::clone(self.layout()), *key, note.to_owned());
        let path = layout.object(&key);
        self.forget(&key);
        blocking::sync(move || move_away(&layout, &path, &key.to_string(), &note)).await?
    }

    /// Moves a [stray](Found::Stray) file there.
    pub async fn quarantine_stray(&self, stray: &str, note: &str) -> Result<bool, Error> {
        let (layout, stray, note) = (Arc::clone(self.layout()), stray.to_owned(), note.to_owned());
        let path = layout.blobs().join(&stray);
        blocking::sync(move || move_away(&layout, &path, &stray, &note)).await?
    }

    /// What [`list_folder`](Self::list_folder) answers, and files that have no copy's name.
    pub async fn survey_folder(&self, number: u16) -> Result<Option<Vec<Found>>, Error> {
        let Some(listed) = self.list_folder(number).await? else {
            return Ok(None);
        };
        let strays = self.strays(number).await?;
        let copies = listed.into_iter().map(Found::Copy);
        Ok(Some(
            copies.chain(strays.into_iter().map(Found::Stray)).collect(),
        ))
    }

    /// Counts what is in the folder of uploads.
    pub async fn upload_files(&self) -> Result<UploadFiles, Error> {
        let uploads = self.list_uploads().await?.len() as u64;
        let layout = Arc::clone(self.layout());
        let all = blocking::read(move || {
            let entries = fs::read_dir(layout.uploads()).map_err(Error::io("read a folder"))?;
            let mut files = 0_u64;
            for entry in entries {
                let name = entry.map_err(Error::io("read a folder"))?.file_name();
                // A saved state is a part of its upload.
                files += u64::from(!name.to_string_lossy().ends_with(".state"));
            }
            Ok::<_, Error>(files)
        })
        .await??;
        Ok(UploadFiles {
            uploads,
            temporary: all.saturating_sub(uploads),
        })
    }
}

fn move_away(layout: &Layout, path: &Path, name: &str, note: &str) -> Result<bool, Error> {
    match fs::symlink_metadata(path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io("look at a file for the quarantine")(error)),
    }
    let folder = layout.root().join("quarantine");
    let made = make_folder(&folder).map_err(Error::io("make the quarantine"))?;
    if made {
        sync_folder(layout.root()).map_err(Error::io("sync a folder"))?;
    }
    let to = free_name(&folder, name).map_err(Error::io("find a name in the quarantine"))?;
    write_note(&to, note).map_err(Error::io("write a note in the quarantine"))?;
    sync_folder(&folder).map_err(Error::io("sync the quarantine"))?;
    match fs::rename(path, &to) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io("move a file to the quarantine")(error)),
    }
    sync_folder(&folder).map_err(Error::io("sync the quarantine"))?;
    if let Some(from) = path.parent() {
        sync_folder(from).map_err(Error::io("sync a folder of blobs"))?;
    }
    Ok(true)
}

/// A name that no file there has.
fn free_name(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let flat = name.replace('/', "-");
    for number in 1..=SAME_NAME_MAX {
        let name = match number {
            1 => flat.clone(),
            number => format!("{flat}.{number}"),
        };
        let path = folder.join(name);
        if !path.try_exists()? {
            return Ok(path);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn write_note(of: &Path, note: &str) -> io::Result<()> {
    let mut name = of.as_os_str().to_owned();
    name.push(".json");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(name)?;
    file.write_all(note.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}
