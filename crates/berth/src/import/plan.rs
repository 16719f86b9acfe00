//! From the file to calls in an order in which each finds what it needs.
//!
//! Managed policies come first, since boundaries and attachments name them; then groups, users and roles;
//! then trust policies, which may name roles and users of the same file in a circle. Until then a role trusts
//! nobody.

use std::collections::BTreeMap;

use aws_api::iam::{self, Tag};
use aws_types::AccountId;
use policy::{Document, DocumentKind};

use super::details::{self, Attached, Details, InlinePolicy};

/// A call, and what it does in words.
pub struct Step {
    pub what: String,
    pub call: Call,
}

/// The calls of an import. Each leaves alone what is there already.
pub enum Call {
    /// A managed policy by its default version; the others are added to it.
    CreatePolicy(iam::CreatePolicyRequest),
    /// A version of a policy that this import has made.
    CreatePolicyVersion(iam::CreatePolicyVersionRequest),
    CreateGroup(iam::CreateGroupRequest),
    CreateUser(iam::CreateUserRequest),
    CreateRole(iam::CreateRoleRequest),
    CreateInstanceProfile(iam::CreateInstanceProfileRequest),
    AddRoleToInstanceProfile(iam::AddRoleToInstanceProfileRequest),
    AddUserToGroup(iam::AddUserToGroupRequest),
    PutGroupPolicy(iam::PutGroupPolicyRequest),
    PutUserPolicy(iam::PutUserPolicyRequest),
    PutRolePolicy(iam::PutRolePolicyRequest),
    AttachGroupPolicy(iam::AttachGroupPolicyRequest),
    AttachUserPolicy(iam::AttachUserPolicyRequest),
    AttachRolePolicy(iam::AttachRolePolicyRequest),
    UpdateTrust(iam::UpdateAssumeRolePolicyRequest),
}

/// What is to be done.
#[derive(Default)]
pub struct Plan {
    pub steps: Vec<Step>,
    /// What the file does not hold or the server cannot take, a sentence each.
    pub left_out: Vec<String>,
    /// Documents that the server would refuse. Nothing is imported while there is one: a policy that is
    /// missing may be the one that denies.
    pub refused: Vec<String>,
    /// The ARNs of AWS's managed policies that something is attached to or bounded by.
    pub aws_policies: Vec<String>,
}

/// Account ids that become others in ARNs and documents.
pub struct AccountMap(pub BTreeMap<AccountId, AccountId>);

impl AccountMap {
    /// The text with every account id of the map replaced, where it is a number of its own.
    fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let after = &rest[start..];
            let length = after.find(|c: char| !c.is_ascii_digit());
            let digits = &after[..length.unwrap_or(after.len())];
            let mapped = digits.parse().ok().and_then(|id| self.0.get(&id));
            out.push_str(&rest[..start]);
            out.push_str(mapped.map_or(digits, AccountId::as_str));
            rest = &after[digits.len()..];
        }
        out + rest
    }
}

/// Nobody may assume a role until its own trust policy is set.
const TRUSTS_NOBODY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;

/// Plans the import of `file`.
pub fn plan(file: &Details, map: &AccountMap) -> Plan {
    let mut planner = Planner {
        map,
        plan: Plan::default(),
        ids: unique_ids(file),
    };
    planner.policies(file);
    planner.groups(file);
    planner.users(file);
    planner.roles(file);
    planner.plan.aws_policies.sort_unstable();
    planner.plan.aws_policies.dedup();
    planner.plan
}

/// `AIDA…` and `AROA…` of the users and roles of the file, with their ARNs: a document that names them means
/// the entities, which get other ids.
fn unique_ids(file: &Details) -> BTreeMap<String, String> {
    let users = file.users.iter().map(|user| (&user.user_id, &user.arn));
    let roles = file.roles.iter().map(|role| (&role.role_id, &role.arn));
    let named = users.chain(roles).filter(|(id, _)| !id.is_empty());
    named.map(|(id, arn)| (id.clone(), arn.clone())).collect()
}

struct Planner<'a> {
    map: &'a AccountMap,
    plan: Plan,
    ids: BTreeMap<String, String>,
}

