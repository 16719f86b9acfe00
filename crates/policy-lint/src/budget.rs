//! What the checks may cost: work is counted in steps, and a check that has used its own up
//! claims nothing more. Steps, unlike time, are the same on every machine.

use std::cell::Cell;

/// The most steps of each kind of work. One step looks at one character, compares two words, or
/// is a share of a question to the catalogue. No policy that AWS manages, of up to 160,000
/// characters, takes as many.
pub const STEPS_MAX: u64 = 2_000_000;

/// The most names of one document for which a similar one is looked up: each search compares a
/// name with all that there are.
pub const SIMILAR_MAX: usize = 32;

/// Asking the catalogue about one action costs about as much as this many steps.
pub(super) const ACTION_STEPS: u64 = 16;

/// Asking whether an action, or a service, knows a key: some keys are compared with the hundreds
/// of a service.
pub(super) const KEY_STEPS: u64 = 256;

/// Remembering what was asked before.
pub(super) const LOOKUP_STEPS: u64 = 4;

/// What one kind of work has left.
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
    /// Whether there is as much left; then it is used.
    #[must_use]
    pub fn take(&self, steps: u64) -> bool {
        let left = self.left.get().checked_sub(steps);
        match left {
            Some(left) if !self.refused.get() => self.left.set(left),
            // Whatever is smaller is refused from now on too, so that what is said does not
            // hang on the order of sizes.
            _ => self.refused.set(true),
        }
        !self.refused.get()
    }

    /// Whether something was refused: what would be said next may be wrong.
    pub fn is_spent(&self) -> bool {
        self.refused.get()
    }

    /// How many steps may still be taken.
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

/// The kinds of work, each with a budget: hostile conditions do not cost the findings about
/// actions.
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

    /// What was not looked at in full.
    pub fn cut_short(&self) -> Vec<&'static str> {
        let spent = self.all().into_iter().filter(|(b, _)| b.is_spent());
        spent.map(|(_, name)| name).collect()
    }

    pub fn used(&self) -> u64 {
        self.all().iter().map(|(budget, _)| budget.used()).sum()
    }
}
