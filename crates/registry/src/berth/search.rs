//! Search: what may match, in the order of an index. Whether the caller may see it is decided above.

use authz::ServiceName;
use aws_api::berth::{SearchImagesRequest, SearchMatch, SearchPair, SearchResult};
use aws_types::{AccountId, Region};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use store::Conn;
use store::ecr::search::{self, Found};
use store::ecr::{image_facts, layer, repository};

use crate::encrypted_layers::Opened;
use crate::facts::registry_account;
use crate::repository::registry_of;
use crate::search_terms::{self, CONFIG_BYTES_MAX, SEPARATOR, clean, key_prefix, kind, pair};
use crate::stored_copy::StoredCopy;
use crate::{Authorized, Error, Registry};

/// Rows of an index that one step reads.
const ROWS_AT_ONCE: i64 = 100;
/// Repositories whose names one step looks at.
const NAMES_AT_ONCE: i64 = 500;
/// Images whose terms one step of indexing reads: each manifest has up to 4 MiB.
const INDEXED_AT_ONCE: i64 = 8;
/// Digits of a digest without its algorithm that a query must have, to be taken for one.
const DIGEST_DIGITS_MIN: usize = 6;

/// A search: whose registry, and for what.
#[derive(Clone, Debug)]
pub struct Search {
    /// The account of the registry.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    input: SearchImagesRequest,
    phases: Vec<Phase>,
}

/// The index that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Repositories by a part of their name.
    Repositories,
    /// Tags by their beginning.
    Tags(String),
    /// Terms of a kind by their beginning.
    Terms(&'static str, String),
    /// Exactly this term.
    Term(&'static str, String),
    /// The time of the push.
    Pushes,
}

/// A place in a search's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    phase: usize,
    text: String,
    id: i64,
}

impl Place {
    /// The place as text.
    #[must_use]
    pub fn encode(&self) -> String {
        format!("{} {} {}", self.phase, self.id, self.text)
    }

    /// The place of a text that [`Place::encode`] made.
    #[must_use]
    pub fn decode(text: &str) -> Option<Place> {
        let mut parts = text.splitn(3, ' ');
        Some(Place {
            phase: parts.next()?.parse().ok()?,
            id: parts.next()?.parse().ok()?,
            text: parts.next()?.to_owned(),
        })
    }
}

/// What matches, before it is known whether the caller may see it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The result.
    pub result: SearchResult,
    /// Whether it was found by what only who may pull the image can read.
    pub by_content: bool,
}

/// One step of a search.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// What matches, each with the place behind it.
    pub candidates: Vec<(Candidate, Place)>,
    /// Where the next step begins; `None` at the end.
    pub next: Option<Place>,
}

impl Registry {
    /// Reads a search's parameters.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`]: nothing is looked for.
    pub fn search(&self, cx: &Authorized, input: SearchImagesRequest) -> Result<Search, Error> {
        let account = registry_account(cx.account, input.registry_id.as_deref())?;
        let phases = phases(&input);
        if phases.is_empty() {
            let constraint = "must be given, or one of the other conditions";
            return Err(Error::parameter("query", constraint));
        }
        Ok(Search {
            account,
            region: cx.region.clone(),
            input,
            phases,
        })
    }

    /// Reads some rows of an index from a place on.
    ///
    /// # Errors
    /// The store's.
    pub async fn search_step(
        &self,
        _: &Authorized,
        search: &Search,
        place: &Place,
    ) -> Result<Step, Error> {
        let Some(phase) = search.phases.get(place.phase) else {
            return Ok(Step::default());
        };
        let registry = registry_of(search.account.as_str(), search.region.as_str());
        let mut read = self.0.store.read().await?;
        let conn = &mut read.conn();
        let mut step = match phase {
            Phase::Repositories => names(conn, search, place).await?,
            phase => images(conn, search, &registry, phase, place).await?,
        };
        let following = place.phase + 1;
        if step.next.is_none() && following < search.phases.len() {
            step.next = Some(Place {
                phase: following,
                ..Place::default()
            });
        }
        Ok(step)
    }

    /// Indexes some images that were pushed since; returns whether there are more.
    ///
    /// # Errors
    /// The store's.
    pub async fn index_images(&self, _: ServiceName) -> Result<bool, Error> {
        self.index_waiting().await
    }

    /// Indexes what was pushed a moment ago, before a search. While the database takes no writes, the search
    /// goes without it.
    pub async fn index_pushed(&self, steps_max: usize) {
        for _ in 0..steps_max {
            if !matches!(self.index_waiting().await, Ok(true)) {
                return;
            }
        }
    }

