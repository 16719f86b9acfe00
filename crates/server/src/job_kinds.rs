//! The jobs that this server knows, and on whose behalf each is done.

use std::sync::Arc;

use authz::ServiceName;
use jiff::SignedDuration;
use jobs::{BoxError, Job, Kind, Outcome, Runner};

use identity::CREATE_ACCOUNT_JOB;
use registry::integrity::{JOB as INTEGRITY_JOB, SCRUB_JOB};
use registry::pull_through::IMPORT_JOB;
use registry::{
    BACKUP_JOB, COLLECTION_JOB, HEALING_JOB, LIFECYCLE_JOB, LIFECYCLE_PREVIEW_JOB,
    PEER_REPLICATION_JOB, REPLICA_PULL_TIMES_JOB, REPLICATION_BACKFILL_JOB, REPLICATION_JOB,
    RESTORE_IMAGES_JOB,
};

use crate::app::App;
use crate::replication::{self, healing, peers};
use crate::upstream_pulls;

/// How often expired uploads are removed.
const SWEEP_INTERVAL: SignedDuration = SignedDuration::from_mins(1);
/// How often the age of the newest key is looked at; a key seals for 30 days.
const ROTATION_INTERVAL: SignedDuration = SignedDuration::from_hours(1);
/// How often changes of deleted repositories are removed. Nodes read changes several times a second; one that
/// did not for this long counts everything as changed.
const PRUNE_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// How often work that rests looks whether it still has to.
const REST_INTERVAL: SignedDuration = SignedDuration::from_secs(5);

const SWEEP_UPLOADS: &str = "sweep-uploads";
const ROTATE_KEY_RING: &str = "rotate-key-ring";
const PRUNE_CHANGES: &str = "prune-changes";
const PRUNE_TAG_HISTORY: &str = "prune-tag-history";
const COUNT_USAGE: &str = "count-usage";
const PRUNE_USAGE: &str = "prune-usage";
const INDEX_IMAGES: &str = "index-images";
/// How often what was pushed since is counted, and indexed for searches. A request for either looks by itself.
const COUNT_INTERVAL: SignedDuration = SignedDuration::from_mins(1);
const PRUNE_BACKFILLS: &str = "prune-replication-backfills";
const PURGE_SECRETS: &str = "purge-secrets";
const MAINTAIN_KEYS: &str = "maintain-keys";
const PRUNE_DENIALS: &str = "prune-denials";
/// Once for each database; what has been done already costs one read at a start.
const LINK_FOREIGN_LAYERS: &str = "link-foreign-layers";
/// Jobs that are not about a single thing have this subject.
const ALL: &str = "all";

