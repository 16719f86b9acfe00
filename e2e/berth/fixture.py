"""A small data directory with one of everything, and the check that a later version still serves it.

`build` runs once, with the version that the fixture is named after; `fixtures/make.py` packs what it leaves. `check` runs with
every later version. What must be readable is written down in `expected.json`, not taken from the code that checks it.
"""

import datetime
import json
import time

from . import images
from .people import Credentials, Person, failing
from .policies import allow, deny, policy, pull_only, push_and_pull, repository_arn, trust
from .raw import Raw, with_query
from .server import ACCOUNT

PARTNER = "444455556666"
#: Uploads from this length on have a row in the database.
LARGE_UPLOAD_BYTES = 17 << 20
#: Background work begins within seconds of a start.
_JOBS_S_MAX = 60
FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
FOREIGN_CONTENT = b"a layer that its licence keeps at the vendor's server"
#: Version 0.1 did not note which images have a foreign layer; later versions must find them.
FORGET_FOREIGN_LAYER = f"DELETE FROM image_layers WHERE digest = '{images.digest(FOREIGN_CONTENT)}'"


def build(server):
    """Fills a fresh server; answers what must be found again."""
    root = server.root
    partner = server.create_account(PARTNER)
    expected = {"account": ACCOUNT, "partner": {"account": PARTNER, "root": _keys(partner)}}
    expected |= _build_identity(root, partner)
    expected["repositories"] = _build_registry(root, partner)
    expected |= _build_sessions(root, expected)
    return expected


def _keys(person):
    return [person.credentials.access_key_id, person.credentials.secret_access_key]


