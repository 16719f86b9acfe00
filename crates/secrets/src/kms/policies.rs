//! Key policies.
//!
//! KMS lets IAM policies count for a key where its key policy allows the account (KMS developer guide, "Default
//! key policy"). Here every key policy must do so for all actions: then a key policy decides like any other
//! resource policy beside IAM policies, and no key is left without anybody who can manage it.

use authz::Authorized;
use aws_api::kms::{
    ErrorCode, GetKeyPolicyRequest, GetKeyPolicyResponse, ListKeyPoliciesRequest,
    ListKeyPoliciesResponse, PutKeyPolicyRequest,
};
use aws_types::AccountId;
use policy::{
    Document, DocumentKind, Element, PrincipalEntry, PrincipalType, StatementEffect, Text,
};
use store::Scope;

use super::{Kms, KmsError, PENDING_DELETION, arn_of, by_id};
use crate::BoxFuture;

/// The only name of a key policy (KMS API reference, `PutKeyPolicy`).
const NAME: &str = "default";
/// The longest key policy in bytes (KMS developer guide, "Resource quotas").
const POLICY_BYTES_MAX: usize = 32 * 1024;

/// Why a policy is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyRefused {
    /// It is no policy, or it names a principal that does not exist. The text is for the client.
    Malformed(String),
    /// The answer cannot be had. The text is for the log.
    Unavailable(String),
}

/// Replaces principals of policies by their unique ids, and back. IAM's matter: a higher layer implements this.
pub trait KeyPolicies: Send + Sync {
    /// The text to store.
    ///
    /// # Errors
    /// [`PolicyRefused`].
    fn pin<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<String, PolicyRefused>>;

    /// The text to show.
    ///
    /// # Errors
    /// A text for the log.
    fn show<'a>(&'a self, stored: &'a str) -> BoxFuture<'a, Result<String, String>>;
}

/// The policy of a key that is made without one (KMS developer guide, "Default key policy").
pub(super) fn default_policy(account: AccountId) -> String {
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{account}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"#
    )
}

impl Kms {
    /// The text to store of a policy for a key of `account`.
    pub(super) async fn checked_policy(
        &self,
        account: AccountId,
        text: Option<&str>,
    ) -> Result<String, KmsError> {
        let Some(text) = text else {
            return Ok(default_policy(account));
        };
        let malformed = |why: String| KmsError::refused(ErrorCode::MalformedPolicyDocument, why);
        if text.len() > POLICY_BYTES_MAX {
            return Err(KmsError::refused(
                ErrorCode::LimitExceeded,
                format!("A key policy has at most {POLICY_BYTES_MAX} bytes"),
            ));
        }
        let document = Document::parse(text, DocumentKind::Resource)
            .map_err(|error| malformed(error.detail))?;
        if !lets_account(&document, account) {
            return Err(malformed(format!(
                "The new key policy will not allow you to update the key policy in the future: it needs a statement \
                 without conditions that allows kms:* on * to arn:aws:iam::{account}:root"
            )));
        }
        match self.0.policies.pin(text).await {
            Ok(stored) => Ok(stored),
            Err(PolicyRefused::Malformed(why)) => Err(malformed(why)),
            Err(PolicyRefused::Unavailable(why)) => Err(KmsError::internal(why)),
        }
    }

    /// `GetKeyPolicy`.
    ///
    /// # Errors
    /// `NotFoundException`.
    pub async fn get_key_policy(
        &self,
        cx: &Authorized,
        input: GetKeyPolicyRequest,
    ) -> Result<GetKeyPolicyResponse, KmsError> {
        check_name(input.policy_name.as_deref())?;
        let key = {
            let mut read = self.0.store.read().await?;
            by_id(&mut read.conn(), cx.account, &cx.region, &input.key_id).await?
        };
        let shown = self.0.policies.show(&key.policy).await;
        Ok(GetKeyPolicyResponse {
            policy: Some(shown.map_err(KmsError::internal)?),
            policy_name: Some(NAME.to_owned()),
        })
    }

    /// `PutKeyPolicy`.
    ///
    /// # Errors
    /// `NotFoundException`, `MalformedPolicyDocumentException`, `KMSInvalidStateException`.
    pub async fn put_key_policy(
        &self,
        cx: &Authorized,
        input: PutKeyPolicyRequest,
    ) -> Result<(), KmsError> {
        check_name(input.policy_name.as_deref())?;
        let stored = self.checked_policy(cx.account, Some(&input.policy)).await?;
        let mut tx = self
            .0
            .store
            .write(Scope::Account(cx.account.as_str()))
            .await?;
        let mut key = by_id(&mut tx.conn(), cx.account, &cx.region, &input.key_id).await?;
        if key.state == PENDING_DELETION {
            return Err(KmsError::state(&arn_of(&key), &key.state));
        }
        key.policy = stored;
        store::kms::update(&mut tx.conn(), &key).await?;
        Ok(tx.commit().await?)
    }

    /// `ListKeyPolicies`: each key has one.
    ///
    /// # Errors
    /// `NotFoundException`.
    pub async fn list_key_policies(
        &self,
        cx: &Authorized,
        input: ListKeyPoliciesRequest,
    ) -> Result<ListKeyPoliciesResponse, KmsError> {
        let mut read = self.0.store.read().await?;
        by_id(&mut read.conn(), cx.account, &cx.region, &input.key_id).await?;
        Ok(ListKeyPoliciesResponse {
            policy_names: Some(vec![NAME.to_owned()]),
            next_marker: None,
            truncated: Some(false),
        })
    }
}

fn check_name(name: Option<&str>) -> Result<(), KmsError> {
    match name {
        None | Some(NAME) => Ok(()),
        Some(other) => Err(KmsError::refused(
            ErrorCode::NotFound,
            format!("No such policy exists: {other}"),
        )),
    }
}

/// Whether a statement without conditions allows the account everything.
fn lets_account(document: &Document, account: AccountId) -> bool {
    let root = format!("arn:aws:iam::{account}:root");
    document.statements().iter().any(|statement| {
        let names_account = statement.principal.as_ref().is_some_and(|element| {
            let names = |entry: &PrincipalEntry| {
                let text: &str = &entry.text.value;
                entry.kind == PrincipalType::Aws && (text == root || text == account.as_str())
            };
            !element.not && element.entries.iter().any(names)
        });
        statement.effect == StatementEffect::Allow
            && names_account
            && statement.conditions.is_empty()
            && has_one_of(&statement.action, &["kms:*", "*"])
            && (statement.resource.as_ref()).is_some_and(|resource| has_one_of(resource, &["*"]))
    })
}

fn has_one_of(element: &Element, words: &[&str]) -> bool {
    let is_one = |text: &Text| {
        words
            .iter()
            .any(|word| text.value.eq_ignore_ascii_case(word))
    };
    !element.not && element.values.iter().any(is_one)
}
