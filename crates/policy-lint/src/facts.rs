//! Answers of the catalogue, looked up once: an entry that a document repeats a hundred times costs as
//! much as one that it has once.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::arn_forms::Forms;
use crate::budget::{ACTION_STEPS, KEY_STEPS, LOOKUP_STEPS, SIMILAR_MAX, Work};
use crate::catalogue::{Catalogue, KeyFacts};
use crate::globs::Glob;
use crate::messages::Problem;

/// The form of an ARN, by its place in [`Facts::forms`].
pub(super) type FormId = usize;

/// A form of an ARN, such as `arn:${Partition}:s3:::${BucketName}`.
pub(super) struct Form<'a> {
    pub text: &'a str,
    pub glob: Glob,
    /// Its third field, if it has no placeholder.
    pub service: Option<&'a str>,
}

/// An action that exists.
pub(super) struct Action<'a> {
    pub service: &'a str,
    /// As AWS writes it, without the prefix.
    pub name: &'a str,
    /// In lower case, for patterns.
    pub folded: Vec<char>,
    /// The forms of the resources that it applies to.
    forms: OnceCell<Rc<[FormId]>>,
}

/// The actions of a service.
pub(super) struct Service<'a> {
    pub actions: Vec<Rc<Action<'a>>>,
    /// In lower case.
    by_name: HashMap<String, usize>,
}

impl<'a> Service<'a> {
    pub fn action(&self, name: &str) -> Option<Rc<Action<'a>>> {
        let at = self.by_name.get(&name.to_ascii_lowercase())?;
        self.actions.get(*at).cloned()
    }
}

/// An entry of `Action`, shared by all its repetitions.
pub(super) struct Pattern<'a> {
    /// Its number in the document.
    pub id: usize,
    pub meaning: Meaning<'a>,
    pub problems: Vec<Problem>,
    forms: OnceCell<Option<Rc<[FormId]>>>,
}

/// The actions that an entry of `Action` matches.
pub(super) enum Meaning<'a> {
    /// `*`.
    Everything,
    /// These actions.
    Known(Vec<Rc<Action<'a>>>),
    /// No action that exists, or one that the catalogue does not have.
    Unknown,
}

impl<'a> Pattern<'a> {
    pub fn new(id: usize, meaning: Meaning<'a>, problems: Vec<Problem>) -> Pattern<'a> {
        Pattern {
            id,
            meaning,
            problems,
            forms: OnceCell::new(),
        }
    }

    /// The actions that it matches, if they are known one by one.
    pub fn actions(&self) -> &[Rc<Action<'a>>] {
        match &self.meaning {
            Meaning::Known(actions) => actions,
            Meaning::Everything | Meaning::Unknown => &[],
        }
    }
}

/// What a name was looked up as.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Service,
    Action,
    Key,
}

pub(super) struct Facts<'a> {
    catalogue: &'a dyn Catalogue,
    work: &'a Work,
    /// Every service; none if the catalogue is empty.
    pub services: Vec<&'a str>,
    by_prefix: HashMap<String, &'a str>,
    by_service: HashMap<&'a str, Rc<Service<'a>>>,
    pub patterns: HashMap<Arc<str>, Rc<Pattern<'a>>>,
    forms: Vec<Rc<Form<'a>>>,
    by_form: HashMap<&'a str, FormId>,
    /// By service and key: whether any of its actions can have the key.
    service_keys: HashMap<(&'a str, Arc<str>), bool>,
    /// By entry and key.
    pattern_keys: HashMap<(usize, Arc<str>), bool>,
    keys: HashMap<String, Option<KeyFacts>>,
    similar: HashMap<(Kind, String, String), Option<String>>,
    /// The ARN forms of a service, by the service in ARNs.
    arn_forms: HashMap<String, Rc<Forms<'a>>>,
}

