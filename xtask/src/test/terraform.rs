//! Terraform, and its AWS provider with the services that the stories use (`e2e/tools/terraform`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process;

const PROVIDER: &str = "github.com/hashicorp/terraform-provider-aws";
/// The provider's packages that are built.
const SERVICES: [&str; 5] = ["ecr", "iam", "kms", "secretsmanager", "sts"];
/// Files that the provider embeds by a pattern, which must find one.
const EMBEDDED: [&str; 2] = ["smarterr.hcl", "cloudtrail/smarterr.hcl"];
/// What takes the place of the generated lists of services.
const REPLACED: [(&str, &str); 2] = [
    (
        "service_packages.go.txt",
        "internal/provider/sdkv2/service_packages_gen.go",
    ),
    ("clients.go.txt", "internal/conns/awsclient_gen.go"),
];
/// The oldest Terraform 1.x that is used.
const MINOR_MIN: u32 = 5;

/// The machine's Terraform. No package registry has it.
pub fn command() -> Result<PathBuf, String> {
    let mut version = Command::new("terraform");
    version.args(["version", "-json"]);
    // The variable may name a file that is not there.
    version.env_remove("TF_CLI_CONFIG_FILE");
    let text = process::output(&mut version)?;
    let recent = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|value| {
            let minor = value["terraform_version"].as_str()?.strip_prefix("1.")?;
            let minor: u32 = minor.split('.').next()?.parse().ok()?;
            (minor >= MINOR_MIN).then_some(PathBuf::from("terraform"))
        });
    recent.ok_or_else(|| format!("Terraform 1.{MINOR_MIN} or later must be in the PATH: {text}"))
}

/// Builds the provider.
pub fn provider(root: &Path, target: &Path, go: &Path) -> Result<PathBuf, String> {
    let lock = root.join("e2e/tools/terraform");
    let folder = target.join("e2e-terraform");
    let (source, program) = (
        folder.join("source"),
        folder.join("bin/terraform-provider-aws"),
    );
    let mut key = read(&lock.join("go.mod"))?;
    for (name, _) in REPLACED {
        key.push_str(&read(&lock.join(name))?);
    }
    let stamp = folder.join("source.txt");
    if !fs::read_to_string(&stamp).is_ok_and(|made| made == key) {
        let module = downloaded(&lock, go)?;
        if source.exists() {
            fs::remove_dir_all(&source).map_err(|e| shown(&source, &e))?;
        }
        trimmed(&module, &source)?;
        for (name, place) in REPLACED {
            let place = source.join(place);
            fs::write(&place, read(&lock.join(name))?).map_err(|e| shown(&place, &e))?;
        }
        fs::write(&stamp, key).map_err(|e| shown(&stamp, &e))?;
    }
    process::run(
        Command::new(go)
            .args(["build", "-o"])
            .arg(&program)
            .arg(".")
            .current_dir(&source)
            .env("GOFLAGS", "-mod=readonly")
            .env("GOTOOLCHAIN", "local"),
    )?;
    Ok(program)
}

/// The module's folder, whose digest is that of `go.sum`.
fn downloaded(lock: &Path, go: &Path) -> Result<PathBuf, String> {
    let text = process::output(
        Command::new(go)
            .args(["mod", "download", "-json", PROVIDER])
            .current_dir(lock)
            .env("GOFLAGS", "-mod=readonly")
            .env("GOTOOLCHAIN", "local"),
    )?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| format!("go mod download: {e}"))?;
    let folder = value["Dir"].as_str().map(PathBuf::from);
    folder.ok_or_else(|| format!("go mod download names no folder for {PROVIDER}"))
}

/// Copies what a build of the services needs.
fn trimmed(module: &Path, source: &Path) -> Result<(), String> {
    for name in ["go.mod", "go.sum", "main.go"] {
        copy(&module.join(name), &source.join(name))?;
    }
    for name in ["names", "version"] {
        copy_tree(&module.join(name), &source.join(name))?;
    }
    let internal = Path::new("internal");
    for entry in entries(&module.join(internal))? {
        let (from, name) = (entry.path(), internal.join(entry.file_name()));
        if entry.file_name() != "service" {
            copy_tree(&from, &source.join(name))?;
        }
    }
    let services = internal.join("service");
    for name in SERVICES {
        let name = services.join(name);
        copy_tree(&module.join(&name), &source.join(name))?;
    }
    for name in EMBEDDED {
        let name = services.join(name);
        copy(&module.join(&name), &source.join(name))?;
    }
    Ok(())
}

/// Copies a file or a folder without Go's tests.
fn copy_tree(from: &Path, to: &Path) -> Result<(), String> {
    if !from.is_dir() {
        return match from.to_string_lossy().ends_with("_test.go") {
            true => Ok(()),
            false => copy(from, to),
        };
    }
    for entry in entries(from)? {
        copy_tree(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Copies a file's content: those of Go's module cache cannot be written.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|e| shown(folder, &e))?;
    }
    let content = fs::read(from).map_err(|e| shown(from, &e))?;
    fs::write(to, content).map_err(|e| shown(to, &e))
}

fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, String> {
    let listed = fs::read_dir(folder).and_then(Iterator::collect);
    listed.map_err(|e| shown(folder, &e))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| shown(path, &e))
}

fn shown(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
