//! Documents that may be changed, and the change for what stopped a request.

use policy::{
    CompiledDocument, Document, DocumentKind, Effect, Explanation, Missing, Nearest, PolicyRef,
    PolicySet, Reason, StatementPlace,
};
use store::Conn;
use store::iam::entity::{Entity, Kind};

use super::Case;
use super::edit::{self, Members};
use crate::Error;
use crate::managed::ARN_PREFIX;
use crate::pinning::{pin, unpin};

/// Where a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An inline policy of a user: the user's name and the policy's.
    User(String, String),
    /// An inline policy of a group.
    Group(String, String),
    /// An inline policy of a role.
    Role(String, String),
    /// A managed policy of the account.
    Managed(String),
    /// A managed policy of AWS, which everybody may read and nobody change.
    Aws(String),
    /// A role's trust policy: the role's ARN.
    Trust(String),
    /// A repository's policy: the repository's ARN.
    Repository(String),
    /// The policy of a registry.
    Registry(String),
    /// A policy of the organization: its ARN.
    Organization(String),
}

impl Place {
    /// A policy of a user, group or role: an inline policy by its name, a managed one by its ARN.
    pub(crate) fn of_holder(holder: &Entity, policy: &PolicyRef) -> Place {
        let (holder_name, name) = (holder.name.clone(), policy.name.to_string());
        match (policy.kind, holder.kind) {
            (DocumentKind::Managed, _) => Place::managed(name),
            (_, Kind::Group) => Place::Group(holder_name, name),
            (_, Kind::Role) => Place::Role(holder_name, name),
            _ => Place::User(holder_name, name),
        }
    }

    /// A managed policy, of the account or of AWS.
    pub(crate) fn managed(arn: String) -> Place {
        match arn.starts_with(ARN_PREFIX) {
            true => Place::Aws(arn),
            false => Place::Managed(arn),
        }
    }
}

/// A document and its change.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) place: Place,
    pub(super) name: PolicyRef,
    /// As it is shown; empty for one that does not exist.
    pub(super) original: String,
    pub(super) current: String,
    pub(super) change: Option<(ChangeKind, String)>,
    compiled: CompiledDocument,
}

/// What a change does to its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// A statement more.
    AddStatement,
    /// An inline policy more.
    CreatePolicy,
    /// An entry more in a statement.
    ExtendStatement,
    /// An exception in a statement that denies.
    NarrowDeny,
}

/// The documents of a case, by policy type.
#[derive(Clone, Debug, Default)]
pub(super) struct Drafts {
    /// Kind, name and ARN of the user or role.
    pub(super) owner: Option<(Kind, String, String)>,
    pub(super) identity: Vec<Draft>,
    pub(super) boundary: Option<Vec<Draft>>,
    pub(super) resource: Vec<Draft>,
}

/// A draft by its policy type and number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed(Reason, usize);

impl Draft {
    fn new(place: Place, name: PolicyRef, compiled: CompiledDocument) -> Draft {
        let text = compiled.source().to_owned();
        Draft {
            place,
            name,
            original: text.clone(),
            current: text,
            change: None,
            compiled,
        }
    }

    pub(super) fn of_holder(holder: &Entity, name: PolicyRef, document: CompiledDocument) -> Draft {
        let place = Place::of_holder(holder, &name);
        let name = match &place {
            // Several groups may have policies of one name.
            Place::Group(group, policy) => {
                PolicyRef::new(name.kind, format!("group_{group}_{policy}"))
            }
            _ => name,
        };
        Draft::new(place, name, document)
    }

    pub(super) fn of_boundary(name: PolicyRef, document: CompiledDocument) -> Draft {
        Draft::new(Place::managed(name.name.to_string()), name, document)
    }

