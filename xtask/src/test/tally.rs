//! How many passed and how many failed, read from what the test runners print.

use std::process::Command;

use super::process;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
}

impl Tally {
    /// A runner that ended badly without naming a failure (it did not compile, it was killed) has one; a runner that ran
    /// nothing has proved nothing.
    fn judged(mut self, went_well: bool) -> Self {
        let nothing = self.passed + self.failed == 0;
        if (!went_well && self.failed == 0) || nothing {
            self.failed += 1;
        }
        self
    }
}

pub fn of_cargo_test(command: &mut Command) -> Result<Tally, String> {
    let mut sum = Tally::default();
    let went_well = process::watch(command, |line| {
        if let Some(tally) = cargo_line(line) {
            sum.passed += tally.passed;
            sum.failed += tally.failed;
        }
    })?;
    Ok(sum.judged(went_well))
}

pub fn of_pytest(command: &mut Command) -> Result<Tally, String> {
    let mut last = Tally::default();
    let went_well = process::watch(command, |line| {
        if let Some(tally) = pytest_line(line) {
            last = tally;
        }
    })?;
    Ok(last.judged(went_well))
}

/// `test result: ok. 12 passed; 0 failed; 0 ignored; …`, one for each test binary.
fn cargo_line(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |name: &str| counted(counts.split(';'), name);
    Some(Tally {
        passed: count("passed")?,
        failed: count("failed")?,
    })
}

/// `==== 2 failed, 30 passed, 1 error in 4.56s ====`, with or without the rules. Skipped tests are failed ones here.
fn pytest_line(line: &str) -> Option<Tally> {
    let line = line.trim_matches(['=', ' ']);
    let (counts, _) = line.rsplit_once(" in ")?;
    let count = |names: &[&str]| -> u64 {
        names
            .iter()
            .filter_map(|name| counted(counts.split(','), name))
            .sum()
    };
    let well_formed = counts.split(',').all(|part| {
        let mut words = part.split_whitespace();
        words.next().is_some_and(|n| n.parse::<u64>().is_ok()) && words.count() == 1
    });
    well_formed.then(|| Tally {
        passed: count(&["passed"]),
        failed: count(&["failed", "error", "errors", "skipped", "xfailed", "xpassed"]),
    })
}

/// The number before `name` in parts such as ` 12 passed`.
fn counted<'a>(mut parts: impl Iterator<Item = &'a str>, name: &str) -> Option<u64> {
    parts.find_map(|part| {
        part.trim()
            .strip_suffix(name)?
            .strip_suffix(' ')?
            .parse()
            .ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64) -> Tally {
        Tally { passed, failed }
    }

    #[test]
    fn reads_cargo_test() {
        let line = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(cargo_line(line), Some(tally(12, 0)));
        assert_eq!(
            cargo_line("test result: FAILED. 1 passed; 3 failed; 0 ignored"),
            Some(tally(1, 3))
        );
        assert_eq!(cargo_line("test store::works ... ok"), None);
    }

    #[test]
    fn reads_pytest() {
        for (line, expected) in [
            ("===== 7 passed in 0.42s =====", tally(7, 0)),
            (
                "== 2 failed, 30 passed, 1 error in 84.56s (0:01:24) ==",
                tally(30, 3),
            ),
            ("30 passed, 2 skipped in 1.00s", tally(30, 2)),
        ] {
            assert_eq!(pytest_line(line), Some(expected), "{line}");
        }
        assert_eq!(pytest_line("killed in the middle of pushes"), None);
        assert_eq!(pytest_line("no tests ran in 0.01s"), None);
    }

    #[test]
    fn a_runner_that_says_nothing_has_failed() {
        assert_eq!(Tally::default().judged(true), tally(0, 1));
        assert_eq!(tally(5, 0).judged(false), tally(5, 1));
        assert_eq!(tally(5, 2).judged(false), tally(5, 2));
        assert_eq!(tally(5, 0).judged(true), tally(5, 0));
    }
}
