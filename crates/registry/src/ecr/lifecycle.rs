//! Lifecycle policies and their previews.

use std::fmt::Write as _;

use aws_api::ecr::{
    DeleteLifecyclePolicyRequest, DeleteLifecyclePolicyResponse, GetLifecyclePolicyPreviewRequest,
    GetLifecyclePolicyPreviewResponse, GetLifecyclePolicyRequest, GetLifecyclePolicyResponse,
    ImageActionType, ImageIdentifier, LifecyclePolicyPreviewResult, LifecyclePolicyPreviewStatus,
    LifecyclePolicyPreviewSummary, LifecyclePolicyRuleAction, LifecyclePolicyStorageClass,
    LifecyclePolicyTargetStorageClass, PutLifecyclePolicyRequest, PutLifecyclePolicyResponse,
    StartLifecyclePolicyPreviewRequest, StartLifecyclePolicyPreviewResponse, TagStatus,
    TransitioningImageTotalCount,
};
use aws_types::draw;
use store::ecr::lifecycle::{self, RUN_JOB};
use store::ecr::lifecycle_preview::{self, PREVIEW_JOB, Preview, PreviewImage};
use store::ecr::{image, repository};
use store::{Conn, jobs};

use super::repositories::time;
use super::token;
use crate::digest::parse_digest;
use crate::lifecycle::Policy;
use crate::lifecycle::preview::is_expired;
use crate::{Authorized, Error, Registry, RepositoryFacts};

/// The place of the text in a request, as refusals name it.
const POLICY_TEXT: &str = "LifecyclePolicyText";

