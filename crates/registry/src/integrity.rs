//! Checks that database and stored files agree, and repairs what does not.
//!
//! A [`Check`] goes through its stages in small steps, so that it can stop and go on, in another process too:
//!
//! | stage | what is compared |
//! |---|---|
//! | copies | each blob's row with its file: there, as long, with the digest's bytes (decrypted) |
//! | files | each file with the rows: one that no row names, one that has no copy's name |
//! | links | each repository's layers with the blobs |
//! | images | each manifest with its digest and with what it needs: layers, children, the row of searches |
//! | tags | each tag with its image |
//! | repositories | counters with what they count |
//! | usage | what is counted for usage and quotas with what is stored |
//!
//! The same steps are an offline check of a stopped server (`berth fsck --data-dir`), whose [`Check`] is exclusive, and a
//! job of a running one ([`runs`]). The scrub ([`scrub`]) reads every copy once in a period. A repair deletes nothing that anybody might want: files go to the quarantine, what is
//! lost is marked ([`crate::damage`]), rows that are missing are written again from what names them, counters are
//! counted again. Each repair is one transaction or one move of a file, and is right by itself: a process that is
//! killed between two leaves a registry with fewer findings.
//!
//! # Requests at the same moment
//! A check of a running server reports nothing that a push or the collection does in between. A copy that was found
//! missing or damaged is looked up again: a row is deleted or changed before its file is. A file without a row
//! counts after an hour. Each statement compares what it reads within itself.

mod copies;
mod counters;
mod images;
mod kind;
mod runs;
mod scrub;

use std::fmt;
use std::sync::Arc;

use authz::ServiceName;
use blobs::Blobs;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::service_events::{self, NewEvent};
use store::{Conn, Store};

use crate::settings::PrincipalsAsWritten;
use crate::{Error, LayerKeys, Registry, Settings};

pub use crate::scrub_pace::{ScrubPace, ScrubTotals};
pub use kind::FindingKind;
pub use runs::{JOB, SUBJECT};
pub use scrub::SCRUB_JOB;

/// What separates the two parts of a place. Neither digests, tags nor ids have it.
const SEPARATOR: char = ' ';

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// Which blob, file, image, tag, repository.
    pub object: String,
    /// What was found in the place of what.
    pub detail: String,
    /// Whether it was repaired.
    pub is_repaired: bool,
}

/// What a check looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Copies of blobs that were read.
    pub copies: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Copies that were not read, because their key cannot be used now.
    pub unread: u64,
    /// Copies and images that are known to be lost or damaged: not findings, since they wait for a push.
    pub known: u64,
    /// Files of copies.
    pub files: u64,
    /// Unfinished uploads.
    pub uploads: u64,
    /// Files that the next start removes.
    pub temporary: u64,
    /// Images.
    pub images: u64,
    /// Tags.
    pub tags: u64,
    /// Repositories.
    pub repositories: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Copies,
    Files,
    Links,
    Images,
    Tags,
    Repositories,
    Usage,
    Done,
}

const STAGES: [(Stage, &str); 8] = [
    (Stage::Copies, "COPIES"),
    (Stage::Files, "FILES"),
    (Stage::Links, "LINKS"),
    (Stage::Images, "IMAGES"),
    (Stage::Tags, "TAGS"),
    (Stage::Repositories, "REPOSITORIES"),
    (Stage::Usage, "USAGE"),
    (Stage::Done, "DONE"),
];

impl Stage {
    fn as_str(self) -> &'static str {
        let named = STAGES.iter().find(|(stage, _)| *stage == self);
        named.map_or("DONE", |(_, name)| name)
    }

    fn parse(text: &str) -> Result<Stage, Error> {
        let named = STAGES.iter().find(|(_, name)| *name == text);
        let unknown = || Error::internal(format!("no stage of a check: {text}"));
        named.map(|(stage, _)| *stage).ok_or_else(unknown)
    }

    fn next(self) -> Stage {
        let at = STAGES.iter().position(|(stage, _)| *stage == self);
        at.and_then(|at| STAGES.get(at + 1))
            .map_or(Stage::Done, |(stage, _)| *stage)
    }
}

/// Asked before and after each change of a repair; one that answers true ends the check there, as a killed process.
pub type Interrupt = Arc<dyn Fn() -> bool + Send + Sync>;

