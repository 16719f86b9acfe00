//! Encrypted copies: the form of their files, and the keys.
//!
//! ```text
//! header   "brthenc1", id of the key's material (16), nonce (12), sealed data key (48)
//! record   length n (4), nonce (12), n encrypted bytes, tag (16)      as many as there are
//! footer   0xffffffff (4), length of the content (8), number of short records (4),
//!          of each its number (4) and its length (4), nonce (12), tag (16), length of the footer (4)
//! ```
//!
//! Numbers are little-endian. Each file has a data key of its own, which is sealed under the caller's key. A
//! record holds 64 KiB, but for the last one of each request that wrote: a file is only ever appended to, so
//! that no acknowledged byte is written twice. AES-256-GCM with the record's number and length as associated
//! data: a record that is changed, moved or missing does not open. NIST SP 800-38D (8.3) allows 2^32 random
//! nonces for a key; the largest layer has 2^20 records.

use std::fmt;
use std::io;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use bytes::Bytes;
use zeroize::Zeroizing;

/// Bytes of the content in a full record.
pub(crate) const RECORD_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
/// What a record takes beside its bytes.
const OVERHEAD_BYTES: usize = 4 + NONCE_LEN + TAG_BYTES;
const MAGIC: &[u8; 8] = b"brthenc1";
const ID_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
pub(crate) const HEADER_BYTES: usize = MAGIC.len() + ID_BYTES + NONCE_LEN + KEY_BYTES + TAG_BYTES;
/// In a record's place, says that the footer begins.
const FOOTER: u32 = u32::MAX;
/// A footer without short records.
const FOOTER_BYTES_MIN: usize = 4 + 8 + 4 + NONCE_LEN + TAG_BYTES + 4;
/// Each request that appends may end in a short record. With parts of 5 MiB, the largest layer has 10,400.
const SHORT_RECORDS_MAX: usize = 65_536;
const FOOTER_BYTES_MAX: usize = FOOTER_BYTES_MIN + 8 * SHORT_RECORDS_MAX;

/// A key that data keys are sealed under: its material, with the id that files name it by, and the material
/// that it had before it was rotated.
pub struct EncryptionKey {
    current: Material,
    earlier: Vec<Material>,
}

struct Material {
    id: [u8; ID_BYTES],
    key: LessSafeKey,
}

impl EncryptionKey {
    /// The key of these bytes.
    #[must_use]
    pub fn new(id: [u8; 16], key: &[u8; 32]) -> Self {
        Self {
            current: Material {
                id,
                key: aead_key(key),
            },
            earlier: Vec::new(),
        }
    }

    /// The same with material that seals nothing more and opens what it sealed.
    #[must_use]
    pub fn with_earlier(mut self, id: [u8; 16], key: &[u8; 32]) -> Self {
        let key = aead_key(key);
        self.earlier.push(Material { id, key });
        self
    }

    fn material(&self, id: &[u8]) -> Option<&Material> {
        let mut all = std::iter::once(&self.current).chain(&self.earlier);
        all.find(|material| material.id == id)
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKey(…)")
    }
}

/// The key of one file.
pub(crate) struct DataKey(LessSafeKey);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// The header of a new file, and its key.
pub(crate) fn new_file(key: &EncryptionKey) -> io::Result<(Vec<u8>, DataKey)> {
    let mut data_key = Zeroizing::new([0; KEY_BYTES]);
    fill(&mut data_key[..])?;
    let key = &key.current;
    let mut header = MAGIC.to_vec();
    header.extend(key.id);
    let nonce = new_nonce()?;
    let mut sealed = data_key.to_vec();
    let aad = Aad::from(header.clone());
    key.key
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
        .map_err(io::Error::other)?;
    header.extend(nonce);
    header.extend(sealed);
    Ok((header, DataKey(aead_key(&data_key))))
}