    /// A document of the resource's side, whose principals are shown by their ARNs.
    pub(super) async fn of_resource(
        conn: &mut Conn<'_>,
        name: &PolicyRef,
        document: &CompiledDocument,
    ) -> Result<Draft, Error> {
        let arn = name.name.to_string();
        let place = match name.kind {
            DocumentKind::Trust => Place::Trust(arn),
            DocumentKind::EcrRepository => Place::Repository(arn),
            DocumentKind::EcrRegistry => Place::Registry(arn),
            _ => Place::Organization(arn),
        };
        let parsed = Document::parse_language(document.source(), name.kind);
        let shown = unpin(conn, &parsed.map_err(Error::internal)?).await?;
        let mut draft = Draft::new(place, name.clone(), document.clone());
        draft.original.clone_from(&shown);
        draft.current = shown;
        Ok(draft)
    }
}

impl Drafts {
    fn of(&self, party: Reason) -> &[Draft] {
        match party {
            Reason::Identity => &self.identity,
            Reason::PermissionsBoundary => self.boundary.as_deref().unwrap_or_default(),
            Reason::Resource | Reason::Trust => &self.resource,
            _ => &[],
        }
    }

    fn of_mut(&mut self, party: Reason) -> &mut [Draft] {
        match party {
            Reason::Identity => &mut self.identity,
            Reason::PermissionsBoundary => self.boundary.as_deref_mut().unwrap_or_default(),
            Reason::Resource | Reason::Trust => &mut self.resource,
            _ => &mut [],
        }
    }

    /// The draft of a policy.
    pub(super) fn find(&self, policy: &PolicyRef) -> Option<&Draft> {
        let boundary = self.boundary.iter().flatten();
        let all = self.identity.iter().chain(boundary).chain(&self.resource);
        all.into_iter().find(|draft| draft.name == *policy)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Reason, &Draft)> {
        let boundary = self.boundary.iter().flatten();
        let resource = self.resource.iter().map(|draft| match draft.place {
            Place::Trust(_) => (Reason::Trust, draft),
            _ => (Reason::Resource, draft),
        });
        self.identity
            .iter()
            .map(|draft| (Reason::Identity, draft))
            .chain(boundary.map(|draft| (Reason::PermissionsBoundary, draft)))
            .chain(resource)
    }

    pub(super) fn identity_set(&self) -> PolicySet {
        set(&self.identity)
    }

    pub(super) fn boundary_set(&self) -> Option<PolicySet> {
        self.boundary.as_deref().map(set)
    }

    pub(super) fn resource_set(&self) -> Option<PolicySet> {
        (!self.resource.is_empty()).then(|| set(&self.resource))
    }

    /// Compiles a draft again, as it would be when it was stored.
    pub(super) async fn recompile(
        &mut self,
        conn: &mut Conn<'_>,
        Changed(party, number): Changed,
    ) -> Result<(), Error> {
        let Some(draft) = self.of_mut(party).get_mut(number) else {
            return Ok(());
        };
        let kind = draft.name.kind;
        let document = Document::parse_language(&draft.current, kind)?;
        let stored = match party {
            Reason::Resource | Reason::Trust => pin(conn, &document).await?,
            _ => draft.current.clone(),
        };
        let document = Document::parse_language(&stored, kind)?;
        draft.compiled = CompiledDocument::new(&document);
        Ok(())
    }

    fn position(&self, party: Reason, policy: &PolicyRef) -> Option<usize> {
        self.of(party)
            .iter()
            .position(|draft| draft.name == *policy)
    }

    /// Changes a draft's text; `None` where the text takes no such change.
    fn edit(
        &mut self,
        party: Reason,
        number: usize,
        kind: ChangeKind,
        description: String,
        edit: impl FnOnce(&str) -> Option<String>,
    ) -> Option<Changed> {
        let draft = self.of_mut(party).get_mut(number)?;
        draft.current = edit(&draft.current)?;
        let described = match draft.change.take() {
            Some((_, before)) => format!("{before} {description}"),
            None => description,
        };
        draft.change = Some((kind, described));
        Some(Changed(party, number))
    }
}

