//! What a copy tells while it runs, and at its end.

use blobs::Digest;

use crate::ends::Reference;

/// How one image came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The repository of the target.
    pub repository: String,
    /// The image; `None` when the repository as a whole failed.
    pub reference: Option<Reference>,
    /// The source's digest, as far as it is known.
    pub digest: Option<Digest>,
    /// What happened.
    pub state: State,
}

/// What happened to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The target had it.
    Equal,
    /// It was copied, and the target names the same digest.
    Copied,
    /// A dry run: the target does not have it.
    WouldCopy,
    /// A dry run: the tag names another image.
    WouldMove(Digest),
    /// After the copy the target names another image, or none.
    Differs(Option<Digest>),
    /// It was not copied.
    Failed(String),
}

/// How many images came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Those that the target had.
    pub equal: usize,
    /// Those that were copied.
    pub copied: usize,
    /// Those that a copy would bring or move.
    pub pending: usize,
    /// Those that differ afterwards.
    pub differing: usize,
    /// Those that failed.
    pub failed: usize,
}

impl Totals {
    pub(crate) fn add(&mut self, outcome: &Outcome) {
        let count = match outcome.state {
            State::Equal => &mut self.equal,
            State::Copied => &mut self.copied,
            State::WouldCopy | State::WouldMove(_) => &mut self.pending,
            State::Differs(_) => &mut self.differing,
            State::Failed(_) => &mut self.failed,
        };
        *count += 1;
    }

    /// Whether the target has all that was chosen.
    #[must_use]
    pub fn all_equal(&self) -> bool {
        self.pending + self.differing + self.failed == 0
    }
}

/// Who is told.
pub trait Progress: Send + Sync {
    /// A blob of this length is about to be copied.
    fn expected(&self, bytes: u64);
    /// Bytes went by.
    fn passed(&self, bytes: u64);
    /// An image is through.
    fn outcome(&self, outcome: &Outcome);
}