/// The key of a file with this header.
pub(crate) fn open_file(key: &EncryptionKey, header: &[u8; HEADER_BYTES]) -> io::Result<DataKey> {
    let (named, sealed) = header.split_at(MAGIC.len() + ID_BYTES);
    if !named.starts_with(MAGIC) {
        return Err(invalid("the file is not encrypted"));
    }
    let key = key
        .material(&named[MAGIC.len()..])
        .ok_or_else(|| invalid("the file is encrypted under another key"))?;
    let (nonce, sealed) = sealed.split_at(NONCE_LEN);
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let opened = key
        .key
        .open_in_place(nonce_of(nonce)?, Aad::from(named), &mut sealed[..])
        .map_err(|_| invalid("the file's key does not open"))?;
    let data_key = <&[u8; KEY_BYTES]>::try_from(&*opened).map_err(io::Error::other)?;
    Ok(DataKey(aead_key(data_key)))
}

impl DataKey {
    /// Appends a record to `out`: number `record`, with all bytes of `plain`, which are at most
    /// [`RECORD_BYTES`].
    pub(crate) fn seal(&self, record: u64, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let length = u32::try_from(plain.len()).map_err(io::Error::other)?;
        let nonce = new_nonce()?;
        out.extend(length.to_le_bytes());
        out.extend(nonce);
        let at = out.len();
        out.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, record_aad(record, length), &mut out[at..])
            .map_err(io::Error::other)?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens a record in place and answers its bytes.
    fn open<'a>(&self, record: u64, sealed: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let (length, rest) = sealed
            .split_at_mut_checked(4)
            .ok_or_else(|| invalid("a record is cut"))?;
        let length = u32::from_le_bytes(<[u8; 4]>::try_from(&*length).map_err(io::Error::other)?);
        let (nonce, rest) = rest
            .split_at_mut_checked(NONCE_LEN)
            .ok_or_else(|| invalid("a record is cut"))?;
        self.0
            .open_in_place(nonce_of(nonce)?, record_aad(record, length), rest)
            .map(|plain| &*plain)
            .map_err(|_| invalid("a record does not open: the file is damaged"))
    }

    /// The footer of a file with these records.
    pub(crate) fn footer(&self, records: &Records) -> io::Result<Vec<u8>> {
        let mut footer = FOOTER.to_le_bytes().to_vec();
        footer.extend(records.size.to_le_bytes());
        footer.extend(
            u32::try_from(records.short.len())
                .map_err(io::Error::other)?
                .to_le_bytes(),
        );
        for (record, length) in &records.short {
            footer.extend(record.to_le_bytes());
            footer.extend(length.to_le_bytes());
        }
        let nonce = new_nonce()?;
        let tag = self
            .0
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(&footer),
                &mut [],
            )
            .map_err(io::Error::other)?;
        footer.extend(nonce);
        footer.extend_from_slice(tag.as_ref());
        let length = u32::try_from(footer.len() + 4).map_err(io::Error::other)?;
        footer.extend(length.to_le_bytes());
        Ok(footer)
    }
}

/// A whole small file in memory.
pub(crate) fn whole_file(key: &EncryptionKey, chunks: &[Bytes]) -> io::Result<Vec<u8>> {
    let (mut file, data_key) = new_file(key)?;
    let mut records = Records::default();
    for plain in chunks.concat().chunks(RECORD_BYTES) {
        data_key.seal(records.count, plain, &mut file)?;
        records.add(plain.len())?;
    }
    file.extend(data_key.footer(&records)?);
    Ok(file)
}

/// Where the records of a file are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Records {
    /// How many there are.
    pub(crate) count: u64,
    /// Bytes of the content.
    pub(crate) size: u64,
    /// Number and length of each record that is not full.
    short: Vec<(u32, u32)>,
    /// After each of them: the number of the next record, and where in the content it begins.
    runs: Vec<(u64, u64)>,
}

/// One record: its number, where in the content it begins, and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    record: u64,
    start: u64,
    length: u64,
}

impl Records {
    /// Adds a record with so many bytes.
    pub(crate) fn add(&mut self, length: usize) -> io::Result<()> {
        if length != RECORD_BYTES {
            if self.short.len() == SHORT_RECORDS_MAX {
                return Err(io::Error::other(format!(
                    "an encrypted layer comes in {SHORT_RECORDS_MAX} parts at most"
                )));
            }
            let record = u32::try_from(self.count).map_err(io::Error::other)?;
            let short = u32::try_from(length).map_err(io::Error::other)?;
            self.short.push((record, short));
            self.runs.push((self.count + 1, self.size + length as u64));
        }
        self.count += 1;
        self.size += length as u64;
        Ok(())
    }

