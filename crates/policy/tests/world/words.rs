//! The fragments.

/// A principal, and what stands behind it.
pub struct Who {
    pub principal: &'static str,
    pub role: Option<&'static str>,
    pub user: Option<&'static str>,
    pub id: Option<&'static str>,
}

const fn who(principal: &'static str) -> Who {
    Who {
        principal,
        role: None,
        user: None,
        id: None,
    }
}

pub const WHO: &[Who] = &[
    who("arn:aws:iam::111122223333:user/ana"),
    Who {
        id: Some("AIDAEXAMPLEEXAMPLE12"),
        ..who("arn:aws:iam::111122223333:user/team/ana")
    },
    who("arn:aws:iam::111122223333:root"),
    who("arn:aws:sts::111122223333:assumed-role/ci/job1"),
    Who {
        role: Some("arn:aws:iam::111122223333:role/team/ci"),
        id: Some("AROAEXAMPLEEXAMPLE12"),
        ..who("arn:aws:sts::111122223333:assumed-role/ci/job1")
    },
    Who {
        role: Some("arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/ci"),
        ..who("arn:aws:sts::111122223333:assumed-role/ci/job1")
    },
    Who {
        user: Some("arn:aws:iam::111122223333:user/ana"),
        ..who("arn:aws:sts::111122223333:federated-user/guest")
    },
    Who {
        user: Some("arn:aws:iam::111122223333:root"),
        ..who("arn:aws:sts::111122223333:federated-user/guest")
    },
    who("arn:aws:iam::444455556666:user/ana"),
    who("arn:aws:iam::444455556666:root"),
    who("arn:aws:sts::444455556666:assumed-role/ci/job1"),
    who("ec2.amazonaws.com"),
    who("anonymous"),
    who("arn:aws:iam::111122223333:oidc-provider/ci.example.com"),
];

pub const NAMED: &[&str] = &[
    "*",
    "111122223333",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:user/ana",
    "arn:aws:iam::111122223333:user/team/ana",
    "arn:aws:iam::111122223333:role/ci",
    "arn:aws:iam::111122223333:role/team/ci",
    "arn:aws:sts::111122223333:assumed-role/ci/job1",
    "arn:aws:sts::111122223333:federated-user/guest",
    "AIDAEXAMPLEEXAMPLE12",
    "AROAEXAMPLEEXAMPLE12",
    "444455556666",
    "arn:aws:iam::444455556666:user/ana",
    "arn:aws:iam::444455556666:role/ci",
    "arn:aws:sts::444455556666:assumed-role/ci/job1",
];

/// The first is every service.
pub const SERVICES: &[&str] = &["*", "ec2.amazonaws.com", "ecs.amazonaws.com"];

pub const PROVIDERS: &[&str] = &[
    "arn:aws:iam::111122223333:oidc-provider/ci.example.com",
    "arn:aws:iam::111122223333:saml-provider/corp",
];

pub const ACTION_PARTS: &[&str] = &[
    "Put", "Get", "Image", "*", "?", "put", "GET", "mage", "Batch",
];

pub const REGIONS: &[&str] = &["us-east-1", "*", "us-*-1", "?s-east-1", "eu-west-1", ""];

pub const ACCOUNTS: &[&str] = &["111122223333", "*", "1111*", "${aws:PrincipalAccount}", ""];

/// ARNs with fewer than six fields.
pub const INCOMPLETE_ARNS: &[&str] = &[
    "arn:aws:ecr",
    "arn:aws:ecr:us-east-1",
    "arn:aws:ecr:*:111122223333",
    "arn:aws:ecr:*",
    "arn:aws:s3",
    "arn:aws:kms:us-east-1",
    "arn:aws:iam",
];

pub const NAME_PARTS: &[&str] = &[
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
    "${aws:PrincipalArn}",
    "${aws:PrincipalTag/team}",
    "${aws:PrincipalTag/team, 'app'}",
    "${aws:PrincipalTag/ÉTAT}",
    "${AWS:USERNAME}",
    "${aws:TagKeys}",
    "${x:absent}",
    "${x:absent, 'a*'}",
    "${x:star}",
];

pub const ASKED_PARTS: &[&str] = &[
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

pub const OPERATORS: &[&str] = &[
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
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnLike",
    "ArnNotLike",
    "ArnEquals",
    "ArnNotEquals",
    "Null",
];

pub const KEYS: &[&str] = &[
    "aws:username",
    "aws:PrincipalArn",
    "AWS:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalType",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalServiceName",
    "aws:ResourceAccount",
    "aws:userid",
    "aws:TagKeys",
    "aws:ResourceTag/Team",
    "aws:SourceIp",
    "aws:PrincipalTag/team",
    "aws:PrincipalTag/état",
    "aws:SourceArn",
    "aws:CurrentTime",
    "aws:EpochTime",
    "x:count",
    "x:bytes",
    "x:star",
    "aws:MultiFactorAuthPresent",
    "x:absent",
];

/// What a condition may ask for beside composed names.
pub const VALUES: &[&str] = &[
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
    "2001:db8::/32",
    "::/0",
    "::ffff:10.0.0.0/104",
    "User",
    "AssumedRole",
    "111122223333",
    "AIDAEXAMPLEEXAMPLE12",
    "*:job1",
    "ec2.amazonaws.com",
    "arn:aws:iam::*:user/*",
    "arn:aws:iam::111122223333:role/ci",
    "arn:aws:iam::*role/ci",
    "arn:*",
    "arn:aws:iam::*:*",
    "arn:aws:iam::${x:rest}",
    "${aws:PrincipalArn}",
    "arn:aws:iam::111122223333:user/ana",
];

pub const DATES: &[&str] = &[
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00Z",
    "2026-01-01",
    "2026-01",
    "2026",
    "2026-01-01T01:00:00+01:00",
    "2026-01-01T00:00:00.5Z",
    "1767225600",
    "1767225600.5",
    "2025-12-31T23:59:59Z",
    "0",
];

pub const BYTES: &[&str] = &["aGVsbG8=", "aGVsbG8", "/+8=", "", "*"];

/// The context's keys, each at most once, with the values it may have.
pub const CONTEXT: &[(&str, &[&str])] = &[
    (
        "aws:SourceIp",
        &[
            "10.0.0.7",
            "192.168.0.1",
            "1.2.3.4",
            "2001:db8::9",
            "::ffff:10.0.0.7",
            "none",
        ],
    ),
    (
        "aws:SourceArn",
        &[
            "arn:aws:iam::111122223333:user/ana",
            "arn:aws:iam::111122223333:role/ci",
            "arn:aws:sns:us-east-1:111122223333:ana:red",
        ],
    ),
    ("x:rest", &["111122223333:user/ana", "111122223333:*", "*"]),
    ("aws:PrincipalTag/État", &["red"]),
    ("aws:ResourceTag/team", &["red", "Red", "", "*"]),
    (
        "aws:PrincipalTag/Team",
        &["red", "app", "*", "a?a", "${aws:username}"],
    ),
    ("aws:CurrentTime", DATES),
    ("aws:EpochTime", &["1767225600", "5", "soon"]),
    ("x:count", &["5", "12.5", "-3", "many"]),
    ("x:bytes", BYTES),
    ("X:Star", &["*", "a*", "", "?"]),
    ("aws:MultiFactorAuthPresent", &["true", "TRUE", "false"]),
    ("aws:TagKeys", &["a", "red", "", "ana", "5", "*"]),
];
