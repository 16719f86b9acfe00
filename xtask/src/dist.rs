//! `cargo xtask dist`: the binary that is handed out.
//!
//! The build is reproducible: paths of the machine are remapped, no time of the build is kept, the lock file is
//! binding, and the toolchain is stated beside the checksum. Two builds of one commit with one toolchain are equal byte
//! for byte, wherever the checkout lies. The software bill of materials is CycloneDX 1.6, made from the
//! lock file by `cargo metadata`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::test::{self, Tally};

/// Builds, prints the checksum, and writes `berth.cdx.json` beside the binary.
pub fn run(root: &Path) -> Result<(), String> {
    let target = test::target_directory(root)?.join("dist-build");
    let binary = build(root, &target)?;
    let sum = output(Command::new("sha256sum").arg(&binary))?;
    let rustc = output(Command::new("rustc").arg("--version"))?;
    let bill = binary.with_file_name("berth.cdx.json");
    fs::write(&bill, bill_of_materials(root)?).map_err(|e| format!("{}: {e}", bill.display()))?;
    print!("toolchain  {rustc}sha256     {sum}");
    println!("materials  {}", bill.display());
    Ok(())
}

/// Where `reproducible` leaves the binary that it built.
pub fn reproduced(target: &Path) -> PathBuf {
    target.join("dist-check/berth")
}

/// Builds twice, from two checkouts in two folders, and compares the binaries.
pub fn reproducible(root: &Path, target: &Path) -> Result<Tally, String> {
    // Both checkouts are made before the builds, which take long: they are of one commit.
    let mut folders = Vec::new();
    for name in ["one", "another"] {
        let folder = target.join("dist-check").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        output(
            Command::new("git")
                .args(["clone", "--quiet", "--no-hardlinks"])
                .arg(root)
                .arg(folder.join("checkout")),
        )?;
        folders.push(folder);
    }
    let kept = reproduced(target);
    if kept.exists() {
        fs::remove_file(&kept).map_err(|e| format!("{}: {e}", kept.display()))?;
    }
    let mut binaries = Vec::new();
    for folder in folders {
        let binary = build(&folder.join("checkout"), &folder.join("target"))?;
        binaries.push(fs::read(&binary).map_err(|e| format!("{}: {e}", binary.display()))?);
        fs::rename(&binary, &kept).map_err(|e| format!("{}: {e}", binary.display()))?;
    }
    let equal = binaries[0] == binaries[1];
    if !equal {
        println!("the two dist builds differ");
    }
    Ok(Tally {
        passed: u64::from(equal),
        failed: u64::from(!equal),
    })
}

fn build(root: &Path, target: &Path) -> Result<PathBuf, String> {
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))
        .ok_or("neither CARGO_HOME nor HOME is set")?;
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let flags = [
        remap(root, "/berth"),
        remap(target, "/target"),
        remap(&cargo_home, "/cargo"),
    ];
    // C code takes the same: assertions name their file.
    let c_flags = [
        (root, "/berth"),
        (target, "/target"),
        (&cargo_home, "/cargo"),
    ]
    .map(|(from, to)| format!("-ffile-prefix-map={}={to}", from.display()))
    .join(" ");
    output(
        Command::new(env!("CARGO"))
            .args(["build", "--profile", "dist", "--locked", "--quiet"])
            .args(["--package", "berth", "--target-dir"])
            .arg(target)
            .current_dir(root)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            .env("CFLAGS", c_flags)
            // What C compilers take for the time of the build, which mimalloc puts into its library.
            .env("SOURCE_DATE_EPOCH", "0")
            .env("CARGO_INCREMENTAL", "0"),
    )?;
    Ok(target.join("dist/berth"))
}

/// The libraries that the binary is built from.
fn bill_of_materials(root: &Path) -> Result<String, String> {
    let text = output(
        Command::new(env!("CARGO"))
            .args(["tree", "--package", "berth", "--edges", "normal,build"])
            .args(["--locked", "--prefix", "none", "--format", "{p}|{l}"])
            .current_dir(root),
    )?;
    let mut components: Vec<Value> = Vec::new();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    for line in lines {
        let line = line.trim_end_matches(" (*)");
        let (package, licence) = line.split_once('|').unwrap_or((line, ""));
        let mut words = package.split_whitespace();
        let (Some(name), Some(version)) = (words.next(), words.next()) else {
            continue;
        };
        let version = version.trim_start_matches('v');
        let own = package.contains("(/");
        if own {
            continue;
        }
        components.push(json!({
            "type": "library",
            "name": name,
            "version": version,
            "purl": format!("pkg:cargo/{name}@{version}"),
            "licenses": [{"expression": licence.trim_end_matches(" (*)")}],
        }));
    }
    components.dedup();
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "berth",
                                   "version": env!("CARGO_PKG_VERSION")}},
        "components": components,
    });
    serde_json::to_string_pretty(&bill).map_err(|e| e.to_string())
}

fn output(command: &mut Command) -> Result<String, String> {
    test::output(command)
}
