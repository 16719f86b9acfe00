//! The names of registries' quotas. They stand in the table of IAM's quotas, [`crate::iam::quota`].

use crate::{Conn, Result, values};

/// The value of a quota that nothing reaches.
pub const UNLIMITED: i64 = i64::MAX;

/// Repositories of an account in a region.
pub const REPOSITORIES: &str = "RepositoriesPerRegistry";
/// Images of a repository.
pub const IMAGES: &str = "ImagesPerRepository";
/// Tags of an image.
pub const TAGS: &str = "TagsPerImage";
/// Bytes of the layers of a repository.
pub const REPOSITORY_BYTES: &str = "BytesPerRepository";
/// Bytes of the layers of an account's repositories, in all regions; a layer counts once for each repository.
pub const ACCOUNT_BYTES: &str = "BytesPerAccount";

/// Requests of `GetAuthorizationToken` in a second, on each node.
pub const AUTHORIZATION_TOKEN_RATE: &str = "GetAuthorizationTokenRate";
/// Requests of `BatchGetImage` in a second, on each node.
pub const GET_IMAGE_RATE: &str = "BatchGetImageRate";
/// Requests of `GetDownloadUrlForLayer` in a second, on each node.
pub const DOWNLOAD_URL_RATE: &str = "GetDownloadUrlForLayerRate";
/// Requests of `BatchCheckLayerAvailability` in a second, on each node.
pub const CHECK_LAYER_RATE: &str = "BatchCheckLayerAvailabilityRate";
/// Requests of `InitiateLayerUpload` in a second, on each node.
pub const INITIATE_UPLOAD_RATE: &str = "InitiateLayerUploadRate";
/// Requests of `UploadLayerPart` in a second, on each node.
pub const UPLOAD_PART_RATE: &str = "UploadLayerPartRate";
/// Requests of `CompleteLayerUpload` in a second, on each node.
pub const COMPLETE_UPLOAD_RATE: &str = "CompleteLayerUploadRate";
/// Requests of `PutImage` in a second, on each node.
pub const PUT_IMAGE_RATE: &str = "PutImageRate";

/// Locks a quota that was set for an account until the transaction ends, so that what is compared with it
/// is counted by one transaction at a time; false when it is not set.
///
/// # Errors
/// The engine's.
pub async fn lock(conn: &mut Conn<'_>, account: &str, name: &str) -> Result<bool> {
    let locked = conn
        .execute(
            "UPDATE iam_quotas SET value = value WHERE account = $1 AND name = $2",
            values![account, name],
        )
        .await?;
    Ok(locked == 1)
}