def _build_identity(root, partner):
    iam = root.iam
    boundary = root.create_policy("boundary", policy(allow(["ecr:*", "sts:*"], "*")))
    versions = root.create_policy("push-app", policy(allow("ecr:ListImages", "*")))
    iam.create_policy_version(PolicyArn=versions, PolicyDocument=json.dumps(policy(*push_and_pull("app", "team/tool"))),
                              SetAsDefault=True)
    alice_arn = iam.create_user(UserName="alice", Path="/team/", PermissionsBoundary=boundary,
                                Tags=[{"Key": "team", "Value": "core"}])["User"]["Arn"]
    iam.attach_user_policy(UserName="alice", PolicyArn=versions)
    iam.put_user_policy(UserName="alice", PolicyName="inline", PolicyDocument=json.dumps(
        policy(deny("ecr:PutImage", repository_arn("locked")))))
    iam.create_group(GroupName="readers", Path="/team/")
    iam.put_group_policy(GroupName="readers", PolicyName="pull", PolicyDocument=json.dumps(policy(*pull_only("locked"))))
    iam.attach_group_policy(GroupName="readers", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly")
    iam.add_user_to_group(GroupName="readers", UserName="alice")
    alice = iam.create_access_key(UserName="alice")["AccessKey"]
    inactive = iam.create_access_key(UserName="alice")["AccessKey"]
    iam.update_access_key(UserName="alice", AccessKeyId=inactive["AccessKeyId"], Status="Inactive")
    bob = root.create_user("bob")
    carol = partner.create_user("carol", policy(*pull_only("app", account=ACCOUNT)))

    role = root.create_role("containerise", trust({"AWS": alice_arn}), policy(*push_and_pull("app")))
    iam.tag_role(RoleName="containerise", Tags=[{"Key": "stage", "Value": "build"}])
    iam.update_role(RoleName="containerise", Description="builds images", MaxSessionDuration=7200)
    iam.create_instance_profile(InstanceProfileName="builders")
    iam.add_role_to_instance_profile(InstanceProfileName="builders", RoleName="containerise")
    iam.create_account_alias(AccountAlias="berth-fixture")
    return {
        "alias": "berth-fixture",
        "people": {
            "alice": {"arn": alice_arn, "account": ACCOUNT, "key": [alice["AccessKeyId"], alice["SecretAccessKey"]]},
            "bob": {"arn": bob.arn, "account": ACCOUNT, "key": _keys(bob)},
            "carol": {"arn": carol.arn, "account": PARTNER, "key": _keys(carol)},
        },
        "inactive_key": [inactive["AccessKeyId"], inactive["SecretAccessKey"]],
        "users": [_plain(iam.get_user(UserName=name)["User"]) for name in ("alice", "bob")],
        "boundary": boundary,
        "policy": {"arn": versions, "versions": ["v1", "v2"], "default": "v2",
                   "document": iam.get_policy_version(PolicyArn=versions, VersionId="v2")["PolicyVersion"]["Document"]},
        "role": {"arn": role, "id": iam.get_role(RoleName="containerise")["Role"]["RoleId"],
                 "trust": iam.get_role(RoleName="containerise")["Role"]["AssumeRolePolicyDocument"]},
    }


def _plain(answer):
    """With times as text, as JSON keeps them."""
    return json.loads(json.dumps(answer, default=lambda value: value.isoformat()))


def _build_registry(root, partner):
    ecr, registry = root.ecr, root.raw()
    root.create_repository("app", tags=[{"Key": "team", "Value": "core"}])
    root.create_repository("team/tool")
    root.create_repository("locked", imageTagMutability="IMMUTABLE", imageScanningConfiguration={"scanOnPush": True})
    root.create_repository("empty")
    ecr.set_repository_policy(repositoryName="app", policyText=json.dumps(policy(
        allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"], Sid="Partner",
              Principal={"AWS": f"arn:aws:iam::{PARTNER}:root"}))))
    ecr.put_registry_policy(policyText=json.dumps(policy(
        allow("ecr:ReplicateImage", f"arn:aws:ecr:{root.server.region}:{ACCOUNT}:repository/*", Sid="Replicate",
              Principal={"AWS": f"arn:aws:iam::{PARTNER}:root"}))))

    first, second, tool, signed = (images.Image() for _ in range(4))
    registry.push("app", "v1", first).expect(201)
    registry.push("app", "v2", second).expect(201)
    # A tag that moved, an image without a tag, two tags on one image.
    registry.put_manifest("app", "latest", first.manifest).expect(201)
    registry.put_manifest("app", "latest", second.manifest).expect(201)
    untagged = images.Image()
    for blob in untagged.blobs:
        registry.put_blob("app", blob).expect(201)
    registry.put_manifest("app", untagged.digest, untagged.manifest).expect(201)
    index = json.dumps({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [
        images.descriptor(images.OCI_MANIFEST, image.manifest) for image in (first, second)]}).encode()
    registry.put_manifest("app", "multi", index, images.OCI_INDEX).expect(201)
    # An artifact that refers to an image.
    registry.put_blob("app", b"{}").expect(201)
    artifact = json.dumps({
        "schemaVersion": 2, "mediaType": images.OCI_MANIFEST, "artifactType": "application/example.signature",
        "config": images.descriptor(images.OCI_EMPTY, b"{}"), "layers": [images.descriptor(images.OCI_EMPTY, b"{}")],
        "subject": images.descriptor(images.OCI_MANIFEST, first.manifest), "annotations": {"by": "fixture"},
    }).encode()
    registry.put_manifest("app", images.digest(artifact), artifact).expect(201)
    # A layer that no image names, one by sha512, one that was mounted.
    loose, long = b"a layer of no image", b"a layer named by sha512"
    registry.put_blob("app", loose).expect(201)
    registry.put_blob("app", long, images.digest(long, "sha512")).expect(201)
    registry("POST", f"/v2/team/tool/blobs/uploads/?mount={images.digest(first.layer)}&from=app").expect(201)
    registry.push("team/tool", "v1", tool).expect(201)
    registry.push("locked", "v1", signed).expect(201)
    # A foreign layer that was pushed although clients may leave it out.
    foreign = images.Image()
    away = {"mediaType": FOREIGN_LAYER, "digest": images.digest(FOREIGN_CONTENT), "size": len(FOREIGN_CONTENT),
            "urls": ["https://example.com/layer"]}
    foreign.manifest = json.dumps(json.loads(foreign.manifest) | {"layers": [
        *json.loads(foreign.manifest)["layers"], away]}).encode()
    registry.put_blob("app", FOREIGN_CONTENT).expect(201)
    registry.push("app", "windows", foreign).expect(201)
    # An upload that a restart must be able to go on with; it expires before anybody opens the fixture again.
    place = registry.start_upload("app")
    registry("PATCH", place, bytes(LARGE_UPLOAD_BYTES)).expect(202)

    def manifest(image):
        return {"digest": image.digest, "type": image.media_type}

    return {
        "app": {
            "tags": {"v1": first.digest, "v2": second.digest, "latest": second.digest, "multi": images.digest(index),
                     "windows": foreign.digest},
            "manifests": [manifest(first), manifest(second), manifest(untagged), manifest(foreign),
                          {"digest": images.digest(index), "type": images.OCI_INDEX},
                          {"digest": images.digest(artifact), "type": images.OCI_MANIFEST}],
            "blobs": {images.digest(blob): len(blob)
                      for blob in (*first.blobs, *second.blobs, *untagged.blobs, *foreign.blobs, FOREIGN_CONTENT, b"{}", loose)}
            | {images.digest(long, "sha512"): len(long)},
            "referrers": {first.digest: [images.digest(artifact)]},
            "foreign": images.digest(FOREIGN_CONTENT),
            "mutability": "MUTABLE", "policy": json.loads(ecr.get_repository_policy(repositoryName="app")["policyText"]),
            "tags_of_resource": [{"Key": "team", "Value": "core"}],
        },
        "team/tool": {
            "tags": {"v1": tool.digest}, "manifests": [manifest(tool)], "mutability": "MUTABLE",
            "blobs": {images.digest(blob): len(blob) for blob in (*tool.blobs, first.layer)},
        },
        "locked": {
            "tags": {"v1": signed.digest}, "manifests": [manifest(signed)], "mutability": "IMMUTABLE",
            "blobs": {images.digest(blob): len(blob) for blob in signed.blobs},
        },
        "empty": {"tags": {}, "manifests": [], "mutability": "MUTABLE", "blobs": {}},
    }


