//! Hosts prove themselves by a request's input: by an invitation's code while they join, later by their
//! key.

use std::sync::Arc;

use authz::Credential;
use aws_api::berth::{ErrorCode, GetHostCredentialsRequest, JoinHostRequest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use aws_types::{AccountId, host_proof};
use jiff::Timestamp;
use policy::{PolicySet, Principal};
use store::hosts::{self, Host, Invitation};

use super::invitations::code_hash;
use super::registry::profile_and_role;
use super::{SERVICE, host_arn, invalid, resource_id};
use crate::{Caller, CallerKind, Error, Identity, RoleFacts};

/// The DER of a `SubjectPublicKeyInfo` of a P-256 key up to its uncompressed point (RFC 5480, section 2.1.1).
const P256_SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The bytes of an uncompressed point.
const P256_POINT_BYTES: usize = 65;

/// What a joining host has proven: it has the code, and the private key of its public key.
pub(super) struct Joining {
    pub(super) invitation: Invitation,
    pub(super) host_id: String,
    pub(super) public_key: Vec<u8>,
}

/// What a host has proven that asks for credentials: its key, at a time near now. That its nonce is new is
/// found out when the nonce is used.
pub(super) struct Proven {
    pub(super) host: Host,
    pub(super) nonce: String,
    /// From then on the request's time is not accepted. Milliseconds since the epoch.
    pub(super) expires_at: i64,
}

impl Identity {
    /// The caller of `JoinHost`: the holder of an invitation's code.
    ///
    /// # Errors
    /// `InvalidInvitationException` for a code that is unknown, used, over, or another host's;
    /// `InvalidParameterException` for a key or a signature.
    pub async fn joining_host(
        &self,
        input: &JoinHostRequest,
        now: Timestamp,
    ) -> Result<Arc<Caller>, Error> {
        let refused = |message: &str| Error::new(ErrorCode::InvalidInvitation, message);
        let code = input.code.expose();
        let found = {
            let mut read = self.0.store.snapshot().await?;
            hosts::find_invitation(&mut read.conn(), &code_hash(code)).await?
        };
        let invitation = found.ok_or_else(|| refused("The invitation's code is not valid."))?;
        // Who has the code may know what became of it: a host that finds it used has been robbed of it.
        if invitation.used_at.is_some() {
            return Err(refused("The invitation was used before."));
        }
        if now.as_millisecond() >= invitation.expires_at {
            return Err(refused("The invitation has expired."));
        }
        if let Some(bound) = &invitation.host_name
            && input.host_name.as_ref().map(|name| name.to_lowercase())
                != Some(bound.to_lowercase())
        {
            return Err(refused("The invitation is for a host of another name."));
        }
        let public_key = point(&input.public_key)?;
        let signed = host_proof::join(code, input.host_name.as_deref());
        if !is_signed(&public_key, signed.as_bytes(), &input.signature) {
            return Err(invalid(
                "The signature is not one of the public key over the invitation's code and the host name.",
            ));
        }
        let account: AccountId = invitation.account.parse().map_err(Error::internal)?;
        let host_id = resource_id("i-", &*self.0.entropy)?;
        let arn = host_arn(&invitation.region, &invitation.account, &host_id);
        let proof = Joining {
            invitation,
            host_id: host_id.clone(),
            public_key,
        };
        Ok(caller(account, arn, host_id, Credential::new(proof)))
    }

    /// The caller of `GetHostCredentials`: the holder of a host's key.
    ///
    /// # Errors
    /// `HostAuthenticationException` for an unknown host, another key's signature, another server's
    /// request, or a time that is not near now; `HostRevokedException`.
    pub async fn proven_host(
        &self,
        input: &GetHostCredentialsRequest,
        now: Timestamp,
    ) -> Result<Arc<Caller>, Error> {
        let refused = |message: &str| Error::new(ErrorCode::HostAuthentication, message);
        let found = {
            let mut read = self.0.store.snapshot().await?;
            hosts::find(&mut read.conn(), &input.host_id).await?
        };
        let (id, server) = (&input.host_id, &input.server_id);
        let text = host_proof::credentials(server, id, &input.timestamp, &input.nonce);
        // One answer to an unknown host and to a wrong key: a stranger does not learn which hosts exist.
        let host = found
            .filter(|host| is_signed(&host.public_key, text.as_bytes(), &input.signature))
            .ok_or_else(|| refused("The request is not signed by the key of a host."))?;
        if *server != self.0.store.id() {
            return Err(refused(
                "The request is for another server: join this one with an invitation of its own.",
            ));
        }
        let at: Timestamp = input
            .timestamp
            .parse()
            .map_err(|_| invalid("The timestamp is not a time."))?;
        let seconds = host_proof::CLOCK_SECONDS_MAX;
        if now.as_second().abs_diff(at.as_second()) > seconds.unsigned_abs() {
            return Err(refused(&format!(
                "The request's time is more than {seconds} seconds from the server's, which is {}.",
                aws_types::time::iso8601(now)
            )));
        }
        if host.revoked_at.is_some() {
            return Err(Error::new(
                ErrorCode::HostRevoked,
                format!("The host {} was revoked.", host.id),
            ));
        }
        let account: AccountId = host.account.parse().map_err(Error::internal)?;
        let arn = host_arn(&host.region, &host.account, &host.id);
        let proof = Proven {
            nonce: input.nonce.clone(),
            expires_at: (at.as_second() + seconds + 1) * 1000,
            host,
        };
        let host_id = input.host_id.clone();
        Ok(caller(account, arn, host_id, Credential::new(proof)))
    }

    /// The role that a host takes: that of the instance profile it joined with. `None` for a caller that is
    /// no host, a profile that is gone, and one without a role.
    ///
    /// # Errors
    /// The database's.
    pub async fn role_of_host(&self, caller: &Caller) -> Result<Option<Arc<RoleFacts>>, Error> {
        let joining = caller.credential.get::<Joining>();
        let proven = caller.credential.get::<Proven>();
        let profile = joining.map(|proof| &proof.invitation.profile);
        let Some(profile) = profile.or(proven.map(|proof| &proof.host.profile)) else {
            return Ok(None);
        };
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let Some((_, found)) = profile_and_role(&mut conn, profile).await? else {
            return Ok(None);
        };
        self.role_facts(&mut conn, found).await.map(Some)
    }
}

/// A host as a caller: the service principal that trust policies name. It has no policies of its own, so
/// only a role's trust policy can allow it anything.
fn caller(account: AccountId, arn: String, id: String, credential: Credential) -> Arc<Caller> {
    let principal = Principal::service(SERVICE);
    Arc::new(Caller {
        account,
        arn: arn.into(),
        user_id: id.as_str().into(),
        context: Arc::new(principal.context()),
        principal,
        kind: CallerKind::Host { id },
        access_key_id: String::new(),
        identity: Arc::new(PolicySet::default()),
        boundary: None,
        session: None,
        scope_downs: Vec::new(),
        session_info: None,
        credential,
    })
}

/// The point of a P-256 public key.
fn point(spki: &[u8]) -> Result<Vec<u8>, Error> {
    spki.strip_prefix(&P256_SPKI_PREFIX)
        // 4: uncompressed (SEC 1, section 2.3.3).
        .filter(|point| point.len() == P256_POINT_BYTES && point[0] == 4)
        .map(<[u8]>::to_vec)
        .ok_or_else(|| {
            invalid("The public key is not a P-256 key in the form of a DER SubjectPublicKeyInfo.")
        })
}

fn is_signed(public_key: &[u8], text: &[u8], signature: &[u8]) -> bool {
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public_key);
    key.verify(text, signature).is_ok()
}
