//! Conditions that contradict each other.

use std::cell::OnceCell;
use std::collections::HashSet;

use policy::language::{Compare, Operator, Quantifier, Test};
use policy::language::{date, number};
use policy::{ConditionEntry, Statement};

use crate::addresses::{network, network_covers};
use crate::budget::Budget;
use crate::codes::Code;
use crate::globs::Glob;
use crate::linter::Linter;

/// A condition on one key that compares one value.
struct Line<'a> {
    entry: &'a ConditionEntry,
    operator: Operator,
    /// The values as patterns, and as patterns in lower case; computed on first use.
    globs: [OnceCell<Option<Vec<Glob>>>; 2],
}

impl Line<'_> {
    /// Whether a request without the key fails the condition.
    fn requires_key(&self) -> bool {
        match self.operator.test {
            Test::Null => self.all("false"),
            _ => !self.operator.negated && !self.operator.if_exists,
        }
    }

    fn all(&self, wanted: &str) -> bool {
        let mut values = self.entry.values.iter();
        !self.entry.values.is_empty() && values.all(|v| v.value.eq_ignore_ascii_case(wanted))
    }

    fn name(&self) -> &str {
        &self.entry.operator.value
    }

    fn has_variable(&self) -> bool {
        let mut values = self.entry.values.iter();
        values.any(|value| value.value.contains("${"))
    }
}

pub(super) fn check(linter: &mut Linter<'_>, statement: &Statement) {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for entry in &statement.conditions {
        if let Some(operator) = Operator::parse(&entry.operator.value)
            && operator.quantifier == Quantifier::None
            && !entry.values.is_empty()
        {
            lines.push(Line {
                entry,
                operator,
                globs: Default::default(),
            });
        }
    }
    let key = |line: &Line<'_>| line.entry.key.value.to_ascii_lowercase();
    // By key; few statements have more than a handful of conditions.
    lines.sort_by_cached_key(key);
    for group in lines.chunk_by(|a, b| key(a) == key(b)) {
        contradiction(linter, group);
    }
}

fn contradiction(linter: &mut Linter<'_>, group: &[Line<'_>]) {
    let budget = &linter.work.conditions;
    for (at, a) in group.iter().enumerate() {
        for b in &group[at + 1..] {
            if !budget.take(1) {
                return;
            }
            let excluded = excluded(a, b, budget) || excluded(b, a, budget);
            if absent(a, b) || absent(b, a) || excluded || apart(a, b, budget) {
                let [first, last] = match a.entry.key.position < b.entry.key.position {
                    true => [a, b],
                    false => [b, a],
                };
                linter.find(
                    Code::ConditionNeverHolds,
                    last.entry.key.position,
                    format!(
                        "`{}` and `{}` on `{}` cannot both match, so the statement never applies",
                        first.name(),
                        last.name(),
                        last.entry.key.value
                    ),
                    "all conditions of a statement must match; write one statement for each alternative",
                );
                return;
            }
        }
    }
    interval(
        linter,
        group,
        |test| matches!(test, Test::Numeric(_)),
        number,
    );
    interval(linter, group, |test| matches!(test, Test::Date(_)), date);
}

/// Whether one condition requires that the key is missing and the other that it is present.
fn absent(a: &Line<'_>, b: &Line<'_>) -> bool {
    a.operator.test == Test::Null && a.all("true") && b.requires_key()
}

/// The values as patterns, in lower case if case does not matter.
fn globs<'l>(line: &'l Line<'_>, fold: bool) -> Option<&'l [Glob]> {
    let read = || {
        let text = |text: &str| match fold {
            true => text.to_lowercase(),
            false => text.to_owned(),
        };
        let values = line.entry.values.iter().map(|value| text(&value.value));
        match line.operator.test {
            Test::StringEquals | Test::StringEqualsIgnoreCase | Test::Bool => {
                Some(values.map(|value| Glob::literal(&value)).collect())
            }
            Test::StringLike | Test::Arn => Some(values.map(|value| Glob::new(&value)).collect()),
            _ => None,
        }
    };
    let globs: &Option<Vec<Glob>> = line.globs[usize::from(fold)].get_or_init(read);
    globs.as_deref()
}

fn ignores_case(line: &Line<'_>) -> bool {
    matches!(
        line.operator.test,
        Test::StringEqualsIgnoreCase | Test::Bool
    )
}

/// Whether two lists of allowed values have no value in common.
fn apart(a: &Line<'_>, b: &Line<'_>, budget: &Budget) -> bool {
    let positive = !a.operator.negated && !b.operator.negated;
    if !positive || !(a.requires_key() || b.requires_key()) {
        return false;
    }
    let fold = ignores_case(a) || ignores_case(b);
    match (globs(a, fold), globs(b, fold)) {
        (Some(a), Some(b)) => !a.iter().any(|a| b.iter().any(|b| a.overlaps(b, budget))),
        _ => false,
    }
}

