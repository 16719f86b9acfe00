//! A registry of this server as an upstream: another account's or another region's. Each read is decided as if the
//! role asked for it over the network, and leaves an event.

use std::sync::Arc;

use authz::{Authorized, ResourceSelector, Rule, SessionScope, require};
use aws_api::authorization::AccessLevel;
use aws_types::Arn;
use futures_util::{StreamExt as _, TryStreamExt as _};
use registry::pull_through::{Upstream, UpstreamBlob, UpstreamError, UpstreamManifest};
use registry::{BoxFuture, Error};
use serde_json::{Value, json};

use super::role::{self, failed};
use super::service_role::service_role;
use crate::app::App;
use crate::audit::Event;
use crate::authorize::{self, Record};
use crate::error::{ApiError, Failure, chain};
use crate::finish::finish;
use crate::registry_host::RegistryId;

/// As whom the registry is asked.
pub(super) enum By {
    /// The rule's role.
    Role(String),
    /// The service-linked role, for registries of the account itself.
    ServiceRole,
}

pub(super) struct Local {
    pub(super) app: Arc<App>,
    /// The upstream.
    pub(super) own: RegistryId,
    /// The registry of the rule.
    pub(super) cache: RegistryId,
    pub(super) by: By,
    pub(super) host: String,
}

const fn rule(action: &'static str) -> Rule {
    Rule {
        action,
        access: AccessLevel::Read,
        sessions: SessionScope::ANY,
    }
}

const GET_IMAGE: Rule = rule("ecr:BatchGetImage");
const GET_LAYER: Rule = rule("ecr:GetDownloadUrlForLayer");

impl Local {
    /// Whether the role can be taken, and gets a password.
    pub(super) async fn check(&self) -> Result<(), UpstreamError> {
        let caller = self.caller().await?;
        role::may_log_in(&self.app, &caller, &self.own).await
    }

    async fn caller(&self) -> Result<Arc<authz::Caller>, UpstreamError> {
        match &self.by {
            By::ServiceRole => Ok(service_role(self.cache.account)),
            By::Role(role_arn) => role::caller(&self.app, &self.cache, &self.own, role_arn).await,
        }
    }

    /// Decides on a read and records it. `None` where the repository does not exist.
    async fn read(
        &self,
        rule: &Rule,
        name: &str,
        mut parameters: Value,
    ) -> Result<Option<(Authorized, Record)>, UpstreamError> {
        let (app, own) = (&*self.app, &self.own);
        let context = role::context(app, self.caller().await?, own.region.clone());
        let resource = ResourceSelector::Repository {
            registry: Some(own.account.to_string()),
            name: name.to_owned(),
        };
        parameters["registryId"] = json!(own.account.as_str());
        parameters["repositoryName"] = json!(name);
        let operation = rule.action.strip_prefix("ecr:").unwrap_or(rule.action);
        let arn = Arn::ecr_repository(&own.region, own.account, name);
        let event = Event {
            parameters,
            resource: Some(Arc::from(arn.as_str())),
            read_only: true,
            data: true,
            ..Event::of_context(
                &context,
                "ecr.amazonaws.com",
                operation,
                &own.region,
                own.account,
            )
        };
        match authorize::authorize(app, context, rule, &require(resource), ()).await {
            Ok(ok) => {
                finish(app, event, None).await;
                let record = ok.record().cloned();
                Ok(record.map(|record| (ok.into_parts().0, record)))
            }
            Err(ApiError::Denied(denial)) => {
                let message = denial.message.clone();
                let failure = Failure {
                    code: "AccessDeniedException".to_owned(),
                    message: denial.message,
                    exception: None,
                    cause: None,
                    decided: Some(denial.decision),
                };
                finish(app, event, Some(failure)).await;
                Err(UpstreamError::AccessDenied(message))
            }
            Err(error) => Err(failed(&format!("{error:?}"))),
        }
    }
}

impl Upstream for Local {
    fn host(&self) -> &str {
        &self.host
    }

    fn manifest<'a>(
        &'a self,
        repository: &'a str,
        reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<UpstreamManifest>, UpstreamError>> {
        Box::pin(async move {
            let id = match reference.contains(':') {
                true => "imageDigest",
                false => "imageTag",
            };
            let parameters = json!({"imageIds": [{id: reference}]});
            let Some((proof, record)) = self.read(&GET_IMAGE, repository, parameters).await? else {
                return Ok(None);
            };
            let registry = &self.app.registry;
            match registry.get_manifest(&proof, &record, reference).await {
                Ok(found) => Ok(Some(UpstreamManifest {
                    media_type: Some(found.media_type.clone()),
                    digest: Some(found.digest.to_string()),
                    bytes: found.bytes.clone(),
                })),
                Err(Error::ImageNotFound { .. }) => Ok(None),
                Err(error) => Err(failed(&chain(&error))),
            }
        })
    }

    fn blob<'a>(
        &'a self,
        repository: &'a str,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<Option<UpstreamBlob>, UpstreamError>> {
        Box::pin(async move {
            let parameters = json!({"layerDigest": digest});
            let Some((proof, record)) = self.read(&GET_LAYER, repository, parameters).await? else {
                return Ok(None);
            };
            match self.app.registry.open_blob(&proof, &record, digest).await {
                Ok((layer, source)) => {
                    let bytes = source.read_range(0..layer.size);
                    let bytes = bytes.map_err(|error| failed(&error.to_string()));
                    Ok(Some(UpstreamBlob {
                        size: Some(layer.size),
                        stream: bytes.boxed(),
                    }))
                }
                Err(Error::LayerNotFound { .. }) => Ok(None),
                Err(error) => Err(failed(&chain(&error))),
            }
        })
    }

    fn referrers<'a>(
        &'a self,
        repository: &'a str,
        subject: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, UpstreamError>> {
        Box::pin(async move {
            // What lists referrers is allowed by this action (ECR API, ListImageReferrers).
            let parameters = json!({"subjectId": {"imageDigest": subject}});
            let Some((proof, record)) = self.read(&GET_IMAGE, repository, parameters).await? else {
                return Ok(Vec::new());
            };
            // The first page has more than a cache takes.
            let found = self
                .app
                .registry
                .referrers(&proof, &record, subject, None, None);
            let found = found.await.map_err(|error| failed(&chain(&error)))?;
            let digests = found.referrers.iter();
            Ok(digests.map(|one| one.digest.to_string()).collect())
        })
    }
}
