"""A photo over real sockets that break at any byte, to a server that is killed meanwhile: it arrives whole, once."""

import socket
from random import Random
from urllib.parse import urlsplit

import pytest
import requests

from tests.api.conftest import Town
from tests.api.sender import OCTETS, TUS, checksum, coded, files, photo, sha256, stored
from tests.databases import DATABASES
from tests.e2e.server import Nursery, Server, until

CUTS = 6


def cut(real: Server, path: str, headers: dict[str, str], data: bytes, arriving: int) -> None:
    """Send the first bytes of a piece, and hang up."""
    lines = [f"{name}: {value}" for name, value in (headers | {"Content-Length": str(len(data))}).items()]
    head = "\r\n".join([f"PATCH {path} HTTP/1.1", "Host: server", *lines, "", ""])
    with socket.create_connection(("127.0.0.1", real.port)) as line:
        line.sendall(head.encode() + data[:arriving])
        line.shutdown(socket.SHUT_WR)
        while line.recv(1_000):
            pass


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_it_arrives_whatever_breaks(real: Server, town: Town, quick: Nursery) -> None:
    dice, data = Random(20261126), photo(400_000)
    access = {"Authorization": f"Bearer {town.tokens['u1']}"} | TUS
    real.start(quick)
    said = f"sha256 {coded(sha256(data))},sub {coded('uuid:1')}"
    promise = access | {"Upload-Length": str(len(data)), "Upload-Metadata": said}
    answer = requests.post(f"{real.url}/api/v1/media", headers=promise, timeout=60)
    assert answer.status_code == 201
    path = urlsplit(answer.headers["Location"]).path

    def stands() -> int:
        return int(requests.head(real.url + path, headers=access, timeout=60).headers["Upload-Offset"])

    at = 0
    for number in range(CUTS):
        piece = data[at : at + 60_000]
        arriving = dice.randrange(len(piece))
        headers = access | {"Content-Type": OCTETS, "Upload-Offset": str(at), "Upload-Checksum": checksum(piece)}
        cut(real, path, headers, piece, arriving)
        at += arriving
        until(lambda: stands() == at, "what came does not count")  # noqa: B023
        if number % 2:
            real.restart(quick)
            assert stands() == at
    headers = access | {"Content-Type": OCTETS, "Upload-Offset": str(at), "Upload-Checksum": checksum(data[at:])}
    last = requests.patch(real.url + path, data=data[at:], headers=headers, timeout=60)
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(data)))
    assert files(town) == stored(data)
    again = requests.post(f"{real.url}/api/v1/media", headers=promise, timeout=60)
    assert (again.status_code, again.headers["Upload-Offset"]) == (200, str(len(data)))
    assert '"level": "error"' not in real.said()
