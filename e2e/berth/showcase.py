"""An account that is used: what the console's screens show in pictures, and where the checks of every screen look."""

import dataclasses
import json
import pathlib
import re
import time
import urllib.parse

import botocore.exceptions

from . import images
from .machine import Machine
from .mfa import code
from .policies import allow, deny, policy, pull_only, push_and_pull, trust
from .saml_idp import IdentityProvider

_SCREENS = pathlib.Path(__file__).parents[2] / "console/src/app/screens.ts"
GITHUB = "token.actions.githubusercontent.com"
_HELM = "application/vnd.cncf.helm.config.v1+json"
_SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"
_SBOM = "application/spdx+json"


@dataclasses.dataclass(frozen=True)
class View:
    """An address of the console that shows a screen, for a picture and for checks."""

    #: The screen's path, as `screens.ts` has it.
    screen: str
    #: The picture's file name, without its theme.
    name: str
    #: What a person sees there, in one sentence.
    sentence: str
    #: The address below `/console`; `{…}` are names that `fill` made.
    address: str
    #: Text that shows that everything is there.
    ready: str | None = None


#: One row a view, in the order of the navigation. Each screen has at least one.
VIEWS = [
    View("/", "home", "Home: the login command, repositories with their last push and pull, denials, and what nobody uses.", "/", "payments/api"),
    View("/repositories", "repositories", "The registry's repositories, one page at a time.", "/repositories", "payments/api"),
    View("/create-repository", "repository-create", "A new repository: tag mutability with exclusions, scan, encryption, tags.", "/create-repository"),
    View("/repositories/*", "repository-images", "A repository's images with tags, kind, platform, size, and who pushed and pulled.", "/repositories/payments/api", "1.4.2"),
    View("/repositories/*", "repository-push", "The commands that log in, build and push, with this host's values.", "/repositories/payments/api?tab=push", "docker push"),
    View("/repositories/*", "repository-image", "One image: pull command, platforms, and the signatures and SBOMs that refer to it.", "/repositories/payments/api?tab=images&image={index}", "Signature"),
    View("/repositories/*", "repository-permissions", "The repository's policy as a form beside its JSON.", "/repositories/payments/api?tab=permissions", "PartnerPull"),
    View("/repositories/*", "repository-who-can", "Who can push here: every principal, evaluated.", "/repositories/payments/api?tab=who-can", "alice"),
    View("/repositories/*", "repository-activity", "What happened to the repository: tag moves and pulls.", "/repositories/payments/api?tab=activity"),
    View("/repositories/*", "repository-settings", "Tag mutability, scan on push and tags of the repository.", "/repositories/payments/api?tab=settings"),
    View("/templates", "templates", "Creation templates: how pushes create repositories.", "/templates", "web"),
    View("/templates/create", "template-create", "A new creation template.", "/templates/create"),
    View("/templates/:prefix", "template", "A creation template as it is stored.", "/templates/web"),
    View("/pull-through", "pull-through", "Pull through cache: the rules with their upstreams, each with a test.", "/pull-through", "quay.io"),
    View("/pull-through/create", "pull-through-create", "A new rule of the pull through cache, with a secret that is chosen or made in place.", "/pull-through/create"),
    View("/pull-through/:prefix", "pull-through-rule", "A rule of the pull through cache, and the command that pulls through it.", "/pull-through/hub", "docker pull"),
    View("/replication", "replication", "Replication: rules as a form or as JSON, backfills, peers, tag filters.", "/replication", "Rule 1"),
    View("/registry-settings", "registry-settings", "Account settings, registry policy, scanning, pull time exclusions and read-only mode.", "/registry-settings", "Pull time exclusions"),
    View("/keys", "keys", "Encryption keys with alias, state, rotation, tags, and how many repositories use them.", "/keys", "alias/payments"),
    View("/keys/create", "key-create", "A new key with an alias.", "/keys/create"),
    View("/keys/:id", "key", "A key: who uses it, rotation, aliases, key policy, tags.", "/keys/{key}", "alias/payments"),
    View("/usage", "usage", "What the registry stores and how often it is used.", "/usage"),
    View("/users", "users", "The account's users.", "/users", "alice"),
    View("/events", "events", "Targets of events, and deliveries that failed.", "/events"),
    View("/users/create", "user-create", "A new user: access, groups, and permissions from a template.", "/users/create"),
    View("/users/:name", "user", "A user's permissions, groups, credentials and tags.", "/users/alice", "payments-push"),
    View("/users/:name", "user-credentials", "A user's access keys with their last use, password and MFA devices.", "/users/alice?tab=credentials", "MFA devices"),
    View("/groups", "groups", "The account's groups.", "/groups", "developers"),
    View("/groups/create", "group-create", "A new group with its members and permissions.", "/groups/create"),
    View("/groups/:name", "group", "A group's members and permissions.", "/groups/developers", "alice"),
    View("/roles", "roles", "The account's roles.", "/roles", "containerise"),
    View("/roles/create", "role-create", "The wizard of roles begins with who may assume the role.", "/roles/create"),
    View("/roles/:name", "role", "A role's permissions.", "/roles/containerise", "permissions"),
    View("/roles/:name", "role-trust", "A role's trust relationship.", "/roles/github-actions?tab=trust", "repo:octo-org"),
    View("/policies", "policies", "Managed policies, the account's and AWS's.", "/policies", "payments-push"),
    View("/policies/create", "policy-create", "A new policy: a form beside the JSON, findings, and a simulator.", "/policies/create"),
    View("/policies/:arn", "policy", "A policy's document.", "/policies/{policy}", "ManageRepositoryContents"),
    View("/policies/:arn", "policy-versions", "What a version changes, in words.", "/policies/{policy}?tab=versions", "v2"),
    View("/identity-providers", "identity-providers", "Issuers whose tokens and assertions roles can trust.", "/identity-providers", GITHUB),
    View("/identity-providers/create", "identity-provider-create", "A new OpenID Connect or SAML provider.", "/identity-providers/create"),
    View("/identity-providers/:arn", "identity-provider", "A provider with its audiences.", "/identity-providers/{provider}", "sts.amazonaws.com"),
    View("/hosts", "hosts", "Hosts that joined, with their instance profile.", "/hosts", "web-1"),
    View("/hosts/invite", "host-invite", "An invitation for a host.", "/hosts/invite"),
    View("/denials", "denials", "What was denied lately, grouped by equal cause.", "/denials", "ecr:"),
    View("/denials/:requestId", "denial", "One denial: the chain of policies, and the least change that would allow it.", "/denials/{denied}", "The least change"),
    View("/simulator", "simulator", "The simulator: can this principal do that, and why.",
         "/simulator?principal=arn:aws:iam::123456789012:user/pia&resource=arn:aws:ecr:us-east-1:123456789012:repository/web/storefront",
         "Denied"),
    View("/account", "account", "The account: alias, own password, password policy.", "/account"),
    View("/organization", "organization", "The organization's tree with its policies.", "/organization", "Workloads"),
]


