//! IAM Access Analyzer: the operations that are built, with what they need (Service Authorization Reference,
//! "Actions, resources, and condition keys for AWS IAM Access Analyzer").

use authz::{ResourceSelector, require};
use aws_api::access_analyzer::ops;

use super::Row;
use super::row::row;

/// `op!(Name, function, Level, |input| requirements)`: the action is `access-analyzer:Name`.
macro_rules! op {
    ($op:ident, $function:ident, $access:ident, |$input:ident| $requirements:expr) => {
        row!(
            AccessAnalyzer,
            ops::$op,
            concat!("access-analyzer:", stringify!($op)),
            $access,
            |$input| $requirements,
            |app, ok| {
                let (proof, input) = ok.into_parts();
                let answer = app.identity.$function(&proof, input).await;
                answer.map_err(Into::into)
            }
        )
    };
}

/// The operations that are built.
#[rustfmt::skip] // one line for each operation
pub(super) fn table() -> Vec<Row> {
    vec![
        op!(ValidatePolicy, validate_policy, Read, |_i| require(ResourceSelector::Any)),
    ]
}
