//! The codes: one for each check, each with its level and a page of AWS that explains it.

use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// A part of the document has no effect, or not the effect that it seems to have.
    Error,
    /// The document allows more than is safe.
    SecurityWarning,
    /// The document works, but probably not as intended.
    Warning,
    /// The document could be clearer.
    Suggestion,
}

impl Level {
    /// The name on the command line: `error`, `security-warning`, `warning`, `suggestion`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::SecurityWarning => "security-warning",
            Level::Warning => "warning",
            Level::Suggestion => "suggestion",
        }
    }

    /// The name in Access Analyzer's API: `ERROR`, `SECURITY_WARNING`, `WARNING`, `SUGGESTION`
    /// (Access Analyzer API Reference, *ValidatePolicyFinding*).
    pub fn finding_type(self) -> &'static str {
        match self {
            Level::Error => "ERROR",
            Level::SecurityWarning => "SECURITY_WARNING",
            Level::Warning => "WARNING",
            Level::Suggestion => "SUGGESTION",
        }
    }

    /// The name in the anchors of Access Analyzer's reference page.
    fn anchor(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::SecurityWarning => "security-warning",
            Level::Warning => "general-warning",
            Level::Suggestion => "suggestion",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a check is explained.
enum Source {
    /// Access Analyzer has the check, with this level there.
    Check(Level),
    /// The check is Berth's own, and this page of AWS's documentation states the rule.
    Page(&'static str),
}

/// The levels of a check: here, and in Access Analyzer where it differs.
macro_rules! source {
    ($level:ident check) => {
        Source::Check(Level::$level)
    };
    ($level:ident check($theirs:ident)) => {
        Source::Check(Level::$theirs)
    };
    ($level:ident page($page:literal)) => {
        Source::Page($page)
    };
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $level:ident $variant:ident = $name:literal, $source:ident $(($argument:tt))?;)+) => {
        /// Which check made a finding. Names do not change once they are published.
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

            fn source(self) -> Source {
                match self { $(Code::$variant => source!($level $source $(($argument))?),)+ }
            }
        }
    };
}

/// The reference of Access Analyzer's checks.
const CHECKS: &str = "IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html";

impl Code {
    /// Whether Access Analyzer has a check of this name.
    pub fn is_of_access_analyzer(self) -> bool {
        matches!(self.source(), Source::Check(_))
    }

    /// The page of AWS's documentation that explains the check.
    pub fn learn_more(self) -> String {
        let docs = "https://docs.aws.amazon.com";
        match self.source() {
            Source::Page(page) => format!("{docs}/{page}"),
            Source::Check(level) => format!(
                "{docs}/{CHECKS}#access-analyzer-reference-policy-checks-{}-{}",
                level.anchor(),
                self.as_str().to_ascii_lowercase().replace('_', "-")
            ),
        }
    }
}

