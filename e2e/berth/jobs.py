"""Jobs of CI services, read from their own files and run as the service runs them: its shell, its variables, its steps.

Only the parts of each format that `examples/` uses are known. Anything else in a file is an error, so no line is skipped.
"""

import pathlib
import re
import shutil

import yaml

from . import engines, images
from .outcome import Outcome
from .people import Credentials, Person

REPOSITORY = pathlib.Path(__file__).parent.parent.parent
EXAMPLES = REPOSITORY / "examples"


class Machine:
    """Where a job runs: a check-out with an image to build, an empty home, and the variables that the service sets."""

    def __init__(self, person, replaced, environment=None, path=()):
        self.person, self.replaced = person, replaced
        self.home = person.home
        self.checkout = images.context(self.home / "checkout", "built by a job")
        shutil.copytree(EXAMPLES, self.checkout / "examples")
        for file in (self.checkout / "examples").rglob("*"):
            if file.is_file():
                file.write_text(self._replace(file.read_text()))
        docker = pathlib.Path(engines.DOCKER).parent
        self.environment = {
            "PATH": ":".join(map(str, [*path, docker, person.environment["PATH"]])),
            "HOME": str(self.home), "LANG": "C.UTF-8",
            "DOCKER_HOST": engines.dockerd().address, "DOCKER_CONFIG": str(self.home / "docker"),
        } | (environment or {})

    def _replace(self, text):
        for old, new in self.replaced.items():
            text = text.replace(old, new)
        return text

    def read(self, name):
        """An example, with the values replaced that its page says to replace."""
        return (self.checkout / "examples" / name).read_text()

    def shell(self, argv, script, environment=None):
        """Runs a script from a file, as the services do."""
        file = self.home / "step"
        file.write_text(script)
        return Outcome.run(self.person, [*argv, file], self.environment | (environment or {}), cwd=self.checkout)


def job(root, **more):
    """A job's machine; `https://registry.example.com` is the server of this test."""
    person = Person(root.server, "job", Credentials("", ""), root.account, "")
    replaced = {"https://registry.example.com": root.server.url, "registry.example.com": root.server.registry}
    return Machine(person, replaced | more.pop("replaced", {}), **more)


def namespace(state):
    """Before a command: a namespace in which `/var/lib/berth-agent`, root's default, is the folder `state`."""
    script = ('mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/berth-agent && mount --bind "$0" /var/lib/berth-agent && '
              'exec "$@"')
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, state]


def known(mapping, *names):
    """The members of an object, all of which must be known."""
    unknown = set(mapping) - set(names)
    assert not unknown, f"the runner does not know {unknown}"
    return mapping


