//! `berth tag`, `berth search` and `berth usage`.

use clap::{Args, Subcommand};

use super::Output;
use super::hosts::CLIENT_HELP;

/// Commands on the history of tags.
#[derive(Debug, Subcommand)]
pub enum TagCommand {
    /// List which images the tags of a repository have named, when, and who moved them
    History(TagHistoryOptions),
    /// Make a tag name an image again that it has named before
    Restore(TagRestoreOptions),
}

/// `berth tag history`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = CLIENT_HELP)]
pub struct TagHistoryOptions {
    /// The repository, or one of its tags
    #[arg(value_name = "REPOSITORY[:TAG]", value_parser = repository_and_tag)]
    pub target: Target,
    /// Only moves to this image or away from it
    #[arg(long, value_name = "DIGEST")]
    pub digest: Option<String>,
    /// How many moves are listed, newest first
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub latest: u32,
    /// The account of the registry; by default the caller's
    #[arg(long, value_name = "ID")]
    pub registry_id: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth tag restore`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = CLIENT_HELP)]
pub struct TagRestoreOptions {
    /// The tag
    #[arg(value_name = "REPOSITORY:TAG", value_parser = repository_with_tag)]
    pub target: Target,
    /// The image that the tag will name: one of `berth tag history`
    #[arg(value_name = "DIGEST")]
    pub digest: String,
    /// The account of the registry; by default the caller's
    #[arg(long, value_name = "ID")]
    pub registry_id: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// A repository, and a tag in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The repository's name.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
}

fn repository_and_tag(text: &str) -> Result<Target, String> {
    let (repository, tag) = match text.split_once(':') {
        Some((repository, tag)) => (repository, Some(tag)),
        None => (text, None),
    };
    if repository.is_empty() || tag.is_some_and(str::is_empty) {
        return Err(
            "expected REPOSITORY or REPOSITORY:TAG, without the registry's host".to_owned(),
        );
    }
    Ok(Target {
        repository: repository.to_owned(),
        tag: tag.map(str::to_owned),
    })
}

fn repository_with_tag(text: &str) -> Result<Target, String> {
    repository_and_tag(text).and_then(|target| match target.tag {
        Some(_) => Ok(target),
        None => Err("expected REPOSITORY:TAG".to_owned()),
    })
}

/// `berth search`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = SEARCH_HELP)]
pub struct SearchOptions {
    /// Words to look for, and conditions of the form NAME:VALUE
    #[arg(value_name = "QUERY", required = true)]
    pub query: Vec<String>,
    /// How many results are listed
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// The account of the registry; by default the caller's
    #[arg(long, value_name = "ID")]
    pub registry_id: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

const SEARCH_HELP: &str = "\
Words are looked for as a part of a repository's name, and as the beginning of a tag, of a digest, and of a \
word of an annotation or label. Conditions, all of which must hold:

  repository:team/         the beginning of the repository's name
  tag:v1                   the beginning of a tag
  digest:sha256:1f2e       the beginning of the digest
  annotation:KEY=VALUE     an annotation of the manifest; KEY alone takes any value
  label:KEY=VALUE          a label of the image's configuration; KEY alone takes any value
  platform:linux/arm64     an image, or an index with an image, for the platform
  media-type:TYPE          the manifest's media type
  artifact-type:TYPE       the artifact's type
  pushed-by:ARN            the user, role or root user who pushed it
  after:TIME, before:TIME  the time of the push, such as 2026-11-27T10:00:00Z or 2026-11-27

Signs with the credentials that the AWS CLI would use, and calls the endpoint that it would call. What the \
caller may not read is not found.";

/// `berth usage`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = USAGE_HELP)]
pub struct UsageOptions {
    /// What the numbers are by
    #[arg(long, value_enum, default_value_t)]
    pub by: UsageBy,
    /// The first day, such as 2026-11-01; by default 29 days before the last one
    #[arg(long, value_name = "DATE")]
    pub start: Option<String>,
    /// The last day; by default today. Days are those of UTC
    #[arg(long, value_name = "DATE")]
    pub end: Option<String>,
    /// Add what the storage would cost at this price of a GiB and month of 30 days
    #[arg(long, value_name = "PRICE", value_parser = price)]
    pub price_storage: Option<f64>,
    /// Add what the transfer to clients would cost at this price of a GiB
    #[arg(long, value_name = "PRICE", value_parser = price)]
    pub price_transfer: Option<f64>,
    /// The account of the registry; by default the caller's
    #[arg(long, value_name = "ID")]
    pub registry_id: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: TableOutput,
}

const USAGE_HELP: &str = "\
Layers that several repositories of the account have are counted once in the account, and in each of them; \
`shared` says how much of a repository that is.

Signs with the credentials that the AWS CLI would use, and calls the endpoint that it would call.";

/// What usage is listed by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum UsageBy {
    /// A line for each repository, and one for the account
    #[default]
    Repository,
    /// A line for each principal that pushed or pulled
    Principal,
    /// A line for each day of the account
    Day,
}

/// The form of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum TableOutput {
    /// Columns for a reader
    #[default]
    Text,
    /// Comma-separated values with a head line, in bytes
    Csv,
    /// One JSON object a line, in bytes
    Json,
}

fn price(text: &str) -> Result<f64, String> {
    let price: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    match price.is_finite() && price >= 0.0 {
        true => Ok(price),
        false => Err("expected a number from 0 on".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_repository_with_or_without_a_tag() {
        let target = repository_and_tag("team/app:v1").unwrap();
        assert_eq!(
            (target.repository.as_str(), target.tag.as_deref()),
            ("team/app", Some("v1"))
        );
        assert_eq!(repository_and_tag("team/app").unwrap().tag, None);
        for wrong in ["", ":v1", "app:"] {
            assert!(repository_and_tag(wrong).is_err(), "{wrong}");
        }
        assert!(repository_with_tag("app").is_err());
    }

    #[test]
    fn a_price_is_a_number_from_zero_on() {
        assert_eq!(price("0.10"), Ok(0.1));
        for wrong in ["-1", "NaN", "inf", "x"] {
            assert!(price(wrong).is_err(), "{wrong}");
        }
    }
}