codes! {
    /// The text is not JSON.
    Error JsonSyntaxError = "JSON_SYNTAX_ERROR", check;
    /// The service refuses the document for another reason, which the message has.
    Error PolicyRefused = "POLICY_REFUSED", page("IAM/latest/UserGuide/reference_policies_grammar.html");
    /// The policy language has no element of this name.
    Error InvalidPolicyElement = "INVALID_POLICY_ELEMENT", check;
    /// The element's value has the wrong JSON type.
    Error DataTypeMismatch = "DATA_TYPE_MISMATCH", check;
    /// The version is neither `2012-10-17` nor `2008-10-17`.
    Error InvalidVersion = "INVALID_VERSION", check;
    /// The document has no statements.
    Error MissingStatement = "MISSING_STATEMENT", check;
    /// The statement has no `Effect`.
    Error MissingEffect = "MISSING_EFFECT", check;
    /// The effect is neither `Allow` nor `Deny`.
    Error InvalidEffect = "INVALID_EFFECT", check;
    /// The statement has neither `Action` nor `NotAction`.
    Error MissingAction = "MISSING_ACTION", check;
    /// The statement has neither `Resource` nor `NotResource`.
    Error MissingResource = "MISSING_RESOURCE", check;
    /// The statement has neither `Principal` nor `NotPrincipal`.
    Error MissingPrincipal = "MISSING_PRINCIPAL", check;
    /// An element and its negation are in one statement.
    Error UnsupportedElementCombination = "UNSUPPORTED_ELEMENT_COMBINATION", check;
    /// This kind of policy does not support `Principal`.
    Error UnsupportedPrincipal = "UNSUPPORTED_PRINCIPAL", check;
    /// `Principal` is neither `"*"` nor an object of principal types.
    Error InvalidPrincipalFormat = "INVALID_PRINCIPAL_FORMAT", check;
    /// The principal type is not `AWS`, `Service`, `Federated` or `CanonicalUser`.
    Error InvalidPrincipalKey = "INVALID_PRINCIPAL_KEY", check;
    /// Wildcards are not supported in this principal.
    Error UnsupportedWildcardInPrincipal = "UNSUPPORTED_WILDCARD_IN_PRINCIPAL", check;
    /// Two statements have the same `Sid`.
    Error UniqueSidsRequired = "UNIQUE_SIDS_REQUIRED", check;
    /// The `Sid` has a character that this kind of policy does not support.
    Error UnsupportedSid = "UNSUPPORTED_SID", check;
    /// A condition key is repeated under one operator; key names are case-insensitive.
    Error DuplicateKeysWithDifferentCase = "DUPLICATE_KEYS_WITH_DIFFERENT_CASE", check;
    /// There is no condition operator of this name.
    Error InvalidConditionOperator = "INVALID_CONDITION_OPERATOR", check;
    /// `Null` cannot be combined with `IfExists`.
    Error NullWithIfExists = "NULL_WITH_IF_EXISTS", check;
    /// The resource does not start with `arn:`.
    Error InvalidArnPrefix = "INVALID_ARN_PREFIX", check;
    /// The ARN's partition does not exist.
    Error InvalidPartition = "INVALID_PARTITION", check;
    /// Trust policies do not support `NotPrincipal`.
    Error RoleTrustPolicySyntaxErrorNotprincipal = "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL", check;
    /// Trust policies do not support `Resource`.
    Error RoleTrustPolicySyntaxErrorResource = "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE", check;
    /// The federated principal is neither a provider's domain nor its ARN.
    Error InvalidFederatedPrincipalSyntaxInRoleTrustPolicy = "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY", check;
    /// Service control policies do not support `Principal`.
    Error ScpSyntaxErrorPrincipal = "SCP_SYNTAX_ERROR_PRINCIPAL", check;
    /// Resource control policies support only `"Principal": "*"`.
    Error RcpSyntaxErrorPrincipal = "RCP_SYNTAX_ERROR_PRINCIPAL", check;
    /// An Allow of a resource control policy has no conditions and covers all principals and resources.
    Error RcpSyntaxErrorAllow = "RCP_SYNTAX_ERROR_ALLOW", check;
    /// Resource control policies do not support `NotAction`.
    Error RcpSyntaxErrorNotaction = "RCP_SYNTAX_ERROR_NOTACTION", check;
    /// Resource control policies do not apply to this service's actions.
    Error RcpSyntaxErrorAction = "RCP_SYNTAX_ERROR_ACTION", check;
    /// The service control policy is too long.
    Error PolicySizeExceedsScpQuota = "POLICY_SIZE_EXCEEDS_SCP_QUOTA", check;
    /// The resource control policy is too long.
    Error PolicySizeExceedsRcpQuota = "POLICY_SIZE_EXCEEDS_RCP_QUOTA", check;
    /// The action does not exist, or its wildcard matches none.
    Error InvalidAction = "INVALID_ACTION", check;
    /// The action's service does not exist.
    Error InvalidServiceInAction = "INVALID_SERVICE_IN_ACTION", check;
    /// The action has no resource types: it needs `"Resource": "*"`.
    Error ActionNeedsStarResource = "ACTION_NEEDS_STAR_RESOURCE", page("service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html");
    /// The action applies to other resource types than the listed ones.
    Error ActionResourceMismatch = "ACTION_RESOURCE_MISMATCH", page("service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html");
    /// The action does not apply to the resource that this policy is attached to.
    Error UnsupportedActionInPolicy = "UNSUPPORTED_ACTION_IN_POLICY", check;
    /// The ARN is not of the service that this policy is attached to.
    Error UnsupportedResourceArnInPolicy = "UNSUPPORTED_RESOURCE_ARN_IN_POLICY", check;
    /// The ARN has fewer than six fields.
    Error MissingArnField = "MISSING_ARN_FIELD", check;
    /// The ARN's service does not exist.
    Error InvalidService = "INVALID_SERVICE", check;
    /// The ARN's service has upper-case letters.
    Error InvalidArnServiceCase = "INVALID_ARN_SERVICE_CASE", check;
    /// The ARN's region does not exist.
    Error InvalidArnRegion = "INVALID_ARN_REGION", check;
    /// ARNs of this type have no region.
    Error ArnRegionNotAllowed = "ARN_REGION_NOT_ALLOWED", check;
    /// ARNs of this type have a region.
    Error MissingArnRegion = "MISSING_ARN_REGION", check;
    /// The ARN's account is not twelve digits.
    Error InvalidArnAccount = "INVALID_ARN_ACCOUNT", check;
    /// ARNs of this type have an account.
    Error MissingArnAccount = "MISSING_ARN_ACCOUNT", check;
    /// ARNs of this type have no account.
    Error ArnAccountNotAllowed = "ARN_ACCOUNT_NOT_ALLOWED", check;
    /// The service has no ARN of this form.
    Error InvalidArnResource = "INVALID_ARN_RESOURCE", check;
    /// The ARN of an ECR repository ends in a tag or a digest, which no repository ARN has.
    Error EcrImageInRepositoryArn = "ECR_IMAGE_IN_REPOSITORY_ARN", page("service-authorization/latest/reference/list_amazonelasticcontainerregistry.html");
    /// A condition key is `service:name`.
    Error InvalidConditionKeyFormat = "INVALID_CONDITION_KEY_FORMAT", check;
    /// There is no such key with the prefix `aws:`.
    Error InvalidGlobalConditionKey = "INVALID_GLOBAL_CONDITION_KEY", check;
    /// The service has no such condition key.
    Error InvalidServiceConditionKey = "INVALID_SERVICE_CONDITION_KEY", check;
    /// Requests of some of the statement's actions never have the condition key.
    Error UnsupportedActionForConditionKey = "UNSUPPORTED_ACTION_FOR_CONDITION_KEY", check;
    /// The condition key is set by another action, which the policy does not allow.
    Error MissingActionForConditionKey = "MISSING_ACTION_FOR_CONDITION_KEY", check;
    /// A tag's condition key lacks the tag's name.
    Error MissingTagKeyInCondition = "MISSING_TAG_KEY_IN_CONDITION", check;
    /// A multivalued key needs `ForAllValues` or `ForAnyValue`.
    Error MissingQualifier = "MISSING_QUALIFIER", check;
    /// The values of one condition key have different JSON types.
    Error InvalidConditionDataType = "INVALID_CONDITION_DATA_TYPE", check;
    /// The condition asks for true and for false.
    Error InvalidConditionMultipleBoolean = "INVALID_CONDITION_MULTIPLE_BOOLEAN", check;
    /// The condition's value does not have the form of a VPC ID.
    Error InvalidVpcFormat = "INVALID_VPC_FORMAT", check;
    /// The condition's value does not have the form of a VPC endpoint ID.
    Error InvalidVpceFormat = "INVALID_VPCE_FORMAT", check;
    /// The condition's value does not have the form of an organization ID.
    Error InvalidOrganizationId = "INVALID_ORGANIZATION_ID", page("organizations/latest/APIReference/API_Organization.html");
    /// The condition's value does not have the form of an account ID.
    Error InvalidAccountId = "INVALID_ACCOUNT_ID", page("IAM/latest/UserGuide/reference_policies_condition-keys.html");
    /// The condition's value is not an AWS Region.
    Error InvalidRegion = "INVALID_REGION", check;
    /// The condition's value is not the ARN of a KMS key.
    Error InvalidKmsKeyValue = "INVALID_KMS_KEY_VALUE", check;
    /// The text does not have the form of a service principal.
    Error InvalidServicePrincipalFormat = "INVALID_SERVICE_PRINCIPAL_FORMAT", check;
    /// A wildcard in the value of a key that identifies an account, an organization or a network.
    Error WildcardUsageTooPermissive = "WILDCARD_USAGE_TOO_PERMISSIVE", check;
    /// A variable in the value of a key that identifies an account, an organization or a network.
    Error VariableUsageTooPermissive = "VARIABLE_USAGE_TOO_PERMISSIVE", check;
    /// The value is not an IP address or network.
    Error TypeMismatchIpRange = "TYPE_MISMATCH_IP_RANGE", check;
    /// The statement's conditions contradict each other: it never applies.
    Error ConditionNeverHolds = "CONDITION_NEVER_HOLDS", page("IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html");
    /// The operator does not support variables.
    Error InvalidVariableForOperator = "INVALID_VARIABLE_FOR_OPERATOR", check;
    /// The variable has no closing brace.
    Error MissingBraceInVariable = "MISSING_BRACE_IN_VARIABLE", check;
    /// The variable's default value is not in single quotes.
    Error MissingQuoteInVariable = "MISSING_QUOTE_IN_VARIABLE", check;
    /// The variable's name has a space.
    Error UnsupportedSpaceInVariable = "UNSUPPORTED_SPACE_IN_VARIABLE", check;
    /// The variable has no name.
    Error EmptyVariable = "EMPTY_VARIABLE", check;
    /// Variables are not expanded here: only after an ARN's fifth colon and in condition values.
    Error VariableUnsupportedInElement = "VARIABLE_UNSUPPORTED_IN_ELEMENT", check;
    /// `${...}` is literal text without `"Version": "2012-10-17"`.
    Error VariableUnsupportedInVersion = "VARIABLE_UNSUPPORTED_IN_VERSION", check;
    /// The variable is not a condition key of any request.
    Error UnknownVariable = "UNKNOWN_VARIABLE", page("IAM/latest/UserGuide/reference_policies_variables.html");
    /// The variable is a multivalued key, which never expands.
    Error MultivaluedVariable = "MULTIVALUED_VARIABLE", page("IAM/latest/UserGuide/reference_policies_variables.html");
    /// This type of principal cannot assume a role with this action.
    Error MismatchedActionForPrincipal = "MISMATCHED_ACTION_FOR_PRINCIPAL", check;
    /// IAM Roles Anywhere needs `sts:AssumeRole`, `sts:TagSession` and `sts:SetSourceIdentity`.
    Error MissingActionForRolesAnywhereTrustPolicy = "MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY", check;
    /// Only trust policies support federated principals.
    Error FederatedPrincipalNotSupported = "FEDERATED_PRINCIPAL_NOT_SUPPORTED", check;
    /// Trust policies do not support `"Principal": "*"`.
    Error RoleTrustPolicyUnsupportedWildcardInPrincipal = "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL", check;
    /// Requests of AWS services never have the condition key.
    Error UnsupportedConditionKeyForServicePrincipal = "UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", check;

    /// Everything is allowed on everything.
    SecurityWarning FullAccess = "FULL_ACCESS", page("IAM/latest/UserGuide/best-practices.html");
    /// Every role can be passed.
    SecurityWarning PassRoleWithStarInResource = "PASS_ROLE_WITH_STAR_IN_RESOURCE", check;
    /// A wildcard in `Action` allows passing every role.
    SecurityWarning PassRoleWithStarInActionAndResource = "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE", check;
    /// `NotAction` allows passing every role.
    SecurityWarning PassRoleWithStarInResourceAndNotAction = "PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION", check;
    /// All roles except the listed ones can be passed.
    SecurityWarning PassRoleWithNotResource = "PASS_ROLE_WITH_NOT_RESOURCE", check;
    /// A wildcard in `Action` allows passing all roles except the listed ones.
    SecurityWarning PassRoleWithStarInActionAndNotResource = "PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE", check;
    /// `NotAction` allows passing all roles except the listed ones.
    SecurityWarning PassRoleWithNotActionAndNotResource = "PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE", check;
    /// With the action a principal can give itself more permissions.
    SecurityWarning PrivilegeEscalation = "PRIVILEGE_ESCALATION", page("IAM/latest/UserGuide/best-practices.html");
    /// With the action a principal can give itself access to every ECR image.
    SecurityWarning ResourcePolicyPrivilegeEscalation = "RESOURCE_POLICY_PRIVILEGE_ESCALATION", page("AmazonECR/latest/userguide/repository-policies.html");
    /// Every role that trusts the account can be assumed.
    SecurityWarning AssumeRoleWithStarInResource = "ASSUME_ROLE_WITH_STAR_IN_RESOURCE", page("IAM/latest/UserGuide/best-practices.html");
    /// Everything except the listed actions is allowed.
    SecurityWarning AllowWithNotAction = "ALLOW_WITH_NOT_ACTION", page("IAM/latest/UserGuide/reference_policies_elements_notaction.html");
    /// The actions are allowed on everything except the listed resources.
    SecurityWarning AllowWithNotResource = "ALLOW_WITH_NOT_RESOURCE", page("IAM/latest/UserGuide/reference_policies_elements_notresource.html");
    /// Everyone except the listed principals is allowed.
    SecurityWarning AllowWithNotPrincipal = "ALLOW_WITH_NOT_PRINCIPAL", check;
    /// Everyone can assume the role.
    SecurityWarning TrustPolicyOpenToEveryone = "TRUST_POLICY_OPEN_TO_EVERYONE", page("IAM/latest/UserGuide/reference_policies_elements_principal.html");
    /// Everyone is allowed, also from outside the account.
    SecurityWarning PrincipalStarWithoutCondition = "PRINCIPAL_STAR_WITHOUT_CONDITION", page("IAM/latest/UserGuide/reference_policies_elements_principal.html");
    /// The service acts for any account: the policy does not say for which.
    SecurityWarning RestrictAccessToServicePrincipal = "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL", check;
    /// Every identity of a shared identity provider can assume the role.
    SecurityWarning MissingConditionKeyForOidcPrincipal = "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL", check;
    /// Workflows of other owners' GitHub repositories can assume the role.
    SecurityWarning MissingGithubRepoConditionKey = "MISSING_GITHUB_REPO_CONDITION_KEY", check;
    /// `ForAllValues` matches when a single-valued key is missing.
    SecurityWarning ForAllValuesWithSingleValuedKey = "FORALLVALUES_WITH_SINGLE_VALUED_KEY", check;
    /// `ForAllValues` allows requests without the key.
    SecurityWarning ForAllValuesWithoutNullCheck = "FORALLVALUES_WITHOUT_NULL_CHECK", page("IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html");
    /// The audience of this identity provider is single-valued and needs no `ForAnyValue`.
    SecurityWarning ForAnyValueWithAudienceClaimType = "FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE", check;
    /// With `StringLike` a wildcard in an ARN also matches colons.
    SecurityWarning StringLikeOperatorWithArnConditionKeys = "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS", check;
    /// The condition key is only safe together with another one.
    SecurityWarning MissingPairedConditionKeys = "MISSING_PAIRED_CONDITION_KEYS", check;
    /// The caller chooses the value of the condition key.
    SecurityWarning UntrustworthyConditionKey = "UNTRUSTWORTHY_CONDITION_KEY", check;
    /// The denial misses actions that do not support the tag condition key.
    SecurityWarning DenyWithUnsupportedTagConditionKeyForService = "DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", check;
    /// A denial with `NotAction` misses actions that do not support the tag condition key.
    SecurityWarning DenyNotactionWithUnsupportedTagConditionKeyForService = "DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", check;
    /// The denial misses requests with long-term access keys, which do not have the condition key.
    SecurityWarning MfaDenyMissesLongTermKeys = "MFA_DENY_MISSES_LONG_TERM_KEYS", page("IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html");
    /// Requests without the condition key, such as those with long-term access keys, are allowed.
    SecurityWarning MfaAllowWithIfExists = "MFA_ALLOW_WITH_IF_EXISTS", page("IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html");
    /// The statement allows only sessions without MFA.
    SecurityWarning MfaAllowWithoutMfa = "MFA_ALLOW_WITHOUT_MFA", page("IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html");
    /// A request that names no attributes gets all of them.
    SecurityWarning DynamodbAttributesWithoutSelect = "DYNAMODB_ATTRIBUTES_WITHOUT_SELECT", check;
    /// A request with a shorter prefix bypasses the condition.
    SecurityWarning S3PrefixInNegativeContext = "S3_PREFIX_IN_NEGATIVE_CONTEXT", check;

    /// The document has no `Version`.
    Warning MissingVersion = "MISSING_VERSION", check;
    /// AWS documents no resource type for the action, or other ones than the listed resources.
    Warning ActionResourceNotDocumented = "ACTION_RESOURCE_NOT_DOCUMENTED", page("service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html");
    /// AWS documents the condition key for none or only some of the statement's actions.
    Warning ConditionKeyNotDocumentedForAction = "CONDITION_KEY_NOT_DOCUMENTED_FOR_ACTION", page("service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html");
    /// AWS documents no ARN of this form for the service.
    Warning ArnFormNotDocumented = "ARN_FORM_NOT_DOCUMENTED", page("service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html");
    /// The operator is for keys of another type.
    Warning TypeMismatch = "TYPE_MISMATCH", check;
    /// The value is neither `true` nor `false`.
    Warning TypeMismatchBoolean = "TYPE_MISMATCH_BOOLEAN", check;
    /// The value is not a number.
    Warning TypeMismatchNumber = "TYPE_MISMATCH_NUMBER", check;
    /// The value is not a date.
    Warning TypeMismatchDate = "TYPE_MISMATCH_DATE", check;
    /// The value is not base64.
    Warning TypeMismatchString = "TYPE_MISMATCH_STRING", check;
    /// The value is not an ARN: the operator compares six fields one by one.
    Warning TypeMismatchArn = "TYPE_MISMATCH_ARN", page("IAM/latest/UserGuide/reference_policies_elements_condition_operators.html");
    /// The date is in epoch seconds; ISO 8601 is clearer.
    Warning InvalidDateValue = "INVALID_DATE_VALUE", check;
    /// The operator compares `*` and `?` literally.
    Warning WildcardWithoutLikeOperator = "WILDCARD_WITHOUT_LIKE_OPERATOR", check;
    /// The global condition key has a replacement.
    Warning DeprecatedGlobalConditionKey = "DEPRECATED_GLOBAL_CONDITION_KEY", check;
    /// Only some services support the condition key.
    Warning UseConditionKeyOnlyWithSupportedServices = "USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES", check;
    /// An external ID is never empty: the condition never matches, or excludes nothing.
    Warning EmptyExternalId = "EMPTY_EXTERNAL_ID", page("STS/latest/APIReference/API_AssumeRole.html");
    /// None of the statement's actions applies to this resource.
    Warning ResourceWithoutAction = "RESOURCE_WITHOUT_ACTION", page("service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html");
    /// Another statement denies everything that this one allows.
    Warning ShadowedByDeny = "SHADOWED_BY_DENY", page("IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html");
    /// Two statements have the same `Sid`.
    Warning UniqueSidsRecommended = "UNIQUE_SIDS_RECOMMENDED", check;
    /// The principal is the ID of a deleted role.
    Warning InvalidRoleReference = "INVALID_ROLE_REFERENCE", check;
    /// The principal is the ID of a deleted user.
    Warning InvalidUserReference = "INVALID_USER_REFERENCE", check;
    /// No AWS service has this service principal.
    Warning InvalidServicePrincipal = "INVALID_SERVICE_PRINCIPAL", page("IAM/latest/UserGuide/reference_policies_elements_principal.html");
    /// A wildcard in the GitHub subject also matches other repositories or branches.
    Warning SpecificGithubRepoAndBranchRecommended = "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED", check;
    /// The denial also applies to AWS services, which do not have the principal's key.
    Warning RcpMissingRelatedPrincipalConditionKey = "RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY", check;
    /// The denial also applies to your principals, which do not have the service's key.
    Warning RcpMissingRelatedServicePrincipalConditionKey = "RCP_MISSING_RELATED_SERVICE_PRINCIPAL_CONDITION_KEY", check;
    /// The denial also applies to service requests without a source.
    Warning RcpMissingServiceConditionKeyNullCheck = "RCP_MISSING_SERVICE_CONDITION_KEY_NULL_CHECK", check;
    /// The identity policy is too long.
    Warning PolicySizeExceedsIdentityPolicyQuota = "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA", check;
    /// The resource policy is too long.
    Warning PolicySizeExceedsResourcePolicyQuota = "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA", check;
    /// The trust policy is too long.
    Warning PolicySizeExceedsRoleTrustPolicyQuota = "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA", check;
    /// Service-linked roles of every service can be created.
    Warning CreateSlrWithStarInResource = "CREATE_SLR_WITH_STAR_IN_RESOURCE", check;
    /// A wildcard in `Action` allows creating service-linked roles of every service.
    Warning CreateSlrWithStarInActionAndResource = "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE", check;
    /// `NotAction` allows creating service-linked roles of every service.
    Warning CreateSlrWithStarInResourceAndNotAction = "CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION", check;
    /// Service-linked roles of all services except the listed ones can be created.
    Warning CreateSlrWithNotResource = "CREATE_SLR_WITH_NOT_RESOURCE", check;
    /// A wildcard in `Action` allows creating service-linked roles of all services except the listed ones.
    Warning CreateSlrWithStarInActionAndNotResource = "CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE", check;
    /// `NotAction` allows creating service-linked roles of all services except the listed ones.
    Warning CreateSlrWithNotActionAndNotResource = "CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE", check;
    /// Layers can be uploaded but the image cannot be put, or the reverse.
    Warning EcrPushIncomplete = "ECR_PUSH_INCOMPLETE", page("AmazonECR/latest/userguide/image-push-iam.html");
    /// Manifests can be read but layers cannot, or the reverse.
    Warning EcrPullIncomplete = "ECR_PULL_INCOMPLETE", page("AmazonECR/latest/userguide/docker-pull-ecr-image.html");
    /// The document has more to check, or more findings, than the limits allow.
    Warning ChecksIncomplete = "CHECKS_INCOMPLETE", page("IAM/latest/UserGuide/access-analyzer-policy-validation.html");

    /// `docker login` needs `ecr:GetAuthorizationToken`, which no statement allows.
    Suggestion EcrLoginMissing = "ECR_LOGIN_MISSING", page("AmazonECR/latest/userguide/registry_auth.html");
    /// Version 2008-10-17 has no variables.
    Suggestion OldVersion = "OLD_VERSION", page("IAM/latest/UserGuide/reference_policies_elements_version.html");
    /// A wildcard in the service also matches future services.
    Suggestion WildcardInServiceName = "WILDCARD_IN_SERVICE_NAME", check;
    /// Another entry covers the action.
    Suggestion RedundantAction = "REDUNDANT_ACTION", check;
    /// Another entry covers the resource.
    Suggestion RedundantResource = "REDUNDANT_RESOURCE", check;
    /// Another value covers the value.
    Suggestion RedundantConditionValue = "REDUNDANT_CONDITION_VALUE", page("IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html");
    /// Of several numeric bounds only one has an effect.
    Suggestion RedundantConditionValueNum = "REDUNDANT_CONDITION_VALUE_NUM", check;
    /// Another entry covers the principal.
    Suggestion RedundantPrincipal = "REDUNDANT_PRINCIPAL", page("IAM/latest/UserGuide/reference_policies_elements_principal.html");
    /// The session's role is listed as well.
    Suggestion RedundantPrincipalInRoleTrustPolicy = "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY", check;
    /// Another statement covers this one.
    Suggestion RedundantStatement = "REDUNDANT_STATEMENT", check;
    /// The condition always matches.
    Suggestion RedundantKeyDueToWildcardInCondition = "REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION", check;
    /// The condition never matches.
    Suggestion RedundantStatementDueToWildcardInCondition = "REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION", check;
    /// The condition only checks that the key is present.
    Suggestion EquivalentToNullFalse = "EQUIVALENT_TO_NULL_FALSE", check;
    /// The condition only checks that the key is missing.
    Suggestion EquivalentToNullTrue = "EQUIVALENT_TO_NULL_TRUE", check;
    /// The addresses are private; AWS sees only public ones.
    Suggestion PrivateIpAddress = "PRIVATE_IP_ADDRESS", check(Error);
    /// The excluded addresses are private; AWS sees only public ones.
    Suggestion PrivateNotIpAddress = "PRIVATE_NOT_IP_ADDRESS", check(Error);
    /// Some of the addresses are private; AWS sees only public ones.
    Suggestion PrivateIpAddressSubset = "PRIVATE_IP_ADDRESS_SUBSET", check;
    /// Some of the excluded addresses are private; AWS sees only public ones.
    Suggestion PrivateNotIpAddressSubset = "PRIVATE_NOT_IP_ADDRESS_SUBSET", check;
    /// The network's address has bits after its prefix.
    Suggestion ImproveIpRange = "IMPROVE_IP_RANGE", check;
    /// `Null` checks whether the key is present, not its values.
    Suggestion NullWithQualifier = "NULL_WITH_QUALIFIER", check;
    /// A single-valued key needs no `ForAnyValue`.
    Suggestion ForAnyValueWithSingleValuedKey = "FORANYVALUE_WITH_SINGLE_VALUED_KEY", page("IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html");
    /// `ForAnyValue` and `ForAllValues` are only for audiences with several values.
    Suggestion ConfirmAudienceClaimType = "CONFIRM_AUDIENCE_CLAIM_TYPE", check;
    /// ARNs are compared with ARN operators.
    Suggestion StringOperatorWithArnConditionKey = "STRING_OPERATOR_WITH_ARN_CONDITION_KEY", page("IAM/latest/UserGuide/reference_policies_elements_condition_operators.html");
    /// `NotPrincipal` with Deny must list accounts and sessions as well.
    Suggestion DenyWithNotPrincipal = "DENY_WITH_NOT_PRINCIPAL", page("IAM/latest/UserGuide/reference_policies_elements_notprincipal.html");
    /// Actions that do not support the tag condition key are never allowed.
    Suggestion AllowWithUnsupportedTagConditionKeyForService = "ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", check;
    /// With `NotAction`, only actions that support the tag condition key are allowed.
    Suggestion AllowNotactionWithUnsupportedTagConditionKeyForService = "ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", check;
    /// A source key limits a service better than this condition key.
    Suggestion RecommendedConditionKeyForServicePrincipal = "RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", check;
    /// The condition key has always the same value in a resource policy.
    Suggestion IrrelevantConditionKeyInPolicy = "IRRELEVANT_CONDITION_KEY_IN_POLICY", check;
    /// `Action` is an empty list.
    Suggestion EmptyArrayAction = "EMPTY_ARRAY_ACTION", check;
    /// `Resource` is an empty list.
    Suggestion EmptyArrayResource = "EMPTY_ARRAY_RESOURCE", check;
    /// The list of principals is empty.
    Suggestion EmptyArrayPrincipal = "EMPTY_ARRAY_PRINCIPAL", check;
    /// `Principal` is an empty object.
    Suggestion EmptyObjectPrincipal = "EMPTY_OBJECT_PRINCIPAL", check;
    /// The condition has no values.
    Suggestion EmptyArrayCondition = "EMPTY_ARRAY_CONDITION", check;
    /// `ForAllValues` without values only checks that the key is missing.
    Suggestion EmptyArrayConditionForallvalues = "EMPTY_ARRAY_CONDITION_FORALLVALUES", check;
    /// `ForAnyValue` without values never matches.
    Suggestion EmptyArrayConditionForanyvalue = "EMPTY_ARRAY_CONDITION_FORANYVALUE", check;
    /// `IfExists` without values only checks that the key is missing.
    Suggestion EmptyArrayConditionIfexists = "EMPTY_ARRAY_CONDITION_IFEXISTS", check;
    /// `Condition`, or an operator in it, is empty.
    Suggestion EmptyObjectCondition = "EMPTY_OBJECT_CONDITION", check;
    /// The `Sid` is empty.
    Suggestion EmptySidValue = "EMPTY_SID_VALUE", check;
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
