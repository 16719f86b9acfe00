"""The registry clients, unmodified, each as one person runs them. A reference is written without its registry: `my-app:v1`."""

import os
import pathlib
import secrets

from . import engines, images


def tool(name):
    """A client that `cargo xtask test` builds from `tools/go.mod`."""
    directory = os.environ.get("BERTH_TOOLS")
    assert directory, "BERTH_TOOLS must name the folder of the Go clients: run `cargo xtask test e2e`"
    return pathlib.Path(directory) / name


def slow_tool(name):
    """A client that takes minutes to build: `cargo xtask test slow` builds it from a folder of `tools/`."""
    directory = os.environ.get("BERTH_SLOW_TOOLS")
    assert directory, "BERTH_SLOW_TOOLS must name the folder of the large clients: run `cargo xtask test slow`"
    return pathlib.Path(directory) / name


class Docker:
    """The docker command line against the run's own engine, with this person's own login."""

    def __init__(self, person):
        self.person = person
        self.config = person.home / "docker"

    def __call__(self, *arguments, input=None, env=None):
        return self.person.run(engines.DOCKER, "--config", self.config, "--host", engines.dockerd().address, *arguments,
                               input=input, env=env)

    @property
    def variables(self):
        """What makes a plain `docker` in a shell this person's client of the run's own engine."""
        path = f"{pathlib.Path(engines.DOCKER).parent}:{self.person.environment['PATH']}"
        return {"DOCKER_HOST": engines.dockerd().address, "DOCKER_CONFIG": str(self.config), "PATH": path}

    def login(self):
        """`aws ecr get-login-password | docker login --username AWS --password-stdin <registry>`."""
        password = self.person.aws("ecr", "get-login-password").out
        return self("login", "--username", "AWS", "--password-stdin", self.person.registry, input=password).ok()

    def build(self, reference, buildkit=True, message=None):
        """An image of its own around busybox; answers the message that it carries in `/message`."""
        message = message or secrets.token_hex(16)
        context = images.context(self.person.home / f"context-{secrets.token_hex(4)}", message)
        self("build", "--tag", self.person.image(reference), context,
             env={"DOCKER_BUILDKIT": "1" if buildkit else "0"}).ok()
        return message

    def tag(self, source, target):
        return self("tag", self.person.image(source), self.person.image(target)).ok()

    def push(self, reference):
        return self("push", self.person.image(reference))

    def pull(self, reference):
        """Pulls anew: what the engine has of it is forgotten first."""
        self.forget(reference)
        return self("pull", self.person.image(reference))

    def run(self, reference, *command):
        return self("run", "--rm", "--network", "none", self.person.image(reference), *command)

    def message(self, reference):
        return self.run(reference, "cat", images.MESSAGE).out.strip()

    def forget(self, reference):
        if self("image", "inspect", self.person.image(reference)).seen().code == 0:
            self("image", "rm", "--force", self.person.image(reference)).ok()


class Skopeo:
    """skopeo copies between the registry and OCI layouts in directories."""

    def __init__(self, person):
        self.person = person

    def __call__(self, *arguments, input=None):
        return self.person.run("skopeo", "--insecure-policy", *arguments, input=input)

    def login(self):
        return self("login", "--tls-verify=false", "--username", "AWS", "--password-stdin", self.person.registry,
                    input=self.person.password).ok()

    def push(self, layout, reference, *options):
        return self("copy", "--dest-tls-verify=false", *options, layout, f"docker://{self.person.image(reference)}")

    def pull(self, reference, layout, *options):
        return self("copy", "--src-tls-verify=false", *options, f"docker://{self.person.image(reference)}", layout)

    def inspect(self, reference, *options):
        return self("inspect", "--tls-verify=false", *options, f"docker://{self.person.image(reference)}")

    def tags(self, repository):
        return self("list-tags", "--tls-verify=false", f"docker://{self.person.image(repository)}").json["Tags"]

    def delete(self, reference):
        return self("delete", "--tls-verify=false", f"docker://{self.person.image(reference)}")


