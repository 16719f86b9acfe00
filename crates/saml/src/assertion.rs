//! What an assertion says (SAML 2.0 Core, section 2), and whether it is for here and now.

use jiff::Timestamp;

use crate::Refused;
use crate::names::{ASSERTION, NAME_ID_FORMAT};
use crate::xml::{Element, XmlError};

/// How long after its issue an assertion is taken (STS API Reference, AssumeRoleWithSAML,
/// `ExpiredTokenException`).
pub const AGE_SECONDS_MAX: i64 = 300;
/// How far a provider's clock may be ahead. AWS does not say what it allows.
const SKEW_SECONDS_MAX: i64 = 60;
/// The method of `SubjectConfirmation` for whoever brings the assertion.
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// An assertion whose signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// The provider's entity id.
    pub issuer: String,
    /// Unique at the provider; what single use is kept by.
    pub id: String,
    /// The subject's name; none where the assertion has no `NameID`.
    pub name_id: Option<NameId>,
    /// Where the assertion may be sent to.
    pub recipient: String,
    /// The request that it answers; none where nobody asked for it.
    pub in_response_to: Option<String>,
    /// The attributes in their order; those of one name are joined.
    pub attributes: Vec<Attribute>,
    /// When the provider's own session ends.
    pub session_ends: Option<Timestamp>,
    issued: Timestamp,
    /// The audiences of each restriction.
    audiences: Vec<Vec<String>>,
    /// The times from which it holds.
    not_before: Vec<Timestamp>,
    /// The times at which it is over.
    not_on_or_after: Vec<Timestamp>,
}

/// The subject's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameId {
    /// The name.
    pub value: String,
    /// The format; `…:unspecified` where none is given (SAML 2.0 Core, section 8.3.1).
    pub format: String,
}

impl NameId {
    /// The format without SAML 2.0's prefix, as `saml:sub_type` and `SubjectType` give it (IAM User
    /// Guide, "Available keys for SAML-based AWS STS federation").
    #[must_use]
    pub fn subject_type(&self) -> &str {
        self.format
            .strip_prefix(NAME_ID_FORMAT)
            .unwrap_or(&self.format)
    }
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its `Name`, a URI.
    pub name: String,
    /// The texts of its values.
    pub values: Vec<String>,
}

/// Where and when an assertion is presented.
#[derive(Clone, Copy)]
#[allow(
    missing_debug_implementations,
    reason = "functions have nothing to show"
)]
pub struct Presented<'p> {
    /// Now.
    pub now: Timestamp,
    /// Whether a text names this server as an audience.
    pub is_audience: &'p dyn Fn(&str) -> bool,
    /// Whether a URL is an endpoint of this server.
    pub is_recipient: &'p dyn Fn(&str) -> bool,
}

impl Assertion {
    /// Reads a verified `Assertion` element.
    pub(crate) fn read(element: &Element) -> Result<Assertion, Refused> {
        if !element.name.is(ASSERTION, "Assertion") || element.attribute("Version") != Some("2.0") {
            return Err(Refused::Malformed("the assertion is not one of SAML 2.0"));
        }
        let subject = element.one(ASSERTION, "Subject")?;
        let name_id = subject
            .at_most_one(ASSERTION, "NameID")?
            .map(|name| NameId {
                value: name.text.trim().to_owned(),
                format: name
                    .attribute("Format")
                    .unwrap_or("urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified")
                    .to_owned(),
            });
        // Exactly one, with both attributes (IAM User Guide, "Configure SAML assertions for the
        // authentication response").
        let confirmation = subject.one(ASSERTION, "SubjectConfirmation")?;
        if confirmation.attribute("Method") != Some(BEARER) {
            return Err(Refused::Malformed("the assertion is not for its bearer"));
        }
        let data = confirmation.one(ASSERTION, "SubjectConfirmationData")?;
        let missing = Refused::Malformed("SubjectConfirmationData lacks Recipient or NotOnOrAfter");
        let recipient = data.attribute("Recipient").ok_or(missing)?.to_owned();
        let mut not_on_or_after = vec![time(data.attribute("NotOnOrAfter").ok_or(missing)?)?];
        let mut not_before: Vec<Timestamp> = times(data.attribute("NotBefore"))?;

        let mut audiences = Vec::new();
        if let Some(conditions) = element.at_most_one(ASSERTION, "Conditions")? {
            not_before.extend(times(conditions.attribute("NotBefore"))?);
            not_on_or_after.extend(times(conditions.attribute("NotOnOrAfter"))?);
            for restriction in conditions.all(ASSERTION, "AudienceRestriction") {
                let names = restriction.all(ASSERTION, "Audience");
                audiences.push(names.map(|name| name.text.trim().to_owned()).collect());
            }
        }
        let mut session_ends: Option<Timestamp> = None;
        for statement in element.all(ASSERTION, "AuthnStatement") {
            for end in times(statement.attribute("SessionNotOnOrAfter"))? {
                session_ends = Some(session_ends.map_or(end, |other| other.min(end)));
            }
        }
        let id = element.attribute("ID").unwrap_or_default();
        let issued = element.attribute("IssueInstant").unwrap_or_default();
        Ok(Assertion {
            issuer: element.one(ASSERTION, "Issuer")?.text.trim().to_owned(),
            id: id.to_owned(),
            name_id: name_id.filter(|name| !name.value.is_empty()),
            recipient,
            in_response_to: data.attribute("InResponseTo").map(str::to_owned),
            attributes: attributes(element),
            session_ends,
            issued: time(issued)?,
            audiences,
            not_before,
            not_on_or_after,
        })
    }

