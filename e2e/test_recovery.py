"""`berth account recover`: a root user that has lost its key and its MFA device gets back in, and what it lost is dead."""

import json
import subprocess
import time

import pytest

from berth.audit import events
from berth.mfa import code
from berth.people import Credentials, Person, failing
from berth.raw import Raw
from berth.server import Server, _environment, binary

GONE = "InvalidClientTokenId"


def recover(server, account, *switches):
    """The command as an operator types it, on the server's own directory and database."""
    return subprocess.run([binary(), "account", "recover", account, "--data-dir", server.data, *server._database(), *switches],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, env=_environment(), timeout=60)


def recovered(server, account, *switches):
    done = recover(server, account, *switches, "--output", "json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    credentials = Credentials(answer["accessKeyId"], answer["secretAccessKey"])
    return answer, Person(server, "root", credentials, account, f"arn:aws:iam::{account}:root")


def with_phone(root):
    """Gives root an MFA device, and answers its serial number and seed."""
    made = root.iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    serial, seed = made["SerialNumber"], made["Base32StringSeed"]
    step = int(time.time()) // 30
    root.iam.enable_mfa_device(UserName="root", SerialNumber=serial, AuthenticationCode1=code(seed, step - 1),
                               AuthenticationCode2=code(seed, step))
    return serial


def end(person, what):
    """Waits until the server has learned that a credential is over: a second at most."""
    deadline = time.monotonic() + 10
    while True:
        try:
            what()
        except person.sts.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == GONE, error
            return
        assert time.monotonic() < deadline, "the credential still works"


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_root_lost_its_key_and_its_mfa_device(tmp_path, engine, request):
    options = ("--database", request.getfixturevalue("postgres")) if engine == "postgres" else ()
    with Server(tmp_path, *options) as server:
        root = server.root
        serial = with_phone(root)
        alice = root.create_user("alice")
        session = root.sts.get_session_token()["Credentials"]
        session = Person(server, "session", Credentials(
            session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]), root.account, root.arn)
        assert session.sts.get_caller_identity()["Arn"] == root.arn
        password = session.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        login = {"Authorization": f"Basic {password}"}
        Raw(server)("GET", "/v2/", headers=login).expect(200)

        # Beside the running server: the new key works at once, and the lost one is left alone.
        answer, again = recovered(server, root.account)
        assert answer["deactivatedMfaDevices"] == [serial] and answer["deletedAccessKeyIds"] == []
        assert again.sts.get_caller_identity()["Arn"] == root.arn
        assert again.iam.list_mfa_devices()["MFADevices"] == []
        root.sts.get_caller_identity()
        again.create_repository("app")

        # Root may have two keys, and has them now.
        refused = recover(server, root.account)
        assert refused.returncode == 1 and "--revoke" in refused.stderr and not refused.stdout

        answer, owner = recovered(server, root.account, "--revoke")
        assert sorted(answer["deletedAccessKeyIds"]) == sorted(p.credentials.access_key_id for p in (root, again))
        assert answer["sessionsEnded"] is True
        owner.sts.get_caller_identity()
        for lost in (root, again, session):
            end(lost, lost.sts.get_caller_identity)
        Raw(server)("GET", "/v2/", headers=login).expect(401)
        # Whoever is not root is left alone, and so is the data.
        assert alice.sts.get_caller_identity()["Arn"] == alice.arn
        assert owner.ecr.describe_repositories()["repositories"][0]["repositoryName"] == "app"

        told = _wait(server, 2)
        assert told[1]["serviceEventDetails"] == {
            "accountId": root.account, "accessKeyId": owner.credentials.access_key_id, "sessionsEnded": True,
            "deletedAccessKeyIds": answer["deletedAccessKeyIds"], "deactivatedMfaDevices": []}
        assert told[1]["eventType"] == "AwsServiceEvent" and told[1]["recipientAccountId"] == root.account
        assert told[1]["userIdentity"]["invokedBy"] == told[1]["sourceIPAddress"] == "account-command.berth"
        log = "".join(file.read_text() for file in (server.data / "audit").iterdir())
        assert owner.credentials.secret_access_key not in log


def _wait(server, count):
    """The events of recoveries, of which there are so many."""
    found = events(server, at_least=count, eventName="RecoverAccount")
    assert len(found) == count
    return found


def test_without_a_server_the_next_start_tells_of_it(tmp_path):
    with Server(tmp_path) as server:
        root = server.root
        server.stop()
        done = recover(server, root.account, "--revoke")
        assert done.returncode == 0, done.stderr
        assert f"# deleted the access key {root.credentials.access_key_id}" in done.stdout
        owner = Person(server, "root", Server._profile(done.stdout, root.account), root.account, root.arn)
        server.start()
        owner.sts.get_caller_identity()
        failing(root.sts.get_caller_identity, GONE)
        assert _wait(server, 1)[0]["serviceEventDetails"]["deletedAccessKeyIds"] == [root.credentials.access_key_id]
        created = events(server, eventName="CreateAccount")
        assert [event["userIdentity"]["invokedBy"] for event in created] == ["first-start.berth"]


def test_recovery_makes_nothing_and_says_what_is_missing(berth, tmp_path):
    refused = recover(berth, "999900001111")
    assert refused.returncode == 1 and "there is no account 999900001111" in refused.stderr
    nowhere = tmp_path / "nowhere"
    done = subprocess.run([binary(), "account", "recover", berth.account, "--data-dir", nowhere],
                          capture_output=True, text=True, env=_environment(), timeout=60)
    assert done.returncode == 1 and "--data-dir" in done.stderr
    assert not nowhere.exists()
    # Who has the database alone has nothing.
    key = tmp_path / "other.key"
    key.write_text("0" * 64 + "\n")
    key.chmod(0o600)
    refused = recover(berth, berth.account, "--master-key-file", str(key))
    assert refused.returncode == 1 and "master key" in refused.stderr
    # A switch of one call is no setting.
    config = tmp_path / "berth.toml"
    config.write_text("revoke = true\n")
    refused = recover(berth, berth.account, "--config", str(config))
    assert refused.returncode == 2 and "revoke" in refused.stderr
    berth.root.sts.get_caller_identity()
