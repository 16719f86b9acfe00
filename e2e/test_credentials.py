"""Credentials beside access keys: MFA devices, passwords, reports, scoped sessions, and what the account keeps of them."""

import csv
import io
import json
import time

import pytest

from berth.mfa import code
from berth.people import Credentials, Person, failing
from berth.policies import allow, policy, trust


def now():
    return int(time.time()) // 30


def holder(person, credentials):
    """The same person with temporary credentials."""
    return Person(person.server, person.name, Credentials.of(credentials), person.account, person.arn)


@pytest.fixture(scope="module")
def phone(root):
    """A device of the user `mia`, enabled with codes of the recent past, so that the present ones are unused."""
    mia = root.create_user("mia", policy(allow("iam:GetUser", "*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})))
    made = root.iam.create_virtual_mfa_device(VirtualMFADeviceName="mia", Path="/phones/",
                                              Tags=[{"Key": "team", "Value": "core"}])["VirtualMFADevice"]
    assert made["SerialNumber"] == f"arn:aws:iam::{root.account}:mfa/phones/mia"
    assert made["QRCodePNG"].startswith(b"\x89PNG")
    seed = made["Base32StringSeed"]
    # The device's clock is taken to be behind by what the second code says, and one step is tolerated.
    step = now() - 2
    root.iam.enable_mfa_device(UserName="mia", SerialNumber=made["SerialNumber"],
                               AuthenticationCode1=code(seed, step), AuthenticationCode2=code(seed, step + 1))
    return mia, made["SerialNumber"], seed


def test_mfa_devices_are_listed_without_seeds(root, phone):
    _, serial, _ = phone
    listed = root.iam.list_mfa_devices(UserName="mia")["MFADevices"]
    assert [device["SerialNumber"] for device in listed] == [serial]
    pages = root.iam.get_paginator("list_virtual_mfa_devices").paginate(AssignmentStatus="Assigned", PaginationConfig={"PageSize": 1})
    devices = [device for page in pages for device in page["VirtualMFADevices"]]
    assert devices[0]["User"]["UserName"] == "mia" and "Base32StringSeed" not in devices[0]
    assert root.iam.list_mfa_device_tags(SerialNumber=serial)["Tags"] == [{"Key": "team", "Value": "core"}]
    failing(root.iam.delete_virtual_mfa_device, "DeleteConflict", SerialNumber=serial)
    failing(root.iam.delete_virtual_mfa_device, "NoSuchEntity", SerialNumber=serial + "x")
    failing(root.iam.enable_mfa_device, "InvalidAuthenticationCode", UserName="mia",
            SerialNumber=root.iam.create_virtual_mfa_device(VirtualMFADeviceName="other")["VirtualMFADevice"]["SerialNumber"],
            AuthenticationCode1="000000", AuthenticationCode2="000000")


def test_a_session_with_mfa_may_what_the_key_alone_may_not(root, phone):
    mia, serial, seed = phone
    failing(mia.iam.get_user, "AccessDenied")
    used = code(seed, now())
    session = mia.sts.get_session_token(SerialNumber=serial, TokenCode=used)["Credentials"]
    again = failing(mia.sts.get_session_token, "AccessDenied", SerialNumber=serial, TokenCode=used)
    assert "invalid MFA one time pass code" in again["Message"]
    strong = holder(mia, session)
    assert strong.iam.get_user()["User"]["UserName"] == "mia"
    plain = holder(mia, mia.sts.get_session_token()["Credentials"])
    failing(plain.iam.get_user, "InvalidClientTokenId")


def test_passwords_and_their_policy(root):
    iam = root.iam
    iam.create_user(UserName="pat")
    failing(iam.get_login_profile, "NoSuchEntity", UserName="pat")
    failing(iam.create_login_profile, "PasswordPolicyViolation", UserName="pat", Password="short")
    made = iam.create_login_profile(UserName="pat", Password="Correct-Horse-1", PasswordResetRequired=True)["LoginProfile"]
    assert made["UserName"] == "pat" and made["PasswordResetRequired"] is True
    failing(iam.create_login_profile, "EntityAlreadyExists", UserName="pat", Password="Correct-Horse-1")
    iam.update_login_profile(UserName="pat", Password="Correct-Horse-2", PasswordResetRequired=False)
    assert iam.get_login_profile(UserName="pat")["LoginProfile"]["PasswordResetRequired"] is False
    failing(iam.get_account_password_policy, "NoSuchEntity")
    iam.update_account_password_policy(MinimumPasswordLength=20, MaxPasswordAge=90)
    shown = iam.get_account_password_policy()["PasswordPolicy"]
    assert (shown["MinimumPasswordLength"], shown["ExpirePasswords"], shown["RequireSymbols"]) == (20, True, False)
    failing(iam.update_login_profile, "PasswordPolicyViolation", UserName="pat", Password="Correct-Horse-3")
    iam.delete_account_password_policy()
    failing(iam.delete_user, "DeleteConflict", UserName="pat")
    iam.delete_login_profile(UserName="pat")
    iam.delete_user(UserName="pat")
    failing(iam.change_password, "InvalidUserType", OldPassword="a", NewPassword="b")


def test_the_credential_report(root, phone):
    failing(root.iam.get_credential_report, "ReportNotPresent")
    assert root.iam.generate_credential_report()["State"] == "STARTED"
    assert root.iam.generate_credential_report()["State"] == "COMPLETE"
    report = root.iam.get_credential_report()
    assert report["ReportFormat"] == "text/csv"
    rows = {row["user"]: row for row in csv.DictReader(io.StringIO(report["Content"].decode()))}
    assert rows["<root_account>"]["access_key_1_active"] == "true"
    assert rows["mia"]["mfa_active"] == "true" and rows["mia"]["password_enabled"] == "false"


def test_credentials_of_other_services_and_their_roles(root):
    iam = root.iam
    iam.create_user(UserName="git")
    failing(iam.create_service_specific_credential, "NoSuchEntity", UserName="git", ServiceName="lambda.amazonaws.com")
    made = [iam.create_service_specific_credential(UserName="git", ServiceName="codecommit.amazonaws.com")["ServiceSpecificCredential"]
            for _ in range(2)]
    assert made[0]["ServiceUserName"] == f"git-at-{root.account}" and made[0]["ServicePassword"] != made[1]["ServicePassword"]
    failing(iam.create_service_specific_credential, "LimitExceeded", UserName="git", ServiceName="codecommit.amazonaws.com")
    for credential in made:
        iam.delete_service_specific_credential(UserName="git", ServiceSpecificCredentialId=credential["ServiceSpecificCredentialId"])
    role = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    failing(iam.delete_role, "UnmodifiableEntity", RoleName=role["RoleName"])
    task = iam.delete_service_linked_role(RoleName=role["RoleName"])["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"


def test_scoped_credentials(root):
    ops = root.create_user("ops", policy(allow("sts:GetScopedCredentials", "*")))
    arn = root.create_role("scoped", trust({"AWS": ops.arn}), policy(allow("*", "*")))
    session = holder(ops, ops.sts.assume_role(RoleArn=arn, RoleSessionName="job")["Credentials"])
    narrow = session.sts.get_scoped_credentials(Policy=json.dumps(policy(allow("iam:ListUsers", "*"))), DurationSeconds=600)
    assert narrow["ScopedPoliciesCount"] == 1 and narrow["SessionInfo"]["Arn"].endswith(":assumed-role/scoped/job")
    person = holder(ops, narrow["Credentials"])
    assert person.iam.list_users()["Users"]
    failing(person.iam.list_roles, "AccessDenied")
    failing(ops.sts.get_scoped_credentials, "InvalidSubjectCredentials", DurationSeconds=60)
    failing(session.sts.get_scoped_credentials, "InsufficientSessionLifetime", DurationSeconds=7200)
    refused = failing(root.sts.assume_role, "AccessDenied", RoleArn=arn, RoleSessionName="job")
    assert refused["Message"] == "Roles may not be assumed by root accounts."


def test_account_properties_and_preferences(root):
    failing(root.iam.put_account_properties, "InvalidInput", Properties={"a/b": "1", "c/d": "2"})
    root.iam.put_account_properties(Properties={"roles/enabled": "true"})
    assert root.iam.get_account_properties()["Properties"] == {"roles/enabled": "true"}
    root.iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v1Token")
    assert root.iam.get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"] == 1
    failing(root.iam.get_role_template_version, "NoSuchEntity", TemplateArn="arn:aws:iam::aws:role-template/ecs.amazonaws.com/x:1")
