//! `ListSecrets`: what is shown, in which order.

use aws_api::secrets_manager::{
    ErrorCode, Filter, FilterNameStringType, ListSecretsRequest, ListSecretsResponse,
    SecretListEntry, SortByType, SortOrderType,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::tags::{self, Tags};
use crate::{Error, Secrets};

/// Secrets of an account in a region. All of them are read for a listing.
pub(crate) const SECRETS_MAX: i64 = 1000;
/// A page where the request names no size.
const PAGE: i32 = 100;

/// A secret as a listing sees it.
pub(crate) struct Listed {
    pub(crate) entry: SecretListEntry,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) tags: Tags,
    pub(crate) sort: i64,
}

impl Secrets {
    pub(crate) fn page(
        &self,
        mut all: Vec<Listed>,
        input: &ListSecretsRequest,
    ) -> Result<ListSecretsResponse, Error> {
        let filters = input.filters.as_deref().unwrap_or_default();
        all.retain(|one| filters.iter().all(|filter| matches(one, filter)));
        if input.sort_by == Some(SortByType::Name) {
            all.sort_by(|a, b| a.name.cmp(&b.name));
        } else {
            // Without a key AWS sorts by creation.
            all.sort_by(|a, b| (a.sort, &a.name).cmp(&(b.sort, &b.name)));
        }
        // The newest first, unless told otherwise (API Reference, `SortOrder`).
        if input.sort_order.unwrap_or(SortOrderType::Desc) == SortOrderType::Desc {
            all.reverse();
        }
        let start = match &input.next_token {
            None => 0,
            Some(token) => {
                let after = decode(token)?;
                let at = all.iter().position(|one| one.name == after);
                at.ok_or_else(bad_token)? + 1
            }
        };
        let size = usize::try_from(input.max_results.unwrap_or(PAGE)).unwrap_or(1);
        let more = all.len() > start + size;
        let shown: Vec<_> = all.into_iter().skip(start).take(size).collect();
        let last = shown.last().filter(|_| more);
        Ok(ListSecretsResponse {
            next_token: last.map(|one| URL_SAFE_NO_PAD.encode(&one.name)),
            secret_list: Some(shown.into_iter().map(|one| one.entry).collect()),
        })
    }
}

pub(crate) fn key(by: Option<SortByType>, secret: &store::secrets::Secret) -> i64 {
    match by {
        Some(SortByType::LastAccessedDate) => secret.accessed_at.unwrap_or(0),
        Some(SortByType::LastChangedDate) => secret.changed_at,
        _ => secret.created_at,
    }
}

/// Whether any of the filter's values matches; one that begins with `!` is negated (user guide, "Find secrets").
fn matches(one: &Listed, filter: &Filter) -> bool {
    let values = filter.values.as_deref().unwrap_or_default();
    let key = filter.key.unwrap_or(FilterNameStringType::All);
    values.iter().any(|value| match value.strip_prefix('!') {
        Some(value) => !matches_value(one, key, value),
        None => matches_value(one, key, value),
    })
}

fn matches_value(one: &Listed, key: FilterNameStringType, value: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(&value.to_lowercase());
    match key {
        FilterNameStringType::Name => one.name.starts_with(value),
        FilterNameStringType::Description => has(&one.description),
        FilterNameStringType::TagKey => one.tags.keys().any(|key| key.starts_with(value)),
        FilterNameStringType::TagValue => one.tags.values().any(|tag| tag.starts_with(value)),
        // No secret has replicas or belongs to a service.
        FilterNameStringType::PrimaryRegion | FilterNameStringType::OwningService => false,
        FilterNameStringType::All => {
            has(&one.name)
                || has(&one.description)
                || one.tags.iter().any(|(key, value)| has(key) || has(value))
        }
    }
}

pub(crate) fn listed(
    secret: &store::secrets::Secret,
    by: Option<SortByType>,
    entry: SecretListEntry,
) -> Result<Listed, Error> {
    Ok(Listed {
        entry,
        name: secret.name.clone(),
        description: secret.description.clone(),
        tags: tags::stored(&secret.tags)?,
        sort: key(by, secret),
    })
}

fn decode(token: &str) -> Result<String, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| bad_token())?;
    String::from_utf8(bytes).map_err(|_| bad_token())
}

pub(crate) fn bad_token() -> Error {
    Error::refused(
        ErrorCode::InvalidNextToken,
        "The NextToken value is invalid.",
    )
}
