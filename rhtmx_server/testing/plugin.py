"""The fixtures and hooks for pytest.

Knows pytest. Must not know how a server is made, nor any plugin for async tests: an async test is
a coroutine function, whoever runs it. Where nobody does, it is run here.

The server starts with the first client, or with the test, on the event loop of the test; and it is
stopped there when the test ends. So the test's function is wrapped: a fixture could not await.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from rhtmx_server.app import App
from rhtmx_server.cli.errors import CommandError
from rhtmx_server.cli.loading import load
from rhtmx_server.testing.app_failures import AppFailed
from rhtmx_server.testing.app_under_test import AppUnderTest, ManualClock
from rhtmx_server.testing.memory_client import ClientFactory

__all__ = [
    "pytest_addoption",
    "pytest_pyfunc_call",
    "pytest_runtest_call",
    "rhtmx_app",
    "rhtmx_client",
    "rhtmx_clock",
    "rhtmx_declared_app",
]

_OPTION = "rhtmx_app"

_RUNNING = pytest.StashKey[AppUnderTest]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option that names the app."""
    parser.addini(_OPTION, "the App that is tested, as module:attribute, such as shop.live:app")


@pytest.fixture
def rhtmx_declared_app(pytestconfig: pytest.Config) -> App:
    """The app as the application has declared it. Override it where an option is not enough.

    By default that which the option `rhtmx_app` names.
    """
    spec = str(pytestconfig.getini(_OPTION) or "")
    if not spec:
        raise _told(
            "rhtmx: which app is tested? Say it in pyproject.toml, under "
            '[tool.pytest.ini_options]: rhtmx_app = "shop.live:app"; or write a fixture '
            "rhtmx_declared_app that returns it"
        )
    try:
        return load(spec, App, pytestconfig.rootpath, named=f"the option {_OPTION}")
    except CommandError as error:
        raise _told(f"rhtmx: {error}") from None


@pytest.fixture
def rhtmx_app(request: pytest.FixtureRequest, rhtmx_declared_app: App) -> Iterator[AppUnderTest]:
    """The application's app, running in memory, empty at the begin of each test."""
    running = AppUnderTest(rhtmx_declared_app)
    request.node.stash[_RUNNING] = running
    yield running
    running.abandon()


@pytest.fixture
def rhtmx_client(rhtmx_app: AppUnderTest) -> ClientFactory:
    """What connects clients: call and await it. They are closed after the test."""
    return rhtmx_app.client


@pytest.fixture
def rhtmx_clock(rhtmx_app: AppUnderTest) -> ManualClock:
    """The clock of the server and its clients: it stands still until it is moved."""
    return rhtmx_app.clock


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Start and stop the server within the test."""
    running = item.stash.get(_RUNNING, None)
    if running is None or not isinstance(item, pytest.Function):
        return (yield)
    test = item.obj
    item.obj = _wrapped(test, running)
    try:
        return (yield)
    finally:
        item.obj = test


@pytest.hookimpl
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test that uses these fixtures, if no other plugin does."""
    if _RUNNING not in pyfuncitem.stash or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


def _wrapped(test: Callable[..., Any], running: AppUnderTest) -> Callable[..., Any]:
    @functools.wraps(test)
    async def in_loop(*arguments: Any, **named: Any) -> Any:
        __tracebackhide__ = True  # the frame says nothing of the test
        try:
            async with running:
                return await test(*arguments, **named)
        except AppFailed as failed:
            raise _told(failed) from None

    @functools.wraps(test)
    def plain(*arguments: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        try:
            with running.plain():
                return test(*arguments, **named)
        except AppFailed as failed:
            raise _told(failed) from None

    return in_loop if inspect.iscoroutinefunction(test) else plain


def _told(words: object) -> BaseException:
    """A failure whose words say all: pytest shows them without a traceback."""
    return pytest.fail.Exception(str(words), pytrace=False)
