//! `cargo xtask console`: builds the web console's files into `crates/server/console`, where the server embeds
//! them, so that building the server needs no Node.js.
//!
//! `assets.bin` is the archive, `contents.txt` lists the digest of each file in it, and `sources.sha256` is the
//! digest of the sources that it was built from. `lint` compares the last, which needs no Node.js; the test part
//! `console` builds again and compares the contents. Compressed bytes are not compared, because they differ
//! between versions of Node.js.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::test::{Tally, process, target_directory, toolchains};

type Outcome<T> = Result<T, String>;

/// Where the server embeds the files from.
const OUTPUT: &str = "crates/server/console";
/// The files that decide what is built, beside `console/src`.
const SOURCES: [&str; 6] = [
    "console/build/archive.mjs",
    "console/index.html",
    "console/package-lock.json",
    "console/package.json",
    "console/tsconfig.json",
    "console/vite.config.ts",
];

/// Builds the files.
pub fn run(root: &Path) -> Outcome<()> {
    let target = target_directory(root)?;
    let node = Node::prepare(root, &target)?;
    let output = root.join(OUTPUT);
    node.build(&target, &output)?;
    let path = output.join("sources.sha256");
    let digest = format!("{}\n", sources(root)?);
    fs::write(&path, digest).map_err(|e| format!("{}: {e}", path.display()))
}

/// Installs the console's packages, where they are not.
pub fn install(root: &Path, target: &Path) -> Outcome<()> {
    Node::prepare(root, target).map(drop)
}

/// The files in the repository were built from the sources beside them.
pub fn check_sources(root: &Path) -> Outcome<Tally> {
    let path = root.join(OUTPUT).join("sources.sha256");
    let built = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    match built.trim() == sources(root)? {
        true => Ok(PASSED),
        false => Err("the console's sources have changed: run `cargo xtask console`".to_owned()),
    }
}

/// Types, lint, unit tests, the bound on what the first page loads, and a build that is compared with the files
/// in the repository.
pub fn test(root: &Path) -> Outcome<Tally> {
    let target = target_directory(root)?;
    let node = Node::prepare(root, &target)?;
    let mut tally = Tally::default();
    let mut check = |name: &str, outcome: Outcome<()>| match outcome {
        Ok(()) => tally.passed += 1,
        Err(why) => {
            eprintln!("xtask: console: {name}: {why}");
            tally.failed += 1;
        }
    };
    check("types", node.run("typescript/bin/tsc", &["--noEmit"]));
    let eslint = [".", "--max-warnings", "0"];
    check("ESLint", node.run("eslint/bin/eslint.js", &eslint));
    check("unit tests", node.run("vitest/vitest.mjs", &["run"]));
    let again = target.join("console-check");
    check("build", node.build(&target, &again));
    check("contents", same_contents(root, &again));
    Ok(tally)
}

const PASSED: Tally = Tally {
    passed: 1,
    failed: 0,
};

fn same_contents(root: &Path, again: &Path) -> Outcome<()> {
    let read = |folder: &Path| {
        let path = folder.join("contents.txt");
        fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))
    };
    match read(&root.join(OUTPUT))? == read(again)? {
        true => Ok(()),
        false => Err(format!(
            "{OUTPUT} is not what the sources build: run `cargo xtask console`"
        )),
    }
}

/// The digest of the sources. Tests are not built.
fn sources(root: &Path) -> Outcome<String> {
    // With those that git does not know yet, without those that it ignores.
    let known = process::output(
        Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others"])
            .args(["--exclude-standard", "console"])
            .current_dir(root),
    )?;
    let mut files: Vec<&str> = known.split('\0').collect();
    files.retain(|file| {
        let is_test = file.contains(".test.");
        SOURCES.contains(file) || (file.starts_with("console/src/") && !is_test)
    });
    files.sort_unstable();
    files.dedup();
    let mut digest = Sha256::new();
    for file in files {
        let path = root.join(file);
        // Deleted, and not committed yet.
        if !path.exists() {
            continue;
        }
        let content = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        digest.update(format!("{file}\0{}\0", content.len()));
        digest.update(content);
    }
    let mut text = String::new();
    for byte in digest.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// Node.js, with the console's packages installed.
struct Node {
    console: PathBuf,
    node: PathBuf,
}

impl Node {
    fn prepare(root: &Path, target: &Path) -> Outcome<Node> {
        let node = toolchains::node(target)?;
        let console = root.join("console");
        let read =
            |path: &Path| fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()));
        let lock = read(&console.join("package-lock.json"))?;
        // A copy of the lock file, written last, says that the packages are whole.
        let stamp = console.join("node_modules/installed-lock.json");
        if !fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(&console);
            if let Some(bin) = node.parent() {
                npm.env("PATH", toolchains::prepended(&[bin.to_owned()])?);
            }
            process::run(&mut npm)?;
            fs::write(&stamp, lock).map_err(|e| format!("{}: {e}", stamp.display()))?;
        }
        Ok(Node { console, node })
    }

    /// Runs a package's program.
    fn run(&self, program: &str, arguments: &[&str]) -> Outcome<()> {
        process::run(
            Command::new(&self.node)
                .arg(self.console.join("node_modules").join(program))
                .args(arguments)
                .current_dir(&self.console),
        )
    }

    fn build(&self, target: &Path, output: &Path) -> Outcome<()> {
        let files = target.join("console-files");
        let shown = files.display().to_string();
        self.run(
            "vite/bin/vite.js",
            &["build", "--outDir", &shown, "--emptyOutDir"],
        )?;
        fs::create_dir_all(output).map_err(|e| format!("{}: {e}", output.display()))?;
        process::run(
            Command::new(&self.node)
                .arg(self.console.join("build/archive.mjs"))
                .args([&files, output]),
        )
    }
}
