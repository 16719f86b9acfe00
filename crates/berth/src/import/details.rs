//! The file: what `aws iam get-account-authorization-details` prints.
//!
//! The AWS CLI prints documents as JSON objects; other tools keep them as the API sends them, percent-encoded
//! (IAM API Reference, GetAccountAuthorizationDetails). Both are read.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use aws_types::percent;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Details {
    #[serde(rename = "UserDetailList")]
    pub users: Vec<User>,
    #[serde(rename = "GroupDetailList")]
    pub groups: Vec<Group>,
    #[serde(rename = "RoleDetailList")]
    pub roles: Vec<Role>,
    pub policies: Vec<ManagedPolicy>,
    /// Whether the file is one page of several.
    pub is_truncated: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct User {
    pub user_name: String,
    #[serde(default = "root_path")]
    pub path: String,
    #[serde(default)]
    pub user_id: String,
    pub arn: String,
    #[serde(default, rename = "UserPolicyList")]
    pub inline: Vec<InlinePolicy>,
    #[serde(default, rename = "GroupList")]
    pub groups: Vec<String>,
    #[serde(default, rename = "AttachedManagedPolicies")]
    pub attached: Vec<Attached>,
    #[serde(default, rename = "PermissionsBoundary")]
    pub boundary: Option<Boundary>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Group {
    pub group_name: String,
    #[serde(default = "root_path")]
    pub path: String,
    pub arn: String,
    #[serde(default, rename = "GroupPolicyList")]
    pub inline: Vec<InlinePolicy>,
    #[serde(default, rename = "AttachedManagedPolicies")]
    pub attached: Vec<Attached>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Role {
    pub role_name: String,
    #[serde(default = "root_path")]
    pub path: String,
    #[serde(default)]
    pub role_id: String,
    pub arn: String,
    #[serde(rename = "AssumeRolePolicyDocument", deserialize_with = "document")]
    pub trust: String,
    #[serde(default, rename = "RolePolicyList")]
    pub inline: Vec<InlinePolicy>,
    #[serde(default, rename = "AttachedManagedPolicies")]
    pub attached: Vec<Attached>,
    #[serde(default, rename = "InstanceProfileList")]
    pub profiles: Vec<InstanceProfile>,
    #[serde(default, rename = "PermissionsBoundary")]
    pub boundary: Option<Boundary>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InstanceProfile {
    pub instance_profile_name: String,
    #[serde(default = "root_path")]
    pub path: String,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ManagedPolicy {
    pub policy_name: String,
    pub arn: String,
    #[serde(default = "root_path")]
    pub path: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default, rename = "PolicyVersionList")]
    pub versions: Vec<PolicyVersion>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyVersion {
    #[serde(deserialize_with = "document")]
    pub document: String,
    pub version_id: String,
    #[serde(default)]
    pub is_default_version: bool,
}

impl PolicyVersion {
    /// `3` of `v3`: the order in which versions were made.
    pub fn number(&self) -> u64 {
        let digits = self.version_id.trim_start_matches('v');
        digits.parse().unwrap_or(0)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InlinePolicy {
    pub policy_name: String,
    #[serde(rename = "PolicyDocument", deserialize_with = "document")]
    pub document: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attached {
    pub policy_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Boundary {
    #[serde(rename = "PermissionsBoundaryArn")]
    pub arn: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    pub key: String,
    #[serde(default)]
    pub value: String,
}

fn root_path() -> String {
    "/".to_owned()
}

/// A policy document's text, without the white space between its tokens.
fn document<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    use serde::de::Error;
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    match raw.get().as_bytes().first() {
        Some(b'{') => Ok(compact(raw.get())),
        Some(b'"') => {
            let text: String = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
            let decoded = percent::decode(&text);
            let decoded = decoded.ok_or_else(|| D::Error::custom("a document is no UTF-8"))?;
            let checked: &RawValue = serde_json::from_str(&decoded).map_err(D::Error::custom)?;
            Ok(compact(checked.get()))
        }
        _ => Err(D::Error::custom(
            "a policy document is neither an object nor a string",
        )),
    }
}

/// A JSON text without the white space between its tokens.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    json.chars()
        .filter(|&c| {
            if !in_string {
                in_string = c == '"';
                return !c.is_ascii_whitespace();
            }
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            true
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_documents_as_objects_and_as_encoded_text() {
        let policy = |document: &str| {
            let text = format!(r#"{{"PolicyName": "p", "PolicyDocument": {document}}}"#);
            serde_json::from_str::<InlinePolicy>(&text).map(|policy| policy.document)
        };
        let wanted = r#"{"Sid":"a \" b","Statement":[]}"#;
        assert_eq!(
            policy("{ \"Sid\" : \"a \\\" b\",\n \"Statement\": [] }").unwrap(),
            wanted
        );
        let encoded = percent::encode(wanted);
        assert_eq!(policy(&format!("\"{encoded}\"")).unwrap(), wanted);
        for wrong in ["1", "\"{\"", "\"%FF\""] {
            assert!(policy(wrong).is_err(), "{wrong}");
        }
    }
}
