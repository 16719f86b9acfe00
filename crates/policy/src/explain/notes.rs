//! What an explanation says beside the policies: who is spared by which, and what no policy decides.

use crate::decide::Evaluation;
use crate::principal::PrincipalKind;

pub(super) fn all(evaluation: &Evaluation<'_, '_>) -> Vec<String> {
    let (cx, authority) = (&evaluation.cx, evaluation.authority());
    let mut notes = Vec::new();
    if evaluation.is_free() {
        notes.push(format!(
            "no policy is asked about {}, so neither an Allow nor a Deny counts",
            cx.action
        ));
    }
    if !authority.service_control.is_empty() && evaluation.service_control().is_empty() {
        let spared = match cx.principal.kind.is_aws() {
            true if authority.management_account => "principals of the management account",
            true => "service-linked roles",
            false => "those who belong to no account",
        };
        notes.push(format!("service control policies do not bind {spared}"));
    }
    notes.extend(evaluation.resource_control_spares().map(str::to_owned));
    if is_refused_to_session(cx.principal.kind, cx.action) {
        notes.push(format!(
            "AWS does not take {} with temporary credentials of this kind, whatever the policies say",
            cx.action
        ));
    }
    notes
}

/// UG id_credentials_temp_request, "Comparing AWS STS credentials". `action` is in lower evaluation.
fn is_refused_to_session(kind: PrincipalKind, action: &str) -> bool {
    match kind {
        PrincipalKind::RoleSession => {
            matches!(action, "sts:getfederationtoken" | "sts:getsessiontoken")
        }
        PrincipalKind::FederatedUser => {
            action.starts_with("iam:")
                || action.starts_with("sts:") && action != "sts:getcalleridentity"
        }
        _ => false,
    }
}