impl<'a> Facts<'a> {
    pub fn new(catalogue: &'a dyn Catalogue, work: &'a Work) -> Facts<'a> {
        let services = catalogue.services();
        let folded = |service: &&'a str| (service.to_ascii_lowercase(), *service);
        Facts {
            catalogue,
            work,
            by_prefix: services.iter().map(folded).collect(),
            services,
            by_service: HashMap::new(),
            patterns: HashMap::new(),
            forms: Vec::new(),
            by_form: HashMap::new(),
            service_keys: HashMap::new(),
            pattern_keys: HashMap::new(),
            keys: HashMap::new(),
            similar: HashMap::new(),
            arn_forms: HashMap::new(),
        }
    }

    /// The service of this prefix, in any case.
    pub fn prefix(&self, prefix: &str) -> Option<&'a str> {
        self.by_prefix.get(&prefix.to_ascii_lowercase()).copied()
    }

    pub fn service(&mut self, service: &'a str) -> Rc<Service<'a>> {
        let catalogue = self.catalogue;
        let read = || {
            let actions: Vec<Rc<Action<'a>>> = catalogue
                .actions(service)
                .into_iter()
                .map(|name| Action {
                    service,
                    name,
                    folded: name.to_lowercase().chars().collect(),
                    forms: OnceCell::new(),
                })
                .map(Rc::new)
                .collect();
            let names = actions.iter().enumerate();
            let by_name = names.map(|(at, action)| (action.name.to_ascii_lowercase(), at));
            Rc::new(Service {
                by_name: by_name.collect(),
                actions,
            })
        };
        Rc::clone(self.by_service.entry(service).or_insert_with(read))
    }

    /// The forms of the resources that an action applies to; `None` when the budget is spent.
    pub fn forms_of(&mut self, action: &Action<'a>) -> Option<Rc<[FormId]>> {
        if let Some(forms) = action.forms.get() {
            return Some(Rc::clone(forms));
        }
        if !self.work.actions.take(ACTION_STEPS) {
            return None;
        }
        let facts = self.catalogue.action(action.service, action.name);
        let types = facts.map(|facts| facts.resource_types).unwrap_or_default();
        let patterns = types.into_iter().flat_map(|kind| kind.arn_patterns);
        let forms: Rc<[FormId]> = patterns.map(|pattern| self.form_id(pattern)).collect();
        Some(Rc::clone(action.forms.get_or_init(|| forms)))
    }

    /// The forms of the resources that a pattern's actions act on, each once, in the order of the
    /// actions; `None` when the budget is spent.
    pub fn forms_of_pattern(&mut self, pattern: &Pattern<'a>) -> Option<Rc<[FormId]>> {
        if let Some(forms) = pattern.forms.get() {
            return forms.clone();
        }
        let forms = self.read_forms(pattern);
        pattern.forms.get_or_init(|| forms).clone()
    }

    fn read_forms(&mut self, pattern: &Pattern<'a>) -> Option<Rc<[FormId]>> {
        let mut seen = HashSet::new();
        let mut ids = Vec::new();
        for action in pattern.actions() {
            let forms = self.forms_of(action)?;
            if !self.work.actions.take(forms.len() as u64) {
                return None;
            }
            ids.extend(forms.iter().filter(|&&form| seen.insert(form)));
        }
        Some(ids.into())
    }

    /// The forms of the ARNs that name a service in their third field.
    pub fn arn_forms(&mut self, service: &str) -> Rc<Forms<'a>> {
        if let Some(known) = self.arn_forms.get(service) {
            return Rc::clone(known);
        }
        let forms = Rc::new(Forms::new(self.catalogue, service));
        self.arn_forms.insert(service.to_owned(), Rc::clone(&forms));
        forms
    }

    /// Whether the catalogue lists the key for the action itself, not only as a global key;
    /// `None` when the budget is spent.
    pub fn action_lists(&mut self, action: &Action<'a>, key: &str) -> Option<bool> {
        if !self.work.keys.take(KEY_STEPS) {
            return None;
        }
        Some(
            self.catalogue
                .action_lists_key(action.service, action.name, key),
        )
    }

    fn form_id(&mut self, text: &'a str) -> FormId {
        let forms = &mut self.forms;
        *self.by_form.entry(text).or_insert_with(|| {
            let service = text.split(':').nth(2);
            forms.push(Rc::new(Form {
                text,
                glob: Glob::form(text),
                service: service.filter(|service| !service.contains(['$', '*', '?'])),
            }));
            forms.len() - 1
        })
    }

    pub fn form(&self, id: FormId) -> Rc<Form<'a>> {
        Rc::clone(&self.forms[id])
    }

    /// Whether requests of any of the entry's actions can have the key; `None` when the budget is
    /// spent.
    pub fn pattern_knows(&mut self, pattern: &Pattern<'a>, key: &Arc<str>) -> Option<bool> {
        let name = (pattern.id, family(key));
        if !self.work.keys.take(LOOKUP_STEPS) {
            return None;
        }
        if let Some(known) = self.pattern_keys.get(&name) {
            return Some(*known);
        }
        let mut known = false;
        // The actions of a service are next to each other.
        let mut last: Option<(&str, bool)> = None;
        for action in pattern.actions() {
            let service = match last {
                Some((service, any)) if service == action.service => any,
                _ => self.service_knows(action.service, key)?,
            };
            last = Some((action.service, service));
            if !service {
                continue;
            }
            if !self.work.keys.take(KEY_STEPS) {
                return None;
            }
            let knows = self
                .catalogue
                .action_knows_key(action.service, action.name, key);
            if knows {
                known = true;
                break;
            }
        }
        self.pattern_keys.insert(name, known);
        Some(known)
    }

    fn service_knows(&mut self, service: &'a str, key: &Arc<str>) -> Option<bool> {
        let name = (service, family(key));
        if let Some(known) = self.service_keys.get(&name) {
            return Some(*known);
        }
        if !self.work.keys.take(KEY_STEPS) {
            return None;
        }
        let known = self.catalogue.service_knows_key(service, key);
        self.service_keys.insert(name, known);
        Some(known)
    }

    /// What is known of a condition key.
    pub fn key(&mut self, name: &str) -> Option<KeyFacts> {
        if let Some(known) = self.keys.get(name) {
            return *known;
        }
        let found = self.catalogue.condition_key(name);
        self.keys.insert(name.to_owned(), found);
        found
    }

    /// The most similar name, for at most [`SIMILAR_MAX`] names of a document.
    pub fn similar(&mut self, kind: Kind, service: &str, name: &str) -> Option<String> {
        let wanted = (kind, service.to_owned(), name.to_owned());
        if let Some(found) = self.similar.get(&wanted) {
            return found.clone();
        }
        if self.similar.len() >= SIMILAR_MAX {
            return None;
        }
        let found = match kind {
            Kind::Service => self.catalogue.similar_service(name),
            Kind::Action => self.catalogue.similar_action(service, name),
            Kind::Key => self.catalogue.similar_condition_key(name),
        };
        let found = found.map(str::to_owned);
        self.similar.insert(wanted, found.clone());
        found
    }
}

/// The key, or the part of a tag's key before the tag: all tags have the same answer.
fn family(key: &Arc<str>) -> Arc<str> {
    match key.split_once('/') {
        Some((head, tag)) if !tag.contains(':') => format!("{head}/").into(),
        _ => Arc::clone(key),
    }
}
