//! The shape tables: what a service model says about a type, as data.
//!
//! One interpreter reads these tables to decode, validate and encode, so the
//! operations need no code of their own beyond their Rust types.

use crate::pattern::Pattern;

/// A type of a service model: its name, its kind with its limits, and whether
/// its values are secrets.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The model's own name (`RepositoryName`, `statusType`).
    pub name: &'static str,
    /// Its kind, with its members.
    pub kind: Kind,
    /// Smallest length (strings: characters; blobs: bytes; lists and maps: entries) or value.
    pub min: Option<i64>,
    /// Largest length or value, counted as for `min`.
    pub max: Option<i64>,
    /// The regular expression that a whole string must match.
    pub pattern: Option<&'static Pattern>,
    /// The values a string may have; empty if any.
    pub values: &'static [&'static str],
    /// Values are never printed: not in Debug, messages or audit events.
    pub sensitive: bool,
    /// A timestamp is written as ISO 8601 where its protocol's default is another form.
    pub iso8601: bool,
}

/// The kinds of types in the models.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text, also for enumerations.
    String,
    /// Bytes, base64 on both wires.
    Blob,
    /// true or false.
    Boolean,
    /// A 32-bit whole number.
    Integer,
    /// A 64-bit whole number.
    Long,
    /// A 64-bit floating point number.
    Double,
    /// An instant: epoch seconds in JSON, ISO 8601 in XML.
    Timestamp,
    /// A list of one shape; `Tags.member.1` in the Query form.
    List(&'static Shape),
    /// A map from one (string) shape to another; `entry.1.key` in the Query form.
    Map(&'static Shape, &'static Shape),
    /// Named members, in the model's order.
    Structure(&'static [Member]),
}

/// A member of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name on both wires.
    pub name: &'static str,
    /// Whether it is required.
    pub required: bool,
    /// Whether it is a secret, by its shape or by its place (a session token).
    pub sensitive: bool,
    /// Its type.
    pub shape: &'static Shape,
    /// Where it is in an HTTP message.
    pub binding: Binding,
}

/// Where a member of an input is in an HTTP request: only restJson1 has others than the body (Smithy, "HTTP
/// bindings").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// In the body.
    Body,
    /// In the path, as the label of this name.
    Label(&'static str),
    /// In the query, as the parameter of this name.
    Query(&'static str),
    /// In the header of this name, which is in lower case.
    Header(&'static str),
}

impl Member {
    /// A required member.
    pub const fn required(name: &'static str, shape: &'static Shape) -> Self {
        Self {
            name,
            required: true,
            sensitive: shape.sensitive,
            shape,
            binding: Binding::Body,
        }
    }

    /// An optional member.
    pub const fn optional(name: &'static str, shape: &'static Shape) -> Self {
        Self {
            name,
            required: false,
            sensitive: shape.sensitive,
            shape,
            binding: Binding::Body,
        }
    }

    /// The same member, its values never printed.
    pub const fn secret(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// The same member, outside the body.
    pub const fn bound(mut self, binding: Binding) -> Self {
        self.binding = binding;
        self
    }
}

impl Shape {
    /// A shape of a kind, without limits.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            min: None,
            max: None,
            pattern: None,
            values: &[],
            sensitive: false,
            iso8601: false,
        }
    }

    /// The same shape with a lower limit.
    pub const fn min(mut self, min: i64) -> Self {
        self.min = Some(min);
        self
    }

    /// The same shape with an upper limit.
    pub const fn max(mut self, max: i64) -> Self {
        self.max = Some(max);
        self
    }

    /// The same shape with a pattern.
    pub const fn pattern(mut self, pattern: &'static Pattern) -> Self {
        self.pattern = Some(pattern);
        self
    }

    /// The same shape with a closed set of values.
    pub const fn values(mut self, values: &'static [&'static str]) -> Self {
        self.values = values;
        self
    }

    /// The same shape, its values never printed.
    pub const fn secret(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// The same shape, its timestamps written as ISO 8601.
    pub const fn iso8601(mut self) -> Self {
        self.iso8601 = true;
        self
    }

    /// The members of a structure; none for any other kind.
    pub const fn members(&self) -> &'static [Member] {
        match self.kind {
            Kind::Structure(members) => members,
            _ => &[],
        }
    }
}

/// The shape of an operation's absent input or output.
pub static UNIT: Shape = Shape::new("Unit", Kind::Structure(&[]));
