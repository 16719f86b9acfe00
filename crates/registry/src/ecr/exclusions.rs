//! Principals whose pulls do not count as the time of an image's last pull.

use aws_api::ecr::{
    DeregisterPullTimeUpdateExclusionRequest, DeregisterPullTimeUpdateExclusionResponse,
    ListPullTimeUpdateExclusionsRequest, ListPullTimeUpdateExclusionsResponse,
    RegisterPullTimeUpdateExclusionRequest, RegisterPullTimeUpdateExclusionResponse,
};
use store::ecr::pull_time_exclusion;

use super::repositories::time;
use super::token;
use crate::registry_settings::EXCLUSIONS_MAX;
use crate::{Authorized, Error, Registry};

impl Registry {
    /// `RegisterPullTimeUpdateExclusion`. The principal need not exist.
    ///
    /// # Errors
    /// [`Error::ExclusionAlreadyExists`], [`Error::LimitExceeded`].
    pub async fn register_pull_time_update_exclusion(
        &self,
        cx: &Authorized,
        input: RegisterPullTimeUpdateExclusionRequest,
    ) -> Result<RegisterPullTimeUpdateExclusionResponse, Error> {
        let principal = input.principal_arn;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let conn = &mut tx.conn();
        if !pull_time_exclusion::insert(conn, account, region, &principal, cx.now_ms()).await? {
            return Err(Error::ExclusionAlreadyExists(principal));
        }
        let one_more = EXCLUSIONS_MAX as i64 + 1;
        let all = pull_time_exclusion::list(conn, account, region, "", one_more).await?;
        if all.len() > EXCLUSIONS_MAX {
            return Err(Error::LimitExceeded {
                what: "pull time update exclusions of a registry",
                max: EXCLUSIONS_MAX as u64,
            });
        }
        self.configured(cx, tx).await?;
        Ok(RegisterPullTimeUpdateExclusionResponse {
            principal_arn: Some(principal),
            created_at: Some(time(cx.now_ms())?),
        })
    }

    /// `DeregisterPullTimeUpdateExclusion`.
    ///
    /// # Errors
    /// [`Error::ExclusionNotFound`].
    pub async fn deregister_pull_time_update_exclusion(
        &self,
        cx: &Authorized,
        input: DeregisterPullTimeUpdateExclusionRequest,
    ) -> Result<DeregisterPullTimeUpdateExclusionResponse, Error> {
        let principal = input.principal_arn;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        if !pull_time_exclusion::delete(&mut tx.conn(), account, region, &principal).await? {
            return Err(Error::ExclusionNotFound(principal));
        }
        self.configured(cx, tx).await?;
        Ok(DeregisterPullTimeUpdateExclusionResponse {
            principal_arn: Some(principal),
        })
    }

    /// `ListPullTimeUpdateExclusions`, in the order of ARNs.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a token that no answer gave.
    pub async fn list_pull_time_update_exclusions(
        &self,
        cx: &Authorized,
        input: ListPullTimeUpdateExclusionsRequest,
    ) -> Result<ListPullTimeUpdateExclusionsResponse, Error> {
        let after = token::open(input.next_token.as_ref())?;
        let n = token::page_size(input.max_results);
        let mut read = self.0.store.read().await?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let conn = &mut read.conn();
        let mut rows =
            pull_time_exclusion::list(conn, account, region, &after, token::rows(n)).await?;
        let next_token = token::cut(&mut rows, n).map(|(arn, _)| token::seal(arn));
        let arns = rows.into_iter().map(|(arn, _)| arn).collect();
        Ok(ListPullTimeUpdateExclusionsResponse {
            pull_time_update_exclusions: Some(arns),
            next_token,
        })
    }
}