/// A kind whose handler gets the server and the service that the work is done for.
fn kind<F, R>(name: &'static str, app: &Arc<App>, handler: F) -> Kind<ServiceName>
where
    F: Fn(Arc<App>, ServiceName) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Outcome, BoxError>> + Send + 'static,
{
    let app = Arc::clone(app);
    let service = ServiceName::Maintenance;
    Kind::new(name, service, move |job: Job<ServiceName>| {
        handler(Arc::clone(&app), job.authority)
    })
}

/// As [`kind`], of work that deletes by itself: it rests after a restore.
fn resting_kind<F, R>(name: &'static str, app: &Arc<App>, handler: F) -> Kind<ServiceName>
where
    F: Fn(Arc<App>, ServiceName) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Outcome, BoxError>> + Send + 'static,
{
    let handler = Arc::new(handler);
    kind(name, app, move |app, service| {
        let handler = Arc::clone(&handler);
        async move {
            match app.registry.is_resting() {
                true => Ok(Outcome::Again(REST_INTERVAL)),
                false => handler(app, service).await,
            }
        }
    })
}

/// The pause before the next step of work that has several.
fn at_once_if(more: bool, interval: SignedDuration) -> SignedDuration {
    match more {
        true => SignedDuration::ZERO,
        false => interval,
    }
}

/// `CreateAccount` of AWS Organizations: a job for each request.
fn create_account(app: &Arc<App>) -> Kind<ServiceName> {
    let app = Arc::clone(app);
    let service = ServiceName::Organizations;
    Kind::new(CREATE_ACCOUNT_JOB, service, move |job: Job<ServiceName>| {
        let app = Arc::clone(&app);
        async move {
            let organizations = app.identity.organizations();
            let (service, request) = (job.authority, &job.subject);
            organizations
                .finish_account(service, request, app.now())
                .await?;
            Ok(Outcome::Done)
        }
    })
}

/// `UpdateImageStorageClass`: a job for each repository with images that are to be restored.
fn restore_images(app: &Arc<App>) -> Kind<ServiceName> {
    let app = Arc::clone(app);
    let service = ServiceName::Lifecycle;
    Kind::new(RESTORE_IMAGES_JOB, service, move |job: Job<ServiceName>| {
        let app = Arc::clone(&app);
        async move {
            let (service, now) = (job.authority, app.now());
            app.registry
                .restore_images(service, &job.subject, now)
                .await?;
            Ok(Outcome::Done)
        }
    })
}

/// A runner of lifecycle policies and their previews, a job for each repository. They take as long as
/// repositories are large, and no other job waits for them.
pub(crate) fn lifecycle_runner(app: &Arc<App>) -> Runner<ServiceName> {
    let service = ServiceName::Lifecycle;
    let again = |after: Option<SignedDuration>| after.map_or(Outcome::Done, Outcome::Again);
    let (run, preview, clock) = (Arc::clone(app), Arc::clone(app), Arc::clone(app));
    let kinds = [
        Kind::new(
            LIFECYCLE_PREVIEW_JOB,
            service,
            move |job: Job<ServiceName>| {
                let app = Arc::clone(&preview);
                async move {
                    let (service, now) = (job.authority, app.now());
                    let next = app
                        .registry
                        .run_lifecycle_preview(service, &job.subject, job.failures, now)
                        .await?;
                    Ok(again(next))
                }
            },
        ),
        Kind::new(LIFECYCLE_JOB, service, move |job: Job<ServiceName>| {
            let app = Arc::clone(&run);
            async move {
                let (service, now) = (job.authority, app.now());
                let next = app
                    .registry
                    .run_lifecycle(service, &job.subject, now)
                    .await?;
                Ok(again(next))
            }
        }),
    ];
    let holder = uuid::Uuid::new_v4().to_string();
    Runner::new(app.store.clone(), holder, kinds, move || clock.now())
}

/// A runner of replication, a job for each repository and destination: copies take as long as images are large.
pub(crate) fn replication_runner(app: &Arc<App>) -> Runner<ServiceName> {
    let (run, clock) = (Arc::clone(app), Arc::clone(app));
    let service = ServiceName::Replication;
    let kinds = [Kind::new(
        REPLICATION_JOB,
        service,
        move |job: Job<ServiceName>| {
            let app = Arc::clone(&run);
            async move { replication::run(&app, job.authority, &job.subject).await }
        },
    )];
    let holder = uuid::Uuid::new_v4().to_string();
    Runner::new(app.store.clone(), holder, kinds, move || clock.now())
}

/// Runners of replication to peers: so many transfers of a node at once.
const PEER_RUNNERS: usize = 4;

/// The runners of replication to registries of other servers, which take as long as the network does.
pub(crate) fn peer_runners(app: &Arc<App>) -> Vec<Runner<ServiceName>> {
    let one = |_| {
        let (run, pulls) = (Arc::clone(app), Arc::clone(app));
        let (heal, clock) = (Arc::clone(app), Arc::clone(app));
        let service = ServiceName::Replication;
        let kinds = [
            Kind::new(
                PEER_REPLICATION_JOB,
                service,
                move |job: Job<ServiceName>| {
                    let app = Arc::clone(&run);
                    async move { peers::run(&app, job.authority, &job.subject).await }
                },
            ),
            Kind::new(
                REPLICA_PULL_TIMES_JOB,
                service,
                move |job: Job<ServiceName>| {
                    let app = Arc::clone(&pulls);
                    async move { peers::read_pull_times(&app, job.authority, &job.subject).await }
                },
            ),
            Kind::new(HEALING_JOB, service, move |job: Job<ServiceName>| {
                let app = Arc::clone(&heal);
                async move { healing::run(&app, job.authority).await }
            }),
        ];
        let holder = uuid::Uuid::new_v4().to_string();
        Runner::new(app.store.clone(), holder, kinds, move || clock.now())
    };
    (0..PEER_RUNNERS).map(one).collect()
}

/// A runner of replication backfills: it gives out work to replication, and does not wait behind it.
pub(crate) fn backfill_runner(app: &Arc<App>) -> Runner<ServiceName> {
    let (run, clock) = (Arc::clone(app), Arc::clone(app));
    let service = ServiceName::Replication;
    let kinds = [Kind::new(
        REPLICATION_BACKFILL_JOB,
        service,
        move |job: Job<ServiceName>| {
            let app = Arc::clone(&run);
            async move {
                let (service, id, now) = (job.authority, &job.subject, app.now());
                let next = app.registry.run_replication_backfill(service, id, now);
                Ok(next.await?.map_or(Outcome::Done, Outcome::Again))
            }
        },
    )];
    let holder = uuid::Uuid::new_v4().to_string();
    Runner::new(app.store.clone(), holder, kinds, move || clock.now())
}

/// A runner of imports of the pull through cache that their pulls did not finish: they take as long as images are
/// large.
pub(crate) fn import_runner(app: &Arc<App>) -> Runner<ServiceName> {
    let (run, clock) = (Arc::clone(app), Arc::clone(app));
    let service = ServiceName::PullThrough;
    let kinds = [Kind::new(
        IMPORT_JOB,
        service,
        move |job: Job<ServiceName>| {
            let app = Arc::clone(&run);
            async move {
                upstream_pulls::run_import(&app, job.authority, &job.subject, &job.payload).await
            }
        },
    )];
    let holder = uuid::Uuid::new_v4().to_string();
    Runner::new(app.store.clone(), holder, kinds, move || clock.now())
}

/// The master key, as backups use it.
struct MasterKeys<'a>(&'a identity::Sealer);

impl backup::Keys for MasterKeys<'_> {
    fn seal(&self, purpose: &'static str, bytes: &[u8]) -> Result<Vec<u8>, backup::KeyError> {
        Ok(self.0.seal_under_master(purpose, bytes)?)
    }

    fn open(&self, _: &'static str, _: &[u8]) -> Option<Vec<u8>> {
        // A server writes backups, and reads none.
        None
    }
}

