//! Limits the cost of the checks: work is counted in steps, and a check that has used its steps
//! reports nothing more. Steps, unlike time, are the same on every machine.

use std::cell::Cell;

/// The most steps of each kind of work. A step reads one character, compares two words, or is a part
/// of a look-up in the catalogue. No AWS managed policy, of up to 160,000 characters, needs as many.
pub const STEPS_MAX: u64 = 2_000_000;

/// The most names of one document for which a similar one is looked up: each search compares the name
/// with all others.
pub const SIMILAR_MAX: usize = 32;

/// The cost of looking up one action in the catalogue.
pub(super) const ACTION_STEPS: u64 = 16;

/// The cost of looking up a key of an action or a service, which may have hundreds.
pub(super) const KEY_STEPS: u64 = 256;

/// The cost of finding an earlier answer.
pub(super) const LOOKUP_STEPS: u64 = 4;

/// The steps that one kind of work has left.
#[derive(Debug)]
pub(super) struct Budget {
    left: Cell<u64>,
    refused: Cell<bool>,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            left: Cell::new(STEPS_MAX),
            refused: Cell::new(false),
        }
    }
}

impl Budget {
    /// Uses the steps, if there are as many left.
    #[must_use]
    pub fn take(&self, steps: u64) -> bool {
        let left = self.left.get().checked_sub(steps);
        match left {
            Some(left) if !self.refused.get() => self.left.set(left),
            // Smaller amounts are refused from now on as well, so that the findings do not depend on
            // the order of sizes.
            _ => self.refused.set(true),
        }
        !self.refused.get()
    }

    /// Whether steps were refused, so that a finding may be wrong.
    pub fn is_spent(&self) -> bool {
        self.refused.get()
    }

    /// How many steps are left.
    pub fn left(&self) -> u64 {
        match self.refused.get() {
            true => 0,
            false => self.left.get(),
        }
    }

    fn used(&self) -> u64 {
        STEPS_MAX - self.left.get()
    }
}

/// The kinds of work, each with a budget of its own, so that hostile conditions do not suppress
/// findings about actions.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Wildcards of actions against the catalogue.
    pub actions: Budget,
    /// Resources against the forms of ARNs.
    pub resources: Budget,
    /// Condition keys against actions.
    pub keys: Budget,
    /// Values of a condition against each other.
    pub values: Budget,
    /// Conditions of a statement against each other.
    pub conditions: Budget,
    /// Entries of one element against each other.
    pub entries: Budget,
    /// Statements against each other.
    pub statements: Budget,
}

impl Work {
    fn all(&self) -> [(&Budget, &'static str); 7] {
        [
            (&self.actions, "wildcards in actions"),
            (&self.resources, "resources"),
            (&self.keys, "condition keys"),
            (&self.values, "condition values"),
            (&self.conditions, "conditions"),
            (&self.entries, "redundant entries"),
            (&self.statements, "statements"),
        ]
    }

    /// The kinds of work that were not finished.
    pub fn cut_short(&self) -> Vec<&'static str> {
        let spent = self.all().into_iter().filter(|(b, _)| b.is_spent());
        spent.map(|(_, name)| name).collect()
    }

    pub fn used(&self) -> u64 {
        self.all().iter().map(|(budget, _)| budget.used()).sum()
    }
}
