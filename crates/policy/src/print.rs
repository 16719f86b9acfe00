//! Printing text from policies and requests on a terminal.

use std::fmt;

/// A text whose control characters are escaped, so that it cannot move the cursor, nor start a line
/// that another program reads as a command.
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(char::is_control) {
            f.write_str(&rest[..at])?;
            let control = rest[at..].chars().next().unwrap_or_default();
            write!(f, "{}", control.escape_default())?;
            rest = &rest[at + control.len_utf8()..];
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        let text = "a\u{1b}[31m\n::error::b\u{9b}\u{7f}é";
        let shown = Printable(text).to_string();
        assert_eq!(shown, "a\\u{1b}[31m\\n::error::b\\u{9b}\\u{7f}é");
        assert_eq!(Printable("").to_string(), "");
    }
}
