"""Tests of an application of yours: its server in memory, real clients, and a clock to move.

For pytest: `pytest_plugins = ["rhtmx_server.testing"]` in `conftest.py`, or `-p
rhtmx_server.testing` among its options. Then there are the fixtures `rhtmx_app`, `rhtmx_client` and
`rhtmx_clock`; `docs/guides/testing.md` shows how they are used. Elsewhere: `AppUnderTest`.
"""

from rhtmx_server.testing.app_failures import AppFailed, Expectation
from rhtmx_server.testing.app_under_test import AppUnderTest, ManualClock
from rhtmx_server.testing.memory_client import MemoryClient
from rhtmx_server.testing.network import Network
from rhtmx_server.testing.plugin import *  # noqa: F403 (pytest looks for fixtures and hooks here)
from rhtmx_server.testing.plugin import ClientFactory

__all__ = [
    "AppFailed",
    "AppUnderTest",
    "ClientFactory",
    "Expectation",
    "ManualClock",
    "MemoryClient",
    "Network",
]
