//! `berth bundle` and `berth import registry`: images between servers, bundles and other registries.
//!
//! Each is a client: it signs with the credentials that the AWS CLI would use, and IAM decides what it may do.

mod docker_login;
mod registries;
mod screen;

use std::path::Path;
use std::sync::Arc;

use transfer::{Bundle, Job, Options, Reference, Source, Stored, Target, Totals, copy};

use crate::cli::{
    BundleCommand, BundleExportOptions, BundleImportOptions, CopyOptions, ImageChoice,
    ImportRegistryOptions, ImportSource,
};
use crate::error::{Error, Result};
use crate::signed_client::block_on;
use screen::Screen;

/// Runs a command on bundles.
pub fn bundle(command: BundleCommand) -> Result<()> {
    match command {
        BundleCommand::Export(options) => block_on(export(options)),
        BundleCommand::Import(options) => block_on(import(options)),
    }
}

/// Runs `berth import registry`.
pub fn import_registry(options: &ImportRegistryOptions) -> Result<()> {
    block_on(async {
        match &options.source {
            ImportSource::Folder(path) => {
                import_from(options, &Stored::store(path).map_err(failed)?).await
            }
            ImportSource::Url(url) => import_from(options, &registries::plain(url, options)?).await,
            ImportSource::Ecr => import_from(options, &registries::ecr(options).await?).await,
        }
    })
}

async fn import_from<S: Source>(options: &ImportRegistryOptions, source: &S) -> Result<()> {
    let target = registries::target().await?;
    let jobs = if options.images.is_empty() {
        let listed = source.repositories().await.map_err(|error| {
            Error::Failed(format!(
                "{}; where the source lists no repositories, name those to copy",
                error.chain()
            ))
        })?;
        if listed.is_empty() {
            return Err(Error::Failed(
                "the source lists no repositories: name those to copy".to_owned(),
            ));
        }
        all(listed, &options.prefix)
    } else {
        chosen(&options.images, &options.prefix)
    };
    let how = Options {
        untagged: options.untagged,
        dry_run: options.dry_run,
        ..how(&options.copy)
    };
    let screen = Screen::new(options.copy.output);
    let totals = run(source, &target, &jobs, how, &screen).await?;
    screen.totals(&totals)?;
    verdict(&totals)
}

async fn export(options: BundleExportOptions) -> Result<()> {
    let source = registries::target().await?;
    let jobs = match options.all {
        true => all(source.repositories().await.map_err(failed)?, ""),
        false => chosen(&options.images, ""),
    };
    let bundle = Bundle::create(&options.bundle, options.since.as_deref()).map_err(failed)?;
    let how = Options {
        untagged: options.untagged,
        ..how(&options.copy)
    };
    let screen = Screen::new(options.copy.output);
    let totals = run(&source, &bundle, &jobs, how, &screen).await?;
    if !totals.all_equal() {
        screen.totals(&totals)?;
        return Err(Error::Failed(format!(
            "the bundle is not finished: {} images could not be exported; run the same command again",
            totals.failed + totals.differing
        )));
    }
    let written = bundle.finish().await.map_err(failed)?;
    screen.written(&written)
}

async fn import(options: BundleImportOptions) -> Result<()> {
    let bundle = Stored::layout(&options.bundle, options.repository.as_ref()).map_err(failed)?;
    let target = registries::target().await?;
    let screen = Screen::new(options.copy.output);
    if options.dry_run {
        verify(&bundle, &options.bundle, &screen).await?;
    }
    let jobs = match options.images.is_empty() {
        true => all(
            bundle.repositories().await.map_err(failed)?,
            &options.prefix,
        ),
        false => chosen(&options.images, &options.prefix),
    };
    let how = Options {
        // A bundle lists what was chosen for it.
        untagged: true,
        dry_run: options.dry_run,
        ..how(&options.copy)
    };
    let totals = run(&bundle, &target, &jobs, how, &screen).await?;
    screen.totals(&totals)?;
    verdict(&totals)
}

async fn verify(bundle: &Stored, path: &Path, screen: &Arc<Screen>) -> Result<()> {
    let bar = Arc::clone(screen);
    let checked = bundle
        .verify(move |bytes| transfer::Progress::passed(&*bar, bytes))
        .await;
    let (wrong, blobs) = checked.map_err(failed)?;
    if wrong.is_empty() {
        return screen.verified(blobs);
    }
    for one in &wrong {
        screen.wrong(one)?;
    }
    Err(Error::Failed(format!(
        "{} of the {blobs} blobs of {} are wrong: export it again",
        wrong.len(),
        path.display()
    )))
}

fn all(repositories: Vec<String>, prefix: &str) -> Vec<Job> {
    let job = |repository: String| Job {
        into: format!("{prefix}{repository}"),
        repository,
        only: Vec::new(),
    };
    repositories.into_iter().map(job).collect()
}

/// Choices of one repository belong together; one without an image means all of it.
fn chosen(images: &[ImageChoice], prefix: &str) -> Vec<Job> {
    let mut chosen: std::collections::BTreeMap<&str, Option<Vec<Reference>>> = Default::default();
    for image in images {
        let only = chosen
            .entry(&image.repository)
            .or_insert_with(|| Some(Vec::new()));
        match (&image.reference, only.as_mut()) {
            (Some(reference), Some(only)) if !only.contains(reference) => {
                only.push(reference.clone())
            }
            (Some(_), _) => {}
            (None, _) => *only = None,
        }
    }
    let job = |(repository, only): (&str, Option<Vec<Reference>>)| Job {
        repository: repository.to_owned(),
        into: format!("{prefix}{repository}"),
        only: only.unwrap_or_default(),
    };
    chosen.into_iter().map(job).collect()
}

fn how(options: &CopyOptions) -> Options {
    Options {
        concurrency: usize::from(options.concurrency),
        untagged: false,
        dry_run: false,
    }
}

async fn run<S: Source, T: Target>(
    source: &S,
    target: &T,
    jobs: &[Job],
    how: Options,
    screen: &Arc<Screen>,
) -> Result<Totals> {
    let progress: Arc<dyn transfer::Progress> = screen.clone();
    let (totals, broken) = copy(source, target, jobs, how, &progress).await;
    screen.finish()?;
    match broken {
        None => Ok(totals),
        Some(error) => {
            screen.totals(&totals)?;
            Err(Error::Failed(format!(
                "{}; run the same command again to go on",
                error.chain()
            )))
        }
    }
}

fn verdict(totals: &Totals) -> Result<()> {
    match totals.all_equal() {
        true => Ok(()),
        // The lines have said it all.
        false => Err(Error::Told),
    }
}

fn failed(error: transfer::Error) -> Error {
    Error::Failed(error.chain())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_copied_once_and_whole_where_it_is_named_whole() {
        let images = ["b:v1", "a:v1", "a:v2", "a:v1", "b"].map(|text| text.parse().unwrap());
        let jobs = chosen(&images, "old/");
        let shown: Vec<_> = jobs
            .iter()
            .map(|job| (job.into.as_str(), job.only.len()))
            .collect();
        assert_eq!(shown, [("old/a", 2), ("old/b", 0)]);
    }
}
