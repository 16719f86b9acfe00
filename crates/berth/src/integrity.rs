//! `berth fsck`: whether metadata and layers agree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use authz::ServiceName;
use blobs::{Blobs, OpenError, Owner};
use jiff::Timestamp;
use policy::Printable;
use serde_json::json;
use server::integrity::{Check, Finding, FindingKind, Totals};

use crate::cli::{FsckOptions, Output, StorageOptions};
use crate::data_dir::{self, DataDir};
use crate::error::{Error, Result};
use crate::output::Answers;
use crate::{serve, storage};

/// Runs the command.
pub fn run(options: &FsckOptions) -> Result<()> {
    let Some(data) = &options.data else {
        return Err(Error::Usage(
            "give the data directory with --data".to_owned(),
        ));
    };
    serve::runtime()?.block_on(Box::pin(stopped(options, data)))
}

/// What to do while a server runs.
const RUNNING: &str = "stop the server, or check it while it runs: `berth fsck` without --data";

/// Checks the data of a stopped server.
async fn stopped(options: &FsckOptions, data: &Path) -> Result<()> {
    let storage_options = StorageOptions {
        config: None,
        data_dir: data.to_owned(),
        database: options.database.clone(),
        master_key_file: options.master_key_file.clone(),
        master_key_command: options.master_key_command.clone(),
    };
    storage::refuse_missing(&storage_options)?;
    let home = DataDir::open(data)?;
    let blobs_dir = options.blobs.clone().unwrap_or_else(|| home.join("blobs"));
    if !blobs_dir.join("database").is_file() {
        return Err(Error::Failed(format!(
            "there are no layers of a server in {}; give its --blobs",
            blobs_dir.display()
        )));
    }
    let _lock = home.lock().map_err(still_running)?;
    home.check_private_files()?;
    if let Some(path) = storage::database_file(&storage_options, &home) {
        data_dir::check_private(&path, data_dir::OTHERS)?;
    }
    let env = |name: &str| std::env::var_os(name);
    let setup = home.setup()?;
    let role = storage::Role::Server;
    let opened = storage::open(role, &storage_options, &home, &setup, env, Timestamp::now());
    let storage = opened.await.map_err(still_running)?;
    drop(setup);
    let checked = check(options, &storage, blobs_dir).await;
    storage.store.close().await;
    checked
}

fn still_running(error: Error) -> Error {
    match error {
        Error::Failed(text) if text.contains("another server") => {
            Error::Failed(format!("{text}. {RUNNING}"))
        }
        other => other,
    }
}

async fn check(
    options: &FsckOptions,
    storage: &storage::Storage,
    blobs_dir: PathBuf,
) -> Result<()> {
    let store = &storage.store;
    // Alone also where several servers could share the directory: none of them may run.
    let owner = Owner {
        database: store.id(),
        is_shared: false,
    };
    let blobs = Blobs::open_directory(&blobs_dir, owner).await;
    let blobs = blobs.map_err(|error| {
        let shown = blobs_dir.display();
        match error {
            OpenError::InUse => {
                Error::Failed(format!("a server uses the layers in {shown}: {RUNNING}"))
            }
            error => Error::Failed(format!("cannot open the layers in {shown}: {error}")),
        }
    })?;
    let registry = server::registry_for_check(store.clone(), blobs, &storage.identity);
    let mut check = Check::new(options.repair, true);
    let mut report = Report::new(options.output);
    while !check.is_done() {
        let step = registry.check_step(ServiceName::Maintenance, &mut check, Timestamp::now());
        let found = step.await.map_err(|error| {
            Error::Failed(format!(
                "the check could not be done: {}",
                crate::error::cause(&error)
            ))
        })?;
        for finding in &found {
            report.finding(finding)?;
        }
    }
    report.end(&check.totals)
}

/// Findings on their way out, and how many there are of each kind.
struct Report {
    answers: Answers,
    output: Output,
    counts: BTreeMap<FindingKind, (u64, u64)>,
}

impl Report {
    fn new(output: Output) -> Report {
        Report {
            answers: Answers::new(),
            output,
            counts: BTreeMap::new(),
        }
    }

    fn finding(&mut self, finding: &Finding) -> Result<()> {
        let count = self.counts.entry(finding.kind).or_default();
        count.0 += 1;
        count.1 += u64::from(finding.is_repaired);
        match self.output {
            Output::Json => self.answers.json(&json!({
                "kind": finding.kind.as_str(),
                "object": finding.object,
                "detail": finding.detail,
                "repair": finding.kind.repair(),
                "repaired": finding.is_repaired,
            })),
            Output::Text => self.answers.line(&line(finding)),
        }
    }

    /// The sums, and the exit code.
    fn end(mut self, totals: &Totals) -> Result<()> {
        let found: u64 = self.counts.values().map(|count| count.0).sum();
        let repaired: u64 = self.counts.values().map(|count| count.1).sum();
        match self.output {
            Output::Json => {
                let kinds = self.counts.iter().map(|(kind, (found, repaired))| {
                    let counted = json!({"found": found, "repaired": repaired});
                    (kind.as_str().to_owned(), counted)
                });
                let kinds: serde_json::Map<_, _> = kinds.collect();
                self.answers.json(&json!({
                    "found": found,
                    "repaired": repaired,
                    "kinds": kinds,
                    "checked": {
                        "layers": totals.copies,
                        "bytes": totals.bytes,
                        "files": totals.files,
                        "images": totals.images,
                        "tags": totals.tags,
                        "repositories": totals.repositories,
                    },
                    "knownDamaged": totals.known,
                    "unread": totals.unread,
                    "unfinishedUploads": totals.uploads,
                    "temporaryFiles": totals.temporary,
                }))?;
            }
            Output::Text => {
                let Totals {
                    copies,
                    bytes,
                    files,
                    images,
                    tags,
                    repositories,
                    ..
                } = totals;
                self.answers.line(&format!(
                    "checked {copies} layers ({bytes} bytes), {files} files, {images} images, {tags} tags, \
                     {repositories} repositories; {} unfinished uploads, {} temporary files",
                    totals.uploads, totals.temporary
                ))?;
                if totals.unread > 0 {
                    let unread = totals.unread;
                    self.answers.line(&format!(
                        "not read: {unread} layers whose KMS key cannot be used now"
                    ))?;
                }
                if totals.known > 0 {
                    let known = totals.known;
                    self.answers.line(&format!(
                        "known to be lost or damaged: {known}; pushing their images again repairs them"
                    ))?;
                }
                let summary = match (found, repaired) {
                    (0, _) => "nothing is wrong".to_owned(),
                    (found, 0) => format!("found {found}"),
                    (found, repaired) => format!("found {found}, repaired {repaired}"),
                };
                self.answers.line(&summary)?;
            }
        }
        self.answers.flush()?;
        match found {
            0 => Ok(()),
            _ => Err(Error::Found),
        }
    }
}

fn line(finding: &Finding) -> String {
    let did = match (finding.is_repaired, finding.kind.repair()) {
        (_, "") => String::new(),
        (true, repair) => format!("; repaired: {repair}"),
        (false, repair) => format!("; --repair {repair}"),
    };
    let detail = match finding.detail.as_str() {
        "" => String::new(),
        detail => format!(" ({})", Printable(detail)),
    };
    format!(
        "{}: {}: {}{detail}{did}",
        finding.kind.as_str(),
        finding.kind.what(),
        Printable(&finding.object)
    )
}
