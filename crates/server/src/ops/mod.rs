//! The operations: one row each, with everything that depends on the operation.
//!
//! A row names the operation's action, its access level, what it requires to be allowed, and the
//! domain function that performs it. Columns that differ from the defaults of
//! [`Columns::new`](row::Columns::new) are set behind it. `docs/api-coverage.md` is generated from
//! these rows.

mod access_analyzer;
mod backups;
mod berth;
mod collection;
mod composite;
mod ecr;
mod events;
mod iam;
pub(crate) mod input_members;
mod insight;
mod integrity;
mod kms;
pub(crate) mod oci;
mod organizations;
mod peers;
mod pull_through;
pub(crate) mod row;
mod search;
mod secrets_manager;
mod simulation;
mod sts;
mod tokens;
mod upstream_images;

use std::collections::HashMap;
use std::sync::OnceLock;

use aws_api::Operation;

pub(crate) use row::{ApiBody, Columns, Exchange, Row};
pub(crate) use sts::may_assume_with_web_identity;

/// All operations that are built, by operation.
pub(crate) fn table() -> &'static HashMap<Operation, Row> {
    static TABLE: OnceLock<HashMap<Operation, Row>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let all = [
            access_analyzer::table(),
            berth::table(),
            ecr::table(),
            iam::table(),
            kms::table(),
            organizations::table(),
            secrets_manager::table(),
            sts::table(),
        ];
        let rows = all.into_iter().flatten();
        rows.map(|row| (row.operation, row)).collect()
    })
}

/// The row of an operation; `None` for one that is not built.
pub(crate) fn row(operation: Operation) -> Option<&'static Row> {
    table().get(&operation)
}

/// The columns of an ECR operation that `/v2/` stands for. Each is built; nobody could call one that
/// is not.
pub(crate) fn columns(operation: aws_api::ecr::Operation) -> Columns {
    row(Operation::Ecr(operation)).map_or(Columns::CLOSED, |row| row.columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_api::authorization;

    #[test]
    fn each_operation_has_one_row_and_its_own_action() {
        let tables = [
            access_analyzer::table(),
            berth::table(),
            ecr::table(),
            iam::table(),
            kms::table(),
            organizations::table(),
            secrets_manager::table(),
            sts::table(),
        ];
        let rows = tables.iter().map(Vec::len).sum::<usize>();
        let table = table();
        assert_eq!(table.len(), rows, "an operation has two rows");
        for (operation, row) in table {
            let service = operation.service().signing_name();
            let action = format!("{service}:{}", operation.name());
            assert_eq!(row.columns.rule.action, action);
        }
    }

    /// Actions that AWS's model names and the published reference does not list yet.
    const UNPUBLISHED: [&str; 1] = ["ecr:ListImageReferrers"];

    #[test]
    fn access_levels_are_those_of_the_service_authorization_reference() {
        for row in table().values() {
            let rule = row.columns.rule;
            match authorization::action(rule.action) {
                Some(action) => assert_eq!(rule.access, action.access_level(), "{action:?}"),
                None => assert!(UNPUBLISHED.contains(&rule.action), "{}", rule.action),
            }
        }
    }
}
