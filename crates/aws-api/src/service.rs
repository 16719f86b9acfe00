//! Services, protocols and operations.

use crate::value::Shaped;
use crate::{ecr, iam, sts};

/// The services that this crate speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Amazon Elastic Container Registry.
    Ecr,
    /// AWS Identity and Access Management.
    Iam,
    /// AWS Security Token Service.
    Sts,
}

/// How a service's requests and answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// awsJson 1.1: JSON both ways, the operation in `X-Amz-Target`.
    Json,
    /// awsQuery: form parameters in, XML out, the operation in `Action`.
    Query,
}

impl Service {
    /// All services.
    pub const ALL: &'static [Self] = &[Self::Ecr, Self::Iam, Self::Sts];

    /// The name in a signature's scope (`ecr`) and before the colon of an action.
    pub const fn signing_name(self) -> &'static str {
        match self {
            Self::Ecr => "ecr",
            Self::Iam => "iam",
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
            Self::Ecr => "api.ecr",
            Self::Iam => "iam",
            Self::Sts => "sts",
        }
    }

    /// The API's version, the `Version` parameter of the Query form.
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::Ecr => ecr::API_VERSION,
            Self::Iam => iam::API_VERSION,
            Self::Sts => sts::API_VERSION,
        }
    }

    /// What stands ahead of the dot in `X-Amz-Target`.
    pub const fn target_prefix(self) -> Option<&'static str> {
        match self {
            Self::Ecr => Some(ecr::TARGET_PREFIX),
            Self::Iam | Self::Sts => None,
        }
    }

    /// The namespace of XML answers; none for JSON services.
    pub const fn xml_namespace(self) -> Option<&'static str> {
        match self {
            Self::Ecr => None,
            Self::Iam => Some(iam::XML_NAMESPACE),
            Self::Sts => Some(sts::XML_NAMESPACE),
        }
    }

    /// The protocol it speaks.
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Ecr => Protocol::Json,
            Self::Iam | Self::Sts => Protocol::Query,
        }
    }

    /// The service's operation of this name, letter for letter.
    pub fn operation(self, name: &str) -> Option<Operation> {
        match self {
            Self::Ecr => ecr::Operation::from_name(name).map(Operation::Ecr),
            Self::Iam => iam::Operation::from_name(name).map(Operation::Iam),
            Self::Sts => sts::Operation::from_name(name).map(Operation::Sts),
        }
    }

    /// All operations of the service, in the model's order.
    pub fn operations(self) -> Vec<Operation> {
        match self {
            Self::Ecr => ecr::Operation::ALL
                .iter()
                .copied()
                .map(Operation::Ecr)
                .collect(),
            Self::Iam => iam::Operation::ALL
                .iter()
                .copied()
                .map(Operation::Iam)
                .collect(),
            Self::Sts => sts::Operation::ALL
                .iter()
                .copied()
                .map(Operation::Sts)
                .collect(),
        }
    }
}

/// An operation of any service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Of Amazon ECR.
    Ecr(ecr::Operation),
    /// Of IAM.
    Iam(iam::Operation),
    /// Of STS.
    Sts(sts::Operation),
}

impl Operation {
    /// Its service.
    pub const fn service(self) -> Service {
        match self {
            Self::Ecr(_) => Service::Ecr,
            Self::Iam(_) => Service::Iam,
            Self::Sts(_) => Service::Sts,
        }
    }

    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ecr(operation) => operation.name(),
            Self::Iam(operation) => operation.name(),
            Self::Sts(operation) => operation.name(),
        }
    }

    /// The shape of its input.
    pub fn input(self) -> &'static crate::Shape {
        match self {
            Self::Ecr(operation) => operation.input(),
            Self::Iam(operation) => operation.input(),
            Self::Sts(operation) => operation.input(),
        }
    }

    /// The shape of its output.
    pub fn output(self) -> &'static crate::Shape {
        match self {
            Self::Ecr(operation) => operation.output(),
            Self::Iam(operation) => operation.output(),
            Self::Sts(operation) => operation.output(),
        }
    }

    #[cfg(test)]
    pub(crate) fn input_through_type(self, value: crate::Value<'_>) -> crate::Value<'static> {
        match self {
            Self::Ecr(operation) => operation.input_through_type(value),
            Self::Iam(operation) => operation.input_through_type(value),
            Self::Sts(operation) => operation.input_through_type(value),
        }
    }

    #[cfg(test)]
    pub(crate) fn output_through_type(self, value: crate::Value<'_>) -> crate::Value<'static> {
        match self {
            Self::Ecr(operation) => operation.output_through_type(value),
            Self::Iam(operation) => operation.output_through_type(value),
            Self::Sts(operation) => operation.output_through_type(value),
        }
    }
}

/// An operation as a type: what is generic over operations takes one of these
/// (`aws_api::ecr::ops::CreateRepository`).
pub trait Op {
    /// The operation as a value.
    const OPERATION: Operation;
    /// Its name on the wire.
    const NAME: &'static str;
    /// What it is called with; `()` where the model has no input.
    type Input: Shaped + Send + 'static;
    /// What it answers; `()` where the model has no output.
    type Output: Shaped + Send + 'static;
}
