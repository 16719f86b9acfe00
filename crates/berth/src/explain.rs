//! `berth explain`: why a request was denied, by signed calls of the service `berth`.

use aws_api::Service;
use aws_api::berth::{
    ExplainRequestRequest, ExplainRequestResponse, ListDenialsRequest, ProposeChangeRequest,
    ProposeChangeResponse, ops,
};
use client::CallError;
use serde_json::json;

use crate::cli::{ExplainRequestOptions, Output};
use crate::error::Result;
use crate::output::Answers;
use crate::signed_client::{SignedClient, block_on, failed};

/// Runs the command.
pub fn run(options: ExplainRequestOptions) -> Result<()> {
    block_on(async {
        let client = SignedClient::open(&[Service::Berth]).await?;
        let Some(request_id) = options.request_id else {
            return list(&client, options.latest, options.output).await;
        };
        let input = ExplainRequestRequest {
            request_id: request_id.clone(),
        };
        let called = client.call::<ops::ExplainRequest>(&input).await;
        let denial = called.map_err(|e| failed(&e))?;
        let input = ProposeChangeRequest { request_id };
        let proposed = match client.call::<ops::ProposeChange>(&input).await {
            Ok(proposed) => Proposed::Change(Box::new(proposed)),
            // Who may explain denials need not be allowed to see what would change them.
            Err(CallError::Service { error, .. }) if error.code == "AccessDeniedException" => {
                Proposed::Refused(error.message)
            }
            Err(other) => return Err(failed(&other)),
        };
        let mut answers = Answers::new();
        match options.output {
            Output::Json => answers.json(&json(&denial, &proposed))?,
            Output::Text => text(&denial)
                .into_iter()
                .chain(proposed.text())
                .collect::<Vec<_>>()
                .iter()
                .try_for_each(|line| answers.line(line))?,
        }
        answers.flush()
    })
}

async fn list(client: &SignedClient, latest: i32, output: Output) -> Result<()> {
    let input = ListDenialsRequest {
        max_results: Some(latest),
        ..ListDenialsRequest::default()
    };
    let called = client.call::<ops::ListDenials>(&input).await;
    let page = called.map_err(|e| failed(&e))?;
    let mut answers = Answers::new();
    for denial in &page.denials {
        match output {
            Output::Json => answers.json(&json!({
                "requestId": denial.request_id,
                "requestTime": denial.request_time.to_string(),
                "decision": denial.decision.as_str(),
                "principalArn": denial.principal_arn,
                "action": denial.action,
                "resourceArn": denial.resource_arn,
                "reason": denial.reason,
            }))?,
            Output::Text => answers.line(&format!(
                "{}  {}  {}  {}  {}",
                denial.request_time,
                denial.request_id,
                denial.principal_arn,
                denial.action,
                denial.resource_arn
            ))?,
        }
    }
    answers.flush()
}

/// What `ProposeChange` answered.
enum Proposed {
    Change(Box<ProposeChangeResponse>),
    Refused(String),
}

impl Proposed {
    fn json(&self) -> serde_json::Value {
        let Proposed::Change(proposed) = self else {
            return serde_json::Value::Null;
        };
        let changes = proposed.changes.iter().map(|change| {
            json!({
                "changeType": change.change_type.as_str(),
                "policyType": change.policy_type,
                "operation": change.operation,
                "holderName": change.holder_name,
                "policyName": change.policy_name,
                "policyArn": change.policy_arn,
                "resourceArn": change.resource_arn,
                "description": change.description,
                "oldDocument": change.old_document,
                "newDocument": change.new_document,
                "requiredAction": change.required_action,
            })
        });
        json!({
            "decision": proposed.decision.map(|decision| decision.as_str()),
            "changes": changes.collect::<Vec<_>>(),
            "note": proposed.note,
        })
    }

    fn text(&self) -> Vec<String> {
        let proposed = match self {
            Proposed::Change(proposed) => proposed,
            Proposed::Refused(message) => return vec![format!("proposal   {message}")],
        };
        let mut lines = Vec::new();
        for change in &proposed.changes {
            let names = [
                &change.holder_name,
                &change.policy_name,
                &change.policy_arn,
                &change.resource_arn,
            ];
            let names = names.into_iter().flatten().map(String::as_str);
            let place = names.collect::<Vec<_>>().join(" ");
            lines.push(format!("proposal   {} {place}", change.operation));
            match (&change.description, &change.required_action) {
                (Some(description), _) => lines.push(format!("           {description}")),
                (None, Some(action)) => {
                    lines.push(format!("           to see it, {action} is needed"))
                }
                (None, None) => {}
            }
            lines.extend(
                change
                    .new_document
                    .iter()
                    .flat_map(|text| text.lines())
                    .map(str::to_owned),
            );
        }
        lines.extend(
            proposed
                .note
                .iter()
                .map(|note| format!("note       {note}")),
        );
        lines
    }
}

fn json(denial: &ExplainRequestResponse, proposed: &Proposed) -> serde_json::Value {
    let statements = denial.statements.iter().flatten().map(|statement| {
        json!({
            "policyType": statement.policy_type,
            "policyArn": statement.policy_arn,
            "policyName": statement.policy_name,
            "statementId": statement.statement_id,
            "statementIndex": statement.statement_index,
            "effect": statement.effect,
        })
    });
    json!({
        "requestId": denial.request_id,
        "requestTime": denial.request_time.map(|at| at.to_string()),
        "decision": denial.decision.as_str(),
        "principalArn": denial.principal_arn,
        "action": denial.action,
        "resourceArn": denial.resource_arn,
        "reason": denial.reason,
        "statements": statements.collect::<Vec<_>>(),
        "proposal": proposed.json(),
    })
}

fn text(denial: &ExplainRequestResponse) -> Vec<String> {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let time = denial.request_time.map(|at| at.to_string());
    let mut lines = vec![
        format!("decision   {}", denial.decision.as_str()),
        format!("reason     {}", denial.reason),
        format!("principal  {}", shown(&denial.principal_arn)),
        format!("action     {}", shown(&denial.action)),
        format!("resource   {}", shown(&denial.resource_arn)),
        format!("time       {}", shown(&time)),
    ];
    for statement in denial.statements.iter().flatten() {
        let policy = statement
            .policy_arn
            .as_ref()
            .or(statement.policy_name.as_ref());
        let position = match (&statement.statement_id, statement.statement_index) {
            (Some(sid), _) => format!("statement {sid}"),
            (None, Some(index)) => format!("statement {index}, counted from 0"),
            (None, None) => "a statement".to_owned(),
        };
        lines.push(format!(
            "denied by  {position} of the {} {}",
            statement.policy_type,
            policy.map_or("", String::as_str)
        ));
    }
    lines
}
