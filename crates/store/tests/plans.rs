//! How SQLite finds rows: a statement over several tables reaches each by a key, and does not walk all rows of an
//! account or a repository. The statements are read from the crate's sources.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use store::{Store, Value};

/// Statements that may walk, by how they begin, and why.
const MAY_WALK: [(&str, &str); 12] = [
    (
        "UPDATE jobs SET lease_holder = NULL, lease_until = NULL WHERE",
        "leases of the process before, once a start",
    ),
    (
        "SELECT m.name, c.name, c.type",
        "the columns of all tables, once a backup",
    ),
    (
        "SELECT DISTINCT m.name, f.",
        "the foreign keys of all tables, once a backup",
    ),
    (
        "SELECT f.image_id, f.repository_id",
        "a partial index of what waits",
    ),
    (
        "SELECT (SELECT count(*) FROM iam_attachments",
        "the attachments of one policy",
    ),
    (
        "SELECT arn, count(attached)",
        "ListPolicies counts all attachments of AWS's policies",
    ),
    (
        "SELECT p.user_id, p.last_used_at FROM iam_login_profiles",
        "the credential report, once in four hours",
    ),
    (
        "SELECT p.sealed_hash",
        "the credential report, once in four hours",
    ),
    (
        "SELECT COUNT(*) FROM (SELECT t.id FROM replication_tasks",
        "counts the rows of its own inner statement, which has a limit",
    ),
    (
        "SELECT string_agg(tag, ' ') FROM (SELECT t.tag",
        "joins the rows of its own inner statement, which has a limit",
    ),
    (
        "SELECT count(*) FROM iam_policy_versions",
        "GetAccountSummary counts them",
    ),
    (
        "SELECT p.repository_id, p.digest, p.size",
        "a check of all data, against what waits to be counted",
    ),
];
/// The statements that were looked at, at least: a scan of the sources that finds none has proven nothing.
const LOOKED_AT_MIN: usize = 20;

/// The string literals of a Rust source.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let code: Vec<&str> = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n").replace("'\"'", "");
    let mut characters = code.chars();
    while characters.any(|c| c == '"') {
        let mut text = String::new();
        while let Some(c) = characters.next() {
            match c {
                '"' => break,
                '\\' => match characters.next() {
                    // A line that goes on.
                    Some('\n') => {
                        text.push(' ');
                    }
                    Some(escaped) => text.push(escaped),
                    None => break,
                },
                c => text.push(c),
            }
        }
        found.push(text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    found
}

fn statements(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            statements(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            let sql = literals(&source).into_iter().filter(|text| {
                let first = text.split(' ').next().unwrap_or_default();
                ["SELECT", "UPDATE", "DELETE"].contains(&first)
            });
            found.extend(sql);
        }
    }
}

/// Whether a step of a plan visits all rows of an account or a repository, or all there are.
fn walks(step: &str) -> bool {
    let by_owner_alone = ["account", "repository_id", "registry"]
        .iter()
        .any(|column| step.ends_with(&format!("({column}=?)")));
    step.starts_with("SCAN") && !step.starts_with("SCAN CONSTANT") || by_owner_alone
}

#[tokio::test]
async fn statements_over_several_tables_reach_rows_by_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("berth.db").display());
    let store = Store::open(&url).await.unwrap();
    let mut found = Vec::new();
    statements(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path(),
        &mut found,
    );
    let mut looked_at = 0;
    let mut walking = Vec::new();
    for sql in found.iter().filter(|sql| sql.contains(" JOIN ")) {
        let highest = (1..=32).rev().find(|n| sql.contains(&format!("${n}")));
        let values = vec![Value::from(1_i64); highest.unwrap_or_default()];
        let mut read = store.read().await.unwrap();
        // A part of a statement, or one of PostgreSQL's.
        let Ok(plan) = read
            .fetch_all(format!("EXPLAIN QUERY PLAN {sql}").leak(), values)
            .await
        else {
            continue;
        };
        looked_at += 1;
        let steps = plan.iter().map(|row| row.text(3).unwrap());
        let steps: Vec<String> = steps.filter(|step| walks(step)).collect();
        let may = MAY_WALK.iter().any(|(start, _)| sql.starts_with(start));
        if !steps.is_empty() && !may {
            walking.push(format!("{sql}\n    {}", steps.join("\n    ")));
        }
    }
    assert!(looked_at >= LOOKED_AT_MIN, "only {looked_at} statements");
    assert!(walking.is_empty(), "these walk:\n{}", walking.join("\n"));
}

/// The flags of `.cargo/config.toml` reach the library only through the environment of its build.
#[tokio::test]
async fn sqlite_is_compiled_as_it_is_meant_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("db").display());
    let store = Store::open(&url).await.unwrap();
    let sql = "SELECT compile_options FROM pragma_compile_options";
    let mut read = store.read().await.unwrap();
    let rows = read.conn().fetch_all(sql, Vec::new()).await.unwrap();
    let options: Vec<String> = rows.iter().map(|row| row.text(0).unwrap()).collect();
    let has = |option: &str| options.iter().any(|found| found == option);
    // A prepared statement keeps its plan, whatever is bound to it.
    assert!(has("ENABLE_QPSG"), "{options:?}");
    assert!(has("DEFAULT_MEMSTATUS=0"), "{options:?}");
    assert!(
        !has("ENABLE_MEMORY_MANAGEMENT") && !has("ENABLE_STAT4"),
        "{options:?}"
    );
}
