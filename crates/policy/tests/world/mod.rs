//! Scenarios composed from bytes: requests of every kind of principal, with every type of
//! policy, of what the reference evaluator knows ([`super::reference`]).
//!
//! Patterns and values are joined from fragments, so that a changed byte changes one fragment.
//! The property tests and the fuzz targets compose with the same code.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

mod words;

use words::*;

pub type Bytes<'a, 'b> = &'a mut Unstructured<'b>;

/// What a request is about. Statements of its policies are mostly about the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Repository,
    /// `sts:AssumeRole…`: the resource policy is a trust policy.
    Role,
    /// A KMS key, whose policy must allow.
    Key,
    /// An S3 object, whose ARN names no account.
    Object,
    /// A managed policy of AWS's.
    ManagedPolicy,
    /// A list action of IAM, which is asked with a resource that has no name (docs/semantics.md#52).
    List,
    /// `sts:GetCallerIdentity`, which needs no permission.
    Oneself,
}

/// Where a statement stands: it decides which elements it has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Identity,
    Resource,
    Trust,
    ResourceControl,
}

impl Place {
    /// Where the resource policy of a request about `subject` stands.
    pub fn of_resource_policy(subject: Subject) -> Place {
        match subject {
            Subject::Role => Place::Trust,
            _ => Place::Resource,
        }
    }

    fn names_principals(self) -> bool {
        self != Place::Identity
    }
}

/// A request with its policies, and what it is about.
pub fn scenario(bytes: Bytes<'_, '_>) -> Result<(Value, Subject)> {
    let subject = *bytes.choose(&[
        Subject::Repository,
        Subject::Repository,
        Subject::Repository,
        Subject::Repository,
        Subject::Role,
        Subject::Role,
        Subject::Key,
        Subject::Object,
        Subject::ManagedPolicy,
        Subject::List,
        Subject::Oneself,
    ])?;
    let mut scenario = json!({ "request": request(bytes, subject)? });
    if bytes.ratio(9, 10)? {
        scenario["identityPolicies"] = documents(bytes, subject, Place::Identity, 0)?;
    }
    if bytes.ratio(3, 10)? {
        scenario["permissionsBoundary"] = document(bytes, subject, Place::Identity)?;
    }
    if bytes.ratio(3, 10)? {
        scenario["sessionPolicies"] = documents(bytes, subject, Place::Identity, 0)?;
    }
    if bytes.ratio(6, 10)? {
        let place = Place::of_resource_policy(subject);
        scenario["resourcePolicy"] = document(bytes, subject, place)?;
    }
    if bytes.ratio(2, 10)? {
        scenario["serviceControlPolicies"] = levels(bytes, subject, Place::Identity)?;
        scenario["managementAccount"] = bytes.ratio(1, 5)?.into();
    }
    if bytes.ratio(2, 10)? {
        scenario["resourceControlPolicies"] = levels(bytes, subject, Place::ResourceControl)?;
    }
    Ok((scenario, subject))
}

fn request(bytes: Bytes<'_, '_>, subject: Subject) -> Result<Value> {
    let who = bytes.choose(WHO)?;
    let account = *bytes.choose(&["111122223333", "111122223333", "444455556666"])?;
    let resource = match subject {
        Subject::Repository => {
            let region = *bytes.choose(&["us-east-1", "eu-west-1"])?;
            let name = joined(bytes, ASKED_PARTS, 4)?;
            format!("arn:aws:ecr:{region}:{account}:repository/{name}")
        }
        Subject::Role => {
            let role =
                bytes.choose(&["dep", "dep", "dep", "aws-service-role/x.amazonaws.com/s"])?;
            format!("arn:aws:iam::{account}:role/{role}")
        }
        Subject::Key => format!("arn:aws:kms:us-east-1:{account}:key/k1"),
        Subject::Object => "arn:aws:s3:::bucket/ana/x".into(),
        Subject::ManagedPolicy => "arn:aws:iam::aws:policy/ReadOnlyAccess".into(),
        Subject::List => format!("arn:aws:iam::{account}:role/"),
        Subject::Oneself => "*".into(),
    };
    let mut request = json!({
        "principal": who.principal,
        "action": bytes.choose(subject.asked())?,
        "resource": resource,
        "context": context(bytes)?,
    });
    if subject == Subject::Object || bytes.ratio(1, 8)? {
        request["resourceAccount"] = account.into();
    }
    let behind = [
        ("principalRoleArn", who.role),
        ("principalUserArn", who.user),
        ("principalId", who.id),
    ];
    for (field, value) in behind {
        if let Some(value) = value {
            request[field] = value.into();
        }
    }
    Ok(request)
}

fn context(bytes: Bytes<'_, '_>) -> Result<Value> {
    let mut context = Map::new();
    for (key, values) in CONTEXT {
        let value = match bytes.int_in_range(0..=4)? {
            0 | 1 => continue,
            2 | 3 => json!(bytes.choose(values)?),
            _ => {
                let count = bytes.int_in_range(0..=3)?;
                let chosen: Result<Vec<_>> = (0..count).map(|_| bytes.choose(values)).collect();
                json!(chosen?)
            }
        };
        context.insert((*key).to_owned(), value);
    }
    Ok(Value::Object(context))
}

