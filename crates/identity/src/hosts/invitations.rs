//! `CreateHostInvitation`.

use aws_api::berth::{CreateHostInvitationRequest, CreateHostInvitationResponse, ErrorCode};
use aws_lc_rs::digest;
use aws_types::draw;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use store::hosts::{self, Invitation};
use store::iam::entity::{self, Kind};
use store::iam::instance_profile;
use zeroize::Zeroizing;

use super::tags::checked;
use super::{INVITATIONS_MAX, invalid, resource_id};
use crate::{Authorized, Error, Identity};

/// `durationSeconds` where a request names none: an hour.
const SECONDS_DEFAULT: i32 = 3_600;

/// How long an invitation is kept after its end, so that a late host is told that it is over.
const KEPT_AFTER_END: SignedDuration = SignedDuration::from_hours(24);

/// Begins every code, so that scanners for leaked secrets can find one.
const CODE_PREFIX: &str = "berth-host-";

impl Identity {
    /// `CreateHostInvitation`. That the caller may pass the profile's role was decided before.
    ///
    /// # Errors
    /// `InstanceProfileNotFoundException`, `InvalidParameterException` for a profile without a role,
    /// `LimitExceededException`, and those of tags.
    pub async fn create_host_invitation(
        &self,
        cx: &Authorized,
        input: CreateHostInvitationRequest,
    ) -> Result<CreateHostInvitationResponse, Error> {
        let account = cx.account.as_str();
        let tags = checked(input.tags.unwrap_or_default())?;
        let tags: Vec<(String, String)> =
            tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        let mut tx = self.change_hosts(account).await?;
        let mut conn = tx.conn();
        let name = &input.instance_profile_name;
        let profile = entity::find(&mut conn, account, Kind::InstanceProfile, name).await?;
        let profile = profile.ok_or_else(|| {
            Error::new(
                ErrorCode::InstanceProfileNotFound,
                format!("Instance Profile {name} cannot be found."),
            )
        })?;
        if instance_profile::role(&mut conn, profile.id)
            .await?
            .is_none()
        {
            // EC2's words for an instance that would start with such a profile.
            return Err(invalid(format!(
                "IAM Instance Profile \"{}\" has no associated IAM Roles",
                profile.arn()
            )));
        }
        let now = cx.now_ms();
        let forgotten = now.saturating_sub(milliseconds(KEPT_AFTER_END));
        hosts::forget_invitations(&mut conn, account, forgotten).await?;
        if hosts::count_invitations(&mut conn, account, now).await? >= INVITATIONS_MAX {
            return Err(Error::new(
                ErrorCode::LimitExceeded,
                format!(
                    "The account has {INVITATIONS_MAX} invitations that can be used; wait until some expire."
                ),
            ));
        }
        let entropy = &*self.0.entropy;
        let random = Zeroizing::new(draw::<32>(entropy)?);
        let code = format!("{CODE_PREFIX}{}", URL_SAFE_NO_PAD.encode(*random));
        let seconds = input.duration_seconds.unwrap_or(SECONDS_DEFAULT);
        let expires_at = now.saturating_add(i64::from(seconds) * 1000);
        let invitation = Invitation {
            id: resource_id("inv-", entropy)?,
            account: account.to_owned(),
            region: cx.region.to_string(),
            code_hash: code_hash(&code),
            profile: profile.unique_id,
            host_name: input.host_name,
            tags: serde_json::to_string(&tags).map_err(Error::internal)?,
            expires_at,
            used_at: None,
        };
        hosts::insert_invitation(&mut conn, &invitation).await?;
        tx.commit().await?;
        Ok(CreateHostInvitationResponse {
            invitation_id: invitation.id,
            code: code.into(),
            expires_at: super::time(expires_at),
        })
    }
}

/// What is stored of a code. It has 256 random bits, so nobody can guess it from a fast hash.
pub(super) fn code_hash(code: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, code.as_bytes())
        .as_ref()
        .to_vec()
}

fn milliseconds(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
