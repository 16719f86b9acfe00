"""What rounds of crashes and of faults share: clients that push, retag, mount, push again and delete, a folder on a disk of its own,
and a look at what was acknowledged.
"""

import collections
import contextlib
import http.client
import json
import pathlib
import random
import secrets
import shutil
import subprocess
import tempfile
import threading

from . import images
from .raw import with_query
from .server import binary
from .waiting import until

REPOSITORIES = ["crash/one", "crash/two"]
#: Images that the lifecycle policy keeps of those that it may expire.
KEPT = 3
ANY = {"Accept": "*/*"}
#: How long layers are, and how often. The longest go past the page cache in part.
LAYERS = {100: 20, 20_000: 20, 300_000: 20, 40 << 20: 1}
#: What may be left of a write that nobody was told of.
LEFT_OVER = {"UNKNOWN_FILE"}
#: How often a disk is copied that changes meanwhile.
COPIES_MAX = 20
#: What is shown of a server's log when something failed.
LOG_LINES = 30
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
        #: The upload that is on its way.
        self.upload = None
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
        there = [at for at, image in self.held.items() if image and at not in self.unsure]
        thing = self.chance.choice(self.things(there))
        thing(there)
        self.done[thing.__name__] += 1

    def things(self, there):
        return [self.push] * 4 + ([self.again, self.retag, self.mount, self.untag, self.delete, self.expire] if there else [])

    def changes(self, at, image):
        """From now on until `was_told`, the tag may be as it was or as it shall be."""
        self.unsure[at] = [*self.unsure.get(at, [self.held.get(at)]), image]

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
        self.upload = place = self.registry.start_upload(repository)
        if self.chance.random() < 0.5:
            half = len(blob) // 2
            place = self.registry("PATCH", place, blob[:half]).expect(202).location
            blob, digest = blob[half:], images.digest(blob)
        else:
            digest = images.digest(blob)
        self.registry("PUT", with_query(place, digest=digest), blob).expect(201)
        self.upload = None

    def give_up_upload(self):
        """Else the server keeps a long one for a day, and many of them fill the disk."""
        if self.upload:
            self.registry("DELETE", self.upload).expect(204, 404)

    def push(self, _, at=None, image=None):
        at = at or self.place()
        image = image or images.Image(layer_bytes=self.chance.choices(*zip(*LAYERS.items()))[0])
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
        same = [other for other, held in self.held.items()
                if held and other not in self.unsure and other[0] == repository and held.digest == image.digest]
        for other, choices in self.unsure.items():
            if other[0] == repository and any(choice and choice.digest == image.digest for choice in choices):
                choices.append(None)
        for other in same:
            self.changes(other, None)
        self.registry("DELETE", f"/v2/{repository}/manifests/{image.digest}").expect(202)
        for other in same:
            self.was_told(other, None)

    def expire(self, there):
        """One more image that the policy may expire at any time, and a reason to run it. It expires those that lost their tag too,
        which would fill the disk in many rounds."""
        repository, image = self.chance.choice(REPOSITORIES), self.held[self.chance.choice(there)]
        for blob in image.blobs:
            self.send(repository, blob)
        fresh = dict(json.loads(image.manifest), annotations={"old": str(self.chance.random())})
        self.registry.put_manifest(repository, f"old-{self.number}-{self.chance.randrange(1000)}", json.dumps(fresh).encode()).expect(201)
        kinds = [{"tagStatus": "tagged", "tagPatternList": ["old-*"]}, {"tagStatus": "untagged"}]
        rules = [{"rulePriority": number, "selection": kind | {"countType": "imageCountMoreThan", "countNumber": KEPT},
                  "action": {"type": "expire"}} for number, kind in enumerate(kinds, 1)]
        body = json.dumps({"repositoryName": repository, "lifecyclePolicyText": json.dumps({"rules": rules})}).encode()
        target = "AmazonEC2ContainerRegistry_V20150921.PutLifecyclePolicy"
        self.registry.aws(self.root, "ecr", body, target).expect(200)


