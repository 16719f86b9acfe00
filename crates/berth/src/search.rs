//! `berth search`: repositories and images, by signed calls of the service `berth`.

use aws_api::Service;
use aws_api::berth::{SearchImagesRequest, SearchPair, SearchResult, ops};
use jiff::Timestamp;
use policy::Printable;
use serde_json::json;

use crate::cli::{Output, SearchOptions};
use crate::error::{Error, Result};
use crate::output::Answers;
use crate::signed_client::{SignedClient, block_on, failed};

/// The most that one page holds.
const PAGE_MAX: u32 = 100;

/// Runs the command.
pub fn run(options: SearchOptions) -> Result<()> {
    let mut input = request(&options.query)?;
    input.registry_id = options.registry_id;
    block_on(async {
        let server = SignedClient::open(&[Service::Berth]).await?;
        let mut left = options.limit;
        let mut answers = Answers::new();
        while left > 0 {
            input.max_results = i32::try_from(left.min(PAGE_MAX)).ok();
            let called = server.call::<ops::SearchImages>(&input).await;
            let page = called.map_err(|e| failed(&e))?;
            for result in &page.results {
                match options.output {
                    Output::Json => answers.json(&view(result))?,
                    Output::Text => answers.line(&line(result))?,
                }
            }
            left = left.saturating_sub(u32::try_from(page.results.len()).unwrap_or(u32::MAX));
            // A page may be empty: it is bounded in time, and what may not be read is left out.
            input.next_token = page.next_token;
            if input.next_token.is_none() {
                break;
            }
        }
        answers.flush()
    })
}

/// The request of words and conditions.
fn request(words: &[String]) -> Result<SearchImagesRequest> {
    let mut input = SearchImagesRequest::default();
    let mut query = Vec::new();
    let (mut annotations, mut labels) = (Vec::new(), Vec::new());
    for word in words {
        let (name, value) = word.split_once(':').unwrap_or(("", word));
        let text = || Some(value.to_owned());
        match name {
            "repository" => input.repository_name = text(),
            "tag" => input.image_tag = text(),
            "digest" => input.image_digest = text(),
            "annotation" => annotations.push(pair(value)),
            "label" => labels.push(pair(value)),
            "platform" => input.platform = text(),
            "media-type" => input.media_type = text(),
            "artifact-type" => input.artifact_type = text(),
            "pushed-by" => input.pushed_by = text(),
            "after" => input.pushed_after = Some(time(value)?),
            "before" => input.pushed_before = Some(time(value)?),
            // `sha256:…` and other words with a colon.
            _ => query.push(word.as_str()),
        }
    }
    let some = |list: Vec<SearchPair>| (!list.is_empty()).then_some(list);
    input.annotations = some(annotations);
    input.labels = some(labels);
    input.query = (!query.is_empty()).then(|| query.join(" "));
    Ok(input)
}

fn pair(text: &str) -> SearchPair {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value.to_owned())),
        None => (text, None),
    };
    SearchPair {
        key: key.to_owned(),
        value,
    }
}

/// A time, or a day's beginning in UTC.
fn time(text: &str) -> Result<Timestamp> {
    let day = || format!("{text}T00:00:00Z").parse::<Timestamp>();
    text.parse().or_else(|_| day()).map_err(|_| {
        Error::Usage(format!(
            "`{text}` is no time: write 2026-11-27T10:00:00Z or 2026-11-27"
        ))
    })
}

fn line(result: &SearchResult) -> String {
    let mut line = format!(
        "{:10}  {}",
        result.match_type.as_str(),
        result.repository_name
    );
    if let Some(tag) = &result.image_tag {
        line.push(':');
        line.push_str(tag);
    }
    let more = [
        result.image_digest.clone(),
        result.image_pushed_at.map(|at| at.to_string()),
        result.pushed_by.clone(),
        result.matched_text.clone(),
    ];
    for text in more.into_iter().flatten() {
        line.push_str("  ");
        line.push_str(&text);
    }
    // Annotations are their makers' to choose.
    Printable(&line).to_string()
}

fn view(result: &SearchResult) -> serde_json::Value {
    json!({
        "matchType": result.match_type.as_str(),
        "repositoryName": result.repository_name,
        "imageDigest": result.image_digest,
        "imageTag": result.image_tag,
        "matchedText": result.matched_text,
        "imagePushedAt": result.image_pushed_at.map(|at| at.to_string()),
        "pushedBy": result.pushed_by,
        "platform": result.platform,
        "mediaType": result.media_type,
        "artifactType": result.artifact_type,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_conditions_are_told_apart() {
        let words = [
            "pay",
            "tag:v1",
            "label:team=blue",
            "annotation:title",
            "after:2026-11-27",
            "sha256:ab",
        ];
        let input = request(&words.map(str::to_owned)).unwrap();
        assert_eq!(input.query.as_deref(), Some("pay sha256:ab"));
        assert_eq!(input.image_tag.as_deref(), Some("v1"));
        assert_eq!(input.labels.unwrap()[0].value.as_deref(), Some("blue"));
        assert_eq!(input.annotations.unwrap()[0].value, None);
        let after = input.pushed_after.unwrap().to_string();
        assert_eq!(after, "2026-11-27T00:00:00Z");
        assert!(request(&["before:yesterday".to_owned()]).is_err());
    }
}