def _build_sessions(root, expected):
    alice = _person(root.server, expected, "alice")
    iam = root.iam
    # The boundary allows `sts:*`, the trust policy names alice: that suffices in one account.
    answer = alice.sts.assume_role(RoleArn=expected["role"]["arn"], RoleSessionName="fixture", DurationSeconds=900)
    session = Credentials.of(answer["Credentials"])
    assert iam.list_access_keys(UserName="alice")["AccessKeyMetadata"]
    made = datetime.datetime.now(datetime.UTC)
    return {
        "session": {"key": [session.access_key_id, session.secret_access_key], "token": session.session_token,
                    "arn": answer["AssumedRoleUser"]["Arn"], "expires": answer["Credentials"]["Expiration"].isoformat()},
        "password": {"text": alice.password, "expires": (made + datetime.timedelta(hours=12)).isoformat()},
    }


def _person(server, expected, name):
    of = expected["people"][name]
    return Person(server, name, Credentials(*of["key"]), of["account"], of["arn"])


def check(server, expected):
    """Everything that `build` made is there, and what it allowed and refused still is."""
    root = server.root
    assert root.sts.get_caller_identity()["Account"] == expected["account"]
    _check_identity(root, expected)
    _check_sessions(server, expected)
    _check_registry(root, expected)
    _check_foreign_layers(server, expected["repositories"]["app"])
    _check_permissions(server, expected)


