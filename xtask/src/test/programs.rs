//! What the end-to-end stories run besides the packages' clients: Go tools, one program for each AWS SDK,
//! Ansible, Terraform, the AWS CLI's second version; and the unit tests' vectors. Each is pinned by a lock
//! file; unchanged ones cost seconds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::{process, terraform, toolchains};

/// What the stories find in their environment.
pub struct Programs {
    /// Variables that name the programs.
    pub variables: Vec<(&'static str, PathBuf)>,
    /// Folders for the front of `PATH`.
    pub path: Vec<PathBuf>,
}

/// Security auditors, each named by a variable and a file of requirements in `e2e/auditors`.
const AUDITORS: [(&str, &str); 4] = [
    ("BERTH_CLOUDSPLAINING", "cloudsplaining"),
    ("BERTH_PMAPPER", "pmapper"),
    ("BERTH_PROWLER", "prowler"),
    ("BERTH_SCOUTSUITE", "scoutsuite"),
];

/// crane, oras, regctl and the OCI conformance suite; the kubelet's provider for ECR; notation.
const CLIENTS: [&str; 3] = ["e2e/tools", "e2e/tools/kubernetes", "e2e/tools/notation"];
/// Clients that take minutes to build, each with a lock file of its own.
const SLOW_CLIENTS: [&str; 4] = ["buildkit", "buildx", "cosign", "helm"];

/// What only slow stories run: the folders of the auditors' commands and of large clients. Auditors pin SDKs of their
/// own, so each has its own environment.
pub fn slow(root: &Path, target: &Path) -> Result<Vec<(&'static str, PathBuf)>, String> {
    let mut found = Vec::new();
    for (variable, name) in AUDITORS {
        let requirements = root.join("e2e/auditors").join(format!("{name}.txt"));
        let environment = toolchains::python_requirements(target, name, &requirements)?;
        found.push((variable, environment.join("bin")));
    }
    let folders = SLOW_CLIENTS.map(|name| format!("e2e/tools/{name}"));
    let go = toolchains::go(target)?;
    let clients = go_tools(root, &folders, &go, target.join("e2e-tools-slow"))?;
    found.push(("BERTH_SLOW_TOOLS", clients));
    Ok(found)
}

/// Builds and installs everything.
pub fn build(root: &Path, target: &Path) -> Result<Programs, String> {
    let go = toolchains::go(target)?;
    let node = toolchains::node(target)?;
    // The stories of the console take axe from its packages.
    crate::console::install(root, target)?;
    let clients = CLIENTS.map(str::to_owned);
    let variables = vec![
        timed("BERTH_TOOLS", || {
            go_tools(root, &clients, &go, target.join("e2e-tools"))
        })?,
        timed("BERTH_SDK_GO", || go_sdk(root, target, &go))?,
        timed("BERTH_SDK_JAVASCRIPT", || {
            javascript_sdk(root, target, &node)
        })?,
        timed("BERTH_SDK_JAVA", || java_sdk(root, target))?,
        timed("BERTH_SDK_RUST", || rust_sdk(root, target))?,
        timed("BERTH_ANSIBLE", || ansible(root, target))?,
        timed("BERTH_AWS_CLI_V2", || aws_cli_v2(root, target))?,
        timed("BERTH_TERRAFORM", terraform::command)?,
        timed("BERTH_TERRAFORM_PROVIDER", || {
            terraform::provider(root, target, &go)
        })?,
    ];
    let folders = [&go, &node];
    let path = folders.iter().filter_map(|program| program.parent());
    Ok(Programs {
        variables,
        path: path.map(Path::to_owned).collect(),
    })
}

/// Makes a program, and tells how long that took.
fn timed(
    variable: &'static str,
    make: impl FnOnce() -> Result<PathBuf, String>,
) -> Result<(&'static str, PathBuf), String> {
    let start = Instant::now();
    let made = make()?;
    println!("{variable}: {} s", start.elapsed().as_secs());
    Ok((variable, made))
}

/// The folder of Project Wycheproof's test vectors, a Go module that `go.mod` pins by its digest.
pub fn wycheproof(root: &Path, target: &Path) -> Result<PathBuf, String> {
    let text = process::output(
        Command::new(toolchains::go(target)?)
            .args(["mod", "download", "-json", "github.com/c2sp/wycheproof"])
            .current_dir(root.join("crates/identity/tests/wycheproof"))
            .env("GOFLAGS", "-mod=readonly")
            .env("GOTOOLCHAIN", "local"),
    )?;
    let module: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| format!("go mod download: {e}"))?;
    let folder = module["Dir"].as_str();
    folder
        .map(PathBuf::from)
        .ok_or_else(|| format!("go mod download names no folder: {text}"))
}

/// Installs the tools of these modules into a folder. Each module has a lock file of its own: they need other
/// versions of the same packages.
fn go_tools(root: &Path, modules: &[String], go: &Path, tools: PathBuf) -> Result<PathBuf, String> {
    for module in modules {
        process::run(
            Command::new(go)
                .args(["install", "tool"])
                .current_dir(root.join(module))
                .env("GOBIN", &tools)
                .env("GOFLAGS", "-mod=readonly")
                .env("GOTOOLCHAIN", "local"),
        )?;
    }
    Ok(tools)
}

