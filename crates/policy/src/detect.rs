//! Guesses the kind of a document from its elements.

use crate::document::Document;
use crate::document_kind::DocumentKind;

impl DocumentKind {
    /// The kind that a document most likely is, by its elements: with a principal and
    /// `sts:AssumeRole…` a trust policy, with a principal a resource policy (ECR's when all
    /// of its actions are), else a managed policy. A guess, for tools that are given a file
    /// and nothing else.
    pub fn detect(json: &str) -> DocumentKind {
        // As a resource policy nearly every document with a principal can be read.
        let Ok(document) = Document::parse_language(json, DocumentKind::Resource) else {
            return DocumentKind::Managed;
        };
        let actions = || {
            let statements = document.statements.iter();
            statements.flat_map(|statement| &statement.action.values)
        };
        let all_of = |prefix: &str| {
            actions().all(|action| action.value.to_ascii_lowercase().starts_with(prefix))
        };
        let names_resources = document.statements.iter().any(|s| s.resource.is_some());
        match (all_of("sts:"), all_of("ecr:"), names_resources) {
            (true, _, false) => DocumentKind::Trust,
            (_, true, false) => DocumentKind::EcrRepository,
            (_, true, true) => DocumentKind::EcrRegistry,
            _ => DocumentKind::Resource,
        }
    }
}
