//! `berth fsck`: whether metadata and layers agree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use authz::ServiceName;
use aws_api::Service;
use aws_api::berth::{
    GetIntegrityCheckRequest, GetIntegrityCheckResponse, IntegrityCheck, IntegrityCheckStatus,
    IntegrityFinding, ListIntegrityChecksRequest, StartIntegrityCheckRequest, ops,
};
use blobs::{Blobs, OpenError, Owner};
use jiff::Timestamp;
use policy::Printable;
use serde_json::json;
use server::integrity::{Check, Finding, FindingKind, Totals};

use crate::cli::{FsckOptions, Output, StorageOptions};
use crate::data_dir::{self, DataDir};
use crate::error::{Error, Result};
use crate::output::Answers;
use crate::signed_client::{SignedClient, block_on, failed};
use crate::{serve, storage};

/// Runs the command.
pub fn run(options: &FsckOptions) -> Result<()> {
    match &options.data {
        Some(data) => serve::runtime()?.block_on(Box::pin(stopped(options, data))),
        None => block_on(running(options)),
    }
}

/// How often a check is asked for that goes on.
const ASK_INTERVAL: Duration = Duration::from_millis(500);

/// Has a running server check its data, or lists the checks that it did.
async fn running(options: &FsckOptions) -> Result<()> {
    let server = SignedClient::open(&[Service::Berth]).await?;
    if let Some(latest) = options.list {
        return list(&server, latest, options.output).await;
    }
    let input = StartIntegrityCheckRequest {
        repair: options.repair.then_some(true),
    };
    let called = server.call::<ops::StartIntegrityCheck>(&input).await;
    let mut run = called.map_err(|e| failed(&e))?.integrity_check;
    while run.status == IntegrityCheckStatus::Running {
        tokio::time::sleep(ASK_INTERVAL).await;
        let page = page(&server, &run.integrity_check_id, None).await?;
        run = page.integrity_check;
    }
    let mut report = Report::new(options.output);
    let (mut next, mut shown) = (None, 0);
    loop {
        let page = page(&server, &run.integrity_check_id, next).await?;
        for finding in page.findings {
            report.finding(&known(finding)?)?;
            shown += 1;
        }
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    report.end_of_run(&run, shown)
}

async fn page(
    server: &SignedClient,
    id: &str,
    next_token: Option<String>,
) -> Result<GetIntegrityCheckResponse> {
    let input = GetIntegrityCheckRequest {
        integrity_check_id: id.to_owned(),
        next_token,
        ..GetIntegrityCheckRequest::default()
    };
    let called = server.call::<ops::GetIntegrityCheck>(&input).await;
    called.map_err(|e| failed(&e))
}

fn known(of: IntegrityFinding) -> Result<Finding> {
    let kind = FindingKind::parse(&of.kind).ok_or_else(|| {
        let kind = Printable(&of.kind);
        Error::Failed(format!(
            "the server is newer than this command: it found `{kind}`"
        ))
    })?;
    Ok(Finding {
        kind,
        object: of.object,
        detail: of.detail.unwrap_or_default(),
        is_repaired: of.repaired,
    })
}

async fn list(server: &SignedClient, latest: u32, output: Output) -> Result<()> {
    let input = ListIntegrityChecksRequest {
        max_results: i32::try_from(latest).ok(),
        ..ListIntegrityChecksRequest::default()
    };
    let called = server.call::<ops::ListIntegrityChecks>(&input).await;
    let page = called.map_err(|e| failed(&e))?;
    let mut answers = Answers::new();
    for run in &page.integrity_checks {
        match output {
            Output::Json => answers.json(&summary(run))?,
            Output::Text => answers.line(&format!(
                "{} {} {} {} found {}, repaired {}",
                run.started_at,
                Printable(&run.integrity_check_id),
                run.status.as_str(),
                if run.repair { "repair" } else { "check" },
                run.found_count.unwrap_or(0),
                run.repaired_count.unwrap_or(0),
            ))?,
        }
    }
    answers.flush()
}

/// A check of a running server, for programs.
fn summary(run: &IntegrityCheck) -> serde_json::Value {
    let kinds = run.finding_counts.iter().flatten();
    let kinds: serde_json::Map<_, _> = kinds
        .map(|one| (one.kind.clone(), json!({"found": one.count})))
        .collect();
    json!({
        "integrityCheckId": run.integrity_check_id,
        "status": run.status.as_str(),
        "repair": run.repair,
        "startedAt": run.started_at.to_string(),
        "endedAt": run.ended_at.map(|at| at.to_string()),
        "found": run.found_count,
        "repaired": run.repaired_count,
        "kinds": kinds,
        "checked": {"layers": run.examined_count, "bytes": run.examined_bytes},
        "knownDamaged": run.known_count,
        "unread": run.unread_count,
        "failureReason": run.failure_reason,
    })
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

    /// The sums of a running server's check, and the exit code.
    fn end_of_run(mut self, run: &IntegrityCheck, shown: i64) -> Result<()> {
        let (found, repaired) = (
            run.found_count.unwrap_or(0),
            run.repaired_count.unwrap_or(0),
        );
        match self.output {
            Output::Json => self.answers.json(&summary(run))?,
            Output::Text => {
                if found > shown {
                    let more = found - shown;
                    self.answers.line(&format!("and {more} more"))?;
                }
                let (layers, bytes) = (
                    run.examined_count.unwrap_or(0),
                    run.examined_bytes.unwrap_or(0),
                );
                self.answers
                    .line(&format!("checked {layers} layers ({bytes} bytes)"))?;
                let (unread, known) = (run.unread_count.unwrap_or(0), run.known_count.unwrap_or(0));
                self.notes(unread.unsigned_abs(), known.unsigned_abs())?;
                self.answers
                    .line(&sums(found.unsigned_abs(), repaired.unsigned_abs()))?;
            }
        }
        self.answers.flush()?;
        match run.status {
            IntegrityCheckStatus::Complete if found == 0 => Ok(()),
            IntegrityCheckStatus::Complete => Err(Error::Found),
            _ => Err(Error::Failed(match &run.failure_reason {
                Some(reason) => reason.clone(),
                None => "the check was stopped".to_owned(),
            })),
        }
    }

    fn notes(&mut self, unread: u64, known: u64) -> Result<()> {
        if unread > 0 {
            self.answers.line(&format!(
                "not read: {unread} layers whose KMS key cannot be used now"
            ))?;
        }
        if known > 0 {
            self.answers.line(&format!(
                "known to be lost or damaged: {known}; pushing their images again repairs them"
            ))?;
        }
        Ok(())
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
                self.notes(totals.unread, totals.known)?;
                self.answers.line(&sums(found, repaired))?;
            }
        }
        self.answers.flush()?;
        match found {
            0 => Ok(()),
            _ => Err(Error::Found),
        }
    }
}

fn sums(found: u64, repaired: u64) -> String {
    match (found, repaired) {
        (0, _) => "nothing is wrong".to_owned(),
        (found, 0) => format!("found {found}"),
        (found, repaired) => format!("found {found}, repaired {repaired}"),
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
