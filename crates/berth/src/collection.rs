//! `berth gc`: runs of the collection, by signed calls of the service `berth`.

use std::time::Duration;

use aws_api::Service;
use aws_api::berth::{
    Collection, CollectionStatus, GetCollectionRequest, ListCollectionsRequest,
    StartCollectionRequest, ops,
};
use policy::Printable;
use serde_json::json;

use crate::cli::{GcOptions, Output};
use crate::error::{Error, Result};
use crate::output::Answers;
use crate::signed_client::{SignedClient, block_on, failed};

/// How often a run is asked for that goes on.
const ASK_INTERVAL: Duration = Duration::from_millis(500);

/// Runs the command.
pub fn run(options: GcOptions) -> Result<()> {
    block_on(async {
        let server = SignedClient::open(&[Service::Berth]).await?;
        match options.list {
            Some(latest) => list(&server, latest, options.output).await,
            None => start(&server, &options).await,
        }
    })
}

async fn list(server: &SignedClient, latest: u32, output: Output) -> Result<()> {
    let input = ListCollectionsRequest {
        max_results: i32::try_from(latest).ok(),
        ..ListCollectionsRequest::default()
    };
    let called = server.call::<ops::ListCollections>(&input).await;
    let page = called.map_err(|e| failed(&e))?;
    let mut answers = Answers::new();
    for run in &page.collections {
        print(&mut answers, run, output)?;
    }
    answers.flush()
}

/// Begins a run and waits for its end.
async fn start(server: &SignedClient, options: &GcOptions) -> Result<()> {
    let input = StartCollectionRequest {
        dry_run: options.dry_run.then_some(true),
        force: options.force.then_some(true),
    };
    let called = server.call::<ops::StartCollection>(&input).await;
    let mut run = called.map_err(|e| failed(&e))?.collection;
    while run.status == CollectionStatus::Running {
        tokio::time::sleep(ASK_INTERVAL).await;
        let input = GetCollectionRequest {
            collection_id: run.collection_id.clone(),
        };
        let called = server.call::<ops::GetCollection>(&input).await;
        run = called.map_err(|e| failed(&e))?.collection;
    }
    let mut answers = Answers::new();
    print(&mut answers, &run, options.output)?;
    answers.flush()?;
    match run.failure_reason {
        Some(reason) => Err(Error::Failed(reason)),
        None => Ok(()),
    }
}

fn print(answers: &mut Answers, run: &Collection, output: Output) -> Result<()> {
    match output {
        Output::Json => answers.json(&json!({
            "collectionId": run.collection_id,
            "status": run.status.as_str(),
            "dryRun": run.dry_run,
            "startedAt": run.started_at.to_string(),
            "endedAt": run.ended_at.map(|at| at.to_string()),
            "examinedCount": run.examined_count,
            "deletedCount": run.deleted_count,
            "deletedBytes": run.deleted_bytes,
            "failureReason": run.failure_reason,
        })),
        Output::Text => answers.line(&line(run)),
    }
}

fn line(run: &Collection) -> String {
    let did = match run.dry_run {
        true => "would delete",
        false => "deleted",
    };
    format!(
        "{} {} {} {did} {} of {} blobs, {} bytes{}",
        run.started_at,
        Printable(&run.collection_id),
        run.status.as_str(),
        run.deleted_count.unwrap_or(0),
        run.examined_count.unwrap_or(0),
        run.deleted_bytes.unwrap_or(0),
        match &run.failure_reason {
            Some(reason) => format!(": {}", Printable(reason)),
            None => String::new(),
        }
    )
}
