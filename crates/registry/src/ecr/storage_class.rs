//! Images archived and restored.

use aws_api::ecr::{
    ImageIdentifier, ImageStatus, ImageStatusFilter, TargetStorageClass,
    UpdateImageStorageClassRequest, UpdateImageStorageClassResponse,
};
use store::ecr::image::ACTIVE;
use store::ecr::image_status;
use store::jobs;

use super::listing::named;
use crate::cache::Change;
use crate::deletion::PARENTS_MAX;
use crate::storage_class::{RESTORE_IMAGES_JOB, archive};
use crate::{Authorized, Error, Registry};

impl Registry {
    /// `UpdateImageStorageClass`. An image that is archived is not served when this returns; one that is to
    /// be restored is activated by a job. The same again changes nothing.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::ImageNotFound`], [`Error::StorageClassUpdateNotSupported`] for an
    /// image that a list needs, or that is being restored.
    pub async fn update_image_storage_class(
        &self,
        cx: &Authorized,
        input: UpdateImageStorageClassRequest,
    ) -> Result<UpdateImageStorageClassResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let now = cx.now_ms();
        let mut tx = self.write(repo.id).await?;
        let image = named(&mut tx.conn(), &repo, &input.image_id).await?;
        let mut changes = Vec::new();
        let status = match (input.target_storage_class, image.status.as_str()) {
            (TargetStorageClass::Archive, "ACTIVATING") => {
                return Err(Error::StorageClassUpdateNotSupported(
                    "The image is being restored",
                ));
            }
            (TargetStorageClass::Archive, ACTIVE) => {
                let conn = &mut tx.conn();
                let parents =
                    image_status::parents_in_use(conn, repo.id, &image.digest, PARENTS_MAX).await?;
                if !parents.is_empty() {
                    return Err(Error::StorageClassUpdateNotSupported(
                        "The image is referenced by a manifest list, which must be archived first",
                    ));
                }
                archive(&mut tx, &repo, image.id, &image.digest, now).await?;
                changes.push(Change::RepositoryContents(repo.id));
                ImageStatus::Archived
            }
            (TargetStorageClass::Archive, _) => ImageStatus::Archived,
            (TargetStorageClass::Standard, ACTIVE) => ImageStatus::Active,
            (TargetStorageClass::Standard, _) => {
                let conn = &mut tx.conn();
                image_status::begin_activation(conn, image.id).await?;
                jobs::put(conn, RESTORE_IMAGES_JOB, &repo.id.to_string(), "", now).await?;
                ImageStatus::Activating
            }
        };
        self.note_change(&mut tx, &repo, now).await?;
        self.commit(tx, &changes).await?;
        Ok(UpdateImageStorageClassResponse {
            registry_id: Some(repo.account.to_string()),
            repository_name: Some(repo.name.to_string()),
            image_id: Some(ImageIdentifier {
                image_digest: Some(image.digest),
                image_tag: input.image_id.image_tag,
            }),
            image_status: Some(status),
        })
    }
}

/// The status that a list is about; `None` for all. "If not specified, only images with ACTIVE status are
/// returned" (ECR API, `DescribeImagesFilter`).
pub(super) fn status_filter(filter: Option<ImageStatusFilter>) -> Option<&'static str> {
    match filter {
        None | Some(ImageStatusFilter::Active) => Some(ACTIVE),
        Some(ImageStatusFilter::Archived) => Some("ARCHIVED"),
        Some(ImageStatusFilter::Activating) => Some("ACTIVATING"),
        Some(ImageStatusFilter::Any) => None,
    }
}

/// A stored status in the API.
pub(super) fn image_status_of(status: &str) -> ImageStatus {
    match status {
        "ARCHIVED" => ImageStatus::Archived,
        "ACTIVATING" => ImageStatus::Activating,
        _ => ImageStatus::Active,
    }
}
