"""`berth account quota`: an administrator of the server raises and lowers IAM's quotas of one account."""

import json
import subprocess

from berth.audit import events
from berth.people import failing
from berth.policies import trust
from berth.server import Server, _environment, binary

OTHER = "444455556666"


def quota(server, account, *options):
    """The command as an operator types it, beside the running server."""
    return subprocess.run([binary(), "account", "quota", account, "--data-dir", server.data, *server._database(), *options],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, env=_environment(), timeout=60)


def shown(server, account, *options):
    done = quota(server, account, *options, "--output", "json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["accountId"] == account
    return answer["quotas"]


def summary(person):
    return person.iam.get_account_summary()["SummaryMap"]


def test_quotas_of_one_account_are_raised_and_lowered(tmp_path):
    with Server(tmp_path) as server:
        root = server.root
        other = server.create_account(OTHER)
        assert shown(server, root.account)["RolesPerAccount"] == {"value": 1000, "default": 1000, "isSet": False}
        after = shown(server, root.account, "--set", "RolesPerAccount=1", "--set", "serverCertificatesPerAccount=40")
        assert after["RolesPerAccount"] == {"value": 1, "default": 1000, "isSet": True}
        document = json.dumps(trust({"AWS": root.account}))
        root.iam.create_role(RoleName="one", AssumeRolePolicyDocument=document)
        limit = failing(root.iam.create_role, "LimitExceeded", RoleName="two", AssumeRolePolicyDocument=document)
        assert limit["Message"] == "Cannot exceed quota for RolesPerAccount: 1"
        assert (summary(root)["RolesQuota"], summary(root)["ServerCertificatesQuota"]) == (1, 40)
        # Another account keeps AWS's default.
        assert summary(other)["RolesQuota"] == 1000
        text = quota(server, root.account)
        assert "RolesPerAccount" in text.stdout and "(set; by default 1000)" in text.stdout
        assert shown(server, root.account, "--reset", "RolesPerAccount")["RolesPerAccount"]["isSet"] is False
        root.iam.create_role(RoleName="two", AssumeRolePolicyDocument=document)
        server.stop()
        server.start()
        assert summary(server.root)["ServerCertificatesQuota"] == 40
        for options, code, words in [
            (("--set", "PolicySize=1"), 2, "RolesPerAccount"),
            (("--set", "RolesPerAccount=-1"), 2, "0 to 1000000"),
            (("--set", "SAMLProvidersPerAccount=1001"), 2, "0 to 1000"),
        ]:
            refused = quota(server, root.account, *options)
            assert refused.returncode == code and words in refused.stderr, refused.stderr
        missing = quota(server, "999999999999", "--set", "RolesPerAccount=5")
        assert missing.returncode == 1 and "there is no account 999999999999" in missing.stderr
        found = events(server, at_least=2, eventName="SetAccountQuotas")
        assert found[0]["serviceEventDetails"]["quotas"] == {"RolesPerAccount": 1, "ServerCertificatesPerAccount": 40}
        assert found[1]["serviceEventDetails"]["quotas"] == {"RolesPerAccount": None}
