//! Entries and statements that another one covers or denies.

use policy::language::Operator;
use policy::{
    ConditionEntry, Element, PrincipalElement, PrincipalType, Statement, StatementEffect, Text,
};

use crate::budget::Budget;
use crate::codes::Code;
use crate::covering::covered;
use crate::globs::Glob;
use crate::linter::{Linter, allows};
use crate::messages::shortened;

pub(super) fn check(linter: &mut Linter<'_>) {
    let document = linter.document;
    for statement in document.statements() {
        entries(linter, &statement.action, Code::RedundantAction, true);
        if let Some(element) = &statement.resource {
            entries(linter, element, Code::RedundantResource, false);
        }
    }
    let read: Vec<Read<'_>> = document.statements().iter().map(Read::new).collect();
    // The warning first, in case the budget is not enough for both.
    shadowed(linter, &read);
    same_effect(linter, &read);
}

fn entries(linter: &mut Linter<'_>, element: &Element, code: Code, fold: bool) {
    let globs = globs(element, fold);
    let values = &element.values;
    let key = |at: usize| match fold {
        true => values[at].value.to_lowercase(),
        false => values[at].value.to_string(),
    };
    let budget = &linter.work.entries;
    let wide = |at: usize| !globs[at].is_exact();
    let covers = |i: usize, j: usize| globs[i].covers(&globs[j], budget);
    for (at, other) in covered(values.len(), budget, key, wide, covers) {
        let (text, other) = (&values[at], &values[other]);
        linter.find(
            code,
            text.position,
            format!(
                "`{}` is covered by `{}`",
                text.value,
                shortened(&other.value)
            ),
            "remove it",
        );
    }
}

fn globs(element: &Element, fold: bool) -> Vec<Glob> {
    let read = |text: &Text| match fold {
        true => Glob::folded(&text.value),
        false => Glob::new(&text.value),
    };
    element.values.iter().map(read).collect()
}

/// A statement with its patterns.
struct Read<'a> {
    statement: &'a Statement,
    actions: Vec<Glob>,
    resources: Vec<Glob>,
}

impl<'a> Read<'a> {
    fn new(statement: &'a Statement) -> Read<'a> {
        let resource = statement.resource.as_ref();
        Read {
            statement,
            actions: globs(&statement.action, true),
            resources: resource.map_or_else(Vec::new, |element| globs(element, false)),
        }
    }

    /// Whether it applies to every request that the other applies to.
    fn covers(&self, other: &Read<'_>, budget: &Budget) -> bool {
        if !budget.take(1) {
            return false;
        }
        let (a, b) = (self.statement, other.statement);
        let resources = match (&a.resource, &b.resource) {
            (None, None) => true,
            (Some(one), Some(two)) => {
                element_covers((one, &self.resources), (two, &other.resources), budget)
            }
            _ => false,
        };
        resources
            && element_covers(
                (&a.action, &self.actions),
                (&b.action, &other.actions),
                budget,
            )
            && principals_cover(a.principal.as_ref(), b.principal.as_ref(), budget)
            && a.conditions.iter().all(|wide| {
                b.conditions
                    .iter()
                    .any(|narrow| implied(wide, narrow, budget))
            })
    }

    fn name(&self, number: usize) -> String {
        match &self.statement.sid {
            Some(sid) if !sid.value.is_empty() => format!("`{}`", shortened(&sid.value)),
            _ => format!("number {}", number + 1),
        }
    }
}

fn element_covers(a: (&Element, &[Glob]), b: (&Element, &[Glob]), budget: &Budget) -> bool {
    let alike = |(i, a_glob): (usize, &Glob), (j, b_glob): (usize, &Glob)| {
        a.0.values[i].value == b.0.values[j].value || a_glob.covers(b_glob, budget)
    };
    let mut wide = a.1.iter().enumerate();
    let mut narrow = b.1.iter().enumerate();
    match (a.0.not, b.0.not) {
        (false, false) => narrow.all(|two| wide.clone().any(|one| alike(one, two))),
        (false, true) => wide.any(|(_, one)| one.is_star()),
        (true, false) => {
            narrow.all(|(_, two)| !wide.clone().any(|(_, one)| one.overlaps(two, budget)))
        }
        // Everything that the first excludes, the second excludes as well.
        (true, true) => wide.all(|one| {
            narrow.clone().any(|two| {
                b.0.values[two.0].value == a.0.values[one.0].value || two.1.covers(one.1, budget)
            })
        }),
    }
}

fn principals_cover(
    a: Option<&PrincipalElement>,
    b: Option<&PrincipalElement>,
    budget: &Budget,
) -> bool {
    let (a, b) = match (a, b) {
        (None, None) => return true,
        (Some(a), Some(b)) if a.not == b.not => (a, b),
        _ => return false,
    };
    let aws = |kind| matches!(kind, PrincipalType::Aws | PrincipalType::Everyone);
    let listed = |wide: &PrincipalElement, narrow: &PrincipalElement, star: bool| {
        narrow.entries.iter().all(|two| {
            wide.entries.iter().any(|one| {
                let same = one.kind == two.kind && one.text.value == two.text.value;
                let all = star && &*one.text.value == "*" && aws(one.kind) && aws(two.kind);
                budget.take(1) && (same || all)
            })
        })
    };
    match a.not {
        false => listed(a, b, true),
        true => listed(b, a, false),
    }
}

/// Whether every request that satisfies `narrow` satisfies `wide`.
fn implied(wide: &ConditionEntry, narrow: &ConditionEntry, budget: &Budget) -> bool {
    if !budget.take(1)
        || wide.operator.value != narrow.operator.value
        || !wide.key.value.eq_ignore_ascii_case(&narrow.key.value)
    {
        return false;
    }
    let within = |few: &ConditionEntry, many: &ConditionEntry| {
        few.values.iter().all(|value| {
            let mut many = many.values.iter();
            many.any(|other| budget.take(1) && other.value == value.value)
        })
    };
    match Operator::parse(&wide.operator.value) {
        // A condition that excludes fewer values is satisfied more often.
        Some(operator) if operator.negated => within(wide, narrow),
        Some(_) => within(narrow, wide),
        None => false,
    }
}

fn same_effect(linter: &mut Linter<'_>, read: &[Read<'_>]) {
    let budget = &linter.work.statements;
    let covers = |i: usize, j: usize| {
        let (a, b) = (&read[i], &read[j]);
        a.statement.effect == b.statement.effect && a.covers(b, budget)
    };
    for (at, other) in covered(read.len(), budget, |at| at, |_| true, covers) {
        linter.find(
            Code::RedundantStatement,
            read[at].statement.position,
            format!("statement {} covers this one", read[other].name(other)),
            "remove this statement",
        );
    }
}

fn shadowed(linter: &mut Linter<'_>, read: &[Read<'_>]) {
    let budget = &linter.work.statements;
    for allow in read.iter().filter(|read| allows(read.statement)) {
        if budget.is_spent() {
            return;
        }
        let mut others = read.iter().enumerate();
        let denies = others.find(|(_, other)| {
            other.statement.effect == StatementEffect::Deny && other.covers(allow, budget)
        });
        if let Some((number, deny)) = denies {
            linter.find(
                Code::ShadowedByDeny,
                allow.statement.position,
                format!(
                    "statement {} denies everything that this one allows",
                    deny.name(number)
                ),
                "remove this statement, or narrow the denial",
            );
        }
    }
}
