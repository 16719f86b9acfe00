//! Pulls of repositories under a pull through cache rule, of every API.
//!
//! A pull needs what every pull needs, and for what is not cached `ecr:BatchImportUpstreamImage`, and for a
//! repository that is not there `ecr:CreateRepository`. Who lacks one of these is told that there is no such
//! repository or image, not that it is denied (ECR user guide, "Troubleshooting pull through cache issues").
//!
//! - `imports`: what a restart interrupted, or an upstream kept from being stored.
//! - `sources`: whom a rule says to ask. `local`: a registry of this server, asked by a `role`.

mod imports;
mod local;
mod role;
mod service_role;
mod sources;

use std::sync::Arc;

use ::blobs::Digest;
use authz::{
    Authorized, DecisionRecord, Requirements, ResourceSelector, Rule, SessionScope, require_action,
};
use aws_api::authorization::AccessLevel;
use registry::pull_through::{Asked, CachedBlob, FromUpstream, UpstreamError};
use registry::{Error, PullThroughRule};

pub(crate) use imports::run as run_import;
pub(crate) use sources::{name_of as place, validate};

use crate::app::App;
use crate::authorize::{self, Record};
use crate::boxed::boxed;
use crate::creation::{self, NotCreated};
use crate::error::ApiError;
use crate::read_only;
use crate::registry_host::RegistryId;
use crate::reply::ByteStream;
use crate::writable::{self, Effect};

/// The action is not one of an operation.
const RULE: Rule = Rule {
    action: "ecr:BatchImportUpstreamImage",
    access: AccessLevel::Write,
    sessions: SessionScope::ANY,
};

/// A pull that was found to be allowed.
pub(crate) struct Pull<'a> {
    pub(crate) app: &'a Arc<App>,
    pub(crate) proof: &'a Authorized,
    /// The registry of the repository.
    pub(crate) place: &'a RegistryId,
    pub(crate) name: &'a str,
    /// The repository, where it exists; also once the pull has created it.
    pub(crate) record: Option<Record>,
}

/// Where a pull is served from.
pub(crate) enum Served {
    /// The repository, or nowhere.
    Here,
    /// The upstream: the manifest is being cached.
    Manifest(Arc<FromUpstream>),
    /// The upstream: the blob is being cached.
    Blob(Digest, u64, ByteStream),
}

/// Why a pull gets nothing.
pub(crate) enum Missed {
    /// There is no such image, or the caller may not bring it here: then with the decision.
    NoImage(Option<Box<DecisionRecord>>),
    /// The upstream gave nothing, and nothing is cached.
    Upstream(UpstreamError),
    /// Anything else.
    Failed(ApiError),
}

impl From<ApiError> for Missed {
    fn from(error: ApiError) -> Missed {
        match error {
            // The audit log has the decision.
            ApiError::Denied(denial) => Missed::NoImage(Some(Box::new(denial.decision))),
            other => Missed::Failed(other),
        }
    }
}

impl From<Error> for Missed {
    fn from(error: Error) -> Missed {
        Missed::Failed(error.into())
    }
}

/// Brings a manifest from upstream, where a rule says so and what is cached does not do.
pub(crate) async fn manifest(pull: &mut Pull<'_>, reference: &str) -> Result<Served, Missed> {
    match rule(pull).await? {
        Some(rule) => boxed(|| manifest_under(&rule, pull, reference)).await,
        None => Ok(Served::Here),
    }
}

