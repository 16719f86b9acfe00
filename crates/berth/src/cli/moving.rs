//! `berth bundle` and `berth import registry`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};
use transfer::{Home, Reference, check_repository, check_tag};

use super::{Output, PublicUrl};

/// Commands on bundles.
#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Write images into a folder or a tar file, an OCI image layout
    Export(BundleExportOptions),
    /// Bring the images of a bundle, or of another OCI image layout, to a server
    Import(BundleImportOptions),
}

/// Options that every copy has.
#[derive(Args, Clone, Debug)]
pub struct CopyOptions {
    /// Blobs on their way at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub concurrency: u8,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
}

/// `berth bundle export`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXPORT_HELP)]
pub struct BundleExportOptions {
    /// The bundle: a tar file when its name ends in `.tar`, otherwise a folder
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// What it carries: repositories with all their tags, or single images
    #[arg(
        value_name = "REPOSITORY[:TAG|@DIGEST]",
        required_unless_present = "all"
    )]
    pub images: Vec<ImageChoice>,
    /// All repositories that the caller may list
    #[arg(long, conflicts_with = "images")]
    pub all: bool,
    /// Also images that no tag names
    #[arg(long)]
    pub untagged: bool,
    /// Leave out blobs that this earlier bundle has: the bundle, or its berth-bundle.json
    #[arg(long, value_name = "BUNDLE")]
    pub since: Option<PathBuf>,
    #[command(flatten)]
    pub copy: CopyOptions,
}

const EXPORT_HELP: &str = "\
Images come with all platforms and with what refers to them (signatures, SBOMs). The bundle is an OCI image \
layout, which skopeo and others read: skopeo inspect oci:BUNDLE:REPOSITORY:TAG, or oci-archive: for a tar file.

An export that was interrupted goes on when the same command is run again. Until it is finished, a tar file \
has the name BUNDLE.partial.

Signs with the credentials that the AWS CLI would use, and calls the endpoint that it would call: \
AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, AWS_REGION and the files in ~/.aws.";

/// `berth bundle import`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = BUNDLE_IMPORT_HELP)]
pub struct BundleImportOptions {
    /// The bundle: a folder or a tar file with an OCI image layout
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// Only these repositories and images of it
    #[arg(value_name = "REPOSITORY[:TAG|@DIGEST]")]
    pub images: Vec<ImageChoice>,
    /// Where images go whose repository the layout does not name; TAG is for an image without a name
    #[arg(long, value_name = "NAME[:TAG]", value_parser = home)]
    pub repository: Option<Home>,
    /// Put this before the names of repositories
    #[arg(long, value_name = "PREFIX", default_value = "", value_parser = prefix, hide_default_value = true)]
    pub prefix: String,
    /// Only check the bundle and say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub copy: CopyOptions,
}

const BUNDLE_IMPORT_HELP: &str = "\
Every byte is compared with its digest. What the server has is passed over, so that an import that was \
interrupted goes on when it is run again. Repositories that are missing are created. The exit code is 0 when \
the server has every image of the bundle in the end, and 1 otherwise, also with --dry-run.

Signs with the credentials that the AWS CLI would use, and calls the endpoint that it would call: \
AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, AWS_REGION and the files in ~/.aws.";

/// `berth import registry`.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = IMPORT_REGISTRY_HELP)]
pub struct ImportRegistryOptions {
    /// Where the images are: the URL of a registry, `ecr`, or the folder of a stopped registry
    #[arg(value_name = "SOURCE")]
    pub source: ImportSource,
    /// Only these repositories and images; needed where a registry lists its repositories to nobody
    #[arg(value_name = "REPOSITORY[:TAG|@DIGEST]")]
    pub images: Vec<ImageChoice>,
    /// The user at the source
    #[arg(long, value_name = "NAME", requires = "source_password_file")]
    pub source_user: Option<String>,
    /// The file with the user's password or token; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "source_user")]
    pub source_password_file: Option<PathBuf>,
    /// The profile of the AWS CLI's files for the source `ecr`
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub source_profile: String,
    /// The region of the source `ecr`; by default the profile's
    #[arg(long, value_name = "NAME")]
    pub source_region: Option<String>,
    /// Certificate authorities of the source, in PEM, besides the system's
    #[arg(long, value_name = "FILE")]
    pub source_ca: Option<PathBuf>,
    /// Put this before the names of repositories
    #[arg(long, value_name = "PREFIX", default_value = "", value_parser = prefix, hide_default_value = true)]
    pub prefix: String,
    /// Also images that no tag names, where the source lists them: `ecr` and folders
    #[arg(long)]
    pub untagged: bool,
    /// Only compare and say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub copy: CopyOptions,
}

