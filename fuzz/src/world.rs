//! Scenarios and documents composed from bytes.
//!
//! [`scenario`] keeps to what the reference evaluator knows (its page says what that is) and
//! composes patterns and values from fragments, so that a mutation moves one fragment.
//! [`wild_document`] keeps to nothing but the shape of a document.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

type Bytes<'a, 'b> = &'a mut Unstructured<'b>;

const PRINCIPALS: &[&str] = &[
    "arn:aws:iam::111122223333:user/ana",
    "arn:aws:iam::111122223333:user/team/ana",
    "arn:aws:iam::111122223333:root",
    "arn:aws:sts::111122223333:assumed-role/ci/job1",
    "arn:aws:sts::111122223333:federated-user/guest",
    "arn:aws:iam::444455556666:user/ana",
    "arn:aws:iam::444455556666:root",
    "arn:aws:sts::444455556666:assumed-role/ci/job1",
];

const NAMED: &[&str] = &[
    "*",
    "111122223333",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:user/ana",
    "arn:aws:iam::111122223333:user/team/ana",
    "arn:aws:iam::111122223333:role/ci",
    "arn:aws:sts::111122223333:assumed-role/ci/job1",
    "arn:aws:sts::111122223333:federated-user/guest",
    "444455556666",
    "arn:aws:iam::444455556666:user/ana",
    "arn:aws:iam::444455556666:role/ci",
    "arn:aws:sts::444455556666:assumed-role/ci/job1",
];

const ACTION_PARTS: &[&str] = &[
    "Put", "Get", "Image", "*", "?", "put", "GET", "mage", "Batch",
];

const REGIONS: &[&str] = &["us-east-1", "*", "us-*-1", "?s-east-1", "eu-west-1", ""];

const ACCOUNTS: &[&str] = &["111122223333", "*", "1111*", "${aws:PrincipalAccount}", ""];

const NAME_PARTS: &[&str] = &[
    "app",
    "ana",
    "a",
    "red",
    "/",
    "-",
    "x",
    "*",
    "*",
    "?",
    "A",
    "é",
    "${*}",
    "${?}",
    "${$}",
    "${aws:username}",
    "${aws:PrincipalTag/team}",
    "${aws:PrincipalTag/team, 'app'}",
    "${AWS:USERNAME}",
    "${aws:TagKeys}",
    "${x:absent}",
    "${x:absent, 'a*'}",
    "${x:star}",
];

const ASKED_PARTS: &[&str] = &[
    "app",
    "ana",
    "a",
    "red",
    "/",
    "-",
    "x",
    "*",
    "?",
    "$",
    "A",
    "é",
    "${aws:username}",
];

const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "Bool",
    "IpAddress",
    "NotIpAddress",
    "ArnLike",
    "ArnNotLike",
    "ArnEquals",
    "ArnNotEquals",
    "Null",
];

const KEYS: &[&str] = &[
    "aws:username",
    "aws:PrincipalArn",
    "AWS:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalType",
    "aws:userid",
    "aws:TagKeys",
    "aws:ResourceTag/Team",
    "aws:SourceIp",
    "aws:PrincipalTag/team",
    "x:count",
    "x:star",
    "aws:MultiFactorAuthPresent",
    "x:absent",
];

/// What a condition may ask for beside composed names.
const VALUES: &[&str] = &[
    "ana",
    "A*",
    "red",
    "Red",
    "*",
    "?",
    "",
    "5",
    "5.0",
    "-3",
    "12.5",
    "true",
    "false",
    "10.0.0.0/8",
    "10.0.0.7",
    "10.0.0.7/32",
    "0.0.0.0/0",
    "192.168.0.0/16",
    "User",
    "AssumedRole",
    "111122223333",
    "arn:aws:iam::*:user/*",
    "arn:aws:iam::111122223333:role/ci",
    "arn:aws:iam::*role/ci",
    "arn:*",
    "arn:aws:iam::*:*",
    "arn:aws:iam::111122223333:user/ana",
];

/// The context's keys, each at most once, with the values it may have.
const CONTEXT: &[(&str, &[&str])] = &[
    (
        "aws:SourceIp",
        &["10.0.0.7", "192.168.0.1", "1.2.3.4", "none"],
    ),
    ("aws:ResourceTag/team", &["red", "Red", "", "*"]),
    (
        "aws:PrincipalTag/Team",
        &["red", "app", "*", "a?a", "${aws:username}"],
    ),
    ("x:count", &["5", "12.5", "-3", "many"]),
    ("X:Star", &["*", "a*", "", "?"]),
    ("aws:MultiFactorAuthPresent", &["true", "TRUE", "false"]),
    ("aws:TagKeys", &["a", "red", "", "ana", "5", "*"]),
];

