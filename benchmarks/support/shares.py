"""A part of a core for a process, by the kernel's control groups.

Several servers on a machine with few cores have fewer than a core each, and then they stand for
machines: what more of them bring shows, as one alone is what is short, not the cores.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

PERIOD = 10_000
"""Microseconds in which a process has its part. Each wait would show the kernel's own, 100 ms."""

_GROUPS = Path("/sys/fs/cgroup")


@contextlib.contextmanager
def part_of_core(process: int, part: float) -> Iterator[None]:
    """Let a process have so much of a core and no more, until it ends.

    Args:
        process: its id.
        part: of a core, such as 0.2.

    Raises:
        OSError: this takes the rights of root, and the control group `cpu`.
    """
    old = _GROUPS / "cpu"
    group = (old if old.is_dir() else _GROUPS) / f"rhtmx-bench-{os.getpid()}-{process}"
    quota = int(PERIOD * part)
    group.mkdir()
    try:
        if old.is_dir():
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD}")
        (group / "cgroup.procs").write_text(str(process))
        yield
        home = (old if old.is_dir() else _GROUPS) / "cgroup.procs"
        home.write_text(str(process))
    finally:
        group.rmdir()


def can_be_given() -> bool:
    """Whether processes can be given parts of a core here."""
    try:
        with part_of_core(os.getpid(), 1):
            return True
    except OSError:
        return False
