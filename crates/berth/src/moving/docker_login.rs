//! The credentials that docker has logged in with: `config.json` and the credential helpers that it names
//! (docker's documentation, "docker login").

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use client::StaticLogin;
use serde_json::Value;

use crate::error::{Error, Result};

const FILE_BYTES_MAX: u64 = 1 << 20;
/// What Docker Hub is called in the file.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The login for a host; an empty one where there is none.
pub fn find(host: &str) -> Result<StaticLogin> {
    let own = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker"));
    let Some(path) = own.or_else(home).map(|folder| folder.join("config.json")) else {
        return Ok(StaticLogin(None));
    };
    let mut text = String::new();
    let read = std::fs::File::open(&path)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
    match read {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(StaticLogin(None)),
        Err(error) => {
            return Err(Error::failed(format!("cannot read {}", path.display()))(
                error,
            ));
        }
    }
    let config: Value = serde_json::from_str(&text)
        .map_err(Error::failed(format!("{} is no JSON", path.display())))?;
    let names = names(host);
    for name in &names {
        let helper = config["credHelpers"][name].as_str();
        if let Some(helper) = helper {
            return from_helper(helper, name);
        }
    }
    for name in &names {
        let entry = &config["auths"][name];
        if let Some(basic) = entry["auth"].as_str().filter(|basic| !basic.is_empty()) {
            return Ok(StaticLogin(Some(basic.to_owned())));
        }
        if entry.is_object()
            && let Some(helper) = config["credsStore"].as_str()
        {
            return from_helper(helper, name);
        }
    }
    Ok(StaticLogin(None))
}

fn names(host: &str) -> Vec<String> {
    let mut names = vec![
        host.to_owned(),
        format!("https://{host}"),
        format!("http://{host}"),
    ];
    if host == "registry-1.docker.io" {
        names.push(DOCKER_HUB.to_owned());
    }
    names
}

/// Asks `docker-credential-<helper>`.
fn from_helper(helper: &str, name: &str) -> Result<StaticLogin> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !helper.bytes().all(sound) {
        return Err(Error::Failed(format!(
            "`{helper}` is no name of a credential helper"
        )));
    }
    let program = format!("docker-credential-{helper}");
    let failed = || Error::failed(format!("{program} failed"));
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed())?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(name.as_bytes()).map_err(failed())?;
    }
    let output = child.wait_with_output().map_err(failed())?;
    if !output.status.success() {
        return Err(Error::Failed(format!(
            "{program} has no credentials for {name}: {}",
            output.status
        )));
    }
    let answer = serde_json::from_slice::<Value>(&output.stdout);
    let answer = answer.map_err(|error| failed()(error.into()))?;
    match (answer["Username"].as_str(), answer["Secret"].as_str()) {
        (Some("<token>"), _) => Err(Error::Failed(format!(
            "{program} has an identity token for {name}: use --source-user and --source-password-file"
        ))),
        (Some(user), Some(secret)) => Ok(StaticLogin::new(user, secret)),
        _ => Err(Error::Failed(format!(
            "{program} answers without credentials"
        ))),
    }
}
