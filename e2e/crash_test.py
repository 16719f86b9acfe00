"""Crashes, round after round: `cargo xtask crash-test [--rounds N] [--seed S] [--power]`.

Clients push, retag, mount, push again and delete; a lifecycle policy expires, and the collection deletes layers. Then the
server is gone: by SIGKILL at some moment, or by itself at a named step of a write (`crates/crash-points`). With `--power` the
machine's memory is gone too: the data lie on a disk image of their own, and the server goes on from a copy of what had
reached that image (file system ext4, whose journal is written by nobody but a sync in this time).

After each start each acknowledged image is pulled whole, each acknowledged deletion is still one, and what was on its way is
there whole or not at all. `berth fsck` finds nothing but files that no row names, which the collection removes later.
"""

import argparse
import collections
import contextlib
import http.client
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from berth import images
from berth.raw import with_query
from berth.server import Server, binary

POINTS = pathlib.Path(__file__).parent.parent / "crates/crash-points/src/lib.rs"
REPOSITORIES = ["crash/one", "crash/two"]
CLIENTS = 4
#: Images that the lifecycle policy keeps of those that it may expire.
KEPT = 3
#: How long a layer stays that no image needs.
COLLECT_AFTER_S = 3
#: A point that is not reached in this time is passed: the server is killed.
POINT_S_MAX = 3
#: The collection alone gets there, in its time.
SELDOM = {"object-removed": 20}
#: How often at most a point is passed before the one that counts.
PASSED_MAX = 12
#: `berth fsck` reads everything, so it does not follow each round.
ROUNDS_BETWEEN_CHECKS = 10
DISK_BYTES = 400 << 20
ANY = {"Accept": "*/*"}
#: What may be left of a write that nobody was told of.
LEFT_OVER = {"UNKNOWN_FILE"}
GONE = (OSError, http.client.HTTPException)


class Client(threading.Thread):
    """Does one thing after another with tags of its own, until the server is gone."""

    def __init__(self, registry, root, number, seed, held):
        super().__init__(daemon=True)
        self.registry, self.root, self.number = registry, root, number
        self.chance = random.Random(seed)
        #: (repository, tag): the acknowledged image, or None for an acknowledged deletion.
        self.held = held
        #: (repository, tag): all that may be there, since no answer came.
        self.unsure = {}
        self.done = collections.Counter()
        self.failure = None

    def run(self):
        try:
            while True:
                self.step()
        except GONE:
            return
        except BaseException as failure:  # told by the main thread
            self.failure = failure

    def step(self):
        there = [at for at, image in self.held.items() if image]
        things = [self.push] * 4 + ([self.again, self.retag, self.mount, self.untag, self.delete, self.expire] if there else [])
        thing = self.chance.choice(things)
        thing(there)
        self.done[thing.__name__] += 1

    def changes(self, at, image):
        """From now on until `was_told`, the tag may be as it was or as it shall be."""
        self.unsure[at] = [self.held.get(at), image]

    def was_told(self, at, image):
        self.held[at] = image
        del self.unsure[at]

    def place(self):
        return self.chance.choice(REPOSITORIES), f"c{self.number}-{self.chance.randrange(12)}"

    def put(self, at, image):
        self.changes(at, image)
        self.registry.put_manifest(*at, image.manifest).expect(201)
        self.was_told(at, image)

    def send(self, repository, blob):
        place = self.registry.start_upload(repository)
        if self.chance.random() < 0.5:
            half = len(blob) // 2
            place = self.registry("PATCH", place, blob[:half]).expect(202).location
            blob, digest = blob[half:], images.digest(blob)
        else:
            digest = images.digest(blob)
        self.registry("PUT", with_query(place, digest=digest), blob).expect(201)

    def push(self, _, at=None, image=None):
        at = at or self.place()
        image = image or images.Image(layer_bytes=self.chance.choice([100, 20_000, 300_000]))
        for blob in image.blobs:
            self.send(at[0], blob)
        self.put(at, image)

    def again(self, there):
        """The same image, perhaps just after its deletion: its layers may be on their way out."""
        at = self.chance.choice(there)
        image = self.held[at]
        if self.chance.random() < 0.7:
            self.delete([at])
        self.push(there, at, image)

    def retag(self, there):
        (repository, _), image = (at := self.chance.choice(there)), self.held[at]
        self.put((repository, self.place()[1]), image)

    def mount(self, there):
        (source, tag), image = (at := self.chance.choice(there)), self.held[at]
        target = next(name for name in REPOSITORIES if name != source)
        for blob in image.blobs:
            query = with_query(f"/v2/{target}/blobs/uploads/", mount=images.digest(blob), **{"from": source})
            answer = self.registry("POST", query).expect(201, 202)
            if answer.status == 202:
                self.registry("PUT", with_query(answer.location, digest=images.digest(blob)), blob).expect(201)
        self.put((target, tag), image)

    def untag(self, there):
        at = self.chance.choice(there)
        self.changes(at, None)
        self.registry("DELETE", f"/v2/{at[0]}/manifests/{at[1]}").expect(202)
        self.was_told(at, None)

    def delete(self, there):
        """The image with all its tags in the repository."""
        repository, image = (at := self.chance.choice(there))[0], self.held[at]
        same = [other for other, held in self.held.items() if held and other[0] == repository and held.digest == image.digest]
        for other in same:
            self.changes(other, None)
        self.registry("DELETE", f"/v2/{repository}/manifests/{image.digest}").expect(202)
        for other in same:
            self.was_told(other, None)

    def expire(self, there):
        """One more image that the policy may expire at any time, and a reason to run it."""
        repository, image = self.chance.choice(REPOSITORIES), self.held[self.chance.choice(there)]
        for blob in image.blobs:
            self.send(repository, blob)
        fresh = dict(json.loads(image.manifest), annotations={"old": str(self.chance.random())})
        self.registry.put_manifest(repository, f"old-{self.number}-{self.chance.randrange(1000)}", json.dumps(fresh).encode()).expect(201)
        selection = {"tagStatus": "tagged", "tagPatternList": ["old-*"], "countType": "imageCountMoreThan", "countNumber": KEPT}
        rules = [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]
        body = json.dumps({"repositoryName": repository, "lifecyclePolicyText": json.dumps({"rules": rules})}).encode()
        target = "AmazonEC2ContainerRegistry_V20150921.PutLifecyclePolicy"
        self.registry.aws(self.root, "ecr", body, target).expect(200)


