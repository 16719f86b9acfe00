//! Fills the database of a stopped server with images.

use std::path::Path;

use store::ecr::{image, image_tag, repository};
use store::{Scope, Store};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Images of one transaction.
const AT_ONCE: i64 = 5_000;
/// Bytes of padding that make a manifest as long as a usual one.
const PADDING: usize = 1_500;

/// Adds this many images to a repository of the first account, each with one tag: `v0`, `v1`, and so on.
pub fn add_images(dir: &Path, repository: &str, images: i64) -> Result<()> {
    add_to_each(dir, &[repository.to_owned()], images)
}

/// Adds this many images to each of the repositories.
pub fn add_to_each(dir: &Path, repositories: &[String], images: i64) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let url = format!("sqlite:{}", dir.join("berth.db").display());
        let store = Store::open(&url).await?;
        for name in repositories {
            add(&store, name, images).await?;
        }
        Ok(())
    })
}

async fn add(store: &Store, name: &str, images: i64) -> Result<()> {
    let found = {
        let mut read = store.read().await?;
        repository::find(&mut read.conn(), "123456789012", "us-east-1", name).await?
    };
    let repository = found.ok_or("the repository is gone")?;
    let content = format!(
        r#"{{"schemaVersion":2,"padding":"{}"}}"#,
        "x".repeat(PADDING)
    );
    for first in (0..images).step_by(usize::try_from(AT_ONCE)?) {
        let mut change = store.write(Scope::Repository(repository.id)).await?;
        let mut conn = change.conn();
        for number in first..images.min(first + AT_ONCE) {
            let new = image::Image {
                id: 0,
                digest: format!("sha256:{number:064x}"),
                media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
                artifact_type: None,
                subject: None,
                content_size: i64::try_from(content.len())?,
                image_size: 0,
                pushed_at: number,
                pulled_at: None,
                status: image::ACTIVE.to_owned(),
                archived_at: None,
                activated_at: None,
            };
            repository::add_image(&mut conn, repository.id, images).await?;
            let id =
                image::insert(&mut conn, repository.id, &new, None, content.as_bytes()).await?;
            let tag = format!("v{number}");
            image_tag::put(&mut conn, repository.id, &tag, id, number).await?;
        }
        change.commit().await?;
    }
    Ok(())
}
