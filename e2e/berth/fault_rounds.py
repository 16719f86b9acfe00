"""Rounds of faults: clients go on while a disk fails, and afterwards, without a restart, everything works and nothing is lost."""

import base64
import collections
import json
import random
import threading
import time

from . import faults, images
from .raw import Raw
from .server import Server, binary
from .workload import GONE, REPOSITORIES, Client, check, fsck, gone_afterwards, look, storage

CLIENTS = 3
COLLECT_AFTER_S = 3
#: Room for layers of 40 MiB, those of a backup, and what waits for the collection.
DISK_BYTES = 1 << 30
#: What every client has tried when a fault ends.
TRIED = 8
#: A fault that lets nobody try that much ends.
FAULT_S_MAX = 6
#: What every client does, one after the other, when it is over.
AFTERWARDS = 5
RECOVERY_S_MAX = 30
#: What a job is given that failed several times: each time it waits longer.
JOBS_S_MAX = 240
#: An AWS error's type, and an OCI error's code.
TOLD = {"ServiceUnavailable", "ServiceUnavailableException", "UNAVAILABLE"}
BUSY = {"CollectionInProgressException", "BackupInProgressException", "IntegrityCheckInProgressException"}


class Refused(Exception):
    """A clear answer that the server cannot do this now."""


class Tolerant(Raw):
    """Tells the server's failures apart from everything else."""

    def __call__(self, method, path, *arguments, **named):
        answer = super().__call__(method, path, *arguments, **named)
        if answer.status >= 500:
            told = answer.json
            code = told["errors"][0]["code"] if "errors" in told else told["__type"].rpartition("#")[2]
            assert answer.status == 503 and code in TOLD, f"{method} {path}: {answer.status} {answer.body!r}"
            assert "errors" not in told or answer["Retry-After"], f"{method} {path}: {answer.headers}"
            raise Refused(f"{method} {code}")
        return answer


class Persistent(Client):
    """A client that goes on after a refusal, with another thing."""

    def __init__(self, *arguments, silent=False):
        super().__init__(*arguments)
        self.silent = silent
        self.ends = threading.Event()
        self.tried = 0
        self.in_a_row = 0
        self.refused = collections.Counter()

    def run(self):
        try:
            while not self.ends.is_set():
                try:
                    self.step()
                    self.in_a_row += 1
                except Refused as refused:
                    self.refused[str(refused)] += 1
                    self.in_a_row = 0
                except GONE:
                    if not self.silent:
                        raise
                    self.refused["no answer"] += 1
                    self.in_a_row = 0
                self.tried += 1
        except BaseException as failure:  # told by the main thread
            self.failure = failure

    def things(self, there):
        return [*super().things(there), self.push_by_ecr, *([self.work] if self.number == 0 else [])]

    def ecr(self, action, service="ecr", **members):
        target = {"ecr": "AmazonEC2ContainerRegistry_V20150921", "berth": "Berth_20261201"}[service]
        return self.registry.aws(self.root, service, json.dumps(members).encode(), f"{target}.{action}")

    def push_by_ecr(self, _):
        at, image = self.place(), images.Image(layer_bytes=20_000)
        name = {"repositoryName": at[0]}
        for blob in image.blobs:
            upload = self.ecr("InitiateLayerUpload", **name).expect(200).json["uploadId"]
            part = {"partFirstByte": 0, "partLastByte": len(blob) - 1, "layerPartBlob": base64.b64encode(blob).decode()}
            self.ecr("UploadLayerPart", uploadId=upload, **name, **part).expect(200)
            self.ecr("CompleteLayerUpload", uploadId=upload, layerDigests=[images.digest(blob)], **name).expect(200)
        self.changes(at, image)
        self.ecr("PutImage", imageManifest=image.manifest.decode(), imageTag=at[1], **name).expect(200)
        self.was_told(at, image)

    def work(self, _):
        """What reads and writes everything in the background."""
        for action, members in (("StartCollection", {}), ("StartBackup", {}), ("StartIntegrityCheck", {"repair": True})):
            answer = self.ecr(action, "berth", **members).expect(200, 400)
            assert answer.status == 200 or answer.json["__type"].rpartition("#")[2] in BUSY, answer.body


def _join(clients, held):
    for client in clients:
        client.ends.set()
    for client in clients:
        client.join()
    unsure = {}
    for client in clients:
        if client.failure:
            raise client.failure
        unsure |= client.unsure
        held.update(client.held)
    return unsure


