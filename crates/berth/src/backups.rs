//! `berth backup`: of a stopped server by itself, of a running one by signed calls; and what is in a directory of
//! backups.

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use aws_api::Service;
use aws_api::berth::{
    Backup as Asked, BackupStatus, GetBackupRequest, ListBackupsRequest, StartBackupRequest, ops,
};
use aws_types::{SystemEntropy, draw};
use backup::{Access, Backup, Draft, KeyError, Keys, Pool, Progress};
use identity::MasterKey;
use jiff::Timestamp;
use policy::Printable;
use serde_json::json;
use store::backups::{SCOPE, holds, is_held, release};

use crate::cli::{
    BackupCommand, BackupListOptions, BackupOptions, BackupPruneOptions, BackupVerifyOptions,
    Output,
};
use crate::data_dir::{self, DataDir, OTHERS};
use crate::error::{Error, Result};
use crate::output::Answers;
use crate::signed_client::{SignedClient, block_on, failed as call_failed};
use crate::storage;

/// How long the hold of an offline backup lasts, unless it is renewed.
const HOLD_MS: i64 = 30 * 60_000;
/// How often a backup is asked for that is being taken.
const ASK_INTERVAL: Duration = Duration::from_millis(500);
/// The random bytes of an id; it shows 17 of their 18 digits.
const ID_BYTES: usize = 9;

/// The master key, as backups use it.
pub struct MasterKeys(pub MasterKey);

impl Keys for MasterKeys {
    fn seal(&self, purpose: &'static str, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(self.0.seal(purpose, bytes, &SystemEntropy)?)
    }

    fn open(&self, purpose: &'static str, sealed: &[u8]) -> Option<Vec<u8>> {
        let opened = self.0.open(purpose, sealed)?;
        Some(opened.to_vec())
    }
}

/// Runs the command.
pub fn run(options: BackupOptions) -> Result<()> {
    crate::process::keep_private();
    match &options.command {
        Some(BackupCommand::List(list_options)) => list(list_options),
        Some(BackupCommand::Verify(verify_options)) => verify(verify_options),
        Some(BackupCommand::Prune(prune_options)) => prune(prune_options),
        None => match &options.to {
            Some(to) => on_runtime(Box::pin(offline(&options, to))),
            None => block_on(start(options.output)),
        },
    }
}

/// Asks the running server for a backup, and waits for its end.
async fn start(output: Output) -> Result<()> {
    let server = SignedClient::open(&[Service::Berth]).await?;
    let called = server
        .call::<ops::StartBackup>(&StartBackupRequest::default())
        .await;
    let mut run = called.map_err(|e| call_failed(&e))?.backup;
    while run.status == BackupStatus::Running {
        tokio::time::sleep(ASK_INTERVAL).await;
        let input = GetBackupRequest {
            backup_id: run.backup_id.clone(),
        };
        let called = server.call::<ops::GetBackup>(&input).await;
        run = called.map_err(|e| call_failed(&e))?.backup;
    }
    let mut answers = Answers::new();
    print(&mut answers, &run, output)?;
    answers.flush()?;
    match (run.failure_reason, run.fault_count.unwrap_or(0)) {
        (Some(reason), _) => Err(Error::Failed(reason)),
        (None, 0) if run.status == BackupStatus::Complete => Ok(()),
        (None, 0) => Err(Error::Failed("the backup was stopped".to_owned())),
        (None, count) => Err(Error::Failed(format!(
            "the backup is there, without {count} layers that are missing or damaged at the server: see its log"
        ))),
    }
}

async fn list_asked(output: Output) -> Result<()> {
    let server = SignedClient::open(&[Service::Berth]).await?;
    let input = ListBackupsRequest::default();
    let called = server.call::<ops::ListBackups>(&input).await;
    let mut answers = Answers::new();
    for run in &called.map_err(|e| call_failed(&e))?.backups {
        print(&mut answers, run, output)?;
    }
    answers.flush()
}

fn print(answers: &mut Answers, run: &Asked, output: Output) -> Result<()> {
    match output {
        Output::Json => answers.json(&json!({
            "backupId": run.backup_id,
            "status": run.status.as_str(),
            "startedAt": run.started_at.to_string(),
            "endedAt": run.ended_at.map(|at| at.to_string()),
            "takenAt": run.taken_at.map(|at| at.to_string()),
            "blobCount": run.blob_count,
            "blobBytes": run.blob_bytes,
            "newBlobCount": run.new_blob_count,
            "newBlobBytes": run.new_blob_bytes,
            "faultCount": run.fault_count,
            "failureReason": run.failure_reason,
        })),
        Output::Text => answers.line(&format!(
            "{} {} {} {} layers of {} bytes, of which {} of {} bytes are new{}",
            run.started_at,
            Printable(&run.backup_id),
            run.status.as_str(),
            run.blob_count.unwrap_or(0),
            run.blob_bytes.unwrap_or(0),
            run.new_blob_count.unwrap_or(0),
            run.new_blob_bytes.unwrap_or(0),
            match &run.failure_reason {
                Some(reason) => format!(": {}", Printable(reason)),
                None => String::new(),
            }
        )),
    }
}

