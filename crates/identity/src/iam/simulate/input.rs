//! What a simulation refuses before it decides.
//!
//! The API reference names `InvalidInput` alone. Cases and messages are those of answers recorded from AWS
//! (radkawar/stackd, `testdata/aws/iam/simulation_inputs.json`).

use std::net::IpAddr;

use aws_api::authorization;
use aws_api::iam::{ContextEntry, ContextKeyTypeEnum as Type, ErrorCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Error;

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidInput, message)
}

/// What both operations take.
pub(super) struct Input<'a> {
    pub(super) actions: &'a [String],
    /// Empty where none is named.
    pub(super) resources: &'a [String],
    pub(super) boundaries: Option<&'a [String]>,
    pub(super) entries: Option<&'a [ContextEntry]>,
    pub(super) resource_policy: Option<&'a str>,
    /// Whether the caller of the simulated request is known.
    pub(super) has_caller: bool,
    pub(super) resource_owner: Option<&'a str>,
}

pub(super) fn check(input: &Input<'_>) -> Result<(), Error> {
    if input.boundaries.is_some_and(|texts| texts.len() > 1) {
        let message = "The list of Permissions Boundary policies cannot exceed 1 items.";
        return Err(invalid(message));
    }
    let named = match input.resources {
        [] => false,
        [one] => one != "*",
        _ => true,
    };
    actions(input.actions, named)?;
    if named && let Some(wrong) = input.resources.iter().find(|one| !is_arn(one)) {
        return Err(not_an_arn(wrong));
    }
    for entry in input.entries.unwrap_or_default() {
        context_entry(entry)?;
    }
    if input
        .resource_owner
        .is_some_and(|owner| !is_account_arn(owner))
    {
        return Err(invalid("Invalid Resource Owner."));
    }
    if input.resource_policy.is_some() {
        if !input.has_caller {
            let message = "Invalid caller - Caller cannot be null or empty.";
            return Err(invalid(message));
        }
        if !named {
            let message = "Invalid Entity Arn: * does not clearly define entity type and name.";
            return Err(invalid(message));
        }
    }
    Ok(())
}

/// Actions that AWS knows and others cannot be asked together about resources.
fn actions(actions: &[String], named: bool) -> Result<(), Error> {
    if actions.iter().any(|action| !action.contains(':')) {
        let message = "The action is invalid since it is missing names";
        return Err(invalid(message));
    }
    let is_known = |action: &&String| authorization::action(action).is_some();
    let (known, unknown): (Vec<&String>, Vec<&String>) = actions.iter().partition(is_known);
    if named && !known.is_empty() && !unknown.is_empty() {
        let list = |names: Vec<&String>| {
            let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
            names.join(",")
        };
        // The message ends in a space.
        return Err(invalid(format!(
            "Invalid Input Actions: [{}] and [{}] require different authorization information. ",
            list(known),
            list(unknown)
        )));
    }
    Ok(())
}

fn not_an_arn(resource: &str) -> Error {
    invalid(format!(
        "ResourceNames are not in a valid ARN format: {resource}."
    ))
}

/// Six fields, of which region and account may be empty. Partition and service are any.
fn is_arn(text: &str) -> bool {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    match fields.as_slice() {
        [arn, partition, service, _, _, resource] => {
            *arn == "arn"
                && ![partition, service, resource]
                    .iter()
                    .any(|field| field.is_empty())
        }
        _ => false,
    }
}

/// `ResourceOwner`: "specify the AWS account ID … in ARN format" (IAM API Reference, SimulateCustomPolicy).
fn is_account_arn(text: &str) -> bool {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    match fields.as_slice() {
        ["arn", partition, "iam", "", account, resource] => {
            let digits = account.bytes().all(|byte| byte.is_ascii_digit());
            !partition.is_empty() && account.len() == 12 && digits && !resource.is_empty()
        }
        _ => false,
    }
}

fn context_entry(entry: &ContextEntry) -> Result<(), Error> {
    let values = entry.context_key_values.as_deref().unwrap_or_default();
    let name = entry.context_key_name.as_deref().unwrap_or_default();
    if name.is_empty() {
        // An entry without anything says nothing.
        return match (entry.context_key_type, values) {
            (None, []) => Ok(()),
            _ => Err(invalid("ContextKeyName cannot be null or empty.")),
        };
    }
    if values.is_empty() {
        return Err(invalid(format!(
            "Context values for context key {name} cannot be null or empty."
        )));
    }
    let Some(kind) = entry.context_key_type else {
        return Err(invalid(format!(
            "Context key {name} has invalid type null."
        )));
    };
    let (is_one, format): (fn(&str) -> bool, &str) = match kind {
        Type::Numeric | Type::NumericList => (is_number, "numeric format"),
        Type::Ip | Type::IpList => (is_address, "IP address"),
        Type::Binary | Type::BinaryList => (is_base64, "base-64 encoded binary format"),
        _ => return Ok(()),
    };
    match values.iter().all(|value| is_one(value)) {
        true => Ok(()),
        false => Err(invalid(format!(
            "Invalid context value for key {name}: expected {format}."
        ))),
    }
}

/// A decimal number: `+1`, `01.00`, `1e2`.
fn is_number(text: &str) -> bool {
    let decimal = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    text.bytes().all(decimal) && text.parse::<f64>().is_ok()
}

/// An address without a prefix or a zone. Leading zeros are accepted, as decimal.
fn is_address(text: &str) -> bool {
    let octet =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u8>().is_ok();
    let octets: Vec<&str> = text.split('.').collect();
    (octets.len() == 4 && octets.into_iter().all(octet)) || text.parse::<IpAddr>().is_ok()
}

fn is_base64(text: &str) -> bool {
    STANDARD.decode(text).is_ok()
}