    /// The file's length up to here: header and records.
    pub(crate) fn file_bytes(&self) -> u64 {
        HEADER_BYTES as u64 + self.count * OVERHEAD_BYTES as u64 + self.size
    }

    /// The record with byte `at` of the content, which is less than `size`.
    fn at(&self, at: u64) -> Place {
        let run = self.runs.partition_point(|(_, start)| *start <= at);
        let (first, begin) = match run.checked_sub(1).and_then(|run| self.runs.get(run)) {
            Some(run) => *run,
            None => (0, 0),
        };
        let end = self.runs.get(run).map_or(self.size, |(_, start)| *start);
        let full = RECORD_BYTES as u64;
        let nth = (at - begin) / full;
        let start = begin + nth * full;
        Place {
            record: first + nth,
            start,
            length: full.min(end - start),
        }
    }

    fn file_offset(place: &Place) -> u64 {
        HEADER_BYTES as u64 + place.record * OVERHEAD_BYTES as u64 + place.start
    }

    /// The bytes of the file that hold up to `want` bytes of the content from `at` on, in whole records.
    fn covering(&self, at: u64, want: u64) -> (Place, std::ops::Range<u64>) {
        let first = self.at(at);
        let last = self.at((at + want.max(1) - 1).min(self.size.saturating_sub(1)));
        let end = Self::file_offset(&last) + last.length + OVERHEAD_BYTES as u64;
        (first, Self::file_offset(&first)..end)
    }
}

/// What gives bytes of a file: a part of it, whole.
pub(crate) trait ReadAt {
    fn read_at(&self, at: u64, length: usize) -> io::Result<Vec<u8>>;
}

/// The records of a finished file of `file_bytes`, as its footer says; with `key`, the footer's tag is checked.
pub(crate) fn read_footer(
    file: &impl ReadAt,
    file_bytes: u64,
    key: Option<&DataKey>,
) -> io::Result<Records> {
    let cut = || invalid("the file has no footer: it is damaged");
    let at = file_bytes.checked_sub(4).ok_or_else(cut)?;
    let length = u64::from(u32_at(&file.read_at(at, 4)?, 0).ok_or_else(cut)?);
    if length < FOOTER_BYTES_MIN as u64 || length > FOOTER_BYTES_MAX as u64 {
        return Err(cut());
    }
    let begin = file_bytes.checked_sub(length).ok_or_else(cut)?;
    let footer = file.read_at(begin, usize::try_from(length).map_err(io::Error::other)?)?;
    let said = footer.len() - 4 - TAG_BYTES - NONCE_LEN;
    if let Some(key) = key {
        let (nonce, mut tag) = (
            nonce_of(&footer[said..said + NONCE_LEN])?,
            footer[said + NONCE_LEN..footer.len() - 4].to_vec(),
        );
        key.0
            .open_in_place(nonce, Aad::from(&footer[..said]), &mut tag)
            .map_err(|_| invalid("the footer does not open: the file is damaged"))?;
    }
    let size = footer
        .get(4..12)
        .and_then(|bytes| <[u8; 8]>::try_from(bytes).ok())
        .map(u64::from_le_bytes)
        .ok_or_else(cut)?;
    let count = u32_at(&footer, 12).ok_or_else(cut)? as usize;
    if u32_at(&footer, 0) != Some(FOOTER) || 16 + 8 * count != said {
        return Err(cut());
    }
    let mut records = Records::default();
    for nth in 0..count {
        let short = (u32_at(&footer, 16 + 8 * nth), u32_at(&footer, 20 + 8 * nth));
        let (Some(record), Some(length)) = short else {
            return Err(cut());
        };
        records.fill_to(u64::from(record))?;
        records.add(length as usize)?;
    }
    let rest = size.checked_sub(records.size).ok_or_else(cut)?;
    if rest % RECORD_BYTES as u64 != 0 {
        return Err(cut());
    }
    records.fill_to(records.count + rest / RECORD_BYTES as u64)?;
    match records.file_bytes() == begin {
        true => Ok(records),
        false => Err(cut()),
    }
}