/// Whether one condition excludes everything that the other allows.
fn excluded(allows: &Line<'_>, excludes: &Line<'_>, budget: &Budget) -> bool {
    if !allows.requires_key() || allows.operator.negated || !excludes.operator.negated {
        return false;
    }
    if allows.operator.test == Test::Ip && excludes.operator.test == Test::Ip {
        let networks = |line: &Line<'_>| -> Vec<_> {
            let values = line.entry.values.iter();
            values.filter_map(|value| network(&value.value)).collect()
        };
        let (inside, outside) = (networks(allows), networks(excludes));
        return !inside.is_empty()
            && inside.iter().all(|inside| {
                outside
                    .iter()
                    .any(|outside| budget.take(1) && network_covers(*outside, *inside))
            });
    }
    // ARN operators compare field by field, so covering the whole text is not enough.
    if allows.operator.test == Test::Arn || excludes.operator.test == Test::Arn {
        return false;
    }
    // Ignoring case is correct only if the excluding side ignores it as well.
    if ignores_case(allows) && !ignores_case(excludes) || allows.has_variable() {
        return false;
    }
    let fold = ignores_case(excludes);
    match (globs(allows, fold), globs(excludes, fold)) {
        (Some(allows), Some(excludes)) => allows.iter().all(|allows| {
            excludes
                .iter()
                .any(|excludes| excludes.covers(allows, budget))
        }),
        _ => false,
    }
}

/// A bound, and whether it is itself excluded.
type Bound = (i128, bool);

/// Checks that a number or date exists between the bounds.
fn interval(
    linter: &mut Linter<'_>,
    group: &[Line<'_>],
    of_type: impl Fn(Test) -> bool,
    read: impl Fn(&str) -> Option<i128>,
) {
    let lines = group
        .iter()
        .filter(|line| of_type(line.operator.test) && !line.operator.negated);
    let mut demanded = false;
    let (mut low, mut high): (Option<Bound>, Option<Bound>) = (None, None);
    let mut points: Option<Vec<i128>> = None;
    let mut last = None;
    for line in lines {
        let values: Vec<i128> = line
            .entry
            .values
            .iter()
            .filter_map(|v| read(&v.value))
            .collect();
        let (Some(&least), Some(&most)) = (values.iter().min(), values.iter().max()) else {
            // A value of another type has a finding of its own.
            return;
        };
        demanded |= line.requires_key();
        last = last.max(Some((line.entry.key.position, &line.entry.key.value)));
        let (Test::Numeric(compare) | Test::Date(compare)) = line.operator.test else {
            continue;
        };
        // One of several values must match, so the widest bound counts.
        match compare {
            Compare::LessThan => high = tighter(high, (most, true), |new, old| new < old),
            Compare::LessThanEquals => high = tighter(high, (most, false), |new, old| new < old),
            Compare::GreaterThan => low = tighter(low, (least, true), |new, old| new > old),
            Compare::GreaterThanEquals => low = tighter(low, (least, false), |new, old| new > old),
            Compare::Equals => {
                points = Some(match points {
                    None => values,
                    Some(points) => {
                        let values: HashSet<i128> = values.into_iter().collect();
                        points.into_iter().filter(|p| values.contains(p)).collect()
                    }
                });
            }
        }
    }
    let above =
        |value: i128| low.is_none_or(|(bound, out)| value > bound || value == bound && !out);
    let below =
        |value: i128| high.is_none_or(|(bound, out)| value < bound || value == bound && !out);
    let possible = match (&points, low, high) {
        (Some(points), ..) => points.iter().any(|&point| above(point) && below(point)),
        (None, Some((low, low_out)), Some((high, high_out))) => {
            low < high || low == high && !low_out && !high_out
        }
        _ => true,
    };
    if let (false, true, Some((position, key))) = (possible, demanded, last) {
        linter.find(
            Code::ConditionNeverHolds,
            position,
            format!(
                "no value of `{key}` is within all of its bounds, so the statement never applies"
            ),
            "all conditions of a statement must match; write one statement for each alternative",
        );
    }
}

/// The tighter of two bounds; of two equal ones the excluded one.
fn tighter(old: Option<Bound>, new: Bound, less: impl Fn(i128, i128) -> bool) -> Option<Bound> {
    let replaces = |old: Bound| less(new.0, old.0) || new.0 == old.0 && new.1;
    match old {
        Some(old) if !replaces(old) => Some(old),
        _ => Some(new),
    }
}
