//! Lists of the OCI API: tags, repositories, referrers.

use std::collections::BTreeMap;

use aws_types::{AccountId, Region};
use serde::Serialize;
use store::ecr::image::ACTIVE;
use store::ecr::{image_tag, referrer, repository};

use crate::digest::parse_digest;
use crate::manifest::OCI_INDEX;
use crate::{Authorized, Error, Registry, RepositoryFacts};

/// Names of one answer when the client does not say, and at most.
const NAMES_MAX: usize = 1_000;
/// Referrers of one answer.
const REFERRERS_MAX: i64 = 500;
/// Bytes of manifests whose annotations are in one answer of referrers, unless the first
/// alone has more: annotations can be nearly all of a manifest, and 500 of the largest
/// would take the server's memory. The size of a manifest that clients are to expect
/// (distribution-spec, "Pushing Manifests"), and the index is one.
const REFERRERS_BYTES_MAX: i64 = 4 << 20;

/// A page of names in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The names.
    pub items: Vec<String>,
    /// There are more after the last of them: the answer gets a `Link` header.
    pub more: bool,
}

impl Page {
    /// Of `items`, one more than asked for was read to know whether there are more.
    fn cut(mut items: Vec<String>, n: usize) -> Self {
        let more = items.len() > n;
        items.truncate(n);
        Page { items, more }
    }
}

/// One descriptor of the referrers' index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Referrer {
    /// The manifest's media type.
    pub media_type: String,
    /// Its digest.
    pub digest: String,
    /// Its length in bytes.
    pub size: i64,
    /// Its artifact type, or its config's media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Its annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// `ACTIVE`, `ARCHIVED`, `ACTIVATING`; no part of a descriptor.
    #[serde(skip)]
    pub status: String,
}

impl Referrer {
    fn of(image: referrer::Referrer) -> Result<Self, Error> {
        let annotations = match &image.annotations {
            Some(text) => serde_json::from_str(text).map_err(Error::internal)?,
            None => BTreeMap::new(),
        };
        Ok(Referrer {
            media_type: image.media_type,
            digest: image.digest,
            size: image.content_size,
            artifact_type: image.artifact_type,
            annotations,
            status: image.status,
        })
    }
}

/// A page of referrers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Referrers {
    /// The referrers in the order of their pushes.
    pub referrers: Vec<Referrer>,
    /// Where the next page begins, for the `Link` header; opaque.
    pub next: Option<String>,
}

impl Referrers {
    /// The answer's body: an OCI image index (distribution-spec, "Listing Referrers").
    #[must_use]
    pub fn to_index(&self) -> Vec<u8> {
        let index = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": self.referrers,
        });
        index.to_string().into_bytes()
    }
}

impl Registry {
    /// Tags in their order, after `last` (`GET /v2/<name>/tags/list?n=&last=`).
    ///
    /// # Errors
    /// The store's.
    pub async fn list_tags(
        &self,
        _: &Authorized,
        repo: &RepositoryFacts,
        n: Option<usize>,
        last: Option<&str>,
    ) -> Result<Page, Error> {
        let n = n.unwrap_or(NAMES_MAX).min(NAMES_MAX);
        if n == 0 {
            return Ok(Page::default());
        }
        let mut read = self.0.store.read().await?;
        let last = last.unwrap_or("");
        let tags = image_tag::list(&mut read.conn(), repo.id, last, one_more(n)).await?;
        Ok(Page::cut(tags, n))
    }

    /// Repositories in their order, after `last` (`GET /v2/_catalog?n=&last=`).
    ///
    /// # Errors
    /// The store's.
    pub async fn list_repositories(
        &self,
        _: &Authorized,
        account: &AccountId,
        region: &Region,
        n: Option<usize>,
        last: Option<&str>,
    ) -> Result<Page, Error> {
        let n = n.unwrap_or(NAMES_MAX).min(NAMES_MAX);
        if n == 0 {
            return Ok(Page::default());
        }
        let mut read = self.0.store.read().await?;
        let (account, region) = (account.as_str(), region.as_str());
        let last = last.unwrap_or("");
        let rows = repository::list(&mut read.conn(), account, region, last, one_more(n)).await?;
        Ok(Page::cut(rows.into_iter().map(|row| row.name).collect(), n))
    }

    /// The manifests whose subject is `digest`
    /// (`GET /v2/<name>/referrers/<digest>?artifactType=`). An unknown digest has none.
    ///
    /// # Errors
    /// [`Error::InvalidDigest`], and the store's.
    pub async fn referrers(
        &self,
        _: &Authorized,
        repo: &RepositoryFacts,
        digest: &str,
        artifact_type: Option<&str>,
        next: Option<&str>,
    ) -> Result<Referrers, Error> {
        let after = match next {
            Some(token) => token
                .parse()
                .map_err(|_| Error::parameter("next", "must be from an earlier answer"))?,
            None => 0,
        };
        let of = (digest, artifact_type, Some(ACTIVE));
        self.referrers_page(repo, of, after, REFERRERS_MAX).await
    }

    pub(crate) async fn referrers_page(
        &self,
        repo: &RepositoryFacts,
        (digest, artifact_type, status): (&str, Option<&str>, Option<&str>),
        after: i64,
        limit: i64,
    ) -> Result<Referrers, Error> {
        let digest = parse_digest(digest)?.to_string();
        let of = referrer::Filter {
            subject: &digest,
            artifact_type,
            status,
        };
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let sizes = referrer::sizes(conn, repo.id, of, after, limit + 1).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let fits = page_length(&sizes, limit);
        let Some((last, _)) = fits.checked_sub(1).and_then(|at| sizes.get(at)) else {
            return Ok(Referrers::default());
        };
        let images = referrer::list(conn, repo.id, of, after, *last).await?;
        let next = (fits < sizes.len()).then(|| last.to_string());
        let referrers = images
            .into_iter()
            .map(Referrer::of)
            .collect::<Result<_, _>>()?;
        Ok(Referrers { referrers, next })
    }
}

/// How many of these (id, bytes) one answer holds: at most `limit`, and no more bytes
/// than [`REFERRERS_BYTES_MAX`], but at least one, so that a client that follows the pages reaches the end.
fn page_length(sizes: &[(i64, i64)], limit: usize) -> usize {
    let mut sum = 0_i64;
    let within = sizes.iter().take(limit).take_while(|(_, size)| {
        sum = sum.saturating_add(*size);
        sum <= REFERRERS_BYTES_MAX
    });
    within.count().max(1).min(sizes.len())
}

fn one_more(n: usize) -> i64 {
    i64::try_from(n).map_or(i64::MAX, |n| n.saturating_add(1))
}
