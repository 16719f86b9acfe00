//! `berth import iam`: an account's IAM from AWS, by ordinary calls of the IAM API.
//!
//! It is a client: it signs with the credentials that the AWS CLI would use, and IAM decides what it may do.

mod details;
mod plan;

use aws_api::iam::{GetPolicyRequest, ops};
use aws_api::sts::ops::GetCallerIdentity;
use aws_api::{Op, Service};
use aws_types::{AccountId, Arn, Cidr};
use client::{AwsClient, CallError, Credentials, Http, Profile, Settings};
use jiff::Timestamp;
use serde_json::json;

use crate::cli::{ImportIamOptions, Output};
use crate::error::{Error, Result};
use crate::output::Answers;
use details::Details;
use plan::{AccountMap, Call, Plan, plan};

/// The longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Imports the file, or says what an import would do.
pub fn iam(options: &ImportIamOptions) -> Result<()> {
    let file = read(&options.file)?;
    let map = AccountMap(options.map_account.iter().copied().collect());
    let planned = plan(&file, &map);
    let profile = Profile::load(|name| std::env::var(name).ok()).map_err(describe)?;
    for service in [Service::Iam, Service::Sts] {
        if profile.endpoint(service).is_none() {
            return Err(Error::Usage(
                "no endpoint is set, and AWS itself is not meant: set AWS_ENDPOINT_URL to this server's URL".to_owned(),
            ));
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::failed("cannot start"))?;
    runtime.block_on(run(options, &file, &map, planned, &profile))
}

async fn run(
    options: &ImportIamOptions,
    file: &Details,
    map: &AccountMap,
    mut planned: Plan,
    profile: &Profile,
) -> Result<()> {
    let http = Http::new(settings()?).map_err(describe)?;
    let credentials = profile.credentials(&http, Timestamp::now()).await;
    let server = Server {
        http,
        profile,
        credentials: credentials.map_err(describe)?,
    };
    let identity = server.call::<GetCallerIdentity>(&Default::default()).await;
    let identity = identity.map_err(describe)?;
    let account = identity.account.unwrap_or_default();
    refuse_foreign(file, map, &account)?;
    for arn in std::mem::take(&mut planned.aws_policies) {
        let request = GetPolicyRequest {
            policy_arn: arn.clone(),
        };
        match server.call::<ops::GetPolicy>(&request).await {
            Err(CallError::Service { error, .. }) if error.code == "NoSuchEntity" => {
                planned.refused.push(format!(
                    "{arn}: this server does not know this managed policy of AWS"
                ));
            }
            other => drop(other.map_err(describe)?),
        }
    }
    let mut report = Report::new(options.output);
    for what in &planned.left_out {
        report.line("not carried over", what)?;
    }
    for what in &planned.refused {
        report.line("refused", what)?;
    }
    if !planned.refused.is_empty() {
        report.flush()?;
        return Err(Error::Failed(format!(
            "nothing was imported: repair or remove the {} refused documents above, and import again",
            planned.refused.len()
        )));
    }
    if options.dry_run {
        for step in &planned.steps {
            report.line("would", &step.what)?;
        }
        return report.flush();
    }
    let (mut done, mut kept, mut failed) = (0, 0, 0);
    // Policies that were there already keep their versions.
    let mut kept_policies = Vec::new();
    for step in &planned.steps {
        if let Call::CreatePolicyVersion(request) = &step.call
            && kept_policies.contains(&request.policy_arn)
        {
            continue;
        }
        match server.perform(&step.call).await {
            Ok(()) => {
                done += 1;
                report.line("done", &step.what)?;
            }
            Err(CallError::Service { error, .. }) if is_there(&error.code, &step.call) => {
                kept += 1;
                if let Call::CreatePolicy(request) = &step.call {
                    let path = request.path.as_deref().unwrap_or("/");
                    let id: AccountId = account
                        .parse()
                        .map_err(Error::failed("the server named its account wrongly"))?;
                    let arn = Arn::iam("policy", id, path, &request.policy_name);
                    kept_policies.push(arn.as_str().to_owned());
                }
                report.line("kept", &format!("{}: it exists", step.what))?;
            }
            // Without credentials or a server, every other call fails as well.
            Err(error @ CallError::Http(_)) => return Err(describe(error)),
            Err(error) => {
                failed += 1;
                report.line("failed", &format!("{}: {error}", step.what))?;
            }
        }
    }
    report.summary(done, kept, failed)?;
    match failed {
        0 => Ok(()),
        _ => Err(Error::Failed(format!(
            "{failed} calls failed; repair what they say and import again: what exists is kept"
        ))),
    }
}

/// What a second import finds: not an error.
fn is_there(code: &str, call: &Call) -> bool {
    match call {
        // A profile holds one role: the same import has put it there, or another role is in it.
        Call::AddRoleToInstanceProfile(_) => code == "LimitExceeded",
        _ => code == "EntityAlreadyExists",
    }
}

/// Documents that name the file's own account mean another one here, unless they are mapped.
fn refuse_foreign(file: &Details, map: &AccountMap, account: &str) -> Result<()> {
    let users = file.users.iter().map(|user| &user.arn);
    let roles = file.roles.iter().map(|role| &role.arn);
    let groups = file.groups.iter().map(|group| &group.arn);
    for arn in users.chain(roles).chain(groups) {
        let parsed: Arn = arn
            .parse()
            .map_err(|_| Error::Failed(format!("`{arn}` in the file is no ARN")))?;
        let of = parsed.account();
        let mapped = of.parse().ok().and_then(|id| map.0.get(&id));
        if mapped.map_or(of, AccountId::as_str) != account {
            return Err(Error::Usage(format!(
                "the file is of the account {of} and the credentials are of {account}: add --map-account {of}={account}"
            )));
        }
    }
    Ok(())
}

fn read(path: &std::path::Path) -> Result<Details> {
    use std::io::Read as _;
    let name = path.display();
    let mut text = Vec::new();
    let source: Box<dyn std::io::Read> = match path.as_os_str() == "-" {
        true => Box::new(std::io::stdin()),
        false => Box::new(
            std::fs::File::open(path).map_err(Error::failed(format!("cannot read {name}")))?,
        ),
    };
    source
        .take(FILE_BYTES_MAX)
        .read_to_end(&mut text)
        .map_err(Error::failed(format!("cannot read {name}")))?;
    let file: Details = serde_json::from_slice(&text).map_err(Error::failed(format!(
        "{name} is not the output of `aws iam get-account-authorization-details`"
    )))?;
    if file.is_truncated {
        return Err(Error::Failed(format!(
            "{name} is one page of several: run `aws iam get-account-authorization-details` without --max-items and --no-paginate"
        )));
    }
    Ok(file)
}

/// The user of the command line chooses the endpoint, so every address may be called.
fn settings() -> Result<Settings> {
    let allow = ["0.0.0.0/0", "::/0"].map(str::parse::<Cidr>);
    let allow = allow.into_iter().collect::<std::result::Result<_, _>>();
    Ok(Settings {
        allow: allow.map_err(Error::failed("cannot start"))?,
        ..Settings::default()
    })
}

fn describe(error: impl std::error::Error) -> Error {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    Error::Failed(text)
}

/// A server and who calls it.
struct Server<'a> {
    http: Http,
    profile: &'a Profile,
    credentials: Credentials,
}

