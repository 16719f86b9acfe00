//! `cargo xtask codegen --diff [VERSION]`: what another botocore would change.
//!
//! Only what reaches the wire is compared: operations, errors, members, enumerations and limits of
//! the shapes that operations use. Read it before changing `xtask/botocore-version.txt`.

use super::model::{Model, Shape};
use super::services::{Origin, SERVICES};
use std::collections::BTreeSet;
use std::path::Path;

/// Prints the changes from `pinned` to `other`, both botocore's `data` folders.
pub fn print(pinned: &Path, other: &Path, versions: [&str; 2]) -> Result<(), String> {
    println!("botocore {} -> {}", versions[0], versions[1]);
    let services = SERVICES.iter().filter(|s| s.origin == Origin::Botocore);
    for service in services {
        let [before, after] = [pinned, other].map(|data| Model::published(data, service));
        let lines = changes(&before?, &after?)?;
        println!("\n{}: {} changes", service.folder, lines.len());
        for line in lines {
            println!("  {line}");
        }
    }
    Ok(())
}

/// One line for each change: `+` added, `-` removed, `~` changed.
pub fn changes(before: &Model, after: &Model) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    let names = |model: &Model| model.operations.keys().cloned().collect::<BTreeSet<_>>();
    let (old, new) = (names(before), names(after));
    sets(&mut lines, "operation", &old, &new);
    for name in old.intersection(&new) {
        let errors = |model: &Model| {
            let operation = model.operations.get(name);
            let errors = operation.map(|o| o.errors.iter().map(|e| e.shape.clone()));
            errors.into_iter().flatten().collect::<BTreeSet<_>>()
        };
        let subject = format!("error of {name}");
        sets(&mut lines, &subject, &errors(before), &errors(after));
    }
    let (old, new) = (before.reachable()?, after.reachable()?);
    sets(&mut lines, "shape", &old, &new);
    for name in old.intersection(&new) {
        shape(&mut lines, name, before.shape(name)?, after.shape(name)?);
    }
    Ok(lines)
}

fn sets(lines: &mut Vec<String>, subject: &str, old: &BTreeSet<String>, new: &BTreeSet<String>) {
    lines.extend(new.difference(old).map(|x| format!("+ {subject} {x}")));
    lines.extend(old.difference(new).map(|x| format!("- {subject} {x}")));
}

fn shape(lines: &mut Vec<String>, name: &str, before: &Shape, after: &Shape) {
    let members = |shape: &Shape| shape.members.0.iter().map(|m| m.0.clone()).collect();
    let values = |shape: &Shape| shape.values.iter().cloned().collect();
    let (old, new) = (members(before), members(after));
    sets(lines, &format!("member of {name}"), &old, &new);
    sets(
        lines,
        &format!("required member of {name}"),
        &before.required,
        &after.required,
    );
    sets(
        lines,
        &format!("value of {name}"),
        &values(before),
        &values(after),
    );
    let mut changed = |what: &str, old: String, new: String| {
        if old != new {
            lines.push(format!("~ {what} of {name}: {old} -> {new}"));
        }
    };
    let number = |n: Option<i64>| n.map_or_else(|| "none".to_owned(), |n| n.to_string());
    changed("type", before.kind.clone(), after.kind.clone());
    changed("min", number(before.min), number(after.min));
    changed("max", number(before.max), number(after.max));
    let pattern = |shape: &Shape| shape.pattern.clone().unwrap_or_else(|| "none".to_owned());
    changed("pattern", pattern(before), pattern(after));
    changed(
        "sensitive",
        before.sensitive.to_string(),
        after.sensitive.to_string(),
    );
    for (member, target) in &after.members.0 {
        let earlier = before.members.0.iter().find(|(other, _)| other == member);
        if let Some((_, earlier)) = earlier.filter(|(_, e)| e.shape != target.shape) {
            let what = format!("type of member `{member}`");
            changed(&what, earlier.shape.clone(), target.shape.clone());
        }
    }
    let inner = |shape: &Shape| {
        let targets = shape.member.iter().chain(&shape.key).chain(&shape.value);
        let names: Vec<&str> = targets.map(|target| target.shape.as_str()).collect();
        names.join(", ")
    };
    changed("element type", inner(before), inner(after));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(operations: &str, shapes: &str) -> Result<Model, String> {
        let text = format!(
            r#"{{"metadata": {{"apiVersion": "1", "protocol": "query"}},
                "operations": {operations}, "shapes": {shapes}}}"#
        );
        serde_json::from_str(&text).map_err(|e| e.to_string())
    }

    #[test]
    fn names_operations_members_values_and_limits() -> Result<(), String> {
        let before = model(
            r#"{"Do": {"name": "Do", "http": {}, "input": {"shape": "In"}, "errors": [{"shape": "Gone"}]},
                "Old": {"name": "Old", "http": {}}}"#,
            r#"{"In": {"type": "structure", "required": ["A"], "members": {"A": {"shape": "S"}, "B": {"shape": "E"}}},
                "S": {"type": "string", "max": 10}, "E": {"type": "string", "enum": ["x", "y"]}}"#,
        )?;
        let after = model(
            r#"{"Do": {"name": "Do", "http": {}, "input": {"shape": "In"}, "errors": [{"shape": "Late"}]},
                "New": {"name": "New", "http": {}}}"#,
            r#"{"In": {"type": "structure", "members": {"A": {"shape": "S"}, "B": {"shape": "E"}, "C": {"shape": "N"}}},
                "S": {"type": "string", "max": 20, "pattern": "a+"}, "E": {"type": "string", "enum": ["x", "z"]},
                "N": {"type": "integer"}}"#,
        )?;
        assert_eq!(
            changes(&before, &after)?,
            [
                "+ operation New",
                "- operation Old",
                "+ error of Do Late",
                "- error of Do Gone",
                "+ shape N",
                "+ value of E z",
                "- value of E y",
                "+ member of In C",
                "- required member of In A",
                "~ max of S: 10 -> 20",
                "~ pattern of S: none -> a+",
            ]
        );
        assert!(changes(&before, &before)?.is_empty());
        Ok(())
    }
}
