//! Features of Amazon ECR that this registry does not have yet. Nobody can have configured
//! one, so reads and deletions answer as Amazon ECR does when there is nothing, which
//! Terraform, Ansible and security scanners ask of every repository. What would configure
//! one is not built and says so.

use aws_api::ecr::{
    DeleteSigningConfigurationRequest, DeleteSigningConfigurationResponse,
    DescribeImageScanFindingsRequest, DescribeImageScanFindingsResponse,
    DescribeImageSigningStatusRequest, DescribeImageSigningStatusResponse,
    GetSigningConfigurationRequest, GetSigningConfigurationResponse, ImageIdentifier,
};
use std::sync::Arc;

use super::listing::named;
use crate::{Authorized, Error, Registry, RepositoryFacts};

impl Registry {
    /// `DescribeImageScanFindings`: no image was ever scanned.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::ImageNotFound`], [`Error::ScanNotFound`].
    pub async fn describe_image_scan_findings(
        &self,
        cx: &Authorized,
        input: DescribeImageScanFindingsRequest,
    ) -> Result<DescribeImageScanFindingsResponse, Error> {
        let (repo, _) = self.image_of(cx, &input).await?;
        Err(Error::ScanNotFound {
            digest: input.image_id.image_digest,
            tag: input.image_id.image_tag,
            place: repo.place(),
        })
    }

    /// `DescribeImageSigningStatus`: the registry signs no image itself.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::ImageNotFound`].
    pub async fn describe_image_signing_status(
        &self,
        cx: &Authorized,
        input: DescribeImageSigningStatusRequest,
    ) -> Result<DescribeImageSigningStatusResponse, Error> {
        let (repo, image_id) = self.image_of(cx, &input).await?;
        Ok(DescribeImageSigningStatusResponse {
            repository_name: Some(repo.name.to_string()),
            image_id: Some(image_id),
            registry_id: Some(repo.account.to_string()),
            signing_statuses: Some(Vec::new()),
        })
    }

    /// `GetSigningConfiguration`.
    ///
    /// # Errors
    /// [`Error::SigningConfigurationNotFound`].
    pub async fn get_signing_configuration(
        &self,
        cx: &Authorized,
        _: GetSigningConfigurationRequest,
    ) -> Result<GetSigningConfigurationResponse, Error> {
        Err(Error::SigningConfigurationNotFound(cx.account))
    }

    /// `DeleteSigningConfiguration`.
    ///
    /// # Errors
    /// [`Error::SigningConfigurationNotFound`].
    pub async fn delete_signing_configuration(
        &self,
        cx: &Authorized,
        _: DeleteSigningConfigurationRequest,
    ) -> Result<DeleteSigningConfigurationResponse, Error> {
        Err(Error::SigningConfigurationNotFound(cx.account))
    }

    /// The repository and the image that a request names, with the image's digest.
    async fn image_of(
        &self,
        cx: &Authorized,
        input: &impl NamesImage,
    ) -> Result<(Arc<RepositoryFacts>, ImageIdentifier), Error> {
        let (registry_id, name) = input.repository();
        let repo = self.target(cx, registry_id, name).await?;
        let id = input.image();
        let mut read = self.0.store.read().await?;
        let image = named(&mut read.conn(), &repo, id).await?;
        let id = ImageIdentifier {
            image_digest: Some(image.digest),
            image_tag: id.image_tag.clone(),
        };
        Ok((repo, id))
    }
}

/// A request about one repository.
trait NamesRepository {
    /// `registryId` and `repositoryName`.
    fn repository(&self) -> (Option<&String>, &str);
}

/// A request about one image of a repository.
trait NamesImage: NamesRepository {
    /// `imageId`.
    fn image(&self) -> &ImageIdentifier;
}

macro_rules! names_repository {
    ($($request:ty),*) => {$(
        impl NamesRepository for $request {
            fn repository(&self) -> (Option<&String>, &str) {
                (self.registry_id.as_ref(), &self.repository_name)
            }
        }
    )*};
}

macro_rules! names_image {
    ($($request:ty),*) => {$(
        names_repository!($request);

        impl NamesImage for $request {
            fn image(&self) -> &ImageIdentifier {
                &self.image_id
            }
        }
    )*};
}

names_image!(
    DescribeImageScanFindingsRequest,
    DescribeImageSigningStatusRequest
);
