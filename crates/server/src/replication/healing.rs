//! Fetches what is damaged here from the peers that it was replicated to: from the first one that has it.

use std::sync::Arc;

use authz::ServiceName;
use jiff::SignedDuration;
use jobs::{BoxError, Outcome};
use registry::{DamageWalk, Damaged, DamagedContent, Healed, ReplicationPeerRow as Peer};
use transfer::{Descriptor, Reference, Source as _};

use super::WHILE_READ_ONLY;
use super::peers::{self, PeerCalls};
use crate::app::App;
use crate::error;

/// When a peer is asked again that did not answer, or whose turns were taken.
const WHEN_AWAY: SignedDuration = SignedDuration::from_mins(1);
/// When all peers are asked again that do not have what is damaged, or may not be asked for it.
const WHEN_LEFT: SignedDuration = SignedDuration::from_hours(1);

/// Why a peer did not help.
enum Unhelped {
    /// It may later: it did not answer, or its turns were taken.
    Away(String),
    /// It refuses, does not have it, or sends something else.
    Refused(String),
}

/// Asks for everything that is damaged and was replicated.
pub(crate) async fn run(app: &Arc<App>, service: ServiceName) -> Result<Outcome, BoxError> {
    let registry = &app.registry;
    if registry.server_mode().await?.enabled {
        return Ok(Outcome::Again(WHILE_READ_ONLY));
    }
    let (mut walk, mut again) = (DamageWalk::default(), None);
    while let Some((page, next)) = registry.damaged_after(service, &walk).await? {
        for of in &page {
            if let Some(pause) = heal(app, service, of).await? {
                let shortest = again.map_or(pause, |other: SignedDuration| other.min(pause));
                again = Some(shortest);
            }
        }
        walk = next;
    }
    Ok(again.map_or(Outcome::Done, Outcome::Again))
}

/// Asks each peer until it is whole; when to ask again, where none helped.
async fn heal(
    app: &Arc<App>,
    service: ServiceName,
    of: &Damaged,
) -> Result<Option<SignedDuration>, BoxError> {
    let mut again = WHEN_LEFT;
    for peer in &of.peers {
        if !app.registry.is_damaged(service, of).await? {
            return Ok(None);
        }
        let why = match ask(app, service, of, peer).await {
            Ok(()) => return Ok(None),
            Err(Unhelped::Away(why)) => {
                again = WHEN_AWAY;
                why
            }
            Err(Unhelped::Refused(why)) => why,
        };
        tracing::warn!(repository = %of.repository.arn, digest = %of.digest, peer = peer.endpoint, why,
            "a peer did not heal what is damaged");
    }
    Ok(Some(again))
}

async fn ask(
    app: &Arc<App>,
    service: ServiceName,
    of: &Damaged,
    peer: &Peer,
) -> Result<(), Unhelped> {
    let turn = app.peer_turns.take(peers::turn_key(peer));
    let _turn = turn.ok_or_else(|| Unhelped::Away("other work is being done there".to_owned()))?;
    let calls = peers::calls(app, peer).await.map_err(Unhelped::Refused)?;
    let (app, of, peer) = (Arc::clone(app), of.clone(), peer.clone());
    let fetching =
        peers::apart(move || async move { fetch(&app, service, &of, &peer, calls).await });
    let ended = || Err(Unhelped::Away("it was ended".to_owned()));
    fetching.await.unwrap_or_else(ended)
}

async fn fetch(
    app: &App,
    service: ServiceName,
    of: &Damaged,
    peer: &Peer,
    calls: Arc<PeerCalls>,
) -> Result<(), Unhelped> {
    let (account, _) = peer.destination.split_once(' ').unwrap_or_default();
    let http = calls.http.clone();
    let from = transfer::ecr::registry(calls, http, Some(account.to_owned()));
    let from = from.await.map_err(remote)?;
    let (registry, name) = (&app.registry, &*of.repository.name);
    let missing = || Unhelped::Refused("it does not have it".to_owned());
    let healed = match of.content {
        DamagedContent::Layer { size } => {
            let layer = Descriptor {
                media_type: String::new(),
                digest: of.digest,
                size,
                foreign: false,
            };
            let bytes = from.blob(name, &layer).await.map_err(remote)?;
            let bytes = bytes.ok_or_else(missing)?;
            registry
                .heal_layer(service, of, peer, bytes, app.now())
                .await
        }
        DamagedContent::Manifest { .. } => {
            let manifest = from.manifest(name, &Reference::Digest(of.digest)).await;
            let manifest = manifest.map_err(remote)?.ok_or_else(missing)?;
            let bytes = &manifest.bytes;
            registry
                .heal_manifest(service, of, peer, bytes, app.now())
                .await
        }
    };
    match healed {
        Ok(Healed::Whole) => Ok(()),
        Ok(Healed::OtherBytes) => Err(Unhelped::Refused("it sent other bytes".to_owned())),
        // Of a cut within the layer, or of this server.
        Err(error) => Err(Unhelped::Away(error::chain(&error))),
    }
}

fn remote(error: transfer::Error) -> Unhelped {
    let why = error.chain();
    match error {
        transfer::Error::Remote {
            transient: true, ..
        } => Unhelped::Away(why),
        _ => Unhelped::Refused(why),
    }
}
