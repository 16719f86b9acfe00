//! Listings, page by page.

use http::header::LINK;
use http::{Method, StatusCode};
use serde_json::Value;

use super::location::response_url;
use super::scope::Scope;
use super::{OciClient, OciError};
use crate::http::{Request, Response};

/// Names in all pages of a listing.
const NAMES_MAX: usize = 1_000_000;
/// A page of a listing. Amazon ECR refuses more.
const PAGE: usize = 1_000;

impl OciClient {
    /// The repositories that the registry lists.
    ///
    /// # Errors
    /// See [`OciError`]; many registries list none to anybody.
    pub async fn repositories(&self) -> Result<Vec<String>, OciError> {
        let path = format!("/v2/_catalog?n={PAGE}");
        self.listing(Scope::Catalog, path, "repositories").await
    }

    /// The tags of a repository.
    ///
    /// # Errors
    /// See [`OciError`].
    pub async fn tags(&self, repository: &str) -> Result<Vec<String>, OciError> {
        let path = format!("/v2/{repository}/tags/list?n={PAGE}");
        self.listing(Scope::Pull(repository), path, "tags").await
    }

    async fn listing(
        &self,
        scope: Scope<'_>,
        path: String,
        member: &str,
    ) -> Result<Vec<String>, OciError> {
        let mut next = Some(path);
        let mut names = Vec::new();
        while let Some(path) = next {
            let request = Request::new(Method::GET, self.url(&path));
            let response = self.expect(self.call(scope, request).await?, &[StatusCode::OK])?;
            next = self.next_page(&response)?;
            let page = self.json(&response)?;
            let page = page[member].as_array().into_iter().flatten();
            names.extend(page.filter_map(Value::as_str).map(str::to_owned));
            self.bounded(names.len())?;
        }
        Ok(names)
    }

    pub(super) fn bounded(&self, count: usize) -> Result<(), OciError> {
        match count > NAMES_MAX {
            true => Err(self.unexpected(StatusCode::OK, "a listing without an end")),
            false => Ok(()),
        }
    }

    /// The path of the next page, which is on this registry (RFC 8288).
    pub(super) fn next_page(&self, response: &Response) -> Result<Option<String>, OciError> {
        let Some(link) = response.header(LINK.as_str()) else {
            return Ok(None);
        };
        let target = link
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'));
        let Some((target, _)) = target.filter(|(_, parameters)| parameters.contains("next")) else {
            return Ok(None);
        };
        let url = response_url(&self.base, target);
        let path = url.as_deref().and_then(|url| url.strip_prefix(&self.base));
        match path {
            Some(path) if path.starts_with('/') => Ok(Some(path.to_owned())),
            _ => Err(self.unexpected(response.status, "a next page on another host")),
        }
    }
}
