//! Images listed and described; referrers.

use std::collections::HashMap;

use aws_api::ecr::{
    ArtifactStatus, ArtifactStatusFilter, DescribeImagesRequest, DescribeImagesResponse,
    ImageDetail, ImageIdentifier, ImageReferrer, ListImageReferrersRequest,
    ListImageReferrersResponse, ListImagesRequest, ListImagesResponse, TagStatus,
};
use store::Conn;
use store::ecr::image::{self, Image};
use store::ecr::image_tag;

use super::repositories::time;
use super::storage_class::{image_status_of, status_filter};
use super::token;
use crate::digest::parse_digest;
use crate::{Authorized, Error, Registry, RepositoryFacts};

/// Results of `ListImageReferrers`, when `maxResults` is absent and at most
/// (ECR API, `FiftyMaxResults`).
const REFERRERS_MAX: i32 = 50;

/// Tags in one answer of `DescribeImages`, and then those that its last image has
/// besides: a page of images that all have as many as the quota allows would be a
/// million.
const TAGS_MAX: i64 = 10_000;

impl Registry {
    /// `ListImages`: an entry for each tag, and one for each image without.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::InvalidParameter`] for a foreign token.
    pub async fn list_images(
        &self,
        cx: &Authorized,
        input: ListImagesRequest,
    ) -> Result<ListImagesResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let filter = input.filter.unwrap_or_default();
        let place = token::open(input.next_token.as_ref())?;
        let (id, tag) = match place.is_empty() {
            true => ("0", ""),
            false => place.split_once(' ').ok_or_else(token::invalid)?,
        };
        let id: i64 = id.parse().map_err(|_| token::invalid())?;
        let n = token::page_size(input.max_results);
        let tagged = tag_status(filter.tag_status);
        let status = status_filter(filter.image_status);
        let mut read = self.0.store.read().await?;
        let (conn, after) = (&mut read.conn(), (id, tag));
        let mut rows =
            image::list_ids(conn, repo.id, tagged, status, after, token::rows(n)).await?;
        let next_token = token::cut(&mut rows, n).map(|last| {
            token::seal(&format!(
                "{} {}",
                last.id,
                last.tag.as_deref().unwrap_or("")
            ))
        });
        let identifier = |row: image::Listed| ImageIdentifier {
            image_digest: Some(row.digest),
            image_tag: row.tag,
        };
        Ok(ListImagesResponse {
            image_ids: Some(rows.into_iter().map(identifier).collect()),
            next_token,
        })
    }

    /// `DescribeImages`.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::ImageNotFound`] for the first of
    /// `imageIds` that is missing, [`Error::InvalidParameter`].
    pub async fn describe_images(
        &self,
        cx: &Authorized,
        input: DescribeImagesRequest,
    ) -> Result<DescribeImagesResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        if let Some(ids) = input.image_ids {
            if input.next_token.is_some() || input.max_results.is_some() {
                return Err(Error::parameter(
                    "imageIds",
                    "must not be given together with nextToken or maxResults",
                ));
            }
            let mut details: Vec<ImageDetail> = Vec::with_capacity(ids.len());
            for id in &ids {
                let image = named(conn, &repo, id).await?;
                let known = |d: &ImageDetail| d.image_digest.as_ref() == Some(&image.digest);
                if !details.iter().any(known) {
                    let tags = image_tag::of_image(conn, image.id).await?;
                    details.push(detail(&repo, image, tags)?);
                }
            }
            return Ok(DescribeImagesResponse {
                image_details: Some(details),
                next_token: None,
            });
        }
        let filter = input.filter.unwrap_or_default();
        let after = match token::open(input.next_token.as_ref())?.as_str() {
            "" => 0,
            place => place.parse().map_err(|_| token::invalid())?,
        };
        let n = token::page_size(input.max_results);
        let tagged = tag_status(filter.tag_status);
        let status = status_filter(filter.image_status);
        let mut images = image::list(conn, repo.id, tagged, status, after, token::rows(n)).await?;
        let mut next = token::cut(&mut images, n).map(|last| last.id);
        let mut tags: HashMap<i64, Vec<String>> = HashMap::new();
        if let (Some(first), Some(last), true) = (
            images.first(),
            images.last(),
            tagged != image::TagStatus::Untagged,
        ) {
            let rows = image_tag::of_images(conn, repo.id, first.id, last.id, TAGS_MAX).await?;
            let full = token::rows(rows.len()) > TAGS_MAX;
            let cut = rows.last().filter(|_| full).map(|(image_id, _)| *image_id);
            for (image_id, tag) in rows {
                tags.entry(image_id).or_default().push(tag);
            }
            // The page ends with the image that reached the bound, with all its tags.
            if let Some(id) = cut {
                tags.insert(id, image_tag::of_image(conn, id).await?);
                if images.last().is_some_and(|image| image.id > id) {
                    images.retain(|image| image.id <= id);
                    next = Some(id);
                }
            }
        }
        let details = images
            .into_iter()
            .map(|image| {
                let tags = tags.remove(&image.id).unwrap_or_default();
                detail(&repo, image, tags)
            })
            .collect::<Result<_, _>>()?;
        Ok(DescribeImagesResponse {
            image_details: Some(details),
            next_token: next.map(|id| token::seal(&id.to_string())),
        })
    }

    /// `ListImageReferrers`.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::InvalidDigest`].
    pub async fn list_image_referrers(
        &self,
        cx: &Authorized,
        input: ListImageReferrersRequest,
    ) -> Result<ListImageReferrersResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let filter = input.filter.unwrap_or_default();
        let types = filter.artifact_types.unwrap_or_default();
        let after = match token::open(input.next_token.as_ref())?.as_str() {
            "" => 0,
            place => place.parse().map_err(|_| token::invalid())?,
        };
        let n = i64::from(
            input
                .max_results
                .unwrap_or(REFERRERS_MAX)
                .clamp(1, REFERRERS_MAX),
        );
        let subject = &input.subject_id.image_digest;
        // With one type the index does the choosing; with several, a page may come out
        // shorter than asked for, as the API allows.
        let one_type = match types.as_slice() {
            [one] => Some(one.as_str()),
            _ => None,
        };
        let status = match filter.artifact_status {
            None | Some(ArtifactStatusFilter::Active) => Some("ACTIVE"),
            Some(ArtifactStatusFilter::Archived) => Some("ARCHIVED"),
            Some(ArtifactStatusFilter::Activating) => Some("ACTIVATING"),
            Some(ArtifactStatusFilter::Any) => None,
        };
        let of = (subject.as_str(), one_type, status);
        let page = self.referrers_page(&repo, of, after, n).await?;
        let wanted = |artifact_type: &Option<String>| {
            types.is_empty() || artifact_type.as_ref().is_some_and(|t| types.contains(t))
        };
        let referrers = page
            .referrers
            .into_iter()
            .filter(|referrer| wanted(&referrer.artifact_type))
            .map(|referrer| ImageReferrer {
                digest: referrer.digest,
                media_type: referrer.media_type,
                artifact_type: referrer.artifact_type,
                size: referrer.size,
                annotations: Some(referrer.annotations),
                artifact_status: Some(match referrer.status.as_str() {
                    "ARCHIVED" => ArtifactStatus::Archived,
                    "ACTIVATING" => ArtifactStatus::Activating,
                    _ => ArtifactStatus::Active,
                }),
            })
            .collect();
        Ok(ListImageReferrersResponse {
            referrers: Some(referrers),
            next_token: page.next.as_deref().map(token::seal),
        })
    }
}

