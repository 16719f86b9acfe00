//! `JoinHost`.

use aws_api::berth::{ErrorCode, JoinHostRequest, JoinHostResponse};
use jiff::SignedDuration;
use store::hosts::{self, Host};

use super::proof::Joining;
use super::registry::profile_and_role;
use super::{HOSTS_MAX, host_arn};
use crate::{Authorized, Error, Identity};

/// How long a revoked host is listed.
const REVOKED_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Identity {
    /// `JoinHost`: uses the invitation and registers the host's key.
    ///
    /// # Errors
    /// `InvalidInvitationException` when another host was faster, or when the profile is gone;
    /// `LimitExceededException`.
    pub async fn join_host(
        &self,
        cx: &Authorized,
        input: JoinHostRequest,
    ) -> Result<JoinHostResponse, Error> {
        let proof = cx.caller.credential.get::<Joining>();
        let proof =
            proof.ok_or_else(|| Error::internal("the caller has not proven an invitation"))?;
        let invitation = &proof.invitation;
        let account = invitation.account.as_str();
        let mut tx = self.change_hosts(account).await?;
        let mut conn = tx.conn();
        let now = cx.now_ms();
        // Of two hosts with one code, one is told so here.
        if !hosts::use_invitation(&mut conn, &invitation.id, now).await? {
            return Err(Error::new(
                ErrorCode::InvalidInvitation,
                "The invitation was used before.",
            ));
        }
        let (profile, role) = profile_and_role(&mut conn, &invitation.profile)
            .await?
            .ok_or_else(super::no_role)?;
        if !cx.resource().is(&role.unique_id) {
            return Err(super::no_role());
        }
        let kept = i64::try_from(REVOKED_KEPT.as_millis()).unwrap_or(i64::MAX);
        hosts::forget_revoked(&mut conn, account, now.saturating_sub(kept)).await?;
        if hosts::count_active(&mut conn, account).await? >= HOSTS_MAX {
            return Err(Error::new(
                ErrorCode::LimitExceeded,
                format!("The account has {HOSTS_MAX} hosts; revoke those that are not used."),
            ));
        }
        let host = Host {
            id: proof.host_id.clone(),
            account: account.to_owned(),
            region: invitation.region.clone(),
            name: input.host_name,
            profile: profile.unique_id.clone(),
            profile_arn: profile.arn(),
            public_key: proof.public_key.clone(),
            joined_at: now,
            last_seen_at: None,
            revoked_at: None,
        };
        hosts::insert(&mut conn, &host).await?;
        let tags: Vec<(String, String)> =
            serde_json::from_str(&invitation.tags).map_err(Error::internal)?;
        for (key, value) in &tags {
            hosts::put_tag(&mut conn, &host.id, key, value).await?;
        }
        tx.commit().await?;
        Ok(JoinHostResponse {
            host_arn: host_arn(&host.region, account, &host.id),
            host_id: host.id,
            server_id: self.0.store.id().to_owned(),
            account_id: host.account,
            region: host.region,
            instance_profile_arn: host.profile_arn,
        })
    }
}
