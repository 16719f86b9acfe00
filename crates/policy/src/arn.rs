//! ARNs as `ArnEquals` and `ArnLike` compare them: six fields, each on its own (docs/semantics.md#25).
//!
//! Source: UG reference_policies_elements_condition_operators, ARN condition operators.

use crate::context::Context;
use crate::document::Version;
use crate::glob::{Token, Unit, matches_once};
use crate::heap;
use crate::pattern::{Flavour, Pattern, Piece, pieces, pieces_heap_bytes};

const FIELDS: usize = 6;

/// An ARN with wildcards and variables in any of its fields.
#[derive(Clone, Debug)]
pub(crate) struct ArnPattern {
    /// Cut at the pattern's own colons; `None`: they are too few.
    fields: Option<Box<[Pattern; FIELDS]>>,
    /// The whole, where it holds variables: a value may bring colons along, as
    /// `${aws:PrincipalArn}` does.
    whole: Option<Box<[Piece]>>,
}

/// The six fields of an ARN; the last is all behind the fifth colon.
pub(crate) fn fields(text: &str) -> Option<[&str; FIELDS]> {
    let mut parts = text.splitn(FIELDS, ':');
    let mut next = || parts.next();
    Some([next()?, next()?, next()?, next()?, next()?, next()?])
}

impl ArnPattern {
    /// `None`: it is no ARN whatever its variables are, so it matches nothing.
    pub fn new(text: &str, version: Version) -> Option<ArnPattern> {
        let pieces = pieces(text, version, Flavour::Wildcards);
        let variable = |piece: &Piece| !matches!(piece, Piece::Token(_));
        let whole = pieces.iter().any(variable);
        let whole = whole.then(|| pieces.clone().into());
        let fields = cut(pieces);
        (whole.is_some() || fields.is_some()).then_some(ArnPattern { fields, whole })
    }

    pub fn matches(&self, have: &[&str; FIELDS], context: &Context) -> bool {
        match &self.whole {
            Some(whole) if brings_colons(whole, context) => matches_whole(whole, have, context),
            _ => self.fields.as_ref().is_some_and(|fields| {
                let mut pairs = fields.iter().zip(have);
                pairs.all(|(want, have)| want.matches(have, context))
            }),
        }
    }
}

impl ArnPattern {
    /// What the pattern keeps on the heap.
    pub fn heap_bytes(&self) -> usize {
        let fields = self.fields.as_ref().map_or(0, |fields| {
            let own = fields.iter().map(Pattern::heap_bytes).sum::<usize>();
            heap::slice(&fields[..]) + own
        });
        fields + self.whole.as_deref().map_or(0, pieces_heap_bytes)
    }
}

fn brings_colons(pieces: &[Piece], context: &Context) -> bool {
    pieces.iter().any(|piece| {
        let variable = !matches!(piece, Piece::Token(_));
        let value = piece.resolve(context);
        variable && matches!(value, Some(Unit::Text(value)) if value.contains(':'))
    })
}

/// Cuts at colons that only the request knows of.
fn matches_whole(pieces: &[Piece], have: &[&str; FIELDS], context: &Context) -> bool {
    let mut parts: Vec<Vec<Unit<'_>>> = vec![Vec::new()];
    for piece in pieces {
        let Some(unit) = piece.resolve(context) else {
            return false;
        };
        let Unit::Text(mut text) = unit else {
            push(&mut parts, unit);
            continue;
        };
        while parts.len() < FIELDS
            && let Some((before, behind)) = text.split_once(':')
        {
            push(&mut parts, Unit::Text(before));
            parts.push(Vec::new());
            text = behind;
        }
        push(&mut parts, Unit::Text(text));
    }
    parts.len() == FIELDS
        && parts
            .iter()
            .zip(have)
            .all(|(want, have)| matches_once(want.iter().copied(), have))
}

fn push<T>(parts: &mut [Vec<T>], part: T) {
    if let Some(last) = parts.last_mut() {
        last.push(part);
    }
}

/// Cuts a pattern at its literal colons.
fn cut(pieces: Vec<Piece>) -> Option<Box<[Pattern; FIELDS]>> {
    let mut parts: Vec<Vec<Piece>> = vec![Vec::new()];
    for piece in pieces {
        let Piece::Token(Token::Text(text)) = piece else {
            push(&mut parts, piece);
            continue;
        };
        let mut text = text.as_str();
        while parts.len() < FIELDS
            && let Some((before, behind)) = text.split_once(':')
        {
            push_text(&mut parts, before);
            parts.push(Vec::new());
            text = behind;
        }
        push_text(&mut parts, text);
    }
    let parts: Vec<Pattern> = parts.into_iter().map(Pattern::from_pieces).collect();
    parts.try_into().ok().map(Box::new)
}

fn push_text(parts: &mut [Vec<Piece>], text: &str) {
    if !text.is_empty() {
        push(parts, Piece::Token(Token::Text(text.to_owned())));
    }
}
