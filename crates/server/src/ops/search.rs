//! `SearchImages`: what matches, as far as the caller may see it.
//!
//! A result is shown to who may `ecr:DescribeImages` in its repository. What only an image's contents tell,
//! its annotations, labels and platform, is looked at for who may `ecr:BatchGetImage` there as well:
//! otherwise a search would answer questions about manifests that the caller may not read.

use std::collections::HashMap;
use std::time::Instant;

use authz::{RequestContext, ResourceSelector, require};
use aws_api::Operation;
use aws_api::berth::{ErrorCode, SearchImagesRequest, SearchImagesResponse};
use aws_api::ecr;
use jiff::SignedDuration;
use registry::{Place, Search};

use crate::app::App;
use crate::authorize::{self, Authorized};
use crate::error::ApiError;
use crate::limits::{SEARCH_CANDIDATES_MAX, SEARCH_INDEX_STEPS_MAX, SEARCH_PAGE_TIME};

/// Results of a page where `maxResults` is absent.
const RESULTS_DEFAULT: i32 = 50;
/// How long a token can be used.
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_hours(24);
const PURPOSE: &str = "search-images";
/// Tokens are as long as this or a multiple, because they name places in an order that has repositories
/// which the caller may not see.
const TOKEN_BYTES: usize = 768;

/// What the caller may see of a repository.
#[derive(Clone, Copy)]
struct Access {
    lists: bool,
    reads: bool,
}

pub(super) async fn search_images(
    app: &App,
    ok: Authorized<SearchImagesRequest>,
) -> Result<SearchImagesResponse, ApiError> {
    let context = ok.context().clone();
    let (proof, input) = ok.into_parts();
    let max = input.max_results.unwrap_or(RESULTS_DEFAULT).clamp(1, 100);
    let max = usize::try_from(max).unwrap_or(1);
    let mut next = match &input.next_token {
        Some(token) => open(app, &context, token).await?,
        None => Place::default(),
    };
    let is_first = input.next_token.is_none();
    let registry = &app.registry;
    let search = registry.search(&proof, input)?;
    if is_first {
        registry.index_pushed(SEARCH_INDEX_STEPS_MAX).await;
    }
    let began = Instant::now();
    let mut known: HashMap<String, Access> = HashMap::new();
    let (mut results, mut seen) = (Vec::new(), 0);
    loop {
        let step = registry.search_step(&proof, &search, &next).await?;
        for (candidate, place) in step.candidates {
            seen += 1;
            let name = &candidate.result.repository_name;
            let access = match known.get(name) {
                Some(access) => *access,
                None => {
                    let access = access(app, &context, &search, name).await?;
                    known.insert(name.clone(), access);
                    access
                }
            };
            if access.lists && (access.reads || !candidate.by_content) {
                let mut result = candidate.result;
                result.platform = result.platform.filter(|_| access.reads);
                let digest = &result.image_digest;
                // An image may have several words that match.
                let is_new = !results.iter().any(|other: &aws_api::berth::SearchResult| {
                    other.image_digest == *digest && other.repository_name == result.repository_name
                });
                if is_new {
                    results.push(result);
                }
            }
            if results.len() >= max
                || seen >= SEARCH_CANDIDATES_MAX
                || began.elapsed() > SEARCH_PAGE_TIME
            {
                return page(app, &context, results, Some(place));
            }
        }
        match step.next {
            Some(place) => next = place,
            None => return page(app, &context, results, None),
        }
        if began.elapsed() > SEARCH_PAGE_TIME {
            return page(app, &context, results, Some(next));
        }
    }
}

fn page(
    app: &App,
    context: &RequestContext,
    results: Vec<aws_api::berth::SearchResult>,
    next: Option<Place>,
) -> Result<SearchImagesResponse, ApiError> {
    let next_token = next.map(|place| seal(app, context, &place)).transpose()?;
    Ok(SearchImagesResponse {
        results,
        next_token,
    })
}

/// Decides with the caller's policies, as if it asked for the repository's images.
async fn access(
    app: &App,
    context: &RequestContext,
    search: &Search,
    repository: &str,
) -> Result<Access, ApiError> {
    let lists = allows(
        app,
        context,
        search,
        repository,
        ecr::Operation::DescribeImages,
    )
    .await?;
    Ok(Access {
        lists,
        reads: lists
            && allows(
                app,
                context,
                search,
                repository,
                ecr::Operation::BatchGetImage,
            )
            .await?,
    })
}

async fn allows(
    app: &App,
    context: &RequestContext,
    search: &Search,
    repository: &str,
    operation: ecr::Operation,
) -> Result<bool, ApiError> {
    let Some(row) = super::row(Operation::Ecr(operation)) else {
        return Ok(false);
    };
    let requirements = require(ResourceSelector::Repository {
        registry: Some(search.account.to_string()),
        name: repository.to_owned(),
    });
    match authorize::check(app, context, &row.columns.rule, &requirements).await {
        Ok(_) => Ok(true),
        Err(ApiError::Denied(_) | ApiError::Session(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn seal(app: &App, context: &RequestContext, place: &Place) -> Result<String, ApiError> {
    let mut text = place.encode();
    let length = text.len().next_multiple_of(TOKEN_BYTES);
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', length.saturating_sub(text.len())));
    let expires_at = context.now.checked_add(TOKEN_LIFETIME);
    let expires_at = expires_at.map_err(ApiError::internal)?;
    let sealer = app.identity.sealer();
    Ok(sealer.seal(PURPOSE, text.as_bytes(), expires_at)?)
}

async fn open(app: &App, context: &RequestContext, token: &str) -> Result<Place, ApiError> {
    let opened = app
        .identity
        .sealer()
        .open(PURPOSE, token, context.now)
        .await;
    let place = opened.ok().and_then(|bytes| {
        let text = std::str::from_utf8(&bytes).ok()?;
        Place::decode(text.rsplit_once('\n')?.0)
    });
    place.ok_or_else(|| {
        let message = "Invalid parameter at 'nextToken' failed to satisfy constraint: 'must be the \
                       nextToken of an earlier answer'";
        ApiError::Wire(ErrorCode::InvalidParameter.with(message))
    })
}
