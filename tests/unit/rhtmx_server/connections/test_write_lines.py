"""Facts about `rhtmx_server.connections.write_lines`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.access import Access
from rhtmx_server.access.entity import Entity
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.parts import Part, Partitions
from rhtmx_server.connections.write_lines import WriteLines
from rhtmx_server.model import NOWHERE, Mutation
from tests.support.waiting import eventually
from tests.unit.rhtmx_server.fakes import push

ADA, EVE = Grant("ada"), Grant("eve")


class Door:
    """Lines before a committer that notes, and a program that answers when it is let."""

    def __init__(self) -> None:
        entity = Entity("docs")
        entity.divide(Partitions([["project"]]))
        access = Access({"docs": entity, "tasks": Entity("tasks")}, {"docs": self.ask})
        self.written: list[Mutation] = []
        self.asked: list[str] = []
        self.let = asyncio.Event()
        self.lines = WriteLines(access, self.written.append)

    async def ask(self, who: Grant) -> frozenset[Part]:
        self.asked.append(who.subject)
        await self.let.wait()
        if who.subject == "eve":
            raise RhtmxError(ErrorCode.FORBIDDEN, "not eve")
        return frozenset({Part.of({"project": who.subject})})

    def submit(
        self, entity_id: str, entity: str = "docs", who: Grant | None = ADA, source: Any = "s"
    ) -> Mutation:
        message = push(entity_id, entity=entity)
        mutation = Mutation(message, lambda _: None, who=who, source=source)
        self.lines.submit(mutation)
        return mutation

    @property
    def ids(self) -> list[str]:
        return [each.write.entity_id for each in self.written]

    async def wrote(self, count: int) -> None:
        await eventually(lambda: len(self.written) >= count)


@pytest.fixture
async def door() -> Door:
    return Door()


async def test_what_need_not_be_asked_is_handed_on_at_once(door: Door) -> None:
    door.submit("1", "tasks")
    door.submit("2", "docs", None)
    refused = Mutation(push("3", entity="docs"), lambda _: None, who=ADA)
    refused.rejection = RhtmxError(ErrorCode.BAD_MESSAGE, "no")
    door.lines.submit(refused)
    assert (door.ids, door.asked) == (["1", "2", "3"], [])


async def test_a_write_knows_what_its_author_reads(door: Door) -> None:
    mutation = door.submit("1")
    assert (door.written, mutation.reads) == ([], NOWHERE)
    door.let.set()
    await door.wrote(1)
    assert mutation.reads == frozenset({'{"project":"ada"}'})


async def test_the_order_of_a_source_is_kept_and_others_do_not_wait(door: Door) -> None:
    door.submit("1")
    door.submit("2", "tasks")
    door.submit("3", source="other", entity="tasks")
    door.submit("4")
    assert door.ids == ["3"]
    door.let.set()
    await door.wrote(4)
    assert door.ids == ["3", "1", "2", "4"]
    door.submit("5", "tasks")
    assert door.ids[-1] == "5", "nothing waits any more"


async def test_what_has_gathered_is_asked_for_together(door: Door) -> None:
    for number in range(5):
        door.submit(str(number))
    await asyncio.sleep(0)
    for number in range(5, 10):
        door.submit(str(number))
    door.let.set()
    await door.wrote(10)
    assert door.ids == [str(number) for number in range(10)]
    assert door.asked == ["ada", "ada"]


async def test_a_refusal_is_that_of_its_author_only(door: Door) -> None:
    door.let.set()
    refused, fine = door.submit("1", who=EVE), door.submit("2")
    await door.wrote(2)
    assert refused.rejection is not None
    assert (refused.rejection.message, refused.reads) == ("not eve", NOWHERE)
    assert fine.rejection is None
    assert not door.lines._lines


async def test_an_answer_of_before_a_change_is_no_answer_for_a_write_after_it(door: Door) -> None:
    door.submit("1", who=ADA)
    door.submit("2", who=EVE)
    door.submit("3", who=ADA)
    # What has gathered in a line is asked about together, and each of them once.
    first = asyncio.Event()
    door.let.set()
    submit = door.lines._submit

    def changing(mutation: Mutation) -> None:
        submit(mutation)
        if mutation.write.entity_id == "2":
            door.lines._access.changed("ada")
            first.set()

    door.lines._submit = changing
    await first.wait()
    await door.wrote(3)
    assert door.asked == ["ada", "eve", "ada"]
