//! The notes of an explanation: policies that do not apply to the caller, and what no policy decides.

use crate::decide::Evaluation;
use crate::principal::PrincipalKind;

pub(super) fn all(evaluation: &Evaluation<'_, '_>) -> Vec<String> {
    let (cx, applicable) = (&evaluation.cx, evaluation.applicable());
    let mut notes = Vec::new();
    if evaluation.is_free() {
        notes.push(format!(
            "{} needs no permission, so neither an Allow nor a Deny counts",
            cx.action
        ));
    }
    if !applicable.service_control.is_empty() && evaluation.service_control().is_empty() {
        let exempt = match cx.principal.kind.is_aws() {
            true if applicable.management_account => "principals of the management account",
            true => "service-linked roles",
            false => "callers that belong to no account",
        };
        notes.push(format!("service control policies do not apply to {exempt}"));
    }
    notes.extend(evaluation.resource_control_exemption().map(str::to_owned));
    if is_refused_to_session(cx.principal.kind, cx.action) {
        notes.push(format!(
            "AWS refuses {} with temporary credentials of this kind, whatever the policies say",
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
