"""Many clients push, retag, delete, mount and expire in the same repositories. What was acknowledged holds at once and afterwards.

Each client has tags of its own, of which it alone knows the state; `shared` is pushed by all, and tags that begin with `old-` may
be expired at any time by a lifecycle policy.
"""

import json
import random
import threading

import pytest

from berth import images
from berth.raw import with_query
from berth.server import Server, binary

REPOSITORIES = ["race/one", "race/two", "race/three"]
CLIENTS, STEPS = 8, 12
#: Of the long run: some minutes on two cores.
CLIENTS_SLOW, STEPS_SLOW = 50, 100
#: Images that the policy keeps of those that it may expire.
KEPT = 5
ANY = {"Accept": "*/*"}
SHARED_LAYERS = [images.Image(layer_bytes=20_000).layer for _ in range(3)]


class Client(threading.Thread):
    """Does one thing after another, each followed by a look at what it must have led to."""

    def __init__(self, registry, root, number, steps):
        super().__init__(name=f"client-{number}", daemon=True)
        self.registry, self.root, self.number, self.steps = registry, root, number, steps
        self.chance = random.Random(number)
        self.held = {}  # (repository, tag): image, of this client's own tags
        self.gone = set()  # own tags that were deleted
        self.done = {}  # how often each thing was done
        self.failure = None

    def run(self):
        things = [self.push] * 4 + [self.retag] * 3 + [self.delete_tag, self.delete_image, self.mount] * 2
        things += [self.push_shared, self.push_old, self.expire]
        try:
            for step in range(self.steps):
                thing = self.chance.choice(things)
                # The first of each client makes what the others need.
                thing = self.push if not self.held else thing
                thing(step)
                self.done[thing.__name__] = self.done.get(thing.__name__, 0) + 1
        except BaseException as failure:  # told by the test's own thread
            self.failure = failure

    def any_repository(self):
        return self.chance.choice(REPOSITORIES)

    def image(self):
        """A new image, in half of the cases with a layer that other clients send as well."""
        if self.chance.random() < 0.5:
            return images.Image(layer_bytes=self.chance.choice([100, 4_000, 60_000]))
        layer = self.chance.choice(SHARED_LAYERS)
        made = images.Image(layer_bytes=32, layers=[images.descriptor(images.OCI_LAYER, layer)])
        made.layer = layer
        return made

    def holds(self, repository, tag, image):
        got = self.registry("GET", f"/v2/{repository}/manifests/{tag}", headers=ANY).expect(200)
        assert got.body == image.manifest, f"{repository}:{tag} is another image than the acknowledged one"
        self.registry.pull(repository, image)

    def push(self, step):
        repository, tag, image = self.any_repository(), f"c{self.number}-{step}", self.image()
        self.registry.push(repository, tag, image).expect(201)
        self.holds(repository, tag, image)
        self.held[repository, tag] = image

    def push_shared(self, step):
        repository, image = self.any_repository(), self.image()
        self.registry.push(repository, "shared", image).expect(201)
        # By digest it stays; the tag may be another client's by now.
        self.registry.pull(repository, image)
        self.registry("GET", f"/v2/{repository}/manifests/shared", headers=ANY).expect(200)

    def push_old(self, step):
        repository, image = self.any_repository(), self.image()
        self.registry.push(repository, f"old-{self.number}-{step}", image).expect(201)
        got = self.registry("GET", f"/v2/{repository}/manifests/{image.digest}", headers=ANY).expect(200, 404)
        assert got.status == 404 or got.body == image.manifest

    def retag(self, step):
        (repository, tag), image = self.chance.choice(list(self.held.items()))
        new = f"c{self.number}-{step}"
        self.registry.put_manifest(repository, new, image.manifest).expect(201)
        self.holds(repository, new, image)
        self.held[repository, new] = image
        # And an own tag that moves to another image of the repository.
        others = [at for at in self.held if at[0] == repository and self.held[at] is not image]
        if others:
            moved = self.chance.choice(others)
            self.registry.put_manifest(repository, moved[1], image.manifest).expect(201)
            self.held[moved] = image
            self.holds(repository, moved[1], image)

    def delete_tag(self, step):
        repository, tag = self.chance.choice(list(self.held))
        self.registry("DELETE", f"/v2/{repository}/manifests/{tag}").expect(202)
        self.registry("GET", f"/v2/{repository}/manifests/{tag}", headers=ANY).expect(404)
        image = self.held.pop((repository, tag))
        self.gone.add((repository, tag))
        for (other, name), one in self.held.items():
            if one is image and other == repository:
                self.holds(repository, name, image)

    def delete_image(self, step):
        (repository, _), image = self.chance.choice(list(self.held.items()))
        answer = self.root.ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": image.digest}])
        assert not answer["failures"], answer
        for at in [at for at, one in self.held.items() if one is image and at[0] == repository]:
            del self.held[at]
            self.gone.add(at)
            self.registry("GET", f"/v2/{repository}/manifests/{at[1]}", headers=ANY).expect(404)
        self.registry("GET", f"/v2/{repository}/manifests/{image.digest}", headers=ANY).expect(404)

    def mount(self, step):
        (source, _), image = self.chance.choice(list(self.held.items()))
        target, tag = self.any_repository(), f"c{self.number}-{step}"
        for blob in image.blobs:
            query = with_query(f"/v2/{target}/blobs/uploads/", mount=images.digest(blob), **{"from": source})
            answer = self.registry("POST", query).expect(201, 202)
            if answer.status == 202:
                place = with_query(answer.location, digest=images.digest(blob))
                self.registry("PUT", place, blob, {"Content-Type": "application/octet-stream"}).expect(201)
        self.registry.put_manifest(target, tag, image.manifest).expect(201)
        self.holds(target, tag, image)
        self.held[target, tag] = image

    def expire(self, step):
        set_policy(self.root, self.any_repository())


