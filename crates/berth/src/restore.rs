//! `berth restore`: a data directory and a database from a backup.
//!
//! What can be refused is refused before anything is written: the key first. Then the directory gets a mark, which
//! servers refuse, and loses it last. The database has one of its own (`store::restore`), since other nodes see the
//! database and not the directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use authz::ServiceName;
use aws_api::Service;
use aws_api::berth::{FinishRestoreRequest, ops};
use aws_types::{SystemEntropy, draw};
use backup::{Access, Backup, Pool};
use blobs::{Blobs, Owner};
use identity::Sealer;
use jiff::Timestamp;
use policy::Printable;
use serde_json::json;
use store::restore::{self, Restore, Target};
use store::service_events::{self, NewEvent};

use crate::backups::{MasterKeys, failed, on_runtime};
use crate::cli::{RestoreCommand, RestoreOptions};
use crate::data_dir::{self, DataDir, RESTORING, Setup};
use crate::error::{Error, Result, cause};
use crate::output::Answers;
use crate::signed_client::{SignedClient, block_on, failed as call_failed};
use crate::{master_key, review, storage};

/// Runs the command.
pub fn run(options: RestoreOptions) -> Result<()> {
    crate::process::keep_private();
    match &options.command {
        Some(RestoreCommand::Review(options)) => review::run(options),
        Some(RestoreCommand::Finish) => block_on(finish()),
        None => {
            let Some(from) = options.from.clone() else {
                return Err(Error::Usage(
                    "give the directory of backups: --from DIR".to_owned(),
                ));
            };
            on_runtime(Box::pin(restore(&options, &from)))
        }
    }
}

/// Lets the background work of the running server go on.
async fn finish() -> Result<()> {
    let server = SignedClient::open(&[Service::Berth]).await?;
    let input = FinishRestoreRequest::default();
    let called = server.call::<ops::FinishRestore>(&input).await;
    let mut answers = Answers::new();
    answers.line(&match called.map_err(|e| call_failed(&e))?.restore {
        Some(restore) => format!(
            "the restore of {} of {} is finished: background work goes on",
            Printable(&restore.backup_id),
            restore.taken_at
        ),
        None => "there is no restore to finish: background work goes on already".to_owned(),
    })?;
    answers.flush()
}

/// The places of a restore.
struct Place {
    home: DataDir,
    blobs: PathBuf,
    url: String,
    /// The id that the database gets, or has from an attempt that was cut at its very end.
    id: String,
}

async fn restore(options: &RestoreOptions, from: &Path) -> Result<()> {
    let pool = Pool::open(from, Access::Read).map_err(|error| failed(&error))?;
    let backup = pool
        .find(options.backup.as_deref())
        .map_err(|error| failed(&error))?;
    let home = DataDir::open_for_restore(&options.storage.data_dir)?;
    let lock = home.lock()?;
    let setup = home.setup()?;
    let env = |name: &str| std::env::var_os(name);
    // Before anything of the backup is written: the key, the version, the checksums.
    let keys = MasterKeys(master_key::find_existing(
        &options.storage,
        &home,
        &setup,
        env,
    )?);
    backup.check(&keys).map_err(|error| failed(&error))?;
    let url = storage::url(&options.storage, &home)?;
    let blobs = options.blobs.clone().unwrap_or_else(|| home.join("blobs"));
    let attempted = home.restoring()?;
    let id = match &attempted {
        Some(id) => id.clone(),
        None => {
            let random: [u8; 16] =
                draw(&SystemEntropy).map_err(Error::failed("cannot draw an id"))?;
            random.iter().map(|byte| format!("{byte:02x}")).collect()
        }
    };
    let place = Place {
        home,
        blobs,
        url,
        id,
    };
    let is_whole = look_at(&place, attempted.is_some()).await?;
    if !is_whole {
        data_dir::write_private(&setup, &place.home.join(RESTORING), &place.id)?;
        fill(&place, &setup, &pool, &backup, &keys).await?;
    }
    for mark in [place.blobs.join(RESTORING), place.home.join(RESTORING)] {
        data_dir::remove(&mark)?;
    }
    drop(lock);
    let index = &backup.index;
    let mut answers = Answers::new();
    for line in [
        format!(
            "restored {} of {}: {} rows, {} layers",
            index.id,
            index.taken_at,
            index.row_count,
            index.blob_count - index.fault_count
        ),
        "Sessions, registry passwords, tokens and download URLs from before are refused from now on.".to_owned(),
        "Look at the identities with `berth restore review`: access keys that were deleted after the backup work again."
            .to_owned(),
        "Start the server, and let its background work go on with `berth restore finish`.".to_owned(),
    ] {
        answers.line(&line)?;
    }
    answers.flush()
}