pub fn on_runtime<T>(work: Pin<Box<dyn Future<Output = Result<T>> + '_>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::failed("cannot start"))?;
    runtime.block_on(work)
}

pub fn failed(error: &backup::Error) -> Error {
    Error::Failed(error.to_string())
}

/// An id that no backup had.
fn new_id() -> Result<String> {
    let random: [u8; ID_BYTES] =
        draw(&SystemEntropy).map_err(Error::failed("cannot draw an id"))?;
    let mut digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.truncate(17);
    Ok(format!("bak-{digits}"))
}

/// Backs up a stopped server.
async fn offline(options: &BackupOptions, to: &Path) -> Result<()> {
    let dir = &options.storage.data_dir;
    if !dir.is_dir() {
        return Err(Error::Failed(format!(
            "there is no data directory {}; give the server's --data-dir",
            dir.display()
        )));
    }
    let home = DataDir::open(dir)?;
    storage::refuse_missing(&options.storage)?;
    let lock = home.lock().map_err(|error| {
        Error::Failed(format!(
            "{error}. To back up a running server, leave --to out: it writes to its own --backup-dir"
        ))
    })?;
    let setup = home.setup()?;
    let env = |name: &str| std::env::var_os(name);
    let now = Timestamp::now();
    let keys = crate::master_key::find_existing(&options.storage, &home, &setup, env)?;
    let keys = MasterKeys(keys);
    // As a server: no other one may begin on the database of an SQLite file.
    let opened = storage::open(
        storage::Role::Server,
        &options.storage,
        &home,
        &setup,
        env,
        now,
    );
    let store = Box::pin(opened).await?.store;
    let blobs = options.blobs.clone().unwrap_or_else(|| home.join("blobs"));
    let taken = take(&store, &blobs, to, &keys, now).await;
    store.close().await;
    drop(lock);
    let (index, progress) = taken?;
    let mut answers = Answers::new();
    match options.output {
        Output::Json => answers.json(&json!({
            "backupId": index.id,
            "takenAt": index.taken_at.to_string(),
            "rowCount": index.row_count,
            "blobCount": index.blob_count,
            "blobBytes": index.blob_bytes,
            "newBlobCount": progress.new,
            "newBlobBytes": progress.new_bytes,
            "linkedBlobCount": progress.linked,
            "faultCount": index.fault_count,
        }))?,
        Output::Text => answers.line(&format!(
            "{} {} {} rows, {} layers of {} bytes, of which {} of {} bytes are new{}",
            index.taken_at,
            index.id,
            index.row_count,
            index.blob_count,
            index.blob_bytes,
            progress.new,
            progress.new_bytes,
            faults(index.fault_count),
        ))?,
    }
    answers.flush()?;
    match index.fault_count {
        0 => Ok(()),
        count => Err(Error::Failed(format!(
            "the backup is there, without {count} layers that are missing or damaged at the server: see the log"
        ))),
    }
}

fn faults(count: u64) -> String {
    match count {
        0 => String::new(),
        count => format!(", {count} missing or damaged"),
    }
}

async fn take(
    store: &store::Store,
    blobs: &Path,
    to: &Path,
    keys: &MasterKeys,
    now: Timestamp,
) -> Result<(backup::Index, Progress)> {
    let id = new_id()?;
    let taken = async {
        let pool = Pool::open(to, Access::Write)?;
        let draft = Draft::open(pool, &id).await?;
        hold(store, &id, true).await?;
        draft.take_snapshot(store, keys, now).await?;
        let mut copying = draft.copies(blobs)?;
        let mut more = true;
        while more {
            hold(store, &id, false).await?;
            (copying, more) = copying.step().await?;
        }
        hold(store, &id, false).await?;
        let progress = copying.progress;
        let index = draft.finish(copying, keys).await?;
        Ok((index, progress))
    };
    let taken = taken.await;
    let mut tx = store.write(SCOPE).await.map_err(unreleased)?;
    release(&mut tx.conn(), &id).await.map_err(unreleased)?;
    tx.commit().await.map_err(unreleased)?;
    taken.map_err(|error| failed(&error))
}

fn unreleased(error: store::Error) -> Error {
    Error::Failed(format!(
        "the collection is not let go on yet, and does so within 30 minutes: {error}"
    ))
}