class Podman:
    # `runc`, the plain cgroup driver and explicit limits run in containers and virtual machines alike; vfs needs nothing
    # of the file system.
    STORAGE = ("--storage-driver", "vfs")
    LIMITS = ("--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")

    def __init__(self, person):
        self.person = person

    def __call__(self, *arguments, input=None):
        home = engines.directory() / "containers"
        return self.person.run("podman", "--root", home / "root", "--runroot", home / "run", "--tmpdir", home / "tmp",
                               *self.STORAGE, "--runtime", "runc", "--cgroup-manager", "cgroupfs",
                               "--events-backend", "file", *arguments, input=input)

    def login(self):
        return self("login", "--tls-verify=false", "--username", "AWS", "--password-stdin", self.person.registry,
                    input=self.person.password).ok()

    def push(self, reference):
        return self("push", "--tls-verify=false", self.person.image(reference))

    def pull(self, reference):
        return self("pull", "--tls-verify=false", self.person.image(reference))

    def run(self, reference, *command):
        return self("run", "--rm", *self.LIMITS, self.person.image(reference), *command)

    def message(self, reference):
        return self.run(reference, "cat", images.MESSAGE).out.strip()

    def forget(self, reference):
        return self("rmi", "--force", self.person.image(reference)).ok()


class Buildah:
    def __init__(self, person):
        self.person = person

    def __call__(self, *arguments, input=None):
        home = engines.directory() / "containers"
        return self.person.run("buildah", "--root", home / "root", "--runroot", home / "run", *Podman.STORAGE,
                               *arguments, input=input)

    def login(self):
        return self("login", "--tls-verify=false", "--username", "AWS", "--password-stdin", self.person.registry,
                    input=self.person.password).ok()

    def build(self, reference):
        message = secrets.token_hex(16)
        context = images.context(self.person.home / f"context-{secrets.token_hex(4)}", message)
        self("build", "--isolation", "chroot", "--tag", self.person.image(reference), context).ok()
        return message

    def push(self, reference, *options):
        return self("push", "--tls-verify=false", *options, self.person.image(reference))


class Ctr:
    """containerd's own client. It has no login: each command carries user and password."""

    def __init__(self, person):
        self.person = person

    def __call__(self, *arguments):
        return self.person.run("ctr", "--address", engines.containerd().address, *arguments)

    def push(self, reference):
        return self("images", "push", "--plain-http", "--user", f"AWS:{self.person.password}", self.person.image(reference))

    def pull(self, reference):
        return self("images", "pull", "--plain-http", "--user", f"AWS:{self.person.password}", self.person.image(reference))

    def tag(self, source, target):
        return self("images", "tag", self.person.image(source), self.person.image(target)).ok()

    def forget(self, reference):
        return self("images", "rm", "--sync", self.person.image(reference)).ok()

    def run(self, reference, *command):
        return self("run", "--rm", self.person.image(reference), f"job-{secrets.token_hex(4)}", *command)


class Crane:
    """crane takes loopback registries over plain HTTP by itself."""

    def __init__(self, person):
        self.person = person

    def __call__(self, *arguments, input=None, cwd=None):
        return self.person.run(tool("crane"), *arguments, input=input, cwd=cwd,
                               env={"DOCKER_CONFIG": str(self.person.home / "crane")})

    def login(self):
        return self("auth", "login", self.person.registry, "--username", "AWS", "--password-stdin",
                    input=self.person.password).ok()


class Oras:
    def __init__(self, person):
        self.person = person

    def __call__(self, *arguments, input=None, cwd=None):
        return self.person.run(tool("oras"), *arguments, input=input, cwd=cwd,
                               env={"DOCKER_CONFIG": str(self.person.home / "oras")})

    def login(self):
        return self("login", "--plain-http", "--username", "AWS", "--password-stdin", self.person.registry,
                    input=self.person.password).ok()


class Regctl:
    def __init__(self, person):
        self.person = person

    def __call__(self, *arguments, input=None, cwd=None):
        return self.person.run(tool("regctl"), *arguments, input=input, cwd=cwd,
                               env={"REGCTL_CONFIG": str(self.person.home / "regctl.json")})

    def login(self):
        self("registry", "set", "--skip-check", "--tls", "disabled", self.person.registry).ok()
        return self("registry", "login", "--user", "AWS", "--pass-stdin", self.person.registry,
                    input=self.person.password).ok()
