"""Facts about `rhtmx.grpc.client`."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import pytest

import rhtmx
from rhtmx.api.client import Client
from rhtmx.grpc.client import Backend
from tests.support.process import run
from tests.unit.rhtmx.grpc.fake import Fake, backend_to

SHARED = ("push", "delete", "push_fields", "validate_field", "validate_form", "sync", "sync_fields")


@pytest.mark.parametrize("name", SHARED)
def test_it_feels_like_the_client_of_the_socket(name: str) -> None:
    """Same names, same arguments in the same order; what is added is by name only."""
    ours = inspect.signature(getattr(Backend, name)).parameters
    theirs = dict(inspect.signature(getattr(Client, name)).parameters)
    theirs.pop("live", None)  # an answer to a call is one answer
    theirs.pop("on_progress", None)  # a call does not say how far its log reaches
    assert [each for each in ours if each in theirs] == list(theirs)
    assert [ours[each].kind for each in theirs] == [each.kind for each in theirs.values()]
    added = set(ours) - set(theirs)
    assert {ours[each].kind for each in added} <= {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize(
    ("ours", "theirs"), [("watch", "changes"), ("watch_fields", "field_changes")]
)
def test_watch_takes_what_changes_takes(ours: str, theirs: str) -> None:
    mine = inspect.signature(getattr(Backend, ours)).parameters
    assert list(mine.values()) == list(
        inspect.signature(getattr(Client, theirs)).parameters.values()
    )


async def test_it_knows_its_id(fake: Fake) -> None:
    async with backend_to(fake, client_id="cafe") as trackers:
        assert trackers.client_id == "cafe"
    async with backend_to(fake) as trackers:
        assert trackers.client_id is None


def test_the_client_of_the_socket_does_not_load_it() -> None:
    code = "import sys, rhtmx; rhtmx.connect; print([m for m in sys.modules if 'rhtmx.grpc' in m])"
    root = Path(rhtmx.__file__).parents[1]
    out = run(sys.executable, "-c", code, folder=root)
    assert out.output.strip() == "[]"


def test_it_does_not_load_the_client_of_the_socket() -> None:
    code = "import sys, rhtmx; rhtmx.backend; print([m for m in sys.modules if 'websockets' in m])"
    root = Path(rhtmx.__file__).parents[1]
    out = run(sys.executable, "-c", code, folder=root)
    assert out.output.strip() == "[]"
