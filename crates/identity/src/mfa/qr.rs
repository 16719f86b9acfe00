//! The QR code of a new device as a PNG image.
//!
//! The image is a few thousand pixels of one bit, once in a device's life: it is written without
//! compression, in the simplest form that the PNG specification (ISO/IEC 15948) knows.

use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

use crate::Error;

/// Pixels of a module's side.
const SCALE: usize = 4;
/// Modules of the quiet zone on each side (ISO/IEC 18004, 9.1).
const QUIET: i32 = 4;
/// Bytes of a stored block of deflate, at most (RFC 1951, 3.2.4).
const BLOCK_BYTES_MAX: usize = 65_535;

/// A PNG image of the text's QR code.
pub(crate) fn png(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let qr = QrCode::encode_text(text, QrCodeEcc::Medium)
        .map_err(|_| Error::internal("the text is too long for a QR code"))?;
    let modules = qr.size() + 2 * QUIET;
    let side = usize::try_from(modules).map_err(Error::internal)? * SCALE;
    // Rows of one bit a pixel, white as 1, each behind its filter byte.
    let mut rows = Zeroizing::new(Vec::new());
    for y in 0..modules {
        let mut row = Zeroizing::new(vec![0_u8; side.div_ceil(8) + 1]);
        let dark = (0..modules).flat_map(|x| [qr.get_module(x - QUIET, y - QUIET); SCALE]);
        for (at, dark) in dark.enumerate() {
            if !dark && let Some(byte) = row.get_mut(1 + at / 8) {
                *byte |= 0x80 >> (at % 8);
            }
        }
        for _ in 0..SCALE {
            rows.extend_from_slice(&row);
        }
    }
    let side = u32::try_from(side).map_err(Error::internal)?.to_be_bytes();
    let mut header = Vec::with_capacity(13);
    header.extend_from_slice(&side);
    header.extend_from_slice(&side);
    // One bit, greyscale, deflate, adaptive filters, not interlaced.
    header.extend_from_slice(&[1, 0, 0, 0, 0]);
    let mut png = Zeroizing::new(b"\x89PNG\r\n\x1a\n".to_vec());
    chunk(&mut png, b"IHDR", &header);
    chunk(&mut png, b"IDAT", &zlib(&rows));
    chunk(&mut png, b"IEND", &[]);
    Ok(png)
}

fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    png.extend_from_slice(&length.to_be_bytes());
    let start = png.len();
    png.extend_from_slice(kind);
    png.extend_from_slice(data);
    let sum = crc32(&png[start..]);
    png.extend_from_slice(&sum.to_be_bytes());
}

/// A zlib stream of stored blocks (RFC 1950).
fn zlib(data: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut stream = Zeroizing::new(vec![0x78, 0x01]);
    let mut blocks = data.chunks(BLOCK_BYTES_MAX).peekable();
    while let Some(block) = blocks.next() {
        stream.push(u8::from(blocks.peek().is_none()));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.extend_from_slice(&length.to_le_bytes());
        stream.extend_from_slice(&(!length).to_le_bytes());
        stream.extend_from_slice(block);
    }
    stream.extend_from_slice(&adler32(data).to_be_bytes());
    stream
}

fn adler32(data: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    (b << 16) | a
}

fn crc32(data: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in data {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xedb8_8320 & (0_u32.wrapping_sub(sum & 1)));
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standards() {
        // The check values of CRC-32 and Adler-32 in their catalogues.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn image_has_the_modules_of_the_code() {
        let text = "otpauth://totp/phone@alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let png = png(text).unwrap();
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
        let side = usize::try_from(u32::from_be_bytes(png[16..20].try_into().unwrap())).unwrap();
        // Behind signature, IHDR (25), and the head of IDAT (8).
        let length = usize::try_from(u32::from_be_bytes(png[33..37].try_into().unwrap())).unwrap();
        let stream = &png[41..41 + length];
        let rows = miniz_oxide::inflate::decompress_to_vec_zlib(stream).unwrap();
        let width = side.div_ceil(8) + 1;
        assert_eq!(rows.len(), side * width);
        let qr = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        for y in 0..side {
            for x in 0..side {
                let white = rows[y * width + 1 + x / 8] & (0x80 >> (x % 8)) != 0;
                let at = |pixel: usize| i32::try_from(pixel / SCALE).unwrap() - QUIET;
                assert_eq!(white, !qr.get_module(at(x), at(y)), "{x} {y}");
            }
        }
    }
}
