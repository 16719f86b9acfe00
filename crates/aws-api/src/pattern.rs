//! The models' patterns: Java regular expressions, matched by the `regex` crate.

use regex::Regex;
use std::sync::OnceLock;

/// A pattern of a model. Messages show AWS's text; the pattern is translated and
/// compiled once, at its first use.
#[derive(Debug)]
pub struct Pattern {
    java: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A pattern as the model has it.
    pub const fn new(java: &'static str) -> Self {
        Self {
            java,
            compiled: OnceLock::new(),
        }
    }

    /// The pattern as the model has it.
    pub fn as_str(&self) -> &'static str {
        self.java
    }

    /// Whether the whole `text` matches. A pattern that does not compile matches
    /// nothing; a test checks that every pattern in the tables compiles.
    pub fn matches(&self, text: &str) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(text))
    }

    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.compiled
            .get_or_init(|| Regex::new(&self.translated()).ok())
            .as_ref()
    }

    /// The pattern in the syntax of the `regex` crate.
    pub(crate) fn translated(&self) -> String {
        format!("^(?:{})$", translate(self.java))
    }
}

/// Translates the syntax in which Java and the `regex` crate differ.
///
/// - `\uXXXX` becomes `\x{XXXX}`. STS writes `\u10000-\u10FFFF` for the code
///   points above the basic plane; Java would not parse it so either.
/// - `\w`, `\d`, `\s`, `\S` mean ASCII in Java. The product's `regex` has no Unicode
///   tables for them, and would not compile a pattern that holds one.
/// - The one look-ahead in the models (IAM's account alias: no two hyphens in a
///   row) is translated to an equivalent; `min` and `max` hold its length.
fn translate(java: &str) -> String {
    const ALIAS: &str = "^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$";
    const SPACES: &str = r" \t\n\x0B\x0C\r";
    if java == ALIAS {
        return "[a-z0-9](?:-?[a-z0-9])*".to_owned();
    }
    let mut out = String::with_capacity(java.len() + 16);
    let mut rest = java;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        if c == '\\' {
            let escape = rest[1..].chars().next().unwrap_or('\\');
            let mut used = 1 + escape.len_utf8();
            match escape {
                'u' => {
                    let digits = if rest[2..].starts_with("10000") {
                        5
                    } else if rest[2..].starts_with("10FFFF") {
                        6
                    } else {
                        4
                    };
                    used = (2 + digits).min(rest.len());
                    out.push_str(r"\x{");
                    out.push_str(&rest[2..used]);
                    out.push('}');
                }
                'w' if in_class => out.push_str("A-Za-z0-9_"),
                'w' => out.push_str("[A-Za-z0-9_]"),
                'd' if in_class => out.push_str("0-9"),
                'd' => out.push_str("[0-9]"),
                's' if in_class => out.push_str(SPACES),
                's' => out.extend(["[", SPACES, "]"]),
                'S' => out.extend(["[^", SPACES, "]"]),
                '/' => out.push('/'),
                other => {
                    out.push('\\');
                    out.push(other);
                }
            }
            rest = &rest[used..];
            continue;
        }
        match c {
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_text_must_match() {
        let pattern = Pattern::new("[0-9]{12}");
        assert!(pattern.matches("123456789012"));
        assert!(!pattern.matches("1234567890123"));
        assert!(!pattern.matches("123456789012\n"));
    }

    #[test]
    fn classes_are_ascii_as_in_java() {
        let pattern = Pattern::new(r"[\w+=,.@-]+");
        assert!(pattern.matches("a_B9+=,.@-"));
        assert!(!pattern.matches("é"));
        assert!(!Pattern::new(r"\d{12}").matches("١٢٣٤٥٦٧٨٩٠١٢"));
        // U+00A0 and U+0085 are spaces of Unicode, not of Java.
        for (pattern, yes, no) in [
            (r"\s+", " \t\n\u{b}\u{c}\r", "\u{a0}"),
            (r"[a\s]+", "a \t", "\u{85}"),
            (r"\S+", "a\u{a0}\u{85}", " "),
            (r"[^\s@]+", "a\u{a0}", "\t"),
            (r"[\S]+", "a\u{a0}", "\r"),
        ] {
            assert!(Pattern::new(pattern).matches(yes), "{pattern}");
            assert!(!Pattern::new(pattern).matches(no), "{pattern}");
        }
        assert!(Pattern::new(r"[\s\S]*").matches("Any text\n\u{a0}😀"));
    }

    #[test]
    fn alias_refuses_two_hyphens_in_a_row() {
        let pattern = Pattern::new("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$");
        assert!(pattern.matches("my-company-1"));
        for bad in ["my--company", "-a", "a-", "A", "a_b"] {
            assert!(!pattern.matches(bad), "{bad}");
        }
    }

    #[test]
    fn code_points_above_the_basic_plane() {
        let pattern = Pattern::new(r"[\u0009\u000A\u0020-\u007E\u10000-\u10FFFF]+");
        assert!(pattern.matches("a\t😀"));
        assert!(!pattern.matches("é"));
    }
}
