//! Who asks, and what the request holds.

use std::collections::BTreeMap;

use serde_json::Value;

use super::World;
use super::text::text;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Anonymous,
    Service,
    Root,
    User,
    Session,
    Federated,
    Provider,
}

impl Kind {
    /// Has an account.
    pub fn is_aws(self) -> bool {
        !matches!(self, Kind::Anonymous | Kind::Service | Kind::Provider)
    }
}

pub struct Requester {
    pub kind: Kind,
    pub account: String,
    /// The role's ARN of a session, the user's of a federated user.
    pub issuer: Option<String>,
    pub id: Option<String>,
    pub service_linked: bool,
}

impl Requester {
    pub fn account_root(&self) -> String {
        format!("arn:aws:iam::{}:root", self.account)
    }
}

/// What a condition key holds.
pub struct Held {
    pub values: Vec<String>,
    /// A list, whatever its length.
    pub multivalued: bool,
}

impl World<'_> {
    pub(super) fn requester(&self) -> Requester {
        let principal = self.request("principal");
        // Some identity providers are named as services are, by their host.
        let web_identity = self.request("action").ends_with("WithWebIdentity");
        let host = match web_identity {
            true => Kind::Provider,
            false => Kind::Service,
        };
        let kinds = [
            (":assumed-role/", Kind::Session),
            (":federated-user/", Kind::Federated),
            (":oidc-provider/", Kind::Provider),
            (":user/", Kind::User),
            (":root", Kind::Root),
            (".amazonaws.com", host),
        ];
        let kind = kinds
            .into_iter()
            .find(|(part, _)| principal.contains(part))
            .map_or(Kind::Anonymous, |(_, kind)| kind);
        let account = principal.split(':').nth(4).unwrap_or_default().to_owned();
        let given = |name: &str| {
            let value = self.scenario["request"][name].as_str();
            value.map(str::to_owned)
        };
        let issuer = match kind {
            Kind::Session => given("principalRoleArn").or_else(|| {
                let name = principal.split('/').nth(1).unwrap_or_default();
                Some(format!("arn:aws:iam::{account}:role/{name}"))
            }),
            Kind::Federated => given("principalUserArn"),
            _ => None,
        };
        let service_linked = issuer
            .as_ref()
            .is_some_and(|arn| arn.contains(":role/aws-service-role/"));
        Requester {
            kind,
            account,
            issuer,
            id: given("principalId"),
            service_linked,
        }
    }

    /// The tables of keys and principals (UG reference_policies_condition-keys,
    /// reference_policies_variables), and what the scenario gives.
    pub(super) fn context(&self) -> BTreeMap<String, Held> {
        let mut keys = BTreeMap::new();
        let mut set = |name: &str, values: Vec<String>, multivalued| {
            let held = Held {
                values,
                multivalued,
            };
            keys.insert(name.to_lowercase(), held);
        };
        let mut one = |name: &str, value: &str| set(name, vec![value.to_owned()], false);
        let principal = self.request("principal");
        let who = self.requester();
        if who.kind.is_aws() {
            one("aws:PrincipalArn", principal);
            one("aws:PrincipalAccount", &who.account);
            one("aws:PrincipalIsAWSService", "false");
        }
        let name = principal.rsplit('/').next().unwrap_or_default();
        match who.kind {
            Kind::Anonymous => {
                one("aws:PrincipalType", "Anonymous");
                one("aws:PrincipalAccount", "anonymous");
            }
            Kind::Service => {
                one("aws:PrincipalIsAWSService", "true");
                one("aws:PrincipalServiceName", principal);
            }
            Kind::Provider => {}
            Kind::Root => {
                one("aws:PrincipalType", "Account");
                one("aws:userid", &who.account);
            }
            Kind::User => {
                one("aws:PrincipalType", "User");
                one("aws:username", name);
                if let Some(id) = &who.id {
                    one("aws:userid", id);
                }
            }
            Kind::Session => {
                one("aws:PrincipalType", "AssumedRole");
                one(
                    "aws:PrincipalArn",
                    who.issuer.as_deref().unwrap_or_default(),
                );
                if let Some(id) = &who.id {
                    one("aws:userid", &format!("{id}:{name}"));
                }
            }
            Kind::Federated => {
                one("aws:PrincipalType", "FederatedUser");
                one("aws:userid", &format!("{}:{name}", who.account));
            }
        }
        // Where there is no resource, its account is that of who asks.
        match self.owner() {
            owner if owner.len() == 12 => one("aws:ResourceAccount", owner),
            "" if self.request("resource") == "*" && who.kind.is_aws() => {
                one("aws:ResourceAccount", &who.account);
            }
            _ => {}
        }
        let given = self.scenario["request"]["context"].as_object();
        for (name, value) in given.into_iter().flatten() {
            match value {
                Value::Array(values) => set(name, values.iter().map(text).collect(), true),
                value => set(name, vec![text(value)], false),
            }
        }
        keys
    }
}