    async fn index_waiting(&self) -> Result<bool, Error> {
        let waiting = {
            let mut read = self.0.store.read().await?;
            image_facts::waiting(&mut read.conn(), INDEXED_AT_ONCE).await?
        };
        let more = i64::try_from(waiting.len()).is_ok_and(|n| n >= INDEXED_AT_ONCE);
        for image in waiting {
            let config = self.config(image.repository_id, &image.content).await?;
            let found = search_terms::terms(
                &image.digest,
                &image.media_type,
                image.artifact_type.as_deref(),
                &image.content,
                config.as_deref(),
            );
            // The repository's scope: the image is not deleted meanwhile.
            let mut tx = self.write(image.repository_id).await?;
            let conn = &mut tx.conn();
            let platform = found.platform.as_deref();
            if image_facts::set_indexed(conn, image.image_id, platform).await? {
                search::add_terms(conn, &image.registry, image.image_id, &found.terms).await?;
                tx.commit().await?;
            }
        }
        Ok(more)
    }

    /// An image's configuration, where it is one that is read.
    async fn config(&self, repository_id: i64, manifest: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Some(digest) = search_terms::config_digest(manifest) else {
            return Ok(None);
        };
        let blob = {
            let mut read = self.0.store.read().await?;
            layer::find(&mut read.conn(), repository_id, &digest).await?
        };
        let blob = blob.map(|layer| layer.blob);
        let is_read = |blob: &layer::Blob| blob.size <= CONFIG_BYTES_MAX && !blob.is_damaged;
        let Some(blob) = blob.filter(is_read) else {
            return Ok(None);
        };
        let copy = StoredCopy::of(&blob)?;
        let source = match self.open_stored(&copy).await {
            Ok(Opened::Whole(source)) => source,
            // A key that is disabled must not keep the images behind this one from being indexed, nor damage.
            Ok(Opened::Damaged(_)) | Err(Error::Kms(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut chunks = source.read_range(0..source.size());
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            // A damaged disk must not keep the images behind this one from being indexed.
            let Ok(chunk) = chunk else {
                return Ok(None);
            };
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes))
    }
}

/// Whether the input has conditions that only images can meet.
fn is_about_images(input: &SearchImagesRequest) -> bool {
    let texts = [
        &input.image_tag,
        &input.image_digest,
        &input.platform,
        &input.media_type,
        &input.artifact_type,
        &input.pushed_by,
    ];
    texts.into_iter().any(Option::is_some)
        || input.pushed_after.is_some()
        || input.pushed_before.is_some()
        || pairs(&input.annotations).next().is_some()
        || pairs(&input.labels).next().is_some()
}

fn pairs(list: &Option<Vec<SearchPair>>) -> impl Iterator<Item = &SearchPair> {
    list.iter().flatten()
}

/// Which indexes are read: of a query, one for each thing that it may be; otherwise the one that leaves the
/// least to look at.
fn phases(input: &SearchImagesRequest) -> Vec<Phase> {
    if let Some(query) = input.query.as_deref().map(clean) {
        let query = query.trim();
        if query.is_empty() {
            return Vec::new();
        }
        let mut phases = Vec::new();
        if !is_about_images(input) {
            phases.push(Phase::Repositories);
        }
        phases.push(Phase::Tags(query.to_owned()));
        phases.extend(digests(query, DIGEST_DIGITS_MIN));
        phases.push(Phase::Terms(kind::WORD, query.to_lowercase()));
        return phases;
    }
    let of_pair = |of, one: &SearchPair| match &one.value {
        Some(value) => Phase::Term(of, pair(&one.key, value)),
        None => Phase::Terms(of, key_prefix(&one.key)),
    };
    if let Some(prefix) = &input.image_digest {
        return digests(prefix, 1);
    }
    let of_text = |of, text: &Option<String>| text.clone().map(|text| Phase::Term(of, text));
    let driver = (input.image_tag.clone().map(Phase::Tags))
        .or_else(|| {
            pairs(&input.annotations)
                .next()
                .map(|one| of_pair(kind::ANNOTATION, one))
        })
        .or_else(|| {
            pairs(&input.labels)
                .next()
                .map(|one| of_pair(kind::LABEL, one))
        })
        .or_else(|| input.pushed_by.is_some().then_some(Phase::Pushes))
        .or_else(|| of_text(kind::ARTIFACT_TYPE, &input.artifact_type))
        .or_else(|| of_text(kind::PLATFORM, &input.platform))
        .or_else(|| of_text(kind::MEDIA_TYPE, &input.media_type));
    let by_time = input.pushed_after.is_some() || input.pushed_before.is_some();
    match driver {
        Some(driver) => vec![driver],
        None if by_time => vec![Phase::Pushes],
        None if input.repository_name.is_some() => vec![Phase::Repositories],
        None => Vec::new(),
    }
}

/// The beginnings of digests that a text may be.
fn digests(text: &str, digits_min: usize) -> Vec<Phase> {
    let lower = text.to_lowercase();
    let of = |prefix: String| Phase::Terms(kind::DIGEST, prefix);
    if lower.starts_with("sha256:") || lower.starts_with("sha512:") {
        return vec![of(lower)];
    }
    let is_hex = lower.bytes().all(|b| b.is_ascii_hexdigit());
    match is_hex && lower.len() >= digits_min {
        true => ["sha256:", "sha512:"]
            .map(|algorithm| of(format!("{algorithm}{lower}")))
            .into(),
        false => Vec::new(),
    }
}

/// Repositories whose names have the query, and begin as they must.
async fn names(conn: &mut Conn<'_>, search: &Search, place: &Place) -> Result<Step, Error> {
    let (account, region) = (search.account.as_str(), search.region.as_str());
    let query = search.input.query.as_deref().unwrap_or_default();
    let query = clean(query).trim().to_lowercase();
    let prefix = search.input.repository_name.as_deref().unwrap_or_default();
    let rows = repository::list(conn, account, region, &place.text, NAMES_AT_ONCE).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|n| n >= NAMES_AT_ONCE);
    let behind = |text: &str| Place {
        phase: place.phase,
        text: text.to_owned(),
        id: 0,
    };
    let next = rows.last().filter(|_| full).map(|row| behind(&row.name));
    let matching = rows
        .into_iter()
        .filter(|row| row.name.contains(&query) && row.name.starts_with(prefix));
    let candidates = matching.map(|row| {
        let place = behind(&row.name);
        let result = SearchResult {
            match_type: SearchMatch::Repository,
            repository_name: row.name,
            image_digest: None,
            image_tag: None,
            matched_text: None,
            image_pushed_at: None,
            pushed_by: None,
            platform: None,
            media_type: None,
            artifact_type: None,
        };
        let candidate = Candidate {
            result,
            by_content: false,
        };
        (candidate, place)
    });
    Ok(Step {
        candidates: candidates.collect(),
        next,
    })
}

