//! Checks on the text of tracked files.

use std::path::Path;

use super::tracked;

/// A file is one thought; past this many lines it is surely two.
const SOURCE_LINES_MAX: usize = 700;
/// What a crate's page must at least say before its first item.
const CRATE_PAGE_LINES_MIN: usize = 8;

/// `lib.rs` opens with a page that teaches the crate.
pub fn check_crate_pages(root: &Path) -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    for file in tracked(root)?
        .iter()
        .filter(|f| f.starts_with("crates/") && f.ends_with("src/lib.rs"))
    {
        let text = read(root, file)?;
        let lines = text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .count();
        if lines < CRATE_PAGE_LINES_MIN {
            findings.push(format!("{file}: opens with {lines} lines of page, at least {CRATE_PAGE_LINES_MIN} are needed"));
        }
    }
    Ok(findings)
}

/// Files stay short (generated ones may be long), without stray white space,
/// and name no directory of anybody's machine.
pub fn check_sources(root: &Path) -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    for file in tracked(root)? {
        let is_source = [".rs", ".py", ".sql", ".toml", ".md", ".sh"]
            .iter()
            .any(|end| file.ends_with(end));
        if !is_source || !root.join(&file).is_file() {
            continue;
        }
        let text = read(root, &file)?;
        let generated = text
            .lines()
            .take(5)
            .any(|line| line.to_ascii_lowercase().contains("generated"));
        let lines = text.lines().count();
        if file.ends_with(".rs") && !generated && lines > SOURCE_LINES_MAX {
            findings.push(format!(
                "{file}: {lines} lines, at most {SOURCE_LINES_MAX}: split it by thought"
            ));
        }
        for (number, line) in text.lines().enumerate().filter(|_| !generated) {
            if line.ends_with([' ', '\t']) && !file.ends_with(".md") {
                findings.push(format!("{file}:{}: ends in white space", number + 1));
            }
            // Written in two parts so that this line does not find itself.
            if line.contains(concat!("/ro", "ot/")) || line.contains(concat!("/wo", "rk/")) {
                findings.push(format!(
                    "{file}:{}: names a directory of one machine",
                    number + 1
                ));
            }
        }
        if !text.is_empty() && !text.ends_with('\n') {
            findings.push(format!("{file}: the last line has no end"));
        }
    }
    Ok(findings)
}

/// Links of Markdown files to files of this repository lead somewhere.
pub fn check_links(root: &Path) -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    for file in tracked(root)?.iter().filter(|f| f.ends_with(".md")) {
        if !root.join(file).is_file() {
            continue;
        }
        let folder = root
            .join(file)
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
        for target in read(root, file)?
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty()
                || path.contains("://")
                || path.starts_with("mailto:")
                || path.contains(' ')
            {
                continue;
            }
            if !folder.join(path).exists() {
                findings.push(format!("{file}: the link to `{target}` leads nowhere"));
            }
        }
    }
    Ok(findings)
}

/// References to `docs/semantics.md#<number>` name a rule of that page.
pub fn check_rules(root: &Path) -> Result<Vec<String>, String> {
    const PAGE: &str = "docs/semantics.md";
    let page = read(root, PAGE)?;
    let mut findings = Vec::new();
    for file in tracked(root)?.iter().filter(|f| f.ends_with(".rs")) {
        if !root.join(file).is_file() {
            continue;
        }
        let text = read(root, file)?;
        for rest in text.split("semantics.md#").skip(1) {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if !number.is_empty() && !page.contains(&format!("<a id=\"{number}\"></a>")) {
                findings.push(format!("{file}: {PAGE} has no rule {number}"));
            }
        }
    }
    Ok(findings)
}

fn read(root: &Path, file: &str) -> Result<String, String> {
    std::fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"))
}
