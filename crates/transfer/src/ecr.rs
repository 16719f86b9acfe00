//! Amazon ECR's API beside the OCI specification: the registry's password, repositories and their images.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aws_api::Op;
use aws_api::ecr::{
    CreateRepositoryRequest, DescribeRepositoriesRequest, GetAuthorizationTokenRequest,
    ListImagesRequest, ops,
};
use client::{Basic, CallError, Http, Login, LoginFuture, OciClient};

use crate::error::{Error, Result, chain};
use crate::registry::{EcrApi, Later, Registry};

/// The longest page that ECR gives.
const PAGE: i32 = 1_000;

/// Signed calls of one caller at one server.
pub trait Calls: Send + Sync + 'static {
    /// Calls an operation.
    fn call<O: Op>(
        &self,
        input: &O::Input,
    ) -> impl Future<Output = Result<O::Output, CallError>> + Send
    where
        O::Input: Sync;
}

/// The registry that `calls` log in at. `of` names an account where it is not the caller's.
///
/// # Errors
/// [`Error::Remote`].
pub async fn registry<C: Calls>(calls: Arc<C>, http: Http, of: Option<String>) -> Result<Registry> {
    let login = EcrLogin {
        calls: Arc::clone(&calls),
        of,
        token: Mutex::new(None),
    };
    let base = login.renew().await?;
    let client = OciClient::new(http, &base, Arc::new(login))?;
    Ok(Registry::new(client, Some(Box::new(Ecr(calls)))))
}

/// The registry's password, which `GetAuthorizationToken` gives.
struct EcrLogin<C> {
    calls: Arc<C>,
    of: Option<String>,
    token: Mutex<Option<String>>,
}

impl<C: Calls> EcrLogin<C> {
    /// Gets a new password. Answers the registry's URL.
    async fn renew(&self) -> Result<String> {
        let input = GetAuthorizationTokenRequest {
            registry_ids: self.of.clone().map(|account| vec![account]),
        };
        let answer = self.calls.call::<ops::GetAuthorizationToken>(&input).await;
        let data = answer.map_err(remote)?.authorization_data;
        let missing = |what: &str| Error::Refused(what.to_owned());
        let data = data.unwrap_or_default().into_iter().next();
        let data = data.ok_or_else(|| missing("the server gives no password"))?;
        let token = data.authorization_token.map(|token| token.expose().clone());
        let mut kept = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = token;
        data.proxy_endpoint
            .ok_or_else(|| missing("the server names no registry"))
    }
}

impl<C: Calls> Login for EcrLogin<C> {
    fn basic(&self, renewed: bool) -> LoginFuture<'_> {
        Box::pin(async move {
            if renewed {
                self.renew().await.map_err(|error| error.chain())?;
            }
            let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(token.clone().map(Basic::lasting))
        })
    }
}

/// ECR's own operations.
struct Ecr<C>(Arc<C>);

impl<C: Calls> Ecr<C> {
    async fn is_there(&self, repository: &str) -> Result<bool, CallError> {
        let input = DescribeRepositoriesRequest {
            repository_names: Some(vec![repository.to_owned()]),
            ..DescribeRepositoriesRequest::default()
        };
        match self.0.call::<ops::DescribeRepositories>(&input).await {
            Ok(_) => Ok(true),
            Err(error) if is(&error, "RepositoryNotFoundException") => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl<C: Calls> EcrApi for Ecr<C> {
    fn repositories(&self) -> Later<'_, Vec<String>> {
        Box::pin(async {
            let mut names = Vec::new();
            let mut input = DescribeRepositoriesRequest {
                max_results: Some(PAGE),
                ..DescribeRepositoriesRequest::default()
            };
            loop {
                let page = self.0.call::<ops::DescribeRepositories>(&input).await;
                let page = page.map_err(remote)?;
                let repositories = page.repositories.into_iter().flatten();
                names.extend(repositories.filter_map(|repository| repository.repository_name));
                input.next_token = page.next_token;
                if input.next_token.is_none() {
                    return Ok(names);
                }
            }
        })
    }

    fn images<'a>(&'a self, repository: &'a str) -> Later<'a, (Vec<String>, Vec<blobs::Digest>)> {
        Box::pin(async move {
            let (mut tags, mut untagged) = (Vec::new(), Vec::new());
            let mut input = ListImagesRequest {
                repository_name: repository.to_owned(),
                max_results: Some(PAGE),
                ..ListImagesRequest::default()
            };
            loop {
                let page = self
                    .0
                    .call::<ops::ListImages>(&input)
                    .await
                    .map_err(remote)?;
                for image in page.image_ids.into_iter().flatten() {
                    match (image.image_tag, image.image_digest) {
                        (Some(tag), _) => tags.push(tag),
                        (None, Some(digest)) => {
                            let digest = digest.parse::<blobs::Digest>();
                            untagged.push(digest.map_err(|e| Error::Refused(e.to_string()))?);
                        }
                        (None, None) => {}
                    }
                }
                input.next_token = page.next_token;
                if input.next_token.is_none() {
                    return Ok((tags, untagged));
                }
            }
        })
    }

    fn has_repository<'a>(&'a self, repository: &'a str) -> Later<'a, bool> {
        Box::pin(async move { self.is_there(repository).await.map_err(remote) })
    }

    fn create<'a>(&'a self, repository: &'a str) -> Later<'a, ()> {
        Box::pin(async move {
            match self.is_there(repository).await {
                Ok(true) => return Ok(()),
                // Who may push and not describe pushes into what is there.
                Err(error) if is(&error, "AccessDeniedException") => return Ok(()),
                Ok(false) => {}
                Err(error) => return Err(remote(error)),
            }
            let input = CreateRepositoryRequest {
                repository_name: repository.to_owned(),
                ..CreateRepositoryRequest::default()
            };
            match self.0.call::<ops::CreateRepository>(&input).await {
                Ok(_) => Ok(()),
                Err(error) if is(&error, "RepositoryAlreadyExistsException") => Ok(()),
                Err(error) => Err(remote(error)),
            }
        })
    }
}

fn is(error: &CallError, code: &str) -> bool {
    matches!(error, CallError::Service { error, .. } if error.code == code)
}

/// A failed call as this crate's error.
#[must_use]
pub fn remote(error: CallError) -> Error {
    let (transient, code) = match &error {
        CallError::Service { status, error, .. } => (
            *status == 429 || *status >= 500,
            Some(error.code.to_ascii_lowercase()),
        ),
        CallError::Http(_) => (true, None),
        _ => (false, None),
    };
    Error::Remote {
        message: chain(&error),
        transient,
        code,
    }
}
