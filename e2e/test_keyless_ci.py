"""Walk-through B without a stored key: a job brings its CI's OpenID Connect token and gets a role's session.

The trust policies are those that the issuers and AWS document for each of them, with the name of the issuer on loopback.
"""

import base64
import json
import time
import urllib.request

import boto3
import pytest
import rsa

from berth.issuer import SHAPES, Key
from berth.people import Credentials, Person, failing
from berth.policies import policy, push_and_pull
from berth.server import Server
from berth.service import MODEL
from berth.web_identity import DOCUMENTED, WEB_IDENTITY, anonymous, provider

NO_KEY = ("Couldn't retrieve verification key from your identity provider,  please reference "
          "AssumeRoleWithWebIdentity documentation for requirements")


@pytest.fixture(scope="module")
def berth(tmp_path_factory, issuer):
    with Server(tmp_path_factory.mktemp("keyless"), *issuer.trusted) as server:
        server.root.create_repository("app")
        yield server


@pytest.fixture(scope="module")
def root(berth):
    return berth.root


def trust(provider, *conditions):
    """The documented form: the provider, its action, and conditions on its claims."""
    condition = {}
    for operator, keys in conditions:
        condition.setdefault(operator, {}).update(keys)
    return policy({"Effect": "Allow", "Principal": {"Federated": provider}, "Action": WEB_IDENTITY,
                   "Condition": condition})


def role_arn(root, name):
    return f"arn:aws:iam::{root.account}:role/{name}"


@pytest.mark.parametrize("name", SHAPES)
def test_the_documented_trust_policy_lets_the_job_in_and_no_other(name, root, issuer):
    audience, conditions = DOCUMENTED[name]
    arn = provider(root, issuer, name, audience)
    root.create_role(name, trust(arn, *conditions(issuer.name(name))), policy(*push_and_pull("app")))
    sts = anonymous(root.server)

    def assume(token, **more):
        return dict(RoleArn=role_arn(root, name), RoleSessionName="job-1", WebIdentityToken=token) | more

    answer = sts.assume_role_with_web_identity(**assume(issuer.token(name, **SHAPES[name])))
    assert answer["SubjectFromWebIdentityToken"] == SHAPES[name]["sub"]
    assert answer["Audience"] == audience
    assert answer["Provider"] == arn
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{root.account}:assumed-role/{name}/job-1"

    other = SHAPES[name] | {"sub": SHAPES[name]["sub"].replace("app", "fork").replace("p-1", "p-2").replace("pusher", "other")}
    error = failing(sts.assume_role_with_web_identity, "AccessDenied", **assume(issuer.token(name, **other)))
    assert error["Message"] == f"Not authorized to perform {WEB_IDENTITY}"
    error = failing(sts.assume_role_with_web_identity, "InvalidIdentityToken",
                    **assume(issuer.token(name, **SHAPES[name] | {"aud": "https://other.example"})))
    assert error["Message"] == "Incorrect token audience"


@pytest.fixture(scope="module")
def job(root, issuer, tmp_path_factory):
    """A role that any subject of one issuer takes, and a person with the token in a file, as CI jobs have it."""
    arn = provider(root, issuer, "ci", "sts.amazonaws.com")
    root.create_role("pusher", trust(arn, ("StringEquals", {f"{issuer.name('ci')}:aud": "sts.amazonaws.com"})),
                     policy(*push_and_pull("app")))
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text(issuer.token("ci", sub="job", exp=int(time.time()) + 3000))
    return arn, path


