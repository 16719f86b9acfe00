//! Access Analyzer's `ValidatePolicy`: what `policy-lint` finds in a document (API Reference,
//! `ValidatePolicy`, `ValidatePolicyFinding`, `Location`).

use std::sync::Arc;

use aws_api::access_analyzer::{
    ErrorCode, Location, PathElement, PolicyType, Position, Span, ValidatePolicyFinding,
    ValidatePolicyFindingType, ValidatePolicyRequest, ValidatePolicyResourceType,
    ValidatePolicyResponse,
};
use aws_lc_rs::digest;
use policy::DocumentKind;
use policy_lint::{AwsCatalogue, FINDINGS_MAX, Finding, Level, Locations};

use crate::paging::Page;
use crate::{Authorized, Error, Identity};

/// Findings of a page where the request names no `maxResults`. AWS documents no number.
const RESULTS_DEFAULT: i32 = 100;

impl Identity {
    /// `ValidatePolicy`: the findings of a document, page by page, in the order of the text. They are in
    /// English whatever the locale.
    ///
    /// # Errors
    /// `ValidationException` for a token of another request, a size of a page below 1, and a resource type
    /// beside another type of policy.
    pub async fn validate_policy(
        &self,
        _cx: &Authorized,
        input: ValidatePolicyRequest,
    ) -> Result<ValidatePolicyResponse, Error> {
        let _ = input.locale;
        let kind = kind(&input)?;
        let size = match input.max_results.unwrap_or(RESULTS_DEFAULT) {
            size @ 1.. => usize::try_from(size).map_or(FINDINGS_MAX, |size| size.min(FINDINGS_MAX)),
            _ => return Err(invalid("maxResults must be at least 1.")),
        };
        // Which findings a number counts depends on the document.
        let document = fingerprint(&input.policy_document, kind);
        let first = match input.next_token.as_deref() {
            Some(token) => first_of(token, &document).ok_or_else(|| {
                invalid("nextToken is not valid for this policyDocument and policyType.")
            })?,
            None => 0,
        };
        let text = input.policy_document;
        let work = move || {
            let findings = policy_lint::validate(&text, kind, &AwsCatalogue);
            let total = findings.len();
            let locations = Locations::new(&text);
            let page = findings.iter().skip(first).take(size);
            let page = page.map(|finding| view(finding, &text, &locations));
            (page.collect::<Vec<_>>(), total)
        };
        let (findings, total) = self.compute(work).await?;
        let next = first + findings.len();
        let next_token = (next < total).then(|| Page::marker(&format!("{next} {document}")));
        Ok(ValidatePolicyResponse {
            findings,
            next_token,
        })
    }

    /// Computes on a thread of its own, one such work after the other, so that a large one holds up nobody
    /// but others of the kind.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = Arc::clone(&self.0.simulating);
        let turn = turn.acquire_owned().await.map_err(Error::internal)?;
        let run = tokio::task::spawn_blocking(move || {
            let result = work();
            // Not before the work ends, also when the client has gone.
            drop(turn);
            result
        });
        run.await.map_err(Error::internal)
    }
}

/// The kind of the document. AWS's model has a resource type for role trust policies and none for those of
/// repositories: a resource policy whose actions are ECR's and that names no resource is one.
fn kind(input: &ValidatePolicyRequest) -> Result<DocumentKind, Error> {
    let resource_type = input.validate_policy_resource_type;
    if resource_type.is_some() && input.policy_type != PolicyType::ResourcePolicy {
        return Err(invalid(
            "validatePolicyResourceType can be specified only if policyType is RESOURCE_POLICY.",
        ));
    }
    Ok(match (input.policy_type, resource_type) {
        (PolicyType::IdentityPolicy, _) => DocumentKind::Managed,
        (PolicyType::ServiceControlPolicy, _) => DocumentKind::ServiceControl,
        (PolicyType::ResourceControlPolicy, _) => DocumentKind::ResourceControl,
        (_, Some(ValidatePolicyResourceType::AwsIamAssumeRolePolicyDocument)) => {
            DocumentKind::Trust
        }
        (_, Some(_)) => DocumentKind::Resource,
        (_, None) => match DocumentKind::detect(&input.policy_document) {
            DocumentKind::EcrRepository => DocumentKind::EcrRepository,
            _ => DocumentKind::Resource,
        },
    })
}

