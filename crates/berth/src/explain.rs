//! `berth explain`: why a request was denied, by signed calls of the service `berth`.

use aws_api::Service;
use aws_api::berth::{ExplainRequestRequest, ExplainRequestResponse, ListDenialsRequest, ops};
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
        let input = ExplainRequestRequest { request_id };
        let called = client.call::<ops::ExplainRequest>(&input).await;
        let denial = called.map_err(|e| failed(&e))?;
        let mut answers = Answers::new();
        match options.output {
            Output::Json => answers.json(&json(&denial))?,
            Output::Text => text(&denial)
                .iter()
                .try_for_each(|line| answers.line(line))?,
        }
        answers.flush()
    })
}

async fn list(client: &SignedClient, latest: i32, output: Output) -> Result<()> {
    let input = ListDenialsRequest {
        max_results: Some(latest),
        next_token: None,
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

fn json(denial: &ExplainRequestResponse) -> serde_json::Value {
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
