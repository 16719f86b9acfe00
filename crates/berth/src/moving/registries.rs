//! The registries at the two ends: the server that the AWS CLI would call, Amazon ECR, and any other.

use std::io::Read as _;
use std::sync::Arc;

use aws_api::{Op, Service};
use client::{CallError, Http, OciClient, Settings, StaticLogin};
use transfer::Registry;

use super::docker_login;
use crate::cli::{ImportRegistryOptions, PublicUrl};
use crate::error::{Error, Result};
use crate::signed_client::{SignedClient, any_address, failed};

/// The longest password file, in bytes.
const PASSWORD_BYTES_MAX: u64 = 64 << 10;

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
    let http = signed.http().clone();
    let found = transfer::ecr::registry(signed, http, None).await;
    found.map_err(|error| Error::Failed(error.chain()))
}

impl transfer::ecr::Calls for SignedClient {
    async fn call<O: Op>(&self, input: &O::Input) -> std::result::Result<O::Output, CallError>
    where
        O::Input: Sync,
    {
        SignedClient::call::<O>(self, input).await
    }
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