/// The records of an unfinished file: up to the first that is cut. Only their lengths are read.
pub(crate) fn scan(file: &impl ReadAt, file_bytes: u64) -> io::Result<Records> {
    let mut records = Records::default();
    loop {
        let at = records.file_bytes();
        if at + OVERHEAD_BYTES as u64 > file_bytes {
            return Ok(records);
        }
        let length = u32_at(&file.read_at(at, 4)?, 0).unwrap_or(FOOTER) as usize;
        let is_whole = at + (OVERHEAD_BYTES + length) as u64 <= file_bytes;
        if length == 0 || length > RECORD_BYTES || !is_whole {
            return Ok(records);
        }
        records.add(length)?;
    }
}

/// The records of an unfinished file that open, up to the first that does not; `each` gets their bytes.
pub(crate) fn recover(
    file: &impl ReadAt,
    key: &DataKey,
    file_bytes: u64,
    mut each: impl FnMut(&[u8]),
) -> io::Result<Records> {
    let whole = scan(file, file_bytes)?;
    let mut records = Records::default();
    while records.size < whole.size {
        let place = whole.at(records.size);
        let length = usize::try_from(place.length).map_err(io::Error::other)?;
        let at = Records::file_offset(&place);
        let mut sealed = file.read_at(at, length + OVERHEAD_BYTES)?;
        let Ok(plain) = key.open(place.record, &mut sealed) else {
            break;
        };
        each(plain);
        records.add(plain.len())?;
    }
    Ok(records)
}

/// The capacity of a buffer that [`read_content`] puts so many bytes into: it opens whole records.
pub(crate) fn room_for(want: usize) -> usize {
    want + RECORD_BYTES
}

/// Reads content from `at` on into `content`, which is empty: up to `want` bytes, but at least to the end of a record.
pub(crate) fn read_content(
    file: &impl ReadAt,
    key: &DataKey,
    records: &Records,
    at: u64,
    want: usize,
    mut content: Vec<u8>,
) -> io::Result<Vec<u8>> {
    if at >= records.size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let want = (want as u64).min(records.size - at);
    let (first, range) = records.covering(at, want);
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut sealed = file.read_at(range.start, length)?;
    let want = usize::try_from(want).map_err(io::Error::other)?;
    let mut place = first;
    let mut rest = sealed.as_mut_slice();
    while !rest.is_empty() {
        let bytes = usize::try_from(place.length).map_err(io::Error::other)? + OVERHEAD_BYTES;
        let (record, after) = rest
            .split_at_mut_checked(bytes)
            .ok_or_else(|| invalid("a record is cut"))?;
        let plain = key.open(place.record, record)?;
        if plain.len() as u64 != place.length {
            return Err(invalid("a record has another length than the footer says"));
        }
        content.extend_from_slice(plain);
        rest = after;
        if !rest.is_empty() {
            place = records.at(place.start + place.length);
        }
    }
    let skip = usize::try_from(at - first.start).map_err(io::Error::other)?;
    content.drain(..skip);
    content.truncate(want);
    Ok(content)
}

impl Records {
    /// Adds full records until there are `count`.
    fn fill_to(&mut self, count: u64) -> io::Result<()> {
        let more = count
            .checked_sub(self.count)
            .filter(|more| *more <= u64::from(u32::MAX))
            .ok_or_else(|| invalid("the footer's records are not in order"))?;
        self.count += more;
        self.size += more * RECORD_BYTES as u64;
        Ok(())
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn record_aad(record: u64, length: u32) -> Aad<[u8; 12]> {
    let mut aad = [0; 12];
    aad[..8].copy_from_slice(&record.to_le_bytes());
    aad[8..].copy_from_slice(&length.to_le_bytes());
    Aad::from(aad)
}

fn aead_key(bytes: &[u8; KEY_BYTES]) -> LessSafeKey {
    let unbound = UnboundKey::new(&AES_256_GCM, bytes);
    LessSafeKey::new(unbound.expect("a key of 32 bytes is one of AES-256"))
}

fn nonce_of(bytes: &[u8]) -> io::Result<Nonce> {
    Nonce::try_assume_unique_for_key(bytes).map_err(|_| invalid("a nonce is cut"))
}

fn new_nonce() -> io::Result<[u8; NONCE_LEN]> {
    let mut nonce = [0; NONCE_LEN];
    fill(&mut nonce)?;
    Ok(nonce)
}

fn fill(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(io::Error::from)
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests;
