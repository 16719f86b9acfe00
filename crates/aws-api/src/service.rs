//! Services, protocols and operations.

use crate::value::Shaped;
use crate::{Http, access_analyzer, berth, ecr, iam, kms, organizations, secrets_manager, sts};

/// The services whose types this crate has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// AWS IAM Access Analyzer.
    AccessAnalyzer,
    /// Berth's own operations, where AWS has none.
    Berth,
    /// Amazon Elastic Container Registry.
    Ecr,
    /// AWS Identity and Access Management.
    Iam,
    /// AWS Key Management Service.
    Kms,
    /// AWS Organizations.
    Organizations,
    /// AWS Secrets Manager.
    SecretsManager,
    /// AWS Security Token Service.
    Sts,
}

/// How a service's requests and responses are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// awsJson 1.1: requests and responses in JSON, the operation in `X-Amz-Target`.
    Json,
    /// awsQuery: requests as form parameters, responses in XML, the operation in `Action`.
    Query,
    /// restJson1: the operation in method and path, parameters in path, query, headers and a JSON body.
    RestJson,
}

impl Service {
    /// All services.
    pub const ALL: &'static [Self] = &[
        Self::AccessAnalyzer,
        Self::Berth,
        Self::Ecr,
        Self::Iam,
        Self::Kms,
        Self::Organizations,
        Self::SecretsManager,
        Self::Sts,
    ];

    /// The name in a signature's scope (`ecr`) and before the colon of an action.
    pub const fn signing_name(self) -> &'static str {
        match self {
            Self::AccessAnalyzer => "access-analyzer",
            Self::Berth => "berth",
            Self::Ecr => "ecr",
            Self::Iam => "iam",
            Self::Kms => "kms",
            Self::Organizations => "organizations",
            Self::SecretsManager => "secretsmanager",
            Self::Sts => "sts",
        }
    }

    /// The service of a signature's scope.
    pub fn from_signing_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|s| s.signing_name() == name)
    }

    /// The first label of its public endpoints (`api.ecr`).
    pub const fn endpoint_prefix(self) -> &'static str {
        match self {
            Self::AccessAnalyzer => "access-analyzer",
            Self::Berth => "berth",
            Self::Ecr => "api.ecr",
            Self::Iam => "iam",
            Self::Kms => "kms",
            Self::Organizations => "organizations",
            Self::SecretsManager => "secretsmanager",
            Self::Sts => "sts",
        }
    }

    /// The API's version, the `Version` parameter of the Query form.
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::AccessAnalyzer => access_analyzer::API_VERSION,
            Self::Berth => berth::API_VERSION,
            Self::Ecr => ecr::API_VERSION,
            Self::Iam => iam::API_VERSION,
            Self::Kms => kms::API_VERSION,
            Self::Organizations => organizations::API_VERSION,
            Self::SecretsManager => secrets_manager::API_VERSION,
            Self::Sts => sts::API_VERSION,
        }
    }

    /// The part of `X-Amz-Target` before the dot.
    pub const fn target_prefix(self) -> Option<&'static str> {
        match self {
            Self::Berth => Some(berth::TARGET_PREFIX),
            Self::Ecr => Some(ecr::TARGET_PREFIX),
            Self::Kms => Some(kms::TARGET_PREFIX),
            Self::Organizations => Some(organizations::TARGET_PREFIX),
            Self::SecretsManager => Some(secrets_manager::TARGET_PREFIX),
            Self::AccessAnalyzer | Self::Iam | Self::Sts => None,
        }
    }

    /// The namespace of XML answers; none for JSON services.
    pub const fn xml_namespace(self) -> Option<&'static str> {
        match self {
            Self::AccessAnalyzer
            | Self::Berth
            | Self::Ecr
            | Self::Kms
            | Self::Organizations
            | Self::SecretsManager => None,
            Self::Iam => Some(iam::XML_NAMESPACE),
            Self::Sts => Some(sts::XML_NAMESPACE),
        }
    }

    /// The protocol it speaks.
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Berth | Self::Ecr | Self::Kms | Self::Organizations | Self::SecretsManager => {
                Protocol::Json
            }
            Self::Iam | Self::Sts => Protocol::Query,
            Self::AccessAnalyzer => Protocol::RestJson,
        }
    }

    /// The service's operation of this name, case-sensitive.
    pub fn operation(self, name: &str) -> Option<Operation> {
        match self {
            Self::AccessAnalyzer => {
                access_analyzer::Operation::from_name(name).map(Operation::AccessAnalyzer)
            }
            Self::Berth => berth::Operation::from_name(name).map(Operation::Berth),
            Self::Ecr => ecr::Operation::from_name(name).map(Operation::Ecr),
            Self::Iam => iam::Operation::from_name(name).map(Operation::Iam),
            Self::Kms => kms::Operation::from_name(name).map(Operation::Kms),
            Self::Organizations => {
                organizations::Operation::from_name(name).map(Operation::Organizations)
            }
            Self::SecretsManager => {
                secrets_manager::Operation::from_name(name).map(Operation::SecretsManager)
            }
            Self::Sts => sts::Operation::from_name(name).map(Operation::Sts),
        }
    }

    /// All operations of the service, in the model's order.
    pub fn operations(self) -> Vec<Operation> {
        fn all<T: Copy>(names: &[T], variant: fn(T) -> Operation) -> Vec<Operation> {
            names.iter().copied().map(variant).collect()
        }
        match self {
            Self::AccessAnalyzer => all(access_analyzer::Operation::ALL, Operation::AccessAnalyzer),
            Self::Berth => all(berth::Operation::ALL, Operation::Berth),
            Self::Ecr => all(ecr::Operation::ALL, Operation::Ecr),
            Self::Iam => all(iam::Operation::ALL, Operation::Iam),
            Self::Kms => all(kms::Operation::ALL, Operation::Kms),
            Self::Organizations => all(organizations::Operation::ALL, Operation::Organizations),
            Self::SecretsManager => all(secrets_manager::Operation::ALL, Operation::SecretsManager),
            Self::Sts => all(sts::Operation::ALL, Operation::Sts),
        }
    }
}

