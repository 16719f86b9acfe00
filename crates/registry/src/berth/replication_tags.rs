//! Which tags are replicated to a destination: beyond Amazon ECR, off by default.

use aws_api::berth::{
    DescribeReplicationTagFiltersRequest, DescribeReplicationTagFiltersResponse,
    PutReplicationTagFilterRequest, PutReplicationTagFilterResponse, ReplicationTagFilter,
};
use aws_api::ecr::ReplicationDestination;
use store::ecr::registry_setting;

use crate::replication_rules::{ReplicationRules, TAGS_SETTING, TagFilter, peer_destination};
use crate::{Authorized, Error, Registry};

/// Destinations with a limit: a configuration has 25.
const FILTERS_MAX: usize = 25;

impl Registry {
    /// `PutReplicationTagFilter`: of a destination, also of one that no rule names yet. Without patterns there is no
    /// limit.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`], [`Error::LimitExceeded`].
    pub async fn put_replication_tag_filter(
        &self,
        cx: &Authorized,
        input: PutReplicationTagFilterRequest,
    ) -> Result<PutReplicationTagFilterResponse, Error> {
        let destination = peer_destination(ReplicationDestination {
            region: input.region,
            registry_id: input.registry_id,
        })?;
        let filter = TagFilter::asked(&destination, input.tag_pattern_list)?;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let conn = &mut tx.conn();
        let rows = registry_setting::list(conn, account, region).await?;
        let mut filters = ReplicationRules::stored(&rows)?.filters;
        filters.retain(|one| one.destination != filter.destination);
        let answer = shown(&filter);
        if !filter.patterns.is_empty() {
            filters.push(filter);
        }
        if filters.len() > FILTERS_MAX {
            return Err(Error::LimitExceeded {
                what: "replication destinations with a limit by tags",
                max: FILTERS_MAX as u64,
            });
        }
        filters.sort_by(|a, b| a.destination.cmp(&b.destination));
        let text = serde_json::to_string(&filters).map_err(Error::internal)?;
        registry_setting::put(conn, account, region, TAGS_SETTING, &text).await?;
        self.configured(cx, tx).await?;
        Ok(PutReplicationTagFilterResponse { tag_filter: answer })
    }

    /// `DescribeReplicationTagFilters`.
    ///
    /// # Errors
    /// The store's.
    pub async fn describe_replication_tag_filters(
        &self,
        cx: &Authorized,
        _: DescribeReplicationTagFiltersRequest,
    ) -> Result<DescribeReplicationTagFiltersResponse, Error> {
        let facts = self.registry_facts(&cx.account, &cx.region).await?;
        let tag_filters = facts.replication.filters.iter().map(shown).collect();
        Ok(DescribeReplicationTagFiltersResponse { tag_filters })
    }
}

fn shown(filter: &TagFilter) -> ReplicationTagFilter {
    let (registry_id, region) = filter.destination.split_once(' ').unwrap_or_default();
    ReplicationTagFilter {
        region: region.to_owned(),
        registry_id: registry_id.to_owned(),
        tag_pattern_list: filter.patterns.clone(),
    }
}
