//! Peers of replication: made, listed, deleted. Secrets come sealed; this crate never sees one.

use aws_api::berth::{
    DeleteReplicationPeerRequest, DescribeReplicationPeersRequest,
    DescribeReplicationPeersResponse, ReplicationPeer,
};
use aws_api::ecr::ReplicationDestination;
use aws_types::{AccountId, Region};
use jiff::Timestamp;
use store::ecr::registry_setting;
use store::ecr::replication_peer::{self as table, PULL_TIMES_JOB, Peer};
use store::{Conn, jobs};

use crate::healing;
use crate::replication_rules::{Destination, ReplicationRules, peer_destination};
use crate::{Authorized, Error, Registry};

/// Peers of a registry: a configuration has 25 destinations.
const PEERS_MAX: usize = 25;
/// Waiting changes that are counted.
const WAITING_MAX: i64 = 10_000;

/// A peer as it is to be.
#[derive(Debug)]
pub struct NewReplicationPeer {
    /// The destination's region.
    pub region: String,
    /// The destination's account.
    pub registry_id: String,
    /// Scheme, host and port. The caller has checked it.
    pub endpoint: String,
    /// The id of the access key.
    pub access_key_id: String,
    /// Its secret, sealed; `None`: that of before.
    pub secret: Option<Vec<u8>>,
    /// Certificates in PEM. The caller has checked them.
    pub certificate_authority: Option<String>,
}

/// What became of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerDeletion {
    /// It is gone.
    Deleted,
    /// There is none.
    Missing,
    /// A replication rule names its destination.
    InUse,
}

/// The ARN of a peer.
#[must_use]
pub fn peer_arn(account: &AccountId, region: &Region, registry_id: &str, there: &str) -> String {
    format!("arn:aws:berth:{region}:{account}:replication-peer/{registry_id}/{there}")
}

impl Registry {
    /// Makes or replaces the peer of a destination. Its replicas' pull times are read soon, and what is damaged here is
    /// asked for there.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a destination that is none, and where the access key's secret is missing;
    /// [`Error::LimitExceeded`].
    pub async fn put_replication_peer(
        &self,
        cx: &Authorized,
        new: NewReplicationPeer,
    ) -> Result<ReplicationPeer, Error> {
        let destination = peer_destination(ReplicationDestination {
            region: new.region,
            registry_id: new.registry_id,
        })?;
        let (account, region, now) = (cx.account.as_str(), cx.region.as_str(), cx.now_ms());
        let mut tx = self.configure(cx).await?;
        let conn = &mut tx.conn();
        let known = table::list(conn, account, region).await?;
        let word = destination.word();
        let old = known.iter().find(|peer| peer.destination == word);
        if old.is_none() && known.len() >= PEERS_MAX {
            return Err(Error::LimitExceeded {
                what: "replication peers of a registry",
                max: PEERS_MAX as u64,
            });
        }
        // Nobody sends the secret of another's key where it was not meant for.
        let same_key = old
            .filter(|old| old.access_key_id == new.access_key_id && old.endpoint == new.endpoint);
        let secret = new
            .secret
            .or_else(|| same_key.map(|old| old.secret.clone()));
        let secret = secret.ok_or_else(|| {
            Error::parameter(
                "secretAccessKey",
                "must be given for a new access key or endpoint",
            )
        })?;
        let peer = Peer {
            account: account.to_owned(),
            region: region.to_owned(),
            destination: word,
            endpoint: new.endpoint,
            access_key_id: new.access_key_id,
            secret,
            certificate_authority: new.certificate_authority,
            created_at: old.map_or(now, |old| old.created_at),
            updated_at: now,
            last_success_at: None,
            last_failure_at: None,
            last_failure: None,
        };
        table::put(conn, &peer).await?;
        let subject = format!("{account} {region} {}", peer.destination);
        jobs::put(conn, PULL_TIMES_JOB, &subject, "", now).await?;
        healing::ask(conn, now).await?;
        let answer = shown(conn, cx, peer).await?;
        self.configured(cx, tx).await?;
        Ok(answer)
    }

    /// `DescribeReplicationPeers`.
    ///
    /// # Errors
    /// The store's.
    pub async fn describe_replication_peers(
        &self,
        cx: &Authorized,
        _: DescribeReplicationPeersRequest,
    ) -> Result<DescribeReplicationPeersResponse, Error> {
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let mut replication_peers = Vec::new();
        for peer in table::list(conn, account, region).await? {
            replication_peers.push(shown(conn, cx, peer).await?);
        }
        Ok(DescribeReplicationPeersResponse { replication_peers })
    }

    /// Deletes the peer of a destination that no rule names: changes would be repeated inside this server then.
    ///
    /// # Errors
    /// The store's.
    pub async fn delete_replication_peer(
        &self,
        cx: &Authorized,
        input: &DeleteReplicationPeerRequest,
    ) -> Result<PeerDeletion, Error> {
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let word = Destination {
            account: input.registry_id.clone(),
            region: input.region.clone(),
        };
        let word = word.word();
        let mut tx = self.configure(cx).await?;
        let conn = &mut tx.conn();
        let settings = registry_setting::list(conn, account, region).await?;
        if ReplicationRules::stored(&settings)?.has_destination(&word) {
            return Ok(match table::find(conn, account, region, &word).await? {
                Some(_) => PeerDeletion::InUse,
                None => PeerDeletion::Missing,
            });
        }
        if !table::delete(conn, account, region, &word).await? {
            return Ok(PeerDeletion::Missing);
        }
        self.configured(cx, tx).await?;
        Ok(PeerDeletion::Deleted)
    }
}

/// Whole seconds: some SDKs refuse long fractions.
fn time(at: i64) -> Result<Timestamp, Error> {
    Timestamp::from_second(at.div_euclid(1_000)).map_err(Error::internal)
}

async fn shown(conn: &mut Conn<'_>, cx: &Authorized, peer: Peer) -> Result<ReplicationPeer, Error> {
    let source = (&*peer.account, &*peer.region, &*peer.destination);
    let waiting_count = table::waiting(conn, source, WAITING_MAX).await?;
    let (registry_id, region) = peer.destination.split_once(' ').unwrap_or_default();
    Ok(ReplicationPeer {
        peer_arn: peer_arn(&cx.account, &cx.region, registry_id, region),
        region: region.to_owned(),
        registry_id: registry_id.to_owned(),
        endpoint: peer.endpoint,
        access_key_id: peer.access_key_id,
        certificate_authority: peer.certificate_authority,
        created_at: time(peer.created_at)?,
        updated_at: time(peer.updated_at)?,
        last_success_at: peer.last_success_at.map(time).transpose()?,
        last_failure_at: peer.last_failure_at.map(time).transpose()?,
        last_failure: peer.last_failure,
        waiting_count,
    })
}
