"""Kubernetes: the kubelet pulls with the node's role or with the pod's, and a pod gets a role for its own calls.

The configuration is that of `examples/kubernetes`. The cluster is an OpenID Connect issuer that signs service account tokens.
"""

import base64
import json
import socket
import subprocess

import pytest
import yaml

from berth import images, kubelet
from berth.clients import tool
from berth.issuer import Issuer
from berth.jobs import job, namespace
from berth.people import Credentials, Person
from berth.policies import allow, policy, pull_only, trust
from berth.raw import Raw, fetch
from berth.server import Server, binary
from berth.web_identity import WEB_IDENTITY, provider


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    with Issuer(tmp_path_factory.mktemp("cluster")) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def berth(tmp_path_factory, issuer):
    options = ("--outbound-ca", str(issuer.ca), "--outbound-allow", "127.0.0.0/8")
    with Server(tmp_path_factory.mktemp("kubernetes"), *options) as server:
        server.root.create_repository("app")
        server.root.create_repository("other")
        yield server


@pytest.fixture(scope="module")
def files(root):
    """The examples, for this server."""
    return job(root)


@pytest.fixture(scope="module")
def image(root, layouts):
    """`app:v1`, in the registry."""
    root.skopeo.login()
    root.skopeo.push(images.umoci_layout(layouts / "kubernetes", "pulled by a kubelet"), "app:v1").ok()
    return root.image("app:v1")


@pytest.fixture
def bin_dir(tmp_path):
    """The folder of the kubelet's providers."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "berth").symlink_to(binary())
    return folder


@pytest.fixture(scope="module")
def cluster(root, issuer):
    """The cluster's provider, and the roles of the service accounts `shop/web` and `ci/builder`."""
    arn = provider(root, issuer, "cluster", "sts.amazonaws.com", "pods.eks.amazonaws.com")

    def role(name, account, *statements):
        subject = {f"{issuer.name('cluster')}:sub": f"system:serviceaccount:{account}"}
        root.create_role(name, policy(allow(WEB_IDENTITY, Principal={"Federated": arn}, Condition={"StringEquals": subject})),
                         policy(*statements))

    role("shop-pull", "shop:web", *pull_only("app"))
    role("builder", "ci:builder", *pull_only("app"))
    return arn


def token_of(issuer, namespace, account, pod):
    """What the cluster's API server signs for a pod."""
    def token(audience):
        return issuer.token("cluster", aud=[audience], sub=f"system:serviceaccount:{namespace}:{account}", **{
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": "u-1"},
                              "pod": {"name": pod, "uid": "u-2"}}})
    return token


def node(root):
    """A node of the cluster: nobody has logged in there."""
    return Person(root.server, "node", Credentials("", ""), root.account, "")


def pulls(person, image, login):
    """containerd pulls with a login, as it does for the kubelet; answers the outcome."""
    return person.ctr("images", "pull", "--plain-http", "--user", ":".join(login), image)


def test_a_node_pulls_with_its_own_role(root, image, files, bin_dir, tmp_path):
    """Walk-through C on a node: the kubelet's provider is `berth`, and the host has joined."""
    root.create_role("node", trust({"Service": "ec2.amazonaws.com"}), policy(*pull_only("app")))
    root.iam.create_instance_profile(InstanceProfileName="node")
    root.iam.add_role_to_instance_profile(InstanceProfileName="node", RoleName="node")
    code = root.run(binary(), "host", "invite", "--instance-profile", "node").out
    state, person = tmp_path / "state", node(root)
    state.mkdir(mode=0o700)
    person.run(binary(), "agent", "join", "--state-dir", state, "--endpoint-url", root.server.url, input=code).ok()
    asked = kubelet.Kubelet(person, files.read("kubernetes/node.yaml"), bin_dir, before=namespace(state))
    login = asked.login(image)
    pulls(person, image, login).ok()
    pulls(person, root.image("other:v1"), login).failed("other")
    # A revoked host gets no login, and the one that it has is refused.
    root.run(binary(), "host", "revoke", json.loads((state / "host.json").read_text())["host_id"]).ok()
    asked.ask(image).failed("HostRevokedException")
    pulls(person, image, login).failed("40")


def test_a_pod_pulls_with_its_service_accounts_role(root, cluster, issuer, image, files, bin_dir, tmp_path):
    account, pod = yaml.safe_load_all(files.read("kubernetes/pods.yaml"))
    assert pod["spec"]["serviceAccountName"] == account["metadata"]["name"]
    assert pod["spec"]["containers"][0]["image"] == image
    person = node(root)
    asked = kubelet.Kubelet(person, files.read("kubernetes/service-account.yaml"), bin_dir,
                            environment={"HOME": str(person.home), "XDG_STATE_HOME": str(tmp_path)})
    token = token_of(issuer, "shop", "web", "web-1")
    login = asked.login(image, account, token)
    pulls(person, image, login).ok()
    registry = root.raw()
    registry.login = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    registry("GET", "/v2/other/tags/list").expect(403)
    # Another service account with the same annotation is not let in, and never gets the node's login.
    asked.ask(image, account, token_of(issuer, "shop", "worker", "web-1")).failed(f"Not authorized to perform {WEB_IDENTITY}")
    # A token for another audience, which a pod could have got for itself.
    asked.ask(image, account, lambda _: token("https://kubernetes.default.svc")).failed("Incorrect token audience")
    with pytest.raises(AssertionError, match="does not ask without"):
        asked.ask(image, {"metadata": {"name": "web"}}, token)


