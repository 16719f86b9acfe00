"""People: a name, an ARN, credentials, and the clients they hold in their hands. Each has a home directory of its own."""

import base64
import dataclasses
import json
import os
import pathlib
import sys
import tempfile

import boto3
import botocore.config
import botocore.exceptions

from . import clients
from .outcome import Outcome, refusal
from .raw import Raw


@dataclasses.dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str = dataclasses.field(repr=False)
    session_token: str | None = dataclasses.field(repr=False, default=None)

    @classmethod
    def of(cls, answer):
        """From an `AccessKey` of CreateAccessKey or the `Credentials` of an STS answer."""
        return cls(answer["AccessKeyId"], answer["SecretAccessKey"], answer.get("SessionToken"))


class Person:
    """A user, a root user or a role's session."""

    def __init__(self, server, name, credentials, account, arn):
        self.server, self.name, self.account, self.arn = server, name, account, arn
        self.credentials = credentials
        self.home = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=server.directory))

    # Names, as this person would write them.

    @property
    def registry(self):
        return self.server.registry

    def repository_arn(self, name, account=None):
        return f"arn:aws:ecr:{self.server.region}:{account or self.account}:repository/{name}"

    def image(self, reference):
        return f"{self.registry}/{reference}"

    # The AWS clients.

    @property
    def environment(self):
        """A shell of this person: what the AWS clients read, and nothing else that could lead them elsewhere."""
        made = {
            # The AWS CLI is the one installed beside the running Python.
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.home), "LANG": "C.UTF-8",
            "AWS_ENDPOINT_URL": self.server.url, "AWS_DEFAULT_REGION": self.server.region,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_access_key,
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1",
            "REGISTRY_AUTH_FILE": str(self.home / "auth.json"),
        }
        if self.server.ca:
            made["AWS_CA_BUNDLE"] = str(self.server.ca)
        if self.credentials.session_token:
            made["AWS_SESSION_TOKEN"] = self.credentials.session_token
        return made

    def run(self, *argv, input=None, env=None, **more):
        return Outcome.run(self, argv, self.environment | (env or {}), input=input, **more)

    def aws(self, *arguments, input=None):
        """The AWS CLI, with answers in JSON where nothing else is asked for."""
        return self.run("aws", *arguments, input=input, env={"AWS_DEFAULT_OUTPUT": "json"})

    def boto(self, service, **configuration):
        return boto3.session.Session(
            aws_access_key_id=self.credentials.access_key_id,
            aws_secret_access_key=self.credentials.secret_access_key,
            aws_session_token=self.credentials.session_token,
            region_name=self.server.region,
        ).client(service, endpoint_url=self.server.url, verify=str(self.server.ca) if self.server.ca else None,
                 config=botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60,
                                              **configuration))

    @property
    def ecr(self):
        return self.boto("ecr")

    @property
    def iam(self):
        return self.boto("iam")

    @property
    def sts(self):
        return self.boto("sts")

    def refused(self, call, action, resource, because, code="AccessDeniedException", **arguments):
        """`alice.refused(alice.ecr.list_images, …)`: the call is denied, in these very words."""
        error = failing(call, code, **arguments)
        assert error["Message"] == refusal(self.arn, action, resource, because)

    # The registry clients.

    @property
    def password(self):
        """What `aws ecr get-login-password` prints."""
        token = self.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        user, _, password = base64.b64decode(token).decode().partition(":")
        assert user == "AWS" and ":" not in password
        return password

    @property
    def docker(self):
        return clients.Docker(self)

    @property
    def skopeo(self):
        return clients.Skopeo(self)

    @property
    def podman(self):
        return clients.Podman(self)

    @property
    def buildah(self):
        return clients.Buildah(self)

    @property
    def ctr(self):
        return clients.Ctr(self)

    @property
    def crane(self):
        return clients.Crane(self)

    @property
    def oras(self):
        return clients.Oras(self)

    @property
    def regctl(self):
        return clients.Regctl(self)

    def raw(self):
        """The registry over plain HTTP, with a fresh login."""
        return Raw(self.server, "AWS", self.password)

    # What an administrator does for a story to begin. Plain set-up: these insist on success.

    def create_repository(self, name, **more):
        return self.ecr.create_repository(repositoryName=name, **more)["repository"]

    def create_user(self, name, document=None, path="/"):
        """A user with an access key and, where `document` is given, that policy attached under `<name>-policy`."""
        iam = self.iam
        arn = iam.create_user(UserName=name, Path=path)["User"]["Arn"]
        if document:
            iam.attach_user_policy(UserName=name, PolicyArn=self.create_policy(f"{name}-policy", document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Person(self.server, name, Credentials.of(key), self.account, arn)

    def create_policy(self, name, document):
        return self.iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))["Policy"]["Arn"]

    def create_role(self, name, trust_policy, document=None):
        """A role with that trust policy and, where given, an inline policy; answers its ARN."""
        iam = self.iam
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust_policy))["Role"]["Arn"]
        if document:
            iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=json.dumps(document))
        return arn

    def assume(self, role_arn, session="session", **more):
        """The session of `role_arn` that this person steps into."""
        answer = self.sts.assume_role(RoleArn=role_arn, RoleSessionName=session, **more)
        arn = answer["AssumedRoleUser"]["Arn"]
        return Person(self.server, session, Credentials.of(answer["Credentials"]), arn.split(":")[4], arn)


def failing(call, code, **arguments):
    """Calls, insists on the error code, and answers the error as boto3 shows it: `{"Code", "Message"}`."""
    try:
        answer = call(**arguments)
    except botocore.exceptions.ClientError as error:
        found = error.response["Error"]
        assert found["Code"] == code, f"{found['Code']}: {found['Message']} (expected {code})"
        return found
    raise AssertionError(f"expected {code}, but it worked: {answer}")
