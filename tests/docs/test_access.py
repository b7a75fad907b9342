"""The cases on the page about access are so."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import rhtmx_server
from rhtmx_server import App, Config, Grant, Request, RhtmxError, access
from rhtmx_server.access.rules import MOST_PARTS
from tests.docs.markdown import blocks, page, programs, rows
from tests.support.process import ran
from tests.support.sockets import raw

PAGE = page("docs/access.md")
CASES = {row["I want"]: row["I write"].strip("`") for row in rows(PAGE, "I want", "I write")}
PROJECTS = {"ada": ["apollo"]}
GRANTS = {
    "ada": Grant("ada", claims={"team": "red", "teams": ["red", "pink"]}),
    "eve": Grant("eve", claims={"team": "red", "teams": []}, roles={"lead"}),
    "clerk": Grant("bob", roles={"clerk", "editor"}),
    "billing": Grant("billing", roles={"backend"}),
    "guest": Grant(""),
}
ALL = frozenset(GRANTS)


@dataclass(frozen=True)
class Case:
    """What a case has to come to.

    Args:
        entity: that is declared.
        records: by their ids, as the program writes them.
        reads: of each record, who reads it.
        writes: (id, data, who may): one after the other, with the program's record before each.
    """

    entity: str
    records: dict[str, Any]
    reads: dict[str, Any]
    writes: Sequence[tuple[str, Any, Any]]


MINE, EVES = {"customer": "ada"}, {"customer": "eve"}
RED, PINK = {"team": "red"}, {"team": "pink"}
EXPECTED: dict[str, Case] = {
    "each customer to see": Case(
        "orders",
        {"1": MINE},
        {"1": {"ada"}},
        [("1", MINE, {"ada"}), ("1", EVES, set()), ("2", EVES, {"eve"}), ("1", None, {"ada"})],
    ),
    "the same, and clerks": Case(
        "orders",
        {"1": MINE},
        {"1": {"ada", "clerk"}},
        [("1", MINE, {"ada", "clerk"}), ("1", EVES, {"clerk"}), ("1", None, {"ada", "clerk"})],
    ),
    "each team to have": Case(
        "tasks",
        {"1": RED, "2": PINK, "3": {}},
        {"1": {"ada"}, "2": {"ada"}, "3": set()},
        [
            ("1", RED, {"ada"}),
            ("1", PINK, {"ada"}),
            ("4", {"team": "blue"}, set()),
            ("4", {}, set()),
        ],
    ),
    "everybody to read, backends": Case(
        "prices", {"1": {}}, {"1": ALL}, [("1", {}, {"billing"}), ("1", None, {"billing"})]
    ),
    "everybody to read what is published": Case(
        "posts",
        {"1": {"status": "published"}, "2": {"status": "draft"}},
        {"1": ALL, "2": {"clerk"}},
        [("1", {"status": "draft"}, {"clerk"}), ("2", None, {"clerk"})],
    ),
    "members of a team": Case(
        "plans",
        {"1": RED, "2": PINK},
        {"1": {"ada", "eve"}, "2": set()},
        [("1", RED, {"eve"}), ("1", PINK, set()), ("2", RED, set()), ("1", None, {"eve"})],
    ),
    "users to add": Case(
        "votes",
        {"1": {"voter": "ada"}},
        {"1": {"ada"}},
        [
            ("1", {"voter": "ada"}, set()),
            ("2", {"voter": "ada"}, {"ada"}),
            ("1", None, set()),
        ],
    ),
    "everybody who is signed in": Case(
        "notes",
        {"1": {}},
        {"1": ALL - {"guest"}},
        [("1", {}, ALL - {"guest"}), ("1", None, ALL - {"guest"})],
    ),
    "only the program": Case(
        "news", {"1": {}}, {"1": ALL}, [("1", {}, set()), ("2", {}, set()), ("1", None, set())]
    ),
    "who reads what to come": Case(
        "docs",
        {"1": {"project": "apollo"}, "2": {"project": "gemini"}},
        {"1": {"ada"}, "2": set()},
        [("1", {"project": "apollo"}, {"ada"}), ("2", {"project": "apollo"}, set())],
    ),
    "a field that only": Case(
        "accounts",
        {"1": {"limit": 5}},
        {"1": ALL - {"guest"}},
        [("1", {"limit": 5, "name": "x"}, ALL - {"guest"}), ("1", {"limit": 6}, {"clerk"})],
    ),
}


def case_of(want: str) -> Case:
    (found,) = (case for begins, case in EXPECTED.items() if want.startswith(begins))
    return found


def app_of(written: str) -> App:
    """The app of one case."""

    async def authenticate(request: Request) -> Grant:
        return GRANTS[request.token]

    app = App(store="memory://", config=Config(port=0), authenticate=authenticate, undeclared=True)
    names = {**vars(rhtmx_server), **vars(access), "Any": Any, "app": app, "PROJECTS": PROJECTS}
    functions = next(block.text for block in blocks(PAGE) if block.language == "python")
    exec("from __future__ import annotations\n" + functions, names)
    exec(written, names)
    return app


def test_there_are_twelve_cases() -> None:
    assert len(CASES) == len(EXPECTED) + 1 == 12


ENTITIES = [want for want in CASES if not want.startswith("a form")]


@pytest.mark.parametrize("want", ENTITIES)
async def test_each_reads_what_the_page_says(want: str) -> None:
    case, app = case_of(want), app_of(CASES[want])
    async with app:
        services = app._running.services
        read: dict[str, set[str]] = {entity_id: set() for entity_id in case.records}
        for name, who in GRANTS.items():
            scope: Any = frozenset()
            with contextlib.suppress(RhtmxError):
                scope = await services.access.readable(case.entity, who)
            for entity_id, data in case.records.items():
                parts = services.access.parts_of(case.entity, json.dumps(data).encode())
                if scope is None or scope & parts:
                    read[entity_id].add(name)
    assert read == case.reads


@pytest.mark.parametrize("want", ENTITIES)
async def test_each_writes_what_the_page_says(want: str) -> None:
    case, app = case_of(want), app_of(CASES[want])
    async with app:
        for entity_id, data, who_may in case.writes:
            allowed = set()
            for name in GRANTS:
                await app.changes.delete(case.entity, entity_id)
                if entity_id in case.records:
                    await app.changes.push(case.entity, entity_id, case.records[entity_id])
                if await writes(app, name, case.entity, entity_id, data):
                    allowed.add(name)
            assert allowed == set(who_may), f"{entity_id} {data}"


async def writes(app: App, name: str, entity: str, entity_id: str, data: Any) -> bool:
    """Whether something is written when somebody pushes this."""
    before = await app.changes.get(entity, entity_id)
    action = "delete" if data is None else "update"
    push = {"type": "push", "entity": entity, "entity_id": entity_id, "action": action}
    async with raw(app.url) as client:
        await client.ask({"type": "hello", "token": name}, "welcome")
        await client.send({**push, "data": data})
        answer = await client.until_that(lambda m: m["type"] in ("push_ack", "error"))
    assert answer.get("code") in (None, "forbidden", "invalid")
    return (await app.changes.get(entity, entity_id)) != before


async def test_a_form_is_for_those_who_are_signed_in() -> None:
    (written,) = (code for want, code in CASES.items() if want.startswith("a form"))
    app = app_of(written)
    app.form("signup").field("email")
    question = {"type": "validate_field", "request_id": "1", "form": "signup", "field": "email"}
    async with app:
        for name, answer in (("ada", "validation_result"), ("guest", "error")):
            async with raw(app.url) as client:
                await client.ask({"type": "hello", "token": name}, "welcome")
                await client.ask({**question, "value": "x"}, answer)


async def test_the_program_with_checks_prints_what_is_shown(tmp_path: Path) -> None:
    ((name, (source, output)),) = programs(PAGE).items()
    (tmp_path / name).write_text(source)
    assert (await ran(sys.executable, "-W", "error", name, folder=tmp_path)).output == output


def test_the_figures_are_those_of_the_code() -> None:
    assert f"at most {MOST_PARTS:,} parts" in PAGE
    assert "at most 255 bytes" in PAGE
