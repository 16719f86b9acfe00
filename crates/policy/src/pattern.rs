//! Strings of a policy that are compared with strings of a request: literal text,
//! wildcards, variables.
//!
//! Sources: UG reference_policies_elements_resource, reference_policies_variables.

use std::sync::Arc;

use crate::case_fold;
use crate::context::{Context, ContextValue};
use crate::document::Version;
use crate::glob::{Glob, Stars, Token, Unit, matches_once, matches_tokens};
use crate::heap;

/// Unit by unit a template costs the text's length times a segment's. One with more
/// pieces than anybody writes by hand is cut into segments for the occasion, which is linear.
const PIECES_PLAIN_MAX: usize = 24;

/// The colons between the six fields of an ARN.
const ARN_COLONS: usize = 5;

/// A compiled string.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// `*`.
    Any,
    /// Exactly this.
    Literal(Arc<str>),
    /// With `*`, without `?`.
    Stars(Stars),
    /// With `?`.
    Glob(Box<Glob>),
    /// With variables, whose values come from the request.
    Template(Box<[Piece]>),
    /// Can match nothing: a variable stands where none may (docs/semantics.md#32).
    Never,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Token(Token),
    Variable {
        /// The key in lower case.
        key: Arc<str>,
        /// The value when the key is absent (docs/semantics.md#30).
        default: Option<Arc<str>>,
    },
    /// Written like a variable, but none: never resolves.
    Unresolvable,
}

/// What a string may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// `*` and `?` are wildcards.
    Wildcards,
    /// `*` and `?` are themselves (`StringEquals`, docs/semantics.md#26).
    Exact,
}

/// Cuts a string into its parts. Variables exist from version 2012-10-17 on (docs/semantics.md#28).
pub(crate) fn pieces(text: &str, version: Version, flavour: Flavour) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some((variable, length)) = variable(rest).filter(|_| version == Version::V2012) {
            match variable {
                Variable::Character(character) => literal.push(character),
                Variable::Piece(piece) => {
                    flush(&mut pieces, &mut literal);
                    pieces.push(piece);
                }
            }
            rest = &rest[length..];
            continue;
        }
        let wildcard = match character {
            '*' => Some(Token::Star),
            '?' => Some(Token::One),
            _ => None,
        };
        match wildcard {
            Some(token) if flavour == Flavour::Wildcards => {
                flush(&mut pieces, &mut literal);
                pieces.push(Piece::Token(token));
            }
            _ => literal.push(character),
        }
        rest = &rest[character.len_utf8()..];
    }
    flush(&mut pieces, &mut literal);
    pieces
}

fn flush(pieces: &mut Vec<Piece>, literal: &mut String) {
    if !literal.is_empty() {
        pieces.push(Piece::Token(Token::Text(std::mem::take(literal))));
    }
}

/// Appends literal text: adjacent literals are one piece.
fn push_literal(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        Some(Piece::Token(Token::Text(last))) => last.push_str(text),
        _ => pieces.push(Piece::Token(Token::Text(text.to_owned()))),
    }
}

enum Variable {
    /// `${*}`, `${?}`, `${$}`.
    Character(char),
    Piece(Piece),
}

/// The variable that `text` starts with, and its length in bytes. An opening without an
/// end is literal text.
fn variable(text: &str) -> Option<(Variable, usize)> {
    let inner = text.strip_prefix("${")?;
    let end = inner.find('}')?;
    for (name, character) in [("*", '*'), ("?", '?'), ("$", '$')] {
        if &inner[..end] == name {
            return Some((Variable::Character(character), end + 3));
        }
    }
    let Some(comma) = inner[..end].find(',') else {
        let key = inner[..end].trim();
        let piece = if key.is_empty() {
            Piece::Unresolvable
        } else {
            Piece::Variable {
                key: case_fold::key(key).into(),
                default: None,
            }
        };
        return Some((Variable::Piece(piece), end + 3));
    };
    // `${key, 'default'}`; the default may hold a brace.
    let key = inner[..comma].trim();
    let behind = inner[comma + 1..].trim_start();
    let quoted = behind
        .strip_prefix('\'')
        .and_then(|behind| behind.split_once("'}"));
    Some(match quoted {
        Some((default, after)) if !key.is_empty() => {
            let piece = Piece::Variable {
                key: case_fold::key(key).into(),
                default: Some(default.into()),
            };
            (Variable::Piece(piece), text.len() - after.len())
        }
        _ => (Variable::Piece(Piece::Unresolvable), end + 3),
    })
}