def screens():
    """The paths of `screens.ts`, one a screen."""
    return re.findall(r'^  screen\(\s*"([^"]+)"', _SCREENS.read_text(encoding="utf-8"), re.MULTILINE)


def check_views():
    """Every screen has a view, and every view a screen."""
    missing = set(screens()) - {view.screen for view in VIEWS}
    assert not missing, f"berth.showcase.VIEWS has no row for {sorted(missing)}"
    gone = {view.screen for view in VIEWS} - set(screens())
    assert not gone, f"berth.showcase.VIEWS has rows for {sorted(gone)}, which are no screens"


@dataclasses.dataclass
class Filled:
    """What `fill` made: names for addresses, and what stands in the place of what differs from run to run."""

    names: dict
    same: dict

    def address(self, view):
        return view.address.format(**{key: urllib.parse.quote(value, safe="") for key, value in self.names.items()})


def fill(root):
    """Makes the account."""
    same = {root.registry: "registry.example.com", f"http://{root.registry}": "https://registry.example.com"}
    names = {}
    root.iam.create_account_alias(AccountAlias="acme")
    _repositories(root, names)
    _pull_through(root, same)
    _keys(root, names, same)
    _people(root, names, same)
    _roles(root, names, same)
    _denials(root, names, same)
    _organization(root, same)
    return Filled(names, same)


def push(ecr, repository, manifest, blobs=(), tag=None):
    """Puts an image with its blobs; answers its descriptor."""
    for blob in blobs:
        upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
        ecr.upload_layer_part(repositoryName=repository, uploadId=upload, partFirstByte=0, partLastByte=len(blob) - 1,
                              layerPartBlob=blob)
        try:
            ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[images.digest(blob)])
        except ecr.exceptions.LayerAlreadyExistsException:
            pass
    text = json.dumps(manifest)
    ecr.put_image(repositoryName=repository, imageManifest=text, **({"imageTag": tag} if tag else {}))
    return {"mediaType": manifest["mediaType"], "digest": images.digest(text.encode()), "size": len(text)}


