//! The registry: its parts, its start, its periodic maintenance.

use std::collections::HashSet;
use std::sync::Arc;

use authz::ServiceName;
use aws_types::{Entropy, draw};
use blobs::{Blobs, ObjectKey, UploadId};
use jiff::Timestamp;
use store::ecr::{image, replication, upload};
use store::service_events::{self, NewEvent};
use store::{Scope, Store, Write};
use tokio::sync::watch;

use crate::activity::Activity;
use crate::cache::{Cache, Change};
use crate::event_notes::{EventTotals, PullNotes};
use crate::open_uploads::OpenUploads;
use crate::pulls::Pulls;
use crate::scrub_pace::Scrubbed;
use crate::short_parts::ShortParts;
use crate::{
    Authorized, Error, LayerKeys, Manifest, Principals, RepositoryFacts, Settings, upload_id,
};

/// Pull times that are written in one transaction.
const PULLS_AT_ONCE: usize = 500;

/// All repositories of one Berth. Cheap to clone.
#[derive(Clone)]
pub struct Registry(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) principals: Arc<dyn Principals>,
    pub(crate) keys: Arc<dyn LayerKeys>,
    pub(crate) settings: Settings,
    pub(crate) cache: Cache,
    pub(crate) pulls: Pulls,
    pub(crate) activity: Activity,
    pub(crate) pull_notes: PullNotes,
    pub(crate) event_totals: EventTotals,
    pub(crate) short_parts: ShortParts,
    pub(crate) open_uploads: OpenUploads,
    /// Whether background work rests, since the database was restored.
    pub(crate) resting: watch::Sender<bool>,
    pub(crate) scrubbed: Scrubbed,
}

impl Registry {
    /// Opens the registry over its metadata and its bytes, and removes the uploads
    /// that cannot be resumed.
    ///
    /// # Errors
    /// Those of the store and of the blobs.
    pub async fn open(
        store: Store,
        blobs: Blobs,
        entropy: Arc<dyn Entropy>,
        principals: Arc<dyn Principals>,
        keys: Arc<dyn LayerKeys>,
        settings: Settings,
        now: Timestamp,
    ) -> Result<Registry, Error> {
        let registry = Registry::over(store, blobs, entropy, principals, keys, settings);
        registry.look_whether_resting().await?;
        let young_stay = registry.0.settings.shared;
        registry
            .sweep(ServiceName::Maintenance, now, young_stay)
            .await?;
        Ok(registry)
    }

    /// A registry over its metadata and its bytes, neither of which this touches.
    pub(crate) fn over(
        store: Store,
        blobs: Blobs,
        entropy: Arc<dyn Entropy>,
        principals: Arc<dyn Principals>,
        keys: Arc<dyn LayerKeys>,
        settings: Settings,
    ) -> Registry {
        let cache = Cache::new(store.clone(), settings.manifest_cache_bytes_max);
        Registry(Arc::new(Inner {
            store,
            blobs,
            entropy,
            principals,
            keys,
            settings,
            cache,
            pulls: Pulls::default(),
            activity: Activity::default(),
            pull_notes: PullNotes::default(),
            event_totals: EventTotals::default(),
            short_parts: ShortParts::new(),
            open_uploads: OpenUploads::default(),
            resting: watch::Sender::new(false),
            scrubbed: Scrubbed::default(),
        }))
    }

    /// A key for a row of a copy whose bytes are lost: no file has it.
    pub(crate) fn new_key(&self) -> Result<ObjectKey, Error> {
        Ok(ObjectKey::from_random(draw(&*self.0.entropy)?))
    }

    /// What each node does every minute or so: writes down when and by whom images were pulled here, and
    /// counts the unfinished uploads of all nodes.
    ///
    /// # Errors
    /// Those of the store and of the blobs.
    pub async fn maintain(&self, _: ServiceName, now: Timestamp) -> Result<(), Error> {
        self.write_pulls().await?;
        self.write_activity().await?;
        self.renew_stored_total().await?;
        self.renew_known_damage().await?;
        self.count_uploads(now).await
    }

    /// Removes expired uploads, of all nodes. One node does it for all. What it removed is one audit
    /// event, however many they were.
    ///
    /// # Errors
    /// Those of the store and of the blobs.
    pub async fn sweep_uploads(&self, service: ServiceName, now: Timestamp) -> Result<(), Error> {
        self.sweep(service, now, true).await
    }

