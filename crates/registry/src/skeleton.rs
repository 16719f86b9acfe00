//! Signatures that the parts behind them replace one by one.
#![allow(clippy::unused_async, missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_api::{AccountId, Region, ecr};
use blobs::{BlobFile, BoxError, Digest, UploadId};
use bytes::Bytes;
use futures_util::Stream;

use crate::{Call, Error, Registry, RepositoryFacts};

/// A layer of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    pub digest: Digest,
    /// Length in bytes.
    pub size: u64,
}

/// A manifest, byte for byte as it was pushed.
#[derive(Debug)]
pub struct Manifest {
    pub digest: Digest,
    pub media_type: String,
    pub bytes: Bytes,
}

/// The answer to a pushed manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutManifest {
    pub digest: Digest,
    /// The manifest's `subject`, for the header `OCI-Subject`.
    pub subject: Option<Digest>,
}

/// A page of names in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub items: Vec<String>,
    /// There are more after the last one.
    pub more: bool,
}

/// One descriptor of the referrers' index.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Referrer {
    pub media_type: String,
    pub digest: String,
    pub size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A page of referrers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Referrers {
    pub referrers: Vec<Referrer>,
    /// Where the next page begins, for the `Link` header.
    pub next: Option<String>,
}

/// What the server needs to make a URL for `GetDownloadUrlForLayer`.
#[derive(Clone, Debug)]
pub struct LayerDownload {
    pub repository: Arc<RepositoryFacts>,
    pub layer: Layer,
}

fn soon<T>() -> Result<T, Error> {
    Err(Error::Busy)
}

