"""The roster: whoever reads it, however often, ends with its members."""

from __future__ import annotations

import random

import pytest

from rhtmx.messages import RoomMember
from rhtmx_server.rooms.roster import FRESH, MOST_LEFT, PAGE_BYTES, Roster


class Reader:
    """Somebody who applies what they are told."""

    def __init__(self) -> None:
        self.sent = FRESH
        self.members: dict[str, RoomMember] = {}
        self.resets = 0

    def read(self, roster: Roster) -> bool:
        """Take one page; returns whether there is more."""
        page = roster.page(self.sent)
        if page.reset:
            self.resets += 1
            self.members.clear()
        self.members |= {each.id: each for each in page.members}
        for each in page.left:
            self.members.pop(each, None)
        self.sent = page.upto
        return page.more


def ids(roster: Roster, sent: int = FRESH) -> list[str]:
    return [each.id for each in roster.page(sent).members]


def test_a_fresh_reader_is_told_all_members_and_nobody_who_left() -> None:
    roster = Roster()
    for name in "abc":
        roster.show(RoomMember(name))
    roster.hide("b")
    page = roster.page(FRESH)
    assert ([each.id for each in page.members], page.left, page.reset) == (["a", "c"], [], True)


def test_a_fresh_reader_of_an_empty_room_is_told_that_it_is_empty() -> None:
    page = Roster().page(FRESH)
    assert (page.reset, page.members, page.upto, page.more) == (True, [], 0, False)


def test_who_has_got_some_is_told_what_came_after_it() -> None:
    roster = Roster()
    roster.show(RoomMember("a"))
    roster.show(RoomMember("b"))
    sent = roster.page(FRESH).upto
    roster.show(RoomMember("a", state=b"1"))
    roster.hide("b")
    page = roster.page(sent)
    assert (page.members, page.left) == ([RoomMember("a", state=b"1")], ["b"])
    assert (page.reset, page.upto) == (False, roster.version)


def test_many_changes_of_a_member_are_told_as_one() -> None:
    roster = Roster()
    for number in range(100):
        roster.show(RoomMember("a", state=b"%d" % number))
    assert roster.page(FRESH).members == [RoomMember("a", state=b"99")]


def test_what_is_the_same_is_no_change() -> None:
    roster = Roster()
    assert roster.show(RoomMember("a", "ada", b"1"))
    assert not roster.show(RoomMember("a", "ada", b"1"))
    assert not roster.hide("b")
    assert roster.version == 1


def test_one_who_comes_back_has_not_left() -> None:
    roster = Roster()
    roster.show(RoomMember("a"))
    sent = roster.page(FRESH).upto
    roster.hide("a")
    roster.show(RoomMember("a"))
    page = roster.page(sent)
    assert ([each.id for each in page.members], page.left) == (["a"], [])


def test_much_is_told_in_several_messages_of_bounded_size() -> None:
    roster, reader = Roster(), Reader()
    state = b'"' + b"x" * 4000 + b'"'
    for number in range(50):
        roster.show(RoomMember(str(number), state=state))
    pages = 1
    while reader.read(roster):
        pages += 1
    assert pages >= 50 * 4000 // PAGE_BYTES
    assert len(reader.members) == 50
    assert reader.resets == 1


def test_one_who_leaves_while_others_are_still_told_is_told_to_have_left() -> None:
    roster, reader = Roster(), Reader()
    state = b'"' + b"x" * 4000 + b'"'
    for number in range(20):
        roster.show(RoomMember(str(number), state=state))
    assert reader.read(roster)
    roster.hide("0")
    while reader.read(roster):
        pass
    assert sorted(reader.members, key=int) == [str(number) for number in range(1, 20)]


def test_of_those_who_left_long_ago_nothing_is_kept_and_their_readers_begin_anew() -> None:
    roster, reader = Roster(), Reader()
    roster.show(RoomMember("a"))
    reader.read(roster)
    for number in range(MOST_LEFT + 2):
        roster.show(RoomMember(f"b{number}"))
        roster.hide(f"b{number}")
    roster.hide("a")
    reader.read(roster)
    assert (reader.resets, reader.members) == (2, {})


@pytest.mark.parametrize("seed", range(30))
def test_readers_that_read_now_and_then_end_with_the_members(seed: int) -> None:
    chance = random.Random(seed)
    roster, readers = Roster(), [Reader() for _ in range(5)]
    expected: dict[str, RoomMember] = {}
    for _ in range(400):
        name = str(chance.randrange(30))
        if chance.random() < 0.4:
            assert roster.hide(name) is (expected.pop(name, None) is not None)
        else:
            member = RoomMember(name, state=b"%d" % chance.randrange(10 ** chance.choice([1, 900])))
            roster.show(member)
            expected[name] = member
        if chance.random() < 0.3:
            chance.choice(readers).read(roster)
    for reader in readers:
        while reader.read(roster):
            pass
        assert reader.members == expected
    assert len(roster) == len(expected)