impl Planner<'_> {
    fn step(&mut self, what: String, call: Call) {
        self.plan.steps.push(Step { what, call });
    }

    fn leave_out(&mut self, what: String) {
        self.plan.left_out.push(what);
    }

    /// A document for this server, checked as it checks it.
    fn document(&mut self, kind: DocumentKind, of: &str, text: &str) -> String {
        let mapped = self.map.apply(text);
        if let Err(error) = Document::parse(&mapped, kind) {
            self.plan.refused.push(format!("{of}: {error}"));
        }
        for (id, arn) in &self.ids {
            if mapped.contains(id.as_str()) {
                self.plan.left_out.push(format!(
                    "{of} names the unique id {id} of {arn}, which gets another one here: name its ARN instead"
                ));
            }
        }
        mapped
    }

    /// The ARN of a managed policy here.
    fn policy_arn(&mut self, arn: &str) -> String {
        if arn.starts_with("arn:aws:iam::aws:policy/") {
            self.plan.aws_policies.push(arn.to_owned());
        }
        self.map.apply(arn)
    }

    fn tags(&mut self, of: &str, tags: &[details::Tag]) -> Option<Vec<Tag>> {
        let (reserved, own): (Vec<_>, Vec<_>) = tags
            .iter()
            .partition(|tag| tag.key.to_ascii_lowercase().starts_with("aws:"));
        for tag in reserved {
            let key = &tag.key;
            self.leave_out(format!("the tag {key} of {of}: only AWS can set it"));
        }
        let own: Vec<Tag> = own
            .into_iter()
            .map(|tag| Tag {
                key: tag.key.clone(),
                value: tag.value.clone(),
            })
            .collect();
        (!own.is_empty()).then_some(own)
    }

    fn policies(&mut self, file: &Details) {
        for policy in &file.policies {
            if policy.arn.starts_with("arn:aws:iam::aws:") {
                continue;
            }
            let name = &policy.policy_name;
            let mut versions: Vec<_> = policy.versions.iter().collect();
            versions.sort_by_key(|version| version.number());
            if versions.is_empty() {
                self.leave_out(format!("the policy {name}: the file has no version of it"));
                continue;
            }
            let arn = self.map.apply(&policy.arn);
            for (at, version) in versions.iter().enumerate() {
                let of = format!("policy {name}, version {}", version.version_id);
                let document = self.document(DocumentKind::Managed, &of, &version.document);
                let (what, call) = match at {
                    0 => (
                        format!("create the policy {name}"),
                        Call::CreatePolicy(iam::CreatePolicyRequest {
                            policy_name: name.clone(),
                            path: Some(policy.path.clone()),
                            policy_document: document,
                            description: policy.description.clone(),
                            tags: None,
                        }),
                    ),
                    _ => (
                        format!("add {} to the policy {name}", version.version_id),
                        Call::CreatePolicyVersion(iam::CreatePolicyVersionRequest {
                            policy_arn: arn.clone(),
                            policy_document: document,
                            set_as_default: Some(version.is_default_version),
                        }),
                    ),
                };
                self.step(what, call);
            }
            let numbers = versions.iter().map(|version| version.number());
            if numbers.ne(1..=versions.len() as u64) {
                let old: Vec<_> = versions.iter().map(|v| v.version_id.as_str()).collect();
                self.leave_out(format!(
                    "the version ids of the policy {name} ({}): they are v1, v2 and so on here",
                    old.join(", ")
                ));
            }
        }
    }

    fn groups(&mut self, file: &Details) {
        for group in &file.groups {
            let name = &group.group_name;
            let request = iam::CreateGroupRequest {
                path: Some(group.path.clone()),
                group_name: name.clone(),
            };
            self.step(
                format!("create the group {name}"),
                Call::CreateGroup(request),
            );
            self.inline(DocumentKind::InlineGroup, "group", name, &group.inline);
            self.attached("group", name, &group.attached);
        }
    }

    fn users(&mut self, file: &Details) {
        for user in &file.users {
            let name = &user.user_name;
            let of = format!("user {name}");
            let boundary = user.boundary.as_ref();
            let request = iam::CreateUserRequest {
                path: Some(user.path.clone()),
                user_name: name.clone(),
                permissions_boundary: boundary.map(|boundary| self.policy_arn(&boundary.arn)),
                tags: self.tags(&of, &user.tags),
            };
            self.step(format!("create the user {name}"), Call::CreateUser(request));
            self.inline(DocumentKind::InlineUser, "user", name, &user.inline);
            self.attached("user", name, &user.attached);
            for group in &user.groups {
                let request = iam::AddUserToGroupRequest {
                    group_name: group.clone(),
                    user_name: name.clone(),
                };
                let what = format!("add the user {name} to the group {group}");
                self.step(what, Call::AddUserToGroup(request));
            }
        }
        if !file.users.is_empty() {
            let what = "access keys, passwords, MFA devices and other credentials of the users: the file does not hold them";
            self.leave_out(what.to_owned());
        }
    }

    fn roles(&mut self, file: &Details) {
        let (linked, own): (Vec<_>, Vec<_>) = file
            .roles
            .iter()
            .partition(|role| role.path.starts_with("/aws-service-role/"));
        for role in linked {
            let name = &role.role_name;
            self.leave_out(format!("the role {name}: it is linked to an AWS service"));
        }
        let mut profiles = BTreeMap::new();
        for role in &own {
            let name = &role.role_name;
            let of = format!("role {name}");
            let boundary = role.boundary.as_ref();
            let request = iam::CreateRoleRequest {
                path: Some(role.path.clone()),
                role_name: name.clone(),
                assume_role_policy_document: TRUSTS_NOBODY.to_owned(),
                permissions_boundary: boundary.map(|boundary| self.policy_arn(&boundary.arn)),
                tags: self.tags(&of, &role.tags),
                ..iam::CreateRoleRequest::default()
            };
            self.step(format!("create the role {name}"), Call::CreateRole(request));
            self.inline(DocumentKind::InlineRole, "role", name, &role.inline);
            self.attached("role", name, &role.attached);
            for profile in &role.profiles {
                profiles.insert(&profile.instance_profile_name, (profile, name));
            }
        }
        for (profile_name, (profile, role)) in profiles {
            let of = format!("instance profile {profile_name}");
            let request = iam::CreateInstanceProfileRequest {
                instance_profile_name: profile_name.clone(),
                path: Some(profile.path.clone()),
                tags: self.tags(&of, &profile.tags),
            };
            let what = format!("create the instance profile {profile_name}");
            self.step(what, Call::CreateInstanceProfile(request));
            let request = iam::AddRoleToInstanceProfileRequest {
                instance_profile_name: profile_name.clone(),
                role_name: role.clone(),
            };
            let what = format!("add the role {role} to the instance profile {profile_name}");
            self.step(what, Call::AddRoleToInstanceProfile(request));
        }
        for role in &own {
            let name = &role.role_name;
            let of = format!("trust policy of the role {name}");
            let request = iam::UpdateAssumeRolePolicyRequest {
                role_name: name.clone(),
                policy_document: self.document(DocumentKind::Trust, &of, &role.trust),
            };
            let what = format!("set the trust policy of the role {name}");
            self.step(what, Call::UpdateTrust(request));
        }
        if !own.is_empty() {
            let what = "descriptions and longest sessions of the roles: the file does not hold them, and sessions last up to an hour";
            self.leave_out(what.to_owned());
        }
    }

    fn inline(&mut self, kind: DocumentKind, of: &str, name: &str, policies: &[InlinePolicy]) {
        for policy in policies {
            let policy_name = policy.policy_name.clone();
            let place = format!("inline policy {policy_name} of the {of} {name}");
            let document = self.document(kind, &place, &policy.document);
            let (name, what) = (name.to_owned(), format!("put the {place}"));
            let call = match kind {
                DocumentKind::InlineGroup => Call::PutGroupPolicy(iam::PutGroupPolicyRequest {
                    group_name: name,
                    policy_name,
                    policy_document: document,
                }),
                DocumentKind::InlineRole => Call::PutRolePolicy(iam::PutRolePolicyRequest {
                    role_name: name,
                    policy_name,
                    policy_document: document,
                }),
                _ => Call::PutUserPolicy(iam::PutUserPolicyRequest {
                    user_name: name,
                    policy_name,
                    policy_document: document,
                }),
            };
            self.step(what, call);
        }
    }

    fn attached(&mut self, of: &str, name: &str, policies: &[Attached]) {
        for policy in policies {
            let policy_arn = self.policy_arn(&policy.policy_arn);
            let what = format!("attach {policy_arn} to the {of} {name}");
            let name = name.to_owned();
            let call = match of {
                "group" => Call::AttachGroupPolicy(iam::AttachGroupPolicyRequest {
                    group_name: name,
                    policy_arn,
                }),
                "role" => Call::AttachRolePolicy(iam::AttachRolePolicyRequest {
                    role_name: name,
                    policy_arn,
                }),
                _ => Call::AttachUserPolicy(iam::AttachUserPolicyRequest {
                    user_name: name,
                    policy_arn,
                }),
            };
            self.step(what, call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> AccountMap {
        let parse = |id: &str| id.parse::<AccountId>().unwrap();
        let pairs = pairs.iter().map(|(old, new)| (parse(old), parse(new)));
        AccountMap(pairs.collect())
    }

    #[test]
    fn account_ids_are_replaced_where_they_are_numbers_of_their_own() {
        let map = map(&[
            ("111122223333", "444455556666"),
            ("444455556666", "777788889999"),
        ]);
        for (text, wanted) in [
            (
                "arn:aws:iam::111122223333:role/a",
                "arn:aws:iam::444455556666:role/a",
            ),
            ("{\"AWS\":\"111122223333\"}", "{\"AWS\":\"444455556666\"}"),
            // Each id once: a replacement is not replaced again.
            ("111122223333 444455556666", "444455556666 777788889999"),
            ("1111222233334", "1111222233334"),
            ("x111122223333y", "x444455556666y"),
            ("é111122223333", "é444455556666"),
            ("no digits", "no digits"),
            ("", ""),
        ] {
            assert_eq!(map.apply(text), wanted, "{text}");
        }
    }

    #[test]
    fn trust_policies_come_after_everything_that_they_may_name() {
        let file: Details = serde_json::from_str(include_str!("testdata/details.json")).unwrap();
        let plan = plan(&file, &map(&[("111122223333", "123456789012")]));
        let steps: Vec<&str> = plan.steps.iter().map(|step| step.what.as_str()).collect();
        insta::assert_snapshot!(steps.join("\n"));
        insta::assert_snapshot!("left_out", plan.left_out.join("\n"));
        assert_eq!(plan.refused, Vec::<String>::new());
        assert_eq!(
            plan.aws_policies,
            ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
        );
        let first_trust = steps
            .iter()
            .position(|step| step.starts_with("set the trust"));
        assert!(
            steps[first_trust.unwrap()..]
                .iter()
                .all(|step| step.starts_with("set the trust"))
        );
    }
}
