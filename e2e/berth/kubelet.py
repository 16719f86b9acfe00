"""What a kubelet does with its configuration of credential providers, and what a pod finds in its containers.

kubernetes.io, "Kubelet Configuration (v1)" (`CredentialProviderConfig`) and "Kubelet CredentialProvider (v1)".
"""

import fnmatch
import json
import pathlib

import yaml

from .jobs import known
from .outcome import Outcome

REQUEST = {"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderRequest"}


def matches(pattern, image):
    """An entry of `matchImages`: as many parts, each matching; the same port; the path is a prefix."""
    (host, path), (wanted, prefix) = _split(image), _split(pattern)
    (name, port), (glob, wanted_port) = _port(host), _port(wanted)
    parts, globs = name.split("."), glob.split(".")
    return (port == wanted_port and len(parts) == len(globs) and path.startswith(prefix)
            and all(fnmatch.fnmatchcase(part, glob) for part, glob in zip(parts, globs)))


def _split(url):
    host, slash, path = url.partition("/")
    return host, slash + path


def _port(host):
    name, _, port = host.partition(":")
    return name, port


class Kubelet:
    """A node with `--image-credential-provider-config` (its text) and `--image-credential-provider-bin-dir`."""

    def __init__(self, person, configuration, bin_dir, environment=None, before=()):
        self.person, self.bin_dir, self.before = person, pathlib.Path(bin_dir), before
        self.environment = environment or {}
        file = known(yaml.safe_load(configuration), "apiVersion", "kind", "providers")
        assert (file["apiVersion"], file["kind"]) == ("kubelet.config.k8s.io/v1", "CredentialProviderConfig")
        self.providers = [known(provider, "name", "args", "env", "matchImages", "defaultCacheDuration", "apiVersion",
                                "tokenAttributes") for provider in file["providers"]]

    def login(self, image, account=None, token=None):
        """User and password for an image of a pod. `account` is its ServiceAccount, `token` makes a token for an audience."""
        outcome = self.ask(image, account, token)
        response = outcome.json
        assert response["apiVersion"] == REQUEST["apiVersion"] and response["kind"] == "CredentialProviderResponse"
        assert response["cacheKeyType"] in ("Image", "Registry", "Global")
        found = [login for key, login in response["auth"].items() if matches(key, image)]
        assert found, f"no login for {image}"
        return found[0]["username"], found[0]["password"]

    def ask(self, image, account=None, token=None):
        """Runs the provider that is configured for the image."""
        provider, = [provider for provider in self.providers
                     if any(matches(pattern, image) for pattern in provider["matchImages"])]
        assert provider["apiVersion"] == REQUEST["apiVersion"]
        request = REQUEST | {"image": image}
        if attributes := provider.get("tokenAttributes"):
            known(attributes, "serviceAccountTokenAudience", "cacheType", "requireServiceAccount",
                  "requiredServiceAccountAnnotationKeys", "optionalServiceAccountAnnotationKeys")
            assert attributes["cacheType"] in ("ServiceAccount", "Token")
            annotations = account["metadata"].get("annotations", {})
            required = attributes.get("requiredServiceAccountAnnotationKeys", [])
            missing = [key for key in required if key not in annotations]
            assert not missing, f"the kubelet does not ask without {missing}"
            passed = [*required, *attributes.get("optionalServiceAccountAnnotationKeys", [])]
            request |= {"serviceAccountToken": token(attributes["serviceAccountTokenAudience"]),
                        "serviceAccountAnnotations": {key: annotations[key] for key in passed if key in annotations}}
        given = {variable["name"]: variable["value"] for variable in provider.get("env", [])}
        argv = [*self.before, self.bin_dir / provider["name"], *provider.get("args", [])]
        return Outcome.run(self.person, argv, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"} | self.environment | given,
                           input=json.dumps(request))


class Container:
    """A pod's only container: its command runs with its variables, and its projected token is at the path that it mounts."""

    def __init__(self, person, pod, token, root):
        spec = known(pod["spec"], "serviceAccountName", "containers", "volumes")
        container, = spec["containers"]
        known(container, "name", "image", "env", "command", "volumeMounts")
        self.person, self.command = person, container["command"]
        self.environment = {variable["name"]: variable["value"] for variable in container["env"]}
        mount, = container["volumeMounts"]
        volume, = [volume for volume in spec["volumes"] if volume["name"] == mount["name"]]
        source, = volume["projected"]["sources"]
        projected = source["serviceAccountToken"]
        folder = pathlib.Path(root)
        folder.mkdir()
        (folder / projected["path"]).write_text(token(projected["audience"]))
        self.environment = {name: value.replace(mount["mountPath"], str(folder))
                            for name, value in self.environment.items()}

    def run(self):
        base = {name: self.person.environment[name] for name in ("PATH", "HOME", "LANG")}
        return Outcome.run(self.person, self.command, base | self.environment)
