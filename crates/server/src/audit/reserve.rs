//! Space that is set aside on a disk, so that what must go on does so when the disk is full.
//!
//! The file's blocks are allocated when it is made. Overwriting them needs no free space.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Lines that could not be written to the audit log, in a preallocated file. What is not used is zero.
#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
    size: u64,
    open: Option<File>,
    /// Where the next line goes.
    used: u64,
}

impl Reserve {
    /// The reserve of `size` bytes at `path`. Nothing is opened yet; see [`Reserve::prepare`].
    pub(crate) fn new(path: PathBuf, size: u64) -> Reserve {
        Reserve {
            path,
            size,
            open: None,
            used: 0,
        }
    }

    /// Opens and allocates the file. An existing file keeps its lines.
    ///
    /// # Errors
    /// The disk's; there is no reserve until a later call succeeds.
    pub(crate) fn prepare(&mut self) -> io::Result<()> {
        if self.open.is_some() {
            return Ok(());
        }
        let file = private(&self.path)?;
        allocate(&file, self.size)?;
        file.sync_all()?;
        let mut text = vec![0; usize::try_from(self.size).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut text, 0)?;
        self.used = text
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(text.len()) as u64;
        self.open = Some(file);
        Ok(())
    }

    /// How many bytes of lines it can still take.
    pub(crate) fn left(&self) -> u64 {
        match self.open {
            Some(_) => self.size - self.used,
            None => 0,
        }
    }

    /// Writes whole lines durably.
    ///
    /// # Errors
    /// `StorageFull` when they do not fit, and the disk's.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let Some(file) = &self.open else {
            return Err(io::ErrorKind::StorageFull.into());
        };
        if lines.len() as u64 > self.size - self.used {
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.write_all_at(lines, self.used)?;
        file.sync_data()?;
        self.used += lines.len() as u64;
        Ok(())
    }

    /// The lines it holds. A line that a crash cut short is left out.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn lines(&self) -> io::Result<Vec<u8>> {
        let mut text = vec![0; usize::try_from(self.used).unwrap_or(usize::MAX)];
        if let Some(file) = &self.open {
            file.read_exact_at(&mut text, 0)?;
        }
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        text.truncate(whole);
        Ok(text)
    }

    /// Forgets the lines, which are in the log by now.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        if let (Some(file), true) = (&self.open, self.used > 0) {
            file.write_all_at(
                &vec![0; usize::try_from(self.used).unwrap_or(usize::MAX)],
                0,
            )?;
            file.sync_data()?;
        }
        self.used = 0;
        Ok(())
    }
}

/// Space beside a database. It is released when the disk is full and access must be taken away, since
/// that is a write to the database too.
#[derive(Debug)]
pub(crate) struct Ballast {
    path: PathBuf,
    size: u64,
}

impl Ballast {
    pub(crate) fn new(path: PathBuf, size: u64) -> Ballast {
        Ballast { path, size }
    }

    /// Allocates the space, if it is not allocated already.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn fill(&self) -> io::Result<()> {
        let file = private(&self.path)?;
        match file.metadata()?.len() < self.size {
            true => allocate(&file, self.size),
            false => Ok(()),
        }
    }

    /// Gives the space back to the disk. Whether there was any.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn release(&self) -> io::Result<bool> {
        let file = private(&self.path)?;
        let had = file.metadata()?.len() > 0;
        file.set_len(0)?;
        Ok(had)
    }
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    options.open(path)
}

/// Makes the file `size` bytes long, with blocks behind all of them.
fn allocate(file: &File, size: u64) -> io::Result<()> {
    let length = file.metadata()?.len();
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, size) {
        Ok(()) => return Ok(()),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
        Err(error) => return Err(error.into()),
    }
    // A file system without the call: written zeros are blocks as well.
    let zeros = [0; 64 * 1024];
    let mut at = length;
    while at < size {
        let piece = usize::try_from(size - at)
            .unwrap_or(usize::MAX)
            .min(zeros.len());
        file.write_all_at(&zeros[..piece], at)?;
        at += piece as u64;
    }
    Ok(())
}

/// Bytes that are free for this process on the disk of `path`.
///
/// # Errors
/// The system's.
pub(crate) fn free_bytes(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The size of the disk of `path`, in bytes.
///
/// # Errors
/// The system's.
pub(crate) fn disk_bytes(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_blocks.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_lines_over_a_restart_until_they_are_cleared() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("reserve");
        let mut reserve = Reserve::new(path.clone(), 100);
        assert_eq!(reserve.left(), 0);
        assert!(reserve.append(b"{}\n").is_err());
        reserve.prepare().unwrap();
        assert_eq!(reserve.left(), 100);
        reserve.append(b"{\"a\":1}\n").unwrap();
        assert_eq!(
            reserve.append(&[b'x'; 100]).unwrap_err().kind(),
            io::ErrorKind::StorageFull
        );
        drop(reserve);

        let mut reserve = Reserve::new(path.clone(), 100);
        reserve.prepare().unwrap();
        reserve.append(b"{\"b\":2}\n{\"cut").unwrap();
        assert_eq!(reserve.lines().unwrap(), b"{\"a\":1}\n{\"b\":2}\n");
        reserve.clear().unwrap();
        assert_eq!((reserve.left(), reserve.lines().unwrap()), (100, vec![]));
        drop(reserve);

        let mut reserve = Reserve::new(path, 100);
        reserve.prepare().unwrap();
        assert_eq!(reserve.left(), 100);
    }

    #[test]
    fn ballast_is_released_once() {
        let directory = tempfile::tempdir().unwrap();
        let ballast = Ballast::new(directory.path().join("ballast"), 8192);
        ballast.fill().unwrap();
        ballast.fill().unwrap();
        assert!(ballast.release().unwrap());
        assert!(!ballast.release().unwrap());
        assert!(free_bytes(directory.path()).unwrap() <= disk_bytes(directory.path()).unwrap());
    }

    #[test]
    fn symbolic_links_are_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("target");
        std::fs::write(&target, "precious").unwrap();
        let link = directory.path().join("reserve");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(Reserve::new(link.clone(), 100).prepare().is_err());
        assert!(Ballast::new(link, 100).release().is_err());
        assert_eq!(std::fs::read_to_string(target).unwrap(), "precious");
    }
}
