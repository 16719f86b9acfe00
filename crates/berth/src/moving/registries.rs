//! The registries at the two ends: the server that the AWS CLI would call, Amazon ECR, and any other.

use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use aws_api::Service;
use aws_api::ecr::{
    CreateRepositoryRequest, DescribeRepositoriesRequest, GetAuthorizationTokenRequest,
    ListImagesRequest, ops,
};
use client::{Basic, CallError, Http, Login, LoginFuture, OciClient, Settings, StaticLogin};
use transfer::{EcrApi, Later, Registry};

use super::docker_login;
use crate::cli::{ImportRegistryOptions, PublicUrl};
use crate::error::{Error, Result};
use crate::signed_client::{SignedClient, any_address, failed};

/// The longest password file, in bytes.
const PASSWORD_BYTES_MAX: u64 = 64 << 10;
/// The longest page that ECR gives.
const PAGE: i32 = 1_000;

/// The server that the AWS CLI would call.
pub async fn target() -> Result<Registry> {
    let signed = Arc::new(SignedClient::open(&[Service::Ecr]).await?);
    of(signed).await
}

/// Amazon ECR with the source's profile.
pub async fn ecr(options: &ImportRegistryOptions) -> Result<Registry> {
    let region = options.source_region.clone();
    let signed = SignedClient::of_profile(&options.source_profile, region).await?;
    of(Arc::new(signed)).await
}

async fn of(signed: Arc<SignedClient>) -> Result<Registry> {
    let login = EcrLogin {
        signed: Arc::clone(&signed),
        token: Mutex::new(None),
    };
    let base = login.renew().await.map_err(Error::Failed)?;
    let http = signed.http().clone();
    let client = OciClient::new(http, &base, Arc::new(login)).map_err(|e| failed(&e))?;
    Ok(Registry::new(client, Some(Box::new(Ecr(signed)))))
}

/// Another registry.
pub fn plain(url: &PublicUrl, options: &ImportRegistryOptions) -> Result<Registry> {
    let extra_roots = match &options.source_ca {
        None => Vec::new(),
        Some(path) => {
            let unreadable = || format!("cannot read {}", path.display());
            let pem = std::fs::read(path).map_err(Error::failed(unreadable()))?;
            server::OutboundSettings::certificates(&pem).map_err(Error::failed(unreadable()))?
        }
    };
    let settings = Settings {
        allow: any_address()?,
        extra_roots,
        ..Settings::default()
    };
    let http = Http::new(settings).map_err(|e| failed(&e))?;
    let host = url.as_str().split_once("://").map_or("", |(_, host)| host);
    let login = match (&options.source_user, &options.source_password_file) {
        (Some(user), Some(file)) => {
            StaticLogin::new(user, password(file)?.trim_end_matches(['\r', '\n']))
        }
        _ => docker_login::find(host)?,
    };
    let client = OciClient::new(http, url.as_str(), Arc::new(login)).map_err(|e| failed(&e))?;
    Ok(Registry::new(client, None))
}

fn password(file: &std::path::Path) -> Result<zeroize::Zeroizing<String>> {
    let source: Box<dyn std::io::Read> = match file.as_os_str() == "-" {
        true => Box::new(std::io::stdin()),
        false => Box::new(
            std::fs::File::open(file)
                .map_err(Error::failed(format!("cannot read {}", file.display())))?,
        ),
    };
    let mut text = zeroize::Zeroizing::new(String::new());
    let read = source.take(PASSWORD_BYTES_MAX).read_to_string(&mut text);
    read.map_err(Error::failed(format!("cannot read {}", file.display())))?;
    Ok(text)
}

/// The registry's password, which `GetAuthorizationToken` gives.
struct EcrLogin {
    signed: Arc<SignedClient>,
    token: Mutex<Option<String>>,
}

impl EcrLogin {
    /// Gets a new password. Answers the registry's URL.
    async fn renew(&self) -> Result<String, String> {
        let input = GetAuthorizationTokenRequest::default();
        let called = self.signed.call::<ops::GetAuthorizationToken>(&input).await;
        let answer = called.map_err(|error| failed(&error).to_string())?;
        let data = answer.authorization_data.unwrap_or_default();
        let data = data
            .into_iter()
            .next()
            .ok_or("the server gives no password")?;
        let token = data.authorization_token.map(|token| token.expose().clone());
        let mut kept = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = token;
        data.proxy_endpoint
            .ok_or_else(|| "the server names no registry".to_owned())
    }
}

impl Login for EcrLogin {
    fn basic(&self, renewed: bool) -> LoginFuture<'_> {
        Box::pin(async move {
            if renewed {
                self.renew().await?;
            }
            let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(token.clone().map(Basic::lasting))
        })
    }
}

/// ECR's own operations.
struct Ecr(Arc<SignedClient>);

impl Ecr {
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

impl EcrApi for Ecr {
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
                            untagged
                                .push(digest.map_err(|e| transfer::Error::Refused(e.to_string()))?);
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

fn remote(error: CallError) -> transfer::Error {
    let transient = match &error {
        CallError::Service { status, .. } => *status == 429 || *status >= 500,
        CallError::Http(_) => true,
        _ => false,
    };
    transfer::Error::Remote {
        message: failed(&error).to_string(),
        transient,
    }
}
