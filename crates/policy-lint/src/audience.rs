//! The audience of an identity provider's tokens: does the claim have several values?

use policy::ConditionEntry;
use policy::language::{Operator, Quantifier};

use crate::codes::Code;
use crate::linter::Linter;

/// Providers whose `aud` is one value (UG reference_policies_iam-condition-keys, "Available keys for
/// AWS OIDC federation"; GitHub Docs, *OpenID Connect reference*).
const SINGLE_VALUED: [&str; 4] = [
    "accounts.google.com",
    "cognito-identity.amazonaws.com",
    "saml",
    "token.actions.githubusercontent.com",
];

/// Whether the key is an audience; reports a qualifier that it does not need.
pub(crate) fn check(linter: &mut Linter<'_>, entry: &ConditionEntry, operator: Operator) -> bool {
    let key = &*entry.key.value;
    let folded = key.to_ascii_lowercase();
    let Some(provider) = folded.strip_suffix(":aud") else {
        return false;
    };
    if !provider.contains('.') && provider != "saml" {
        return false;
    }
    let name = &*entry.operator.value;
    let plain = name
        .trim_start_matches("ForAnyValue:")
        .trim_start_matches("ForAllValues:");
    let help = format!("write `{plain}`");
    let at = entry.operator.position;
    match (operator.quantifier, SINGLE_VALUED.contains(&provider)) {
        (Quantifier::None, _) => {}
        (Quantifier::ForAnyValue, true) => linter.find(
            Code::ForAnyValueWithAudienceClaimType,
            at,
            format!("`{key}` has one value and needs no `ForAnyValue`"),
            help,
        ),
        (Quantifier::ForAllValues, true) => linter.find(
            Code::ForAllValuesWithSingleValuedKey,
            at,
            format!("`{key}` has one value, and `{name}` also matches when the key is missing"),
            help,
        ),
        (Quantifier::ForAnyValue | Quantifier::ForAllValues, false) => linter.find(
            Code::ConfirmAudienceClaimType,
            at,
            format!(
                "`{name}` is only for an audience with several values; `{key}` usually has one"
            ),
            format!("{help}, unless the provider's tokens have several audiences"),
        ),
    }
    true
}
