//! Where AWS's answers differ from its published model.
//!
//! SDKs do not check enumerations in answers, so a wrong one in the model goes unnoticed until
//! somebody compares with AWS. Each row cites its source, and names what the model says, so that
//! the generator stops when a newer model has been corrected.

use super::model::Model;

struct EnumOverride {
    service: &'static str,
    shape: &'static str,
    published: &'static [&'static str],
    values: &'static [&'static str],
}

const ENUMS: &[EnumOverride] = &[
    // IAM API Reference, AttachedPermissionsBoundary: "This data type can only have a value of
    // Policy." Recorded answers agree.
    EnumOverride {
        service: "iam",
        shape: "PermissionsBoundaryAttachmentType",
        published: &["PermissionsBoundaryPolicy"],
        values: &["Policy"],
    },
    // IAM API Reference, SimulateCustomPolicy and SimulatePrincipalPolicy, the examples: answers
    // hold `IAM Policy`, `Resource Policy` and `Permissions Boundary Policy`, which are also the keys
    // of `EvalDecisionDetails`. Recorded answers agree.
    EnumOverride {
        service: "iam",
        shape: "PolicySourceType",
        published: &[
            "user",
            "group",
            "role",
            "aws-managed",
            "user-managed",
            "resource",
            "none",
        ],
        values: &[
            "IAM Policy",
            "Resource Policy",
            "Permissions Boundary Policy",
        ],
    },
];

/// Changes a service's model by the table.
pub fn apply(service: &str, model: &mut Model) -> Result<(), String> {
    for row in ENUMS.iter().filter(|row| row.service == service) {
        let shape = model
            .shapes
            .get_mut(row.shape)
            .ok_or_else(|| format!("override: the model has no shape `{}`", row.shape))?;
        if shape.values != row.published {
            return Err(format!(
                "override of `{}`: the model now says {:?}; check the source and the override",
                row.shape, shape.values
            ));
        }
        shape.values = row.values.iter().map(ToString::to_string).collect();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(value: &str) -> Result<Model, String> {
        let sources = ENUMS[1].published;
        let text = format!(
            r#"{{"metadata": {{"apiVersion": "1", "protocol": "query"}}, "operations": {{}},
                "shapes": {{"PermissionsBoundaryAttachmentType": {{"type": "string", "enum": ["{value}"]}},
                             "PolicySourceType": {{"type": "string", "enum": {sources:?}}}}}}}"#
        );
        serde_json::from_str(&text).map_err(|e| e.to_string())
    }

    #[test]
    fn replaces_the_values_of_an_enumeration() -> Result<(), String> {
        let mut model = model("PermissionsBoundaryPolicy")?;
        apply("iam", &mut model)?;
        assert_eq!(
            model.shape("PermissionsBoundaryAttachmentType")?.values,
            ["Policy"]
        );
        Ok(())
    }

    #[test]
    fn stops_when_the_model_has_changed() -> Result<(), String> {
        let mut model = model("Policy")?;
        assert!(apply("iam", &mut model).is_err_and(|e| e.contains("now says")));
        Ok(())
    }
}