/// A check, and how far it is.
#[derive(Clone)]
pub struct Check {
    /// Whether what is found is repaired.
    pub repair: bool,
    /// Whether nothing else uses the registry meanwhile.
    pub exclusive: bool,
    /// What it looked at so far.
    pub totals: Totals,
    /// For tests of what an interrupted repair leaves.
    pub interrupt: Option<Interrupt>,
    stage: Stage,
    place: String,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check({} {})", self.stage.as_str(), self.place)
    }
}

impl Check {
    /// A check that begins. `exclusive`: nothing else uses the registry meanwhile.
    #[must_use]
    pub fn new(repair: bool, exclusive: bool) -> Check {
        Check {
            repair,
            exclusive,
            totals: Totals::default(),
            interrupt: None,
            stage: Stage::Copies,
            place: String::new(),
        }
    }

    /// Whether it has looked at everything.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    fn go_on(&mut self) {
        self.stage = self.stage.next();
        self.place.clear();
    }

    /// The place between two steps as a number and a text; zero and nothing at a stage's begin.
    fn numbered(&self) -> Result<(i64, &str), Error> {
        match self.place.split_once(SEPARATOR) {
            Some((id, text)) => Ok((id.parse().map_err(Error::internal)?, text)),
            None if self.place.is_empty() => Ok((0, "")),
            None => Ok((self.place.parse().map_err(Error::internal)?, "")),
        }
    }
}

/// One step of a check.
struct Step<'a> {
    registry: &'a Registry,
    service: ServiceName,
    check: &'a mut Check,
    findings: Vec<Finding>,
    now: i64,
}

impl Step<'_> {
    fn found(&mut self, kind: FindingKind, object: impl Into<String>, detail: impl Into<String>) {
        self.findings.push(Finding {
            kind,
            object: object.into(),
            detail: detail.into(),
            is_repaired: false,
        });
    }

    /// Whether the latest finding is to be repaired.
    fn repairs(&self) -> bool {
        self.check.repair
            && self
                .findings
                .last()
                .is_some_and(|one| one.kind.is_repaired())
    }

    fn repaired(&mut self) {
        if let Some(last) = self.findings.last_mut() {
            last.is_repaired = true;
        }
    }

    /// Between two changes of a repair.
    fn point(&self) -> Result<(), Error> {
        match &self.check.interrupt {
            Some(interrupt) if interrupt() => Err(Error::internal("the check is interrupted")),
            _ => Ok(()),
        }
    }

    /// Writes the audit event of the latest finding's repair, in the transaction of it.
    async fn tell(&self, conn: &mut Conn<'_>) -> Result<(), Error> {
        let Some(finding) = self.findings.last() else {
            return Ok(());
        };
        let details = json!({
            "finding": finding.kind.as_str(),
            "object": finding.object,
            "detail": finding.detail,
            "repair": finding.kind.repair(),
        });
        let event = NewEvent {
            occurred_at: self.now,
            service: self.service.as_str(),
            source: ServiceName::EVENT_SOURCE,
            name: "RepairIntegrity",
            account: None,
            resource: None,
            details: &details.to_string(),
        };
        Ok(service_events::insert(conn, &event).await?)
    }
}

impl Registry {
    /// A registry for an exclusive check: unlike [`Registry::open`], this changes nothing.
    #[must_use]
    pub fn for_check(store: Store, blobs: Blobs, keys: Arc<dyn LayerKeys>) -> Registry {
        let settings = Settings::new(Arc::new(|_, _, name| name.to_owned()));
        let entropy = Arc::new(aws_types::SystemEntropy);
        let principals = Arc::new(PrincipalsAsWritten);
        Registry::over(store, blobs, entropy, principals, keys, settings)
    }

    /// Does one step of a check, and answers what it found.
    ///
    /// # Errors
    /// Those of the store and of the blobs. What was repaired stays so; the same step can be done again.
    pub async fn check_step(
        &self,
        service: ServiceName,
        check: &mut Check,
        now: Timestamp,
    ) -> Result<Vec<Finding>, Error> {
        if !self.0.blobs.is_there().await? {
            return Err(Error::internal("the directory of blobs is not there"));
        }
        let stage = check.stage;
        let mut step = Step {
            registry: self,
            service,
            check,
            findings: Vec::new(),
            now: now.as_millisecond(),
        };
        match stage {
            Stage::Copies => step.copies().await?,
            Stage::Files => step.files().await?,
            Stage::Links => step.links().await?,
            Stage::Images => step.images().await?,
            Stage::Tags => step.tags().await?,
            Stage::Repositories => step.repositories().await?,
            Stage::Usage => step.usage().await?,
            Stage::Done => {}
        }
        Ok(step.findings)
    }
}