impl Pattern {
    /// A string of a condition or of `Resource`.
    pub fn new(text: &str, version: Version, flavour: Flavour) -> Pattern {
        Pattern::from_pieces(pieces(text, version, flavour))
    }

    /// An entry of `Resource`. Variables are allowed after the fifth colon only (docs/semantics.md#32).
    pub fn resource(text: &str, version: Version) -> Pattern {
        let pieces = pieces(text, version, Flavour::Wildcards);
        let mut colons = 0;
        for piece in &pieces {
            match piece {
                Piece::Token(Token::Text(text)) => colons += text.matches(':').count(),
                Piece::Token(_) => {}
                Piece::Variable { .. } | Piece::Unresolvable if colons < ARN_COLONS => {
                    return Pattern::Never;
                }
                Piece::Variable { .. } | Piece::Unresolvable => {}
            }
        }
        Pattern::from_pieces(pieces)
    }

    /// An incomplete ARN with `*` for the fields that it lacks (docs/semantics.md#46); `None` if it is complete or
    /// no ARN.
    pub fn completed(text: &str, version: Version) -> Option<Pattern> {
        let mut pieces = pieces(text, version, Flavour::Wildcards);
        let literals = pieces.iter().map(|piece| match piece {
            Piece::Token(Token::Text(text)) => text.matches(':').count(),
            _ => 0,
        });
        let colons: usize = literals.sum();
        // A variable in an incomplete ARN stands before the fifth colon, so it matches nothing.
        let variable = pieces.iter().any(|piece| !matches!(piece, Piece::Token(_)));
        if colons >= ARN_COLONS || variable || !text.starts_with("arn:") {
            return None;
        }
        for _ in colons..ARN_COLONS {
            push_literal(&mut pieces, ":");
            pieces.push(Piece::Token(Token::Star));
        }
        Some(Pattern::from_pieces(pieces))
    }

    /// An action: wildcards, no variables, in lower case (docs/semantics.md#22).
    pub fn action(text: &str) -> Pattern {
        let text = text.to_ascii_lowercase();
        Pattern::new(&text, Version::V2008, Flavour::Wildcards)
    }

    pub fn from_pieces(mut pieces: Vec<Piece>) -> Pattern {
        if pieces.iter().any(|piece| !matches!(piece, Piece::Token(_))) {
            return Pattern::Template(pieces.into());
        }
        pieces.dedup_by(|a, b| *a == Piece::Token(Token::Star) && a == b);
        let mut tokens: Vec<Token> = pieces
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Token(token) => Some(token),
                _ => None,
            })
            .collect();
        match tokens.as_mut_slice() {
            [] => Pattern::Literal("".into()),
            [Token::Star] => Pattern::Any,
            [Token::Text(text)] => Pattern::Literal(std::mem::take(text).into()),
            _ => {
                let units = || tokens.iter().map(Unit::from);
                match Stars::new(units()) {
                    Some(stars) => Pattern::Stars(stars),
                    None => Pattern::Glob(Box::new(Glob::new(units()))),
                }
            }
        }
    }

    pub fn matches(&self, text: &str, context: &Context) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Literal(literal) => **literal == *text,
            Pattern::Stars(stars) => stars.matches(text),
            Pattern::Glob(glob) => glob.matches(text),
            Pattern::Template(pieces) => {
                if !can_fit(pieces, text, context) {
                    return false;
                }
                let units = pieces.iter().filter_map(|piece| piece.resolve(context));
                match pieces.len() > PIECES_PLAIN_MAX {
                    true => matches_once(units, text),
                    false => matches_tokens(units, text),
                }
            }
            Pattern::Never => false,
        }
    }

    /// For strings without wildcards: equality without regard to case.
    pub fn equals_ignoring_case(&self, text: &str, context: &Context) -> bool {
        match self {
            Pattern::Literal(literal) => same_ignoring_case(literal.chars(), text),
            Pattern::Template(pieces) => {
                if pieces.iter().any(|piece| piece.resolve(context).is_none()) {
                    return false;
                }
                let parts = pieces
                    .iter()
                    .filter_map(|piece| match piece.resolve(context) {
                        Some(Unit::Text(text)) => Some(text),
                        _ => None,
                    });
                same_ignoring_case(parts.flat_map(str::chars), text)
            }
            Pattern::Any | Pattern::Stars(_) | Pattern::Glob(_) | Pattern::Never => false,
        }
    }

    /// The text that every match starts with.
    pub fn literal_prefix(&self) -> &str {
        match self {
            Pattern::Any | Pattern::Never => "",
            Pattern::Literal(literal) => literal,
            Pattern::Stars(stars) => stars.literal_prefix(),
            Pattern::Glob(glob) => glob.literal_prefix(),
            Pattern::Template(pieces) => match pieces.first() {
                Some(Piece::Token(Token::Text(text))) => text,
                _ => "",
            },
        }
    }

    /// What the pattern keeps on the heap.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Pattern::Any | Pattern::Never => 0,
            Pattern::Literal(literal) => heap::shared_str(literal),
            Pattern::Stars(stars) => stars.heap_bytes(),
            Pattern::Glob(glob) => {
                heap::allocation(std::mem::size_of::<Glob>()) + glob.heap_bytes()
            }
            Pattern::Template(pieces) => pieces_heap_bytes(pieces),
        }
    }

    /// The text that every match ends with.
    pub fn literal_suffix(&self) -> &str {
        match self {
            Pattern::Any | Pattern::Never => "",
            Pattern::Literal(literal) => literal,
            Pattern::Stars(stars) => stars.literal_suffix(),
            Pattern::Glob(glob) => glob.literal_suffix(),
            Pattern::Template(pieces) => match pieces.last() {
                Some(Piece::Token(Token::Text(text))) => text,
                _ => "",
            },
        }
    }
}

