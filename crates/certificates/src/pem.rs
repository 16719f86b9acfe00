//! The textual encoding of certificates and keys (RFC 7468), white space as lax as its section 3 allows.
//!
//! Nothing but white space may stand around blocks: IAM refuses a chain with other text in it
//! (<https://github.com/aws/aws-cli/issues/715>). Parsers of libraries skip such text and unknown labels.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// Characters of a line (RFC 7468, section 2).
const LINE_CHARS: usize = 64;

/// A block: its label and what is encoded in it, which may be a private key.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a str,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// The blocks of a text. `None`: it is not made of blocks alone, or one has headers, as those of encrypted
/// keys do.
pub(crate) fn blocks(text: &str) -> Option<Vec<Block<'_>>> {
    let mut blocks = Vec::new();
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let (label, after) = rest.strip_prefix(BEGIN)?.split_once(DASHES)?;
        let (body, after) = after.split_once(END)?;
        let after = after.strip_prefix(label)?.strip_prefix(DASHES)?;
        let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
        base64.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
        let der = Zeroizing::new(STANDARD.decode(base64.as_bytes()).ok()?);
        blocks.push(Block { label, der });
        rest = after.trim_ascii_start();
    }
    Some(blocks)
}

/// A block as text, with a line feed at its end.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("{BEGIN}{label}{DASHES}\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        // Base 64 is ASCII, so any place is between characters.
        let (line, after) = rest.split_at(rest.len().min(LINE_CHARS));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(END);
    text.push_str(label);
    text.push_str(DASHES);
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_encoded_block_is_read_again(der in proptest::collection::vec(any::<u8>(), 0..300)) {
            let text = encode("CERTIFICATE", &der);
            prop_assert!(text.lines().all(|line| line.len() <= LINE_CHARS));
            for text in [text.clone(), text.replace('\n', "\r\n"), format!("\n {text}\t")] {
                let blocks = blocks(&text).unwrap();
                prop_assert_eq!(blocks.len(), 1);
                prop_assert_eq!((blocks[0].label, &blocks[0].der[..]), ("CERTIFICATE", &der[..]));
            }
        }

        #[test]
        fn any_text_is_blocks_or_refused(text in "(-----BEGIN A-----|-----END A-----|[A=\n ]|\\PC){0,9}") {
            if let Some(blocks) = blocks(&text) {
                prop_assert!(blocks.is_empty() || text.contains(BEGIN));
            }
        }
    }

    #[test]
    fn text_around_blocks_is_refused() {
        let block = encode("CERTIFICATE", b"x");
        for text in [
            format!("subject: x\n{block}"),
            format!("{block}x"),
            format!("{block}-----BEGIN"),
            block.replace("END CERTIFICATE", "END KEY"),
            block.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n"),
        ] {
            assert!(blocks(&text).is_none(), "{text}");
        }
        assert_eq!(blocks(&block.repeat(3)).map(|blocks| blocks.len()), Some(3));
    }
}
