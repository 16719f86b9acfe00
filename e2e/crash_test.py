"""Crashes, round after round: `cargo xtask crash-test [--rounds N] [--seed S] [--power | --faults]`.

Clients push, retag, mount, push again and delete; a lifecycle policy expires, and the collection deletes layers. Then the
server is gone: by SIGKILL at some moment, or by itself at a named step of a write (`crates/crash-points`). With `--power` the
machine's memory is gone too: the data lie on a disk image of their own, and the server goes on from a copy of what had
reached that image (file system ext4, whose journal is written by nobody but a sync in this time).

After each start each acknowledged image is pulled whole, each acknowledged deletion is still one, and what was on its way is
there whole or not at all. `berth fsck` finds nothing but files that no row names, which the collection removes later.

With `--faults` the server goes on, and its disk fails: it is full, it cannot be changed, a sync, a write, a rename or a read
fails, or no file can be opened any more (`berth/faults.py`), while the collection, a backup and a repair run too. Each request
is done or answered with a 503, what is stored can be read as far as the fault allows, and when it is over everything works
without a restart. A power cut follows now and then.
"""

import argparse
import collections
import pathlib
import random
import re
import shutil
import sys
import time

from berth import fault_rounds
from berth.faults import FAULTS
from berth.server import Server, binary
from berth.waiting import until
from berth.workload import REPOSITORIES, Client, LongUpload, check, gone_afterwards, storage, tidy

POINTS = pathlib.Path(__file__).parent.parent / "crates/crash-points/src/lib.rs"
CLIENTS = 4
#: How long a layer stays that no image needs.
COLLECT_AFTER_S = 3
#: A point that is not reached in this time is passed: the server is killed.
POINT_S_MAX = 3
#: The collection alone gets there, in its time.
SELDOM = {"object-removed": 20}
#: How often at most a point is passed before the one that counts.
PASSED_MAX = 12
#: Room for the layers that are held, and the long ones of the rounds between two collections.
DISK_BYTES = 2 << 30
#: `berth fsck` reads everything, so it does not follow each round.
ROUNDS_BETWEEN_CHECKS = 10
#: An even number: those rounds end at any moment.
ROUNDS_BETWEEN_LONG_UPLOADS = 6


def points():
    names = re.findall(r'^    \w+ = "([a-z-]+)",$', POINTS.read_text(), re.MULTILINE)
    assert names, "no crash points were found"
    return names


def one_round(server, registry, chance, point, held):
    """Lets clients work until the server is gone. Answers the clients, what is unsure, and whether the point was met."""
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
    unsure = {}
    for client in clients:
        unsure |= client.unsure
        held.update(client.held)
    return clients, unsure, met


def starts(server, point):
    """Starts the server; false where it ended at its point before it answered."""
    try:
        server.start()
    except AssertionError:
        if point and not server.is_running():
            return False
        raise
    return True


def collects(root):
    """Whether a collection was done; false where another one runs, which a crash cut off."""
    gc = root.run(binary(), "gc").seen()
    return gc.code == 0 or not gc.failed("CollectionInProgressException")


def run(rounds, seed, power):
    chance = random.Random(seed)
    names = points()
    done, met, finished, left_over = collections.Counter(), collections.Counter(), collections.Counter(), 0
    started = time.monotonic()
    options = ("--collect-after", str(COLLECT_AFTER_S))
    with storage(power, DISK_BYTES) as (folder, disk), gone_afterwards(Server(folder / "berth", *options)) as server:
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
            upload = None
            if starts(server, point):
                if number % ROUNDS_BETWEEN_LONG_UPLOADS == 0:
                    upload = LongUpload(registry, chance)
                    upload.start()
                clients, unsure, was_met = one_round(server, registry, chance, point, held)
            else:
                # Nothing is acknowledged before the server answers.
                clients, unsure, was_met = [], {}, True
            for client in clients:
                done += client.done
            if point:
                met[point] += was_met
            if disk:
                disk.lose_power()
            server.environment = {}
            server.start()
            check(registry, held, unsure)
            for client in clients:
                client.give_up_upload()
            if upload:
                upload.join()
                finished["long uploads"] += 1
                finished["of them continued"] += upload.finish()
            if number % ROUNDS_BETWEEN_CHECKS == ROUNDS_BETWEEN_CHECKS - 1 or number == rounds - 1:
                server.stop()
                left_over += tidy(server)
                server.start()
                # The servers between two crashes seldom live long enough for it.
                until(lambda: collects(server.root), "the collection does not end")
                used = f", {shutil.disk_usage(folder).used >> 20} MiB of its disk used" if disk else ""
                print(f"round {number + 1}: {sum(done.values())} steps, {sum(1 for image in held.values() if image)} images held{used}", flush=True)
        server.stop()
    seconds = round(time.monotonic() - started)
    print(f"{rounds} rounds, seed {seed}{', lost power' if power else ''}: 0 losses in {sum(done.values())} acknowledged steps, {seconds} s")
    print("steps: " + ", ".join(f"{name} {count}" for name, count in sorted(done.items())))
    print("ended at: " + ", ".join(f"{name} {met[name]}" for name in names))
    print(", ".join(f"{what} {count}" for what, count in finished.items()) + f", files that no row named: {left_over}")
    # A harness that met nothing has shown nothing.
    missing = [name for name in names if not met[name]] if rounds >= 4 * len(names) else []
    assert not missing, f"no round ended at {missing}"
    assert finished["of them continued"] or rounds < 100, "no long upload was continued"
    assert done["push"] >= rounds // 2, f"only {done['push']} images were pushed"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--power", action="store_true", help="lose power too; needs root, for a loop device")
    parser.add_argument("--faults", action="store_true", help="the disk fails, and the server goes on; needs root and strace")
    parser.add_argument("--only", choices=FAULTS, help="this kind of fault alone")
    given = parser.parse_args()
    try:
        if given.faults:
            kinds = [given.only] if given.only else list(FAULTS)
            names = [kinds[number % len(kinds)] for number in range(given.rounds)]
            fault_rounds.run(names, given.seed, lambda line: print(line, flush=True))
        else:
            run(given.rounds, given.seed, given.power)
    except BaseException:
        print(f"failed: seed {given.seed}", file=sys.stderr)
        raise


if __name__ == "__main__":
    main()
