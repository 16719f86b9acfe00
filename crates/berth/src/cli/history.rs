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