impl Registry {
    /// The repository's facts; `None` when there is no such repository.
    pub async fn repository_facts(
        &self,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Result<Option<Arc<RepositoryFacts>>, Error> {
        let _ = (account, region, name);
        soon()
    }
    /// As above, or [`Error::RepositoryNotFound`].
    pub async fn repository(
        &self,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Result<Arc<RepositoryFacts>, Error> {
        let _ = (account, region, name);
        soon()
    }
    /// Starts an upload (`POST …/blobs/uploads/`).
    pub async fn start_upload(&self, cx: &Call, repo: &RepositoryFacts) -> Result<UploadId, Error> {
        let _ = (cx, repo);
        soon()
    }
    /// Appends to an upload and says its length. `offset`: where the part begins, when the client says so.
    pub async fn append<S, E>(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        upload: &str,
        offset: Option<u64>,
        body: S,
    ) -> Result<u64, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError>,
    {
        let _ = (cx, repo, upload, offset, body);
        soon()
    }
    /// The upload's length in bytes.
    pub async fn upload_status(&self, repo: &RepositoryFacts, upload: &str) -> Result<u64, Error> {
        let _ = (repo, upload);
        soon()
    }
    /// Appends the last part, if the body has any byte, and makes the layer.
    pub async fn complete_upload<S, E>(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        upload: &str,
        digest: &str,
        offset: Option<u64>,
        body: S,
    ) -> Result<Layer, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError>,
    {
        let _ = (cx, repo, upload, digest, offset, body);
        soon()
    }
    /// Removes an upload.
    pub async fn cancel_upload(&self, repo: &RepositoryFacts, upload: &str) -> Result<(), Error> {
        let _ = (repo, upload);
        soon()
    }
    /// A whole layer in one request (`POST …/blobs/uploads/?digest=`).
    pub async fn put_blob<S, E>(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        digest: &str,
        body: S,
    ) -> Result<Layer, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError>,
    {
        let _ = (cx, repo, digest, body);
        soon()
    }
    /// Links a layer of `source`, which the caller may read, into `target`. `None`: `source` has no such layer.
    pub async fn mount_blob(
        &self,
        cx: &Call,
        target: &RepositoryFacts,
        source: &RepositoryFacts,
        digest: &str,
    ) -> Result<Option<Layer>, Error> {
        let _ = (cx, target, source, digest);
        soon()
    }
    /// The layer, or [`Error::LayerNotFound`].
    pub async fn stat_blob(&self, repo: &RepositoryFacts, digest: &str) -> Result<Layer, Error> {
        let _ = (repo, digest);
        soon()
    }
    /// The layer and its bytes.
    pub async fn open_blob(
        &self,
        repo: &RepositoryFacts,
        digest: &str,
    ) -> Result<(Layer, BlobFile), Error> {
        let _ = (repo, digest);
        soon()
    }
    /// The bytes behind a download URL: the repository's id and the digest that were sealed in it.
    pub async fn open_layer(
        &self,
        repository_id: i64,
        digest: &Digest,
    ) -> Result<Option<BlobFile>, Error> {
        let _ = (repository_id, digest);
        soon()
    }
    /// Unlinks a layer that no image of the repository needs.
    pub async fn delete_blob(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        digest: &str,
    ) -> Result<(), Error> {
        let _ = (cx, repo, digest);
        soon()
    }
    /// Puts a manifest under a tag or its digest.
    pub async fn put_manifest(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        reference: &str,
        media_type: Option<&str>,
        bytes: Bytes,
    ) -> Result<PutManifest, Error> {
        let _ = (cx, repo, reference, media_type, bytes);
        soon()
    }
    /// The manifest of a tag or digest, recorded as a pull.
    pub async fn get_manifest(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        reference: &str,
    ) -> Result<Arc<Manifest>, Error> {
        let _ = (cx, repo, reference);
        soon()
    }
    /// The same without recording a pull, for `HEAD`.
    pub async fn stat_manifest(
        &self,
        repo: &RepositoryFacts,
        reference: &str,
    ) -> Result<Arc<Manifest>, Error> {
        let _ = (repo, reference);
        soon()
    }
    /// Deletes a tag (and with the last one the image), or an image with all its tags.
    pub async fn delete_manifest(
        &self,
        cx: &Call,
        repo: &RepositoryFacts,
        reference: &str,
    ) -> Result<(), Error> {
        let _ = (cx, repo, reference);
        soon()
    }
    /// Tags in their order, after `last`.
    pub async fn list_tags(
        &self,
        repo: &RepositoryFacts,
        n: Option<usize>,
        last: Option<&str>,
    ) -> Result<Page, Error> {
        let _ = (repo, n, last);
        soon()
    }
    /// Repositories in their order, after `last`.
    pub async fn list_repositories(
        &self,
        account: &AccountId,
        region: &Region,
        n: Option<usize>,
        last: Option<&str>,
    ) -> Result<Page, Error> {
        let _ = (account, region, n, last);
        soon()
    }
    /// The manifests whose subject is `digest`.
    pub async fn referrers(
        &self,
        repo: &RepositoryFacts,
        digest: &str,
        artifact_type: Option<&str>,
        next: Option<&str>,
    ) -> Result<Referrers, Error> {
        let _ = (repo, digest, artifact_type, next);
        soon()
    }
    /// `GetDownloadUrlForLayer`, up to the URL itself.
    pub async fn layer_for_download(
        &self,
        cx: &Call,
        input: ecr::GetDownloadUrlForLayerRequest,
    ) -> Result<LayerDownload, Error> {
        let _ = (cx, input);
        soon()
    }
}

macro_rules! operations {
    ($($name:ident($input:ident) -> $output:ident;)*) => {
        impl Registry {$(
            #[doc = stringify!($input)]
            pub async fn $name(&self, cx: &Call, input: ecr::$input) -> Result<ecr::$output, Error> {
                let _ = (cx, input);
                soon()
            }
        )*}
    };
}

operations! {
    create_repository(CreateRepositoryRequest) -> CreateRepositoryResponse;
    describe_repositories(DescribeRepositoriesRequest) -> DescribeRepositoriesResponse;
    delete_repository(DeleteRepositoryRequest) -> DeleteRepositoryResponse;
    set_repository_policy(SetRepositoryPolicyRequest) -> SetRepositoryPolicyResponse;
    get_repository_policy(GetRepositoryPolicyRequest) -> GetRepositoryPolicyResponse;
    delete_repository_policy(DeleteRepositoryPolicyRequest) -> DeleteRepositoryPolicyResponse;
    tag_resource(TagResourceRequest) -> TagResourceResponse;
    untag_resource(UntagResourceRequest) -> UntagResourceResponse;
    list_tags_for_resource(ListTagsForResourceRequest) -> ListTagsForResourceResponse;
    put_image_tag_mutability(PutImageTagMutabilityRequest) -> PutImageTagMutabilityResponse;
    put_image_scanning_configuration(PutImageScanningConfigurationRequest) -> PutImageScanningConfigurationResponse;
    batch_get_repository_scanning_configuration(BatchGetRepositoryScanningConfigurationRequest) -> BatchGetRepositoryScanningConfigurationResponse;
    initiate_layer_upload(InitiateLayerUploadRequest) -> InitiateLayerUploadResponse;
    upload_layer_part(UploadLayerPartRequest) -> UploadLayerPartResponse;
    complete_layer_upload(CompleteLayerUploadRequest) -> CompleteLayerUploadResponse;
    batch_check_layer_availability(BatchCheckLayerAvailabilityRequest) -> BatchCheckLayerAvailabilityResponse;
    put_image(PutImageRequest) -> PutImageResponse;
    batch_get_image(BatchGetImageRequest) -> BatchGetImageResponse;
    batch_delete_image(BatchDeleteImageRequest) -> BatchDeleteImageResponse;
    list_images(ListImagesRequest) -> ListImagesResponse;
    describe_images(DescribeImagesRequest) -> DescribeImagesResponse;
    list_image_referrers(ListImageReferrersRequest) -> ListImageReferrersResponse;
    describe_registry(DescribeRegistryRequest) -> DescribeRegistryResponse;
    get_registry_policy(GetRegistryPolicyRequest) -> GetRegistryPolicyResponse;
    put_registry_policy(PutRegistryPolicyRequest) -> PutRegistryPolicyResponse;
    delete_registry_policy(DeleteRegistryPolicyRequest) -> DeleteRegistryPolicyResponse;
}
