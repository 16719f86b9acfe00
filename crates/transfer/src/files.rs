//! Files of a folder or of a tar file that may come from strangers.
//!
//! A name is followed component by component, and no link is: a bundle that names `/etc/shadow` by a
//! symbolic link must not send that file to a registry. A tar file is never unpacked; its members are read
//! where they lie.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;

use crate::archive::{self, Member};
use crate::error::{Error, Result, refused};

/// Names in one folder.
const FOLDER_ENTRIES_MAX: usize = 1_000_000;

/// Where a format's files are.
pub(crate) enum Files {
    Folder(Folder),
    Archive(Archive),
}

/// A regular file, opened at its first byte.
pub(crate) struct Opened {
    pub file: File,
    pub bytes: u64,
}

impl Files {
    /// A folder, or a tar file.
    pub fn open(path: &Path) -> Result<Files> {
        let metadata = std::fs::metadata(path).map_err(Error::io("cannot read", path))?;
        match metadata.is_dir() {
            true => Folder::open(path).map(Files::Folder),
            false => Archive::open(path).map(Files::Archive),
        }
    }

    /// A file by its name, with `/` between components; `None` when it is not there.
    pub fn file(&self, name: &str) -> Result<Option<Opened>> {
        match self {
            Files::Folder(folder) => folder.file(name),
            Files::Archive(archive) => archive.file(name),
        }
    }

    /// A small file's bytes.
    pub fn read(&self, name: &str, bytes_max: usize) -> Result<Option<Vec<u8>>> {
        let Some(opened) = self.file(name)? else {
            return Ok(None);
        };
        if opened.bytes > bytes_max as u64 {
            return Err(refused(format!("{name} is longer than {bytes_max} bytes")));
        }
        let mut bytes = Vec::new();
        let read = opened.file.take(opened.bytes).read_to_end(&mut bytes);
        read.map_err(Error::io("cannot read", Path::new(name)))?;
        Ok(Some(bytes))
    }
}

/// A folder.
pub(crate) struct Folder {
    root: OwnedFd,
    path: PathBuf,
}

impl Folder {
    pub fn open(path: &Path) -> Result<Folder> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, flags, Mode::empty());
        Ok(Folder {
            root: root.map_err(|e| Error::io("cannot open", path)(e.into()))?,
            path: path.to_owned(),
        })
    }

    /// The folder that holds `name`, and its last component.
    fn parent<'n>(&self, name: &'n str) -> Result<Option<(OwnedFd, &'n str)>> {
        let (parents, last) = name.rsplit_once('/').unwrap_or(("", name));
        let folder = self.folder(parents)?;
        Ok(folder.map(|folder| (folder, last)))
    }

    fn folder(&self, name: &str) -> Result<Option<OwnedFd>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut at = self.root.try_clone().map_err(self.io(name))?;
        for component in name.split('/').filter(|component| !component.is_empty()) {
            check_component(component)?;
            at = match openat(&at, component, flags, Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOENT) => return Ok(None),
                Err(Errno::NOTDIR | Errno::LOOP) => return Err(self.no_link(name)),
                Err(error) => return Err(self.io(name)(error.into())),
            };
        }
        Ok(Some(at))
    }

    pub fn file(&self, name: &str) -> Result<Option<Opened>> {
        let Some((folder, last)) = self.parent(name)? else {
            return Ok(None);
        };
        check_component(last)?;
        // Without NONBLOCK, a named pipe would wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&folder, last, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NXIO) => return Err(self.no_link(name)),
            Err(error) => return Err(self.io(name)(error.into())),
        };
        let metadata = file.metadata().map_err(self.io(name))?;
        match metadata.is_file() {
            true => Ok(Some(Opened {
                bytes: metadata.len(),
                file,
            })),
            false => Err(self.no_link(name)),
        }
    }

    /// The names of the folders in a folder, in order; none when it is not there.
    pub fn folders(&self, name: &str) -> Result<Vec<String>> {
        let Some(folder) = self.folder(name)? else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        let mut entries = Dir::read_from(&folder).map_err(|e| self.io(name)(e.into()))?;
        while let Some(entry) = entries.read() {
            let entry = entry.map_err(|e| self.io(name)(e.into()))?;
            // Names that are not UTF-8 belong to no format.
            let Ok(entry_name) = entry.file_name().to_str() else {
                continue;
            };
            if matches!(entry_name, "." | "..") {
                continue;
            }
            let is_folder = match entry.file_type() {
                FileType::Directory => true,
                FileType::Unknown => {
                    let stat = statat(&folder, entry_name, AtFlags::SYMLINK_NOFOLLOW);
                    let stat = stat.map_err(|e| self.io(name)(e.into()))?;
                    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
                }
                _ => false,
            };
            if is_folder {
                names.push(entry_name.to_owned());
            }
            if names.len() > FOLDER_ENTRIES_MAX {
                return Err(refused(format!(
                    "{} has more than {FOLDER_ENTRIES_MAX} folders",
                    self.path.join(name).display()
                )));
            }
        }
        names.sort();
        Ok(names)
    }

    fn no_link(&self, name: &str) -> Error {
        refused(format!(
            "{} leads through a link, or is no regular file: that is not followed",
            self.path.join(name).display()
        ))
    }

    fn io(&self, name: &str) -> impl FnOnce(std::io::Error) -> Error + use<> {
        Error::io("cannot read", &self.path.join(name))
    }
}