impl Server<'_> {
    async fn call<O: Op>(&self, input: &O::Input) -> std::result::Result<O::Output, CallError> {
        let service = O::OPERATION.service();
        // It was checked that there is one.
        let endpoint = self.profile.endpoint(service).unwrap_or_default();
        let aws = AwsClient {
            http: &self.http,
            endpoint,
            region: self.profile.region(),
            credentials: &self.credentials,
        };
        aws.call::<O>(input, Timestamp::now()).await
    }

    async fn perform(&self, call: &Call) -> std::result::Result<(), CallError> {
        match call {
            Call::CreatePolicy(i) => self.call::<ops::CreatePolicy>(i).await.map(drop),
            Call::CreatePolicyVersion(i) => {
                self.call::<ops::CreatePolicyVersion>(i).await.map(drop)
            }
            Call::CreateGroup(i) => self.call::<ops::CreateGroup>(i).await.map(drop),
            Call::CreateUser(i) => self.call::<ops::CreateUser>(i).await.map(drop),
            Call::CreateRole(i) => self.call::<ops::CreateRole>(i).await.map(drop),
            Call::CreateInstanceProfile(i) => {
                self.call::<ops::CreateInstanceProfile>(i).await.map(drop)
            }
            Call::AddRoleToInstanceProfile(i) => self
                .call::<ops::AddRoleToInstanceProfile>(i)
                .await
                .map(drop),
            Call::AddUserToGroup(i) => self.call::<ops::AddUserToGroup>(i).await.map(drop),
            Call::PutGroupPolicy(i) => self.call::<ops::PutGroupPolicy>(i).await.map(drop),
            Call::PutUserPolicy(i) => self.call::<ops::PutUserPolicy>(i).await.map(drop),
            Call::PutRolePolicy(i) => self.call::<ops::PutRolePolicy>(i).await.map(drop),
            Call::AttachGroupPolicy(i) => self.call::<ops::AttachGroupPolicy>(i).await.map(drop),
            Call::AttachUserPolicy(i) => self.call::<ops::AttachUserPolicy>(i).await.map(drop),
            Call::AttachRolePolicy(i) => self.call::<ops::AttachRolePolicy>(i).await.map(drop),
            Call::UpdateTrust(i) => self.call::<ops::UpdateAssumeRolePolicy>(i).await.map(drop),
        }
    }
}

/// What is printed, for people or for programs.
struct Report {
    answers: Answers,
    output: Output,
}

impl Report {
    fn new(output: Output) -> Report {
        Report {
            answers: Answers::new(),
            output,
        }
    }

    fn line(&mut self, outcome: &str, what: &str) -> Result<()> {
        match self.output {
            Output::Text => self.answers.line(&format!("{outcome}: {what}")),
            Output::Json => self
                .answers
                .json(&json!({"outcome": outcome, "what": what})),
        }
    }

    fn summary(&mut self, done: usize, kept: usize, failed: usize) -> Result<()> {
        match self.output {
            Output::Text => self
                .answers
                .line(&format!("{done} done, {kept} kept, {failed} failed"))?,
            Output::Json => self
                .answers
                .json(&json!({"done": done, "kept": kept, "failed": failed}))?,
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        self.answers.flush()
    }
}