fn go_sdk(root: &Path, target: &Path, go: &Path) -> Result<PathBuf, String> {
    let program = target.join("e2e-sdks/go");
    process::run(
        Command::new(go)
            .args(["build", "-o"])
            .arg(&program)
            .arg(".")
            .current_dir(root.join("e2e/sdks/go"))
            .env("GOFLAGS", "-mod=readonly")
            .env("GOTOOLCHAIN", "local"),
    )?;
    Ok(program)
}

/// Copies the program beside its lock file and installs its packages there.
fn javascript_sdk(root: &Path, target: &Path, node: &Path) -> Result<PathBuf, String> {
    let source = root.join("e2e/sdks/javascript");
    let folder = target.join("e2e-sdks/javascript");
    copy(
        &source,
        &folder,
        &["package.json", "package-lock.json", "main.js"],
    )?;
    let lock = read(&source.join("package-lock.json"))?;
    let stamp = folder.join("installed-lock.json");
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
        npm.env("PATH", toolchains::prepended(&[bin.to_owned()])?);
    }
    process::run(&mut npm)?;
    write(&stamp, &lock)?;
    Ok(folder)
}

/// The folder with `jars/` and the program's class. Maven has no lock file: what it resolved must be what
/// `jars.sha256` holds.
fn java_sdk(root: &Path, target: &Path) -> Result<PathBuf, String> {
    let source = root.join("e2e/sdks/java");
    let folder = target.join("e2e-sdks/java");
    copy(&source, &folder, &["pom.xml", "Main.java"])?;
    let lock = read(&source.join("jars.sha256"))?;
    let inputs = [read(&source.join("pom.xml"))?, lock.clone()].concat();
    let (jars, stamp) = (folder.join("jars"), folder.join("installed.txt"));
    if !fs::read_to_string(&stamp).is_ok_and(|installed| installed == inputs) {
        if jars.exists() {
            fs::remove_dir_all(&jars).map_err(|e| format!("{}: {e}", jars.display()))?;
        }
        process::run(
            Command::new("mvn")
                .args(["--batch-mode", "--quiet", "dependency:copy-dependencies"])
                .args(["-DincludeScope=runtime", "-DoutputDirectory=jars"])
                .current_dir(&folder),
        )?;
        let digests = process::output(
            Command::new("sh")
                .args(["-c", "LC_ALL=C sha256sum -- *.jar"])
                .current_dir(&jars),
        )?;
        if digests != lock {
            write(&folder.join("jars.sha256"), &digests)?;
            return Err(format!(
                "Maven resolved other jars than e2e/sdks/java/jars.sha256 holds; if that is meant, \
                 copy {} there",
                folder.join("jars.sha256").display()
            ));
        }
        write(&stamp, &inputs)?;
    }
    process::run(
        Command::new("javac")
            .args(["--release", "17", "-cp", "jars/*", "-d", "."])
            .arg("Main.java")
            .current_dir(&folder),
    )?;
    Ok(folder)
}

fn rust_sdk(root: &Path, target: &Path) -> Result<PathBuf, String> {
    let folder = target.join("e2e-sdks/rust");
    process::run(
        Command::new("cargo")
            .args(["build", "--locked", "--quiet", "--target-dir"])
            .arg(&folder)
            .current_dir(root.join("e2e/sdks/rust")),
    )?;
    Ok(folder.join("debug/walk-through-b"))
}

/// PyPI's packaging of AWS's build of its CLI's version 2, for its construct library.
const AWS_CLI_V2_PACKAGE: &str = "aws-cdk-asset-awscli-v2==2.0.198";

fn aws_cli_v2(root: &Path, target: &Path) -> Result<PathBuf, String> {
    let environment = toolchains::python_package(target, "aws-cli-v2", AWS_CLI_V2_PACKAGE)?;
    let folder = environment.join("dist");
    let stamp = environment.join("unpacked.txt");
    let program = root.join("e2e/tools/aws_cli_v2.py");
    // The program says which services' models are kept.
    let inputs = format!("{AWS_CLI_V2_PACKAGE}\n{}", read(&program)?);
    if !fs::read_to_string(&stamp).is_ok_and(|unpacked| unpacked == inputs) {
        process::run(
            Command::new(environment.join("bin/python"))
                .arg(&program)
                .arg(&folder),
        )?;
        write(&stamp, &inputs)?;
    }
    Ok(folder.join("aws"))
}

/// The folder of Ansible's commands. Its environment is its own: Ansible and the tests pin other versions
/// of the same packages.
fn ansible(root: &Path, target: &Path) -> Result<PathBuf, String> {
    let requirements = root.join("e2e/requirements-ansible.txt");
    Ok(toolchains::python_requirements(target, "ansible", &requirements)?.join("bin"))
}

fn copy(source: &Path, folder: &Path, names: &[&str]) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for name in names {
        fs::copy(source.join(name), folder.join(name)).map_err(|e| format!("{name}: {e}"))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}