/// A row of an index: the image, what matched, and the place behind the row.
struct Hit {
    image_id: i64,
    match_type: SearchMatch,
    tag: Option<String>,
    text: Option<String>,
    place: Place,
}

async fn images(
    conn: &mut Conn<'_>,
    search: &Search,
    registry: &str,
    phase: &Phase,
    place: &Place,
) -> Result<Step, Error> {
    let hits = hits(conn, search, registry, phase, place).await?;
    let full = i64::try_from(hits.len()).is_ok_and(|n| n >= ROWS_AT_ONCE);
    let next = hits.last().filter(|_| full).map(|hit| hit.place.clone());
    let mut candidates: Vec<(Candidate, Place)> = Vec::new();
    let content_conditions = pairs(&search.input.annotations).next().is_some()
        || pairs(&search.input.labels).next().is_some()
        || search.input.platform.is_some();
    for hit in hits {
        let Some(found) = search::image(conn, hit.image_id).await? else {
            continue;
        };
        if !meets(conn, search, registry, hit.image_id, &found).await? {
            continue;
        }
        let tag = match hit.tag {
            Some(tag) => Some(tag),
            None => {
                let prefix = search.input.image_tag.as_deref().unwrap_or_default();
                search::first_tag(conn, hit.image_id, prefix).await?
            }
        };
        let by_content = content_conditions
            || matches!(hit.match_type, SearchMatch::Annotation | SearchMatch::Label);
        let result = result(found, hit.match_type, tag, hit.text)?;
        let candidate = Candidate { result, by_content };
        candidates.push((candidate, hit.place));
    }
    Ok(Step { candidates, next })
}

async fn hits(
    conn: &mut Conn<'_>,
    search: &Search,
    registry: &str,
    phase: &Phase,
    place: &Place,
) -> Result<Vec<Hit>, Error> {
    let limit = ROWS_AT_ONCE;
    let behind = |text: String, id| Place {
        phase: place.phase,
        text,
        id,
    };
    let hit = |image_id, match_type, tag, text, place| Hit {
        image_id,
        match_type,
        tag,
        text,
        place,
    };
    let before = if place.id == 0 { i64::MAX } else { place.id };
    Ok(match phase {
        Phase::Repositories => Vec::new(),
        Phase::Tags(prefix) => {
            let after = (place.text.as_str(), place.id);
            let rows = search::tags(conn, registry, prefix, after, limit).await?;
            let of = |(tag, repository_id, image_id): (String, i64, i64)| {
                let place = behind(tag.clone(), repository_id);
                hit(image_id, SearchMatch::Tag, Some(tag), None, place)
            };
            rows.into_iter().map(of).collect()
        }
        Phase::Terms(of_kind, prefix) => {
            let after = (place.text.as_str(), place.id);
            let rows = search::by_prefix(conn, registry, of_kind, prefix, after, limit).await?;
            let of = |(term, image_id): (String, i64)| {
                let (match_type, text) = matched(of_kind, &term);
                hit(image_id, match_type, None, text, behind(term, image_id))
            };
            rows.into_iter().map(of).collect()
        }
        Phase::Term(of_kind, term) => {
            let rows = search::by_term(conn, registry, of_kind, term, before, limit).await?;
            let of = |image_id| {
                let (match_type, text) = matched(of_kind, term);
                hit(
                    image_id,
                    match_type,
                    None,
                    text,
                    behind(String::new(), image_id),
                )
            };
            rows.into_iter().map(of).collect()
        }
        Phase::Pushes => {
            let ms = |at: &Option<Timestamp>| at.map(|at| at.as_millisecond());
            let first = ms(&search.input.pushed_after).unwrap_or(i64::MIN);
            let last = ms(&search.input.pushed_before).map_or(i64::MAX, |at| at - 1);
            let at = match place.text.is_empty() {
                true => last,
                false => place.text.parse().unwrap_or(last),
            };
            let by = search.input.pushed_by.as_deref();
            let rows = search::by_push(conn, registry, by, first, (at, before), limit).await?;
            let of = |(at, image_id): (i64, i64)| {
                let place = behind(at.to_string(), image_id);
                hit(image_id, SearchMatch::Image, None, None, place)
            };
            rows.into_iter().map(of).collect()
        }
    })
}

