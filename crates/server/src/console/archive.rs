//! The files that `cargo xtask console` builds, embedded as one archive.
//!
//! Its head is lines of text, one a file, ended by an empty line: path, media type, the first 128 bits of
//! the content's SHA-256 in hexadecimal, and the lengths of the body as it is, with gzip and with brotli,
//! separated by tabs. A length of 0 means that this form is not kept. The bodies follow in the same order.

use std::collections::HashMap;
use std::sync::LazyLock;

use bytes::Bytes;

static ARCHIVE: &[u8] = include_bytes!("../../console/assets.bin");

/// The files by their path below `/console/`.
pub(super) static FILES: LazyLock<HashMap<&'static str, File>> = LazyLock::new(|| {
    // A test reads the archive that is embedded.
    read(ARCHIVE).expect("the archive is generated in this format")
});

/// A file of the console.
pub(super) struct File {
    pub(super) media_type: &'static str,
    /// The entity tag's text, without a form's suffix.
    pub(super) digest: &'static str,
    /// Kept for small files only: browsers accept both compressed forms.
    pub(super) identity: Option<Bytes>,
    pub(super) gzip: Option<Bytes>,
    pub(super) brotli: Option<Bytes>,
}

fn read(archive: &'static [u8]) -> Option<HashMap<&'static str, File>> {
    let end = archive.windows(2).position(|pair| pair == b"\n\n")?;
    let head = std::str::from_utf8(archive.get(..end)?).ok()?;
    let mut rest = archive.get(end + 2..)?;
    let mut take = |length: &str| -> Option<Option<Bytes>> {
        let (body, after) = rest.split_at_checked(length.parse().ok()?)?;
        rest = after;
        Some((!body.is_empty()).then(|| Bytes::from_static(body)))
    };
    let mut files = HashMap::new();
    for line in head.lines() {
        let mut fields = line.split('\t');
        let mut field = || fields.next();
        let (path, media_type, digest) = (field()?, field()?, field()?);
        let file = File {
            media_type,
            digest,
            identity: take(field()?)?,
            gzip: take(field()?)?,
            brotli: take(field()?)?,
        };
        files.insert(path, file);
    }
    rest.is_empty().then_some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_form_of_each_file() {
        let files = read(b"a\ttext/html\t0a\t2\t1\t1\nb\ttext/css\t0b\t0\t1\t1\n\nxxyzvw").unwrap();
        let body = |body: &Option<Bytes>| body.clone().unwrap_or_default();
        assert_eq!(body(&files["a"].identity), "xx");
        assert_eq!(body(&files["a"].gzip), "y");
        assert_eq!(body(&files["a"].brotli), "z");
        assert_eq!(files["b"].identity, None);
        assert_eq!(body(&files["b"].brotli), "w");
        assert_eq!(files["b"].media_type, "text/css");
    }

    #[test]
    fn refuses_an_archive_that_is_cut_off() {
        assert!(read(b"a\ttext/html\t0a\t2\t1\t1\n\nxxy").is_none());
        assert!(read(b"a\ttext/html\t0a\n\n").is_none());
        assert!(read(b"a\ttext/html\t0a\t0\t0\t0\n\nleft").is_none());
    }

    #[test]
    fn the_embedded_archive_holds_the_page() {
        assert!(FILES.contains_key("index.html"));
        assert!(
            FILES
                .values()
                .all(|file| file.gzip.is_some() && file.brotli.is_some())
        );
    }
}