/// Keeps the collection of other nodes from what the snapshot names: this server is stopped, and a PostgreSQL may have
/// more of them.
async fn hold(
    store: &store::Store,
    id: &str,
    is_first: bool,
) -> std::result::Result<(), backup::Error> {
    let now = Timestamp::now().as_millisecond();
    let is_shared = store.engine() == store::Engine::Postgres;
    let mut tx = store.write(SCOPE).await?;
    let conn = &mut tx.conn();
    let refused = match is_first {
        // On SQLite a hold is what a killed server left.
        true => is_shared && is_held(conn, now).await?,
        false => !holds(conn, id, now).await?,
    };
    if refused {
        return Err(backup::Error::Refused(
            match is_first {
                true => "another backup is being taken, or was cut within the last 30 minutes",
                false => "the hold on the collection lapsed: take the backup again",
            }
            .to_owned(),
        ));
    }
    store::backups::hold(conn, id, now.saturating_add(HOLD_MS)).await?;
    Ok(tx.commit().await?)
}

fn list(options: &BackupListOptions) -> Result<()> {
    let Some(from) = &options.from else {
        return block_on(list_asked(options.output));
    };
    let listed = Pool::open(from, Access::Read).and_then(|pool| pool.backups());
    let mut answers = Answers::new();
    for backup in listed.map_err(|error| failed(&error))? {
        let index = &backup.index;
        match options.output {
            Output::Json => answers.json(index)?,
            Output::Text => answers.line(&format!(
                "{} {} version {} {} rows, {} layers of {} bytes{}",
                index.taken_at,
                index.id,
                index.berth_version,
                index.row_count,
                index.blob_count,
                index.blob_bytes,
                faults(index.fault_count),
            ))?,
        }
    }
    answers.flush()
}

fn verify(options: &BackupVerifyOptions) -> Result<()> {
    let keys = options.master_key_file.as_ref();
    let keys = keys.map(|path| read_key(path)).transpose()?;
    let keys = keys.as_ref().map(|keys| keys as &dyn Keys);
    let pool = Pool::open(&options.from, Access::Read).map_err(|error| failed(&error))?;
    let backups: Result<Vec<Backup>, _> = match &options.backup {
        Some(id) => pool.find(Some(id)).map(|backup| vec![backup]),
        None => pool.backups(),
    };
    let mut answers = Answers::new();
    let mut wrong = 0;
    for backup in backups.map_err(|error| failed(&error))? {
        let id = &backup.index.id;
        if keys.is_some_and(|keys| !backup.index.is_key(keys)) {
            return Err(Error::Failed(format!(
                "the master key is not the one of the backup {id}"
            )));
        }
        let checked = backup.verify(&pool, keys).map_err(|error| failed(&error))?;
        wrong += checked.wrong.len();
        match options.output {
            Output::Json => answers.json(&json!({
                "backupId": id,
                "isWhole": checked.is_whole(),
                "sealChecked": keys.is_some(),
                "blobCount": checked.copies,
                "blobBytes": checked.bytes,
                "faultCount": checked.known_faults,
                "wrong": checked.wrong,
            }))?,
            Output::Text => {
                let verdict = match checked.is_whole() {
                    true => "whole",
                    false => "DAMAGED",
                };
                answers.line(&format!(
                    "{id} {verdict}: {} layers of {} bytes read{}",
                    checked.copies,
                    checked.bytes,
                    faults(checked.known_faults),
                ))?;
                for what in &checked.wrong {
                    answers.line(&format!("  {what}"))?;
                }
            }
        }
    }
    answers.flush()?;
    match wrong {
        0 => Ok(()),
        _ => Err(Error::Told),
    }
}

fn read_key(path: &Path) -> Result<MasterKeys> {
    data_dir::check_private(path, OTHERS)?;
    let text = data_dir::read_small(path)?;
    let key = text.as_ref().and_then(|text| MasterKey::parse(text));
    key.map(MasterKeys)
        .ok_or_else(|| Error::Failed(format!("{} holds no master key", path.display())))
}

fn prune(options: &BackupPruneOptions) -> Result<()> {
    let keep = usize::try_from(options.keep).unwrap_or(usize::MAX);
    let pruned = Pool::open(&options.from, Access::Write).and_then(|pool| pool.prune(keep));
    let pruned = pruned.map_err(|error| failed(&error))?;
    let mut answers = Answers::new();
    match options.output {
        Output::Json => answers.json(&json!({
            "removedBackupIds": pruned.backups,
            "removedBlobCount": pruned.copies,
            "removedBytes": pruned.bytes,
        }))?,
        Output::Text => {
            for id in &pruned.backups {
                answers.line(&format!("removed {id}"))?;
            }
            answers.line(&format!(
                "removed {} layers, {} bytes",
                pruned.copies, pruned.bytes
            ))?;
        }
    }
    answers.flush()
}