fn set(drafts: &[Draft]) -> PolicySet {
    let documents = drafts.iter();
    PolicySet::union(documents.map(|draft| (draft.name.clone(), draft.compiled.clone())))
}

impl Case {
    /// Changes one document against what stopped the request, or says why no change of the account's helps.
    pub(super) fn change(&mut self, explanation: &Explanation) -> Result<Changed, String> {
        if explanation.effect == Effect::ExplicitlyDenied {
            let place = explanation.decided_by.clone();
            let place = place.ok_or("A statement denies the request.")?;
            return self.except(explanation.reason, &place);
        }
        let Some(missing) = explanation.missing.first() else {
            return Err(explanation.sentence.clone());
        };
        match missing.party {
            Reason::Identity => self.allow_identity(missing),
            Reason::PermissionsBoundary => self.allow_boundary(),
            Reason::Resource | Reason::Trust => self.allow_resource(missing.party),
            Reason::ServiceControl => Err(self.organization(explanation.reason)),
            Reason::Session => Err(
                "A federated user has the permissions of its session policies alone, which are set when the \
                 session is made; no change of a policy allows the request."
                    .to_owned(),
            ),
            _ => Err(explanation.sentence.clone()),
        }
    }

    fn organization(&self, reason: Reason) -> String {
        let what = match reason {
            Reason::ResourceControl => "A resource control policy",
            _ => "A service control policy",
        };
        let management = self.controls.as_ref();
        let management = management.map_or("", |controls| &controls.management_account);
        format!(
            "{what} of the organization stops the request. Only the management account {management} can change \
             it; no change by this account allows the request."
        )
    }

    /// The ARN that policies name the principal by.
    fn named(&self) -> String {
        let principal = &self.principal;
        principal.issuer_arn().unwrap_or(principal.arn()).to_owned()
    }

    /// Lets a statement that denies not apply to the principal.
    fn except(&mut self, reason: Reason, place: &StatementPlace) -> Result<Changed, String> {
        let what = statement_name(place);
        match reason {
            Reason::ServiceControl | Reason::ResourceControl => {
                return Err(self.organization(reason));
            }
            Reason::Session => {
                return Err(format!(
                    "{what} of a session policy denies the request; a new session can have others."
                ));
            }
            _ => {}
        }
        let named = self.named();
        let number = self.drafts.position(reason, &place.policy);
        let draft = number.and_then(|number| self.drafts.of(reason).get(number));
        let editable = draft.is_some_and(|draft| {
            !matches!(
                draft.place,
                Place::Aws(_) | Place::Registry(_) | Place::Organization(_)
            )
        });
        let (Some(number), true) = (number, editable) else {
            return Err(format!(
                "{what} of `{}` denies the request, and that policy cannot be changed here; detach or replace it.",
                place.policy.name
            ));
        };
        let description = format!(
            "{what} denies the request. It gets an exception for `{named}`, for everything that it denies."
        );
        let operator = ("ArnNotEquals", "aws:PrincipalArn");
        let index = place.index;
        let edit = |text: &str| edit::add_condition(text, index, operator, &named);
        let changed = self
            .drafts
            .edit(reason, number, ChangeKind::NarrowDeny, description, edit);
        changed.ok_or_else(|| format!("{what} denies the request."))
    }