impl Registry {
    /// `PutLifecyclePolicy`. A job runs the policy soon.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::InvalidParameter`] for a policy that is refused.
    pub async fn put_lifecycle_policy(
        &self,
        cx: &Authorized,
        input: PutLifecyclePolicyRequest,
    ) -> Result<PutLifecyclePolicyResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let text = input.lifecycle_policy_text;
        check(&text)?;
        let mut tx = self.write(repo.id).await?;
        let conn = &mut tx.conn();
        exists(conn, &repo).await?;
        self.store_lifecycle_policy(conn, repo.id, &text, cx.now_ms())
            .await?;
        tx.commit().await?;
        Ok(PutLifecyclePolicyResponse {
            registry_id: Some(repo.account.to_string()),
            repository_name: Some(repo.name.to_string()),
            lifecycle_policy_text: Some(text),
        })
    }

    /// `GetLifecyclePolicy`.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::LifecyclePolicyNotFound`].
    pub async fn get_lifecycle_policy(
        &self,
        cx: &Authorized,
        input: GetLifecyclePolicyRequest,
    ) -> Result<GetLifecyclePolicyResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let mut read = self.0.store.read().await?;
        let policy = policy_of(&mut read.conn(), &repo).await?;
        Ok(GetLifecyclePolicyResponse {
            registry_id: Some(repo.account.to_string()),
            repository_name: Some(repo.name.to_string()),
            last_evaluated_at: Some(time(policy.evaluated_at.unwrap_or(0))?),
            lifecycle_policy_text: Some(policy.text),
        })
    }

    /// `DeleteLifecyclePolicy`. What the policy has not done when this returns, it does not do.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::LifecyclePolicyNotFound`].
    pub async fn delete_lifecycle_policy(
        &self,
        cx: &Authorized,
        input: DeleteLifecyclePolicyRequest,
    ) -> Result<DeleteLifecyclePolicyResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        let mut tx = self.write(repo.id).await?;
        let policy = policy_of(&mut tx.conn(), &repo).await?;
        lifecycle::delete_policy(&mut tx.conn(), repo.id).await?;
        tx.commit().await?;
        Ok(DeleteLifecyclePolicyResponse {
            registry_id: Some(repo.account.to_string()),
            repository_name: Some(repo.name.to_string()),
            last_evaluated_at: Some(time(policy.evaluated_at.unwrap_or(0))?),
            lifecycle_policy_text: Some(policy.text),
        })
    }

    /// `StartLifecyclePolicyPreview`: of the given policy, or of the one that the repository has.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::LifecyclePolicyNotFound`],
    /// [`Error::LifecyclePolicyPreviewInProgress`], [`Error::InvalidParameter`].
    pub async fn start_lifecycle_policy_preview(
        &self,
        cx: &Authorized,
        input: StartLifecyclePolicyPreviewRequest,
    ) -> Result<StartLifecyclePolicyPreviewResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        if let Some(text) = &input.lifecycle_policy_text {
            check(text)?;
        }
        let mut tx = self.write(repo.id).await?;
        let conn = &mut tx.conn();
        exists(conn, &repo).await?;
        let text = match input.lifecycle_policy_text {
            Some(text) => text,
            None => policy_of(conn, &repo).await?.text,
        };
        let current = lifecycle_preview::get(conn, repo.id).await?;
        if current.is_some_and(|preview| preview.status == "IN_PROGRESS") {
            return Err(Error::LifecyclePolicyPreviewInProgress(repo.place()));
        }
        let now = cx.now_ms();
        lifecycle_preview::start(conn, repo.id, &text, now).await?;
        jobs::put(conn, PREVIEW_JOB, &repo.id.to_string(), "", now).await?;
        tx.commit().await?;
        Ok(StartLifecyclePolicyPreviewResponse {
            registry_id: Some(repo.account.to_string()),
            repository_name: Some(repo.name.to_string()),
            lifecycle_policy_text: Some(text),
            status: Some(LifecyclePolicyPreviewStatus::InProgress),
        })
    }

    /// `GetLifecyclePolicyPreview`: the images on which the policy acts, in the order in which it does.
    ///
    /// # Errors
    /// [`Error::RepositoryNotFound`], [`Error::LifecyclePolicyPreviewNotFound`], [`Error::InvalidParameter`].
    pub async fn get_lifecycle_policy_preview(
        &self,
        cx: &Authorized,
        input: GetLifecyclePolicyPreviewRequest,
    ) -> Result<GetLifecyclePolicyPreviewResponse, Error> {
        let repo = self
            .target(cx, input.registry_id.as_ref(), &input.repository_name)
            .await?;
        if input.image_ids.is_some() && (input.next_token.is_some() || input.max_results.is_some())
        {
            return Err(Error::parameter(
                "imageIds",
                "must not be given together with nextToken or maxResults",
            ));
        }
        // The images are read as the preview says that they are.
        let mut read = self.0.store.snapshot().await?;
        let conn = &mut read.conn();
        let preview = lifecycle_preview::get(conn, repo.id).await?;
        let preview = preview.ok_or_else(|| Error::LifecyclePolicyPreviewNotFound(repo.place()))?;
        let status = status(&preview, cx.now_ms())?;
        let tagged = match input.filter.unwrap_or_default().tag_status {
            None | Some(TagStatus::Any) => None,
            Some(TagStatus::Tagged) => Some(true),
            Some(TagStatus::Untagged) => Some(false),
        };
        let (mut images, mut next_token) = (Vec::new(), None);
        if status == LifecyclePolicyPreviewStatus::Complete {
            match input.image_ids {
                Some(ids) => {
                    for id in &ids {
                        images.extend(named(conn, &repo, id).await?);
                    }
                    images.sort_by_key(|image| image.position);
                    images.dedup_by_key(|image| image.position);
                    images
                        .retain(|image| tagged.is_none_or(|tagged| tagged == (image.tags != "[]")));
                }
                None => {
                    let after = match token::open(input.next_token.as_ref())?.as_str() {
                        "" => 0,
                        place => place.parse().map_err(|_| token::invalid())?,
                    };
                    let n = token::page_size(input.max_results);
                    images =
                        lifecycle_preview::images(conn, repo.id, tagged, after, token::rows(n))
                            .await?;
                    next_token = token::cut(&mut images, n)
                        .map(|last| token::seal(&last.position.to_string()));
                }
            }
        }
        let results = images.into_iter().map(result).collect::<Result<_, _>>()?;
        Ok(GetLifecyclePolicyPreviewResponse {
            registry_id: Some(repo.account.to_string()),
            repository_name: Some(repo.name.to_string()),
            summary: Some(summary(&preview, status)?),
            lifecycle_policy_text: Some(preview.policy),
            status: Some(status),
            next_token,
            preview_results: Some(results),
        })
    }

    /// A UUID of version 4, which is how AWS names policies in events.
    /// Gives a repository a policy that was checked, and has a job run it soon.
    pub(super) async fn store_lifecycle_policy(
        &self,
        conn: &mut Conn<'_>,
        repository_id: i64,
        text: &str,
        now: i64,
    ) -> Result<(), Error> {
        let id = self.fresh_policy_id()?;
        lifecycle::put_policy(conn, repository_id, text, &id).await?;
        let subject = repository_id.to_string();
        Ok(jobs::put(conn, RUN_JOB, &subject, "", now).await?)
    }

    fn fresh_policy_id(&self) -> Result<String, Error> {
        let mut bytes = draw::<16>(&*self.0.entropy)?;
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut id = String::with_capacity(36);
        for (at, byte) in bytes.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                id.push('-');
            }
            write!(id, "{byte:02x}").map_err(Error::internal)?;
        }
        Ok(id)
    }
}

