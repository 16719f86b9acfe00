//! `GetHostCredentials`.

use aws_api::berth::{
    ErrorCode, GetHostCredentialsRequest, GetHostCredentialsResponse, HostCredentials,
};
use store::hosts;
use store::iam::role;

use super::proof::Proven;
use super::registry::profile_and_role;
use crate::session::{SessionKey, Who};
use crate::{Authorized, Error, Identity};

/// The sessions of hosts last an hour: long enough that a host outlives a restart of the server, short
/// enough that a stolen session is of little use. AWS's last six.
const SECONDS: i64 = 3_600;

/// Requests of a host within the time in which a signature is accepted. The agent sends one for each half
/// of a session; `credential_process` one a call.
const NONCES_MAX: i64 = 500;

impl Identity {
    /// `GetHostCredentials`: a session of the role of the host's instance profile. That the role trusts
    /// the service `ec2.amazonaws.com` was decided before.
    ///
    /// # Errors
    /// `HostAuthenticationException` for a request that was sent before; `HostRevokedException`;
    /// `LimitExceededException` for too many requests.
    pub async fn get_host_credentials(
        &self,
        cx: &Authorized,
        _input: GetHostCredentialsRequest,
    ) -> Result<GetHostCredentialsResponse, Error> {
        let proof = cx.caller.credential.get::<Proven>();
        let proof =
            proof.ok_or_else(|| Error::internal("the caller has not proven a host's key"))?;
        let host = &proof.host;
        // No topic is touched: a nonce and the time of last use change no decision.
        let scope = store::Scope::Account(&host.account);
        let mut tx = self.0.store.write(scope).await?;
        let mut conn = tx.conn();
        let now = cx.now_ms();
        let new =
            hosts::use_nonce(&mut conn, &host.id, &proof.nonce, proof.expires_at, now).await?;
        if !new {
            return Err(Error::new(
                ErrorCode::HostAuthentication,
                "The request was sent before.",
            ));
        }
        if hosts::count_nonces(&mut conn, &host.id).await? > NONCES_MAX {
            return Err(Error::new(
                ErrorCode::LimitExceeded,
                "The host asks for credentials too often; use those that it has.",
            ));
        }
        // Again, in the transaction that issues: it may have been revoked meanwhile.
        let current = hosts::find(&mut conn, &host.id).await?;
        if current.is_none_or(|host| host.revoked_at.is_some()) {
            return Err(Error::new(
                ErrorCode::HostRevoked,
                format!("The host {} was revoked.", host.id),
            ));
        }
        let (profile, entity) = profile_and_role(&mut conn, &host.profile)
            .await?
            // Another role of the profile has another trust policy, which nobody asked.
            .filter(|(_, role)| cx.resource().is(&role.unique_id))
            .ok_or_else(super::no_role)?;
        let max = role::get(&mut conn, entity.id).await?.max_session_seconds;
        hosts::set_last_seen(&mut conn, &host.id, now).await?;
        let account = cx.caller.account;
        let who = Who::Role(entity.unique_id.clone(), host.id.clone());
        let mut session = self.new_session(cx, account, who, SECONDS.min(max))?;
        session.host = Some(host.id.clone());
        let (region, id) = (&host.region, &host.id);
        session.keys = vec![
            // UG reference_policies_condition-keys, `ec2:SourceInstanceARN` and `ec2:RoleDelivery`: 2.0 is
            // IMDSv2, and there is no other version here.
            SessionKey::One(
                "ec2:SourceInstanceARN".to_owned(),
                format!("arn:aws:ec2:{region}:{account}:instance/{id}"),
            ),
            SessionKey::One("ec2:RoleDelivery".to_owned(), "2.0".to_owned()),
        ];
        let (credentials, _) = self.credentials(&session)?;
        tx.commit().await?;
        Ok(GetHostCredentialsResponse {
            credentials: HostCredentials {
                access_key_id: credentials.access_key_id,
                secret_access_key: credentials.secret_access_key,
                session_token: credentials.session_token,
                expiration: credentials.expiration,
            },
            role_arn: entity.arn(),
            role_name: entity.name,
            instance_profile_arn: profile.arn(),
            instance_profile_id: profile.unique_id,
        })
    }
}