def set_policy(root, repository):
    selection = {"tagStatus": "tagged", "tagPatternList": ["old-*"], "countType": "imageCountMoreThan", "countNumber": KEPT}
    rules = [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]
    root.ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=json.dumps({"rules": rules}))


def tags_of(registry, repository):
    found, path = [], f"/v2/{repository}/tags/list?n=1000"
    while path:
        answer = registry("GET", path).expect(200)
        found += answer.json["tags"] or []
        link = answer["Link"]
        path = link[link.index("<") + 1:link.index(">")] if link else None
    return found


def check_all(registry, clients):
    """Every tag resolves to a whole image, and every client's own tags are what the client knows."""
    for repository in REPOSITORIES:
        tags = tags_of(registry, repository)
        assert len(tags) == len(set(tags))
        for tag in tags:
            got = registry("GET", f"/v2/{repository}/manifests/{tag}", headers=ANY).expect(200)
            manifest = json.loads(got.body)
            for blob in [manifest["config"], *manifest["layers"]]:
                size = int(registry("HEAD", f"/v2/{repository}/blobs/{blob['digest']}").expect(200)["Content-Length"])
                assert size == blob["size"]
        held = {tag: image for client in clients for (place, tag), image in client.held.items() if place == repository}
        gone = {tag for client in clients for place, tag in client.gone if place == repository} - held.keys()
        assert held.keys() <= set(tags), f"{repository} lost {sorted(held.keys() - set(tags))}"
        assert not gone & set(tags), f"{repository} has deleted tags again: {sorted(gone & set(tags))}"
        for tag, image in held.items():
            assert registry("GET", f"/v2/{repository}/manifests/{tag}", headers=ANY).expect(200).body == image.manifest


@pytest.mark.parametrize("count, steps", [(CLIENTS, STEPS), pytest.param(CLIENTS_SLOW, STEPS_SLOW, marks=pytest.mark.slow)])
def test_clients_in_the_same_repositories(tmp_path, count, steps):
    with Server(tmp_path / "berth") as server:
        for repository in REPOSITORIES:
            server.root.create_repository(repository)
            set_policy(server.root, repository)
        registry = server.root.raw()
        clients = [Client(registry, server.root, number, steps) for number in range(count)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        failures = [client.failure for client in clients if client.failure]
        if failures:
            raise failures[0]
        done = {}
        for client in clients:
            for name, times in client.done.items():
                done[name] = done.get(name, 0) + times
        assert {"push", "retag", "delete_tag", "delete_image", "mount", "push_old", "expire"} <= done.keys(), done
        check_all(registry, clients)
        # What was acknowledged is on disk: nothing is different after a kill.
        server.kill()
        server.start()
        check_all(server.root.raw(), clients)
        # Database, files and counters agree: of the server that runs, and of its data alone.
        assert "nothing is wrong" in server.root.run(binary(), "fsck").out
        root = server.root
        server.stop()
        assert "nothing is wrong" in root.run(binary(), "fsck", "--data", server.data).out
        server.start()
