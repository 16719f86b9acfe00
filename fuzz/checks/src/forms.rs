//! Query requests: form parameters, decoded as the inputs of operations.

use std::collections::BTreeSet;

use aws_api::{Form, Op, decode_form, encode_request, iam, sts};

/// Any bytes as the body of a Query request, for operations whose inputs have lists, structures,
/// numbers, times and long texts.
///
/// What is decoded can be encoded and decoded again, and is the same. A structure without members has no form
/// in the Query protocol: one that stands in a list, by a parameter that is unknown, is lost once. An error
/// message is never much longer than the request.
pub fn parse(bytes: &[u8]) {
    let form = match Form::parse(bytes) {
        Ok(form) => form,
        Err(message) => {
            bounded(&message, bytes);
            return;
        }
    };
    if let Some(action) = form.action() {
        assert_eq!(form.get("Action"), Some(action));
    }
    decode::<iam::ops::CreateUser>(&form, bytes);
    decode::<iam::ops::ListUsers>(&form, bytes);
    decode::<iam::ops::TagRole>(&form, bytes);
    decode::<iam::ops::SimulateCustomPolicy>(&form, bytes);
    decode::<iam::ops::UpdateRole>(&form, bytes);
    decode::<sts::ops::AssumeRole>(&form, bytes);
    decode::<sts::ops::GetFederationToken>(&form, bytes);
}

/// Forms as clients send them.
pub fn seeds() -> Vec<Vec<u8>> {
    let forms = [
        "Action=CreateUser&Version=2010-05-08&UserName=ana&Path=%2Fteam%2F&Tags.member.1.Key=team\
         &Tags.member.1.Value=core&Tags.member.2.Key=env&Tags.member.2.Value=",
        "Action=ListUsers&Version=2010-05-08&PathPrefix=%2F&MaxItems=10&Marker=abc",
        "Action=TagRole&RoleName=ci&Tags.member.1.Key=a+b&Tags.member.1.Value=%C3%A9",
        "Action=SimulateCustomPolicy&PolicyInputList.member.1=%7B%7D&ActionNames.member.1=ecr%3APutImage\
         &ResourceArns.member.1=%2A&ContextEntries.member.1.ContextKeyName=aws%3ASourceIp\
         &ContextEntries.member.1.ContextKeyValues.member.1=10.0.0.7\
         &ContextEntries.member.1.ContextKeyType=ip",
        "Action=UpdateRole&RoleName=ci&MaxSessionDuration=3600&Description=x",
        "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fci&RoleSessionName=job1\
         &DurationSeconds=900&PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FReadOnlyAccess\
         &TransitiveTagKeys.member.1=team&ExternalId=x",
        "Action=GetFederationToken&Name=guest&Policy=%7B%7D&DurationSeconds=3600",
    ];
    forms.map(|form| form.as_bytes().to_vec()).into()
}

fn decode<O: Op>(form: &Form, bytes: &[u8])
where
    O::Input: PartialEq + std::fmt::Debug,
{
    match decode_form::<O>(form) {
        Ok(input) => {
            let (decoded, body) = encoded_and_decoded::<O>(&input);
            match names(bytes).is_subset(&names(&body)) {
                true => assert_eq!(decoded, input),
                false => assert_eq!(encoded_and_decoded::<O>(&decoded).0, decoded),
            }
        }
        Err(error) => bounded(&error.to_string(), bytes),
    }
}

/// The input as it is decoded from its own encoding, and the encoding.
fn encoded_and_decoded<O: Op>(input: &O::Input) -> (O::Input, Vec<u8>) {
    let body = encode_request::<O>(input).body;
    let form = Form::parse(&body).expect("what was encoded is a form");
    let decoded = decode_form::<O>(&form).expect("what was decoded is valid");
    (decoded, body)
}

/// The names of a form's parameters, as they are written.
fn names(body: &[u8]) -> BTreeSet<&[u8]> {
    let name = |pair: &'_ [u8]| {
        pair.iter()
            .position(|byte| *byte == b'=')
            .unwrap_or(pair.len())
    };
    let pairs = body.split(|byte| *byte == b'&');
    pairs.map(|pair| &pair[..name(pair)]).collect()
}

/// A message quotes what was sent, for each of its broken constraints.
fn bounded(message: &str, bytes: &[u8]) {
    assert!(!message.is_empty());
    assert!(
        message.len() < 64 * 1_024 + 8 * bytes.len(),
        "{} bytes",
        message.len()
    );
}
