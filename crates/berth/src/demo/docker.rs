//! What docker does: log in, push, pull.

use std::net::SocketAddr;

use bytes::Bytes;
use client::{RegistryClient, RegistryError};

use super::image::{Image, MANIFEST_TYPE};
use super::network::Network;
use super::person::CommandError;

/// A docker client that has logged in.
#[derive(Clone)]
pub struct Docker {
    client: RegistryClient,
    network: Network,
}

impl Docker {
    /// `docker login`. `token` is the authorization token of ECR: base64 of `AWS:password`.
    pub fn login(
        network: &Network,
        address: SocketAddr,
        token: &str,
    ) -> Result<Docker, CommandError> {
        let base = format!("http://{address}");
        let client = network
            .block_on(RegistryClient::login(network.http().clone(), &base, token))
            .map_err(shown)?;
        Ok(Docker {
            client,
            network: network.clone(),
        })
    }

    /// `docker push`: layers first, each only where it is missing, then the manifest. `progress` gets
    /// the bytes of each finished blob.
    pub fn push(
        &self,
        repository: &str,
        tag: &str,
        image: &Image,
        mut progress: impl FnMut(u64),
    ) -> Result<(), CommandError> {
        let push = async {
            for blob in [&image.layer, &image.config] {
                let content = Bytes::from(blob.bytes.clone());
                let length = content.len() as u64;
                self.client
                    .push_blob(repository, &blob.digest, content)
                    .await?;
                progress(length);
            }
            let manifest = &image.manifest;
            let content = Bytes::from(manifest.bytes.clone());
            self.client
                .push_manifest(repository, tag, MANIFEST_TYPE, &manifest.digest, content)
                .await
        };
        self.network.block_on(push).map_err(shown)
    }

    /// `docker pull`: manifest, configuration, layer. The caller compares the digests.
    pub fn pull(
        &self,
        repository: &str,
        image: &Image,
        tag: &str,
    ) -> Result<[Bytes; 3], CommandError> {
        let pull = async {
            let manifest = self.client.manifest(repository, tag, MANIFEST_TYPE).await?;
            let config = self.client.blob(repository, &image.config.digest).await?;
            let layer = self.client.blob(repository, &image.layer.digest).await?;
            Ok([manifest, config, layer])
        };
        self.network.block_on(pull).map_err(shown)
    }
}

fn shown(error: RegistryError) -> CommandError {
    CommandError::new(&error)
}
