"""The hostile side, as the benchmark starts and ends it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.support.hostile.aim import Tally
from benchmarks.support.processes import ROOT


class Side:
    """A process that waits for the word to begin."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.tally = Tally()

    def begin(self) -> None:
        """Let it loose."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """Stop it; `tally` says what it has done.

        Raises:
            RuntimeError: it had ended by itself: a pattern goes on for ever.
        """
        self._process.terminate()
        output, _ = self._process.communicate()
        if self._process.returncode != 0:
            raise RuntimeError(f"the hostile side ended with {self._process.returncode}")
        self.tally = Tally(*map(int, output.split()))


@contextlib.contextmanager
def hostile(name: str, port: int, path: str, grpc: int) -> Iterator[Side]:
    """A process that is ready to do this pattern; ended at the end.

    Args:
        name: of the pattern.
        port: the server's, on this machine.
        path: of its WebSocket endpoint.
        grpc: port of its gRPC door; 0 if it has none.
    """
    path_ = os.pathsep.join([str(ROOT / "clients" / "python"), str(ROOT)])
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.support.hostile", name, str(port), path, str(grpc)],
        env={**os.environ, "PYTHONPATH": path_},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the hostile side did not start: {name}")
        yield Side(process)
    finally:
        process.kill()
        process.communicate()
