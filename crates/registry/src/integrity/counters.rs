//! What is counted, compared with what there is.

use store::ecr::integrity::{self, Counters, Total, Uncounted};
use store::ecr::usage;

use super::{FindingKind, Step};
use crate::Error;
use crate::berth::{ACCOUNT, repository_subject};
use crate::repository::registry_of;

/// Repositories that one statement compares: it counts all their images and layers.
const REPOSITORIES_AT_ONCE: i64 = 20;
/// Wrong entries that are read of a repository at once; more of them are found by the next check.
const UNCOUNTED_AT_ONCE: i64 = 1_000;
/// The place behind the last repository.
const REGISTRIES: &str = "registries";

fn named(of: &Counters) -> String {
    format!("{}/{}/{}", of.account, of.region, of.name)
}

impl Step<'_> {
    async fn page(&self) -> Result<Vec<Counters>, Error> {
        let (after, _) = self.check.numbered()?;
        let mut read = self.registry.0.store.read().await?;
        Ok(integrity::counters_after(&mut read.conn(), after, REPOSITORIES_AT_ONCE).await?)
    }

    pub(super) async fn repositories(&mut self) -> Result<(), Error> {
        let page = self.page().await?;
        let Some(last) = page.last() else {
            self.check.go_on();
            return Ok(());
        };
        let place = last.id.to_string();
        for of in &page {
            self.check.totals.repositories += 1;
            for (kind, (counted, there)) in [
                (FindingKind::ImageCount, of.images),
                (FindingKind::LayerBytes, of.layer_bytes),
            ] {
                if counted == there {
                    continue;
                }
                self.found(kind, named(of), format!("{counted} instead of {there}"));
                if self.repairs() {
                    self.point()?;
                    let mut tx = self.registry.write(of.id).await?;
                    integrity::recount(&mut tx.conn(), of.id).await?;
                    self.tell(&mut tx.conn()).await?;
                    tx.commit().await?;
                    self.point()?;
                    self.repaired();
                }
            }
        }
        self.check.place = place;
        Ok(())
    }

    pub(super) async fn usage(&mut self) -> Result<(), Error> {
        if self.check.place == REGISTRIES {
            let totals = {
                let mut read = self.registry.0.store.read().await?;
                integrity::totals_of_registries(&mut read.conn(), ACCOUNT).await?
            };
            for total in totals {
                self.total(&total, None).await?;
            }
            self.check.go_on();
            return Ok(());
        }
        let page = self.page().await?;
        let Some(last) = page.last() else {
            REGISTRIES.clone_into(&mut self.check.place);
            return Ok(());
        };
        let place = last.id.to_string();
        for of in &page {
            let uncounted = {
                let mut read = self.registry.0.store.read().await?;
                integrity::uncounted_of(&mut read.conn(), of.id, UNCOUNTED_AT_ONCE).await?
            };
            for one in &uncounted {
                self.uncounted(of, one).await?;
            }
            let registry = registry_of(&of.account, &of.region);
            let subject = repository_subject(of.id);
            let total = {
                let mut read = self.registry.0.store.read().await?;
                integrity::total_of(&mut read.conn(), &registry, &subject, of.id).await?
            };
            self.total(&total, Some(of.id)).await?;
        }
        self.check.place = place;
        Ok(())
    }

    async fn uncounted(&mut self, of: &Counters, one: &Uncounted) -> Result<(), Error> {
        let shown = |size: Option<i64>| size.map_or("none".to_owned(), |size| size.to_string());
        let detail = format!(
            "{}: counted {}, stored {}",
            one.digest,
            shown(one.counted),
            shown(one.size)
        );
        self.found(FindingKind::UsageObject, named(of), detail);
        if self.repairs() {
            self.point()?;
            let mut tx = self.registry.0.store.write(usage::SCOPE).await?;
            let conn = &mut tx.conn();
            match (one.size, one.counted) {
                (Some(size), Some(_)) => {
                    integrity::set_counted_size(conn, one.repository_id, &one.digest, size).await?;
                }
                // It is compared again by the job that counts.
                _ => usage::changed(conn, one.repository_id, &one.digest).await?,
            }
            self.tell(conn).await?;
            tx.commit().await?;
            self.point()?;
            self.repaired();
        }
        Ok(())
    }

    async fn total(&mut self, total: &Total, repository: Option<i64>) -> Result<(), Error> {
        let ((stored, sum), (shared, shared_sum)) = (total.stored, total.shared);
        if stored == sum && shared == shared_sum {
            return Ok(());
        }
        let object = format!("{} {}", total.registry, total.subject);
        let detail = format!("{stored} instead of {sum}, shared {shared} instead of {shared_sum}");
        self.found(FindingKind::UsageTotal, object, detail);
        if self.repairs() {
            self.point()?;
            // Counting has this scope: the sum holds until the commit.
            let mut tx = self.registry.0.store.write(usage::SCOPE).await?;
            let conn = &mut tx.conn();
            let (registry, subject) = (&total.registry, &total.subject);
            let now = match repository {
                Some(id) => Some(integrity::total_of(conn, registry, subject, id).await?),
                None => integrity::totals_of_registries(conn, subject)
                    .await?
                    .into_iter()
                    .find(|one| one.registry == *registry),
            };
            if let Some(now) = now {
                let (stored, shared) = (now.stored.1, now.shared.1);
                integrity::set_total(conn, registry, subject, stored, shared).await?;
            }
            self.tell(conn).await?;
            tx.commit().await?;
            self.point()?;
            self.repaired();
        }
        Ok(())
    }
}
