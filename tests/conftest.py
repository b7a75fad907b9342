"""What all tests share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if sys.dont_write_bytecode:
    # As in many containers. Then each worker, and each program that a test starts, would compile
    # all that it imports: it takes longer than most of them run. It is kept out of the folders of
    # the sources, beside what pytest keeps.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

import pytest
from hypothesis import HealthCheck, settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As where a shell has put all of it into the background. Programs that tests start would not
    # hear a Ctrl-C either.
    signal.signal(signal.SIGINT, signal.default_int_handler)

if TYPE_CHECKING:
    from tests.support.pgbouncer import PgBouncer
    from tests.support.postgres import Postgres

# Cores are shared: how long an example takes says nothing about the code.
settings.register_profile(
    "shared", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=25
)
settings.register_profile("long", parent=settings.get_profile("shared"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "shared"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes a minute: one worker has it, the others do the rest meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder for what is made once for all workers of a run."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL, started when the first test of a worker asks for it."""
    from tests.support.postgres import running

    with running() as server:
        yield server


@pytest.fixture(scope="session")
def pgbouncer(postgres: Postgres) -> Iterator[PgBouncer]:
    """A PgBouncer before that PostgreSQL."""
    from tests.support import pgbouncer

    with pgbouncer.running(postgres) as pooler:
        yield pooler
