//! Calls that decide who somebody is: `GetCallerIdentity`, `AssumeRole` and `AssumeRoleWithWebIdentity`
//! with cached keys, in an account with few users and in one with many.

use std::path::Path;
use std::time::Duration;

use store::iam::entity::{self, Kind, NewEntity};
use store::{Scope, Store};

use crate::Options;
use crate::berth;
use crate::issuer::{AUDIENCE, Issuer};
use crate::latency::{Latencies, repeat};
use crate::peers::Peer;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Users of the small and of the large account.
const USERS: [usize; 2] = [1_000, 100_000];
/// Connections at once, and how long each call is measured.
const CONNECTIONS: usize = 8;
const MEASURED: Duration = Duration::from_secs(4);
/// The p99 with many users over the one with few, at most.
const RATIO_MAX: f64 = 1.5;
/// The call without a signature.
const UNSIGNED: &str = "AssumeRoleWithWebIdentity";
/// The account that a first start creates.
const ACCOUNT: &str = "123456789012";

/// Measures both accounts in turn and prints a table.
pub fn run(options: &Options) -> Result<String> {
    let issuer_dir = tempfile::tempdir()?;
    let issuer = Issuer::start(issuer_dir.path())?;
    let mut servers = Vec::new();
    for users in USERS {
        let dir = tempfile::tempdir()?;
        servers.push((filled(&options.berth, dir.path(), users, &issuer)?, dir));
    }
    let token = issuer.token()?;
    let mut report = format!(
        "| call, {CONNECTIONS} connections | {} users: calls/s | p50 (ms) | p99 (ms) | {} users: calls/s | p50 (ms) | p99 (ms) | p99 ratio | target |\n|---|---|---|---|---|---|---|---|---|\n",
        USERS[0], USERS[1]
    );
    for (name, parameters) in [
        ("GetCallerIdentity", vec![("Action", "GetCallerIdentity")]),
        (
            "AssumeRole",
            vec![
                ("Action", "AssumeRole"),
                ("RoleArn", "arn:aws:iam::123456789012:role/containerise"),
                ("RoleSessionName", "job1"),
            ],
        ),
        (
            UNSIGNED,
            vec![
                ("Action", UNSIGNED),
                ("RoleArn", "arn:aws:iam::123456789012:role/keyless"),
                ("RoleSessionName", "job1"),
                ("WebIdentityToken", token.as_str()),
            ],
        ),
    ] {
        let mut runs: [Vec<Latencies>; 2] = [Vec::new(), Vec::new()];
        for _ in 0..options.rounds {
            for (at, (server, _)) in servers.iter().enumerate() {
                let body = berth::form("2011-06-15", &parameters);
                let request = match name {
                    UNSIGNED => berth::unsigned_form(&server.peer, &body),
                    _ => berth::signed_form(&server.peer, &server.key, "sts", &body)?,
                };
                let requests = [request];
                runs[at].push(repeat(
                    server.peer.address,
                    &requests,
                    CONNECTIONS,
                    MEASURED,
                )?);
            }
        }
        let [few, many] = runs.map(|mut runs| {
            runs.sort_by(|a, b| a.percentile_ms(99.0).total_cmp(&b.percentile_ms(99.0)));
            let at = runs.len() / 2;
            runs.swap_remove(at)
        });
        let ratio = many.percentile_ms(99.0) / few.percentile_ms(99.0);
        let met = if ratio <= RATIO_MAX { "met" } else { "missed" };
        report.push_str(&format!("| {name} |"));
        for latencies in [&few, &many] {
            report.push_str(&format!(
                " {:.0} | {:.2} | {:.2} |",
                latencies.rate(),
                latencies.percentile_ms(50.0),
                latencies.percentile_ms(99.0)
            ));
        }
        report.push_str(&format!(" {ratio:.2}× | ≤ {RATIO_MAX}× {met} |\n"));
    }
    Ok(report)
}

/// A server, and the key of the user who may assume the role.
struct Filled {
    peer: Peer,
    key: berth::Key,
}

/// An account with a role for a user and one for the issuer's tokens, and `users` others. Those are written into the
/// database of the stopped server: a hundred thousand calls would measure something else.
fn filled(berth: &Path, dir: &Path, users: usize, issuer: &Issuer) -> Result<Filled> {
    let authority = issuer.authority.to_str().ok_or("a path that is not text")?;
    let options = [
        "--outbound-ca",
        authority,
        "--outbound-allow",
        "127.0.0.0/8",
    ];
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"AWS":"arn:aws:iam::123456789012:user/circleci"}}}"#;
    let peer = berth::start_alone("berth", berth, dir, &options)?;
    let root = berth::root_key(dir)?;
    let call = |parameters: &[(&str, &str)]| berth::iam(&peer, &root, parameters);
    call(&[("Action", "CreateUser"), ("UserName", "circleci")])?;
    let answer = call(&[("Action", "CreateAccessKey"), ("UserName", "circleci")])?;
    let key = berth::key_in(&String::from_utf8(answer)?)?;
    call(&[
        ("Action", "CreateRole"),
        ("RoleName", "containerise"),
        ("AssumeRolePolicyDocument", trust),
    ])?;
    let host = issuer.url.trim_start_matches("https://");
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
        "Principal":{{"Federated":"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"}},
        "Condition":{{"StringEquals":{{"{host}:aud":"{AUDIENCE}","{host}:sub":"job"}}}}}}}}"#
    );
    call(&[
        ("Action", "CreateOpenIDConnectProvider"),
        ("Url", &issuer.url),
        ("ClientIDList.member.1", AUDIENCE),
    ])?;
    call(&[
        ("Action", "CreateRole"),
        ("RoleName", "keyless"),
        ("AssumeRolePolicyDocument", &trust),
    ])?;
    drop(peer);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(add_users(dir, users))?;
    let peer = berth::start_alone("berth", berth, dir, &options)?;
    Ok(Filled { peer, key })
}

async fn add_users(dir: &Path, users: usize) -> Result<()> {
    let url = format!("sqlite:{}", dir.join("berth.db").display());
    let store = Store::open(&url).await?;
    let mut change = store.write(Scope::Account(ACCOUNT)).await?;
    let mut conn = change.conn();
    for number in 0..users {
        let (name, id) = (format!("user-{number}"), format!("AIDA{number:017}"));
        let new = NewEntity {
            account: ACCOUNT,
            kind: Kind::User,
            name: &name,
            path: "/",
            unique_id: &id,
            boundary_arn: None,
            now: 0,
        };
        entity::insert(&mut conn, new).await?;
    }
    change.commit().await?;
    Ok(())
}