fn levels(bytes: Bytes<'_, '_>, subject: Subject, place: Place) -> Result<Value> {
    let count = bytes.int_in_range(1..=2)?;
    let levels: Result<Vec<_>> = (0..count)
        .map(|_| documents(bytes, subject, place, 1))
        .collect();
    Ok(levels?.into())
}

fn documents(
    bytes: Bytes<'_, '_>,
    subject: Subject,
    place: Place,
    count_min: usize,
) -> Result<Value> {
    let count = bytes.int_in_range(count_min..=2)?;
    let documents: Result<Vec<_>> = (0..count)
        .map(|_| document(bytes, subject, place))
        .collect();
    Ok(documents?.into())
}

fn document(bytes: Bytes<'_, '_>, subject: Subject, place: Place) -> Result<Value> {
    let version = *bytes.choose(&["2012-10-17", "2012-10-17", "2008-10-17", ""])?;
    let count = bytes.int_in_range(1..=4)?;
    let statements: Result<Vec<_>> = (0..count)
        .map(|_| {
            let effect = if bytes.ratio(1, 4)? { "Deny" } else { "Allow" };
            statement(bytes, subject, place, effect)
        })
        .collect();
    let mut document = json!({ "Statement": statements? });
    if !version.is_empty() {
        document["Version"] = version.into();
    }
    Ok(document)
}

/// One statement.
pub fn statement(
    bytes: Bytes<'_, '_>,
    subject: Subject,
    place: Place,
    effect: &str,
) -> Result<Value> {
    let mut statement = Map::new();
    statement.insert("Effect".into(), effect.into());
    let name = negated(bytes, "Action")?;
    let actions = some(bytes, |bytes| subject.action(bytes))?;
    statement.insert(name, actions);
    // What a resource's own policy is about goes without saying.
    let implied = match place {
        Place::Identity | Place::ResourceControl => false,
        Place::Resource => bytes.ratio(1, 4)?,
        Place::Trust => true,
    };
    if !implied {
        let name = negated(bytes, "Resource")?;
        let resources = some(bytes, |bytes| subject.resource(bytes))?;
        statement.insert(name, resources);
    }
    if place.names_principals() {
        // With Allow and in trust policies it is refused (docs/semantics.md#18).
        let not = effect == "Deny" && place != Place::Trust && bytes.ratio(1, 3)?;
        let name = if not { "NotPrincipal" } else { "Principal" };
        statement.insert(name.into(), principals(bytes, place)?);
    }
    if bytes.ratio(1, 2)? {
        let mut operators = Map::new();
        for _ in 0..bytes.int_in_range(1..=2)? {
            let (operator, keys) = condition(bytes)?;
            operators.insert(operator, keys);
        }
        statement.insert("Condition".into(), Value::Object(operators));
    }
    Ok(Value::Object(statement))
}

fn principals(bytes: Bytes<'_, '_>, place: Place) -> Result<Value> {
    let named = |bytes: Bytes<'_, '_>, names: &'static [&'static str]| {
        some(bytes, |bytes| Ok((*bytes.choose(names)?).to_owned()))
    };
    let services = match place {
        // No trust policy trusts every service.
        Place::Trust => &SERVICES[1..],
        _ => SERVICES,
    };
    Ok(match bytes.int_in_range(0..=9)? {
        0 => "*".into(),
        1 => json!({ "Service": named(bytes, services)? }),
        2 => json!({ "AWS": named(bytes, NAMED)?, "Service": named(bytes, services)? }),
        3 => json!({ "Federated": named(bytes, PROVIDERS)? }),
        _ => json!({ "AWS": named(bytes, NAMED)? }),
    })
}

/// An operator and its keys, as they stand in a `Condition` block.
pub fn condition(bytes: Bytes<'_, '_>) -> Result<(String, Value)> {
    let quantifier = *bytes.choose(&["", "", "ForAllValues:", "ForAnyValue:"])?;
    let operator = *bytes.choose(OPERATORS)?;
    let exists = operator != "Null" && bytes.ratio(1, 3)?;
    let exists = if exists { "IfExists" } else { "" };
    let mut keys = Map::new();
    for _ in 0..bytes.int_in_range(1..=2)? {
        let key = *bytes.choose(KEYS)?;
        // The same key in two letter cases is refused (docs/semantics.md#37).
        if !keys
            .keys()
            .any(|known: &String| known.eq_ignore_ascii_case(key))
        {
            let values = match bytes.ratio(1, 16)? {
                true => json!([]),
                false => some(bytes, |bytes| value(bytes, operator))?,
            };
            keys.insert(key.to_owned(), values);
        }
    }
    let name = format!("{quantifier}{operator}{exists}");
    Ok((name, Value::Object(keys)))
}