fn invalid(message: &str) -> Error {
    Error::Constrained {
        code: ErrorCode::Validation.into(),
        reason: "fieldValidationFailed",
        message: message.to_owned(),
    }
}

fn fingerprint(text: &str, kind: DocumentKind) -> String {
    let named = format!("{} {text}", kind.name());
    let digest = digest::digest(&digest::SHA256, named.as_bytes());
    aws_types::hex::encode(&digest.as_ref()[..8])
}

fn first_of(token: &str, document: &str) -> Option<usize> {
    let page = Page::new(None, Some(token)).ok()?;
    let (first, of) = page.after.split_once(' ')?;
    first.parse().ok().filter(|_| of == document)
}

fn view(finding: &Finding, text: &str, locations: &Locations<'_>) -> ValidatePolicyFinding {
    let location = locations.find(finding.position);
    let path = location.path.iter().map(|element| match element {
        policy_lint::PathElement::Index(index) => PathElement {
            index: i32::try_from(*index).ok(),
            ..PathElement::default()
        },
        policy_lint::PathElement::Value(name) => PathElement {
            value: Some(name.clone()),
            ..PathElement::default()
        },
    });
    ValidatePolicyFinding {
        finding_details: details(finding),
        finding_type: match finding.code.level() {
            Level::Error => ValidatePolicyFindingType::Error,
            Level::SecurityWarning => ValidatePolicyFindingType::SecurityWarning,
            Level::Warning => ValidatePolicyFindingType::Warning,
            Level::Suggestion => ValidatePolicyFindingType::Suggestion,
        },
        issue_code: finding.code.as_str().to_owned(),
        learn_more_link: finding.code.learn_more(),
        locations: vec![Location {
            path: path.collect(),
            span: Span {
                start: position(location.start, text),
                end: position(location.end, text),
            },
        }],
    }
}

/// What is wrong, and what to write instead, as sentences.
fn details(finding: &Finding) -> String {
    let sentence = |text: &str| {
        let mut chars = text.chars();
        let first = chars.next().map(|first| first.to_uppercase().to_string());
        let rest = chars.as_str().trim_end_matches('.');
        match (first, text.ends_with('?')) {
            (None, _) => String::new(),
            (Some(first), true) => first + rest,
            (Some(first), false) => first + rest + ".",
        }
    };
    let parts = [sentence(&finding.message), sentence(&finding.help)];
    parts.join(" ").trim_end().to_owned()
}

/// A position as the API counts: lines from 1, columns and offsets from 0, in UTF-16 code units, which are
/// the characters of every policy that IAM takes (API Reference, `Position`).
fn position(at: policy::Position, text: &str) -> Position {
    let offset = text.floor_char_boundary(at.offset as usize);
    let before = &text[..offset];
    let line = before.rsplit('\n').next().unwrap_or_default();
    let units = |text: &str| i32::try_from(text.encode_utf16().count()).unwrap_or(i32::MAX);
    Position {
        line: i32::try_from(at.line).unwrap_or(i32::MAX),
        column: units(line),
        offset: units(before),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_columns_and_offsets_from_zero() {
        let text = "{\n  \"Sid\": \"é\", \"x\": 1}";
        let at = text.find("\"x\"").unwrap();
        let found = position(policy::Position::at(text, at), text);
        assert_eq!((found.line, found.column, found.offset), (2, 14, 16));
        let start = position(policy::Position::START, text);
        assert_eq!((start.line, start.column, start.offset), (1, 0, 0));
    }

    #[test]
    fn a_token_counts_for_its_document_alone() {
        let document = fingerprint("{}", DocumentKind::Managed);
        let token = Page::marker(&format!("7 {document}"));
        assert_eq!(first_of(&token, &document), Some(7));
        for other in [
            fingerprint("{} ", DocumentKind::Managed),
            fingerprint("{}", DocumentKind::Trust),
        ] {
            assert_eq!(first_of(&token, &other), None);
        }
        assert_eq!(first_of("?", &document), None);
        assert_eq!(first_of("eA", &document), None);
    }
}
