//! Replication to another Berth: over the network, as a client of its registry and of its ECR API.
//!
//! A turn does what is due from one repository to one peer. It logs in, and for each image asks for each blob, sends
//! those that are missing as streams, then the manifests, those of a list before it, then the tags. What a cut left
//! there is found there by the next attempt. Every wait is bounded, the transfer as a whole is not: a slow peer takes
//! long, one that stands still fails. A peer has a share of the turns, so that it holds up no other.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use authz::ServiceName;
use aws_api::Op;
use aws_api::ecr::{
    BatchDeleteImageRequest, DescribeImagesFilter, DescribeImagesRequest, ImageFailureCode,
    ImageIdentifier, ImageStatusFilter, ops,
};
use client::{AwsClient, CallError, Credentials, Http, TlsOptions};
use jiff::SignedDuration;
use jobs::{BoxError, Outcome};
use registry::{
    ReplicaPull, ReplicationChange, ReplicationFailure, ReplicationPeerRow as Peer,
    ReplicationTask, ReplicationWork,
};
use tokio::sync::oneshot;
use transfer::ecr::Calls;
use transfer::{Image, Progress};

use super::WHILE_READ_ONLY;
use super::stored::Stored;
use crate::app::App;
use crate::clock::Clock;
use crate::outbound::OutboundSettings;
use crate::{error, peer_secret};

/// When a job is looked at again that found its peer's turns taken.
const WHEN_BUSY: SignedDuration = SignedDuration::from_secs(2);
/// After this time a turn takes no other image.
const TURN_TIME: Duration = Duration::from_secs(30);
/// How long nothing is sent to a peer that does not answer.
const WHEN_AWAY: SignedDuration = SignedDuration::from_secs(15);
/// Blobs of an image on their way at once.
const BLOBS_AT_ONCE: usize = 2;
/// How often the pull times of replicas are read.
const PULL_TIMES_INTERVAL: SignedDuration = SignedDuration::from_mins(15);
/// Images of one answer of the peer (ECR API, `DescribeImages`).
const IMAGES_AT_ONCE: i32 = 1_000;

/// The code of a failure of this server, inside a copy.
pub(super) const OWN_FAILURE: &str = "berth-own-failure";

/// Signed calls of a peer's ECR API.
pub(super) struct PeerCalls {
    pub(super) http: Http,
    endpoint: String,
    region: String,
    credentials: Credentials,
    clock: Clock,
}

impl Calls for PeerCalls {
    async fn call<O: Op>(&self, input: &O::Input) -> Result<O::Output, CallError>
    where
        O::Input: Sync,
    {
        let aws = AwsClient {
            http: &self.http,
            endpoint: &self.endpoint,
            region: &self.region,
            credentials: &self.credentials,
        };
        aws.call::<O>(input, (self.clock)()).await
    }
}

/// Nobody watches.
struct Unwatched;

impl Progress for Unwatched {
    fn expected(&self, _: u64) {}
    fn passed(&self, _: u64) {}
    fn outcome(&self, _: &transfer::Outcome) {}
}