fn check_component(component: &str) -> Result<()> {
    match component.is_empty() || matches!(component, "." | "..") || component.contains('\0') {
        true => Err(refused(format!("`{component}` is no name of a file"))),
        false => Ok(()),
    }
}

/// A tar file whose members are read in place.
pub(crate) struct Archive {
    path: PathBuf,
    members: BTreeMap<String, Member>,
}

impl Archive {
    fn open(path: &Path) -> Result<Archive> {
        let mut file = File::open(path).map_err(Error::io("cannot open", path))?;
        let metadata = file.metadata().map_err(Error::io("cannot read", path))?;
        if !metadata.is_file() {
            return Err(refused(format!(
                "{} is neither a folder nor a file: a bundle is read in any order, so not from a pipe",
                path.display()
            )));
        }
        let members = archive::members(&mut file, metadata.len())
            .map_err(|error| refused(format!("{}: {}", path.display(), error.chain())))?;
        Ok(Archive {
            path: path.to_owned(),
            members,
        })
    }

    fn file(&self, name: &str) -> Result<Option<Opened>> {
        let Some(member) = self.members.get(name) else {
            return Ok(None);
        };
        let mut file = File::open(&self.path).map_err(Error::io("cannot open", &self.path))?;
        let sought = file.seek(SeekFrom::Start(member.offset));
        sought.map_err(Error::io("cannot read", &self.path))?;
        Ok(Some(Opened {
            file,
            bytes: member.bytes,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn follows_no_link_and_opens_no_pipe() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("blobs/sha256")).unwrap();
        std::fs::write(dir.path().join("secret"), "secret").unwrap();
        std::fs::write(root.join("blobs/sha256/file"), "ok").unwrap();
        symlink("../../../secret", root.join("blobs/sha256/link")).unwrap();
        symlink("blobs", root.join("linked")).unwrap();
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, root.join("pipe"), FileType::Fifo, mode, 0).unwrap();

        let files = Files::open(&root).unwrap();
        assert_eq!(files.read("blobs/sha256/file", 9).unwrap().unwrap(), b"ok");
        assert!(files.file("blobs/sha256/none").unwrap().is_none());
        assert!(files.file("none/file").unwrap().is_none());
        for name in [
            "blobs/sha256/link",
            "linked/sha256/file",
            "pipe",
            "blobs",
            "../secret",
        ] {
            assert!(matches!(files.file(name), Err(Error::Refused(_))), "{name}");
        }
        assert!(files.read("blobs/sha256/file", 1).is_err());
    }
}
