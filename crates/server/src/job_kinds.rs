//! The jobs that this server knows, and on whose behalf each is done.

use std::sync::Arc;

use authz::ServiceName;
use jiff::SignedDuration;
use jobs::{Job, Kind, Outcome, Runner};

use crate::app::App;

/// How often expired uploads are removed.
const SWEEP_INTERVAL: SignedDuration = SignedDuration::from_mins(1);
/// How often the age of the newest key is looked at; a key seals for 30 days.
const ROTATION_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

const SWEEP_UPLOADS: &str = "sweep-uploads";
const ROTATE_KEY_RING: &str = "rotate-key-ring";
/// Jobs that are not about a single thing have this subject.
const ALL: &str = "all";

/// A runner of all jobs, for one run of one node.
pub(crate) fn runner(app: &Arc<App>) -> Runner<ServiceName> {
    let (sweeper, rotator, clock) = (Arc::clone(app), Arc::clone(app), Arc::clone(app));
    let kinds = [
        Kind::new(
            SWEEP_UPLOADS,
            ServiceName::Maintenance,
            move |_: Job<ServiceName>| {
                let app = Arc::clone(&sweeper);
                async move {
                    app.registry.sweep_uploads(app.now()).await?;
                    Ok(Outcome::Again(SWEEP_INTERVAL))
                }
            },
        ),
        Kind::new(
            ROTATE_KEY_RING,
            ServiceName::Maintenance,
            move |_: Job<ServiceName>| {
                let app = Arc::clone(&rotator);
                async move {
                    app.identity.sealer().rotate_when_due(app.now()).await?;
                    Ok(Outcome::Again(ROTATION_INTERVAL))
                }
            },
        ),
    ];
    let holder = uuid::Uuid::new_v4().to_string();
    Runner::new(app.store.clone(), holder, kinds, move || clock.now())
}

/// Makes sure that the jobs which every database has are in the queue.
pub(crate) async fn ensure(runner: &Runner<ServiceName>) -> store::Result<()> {
    runner.ensure(SWEEP_UPLOADS, ALL, "").await?;
    runner.ensure(ROTATE_KEY_RING, ALL, "").await
}