    /// Whether the assertion is for here and now: issued within five minutes, within its own times,
    /// for this audience, sent to this recipient.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn check(&self, presented: &Presented<'_>) -> Result<(), Refused> {
        let seconds = |time: Timestamp| time.as_second();
        let now = seconds(presented.now);
        if now - seconds(self.issued) > AGE_SECONDS_MAX
            || self.not_on_or_after.iter().any(|end| now >= seconds(*end))
            || self.session_ends.is_some_and(|end| now >= seconds(end))
        {
            return Err(Refused::Expired);
        }
        let mut starts = self.not_before.iter().chain([&self.issued]);
        if starts.any(|start| seconds(*start) - now > SKEW_SECONDS_MAX) {
            return Err(Refused::NotYet);
        }
        // Every restriction must hold, and there must be one (SAML 2.0 Core, section 2.5.1.4).
        let is_audience = |names: &Vec<String>| names.iter().any(|n| (presented.is_audience)(n));
        if self.audiences.is_empty() || !self.audiences.iter().all(is_audience) {
            return Err(Refused::Audience);
        }
        if !(presented.is_recipient)(&self.recipient) {
            return Err(Refused::Recipient);
        }
        Ok(())
    }

    /// The last moment at which [`Assertion::check`] may pass: until then, single use is remembered.
    #[must_use]
    pub fn usable_until(&self) -> Timestamp {
        let by_age = Timestamp::from_second(self.issued.as_second() + AGE_SECONDS_MAX + 1);
        let by_age = by_age.unwrap_or(Timestamp::MAX);
        self.not_on_or_after
            .iter()
            .fold(by_age, |end, other| end.min(*other))
    }

    /// The values of an attribute.
    #[must_use]
    pub fn values(&self, name: &str) -> &[String] {
        let found = self
            .attributes
            .iter()
            .find(|attribute| attribute.name == name);
        found.map_or(&[], |attribute| &attribute.values)
    }
}

fn attributes(element: &Element) -> Vec<Attribute> {
    let mut attributes: Vec<Attribute> = Vec::new();
    let statements = element.all(ASSERTION, "AttributeStatement");
    for attribute in statements.flat_map(|statement| statement.all(ASSERTION, "Attribute")) {
        let name = attribute.attribute("Name").unwrap_or_default();
        let values = attribute.all(ASSERTION, "AttributeValue");
        let values = values.map(|value| value.text.clone());
        match attributes.iter_mut().find(|other| other.name == name) {
            Some(other) => other.values.extend(values),
            None => attributes.push(Attribute {
                name: name.to_owned(),
                values: values.collect(),
            }),
        }
    }
    attributes
}

fn times(text: Option<&str>) -> Result<Vec<Timestamp>, XmlError> {
    text.into_iter().map(time).collect()
}

/// `xs:dateTime` in UTC (SAML 2.0 Core, section 1.3.3). A fraction counts.
fn time(text: &str) -> Result<Timestamp, XmlError> {
    let parsed = text.parse();
    parsed.map_err(|_| XmlError("a time cannot be read"))
}
