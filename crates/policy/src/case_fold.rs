//! Lower case: ASCII actions without allocation, condition keys with all of Unicode.

/// Longer than any action (service prefix and name of at most 128 characters each).
const INLINE_MAX: usize = 256;

/// A string in ASCII lower case, on the stack unless it is longer than any action.
#[expect(
    clippy::large_enum_variant,
    reason = "on the stack for the time of one decision"
)]
pub(crate) enum LowerCase {
    Inline([u8; INLINE_MAX], usize),
    Heap(String),
}

impl LowerCase {
    pub fn new(text: &str) -> LowerCase {
        if text.len() > INLINE_MAX {
            return LowerCase::Heap(text.to_ascii_lowercase());
        }
        let mut bytes = [0; INLINE_MAX];
        let copy = &mut bytes[..text.len()];
        copy.copy_from_slice(text.as_bytes());
        copy.make_ascii_lowercase();
        LowerCase::Inline(bytes, text.len())
    }

    pub fn as_str(&self) -> &str {
        match self {
            // Lower-casing ASCII letters keeps UTF-8 valid.
            LowerCase::Inline(bytes, length) => {
                std::str::from_utf8(&bytes[..*length]).unwrap_or_default()
            }
            LowerCase::Heap(text) => text,
        }
    }
}

/// The name of a condition key in lower case. It may contain a tag's key, in any script
/// (docs/semantics.md#23).
pub(crate) fn key(name: &str) -> String {
    if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        name.to_lowercase()
    }
}