/// Does what is due from a repository to a peer.
pub(crate) async fn run(
    app: &Arc<App>,
    service: ServiceName,
    subject: &str,
) -> Result<Outcome, BoxError> {
    let (registry, began) = (&app.registry, Instant::now());
    let mut turn = None;
    loop {
        let work = registry
            .replication_work(service, subject, app.now())
            .await?;
        let Some(work) = work else {
            return Ok(Outcome::Done);
        };
        let Some(peer) = &work.peer else {
            registry
                .request_replication(service, subject, false, app.now())
                .await?;
            return Ok(Outcome::Done);
        };
        if work.tasks.is_empty() {
            return Ok(work.next.map_or(Outcome::Done, Outcome::Again));
        }
        if registry.server_mode().await?.enabled {
            return Ok(Outcome::Again(WHILE_READ_ONLY));
        }
        if turn.is_none() {
            turn = app.peer_turns.take(turn_key(peer));
        }
        if turn.is_none() {
            return Ok(Outcome::Again(WHEN_BUSY));
        }
        let calls = calls(app, peer).await;
        for task in &work.tasks {
            let done = match &calls {
                Ok(calls) => repeat(app, service, calls, &work, task).await,
                Err(message) => Err(unusable(message)),
            };
            let failure = match done {
                Ok(change) => {
                    registry
                        .repeated_at_peer(service, &work, task, &change, app.now())
                        .await?;
                    registry
                        .note_peer(service, peer, None, None, app.now())
                        .await?;
                    None
                }
                Err(failure) => Some(failure),
            };
            if let Some(failure) = failure {
                let (now, text) = (app.now(), failure.text());
                registry
                    .replication_failed(service, &work, task, &failure, now)
                    .await?;
                let is_away =
                    matches!(&failure, ReplicationFailure::Peer { code, .. } if *code == AWAY);
                let put_off = is_away.then_some((&work, WHEN_AWAY));
                registry
                    .note_peer(service, peer, Some(&text), put_off, now)
                    .await?;
                if is_away {
                    return Ok(Outcome::Again(WHEN_AWAY));
                }
            }
            if began.elapsed() > TURN_TIME {
                return Ok(Outcome::Again(SignedDuration::ZERO));
            }
        }
    }
}

/// The codes of failures in an image's status.
const AWAY: &str = "DestinationUnavailable";
const DENIED: &str = "AccessDenied";
const LIMIT_EXCEEDED: &str = "LimitExceeded";
const WRONG_CONTENT: &str = "DigestMismatch";
const WRONG_ANSWER: &str = "InvalidDestinationAnswer";

fn failure(code: &'static str, may_pass: bool, message: String) -> ReplicationFailure {
    ReplicationFailure::Peer {
        code,
        may_pass,
        message,
    }
}

fn unusable(message: &str) -> ReplicationFailure {
    failure("InvalidPeer", false, message.to_owned())
}

fn explained(error: &transfer::Error) -> ReplicationFailure {
    let message = error.chain();
    let denied = [
        "denied",
        "unauthorized",
        "accessdeniedexception",
        "unrecognizedclientexception",
        "invalidclienttokenid",
        "invalidsignatureexception",
        "signaturedoesnotmatch",
    ];
    match error {
        transfer::Error::Content { .. } => failure(WRONG_CONTENT, false, message),
        transfer::Error::Refused(_) => failure(WRONG_ANSWER, false, message),
        transfer::Error::Remote {
            code: Some(code), ..
        } if code == OWN_FAILURE => failure("InternalError", true, message),
        transfer::Error::Remote {
            transient: true, ..
        } => failure(AWAY, true, message),
        transfer::Error::Remote {
            code: Some(code), ..
        } if code == "digest_invalid" => failure(WRONG_CONTENT, false, message),
        transfer::Error::Remote {
            code: Some(code), ..
        } if denied.contains(&code.as_str()) => failure(DENIED, false, message),
        transfer::Error::Remote {
            code: Some(code), ..
        } if code == "limitexceededexception" => failure(LIMIT_EXCEEDED, false, message),
        transfer::Error::Remote { .. } => failure(WRONG_ANSWER, false, message),
        _ => failure("InternalError", true, message),
    }
}

/// What the turns of a peer are counted under.
pub(super) fn turn_key(peer: &Peer) -> String {
    format!("{} {} {}", peer.account, peer.region, peer.destination)
}