/// Refuses a policy that is invalid.
pub(super) fn check(text: &str) -> Result<(), Error> {
    match Policy::parse(text) {
        Ok(_) => Ok(()),
        Err(constraint) => Err(Error::parameter(POLICY_TEXT, constraint)),
    }
}

/// The repository may be gone since it was looked up.
async fn exists(conn: &mut Conn<'_>, repo: &RepositoryFacts) -> Result<(), Error> {
    match repository::get(conn, repo.id).await? {
        Some(_) => Ok(()),
        None => Err(Error::RepositoryNotFound(repo.place())),
    }
}

async fn policy_of(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
) -> Result<lifecycle::Policy, Error> {
    let policy = lifecycle::policy(conn, repo.id).await?;
    policy.ok_or_else(|| Error::LifecyclePolicyNotFound(repo.place()))
}

/// The image of the preview that an identifier names; a tag, where the image has it now and had it then.
async fn named(
    conn: &mut Conn<'_>,
    repo: &RepositoryFacts,
    id: &ImageIdentifier,
) -> Result<Option<PreviewImage>, Error> {
    let digest = match (id.image_digest.as_deref(), id.image_tag.as_deref()) {
        (Some(digest), _) => parse_digest(digest)?.to_string(),
        (None, Some(tag)) => match image::find_by_tag(conn, repo.id, tag).await? {
            Some(image) => image.digest,
            None => return Ok(None),
        },
        (None, None) => {
            return Err(Error::parameter(
                "imageIds",
                "both tag and digest cannot be null",
            ));
        }
    };
    let found = lifecycle_preview::find(conn, repo.id, &digest).await?;
    let (Some(image), Some(tag)) = (&found, &id.image_tag) else {
        return Ok(found);
    };
    let has_tag = tags(image)?.contains(tag);
    Ok(found.filter(|_| has_tag))
}

fn status(preview: &Preview, now: i64) -> Result<LifecyclePolicyPreviewStatus, Error> {
    Ok(match preview.status.as_str() {
        _ if is_expired(preview, now) => LifecyclePolicyPreviewStatus::Expired,
        "IN_PROGRESS" => LifecyclePolicyPreviewStatus::InProgress,
        "COMPLETE" => LifecyclePolicyPreviewStatus::Complete,
        "FAILED" => LifecyclePolicyPreviewStatus::Failed,
        other => return Err(Error::internal(format!("a preview with status {other}"))),
    })
}

/// "This field is only present if at least one image will be transitioned" (ECR API,
/// `LifecyclePolicyPreviewSummary`).
fn summary(
    preview: &Preview,
    status: LifecyclePolicyPreviewStatus,
) -> Result<LifecyclePolicyPreviewSummary, Error> {
    let is_complete = status == LifecyclePolicyPreviewStatus::Complete;
    let count = |count: i64| i32::try_from(if is_complete { count } else { 0 });
    let archiving = count(preview.archiving).map_err(Error::internal)?;
    Ok(LifecyclePolicyPreviewSummary {
        expiring_image_total_count: Some(count(preview.expiring).map_err(Error::internal)?),
        transitioning_image_total_counts: (archiving > 0).then(|| {
            vec![TransitioningImageTotalCount {
                target_storage_class: Some(LifecyclePolicyTargetStorageClass::Archive),
                image_total_count: Some(archiving),
            }]
        }),
    })
}

fn tags(image: &PreviewImage) -> Result<Vec<String>, Error> {
    serde_json::from_str(&image.tags).map_err(Error::internal)
}

fn result(image: PreviewImage) -> Result<LifecyclePolicyPreviewResult, Error> {
    let is_expired = image.action == "EXPIRE";
    let tags = tags(&image)?;
    Ok(LifecyclePolicyPreviewResult {
        image_tags: Some(tags),
        image_digest: Some(image.digest),
        image_pushed_at: Some(time(image.pushed_at)?),
        action: Some(LifecyclePolicyRuleAction {
            r#type: Some(match is_expired {
                true => ImageActionType::Expire,
                false => ImageActionType::Transition,
            }),
            target_storage_class: (!is_expired)
                .then_some(LifecyclePolicyTargetStorageClass::Archive),
        }),
        applied_rule_priority: Some(i32::try_from(image.rule_priority).map_err(Error::internal)?),
        storage_class: Some(match image.storage_class.as_str() {
            "ARCHIVE" => LifecyclePolicyStorageClass::Archive,
            _ => LifecyclePolicyStorageClass::Standard,
        }),
    })
}