/// What the parts of a template keep on the heap.
pub(crate) fn pieces_heap_bytes(pieces: &[Piece]) -> usize {
    let own = pieces.iter().map(|piece| match piece {
        Piece::Token(Token::Text(text)) => heap::allocation(text.capacity()),
        Piece::Variable { key, default } => {
            heap::shared_str(key) + default.as_deref().map_or(0, heap::shared_str)
        }
        Piece::Token(_) | Piece::Unresolvable => 0,
    });
    heap::slice(pieces) + own.sum::<usize>()
}

/// Whether each variable has a value, and all of them together are not longer than the text: what is
/// compared from here on is no longer than the text, however long values and template are.
fn can_fit(pieces: &[Piece], text: &str, context: &Context) -> bool {
    let mut left = text.len();
    pieces.iter().all(|piece| {
        let least = match piece.resolve(context) {
            Some(Unit::Text(part)) => part.len(),
            Some(Unit::One) => 1,
            Some(Unit::Star) => 0,
            None => return false,
        };
        match left.checked_sub(least) {
            Some(rest) => left = rest,
            None => return false,
        }
        true
    })
}

fn same_ignoring_case(a: impl Iterator<Item = char>, b: &str) -> bool {
    a.flat_map(char::to_lowercase)
        .eq(b.chars().flat_map(char::to_lowercase))
}

impl Piece {
    /// The piece with its variable replaced; `None` when it has no value. A value is
    /// literal text, whatever it holds (docs/semantics.md#29); a multivalued key has no one value (docs/semantics.md#32).
    pub fn resolve<'a>(&'a self, context: &'a Context) -> Option<Unit<'a>> {
        match self {
            Piece::Token(token) => Some(Unit::from(token)),
            Piece::Variable { key, default } => match context.get_lower_case(key) {
                Some(ContextValue::One(value)) => Some(Unit::Text(value)),
                Some(ContextValue::Many(_)) => None,
                None => default.as_deref().map(Unit::Text),
            },
            Piece::Unresolvable => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_templates_match_as_short_ones_do() {
        let context = Context::new().set("aws:username", "a*");
        for stars in [1, 10, 40] {
            let pattern = format!("arn:aws:s3:::b/{}${{aws:username}}?z", "*x".repeat(stars));
            let pattern = Pattern::resource(&pattern, Version::V2012);
            let text = |name: &str| format!("arn:aws:s3:::b/{}{name}qz", "-x".repeat(stars));
            assert!(pattern.matches(&text("a*"), &context));
            assert!(!pattern.matches(&text("ab"), &context));
            assert!(!pattern.matches(&text("a*"), &Context::new()));
        }
    }

    #[test]
    fn templates_cost_at_most_the_length_of_the_text() {
        // Expanded, this is a gigabyte.
        let value = "a".repeat(10_000);
        let context = Context::new().set("k", value.as_str());
        for form in ["${k}", "*${k}", "?${k}"] {
            let pattern = form.repeat(100_000);
            let pattern = Pattern::new(&pattern, Version::V2012, Flavour::Wildcards);
            assert!(!pattern.matches(&"a".repeat(20_000), &context));
        }
        let twice = Pattern::new("${k}*${k}", Version::V2012, Flavour::Wildcards);
        assert!(twice.matches(&"a".repeat(20_000), &context));
        assert!(!twice.matches(&"a".repeat(19_999), &context));
        let five = Context::new().set("k", "é");
        assert!(twice.matches("éxé", &five) && !twice.matches("é", &five));
    }
}
