//! The condition operators' names (docs/semantics.md#41).
//!
//! Source: UG reference_policies_elements_condition_operators.

/// What is compared, negation and decorations aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Compare),
    Date(Compare),
    Bool,
    Binary,
    Ip,
    Arn,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

impl Compare {
    pub fn holds<T: Ord>(self, have: &T, want: &T) -> bool {
        match self {
            Compare::Equals => have == want,
            Compare::LessThan => have < want,
            Compare::LessThanEquals => have <= want,
            Compare::GreaterThan => have > want,
            Compare::GreaterThanEquals => have >= want,
        }
    }
}

/// How the values of a multivalued key are quantified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    None,
    ForAllValues,
    ForAnyValue,
}

/// A condition operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    pub test: Test,
    pub negated: bool,
    pub if_exists: bool,
    pub quantifier: Quantifier,
}

impl Operator {
    /// Reads an operator's name; `None` when there is no such operator, `NullIfExists`
    /// among them (docs/semantics.md#37).
    pub fn parse(name: &str) -> Option<Operator> {
        let (quantifier, name) = if let Some(name) = name.strip_prefix("ForAllValues:") {
            (Quantifier::ForAllValues, name)
        } else if let Some(name) = name.strip_prefix("ForAnyValue:") {
            (Quantifier::ForAnyValue, name)
        } else {
            (Quantifier::None, name)
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (test, negated) = match name {
            "StringEquals" => (Test::StringEquals, false),
            "StringNotEquals" => (Test::StringEquals, true),
            "StringEqualsIgnoreCase" => (Test::StringEqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Test::StringEqualsIgnoreCase, true),
            "StringLike" => (Test::StringLike, false),
            "StringNotLike" => (Test::StringLike, true),
            "NumericEquals" => (Test::Numeric(Compare::Equals), false),
            "NumericNotEquals" => (Test::Numeric(Compare::Equals), true),
            "NumericLessThan" => (Test::Numeric(Compare::LessThan), false),
            "NumericLessThanEquals" => (Test::Numeric(Compare::LessThanEquals), false),
            "NumericGreaterThan" => (Test::Numeric(Compare::GreaterThan), false),
            "NumericGreaterThanEquals" => (Test::Numeric(Compare::GreaterThanEquals), false),
            "DateEquals" => (Test::Date(Compare::Equals), false),
            "DateNotEquals" => (Test::Date(Compare::Equals), true),
            "DateLessThan" => (Test::Date(Compare::LessThan), false),
            "DateLessThanEquals" => (Test::Date(Compare::LessThanEquals), false),
            "DateGreaterThan" => (Test::Date(Compare::GreaterThan), false),
            "DateGreaterThanEquals" => (Test::Date(Compare::GreaterThanEquals), false),
            "Bool" => (Test::Bool, false),
            "BinaryEquals" => (Test::Binary, false),
            "IpAddress" => (Test::Ip, false),
            "NotIpAddress" => (Test::Ip, true),
            "ArnEquals" | "ArnLike" => (Test::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
            "Null" if !if_exists => (Test::Null, false),
            _ => return None,
        };
        Some(Operator {
            test,
            negated,
            if_exists,
            quantifier,
        })
    }
}
