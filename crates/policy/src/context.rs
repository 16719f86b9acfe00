//! The request context: condition keys and their values.

use std::borrow::Cow;
use std::sync::Arc;

use crate::case_fold;
use crate::heap;

/// The values of one condition key.
///
/// Whether a key is single-valued or multivalued is a property of the key, not of the
/// number of values at hand: a multivalued key with one value still is multivalued, and
/// a plain operator on it matches nothing (docs/semantics.md#36).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextValue {
    /// A single-valued key.
    One(Arc<str>),
    /// A multivalued key; may be empty.
    Many(Vec<Arc<str>>),
}

impl ContextValue {
    /// All values, as a slice.
    pub fn values(&self) -> &[Arc<str>] {
        match self {
            ContextValue::One(value) => std::slice::from_ref(value),
            ContextValue::Many(values) => values,
        }
    }
}

/// Condition keys with their values. Names are case-insensitive (docs/semantics.md#23); they are lower-cased
/// when set, so that a lookup compares bytes and does not allocate.
///
/// ```
/// use std::sync::Arc;
/// use policy::Context;
///
/// // The keys that follow from the principal are built once per session …
/// let principal = Arc::new(Context::new().set("aws:PrincipalAccount", "111122223333"));
/// // … and each request adds its own.
/// let request = Context::layered(&principal, Context::new().set("aws:SourceIp", "10.0.0.7"));
/// assert_eq!(request.one("AWS:sourceip"), Some("10.0.0.7"));
/// assert_eq!(request.one("aws:principalaccount"), Some("111122223333"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Sorted by lower-case name.
    own: Vec<(Cow<'static, str>, ContextValue)>,
    /// Looked at for keys that `own` lacks.
    base: Option<Arc<Context>>,
}

impl Context {
    /// No keys.
    pub fn new() -> Context {
        Context::default()
    }

    /// No keys, and room for so many.
    #[must_use]
    pub fn with_capacity(keys: usize) -> Context {
        Context {
            own: Vec::with_capacity(keys),
            base: None,
        }
    }

    /// `own` on top of `base`: a key in both has `own`'s value.
    pub fn layered(base: &Arc<Context>, own: Context) -> Context {
        debug_assert!(
            own.base.is_none(),
            "the upper of two layers has no base of its own"
        );
        Context {
            own: own.own,
            base: Some(Arc::clone(base)),
        }
    }

    /// Sets a single-valued key; an earlier value is replaced.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Arc<str>>) -> Context {
        self.insert(name, ContextValue::One(value.into()));
        self
    }

    /// Sets a single-valued key when there is a value.
    #[must_use]
    pub fn set_option(self, name: &str, value: Option<impl Into<Arc<str>>>) -> Context {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Sets a multivalued key; an earlier value is replaced.
    #[must_use]
    pub fn set_list<V: Into<Arc<str>>>(
        mut self,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Context {
        let values = values.into_iter().map(Into::into).collect();
        self.insert(name, ContextValue::Many(values));
        self
    }

    /// Sets a single-valued key whose name is in lower case already, without a copy of the name.
    #[must_use]
    pub fn set_lower(mut self, name: &'static str, value: impl Into<Arc<str>>) -> Context {
        self.insert_lower(name, ContextValue::One(value.into()));
        self
    }

    /// Sets a key in place whose name is in lower case already.
    pub fn insert_lower(&mut self, name: &'static str, value: ContextValue) {
        debug_assert_eq!(case_fold::key(name), name, "a name in lower case");
        self.put(Cow::Borrowed(name), value);
    }

    /// Sets a key in place.
    pub fn insert(&mut self, name: &str, value: ContextValue) {
        self.put(Cow::Owned(case_fold::key(name)), value);
    }

    fn put(&mut self, name: Cow<'static, str>, value: ContextValue) {
        match self.own.binary_search_by(|(own, _)| (**own).cmp(&*name)) {
            Ok(at) => self.own[at].1 = value,
            Err(at) => self.own.insert(at, (name, value)),
        }
    }

    /// All keys at once. The error is the name of a key that is there twice, in any case.
    pub(crate) fn of(keys: Vec<(Arc<str>, ContextValue)>) -> Result<Context, Arc<str>> {
        let lower = |(name, value): (Arc<str>, ContextValue)| (case_fold::key(&name), name, value);
        let mut keys: Vec<_> = keys.into_iter().map(lower).collect();
        keys.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        if let Some(pair) = keys.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Arc::clone(&pair[1].1));
        }
        let own = keys
            .into_iter()
            .map(|(lower, _, value)| (Cow::Owned(lower), value));
        Ok(Context {
            own: own.collect(),
            base: None,
        })
    }

    /// Sets a key unless it is there.
    pub fn insert_missing(&mut self, name: &str, value: ContextValue) {
        if self.get(name).is_none() {
            self.insert(name, value);
        }
    }

    /// The bytes that the context's own keys and values keep on the heap. Values that are shared with
    /// others are counted in full; the base is not counted.
    pub fn heap_bytes(&self) -> usize {
        let keys = self.own.iter().map(|(name, value)| {
            let list = match value {
                ContextValue::One(_) => 0,
                ContextValue::Many(values) => heap::slice(values),
            };
            let values = value.values().iter().map(|value| heap::shared_str(value));
            let name = match name {
                Cow::Borrowed(_) => 0,
                Cow::Owned(name) => heap::allocation(name.capacity()),
            };
            name + list + values.sum::<usize>()
        });
        let entry = std::mem::size_of::<(Cow<'static, str>, ContextValue)>();
        heap::allocation(self.own.capacity() * entry) + keys.sum::<usize>()
    }

    /// The value of a key, whatever the case of `name`.
    pub fn get(&self, name: &str) -> Option<&ContextValue> {
        let lower = name
            .bytes()
            .all(|b| b.is_ascii() && !b.is_ascii_uppercase());
        match lower {
            true => self.get_lower_case(name),
            false => self.get_lower_case(&case_fold::key(name)),
        }
    }

    /// The value of a single-valued key.
    pub fn one(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(ContextValue::One(value)) => Some(value),
            _ => None,
        }
    }

    /// All keys, the upper layer's first; names are in lower case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ContextValue)> {
        let base = self.base.as_deref();
        let own = self.own.iter().map(|(name, value)| (&**name, value));
        own.chain(
            base.into_iter()
                .flat_map(|base| base.own.iter())
                .filter(|(name, _)| self.find_own(name).is_none())
                .map(|(name, value)| (&**name, value)),
        )
    }

    /// Lookup by a name already in lower case: no allocation.
    pub(crate) fn get_lower_case(&self, lower: &str) -> Option<&ContextValue> {
        match self.find_own(lower) {
            Some(value) => Some(value),
            None => self
                .base
                .as_deref()
                .and_then(|base| base.get_lower_case(lower)),
        }
    }

    fn find_own(&self, lower: &str) -> Option<&ContextValue> {
        let at = self
            .own
            .binary_search_by(|(own, _)| (**own).cmp(lower))
            .ok()?;
        Some(&self.own[at].1)
    }
}