#: AWS's provider for the kubelet, as its documentation configures it for service accounts; the rest is of this test.
ECR_CREDENTIAL_PROVIDER = """
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: ecr-credential-provider
    matchImages: ["*.dkr.ecr.*.amazonaws.com"]
    defaultCacheDuration: 12h
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    env:
      - {name: AWS_ENDPOINT_URL, value: SERVER}
      - {name: AWS_REGION, value: us-east-1}
      - {name: AWS_EC2_METADATA_DISABLED, value: "true"}
    tokenAttributes:
      serviceAccountTokenAudience: sts.amazonaws.com
      cacheType: ServiceAccount
      requireServiceAccount: true
      requiredServiceAccountAnnotationKeys: [eks.amazonaws.com/ecr-role-arn]
"""


def test_awss_own_provider_logs_in_with_a_service_account(root, cluster, issuer, image, files):
    """`ecr-credential-provider` of cloud-provider-aws, which knows AWS's host names alone."""
    account, _ = yaml.safe_load_all(files.read("kubernetes/pods.yaml"))
    asked = kubelet.Kubelet(node(root), ECR_CREDENTIAL_PROVIDER.replace("SERVER", root.server.url),
                            tool("ecr-credential-provider").parent)
    host = f"{root.account}.dkr.ecr.us-east-1.amazonaws.com"
    user, password = asked.login(f"{host}/app:v1", account, token_of(issuer, "shop", "web", "web-1"))
    registry = Raw(root.server, user, password, host=host)
    assert registry("GET", "/v2/app/tags/list").expect(200).json["tags"] == ["v1"]
    registry("GET", "/v2/other/tags/list").expect(403)
    asked.ask(f"{host}/app:v1", account, token_of(issuer, "shop", "worker", "web-1")).failed(
        f"Not authorized to perform {WEB_IDENTITY}")


@pytest.mark.parametrize(["pattern", "image", "match"], [
    ("registry.example.com", "registry.example.com/app:v1", True),
    ("registry.example.com", "registry.example.com:5000/app:v1", False),
    ("*.dkr.ecr.*.registry.example.com", "123456789012.dkr.ecr.us-east-1.registry.example.com/app", True),
    ("*.example.com", "a.b.example.com/app", False),
    ("registry.example.com/team", "registry.example.com/team/app", True),
    ("registry.example.com/team", "registry.example.com/other", False),
])
def test_images_are_matched_as_the_kubelet_matches_them(pattern, image, match):
    """The runner's own rule, in the cases of the kubelet's documentation."""
    assert kubelet.matches(pattern, image) is match


@pytest.fixture
def pod_agent(root, files, tmp_path):
    """`berth agent run` for pods, with the roles of the example; answers its address."""
    root.create_role("empty", trust({"Service": "ec2.amazonaws.com"}))
    root.iam.create_instance_profile(InstanceProfileName="empty")
    root.iam.add_role_to_instance_profile(InstanceProfileName="empty", RoleName="empty")
    code = root.run(binary(), "host", "invite", "--instance-profile", "empty").out
    state, person = tmp_path / "state", node(root)
    person.run(binary(), "agent", "join", "--state-dir", state, "--endpoint-url", root.server.url, input=code).ok()
    roles = files.checkout / "examples/kubernetes/roles.json"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    argv = [binary(), "agent", "run", "--state-dir", state, "--listen", "127.0.0.1:0", "--pod-listen", address,
            "--pod-roles", roles]
    with (tmp_path / "agent.log").open("wb") as log:
        process = subprocess.Popen(list(map(str, argv)), env=person.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=log, text=True)
        line = process.stdout.readline()
        assert line.startswith("berth agent listening on "), (tmp_path / "agent.log").read_text()
        yield address
        process.terminate()
        assert process.wait(timeout=30) == 0
        process.stdout.close()


def test_a_pod_calls_with_its_service_accounts_role(root, cluster, issuer, files, pod_agent, tmp_path):
    """EKS Pod Identity's contract: the SDK sends the pod's token to the agent and gets the role's credentials."""
    pod = yaml.safe_load(files.read("kubernetes/credentials.yaml").replace("169.254.170.23", pod_agent))
    namespace, account, name = pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"], pod["metadata"]["name"]
    token = token_of(issuer, namespace, account, name)
    container = kubelet.Container(node(root), pod, token, tmp_path / "mount")
    identity = json.loads(container.run().out)
    assert identity["Arn"] == f"arn:aws:sts::{root.account}:assumed-role/builder/eks-{namespace}-{name}"
    # A service account without a role.
    kubelet.Container(node(root), pod, token_of(issuer, namespace, "other", name), tmp_path / "other").run().failed("404")
    # A token for another audience, one that was changed, and none.
    url = container.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    for refused, status in ((token("another.audience"), 403), (token("pods.eks.amazonaws.com")[:-8] + "AAAAAAAA", 403),
                            ("not a token", 400)):
        assert fetch(url, Authorization=refused)[0] == status
    assert fetch(url)[0] == 401