/// The client of a peer; why there is none.
pub(super) async fn calls(app: &App, peer: &Peer) -> Result<Arc<PeerCalls>, String> {
    let secret = peer_secret::open(app, peer).await?;
    let http = match &peer.certificate_authority {
        None => app.outbound.upstreams(),
        Some(pem) => {
            let extra_roots = OutboundSettings::certificates(pem.as_bytes())?;
            let options = TlsOptions {
                extra_roots,
                ..TlsOptions::default()
            };
            let http = app.outbound.upstreams().with_tls(options);
            http.map_err(|error| error::chain(&error))?
        }
    };
    let (_, region) = peer.destination.split_once(' ').unwrap_or_default();
    Ok(Arc::new(PeerCalls {
        http,
        endpoint: peer.endpoint.clone(),
        region: region.to_owned(),
        credentials: Credentials::new(&peer.access_key_id, &secret, None),
        clock: Arc::clone(&app.clock),
    }))
}

/// Does at the peer what a task asks for.
async fn repeat(
    app: &Arc<App>,
    service: ServiceName,
    calls: &Arc<PeerCalls>,
    work: &ReplicationWork,
    task: &ReplicationTask,
) -> Result<ReplicationChange, ReplicationFailure> {
    let change = app.registry.replication_change(service, work, task).await?;
    match &change {
        ReplicationChange::Nothing => {}
        ReplicationChange::Copy { tags } => copy(app, service, calls, work, task, tags).await?,
        ReplicationChange::DeleteTags { tags } => {
            let named = |tag: &String| ImageIdentifier {
                image_digest: Some(task.digest().to_owned()),
                image_tag: Some(tag.clone()),
            };
            delete(calls, work, tags.iter().map(named).collect()).await?;
        }
        ReplicationChange::DeleteImage => {
            let named = ImageIdentifier {
                image_digest: Some(task.digest().to_owned()),
                image_tag: None,
            };
            delete(calls, work, vec![named]).await?;
        }
    }
    Ok(change)
}

async fn copy(
    app: &Arc<App>,
    service: ServiceName,
    calls: &Arc<PeerCalls>,
    work: &ReplicationWork,
    task: &ReplicationTask,
    tags: &[String],
) -> Result<(), ReplicationFailure> {
    let digest = task.digest().parse();
    let digest = digest.map_err(|_| unusable("the image has no digest that can be read"))?;
    let source = Stored {
        registry: app.registry.clone(),
        service,
        repository: work.source.clone(),
        now: app.now().as_millisecond(),
    };
    let (calls, tags, account) = (Arc::clone(calls), tags.to_vec(), work.account.to_string());
    let copying = apart(move || async move {
        let http = calls.http.clone();
        let target = transfer::ecr::registry(calls, http, Some(account)).await?;
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let name = source.repository.name.to_string();
        let image = Image {
            repository: &name,
            digest,
            tags: &tags,
        };
        let progress: Arc<dyn Progress> = Arc::new(Unwatched);
        transfer::copy_image(&source, &target, image, BLOBS_AT_ONCE, &progress).await
    });
    match copying.await {
        Some(copied) => copied.map_err(|error| explained(&error)),
        None => Err(failure(
            "InternalError",
            true,
            "the copy was ended".to_owned(),
        )),
    }
}

/// Runs what is made on a thread beside those of the server, and ends it where this is dropped: the futures of a copy
/// stay on the thread where they were made.
pub(super) async fn apart<T, F>(make: impl FnOnce() -> F + Send + 'static) -> Option<T>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let (stop, stopped) = oneshot::channel::<()>();
    let runtime = tokio::runtime::Handle::current();
    let thread = tokio::task::spawn_blocking(move || {
        runtime.block_on(async move {
            tokio::select! {
                done = make() => Some(done),
                _ = stopped => None,
            }
        })
    });
    let done = thread.await.ok().flatten();
    drop(stop);
    done
}

