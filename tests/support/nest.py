"""What starts our own programs at once: a process that has imported them, and forks.

    python -W error -m tests.support.nest 3

Reads requests from the socket whose descriptor it is given, see `Request`. Each makes a process
of its own: in a session of its own, with its own arguments, variables, folder and streams, and it
ends as Python ends. To import our packages takes ten times as long as to run most commands.

Knows fork(2) and what Python does when it starts. Must not know what is started.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import io
import os
import runpy
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["HEAD", "STATUS", "Request", "end_together"]

STATUS = 4
"""Bytes of a number that is told of a process: first its id, then its exit code."""

_PREPARED = ("rhtmx.cli", "rhtmx.api.client", "rhtmx_server.app", "rhtmx_server.cli")

HEAD = 4
"""Bytes that say how long a request is; the descriptors come with them."""


class Request(msgspec.Struct):
    """What is to be run; comes with its three streams and a socket for what is told of it.

    Attributes:
        program: a module as for `python -m`, or the path of a script.
        arguments: what it finds behind its name.
        environ: all of its variables.
        folder: where it runs.
    """

    program: str
    arguments: list[str]
    environ: dict[str, str]
    folder: str


def end_together() -> None:
    """Have this process end when the one does that has started it (prctl(2))."""
    if sys.platform == "linux":
        _LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


_LIBC = ctypes.CDLL(None)


class _Nest:
    """Forks what is asked for, and tells how each ends."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._telling: dict[int, socket.socket] = {}
        self._woken, waking = socket.socketpair()
        for each in (self._woken, waking):
            each.setblocking(False)
        self._waking = waking
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waking.fileno())

    def run(self) -> Callable[[], None] | None:
        """Work until nobody can ask any more.

        Returns:
            Nothing then. In a process that was forked: what it is to do.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self._requests, selectors.EVENT_READ, self._start)
            selector.register(self._woken, selectors.EVENT_READ, self._tell)
            while True:
                for key, _ in selector.select():
                    what, done = key.data()
                    if done:
                        return what  # type: ignore[no-any-return]

    def _start(self) -> tuple[Callable[[], None] | None, bool]:
        head, descriptors, _, _ = socket.recv_fds(self._requests, HEAD, 4)
        if not head:
            return None, True
        raw = self._requests.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
        *streams, telling = descriptors
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            os.close(telling)
            for mine in (self._requests, self._woken, self._waking, *self._telling.values()):
                mine.close()
            request = msgspec.json.decode(raw, type=Request)
            return lambda: _become(request, streams), True
        self._telling[pid] = told = socket.socket(fileno=telling)
        for each in streams:
            os.close(each)
        told.sendall(pid.to_bytes(STATUS, "big"))
        return None, False

    def _tell(self) -> tuple[None, bool]:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                code = os.waitstatus_to_exitcode(ended[1])
                with self._telling.pop(ended[0]) as told, contextlib.suppress(OSError):
                    told.sendall(code.to_bytes(STATUS, "big", signed=True))
        return None, False


def _become(request: Request, streams: list[int]) -> None:
    """Be the process that was asked for, as if Python had just started it."""
    os.setsid()
    end_together()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environ)
    time.tzset()
    unbuffered = bool(request.environ.get("PYTHONUNBUFFERED"))
    sys.stdin = _text(sys.stdin, 0, "r")
    sys.stdout, sys.stderr = [
        _text(each, number, "w", unbuffered) for number, each in ((1, sys.stdout), (2, sys.stderr))
    ]
    sys.argv = [request.program, *request.arguments]
    if request.program.endswith(".py"):
        sys.path[0] = str(Path(request.program).parent.resolve())
        runpy.run_path(request.program, run_name="__main__")
    else:
        sys.path[0] = request.folder
        runpy.run_module(request.program, run_name="__main__", alter_sys=True)


def _text(own: Any, descriptor: int, mode: str, unbuffered: bool = False) -> Any:
    """A standard stream as Python makes it, encoded as our own: it ends with the process."""
    raw: Any = open(descriptor, f"{mode}b", 0 if unbuffered else -1, closefd=False)  # noqa: SIM115
    lines = mode == "w" and not unbuffered and (descriptor == 2 or os.isatty(descriptor))
    return io.TextIOWrapper(
        raw, own.encoding, own.errors, line_buffering=lines, write_through=unbuffered
    )


def main() -> None:
    """Import what is used, and wait for requests."""
    end_together()
    requests = socket.socket(fileno=int(sys.argv[1]))
    for each in _PREPARED:
        importlib.import_module(each)
    gc.freeze()
    if (what := _Nest(requests).run()) is not None:
        what()


if __name__ == "__main__":
    main()
