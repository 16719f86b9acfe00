//! What restJson1 adds to a model: where members are in an HTTP message, and the method and path of each
//! operation (Smithy, "AWS restJson1 protocol", "HTTP bindings").

use super::model::{Http, Model, Operation, Target};

/// The protocol's name in a model.
const PROTOCOL: &str = "rest-json";

/// Whether a model's service speaks restJson1.
pub fn is_rest(model: &Model) -> bool {
    model.metadata.protocol == PROTOCOL
}

/// Refuses bindings that the codec does not know.
pub fn check(model: &Model) -> Result<(), String> {
    for (name, shape) in &model.shapes {
        for (member, target) in &shape.members.0 {
            let place = format!("`{member}` of {name}");
            match (target.location.as_deref(), &target.location_name) {
                (None, None) => {}
                _ if !is_rest(model) => {
                    return Err(format!("{place} has a location, and the protocol has none"));
                }
                (None, Some(_)) => return Err(format!("{place} has another name on the wire")),
                (Some("uri" | "querystring" | "header"), Some(_)) => {
                    let kind = model.shape(&target.shape)?.kind.as_str();
                    let fits = match target.location.as_deref() {
                        Some("querystring") => matches!(kind, "list" | "timestamp"),
                        _ => false,
                    };
                    if !fits && !matches!(kind, "string" | "integer" | "long" | "boolean") {
                        return Err(format!("{place} is a {kind} outside the body"));
                    }
                }
                (Some(other), _) => return Err(format!("{place} has the location {other}")),
            }
        }
        match shape.timestamp_format.as_deref() {
            None => {}
            Some("iso8601") if is_rest(model) && shape.kind == "timestamp" => {}
            Some(other) => return Err(format!("{name} has the timestamp format {other}")),
        }
    }
    if is_rest(model) {
        for operation in model.operations.values() {
            http(operation)?;
            let output = operation.output.as_ref();
            let members = output
                .map(|output| model.shape(&output.shape))
                .transpose()?;
            let mut members = members.into_iter().flat_map(|shape| &shape.members.0);
            if let Some((member, _)) = members.find(|(_, target)| target.location.is_some()) {
                return Err(format!(
                    "`{member}` of {}'s output is outside the body",
                    operation.name
                ));
            }
        }
    }
    Ok(())
}

/// The method, path and status of an operation.
pub fn http(operation: &Operation) -> Result<Http, String> {
    let name = &operation.name;
    let http: Http = serde_json::from_value(operation.http.clone())
        .map_err(|e| format!("the HTTP binding of {name} is not understood: {e}"))?;
    // A greedy label takes the rest of the path.
    let inner = http.request_uri.split('/').rev().skip(1);
    if http.request_uri.contains('?') || inner.into_iter().any(|part| part.contains('+')) {
        return Err(format!("{name} has the path {}", http.request_uri));
    }
    Ok(http)
}

/// The binding of a member as the macro `structures!` takes it; empty for one in the body.
pub fn binding(target: &Target) -> String {
    let name = target.location_name.as_deref().unwrap_or_default();
    match target.location.as_deref() {
        Some("uri") => format!(" @ Label({name:?})"),
        Some("querystring") => format!(" @ Query({name:?})"),
        Some("header") => format!(" @ Header({:?})", name.to_ascii_lowercase()),
        _ => String::new(),
    }
}
