//! `berth demo`: a throw-away server in this process, which runs two walk-throughs against itself over HTTP.
//!
//! The server is the one that `serve` runs, with a temporary data directory and a free port. The
//! clients' side is played here, so that nothing else need be installed: [`person`] signs AWS calls,
//! [`docker`] pushes and pulls, [`stage`] prints what a person would have typed. Every answer is
//! compared with what it must be, every refusal with the words it must hold.

mod docker;
mod image;
mod network;
mod person;
mod plays;
mod stage;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use crate::cli::{Command, DemoOptions, ServeOptions, parse};
use crate::error::{Error, Result};
use crate::serve::{self, Ready};
use crate::{data_dir, process};

/// Plays both walk-throughs.
pub fn demo(options: &DemoOptions) -> Result<()> {
    process::keep_private();
    let dir = tempfile::Builder::new()
        .prefix("berth-demo-")
        .tempdir()
        .map_err(Error::failed("cannot make a temporary directory"))?;
    let settings = settings(dir.path())?;
    let keep = options.keep;
    let played = serve::runtime()?.block_on(Box::pin(run(settings, keep)));
    // The directory goes also where the play went wrong; that it cannot be removed is worth a word.
    let removed = dir
        .close()
        .map_err(Error::failed("cannot remove the demo's data"));
    played.and(removed)
}

/// The options of a server for the demo: all defaults, but its own place and port.
fn settings(dir: &Path) -> Result<ServeOptions> {
    let data_dir = dir.join("data");
    let args: [OsString; 6] = [
        "berth".into(),
        "serve".into(),
        "--listen".into(),
        "127.0.0.1:0".into(),
        "--data-dir".into(),
        data_dir.into(),
    ];
    match parse(args, |_| None).map(|cli| cli.command) {
        Ok(Command::Serve(options)) => Ok(*options),
        other => Err(Error::Failed(format!(
            "the demo's own options are refused: {other:?}"
        ))),
    }
}

async fn run(settings: ServeOptions, keep: bool) -> Result<()> {
    let interrupted = serve::shutdown()?;
    let ready = serve::prepare(&settings, |_| None, std::sync::Arc::default()).await?;
    let scene = Scene::of(&settings, &ready)?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(ready.run(async {
        // A sender that is gone means the same.
        let _ = stopped.await;
    }));
    let text = scene.paste.clone();
    let mut interrupted = std::pin::pin!(interrupted);
    let played = tokio::select! {
        played = tokio::task::spawn_blocking(move || play(scene)) => {
            played.map_err(Error::failed("the demo broke off"))?
        }
        () = &mut interrupted => Err(Error::Failed("interrupted".to_owned())),
    };
    if keep && played.is_ok() {
        stage::Stage::new().print(&text)?;
        interrupted.await;
    }
    // The server is gone already when nobody listens.
    let _ = stop.send(());
    server
        .await
        .map_err(Error::failed("the demo's server broke off"))?;
    played
}

/// What the players are told.
struct Scene {
    address: SocketAddr,
    url: String,
    account: aws_types::AccountId,
    region: aws_types::Region,
    credentials: client::Credentials,
    /// How to reach the server that `--keep` leaves up.
    paste: String,
}

impl Scene {
    fn of(settings: &ServeOptions, ready: &Ready) -> Result<Scene> {
        let nowhere =
            || Error::Failed("the demo's server has no address or no credentials".to_owned());
        let address = *ready.addresses.first().ok_or_else(nowhere)?;
        let path = ready.credentials.as_deref().ok_or_else(nowhere)?;
        let text = data_dir::read_small(path)?.ok_or_else(nowhere)?;
        let credentials = plays::credentials(&text)?;
        Ok(Scene {
            address,
            url: ready.public_url.clone(),
            account: settings.account_id,
            region: settings.region.clone(),
            credentials,
            paste: format!(
                "\nThe server is still up, until Ctrl-C. In another shell:\n\n{}\n",
                serve::paste(settings, ready)
            ),
        })
    }
}

fn play(scene: Scene) -> Result<()> {
    let mut stage = stage::Stage::new();
    let registry = scene.url.trim_start_matches("http://").to_owned();
    stage.print(&format!(
        "A throw-away berth is listening on {}. It plays the clients' side itself, over HTTP;\n\
         the lines after $ are what a person would type.\n",
        scene.url
    ))?;
    let mut theatre = plays::Theatre {
        account: scene.account.to_string(),
        region: scene.region.to_string(),
        registry,
        root: person::Person {
            name: "default",
            address: scene.address,
            region: scene.region,
            credentials: scene.credentials,
            network: network::Network::new()?,
        },
        stage: &mut stage,
    };
    plays::direct(&mut theatre)?;
    plays::ci_with_a_role(&mut theatre)?;
    stage.scene(&format!("All {} steps went as they must.", stage.steps()))?;
    stage.print(FOR_REAL)
}

const FOR_REAL: &str = "
Run one that stays, and use it with the AWS CLI and docker:

  berth serve
  export AWS_SHARED_CREDENTIALS_FILE=$PWD/berth-data/credentials
  export AWS_ENDPOINT_URL=http://127.0.0.1:5000 AWS_DEFAULT_REGION=us-east-1
  aws ecr create-repository --repository-name app
  aws ecr get-login-password | docker login --username AWS --password-stdin 127.0.0.1:5000
  docker push 127.0.0.1:5000/app:v1
";