    fn allow_identity(&mut self, missing: &Missing) -> Result<Changed, String> {
        let (action, resource) = (self.request.action.clone(), self.request.resource.clone());
        let Some((kind, owner, _)) = self.drafts.owner.clone() else {
            return Err("The principal has no policies of its own.".to_owned());
        };
        let mut statement = allow(&action);
        statement.push(("Resource", resource.as_str().into()));
        let nearest = missing.nearest.as_ref();
        let own = |draft: &Draft| matches!(draft.place, Place::User(..) | Place::Role(..));
        let position = nearest.and_then(|nearest| {
            let number = self
                .drafts
                .position(Reason::Identity, &nearest.statement.policy)?;
            own(&self.drafts.identity[number]).then_some(number)
        });
        if let Some(nearest) = nearest
            && nearest
                .elements
                .iter()
                .all(|element| element.element.starts_with("Condition "))
        {
            let what = statement_name(&nearest.statement);
            let Some(condition) = seen(nearest) else {
                return Err(format!(
                    "{what} of `{}` allows the request under conditions that it did not meet. Meet them, or change \
                     them; no change is proposed that leaves them out.",
                    nearest.statement.policy.name
                ));
            };
            statement.push(("Condition", condition));
        } else if let (Some(number), Some(nearest)) = (position, nearest)
            && let Some((element, value)) = self.extension(number, nearest)
        {
            let index = nearest.statement.index;
            let what = statement_name(&nearest.statement);
            let description = format!("{what} gets `{value}` in its `{element}`.");
            let edit = |text: &str| edit::add_value(text, index, element, &value);
            let kind = ChangeKind::ExtendStatement;
            if let Some(changed) =
                self.drafts
                    .edit(Reason::Identity, number, kind, description, edit)
            {
                return Ok(changed);
            }
        }
        let description = format!("A statement allows `{action}` on `{resource}`.");
        let first = self.drafts.identity.iter().position(own);
        if let Some(number) = position.or(first) {
            let edit = |text: &str| edit::add_statement(text, &statement);
            let kind = ChangeKind::AddStatement;
            if let Some(changed) =
                self.drafts
                    .edit(Reason::Identity, number, kind, description.clone(), edit)
            {
                return Ok(changed);
            }
        }
        let text = edit::document(&statement);
        let policy = new_name(&action);
        let (place, document_kind) = match kind {
            Kind::Role => (Place::Role(owner, policy.clone()), DocumentKind::InlineRole),
            _ => (Place::User(owner, policy.clone()), DocumentKind::InlineUser),
        };
        let unreadable = |_| "The change cannot be written as a policy.".to_owned();
        let document = Document::parse_language(&text, document_kind).map_err(unreadable)?;
        self.drafts.identity.push(Draft {
            place,
            name: PolicyRef::new(document_kind, policy.clone()),
            original: String::new(),
            current: text,
            change: Some((
                ChangeKind::CreatePolicy,
                format!("The inline policy `{policy}` is new. {description}"),
            )),
            compiled: CompiledDocument::new(&document),
        });
        Ok(Changed(Reason::Identity, self.drafts.identity.len() - 1))
    }

    /// The element of the nearest statement that lacks one entry, if the statement then allows the request
    /// and nothing else that it does not allow now.
    fn extension(&self, number: usize, nearest: &Nearest) -> Option<(&'static str, String)> {
        let [missed] = &nearest.elements[..] else {
            return None;
        };
        let (element, other, value, needed) = match missed.element.as_str() {
            "Action" => (
                "Action",
                "Resource",
                &self.request.action,
                &self.request.resource,
            ),
            "Resource" => (
                "Resource",
                "Action",
                &self.request.resource,
                &self.request.action,
            ),
            _ => return None,
        };
        let draft = &self.drafts.identity[number];
        let document = Document::parse_language(&draft.current, draft.name.kind).ok()?;
        let statement = document.statements().get(nearest.statement.index)?;
        let held = match other {
            "Action" => &statement.action,
            _ => statement.resource.as_ref()?,
        };
        let is_only = matches!(&held.values[..], [one] if one.value.eq_ignore_ascii_case(needed));
        (is_only && !held.not && statement.conditions.is_empty()).then(|| (element, value.clone()))
    }

    fn allow_boundary(&mut self) -> Result<Changed, String> {
        let party = Reason::PermissionsBoundary;
        let statement = self.with_resource();
        let is_own = |draft: &Draft| matches!(draft.place, Place::Managed(_));
        if !self.drafts.of(party).first().is_some_and(is_own) {
            return Err(
                "The permissions boundary does not allow the request, and it is a policy of AWS or is gone. Set \
                 another boundary."
                    .to_owned(),
            );
        }
        let description = self.description();
        let edit = |text: &str| edit::add_statement(text, &statement);
        let changed = self
            .drafts
            .edit(party, 0, ChangeKind::AddStatement, description, edit);
        changed.ok_or_else(|| "The permissions boundary cannot be read.".to_owned())
    }

