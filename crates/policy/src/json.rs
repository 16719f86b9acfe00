//! JSON with positions.

/// A place in a document's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Position {
    /// Bytes from the start of the text.
    pub offset: u32,
    /// Counted from 1.
    pub line: u32,
    /// Characters from the start of the line, counted from 1.
    pub column: u32,
}