class LongUpload(threading.Thread):
    """A layer that is long enough to go past the page cache: sent until the server is gone, and continued afterwards."""

    BYTES = 64 << 20

    def __init__(self, registry, chance):
        super().__init__(daemon=True)
        self.registry = registry
        self.place = None
        #: How many bytes the server acknowledged.
        self.told = 0
        self.failure = None
        piece = chance.randbytes(1 << 20)
        self.content = secrets.token_bytes(1001) + piece * (self.BYTES >> 20)

    def run(self):
        try:
            self.place = self.registry.start_upload(REPOSITORIES[0])
            for at in range(0, len(self.content), self.BYTES // 4):
                part = self.content[at:at + self.BYTES // 4]
                self.registry("PATCH", self.place, part).expect(202)
                self.told = at + len(part)
        except GONE:
            pass
        except BaseException as failure:  # told by the main thread
            self.failure = failure

    def finish(self):
        """Goes on where the server says. Answers whether it knew the upload: its name is synced at the end alone."""
        if self.failure:
            raise self.failure
        if not self.place:
            return False
        status = self.registry("GET", self.place).expect(204, 404)
        if status.status == 404:
            return False
        last = int(status["Range"].removeprefix("0-"))
        begin = last + 1 if last else 0
        assert begin >= self.told, f"{self.told} bytes were acknowledged, and {begin} are there"
        rest = self.content[begin:]
        digest = images.digest(self.content)
        self.registry("PUT", with_query(self.place, digest=digest), rest).expect(201)
        blob = self.registry("GET", f"/v2/{REPOSITORIES[0]}/blobs/{digest}").expect(200)
        assert blob.body == self.content, "other bytes came back"
        return True


class Disk:
    """A folder on a disk of its own, which can lose its power: what was not synced is gone."""

    def __init__(self, folder, size=600 << 20):
        self.folder, self.path = folder, folder / "disk"
        self.count = 0
        self.path.mkdir()
        image = self.image()
        with image.open("wb") as file:
            file.truncate(size)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        self.mount()

    def image(self):
        return self.folder / f"disk-{self.count}.img"

    def mount(self):
        # The journal is written when somebody syncs, and not by itself. What is free has no place in the image, which
        # is copied often.
        subprocess.run(["mount", "-o", "loop,commit=600,discard", self.image(), self.path], check=True)

    def unmount(self):
        # Who looks at the disk keeps it for a moment.
        def is_free():
            return subprocess.run(["umount", self.path], capture_output=True).returncode == 0
        until(is_free, "the disk cannot be unmounted")

    def lose_power(self):
        """What the image has at this moment is all that is left. To be called while nobody writes."""
        old = self.image()
        self.count += 1
        for _ in range(COPIES_MAX):
            subprocess.run(["cp", "--sparse=always", old, self.image()], check=True)
            # The kernel may write what was dirty meanwhile. A copy of several moments is none that a power cut leaves.
            if subprocess.run(["cmp", "--silent", old, self.image()]).returncode == 0:
                break
            print("the disk was written while it was copied: once more", flush=True)
        else:
            raise AssertionError("the disk is written all the time")
        self.unmount()
        old.unlink()
        self.mount()


@contextlib.contextmanager
def storage(has_disk, size=600 << 20):
    """A folder, and the disk that it lies on where it has one of its own."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-crash-"))
    disk = None
    try:
        disk = Disk(folder, size) if has_disk else None
        yield (disk.path if disk else folder), disk
    finally:
        if disk:
            subprocess.run(["umount", disk.path], check=False)
        shutil.rmtree(folder)


@contextlib.contextmanager
def gone_afterwards(server):
    """A server that does not outlive a failure, so that its disk can be unmounted."""
    try:
        yield server
    except BaseException:
        print("\n".join(server.words().splitlines()[-LOG_LINES:]))
        raise
    finally:
        server.kill()


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


def fsck(server, *options):
    """Nothing is wrong with the data of the stopped server. Answers how many files nobody names."""
    command = [binary(), "fsck", "--data", server.data, "--output", "json", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 3), f"berth fsck ended with {done.returncode}: {done.stdout}{done.stderr}"
    found = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    kinds = collections.Counter(one["kind"] for one in found if "kind" in one)
    assert kinds.keys() <= LEFT_OVER, f"berth fsck: {done.stdout}"
    assert done.returncode == (3 if kinds else 0), done.stdout
    return sum(kinds.values())


def tidy(server):
    """Checks the data of the stopped server, and removes what would fill its disk in many rounds. Answers how many files nobody names.

    The collection removes such files too, but only when they are an hour old.
    """
    count = fsck(server)
    if count:
        assert fsck(server, "--repair") == count
        assert fsck(server) == 0
        shutil.rmtree(server.data / "blobs/quarantine")
    shutil.rmtree(server.data / "audit")
    return count