fn tag_status(filter: Option<TagStatus>) -> image::TagStatus {
    match filter {
        None | Some(TagStatus::Any) => image::TagStatus::Any,
        Some(TagStatus::Tagged) => image::TagStatus::Tagged,
        Some(TagStatus::Untagged) => image::TagStatus::Untagged,
    }
}

/// The image that an identifier names.
pub(super) async fn named(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    id: &ImageIdentifier,
) -> Result<Image, Error> {
    let digest = match id.image_digest.as_deref() {
        Some(text) => Some(parse_digest(text)?.to_string()),
        None => None,
    };
    let tag = id.image_tag.as_deref();
    let found = match (&digest, tag) {
        (_, Some(tag)) => image::find_by_tag(conn, repo.id, tag).await?,
        (Some(digest), None) => image::find(conn, repo.id, digest).await?,
        (None, None) => {
            return Err(Error::parameter(
                "imageIds",
                "both tag and digest cannot be null",
            ));
        }
    };
    found
        .filter(|image| digest.as_ref().is_none_or(|digest| *digest == image.digest))
        .ok_or_else(|| repo.no_image(digest.as_deref(), tag))
}

/// An image as `DescribeImages` shows it.
fn detail(repo: &RepositoryFacts, image: Image, tags: Vec<String>) -> Result<ImageDetail, Error> {
    Ok(ImageDetail {
        registry_id: Some(repo.account.to_string()),
        repository_name: Some(repo.name.to_string()),
        image_digest: Some(image.digest),
        image_tags: (!tags.is_empty()).then_some(tags),
        image_size_in_bytes: Some(image.image_size),
        image_pushed_at: Some(time(image.pushed_at)?),
        image_manifest_media_type: Some(image.media_type),
        artifact_media_type: image.artifact_type,
        last_recorded_pull_time: image.pulled_at.map(time).transpose()?,
        subject_manifest_digest: image.subject,
        image_status: Some(image_status_of(&image.status)),
        last_archived_at: image.archived_at.map(time).transpose()?,
        last_activated_at: image.activated_at.map(time).transpose()?,
        ..ImageDetail::default()
    })
}
