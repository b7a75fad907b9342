"""Facts about `rhtmx_server.program.author`."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from rhtmx_server import App, ErrorCode, Grant, RhtmxError
from rhtmx_server.lifecycle import Lifecycle
from rhtmx_server.program import author
from rhtmx_server.program.author import Authors


async def test_what_a_subject_writes_has_one_author_whom_the_history_names(app: App) -> None:
    notes = app.collection("notes", who=Grant("ada"))
    await notes.set("1", {"text": "a"})
    await app.collection("notes", who=Grant("ada", roles={"clerk"})).patch("1", {"text": "b"})
    await app.collection("notes", who=Grant("bob")).patch("1", {"by": "bob"})
    history = await notes.history("1")
    assert [each.subject for each in history] == ["bob", "ada", "ada"]
    ids = [each.client_id for each in history]
    assert ids[0] != ids[1] == ids[2]
    blame = await notes.blame("1")
    assert {name: each.subject for name, each in blame.items()} == {"text": "ada", "by": "bob"}


async def test_the_id_of_a_subject_is_of_no_use_to_others(app: App) -> None:
    notes = app.collection("notes", who=Grant("ada"))
    await notes.set("1", {"text": "a"})
    (commit,) = await notes.history("1")
    with pytest.raises(RhtmxError) as caught:
        async with app.transaction(who=Grant("bob"), client_id=commit.client_id) as both:
            both.set("notes", "1", {"text": "b"})
    assert caught.value.code is ErrorCode.CLIENT_ID_TAKEN


async def test_a_guest_and_the_program_itself_have_no_name(app: App) -> None:
    await app.collection("notes", who=Grant("")).set("1", {"text": "a"})
    await app.collection("notes").patch("1", {"text": "b"})
    history = await app.collection("notes").history("1")
    assert [(each.client_id, each.subject) for each in history] == [(None, None)] * 2


def test_of_more_subjects_than_are_kept_the_oldest_gets_another_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(author, "_MOST_KEPT", 2)
    numbers = itertools.count()
    authors = Authors(Lifecycle(), lambda: str(next(numbers)))
    for subject in ("ada", "bob", "ada", "cleo", "bob", "ada"):
        authors.of(Grant(subject))
    assert next(numbers) == 4


@pytest.mark.parametrize("who", ["ada", {"subject": "ada"}, 7, ""])
def test_a_name_is_no_grant(who: Any) -> None:
    with pytest.raises(TypeError, match="who: a Grant expected, which says what somebody may do"):
        App(store="memory://").collection("notes", who=who)


async def test_who_has_no_time_left_neither_reads_nor_writes(app: App) -> None:
    notes = app.collection("notes", who=Grant("ada", expires=10**15))
    for call in (notes.get("1"), notes.all(), notes.set("1", {}), anext(notes.changes())):
        with pytest.raises(RhtmxError, match="expired") as caught:
            await call
        assert caught.value.code is ErrorCode.UNAUTHENTICATED
