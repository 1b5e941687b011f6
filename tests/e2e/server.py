"""The real server as processes, to be killed and started again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0  # seconds, before a start or an end that does not come is a failure
STEP = 0.01  # seconds between two looks
DEADLY = "tests.e2e.deadly:app"  # a server that can be told where to die
DIE_AT = "die_at"  # the file that tells it one of these
PLACES = ("before_begin", "amid_writes", "before_commit", "after_commit")
Launch = Callable[[Sequence[str], Mapping[str, str], Path], "Leader"]


class ServerError(Exception):
    """The server did not start, or did not end."""


class Leader:
    """The process that leads a server's group. Forked by another one, it leaves nothing to be waited for."""

    def __init__(self, pid: int, child: "subprocess.Popen[bytes] | None" = None) -> None:
        self.pid, self._child = pid, child

    def alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """Kill the whole group, and see its leader end."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        until(lambda: not self.alive(), "the server did not end")


def execute(arguments: Sequence[str], environ: Mapping[str, str], log: Path) -> Leader:
    """Start a server by the command that `server.serve.serve` becomes."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Leader(child.pid, child)


@dataclass
class Nursery:
    """Starts servers in no time; see `tests.e2e.nursery`."""

    process: "subprocess.Popen[str]"

    def __call__(self, arguments: Sequence[str], environ: Mapping[str, str], log: Path) -> Leader:
        """Start a server as `execute` does, but with everything imported already."""
        order = {"arguments": list(arguments), "environ": dict(environ), "log": str(log)}
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return Leader(int(self.process.stdout.readline()))


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A nursery for as long as it is wanted."""
    command = [sys.executable, "-m", "tests.e2e.nursery"]
    with subprocess.Popen(
        command, cwd=ROOT, env=clean(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Nursery(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(PATIENCE)


@dataclass
class Server:
    """A server on a port of its own. Use it as a context: its processes end with it, whatever happens.

    `entry` is the WSGI application that gunicorn is told to serve; `jobs`: whether it runs the scheduled ones.
    """

    data: Path
    database_url: str
    entry: str = "wsgi:app"
    jobs: bool = False
    port: int = field(init=False)

    def __enter__(self) -> "Server":
        self.log = self.data / "server.log"
        self._leader: Leader | None = None
        # Bound and never listening, it keeps the port from everybody else while the server is down.
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._port.bind(("127.0.0.1", 0))
        self.port = self._port.getsockname()[1]
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        self._port.close()
        if error[0] is not None:
            print(self.said())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, launch: Launch = execute) -> None:
        """Start the server, and wait until it answers. Raises `ServerError` with its log."""
        assert self._leader is None
        arguments = ["gunicorn", "-c", "config/gunicorn.py", "--bind", f"127.0.0.1:{self.port}", self.entry]
        own = {
            "TOAM_DATA": str(self.data),
            "TOAM_DATABASE_URL": self.database_url,
            "TOAM_SCHEDULER": str(int(self.jobs)),
        }
        self._leader = leader = launch(arguments, clean() | own, self.log)
        until(lambda: self.answers() or not leader.alive(), lambda: f"no answer\n{self.said()}")
        if not leader.alive():
            raise ServerError(f"it ended at once\n{self.said()}")

    def kill(self) -> None:
        """Kill all its processes with SIGKILL; when this returns, nobody listens."""
        leader, self._leader = self._leader, None
        if leader is not None:
            leader.kill()
            until(lambda: not self._listens(), "somebody goes on listening")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all its processes."""
        assert self._leader is not None
        os.killpg(self._leader.pid, number)

    def leads(self, pid: int) -> bool:
        """Whether a process is one of this server's."""
        return self._leader is not None and os.getpgid(pid) == self._leader.pid

    def restart(self, launch: Launch = execute) -> None:
        """Kill it and start it again on the same port."""
        self.kill()
        self.start(launch)

    def die_at(self, place: str) -> None:
        """Let the process that comes first to this place of its next transaction kill itself there."""
        assert self.entry == DEADLY
        (self.data / DIE_AT).write_text(place)

    def answers(self) -> bool:
        """Whether a worker answers; it need not like the question."""
        try:
            return requests.get(f"{self.url}/api/v1/sync/config", timeout=PATIENCE).status_code == 401
        except requests.RequestException:
            return False

    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except (ConnectionRefusedError, ConnectionResetError):
            return False
        return True


def clean() -> dict[str, str]:
    """The environment of the tests without what is meant for a server or for a command of `flask`."""
    return {name: v for name, v in os.environ.items() if not name.startswith(("TOAM_", "FLASK_"))}


def until(done: Callable[[], bool], what: str | Callable[[], str]) -> None:
    """Wait until something is so. Raises `ServerError` if it never is."""
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            raise ServerError(what if isinstance(what, str) else what())
        time.sleep(STEP)