/// A request with its policies, as the reference evaluator reads it.
pub fn scenario(bytes: Bytes<'_, '_>) -> Result<Value> {
    let principal = *bytes.choose(PRINCIPALS)?;
    let account = *bytes.choose(&["111122223333", "111122223333", "444455556666"])?;
    let region = *bytes.choose(&["us-east-1", "eu-west-1"])?;
    let name = joined(bytes, ASKED_PARTS, 4)?;
    let mut request = json!({
        "principal": principal,
        "action": bytes.choose(&["ecr:PutImage", "ecr:GetImage", "ECR:putImage"])?,
        "resource": format!("arn:aws:ecr:{region}:{account}:repository/{name}"),
        "context": context(bytes)?,
    });
    if principal.contains(":federated-user/") {
        request["principalUserArn"] = "arn:aws:iam::111122223333:user/ana".into();
    }
    let mut scenario = json!({ "request": request });
    if bytes.ratio(9, 10)? {
        scenario["identityPolicies"] = documents(bytes, false, 0)?;
    }
    if bytes.ratio(3, 10)? {
        scenario["permissionsBoundary"] = document(bytes, false)?;
    }
    if bytes.ratio(3, 10)? {
        scenario["sessionPolicies"] = documents(bytes, false, 0)?;
    }
    if bytes.ratio(6, 10)? {
        scenario["resourcePolicy"] = document(bytes, true)?;
    }
    if bytes.ratio(2, 10)? {
        scenario["serviceControlPolicies"] = levels(bytes, false)?;
    }
    if bytes.ratio(2, 10)? {
        scenario["resourceControlPolicies"] = levels(bytes, true)?;
    }
    Ok(scenario)
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

fn levels(bytes: Bytes<'_, '_>, with_principal: bool) -> Result<Value> {
    let count = bytes.int_in_range(1..=2)?;
    let levels: Result<Vec<_>> = (0..count)
        .map(|_| documents(bytes, with_principal, 1))
        .collect();
    Ok(levels?.into())
}

fn documents(bytes: Bytes<'_, '_>, with_principal: bool, count_min: usize) -> Result<Value> {
    let count = bytes.int_in_range(count_min..=2)?;
    let documents: Result<Vec<_>> = (0..count)
        .map(|_| document(bytes, with_principal))
        .collect();
    Ok(documents?.into())
}

fn document(bytes: Bytes<'_, '_>, with_principal: bool) -> Result<Value> {
    let version = *bytes.choose(&["2012-10-17", "2012-10-17", "2008-10-17", ""])?;
    let count = bytes.int_in_range(1..=4)?;
    let statements: Result<Vec<_>> = (0..count)
        .map(|_| statement(bytes, with_principal))
        .collect();
    let mut document = json!({ "Statement": statements? });
    if !version.is_empty() {
        document["Version"] = version.into();
    }
    Ok(document)
}

fn statement(bytes: Bytes<'_, '_>, with_principal: bool) -> Result<Value> {
    let mut statement = Map::new();
    let deny = bytes.ratio(1, 4)?;
    let effect = if deny { "Deny" } else { "Allow" };
    statement.insert("Effect".into(), effect.into());
    let name = negated(bytes, "Action")?;
    statement.insert(name, some(bytes, action)?);
    // A resource policy need not repeat what it is attached to.
    let name = negated(bytes, "Resource")?;
    statement.insert(name, some(bytes, resource)?);
    if with_principal {
        // With Allow it is refused (row 18).
        let not = deny && bytes.ratio(1, 3)?;
        let name = if not { "NotPrincipal" } else { "Principal" };
        let named = some(bytes, |bytes| Ok((*bytes.choose(NAMED)?).to_owned()))?;
        statement.insert(name.into(), json!({ "AWS": named }));
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

fn negated(bytes: Bytes<'_, '_>, name: &str) -> Result<String> {
    let not = if bytes.ratio(1, 5)? { "Not" } else { "" };
    Ok(format!("{not}{name}"))
}

fn action(bytes: Bytes<'_, '_>) -> Result<String> {
    if bytes.ratio(1, 8)? {
        return Ok("*".into());
    }
    let service = *bytes.choose(&["ecr", "ECR", "ecr", "iam"])?;
    let mut name = joined(bytes, ACTION_PARTS, 3)?;
    if name.is_empty() {
        name.push('*');
    }
    Ok(format!("{service}:{name}"))
}

fn resource(bytes: Bytes<'_, '_>) -> Result<String> {
    if bytes.ratio(1, 8)? {
        return Ok("*".into());
    }
    let region = *bytes.choose(REGIONS)?;
    let account = *bytes.choose(ACCOUNTS)?;
    let kind = *bytes.choose(&["repository/", "repository/", "*", "r?pository/", ""])?;
    let name = joined(bytes, NAME_PARTS, 5)?;
    Ok(format!("arn:aws:ecr:{region}:{account}:{kind}{name}"))
}

fn condition(bytes: Bytes<'_, '_>) -> Result<(String, Value)> {
    let quantifier = *bytes.choose(&["", "", "ForAllValues:", "ForAnyValue:"])?;
    let operator = *bytes.choose(OPERATORS)?;
    let exists = operator != "Null" && bytes.ratio(1, 3)?;
    let exists = if exists { "IfExists" } else { "" };
    let mut keys = Map::new();
    for _ in 0..bytes.int_in_range(1..=2)? {
        let key = *bytes.choose(KEYS)?;
        // The same key in two letter cases is refused (row 37).
        if !keys
            .keys()
            .any(|known: &String| known.eq_ignore_ascii_case(key))
        {
            keys.insert(key.to_owned(), some(bytes, value)?);
        }
    }
    Ok((
        format!("{quantifier}{operator}{exists}"),
        Value::Object(keys),
    ))
}

fn value(bytes: Bytes<'_, '_>) -> Result<String> {
    if bytes.ratio(1, 3)? {
        return joined(bytes, NAME_PARTS, 3);
    }
    Ok((*bytes.choose(VALUES)?).to_owned())
}

/// One to three, one without a list.
fn some(
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

fn joined(bytes: Bytes<'_, '_>, parts: &[&str], count_max: usize) -> Result<String> {
    let count = bytes.int_in_range(0..=count_max)?;
    (0..count).map(|_| Ok(*bytes.choose(parts)?)).collect()
}

/// The words of documents, right and wrong ones.
const WORDS: &[&str] = &[
    "*",
    "?",
    ":",
    "/",
    "-",
    "arn:aws:",
    "s3",
    "ecr",
    "iam",
    "sts",
    "ec2",
    "GetObject",
    "PassRole",
    "AssumeRole",
    "Put",
    "Image",
    "repository/",
    "role/",
    "user/",
    "arn:aws:s3:::",
    "b",
    "${",
    "}",
    "${aws:username}",
    "${aws:PrincipalTag/x, 'y'}",
    "aws:",
    "SourceIp",
    "PrincipalArn",
    "TagKeys",
    "ResourceTag/",
    "SourceArn",
    "ExternalId",
    "111122223333",
    "root",
    ".amazonaws.com",
    "é",
    "\"",
    "10.0.0.0/8",
    "2026-01-01T00:00:00Z",
    "true",
    "1",
    "token.actions.githubusercontent.com",
    "sub",
    "StringLike",
    "ForAnyValue:",
    "IfExists",
    "Date",
    "LessThan",
    "Numeric",
    "Equals",
    "Null",
    "us-east-1",
    "::",
    "federated-user/",
    "assumed-role/",
];

/// Up to a few hundred statements of any words.
pub fn wild_document(bytes: Bytes<'_, '_>) -> Result<Value> {
    let mut statements = Vec::new();
    while !bytes.is_empty() && statements.len() < 300 {
        statements.push(wild_statement(bytes)?);
    }
    Ok(json!({
        "Version": bytes.choose(&["2012-10-17", "2012-10-17", "2008-10-17"])?,
        "Statement": statements,
    }))
}

fn wild_statement(bytes: Bytes<'_, '_>) -> Result<Value> {
    let mut statement = Map::new();
    let effect = *bytes.choose(&["Allow", "Deny"])?;
    statement.insert("Effect".into(), effect.into());
    let name = negated(bytes, "Action")?;
    let known = bytes.ratio(1, 2)?;
    let made = some(bytes, if known { action } else { wild_action })?;
    statement.insert(name, made);
    if bytes.ratio(4, 5)? {
        let name = negated(bytes, "Resource")?;
        let known = bytes.ratio(1, 2)?;
        statement.insert(name, some(bytes, if known { resource } else { wild_text })?);
    }
    if bytes.ratio(1, 3)? {
        let types = &["AWS", "Service", "Federated", "CanonicalUser"];
        let kind = *bytes.choose(types)?;
        let named = some(bytes, wild_text)?;
        statement.insert("Principal".into(), json!({ kind: named }));
    }
    if bytes.ratio(1, 2)? {
        let mut operators = Map::new();
        for _ in 0..bytes.int_in_range(1..=3)? {
            let (operator, mut keys) = condition(bytes)?;
            if bytes.ratio(1, 2)? {
                let key = format!("aws:{}", joined(bytes, WORDS, 2)?);
                keys[key] = some(bytes, wild_text)?;
            }
            operators.insert(operator, keys);
        }
        statement.insert("Condition".into(), Value::Object(operators));
    }
    Ok(Value::Object(statement))
}

fn wild_action(bytes: Bytes<'_, '_>) -> Result<String> {
    let service = *bytes.choose(&["s3", "ecr", "iam", "sts", "ec2", "nosuch", "s?"])?;
    Ok(format!("{service}:{}", joined(bytes, WORDS, 4)?))
}

fn wild_text(bytes: Bytes<'_, '_>) -> Result<String> {
    joined(bytes, WORDS, 8)
}
