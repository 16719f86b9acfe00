//! The Python clients, in a virtual environment of their own under `target/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process;

/// The Python to run the tests with. The environment is made anew when `e2e/requirements.txt` has changed.
pub fn python(root: &Path, target: &Path) -> Result<PathBuf, String> {
    let requirements = root.join("e2e/requirements.txt");
    let text = read(&requirements)?;
    check_botocore(root, &text)?;

    let venv = target.join("e2e-venv");
    let python = venv.join("bin/python");
    // A copy of the requirements, written last, says that the environment is whole.
    let stamp = venv.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|made_with| made_with == text) {
        return Ok(python);
    }
    // Debian's own Python, whatever else stands in the PATH; another where there is none.
    let debian = Path::new("/usr/bin/python3");
    let base = if debian.exists() {
        debian
    } else {
        Path::new("python3")
    };
    process::run(
        Command::new(base)
            .args(["-m", "venv", "--clear"])
            .arg(&venv),
    )?;
    process::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--no-deps"])
            .arg("--disable-pip-version-check")
            .arg("--requirement")
            .arg(&requirements),
    )?;
    fs::write(&stamp, text).map_err(|e| format!("{}: {e}", stamp.display()))?;
    Ok(python)
}

/// The clients are of the version that the AWS surface is generated from.
fn check_botocore(root: &Path, requirements: &str) -> Result<(), String> {
    let version = read(&root.join("xtask/botocore-version.txt"))?;
    let pin = format!("botocore=={}", version.trim());
    match requirements.lines().any(|line| line == pin) {
        true => Ok(()),
        false => Err(format!(
            "e2e/requirements.txt does not hold `{pin}`, the version in xtask/botocore-version.txt"
        )),
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}
