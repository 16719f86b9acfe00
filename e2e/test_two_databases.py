"""The main job on each database: SQLite within the server, and PostgreSQL where `BERTH_TEST_POSTGRES_URL` says it is.

`cargo xtask test` starts a PostgreSQL of its own; each server gets a database of its own in it.
"""

import concurrent.futures
import json

import pytest

from berth import images
from berth.outcome import NO_IDENTITY_POLICY
from berth.policies import policy, push_and_pull, trust
from berth.raw import Raw
from berth.server import Server


@pytest.fixture(params=["sqlite", "postgres"])
def server(request, tmp_path):
    options = ("--database", request.getfixturevalue("postgres")) if request.param == "postgres" else ()
    with Server(tmp_path / "berth", *options) as running:
        yield running


def test_the_main_job(server):
    root = server.root
    root.create_repository("my-app")
    alice = root.create_user("alice", policy(*push_and_pull("my-app")))
    alice.docker.login()
    message = alice.docker.build("my-app:v1")
    alice.docker.push("my-app:v1").ok()
    alice.docker.pull("my-app:v1").ok()
    assert alice.docker.message("my-app:v1") == message

    circleci = root.create_user("circleci")
    role = root.create_role("containerise", trust({"AWS": circleci.arn}), policy(*push_and_pull("my-app")))
    job = circleci.assume(role, "build-1")
    job.docker.login()
    job.docker.build("my-app:v2")
    job.docker.push("my-app:v2").ok()
    circleci.refused(circleci.ecr.get_authorization_token, action="ecr:GetAuthorizationToken", resource="*",
                     because=NO_IDENTITY_POLICY)

    partner = server.create_account("444455556666")
    assert partner.ecr.describe_repositories()["repositories"] == []


def test_many_at_once(server):
    """Writers wait for each other, and never fail for it; of those who want the same name, one gets it."""
    root, wire = server.root, Raw(server)

    def make_user(n):
        return wire.aws(root, "iam", f"Action=CreateUser&Version=2010-05-08&UserName=user-{n:03}".encode()).status

    def make_repository(n):
        body = json.dumps({"repositoryName": f"shared-{n % 10}"}).encode()
        return wire.aws(root, "ecr", body, "AmazonEC2ContainerRegistry_V20150921.CreateRepository").status

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        users, repositories = pool.map(make_user, range(200)), pool.map(make_repository, range(100))
        assert list(users) == [200] * 200
        assert sorted(repositories) == [200] * 10 + [400] * 90
    listed = [u["UserName"] for page in root.iam.get_paginator("list_users").paginate() for u in page["Users"]]
    assert listed == [f"user-{n:03}" for n in range(200)]
    assert len(root.ecr.describe_repositories()["repositories"]) == 10


def test_it_is_all_there_after_a_kill(server):
    root = server.root
    root.create_repository("my-app")
    image = images.Image()
    root.raw().push("my-app", "v1", image).expect(201)
    server.kill()
    server.start()
    server.root.raw().pull("my-app", image)