def test_the_aws_cli_and_docker_push_without_a_stored_key(root, job):
    _, path = job
    person = Person(root.server, "keyless", Credentials("", ""), root.account,
                    f"arn:aws:sts::{root.account}:assumed-role/pusher/cli")
    # What the actions of CI systems set; no key, no profile.
    given = {"AWS_ROLE_ARN": role_arn(root, "pusher"), "AWS_WEB_IDENTITY_TOKEN_FILE": str(path),
             "AWS_ROLE_SESSION_NAME": "cli", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    assert json.loads(person.run("aws", "sts", "get-caller-identity", env=given).out)["Arn"] == person.arn
    password = person.run("aws", "ecr", "get-login-password", env=given).out.strip()
    docker = person.docker
    docker("login", "--username", "AWS", "--password-stdin", person.registry, input=password).ok()
    message = docker.build("app:keyless")
    docker.push("app:keyless").ok()
    docker.pull("app:keyless").ok()
    assert docker.message("app:keyless") == message
    person.run("aws", "ecr", "create-repository", "--repository-name", "other", env=given).failed(
        "AccessDeniedException", "no identity-based policy allows the ecr:CreateRepository action")


def test_boto3_finds_the_token_by_itself(root, job, monkeypatch):
    _, path = job
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ROLE_ARN", role_arn(root, "pusher"))
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(path))
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "boto")
    monkeypatch.setenv("AWS_ENDPOINT_URL", root.server.url)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/none")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/none")
    session = boto3.Session(region_name="us-east-1")
    assert session.client("sts").get_caller_identity()["Arn"].endswith(":assumed-role/pusher/boto")
    assert session.client("ecr").list_images(repositoryName="app")["imageIds"] is not None


def test_a_key_of_the_issuer_is_rotated_and_one_that_is_gone_stops_working(root, issuer):
    sts = anonymous(root.server)
    # A provider of its own: for a minute, the others do not ask for another unknown key.
    arn = provider(root, issuer, "rotating", "sts.amazonaws.com")
    root.create_role("rotating", trust(arn, ("StringEquals", {f"{issuer.name('rotating')}:sub": "job"})))
    call = dict(RoleArn=role_arn(root, "rotating"), RoleSessionName="job")
    sts.assume_role_with_web_identity(WebIdentityToken=issuer.token("rotating", sub="job"), **call)
    old, new = issuer.key, Key()
    issuer.published = [new]
    try:
        sts.assume_role_with_web_identity(WebIdentityToken=issuer.token("rotating", key=new, sub="job"), **call)
        error = failing(sts.assume_role_with_web_identity, "InvalidIdentityToken",
                        WebIdentityToken=issuer.token("rotating", key=old, sub="job"), **call)
        assert error["Message"] == NO_KEY
        # Keys that are made up cause no fetch each.
        asked = len(issuer.asked)
        for _ in range(20):
            failing(sts.assume_role_with_web_identity, "InvalidIdentityToken",
                    WebIdentityToken=Key.sign(new, {"iss": issuer.url("rotating")}, kid="made up"), **call)
        assert len(issuer.asked) - asked <= 2
        # A signature of another key under a published id.
        forged = old.sign(json.loads(_payload(issuer.token("rotating", sub="job"))), kid=new.id)
        failing(sts.assume_role_with_web_identity, "InvalidIdentityToken", WebIdentityToken=forged, **call)
    finally:
        issuer.published = [old, new]


