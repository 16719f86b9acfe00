//! The tables as they are embedded, and their reader on other texts.
#![allow(clippy::unwrap_used)]

use super::parse::{DataError, Index, section};
use super::*;
use crate::Service;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Operations whose IAM action has another name.
const OTHER_NAME: &[(&str, &str)] = &[
    // Service Authorization Reference, "Actions defined by AWS IAM Access Analyzer".
    ("access-analyzer:GetFindingV2", "access-analyzer:GetFinding"),
    (
        "access-analyzer:ListFindingsV2",
        "access-analyzer:ListFindings",
    ),
    // "The IAM principal invoking this operation must have the ecr:BatchGetImage
    // permission" (Amazon ECR API Reference, ListImageReferrers).
    ("ecr:ListImageReferrers", "ecr:BatchGetImage"),
    // It needs one action on each of two keys.
    ("kms:ReEncrypt", "kms:ReEncryptFrom"),
];

/// Operations of the service models that the table of actions does not have yet. None of them has a handler.
const NEWER: &[&str] = &[
    "kms:Decapsulate",
    "kms:Encapsulate",
    "secretsmanager:AssociateCrossAccountReplica",
    "secretsmanager:DisassociateCrossAccountReplica",
    "secretsmanager:ListResourcePolicies",
];