/// What a term of a kind says about the match.
fn matched(of_kind: &str, term: &str) -> (SearchMatch, Option<String>) {
    let text = Some(term.to_owned());
    match of_kind {
        kind::ANNOTATION => (SearchMatch::Annotation, text),
        kind::LABEL => (SearchMatch::Label, text),
        kind::DIGEST => (SearchMatch::Digest, None),
        kind::WORD => {
            let mut parts = term.splitn(3, SEPARATOR).skip(1);
            let is_label = parts.next() == Some(kind::LABEL);
            let text = parts.next().map(str::to_owned);
            match is_label {
                true => (SearchMatch::Label, text),
                false => (SearchMatch::Annotation, text),
            }
        }
        _ => (SearchMatch::Image, None),
    }
}

/// Whether an image meets all conditions.
async fn meets(
    conn: &mut Conn<'_>,
    search: &Search,
    registry: &str,
    image_id: i64,
    found: &Found,
) -> Result<bool, Error> {
    let input = &search.input;
    let is = |wanted: &Option<String>, given: Option<&str>| {
        wanted.as_deref().is_none_or(|wanted| given == Some(wanted))
    };
    let begins = |prefix: &Option<String>| {
        let prefix = prefix.as_deref().unwrap_or_default();
        found.repository.starts_with(prefix)
    };
    let digest = input.image_digest.as_deref().map(str::to_lowercase);
    let digits = found.digest.split(':').nth(1).unwrap_or_default();
    let has_digest = digest
        .is_none_or(|prefix| found.digest.starts_with(&prefix) || digits.starts_with(&prefix));
    let after = input
        .pushed_after
        .is_none_or(|at| found.pushed_at >= at.as_millisecond());
    let before = input
        .pushed_before
        .is_none_or(|at| found.pushed_at < at.as_millisecond());
    let here = begins(&input.repository_name)
        && has_digest
        && after
        && before
        && is(&input.media_type, Some(&found.media_type))
        && is(&input.artifact_type, found.artifact_type.as_deref())
        && is(&input.pushed_by, found.pushed_by.as_deref());
    if !here {
        return Ok(false);
    }
    if let Some(prefix) = &input.image_tag
        && search::first_tag(conn, image_id, prefix).await?.is_none()
    {
        return Ok(false);
    }
    let mut terms = Vec::new();
    for (of, list) in [
        (kind::ANNOTATION, &input.annotations),
        (kind::LABEL, &input.labels),
    ] {
        terms.extend(pairs(list).map(|one| match &one.value {
            Some(value) => (of, pair(&one.key, value), false),
            None => (of, key_prefix(&one.key), true),
        }));
    }
    terms.extend(
        input
            .platform
            .clone()
            .map(|text| (kind::PLATFORM, text, false)),
    );
    for (of, term, is_prefix) in terms {
        if !search::has_term(conn, registry, image_id, of, &term, is_prefix).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn result(
    found: Found,
    match_type: SearchMatch,
    image_tag: Option<String>,
    matched_text: Option<String>,
) -> Result<SearchResult, Error> {
    let pushed_at = Timestamp::from_millisecond(found.pushed_at).map_err(Error::internal)?;
    Ok(SearchResult {
        match_type,
        repository_name: found.repository,
        image_digest: Some(found.digest),
        image_tag,
        matched_text,
        image_pushed_at: Some(pushed_at),
        pushed_by: found.pushed_by,
        platform: found.platform,
        media_type: Some(found.media_type),
        artifact_type: found.artifact_type,
    })
}
