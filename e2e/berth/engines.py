"""The daemons behind docker and ctr: one of each for each worker of the run, in a directory of its own, started when first needed.

They share nothing with a docker or containerd that the machine may run: own root, state, socket and process. They need no
network of their own (no bridge, no iptables), for the registry is at the host's loopback address.
"""

import atexit
import functools
import pathlib
import shutil
import subprocess
import tempfile
import time

#: Debian's client, not another one further up the PATH: the two speak the same version.
DOCKER = "/usr/bin/docker"
_START_S_MAX = 60
_STOP_S_MAX = 30


@functools.cache
def directory():
    made = pathlib.Path(tempfile.mkdtemp(prefix="berth-e2e-", dir="/tmp"))  # sockets' paths must be short
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


class Daemon:
    def __init__(self, name, argv, socket, ready):
        self.name, self.socket, self.address = name, socket, f"unix://{socket}"
        self.log = directory() / f"{name}.log"
        with self.log.open("wb") as log:
            # A session of its own, so that Ctrl-C reaches the tests first and the daemon is stopped in order.
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        atexit.register(self.stop)
        deadline = time.monotonic() + _START_S_MAX
        while subprocess.run(ready, capture_output=True).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{name} did not come up:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(_STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@functools.cache
def dockerd():
    home = directory() / "docker"
    home.mkdir()
    configuration = home / "daemon.json"
    configuration.write_text("{}\n")  # not the machine's own /etc/docker/daemon.json
    socket = home / "sock"
    return Daemon(
        "dockerd",
        ["/usr/sbin/dockerd", "--config-file", configuration, "--data-root", home / "data", "--exec-root", home / "exec",
         "--pidfile", home / "pid", "--host", f"unix://{socket}", "--bridge", "none", "--iptables=false", "--ip6tables=false",
         "--storage-driver", storage_driver(home)],
        socket, [DOCKER, "--host", f"unix://{socket}", "info"],
    )


@functools.cache
def containerd():
    home = directory() / "containerd"
    home.mkdir()
    socket = home / "sock"
    configuration = home / "config.toml"
    configuration.write_text(
        f'version = 2\nroot = "{home}/root"\nstate = "{home}/state"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\n  address = "{socket}"\n'
    )
    daemon = Daemon("containerd", ["/usr/bin/containerd", "--config", configuration], socket,
                    ["ctr", "--address", socket, "version"])
    daemon.address = str(socket)
    return daemon


@functools.cache
def buildkitd(program, control, registry):
    """BuildKit's daemon, which speaks plain HTTP to the registry; `control` is its client, `buildctl`."""
    home = directory() / "buildkit"
    home.mkdir()
    socket = home / "sock"
    configuration = home / "buildkitd.toml"
    configuration.write_text(
        f'root = "{home}/root"\n[worker.containerd]\n  enabled = false\n[worker.oci]\n  networkMode = "host"\n'
        f'[registry."{registry}"]\n  http = true\n'
    )
    return Daemon("buildkitd", [program, "--config", configuration, "--addr", f"unix://{socket}"], socket,
                  [control, "--addr", f"unix://{socket}", "debug", "workers"])


def storage_driver(home):
    """overlay2 where the kernel and this file system carry it, else vfs, which always works and copies."""
    parts = {name: home / f"probe-{name}" for name in ("lower", "upper", "work", "merged")}
    for path in parts.values():
        path.mkdir()
    options = f"lowerdir={parts['lower']},upperdir={parts['upper']},workdir={parts['work']}"
    mounted = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, parts["merged"]], capture_output=True)
    if mounted.returncode == 0:
        subprocess.run(["umount", parts["merged"]], check=True)
    for path in parts.values():
        shutil.rmtree(path)
    return "overlay2" if mounted.returncode == 0 else "vfs"
