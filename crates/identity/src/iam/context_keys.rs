//! The condition keys that policies look at: what a simulation must be told.

use std::collections::BTreeSet;

use aws_api::iam::{
    GetContextKeysForCustomPolicyRequest, GetContextKeysForPolicyResponse,
    GetContextKeysForPrincipalPolicyRequest,
};
use policy::{Document, DocumentKind};

use super::simulate::{given, policy_source};
use crate::policy_cache::Named;
use crate::{Authorized, Error, Identity};

impl Identity {
    /// `GetContextKeysForCustomPolicy`: the condition keys that policies look at.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub async fn get_context_keys_for_custom_policy(
        &self,
        _cx: &Authorized,
        input: GetContextKeysForCustomPolicyRequest,
    ) -> Result<GetContextKeysForPolicyResponse, Error> {
        let mut documents = Vec::new();
        let texts = Some(input.policy_input_list);
        given(texts, DocumentKind::InlineRole, &mut documents)?;
        Ok(GetContextKeysForPolicyResponse {
            context_key_names: Some(context_keys(&documents).into_iter().collect()),
        })
    }

    /// `GetContextKeysForPrincipalPolicy`: those of an entity's policies, too.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`.
    pub async fn get_context_keys_for_principal_policy(
        &self,
        cx: &Authorized,
        input: GetContextKeysForPrincipalPolicyRequest,
    ) -> Result<GetContextKeysForPolicyResponse, Error> {
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let source = policy_source(&mut conn, cx, &input.policy_source_arn).await?;
        let documents = self.source_documents(&mut conn, &source).await?;
        let mut documents = documents.into_iter().map(|(_, named)| named).collect();
        given(
            input.policy_input_list,
            DocumentKind::InlineRole,
            &mut documents,
        )?;
        Ok(GetContextKeysForPolicyResponse {
            context_key_names: Some(context_keys(&documents).into_iter().collect()),
        })
    }
}

/// The keys in conditions and in variables, in lower case as AWS lists none twice.
fn context_keys(documents: &[Named]) -> BTreeSet<String> {
    let keys = spelled_keys(documents).into_iter();
    keys.map(|key| key.to_lowercase()).collect()
}

/// The keys in conditions and in variables, as the policies write them.
pub(super) fn spelled_keys(documents: &[Named]) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (_, document) in documents {
        // It was read before it was compiled.
        let Ok(document) = Document::parse_language(document.source(), document.kind()) else {
            continue;
        };
        for statement in document.statements() {
            let resources = statement
                .resource
                .iter()
                .flat_map(|element| &element.values);
            let values = statement.conditions.iter().flat_map(|entry| &entry.values);
            for text in resources.chain(values) {
                keys.extend(variables(&text.value));
            }
            let conditions = statement.conditions.iter();
            keys.extend(conditions.map(|entry| entry.key.value.to_string()));
        }
    }
    keys
}

/// The keys of `${key}` and `${key, 'default'}`.
fn variables(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split("${").skip(1).filter_map(|rest| {
        let inside = rest.split_once('}')?.0;
        let key = inside.split_once(',').map_or(inside, |(key, _)| key).trim();
        key.contains(':').then(|| key.to_owned())
    })
}
