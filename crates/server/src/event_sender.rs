//! The task of a node that sends events ([`crate::webhooks`]).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::limits::WEBHOOK_TIMEOUT;
use crate::listener;
use crate::webhooks::look_once;

/// How often a node looks for events and queues.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Sends what is to be sent until the server stops; then running calls are waited for.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut running = JoinSet::new();
    let mut reachable = true;
    for look in 0_u64.. {
        let round = look_once(&app, look, &mut running, &stop).await;
        // Said once, not at each look.
        match &round {
            Err(error) if reachable => {
                let error = crate::error::chain(error);
                tracing::error!(error, "events are not sent: the database does not answer");
            }
            _ => {}
        }
        reachable = round.is_ok();
        tokio::select! {
            () = listener::stopped(&mut stop) => break,
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
        }
    }
    let ended = async { while running.join_next().await.is_some() {} };
    // What takes longer is sent again by whoever takes the lease over.
    let _ = tokio::time::timeout(WEBHOOK_TIMEOUT, ended).await;
}