class Disk:
    """A folder that loses its power: what was not synced is gone."""

    def __init__(self, folder):
        self.folder, self.path = folder, folder / "disk"
        self.count = 0
        self.path.mkdir()
        image = self.image()
        with image.open("wb") as file:
            file.truncate(DISK_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        self.mount()

    def image(self):
        return self.folder / f"disk-{self.count}.img"

    def mount(self):
        # The journal is written when somebody syncs, and not by itself.
        subprocess.run(["mount", "-o", "loop,commit=600", self.image(), self.path], check=True)

    def unmount(self):
        subprocess.run(["umount", self.path], check=True)

    def lose_power(self):
        """What the image has at this moment is all that is left. To be called while nobody writes."""
        old = self.image()
        self.count += 1
        subprocess.run(["cp", "--sparse=always", old, self.image()], check=True)
        self.unmount()
        old.unlink()
        self.mount()


@contextlib.contextmanager
def storage(power):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-crash-"))
    disk = None
    try:
        disk = Disk(folder) if power else None
        yield (disk.path if disk else folder), disk
    finally:
        if disk:
            subprocess.run(["umount", disk.path], check=False)
        shutil.rmtree(folder)


def points():
    names = re.findall(r'^    \w+ = "([a-z-]+)",$', POINTS.read_text(), re.MULTILINE)
    assert names, "no crash points were found"
    return names


def look(registry, at):
    """The image behind a tag, which must be whole; None where there is none."""
    repository, tag = at
    got = registry("GET", f"/v2/{repository}/manifests/{tag}", headers=ANY).expect(200, 404)
    return None if got.status == 404 else got.body


def check(registry, held, unsure):
    """What was acknowledged holds; `held` is afterwards what is there."""
    for at, choices in unsure.items():
        found = look(registry, at)
        match = [image for image in choices if found == (image.manifest if image else None)]
        assert match, f"{at} is neither as it was nor as it was to be: {found!r}"
        held[at] = match[0]
    for at, image in held.items():
        found = look(registry, at)
        assert found == (image.manifest if image else None), f"{at}: acknowledged {image and image.digest}, found {found!r}"
        if image:
            registry.pull(at[0], image)
    # Tags of nobody: at least whole.
    for repository in REPOSITORIES:
        for tag in registry("GET", f"/v2/{repository}/tags/list?n=1000").expect(200).json["tags"] or []:
            found = tag.startswith("old-") and look(registry, (repository, tag))
            for blob in [json.loads(found)["config"], *json.loads(found)["layers"]] if found else []:
                answer = registry("GET", f"/v2/{repository}/blobs/{blob['digest']}").expect(200, 404)
                # It may have expired since it was listed.
                if answer.status == 404:
                    assert look(registry, (repository, tag)) != found, f"{repository}:{tag} lacks {blob['digest']}"
                else:
                    assert images.digest(answer.body) == blob["digest"]


def fsck(server):
    """Nothing is wrong with the data of the stopped server. Answers how many files nobody names."""
    command = [binary(), "fsck", "--data", server.data, "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 3), f"berth fsck ended with {done.returncode}: {done.stdout}{done.stderr}"
    found = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    kinds = collections.Counter(one["kind"] for one in found if "kind" in one)
    assert kinds.keys() <= LEFT_OVER, f"berth fsck: {done.stdout}"
    assert done.returncode == (3 if kinds else 0), done.stdout
    return sum(kinds.values())


def one_round(server, registry, chance, point, held):
    """Lets clients work until the server is gone. Answers what they did, what is unsure, and whether the point was met."""
    clients = []
    for number in range(CLIENTS):
        own = {at: image for at, image in held.items() if at[1].startswith(f"c{number}-")}
        clients.append(Client(registry, server.root, number, chance.random(), own))
    for client in clients:
        client.start()
    if point:
        deadline = time.monotonic() + SELDOM.get(point, POINT_S_MAX)
        while server.is_running() and time.monotonic() < deadline:
            time.sleep(0.01)
    else:
        time.sleep(chance.uniform(0.05, 0.9))
    met = not server.is_running()
    server.kill()
    for client in clients:
        client.join()
    for client in clients:
        if client.failure:
            raise client.failure
    done, unsure = collections.Counter(), {}
    for client in clients:
        done += client.done
        unsure |= client.unsure
        held.update(client.held)
    return done, unsure, met


def run(rounds, seed, power):
    chance = random.Random(seed)
    names = points()
    done, met, left_over = collections.Counter(), collections.Counter(), 0
    started = time.monotonic()
    with storage(power) as (folder, disk):
        server = Server(folder / "berth", "--collect-after", str(COLLECT_AFTER_S))
        server.start()
        for repository in REPOSITORIES:
            server.root.create_repository(repository)
        # The first collection of a new database waits for another job for a minute; this one does not.
        server.root.run(binary(), "gc").ok()
        # One login for all: it outlives the crashes too.
        registry = server.root.raw()
        held = {}
        for number in range(rounds):
            # Every second round ends at a point.
            point = names[(number // 2) % len(names)] if number % 2 else None
            server.stop()
            server.environment = {"BERTH_CRASH_POINT": f"{point}:{chance.randint(1, 2 if point in SELDOM else PASSED_MAX)}"} if point else {}
            try:
                server.start()
                did, unsure, was_met = one_round(server, registry, chance, point, held)
            except AssertionError:
                # A point of the start itself, in which nothing is acknowledged.
                if not point or server.is_running():
                    raise
                did, unsure, was_met = {}, {}, True
            done.update(did)
            if point:
                met[point] += was_met
            if disk:
                disk.lose_power()
            server.environment = {}
            server.start()
            check(registry, held, unsure)
            if number % ROUNDS_BETWEEN_CHECKS == ROUNDS_BETWEEN_CHECKS - 1 or number == rounds - 1:
                server.stop()
                left_over += fsck(server)
                server.start()
                print(f"round {number + 1}: {sum(done.values())} steps, {sum(1 for image in held.values() if image)} images held", flush=True)
        server.stop()
    seconds = round(time.monotonic() - started)
    print(f"{rounds} rounds, seed {seed}{', lost power' if power else ''}: 0 losses in {sum(done.values())} acknowledged steps, {seconds} s")
    print("steps: " + ", ".join(f"{name} {count}" for name, count in sorted(done.items())))
    print("ended at: " + ", ".join(f"{name} {met[name]}" for name in names))
    print(f"files that no row named: {left_over}")
    # A harness that met nothing has shown nothing.
    missing = [name for name in names if not met[name]] if rounds >= 4 * len(names) else []
    assert not missing, f"no round ended at {missing}"
    assert done["push"] >= rounds // 2, f"only {done['push']} images were pushed"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--power", action="store_true", help="lose power too; needs root, for a loop device")
    given = parser.parse_args()
    try:
        run(given.rounds, given.seed, given.power)
    except BaseException:
        print(f"failed: seed {given.seed}", file=sys.stderr)
        raise


if __name__ == "__main__":
    main()
