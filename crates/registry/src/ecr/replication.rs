//! Replication: its configuration, and what became of an image.

use aws_api::ecr::{
    DescribeImageReplicationStatusRequest, DescribeImageReplicationStatusResponse,
    DescribeRegistryRequest, DescribeRegistryResponse, ImageIdentifier, ImageReplicationStatus,
    PutReplicationConfigurationRequest, PutReplicationConfigurationResponse,
};
use store::ecr::{registry_setting, replication, replication_peer};

use super::listing::named;
use crate::healing;
use crate::replication_rules::{ReplicationRules, SETTING};
use crate::{Authorized, Error, Registry};

/// Statuses of one image that are shown. A configuration has 25 destinations; earlier ones leave theirs.
const STATUSES_MAX: i64 = 100;

impl Registry {
    /// `DescribeRegistry`.
    ///
    /// # Errors
    /// The store's.
    pub async fn describe_registry(
        &self,
        cx: &Authorized,
        _: DescribeRegistryRequest,
    ) -> Result<DescribeRegistryResponse, Error> {
        let facts = self.registry_facts(&cx.account, &cx.region).await?;
        Ok(DescribeRegistryResponse {
            registry_id: Some(cx.account.to_string()),
            replication_configuration: Some(facts.replication.shown()),
        })
    }

    /// `PutReplicationConfiguration`. Without rules, replication ends; what was replicated stays.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`].
    pub async fn put_replication_configuration(
        &self,
        cx: &Authorized,
        input: PutReplicationConfigurationRequest,
    ) -> Result<PutReplicationConfigurationResponse, Error> {
        let asked = input.replication_configuration;
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut tx = self.configure(cx).await?;
        let peers = replication_peer::list(&mut tx.conn(), account, region).await?;
        let is_peer = |word: &str| peers.iter().any(|peer| peer.destination == word);
        let rules = ReplicationRules::asked(asked, &cx.account, &cx.region, &is_peer)?;
        let text = rules.text()?;
        registry_setting::put(&mut tx.conn(), account, region, SETTING, &text).await?;
        // A peer may have what is damaged here.
        healing::ask(&mut tx.conn(), cx.now_ms()).await?;
        self.configured(cx, tx).await?;
        Ok(PutReplicationConfigurationResponse {
            replication_configuration: Some(rules.shown()),
        })
    }

    /// `DescribeImageReplicationStatus`.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::ImageNotFound`].
    pub async fn describe_image_replication_status(
        &self,
        cx: &Authorized,
        input: DescribeImageReplicationStatusRequest,
    ) -> Result<DescribeImageReplicationStatusResponse, Error> {
        let name = &input.repository_name;
        let repo = self.target(cx, input.registry_id.as_ref(), name).await?;
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let image = named(conn, &repo, &input.image_id).await?;
        let rows = replication::statuses(conn, image.id, STATUSES_MAX).await?;
        let status = |row: replication::Status| -> Result<ImageReplicationStatus, Error> {
            let (account, region) = row.destination.split_once(' ').unwrap_or_default();
            Ok(ImageReplicationStatus {
                region: Some(region.to_owned()),
                registry_id: Some(account.to_owned()),
                status: Some(row.status.parse().map_err(Error::internal)?),
                failure_code: row.failure_code,
            })
        };
        Ok(DescribeImageReplicationStatusResponse {
            repository_name: Some(repo.name.to_string()),
            image_id: Some(ImageIdentifier {
                image_digest: Some(image.digest),
                image_tag: input.image_id.image_tag,
            }),
            replication_statuses: Some(rows.into_iter().map(status).collect::<Result<_, _>>()?),
        })
    }
}