def _check_identity(root, expected):
    iam = root.iam
    assert iam.list_account_aliases()["AccountAliases"] == [expected["alias"]]
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["alice", "bob"]
    for wanted in expected["users"]:
        found = _plain(iam.get_user(UserName=wanted["UserName"])["User"])
        for member in ("Arn", "UserId", "Path", "CreateDate", "Tags"):
            assert found.get(member) == wanted.get(member), f"{member} of {wanted['UserName']}"
    alice = iam.get_user(UserName="alice")["User"]
    assert alice["PermissionsBoundary"]["PermissionsBoundaryArn"] == expected["boundary"]
    assert iam.list_user_policies(UserName="alice")["PolicyNames"] == ["inline"]
    assert [p["PolicyArn"] for p in iam.list_attached_user_policies(UserName="alice")["AttachedPolicies"]] == [
        expected["policy"]["arn"]]
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="alice")["Groups"]] == ["readers"]
    assert iam.list_group_policies(GroupName="readers")["PolicyNames"] == ["pull"]
    attached = iam.list_attached_group_policies(GroupName="readers")["AttachedPolicies"]
    assert [p["PolicyName"] for p in attached] == ["AmazonEC2ContainerRegistryReadOnly"]
    states = {key["AccessKeyId"]: key["Status"] for key in iam.list_access_keys(UserName="alice")["AccessKeyMetadata"]}
    assert states == {expected["people"]["alice"]["key"][0]: "Active", expected["inactive_key"][0]: "Inactive"}

    of = expected["policy"]
    versions = iam.list_policy_versions(PolicyArn=of["arn"])["Versions"]
    assert sorted(version["VersionId"] for version in versions) == of["versions"]
    assert iam.get_policy(PolicyArn=of["arn"])["Policy"]["DefaultVersionId"] == of["default"]
    document = iam.get_policy_version(PolicyArn=of["arn"], VersionId=of["default"])["PolicyVersion"]["Document"]
    assert document == of["document"]
    role = iam.get_role(RoleName="containerise")["Role"]
    assert (role["Arn"], role["RoleId"], role["AssumeRolePolicyDocument"]) == tuple(
        expected["role"][member] for member in ("arn", "id", "trust"))
    assert (role["Description"], role["MaxSessionDuration"]) == ("builds images", 7200)
    assert role["Tags"] == [{"Key": "stage", "Value": "build"}]
    profile = iam.get_instance_profile(InstanceProfileName="builders")["InstanceProfile"]
    assert [role["RoleName"] for role in profile["Roles"]] == ["containerise"]


def _check_sessions(server, expected):
    of = expected["session"]
    session = Person(server, "session", Credentials(*of["key"], of["token"]), expected["account"], of["arn"])
    if _now() < datetime.datetime.fromisoformat(of["expires"]):
        assert session.sts.get_caller_identity()["Arn"] == of["arn"]
    else:
        # It is read and found to be over: a token that cannot be read has another code.
        failing(session.sts.get_caller_identity, "ExpiredToken")
    of = expected["password"]
    answer = Raw(server, "AWS", of["text"])("GET", "/v2/")
    if _now() < datetime.datetime.fromisoformat(of["expires"]):
        answer.expect(200)
    else:
        assert "has expired" in answer.expect(403).json["errors"][0]["message"]
    inactive = Person(server, "inactive", Credentials(*expected["inactive_key"]), expected["account"], "")
    failing(inactive.sts.get_caller_identity, "InvalidClientTokenId")


