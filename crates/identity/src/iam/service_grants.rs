//! Which services policies let principals call, and `ListPoliciesGrantingServiceAccess`.

use std::collections::BTreeSet;

use aws_api::authorization;
use aws_api::iam::{
    ErrorCode, ListPoliciesGrantingServiceAccessEntry, ListPoliciesGrantingServiceAccessRequest,
    ListPoliciesGrantingServiceAccessResponse, PolicyGrantingServiceAccess, PolicyOwnerEntityType,
    PolicyType,
};
use policy::{Document, StatementEffect};
use store::Conn;
use store::iam::entity::{Entity, Kind};
use store::iam::group;

use crate::paging::Page;
use crate::policy_cache::{Named, entity_by_arn};
use crate::{Authorized, Error, Identity};

/// The services that policies allow some action of, by their prefixes. A Deny takes none away: it may
/// depend on the request.
pub(super) struct Services(BTreeSet<&'static str>);

impl Services {
    pub(super) fn of(documents: &[Named]) -> Services {
        let mut allowed = BTreeSet::new();
        for (_, document) in documents {
            // It was read before it was compiled.
            let Ok(document) = Document::parse_language(document.source(), document.kind()) else {
                continue;
            };
            for statement in document.statements() {
                if statement.effect == StatementEffect::Allow {
                    let values = statement.action.values.iter().map(|text| &*text.value);
                    add(&mut allowed, values.collect(), statement.action.not);
                }
            }
        }
        Services(allowed)
    }

    pub(super) fn contains(&self, prefix: &str) -> bool {
        self.0.contains(prefix)
    }

    pub(super) fn prefixes(&self) -> Vec<&'static str> {
        self.0.iter().copied().collect()
    }
}

/// Adds the services of an `Action`, or with `not` of a `NotAction`.
fn add(allowed: &mut BTreeSet<&'static str>, patterns: Vec<&str>, not: bool) {
    for prefix in authorization::prefixes() {
        let matches = |pattern: &&str| match pattern.split_once(':') {
            // A `NotAction` leaves out a service that it names whole.
            Some((service, action)) => wildcard_matches(service, prefix) && (!not || action == "*"),
            None => *pattern == "*",
        };
        if patterns.iter().any(matches) != not {
            allowed.insert(prefix);
        }
    }
}

/// Whether a pattern with `*` and `?` matches a name, whatever its letters' case.
fn wildcard_matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase(), name.to_ascii_lowercase());
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n, mut retry) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    p = star + 1;
                    n = from + 1;
                    retry = Some((star, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|c| *c == b'*'))
}

/// A policy of an identity, and the entity that an inline one is embedded in.
struct Held {
    document: Named,
    shown: PolicyGrantingServiceAccess,
}

impl Identity {
    /// `ListPoliciesGrantingServiceAccess`: the policies of a user, with those of its groups, of a group
    /// or of a role that allow some action of each service.
    ///
    /// # Errors
    /// `NoSuchEntity`; `InvalidInput` for an ARN that is none of the three; `ValidationError` for a marker.
    pub async fn list_policies_granting_service_access(
        &self,
        cx: &Authorized,
        input: ListPoliciesGrantingServiceAccessRequest,
    ) -> Result<ListPoliciesGrantingServiceAccessResponse, Error> {
        let page = Page::new(None, input.marker.as_deref())?;
        let mut read = self.0.store.snapshot().await?;
        let mut conn = read.conn();
        let conn = &mut conn;
        let found = entity_by_arn(conn, &input.arn).await?;
        let found = found.filter(|found| found.account == cx.account.as_str());
        let found = found.ok_or_else(|| {
            Error::new(
                ErrorCode::NoSuchEntity,
                format!("ARN {} does not exist.", input.arn),
            )
        })?;
        if !matches!(found.kind, Kind::User | Kind::Group | Kind::Role) {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("{} is not the ARN of a user, group or role.", input.arn),
            ));
        }
        let mut held = Vec::new();
        self.held_by(conn, &found, &mut held).await?;
        if found.kind == Kind::User {
            for group in group::of_user(conn, found.id).await? {
                self.held_by(conn, &group, &mut held).await?;
            }
        }
        let entries = input.service_namespaces.into_iter().map(|namespace| {
            let granting = held.iter().filter(|held| {
                let services = Services::of(std::slice::from_ref(&held.document));
                services.contains(&namespace)
            });
            ListPoliciesGrantingServiceAccessEntry {
                policies: Some(granting.map(|held| held.shown.clone()).collect()),
                service_namespace: Some(namespace),
            }
        });
        let namespace = |entry: &ListPoliciesGrantingServiceAccessEntry| {
            entry.service_namespace.clone().unwrap_or_default()
        };
        let cut = page.of(entries.collect(), namespace);
        Ok(ListPoliciesGrantingServiceAccessResponse {
            policies_granting_service_access: cut.items,
            is_truncated: cut.is_truncated,
            marker: cut.marker,
        })
    }

    async fn held_by(
        &self,
        conn: &mut Conn<'_>,
        entity: &Entity,
        into: &mut Vec<Held>,
    ) -> Result<(), Error> {
        let mut documents = Vec::new();
        self.0
            .policies
            .of_entity(conn, entity, &mut documents)
            .await?;
        for document in documents {
            let name: &str = &document.0.name;
            let shown = match name.starts_with("arn:") {
                true => PolicyGrantingServiceAccess {
                    policy_name: name.rsplit('/').next().unwrap_or(name).to_owned(),
                    policy_type: PolicyType::Managed,
                    policy_arn: Some(name.to_owned()),
                    ..Default::default()
                },
                false => PolicyGrantingServiceAccess {
                    policy_name: name.to_owned(),
                    policy_type: PolicyType::Inline,
                    policy_arn: None,
                    entity_type: Some(match entity.kind {
                        Kind::Role => PolicyOwnerEntityType::Role,
                        Kind::Group => PolicyOwnerEntityType::Group,
                        _ => PolicyOwnerEntityType::User,
                    }),
                    entity_name: Some(entity.name.clone()),
                },
            };
            into.push(Held { document, shown });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_whole_names_without_case() {
        for (pattern, name, matches) in [
            ("ecr", "ecr", true),
            ("ECR", "ecr", true),
            ("ecr", "ecr-public", false),
            ("ecr*", "ecr-public", true),
            ("*", "iam", true),
            ("i?m", "iam", true),
            ("*a*m", "iam", true),
            ("*x", "iam", false),
            ("", "iam", false),
        ] {
            assert_eq!(wildcard_matches(pattern, name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn not_action_leaves_out_services_that_it_names_whole() {
        let of = |patterns: &[&str], not| {
            let mut allowed = BTreeSet::new();
            add(&mut allowed, patterns.to_vec(), not);
            Services(allowed)
        };
        let some = of(&["iam:*", "ecr:Get*"], true);
        assert!(!some.contains("iam") && some.contains("ecr") && some.contains("sts"));
        let some = of(&["ecr:Get*", "s*:*"], false);
        assert!(some.contains("ecr") && some.contains("sts") && !some.contains("iam"));
        assert_eq!(of(&["*"], false).0.len(), authorization::prefixes().len());
        assert_eq!(of(&["*"], true).0.len(), 0);
    }
}
