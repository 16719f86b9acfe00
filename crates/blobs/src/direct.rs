//! Writes of long uploads, which go past the page cache.
//!
//! The page cache costs a copy of each byte into memory that others need: a layer of many gigabytes would push out
//! the layers that are pulled. So what comes after the first [`CACHED_BYTES`] of an upload is given to the disk from
//! a buffer of ours (`O_DIRECT`, open(2)). Shorter layers stay in the page cache, where the first pull finds them.
//!
//! The disk takes whole blocks. What is before and behind them in a write goes through the page cache: parts of two
//! pages, which no direct write touches. A file system without direct writes gets all through the page cache, and so
//! do encrypted uploads, whose records are not blocks.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;

use crate::disk::write_all_at as write_cached;

/// Where in a file direct writes begin.
const CACHED_BYTES: u64 = 32 * 1024 * 1024;
/// What is shorter is left to the page cache, which gathers: a direct write waits for the disk.
const DIRECT_BYTES_MIN: usize = 256 * 1024;
/// One write to the disk: a batch of 1 MiB, which ends with a whole chunk of the network.
const WRITE_BYTES_MAX: usize = (1024 + 64) * 1024;
/// Offsets, lengths and addresses are multiples of it. It is the size of a page, and disks have blocks of 512 or
/// 4,096 bytes. One with larger blocks refuses the write, which goes through the page cache then.
pub(crate) const BLOCK_BYTES: usize = 4096;
/// Direct writes at once; the others wait.
const BUFFERS_MAX: usize = 4;

/// Whether so many bytes at this place are written directly.
pub(crate) fn is_for(at: u64, length: usize) -> bool {
    at >= CACHED_BYTES && length >= DIRECT_BYTES_MIN
}

/// Writes all chunks from byte `at` on. Answers where the blocks end that the disk has; `None` where it takes none
/// directly, and all went through the page cache. Nobody else reads or writes with this open file meanwhile.
///
/// `settle` is called before the first block: a direct write makes the file longer on the disk, and what the page
/// cache has not written by then would be zeros in it after a power cut. Its argument is where the block begins.
pub(crate) fn write_all_at(
    file: &File,
    chunks: &[Bytes],
    at: u64,
    settle: impl FnOnce(u64) -> io::Result<()>,
) -> io::Result<Option<u64>> {
    write_blocks(file, chunks, at, settle, write_direct)
}

/// Writes the whole blocks of the chunks by `direct`, until it answers false, and everything else through the page cache.
fn write_blocks(
    file: &File,
    chunks: &[Bytes],
    at: u64,
    settle: impl FnOnce(u64) -> io::Result<()>,
    mut direct: impl FnMut(&File, &[u8], u64) -> io::Result<bool>,
) -> io::Result<Option<u64>> {
    let length: usize = chunks.iter().map(Bytes::len).sum();
    let mut rest = Rest(chunks.to_vec());
    let head = at.next_multiple_of(BLOCK_BYTES as u64) - at;
    let head = usize::try_from(head).map_err(io::Error::other)?.min(length);
    write_cached(file, &rest.take(head), at)?;
    let mut at = at + head as u64;
    settle(at)?;
    let mut left = (length - head) / BLOCK_BYTES * BLOCK_BYTES;
    let mut buffer = Buffer::get();
    while left > 0 {
        let bytes = &mut buffer.bytes()[..left.min(WRITE_BYTES_MAX)];
        rest.copy_to(bytes);
        if !direct(file, bytes, at)? {
            file.write_all_at(bytes, at)?;
            write_cached(file, &rest.0, at + bytes.len() as u64)?;
            return Ok(None);
        }
        at += bytes.len() as u64;
        left -= bytes.len();
    }
    drop(buffer);
    write_cached(file, &rest.0, at)?;
    Ok(Some(at))
}

