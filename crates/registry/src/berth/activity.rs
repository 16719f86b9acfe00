//! Who pushed images, and who pulled them.

use aws_api::berth::{
    BatchGetImageActivityRequest, BatchGetImageActivityResponse, ImageActivity, ImagePulls,
    ListImagePullsRequest, ListImagePullsResponse,
};
use jiff::Timestamp;
use store::ecr::{image, image_facts, pull};

use crate::activity::{date, day_of, range};
use crate::digest::parse_digest;
use crate::ecr::token;
use crate::{Authorized, Error, Registry};

/// Days over which pulls are summed.
const RECENT_DAYS: i64 = 30;

impl Registry {
    /// `ListImagePulls`: pulls by day, image and principal, newest day first.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::InvalidDigest`], [`Error::InvalidParameter`].
    pub async fn list_image_pulls(
        &self,
        cx: &Authorized,
        input: ListImagePullsRequest,
    ) -> Result<ListImagePullsResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let digest = match input.image_digest.as_deref() {
            Some(text) => Some(parse_digest(text)?.to_string()),
            None => None,
        };
        let (start, end) = (input.start_date.as_deref(), input.end_date.as_deref());
        let (first_day, last_day) = range(start, end, cx.now_ms())?;
        let place = token::open(input.next_token.as_ref())?;
        let after = match place.is_empty() {
            true => (last_day, "", ""),
            false => {
                let mut parts = place.splitn(3, ' ');
                let mut next = || parts.next().ok_or_else(token::invalid);
                let day = next()?.parse().map_err(|_| token::invalid())?;
                (day, next()?, next()?)
            }
        };
        if place.is_empty() {
            // While the database takes no writes, the list goes without what is in memory.
            let _ = self.write_activity().await;
        }
        let filter = pull::Filter {
            digest: digest.as_deref(),
            principal: input.principal_arn.as_deref(),
            first_day,
        };
        let n = token::page_size(input.max_results);
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let mut rows = pull::list(conn, repo.id, filter, after, token::rows(n)).await?;
        let next_token = token::cut(&mut rows, n)
            .map(|row| token::seal(&format!("{} {} {}", row.day, row.digest, row.principal)));
        let pulls = rows.into_iter().map(|row| {
            Ok(ImagePulls {
                day: date(row.day)?,
                image_digest: row.digest,
                principal_arn: row.principal,
                pull_count: row.pulls,
                last_pulled_at: time(row.last_at)?,
            })
        });
        Ok(ListImagePullsResponse {
            pulls: pulls.collect::<Result<_, Error>>()?,
            next_token,
        })
    }

    /// `BatchGetImageActivity`: who pushed images and who pulled them last. Those that are not there are
    /// left out.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::InvalidDigest`].
    pub async fn batch_get_image_activity(
        &self,
        cx: &Authorized,
        input: BatchGetImageActivityRequest,
    ) -> Result<BatchGetImageActivityResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let _ = self.write_activity().await;
        let first_day = day_of(cx.now_ms()) - RECENT_DAYS + 1;
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let mut images = Vec::with_capacity(input.image_digests.len());
        for digest in &input.image_digests {
            let digest = parse_digest(digest)?.to_string();
            let Some(image) = image::find(conn, repo.id, &digest).await? else {
                continue;
            };
            let facts = image_facts::get(conn, image.id).await?;
            let (pushed_by, pushed_by_session_name) = facts.map_or((None, None), |facts| {
                (facts.pushed_by, facts.pushed_session)
            });
            let last = pull::last(conn, repo.id, &digest).await?;
            let (last_pulled_by, last_pulled_at) = match last {
                Some((principal, at)) => (Some(principal), Some(time(at)?)),
                None => (None, None),
            };
            images.push(ImageActivity {
                pull_count: pull::count(conn, repo.id, &digest, first_day).await?,
                image_digest: digest,
                pushed_at: time(image.pushed_at)?,
                pushed_by,
                pushed_by_session_name,
                last_pulled_by,
                last_pulled_at,
            });
        }
        Ok(BatchGetImageActivityResponse { images })
    }
}

fn time(milliseconds: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(milliseconds).map_err(Error::internal)
}
