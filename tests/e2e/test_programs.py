"""A program that a test starts shows what it said when something is wrong; one of ours that starts
at once is as one that Python starts.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

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


async def test_what_it_imports_is_compiled_once_whatever_the_environment_says() -> None:
    ended = await ran(sys.executable, "-c", "import sys; print(sys.dont_write_bytecode)")
    assert ended.output == "False\n"


# Started at once.

LOOKS = """
import asyncio, json, os, signal, sys, time
told = {
    "name": __name__,
    "arguments": sys.argv[1:],
    "path": sys.path[0],
    "folder": os.getcwd(),
    "environ": {k: v for k, v in os.environ.items() if k not in ("LC_CTYPE", "_")},
    "zone": time.tzname[0],
    "group": os.getpgid(0) == os.getsid(0) == os.getpid(),
    "descriptors": sorted(os.listdir("/dev/fd")),
    "streams": [
        (s.encoding, s.errors, s.line_buffering, s.isatty())
        for s in (sys.stdin, sys.stdout, sys.stderr)
    ],
    "signals": [str(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGCHLD, signal.SIGTERM)],
    "given": sys.stdin.read(),
    "loop": asyncio._get_running_loop() is None,
}
print(json.dumps(told))
print("news", file=sys.stderr)
sys.exit(3)
"""


async def test_one_that_starts_at_once_finds_what_it_would_find_otherwise(tmp_path: Path) -> None:
    script = tmp_path / "looks.py"
    script.write_text(LOOKS)
    how: dict[str, Any] = {
        "code": 3, "given": "wörds".encode(), "folder": tmp_path, "environ": {"TZ": "Asia/Tokyo"},
    }  # fmt: skip
    by_hand = await ran(sys.executable, "-W", "error", script, "a", "ü", **how)
    at_once = await ran(script, "a", "ü", at_once=True, **how)
    assert json.loads(at_once.output) == json.loads(by_hand.output)
    assert at_once.errors == by_hand.errors == "news\n"


@pytest.mark.parametrize(
    "ending",
    [
        "sys.exit('words')",
        "raise RuntimeError('oh')",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "os.kill(os.getpid(), signal.SIGTERM)",
        "os.kill(os.getpid(), signal.SIGINT)",
        "atexit.register(print, 'last')",
        "open('/dev/null')",
        "threading.Thread(target=lambda: (time.sleep(0.05), print('late'))).start()",
    ],
)
async def test_one_that_starts_at_once_ends_as_it_would_otherwise(
    tmp_path: Path, ending: str
) -> None:
    script = tmp_path / "ends.py"
    script.write_text(f"import atexit, os, signal, sys, threading, time\nprint('out')\n{ending}\n")
    by_hand = await ran(sys.executable, "-W", "error", script, code=None)
    at_once = await ran(script, code=None, at_once=True)
    assert (at_once.code, at_once.output) == (by_hand.code, by_hand.output)
    assert by_hand.errors.splitlines()[-1:] == at_once.errors.splitlines()[-1:]


async def test_one_that_starts_at_once_is_killed_and_its_place_is_free(tmp_path: Path) -> None:
    script = tmp_path / "holds.py"
    script.write_text("import time; print('held', flush=True); time.sleep(3600)")
    async with running(script, at_once=True) as process:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"held\n"
        process.kill()
        assert await process.wait() == -9
        assert str(process.pid) not in os.listdir("/proc")
        with pytest.raises(ProcessLookupError):
            process.terminate()


async def test_those_that_start_at_once_end_with_the_tests() -> None:
    tests = """
import asyncio
from pathlib import Path
from tests.support.process import running
async def main():
    async with running("rhtmx_server", "--port", "0", at_once=True) as process:
        await process.stdout.readline()
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
