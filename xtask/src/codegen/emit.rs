//! The text of the generated modules.

use super::model::{Model, Shape, Target};
use super::names::{error_variant, field, snake, table, type_name, variant};
use super::rest;
use super::services::Service;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Members that hold credentials although the model does not mark their shape as sensitive.
const SECRET_MEMBERS: &[(&str, &str, &str)] = &[
    ("ecr", "AuthorizationData", "authorizationToken"),
    ("ecr", "GetDownloadUrlForLayerResponse", "downloadUrl"),
    ("iam", "EnableMFADeviceRequest", "AuthenticationCode1"),
    ("iam", "EnableMFADeviceRequest", "AuthenticationCode2"),
    ("iam", "ResyncMFADeviceRequest", "AuthenticationCode1"),
    ("iam", "ResyncMFADeviceRequest", "AuthenticationCode2"),
    ("sts", "Credentials", "SessionToken"),
    ("sts", "AssumeRoleRequest", "TokenCode"),
    ("sts", "GetSessionTokenRequest", "TokenCode"),
];

/// The files of a service's module: name and text.
pub fn service(
    service: &Service,
    model: &Model,
    botocore: &str,
) -> Result<Vec<(&'static str, String)>, String> {
    let reachable = model.reachable()?;
    unique(reachable.iter().map(|name| table(name)))?;
    for (_, structure, member) in SECRET_MEMBERS.iter().filter(|s| s.0 == service.folder) {
        let shape = model.shape(structure)?;
        if !shape.members.0.iter().any(|(name, _)| name == member) {
            return Err(format!(
                "{structure} has no member {member} (list of secrets)"
            ));
        }
    }
    let top = service.header(botocore);
    Ok(vec![
        ("mod.rs", top.clone() + &module(model)),
        (
            "types.rs",
            top.clone() + &types(service, model, &reachable)?,
        ),
        ("shapes.rs", top.clone() + &shapes(model, &reachable)?),
        ("operations.rs", top.clone() + &operations(service, model)?),
        ("errors.rs", top + &errors(model)?),
    ])
}

fn module(model: &Model) -> String {
    let title = &model.metadata.service_full_name;
    let mut out = format!(
        "//! {title}: {} operations of the API {}, protocol {}.\n\n\
         mod errors;\nmod operations;\npub(crate) mod shapes;\nmod types;\n\n\
         pub use errors::ErrorCode;\npub use operations::{{Operation, ops}};\npub use types::*;\n\n",
        model.operations.len(),
        model.metadata.api_version,
        model.metadata.protocol,
    );
    let mut constant = |name: &str, doc: &str, value: &str| {
        let _ = writeln!(out, "/// {doc}\npub const {name}: &str = {value:?};");
    };
    constant(
        "API_VERSION",
        "The API's version.",
        &model.metadata.api_version,
    );
    if let Some(prefix) = &model.metadata.target_prefix {
        constant(
            "TARGET_PREFIX",
            "The part of `X-Amz-Target` before the dot.",
            prefix,
        );
    }
    if let Some(namespace) = &model.metadata.xml_namespace {
        constant("XML_NAMESPACE", "The namespace of the answers.", namespace);
    }
    out
}

fn types(service: &Service, model: &Model, reachable: &BTreeSet<String>) -> Result<String, String> {
    let mut out = "//! The structures and enumerations.\n\n\
        #[allow(unused_imports)]\nuse crate::generated::*;\nuse super::shapes::*;\n\nenumerations! {\n"
        .to_owned();
    for name in reachable {
        let shape = model.shape(name)?;
        if shape.values.is_empty() {
            continue;
        }
        let _ = writeln!(out, "    {} {name:?} {} {{", table(name), type_name(name));
        unique(shape.values.iter().map(|value| variant(value)))?;
        for value in &shape.values {
            let _ = writeln!(out, "        {} = {value:?},", variant(value));
        }
        out.push_str("    }\n");
    }
    out.push_str("}\n\nstructures! {\n");
    for name in reachable {
        let shape = model.shape(name)?;
        if shape.kind != "structure" {
            continue;
        }
        let mark = if shape.sensitive { ".secret" } else { "" };
        let _ = writeln!(out, "    {}{mark} {} {{", table(name), type_name(name));
        unique(shape.members.0.iter().map(|(member, _)| snake(member)))?;
        for (member, target) in &shape.members.0 {
            let secret = SECRET_MEMBERS.contains(&(service.folder, name, member));
            let bare = rust_type(model, target, secret)?;
            let (need, ty) = match shape.required.contains(member) {
                true => ("required", bare),
                false => ("optional", format!("Option<{bare}>")),
            };
            let mark = if secret { " .secret" } else { "" };
            let _ = writeln!(
                out,
                "        {}: {ty} = {need}{mark} {member:?} {}{},",
                field(member),
                table(&target.shape),
                rest::binding(target),
            );
        }
        out.push_str("    }\n");
    }
    out.push_str("}\n");
    Ok(out
        .replace("required .secret", "required.secret")
        .replace("optional .secret", "optional.secret"))
}

