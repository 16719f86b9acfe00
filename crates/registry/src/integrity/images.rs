//! Manifests, what images need, and tags.

use std::collections::HashSet;

use store::ecr::damage;
use store::ecr::integrity::{self, StoredImage, StoredTag};
use store::ecr::{image, image_tag, layer, repository};
use store::settings;

use super::{FindingKind, SEPARATOR, Step};
use crate::cache::Change;
use crate::damage::is_whole;
use crate::foreign_layers::LAYERS_ARE_LINKED;
use crate::manifest::{self, Descriptor, Parsed};
use crate::{Error, RepositoryFacts};

/// Manifests that one statement reads: at most 32 MiB.
const MANIFESTS_AT_ONCE: i64 = 8;
/// Tags that one statement reads.
const TAGS_AT_ONCE: i64 = 500;

fn object(of: &StoredImage) -> String {
    let (digest, repository) = (&of.content.digest, of.repository_id);
    format!("{digest} in the repository {repository}")
}

impl Step<'_> {
    pub(super) async fn images(&mut self) -> Result<(), Error> {
        let (after, _) = self.check.numbered()?;
        let (page, foreign_too) = {
            let mut read = self.registry.0.store.read().await?;
            let conn = &mut read.conn();
            let page = integrity::images_after(conn, after, MANIFESTS_AT_ONCE).await?;
            let linked = settings::get(conn, LAYERS_ARE_LINKED).await?;
            (page, linked.is_some())
        };
        let Some(last) = page.last() else {
            self.check.go_on();
            return Ok(());
        };
        let place = last.content.id.to_string();
        for of in &page {
            self.check.totals.images += 1;
            if !self.manifest(of).await? {
                continue;
            }
            // A manifest that today's rules refuse is served as it is; nothing can be read from it.
            if let Ok(parsed) = manifest::parse(&of.content.bytes, Some(&of.content.media_type)) {
                self.needs(of, &parsed, foreign_too).await?;
            }
            self.search_entry(of).await?;
        }
        self.check.place = place;
        Ok(())
    }

    /// Whether the image still is there: it may have been deleted since its page was read.
    async fn is_there(&self, of: &StoredImage) -> Result<bool, Error> {
        let mut read = self.registry.0.store.read().await?;
        Ok(integrity::is_image(&mut read.conn(), of.content.id).await?)
    }

    /// Compares a manifest with its digest; whether it is that.
    async fn manifest(&mut self, of: &StoredImage) -> Result<bool, Error> {
        let is_true = is_whole(&of.content)?;
        match (is_true, of.damaged_at) {
            (true, None) => {}
            (true, Some(_)) => {
                self.found(FindingKind::WrongMark, object(of), "");
                if self.repairs() {
                    self.point()?;
                    let mut tx = self.registry.write(of.repository_id).await?;
                    damage::unmark_image(&mut tx.conn(), of.content.id).await?;
                    self.tell(&mut tx.conn()).await?;
                    tx.commit().await?;
                    self.point()?;
                    self.repaired();
                }
            }
            (false, Some(_)) => self.check.totals.known += 1,
            (false, None) => {
                self.found(FindingKind::WrongManifest, object(of), "");
                if self.repairs() {
                    self.point()?;
                    let row = {
                        let mut read = self.registry.0.store.read().await?;
                        repository::get(&mut read.conn(), of.repository_id).await?
                    };
                    if let Some(row) = row {
                        let (repo, now) = (RepositoryFacts::of_row(&row)?, self.now);
                        self.registry
                            .mark_manifest(self.service, &repo, &of.content, now)
                            .await?;
                    }
                    self.point()?;
                    self.repaired();
                }
            }
        }
        let size = i64::try_from(of.content.bytes.len()).unwrap_or(i64::MAX);
        if is_true && of.content_size != size {
            let detail = format!("{} bytes instead of {size}", of.content_size);
            self.found(FindingKind::ManifestSize, object(of), detail);
            if self.repairs() {
                self.point()?;
                let mut tx = self.registry.write(of.repository_id).await?;
                integrity::set_content_size(&mut tx.conn(), of.content.id, size).await?;
                self.tell(&mut tx.conn()).await?;
                tx.commit().await?;
                self.point()?;
                self.repaired();
            }
        }
        Ok(is_true)
    }

    /// Compares what a manifest names with what is noted, and with what the repository has.
    async fn needs(
        &mut self,
        of: &StoredImage,
        parsed: &Parsed,
        foreign_too: bool,
    ) -> Result<(), Error> {
        let (layers, children) = {
            let mut read = self.registry.0.store.read().await?;
            let conn = &mut read.conn();
            let layers = integrity::needed_layers(conn, of.content.id).await?;
            let children = integrity::needed_images(conn, of.content.id).await?;
            (
                layers.into_iter().collect::<HashSet<_>>(),
                children.into_iter().collect::<HashSet<_>>(),
            )
        };
        let foreign = parsed.foreign.iter().filter(|_| foreign_too);
        let foreign = foreign.map(|layer| &layer.descriptor);
        for named in parsed.blobs.iter().chain(foreign) {
            let digest = named.digest.to_string();
            if !layers.contains(&digest) {
                self.unnoted(of, &digest, FindingKind::UnnotedLayer).await?;
            }
        }
        for named in &parsed.children {
            let digest = named.digest.to_string();
            if !children.contains(&digest) {
                self.unnoted(of, &digest, FindingKind::UnnotedChild).await?;
            }
        }
        let required = parsed.foreign.iter().filter(|layer| !layer.fetchable);
        let required = required.map(|layer| &layer.descriptor);
        for named in parsed.blobs.iter().chain(required) {
            self.required(of, named).await?;
        }
        for named in &parsed.children {
            self.child(of, &named.digest.to_string()).await?;
        }
        Ok(())
    }

    async fn unnoted(
        &mut self,
        of: &StoredImage,
        digest: &str,
        kind: FindingKind,
    ) -> Result<(), Error> {
        if !self.is_there(of).await? {
            return Ok(());
        }
        self.found(kind, object(of), digest);
        if self.repairs() {
            self.point()?;
            let (id, mut tx) = (of.content.id, self.registry.write(of.repository_id).await?);
            let conn = &mut tx.conn();
            match kind {
                FindingKind::UnnotedChild => integrity::add_missing_child(conn, id, digest).await?,
                _ => drop(image::add_missing_layer(conn, id, digest).await?),
            }
            self.tell(conn).await?;
            tx.commit().await?;
            self.point()?;
            self.repaired();
        }
        Ok(())
    }

    /// A layer that a client cannot leave out of its push.
    async fn required(&mut self, of: &StoredImage, named: &Descriptor) -> Result<(), Error> {
        let digest = named.digest.to_string();
        let is_linked = {
            let mut read = self.registry.0.store.read().await?;
            let found = layer::size(&mut read.conn(), of.repository_id, &digest).await?;
            found.is_some()
        };
        if is_linked || !self.is_there(of).await? {
            return Ok(());
        }
        self.found(FindingKind::MissingLayer, object(of), digest.as_str());
        if self.repairs() {
            self.point()?;
            let size = i64::try_from(named.size).unwrap_or(i64::MAX);
            self.relink(of.repository_id, &digest, size).await?;
            self.point()?;
            self.repaired();
        }
        Ok(())
    }

    async fn child(&mut self, of: &StoredImage, digest: &str) -> Result<(), Error> {
        let is_fine = {
            let mut read = self.registry.0.store.read().await?;
            let conn = &mut read.conn();
            integrity::has_image(conn, of.repository_id, digest).await?
                || integrity::may_be_sparse(conn, of.repository_id).await?
        };
        if !is_fine && self.is_there(of).await? {
            self.found(FindingKind::MissingChild, object(of), digest);
        }
        Ok(())
    }

    async fn search_entry(&mut self, of: &StoredImage) -> Result<(), Error> {
        if (of.has_facts && !of.lacks_terms) || !self.is_there(of).await? {
            return Ok(());
        }
        self.found(FindingKind::SearchEntry, object(of), "");
        if self.repairs() {
            self.point()?;
            let mut tx = self.registry.write(of.repository_id).await?;
            let conn = &mut tx.conn();
            integrity::add_missing_facts(conn, of.content.id).await?;
            integrity::index_again(conn, of.content.id).await?;
            self.tell(conn).await?;
            tx.commit().await?;
            self.point()?;
            self.repaired();
        }
        Ok(())
    }

    pub(super) async fn tags(&mut self) -> Result<(), Error> {
        let page = {
            let place = self.check.numbered()?;
            let mut read = self.registry.0.store.read().await?;
            integrity::tags_after(&mut read.conn(), place, TAGS_AT_ONCE).await?
        };
        let Some(last) = page.last() else {
            self.check.go_on();
            return Ok(());
        };
        let place = format!("{}{SEPARATOR}{}", last.repository_id, last.tag);
        for of in &page {
            self.check.totals.tags += 1;
            let is_own = of.image_repository_id == Some(of.repository_id);
            if !is_own {
                self.wrong_tag(of).await?;
            } else if !of.is_in_registry {
                self.tag_registry(of).await?;
            }
        }
        self.check.place = place;
        Ok(())
    }

    async fn wrong_tag(&mut self, of: &StoredTag) -> Result<(), Error> {
        let detail = match (&of.digest, of.image_repository_id) {
            (Some(digest), Some(id)) => format!("names {digest} of the repository {id}"),
            _ => "names nothing".to_owned(),
        };
        self.found(FindingKind::WrongTag, tagged(of), detail);
        if self.repairs() {
            self.point()?;
            let mut tx = self.registry.write(of.repository_id).await?;
            let conn = &mut tx.conn();
            image_tag::delete(conn, of.repository_id, &of.tag).await?;
            self.tell(conn).await?;
            let changes = [Change::Tag(of.repository_id, of.tag.clone())];
            self.registry.commit(tx, &changes).await?;
            self.point()?;
            self.repaired();
        }
        Ok(())
    }

    async fn tag_registry(&mut self, of: &StoredTag) -> Result<(), Error> {
        self.found(FindingKind::TagRegistry, tagged(of), "");
        if self.repairs() {
            self.point()?;
            let mut tx = self.registry.write(of.repository_id).await?;
            let conn = &mut tx.conn();
            integrity::set_tag_registry(conn, of.repository_id, &of.tag).await?;
            self.tell(conn).await?;
            tx.commit().await?;
            self.point()?;
            self.repaired();
        }
        Ok(())
    }
}

fn tagged(of: &StoredTag) -> String {
    format!("{} in the repository {}", of.tag, of.repository_id)
}