async fn manifest_under(
    rule: &PullThroughRule,
    pull: &mut Pull<'_>,
    reference: &str,
) -> Result<Served, Missed> {
    let registry = &pull.app.registry;
    let tag = (!reference.contains(':')).then_some(reference);
    let mut cached = None;
    if let Some(repository) = &pull.record {
        let found = registry.stat_manifest(pull.proof, repository, reference);
        match found.await {
            Ok(manifest) => {
                let is_fresh = match tag {
                    None => true,
                    Some(tag) => {
                        let seconds = rule.options.fresh_seconds();
                        registry
                            .is_cached_tag_fresh(pull.proof, repository, tag, seconds)
                            .await?
                    }
                };
                if is_fresh {
                    return Ok(Served::Here);
                }
                cached = Some(manifest.digest);
            }
            Err(Error::ImageNotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if !may_store(pull).await {
        return Ok(Served::Here);
    }
    // Whatever goes wrong from here on, what is cached is served.
    let proof = match import_proof(pull).await {
        Ok(proof) => proof,
        Err(_) if cached.is_some() => return Ok(Served::Here),
        Err(error) => return Err(error),
    };
    let found = match asked(pull, rule).await {
        Ok(Some(asked)) => {
            let cache = &pull.app.pull_through.cache;
            let found = cache.manifest(&asked, reference).await;
            found.map(|found| found.map(|found| (found, asked)))
        }
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    let (found, asked) = match found {
        Ok(Some(found)) => found,
        Ok(None) if cached.is_some() => return Ok(Served::Here),
        Ok(None) => return Err(Missed::NoImage(None)),
        Err(error) if cached.is_some() => {
            tracing::warn!(upstream = rule.host(), %error, "a cached image is served without its upstream");
            return Ok(Served::Here);
        }
        Err(error) => return Err(Missed::Upstream(error)),
    };
    if cached == Some(found.digest) {
        if let (Some(tag), Some(repository)) = (tag, &pull.record) {
            let compared = registry.cached_tag_compared(pull.proof, repository, tag);
            compared.await?;
        }
        return Ok(Served::Here);
    }
    let repository = match &pull.record {
        Some(repository) => Arc::clone(repository),
        None => created(pull).await?,
    };
    let cache = &pull.app.pull_through.cache;
    cache
        .import(&proof, &repository, &asked, &found, tag)
        .await?;
    pull.record = Some(repository);
    Ok(Served::Manifest(found))
}

/// What became of a tag that was compared with its upstream.
pub(crate) enum Refreshed {
    /// It is what the upstream has.
    Unchanged(Digest),
    /// Another image is being stored, in place of the one before.
    Importing(Digest, Option<Digest>),
    /// It never moves.
    Immutable(Digest),
}

/// Compares a tag with its upstream now, and stores what it names there. The caller may import and, where there is no
/// repository, create it: both were decided. `None` where no rule is for the repository.
pub(crate) async fn refresh(pull: &mut Pull<'_>, tag: &str) -> Result<Option<Refreshed>, Missed> {
    let Some(rule) = rule(pull).await? else {
        return Ok(None);
    };
    let registry = &pull.app.registry;
    let mut cached = None;
    if let Some(repository) = &pull.record {
        match registry.stat_manifest(pull.proof, repository, tag).await {
            Ok(manifest) => cached = Some(manifest.digest),
            Err(Error::ImageNotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(digest) = cached
            && registry
                .is_tag_immutable(pull.proof, repository, tag)
                .await?
        {
            return Ok(Some(Refreshed::Immutable(digest)));
        }
    }
    let proof = import_proof(pull).await?;
    let asked = asked(pull, &rule).await.map_err(Missed::Upstream)?;
    let asked = asked.ok_or(Missed::NoImage(None))?;
    let cache = &pull.app.pull_through.cache;
    let found = cache.manifest_now(&asked, tag).await;
    let found = found.map_err(Missed::Upstream)?;
    let found = found.ok_or(Missed::NoImage(None))?;
    if cached == Some(found.digest)
        && let Some(repository) = &pull.record
    {
        let compared = registry.cached_tag_compared(pull.proof, repository, tag);
        compared.await?;
        return Ok(Some(Refreshed::Unchanged(found.digest)));
    }
    let repository = match &pull.record {
        Some(repository) => Arc::clone(repository),
        None => created(pull).await?,
    };
    cache
        .import(&proof, &repository, &asked, &found, Some(tag))
        .await?;
    pull.record = Some(repository);
    Ok(Some(Refreshed::Importing(found.digest, cached)))
}

/// Brings a blob from upstream, where a rule says so and the repository lacks it. `streamed`: the client takes
/// the whole, from its beginning.
pub(crate) async fn blob(
    pull: &mut Pull<'_>,
    digest: &str,
    streamed: bool,
) -> Result<Served, Missed> {
    let Some(repository) = pull.record.clone() else {
        return Ok(Served::Here);
    };
    let registry = &pull.app.registry;
    match registry.stat_blob(pull.proof, &repository, digest).await {
        Err(Error::LayerNotFound { .. }) => {}
        // What is wrong with the request is said where it is served.
        _ => return Ok(Served::Here),
    }
    match rule(pull).await? {
        Some(rule) => boxed(|| blob_under(&rule, pull, &repository, digest, streamed)).await,
        None => Ok(Served::Here),
    }
}

async fn blob_under(
    rule: &PullThroughRule,
    pull: &Pull<'_>,
    repository: &Record,
    digest: &str,
    streamed: bool,
) -> Result<Served, Missed> {
    let Ok(parsed) = digest.parse::<Digest>() else {
        return Ok(Served::Here);
    };
    if !may_store(pull).await {
        return Ok(Served::Here);
    }
    let proof = match import_proof(pull).await {
        Ok(proof) => proof,
        Err(Missed::NoImage(_)) => return Ok(Served::Here),
        Err(error) => return Err(error),
    };
    let Some(asked) = asked(pull, rule).await.map_err(Missed::Upstream)? else {
        return Ok(Served::Here);
    };
    let cache = &pull.app.pull_through.cache;
    let found = cache.blob(&proof, repository, &asked, &parsed, streamed);
    match found.await.map_err(Missed::Upstream)? {
        CachedBlob::Stored | CachedBlob::Missing => Ok(Served::Here),
        CachedBlob::Streaming { size, stream } => Ok(Served::Blob(parsed, size, stream)),
    }
}

/// Brings the referrers of an image that is here, where they were not compared with the upstream lately. Whatever
/// goes wrong, those that are here are served.
pub(crate) async fn referrers(pull: &Pull<'_>, subject: &str) -> Result<(), Missed> {
    match (&pull.record, rule(pull).await?) {
        (Some(repository), Some(rule)) => {
            boxed(|| referrers_under(&rule, pull, repository, subject)).await
        }
        _ => Ok(()),
    }
}

async fn referrers_under(
    rule: &PullThroughRule,
    pull: &Pull<'_>,
    repository: &Record,
    subject: &str,
) -> Result<(), Missed> {
    let registry = &pull.app.registry;
    let is_here = registry.stat_manifest(pull.proof, repository, subject);
    if rule.options.without_referrers || !subject.contains(':') || is_here.await.is_err() {
        return Ok(());
    }
    let seconds = rule.options.fresh_seconds();
    let fresh = registry.are_referrers_fresh(pull.proof, repository, subject, seconds);
    if fresh.await? || !may_store(pull).await {
        return Ok(());
    }
    let (Ok(proof), Ok(Some(asked))) = (import_proof(pull).await, asked(pull, rule).await) else {
        return Ok(());
    };
    let cache = &pull.app.pull_through.cache;
    if let Err(error) = cache.referrers(&proof, repository, &asked, subject).await {
        tracing::info!(repository = %repository.arn, subject, %error,
            "cached referrers are served without the upstream's");
    }
    Ok(())
}

/// Whether anything can be stored now. While it cannot, what is cached is served: pulls go on in a server or
/// repository that is read-only.
async fn may_store(pull: &Pull<'_>) -> bool {
    let stored = writable::check(pull.app, Effect::StoresLayers).await;
    let record = pull.record.as_deref();
    stored.is_ok() && read_only::check(pull.app, record).await.is_ok()
}

async fn rule(pull: &Pull<'_>) -> Result<Option<Arc<PullThroughRule>>, Error> {
    let (registry, place) = (&pull.app.registry, pull.place);
    registry
        .pull_through_rule(&place.account, &place.region, pull.name)
        .await
}

async fn asked(pull: &Pull<'_>, rule: &PullThroughRule) -> Result<Option<Asked>, UpstreamError> {
    sources::asked(pull.app, pull.place, rule, pull.name).await
}

/// The proof that the caller may bring images into the cache, and create the repository where there is none.
async fn import_proof(pull: &Pull<'_>) -> Result<Arc<Authorized>, Missed> {
    let (app, context, account) = (pull.app, pull.proof.context(), pull.place.account);
    if pull.record.is_none() {
        creation::check(app, context, account, pull.name).await?;
    }
    let requirements = import_requirements(pull.name, account.as_str());
    let decided = authorize::authorize(app, context.clone(), &RULE, &requirements, ()).await;
    Ok(Arc::new(decided?.into_parts().0))
}

/// `ecr:BatchImportUpstreamImage`, which no operation of the API has for its own.
fn import_requirements(name: &str, account: &str) -> Requirements {
    let resource = ResourceSelector::Repository {
        registry: Some(account.to_owned()),
        name: name.to_owned(),
    };
    require_action(RULE.action, resource)
}

/// The repository that the pull creates.
async fn created(pull: &Pull<'_>) -> Result<Record, Missed> {
    let (account, region) = (&pull.place.account, &pull.place.region);
    let registry = &pull.app.registry;
    let templated = registry.repository_on_pull(pull.proof, account, region, pull.name);
    let (templated, context) = (templated.await?, pull.proof.context());
    let created = creation::create(pull.app, context, pull.place, pull.name, templated);
    created.await.map_err(|error| match error {
        NotCreated::Denied(decided) => Missed::NoImage(Some(decided)),
        NotCreated::Failed(error) => Missed::Failed(error),
    })
}

/// The repository here that a mirror's request is about (`?ns=`), where a rule caches that registry.
pub(crate) async fn mirrored(
    app: &App,
    place: &RegistryId,
    namespace: &str,
    name: &str,
) -> Result<Option<String>, Error> {
    let (account, region) = (&place.account, &place.region);
    let registry = &app.registry;
    registry
        .mirrored_repository(account, region, namespace, name)
        .await
}