/// A runner of backups, of a node that has a directory for them: they take as long as layers are many.
pub(crate) fn backup_runner(app: &Arc<App>) -> Option<Runner<ServiceName>> {
    if !app.registry.has_backup_directory() {
        return None;
    }
    let (run, clock) = (Arc::clone(app), Arc::clone(app));
    let kinds = [Kind::new(
        BACKUP_JOB,
        ServiceName::Backup,
        move |job: Job<ServiceName>| {
            let app = Arc::clone(&run);
            async move {
                let keys = MasterKeys(app.identity.sealer());
                let now = || app.now();
                app.registry
                    .run_backup(job.authority, &keys, job.failures, &now)
                    .await?;
                Ok(Outcome::Done)
            }
        },
    )];
    let holder = uuid::Uuid::new_v4().to_string();
    let runner = Runner::new(app.store.clone(), holder, kinds, move || clock.now());
    Some(runner)
}

/// A runner of checks and of the scrub, which take as long as reading everything does.
pub(crate) fn integrity_runner(app: &Arc<App>) -> Runner<ServiceName> {
    let clock = Arc::clone(app);
    let check = Arc::clone(app);
    let service = ServiceName::Maintenance;
    let kinds = [
        Kind::new(INTEGRITY_JOB, service, move |job: Job<ServiceName>| {
            let app = Arc::clone(&check);
            async move {
                let (service, failures, now) = (job.authority, job.failures, app.now());
                let next = app.registry.check_integrity(service, failures, now);
                Ok(next.await?.map_or(Outcome::Done, Outcome::Again))
            }
        }),
        kind(SCRUB_JOB, app, |app, service| async move {
            let pause = app.registry.scrub(service, app.now()).await?;
            Ok(Outcome::Again(pause))
        }),
    ];
    let holder = uuid::Uuid::new_v4().to_string();
    Runner::new(app.store.clone(), holder, kinds, move || clock.now())
}

