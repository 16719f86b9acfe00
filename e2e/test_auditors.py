"""Security auditors, unmodified, against an account with one of everything: prowler, ScoutSuite, cloudsplaining, PMapper.

They read what an administrator of AWS would: the credential report, the account's authorization details, every user's
keys, devices and policies. Each has a Python environment of its own (`auditors/`), since they pin SDKs of their own."""

import csv
import json
import os
import pathlib
import re

import botocore.exceptions
import pytest

from berth import fixture
from berth.policies import allow, deny, policy, trust
from berth.saml_idp import IdentityProvider

pytestmark = pytest.mark.slow

#: What AWS's own policy gives to auditors (IAM User Guide, "AWS managed policies for job functions").
AUDITOR = "arn:aws:iam::aws:policy/SecurityAudit"
#: prowler's checks of IAM and ECR that this server answers without an error.
PROWLER_CHECKS_MIN = 51


@pytest.fixture(scope="module")
def filled(berth, root):
    """An account with one of everything, and an auditor in it."""
    fixture.build(berth)
    iam = root.iam
    auditor = root.create_user("auditor")
    iam.attach_user_policy(UserName="auditor", PolicyArn=AUDITOR)
    iam.update_account_password_policy(MinimumPasswordLength=14, RequireSymbols=True, MaxPasswordAge=90)
    iam.create_login_profile(UserName="alice", Password="correct horse Battery 9 staple!")
    iam.create_virtual_mfa_device(VirtualMFADeviceName="spare")
    iam.create_open_id_connect_provider(Url="https://token.actions.githubusercontent.com",
                                        ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40])
    iam.create_saml_provider(Name="corporate", SAMLMetadataDocument=IdentityProvider().metadata)
    iam.create_service_linked_role(AWSServiceName="replication.ecr.amazonaws.com")
    root.create_role("everything", trust({"AWS": f"arn:aws:iam::{root.account}:root"}), policy(allow("*", "*")))
    return auditor


def program(variable, command):
    """A program of an auditor's environment."""
    directory = os.environ.get(variable)
    assert directory, f"{variable} must name the folder of the auditor's commands: run `cargo xtask test slow`"
    return pathlib.Path(directory) / command


def run(auditor, *argv, **environment):
    return auditor.run(*argv, env=environment, cwd=auditor.home, timeout_s=900)


def test_prowlers_checks_run(filled, tmp_path):
    scanned = run(filled, program("BERTH_PROWLER", "prowler"), "aws", "--service", "iam", "ecr",
                  "--region", filled.server.region, "--output-formats", "csv", "--output-directory", tmp_path,
                  "--output-filename", "report", "--no-banner", "--no-color", "--ignore-exit-code-3",
                  "--log-level", "ERROR", "--log-file", tmp_path / "log")
    done = re.search(r"(\d+)/\1 \[100%\]", scanned.out)
    assert done and int(done.group(1)) >= PROWLER_CHECKS_MIN, scanned
    with (tmp_path / "report.csv").open() as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert len({row["CHECK_ID"] for row in rows}) >= PROWLER_CHECKS_MIN
    # What this server does not have, what AWS's policy for auditors does not allow either, and a gap of prowler's own.
    expected = ("DescribeRegions", "ecr:BatchGetImage", "Service 'codestar' not found")
    errors = [json.loads(line)["message"] for line in (tmp_path / "log").read_text().splitlines()]
    assert [error for error in errors if not any(word in error for word in expected)] == []

    def found(check, resource):
        return {row["STATUS"] for row in rows if row["CHECK_ID"] == check and row["RESOURCE_NAME"] == resource}

    # It reads what is there: the key of the root user, the administrator's role, the scans on push.
    assert found("iam_no_root_access_key", "<root_account>") == {"FAIL"}
    assert found("ecr_repositories_scan_images_on_push_enabled", "locked") == {"PASS"}
    assert found("ecr_repositories_scan_images_on_push_enabled", "app") == {"FAIL"}


