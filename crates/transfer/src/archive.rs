//! Tar files (POSIX.1-2001, "pax Interchange Format"; GNU tar's long names): found members, written headers.
//!
//! Only what an OCI image layout has is accepted: regular files and folders with relative names. The `tar`
//! crate reads and makes single headers; its iterator is not used, since it reads extension records of any
//! length into memory.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use tar::{EntryType, Header, PaxExtensions};

use crate::error::{Error, Result, refused};

pub(crate) const BLOCK_BYTES: u64 = 512;
/// Members of one file.
const MEMBERS_MAX: usize = 1_000_000;
/// An extension record in front of a member.
const EXTENSION_BYTES_MAX: u64 = 64 << 10;
/// A member's name.
const NAME_BYTES_MAX: usize = 4096;

/// Where a member's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub offset: u64,
    pub bytes: u64,
}

/// The regular files of a tar file of this length.
pub(crate) fn members<R: Read + Seek>(
    file: &mut R,
    length: u64,
) -> Result<BTreeMap<String, Member>> {
    let mut members = BTreeMap::new();
    let mut walk = Walk::new(file, length);
    let mut count = 0;
    while let Some(found) = walk.next()? {
        count += 1;
        if count > MEMBERS_MAX {
            return Err(refused(format!("it has more than {MEMBERS_MAX} members")));
        }
        if let Some((name, member)) = found {
            // Two readers could take different ones.
            if members.contains_key(&name) {
                return Err(refused(format!("it holds {name} twice")));
            }
            members.insert(name, member);
        }
    }
    Ok(members)
}

/// Goes from header to header.
pub(crate) struct Walk<'f, R> {
    file: &'f mut R,
    length: u64,
    /// Where the next header is: behind the last whole member.
    pub next: u64,
}

impl<'f, R: Read + Seek> Walk<'f, R> {
    pub fn new(file: &'f mut R, length: u64) -> Walk<'f, R> {
        Walk {
            file,
            length,
            next: 0,
        }
    }

    /// The next member: `None` at the end, `Some(None)` for a folder.
    pub fn next(&mut self) -> Result<Option<Option<(String, Member)>>> {
        let mut at = self.next;
        let (mut long_name, mut long_size) = (None, None);
        loop {
            let Some(header) = self.header(at)? else {
                return Ok(None);
            };
            let own = header.entry_size().map_err(unreadable)?;
            let data = at + BLOCK_BYTES;
            let kind = header.entry_type();
            let is_member = matches!(kind, EntryType::Regular | EntryType::Continuous);
            let size = long_size.filter(|_| is_member).unwrap_or(own);
            let end = data
                .checked_add(size)
                .filter(|end| *end <= self.length)
                .ok_or_else(|| refused("it ends in the middle of a member"))?;
            at = end.next_multiple_of(BLOCK_BYTES);
            match kind {
                EntryType::GNULongName => {
                    let mut name = self.extension(data, size)?;
                    while name.last() == Some(&0) {
                        name.pop();
                    }
                    long_name = Some(name);
                }
                EntryType::XHeader => {
                    let records = self.extension(data, size)?;
                    for record in PaxExtensions::new(&records) {
                        let record = record.map_err(unreadable)?;
                        match record.key_bytes() {
                            b"path" => long_name = Some(record.value_bytes().to_vec()),
                            b"size" => long_size = Some(number(record.value_bytes())?),
                            _ => {}
                        }
                    }
                }
                // Defaults for all members: times and users, nothing that is needed.
                EntryType::XGlobalHeader => {}
                EntryType::Directory => {
                    name(long_name.as_deref().unwrap_or(&header.path_bytes()))?;
                    self.next = at;
                    return Ok(Some(None));
                }
                EntryType::Regular | EntryType::Continuous => {
                    let name = name(long_name.as_deref().unwrap_or(&header.path_bytes()))?;
                    self.next = at;
                    let member = Member {
                        offset: data,
                        bytes: size,
                    };
                    return Ok(Some(Some((name, member))));
                }
                _ => {
                    let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
                    return Err(refused(format!(
                        "its member {name} is a link or a special file"
                    )));
                }
            }
        }
    }

    fn header(&mut self, at: u64) -> Result<Option<Header>> {
        // Some writers leave out the two empty blocks at the end.
        if at >= self.length {
            return Ok(None);
        }
        let mut block = [0; BLOCK_BYTES as usize];
        self.read_at(at, &mut block)?;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let gzip_or_zstd: [&[u8]; 2] = [&[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd]];
        if at == 0 && gzip_or_zstd.iter().any(|magic| block.starts_with(magic)) {
            return Err(refused("it is compressed: decompress it first"));
        }
        let header = Header::from_byte_slice(&block);
        // The checksum is over the header with blanks in its own place.
        let sum = block.iter().enumerate();
        let sum = sum.map(|(at, byte)| match (148..156).contains(&at) {
            true => u32::from(b' '),
            false => u32::from(*byte),
        });
        match header.cksum() {
            Ok(noted) if noted == sum.sum::<u32>() => Ok(Some(header.clone())),
            _ => Err(refused("it is no tar file, or a header in it is damaged")),
        }
    }

    fn extension(&mut self, at: u64, bytes: u64) -> Result<Vec<u8>> {
        if bytes > EXTENSION_BYTES_MAX {
            return Err(refused("a header in it is too long"));
        }
        let mut content = vec![0; usize::try_from(bytes).unwrap_or_default()];
        self.read_at(at, &mut content)?;
        Ok(content)
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> Result<()> {
        let read = self.file.seek(SeekFrom::Start(at));
        let read = read.and_then(|_| self.file.read_exact(buffer));
        read.map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => refused("it ends in the middle of a header"),
            _ => unreadable(error),
        })
    }
}

