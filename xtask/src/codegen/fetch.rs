//! Fetches the packages that hold the models.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The botocore version that the code is generated from.
pub fn pinned_version() -> Result<String, String> {
    let path = crate::root().join("xtask/botocore-version.txt");
    std::fs::read_to_string(&path)
        .map(|text| text.trim().to_owned())
        .map_err(|e| format!("cannot read {}: {e}", path.display()))
}

/// botocore's `data` folder: the given one, or that of a virtual environment under `target/`, which
/// is created with the pinned version at the first use.
pub fn models(given: Option<PathBuf>, pinned: &str) -> Result<PathBuf, String> {
    if let Some(dir) = given {
        let package = dir.join("../__init__.py");
        let version = std::fs::read_to_string(&package)
            .map_err(|e| format!("{} is not botocore's data folder: {e}", dir.display()))?;
        return match version.contains(&format!("__version__ = '{pinned}'")) {
            true => Ok(dir),
            false => Err(format!("{} is not botocore {pinned}", dir.display())),
        };
    }
    let venv = target().join(format!("botocore-{pinned}"));
    if !venv.join("complete").exists() {
        install(&venv, &[&format!("botocore=={pinned}")])?;
        std::fs::write(venv.join("complete"), "")
            .map_err(|e| format!("{}: {e}", venv.display()))?;
    }
    data_folder(&venv)
}

/// The `data` folder of another botocore version, or of the newest for `latest`, with the version.
pub fn other_models(version: &str) -> Result<(String, PathBuf), String> {
    let venv = target().join("botocore-other");
    match version {
        "latest" => install(&venv, &["--upgrade", "botocore"])?,
        version => install(&venv, &[&format!("botocore=={version}")])?,
    }
    let data = data_folder(&venv)?;
    let package = data.join("../__init__.py");
    let text = std::fs::read_to_string(&package)
        .map_err(|e| format!("cannot read {}: {e}", package.display()))?;
    let found = text
        .lines()
        .find_map(|line| line.strip_prefix("__version__ = '")?.strip_suffix('\''))
        .ok_or_else(|| format!("{} states no version", package.display()))?;
    Ok((found.to_owned(), data))
}

/// The `site-packages` folder of a virtual environment with one package, whose file pip has compared
/// with the hash (`sha256:…`).
pub fn hashed_package(name: &str, version: &str, hash: &str) -> Result<PathBuf, String> {
    let venv = target().join(format!("{name}-{version}"));
    let stamp = venv.join("complete");
    // The stamp holds the hash, so that another pin is checked again.
    if !std::fs::read_to_string(&stamp).is_ok_and(|checked| checked == hash) {
        command(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        let requirements = venv.join("requirements.txt");
        std::fs::write(&requirements, format!("{name}=={version} --hash={hash}\n"))
            .map_err(|e| format!("{}: {e}", requirements.display()))?;
        let path = requirements.display().to_string();
        install(&venv, &["--require-hashes", "--requirement", &path])?;
        std::fs::write(&stamp, hash).map_err(|e| format!("{}: {e}", stamp.display()))?;
    }
    site_packages(&venv, name)
}

/// Installs Python packages, without what they depend on, into a virtual environment.
fn install(venv: &Path, packages: &[&str]) -> Result<(), String> {
    command(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    command(
        Command::new(venv.join("bin/pip"))
            .args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
            ])
            .args(packages),
    )
}

/// Cargo's target directory, where fetched packages are kept.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), PathBuf::from)
}

fn data_folder(venv: &Path) -> Result<PathBuf, String> {
    Ok(site_packages(venv, "botocore")?.join("botocore/data"))
}

/// The folder of a virtual environment that this package is installed in.
fn site_packages(venv: &Path, package: &str) -> Result<PathBuf, String> {
    let lib = venv.join("lib");
    let entries = std::fs::read_dir(&lib).map_err(|e| format!("{}: {e}", lib.display()))?;
    entries
        .flatten()
        .map(|entry| entry.path().join("site-packages"))
        .find(|path| path.join(package).is_dir())
        .ok_or_else(|| format!("no {package} under {}", lib.display()))
}

fn command(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown}: {status}")),
        Err(e) => Err(format!("{shown}: {e}")),
    }
}

/// A model's text; botocore ships them plain or compressed.
pub fn read(data: &Path, folder: &str, version: &str) -> Result<Vec<u8>, String> {
    let plain = data.join(folder).join(version).join("service-2.json");
    if plain.exists() {
        return std::fs::read(&plain).map_err(|e| format!("{}: {e}", plain.display()));
    }
    let packed = plain.with_extension("json.gz");
    let output = Command::new("gzip")
        .arg("-dc")
        .arg(&packed)
        .output()
        .map_err(|e| format!("cannot start gzip: {e}"))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(format!("cannot unpack {}", packed.display())),
    }
}