def _clients(registry, root, chance, held, silent):
    clients = []
    for number in range(CLIENTS):
        own = {at: image for at, image in held.items() if at[1].startswith(f"c{number}-")}
        clients.append(Persistent(registry, root, number, chance.random(), own, silent=silent))
    for client in clients:
        client.start()
    return clients


def _until(condition, what, within_s):
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            assert what is None, what
            return
        time.sleep(0.02)


def _alive(clients):
    return all(client.is_alive() for client in clients)


def one_fault(server, registry, chance, name, folder, held, reads):
    """Clients work while the fault is there, and when it is over. Answers what was refused, and what was done."""
    fault = faults.FAULTS[name]
    before = server.pid
    with fault.of(server, folder, chance):
        clients = _clients(registry, server.root, chance, held, fault.silent)
        if fault.reads:
            for at, image in reads.items():
                assert look(server.root.raw(), at) == image.manifest
                server.root.raw().pull(at[0], image)
        _until(lambda: not _alive(clients) or min(client.tried for client in clients) >= TRIED, None, FAULT_S_MAX)
    _until(lambda: _ready(registry), f"{name}: the server does not notice that the fault is over", RECOVERY_S_MAX)
    for client in clients:
        client.in_a_row = 0
    _until(lambda: not _alive(clients) or min(client.in_a_row for client in clients) >= AFTERWARDS,
           f"{name}: clients are refused though the fault is over", RECOVERY_S_MAX)
    unsure = _join(clients, held)
    assert server.is_running() and server.pid == before
    check(server.root.raw(), held, unsure)
    refused, done = collections.Counter(), collections.Counter()
    for client in clients:
        refused += client.refused
        done += client.done
    return refused, done


def _completes(root, command):
    done = root.run(binary(), command).seen()
    return done.code == 0 and "COMPLETE" in done.text


def _ready(registry):
    return Raw.__call__(registry, "GET", "/readyz?for=write", login=False).status == 200


def run(names, seed, tell=print):
    """One fault after another on one server. Whatever the seed repeats, it does not repeat the interleaving."""
    chance = random.Random(seed)
    totals = collections.Counter()
    with storage(True, DISK_BYTES) as (folder, disk):
        # Its log and its clients' folders are elsewhere.
        server = Server(disk.folder / "berth", "--collect-after", str(COLLECT_AFTER_S), "--backup-dir", folder / "backups")
        server.data = folder / "data"
        with gone_afterwards(server):
            left = _rounds(server, disk, folder, names, chance, totals, tell)
    for name in set(names):
        assert totals[name], f"{name}: nothing was refused, so this has shown nothing"
    tell(f"{len(names)} faults, seed {seed}: 0 losses in {totals['done']} acknowledged steps, {totals['refused']} refusals; "
         f"files that no row named: {left}")


def _rounds(server, disk, folder, names, chance, totals, tell):
    is_long = len(names) > len(faults.FAULTS)
    server.start()
    root = server.root
    for repository in REPOSITORIES:
        root.create_repository(repository)
    if is_long:
        # The first collection of a new database waits for another job for a minute; those after it do not.
        root.run(binary(), "gc").ok()
    login = root.raw().login
    registry = Tolerant(server)
    registry.login = login
    held = {}
    reads = {("crash/one", f"read-{number}"): images.Image(layer_bytes=200_000) for number in range(2)}
    for at, image in reads.items():
        root.raw().push(*at, image).expect(201)
    for name in names:
        refused, done = one_fault(server, registry, chance, name, folder, held, reads)
        words = ", ".join(f"{what} {count}" for what, count in sorted(refused.items()))
        tell(f"{name}: done {sum(done.values())}, refused {sum(refused.values())} ({words})")
        totals["refused"] += sum(refused.values())
        totals["done"] += sum(done.values())
        totals[name] += sum(refused.values())
        # The disk fills up when a round wants it to. A backup that is just taken holds this up until the next round.
        root.run(binary(), "backup", "prune", "--from", folder / "backups", "--keep", "1").seen()
        if chance.random() < 0.3:
            # What was acknowledged meanwhile is on the disk.
            server.kill()
            disk.lose_power()
            server.start()
            check(root.raw(), held, {})
    for at, image in reads.items():
        root.raw().pull(at[0], image)
    if is_long:
        # What began while a fault was there is tried again until it is done.
        _until(lambda: _completes(root, "gc"), "the collection does not succeed", JOBS_S_MAX)
        _until(lambda: _completes(root, "backup"), "no backup is taken", JOBS_S_MAX)
    server.stop()
    return fsck(server)