fn value(bytes: Bytes<'_, '_>, operator: &str) -> Result<String> {
    if operator.starts_with("Date") {
        // Others are refused (docs/semantics.md#38).
        return Ok((*bytes.choose(DATES)?).to_owned());
    }
    if operator == "BinaryEquals" {
        return Ok((*bytes.choose(BYTES)?).to_owned());
    }
    if bytes.ratio(1, 3)? {
        return joined(bytes, NAME_PARTS, 3);
    }
    Ok((*bytes.choose(VALUES)?).to_owned())
}

impl Subject {
    /// Actions that are asked for.
    fn asked(self) -> &'static [&'static str] {
        match self {
            Subject::Repository => &["ecr:PutImage", "ecr:GetImage", "ECR:putImage"],
            Subject::Role => &[
                "sts:AssumeRole",
                "sts:TagSession",
                "sts:AssumeRoleWithWebIdentity",
            ],
            Subject::Key => &["kms:Decrypt", "kms:Decrypt", "kms:RetireGrant"],
            Subject::Object => &["s3:GetObject"],
            Subject::ManagedPolicy => &["iam:GetPolicy"],
            Subject::List => &["iam:ListRoles"],
            Subject::Oneself => &["sts:GetCallerIdentity", "sts:getSessionToken"],
        }
    }

    /// An entry of `Action`.
    pub fn action(self, bytes: Bytes<'_, '_>) -> Result<String> {
        if self != Subject::Repository && bytes.ratio(4, 5)? {
            let action = *bytes.choose(self.asked())?;
            let (service, name) = action.split_once(':').unwrap_or((action, ""));
            return Ok(match bytes.int_in_range(0..=3)? {
                0 => format!("{service}:*"),
                1 => format!("{}:{}*", service.to_uppercase(), &name[..3]),
                _ => action.to_owned(),
            });
        }
        if bytes.ratio(1, 8)? {
            return Ok("*".into());
        }
        let service = *bytes.choose(&["ecr", "ECR", "ecr", "ec?", "iam"])?;
        let mut name = joined(bytes, ACTION_PARTS, 3)?;
        if name.is_empty() {
            name.push('*');
        }
        Ok(format!("{service}:{name}"))
    }

    /// An entry of `Resource`.
    pub fn resource(self, bytes: Bytes<'_, '_>) -> Result<String> {
        let patterns: &[&str] = match self {
            Subject::Repository => &[],
            Subject::Role => &[
                "arn:aws:iam::111122223333:role/dep",
                "arn:aws:iam::*:role/*",
            ],
            Subject::Key => &["arn:aws:kms:*:111122223333:key/k?", "arn:aws:kms:*"],
            Subject::Object => &[
                "arn:aws:s3:::bucket/*",
                "arn:aws:s3:::bucket/${aws:username}/x",
                "arn:aws:s3:::*/x",
            ],
            Subject::ManagedPolicy => &["arn:aws:iam::aws:policy/*"],
            Subject::List => &[
                "arn:aws:iam::*:role/*",
                "arn:aws:iam::111122223333:role/",
                "arn:aws:iam::111122223333:role/ci",
            ],
            Subject::Oneself => &["*"],
        };
        if !patterns.is_empty() && bytes.ratio(1, 2)? {
            return Ok((*bytes.choose(patterns)?).to_owned());
        }
        if bytes.ratio(1, if patterns.is_empty() { 8 } else { 2 })? {
            return Ok("*".into());
        }
        if bytes.ratio(1, 10)? {
            return Ok((*bytes.choose(INCOMPLETE_ARNS)?).to_owned());
        }
        let region = *bytes.choose(REGIONS)?;
        let account = *bytes.choose(ACCOUNTS)?;
        let kind = *bytes.choose(&["repository/", "repository/", "*", "r?pository/", ""])?;
        let name = joined(bytes, NAME_PARTS, 5)?;
        Ok(format!("arn:aws:ecr:{region}:{account}:{kind}{name}"))
    }
}

/// The name of an element, sometimes of its `Not` form.
pub fn negated(bytes: Bytes<'_, '_>, name: &str) -> Result<String> {
    let not = if bytes.ratio(1, 5)? { "Not" } else { "" };
    Ok(format!("{not}{name}"))
}

/// One to three, one without a list.
pub fn some(
    bytes: Bytes<'_, '_>,
    make: impl Fn(&mut Unstructured<'_>) -> Result<String>,
) -> Result<Value> {
    let count = bytes.int_in_range(1..=3)?;
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        values.push(make(bytes)?);
    }
    Ok(match values.as_slice() {
        [one] => json!(one),
        many => json!(many),
    })
}

/// Up to `count_max` of the parts, joined.
pub fn joined(bytes: Bytes<'_, '_>, parts: &[&str], count_max: usize) -> Result<String> {
    let count = bytes.int_in_range(0..=count_max)?;
    (0..count).map(|_| Ok(*bytes.choose(parts)?)).collect()
}