const IMPORT_REGISTRY_HELP: &str = "\
Copies repositories with tags, all platforms and referrers. A folder may be that of distribution, Harbor \
(its registry's) or zot; stop the registry first.

The user of a registry is that of --source-user, or the one that docker has logged in with \
(~/.docker/config.json, DOCKER_CONFIG). The source `ecr` is called with --source-profile, whatever the \
environment says about the target.

What the target has is passed over, so that an import that was interrupted goes on when it is run again. \
Repositories that are missing are created. In the end the digests of each tag are compared: the exit code is \
0 when all are equal, and 1 otherwise, also with --dry-run.

For the target, signs with the credentials that the AWS CLI would use, and calls the endpoint that it would \
call: AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, AWS_REGION and the files in ~/.aws.";

/// Where images come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportSource {
    /// A registry.
    Url(PublicUrl),
    /// Amazon ECR.
    Ecr,
    /// A folder.
    Folder(PathBuf),
}

impl FromStr for ImportSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ecr" => Ok(ImportSource::Ecr),
            _ if text.contains("://") => text.parse().map(ImportSource::Url),
            _ => Ok(ImportSource::Folder(PathBuf::from(text))),
        }
    }
}

/// A repository, or an image in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageChoice {
    /// The repository's name.
    pub repository: String,
    /// The image; `None` for all tags.
    pub reference: Option<Reference>,
}

impl FromStr for ImageChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (repository, reference) = if let Some((repository, digest)) = text.split_once('@') {
            let digest = digest.parse::<blobs::Digest>().map_err(|e| e.to_string())?;
            (repository, Some(Reference::Digest(digest)))
        } else if let Some((repository, tag)) = text.split_once(':') {
            check_tag(tag).map_err(|error| error.to_string())?;
            (repository, Some(Reference::Tag(tag.to_owned())))
        } else {
            (text, None)
        };
        check_repository(repository).map_err(|error| error.to_string())?;
        Ok(ImageChoice {
            repository: repository.to_owned(),
            reference,
        })
    }
}

fn home(text: &str) -> Result<Home, String> {
    let choice: ImageChoice = text.parse()?;
    match choice.reference {
        Some(Reference::Digest(_)) => Err("expected NAME or NAME:TAG".to_owned()),
        Some(Reference::Tag(tag)) => Ok(Home {
            repository: choice.repository,
            tag: Some(tag),
        }),
        None => Ok(Home {
            repository: choice.repository,
            tag: None,
        }),
    }
}

/// `team` and `team/` mean the same.
fn prefix(text: &str) -> Result<String, String> {
    let name = text.strip_suffix('/').unwrap_or(text);
    if name.is_empty() {
        return Ok(String::new());
    }
    check_repository(name).map_err(|error| error.to_string())?;
    Ok(format!("{name}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart() {
        let source = |text: &str| text.parse::<ImportSource>();
        assert_eq!(source("ecr").unwrap(), ImportSource::Ecr);
        assert!(matches!(
            source("https://a.b:5000"),
            Ok(ImportSource::Url(_))
        ));
        assert!(source("ftp://a.b").is_err() && source("https://a.b/path").is_err());
        assert!(matches!(source("./ecr"), Ok(ImportSource::Folder(_))));
    }

    #[test]
    fn images_are_chosen_by_tag_or_digest() {
        let choice = |text: &str| text.parse::<ImageChoice>();
        assert_eq!(choice("team/app").unwrap().reference, None);
        let tag = Some(Reference::Tag("v1".to_owned()));
        assert_eq!(choice("team/app:v1").unwrap().reference, tag);
        let digest = blobs::Digest::sha256_of(b"");
        let by_digest = choice(&format!("app@{digest}")).unwrap();
        assert_eq!(by_digest.reference, Some(Reference::Digest(digest)));
        for wrong in ["App", "app:", "app@v1", "localhost:5000/app", "../app"] {
            assert!(choice(wrong).is_err(), "{wrong}");
        }
        assert_eq!(prefix("team/").unwrap(), "team/");
        assert!(prefix("/").is_ok() && prefix("a//b").is_err());
    }
}
