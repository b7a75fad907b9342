"""A program that a test starts shows what it said when something is wrong."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.process import Ended, ran, run, running
from tests.support.waiting import eventually

SAYS = "import sys; print('err', file=sys.stderr); print('out', flush=True); "
FAILS = (sys.executable, "-c", SAYS + "sys.exit(3)")
HANGS = (sys.executable, "-c", SAYS + "import time; time.sleep(3600)")

Way = Callable[..., Awaitable[Ended]]


async def at_once(*command: str, **options: float) -> Ended:
    return run(*command, **options)  # type: ignore[arg-type]


ways = pytest.mark.parametrize("way", [at_once, ran])


@ways
async def test_one_that_fails(way: Way) -> None:
    with pytest.raises(AssertionError, match=r"(?s)ended with 3, and said:\nout\nerr\n"):
        await way(*FAILS)


@ways
async def test_one_that_does_not_end_in_time(way: Way) -> None:
    with pytest.raises(AssertionError, match=r"(?s)did not end in time, and said:\nout\nerr\n"):
        await way(*HANGS, patience=2.0)


@ways
async def test_one_whose_child_holds_its_output(way: Way) -> None:
    child = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()'], stdin=0); "
    command = (sys.executable, "-c", child + "import time; time.sleep(3600)")
    with pytest.raises(AssertionError, match="did not end in time"):
        await way(*command, patience=1.0)


async def test_one_beside_the_test(capsys: pytest.CaptureFixture[str]) -> None:
    async with running(*HANGS) as process:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"out\n"
    assert "was killed, and said:\nerr\n" in capsys.readouterr().err


async def test_one_that_outlives_the_tests_is_ended() -> None:
    tests = """
import asyncio, sys
from tests.support.waiting import eventually
from tests.support.process import running
async def main():
    async with running(sys.executable, "-c", "import time; time.sleep(3600)") as process:
        print(process.pid, flush=True)
        await asyncio.sleep(3600)
asyncio.run(main())
"""
    async with running(sys.executable, "-c", tests) as process:
        assert process.stdout is not None
        inner = int(await process.stdout.readline())
        process.kill()
        await process.wait()
        await eventually(lambda: not Path(f"/proc/{inner}/exe").exists())


async def test_the_settings_of_a_server_that_is_run_by_hand_do_not_reach_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RHTMX_PORT", "1")
    code = "import os; print(sorted(name for name in os.environ if name.startswith('RHTMX_')))"
    ended = await ran(sys.executable, "-c", code, environ={"RHTMX_HOST": "here"})
    assert ended.output == "['RHTMX_HOST']\n"
