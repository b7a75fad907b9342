"""Tests of an application of yours: its server in memory, real clients, and a clock to move.

For pytest: `pytest_plugins = ["rhtmx_server.testing"]` in `conftest.py`, or `-p
rhtmx_server.testing` among its options. Then there are the fixtures `rhtmx_app`, `rhtmx_client` and
`rhtmx_clock`; `docs/guides/testing.md` shows how they are used. Elsewhere: `AppUnderTest`.
"""

from rhtmx_server.testing.app_failures import AppFailed, Expectation
from rhtmx_server.testing.app_under_test import AppUnderTest, ManualClock
from rhtmx_server.testing.memory_client import ClientFactory, MemoryClient
from rhtmx_server.testing.network import Network

try:
    from rhtmx_server.testing.plugin import *  # noqa: F403 (pytest looks here for fixtures, hooks)
except ModuleNotFoundError as missing:
    if missing.name != "pytest":  # without it there is `AppUnderTest`
        raise

__all__ = [
    "AppFailed",
    "AppUnderTest",
    "ClientFactory",
    "Expectation",
    "ManualClock",
    "MemoryClient",
    "Network",
]
