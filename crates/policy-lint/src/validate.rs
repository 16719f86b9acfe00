//! Every finding of a text, readable or not.

use policy::{Document, DocumentKind, PolicyErrorCode, Position};

use crate::catalogue::Catalogue;
use crate::checks::{MORE, incomplete, lint};
use crate::codes::{Code, Level};
use crate::finding::{FINDINGS_MAX, Finding};
use crate::syntax::Syntax;

/// All findings of a text, in the order of the text: what is refused, and what is probably not
/// meant. A text that its service would refuse has an error, or a finding about its size.
pub fn validate(text: &str, kind: DocumentKind, catalogue: &dyn Catalogue) -> Vec<Finding> {
    let mut syntax = Syntax {
        kind,
        findings: Vec::new(),
    };
    let refused = Document::parse(text, kind).err();
    // Longer texts are not read at all.
    if text.len() <= Document::BYTES_MAX && refused.is_some() {
        syntax.document(text);
    }
    let mut findings = syntax.findings;
    if let Ok(document) = Document::parse_language(text, kind) {
        findings.extend(lint(&document, catalogue));
    }
    if let Some(error) = refused {
        let size = matches!(
            error.code,
            PolicyErrorCode::LimitExceeded
                | PolicyErrorCode::ConstraintViolation
                | PolicyErrorCode::PackedPolicyTooLarge
        ) || kind.size_of(text) > kind.size_max();
        let position = error.position.unwrap_or(Position::START);
        if size {
            findings.push(Finding {
                code: size_code(kind),
                position: Position::START,
                message: error.detail,
                help: "split the document into several policies".to_owned(),
            });
        } else if !findings
            .iter()
            .any(|finding| finding.code.level() == Level::Error)
        {
            findings.push(Finding {
                code: Code::PolicyRefused,
                position,
                message: error.message,
                help: error.detail,
            });
        }
    }
    findings.sort_by_key(|finding| (finding.position, finding.code));
    findings.dedup();
    if findings.len() > FINDINGS_MAX {
        findings.truncate(FINDINGS_MAX - 1);
        findings.push(incomplete(text, MORE.to_owned()));
    }
    findings
}

fn size_code(kind: DocumentKind) -> Code {
    match kind {
        DocumentKind::ServiceControl => Code::PolicySizeExceedsScpQuota,
        DocumentKind::ResourceControl => Code::PolicySizeExceedsRcpQuota,
        DocumentKind::Trust => Code::PolicySizeExceedsRoleTrustPolicyQuota,
        DocumentKind::EcrRepository | DocumentKind::EcrRegistry | DocumentKind::Resource => {
            Code::PolicySizeExceedsResourcePolicyQuota
        }
        _ => Code::PolicySizeExceedsIdentityPolicyQuota,
    }
}
