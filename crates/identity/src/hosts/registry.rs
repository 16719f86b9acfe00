//! The hosts of an account: list, describe, revoke; and whether a host still has its role.

use aws_api::berth::{
    DescribeHostRequest, DescribeHostResponse, Host, HostStatus, ListHostsRequest,
    ListHostsResponse, RevokeHostRequest, RevokeHostResponse,
};
use aws_types::{AccountId, Region};
use store::iam::entity::{self, Entity, Kind};
use store::iam::instance_profile;
use store::{Conn, hosts};

use super::tags::views;
use super::{host_arn, invalid, not_found, time};
use crate::paging::Page;
use crate::{Authorized, Error, Identity};

impl Identity {
    /// `ListHosts`: the hosts of the account in the request's region, revoked ones included.
    ///
    /// # Errors
    /// `InvalidParameterException` for a token.
    pub async fn list_hosts(
        &self,
        cx: &Authorized,
        input: ListHostsRequest,
    ) -> Result<ListHostsResponse, Error> {
        let page = Page::new(input.max_results, input.next_token.as_deref());
        let page = page.map_err(|_| invalid("The nextToken is not valid."))?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let (account, region) = (cx.account.as_str(), cx.region.as_str());
        let rows = hosts::list(&mut conn, account, region, &page.after, page.rows()).await?;
        let cut = page.cut(rows, |host| host.id.clone());
        Ok(ListHostsResponse {
            hosts: cut.items.into_iter().map(view).collect(),
            next_token: cut.marker,
        })
    }

    /// `DescribeHost`.
    ///
    /// # Errors
    /// `HostNotFoundException`.
    pub async fn describe_host(
        &self,
        cx: &Authorized,
        input: DescribeHostRequest,
    ) -> Result<DescribeHostResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let host = own_host(&mut conn, cx, &input.host_id).await?;
        let tags = hosts::tags(&mut conn, &host.id).await?;
        Ok(DescribeHostResponse {
            host: view(host),
            tags: Some(views(tags)),
        })
    }

    /// `RevokeHost`. A host that is revoked stays so; revoking it again changes nothing.
    ///
    /// # Errors
    /// `HostNotFoundException`.
    pub async fn revoke_host(
        &self,
        cx: &Authorized,
        input: RevokeHostRequest,
    ) -> Result<RevokeHostResponse, Error> {
        let mut tx = self.change_hosts(cx.account.as_str()).await?;
        let mut conn = tx.conn();
        let host = own_host(&mut conn, cx, &input.host_id).await?;
        hosts::revoke(&mut conn, &host.id, cx.now_ms()).await?;
        let host = own_host(&mut conn, cx, &input.host_id).await?;
        tx.commit().await?;
        Ok(RevokeHostResponse { host: view(host) })
    }

    /// The tags of a host that is a resource; `None` where the account has no such host in the region.
    ///
    /// # Errors
    /// The database's.
    pub async fn host_tags(
        &self,
        account: AccountId,
        region: &Region,
        id: &str,
    ) -> Result<Option<Vec<(String, String)>>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let found = hosts::find(&mut conn, id).await?;
        let found =
            found.filter(|host| host.account == account.as_str() && host.region == region.as_str());
        match found {
            Some(host) => Ok(Some(hosts::tags(&mut conn, &host.id).await?)),
            None => Ok(None),
        }
    }

    /// The role of an instance profile that is named by the caller; `None` where either is missing.
    ///
    /// # Errors
    /// The database's.
    pub async fn role_arn_of_profile(
        &self,
        account: AccountId,
        name: &str,
    ) -> Result<Option<String>, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let kind = Kind::InstanceProfile;
        let Some(profile) = entity::find(&mut conn, account.as_str(), kind, name).await? else {
            return Ok(None);
        };
        let role = instance_profile::role(&mut conn, profile.id).await?;
        Ok(role.map(|role| role.arn()))
    }
}

/// The host of the caller's account and region.
pub(super) async fn own_host(
    conn: &mut Conn<'_>,
    cx: &Authorized,
    id: &str,
) -> Result<hosts::Host, Error> {
    let found = hosts::find(conn, id).await?;
    found
        .filter(|host| host.account == cx.account.as_str() && host.region == cx.region.as_str())
        .ok_or_else(|| not_found(id))
}

/// An instance profile by its unique id, with its role.
pub(super) async fn profile_and_role(
    conn: &mut Conn<'_>,
    profile: &str,
) -> Result<Option<(Entity, Entity)>, Error> {
    let found = entity::find_by_unique_id(conn, profile).await?;
    let Some(profile) = found.filter(|found| found.kind == Kind::InstanceProfile) else {
        return Ok(None);
    };
    let role = instance_profile::role(conn, profile.id).await?;
    Ok(role.map(|role| (profile, role)))
}

/// Whether the host may use sessions of the role now: it is not revoked, and its profile holds the role.
pub(crate) async fn is_entitled(
    conn: &mut Conn<'_>,
    host: &str,
    role: &Entity,
) -> Result<bool, Error> {
    let found = hosts::find(conn, host).await?;
    let Some(host) = found.filter(|host| host.revoked_at.is_none()) else {
        return Ok(false);
    };
    let held = profile_and_role(conn, &host.profile).await?;
    Ok(held.is_some_and(|(_, held)| held.id == role.id))
}

fn view(host: hosts::Host) -> Host {
    Host {
        host_arn: host_arn(&host.region, &host.account, &host.id),
        host_id: host.id,
        host_name: host.name,
        instance_profile_arn: Some(host.profile_arn),
        status: match host.revoked_at {
            None => HostStatus::Active,
            Some(_) => HostStatus::Revoked,
        },
        joined_at: Some(time(host.joined_at)),
        last_seen_at: host.last_seen_at.map(time),
        revoked_at: host.revoked_at.map(time),
    }
}
