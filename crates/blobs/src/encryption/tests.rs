use super::*;
use proptest::prelude::*;

impl ReadAt for Vec<u8> {
    fn read_at(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        let at = usize::try_from(at).unwrap();
        let bytes = self.get(at..at + length);
        bytes
            .map(<[u8]>::to_vec)
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

fn key(id: u8) -> EncryptionKey {
    EncryptionKey::new([id; 16], &[id; 32])
}

fn opened(key: &EncryptionKey, file: &[u8]) -> io::Result<DataKey> {
    let header = file.get(..HEADER_BYTES).unwrap_or(&[0; HEADER_BYTES]);
    open_file(key, header.try_into().unwrap())
}

/// A file of parts, each of which ends in a record of its own.
fn file_of(key: &EncryptionKey, parts: &[Vec<u8>]) -> Vec<u8> {
    let (mut file, data_key) = new_file(key).unwrap();
    let mut records = Records::default();
    for part in parts {
        for plain in part.chunks(RECORD_BYTES) {
            data_key.seal(records.count, plain, &mut file).unwrap();
            records.add(plain.len()).unwrap();
        }
    }
    assert_eq!(file.len() as u64, records.file_bytes());
    assert_eq!(scan(&file, file.len() as u64).unwrap(), records);
    file.extend(data_key.footer(&records).unwrap());
    assert_eq!(
        scan(&file, file.len() as u64).unwrap(),
        records,
        "a footer is no record"
    );
    file
}

fn read(key: &EncryptionKey, file: &Vec<u8>, at: u64, end: u64) -> io::Result<Vec<u8>> {
    let data_key = opened(key, file)?;
    let records = read_footer(file, file.len() as u64, Some(&data_key))?;
    let mut content = Vec::new();
    while at + (content.len() as u64) < end {
        let want = usize::try_from(end - at).unwrap() - content.len();
        let next = at + content.len() as u64;
        content.extend(read_content(
            file,
            &data_key,
            &records,
            next,
            want.min(100_000),
            Vec::new(),
        )?);
    }
    Ok(content)
}

fn content(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.concat()
}

fn part(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8 ^ seed).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_range_of_any_parts_is_read_back(
        lengths in prop::collection::vec(
            prop_oneof![0_usize..300, RECORD_BYTES - 2..RECORD_BYTES + 3, 0..4 * RECORD_BYTES], 0..5),
        cut in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let parts: Vec<_> = lengths.iter().enumerate().map(|(n, l)| part(*l, n as u8)).collect();
        let all = content(&parts);
        let file = file_of(&key(1), &parts);
        let sealed = read_footer(&file, file.len() as u64, None).unwrap();
        prop_assert_eq!(sealed.size, all.len() as u64);
        let (a, b) = (cut.0.index(all.len() + 1), cut.1.index(all.len() + 1));
        let (from, to) = (a.min(b), a.max(b));
        prop_assert_eq!(read(&key(1), &file, from as u64, to as u64).unwrap(), &all[from..to]);
    }

    #[test]
    fn a_changed_byte_is_found(at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let parts = [part(RECORD_BYTES + 10, 3), part(7, 4)];
        let mut file = file_of(&key(1), &parts);
        let at = at.index(file.len());
        file[at] ^= flip;
        let size = content(&parts).len() as u64;
        prop_assert!(read(&key(1), &file, 0, size).is_err(), "byte {}", at);
    }

    #[test]
    fn a_cut_file_has_the_records_before_the_cut(at in any::<prop::sample::Index>()) {
        let parts = [part(3 * RECORD_BYTES + 10, 3), part(7, 4)];
        let mut file = file_of(&key(1), &parts);
        file.truncate(at.index(file.len() + 1));
        let records = scan(&file, file.len() as u64).unwrap();
        prop_assert!(file.len() < HEADER_BYTES || records.file_bytes() <= file.len() as u64);
        prop_assert!(read_footer(&file, file.len() as u64, None).is_err() || file.len() > 3 * RECORD_BYTES);
    }
}

#[test]
fn no_content_stands_in_the_file() {
    let file = file_of(
        &key(1),
        &[b"a secret that is long enough to be found".repeat(3000)],
    );
    assert!(!file.windows(8).any(|bytes| bytes == b"a secret"));
}

#[test]
fn another_key_opens_nothing() {
    let file = file_of(&key(1), &[part(10, 0)]);
    let error = opened(&key(2), &file).unwrap_err();
    assert_eq!(error.to_string(), "the file is encrypted under another key");
    let same_id = EncryptionKey::new([1; 16], &[9; 32]);
    let error = opened(&same_id, &file).unwrap_err();
    assert_eq!(error.to_string(), "the file's key does not open");
}

#[test]
fn material_from_before_a_rotation_opens_and_seals_no_more() {
    let old = file_of(&key(1), &[part(10, 0)]);
    let rotated = key(2).with_earlier([1; 16], &[1; 32]);
    assert_eq!(read(&rotated, &old, 0, 10).unwrap(), part(10, 0));
    let new = file_of(&rotated, &[part(10, 0)]);
    assert_eq!(read(&key(2), &new, 0, 10).unwrap(), part(10, 0));
    assert!(opened(&key(1), &new).is_err());
}

#[test]
fn records_that_change_places_are_found() {
    let parts = [part(RECORD_BYTES, 1), part(RECORD_BYTES, 2)];
    let mut file = file_of(&key(1), &parts);
    let record = RECORD_BYTES + OVERHEAD_BYTES;
    let (first, second) = (HEADER_BYTES, HEADER_BYTES + record);
    let moved = [
        file[second..second + record].to_vec(),
        file[first..second].to_vec(),
    ]
    .concat();
    file[first..second + record].copy_from_slice(&moved);
    assert!(read(&key(1), &file, 0, 5).is_err());
}

#[test]
fn equal_contents_make_different_files() {
    let parts = [part(100, 0)];
    let (one, other) = (file_of(&key(1), &parts), file_of(&key(1), &parts));
    assert_ne!(one, other);
    // Records of one file are nothing in another: each has a key of its own.
    let spliced = [&one[..HEADER_BYTES], &other[HEADER_BYTES..]].concat();
    assert!(read(&key(1), &spliced, 0, 100).is_err());
}

#[test]
fn a_small_file_in_memory_has_the_same_form() {
    let chunks = [Bytes::from_static(b"hello, "), Bytes::from_static(b"world")];
    let file = whole_file(&key(1), &chunks).unwrap();
    assert_eq!(read(&key(1), &file, 0, 12).unwrap(), b"hello, world");
    let empty = whole_file(&key(1), &[]).unwrap();
    assert_eq!(
        read_footer(&empty, empty.len() as u64, None).unwrap().size,
        0
    );
}

#[test]
fn parts_have_a_bound() {
    let mut records = Records::default();
    for _ in 0..SHORT_RECORDS_MAX {
        records.add(1).unwrap();
    }
    assert!(records.add(1).is_err());
    records.add(RECORD_BYTES).unwrap();
}
