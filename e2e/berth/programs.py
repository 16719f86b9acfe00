"""Programs that use the SDKs' and the AWS CLI's default credential chains, and the environments that those chains read."""

import os
import pathlib
import sys

SDKS = pathlib.Path(__file__).parent.parent / "sdks"


def built(variable):
    """A program that `cargo xtask test` builds."""
    path = os.environ.get(variable)
    assert path, f"{variable} must name the program: run `cargo xtask test e2e`"
    return path


#: The command of each SDK's program.
PROGRAMS = {
    "python": lambda: [sys.executable, SDKS / "python/main.py"],
    "javascript": lambda: ["node", pathlib.Path(built("BERTH_SDK_JAVASCRIPT")) / "main.js"],
    "go": lambda: [built("BERTH_SDK_GO")],
    "java": lambda: ["java", "-cp", "{0}/jars/*:{0}".format(built("BERTH_SDK_JAVA")), "Main"],
    "rust": lambda: [built("BERTH_SDK_RUST")],
}

#: The versions of the AWS CLI.
VERSIONS = ("1", "2")


def aws_cli(version):
    """The command of a version of the AWS CLI."""
    if version == "1":
        return "aws"
    path = os.environ.get("BERTH_AWS_CLI_V2")
    assert path, "BERTH_AWS_CLI_V2 must name the AWS CLI version 2: run `cargo xtask test e2e`"
    return path


def profile(user, role, directory):
    """A profile with a role, whose source profile has the user's key."""
    config, credentials = directory / "config", directory / "credentials"
    config.write_text(f"[profile job]\nregion = {user.server.region}\nrole_arn = {role}\n"
                      "source_profile = ci\nrole_session_name = build-7\n")
    credentials.write_text(f"[ci]\naws_access_key_id = {user.credentials.access_key_id}\n"
                           f"aws_secret_access_key = {user.credentials.secret_access_key}\n")
    return {"AWS_PROFILE": "job", "AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}


def web_identity(token, role, directory):
    """What CI systems and Kubernetes set: no key, no profile."""
    file = directory / "token"
    file.write_text(token)
    return {"AWS_ROLE_ARN": role, "AWS_WEB_IDENTITY_TOKEN_FILE": str(file), "AWS_ROLE_SESSION_NAME": "build-7"}


def shell(user):
    """An environment without keys."""
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return {name: value for name, value in user.environment.items() if name not in keys} | {
        # Java's SDK reads the region from this variable alone.
        "AWS_REGION": user.server.region,
        # Go's does not use AWS_ENDPOINT_URL for the calls of its own credential providers.
        "AWS_ENDPOINT_URL_STS": user.server.url,
    }