/// Deletes tags or images at the peer; what is not there is.
async fn delete(
    calls: &Arc<PeerCalls>,
    work: &ReplicationWork,
    image_ids: Vec<ImageIdentifier>,
) -> Result<(), ReplicationFailure> {
    let input = BatchDeleteImageRequest {
        registry_id: Some(work.account.to_string()),
        repository_name: work.source.name.to_string(),
        image_ids,
    };
    let answer = match calls.call::<ops::BatchDeleteImage>(&input).await {
        Err(error) if is(&error, "RepositoryNotFoundException") => return Ok(()),
        answer => answer.map_err(|error| explained(&transfer::ecr::remote(error)))?,
    };
    let absent = [
        Some(ImageFailureCode::ImageNotFound),
        Some(ImageFailureCode::ImageTagDoesNotMatchDigest),
    ];
    let failures = answer.failures.into_iter().flatten();
    match failures
        .into_iter()
        .find(|one| !absent.contains(&one.failure_code))
    {
        None => Ok(()),
        Some(failed) => {
            let code = match failed.failure_code {
                Some(ImageFailureCode::ImageReferencedByManifestList) => {
                    "ImageReferencedByManifestList"
                }
                _ => WRONG_ANSWER,
            };
            let reason = failed.failure_reason.unwrap_or_default();
            Err(failure(code, false, reason))
        }
    }
}

fn is(error: &CallError, code: &str) -> bool {
    matches!(error, CallError::Service { error, .. } if error.code == code)
}

/// Reads when the replicas at a peer were pulled, and counts that as pulls of the images: a lifecycle policy by the
/// last pull does not remove here what is in use there.
pub(crate) async fn read_pull_times(
    app: &Arc<App>,
    service: ServiceName,
    subject: &str,
) -> Result<Outcome, BoxError> {
    let registry = &app.registry;
    let Some(peer) = registry.peer_of_job(service, subject).await? else {
        return Ok(Outcome::Done);
    };
    let read = read_all(app, service, &peer).await?;
    let failure = read.err();
    registry
        .note_peer(service, &peer, failure.as_deref(), None, app.now())
        .await?;
    Ok(Outcome::Again(PULL_TIMES_INTERVAL))
}

async fn read_all(
    app: &App,
    service: ServiceName,
    peer: &Peer,
) -> Result<Result<(), String>, BoxError> {
    let calls = match calls(app, peer).await {
        Ok(calls) => calls,
        Err(message) => return Ok(Err(message)),
    };
    let (registry, mut after) = (&app.registry, String::new());
    while let Some((repositories, last)) = registry
        .replicated_repositories(service, peer, &after)
        .await?
    {
        for (id, name) in repositories {
            let mut input = images_of(peer, &name);
            loop {
                let page = match calls.call::<ops::DescribeImages>(&input).await {
                    Ok(page) => page,
                    Err(error) if is(&error, "RepositoryNotFoundException") => break,
                    Err(error) => return Ok(Err(error::chain(&error))),
                };
                let pulled = page
                    .image_details
                    .into_iter()
                    .flatten()
                    .filter_map(|image| {
                        Some(ReplicaPull {
                            digest: image.image_digest?,
                            // A peer whose clock is ahead makes nothing younger than it can be.
                            at: image.last_recorded_pull_time?.min(app.now()),
                        })
                    });
                let pulled: Vec<_> = pulled.collect();
                registry.record_replica_pulls(service, id, &pulled).await?;
                input.next_token = page.next_token;
                if input.next_token.is_none() {
                    break;
                }
            }
        }
        after = last;
    }
    Ok(Ok(()))
}

fn images_of(peer: &Peer, name: &str) -> DescribeImagesRequest {
    let (account, _) = peer.destination.split_once(' ').unwrap_or_default();
    DescribeImagesRequest {
        registry_id: Some(account.to_owned()),
        repository_name: name.to_owned(),
        max_results: Some(IMAGES_AT_ONCE),
        filter: Some(DescribeImagesFilter {
            image_status: Some(ImageStatusFilter::Any),
            ..DescribeImagesFilter::default()
        }),
        ..DescribeImagesRequest::default()
    }
}
