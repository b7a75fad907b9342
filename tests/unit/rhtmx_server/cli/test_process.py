"""Facts about `rhtmx_server.cli.process`."""

from __future__ import annotations

import asyncio
import errno
import gc
import io
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator

import pytest
import uvloop

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.declaration_error import DeclarationError
from rhtmx_server.cli.process import COLLECT_AFTER, complain, run
from rhtmx_server.config import Config


class FakeApp:
    """An app that does what a test wants when it is served."""

    def __init__(self, body: Callable[[], object] = lambda: None, **settings: object) -> None:
        self.config = Config(**settings)  # type: ignore[arg-type]
        self.stopped = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self._body = body

    def configure(
        self, config: Config, *, store: str | None = None, bus: str | None = None
    ) -> None:
        self.config = config

    async def serve(self, *, ready: Callable[[str], None] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        assert ready is not None
        ready("ws://127.0.0.1:3000/api/ws")
        self._body()
        try:
            await self.loop.create_future()
        finally:
            self.stopped = True


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The process's signal handlers, put back as they were."""
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def send(which: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), which)


def failing(failure: Exception) -> Callable[[], object]:
    def fail() -> object:
        raise failure

    return fail


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(which: signal.Signals) -> None:
    app = FakeApp(send(which))
    assert run(app) == 0
    assert app.stopped


def test_after_the_first_signal_the_next_one_ends_the_process() -> None:
    run(FakeApp(send(signal.SIGTERM)))
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


def test_when_ready_it_prints_exactly_one_line_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Output(io.StringIO):
        flushed = ""

        def flush(self) -> None:
            self.flushed = self.getvalue()

    output = Output()
    monkeypatch.setattr(sys, "stdout", output)
    run(FakeApp(send(signal.SIGTERM)))
    assert output.flushed == "ready ws://127.0.0.1:3000/api/ws\n"


def test_it_runs_on_uvloop() -> None:
    app = FakeApp(send(signal.SIGTERM))
    run(app)
    assert isinstance(app.loop, uvloop.Loop)


def test_while_it_runs_python_looks_for_garbage_less_often() -> None:
    seen = []

    def look() -> None:
        seen.append(gc.get_threshold())
        send(signal.SIGTERM)()

    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    run(FakeApp(look))
    assert seen == [(COLLECT_AFTER, *before[1:])]
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, frozen)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (
            RhtmxError(ErrorCode.STORAGE_FAILED, "app.db is no database"),
            "app.db is no database",
        ),
        (
            OSError(errno.EADDRINUSE, "address already in use"),
            "port 80 on localhost is in use: stop what uses it, or take another one with --port "
            "or Config(port=…) (0 takes a free one)",
        ),
        (
            OSError(errno.EADDRNOTAVAIL, "cannot assign requested address"),
            "this machine has no address localhost: choose another one "
            "with --host or Config(host=…)",
        ),
        (
            PermissionError(errno.EACCES, "permission denied"),
            "port 80 may not be used by this user: take one from 1024 on with --port "
            "or Config(port=…)",
        ),
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "the host 'localhost' is not known: choose another one with --host or Config(host=…)",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/var/app.db"),
            "/var/app.db: Permission denied",
        ),
        (OSError("something else"), "something else"),
        (DeclarationError("entity 'a': read=…"), "entity 'a': read=…"),
    ],
)
def test_what_is_wrong_outside_or_with_a_declaration_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], failure: Exception, words: str
) -> None:
    app = FakeApp(failing(failure), host="localhost", port=80)
    assert run(app) == 1
    assert capsys.readouterr().err == f"error: {words}\n"


@pytest.mark.parametrize("bug", [ZeroDivisionError("by zero"), ValueError("not this one")])
def test_a_bug_is_not_dressed_up(bug: Exception) -> None:
    with pytest.raises(type(bug)):
        run(FakeApp(failing(bug)))


def test_a_cancellation_from_within_is_not_taken_for_a_stop() -> None:
    with pytest.raises(asyncio.CancelledError):
        run(FakeApp(failing_with_cancellation))


def failing_with_cancellation() -> None:
    raise asyncio.CancelledError


def test_a_log_that_the_program_set_up_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    own: list[logging.Handler] = [logging.NullHandler()]
    monkeypatch.setattr(logging.getLogger(), "handlers", own)
    run(FakeApp(send(signal.SIGTERM)))
    assert logging.getLogger().handlers == own


def test_without_one_the_log_is_as_configured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)

    def log_and_stop() -> None:
        logging.getLogger("rhtmx_server").warning("hello")
        os.kill(os.getpid(), signal.SIGTERM)

    run(FakeApp(log_and_stop, log_format="json"))
    assert '"message": "hello"' in capsys.readouterr().err


def test_a_complaint_is_one_line_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert complain("a\nb\x1b[31m", 2) == 2
    assert capsys.readouterr().err == "error: a\\nb\\x1b[31m\n"
