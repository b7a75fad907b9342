"""The hostile side as a process: `python -m benchmarks.support.hostile NAME PORT PATH GRPC`.

Makes what it will send, says `ready`, begins at the first line that it is told, and goes
on until SIGTERM; then it says what it has done.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from benchmarks.support.hostile.aim import Aim
from benchmarks.support.hostile.patterns import OURS
from benchmarks.support.processes import be_the_load

NICENESS = 10
"""It gives way to the client beside it, with which it shares a core."""


def main() -> None:
    name, port, path, grpc = sys.argv[1:]
    aim = Aim(int(port), path, int(grpc), _wait)

    def end(number: int, frame: FrameType | None) -> None:
        tally = aim.tally
        os.write(1, f"{tally.sent} {tally.opened} {tally.cut}\n".encode())
        os._exit(0)  # whatever it is in the middle of: its sockets go with it

    signal.signal(signal.SIGTERM, end)
    be_the_load()
    os.nice(NICENESS)
    OURS[name](aim)


def _wait() -> None:
    os.write(1, b"ready\n")
    sys.stdin.readline()


main()
