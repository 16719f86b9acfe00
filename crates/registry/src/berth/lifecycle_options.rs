//! What Berth adds to lifecycle policies.

use aws_api::berth::{
    GetLifecycleOptionsRequest, GetLifecycleOptionsResponse, LifecycleOptions,
    PutLifecycleOptionsRequest, PutLifecycleOptionsResponse,
};
use store::ecr::{lifecycle, repository};

use crate::lifecycle::Pattern;
use crate::{Authorized, Error, Registry};

impl Registry {
    /// `GetLifecycleOptions`.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`].
    pub async fn get_lifecycle_options(
        &self,
        cx: &Authorized,
        input: GetLifecycleOptionsRequest,
    ) -> Result<GetLifecycleOptionsResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let mut read = self.0.store.read().await?;
        let row = lifecycle::options(&mut read.conn(), repo.id).await?;
        Ok(GetLifecycleOptionsResponse {
            repository_name: repo.name.to_string(),
            options: shown(row)?,
        })
    }

    /// `PutLifecycleOptions`: all options of a repository; what is left out is off.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::InvalidParameter`] for a pattern with too many wildcards.
    pub async fn put_lifecycle_options(
        &self,
        cx: &Authorized,
        input: PutLifecycleOptionsRequest,
    ) -> Result<PutLifecycleOptionsResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let patterns = input.protected_tag_patterns.unwrap_or_default();
        // They are stored a line each; no tag has a line feed.
        let is_valid = |text: &String| Pattern::new(text).is_some() && !text.contains(['\n', '\r']);
        if !patterns.iter().all(is_valid) {
            return Err(Error::parameter(
                "protectedTagPatterns",
                "must have at most four * in a pattern, and no line feed",
            ));
        }
        let row = lifecycle::Options {
            pulled_within_days: input.pulled_within_days.map(Into::into),
            protected_tag_patterns: patterns.join("\n"),
            dry_run: input.dry_run.unwrap_or(false),
        };
        let mut tx = self.write(repo.id).await?;
        let conn = &mut tx.conn();
        if repository::get(conn, repo.id).await?.is_none() {
            return Err(Error::RepositoryNotFound(repo.place()));
        }
        lifecycle::put_options(conn, repo.id, &row).await?;
        lifecycle::request_run(conn, repo.id, cx.now_ms()).await?;
        tx.commit().await?;
        Ok(PutLifecycleOptionsResponse {
            repository_name: repo.name.to_string(),
            options: shown(row)?,
        })
    }
}

fn shown(row: lifecycle::Options) -> Result<LifecycleOptions, Error> {
    let days = row.pulled_within_days.map(i32::try_from).transpose();
    let patterns = row.protected_tag_patterns.lines().map(str::to_owned);
    Ok(LifecycleOptions {
        pulled_within_days: days.map_err(Error::internal)?,
        protected_tag_patterns: patterns.collect(),
        dry_run: row.dry_run,
    })
}
