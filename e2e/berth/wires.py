"""Wires between two programs: a TCP proxy that cuts, slows down and changes what passes, and a network of one's own."""

import contextlib
import secrets
import socket
import subprocess
import threading
import time

_CHUNK = 64 * 1024


class Wire:
    """A port of its own in front of another one. What a story changes holds for the connections from then on."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.to = None  # (host, port)
        self.cut_after = None  # bytes of one connection to the server; then it breaks, once
        self.bytes_per_s = None  # towards the server, of each connection
        self.change = None  # towards the server: bytes -> bytes of the same length
        self.change_answer = None  # towards the client
        self.sent = 0
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.to, timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source, target, up):
        passed = 0
        with contextlib.suppress(OSError):
            while chunk := source.recv(_CHUNK):
                change = self.change if up else self.change_answer
                chunk = change(chunk) if change else chunk
                passed += len(chunk)
                if up and self.cut_after is not None and passed > self.cut_after:
                    self.cut_after, self.cuts = None, self.cuts + 1
                    break
                if up and self.bytes_per_s:
                    time.sleep(len(chunk) / self.bytes_per_s)
                target.sendall(chunk)
                self.sent += len(chunk) if up else 0
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Network:
    """A network namespace with a cable to this one; it needs root."""

    def __init__(self):
        # Short enough for an interface's name, and nobody else's.
        self.name = f"bw{secrets.token_hex(3)}"
        self.near, self.far = f"{self.name}a", f"{self.name}b"
        # Of the block for benchmarks (RFC 2544): no test machine is there.
        part = secrets.randbelow(250)
        self.here, self.there = f"198.18.{part}.1", f"198.18.{part}.2"

    def __enter__(self):
        try:
            _ip("netns", "add", self.name)
            _ip("link", "add", self.near, "type", "veth", "peer", "name", self.far)
            _ip("link", "set", self.far, "netns", self.name)
            _ip("addr", "add", f"{self.here}/30", "dev", self.near)
            _ip("-n", self.name, "addr", "add", f"{self.there}/30", "dev", self.far)
            _ip("-n", self.name, "link", "set", "lo", "up")
            _ip("-n", self.name, "link", "set", self.far, "up")
            self.plug()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "link", "delete", self.near], capture_output=True)
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)

    def slow(self, rate):
        """What goes to the other end goes at this rate: `16mbit`."""
        subprocess.run(["tc", "qdisc", "replace", "dev", self.near, "root", "tbf", "rate", rate, "burst", "128kbit",
                        "latency", "400ms"], check=True, capture_output=True)

    def fast(self):
        """What `slow` began is over."""
        subprocess.run(["tc", "qdisc", "delete", "dev", self.near, "root"], check=True, capture_output=True)

    def plug(self):
        _ip("link", "set", self.near, "up")

    def unplug(self):
        _ip("link", "set", self.near, "down")


def _ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