/// Writes whole blocks to the disk; false where the file system or the disk does not take them so.
fn write_direct(file: &File, bytes: &[u8], at: u64) -> io::Result<bool> {
    let flags = fcntl_getfl(file)?;
    match fcntl_setfl(file, flags | OFlags::DIRECT) {
        Ok(()) => {}
        Err(Errno::INVAL) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    let written = file.write_all_at(bytes, at);
    fcntl_setfl(file, flags)?;
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What is not written yet.
struct Rest(Vec<Bytes>);

impl Rest {
    fn copy_to(&mut self, out: &mut [u8]) {
        let mut filled = 0;
        for chunk in self.take(out.len()) {
            out[filled..filled + chunk.len()].copy_from_slice(&chunk);
            filled += chunk.len();
        }
    }

    /// The first `count` bytes; there must be as many.
    fn take(&mut self, mut count: usize) -> Vec<Bytes> {
        let whole = self.0.iter().take_while(|chunk| {
            let fits = chunk.len() <= count;
            if fits {
                count -= chunk.len();
            }
            fits
        });
        let whole = whole.count();
        let mut taken: Vec<Bytes> = self.0.drain(..whole).collect();
        if count > 0 {
            taken.push(self.0[0].split_to(count));
        }
        taken
    }
}

/// The buffers of the process, each made when it is needed first.
struct Buffers {
    idle: Mutex<Idle>,
    returned: Condvar,
}

struct Idle {
    buffers: Vec<Vec<u8>>,
    /// How many more may be made.
    unmade: usize,
}

static BUFFERS: Buffers = Buffers {
    idle: Mutex::new(Idle {
        buffers: Vec::new(),
        unmade: BUFFERS_MAX,
    }),
    returned: Condvar::new(),
};

/// Memory for one write, for another one when this is dropped.
struct Buffer(Vec<u8>);

impl Buffer {
    /// Waits for one. Each of them goes to the disk, so that more would not make it faster.
    fn get() -> Self {
        let idle = BUFFERS.lock();
        let is_none = |idle: &mut Idle| idle.buffers.is_empty() && idle.unmade == 0;
        let waited = BUFFERS.returned.wait_while(idle, is_none);
        let mut idle = waited.unwrap_or_else(PoisonError::into_inner);
        Self(idle.buffers.pop().unwrap_or_else(|| {
            idle.unmade -= 1;
            vec![0; WRITE_BYTES_MAX + BLOCK_BYTES]
        }))
    }

    /// [`WRITE_BYTES_MAX`] bytes at the address of a block.
    fn bytes(&mut self) -> &mut [u8] {
        let begin = self.0.as_ptr().align_offset(BLOCK_BYTES);
        &mut self.0[begin..begin + WRITE_BYTES_MAX]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        BUFFERS.lock().buffers.push(std::mem::take(&mut self.0));
        BUFFERS.returned.notify_one();
    }
}

impl Buffers {
    fn lock(&self) -> MutexGuard<'_, Idle> {
        // Sound at every step.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// A file that is long enough for direct writes, with `at` bytes.
    fn file(at: u64) -> File {
        let file = tempfile::tempfile().unwrap();
        file.set_len(at).unwrap();
        file
    }

    fn content(length: usize, salt: u8) -> Vec<u8> {
        (0..length)
            .map(|at| (at % 251) as u8 ^ (at / 251) as u8 ^ salt)
            .collect()
    }

    fn in_chunks(content: &[u8], sizes: &[usize]) -> Vec<Bytes> {
        let mut rest = Bytes::copy_from_slice(content);
        let mut chunks = Vec::new();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            chunks.push(rest.split_to((*size).clamp(1, rest.len())));
        }
        chunks
    }

    fn assert_holds(file: &File, at: u64, expected: &[u8]) {
        let mut found = vec![0; expected.len()];
        file.read_exact_at(&mut found, at).unwrap();
        assert!(found == expected, "other bytes from {at} on");
        assert_eq!(file.metadata().unwrap().len(), at + expected.len() as u64);
        let flags = fcntl_getfl(file).unwrap();
        assert!(!flags.contains(OFlags::DIRECT), "{flags:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_is_written_stands_where_it_belongs(
            past in 0..3 * BLOCK_BYTES as u64,
            lengths in vec(0..3 * WRITE_BYTES_MAX, 1..4),
            sizes in vec(select(vec![1, 700, 4096, 65_536, 100_001]), 1..4),
        ) {
            let begin = CACHED_BYTES + past;
            let file = file(begin);
            let mut all = Vec::new();
            for (nth, length) in lengths.iter().enumerate() {
                let part = content(*length, nth as u8);
                let at = begin + all.len() as u64;
                let mut settled = None;
                let settle = |block| {
                    settled = Some((block, file.metadata()?.len()));
                    Ok(())
                };
                let placed = write_all_at(&file, &in_chunks(&part, &sizes), at, settle).unwrap();
                // What is before the first block stands in the file by then, and nothing behind it.
                prop_assert!(settled.is_some_and(|(block, length)| block == length && block >= at));
                all.extend(part);
                assert_holds(&file, begin, &all);
                let end = begin + all.len() as u64;
                prop_assert!(placed.is_none_or(|placed| end - placed < BLOCK_BYTES as u64));
            }
        }

        #[test]
        fn what_the_disk_refuses_goes_through_the_page_cache(
            past in 0..2 * BLOCK_BYTES as u64,
            length in 0..4 * WRITE_BYTES_MAX,
            accepted in 0..4_usize,
        ) {
            let file = file(past);
            let all = content(length, 0);
            let mut calls = 0;
            let direct = |file: &File, bytes: &[u8], at| {
                calls += 1;
                match calls <= accepted {
                    true => write_direct(file, bytes, at),
                    false => Ok(false),
                }
            };
            let chunks = in_chunks(&all, &[9_000]);
            let placed = write_blocks(&file, &chunks, past, |_| Ok(()), direct).unwrap();
            assert_holds(&file, past, &all);
            // After the first refusal it is not asked again.
            prop_assert!(calls <= accepted + 1);
            prop_assert!(placed.is_none() || calls <= accepted);
        }
    }

    #[test]
    fn of_a_write_that_is_refused_nothing_is_in_the_file() {
        let file = file(0);
        let mut buffer = Buffer::get();
        let blocks = buffer.bytes();
        // No whole block: most file systems refuse it.
        let length = match write_direct(&file, &blocks[..100], 0).unwrap() {
            true => 100,
            false => 0,
        };
        assert_eq!(file.metadata().unwrap().len(), length);
        assert_eq!(blocks.as_ptr().align_offset(BLOCK_BYTES), 0);
    }

    #[test]
    fn an_error_of_the_disk_is_told() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let chunks = [vec![0; DIRECT_BYTES_MIN].into()];
        let error = write_all_at(&full, &chunks, CACHED_BYTES, |_| Ok(()));
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