/// A runner of all other jobs, for one run of one node.
pub(crate) fn runner(app: &Arc<App>) -> Runner<ServiceName> {
    let clock = Arc::clone(app);
    let kinds = [
        kind(SWEEP_UPLOADS, app, |app, service| async move {
            app.registry.sweep_uploads(service, app.now()).await?;
            Ok(Outcome::Again(SWEEP_INTERVAL))
        }),
        kind(ROTATE_KEY_RING, app, |app, service| async move {
            let sealer = app.identity.sealer();
            sealer.rotate_when_due(service, app.now()).await?;
            Ok(Outcome::Again(ROTATION_INTERVAL))
        }),
        // Not audited: these rows only tell nodes which cached entries are stale.
        kind(PRUNE_CHANGES, app, |app, _| async move {
            let pruned = app.store.prune_changes().await?;
            if pruned > 0 {
                tracing::debug!(pruned, "removed changes of deleted repositories");
            }
            Ok(Outcome::Again(PRUNE_INTERVAL))
        }),
        // An account that gets no new denials keeps none that are too old.
        resting_kind(PRUNE_DENIALS, app, |app, service| async move {
            let more = app.identity.prune_denials(service, app.now()).await?;
            Ok(Outcome::Again(match more {
                true => SignedDuration::ZERO,
                false => PRUNE_INTERVAL,
            }))
        }),
        resting_kind(MAINTAIN_KEYS, app, |app, service| async move {
            app.kms.maintain(service, app.now()).await?;
            Ok(Outcome::Again(PRUNE_INTERVAL))
        }),
        resting_kind(PURGE_SECRETS, app, |app, service| async move {
            app.secrets.purge(service, app.now()).await?;
            Ok(Outcome::Again(PRUNE_INTERVAL))
        }),
        // Not audited: the audit log itself has each move.
        resting_kind(PRUNE_TAG_HISTORY, app, |app, service| async move {
            let more = app.registry.prune_tag_history(service).await?;
            Ok(Outcome::Again(match more {
                true => SignedDuration::ZERO,
                false => PRUNE_INTERVAL,
            }))
        }),
        // Not audited: they write down again what pushes and deletions did.
        kind(COUNT_USAGE, app, |app, service| async move {
            let more = app.registry.count_usage(service, app.now()).await?;
            Ok(Outcome::Again(at_once_if(more, COUNT_INTERVAL)))
        }),
        kind(INDEX_IMAGES, app, |app, service| async move {
            let more = app.registry.index_images(service).await?;
            Ok(Outcome::Again(at_once_if(more, COUNT_INTERVAL)))
        }),
        resting_kind(PRUNE_USAGE, app, |app, service| async move {
            let more = app.registry.prune_usage(service, app.now()).await?;
            Ok(Outcome::Again(at_once_if(more, PRUNE_INTERVAL)))
        }),
        resting_kind(PRUNE_BACKFILLS, app, |app, service| async move {
            let registry = &app.registry;
            let more = registry
                .prune_replication_backfills(service, app.now())
                .await?;
            Ok(Outcome::Again(at_once_if(more, PRUNE_INTERVAL)))
        }),
        resting_kind(COLLECTION_JOB, app, |app, service| async move {
            let pause = app.registry.collect(service, app.now()).await?;
            Ok(Outcome::Again(pause))
        }),
        kind(LINK_FOREIGN_LAYERS, app, |app, service| async move {
            let registry = &app.registry;
            registry.link_foreign_layers(service, app.now()).await?;
            Ok(Outcome::Done)
        }),
        create_account(app),
        restore_images(app),
    ];
    let holder = uuid::Uuid::new_v4().to_string();
    Runner::new(app.store.clone(), holder, kinds, move || clock.now())
}

/// Makes sure that the jobs which every database has are in the queue.
pub(crate) async fn ensure(
    runner: &Runner<ServiceName>,
    integrity: &Runner<ServiceName>,
    peers: &[Runner<ServiceName>],
) -> store::Result<()> {
    runner.take_over().await?;
    for kind in [
        SWEEP_UPLOADS,
        ROTATE_KEY_RING,
        PRUNE_CHANGES,
        PURGE_SECRETS,
        MAINTAIN_KEYS,
        PRUNE_DENIALS,
        PRUNE_TAG_HISTORY,
        COUNT_USAGE,
        INDEX_IMAGES,
        PRUNE_USAGE,
        PRUNE_BACKFILLS,
        LINK_FOREIGN_LAYERS,
        COLLECTION_JOB,
    ] {
        runner.ensure(kind, ALL, "").await?;
    }
    integrity.ensure(SCRUB_JOB, ALL, "").await?;
    // An older version marked what is damaged, and asked for nothing.
    if let Some(runner) = peers.first() {
        runner.ensure(HEALING_JOB, ALL, "").await?;
    }
    Ok(())
}
