//! `berth policy validate`: would IAM or ECR store this document?

use std::path::Path;

use policy::{Document, DocumentKind, PolicyError};
use serde_json::json;

use super::input::Input;
use crate::cli::{Kind, Output, ValidateOptions};
use crate::error::{Error, Result};
use crate::print::Answers;

/// Prints a line for each file; fails when one is refused.
pub fn validate(options: &ValidateOptions) -> Result<()> {
    let mut answers = Answers::new();
    let mut refused = 0;
    for file in &options.files {
        let text = Input::open(Some(file))?.text()?;
        let result = Document::parse(&text, kind(options.kind));
        refused += usize::from(result.is_err());
        match options.output {
            Output::Text => answers.line(&as_text(file, &result))?,
            Output::Json => answers.json(&as_json(file, &result))?,
        }
    }
    answers.flush()?;
    match refused {
        0 => Ok(()),
        _ => Err(Error::Told),
    }
}

/// `file:line:column: code: message`, the form that editors jump to.
fn as_text(file: &Path, result: &Result<Document, PolicyError>) -> String {
    let file = file.display();
    match result {
        Ok(document) => match document.statements().len() {
            1 => format!("{file}: valid, 1 statement"),
            count => format!("{file}: valid, {count} statements"),
        },
        Err(error) => {
            let place = error
                .position
                .map_or_else(String::new, |at| format!("{}:{}:", at.line, at.column));
            let detail = match error.detail.is_empty() || error.detail == error.message {
                true => String::new(),
                false => format!(" ({})", error.detail),
            };
            format!("{file}:{place} {}: {}{detail}", error.code, error.message)
        }
    }
}

fn as_json(file: &Path, result: &Result<Document, PolicyError>) -> serde_json::Value {
    let file = file.display().to_string();
    match result {
        Ok(document) => {
            json!({"file": file, "valid": true, "statements": document.statements().len()})
        }
        Err(error) => json!({
            "file": file,
            "valid": false,
            "code": error.code.as_str(),
            "message": error.message,
            "detail": error.detail,
            "line": error.position.map(|at| at.line),
            "column": error.position.map(|at| at.column),
        }),
    }
}

fn kind(kind: Kind) -> DocumentKind {
    match kind {
        Kind::Managed => DocumentKind::Managed,
        Kind::InlineUser => DocumentKind::InlineUser,
        Kind::InlineGroup => DocumentKind::InlineGroup,
        Kind::InlineRole => DocumentKind::InlineRole,
        Kind::Trust => DocumentKind::Trust,
        Kind::Session => DocumentKind::Session,
        Kind::PermissionsBoundary => DocumentKind::PermissionsBoundary,
        Kind::ServiceControl => DocumentKind::ServiceControl,
        Kind::ResourceControl => DocumentKind::ResourceControl,
        Kind::EcrRepository => DocumentKind::EcrRepository,
        Kind::EcrRegistry => DocumentKind::EcrRegistry,
        Kind::Resource => DocumentKind::Resource,
    }
}
