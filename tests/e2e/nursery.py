"""A process that has imported everything and compiled the forms, and forks servers from itself.

Most of a server's start is imports; a server that is killed every second has no time for them. What is forked runs
gunicorn's own main function with the command line and the environment that the real command would have had.

It reads one JSON object a line, {"arguments", "environ", "log"}, and answers with the id of the server's process.
When its input ends it kills every server that is left, and ends.
"""

import importlib
import json
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

import server.world

WANTED = ("gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "psycopg", "server.app", "server.serve")


def main() -> None:
    for name in WANTED:
        importlib.import_module(name)
    catalogue = server.world.load_catalogue()
    server.world.load_catalogue = lambda folder=None: catalogue
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that a dead server leaves nothing behind
    groups: list[int] = []
    try:
        for line in sys.stdin:
            groups.append(_fork(**json.loads(line)))
            print(groups[-1], flush=True)
    finally:
        for group in groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)


def _fork(arguments: list[str], environ: dict[str, str], log: str) -> int:
    pid = os.fork()
    if pid == 0:
        _become(arguments, environ, log)
    with suppress(PermissionError):  # whoever comes first, parent or child, makes the group
        os.setpgid(pid, pid)
    return pid


def _become(arguments: list[str], environ: dict[str, str], log: str) -> NoReturn:
    """Be the server, in a process group of its own."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(source, stream)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = arguments
    status = 1
    try:
        importlib.import_module("gunicorn.app.wsgiapp").run()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        os._exit(status)  # nothing of the parent's is tidied up here


if __name__ == "__main__":
    main()
