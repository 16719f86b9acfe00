//! Foreign layers of images that version 0.1 stored.
//!
//! A foreign layer that a repository has belongs to the images that list it: it is not deleted while they
//! are there. Version 0.1 did not write this down when it stored an image.

use authz::ServiceName;
use jiff::Timestamp;
use store::ecr::image;
use store::service_events::{self, NewEvent};
use store::{Scope, settings};

use crate::damage::is_whole;
use crate::{Error, Registry, manifest};

/// The setting that says that the work is done.
pub(crate) const LAYERS_ARE_LINKED: &str = "foreign_layers_linked";
/// Manifests that one statement reads: at most 32 MiB.
const MANIFESTS_AT_ONCE: i64 = 8;

impl Registry {
    /// Notes for every stored image which foreign layers belong to it, once in the life of a database.
    /// Interrupted, it begins again; what is noted already stays.
    ///
    /// # Errors
    /// The store's.
    pub async fn link_foreign_layers(
        &self,
        service: ServiceName,
        now: Timestamp,
    ) -> Result<(), Error> {
        {
            let mut read = self.0.store.read().await?;
            if settings::get(&mut read.conn(), LAYERS_ARE_LINKED)
                .await?
                .is_some()
            {
                return Ok(());
            }
        }
        let (mut after, mut linked) = (0, 0_u64);
        loop {
            let mut read = self.0.store.read().await?;
            let images = image::contents(&mut read.conn(), after, MANIFESTS_AT_ONCE).await?;
            drop(read);
            let Some((last, _)) = images.last() else {
                break;
            };
            after = last.id;
            for (content, repository_id) in &images {
                linked += self.link_foreign_layers_of(content, *repository_id).await?;
            }
        }
        let mut tx = self.0.store.write(Scope::System("foreign-layers")).await?;
        settings::put(&mut tx.conn(), LAYERS_ARE_LINKED, "yes").await?;
        if linked > 0 {
            let event = NewEvent {
                occurred_at: now.as_millisecond(),
                service: service.as_str(),
                source: ServiceName::EVENT_SOURCE,
                name: "LinkForeignLayers",
                account: None,
                resource: None,
                details: &serde_json::json!({ "layers": linked }).to_string(),
            };
            service_events::insert(&mut tx.conn(), &event).await?;
        }
        tx.commit().await?;
        tracing::info!(linked, "looked for foreign layers of earlier images");
        Ok(())
    }

    async fn link_foreign_layers_of(
        &self,
        content: &image::Content,
        repository_id: i64,
    ) -> Result<u64, Error> {
        if !is_whole(content)? {
            tracing::warn!(digest = content.digest, "a stored manifest is damaged");
            return Ok(0);
        }
        // A manifest that today's rules refuse is served as it is; nothing can be read from it.
        let Ok(parsed) = manifest::parse(&content.bytes, Some(&content.media_type)) else {
            tracing::warn!(digest = content.digest, "a stored manifest cannot be read");
            return Ok(0);
        };
        if parsed.foreign.is_empty() {
            return Ok(0);
        }
        let mut linked = 0;
        let mut tx = self.write(repository_id).await?;
        for layer in &parsed.foreign {
            let digest = layer.descriptor.digest.to_string();
            linked += image::add_missing_layer(&mut tx.conn(), content.id, &digest).await?;
        }
        tx.commit().await?;
        Ok(linked)
    }
}