/// An operation of any service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Of Access Analyzer.
    AccessAnalyzer(access_analyzer::Operation),
    /// Of Berth itself.
    Berth(berth::Operation),
    /// Of Amazon ECR.
    Ecr(ecr::Operation),
    /// Of IAM.
    Iam(iam::Operation),
    /// Of KMS.
    Kms(kms::Operation),
    /// Of Organizations.
    Organizations(organizations::Operation),
    /// Of Secrets Manager.
    SecretsManager(secrets_manager::Operation),
    /// Of STS.
    Sts(sts::Operation),
}

impl Operation {
    /// Its service.
    pub const fn service(self) -> Service {
        match self {
            Self::AccessAnalyzer(_) => Service::AccessAnalyzer,
            Self::Berth(_) => Service::Berth,
            Self::Ecr(_) => Service::Ecr,
            Self::Iam(_) => Service::Iam,
            Self::Kms(_) => Service::Kms,
            Self::Organizations(_) => Service::Organizations,
            Self::SecretsManager(_) => Service::SecretsManager,
            Self::Sts(_) => Service::Sts,
        }
    }

    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessAnalyzer(operation) => operation.name(),
            Self::Berth(operation) => operation.name(),
            Self::Ecr(operation) => operation.name(),
            Self::Iam(operation) => operation.name(),
            Self::Kms(operation) => operation.name(),
            Self::Organizations(operation) => operation.name(),
            Self::SecretsManager(operation) => operation.name(),
            Self::Sts(operation) => operation.name(),
        }
    }

    /// Its HTTP binding, in restJson1.
    pub const fn http(self) -> Option<Http> {
        match self {
            Self::AccessAnalyzer(operation) => operation.http(),
            Self::Berth(operation) => operation.http(),
            Self::Ecr(operation) => operation.http(),
            Self::Iam(operation) => operation.http(),
            Self::Kms(operation) => operation.http(),
            Self::Organizations(operation) => operation.http(),
            Self::SecretsManager(operation) => operation.http(),
            Self::Sts(operation) => operation.http(),
        }
    }

    /// The shape of its input.
    pub fn input(self) -> &'static crate::Shape {
        match self {
            Self::AccessAnalyzer(operation) => operation.input(),
            Self::Berth(operation) => operation.input(),
            Self::Ecr(operation) => operation.input(),
            Self::Iam(operation) => operation.input(),
            Self::Kms(operation) => operation.input(),
            Self::Organizations(operation) => operation.input(),
            Self::SecretsManager(operation) => operation.input(),
            Self::Sts(operation) => operation.input(),
        }
    }

    /// The shape of its output.
    pub fn output(self) -> &'static crate::Shape {
        match self {
            Self::AccessAnalyzer(operation) => operation.output(),
            Self::Berth(operation) => operation.output(),
            Self::Ecr(operation) => operation.output(),
            Self::Iam(operation) => operation.output(),
            Self::Kms(operation) => operation.output(),
            Self::Organizations(operation) => operation.output(),
            Self::SecretsManager(operation) => operation.output(),
            Self::Sts(operation) => operation.output(),
        }
    }

    #[cfg(test)]
    pub(crate) fn input_through_type(self, value: crate::Value<'_>) -> crate::Value<'static> {
        match self {
            Self::AccessAnalyzer(operation) => operation.input_through_type(value),
            Self::Berth(operation) => operation.input_through_type(value),
            Self::Ecr(operation) => operation.input_through_type(value),
            Self::Iam(operation) => operation.input_through_type(value),
            Self::Kms(operation) => operation.input_through_type(value),
            Self::Organizations(operation) => operation.input_through_type(value),
            Self::SecretsManager(operation) => operation.input_through_type(value),
            Self::Sts(operation) => operation.input_through_type(value),
        }
    }

    #[cfg(test)]
    pub(crate) fn output_through_type(self, value: crate::Value<'_>) -> crate::Value<'static> {
        match self {
            Self::AccessAnalyzer(operation) => operation.output_through_type(value),
            Self::Berth(operation) => operation.output_through_type(value),
            Self::Ecr(operation) => operation.output_through_type(value),
            Self::Iam(operation) => operation.output_through_type(value),
            Self::Kms(operation) => operation.output_through_type(value),
            Self::Organizations(operation) => operation.output_through_type(value),
            Self::SecretsManager(operation) => operation.output_through_type(value),
            Self::Sts(operation) => operation.output_through_type(value),
        }
    }
}

/// An operation as a type, for functions that are generic over operations
/// (`aws_api::ecr::ops::CreateRepository`).
pub trait Op {
    /// The operation as a value.
    const OPERATION: Operation;
    /// Its name on the wire.
    const NAME: &'static str;
    /// Its parameters; `()` where the model has no input.
    type Input: Shaped + Send + 'static;
    /// Its result; `()` where the model has no output.
    type Output: Shaped + Send + 'static;
}
