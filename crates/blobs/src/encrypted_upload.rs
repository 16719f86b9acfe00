//! The bytes of an upload that is encrypted while it arrives; everything here blocks.

use std::fs::File;
use std::io;

use bytes::Bytes;

use crate::disk::write_all_at;
use crate::encryption::{
    self, DataKey, EncryptionKey, HEADER_BYTES, RECORD_BYTES, ReadAt, Records,
};

/// What is written of an upload, and what waits in memory until a record is full or the request ends.
pub(crate) struct EncryptedBytes {
    key: DataKey,
    records: Records,
    waiting: Vec<u8>,
    /// A write failed: the file has to be looked at anew.
    is_broken: bool,
}

impl EncryptedBytes {
    /// Writes the header of an empty file.
    pub(crate) fn begin(key: &EncryptionKey, file: &File) -> io::Result<Self> {
        let (header, key) = encryption::new_file(key)?;
        write_all_at(file, &[Bytes::from(header)], 0)?;
        Ok(Self::of(key, Records::default()))
    }

    /// Goes on with a file and cuts off what is not whole; `each` gets the content. `None` when not even the
    /// header is.
    pub(crate) fn recover(
        key: &EncryptionKey,
        file: &File,
        file_bytes: u64,
        each: impl FnMut(&[u8]),
    ) -> io::Result<Option<Self>> {
        if file_bytes < HEADER_BYTES as u64 {
            return Ok(None);
        }
        let header = file.read_at(0, HEADER_BYTES)?;
        let header = header.as_slice().try_into().map_err(io::Error::other)?;
        let key = encryption::open_file(key, header)?;
        let records = encryption::recover(file, &key, file_bytes, each)?;
        if records.file_bytes() < file_bytes {
            file.set_len(records.file_bytes())?;
        }
        Ok(Some(Self::of(key, records)))
    }

    fn of(key: DataKey, records: Records) -> Self {
        Self {
            key,
            records,
            waiting: Vec::new(),
            is_broken: false,
        }
    }

    /// Bytes of the content, with those that wait.
    pub(crate) fn len(&self) -> u64 {
        self.records.size + self.waiting.len() as u64
    }

    /// Bytes of the content that are in the file.
    pub(crate) fn written(&self) -> u64 {
        self.records.size
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.records.file_bytes()
    }

    /// Whether the file has all of the content.
    pub(crate) fn is_written(&self) -> bool {
        self.waiting.is_empty() && !self.is_broken
    }

    /// Takes more of the content, and writes the records that are full.
    pub(crate) fn write(&mut self, file: &File, chunks: &[Bytes]) -> io::Result<()> {
        for chunk in chunks {
            self.waiting.extend_from_slice(chunk);
        }
        let full = self.waiting.len() - self.waiting.len() % RECORD_BYTES;
        self.write_waiting(file, full)
    }

    /// Writes what waits, as a short record.
    pub(crate) fn flush(&mut self, file: &File) -> io::Result<()> {
        self.write_waiting(file, self.waiting.len())
    }

    /// Writes what waits, and the footer.
    pub(crate) fn finish(&mut self, file: &File) -> io::Result<()> {
        self.flush(file)?;
        let footer = Bytes::from(self.key.footer(&self.records)?);
        // Another process may have cut the file, or left something behind its records.
        file.set_len(self.records.file_bytes())?;
        write_all_at(file, &[footer], self.records.file_bytes())
    }

    /// Gives the content that is in the file to `each`.
    pub(crate) fn read(&self, file: &File, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let mut at = 0;
        while at < self.records.size {
            let plain = encryption::read_content(
                file,
                &self.key,
                &self.records,
                at,
                4 * RECORD_BYTES,
                Vec::new(),
            )?;
            each(&plain);
            at += plain.len() as u64;
        }
        Ok(())
    }

    fn write_waiting(&mut self, file: &File, bytes: usize) -> io::Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        let mut sealed = Vec::with_capacity(bytes + bytes / 1024 + RECORD_BYTES);
        let mut records = self.records.clone();
        for plain in self.waiting[..bytes].chunks(RECORD_BYTES) {
            self.key.seal(records.count, plain, &mut sealed)?;
            records.add(plain.len())?;
        }
        let at = self.records.file_bytes();
        if let Err(error) = write_all_at(file, &[Bytes::from(sealed)], at) {
            self.is_broken = true;
            // Best effort: what stays is found and cut off by who goes on with the upload.
            if let Err(error) = file.set_len(at) {
                tracing::warn!(%error, "cannot cut a failed write off an upload");
            }
            return Err(error);
        }
        self.records = records;
        self.waiting.drain(..bytes);
        Ok(())
    }
}