def image(ecr, repository, architecture, label, tag=None, size=48_211):
    """An image of one platform, whose bytes are the same in each run."""
    layer = (f"{repository} {architecture} {label} ".encode() * (size // 16))[:size]
    config = json.dumps({
        "os": "linux", "architecture": architecture, "created": "2026-11-02T09:14:00Z",
        "config": {"Env": ["PATH=/usr/local/bin:/usr/bin"], "Entrypoint": ["/usr/local/bin/api"], "User": "10001"},
        "history": [{"created_by": "COPY api /usr/local/bin/api"}], "rootfs": {"type": "layers", "diff_ids": []},
    }).encode()
    return push(ecr, repository, {
        "schemaVersion": 2, "mediaType": images.OCI_MANIFEST, "config": images.descriptor(images.OCI_CONFIG, config),
        "layers": [images.descriptor(images.OCI_LAYER, layer)],
        "annotations": {"org.opencontainers.image.revision": images.digest(label.encode())[7:47]},
    }, (config, layer), tag)


def artifact(ecr, repository, kind, subject=None, tag=None, config=(images.OCI_EMPTY, b"{}"), content=b"content"):
    more = {"subject": subject, "artifactType": kind} if subject else {}
    return push(ecr, repository, {
        "schemaVersion": 2, "mediaType": images.OCI_MANIFEST, "config": images.descriptor(*config),
        "layers": [images.descriptor(kind, content)], **more,
    }, (config[1], content), tag)


def _repositories(root, names):
    ecr = root.ecr
    for name in ("base/python", "ml/embedder", "payments/api", "payments/worker", "tools/ci-runner", "web/storefront"):
        more = {"imageTagMutability": "IMMUTABLE"} if name.startswith("payments") else {}
        root.create_repository(name, imageScanningConfiguration={"scanOnPush": name.startswith("web")}, **more,
                               tags=[{"Key": "team", "Value": name.partition("/")[0]}])
    ecr.create_repository_creation_template(prefix="web", description="Storefronts", appliedFor=["CREATE_ON_PUSH"])
    platforms = [
        image(ecr, "payments/api", name, "1.4.2") | {"platform": {"os": "linux", "architecture": name}} for name in ("amd64", "arm64")]
    index = push(ecr, "payments/api", {
        "schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": platforms}, tag="1.4.2")
    artifact(ecr, "payments/api", _SIGNATURE, index, content=b"signature")
    artifact(ecr, "payments/api", _SBOM, index, content=b'{"spdxVersion": "SPDX-2.3"}')
    for tag in ("1.4.1", "1.4.0"):
        image(ecr, "payments/api", "amd64", tag, tag)
    artifact(ecr, "payments/api", "application/vnd.cncf.helm.chart.content.v1.tar+gzip", tag="chart-1.4.2",
             config=(_HELM, b'{"name": "payments", "version": "1.4.2"}'), content=b"chart")
    for name in ("base/python", "payments/worker", "web/storefront", "ml/embedder"):
        image(ecr, name, "amd64", "first", "v1", size=160_000)
    root.server.create_account("444455556666")
    ecr.set_repository_policy(repositoryName="payments/api", policyText=json.dumps(policy(
        allow(["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Sid="PartnerPull",
              Principal={"AWS": "arn:aws:iam::444455556666:root"}),
        deny("ecr:DeleteRepository", Sid="KeepIt", Principal="*"))))
    names["index"] = index["digest"]


def _pull_through(root, same):
    made = root.boto("secretsmanager").create_secret(
        Name="ecr-pullthroughcache/docker-hub", SecretString='{"username": "acme", "accessToken": "dckr_pat_example"}')
    same[made["ARN"][-7:]] = "-AbCdEf"
    for prefix, url, more in (("hub", "registry-1.docker.io", {"credentialArn": made["ARN"]}), ("quay", "quay.io", {}),
                              ("k8s", "registry.k8s.io", {})):
        root.ecr.create_pull_through_cache_rule(ecrRepositoryPrefix=prefix, upstreamRegistryUrl=url, **more)


    root.ecr.put_replication_configuration(replicationConfiguration={"rules": [{
        "destinations": [{"region": "eu-west-1", "registryId": root.account}],
        "repositoryFilters": [{"filter": "payments", "filterType": "PREFIX_MATCH"}]}]})


def _keys(root, names, same):
    kms = root.boto("kms")
    for number, name in enumerate(("payments", "archive")):
        key = kms.create_key(Description=f"Images of {name}", Tags=[{"TagKey": "team", "TagValue": name}])["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
        same[key] = f"1234abcd-12ab-34cd-56ef-1234567890a{number}"
        names.setdefault("key", key)
    kms.enable_key_rotation(KeyId=names["key"], RotationPeriodInDays=180)
    root.ecr.create_repository(repositoryName="payments/ledger", encryptionConfiguration={
        "encryptionType": "KMS", "kmsKey": "alias/payments"})


def _people(root, names, same):
    iam = root.iam
    iam.create_group(GroupName="developers")
    iam.create_group(GroupName="auditors")
    iam.attach_group_policy(GroupName="auditors", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly")
    arn = root.create_policy("payments-push", policy(*push_and_pull("payments/api")))
    iam.create_policy_version(PolicyArn=arn, SetAsDefault=True,
                              PolicyDocument=json.dumps(policy(*push_and_pull("payments/api", "payments/worker"))))
    root.create_policy("deploy-pull", policy(*pull_only("payments/*", "web/*")))
    iam.attach_group_policy(GroupName="developers", PolicyArn=arn)
    for number, name in enumerate(("alice", "bob", "circleci", "deploy")):
        person = root.create_user(name)
        same[person.credentials.access_key_id] = f"AKIAIOSFODNN7EXAMPL{number}"
    for name in ("alice", "bob"):
        iam.add_user_to_group(GroupName="developers", UserName=name)
        iam.create_login_profile(UserName=name, Password="Correct-horse-9")
    iam.attach_user_policy(UserName="alice", PolicyArn=arn)
    iam.put_user_policy(UserName="deploy", PolicyName="pull", PolicyDocument=json.dumps(policy(*pull_only("web/*"))))
    iam.tag_user(UserName="alice", Tags=[{"Key": "team", "Value": "payments"}])
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="alice-phone")["VirtualMFADevice"]
    seed, step = made["Base32StringSeed"].decode(), int(time.time()) // 30
    iam.enable_mfa_device(UserName="alice", SerialNumber=made["SerialNumber"], AuthenticationCode1=code(seed, step - 1),
                          AuthenticationCode2=code(seed, step))
    names["policy"] = arn




def _roles(root, names, same):
    iam = root.iam
    root.create_role("containerise", trust({"Service": "ec2.amazonaws.com"}), policy(*push_and_pull("payments/api")))
    iam.update_role(RoleName="containerise", Description="Build hosts push the payments images.")
    iam.create_instance_profile(InstanceProfileName="containerise")
    iam.add_role_to_instance_profile(InstanceProfileName="containerise", RoleName="containerise")
    provider = iam.create_open_id_connect_provider(
        Url=f"https://{GITHUB}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40])["OpenIDConnectProviderArn"]
    iam.create_saml_provider(Name="acme-directory", SAMLMetadataDocument=IdentityProvider().metadata)
    root.create_role("github-actions", trust(
        {"Federated": provider}, {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"},
                                  "StringLike": {f"{GITHUB}:sub": "repo:octo-org/payments:*"}},
        "sts:AssumeRoleWithWebIdentity"), policy(*push_and_pull("payments/*")))
    root.create_role("ci", trust({"AWS": f"arn:aws:iam::{root.account}:user/circleci"}), policy(*push_and_pull("web/*")))
    machine = Machine.invited(root, "containerise")
    machine.joined.ok()
    same[machine.id] = "i-0123456789abcdef0"
    names["provider"] = provider


def _denials(root, names, same):
    pia = root.create_user("pia", policy(*pull_only("web/storefront")))
    same[pia.credentials.access_key_id] = "AKIAIOSFODNN7EXAMPL9"
    for call, arguments in ((pia.ecr.describe_repositories, {}), (pia.ecr.initiate_layer_upload, {"repositoryName": "web/storefront"}),
                            (pia.iam.list_users, {}), (pia.ecr.delete_repository, {"repositoryName": "payments/api"}),
                            (pia.ecr.initiate_layer_upload, {"repositoryName": "web/storefront"})):
        try:
            call(**arguments)
        except botocore.exceptions.ClientError as error:
            names["denied"] = error.response["ResponseMetadata"]["RequestId"]
        else:
            raise AssertionError("this should have been denied")
    same[names["denied"]] = "8d64c1a1-7a5b-4f0e-9f3e-0c2a9b6d1e11"


def _organization(root, same):
    client = root.boto("organizations")
    same[client.create_organization()["Organization"]["Id"]] = "o-exampleorgid"
    [top] = client.list_roots()["Roots"]
    same[top["Id"]] = "r-exam"
    for number, name in enumerate(("Workloads", "Sandbox")):
        made = client.create_organizational_unit(ParentId=top["Id"], Name=name)["OrganizationalUnit"]
        same[made["Id"]] = f"ou-exam-0000000{number}"
    made = client.create_policy(
        Name="KeepAuditLog", Description="Nobody deletes the audit repository.", Type="SERVICE_CONTROL_POLICY",
        Content=json.dumps(policy(deny("ecr:DeleteRepository", root.repository_arn("audit/*")))))["Policy"]["PolicySummary"]
    same[made["Id"]] = "p-examplepol"
