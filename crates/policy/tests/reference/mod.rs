//! A slow evaluator that follows the documents literally. It shares no code with the
//! engine: it reads the JSON with another parser, expands variables by rewriting the
//! pattern, matches wildcards with regular expressions, reads dates with another library, and
//! looks at every statement.
//!
//! It covers what `tests/world` composes: all kinds of principals but SAML's, all policy types,
//! trust and key policies, all operators.

mod condition;
mod request;
mod text;

use serde_json::Value;

use request::{Kind, Requester};
use text::{list, text, wildcard};

/// A request and its policies, as a scenario holds them.
pub struct World<'a> {
    pub scenario: &'a Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    ExplicitlyDenied,
    ImplicitlyDenied,
}

/// How a statement names the principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    Nobody,
    Account,
    /// The role of the session, the user behind the federated user.
    Issuer,
    Direct,
}

/// The services of the scenarios here that RCPs reach (Organizations UG orgs_manage_policies_rcps).
const RCP_SERVICES: [&str; 4] = ["ecr", "kms", "s3", "sts"];

const ANYHOW: &[Naming] = &[Naming::Direct, Naming::Issuer, Naming::Account];

impl<'a> World<'a> {
    fn request(&self, name: &str) -> &'a str {
        self.scenario["request"][name].as_str().unwrap_or_default()
    }

    /// The account of the resource.
    fn owner(&self) -> &'a str {
        match self.request("resourceAccount") {
            "" => self
                .request("resource")
                .split(':')
                .nth(4)
                .unwrap_or_default(),
            account => account,
        }
    }

    fn policies(&self, name: &str) -> Option<Vec<&'a Value>> {
        match &self.scenario[name] {
            Value::Null => None,
            Value::Array(list) => Some(list.iter().collect()),
            one => Some(vec![one]),
        }
    }

    fn levels(&self, name: &str) -> Vec<Vec<&'a Value>> {
        list(&self.scenario[name]).into_iter().map(list).collect()
    }

    /// docs/semantics.md, rules 1, 13 and the page of the evaluation logic: the resource policies that must allow
    /// whatever the identity's policies say.
    fn must_be_allowed_by_resource(&self) -> bool {
        let action = self.request("action").to_lowercase();
        let key = action.starts_with("kms:") && !self.scenario["resourcePolicy"].is_null();
        self.trust() || key && self.request("resource").contains(":key/")
    }

    fn trust(&self) -> bool {
        let action = self.request("action").to_lowercase();
        let named = ["sts:assumerole", "sts:tagsession"];
        named.iter().any(|name| action.starts_with(name))
            && self.request("resource").contains(":role/")
    }

    /// The evaluation logic page, step by step.
    pub fn decide(&self) -> Verdict {
        let action = self.request("action").to_lowercase();
        let who = self.requester();
        // docs/semantics.md#14.
        let free = ["sts:getcalleridentity", "sts:getsessiontoken"];
        if free.contains(&&*action) && who.kind.is_aws() {
            return Verdict::Allowed;
        }
        let owner = self.owner();
        let own_resource = ["", "*", "aws"].contains(&owner) || owner == who.account;
        // docs/semantics.md#15: there are no policies on a root user, but the policy of a root session denies; services and strangers have none.
        let own = |name: &str| match who.kind {
            Kind::User | Kind::Session | Kind::Federated => self.policies(name),
            _ => None,
        };
        let identity = own("identityPolicies");
        let boundary = own("permissionsBoundary");
        let sessions = match who.kind {
            Kind::Root => self.policies("sessionPolicies"),
            _ => own("sessionPolicies"),
        };
        let sessions = sessions.filter(|list| !list.is_empty());
        let resource = self.policies("resourcePolicy");
        // docs/semantics.md#10.
        let spared = who.service_linked;
        let managed = self.scenario["managementAccount"] == true;
        let scps = match spared || managed || !who.kind.is_aws() {
            true => Vec::new(),
            false => self.levels("serviceControlPolicies"),
        };
        let service_role = self.request("resource").contains(":role/aws-service-role/");
        let service = action.split(':').next().unwrap_or_default();
        let out_of_reach = self.trust() && service_role
            || action == "kms:retiregrant"
            || !RCP_SERVICES.contains(&service)
            || managed && own_resource;
        let rcps = match spared || out_of_reach {
            true => Vec::new(),
            false => self.levels("resourceControlPolicies"),
        };

        // Only in a role's own policy does `*` leave identity providers out.
        let trust = self.trust();
        let denied = |list: &[&Value]| self.any(list, "Deny", ANYHOW, false);
        let all = [&identity, &boundary, &sessions];
        let plain = all.into_iter().flatten().any(|list| denied(list));
        let by_resource = resource.as_ref();
        let by_resource = by_resource.is_some_and(|list| self.any(list, "Deny", ANYHOW, trust));
        if plain || by_resource || scps.iter().chain(&rcps).any(|list| denied(list)) {
            return Verdict::ExplicitlyDenied;
        }
        let allowed = |list: &[&Value]| self.any(list, "Allow", ANYHOW, false);
        // RCPFullAWSAccess is always there: RCPs are never silent.
        if !scps.iter().all(|list| allowed(list)) {
            return Verdict::ImplicitlyDenied;
        }
        let limits = boundary.as_ref().is_none_or(|list| allowed(list))
            && match &sessions {
                Some(list) => allowed(list),
                None => who.kind != Kind::Federated,
            };
        let root = who.kind == Kind::Root;
        if root && action == "sts:assumerole" {
            return Verdict::ImplicitlyDenied;
        }
        // What a root user may is everything, its own and what it hands on.
        let everything = root || who.issuer.as_deref() == Some(&*who.account_root());
        let from_identity =
            root || (everything || identity.as_ref().is_some_and(|list| allowed(list))) && limits;
        let grant = |naming: &[Naming]| {
            let list = resource.as_deref().unwrap_or_default();
            self.any(list, "Allow", naming, trust)
        };
        let allowed = if !who.kind.is_aws() {
            grant(ANYHOW)
        } else if !own_resource {
            from_identity && grant(ANYHOW)
        } else {
            grant(&[Naming::Direct])
                || grant(&[Naming::Issuer]) && limits
                || from_identity && (!self.must_be_allowed_by_resource() || grant(ANYHOW))
        };
        if allowed {
            Verdict::Allowed
        } else {
            Verdict::ImplicitlyDenied
        }
    }

    /// Whether a statement with the effect applies that names the principal in one of
    /// these ways.
    fn any(&self, documents: &[&Value], effect: &str, ways: &[Naming], trust: bool) -> bool {
        documents.iter().any(|document| {
            let new = document["Version"] == "2012-10-17";
            list(&document["Statement"]).into_iter().any(|statement| {
                statement["Effect"] == effect
                    && ways.contains(&self.names(statement, trust && effect == "Allow"))
                    && self.action(statement)
                    && self.resource(statement, new)
                    && self.condition(statement, effect, new)
            })
        })
    }

    /// The note of UG reference-arns on incomplete ARNs: `None` where it does not apply. Of the
    /// policies here only resource policies are not completed.
    fn completed(&self, pattern: &str, statement: &Value, new: bool) -> Option<String> {
        let own = list(&self.scenario["resourcePolicy"]["Statement"]);
        let of_resource = own.iter().any(|own| std::ptr::eq(*own, statement));
        let variable = new && pattern.contains("${");
        let colons = pattern.matches(':').count();
        let applies = pattern.starts_with("arn:") && colons < 5 && !variable && !of_resource;
        applies.then(|| pattern.to_owned() + &":*".repeat(5 - colons))
    }

    fn names(&self, statement: &Value, trust: bool) -> Naming {
        let who = self.requester();
        if let Some(spared) = statement.get("NotPrincipal") {
            return match self.spares(spared, &who) {
                true => Naming::Nobody,
                false => Naming::Direct,
            };
        }
        let Some(named) = statement.get("Principal") else {
            return Naming::Direct;
        };
        let has = |kind: &str, name: &str| list(&named[kind]).iter().any(|value| *value == name);
        if *named == "*" || has("AWS", "*") {
            // No trust in every identity provider.
            return match trust && who.kind == Kind::Provider {
                true => Naming::Nobody,
                false => Naming::Direct,
            };
        }
        let name = self.request("principal");
        match who.kind {
            Kind::Anonymous => Naming::Nobody,
            Kind::Service if has("Service", "*") || has("Service", name) => Naming::Direct,
            Kind::Provider if has("Federated", name) => Naming::Direct,
            Kind::Service | Kind::Provider => Naming::Nobody,
            _ => {
                let account = has("AWS", &who.account) || has("AWS", &who.account_root());
                let id = who.id.as_ref().is_some_and(|id| has("AWS", id));
                let issuer = who.issuer.as_ref().is_some_and(|arn| has("AWS", arn));
                if has("AWS", name)
                    || account && who.kind == Kind::Root
                    || id && who.kind == Kind::User
                {
                    Naming::Direct
                } else if issuer || id {
                    Naming::Issuer
                } else if account {
                    Naming::Account
                } else {
                    Naming::Nobody
                }
            }
        }
    }

    /// The page of NotPrincipal: the account, the role and the session must be listed, and
    /// nothing helps a principal with a permissions boundary.
    fn spares(&self, element: &Value, who: &Requester) -> bool {
        let has = |kind: &str, name: &str| list(&element[kind]).iter().any(|value| *value == name);
        if who.kind.is_aws() && !self.scenario["permissionsBoundary"].is_null() {
            return false;
        }
        if *element == "*" || has("AWS", "*") {
            return true;
        }
        let name = self.request("principal");
        match who.kind {
            Kind::Anonymous => return false,
            Kind::Service => return has("Service", "*") || has("Service", name),
            Kind::Provider => return has("Federated", name),
            _ => {}
        }
        let id = who.id.as_ref().is_some_and(|id| has("AWS", id));
        let account = has("AWS", &who.account) || has("AWS", &who.account_root());
        let itself = who.kind == Kind::Root || has("AWS", name) || id && who.kind == Kind::User;
        let issuer = who.issuer.as_ref().is_some_and(|arn| has("AWS", arn));
        let role = who.kind != Kind::Session || issuer || id;
        account && itself && role
    }

    fn action(&self, statement: &Value) -> bool {
        let action = self.request("action").to_lowercase();
        let listed = |element: &Value| {
            list(element)
                .into_iter()
                .any(|pattern| wildcard(&text(pattern).to_lowercase(), &action))
        };
        match (statement.get("Action"), statement.get("NotAction")) {
            (Some(element), _) => listed(element),
            (None, Some(element)) => !listed(element),
            (None, None) => false,
        }
    }

    fn resource(&self, statement: &Value, new: bool) -> bool {
        let resource = self.request("resource");
        let matches = |pattern: &str| {
            let misplaced = new
                && pattern
                    .find("${aws:")
                    .is_some_and(|at| pattern[..at].matches(':').count() < 5);
            !misplaced
                && self
                    .expand(pattern, new)
                    .is_some_and(|pattern| wildcard(&pattern, resource))
        };
        let listed = |element: &Value| {
            list(element).into_iter().map(text).any(|pattern| {
                let completed = self.completed(&pattern, statement, new);
                matches(&pattern) || completed.is_some_and(|pattern| matches(&pattern))
            })
        };
        match (statement.get("Resource"), statement.get("NotResource")) {
            (Some(element), _) => listed(element),
            (None, Some(element)) => !listed(element),
            (None, None) => true,
        }
    }
}
