//! A slow evaluator that follows the documents literally. It shares no code with the
//! engine: it reads the JSON with another parser, expands variables by rewriting the
//! pattern, matches wildcards with regular expressions and looks at every statement.
//!
//! It covers what the generated requests of `tests/properties.rs` hold: users, role
//! sessions, federated users and root; all policy types; string, number, address, ARN, Boolean and null
//! conditions with quantifiers.

use std::collections::BTreeMap;

use serde_json::Value;

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

impl<'a> World<'a> {
    fn request(&self, name: &str) -> &'a str {
        self.scenario["request"][name].as_str().unwrap_or_default()
    }

    fn context(&self) -> BTreeMap<String, Vec<String>> {
        let mut keys = BTreeMap::new();
        let principal = self.request("principal");
        let mut set = |name: &str, value: &str| {
            keys.insert(name.to_lowercase(), vec![value.to_owned()]);
        };
        set("aws:PrincipalArn", principal);
        set("aws:PrincipalAccount", self.account());
        set("aws:PrincipalIsAWSService", "false");
        if principal.contains(":assumed-role/") {
            set("aws:PrincipalArn", &self.role());
            set("aws:PrincipalType", "AssumedRole");
        } else if self.federated() {
            set("aws:PrincipalType", "FederatedUser");
            set("aws:userid", &format!("{}:guest", self.account()));
        } else if principal.ends_with(":root") {
            set("aws:PrincipalType", "Account");
            set("aws:userid", self.account());
        } else {
            set("aws:PrincipalType", "User");
            set(
                "aws:username",
                principal.rsplit('/').next().unwrap_or_default(),
            );
        }
        if let Some(given) = self.scenario["request"]["context"].as_object() {
            for (name, value) in given {
                let values = match value {
                    Value::Array(values) => values.iter().map(text).collect(),
                    value => vec![text(value)],
                };
                keys.insert(name.to_lowercase(), values);
            }
        }
        keys
    }

    fn multivalued(&self, name: &str) -> bool {
        let given = self.scenario["request"]["context"].as_object();
        given.is_some_and(|given| {
            given
                .iter()
                .any(|(key, value)| key.to_lowercase() == name && value.is_array())
        })
    }

    fn account(&self) -> &'a str {
        self.request("principal")
            .split(':')
            .nth(4)
            .unwrap_or_default()
    }

    fn role(&self) -> String {
        let name = self
            .request("principal")
            .split('/')
            .nth(1)
            .unwrap_or_default();
        format!("arn:aws:iam::{}:role/{name}", self.account())
    }

    fn federated(&self) -> bool {
        self.request("principal").contains(":federated-user/")
    }

    fn policies(&self, name: &str) -> Option<Vec<&'a Value>> {
        match &self.scenario[name] {
            Value::Null => None,
            Value::Array(list) => Some(list.iter().collect()),
            one => Some(vec![one]),
        }
    }

    fn levels(&self, name: &str) -> Vec<Vec<&'a Value>> {
        let levels = self.scenario[name].as_array();
        levels.map_or(Vec::new(), |levels| {
            levels
                .iter()
                .map(|level| level.as_array().map_or(Vec::new(), |l| l.iter().collect()))
                .collect()
        })
    }

    /// The evaluation logic page, step by step.
    pub fn decide(&self) -> Verdict {
        let root = self.request("principal").ends_with(":root");
        let session = self.request("principal").contains(":assumed-role/");
        let owner = self
            .request("resource")
            .split(':')
            .nth(4)
            .unwrap_or_default();
        let same = owner == self.account();
        let own = |name: &str| if root { None } else { self.policies(name) };
        let identity = own("identityPolicies");
        let boundary = own("permissionsBoundary");
        let sessions = own("sessionPolicies");
        let resource = self.policies("resourcePolicy");
        let scps = self.levels("serviceControlPolicies");
        let rcps = self.levels("resourceControlPolicies");

        let denied = |list: &[&Value]| self.any(list, "Deny", &["direct", "role", "account"]);
        let all = [&identity, &boundary, &sessions, &resource];
        let plain = all.into_iter().flatten().any(|list| denied(list));
        if plain || scps.iter().chain(&rcps).any(|list| denied(list)) {
            return Verdict::ExplicitlyDenied;
        }
        let allowed = |list: &[&Value]| self.any(list, "Allow", &["direct", "role", "account"]);
        // RCPFullAWSAccess is always there: RCPs are never silent.
        if !scps.iter().all(|list| allowed(list)) {
            return Verdict::ImplicitlyDenied;
        }
        let limits = boundary.as_ref().is_none_or(|list| allowed(list))
            && match &sessions {
                Some(list) => allowed(list),
                None => !self.federated(),
            };
        let from_identity = root || identity.as_ref().is_some_and(|list| allowed(list)) && limits;
        let grant = |how: &str| {
            let list = resource.as_deref().unwrap_or_default();
            self.any(list, "Allow", &[how])
        };
        let from_resource = grant("direct") || grant("role") || grant("account");
        let allowed = if same {
            grant("direct")
                || (session || self.federated()) && grant("role") && limits
                || from_identity
        } else {
            from_identity && from_resource
        };
        if allowed {
            Verdict::Allowed
        } else {
            Verdict::ImplicitlyDenied
        }
    }

    /// Whether a statement with the effect applies that names the principal in one of
    /// these ways.
    fn any(&self, documents: &[&Value], effect: &str, ways: &[&str]) -> bool {
        documents.iter().any(|document| {
            let new = document["Version"] == "2012-10-17";
            list(&document["Statement"]).into_iter().any(|statement| {
                statement["Effect"] == effect
                    && ways.contains(&self.names(statement))
                    && self.action(statement)
                    && self.resource(statement, new)
                    && self.condition(statement, new)
            })
        })
    }

    /// How the statement names the principal: `direct`, `role`, `account`, or not.
    fn names(&self, statement: &Value) -> &'static str {
        let principal = self.request("principal");
        if let Some(spared) = statement.get("NotPrincipal") {
            return if self.spares(spared) {
                "nobody"
            } else {
                "direct"
            };
        }
        let Some(named) = statement.get("Principal") else {
            return "direct";
        };
        if named == "*" {
            return "direct";
        }
        let named = list(&named["AWS"]);
        let has = |text: &str| named.iter().any(|value| *value == text);
        let root = format!("arn:aws:iam::{}:root", self.account());
        let account = has(self.account()) || has(&root);
        if has("*") || has(principal) || account && principal == root {
            "direct"
        } else if principal.contains(":assumed-role/") && has(&self.role())
            || self.federated() && has(self.request("principalUserArn"))
        {
            "role"
        } else if account {
            "account"
        } else {
            "nobody"
        }
    }

    /// The page of NotPrincipal: the account, the role and the session must be listed, and
    /// nothing helps a principal with a permissions boundary.
    fn spares(&self, element: &Value) -> bool {
        let named = list(&element["AWS"]);
        let has = |text: &str| named.iter().any(|value| *value == text);
        if has("*") {
            return true;
        }
        let principal = self.request("principal");
        let account = has(self.account()) || has(&format!("arn:aws:iam::{}:root", self.account()));
        let itself = principal.ends_with(":root") || has(principal);
        let role = !principal.contains(":assumed-role/") || has(&self.role());
        let boundary = !self.scenario["permissionsBoundary"].is_null();
        account && itself && role && !boundary
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
        let listed = |element: &Value| {
            list(element).into_iter().any(|pattern| {
                let pattern = text(pattern);
                let misplaced = new
                    && pattern
                        .find("${aws:")
                        .is_some_and(|at| pattern[..at].matches(':').count() < 5);
                !misplaced
                    && self
                        .expand(&pattern, new)
                        .is_some_and(|pattern| wildcard(&pattern, resource))
            })
        };
        match (statement.get("Resource"), statement.get("NotResource")) {
            (Some(element), _) => listed(element),
            (None, Some(element)) => !listed(element),
            (None, None) => true,
        }
    }

    /// Replaces variables by their values, with the wildcards in values made literal by
    /// a private-use character each.
    fn expand(&self, pattern: &str, new: bool) -> Option<String> {
        if !new {
            return Some(pattern.to_owned());
        }
        let literal = |value: &str| value.replace('*', "\u{e000}").replace('?', "\u{e001}");
        let mut out = String::new();
        let mut rest = pattern;
        while let Some(at) = rest.find("${") {
            out.push_str(&rest[..at]);
            let end = at + rest[at..].find('}')?;
            let name = &rest[at + 2..end];
            let value = match name {
                "*" | "?" | "$" => name.to_owned(),
                _ => {
                    let (key, default) = match name.split_once(", '") {
                        Some((key, default)) => (key, Some(default.trim_end_matches('\''))),
                        None => (name, None),
                    };
                    let key = key.to_lowercase();
                    match self.context().get(&key) {
                        Some(values) if !self.multivalued(&key) => values[0].clone(),
                        Some(_) => return None,
                        None => default?.to_owned(),
                    }
                }
            };
            out.push_str(&literal(&value));
            rest = &rest[end + 1..];
        }
        out.push_str(rest);
        Some(out)
    }

    fn condition(&self, statement: &Value, new: bool) -> bool {
        let Some(operators) = statement.get("Condition").and_then(Value::as_object) else {
            return true;
        };
        operators.iter().all(|(operator, keys)| {
            let keys = keys.as_object().expect("an object of keys");
            keys.iter()
                .all(|(key, wanted)| self.holds(operator, &key.to_lowercase(), wanted, new))
        })
    }

    fn holds(&self, operator: &str, key: &str, wanted: &Value, new: bool) -> bool {
        let context = self.context();
        let have = context.get(key);
        let (quantifier, operator) = operator.split_once(':').unwrap_or(("", operator));
        let exists = operator.ends_with("IfExists");
        let operator = operator.trim_end_matches("IfExists");
        let wanted: Vec<String> = list(wanted).into_iter().map(text).collect();
        if operator == "Null" {
            let absent = have.is_none_or(Vec::is_empty);
            return wanted.iter().any(|want| *want == absent.to_string());
        }
        let negated = operator.contains("Not");
        let base = operator.replace("Not", "");
        let Some(have) = have else {
            return match quantifier {
                _ if exists => true,
                "ForAllValues" => true,
                "ForAnyValue" => false,
                _ => negated,
            };
        };
        let one = |value: &String| {
            let found = wanted
                .iter()
                .any(|want| self.compare(&base, value, want, new));
            found != negated
        };
        let null = have.iter().all(String::is_empty);
        match quantifier {
            "ForAllValues" => null || have.iter().all(one),
            "ForAnyValue" => !null && have.iter().any(one),
            _ if self.multivalued(key) => false,
            _ => one(&have[0]),
        }
    }

    fn compare(&self, operator: &str, have: &str, want: &str, new: bool) -> bool {
        let number = |text: &str| text.parse::<f64>().ok();
        let numbers = |holds: fn(f64, f64) -> bool| match (number(have), number(want)) {
            (Some(have), Some(want)) => holds(have, want),
            _ => false,
        };
        // Exact comparison: what is left of wildcards after expansion is literal.
        let exact = |want: String| want.replace('\u{e000}', "*").replace('\u{e001}', "?");
        match operator {
            "StringEquals" => self
                .expand(want, new)
                .is_some_and(|want| exact(want) == have),
            "StringEqualsIgnoreCase" => self
                .expand(want, new)
                .is_some_and(|want| exact(want).to_lowercase() == have.to_lowercase()),
            "StringLike" => self
                .expand(want, new)
                .is_some_and(|want| wildcard(&want, have)),
            "ArnLike" | "ArnEquals" => {
                let Some(want) = self.expand(want, new) else {
                    return false;
                };
                let want: Vec<&str> = want.splitn(6, ':').collect();
                let have: Vec<&str> = have.splitn(6, ':').collect();
                want.len() == 6
                    && have.len() == 6
                    && want
                        .iter()
                        .zip(have)
                        .all(|(want, have)| wildcard(want, have))
            }
            "Bool" => {
                matches!(&*have.to_lowercase(), "true" | "false")
                    && want.to_lowercase() == have.to_lowercase()
            }
            "NumericEquals" => numbers(|have, want| have == want),
            "NumericLessThan" => numbers(|have, want| have < want),
            "NumericLessThanEquals" => numbers(|have, want| have <= want),
            "NumericGreaterThan" => numbers(|have, want| have > want),
            "NumericGreaterThanEquals" => numbers(|have, want| have >= want),
            "IpAddress" => in_network(have, want),
            other => panic!("the reference does not know {other}"),
        }
    }
}

fn in_network(have: &str, want: &str) -> bool {
    let (network, prefix) = want.split_once('/').unwrap_or((want, "32"));
    let bits = |text: &str| {
        let parts: Vec<u32> = text
            .split('.')
            .filter_map(|part| part.parse().ok())
            .collect();
        (parts.len() == 4).then(|| {
            parts
                .iter()
                .fold(String::new(), |all, part| format!("{all}{part:08b}"))
        })
    };
    let Ok(prefix) = prefix.parse::<usize>() else {
        return false;
    };
    match (bits(have), bits(network)) {
        (Some(have), Some(network)) => have[..prefix] == network[..prefix],
        _ => false,
    }
}

fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        value => vec![value],
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn wildcard(pattern: &str, text: &str) -> bool {
    let body: String = pattern
        .chars()
        .map(|character| match character {
            '*' => ".*".to_owned(),
            '?' => ".".to_owned(),
            '\u{e000}' => r"\*".to_owned(),
            '\u{e001}' => r"\?".to_owned(),
            other => regex::escape(&other.to_string()),
        })
        .collect();
    let regex = regex::Regex::new(&format!("(?s)^{body}$")).expect("a regular expression");
    regex.is_match(text)
}
