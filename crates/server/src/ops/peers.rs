//! The operations on peers of replication: secrets are sealed here, and URLs are held against the rule of all calls
//! that the server makes.

use authz::{Requirements, ResourceSelector, require};
use aws_api::berth;
use registry::{NewReplicationPeer, PeerDeletion};

use crate::app::App;
use crate::authorize::Authorized;
use crate::error::ApiError;
use crate::outbound::OutboundSettings;
use crate::peer_secret;

/// The peer of a destination of the caller's registry.
pub(super) fn peer(registry_id: &str, region: &str) -> Requirements {
    require(ResourceSelector::ReplicationPeer {
        registry_id: registry_id.to_owned(),
        region: region.to_owned(),
    })
}

fn invalid(at: &'static str, constraint: impl std::fmt::Display) -> ApiError {
    registry::Error::parameter(at, constraint.to_string()).into()
}

/// `PutReplicationPeer`.
pub(super) async fn put_replication_peer(
    app: &App,
    ok: Authorized<berth::PutReplicationPeerRequest>,
) -> Result<berth::PutReplicationPeerResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    let endpoint = input.endpoint.trim_end_matches('/').to_owned();
    let checked = app.outbound.upstreams().check_url(&endpoint);
    checked.map_err(|error| {
        invalid(
            "endpoint",
            format_args!("must be a URL that may be called: {error}"),
        )
    })?;
    let is_origin = endpoint
        .split_once("://")
        .is_some_and(|(_, rest)| !rest.is_empty() && !rest.contains(['/', '?', '#']));
    if !is_origin {
        return Err(invalid("endpoint", "must be scheme, host and port alone"));
    }
    if let Some(pem) = &input.certificate_authority {
        OutboundSettings::certificates(pem.as_bytes())
            .map_err(|error| invalid("certificateAuthority", error))?;
    }
    let secret = match &input.secret_access_key {
        None => None,
        Some(secret) => {
            let registry = (proof.account.as_str(), proof.region.as_str());
            let key = &input.access_key_id;
            Some(peer_secret::seal(app, registry, key, secret.expose())?)
        }
    };
    let new = NewReplicationPeer {
        region: input.region,
        registry_id: input.registry_id,
        endpoint,
        access_key_id: input.access_key_id,
        secret,
        certificate_authority: input.certificate_authority,
    };
    Ok(berth::PutReplicationPeerResponse {
        replication_peer: app.registry.put_replication_peer(&proof, new).await?,
    })
}

/// `DeleteReplicationPeer`.
pub(super) async fn delete_replication_peer(
    app: &App,
    ok: Authorized<berth::DeleteReplicationPeerRequest>,
) -> Result<berth::DeleteReplicationPeerResponse, ApiError> {
    let (proof, input) = ok.into_parts();
    let of = format!(
        "the registry with id '{}' in the Region '{}'",
        input.registry_id, input.region
    );
    let error = match app.registry.delete_replication_peer(&proof, &input).await? {
        PeerDeletion::Deleted => return Ok(berth::DeleteReplicationPeerResponse {}),
        PeerDeletion::Missing => berth::ErrorCode::ReplicationPeerNotFound
            .with(format!("There is no replication peer for {of}")),
        PeerDeletion::InUse => berth::ErrorCode::ReplicationPeerInUse.with(format!(
            "The replication configuration names {of}. Remove it from the rules first"
        )),
    };
    Err(ApiError::Wire(error))
}
