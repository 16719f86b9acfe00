//! A part of a file that the kernel sends to a socket, without a copy through this process.

use std::fmt;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use rustix::fs::Advice;
use rustix::io::{Errno, ReadWriteFlags};
use tokio::task::JoinHandle;

use crate::blocking::start_read;
use crate::damage::{OnDamage, is_damage, is_unreadable};

/// Between two bytes that are looked at to tell whether a part is in memory: what Linux reads ahead at once.
const SAMPLE_BYTES: u64 = 128 * 1024;
/// Bytes read at a time to bring a part into memory. They lie on the stack: each of the many threads that do this would
/// else keep a buffer in a heap of its own, 20 MB together.
const LOAD_BYTES: usize = 16 * 1024;
/// Bytes after a part that the disk is asked for while the part is loaded.
const AHEAD_BYTES: u64 = 2 * 1024 * 1024;
/// Bytes copied at a time where the kernel cannot send from the file.
const COPY_BYTES: usize = 64 * 1024;

/// Consecutive bytes of an open file; see [`FileRead::take_part`](crate::FileRead::take_part).
///
/// Sending blocks while the disk is read. A sender on a thread that must not block asks
/// [`is_in_memory`](FilePart::is_in_memory) first, and has what is not [loaded](FilePart::start_load).
#[derive(Clone)]
pub struct FilePart {
    file: Arc<File>,
    at: u64,
    left: u64,
    on_damage: Option<OnDamage>,
}

impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilePart({}, {} bytes)", self.at, self.left)
    }
}

impl FilePart {
    pub(crate) fn new(file: Arc<File>, at: u64, left: u64, on_damage: Option<OnDamage>) -> Self {
        Self {
            file,
            at,
            left,
            on_damage,
        }
    }

    /// Bytes that are still to be sent.
    pub fn remaining(&self) -> u64 {
        self.left
    }

    /// Sends as many bytes as the socket takes now, and says how many. A system without `sendfile` for the file or the
    /// socket gets them by a copy.
    ///
    /// # Errors
    /// `WouldBlock` when the socket takes none; `UnexpectedEof` when the file ends before the part does; the
    /// socket's and the disk's.
    pub fn send(&mut self, socket: impl AsFd) -> io::Result<usize> {
        let want = usize::try_from(self.left).unwrap_or(usize::MAX);
        if want == 0 {
            return Ok(0);
        }
        let mut from = self.at;
        let sent = match rustix::fs::sendfile(&socket, &*self.file, Some(&mut from), want) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(sent) => Ok(sent),
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => self.copy(socket, want),
            Err(error) => Err(error.into()),
        };
        match sent {
            Ok(sent) => {
                self.at += sent as u64;
                self.left = self.left.saturating_sub(sent as u64);
                Ok(sent)
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    fn copy(&self, socket: impl AsFd, want: usize) -> io::Result<usize> {
        let mut piece = vec![0; want.min(COPY_BYTES)];
        self.file.read_exact_at(&mut piece, self.at)?;
        Ok(rustix::io::write(socket, &piece)?)
    }

    /// Whether the part is in memory, as far as a few bytes of it tell: then sending does not wait for the disk. Does
    /// not block. `false` also where the file system cannot tell.
    pub fn is_in_memory(&self) -> bool {
        let end = self.at + self.left;
        let mut at = self.at;
        while at < end {
            if !self.has_byte(at) {
                return false;
            }
            at += SAMPLE_BYTES;
        }
        self.left == 0 || self.has_byte(end - 1)
    }

    fn has_byte(&self, at: u64) -> bool {
        let mut byte = [0];
        let mut slices = [IoSliceMut::new(&mut byte)];
        let read = rustix::io::preadv2(&*self.file, &mut slices, at, ReadWriteFlags::NOWAIT);
        // The end of a file that is too short is an answer: sending finds it.
        read.is_ok()
    }

    /// Begins to read the part into memory, on a thread that may block.
    ///
    /// # Errors
    /// The work's are those of [`send`](FilePart::send) that the disk causes.
    #[must_use]
    pub fn start_load(&self) -> JoinHandle<io::Result<()>> {
        let part = self.clone();
        start_read(move || part.load())
    }

    fn load(&self) -> io::Result<()> {
        let end = self.at + self.left;
        // Only a request; what it cannot do is read when its turn comes.
        let ahead = std::num::NonZeroU64::new(AHEAD_BYTES);
        let _ = rustix::fs::fadvise(&*self.file, end, ahead, Advice::WillNeed);
        let mut buffer = [0; LOAD_BYTES];
        let mut at = self.at;
        while at < end {
            let want = usize::try_from(end - at).unwrap_or(buffer.len());
            let want = want.min(buffer.len());
            let read = self.file.read_exact_at(&mut buffer[..want], at);
            read.map_err(|error| self.failed(error))?;
            at += want as u64;
        }
        Ok(())
    }

    fn failed(&self, error: io::Error) -> io::Error {
        if let Some(on_damage) = &self.on_damage
            && (is_damage(&error) || is_unreadable(&error))
        {
            on_damage(&error);
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn file(bytes: &[u8]) -> Arc<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Arc::new(file)
    }

    fn part(bytes: &[u8], at: u64, left: u64) -> FilePart {
        FilePart::new(file(bytes), at, left, None)
    }

    #[test]
    fn sends_its_bytes_and_nothing_else() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut part = part(b"0123456789", 2, 5);
        part.load().unwrap();
        while part.remaining() > 0 {
            part.send(&near).unwrap();
        }
        assert_eq!(part.send(&near).unwrap(), 0);
        drop(near);
        let mut text = String::new();
        far.read_to_string(&mut text).unwrap();
        assert_eq!(text, "23456");
    }

    #[test]
    fn a_full_socket_would_block() {
        let (near, _far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let mut part = part(&vec![7; 8 << 20], 0, 8 << 20);
        let error = loop {
            match part.send(&near) {
                Ok(sent) => assert!(sent > 0),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert!(part.remaining() > 0);
    }

    #[test]
    fn a_file_that_is_too_short_is_damaged() {
        let found = Arc::new(AtomicUsize::new(0));
        let noted = Arc::clone(&found);
        let on_damage: OnDamage = Arc::new(move |_: &io::Error| {
            noted.fetch_add(1, Ordering::Relaxed);
        });
        let (near, _far) = UnixStream::pair().unwrap();
        let mut part = FilePart::new(file(b"012"), 0, 5, Some(on_damage));
        assert_eq!(part.send(&near).unwrap(), 3);
        let error = part.send(&near).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(
            part.load().unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
        assert_eq!(found.load(Ordering::Relaxed), 2);
    }

    /// As where the kernel cannot send from the file.
    #[test]
    fn a_copy_is_the_same_bytes() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let part = part(b"0123456789", 2, 5);
        assert_eq!(part.copy(&near, 5).unwrap(), 5);
        assert!(part.copy(&near, 9).is_err(), "beyond the end of the file");
        drop(near);
        let mut text = String::new();
        far.read_to_string(&mut text).unwrap();
        assert_eq!(text, "23456");
    }

    #[test]
    fn what_was_just_written_is_in_memory() {
        let part = part(&vec![1; 1 << 20], 0, 1 << 20);
        // A file system that cannot tell answers `false`, which loading does not change.
        part.load().unwrap();
        let tells = part.is_in_memory();
        assert_eq!(part.is_in_memory(), tells);
    }
}
