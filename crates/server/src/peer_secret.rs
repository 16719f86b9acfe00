//! The secrets of the access keys that are used at peers of replication: sealed under the key ring.

use registry::ReplicationPeerRow as Peer;
use zeroize::Zeroizing;

use crate::app::App;
use crate::error::ApiError;

/// What is sealed under the key ring.
const PURPOSE: &str = "replication-peer-secret";

/// Which peer a sealed secret belongs to, and where it may be sent: no row's secret serves another, and nobody who can
/// write rows sends it elsewhere.
fn owner(account: &str, region: &str, access_key_id: &str) -> String {
    format!("{account} {region} {access_key_id}\n")
}

pub(crate) fn seal(
    app: &App,
    (account, region): (&str, &str),
    access_key_id: &str,
    secret: &str,
) -> Result<Vec<u8>, ApiError> {
    let owner = owner(account, region, access_key_id);
    let text = Zeroizing::new(format!("{owner}{secret}"));
    Ok(app.identity.sealer().seal_bytes(PURPOSE, text.as_bytes())?)
}

/// Opens what [`seal`] made for the same access key.
pub(crate) async fn open(app: &App, peer: &Peer) -> Result<Zeroizing<String>, String> {
    let sealer = app.identity.sealer();
    let unreadable = || "the secret of the peer's access key cannot be opened".to_owned();
    let opened = sealer.open_bytes(PURPOSE, &peer.secret).await;
    let opened = opened.map_err(|_| unreadable())?;
    let text = std::str::from_utf8(&opened).map_err(|_| unreadable())?;
    let owner = owner(&peer.account, &peer.region, &peer.access_key_id);
    let secret = text.strip_prefix(owner.as_str()).ok_or_else(unreadable)?;
    Ok(Zeroizing::new(secret.to_owned()))
}
