"""Every dependency has its reason."""

from __future__ import annotations

import re
import tomllib
from itertools import chain

from rhtmx_server.config import Config
from rhtmx_server.stores.sqlite.placement import SLOW
from rhtmx_server.transports import websocket
from tests.docs.markdown import ROOT, page, prose

FOLDER = ROOT / "docs" / "decisions"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
PAGE = "\n".join(each.read_text(encoding="utf-8") for each in PAGES)
PROJECT = tomllib.loads(page("pyproject.toml"))


def name(requirement: str) -> str:
    match = re.match(r"[\w-]+", requirement)
    assert match is not None
    return match[0]


def test_every_runtime_dependency_has_an_entry_and_nothing_else_has() -> None:
    project = PROJECT["project"]
    needed = chain(project["dependencies"], *project["optional-dependencies"].values())
    entries = re.findall(r"^# `([\w-]+)`$", PAGE, re.MULTILINE)
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


def test_every_decision_has_its_number_its_date_and_what_would_change_it() -> None:
    assert [int(each.name[:4]) for each in PAGES] == list(range(1, len(PAGES) + 1))
    for each in PAGES:
        text = each.read_text(encoding="utf-8")
        assert re.match(r"# .+\n\nDecided \d{4}-\d\d-\d\d\.\n\n", text), each.name
        assert re.search(r"^What would make us change .+: \S", text, re.MULTILINE), each.name


def test_every_decision_is_listed_with_its_title() -> None:
    listed = re.findall(r"^- \[(.+)\]\(([\w-]+\.md)\)$", page("docs/decisions/README.md"), re.M)
    titles = {each.name: each.read_text(encoding="utf-8").split("\n", 1)[0] for each in PAGES}
    assert {name: f"# {title}" for title, name in listed} == titles
