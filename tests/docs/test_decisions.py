"""Every dependency has its reason."""

from __future__ import annotations

import re
import tomllib
from itertools import chain

from rhtmx_server.config import Config
from rhtmx_server.stores.sqlite.placement import SLOW
from rhtmx_server.transports import websocket
from tests.docs.markdown import page, prose

PAGE = page("docs/decisions.md")
PROJECT = tomllib.loads(page("pyproject.toml"))


def name(requirement: str) -> str:
    match = re.match(r"[\w-]+", requirement)
    assert match is not None
    return match[0]


def test_every_runtime_dependency_has_an_entry_and_nothing_else_has() -> None:
    project = PROJECT["project"]
    needed = chain(project["dependencies"], *project["optional-dependencies"].values())
    entries = re.findall(r"^### `([\w-]+)`$", PAGE, re.MULTILINE)
    assert sorted(entries) == sorted({name(requirement) for requirement in needed})


def test_the_build_backend_has_a_reason() -> None:
    for requirement in PROJECT["build-system"]["requires"]:
        assert f"**{name(requirement)}**" in PAGE


def test_the_figures_are_those_of_the_code() -> None:
    text = " ".join(prose(PAGE).split())
    assert f"more than {SLOW * 1000:.0f} ms" in text
    assert f"{2**websocket._WINDOW_BITS // 1024} KiB window" in text
    assert f"Below {Config().deflate_threshold // 1024} KiB" in text
    assert Config().bad_messages == 10