def github(machine, name, request_url, request_token):
    """docs.github.com, "Workflow syntax for GitHub Actions"; the variables are those of "Variables reference"."""
    # YAML 1.1 reads the key `on` as a boolean.
    file = known(yaml.safe_load(machine.read(name)), True, "permissions", "env", "jobs")
    runner = machine.home / "runner"
    runner.mkdir()
    given = {key: str(value) for key, value in file["env"].items()}
    given |= {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SHA": "1" * 40, "RUNNER_TEMP": str(runner)}
    if file["permissions"]["id-token"] == "write":
        given |= {"ACTIONS_ID_TOKEN_REQUEST_URL": request_url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": request_token}
    job, = file["jobs"].values()
    for step in known(job, "runs-on", "steps")["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"actions/checkout@v\d+", known(step, "uses")["uses"])
            continue
        commands = runner / "env"
        commands.write_text("")
        outcome = machine.shell(["bash", "-e"], known(step, "run")["run"], given | {"GITHUB_ENV": str(commands)})
        if outcome.seen().code != 0:
            return outcome
        for line in commands.read_text().splitlines():
            key, separator, value = line.partition("=")
            assert separator, line
            given[key] = value
    return outcome


def circleci(machine, name, token):
    """circleci.com/docs, "Configuration reference" (`run`: each step is a shell of its own that reads BASH_ENV)."""
    file = known(yaml.safe_load(machine.read(name)), "version", "jobs", "workflows")
    (job, of), = file["jobs"].items()
    assert file["workflows"] == {"push": {"jobs": [job]}}
    environment = machine.home / "bash_env"
    environment.write_text("")
    given = {key: str(value) for key, value in known(of, "machine", "environment", "steps")["environment"].items()}
    given |= {"CI": "true", "CIRCLECI": "true", "CIRCLE_SHA1": "2" * 40, "CIRCLE_OIDC_TOKEN": token,
              "BASH_ENV": str(environment)}
    for step in of["steps"]:
        if step != "checkout":
            outcome = machine.shell(["bash", "-eo", "pipefail"], known(step, "run")["run"], given)
            if outcome.seen().code != 0:
                return outcome
    return outcome


def gitlab(machine, name, token):
    """docs.gitlab.com, "CI/CD YAML syntax reference": `before_script` and `script` are one shell."""
    (_, job), = yaml.safe_load(machine.read(name)).items()
    known(job, "image", "services", "id_tokens", "variables", "before_script", "script")
    assert (job["image"], job["services"]) == ("docker:cli", ["docker:dind"])
    # Alpine's package manager is part of that image. The AWS CLI is there already.
    tools = machine.home / "image"
    tools.mkdir()
    (tools / "apk").write_text('#!/bin/sh\ntest "$*" = "add --no-cache aws-cli"\n')
    (tools / "apk").chmod(0o755)
    given = {"CI": "true", "GITLAB_CI": "true", "CI_COMMIT_SHA": "3" * 40, "CI_BUILDS_DIR": str(machine.home),
             "PATH": f"{tools}:{machine.environment['PATH']}"}
    (variable, of), = job["id_tokens"].items()
    given[variable] = token(known(of, "aud")["aud"])
    for key, value in job["variables"].items():
        given[key] = re.sub(r"\$(\w+)", lambda found: given[found[1]], str(value))
    return machine.shell(["sh", "-e"], "\n".join([*job["before_script"], *job["script"]]), given)


def codebuild(machine, name, environment):
    """docs.aws.amazon.com, "Build specification reference for CodeBuild": version 0.2 runs all commands in one shell."""
    file = known(yaml.safe_load(machine.read(name)), "version", "env", "phases")
    assert file["version"] == 0.2
    given = {key: str(value) for key, value in known(file["env"], "variables")["variables"].items()}
    phases = ("install", "pre_build", "build", "post_build")
    commands = [command for phase in phases if phase in known(file["phases"], *phases)
                for command in known(file["phases"][phase], "commands")["commands"]]
    return machine.shell(["sh", "-e"], "\n".join(commands), given | environment)


#: The lines of a declarative pipeline that are known (jenkins.io, "Pipeline Syntax").
_JENKINS = {
    "block": re.compile(r"(pipeline|environment|stages|steps|stage\('[^']+'\)) \{"),
    "agent": re.compile(r"agent any|agent \{ label '(?P<label>[^']+)' \}"),
    "variable": re.compile(r"(?P<name>\w+) = '(?P<value>[^']*)'"),
    "credential": re.compile(r"withCredentials\(\[file\(credentialsId: '(?P<id>[^']+)', variable: '(?P<name>\w+)'\)\]\) \{"),
    "sh": re.compile(r"sh '(?P<script>[^']+)'"),
    "end": re.compile(r"\}"),
}


def jenkins(machine, name, credentials=None, commit="4" * 40):
    """A declarative pipeline. `credentials` are the files of Jenkins's credentials, by their id."""
    given = {"GIT_COMMIT": commit, "WORKSPACE": str(machine.checkout)}
    blocks, outcome = [], None
    for line in filter(None, map(str.strip, machine.read(name).splitlines())):
        kind, found = next(((kind, found) for kind, pattern in _JENKINS.items() if (found := pattern.fullmatch(line))),
                           (None, None))
        assert found, f"the runner does not know {line!r}"
        if kind == "block":
            blocks.append(())
        elif kind == "variable":
            given[found["name"]] = found["value"]
        elif kind == "credential":
            file = machine.home / f"secret-{found['id']}"
            file.write_text(credentials[found["id"]])
            given[found["name"]] = str(file)
            blocks.append((file, found["name"]))
        elif kind == "sh":
            outcome = machine.shell(["sh", "-xe"], found["script"], given)
            if outcome.seen().code != 0:
                return outcome
        elif kind == "end" and (bound := blocks.pop()):
            file, variable = bound
            file.unlink()
            del given[variable]
    assert not blocks and outcome, f"{name} is not a whole pipeline"
    return outcome