    /// Notes that the caller pulled an image, unless the caller's pulls are excluded.
    pub(crate) fn record_pull_time(
        &self,
        cx: &Authorized,
        repo: &RepositoryFacts,
        manifest: &Manifest,
    ) {
        if repo.registry.records_pulls_of(cx) {
            let recorded = &manifest.pulled_at;
            self.0.pulls.note(manifest.image_id, recorded, cx.now_ms());
        }
    }

    async fn count_uploads(&self, now: Timestamp) -> Result<(), Error> {
        let left = self.0.blobs.list_uploads().await?;
        let rows = self.kept_uploads().await?.into_iter();
        let kept = rows
            .filter_map(|(id, kept)| Some((id.parse().ok()?, kept)))
            .collect();
        let now = now.as_millisecond();
        self.0.open_uploads.renew(left, &kept, now);
        Ok(())
    }

    /// Pull times only help to decide what to delete: an error here loses the waiting ones,
    /// and the next pull after the hour is recorded.
    pub(crate) async fn write_pulls(&self) -> Result<(), Error> {
        for pulls in self.0.pulls.take().chunks(PULLS_AT_ONCE) {
            // A scope of its own: nothing is checked, so no repository has to wait.
            let mut tx = self.0.store.write(Scope::System("pulls")).await?;
            for (image_id, pulled_at) in pulls {
                image::record_pull(&mut tx.conn(), *image_id, *pulled_at).await?;
                // Images live where they are pulled: retention by the last pull at the source would delete what its
                // replicas are used for.
                replication::record_pull(&mut tx.conn(), *image_id, *pulled_at).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Removes uploads, rows and files, so that both agree. Those with a row and not
    /// yet expired stay; with `young_stay`, also those without a row.
    async fn sweep(
        &self,
        service: ServiceName,
        now: Timestamp,
        young_stay: bool,
    ) -> Result<(), Error> {
        let lifetime = self.0.settings.upload_lifetime;
        let started = now;
        let now = now.as_millisecond();
        let (mut kept, mut gone) = (HashSet::new(), Vec::new());
        for (text, _) in self.kept_uploads().await? {
            match text.parse::<UploadId>() {
                Ok(id) if !upload_id::expired(&id, now, lifetime) => {
                    kept.insert(id);
                }
                _ => gone.push(text),
            }
        }
        for id in &kept {
            // Only a look: a client may be about to go on with it.
            if !self.0.blobs.has_upload(id).await? {
                gone.push(id.to_string());
            }
        }
        let swept = self
            .0
            .blobs
            .sweep_uploads(move |id| {
                kept.contains(id) || (young_stay && !upload_id::expired(id, now, lifetime))
            })
            .await?;
        self.count_uploads(started).await?;
        if swept.files > 0 {
            tracing::info!(
                files = swept.files,
                bytes = swept.bytes,
                "removed unfinished uploads"
            );
        }
        if gone.is_empty() && swept.files == 0 {
            return Ok(());
        }
        let details = serde_json::json!({
            "uploads": gone.len(),
            "files": swept.files,
            "bytes": swept.bytes,
        });
        let mut tx = self.0.store.write(Scope::System("uploads")).await?;
        for id in &gone {
            upload::delete(&mut tx.conn(), id).await?;
        }
        let event = NewEvent {
            occurred_at: now,
            service: service.as_str(),
            source: ServiceName::EVENT_SOURCE,
            name: "DeleteExpiredUploads",
            account: None,
            resource: None,
            details: &details.to_string(),
        };
        service_events::insert(&mut tx.conn(), &event).await?;
        Ok(tx.commit().await?)
    }

    /// Begins a transaction of one repository.
    pub(crate) async fn write(&self, repository_id: i64) -> Result<Write, Error> {
        Ok(self.0.store.write(Scope::Repository(repository_id)).await?)
    }

    /// Commits a transaction that invalidates cached entries.
    pub(crate) async fn commit(&self, mut tx: Write, changes: &[Change]) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(tx.commit().await?);
        }
        for change in changes {
            change.touch(&mut tx);
        }
        let committed = tx.commit().await;
        // Also after an error: a broken connection may have committed.
        self.0.cache.changed(changes);
        Ok(committed?)
    }
}