fn rust_type(model: &Model, target: &Target, secret: bool) -> Result<String, String> {
    let name = &target.shape;
    let shape = model.shape(name)?;
    let inner = |target: &Option<Target>| match target {
        Some(target) => rust_type(model, target, false),
        None => Err(format!("`{name}` lacks its member")),
    };
    Ok(match shape.kind.as_str() {
        "string" if !shape.values.is_empty() => type_name(name),
        "string" if shape.sensitive || secret => "Secret<String>".to_owned(),
        "string" => "String".to_owned(),
        "blob" if shape.sensitive || secret => "Secret<Vec<u8>>".to_owned(),
        "blob" => "Blob".to_owned(),
        "boolean" => "bool".to_owned(),
        "integer" => "i32".to_owned(),
        "long" => "i64".to_owned(),
        "double" => "f64".to_owned(),
        "timestamp" => "Timestamp".to_owned(),
        "list" => format!("Vec<{}>", inner(&shape.member)?),
        "map" => format!("BTreeMap<{}, {}>", inner(&shape.key)?, inner(&shape.value)?),
        "structure" => type_name(name),
        other => return Err(format!("`{name}` is of the unknown type `{other}`")),
    })
}

fn shapes(model: &Model, reachable: &BTreeSet<String>) -> Result<String, String> {
    let mut out = "//! The tables of the simple shapes, lists and maps.\n\n\
        #[allow(unused_imports)]\nuse crate::generated::*;\n#[allow(unused_imports)]\nuse super::types::*;\n\n"
        .to_owned();
    let mut patterns: BTreeMap<&str, String> = BTreeMap::new();
    for name in reachable {
        if let Some(pattern) = &model.shape(name)?.pattern {
            let next = format!("PATTERN_{}", patterns.len() + 1);
            patterns.entry(pattern).or_insert(next);
        }
    }
    for (pattern, name) in &patterns {
        let _ = writeln!(out, "static {name}: Pattern = Pattern::new({pattern:?});");
    }
    let all: Vec<&str> = patterns.values().map(String::as_str).collect();
    let _ = writeln!(
        out,
        "\n/// Every pattern, for the test that compiles them.\n#[cfg(test)]\n\
         pub(crate) static PATTERNS: &[&Pattern] = &[{}];\n",
        all.iter()
            .map(|name| format!("&{name}"))
            .collect::<Vec<_>>()
            .join(", "),
    );
    for name in reachable {
        let shape = model.shape(name)?;
        if shape.kind == "structure" || !shape.values.is_empty() {
            continue;
        }
        let _ = write!(
            out,
            "pub(crate) static {}: Shape = Shape::new({name:?}, {})",
            table(name),
            kind(name, shape)?,
        );
        if let Some(min) = shape.min {
            let _ = write!(out, ".min({min})");
        }
        if let Some(max) = shape.max {
            let _ = write!(out, ".max({max})");
        }
        if let Some(pattern) = shape.pattern.as_deref().and_then(|p| patterns.get(p)) {
            let _ = write!(out, ".pattern(&{pattern})");
        }
        if shape.sensitive {
            out.push_str(".secret()");
        }
        if shape.timestamp_format.is_some() {
            out.push_str(".iso8601()");
        }
        out.push_str(";\n");
    }
    Ok(out)
}

fn kind(name: &str, shape: &Shape) -> Result<String, String> {
    let inner = |target: &Option<Target>| match target {
        Some(target) => Ok(table(&target.shape)),
        None => Err(format!("`{name}` lacks its member")),
    };
    Ok(match shape.kind.as_str() {
        "list" => format!("Kind::List(&{})", inner(&shape.member)?),
        "map" => format!(
            "Kind::Map(&{}, &{})",
            inner(&shape.key)?,
            inner(&shape.value)?
        ),
        other => format!("Kind::{}", type_name(other)),
    })
}

fn operations(service: &Service, model: &Model) -> Result<String, String> {
    let mut out = "//! The operations with their inputs, outputs and errors.\n\n\
        use super::errors::ErrorCode;\nuse super::types::*;\n\n"
        .to_owned();
    let _ = writeln!(out, "operations! {{ {}:", service.variant);
    let name_of = |target: &Option<Target>| {
        target
            .as_ref()
            .map_or_else(|| "()".to_owned(), |target| type_name(&target.shape))
    };
    for (name, operation) in &model.operations {
        if operation.name != *name {
            return Err(format!("{name} has another name on the wire"));
        }
        let errors: Vec<String> = operation
            .errors
            .iter()
            .map(|e| error_variant(&e.shape))
            .collect();
        let http = match rest::is_rest(model) {
            true => {
                let http = rest::http(operation)?;
                format!(
                    " @ {:?} {:?} {}",
                    http.method, http.request_uri, http.response_code
                )
            }
            false => String::new(),
        };
        let _ = writeln!(
            out,
            "    {name}({}) -> {}, [{}]{http};",
            name_of(&operation.input),
            name_of(&operation.output),
            errors.join(", "),
        );
    }
    out.push_str("}\n");
    Ok(out)
}

fn errors(model: &Model) -> Result<String, String> {
    let mut out = "//! The errors with their codes and HTTP statuses.\n\nerrors! {\n".to_owned();
    let exceptions = || model.shapes.iter().filter(|(_, shape)| shape.exception);
    unique(exceptions().map(|(name, _)| error_variant(name)))?;
    for (name, shape) in exceptions() {
        let (code, status, sender) = match &shape.error {
            Some(error) => (
                error.code.as_deref().unwrap_or(name),
                error.http_status_code,
                error.sender_fault,
            ),
            // JSON models name no status: 500 for the service's fault, else 400.
            None => (
                name.as_str(),
                if shape.fault { 500 } else { 400 },
                !shape.fault,
            ),
        };
        let fault = if sender { "Sender" } else { "Receiver" };
        let _ = writeln!(
            out,
            "    {} = {code:?} {status} {fault},",
            error_variant(name)
        );
    }
    out.push_str("}\n");
    Ok(out)
}

fn unique(names: impl Iterator<Item = String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if seen.contains(&name) {
            return Err(format!("two names become `{name}`"));
        }
        seen.insert(name);
    }
    Ok(())
}
