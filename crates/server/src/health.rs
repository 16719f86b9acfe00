//! What works and what does not: `/readyz`, and which operations are refused meanwhile.
//!
//! One task looks (see `probe`); requests only read what it found.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU8, Ordering};

/// Something that does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The database cannot be read: nothing can be served.
    DatabaseAway,
    /// The database cannot be written.
    DatabaseReadOnly,
    /// The audit log cannot be written.
    Audit,
    /// The disk of the layers has less free space than `--disk-reserve`.
    DiskReserve,
    /// The database was restored from a backup, and background work rests: everything can be served.
    Restored,
}

impl Problem {
    const ALL: [Problem; 5] = [
        Problem::DatabaseAway,
        Problem::DatabaseReadOnly,
        Problem::Audit,
        Problem::DiskReserve,
        Problem::Restored,
    ];

    fn bit(self) -> u8 {
        1 << self as u8
    }

    /// For operators, who read it in the answer of `/readyz`.
    fn describe(self) -> &'static str {
        match self {
            Problem::DatabaseAway => "the database does not answer",
            Problem::DatabaseReadOnly => "the database cannot be written: writes fail",
            Problem::Audit => {
                "the audit log cannot be written: writes and new credentials are refused"
            }
            Problem::DiskReserve => {
                "the disk of the layers has reached --disk-reserve: layer uploads are refused"
            }
            Problem::Restored => {
                "the server was restored from a backup: collection, lifecycle policies, replication and other \
                 background work rest until `berth restore finish`"
            }
        }
    }
}

/// The problems of now.
#[derive(Debug, Default)]
pub(crate) struct Health(AtomicU8);

impl Health {
    /// Notes whether a problem is there. Whether that is news.
    pub(crate) fn set(&self, problem: Problem, there: bool) -> bool {
        let before = match there {
            true => self.0.fetch_or(problem.bit(), Ordering::AcqRel),
            false => self.0.fetch_and(!problem.bit(), Ordering::AcqRel),
        };
        (before & problem.bit() != 0) != there
    }

    /// Whether there is no problem.
    pub(crate) fn is_well(&self) -> bool {
        self.0.load(Ordering::Acquire) & !Problem::Restored.bit() == 0
    }

    pub(crate) fn has(&self, problem: Problem) -> bool {
        self.0.load(Ordering::Acquire) & problem.bit() != 0
    }

    /// Whether pulls (`for_write` false) or all requests can be served, and a text that names what is
    /// degraded.
    pub(crate) fn report(&self, for_write: bool) -> (bool, String) {
        let found: Vec<_> = Problem::ALL
            .into_iter()
            .filter(|problem| self.has(*problem))
            .collect();
        let ready = match for_write {
            true => found.iter().all(|problem| *problem == Problem::Restored),
            false => !found.contains(&Problem::DatabaseAway),
        };
        let mut text = match (ready, found.is_empty()) {
            (_, true) => "ok\n".to_owned(),
            (true, false) => "degraded\n".to_owned(),
            (false, _) => "not ready\n".to_owned(),
        };
        for problem in found {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}", problem.describe());
        }
        (ready, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_ready_while_pulls_can_be_served() {
        for (problems, reads, writes, text) in [
            (vec![], true, true, "ok\n"),
            (
                vec![Problem::Audit],
                true,
                false,
                "degraded\nthe audit log cannot",
            ),
            (
                vec![Problem::DiskReserve],
                true,
                false,
                "degraded\nthe disk of the layers",
            ),
            (
                vec![Problem::DatabaseReadOnly],
                true,
                false,
                "degraded\nthe database cannot",
            ),
            (
                vec![Problem::Restored],
                true,
                true,
                "degraded\nthe server was restored",
            ),
            (
                vec![Problem::DatabaseAway],
                false,
                false,
                "not ready\nthe database does not",
            ),
        ] {
            let health = Health::default();
            for problem in problems {
                assert!(health.set(problem, true));
                assert!(!health.set(problem, true));
            }
            assert_eq!(
                (health.report(false).0, health.report(true).0),
                (reads, writes),
                "{text}"
            );
            assert!(health.report(false).1.starts_with(text));
        }
        let health = Health::default();
        health.set(Problem::Audit, true);
        assert!(health.set(Problem::Audit, false));
        assert_eq!(health.report(true), (true, "ok\n".to_owned()));
    }
}