/// Refuses what is not empty. True where an earlier attempt was cut after its database was whole.
async fn look_at(place: &Place, is_attempted: bool) -> Result<bool> {
    let target = restore::look_at(&place.url).await;
    let target = target.map_err(Error::failed("cannot look at the database"))?;
    if let Target::InUse(id) = &target {
        return match is_attempted && *id == place.id {
            true => Ok(true),
            false => Err(Error::Failed(
                "the database is not empty: give an empty one".to_owned(),
            )),
        };
    }
    let is_ours = is_attempted || place.blobs.join(RESTORING).exists();
    let mut entries = match fs::read_dir(&place.blobs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => {
            let blobs = place.blobs.display();
            return Err(Error::Failed(format!("cannot read {blobs}: {error}")));
        }
    };
    match is_ours || entries.next().is_none() {
        true => Ok(false),
        false => Err(Error::Failed(format!(
            "{} is not empty: give an empty directory",
            place.blobs.display()
        ))),
    }
}

/// Writes copies, rows and what follows from them.
async fn fill(
    place: &Place,
    setup: &Setup,
    pool: &Pool,
    backup: &Backup,
    keys: &MasterKeys,
) -> Result<()> {
    let blobs = &place.blobs;
    data_dir::make(blobs)?;
    data_dir::write_private(setup, &blobs.join(RESTORING), &place.id)?;
    // Whose the directory is was said by an earlier attempt, whose database is gone.
    data_dir::remove(&blobs.join("database"))?;
    let steps = &backup.index.schema_steps;
    let begun = Restore::begin(&place.url, steps, &place.id).await;
    let restore = begun.map_err(Error::failed("cannot make the database"))?;
    backup
        .bring_back_copies(pool, blobs, |_, _| {})
        .await
        .map_err(|error| failed(&error))?;
    backup
        .load_rows(&restore, &place.id)
        .await
        .map_err(|error| failed(&error))?;
    let now = Timestamp::now();
    invalidate(&restore, backup, keys, now).await?;
    // The directory is the new database's: servers of the one that was backed up cannot open it.
    let owner = Owner {
        database: &place.id,
        is_shared: restore.store().engine() == store::Engine::Postgres,
    };
    let opened = Blobs::open_directory(blobs, owner).await;
    let opened = opened.map_err(Error::failed("cannot mark the directory of layers"))?;
    drop(opened);
    let pending = json!({
        "backupId": backup.index.id,
        "takenAt": backup.index.taken_at.as_millisecond(),
        "restoredAt": now.as_millisecond(),
    });
    let finished = restore.finish(&pending.to_string()).await;
    finished.map_err(Error::failed("cannot end the restore"))?;
    data_dir::sync_parent(&place.home.join("berth.db"))
        .map_err(Error::failed("cannot sync the data directory"))
}

/// Nothing that was given to a client before opens any more, and the audit log of the restored server tells of it.
async fn invalidate(
    restore: &Restore,
    backup: &Backup,
    keys: &MasterKeys,
    now: Timestamp,
) -> Result<()> {
    let store = restore.store().clone();
    let service = ServiceName::RestoreCommand;
    let entropy = Arc::new(SystemEntropy);
    let rotated = async {
        let sealer = Sealer::load(store.clone(), &keys.0, entropy, now).await?;
        sealer.refuse_older_tokens(service, now).await
    };
    rotated
        .await
        .map_err(|error| Error::Failed(format!("cannot renew the key ring: {}", cause(&error))))?;
    let details = json!({
        "backupId": backup.index.id,
        "takenAt": backup.index.taken_at.to_string(),
        "rowCount": backup.index.row_count,
        "blobCount": backup.index.blob_count,
    });
    let event = NewEvent {
        occurred_at: now.as_millisecond(),
        service: service.as_str(),
        source: ServiceName::EVENT_SOURCE,
        name: "RestoreBackup",
        account: None,
        resource: None,
        details: &details.to_string(),
    };
    let told = async {
        let mut tx = store.write(store::Scope::System("restore")).await?;
        service_events::insert(&mut tx.conn(), &event).await?;
        tx.commit().await
    };
    told.await
        .map_err(Error::failed("cannot write the audit event"))
}
