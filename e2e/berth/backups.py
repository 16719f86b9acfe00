"""Backups and restores as an operator types them, and what must be the same afterwards."""

import json
import shutil
import subprocess

from . import images
from .people import Person
from .server import Server, _environment, binary


def command(*arguments):
    return subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env=_environment(), timeout=300)


def done(*arguments):
    ended = command(*arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def refused(*arguments, words):
    ended = command(*arguments)
    assert ended.returncode == 1 and words in ended.stderr, (ended.returncode, ended.stderr)


def taken(root):
    """A backup of the running server."""
    return json.loads(root.run(binary(), "backup", "--output", "json").out)


class Restored(Server):
    """A server on a data directory that a restore made. Its root user has the key that it had before."""

    def __init__(self, directory, source, *options):
        super().__init__(directory, *options)
        self._root = source.root.credentials
        self.key = source.data / "master.key"

    def restore(self, backups, *arguments):
        self.data.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.key, self.data / "master.key")
        return command("restore", "--from", backups, "--data", self.data, *self._database(), *arguments)

    @property
    def root(self):
        return Person(self, "root", self._root, self.account, f"arn:aws:iam::{self.account}:root")


def everything(root):
    """What there is: each image by tag and digest, each user, role, key and policy."""
    found = {"images": {}, "settings": {}}
    for page in root.ecr.get_paginator("describe_repositories").paginate():
        for repository in page["repositories"]:
            name = repository["repositoryName"]
            found["settings"][name] = repository["imageTagMutability"]
            for listed in root.ecr.get_paginator("list_images").paginate(repositoryName=name):
                for image in listed["imageIds"]:
                    found["images"][name, image.get("imageTag")] = image["imageDigest"]
    details = root.iam.get_account_authorization_details()
    for kind in ("UserDetailList", "RoleDetailList", "GroupDetailList", "Policies"):
        found[kind] = json.loads(json.dumps(details[kind], default=str))
        for one in found[kind]:
            one.pop("RoleLastUsed", None)
    for user in details["UserDetailList"]:
        name = user["UserName"]
        keys = root.iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
        found["keys", name] = [(key["AccessKeyId"], key["Status"]) for key in keys]
    return found


def pulls(root, found):
    """Every image, with every byte that its manifest names, compared with its digest."""
    raw = root.raw()
    for (repository, tag), digest in found["images"].items():
        answer = raw("GET", f"/v2/{repository}/manifests/{tag or digest}",
                     headers={"Accept": images.OCI_MANIFEST}).expect(200)
        assert images.digest(answer.body) == digest, (repository, tag)
        manifest = json.loads(answer.body)
        for blob in [manifest["config"], *manifest["layers"]]:
            content = raw("GET", f"/v2/{repository}/blobs/{blob['digest']}").expect(200).body
            assert images.digest(content) == blob["digest"], (repository, tag)