fn names(of: impl Iterator<Item = &'static ConditionKey>) -> BTreeSet<&'static str> {
    of.map(|key| key.name).collect()
}

#[test]
fn parses_every_section_in_order() {
    let index = Index::read(DATA).unwrap();
    assert!(index.sections.len() > 400, "{}", index.sections.len());
    let ascending = |names: Vec<&str>| {
        names
            .windows(2)
            .all(|pair| compare(pair[0], pair[1]) == Ordering::Less)
    };
    assert!(ascending(prefixes().collect()));
    let mut actions = 0;
    for (prefix, text) in index.sections {
        section(text).unwrap();
        let service = service(prefix).unwrap();
        assert_eq!(service.prefix(), prefix);
        assert!(!service.name().is_empty());
        let names: Vec<&str> = service.actions().map(Action::name).collect();
        assert!(!names.is_empty(), "{prefix} has no action");
        assert!(ascending(names), "{prefix}'s actions are not in order");
        actions += service.actions().len();
    }
    assert!(actions > 20_000, "{actions}");
}

#[test]
fn every_operation_has_its_action() {
    let mut other = OTHER_NAME.to_vec();
    let mut newer = Vec::new();
    for operation in Service::ALL.iter().flat_map(|s| s.operations()) {
        let prefix = operation.service().signing_name();
        let name = format!("{prefix}:{}", operation.name());
        match other.iter().position(|(from, _)| *from == name) {
            Some(at) => {
                let (_, instead) = other.remove(at);
                assert!(action(&name).is_none(), "{name} is no exception any more");
                assert!(action(instead).is_some(), "{instead} does not exist");
            }
            None => match action(&name) {
                Some(found) => assert_eq!(found.name(), operation.name()),
                None => newer.push(name),
            },
        }
    }
    assert!(other.is_empty(), "not operations: {other:?}");
    assert_eq!(newer, NEWER, "operations without an action");
}

#[test]
fn has_actions_without_an_operation() {
    for (name, level) in [
        ("iam:PassRole", AccessLevel::Write),
        ("sts:TagSession", AccessLevel::Tagging),
        ("sts:SetSourceIdentity", AccessLevel::Write),
        ("ecr:ReplicateImage", AccessLevel::Write),
        ("ecr:BatchImportUpstreamImage", AccessLevel::Write),
    ] {
        assert_eq!(
            action(name).map(Action::access_level),
            Some(level),
            "{name}"
        );
    }
}

#[test]
fn access_levels_agree_with_the_reference() {
    for (name, level) in [
        ("ecr:ListImages", "List"),
        ("ecr:BatchGetImage", "Read"),
        ("ecr:PutImage", "Write"),
        ("ecr:TagResource", "Tagging"),
        ("ecr:SetRepositoryPolicy", "Permissions management"),
        ("iam:AttachRolePolicy", "Permissions management"),
    ] {
        assert_eq!(
            action(name).unwrap().access_level().as_str(),
            level,
            "{name}"
        );
    }
}

#[test]
fn names_are_case_insensitive_and_exact() {
    for name in ["ecr:PutImage", "ECR:putimage", "Ecr:PUTIMAGE"] {
        assert_eq!(format!("{:?}", action(name).unwrap()), "ecr:PutImage");
    }
    for name in [
        "ecr:PutImag",
        "ecr:PutImage ",
        "ecr",
        "",
        ":",
        "ecr:",
        "PutImage",
        "ecr:*",
    ] {
        assert!(action(name).is_none(), "{name}");
    }
    assert!(service("").is_none());
    assert_eq!(service("Sts").unwrap().name(), "AWS Security Token Service");
}

#[test]
fn resources_have_an_arn_and_may_be_required() {
    let create = action("ecr:CreateRepository").unwrap();
    let [repository] = create.resource_types().collect::<Vec<_>>()[..] else {
        panic!("not one resource type");
    };
    assert!(repository.required);
    assert_eq!(
        *repository.resource_type.arn_patterns,
        ["arn:${Partition}:ecr:${Region}:${Account}:repository/${RepositoryName}"],
    );
    let token = action("ecr:GetAuthorizationToken").unwrap();
    assert_eq!(token.resource_types().count(), 0);
    let tag = action("sts:TagSession").unwrap();
    assert!(tag.resource_types().all(|needed| !needed.required));
    let many = service("apigateway").unwrap();
    let several = |r: &&ResourceType| r.arn_patterns.len() == 2;
    assert!(many.resource_types().iter().filter(several).count() > 2);
    assert!(service("iam").unwrap().resource_type("role").is_some());
    assert!(service("iam").unwrap().resource_type("Role").is_none());
}

#[test]
fn keys_of_an_action_include_those_of_its_resources() {
    let create = action("ecr:CreateRepository").unwrap();
    assert_eq!(
        names(create.condition_keys()),
        BTreeSet::from([
            "aws:RequestTag/${TagKey}",
            "aws:ResourceTag/${TagKey}",
            "aws:TagKeys",
            "ecr:ResourceTag/${TagKey}",
        ]),
    );
    for (action, key, valid) in [
        ("ecr:CreateRepository", "aws:RequestTag/team", true),
        ("ecr:CreateRepository", "AWS:requesttag/team", true),
        ("ecr:PutImage", "ecr:ResourceTag/team", true),
        ("ecr:PutImage", "ecr:ResourceTag", false),
        ("ecr:PutImage", "ecr:ResourceTag/", false),
        ("ecr:GetAuthorizationToken", "ecr:ResourceTag/team", false),
        ("ecr:PutAccountSetting", "ecr:AccountSetting", true),
        ("ecr:PutImage", "ecr:AccountSetting", false),
        ("iam:PassRole", "iam:PassedToService", true),
        ("iam:CreateRole", "iam:PassedToService", false),
        ("iam:CreateRole", "iam:PermissionsBoundary", true),
        ("sts:AssumeRole", "sts:ExternalId", true),
        ("sts:GetCallerIdentity", "sts:ExternalId", false),
        // Global keys go with every action, those of other services included.
        ("sts:GetCallerIdentity", "aws:SourceIp", true),
        ("sts:GetCallerIdentity", "aws:PrincipalTag/team", true),
        ("ecr:PutImage", "ec2:SourceInstanceARN", true),
        ("ecr:PutImage", "aws:SourceIP4", false),
        ("ecr:PutImage", "ec2:Region", false),
    ] {
        let action = self::action(action).unwrap();
        assert_eq!(
            action.is_valid_condition_key(key),
            valid,
            "{action:?} {key}"
        );
    }
}

#[test]
fn federated_sessions_keep_their_claims() {
    for action in [
        "sts:AssumeRoleWithWebIdentity",
        "sts:TagSession",
        "ecr:PutImage",
    ] {
        let action = self::action(action).unwrap();
        for (key, valid) in [
            ("token.actions.githubusercontent.com:sub", true),
            ("token.actions.githubusercontent.com:repository", true),
            ("oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:aud", true),
            ("ci.example.org:AUD", true),
            ("saml:sub_type", true),
            ("ci.example.org:repository", false),
            ("ci.example.org", false),
            ("ci:sub", false),
            (".:sub", false),
            ("saml:subject", false),
        ] {
            assert_eq!(
                action.is_valid_condition_key(key),
                valid,
                "{action:?} {key}"
            );
        }
    }
    let saml = action("sts:AssumeRoleWithSAML").unwrap();
    assert!(saml.is_valid_condition_key("saml:eduPersonAffiliation"));
    assert!(
        !action("ecr:PutImage")
            .unwrap()
            .is_valid_condition_key("saml:aud")
    );
}

#[test]
fn keys_know_their_type() {
    for (name, key_type, multivalued) in [
        ("aws:TagKeys", KeyType::String, true),
        ("aws:CalledVia", KeyType::String, true),
        ("aws:CalledViaFirst", KeyType::String, false),
        ("aws:SourceIp", KeyType::IpAddress, false),
        ("aws:PrincipalArn", KeyType::Arn, false),
        ("aws:MultiFactorAuthPresent", KeyType::Bool, false),
        ("aws:CurrentTime", KeyType::Date, false),
        ("iam:PolicyARN", KeyType::Arn, false),
        ("sts:DurationSeconds", KeyType::Numeric, false),
        ("sts:TransitiveTagKeys", KeyType::String, true),
        ("saml:mail", KeyType::String, true),
        ("cognito-identity.amazonaws.com:amr", KeyType::String, true),
        (
            "token.actions.githubusercontent.com:ref",
            KeyType::String,
            false,
        ),
    ] {
        let key = condition_key(name).unwrap_or_else(|| panic!("no key {name}"));
        assert_eq!(
            (key.key_type, key.multivalued),
            (key_type, multivalued),
            "{name}"
        );
    }
    for name in ["aws:Nothing", "aws:", "TagKeys", "", "nowhere:Key"] {
        assert_eq!(condition_key(name), None, "{name}");
    }
}

#[test]
fn global_keys_are_named_once_and_agree_with_the_reference() {
    let keys = global_condition_keys();
    let lower: BTreeSet<String> = keys.iter().map(|k| k.name.to_ascii_lowercase()).collect();
    assert_eq!(lower.len(), keys.len());
    // Every `aws:` key that a service lists is global, with the same type.
    for prefix in prefixes() {
        let listed = service(prefix).unwrap().condition_keys().iter();
        for key in listed.filter(|key| key.name.starts_with("aws:")) {
            assert!(keys.contains(key), "{prefix} lists {key:?}");
        }
    }
}

#[test]
fn placeholders_match_values() {
    let key = |name| ConditionKey {
        name,
        key_type: KeyType::String,
        multivalued: false,
    };
    for (pattern, name, fits) in [
        ("tea:Pot", "TEA:pot", true),
        ("tea:Pot", "tea:Pots", false),
        ("tea:Tag/${Key}", "tea:tag/a/b:c", true),
        ("tea:Tag/${Key}", "tea:Tag/", false),
        ("tea:Tag/<key>", "tea:Tag/x", true),
        ("tea:Tag/<key>", "tea:Tag/", false),
        ("tea:${Pot}.lid", "tea:a.lid", true),
        ("tea:${Pot}.lid", "tea:a.lid.lid", true),
        ("tea:${Pot}.lid", "tea:.lid", false),
        ("tea:${Pot}.lid", "tea:a.lid2", false),
        ("id-${A}.tea/${B}:cup", "id-1.tea/x:cup", true),
        ("id-${A}.tea/${B}:cup", "id-1.tea/:cup", false),
        ("tea:${Unclosed", "tea:${unclosed", true),
        ("tea:Tag/${Key}", "tea:Tag/\u{e9}", true),
        ("tea:Tag/${Key}", "te\u{e9}", false),
    ] {
        assert_eq!(key(pattern).matches(name), fits, "{pattern} {name}");
    }
    let tag = |length: usize| format!("tea:Tag/{}", "x".repeat(length - "tea:Tag/".len()));
    assert!(key("tea:Tag/${Key}").matches(&tag(256)));
    assert!(!key("tea:Tag/${Key}").matches(&tag(257)));
}

#[test]
fn suggests_similar_names() {
    let ecr = service("ecr").unwrap();
    for (name, meant) in [
        ("GetAuthorisationToken", "GetAuthorizationToken"),
        ("GetAuthToken", "GetAuthorizationToken"),
        ("PutImages", "PutImage"),
        ("DescribeRepository", "DescribeRepositories"),
        ("putimage", "PutImage"),
    ] {
        assert_eq!(
            ecr.similar_action(name).map(Action::name),
            Some(meant),
            "{name}"
        );
    }
    assert!(ecr.similar_action("OrderPizza").is_none());
    assert_eq!(similar_prefix("erc"), Some("ecr"));
    assert_eq!(similar_prefix("ecrr"), Some("ecr"));
    assert_eq!(similar_prefix("dynamo-db"), Some("dynamodb"));
}

const TEA: &str = "@tea Tea House\n\
    k String aws:ResourceTag/${TagKey}\n\
    k ArrayOfARN tea:Guests\n\
    s 0\n\
    s 0 1\n\
    r pot|0|arn:${Partition}:tea:::pot/${Pot}, arn:${Partition}:tea:::jug/${Pot}\n\
    r tea cup|-|arn:${Partition}:tea:::cup/${Cup}\n\
    W Brew 1 0*:1 1\n\
    L ListPots -\n";

#[test]
fn parses_a_section() {
    let tea: &'static _ = Box::leak(Box::new(section(TEA).unwrap()));
    assert_eq!((tea.prefix(), tea.name()), ("tea", "Tea House"));
    assert_eq!(tea.resource_types()[0].arn_patterns.len(), 2);
    assert_eq!(tea.resource_type("tea cup").unwrap().arn_patterns.len(), 1);
    let brew = tea.action("BREW").unwrap();
    let acts_on: Vec<_> = brew
        .resource_types()
        .map(|r| (r.resource_type.name, r.required))
        .collect();
    assert_eq!(acts_on, [("pot", true), ("tea cup", false)]);
    assert!(brew.is_valid_condition_key("tea:guests"));
    assert!(tea.condition_key("tea:Guests").unwrap().multivalued);
    let list = tea.action("ListPots").unwrap();
    assert_eq!(list.condition_keys().count(), 0);
    assert!(!list.is_valid_condition_key("tea:Guests"));
}

#[test]
fn rejects_invalid_lines() {
    for line in [
        "",
        "k",
        "k Duration tea:Time",
        "s 2",
        "s -",
        "s 0,1",
        "r kettle|9|arn:x",
        "r kettle",
        "X Pour -",
        "W Pour",
        "W Pour 2",
        "W Pour - 2",
        "W Pour - 0*:2",
        "W Pour - 65536",
        "W Pour - **",
    ] {
        let text: &'static str = Box::leak(format!("{TEA}{line}\n").into_boxed_str());
        assert_eq!(section(text).err(), Some(DataError::Line(line)), "{line}");
    }
    assert_eq!(section("tea").err(), Some(DataError::Line("tea")));
}

#[test]
fn rejects_an_index_with_wrong_lengths() {
    let read = |text| Index::read(text).map(|index| index.sections).err();
    assert_eq!(read("# none\n"), None);
    assert_eq!(read("# a\ntea 6\n\n@tea A"), None);
    assert_eq!(read("tea six\n\n@tea A"), Some(DataError::Index("tea six")));
    assert_eq!(read("tea\n\n@tea A"), Some(DataError::Index("tea")));
    assert_eq!(read("tea 7\n\n@tea A"), Some(DataError::Place("tea")));
    assert_eq!(read("tea 5\n\n@tea A"), Some(DataError::Rest));
    assert_eq!(read("te 6\n\n@tea A"), Some(DataError::Place("te")));
    assert_eq!(read("tea 6\n\n@te\u{e9} A"), Some(DataError::Place("tea")));
}

proptest! {
    #[test]
    fn reading_ends_in_a_table_or_a_refusal(text in "(\n|[@ksrW#] [a-z0-9 |*:,-]{0,12}|.{0,8}){0,8}") {
        let text: &'static str = Box::leak(text.into_boxed_str());
        let _ = Index::read(text);
        let _ = section(text);
    }

    #[test]
    fn any_name_may_be_asked_for(name in "[a-zA-Z0-9:/.${}<>*-]{0,40}|.{0,20}") {
        let _ = action(&name);
        let _ = condition_key(&name);
        let put = action("ecr:PutImage").unwrap();
        prop_assert!(put.condition_key(&name).is_none() || put.is_valid_condition_key(&name));
        if let Some(meant) = put.service().similar_action(&name) {
            prop_assert!(put.service().action(meant.name()).is_some());
        }
    }

    #[test]
    fn an_action_is_similar_to_itself(at in any::<prop::sample::Index>()) {
        let iam = service("iam").unwrap();
        let names: Vec<&str> = iam.actions().map(Action::name).collect();
        let name = *at.get(&names);
        prop_assert_eq!(iam.similar_action(name).map(Action::name), Some(name));
    }
}
