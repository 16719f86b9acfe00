//! The modules of a crate form no cycles.
//!
//! A module here is a file or folder directly under `src/`. Imports are read from the text: paths that
//! begin with `crate::`, through the names that `lib.rs` re-exports as well. Test code may import
//! anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::tracked;

/// Crates whose modules still form cycles. Entries may only be removed.
const KNOWN: &[&str] = &[];

type Graph = BTreeMap<String, BTreeSet<String>>;

/// One finding for each group of modules that import each other.
pub fn check(root: &Path) -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    for (name, graph) in graphs(root)? {
        let cycles = cycles(&graph);
        if KNOWN.contains(&name.as_str()) {
            if cycles.is_empty() {
                findings.push(format!(
                    "crate `{name}` has no module cycle any more: remove it from KNOWN in xtask/src/tidy/modules.rs"
                ));
            }
            continue;
        }
        for cycle in cycles {
            findings.push(format!(
                "crate `{name}`: the modules {} import each other; move what both need into a lower module",
                cycle.iter().cloned().collect::<Vec<_>>().join(", ")
            ));
        }
    }
    Ok(findings)
}

/// The imports between the modules of each crate.
fn graphs(root: &Path) -> Result<BTreeMap<String, Graph>, String> {
    let mut sources: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for file in tracked(root)? {
        let parts: Vec<&str> = file.split('/').collect();
        let (["crates", name, "src", rest @ ..], true) = (&parts[..], file.ends_with(".rs")) else {
            continue;
        };
        let (Some(first), true) = (rest.first(), root.join(&file).is_file()) else {
            continue;
        };
        let text = std::fs::read_to_string(root.join(&file)).map_err(|e| format!("{file}: {e}"))?;
        let module = first.trim_end_matches(".rs").to_owned();
        sources
            .entry((*name).to_owned())
            .or_default()
            .push((module, without_tests(&text)));
    }
    Ok(sources
        .into_iter()
        .map(|(name, files)| (name, graph(&files)))
        .collect())
}

fn graph(files: &[(String, String)]) -> Graph {
    let modules: BTreeSet<&str> = files
        .iter()
        .map(|(module, _)| module.as_str())
        .filter(|module| !matches!(*module, "lib" | "main" | "tests"))
        .collect();
    let root = files
        .iter()
        .find(|(module, _)| matches!(module.as_str(), "lib" | "main"))
        .map_or("", |(_, text)| text);
    let exported = re_exports(root, &modules);
    let mut graph = Graph::new();
    for (module, text) in files.iter().filter(|(m, _)| modules.contains(m.as_str())) {
        let imports = graph.entry(module.clone()).or_default();
        for path in crate_paths(text) {
            let target = match modules.get(path.as_str()) {
                Some(target) => Some((*target).to_owned()),
                None => exported.get(&path).cloned(),
            };
            imports.extend(target.filter(|target| target != module));
        }
    }
    graph
}

/// The names that the crate's root takes from a module: `pub use module::{A, B}`.
fn re_exports(root: &str, modules: &BTreeSet<&str>) -> BTreeMap<String, String> {
    let mut exported = BTreeMap::new();
    for statement in root.split(';') {
        let Some((_, path)) = statement.rsplit_once("use ") else {
            continue;
        };
        let Some((module, names)) = path.trim().trim_start_matches("crate::").split_once("::")
        else {
            continue;
        };
        if !modules.contains(module) {
            continue;
        }
        for name in names.split(|c: char| !c.is_alphanumeric() && c != '_') {
            if !name.is_empty() && name != "self" {
                exported.insert(name.to_owned(), module.to_owned());
            }
        }
    }
    exported
}

/// The first names of all paths that begin with `crate::`, those of a braced list included.
fn crate_paths(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => paths.extend(heads(list)),
            None => paths.push(identifier(rest)),
        }
    }
    paths
}

/// The first name of each entry of a braced list, up to its closing brace.
fn heads(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut start) = (0_usize, true);
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            c if start && !c.is_whitespace() => {
                names.push(identifier(&list[at..]));
                start = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// The text without comments and without what follows the first test module.
fn without_tests(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Groups of modules that reach each other.
fn cycles(graph: &Graph) -> Vec<BTreeSet<String>> {
    let reach: BTreeMap<&String, BTreeSet<&String>> = graph
        .keys()
        .map(|module| (module, reachable(graph, module)))
        .collect();
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for module in graph.keys() {
        let group: BTreeSet<String> = reach[module]
            .iter()
            .filter(|other| reach.get(**other).is_some_and(|back| back.contains(module)))
            .map(|other| (*other).clone())
            .collect();
        if group.len() > 1 && !found.contains(&group) {
            found.push(group);
        }
    }
    found
}

fn reachable<'a>(graph: &'a Graph, from: &'a String) -> BTreeSet<&'a String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        for next in graph.get(module).into_iter().flatten() {
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files
            .iter()
            .map(|(module, text)| ((*module).to_owned(), without_tests(text)))
            .collect()
    }

    #[test]
    fn finds_cycles_through_paths_lists_and_re_exports() {
        let graph = graph(&files(&[
            ("lib", "mod a;\npub use c::{Thing, Other};"),
            ("a", "use crate::{b::B, c};"),
            ("b", "fn f() { crate::c::g() }"),
            ("c", "// crate::a is only a comment\nuse crate::d::D;"),
            (
                "d",
                "use crate::Thing;\n#[cfg(test)]\nmod tests { use crate::a; }",
            ),
        ]));
        let expected: BTreeSet<String> = ["c", "d"].map(str::to_owned).into();
        assert_eq!(cycles(&graph), [expected]);
    }
}
