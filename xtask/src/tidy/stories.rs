//! The end-to-end tests' files stand alone.

use std::path::Path;

use super::tracked;

/// No test module imports another: a name that changes in one would end the collection of the others, and each
/// would run the other's fixtures under its own name.
pub fn check(root: &Path) -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    for file in tracked(root)? {
        if !is_story(&file) || !root.join(&file).is_file() {
            continue;
        }
        let text = std::fs::read_to_string(root.join(&file)).map_err(|e| format!("{file}: {e}"))?;
        for (line, module) in imported(&text) {
            findings.push(format!(
                "{file}:{line}: imports `{module}`: move what both need to e2e/berth or to conftest.py"
            ));
        }
    }
    Ok(findings)
}

/// Python files of the end-to-end tests: the test modules, and what they share.
fn is_story(file: &str) -> bool {
    file.starts_with("e2e/") && file.ends_with(".py")
}

/// The test modules that a Python file imports, with the number of the line.
fn imported(text: &str) -> Vec<(usize, &str)> {
    text.lines()
        .enumerate()
        .filter_map(|(number, line)| {
            let rest = ["from ", "import "]
                .iter()
                .find_map(|word| line.trim_start().strip_prefix(word))?;
            let module = rest
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .find(|name| name.starts_with("test_"))?;
            Some((number + 1, module))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{imported, is_story};

    #[test]
    fn finds_imports_of_test_modules() {
        let text = "\"\"\"from a sentence\"\"\"\nimport json\nfrom test_sdks import shell\nimport os, test_a\n\
                    from . import test_b\nfrom console.test_c import page\n\n    import test_d  # late\n\
                    from berth.audit import events\ntest_e = 1\n";
        assert_eq!(
            imported(text),
            [
                (3, "test_sdks"),
                (4, "test_a"),
                (5, "test_b"),
                (6, "test_c"),
                (8, "test_d")
            ]
        );
    }

    #[test]
    fn looks_at_python_files_of_the_end_to_end_tests() {
        assert!(is_story("e2e/console/test_sign_in.py") && is_story("e2e/conftest.py"));
        assert!(!is_story("crates/aws-api/tests/vectors/make.py") && !is_story("e2e/README.md"));
    }
}
