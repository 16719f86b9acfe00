"""Users of a SAML 2.0 identity provider: boto3, the AWS CLI, docker, and verdicts beside those of xmlsec1."""

import random
import subprocess

import botocore.exceptions
import pytest

from berth.people import Credentials, Person, failing
from berth.policies import policy, push_and_pull, trust
from berth.saml_idp import EXCLUSIVE, SAML, IdentityProvider, encoded

AUDIENCE = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
ACTIONS = ["sts:AssumeRoleWithSAML", "sts:TagSession"]


@pytest.fixture(scope="module")
def idp():
    return IdentityProvider()


@pytest.fixture(scope="module")
def provider(root, idp):
    made = root.iam.create_saml_provider(Name="corp", SAMLMetadataDocument=idp.metadata)
    return made["SAMLProviderArn"]


@pytest.fixture(scope="module")
def role(root, provider):
    root.create_repository("saml-app")
    return root.create_role("saml-ci", trust({"Federated": provider}, AUDIENCE, ACTIONS), policy(*push_and_pull("saml-app")))


def assume(root, role, provider, response, **arguments):
    return root.sts.assume_role_with_saml(RoleArn=role, PrincipalArn=provider, SAMLAssertion=encoded(response), **arguments)


def test_a_user_of_the_provider_pushes(root, idp, provider, role):
    """From the provider's response to a pushed image, without a stored key."""
    answer = assume(root, role, provider, idp.response([(role, provider)], attributes={"PrincipalTag:team": ["red"]}))
    assert answer["Subject"] == "alice" and answer["SubjectType"] == "persistent"
    arn = answer["AssumedRoleUser"]["Arn"]
    assert arn == f"arn:aws:sts::{root.account}:assumed-role/saml-ci/alice@example.com"
    alice = Person(root.server, "alice", Credentials.of(answer["Credentials"]), root.account, arn)
    assert alice.sts.get_caller_identity()["Arn"] == arn
    alice.docker.login().ok()
    alice.docker.build("saml-app:v1")
    alice.docker.push("saml-app:v1").ok()


def test_the_aws_cli(root, idp, provider, role, tmp_path):
    """`aws sts assume-role-with-saml` reads the assertion from a file, as the tools that fetch it leave it there."""
    (tmp_path / "assertion").write_text(encoded(idp.response([(role, provider)], signs="response")))
    answer = root.aws("sts", "assume-role-with-saml", "--role-arn", role, "--principal-arn", provider, "--saml-assertion",
                      f"file://{tmp_path}/assertion", "--duration-seconds", "900").json
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    listed = root.aws("iam", "list-saml-providers").json["SAMLProviderList"]
    assert provider in [entry["Arn"] for entry in listed]


def test_each_canonicalization_that_providers_use(root, idp, provider, role):
    for signs in ("assertion", "response"):
        for canonicalization in (EXCLUSIVE, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
                                 "http://www.w3.org/2006/12/xml-c14n11"):
            # Inclusive canonicalization takes the namespaces around the element in: a part of a response changes by
            # being put into it.
            if signs == "assertion" and canonicalization != EXCLUSIVE:
                continue
            response = idp.response([(role, provider)], signs=signs, canonicalization=canonicalization)
            assert assume(root, role, provider, response)["Subject"] == "alice"


def test_what_is_refused(root, idp, provider, role):
    good = [(role, provider)]
    stranger = IdentityProvider()
    for response, code, message in [
        (stranger.response(good), "InvalidIdentityToken", "Response signature invalid"),
        (idp.response(good).replace(">alice<", ">admin<"), "InvalidIdentityToken", "Response signature invalid"),
        (idp.response(good, age=301), "ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance"),
        (idp.response(good, endpoint="https://other.example"), "InvalidIdentityToken",
         "Response does not contain the required audience."),
        (idp.response([(role + "-other", provider)]), "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML"),
    ]:
        error = failing(root.sts.assume_role_with_saml, code, RoleArn=role, PrincipalArn=provider, SAMLAssertion=encoded(response))
        assert error["Message"] == message


def xmlsec1(idp, response, tmp_path):
    """Whether xmlsec1 finds the signature of the assertion to be the provider's. It takes the key that it is given, and
    does not read the certificate in the response, which is not signed."""
    (tmp_path / "key.pem").write_text(idp.public_key_pem)
    (tmp_path / "response.xml").write_text(response)
    done = subprocess.run(["xmlsec1", "--verify", "--enabled-key-data", "rsa,key-name", "--pubkey-pem", tmp_path / "key.pem",
                           "--id-attr:ID", f"{SAML}:Assertion", tmp_path / "response.xml"], capture_output=True, timeout=30)
    return done.returncode == 0


def is_taken(root, role, provider, response):
    try:
        assume(root, role, provider, response)
    except botocore.exceptions.ClientError:
        return False
    return True


def test_verdicts_beside_xmlsec1(root, idp, provider, role, tmp_path):
    """Whatever is taken here has a signature that xmlsec1 takes too; a document that only was written otherwise is
    taken by both."""
    plain = idp.response([(role, provider)])
    for rewritten in [
        plain,
        plain.replace("<saml:Subject>", "<saml:Subject ><!-- a comment -->"),
        plain.replace(">alice<", ">al&#x69;ce<"),
        plain.replace(">alice<", "><![CDATA[alice]]><"),
        plain.replace(' Version="2.0">', "\n  Version='2.0'   >"),
        "<?xml version='1.0'?>\n" + plain + "\n",
    ]:
        assert is_taken(root, role, provider, rewritten) and xmlsec1(idp, rewritten, tmp_path), rewritten

    chance = random.Random(20261126)
    taken = 0
    for _ in range(120):
        at, length = chance.randrange(len(plain)), chance.randrange(1, 40)
        part = plain[at:at + length]
        mutated = chance.choice([
            plain[:at] + plain[at + length:],
            plain[:at] + part + plain[at:],
            plain[:at] + chance.choice(["<!---->", " ", "\n", "&#32;", "<a/>", "x", "'", "<![CDATA[]]>"]) + plain[at:],
            plain.replace(part, part.swapcase(), 1),
            plain.replace(part, part[::-1], 1),
        ])
        if is_taken(root, role, provider, mutated):
            taken += 1
            assert xmlsec1(idp, mutated, tmp_path), mutated
    # Comments and white space inside tags change nothing that is signed.
    assert 0 < taken < 120
