//! The Debian packages that the tests need: what for, and which are missing.

use std::path::Path;
use std::process::Command;

use super::process;

/// A package, and a file of it that the tests use. The file decides: it may have come another way.
#[derive(Clone, Copy)]
pub struct Need {
    package: &'static str,
    file: &'static str,
}

const fn need(package: &'static str, file: &'static str) -> Need {
    Need { package, file }
}

/// For the code generator's models and the Python clients.
pub const PYTHON: [Need; 1] = [need("python3-venv", "/usr/share/doc/python3-venv")];

/// Disks that fail: system calls that fail, and a file system of a test's own, which is frozen and made unchangeable.
pub const FAULTS: [Need; 3] = [
    need("strace", "/usr/bin/strace"),
    need("util-linux", "/usr/sbin/fsfreeze"),
    need("e2fsprogs", "/usr/sbin/mkfs.ext4"),
];

/// For the code generator's tables of actions, which come from a package of npm.
pub const NPM: [Need; 1] = [need("npm", "/usr/bin/npm")];

/// libFuzzer is C++.
pub const FUZZ: [Need; 1] = [need("g++", "/usr/bin/g++")];

/// Pictures of the console: its browser, and what makes them small.
pub const PICTURES: [Need; 2] = [
    need("chromium", "/usr/bin/chromium"),
    need("pngquant", "/usr/bin/pngquant"),
];

pub const POSTGRES: [Need; 1] = [need("postgresql", super::postgres::INSTALLED_UNDER)];

/// The registry clients, the maker of a test certificate, and the static shell that images are made of.
pub const CLIENTS: [Need; 18] = [
    need("docker.io", "/usr/sbin/dockerd"),
    need("containerd", "/usr/bin/ctr"),
    need("runc", "/usr/sbin/runc"),
    need("podman", "/usr/bin/podman"),
    need("buildah", "/usr/bin/buildah"),
    need("skopeo", "/usr/bin/skopeo"),
    need("umoci", "/usr/bin/umoci"),
    need("openssl", "/usr/bin/openssl"),
    need(
        "amazon-ecr-credential-helper",
        "/usr/bin/docker-credential-ecr-login",
    ),
    need("busybox-static", "/usr/share/doc/busybox-static"),
    // Another registry, from which images are moved.
    need("docker-registry", "/usr/bin/docker-registry"),
    // Verdicts on SAML responses.
    need("xmlsec1", "/usr/bin/xmlsec1"),
    // What jobs of CI services find on their machines.
    need("curl", "/usr/bin/curl"),
    need("jq", "/usr/bin/jq"),
    // Clients whose clock is wrong.
    need("libfaketime", "/usr/share/doc/libfaketime"),
    // The AWS SDK for Java.
    need("default-jdk-headless", "/usr/bin/javac"),
    need("maven", "/usr/bin/mvn"),
    // The web console's browser.
    need("chromium", "/usr/bin/chromium"),
];

/// Installs what is missing, or says what to type.
pub fn install(needs: &[Need]) -> Result<(), String> {
    let missing: Vec<&str> = needs
        .iter()
        .filter(|need| !Path::new(need.file).exists())
        .map(|need| need.package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let install = ["install", "--yes", "--no-install-recommends"];
    if !is_root()? || !Path::new("/usr/bin/apt-get").exists() {
        return Err(format!(
            "these Debian packages are missing; install them and run the tests again:\n    \
             sudo apt-get update && sudo apt-get {} {}",
            install.join(" "),
            missing.join(" ")
        ));
    }
    println!("=== installing {}", missing.join(" "));
    process::run(Command::new("apt-get").args(["--quiet", "--quiet", "update"]))?;
    process::run(
        Command::new("apt-get")
            .args(install)
            .args(["--quiet", "--quiet"])
            .args(&missing)
            .env("DEBIAN_FRONTEND", "noninteractive")
            // The packages' daemons stay off: the tests start their own.
            .env("RUNLEVEL", "1"),
    )
}

/// For what only root may do.
pub fn require_root(command: &str) -> Result<(), String> {
    match is_root()? {
        true => Ok(()),
        false => Err(format!(
            "the container engines need root: run `sudo --preserve-env=PATH,HOME {command}`"
        )),
    }
}

pub fn is_root() -> Result<bool, String> {
    Ok(process::output(Command::new("id").arg("-u"))?.trim() == "0")
}