    fn allow_resource(&mut self, party: Reason) -> Result<Changed, String> {
        if !self.is_own_resource {
            let owner = self
                .owner_account
                .as_ref()
                .map_or("", |owner| owner.as_str());
            return Err(format!(
                "The resource belongs to the account {owner}, whose policy must allow the request as well; no change \
                 by this account alone allows it."
            ));
        }
        let number = self
            .drafts
            .resource
            .iter()
            .position(|draft| matches!(draft.place, Place::Trust(_) | Place::Repository(_)));
        let Some(number) = number else {
            return Err("The resource has no policy that could allow the request.".to_owned());
        };
        let named = self.named();
        let mut statement: Members = vec![("Effect", "Allow".into())];
        statement.push(("Principal", serde_json::json!({ "AWS": named })));
        statement.push(("Action", self.request.action.as_str().into()));
        let description = format!(
            "A statement lets `{named}` perform `{}`.",
            self.request.action
        );
        let edit = |text: &str| edit::add_statement(text, &statement);
        let changed = self
            .drafts
            .edit(party, number, ChangeKind::AddStatement, description, edit);
        changed.ok_or_else(|| "The policy of the resource cannot be read.".to_owned())
    }

    fn with_resource(&self) -> Members {
        let mut statement = allow(&self.request.action);
        statement.push(("Resource", self.request.resource.as_str().into()));
        statement
    }

    fn description(&self) -> String {
        let (action, resource) = (&self.request.action, &self.request.resource);
        format!("A statement allows `{action}` on `{resource}`.")
    }
}

fn allow(action: &str) -> Members {
    vec![("Effect", "Allow".into()), ("Action", action.into())]
}

/// The name of a new inline policy: `AllowEcrPutImage`.
fn new_name(action: &str) -> String {
    let words = action.split(':').map(|word| {
        let mut chars = word.chars().filter(char::is_ascii_alphanumeric);
        let first = chars.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    });
    let name: String = std::iter::once("Allow".to_owned()).chain(words).collect();
    name.chars().take(128).collect()
}

/// `Statement 2` or ``Statement `Push` ``.
fn statement_name(place: &StatementPlace) -> String {
    match place.sid.as_deref().filter(|sid| !sid.is_empty()) {
        Some(sid) => format!("Statement `{sid}`"),
        None => format!("Statement {}", place.index + 1),
    }
}

/// Conditions that the request's own values meet, in place of those that it did not. `None` where a condition
/// demands a second factor, or cannot be turned into one about a single value.
fn seen(nearest: &Nearest) -> Option<serde_json::Value> {
    let mut block = serde_json::Map::new();
    for element in &nearest.elements {
        let mut words = element.element.split(' ').skip(1);
        let (operator, key) = (words.next()?, words.next()?);
        let operator = match operator {
            "StringEquals" | "StringLike" | "StringEqualsIgnoreCase" => "StringEquals",
            "ArnEquals" | "ArnLike" => "ArnEquals",
            "IpAddress" => "IpAddress",
            _ => return None,
        };
        let [value] = element.saw.as_deref()? else {
            return None;
        };
        let is_factor = key.to_ascii_lowercase().starts_with("aws:multifactorauth");
        if is_factor || value.contains(['*', '?', '$']) {
            return None;
        }
        let values = block
            .entry(operator)
            .or_insert_with(|| serde_json::json!({}));
        values[key] = value.to_string().into();
    }
    Some(block.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_policies_are_named_after_the_action() {
        assert_eq!(new_name("ecr:PutImage"), "AllowEcrPutImage");
        assert_eq!(
            new_name("access-analyzer:ValidatePolicy"),
            "AllowAccessanalyzerValidatePolicy"
        );
    }
}