def _check_registry(root, expected):
    ecr, registry = root.ecr, root.raw()
    found = {r["repositoryName"]: r for r in ecr.describe_repositories()["repositories"]}
    assert set(found) == set(expected["repositories"])
    for name, of in expected["repositories"].items():
        assert found[name]["imageTagMutability"] == of["mutability"]
        tags = registry("GET", f"/v2/{name}/tags/list").expect(200).json["tags"] or []
        assert sorted(tags) == sorted(of["tags"])
        for tag, digest in of["tags"].items():
            answer = registry("HEAD", f"/v2/{name}/manifests/{tag}", headers={"Accept": "*/*"}).expect(200)
            assert answer["Docker-Content-Digest"] == digest, f"{name}:{tag}"
        listed = ecr.list_images(repositoryName=name)["imageIds"]
        assert {image["imageDigest"] for image in listed} == {m["digest"] for m in of["manifests"]}
        for manifest in of["manifests"]:
            answer = registry("GET", f"/v2/{name}/manifests/{manifest['digest']}", headers={"Accept": "*/*"}).expect(200)
            assert (images.digest(answer.body), answer["Content-Type"]) == (manifest["digest"], manifest["type"])
        for digest, size in of["blobs"].items():
            assert registry("HEAD", f"/v2/{name}/blobs/{digest}").expect(200)["Content-Length"] == str(size)
            body = registry("GET", f"/v2/{name}/blobs/{digest}").expect(200).body
            assert images.digest(body, digest.partition(":")[0]) == digest, f"{name}: a blob has other bytes"
        for subject, referrers in of.get("referrers", {}).items():
            answer = registry("GET", f"/v2/{name}/referrers/{subject}").expect(200).json
            assert [manifest["digest"] for manifest in answer["manifests"]] == referrers
    of = expected["repositories"]["app"]
    assert json.loads(ecr.get_repository_policy(repositoryName="app")["policyText"]) == of["policy"]
    assert ecr.list_tags_for_resource(resourceArn=found["app"]["repositoryArn"])["tags"] == of["tags_of_resource"]
    assert json.loads(ecr.get_registry_policy()["policyText"])["Statement"][0]["Sid"] == "Replicate"


def _check_foreign_layers(server, repository):
    """A foreign layer belongs to its image again, soon after the first start."""
    deadline = time.monotonic() + _JOBS_S_MAX
    while "looked for foreign layers" not in server.words():
        assert time.monotonic() < deadline, f"the job was not done:\n{server.words()}"
        time.sleep(0.1)
    if foreign := repository.get("foreign"):
        server.root.raw()("DELETE", f"/v2/app/blobs/{foreign}").error(405, "UNSUPPORTED")


def _check_permissions(server, expected):
    """People do what they could, and the new version takes new content beside the old."""
    alice, bob, carol = (_person(server, expected, name) for name in ("alice", "bob", "carol"))
    of = expected["repositories"]["app"]
    pull = f"/v2/app/manifests/{of['tags']['v1']}"
    alice.raw()("GET", pull, headers={"Accept": "*/*"}).expect(200)
    failing(bob.ecr.get_authorization_token, "AccessDeniedException")
    carol.raw()("GET", pull, headers={"Accept": "*/*"}).expect(200)
    carol.raw()("POST", "/v2/app/blobs/uploads/").error(403, "DENIED")

    registry = alice.raw()
    new = images.Image()
    registry.push("app", "new", new).expect(201)
    registry.pull("app", new)
    # Bytes that are stored already are pushed again, mounted, and pulled.
    digest = next(iter(expected["repositories"]["team/tool"]["blobs"]))
    body = registry("GET", f"/v2/team/tool/blobs/{digest}").expect(200).body
    place = with_query(registry.start_upload("app"), digest=digest)
    registry("PUT", place, body).expect(201)
    assert registry("GET", f"/v2/app/blobs/{digest}").expect(200).body == body
    refused = registry.put_manifest("locked", "v1", new.manifest)
    refused.error(403, "DENIED")
    # A move of an old tag is seen at once; it is moved back for whoever checks again.
    for moved in (new.digest, of["tags"]["latest"]):
        body = registry("GET", f"/v2/app/manifests/{moved}", headers={"Accept": "*/*"}).expect(200).body
        registry.put_manifest("app", "latest", body).expect(201)
        answer = registry("HEAD", "/v2/app/manifests/latest", headers={"Accept": "*/*"}).expect(200)
        assert answer["Docker-Content-Digest"] == moved
    # And what was pushed is taken away again.
    server.root.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": new.digest}])


def _now():
    return datetime.datetime.now(datetime.UTC)