def test_scoutsuite_reads_the_account(filled, tmp_path):
    run(filled, program("BERTH_SCOUTSUITE", "scout"), "aws", "--services", "iam", "--no-browser", "--report-dir", tmp_path,
        "--region", filled.server.region).ok()

    def read(name):
        text = (tmp_path / "scoutsuite-results" / f"scoutsuite_{name}_aws-{filled.account}.js").read_text()
        return json.loads(text.partition("\n")[2])

    assert read("exceptions") == {}
    iam = read("results")["services"]["iam"]
    assert sorted(user["name"] for user in iam["users"].values()) == ["alice", "auditor", "bob"]
    assert {role["name"] for role in iam["roles"].values()} == {
        "AWSServiceRoleForECRReplication", "containerise", "everything"}
    assert iam["password_policy"]["MinimumPasswordLength"] == 14


def test_cloudsplaining_finds_the_administrator(filled, tmp_path):
    command = program("BERTH_CLOUDSPLAINING", "cloudsplaining")
    run(filled, command, "download", "--output", tmp_path).seen()  # it ends with 1 when it has worked
    run(filled, command, "scan", "--input-file", tmp_path / "default.json", "--output", tmp_path, "--skip-open-report").ok()
    results = json.loads((tmp_path / "iam-results-default.json").read_text())
    assert sorted(user["name"] for user in results["users"].values()) == ["alice", "auditor", "bob"]
    assert [group["name"] for group in results["groups"].values()] == ["readers"]
    risky = [policy for policy in results["inline_policies"].values() if policy["PrivilegeEscalation"]["findings"]]
    assert [policy["PolicyName"] for policy in risky] == ["permissions"]


#: PMapper 1.1.5 imports names that Python 3.10 moved.
PMAPPER = """
import collections, collections.abc, sys
collections.Mapping, collections.MutableMapping = collections.abc.Mapping, collections.abc.MutableMapping
from principalmapper.__main__ import main
sys.exit(main())
"""


def test_pmappers_edges_are_the_roles_that_can_be_taken(filled, root, tmp_path):
    take = policy(allow("sts:AssumeRole", "*"))
    people = {name: root.create_user(name, document) for name, document in {
        "named": None, "allowed": take, "outsider": None, "denied": policy(deny("sts:AssumeRole", "*")),
        "half": policy(allow("sts:AssumeRole", f"arn:aws:iam::{root.account}:role/by-account")),
    }.items()}
    arns = {"AWS": [people["named"].arn, people["denied"].arn]}
    account = {"AWS": f"arn:aws:iam::{root.account}:root"}
    roles = {"by-name": root.create_role("by-name", trust(arns), take),
             "by-account": root.create_role("by-account", trust(account)),
             "for-machines": root.create_role("for-machines", trust({"Service": "ec2.amazonaws.com"}))}
    roles["chained"] = root.create_role("chained", trust({"AWS": roles["by-name"]}))
    people["by-name"] = people["named"].assume(roles["by-name"])

    def can(person, role):
        try:
            return bool(person.sts.assume_role(RoleArn=role, RoleSessionName="try"))
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied"
            return False

    node = {name: roles.get(name, person.arn) for name, person in people.items()}
    real = {(node[name], role) for name, person in people.items() for role in roles.values()
            if node[name] != role and can(person, role)}
    assert len(real) == 5

    def pmapper(*arguments):
        return run(filled, program("BERTH_PMAPPER", "python"), "-c", PMAPPER, *arguments, PMAPPER_STORAGE=str(tmp_path))

    pmapper("graph", "create", "--include-regions", filled.server.region).ok()
    edges = json.loads((tmp_path / filled.account / "graph" / "edges.json").read_text())
    drawn = {(edge["source"], edge["destination"]) for edge in edges if edge["short_reason"] == "AssumeRole"}
    assert {edge for edge in drawn if edge[0] in node.values() and edge[1] in roles.values()} == real

    asked = pmapper("--account", filled.account, "query", "who can do ecr:PutImage with "
                    + root.repository_arn("app")).out
    able = re.findall(r"^(\S+) IS authorized", asked, re.MULTILINE)
    assert {"user/alice", "role/containerise", "role/everything"} <= set(able), asked
    assert "user/outsider" not in able
