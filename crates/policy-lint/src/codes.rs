//! The codes: one for each check, each with its level.

use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// A part of the document has no effect, or not the one it reads like.
    Error,
    /// It allows more than is safe.
    SecurityWarning,
    /// It works, though hardly as meant.
    Warning,
    /// It could be said better.
    Suggestion,
}

impl Level {
    /// The name in output: `error`, `security-warning`, `warning`, `suggestion`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::SecurityWarning => "security-warning",
            Level::Warning => "warning",
            Level::Suggestion => "suggestion",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $level:ident $variant:ident = $name:literal,)+) => {
        /// Which check found something. Names do not change once they are published.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code, in the order of the reference page.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// The name in output, such as `PASS_ROLE_WITH_STAR_IN_RESOURCE`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $name,)+ }
            }

            /// How much its findings matter.
            pub fn level(self) -> Level {
                match self { $(Code::$variant => Level::$level,)+ }
            }

            /// What it means, in a sentence.
            pub fn summary(self) -> &'static str {
                match self { $(Code::$variant => concat!($($doc,)+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// The action does not exist, or its wildcard matches none.
    Error InvalidAction = "INVALID_ACTION",
    /// The action's service does not exist.
    Error InvalidServiceInAction = "INVALID_SERVICE_IN_ACTION",
    /// The action acts on no resource that could be named: it needs `"Resource": "*"`.
    Error ActionNeedsStarResource = "ACTION_NEEDS_STAR_RESOURCE",
    /// The action acts on other types of resource than the listed ones.
    Error ActionResourceMismatch = "ACTION_RESOURCE_MISMATCH",
    /// The ARN has fewer than six fields.
    Error MissingArnField = "MISSING_ARN_FIELD",
    /// The ARN's service does not exist.
    Error InvalidService = "INVALID_SERVICE",
    /// The ARN's service is written with capitals.
    Error InvalidArnServiceCase = "INVALID_ARN_SERVICE_CASE",
    /// The ARN's region has not the form of one.
    Error InvalidArnRegion = "INVALID_ARN_REGION",
    /// ARNs of this type carry no region.
    Error ArnRegionNotAllowed = "ARN_REGION_NOT_ALLOWED",
    /// ARNs of this type carry a region.
    Error MissingArnRegion = "MISSING_ARN_REGION",
    /// The ARN's account is not twelve digits, or is missing.
    Error InvalidArnAccount = "INVALID_ARN_ACCOUNT",
    /// ARNs of this type carry no account.
    Error ArnAccountNotAllowed = "ARN_ACCOUNT_NOT_ALLOWED",
    /// The service has no ARN of this form.
    Error InvalidArnResource = "INVALID_ARN_RESOURCE",
    /// The ARN of an ECR repository ends in a tag or a digest, which none does.
    Error EcrImageInRepositoryArn = "ECR_IMAGE_IN_REPOSITORY_ARN",
    /// A condition key is `service:name`.
    Error InvalidConditionKeyFormat = "INVALID_CONDITION_KEY_FORMAT",
    /// There is no such key with the prefix `aws:`.
    Error InvalidGlobalConditionKey = "INVALID_GLOBAL_CONDITION_KEY",
    /// The service has no such condition key.
    Error InvalidServiceConditionKey = "INVALID_SERVICE_CONDITION_KEY",
    /// A tag's condition key lacks the tag's name.
    Error MissingTagKeyInCondition = "MISSING_TAG_KEY_IN_CONDITION",
    /// A multivalued key needs `ForAllValues` or `ForAnyValue`.
    Error MissingQualifier = "MISSING_QUALIFIER",
    /// The key is asked to be true and false at once.
    Error InvalidConditionMultipleBoolean = "INVALID_CONDITION_MULTIPLE_BOOLEAN",
    /// The condition's value has not the form of a VPC's ID.
    Error InvalidVpcFormat = "INVALID_VPC_FORMAT",
    /// The condition's value has not the form of a VPC endpoint's ID.
    Error InvalidVpceFormat = "INVALID_VPCE_FORMAT",
    /// The condition's value has not the form of an organization's ID.
    Error InvalidOrganizationId = "INVALID_ORGANIZATION_ID",
    /// The condition's value has not the form of an account's ID.
    Error InvalidAccountId = "INVALID_ACCOUNT_ID",
    /// The statement's conditions cannot hold together: it never applies.
    Error ConditionNeverHolds = "CONDITION_NEVER_HOLDS",
    /// The operator's values cannot hold a variable.
    Error InvalidVariableForOperator = "INVALID_VARIABLE_FOR_OPERATOR",
    /// The variable has no closing brace.
    Error MissingBraceInVariable = "MISSING_BRACE_IN_VARIABLE",
    /// The variable's default value is not in single quotes.
    Error MissingQuoteInVariable = "MISSING_QUOTE_IN_VARIABLE",
    /// The variable's name holds a space.
    Error UnsupportedSpaceInVariable = "UNSUPPORTED_SPACE_IN_VARIABLE",
    /// The variable has no name.
    Error EmptyVariable = "EMPTY_VARIABLE",
    /// A variable stands where none is expanded: only behind an ARN's fifth colon, and in conditions.
    Error VariableUnsupportedInElement = "VARIABLE_UNSUPPORTED_IN_ELEMENT",
    /// `${...}` is literal text without `"Version": "2012-10-17"`.
    Error VariableUnsupportedInVersion = "VARIABLE_UNSUPPORTED_IN_VERSION",
    /// The variable is no condition key that requests carry.
    Error UnknownVariable = "UNKNOWN_VARIABLE",
    /// The variable is a multivalued key, which has no one value.
    Error MultivaluedVariable = "MULTIVALUED_VARIABLE",
    /// The principal cannot assume a role by this action.
    Error MismatchedActionForPrincipal = "MISMATCHED_ACTION_FOR_PRINCIPAL",

    /// Everything is allowed on everything.
    SecurityWarning FullAccess = "FULL_ACCESS",
    /// Every role may be passed.
    SecurityWarning PassRoleWithStarInResource = "PASS_ROLE_WITH_STAR_IN_RESOURCE",
    /// A wildcard in `Action` lets every role be passed.
    SecurityWarning PassRoleWithStarInActionAndResource = "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE",
    /// `NotAction` lets every role be passed.
    SecurityWarning PassRoleWithNotActionAndStarInResource = "PASS_ROLE_WITH_NOT_ACTION_AND_STAR_IN_RESOURCE",
    /// All roles but the listed may be passed.
    SecurityWarning PassRoleWithNotResource = "PASS_ROLE_WITH_NOT_RESOURCE",
    /// A wildcard in `Action` lets all roles but the listed be passed.
    SecurityWarning PassRoleWithStarInActionAndNotResource = "PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE",
    /// `NotAction` lets all roles but the listed be passed.
    SecurityWarning PassRoleWithNotActionAndNotResource = "PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE",
    /// The action lets its holder give itself further permissions.
    SecurityWarning PrivilegeEscalation = "PRIVILEGE_ESCALATION",
    /// Every role that trusts the account may be assumed.
    SecurityWarning AssumeRoleWithStarInResource = "ASSUME_ROLE_WITH_STAR_IN_RESOURCE",
    /// Everything but the listed actions is allowed.
    SecurityWarning AllowWithNotAction = "ALLOW_WITH_NOT_ACTION",
    /// The actions are allowed on everything but the listed resources.
    SecurityWarning AllowWithNotResource = "ALLOW_WITH_NOT_RESOURCE",
    /// Everyone may assume the role.
    SecurityWarning TrustPolicyOpenToEveryone = "TRUST_POLICY_OPEN_TO_EVERYONE",
    /// Everyone is allowed, also from outside the account.
    SecurityWarning PrincipalStarWithoutCondition = "PRINCIPAL_STAR_WITHOUT_CONDITION",
    /// A service may be made to act for a stranger.
    SecurityWarning RestrictAccessToServicePrincipal = "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL",
    /// Every identity of a shared identity provider may assume the role.
    SecurityWarning MissingConditionKeyForOidcPrincipal = "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL",
    /// Workflows of strangers' GitHub repositories may assume the role.
    SecurityWarning MissingGithubRepoConditionKey = "MISSING_GITHUB_REPO_CONDITION_KEY",
    /// `ForAllValues` holds when a single-valued key is missing.
    SecurityWarning ForAllValuesWithSingleValuedKey = "FORALLVALUES_WITH_SINGLE_VALUED_KEY",
    /// `ForAllValues` allows requests without the key.
    SecurityWarning ForAllValuesWithoutNullCheck = "FORALLVALUES_WITHOUT_NULL_CHECK",
    /// `StringLike` on an ARN lets a wildcard reach over its colons.
    SecurityWarning StringLikeOperatorWithArnConditionKeys = "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS",
    /// The denial misses long-term access keys, whose requests do not carry the key.
    SecurityWarning MfaDenyMissesLongTermKeys = "MFA_DENY_MISSES_LONG_TERM_KEYS",
    /// Requests without the key, such as those of long-term access keys, are allowed.
    SecurityWarning MfaAllowWithIfExists = "MFA_ALLOW_WITH_IF_EXISTS",

    /// The document does not say its version.
    Warning MissingVersion = "MISSING_VERSION",
    /// The operator is not for keys of this type.
    Warning TypeMismatch = "TYPE_MISMATCH",
    /// The value is neither `true` nor `false`.
    Warning TypeMismatchBoolean = "TYPE_MISMATCH_BOOLEAN",
    /// The value is no number.
    Warning TypeMismatchNumber = "TYPE_MISMATCH_NUMBER",
    /// The value is no address and no network.
    Warning TypeMismatchIpRange = "TYPE_MISMATCH_IP_RANGE",
    /// The value is not base64.
    Warning TypeMismatchString = "TYPE_MISMATCH_STRING",
    /// The value is no ARN: the operator matches six fields one by one.
    Warning TypeMismatchArn = "TYPE_MISMATCH_ARN",
    /// The operator takes `*` and `?` literally.
    Warning WildcardWithoutLikeOperator = "WILDCARD_WITHOUT_LIKE_OPERATOR",
    /// The global condition key has a successor.
    Warning DeprecatedGlobalConditionKey = "DEPRECATED_GLOBAL_CONDITION_KEY",
    /// Some of the statement's actions do not carry the condition key.
    Warning UnsupportedActionForConditionKey = "UNSUPPORTED_ACTION_FOR_CONDITION_KEY",
    /// No external ID is empty: the condition never holds, or excludes nothing.
    Warning EmptyExternalId = "EMPTY_EXTERNAL_ID",
    /// None of the statement's actions acts on this resource.
    Warning ResourceWithoutAction = "RESOURCE_WITHOUT_ACTION",
    /// Another statement denies all that this one allows.
    Warning ShadowedByDeny = "SHADOWED_BY_DENY",
    /// The principal is the ID of a role that was deleted.
    Warning InvalidRoleReference = "INVALID_ROLE_REFERENCE",
    /// The principal is the ID of a user that was deleted.
    Warning InvalidUserReference = "INVALID_USER_REFERENCE",
    /// No AWS service goes by this name.
    Warning InvalidServicePrincipal = "INVALID_SERVICE_PRINCIPAL",
    /// The condition's value has not the form of a region of AWS.
    Warning InvalidRegion = "INVALID_REGION",
    /// No region of AWS has a name like this.
    Warning UnknownRegion = "UNKNOWN_REGION",
    /// Resource control policies do not reach the action's service.
    Warning RcpServiceNotCovered = "RCP_SERVICE_NOT_COVERED",
    /// Service-linked roles of every service may be made.
    Warning CreateSlrWithStarInResource = "CREATE_SLR_WITH_STAR_IN_RESOURCE",
    /// A wildcard in `Action` lets service-linked roles of every service be made.
    Warning CreateSlrWithStarInActionAndResource = "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE",
    /// `NotAction` lets service-linked roles of every service be made.
    Warning CreateSlrWithNotActionAndStarInResource = "CREATE_SLR_WITH_NOT_ACTION_AND_STAR_IN_RESOURCE",
    /// Service-linked roles of all services but the listed may be made.
    Warning CreateSlrWithNotResource = "CREATE_SLR_WITH_NOT_RESOURCE",
    /// A wildcard in `Action` lets service-linked roles of all services but the listed be made.
    Warning CreateSlrWithStarInActionAndNotResource = "CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE",
    /// `NotAction` lets service-linked roles of all services but the listed be made.
    Warning CreateSlrWithNotActionAndNotResource = "CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE",
    /// Layers may be uploaded and the image not be put, or the reverse.
    Warning EcrPushIncomplete = "ECR_PUSH_INCOMPLETE",
    /// Manifests may be read and layers not, or the reverse.
    Warning EcrPullIncomplete = "ECR_PULL_INCOMPLETE",
    /// The document holds more than is looked at or shown.
    Warning ChecksIncomplete = "CHECKS_INCOMPLETE",

    /// `docker login` needs `ecr:GetAuthorizationToken`, which no statement allows.
    Suggestion EcrLoginMissing = "ECR_LOGIN_MISSING",
    /// Version 2008-10-17 has no variables.
    Suggestion OldVersion = "OLD_VERSION",
    /// A wildcard in an action's service reaches into services to come.
    Suggestion WildcardInServiceName = "WILDCARD_IN_SERVICE_NAME",
    /// Another entry covers the action.
    Suggestion RedundantAction = "REDUNDANT_ACTION",
    /// Another entry covers the resource.
    Suggestion RedundantResource = "REDUNDANT_RESOURCE",
    /// Another value covers the value.
    Suggestion RedundantConditionValue = "REDUNDANT_CONDITION_VALUE",
    /// Another entry covers the principal.
    Suggestion RedundantPrincipal = "REDUNDANT_PRINCIPAL",
    /// Another statement says the same or more.
    Suggestion RedundantStatement = "REDUNDANT_STATEMENT",
    /// The address is private: AWS sees public addresses only.
    Suggestion PrivateIpAddress = "PRIVATE_IP_ADDRESS",
    /// The network's address has bits behind its prefix.
    Suggestion ImproveIpRange = "IMPROVE_IP_RANGE",
    /// `Null` asks about the key, not about its values.
    Suggestion NullWithQualifier = "NULL_WITH_QUALIFIER",
    /// A single-valued key needs no `ForAnyValue`.
    Suggestion ForAnyValueWithSingleValuedKey = "FORANYVALUE_WITH_SINGLE_VALUED_KEY",
    /// ARNs are compared with ARN operators.
    Suggestion StringOperatorWithArnConditionKey = "STRING_OPERATOR_WITH_ARN_CONDITION_KEY",
    /// `NotPrincipal` with Deny must list accounts and sessions too.
    Suggestion DenyWithNotPrincipal = "DENY_WITH_NOT_PRINCIPAL",
    /// The condition has no values.
    Suggestion EmptyArrayCondition = "EMPTY_ARRAY_CONDITION",
    /// `Condition`, or an operator in it, is empty.
    Suggestion EmptyObjectCondition = "EMPTY_OBJECT_CONDITION",
    /// The `Sid` is empty.
    Suggestion EmptySidValue = "EMPTY_SID_VALUE",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
