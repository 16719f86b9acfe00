"""Layers of any size that are never whole anywhere but in the registry: made while they are sent, compared while they come."""

import hashlib
import secrets
import socket

_BLOCK = 1 << 20


class Layer:
    """Blocks of the same random bytes, each with its number in front: no two blocks are the same, none is empty."""

    def __init__(self, size):
        self.size = size
        self._block = secrets.token_bytes(_BLOCK)
        sha256 = hashlib.sha256()
        for piece in self.pieces():
            sha256.update(piece)
        self.digest = f"sha256:{sha256.hexdigest()}"

    def pieces(self, start=0, end=None):
        """The bytes from `start` up to `end`, each piece good until the next one is asked for."""
        end = self.size if end is None else end
        block = bytearray(self._block)
        while start < end:
            number, skipped = divmod(start, _BLOCK)
            block[:8] = number.to_bytes(8, "big")
            taken = min(_BLOCK - skipped, end - start)
            yield memoryview(block)[skipped:skipped + taken]
            start += taken

    def send(self, registry, method, place, start=0, end=None, cut_at=None, headers=None):
        """One request with a part of the layer. With `cut_at` the connection breaks there. Answers the status, if one came."""
        end = self.size if end is None else end
        connection = registry.connect()
        try:
            connection.putrequest(method, place)
            sent = {"Authorization": registry.login, "Content-Length": str(end - start)} | (headers or {})
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders()
            try:
                for piece in self.pieces(start, end if cut_at is None else cut_at):
                    connection.send(piece)
            except (BrokenPipeError, ConnectionResetError):
                # The server has answered early and hung up; its answer may be lost.
                return None
            if cut_at is not None:
                return None
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def receive(self, registry, path, start=0, end=None, cut_at=None, sha256=None):
        """Pulls a part by a range, the whole without one; compares each byte, and answers how many came before `cut_at`."""
        end = self.size if end is None else end
        connection = registry.connect()
        try:
            is_whole = (start, end) == (0, self.size)
            headers = {"Authorization": registry.login} | ({} if is_whole else {"Range": f"bytes={start}-{end - 1}"})
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            assert answer.status == (200 if is_whole else 206), answer.read()
            assert int(answer.headers["Content-Length"]) == end - start
            if not is_whole:
                assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{self.size}"
            at, got = start, memoryview(bytearray(_BLOCK))
            for piece in self.pieces(start, end if cut_at is None else cut_at):
                length = 0
                while length < len(piece):
                    count = answer.readinto(got[length:len(piece)])
                    assert count, f"the answer ended after {at + length - start} of {end - start} bytes"
                    length += count
                assert got[:length] == piece, f"other bytes come back at {at}"
                if sha256 is not None:
                    sha256.update(piece)
                at += length
            return at - start
        finally:
            if connection.sock is not None and cut_at is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()
