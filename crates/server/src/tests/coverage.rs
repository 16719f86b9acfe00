//! `docs/api-coverage.md`, which is generated from the text of the tables, against the rows themselves.

use aws_api::Service;

use crate::ops::row::Category;

#[test]
fn the_coverage_page_says_what_the_rows_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api-coverage.md");
    let page = std::fs::read_to_string(path).unwrap();
    let table = crate::ops::table();
    let lines: Vec<&str> = page.lines().collect();
    for operation in Service::ALL.iter().flat_map(|service| service.operations()) {
        let name = operation.name();
        let expected = match table.get(&operation) {
            None => format!("| {name} | no | | | | |"),
            Some(row) => {
                let columns = row.columns;
                let category = match columns.category {
                    Category::Management => "Management",
                    Category::Data => "Data",
                };
                let answer = match columns.audits_answer {
                    true => ", with the answer",
                    false => "",
                };
                let rule = columns.rule;
                format!(
                    "| {name} | yes | `{}` | {} | {} | {category}{answer} |",
                    rule.action,
                    rule.access.as_str(),
                    rule.sessions
                )
            }
        };
        assert!(
            lines.contains(&expected.as_str()),
            "run `cargo xtask codegen`: {expected}"
        );
    }
}