def _payload(token):
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_tokens_that_are_not_accepted(root, issuer, job):
    sts = anonymous(root.server)
    call = dict(RoleArn=role_arn(root, "pusher"), RoleSessionName="job")
    now = int(time.time())
    refused = lambda code, token, **more: failing(  # noqa: E731
        sts.assume_role_with_web_identity, code, WebIdentityToken=token, **call | more)["Message"]
    assert refused("ExpiredTokenException", issuer.token("ci", sub="job", exp=now - 1)).startswith(
        "Token expired: current date/time ")
    assert refused("InvalidIdentityToken", "not a token") == (
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
    assert refused("InvalidIdentityToken", issuer.token("elsewhere", sub="job")) == (
        f"No OpenIDConnect provider found in your account for {issuer.url('elsewhere')}")
    token = issuer.token("ci", sub="job")
    assert refused("AccessDenied", token, RoleArn=role_arn(root, "none")) == f"Not authorized to perform {WEB_IDENTITY}"
    # O13
    assert refused("ValidationError", token, DurationSeconds=7200) == (
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    assert refused("ValidationError", token, RoleArn="arn:aws:iam::1:user/somebody") == "Request ARN is invalid"


def test_a_closed_issuer_and_further_claims(root, issuer, monkeypatch):
    """A cluster whose issuer wants a token, and a GitLab of one's own with a claim that AWS does not know."""
    monkeypatch.setenv("AWS_DATA_PATH", str(MODEL.parent.parent.parent))
    arn = provider(root, issuer, "closed", "sts.amazonaws.com")
    root.create_role("closed", trust(arn, ("StringEquals", {f"{issuer.name('closed')}:project_path": "mygroup/app"})))
    sts, settings = anonymous(root.server), root.boto("berth")
    call = dict(RoleArn=role_arn(root, "closed"), RoleSessionName="job",
                WebIdentityToken=issuer.token("closed", **SHAPES["gitlab"]))
    issuer.bearer = "of the cluster"
    try:
        assert failing(sts.assume_role_with_web_identity, "InvalidIdentityToken", **call)["Message"] == NO_KEY
        shown = settings.put_provider_settings(providerArn=arn, bearerToken="ofthecluster")["settings"]
        assert shown["hasBearerToken"] is True and "bearerToken" not in shown
        issuer.bearer = "ofthecluster"
        failing(sts.assume_role_with_web_identity, "AccessDenied", **call)
        settings.put_provider_settings(providerArn=arn, bearerToken="ofthecluster", conditionKeyClaims=["project_path"])
        sts.assume_role_with_web_identity(**call)
        # Replaced as a whole.
        settings.put_provider_settings(providerArn=arn, bearerToken="ofthecluster", signingAlgorithms=["ES256"],
                                       conditionKeyClaims=["project_path"])
        failing(sts.assume_role_with_web_identity, "InvalidIdentityToken", **call)
        shown = settings.get_provider_settings(providerArn=arn)["settings"]
        assert (shown["signingAlgorithms"], shown["conditionKeyClaims"]) == (["ES256"], ["project_path"])
    finally:
        issuer.bearer = None
    failing(settings.put_provider_settings, "InvalidParameterException", providerArn=arn, singleUseAssertions=True)
    failing(settings.get_provider_settings, "ProviderNotFoundException", providerArn=arn + "x")


def test_a_bearer_token_goes_to_the_issuer_and_the_named_host_alone(root, issuer, monkeypatch):
    """Kubernetes names its API server's address for the keys, which is not the issuer's name."""
    monkeypatch.setenv("AWS_DATA_PATH", str(MODEL.parent.parent.parent))
    arn = provider(root, issuer, "elsewhere-keys", "sts.amazonaws.com")
    root.create_role("elsewhere-keys", trust(arn, ("StringEquals", {f"{issuer.name('elsewhere-keys')}:sub": "job"})))
    sts, settings = anonymous(root.server), root.boto("berth")
    call = dict(RoleArn=role_arn(root, "elsewhere-keys"), RoleSessionName="job",
                WebIdentityToken=issuer.token("elsewhere-keys", sub="job"))
    other = issuer.host.replace("127.0.0.1", "localhost")
    issuer.bearer, issuer.keys_host, issuer.shown = "ofthecluster", other, []
    try:
        settings.put_provider_settings(providerArn=arn, bearerToken="ofthecluster")
        assert failing(sts.assume_role_with_web_identity, "InvalidIdentityToken", **call)["Message"] == NO_KEY
        assert issuer.shown == [(issuer.host, "Bearer ofthecluster"), (other, None)]
        shown = settings.put_provider_settings(providerArn=arn, bearerToken="ofthecluster", keysHost=other)["settings"]
        assert shown["keysHost"] == other
        sts.assume_role_with_web_identity(**call)
        assert issuer.shown[2:] == [(issuer.host, "Bearer ofthecluster"), (other, "Bearer ofthecluster")]
    finally:
        issuer.bearer = issuer.keys_host = None
    failing(settings.put_provider_settings, "InvalidParameterException", providerArn=arn, keysHost=other)


def test_a_provider_that_is_removed_gives_no_new_session(root, issuer, job):
    arn, _ = job
    sts = anonymous(root.server)
    call = dict(RoleArn=role_arn(root, "pusher"), RoleSessionName="job", WebIdentityToken=issuer.token("ci", sub="job"))
    sts.assume_role_with_web_identity(**call)
    root.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    error = failing(sts.assume_role_with_web_identity, "InvalidIdentityToken", **call)
    assert error["Message"] == f"No OpenIDConnect provider found in your account for {issuer.url('ci')}"


def test_thumbprints_are_fetched_and_trusted_where_no_authority_is(tmp_path, issuer):
    """O3: the server has no authority for the issuer; the provider's thumbprint is fetched when it is created."""
    with Server(tmp_path / "pinned", "--outbound-allow", "127.0.0.0/8") as server:
        root, sts = server.root, anonymous(server)
        arn = provider(root, issuer, "pinned", "sts.amazonaws.com")
        shown = root.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        assert shown["ThumbprintList"] == [issuer.thumbprint]
        root.create_role("pinned", trust(arn, ("StringEquals", {f"{issuer.name('pinned')}:sub": "job"})))
        call = dict(RoleArn=role_arn(root, "pinned"), RoleSessionName="job", WebIdentityToken=issuer.token("pinned", sub="job"))
        sts.assume_role_with_web_identity(**call)
        root.iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["a" * 40])
        assert failing(sts.assume_role_with_web_identity, "InvalidIdentityToken", **call)["Message"] == NO_KEY


def test_addresses_that_are_not_allowed_are_never_called(tmp_path, issuer):
    """Trap OIDC 4: a provider's URL reaches no internal service."""
    with Server(tmp_path / "strict", "--outbound-ca", str(issuer.ca)) as server:
        asked = len(issuer.asked)
        failing(server.root.iam.create_open_id_connect_provider, "OpenIdIdpCommunicationError", Url=issuer.url("strict"))
        arn = server.root.iam.create_open_id_connect_provider(
            Url=issuer.url("strict"), ClientIDList=["sts.amazonaws.com"], ThumbprintList=[issuer.thumbprint],
        )["OpenIDConnectProviderArn"]
        server.root.create_role("strict", trust(arn, ("StringEquals", {f"{issuer.name('strict')}:sub": "job"})))
        error = failing(anonymous(server).assume_role_with_web_identity, "InvalidIdentityToken",
                        RoleArn=role_arn(server.root, "strict"), RoleSessionName="job",
                        WebIdentityToken=issuer.token("strict", sub="job"))
        assert error["Message"] == NO_KEY
        assert len(issuer.asked) == asked


def test_the_audit_log_names_the_identity_and_never_the_token(root, issuer):
    arn = provider(root, issuer, "audited", "sts.amazonaws.com")
    root.create_role("audited", trust(arn, ("StringEquals", {f"{issuer.name('audited')}:sub": "job"})))
    token = issuer.token("audited", sub="job")
    answer = anonymous(root.server).assume_role_with_web_identity(
        RoleArn=role_arn(root, "audited"), RoleSessionName="job", WebIdentityToken=token)
    request = answer["ResponseMetadata"]["RequestId"]
    deadline = time.monotonic() + 20
    while True:
        text = "".join(path.read_text() for path in (root.server.data / "audit").iterdir() if path.suffix != ".reserve")
        events = [json.loads(line) for line in text.splitlines() if request in line]
        if events or time.monotonic() > deadline:
            break
    event, = events
    assert event["eventName"] == "AssumeRoleWithWebIdentity"
    assert event["userIdentity"] == {"type": "WebIdentityUser", "principalId": f"{arn}:sts.amazonaws.com:job",
                                     "userName": "job", "identityProvider": arn}
    assert event["requestParameters"] == {"roleArn": role_arn(root, "audited"), "roleSessionName": "job",
                                          "webIdentityToken": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    assert event["responseElements"]["subjectFromWebIdentityToken"] == "job"
    assert event["responseElements"]["credentials"]["accessKeyId"] == answer["Credentials"]["AccessKeyId"]
    assert token not in text and token.split(".")[2] not in root.server.words()


def test_an_account_issues_tokens_that_another_server_accepts(root, tmp_path, issuer):
    """C9: Berth is an issuer; its own discovery document and keys verify its tokens."""
    iam, sts = root.iam, root.sts
    failing(iam.get_outbound_web_identity_federation_info, "FeatureDisabled")
    failing(sts.get_web_identity_token, "OutboundWebIdentityFederationDisabledException",
            Audience=["a"], SigningAlgorithm="RS256")
    url = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    failing(iam.enable_outbound_web_identity_federation, "FeatureEnabled")
    assert iam.get_outbound_web_identity_federation_info()["IssuerIdentifier"] == url
    assert url.startswith(f"{root.server.url}/oidc/")

    user = root.create_user("outbound", policy({"Effect": "Allow", "Action": "sts:GetWebIdentityToken", "Resource": "*"}))
    given = {}
    for algorithm in ("RS256", "ES384"):
        answer = user.sts.get_web_identity_token(Audience=["https://api.example"], SigningAlgorithm=algorithm)
        given[algorithm] = answer["WebIdentityToken"]
        claims = json.loads(_payload(given[algorithm]))
        own = claims.pop("https://sts.amazonaws.com/")
        assert (claims["iss"], claims["aud"], claims["sub"]) == (url, "https://api.example", user.arn)
        assert claims["exp"] - claims["iat"] == 300
        assert own == {"aws_account": root.account, "source_region": "us-east-1", "principal_id": user.arn}
    failing(user.sts.get_web_identity_token, "AccessDenied", Audience=["a"], SigningAlgorithm="RS256",
            Tags=[{"Key": "job", "Value": "7"}])
    failing(user.sts.get_web_identity_token, "ValidationError", Audience=["a"], SigningAlgorithm="HS256")

    with urllib.request.urlopen(f"{url}/.well-known/openid-configuration") as answer:
        discovery = json.load(answer)
    assert discovery["issuer"] == url
    with urllib.request.urlopen(discovery["jwks_uri"]) as answer:
        keys = json.load(answer)["keys"]
    assert {key["alg"] for key in keys} == {"RS256", "ES384"}
    key = next(key for key in keys if key["alg"] == "RS256")
    number = lambda text: int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")  # noqa: E731
    message, _, signature = given["RS256"].rpartition(".")
    signature = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    assert rsa.verify(message.encode(), signature, rsa.PublicKey(number(key["n"]), number(key["e"]))) == "SHA-256"

    # A role's session: the role is the subject, and the token ends with the session.
    root.create_role("outbound", policy({"Effect": "Allow", "Principal": {"AWS": root.account}, "Action": "sts:AssumeRole"}),
                     policy({"Effect": "Allow", "Action": "sts:*", "Resource": "*"}))
    assumer = root.create_user("assumer", policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}))
    session = assumer.assume(role_arn(root, "outbound"), DurationSeconds=900)
    answer = session.sts.get_web_identity_token(Audience=["a", "b"], SigningAlgorithm="ES384",
                                                Tags=[{"Key": "job", "Value": "7"}])
    claims = json.loads(_payload(answer["WebIdentityToken"]))
    assert (claims["sub"], claims["aud"]) == (role_arn(root, "outbound"), ["a", "b"])
    assert claims["https://sts.amazonaws.com/"]["request_tags"] == {"job": "7"}
    assert "original_session_exp" in claims["https://sts.amazonaws.com/"]
    failing(session.sts.get_web_identity_token, "SessionDurationEscalationException", Audience=["a"],
            SigningAlgorithm="ES384", DurationSeconds=1800)

    iam.disable_outbound_web_identity_federation()
    failing(iam.disable_outbound_web_identity_federation, "FeatureDisabled")
    # Tokens that were given stay valid.
    with urllib.request.urlopen(discovery["jwks_uri"]) as answer:
        assert json.load(answer)["keys"] == keys