fn unreadable(source: std::io::Error) -> Error {
    Error::Io {
        what: "it cannot be read".to_owned(),
        source,
    }
}

fn number(text: &[u8]) -> Result<u64> {
    let text = std::str::from_utf8(text).ok();
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| refused("a header in it names no size"))
}

/// A member's name without `./`, where it stays inside the archive.
fn name(bytes: &[u8]) -> Result<String> {
    let text = std::str::from_utf8(bytes).ok();
    let text = text.filter(|text| text.len() <= NAME_BYTES_MAX && !text.contains('\0'));
    let text = text.ok_or_else(|| refused("it has a member whose name is too long or no text"))?;
    if text.starts_with('/') || text.split('/').any(|part| part == "..") {
        return Err(refused(format!(
            "its member {text} would be outside of the folder it is unpacked in"
        )));
    }
    let parts = text.split('/').filter(|part| !matches!(*part, "" | "."));
    Ok(parts.collect::<Vec<_>>().join("/"))
}

/// What stands in front of a member: a header, and the longer name where one is needed.
pub(crate) fn header(name: &str, bytes: u64) -> Result<Vec<u8>> {
    let mut written = Vec::new();
    let mut header = plain(bytes, EntryType::Regular);
    if header.set_path(name).is_err() {
        // sha512 blobs alone have names of more than 100 bytes.
        let mut long = plain(name.len() as u64 + 1, EntryType::GNULongName);
        long.set_path("././@LongLink").map_err(unreadable)?;
        long.set_cksum();
        written.extend_from_slice(long.as_bytes());
        written.extend_from_slice(name.as_bytes());
        written.push(0);
        written.resize(written.len().next_multiple_of(BLOCK_BYTES as usize), 0);
        let cut: String = name.chars().take(99).collect();
        header.set_path(cut).map_err(unreadable)?;
    }
    header.set_cksum();
    written.extend_from_slice(header.as_bytes());
    Ok(written)
}

fn plain(bytes: u64, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(bytes);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    // The same images make the same file.
    header.set_mtime(0);
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn made(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut file = Vec::new();
        for (name, content) in parts {
            file.extend(header(name, content.len() as u64).unwrap());
            file.extend_from_slice(content);
            file.resize(file.len().next_multiple_of(512), 0);
        }
        file.resize(file.len() + 1024, 0);
        file
    }

    fn found(file: &[u8]) -> Result<BTreeMap<String, Member>> {
        members(&mut Cursor::new(file), file.len() as u64)
    }

    #[test]
    fn finds_what_it_wrote_and_what_the_tar_crate_wrote() {
        let long = format!("blobs/sha512/{}", "0a".repeat(64));
        let file = made(&[("oci-layout", b"{}"), (&long, b"content")]);
        let members = found(&file).unwrap();
        let at = members[&long];
        assert_eq!(&file[at.offset as usize..][..at.bytes as usize], b"content");
        assert_eq!(members.len(), 2);

        let mut builder = tar::Builder::new(Vec::new());
        for name in ["./oci-layout", &long] {
            builder
                .append_data(&mut plain(7, EntryType::Regular), name, &b"content"[..])
                .unwrap();
        }
        let names: Vec<_> = found(&builder.into_inner().unwrap())
            .unwrap()
            .into_keys()
            .collect();
        assert_eq!(names, [long.clone(), "oci-layout".to_owned()]);
        let mut archive = tar::Archive::new(Cursor::new(file));
        let read: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|e| e.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(read, ["oci-layout".to_owned(), long]);
    }

    fn special(name: &str, kind: EntryType) -> Vec<u8> {
        let mut header = plain(0, kind);
        // `set_path` itself refuses some of these.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        let mut file = header.as_bytes().to_vec();
        file.resize(2048, 0);
        file
    }

    #[test]
    fn refuses_links_special_files_and_names_outside() {
        for kind in [
            EntryType::Symlink,
            EntryType::Link,
            EntryType::Fifo,
            EntryType::Block,
            EntryType::Char,
            EntryType::GNUSparse,
        ] {
            let error = found(&special("blobs", kind)).unwrap_err();
            assert!(
                error.to_string().contains("link or a special file"),
                "{error}"
            );
        }
        for name in ["/etc/passwd", "../index.json", "blobs/../../x"] {
            for kind in [EntryType::Regular, EntryType::Directory] {
                let error = found(&special(name, kind)).unwrap_err();
                assert!(error.to_string().contains("outside"), "{error}");
            }
        }
    }

    #[test]
    fn refuses_damaged_compressed_and_ambiguous_files() {
        let good = made(&[("oci-layout", b"{}"), ("index.json", b"{}")]);
        let mut damaged = good.clone();
        damaged[3] ^= 1;
        assert!(
            found(&damaged)
                .unwrap_err()
                .to_string()
                .contains("no tar file")
        );
        let cut = found(&good[..1200]).unwrap_err();
        assert!(cut.to_string().contains("middle"), "{cut}");
        let mut gzip = vec![0; 1024];
        gzip[..2].copy_from_slice(&[0x1f, 0x8b]);
        assert!(found(&gzip).unwrap_err().to_string().contains("compressed"));
        let twice = found(&made(&[("index.json", b"{}"), ("./index.json", b"[]")])).unwrap_err();
        assert!(twice.to_string().contains("twice"), "{twice}");
    }

    #[test]
    fn refuses_a_size_beyond_the_end() {
        let mut file = header("blob", u64::MAX / 2).unwrap();
        file.resize(2048, 0);
        assert!(
            found(&file)
                .unwrap_err()
                .to_string()
                .contains("middle of a member")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_members_or_a_refusal(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            let _ = found(&bytes);
        }
    }
}
