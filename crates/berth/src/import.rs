//! `berth import iam`: an account's IAM from AWS, by ordinary calls of the IAM API.
//!
//! It is a client: it signs with the credentials that the AWS CLI would use, and IAM decides what it may do.

mod details;
mod plan;

use aws_api::Service;
use aws_api::iam::{GetPolicyRequest, ops};
use aws_api::sts::ops::GetCallerIdentity;
use aws_types::{AccountId, Arn};
use client::CallError;
use serde_json::json;

use crate::cli::{ImportIamOptions, Output};
use crate::error::{Error, Result};
use crate::output::Answers;
use crate::signed_client::{self, SignedClient, block_on};
use details::Details;
use plan::{AccountMap, Call, Plan, plan};

/// The longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Imports the file, or says what an import would do.
pub fn iam(options: &ImportIamOptions) -> Result<()> {
    let file = read(&options.file)?;
    let map = AccountMap(options.map_account.iter().copied().collect());
    let planned = plan(&file, &map);
    block_on(run(options, &file, &map, planned))
}

async fn run(
    options: &ImportIamOptions,
    file: &Details,
    map: &AccountMap,
    mut planned: Plan,
) -> Result<()> {
    let server = SignedClient::open(&[Service::Iam, Service::Sts]).await?;
    let identity = server.call::<GetCallerIdentity>(&Default::default()).await;
    let identity = identity.map_err(|e| signed_client::failed(&e))?;
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
            other => drop(other.map_err(|e| signed_client::failed(&e))?),
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
        match perform(&server, &step.call).await {
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
            Err(error @ CallError::Http(_)) => return Err(signed_client::failed(&error)),
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

/// Makes one planned call.
async fn perform(client: &SignedClient, call: &Call) -> std::result::Result<(), CallError> {
    match call {
        Call::CreatePolicy(i) => client.call::<ops::CreatePolicy>(i).await.map(drop),
        Call::CreatePolicyVersion(i) => client.call::<ops::CreatePolicyVersion>(i).await.map(drop),
        Call::CreateGroup(i) => client.call::<ops::CreateGroup>(i).await.map(drop),
        Call::CreateUser(i) => client.call::<ops::CreateUser>(i).await.map(drop),
        Call::CreateRole(i) => client.call::<ops::CreateRole>(i).await.map(drop),
        Call::CreateInstanceProfile(i) => {
            client.call::<ops::CreateInstanceProfile>(i).await.map(drop)
        }
        Call::AddRoleToInstanceProfile(i) => client
            .call::<ops::AddRoleToInstanceProfile>(i)
            .await
            .map(drop),
        Call::AddUserToGroup(i) => client.call::<ops::AddUserToGroup>(i).await.map(drop),
        Call::PutGroupPolicy(i) => client.call::<ops::PutGroupPolicy>(i).await.map(drop),
        Call::PutUserPolicy(i) => client.call::<ops::PutUserPolicy>(i).await.map(drop),
        Call::PutRolePolicy(i) => client.call::<ops::PutRolePolicy>(i).await.map(drop),
        Call::AttachGroupPolicy(i) => client.call::<ops::AttachGroupPolicy>(i).await.map(drop),
        Call::AttachUserPolicy(i) => client.call::<ops::AttachUserPolicy>(i).await.map(drop),
        Call::AttachRolePolicy(i) => client.call::<ops::AttachRolePolicy>(i).await.map(drop),
        Call::UpdateTrust(i) => client
            .call::<ops::UpdateAssumeRolePolicy>(i)
            .await
            .map(drop),
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
