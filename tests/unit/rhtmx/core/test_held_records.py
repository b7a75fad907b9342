"""Facts about `rhtmx.core.held_records`: several parts of one entity, one set of records."""

from __future__ import annotations

import pytest

from rhtmx.core.granularity import Granularity
from rhtmx.core.held_records import HeldRecords
from rhtmx.core.replica import Replica
from rhtmx.core.storage_ops import (
    DropRecord,
    HeldRecord,
    PendingOps,
    PutRecord,
    SetPosition,
    Settled,
    StoredEntity,
)
from rhtmx.core.where import Where, where_of
from rhtmx.messages import ChangeAction, ChangeLog, FieldAction, FieldChangeLog, Position


def part(customer: str) -> Where:
    where = where_of({"customer": customer}, "orders")
    assert where is not None
    return where


def at(version: int, epoch: str = "e", scope: str | None = None) -> Position:
    return Position(epoch=epoch, version=version, scope=scope)


def of(customer: str, note: int = 0) -> bytes:
    return b'{"customer":"%s","note":%d}' % (customer.encode(), note)


def change(entity_id: str, version: int, data: bytes | None) -> ChangeLog:
    action = ChangeAction.DELETE if data is None else ChangeAction.UPDATE
    return ChangeLog("orders", entity_id, action, data, version)


def left(entity_id: str, version: int) -> ChangeLog:
    return ChangeLog("orders", entity_id, ChangeAction.DELETE, None, version, left=True)


def field(entity_id: str, name: str, version: int, value: bytes, *, more: bool) -> FieldChangeLog:
    return FieldChangeLog(
        "orders", entity_id, name, value, FieldAction.UPDATE, version, more=more or None
    )


class Entity:
    """An entity of which parts 7 and 8 are read."""

    def __init__(
        self, granularity: Granularity = Granularity.RECORDS, kept: StoredEntity | None = None
    ) -> None:
        self.ops = PendingOps()
        self.ops.durable = True
        self.granularity = granularity
        self.records = HeldRecords("orders", granularity, self.ops, kept)
        self.seven, self.eight = self.read(part("7")), self.read(part("8"))
        for each in (self.seven, self.eight):
            each.begin("e")

    def read(self, where: Where | None) -> Replica:
        return Replica("orders", self.granularity, self.ops, where=where, records=self.records)

    def live(self, version: int) -> None:
        for each in (self.seven, self.eight):
            each.synced(at(version, scope=str(each.where)))

    def shown(self, replica: Replica) -> list[str]:
        return sorted(i for i in self.records.ids() if replica.has(self.held(i)))

    def held(self, entity_id: str) -> HeldRecord:
        held = self.records.get(entity_id)
        assert held is not None
        return held


@pytest.fixture
def entity() -> Entity:
    return Entity()


def test_an_older_state_that_comes_after_a_newer_one_is_passed_over(entity: Entity) -> None:
    entity.seven.deliver(change("1", 9, of("7", 9)), None)
    assert entity.eight.deliver(change("1", 5, of("8", 5)), None) == set()
    assert entity.held("1") == HeldRecord(9, of("7", 9))


def test_a_record_that_has_gone_does_not_come_back_with_an_older_page(entity: Entity) -> None:
    entity.seven.synced(at(3))
    entity.seven.deliver(change("1", 4, of("7")), None)
    entity.seven.deliver(change("1", 9, None), None)
    entity.eight.deliver(change("1", 4, of("7")), None)
    assert entity.records.ids() == set()
    entity.eight.synced(at(9))
    entity.seven.deliver(change("1", 12, of("7")), None)
    assert entity.records.ids() == {"1"}


def test_a_departure_does_not_take_a_record_that_came_by_another_part(entity: Entity) -> None:
    entity.seven.deliver(change("1", 4, of("8")), None)
    assert entity.seven.deliver(left("1", 4), None) == set()
    assert entity.shown(entity.eight) == ["1"]
    assert entity.seven.deliver(left("1", 5), None) == {"1"}
    assert entity.shown(entity.eight) == []


@pytest.mark.parametrize("first", ["departure", "record"])
def test_a_record_that_moved_from_part_to_part_is_there_in_either_order(
    entity: Entity, first: str
) -> None:
    entity.seven.deliver(change("1", 2, of("7")), None)
    news = [left("1", 4), change("1", 4, of("8"))]
    for log in news if first == "departure" else news[::-1]:
        entity.seven.deliver(log, None)
    entity.live(4)
    assert entity.held("1") == HeldRecord(4, of("8"))


def test_the_departure_of_a_part_that_was_ended_does_not_take_what_came_by_the_other() -> None:
    replica = Replica("orders", Granularity.RECORDS, PendingOps(), where=part("7"))
    replica.begin("e")
    replica.deliver(change("1", 4, of("7")), None)
    assert replica.deliver(left("1", 4), None) == set()


def test_an_own_write_of_before_is_taken_back_by_its_departure() -> None:
    kept = StoredEntity(at(2), Granularity.RECORDS, {"1": HeldRecord(4, of("7"))})
    replica = Replica("orders", Granularity.RECORDS, PendingOps(), kept)
    replica.begin("e")
    assert replica.deliver(left("1", 4), None) == {"1"}
    assert replica.ids() == set()


def test_a_reset_of_one_part_does_not_touch_another(entity: Entity) -> None:
    entity.seven.deliver(change("1", 1, of("7")), None)
    entity.seven.deliver(change("2", 2, of("8")), None)
    entity.seven.deliver(change("3", 3, of("7")), None)
    entity.live(3)
    entity.seven.start_over(at(0, "e"))
    entity.seven.deliver(change("3", 3, of("7")), None)
    assert entity.seven.synced(at(5)) == {"1"}
    assert (entity.shown(entity.seven), entity.shown(entity.eight)) == (["3"], ["2"])
    assert entity.eight.live
    assert entity.eight.position.version == 3


def test_what_changed_by_another_part_meanwhile_is_not_stale(entity: Entity) -> None:
    both = entity.read(where_of({"customer": ["7", "8"]}, "orders"))
    both.begin("e")
    entity.seven.deliver(change("1", 1, of("7")), None)
    both.synced(at(1))
    entity.live(1)
    entity.seven.start_over(at(0, "e"))
    both.deliver(change("1", 6, of("7", 6)), None)
    assert entity.seven.synced(at(6)) == set()
    assert entity.held("1").version == 6


def test_what_a_snapshot_lacks_can_be_read_by_no_part(entity: Entity) -> None:
    both = entity.read(where_of({"customer": ["7", "8"]}, "orders"))
    both.begin("e")
    entity.seven.deliver(change("1", 1, of("7")), None)
    both.synced(at(1))
    entity.live(1)
    entity.seven.start_over(at(0, "e"))  # its right was taken away; `both` is told next
    entity.seven.synced(at(2, scope="less"))
    assert entity.records.ids() == set()


def test_a_change_moves_every_part_that_is_live_and_none_while_one_is_not(entity: Entity) -> None:
    entity.live(3)
    for each in (entity.seven, entity.eight):
        each.cursor.synced(each.position)
        each.cursor.moved(4)
    entity.seven.deliver(change("1", 4, of("8")), entity.seven.cursor.position)
    places = [each.position for each in (entity.seven, entity.eight)]
    assert {each.version for each in places} == {4}
    assert len({each.scope for each in places}) == 2, "each keeps its own scope"
    entity.eight.lost()
    entity.seven.cursor.moved(5)
    entity.seven.deliver(change("1", 5, of("8")), entity.seven.cursor.position)
    assert (entity.seven.position.version, entity.eight.position.version) == (5, 4)


def test_of_what_is_in_no_part_nothing_is_known(entity: Entity) -> None:
    entity.seven.deliver(change("1", 2, of("7")), None)
    entity.live(9)
    assert entity.seven.base_version("1") == 9
    assert entity.eight.base_version("1") == 2
    assert entity.seven.base_version("2") is None


def test_a_write_is_covered_by_its_departure_before_the_position_moves(entity: Entity) -> None:
    entity.seven.synced(at(2))
    entity.seven.deliver(change("1", 2, of("7")), None)
    own = Settled(5, "e")
    assert not entity.seven.covers("1", own)
    entity.seven.deliver(left("1", 5), None)
    assert entity.seven.covers("1", own)
    assert entity.eight.covers("1", own)


def test_another_epoch_voids_what_nobody_reads(entity: Entity) -> None:
    entity.seven.deliver(change("1", 50, of("7")), None)
    entity.seven.deliver(change("2", 50, of("9")), None)
    entity.live(50)
    entity.seven.start_over(at(0, "e2"))
    assert entity.records.ids() == {"1"}
    entity.eight.start_over(at(0, "e2"))
    entity.eight.deliver(change("2", 4, of("8")), None)
    entity.seven.deliver(change("1", 3, of("7", 3)), None)
    assert (entity.held("2").version, entity.held("1").version) == (4, 3)


def test_fields_of_an_older_page_show_that_they_are_still_there() -> None:
    entity = Entity(Granularity.FIELDS)
    for name, value in (("customer", b'"7"'), ("note", b"1")):
        entity.seven.deliver(field("1", name, 2, value, more=name == "customer"), None)
    entity.live(2)
    entity.eight.start_over(at(0, "e"))
    entity.seven.start_over(at(0, "e"))
    entity.eight.synced(at(2))
    entity.seven.deliver(field("1", "note", 9, b"9", more=False), None)
    entity.seven.deliver(field("1", "customer", 9, b'"7"', more=True), None)
    entity.seven.deliver(field("1", "note", 9, b"9", more=False), None)
    assert entity.seven.synced(at(9)) == set()
    assert entity.held("1") == HeldRecord(9, b'{"customer":"7","note":9}')


def test_a_departure_takes_the_whole_record_field_by_field_too() -> None:
    entity = Entity(Granularity.FIELDS)
    for name in ("customer", "note"):
        entity.seven.deliver(field("1", name, 2, b'"7"', more=name == "customer"), None)
    entity.live(2)
    gone = FieldChangeLog("orders", "1", "", None, FieldAction.DELETE, 5, left=True)
    assert entity.seven.deliver(gone, None) == {"1"}
    assert entity.records.ids() == set()
    entity.seven.deliver(field("1", "customer", 6, b'"7"', more=False), None)
    assert entity.held("1").data == b'{"customer":"7"}', "what it had before is forgotten"


def test_positions_are_put_down_for_each_part_with_their_scope(entity: Entity) -> None:
    entity.seven.deliver(change("1", 2, of("7")), None)
    entity.seven.synced(at(2, scope="s7"))
    ops = list(entity.ops.take().ops.values())
    assert PutRecord("orders", "1", HeldRecord(2, of("7"))) in ops
    place = SetPosition("orders", at(2, scope="s7"), Granularity.RECORDS, '{"customer":"7"}')
    assert place in ops
    assert SetPosition("orders", at(0), Granularity.RECORDS, '{"customer":"8"}') in ops


def test_a_part_that_is_read_no_longer_stays_where_there_is_a_store(entity: Entity) -> None:
    entity.seven.deliver(change("1", 2, of("7")), None)
    entity.live(2)
    entity.ops.take()
    assert entity.records.leave(entity.seven) == set()
    assert not entity.ops
    again = entity.read(part("7"))
    assert again.position == at(2, scope=str(part("7")))
    assert entity.shown(again) == ["1"]


def test_a_part_that_is_read_no_longer_goes_where_there_is_none(entity: Entity) -> None:
    entity.ops.durable = False
    entity.seven.deliver(change("1", 2, of("7")), None)
    entity.seven.deliver(change("2", 2, of("8")), None)
    entity.live(2)
    assert entity.records.leave(entity.seven) == {"1"}
    assert entity.read(part("7")).position == at(0, epoch="")
    assert entity.records.ids() == {"2"}


def test_what_was_kept_of_a_part_goes_on_and_another_granularity_begins_anew() -> None:
    text = part("7").text
    kept = StoredEntity(
        at(0, ""),
        Granularity.RECORDS,
        {"1": HeldRecord(2, of("7"))},
        {text: (at(2, scope="s7"), Granularity.RECORDS)},
    )
    assert Entity(kept=kept).seven.position == at(2, scope="s7")
    fields = Entity(Granularity.FIELDS, kept)
    assert fields.seven.position == at(0)
    assert ("1", "note") in fields.seven.stale


def test_a_record_that_is_dropped_is_put_down(entity: Entity) -> None:
    entity.seven.deliver(change("1", 2, of("7")), None)
    entity.ops.take()
    entity.seven.deliver(left("1", 3), None)
    assert DropRecord("orders", "1") in entity.ops.take().ops.values()


def test_a_record_that_every_live_part_would_have_does_not_come_back(entity: Entity) -> None:
    entity.seven.deliver(change("1", 4, of("7")), None)
    entity.live(4)
    entity.seven.deliver(change("1", 6, None), None)
    entity.live(9)  # that it went is no longer remembered
    assert entity.seven.deliver(change("1", 5, of("7")), None) == set()
    assert entity.records.ids() == set()
    assert entity.seven.deliver(change("1", 10, of("7")), None) == {"1"}


def test_fields_that_every_live_part_would_have_do_not_come_back() -> None:
    entity = Entity(Granularity.FIELDS)
    entity.live(9)
    entity.seven.deliver(field("1", "customer", 5, b'"7"', more=False), None)
    assert entity.records.ids() == set()
    entity.seven.deliver(field("1", "customer", 5, b'"9"', more=False), None)
    assert entity.records.ids() == set(), "nor does what is in no part that is read"
    entity.seven.deliver(field("1", "customer", 10, b'"7"', more=False), None)
    assert entity.records.ids() == {"1"}


def test_field_by_field_several_parts_are_read_from_their_beginning() -> None:
    kept = StoredEntity(
        at(0, ""),
        Granularity.FIELDS,
        {},
        {part(each).text: (at(2), Granularity.FIELDS) for each in "78"},
    )
    entity = Entity(Granularity.FIELDS, kept)
    assert [each.position for each in (entity.seven, entity.eight)] == [at(0), at(0)]
    assert [each.cursor.position for each in (entity.seven, entity.eight)] == [at(0), at(0)]


def test_field_by_field_the_only_part_goes_on_where_it_was() -> None:
    places = {part("7").text: (at(2), Granularity.FIELDS)}
    kept = StoredEntity(at(0, ""), Granularity.FIELDS, {}, places)
    replica = Replica("orders", Granularity.FIELDS, PendingOps(), kept, where=part("7"))
    replica.begin("e")
    assert replica.position == at(2)


def fields_of_seven(entity: Entity) -> None:
    """Record 1 is in part 7, with a note."""
    entity.seven.deliver(field("1", "customer", 2, b'"7"', more=True), None)
    entity.seven.deliver(field("1", "note", 2, b"1", more=False), None)
    entity.live(2)


@pytest.mark.parametrize("durable", [True, False])
def test_what_a_part_has_stays_until_the_server_has_heard_that_it_ended(*, durable: bool) -> None:
    entity = Entity(Granularity.FIELDS)
    entity.ops.durable = durable
    fields_of_seven(entity)
    entity.seven.cursor.leaving = True
    assert entity.records.leave(entity.seven) == set()
    # The server tells what has changed, as it still counts part 7.
    entity.eight.deliver(field("1", "x", 3, b"3", more=False), None)
    entity.eight.deliver(field("1", "customer", 4, b'"8"', more=False), None)
    assert entity.held("1") == HeldRecord(4, b'{"customer":"8","note":1,"x":3}')
    assert entity.records.ended(entity.seven) == set()
    assert entity.shown(entity.eight) == ["1"]


def test_what_a_part_had_goes_once_it_has_ended_where_there_is_no_store() -> None:
    entity = Entity(Granularity.FIELDS)
    entity.ops.durable = False
    fields_of_seven(entity)
    entity.seven.cursor.leaving = True
    entity.records.leave(entity.seven)
    assert entity.records.ended(entity.seven) == {"1"}
    assert entity.records.ids() == set()
    assert entity.records.ended(entity.seven) == set()


def test_a_part_that_is_read_again_before_it_has_ended_keeps_what_it_has() -> None:
    entity = Entity(Granularity.FIELDS)
    entity.ops.durable = False
    fields_of_seven(entity)
    entity.seven.cursor.leaving = True
    entity.records.leave(entity.seven)
    again = entity.read(part("7"))
    assert entity.records.ended(entity.seven) == set()
    assert entity.shown(again) == ["1"]


def test_whole_records_need_not_wait_for_the_end_of_a_part(entity: Entity) -> None:
    entity.ops.durable = False
    entity.seven.deliver(change("1", 2, of("7")), None)
    entity.live(2)
    entity.seven.cursor.leaving = True
    assert entity.records.leave(entity.seven) == {"1"}


def test_a_commit_whose_rest_came_while_nobody_read_does_not_count() -> None:
    entity = Entity(Granularity.FIELDS)
    entity.seven.cursor.begin(holding=False)
    entity.seven.deliver(field("1", "customer", 2, b'"8"', more=True), None)
    entity.seven.cursor.leave()
    entity.records.leave(entity.seven)
    entity.read(part("9"))
    entity.eight.start_over(at(0))
    assert entity.eight.synced(at(5)) == set()
    assert entity.records.ids() == set()


def test_what_came_before_a_reset_and_is_not_in_its_snapshot_goes() -> None:
    """Each change of a catch-up says that more follow: the last one waits for what is next."""
    entity = Entity(Granularity.FIELDS)
    for each in (entity.seven, entity.eight):
        each.cursor.begin(holding=False)
    entity.seven.deliver(field("1", "customer", 2, b'"8"', more=True), None)
    assert entity.eight.start_over(at(0, scope="less")) == {"1"}
    assert entity.eight.synced(at(5, scope="less")) == {"1"}
    assert entity.records.ids() == set()


def test_a_record_that_is_gone_goes_whole_though_its_part_goes_with_the_first_field() -> None:
    entity = Entity(Granularity.FIELDS)
    whole = entity.read(None)
    ids = [str(number) for number in range(8)]  # their fields are in no order
    for entity_id in ids:
        entity.seven.deliver(field(entity_id, "customer", 2, b'"7"', more=True), None)
        entity.seven.deliver(field(entity_id, "note", 2, b"1", more=False), None)
    entity.live(2)
    whole.synced(at(2))
    entity.seven.start_over(at(0))
    assert entity.seven.synced(at(5)) == set(ids)
    assert entity.records.ids() == set()


def test_what_moves_to_another_part_during_a_snapshot_stays() -> None:
    entity = Entity(Granularity.FIELDS)
    fields_of_seven(entity)
    entity.seven.start_over(at(0))
    entity.eight.deliver(field("1", "customer", 4, b'"8"', more=False), None)
    assert entity.seven.synced(at(5)) == set()
    assert entity.held("1") == HeldRecord(4, b'{"customer":"8","note":1}')


def test_what_leaves_during_a_snapshot_has_gone_by_that_version_when_it_ends() -> None:
    entity = Entity(Granularity.FIELDS)
    fields_of_seven(entity)
    entity.seven.start_over(at(0))
    gone = FieldChangeLog("orders", "1", "", None, FieldAction.DELETE, 4, left=True)
    entity.seven.deliver(gone, None)
    entity.seven.synced(at(5))
    entity.eight.deliver(field("1", "customer", 3, b'"8"', more=False), None)
    assert entity.records.ids() == set(), "an older page of the other part"


def test_a_departure_does_not_take_fields_that_came_by_another_part() -> None:
    entity = Entity(Granularity.FIELDS)
    entity.eight.deliver(field("1", "customer", 4, b'"8"', more=True), None)
    gone = FieldChangeLog("orders", "1", "", None, FieldAction.DELETE, 4, left=True)
    entity.seven.deliver(gone, None)
    entity.live(4)
    assert entity.shown(entity.eight) == ["1"]


def test_a_part_may_be_opened_in_the_middle_of_a_commit_of_another_one() -> None:
    entity = Entity(Granularity.FIELDS)
    entity.seven.cursor.begin(holding=False)
    entity.seven.deliver(field("1", "note", 2, b"1", more=True), None)
    entity.read(part("9")).begin("e")
    entity.seven.deliver(field("1", "customer", 2, b'"7"', more=False), None)
    assert entity.held("1") == HeldRecord(2, b'{"note":1,"customer":"7"}')


def test_what_came_for_one_part_is_not_made_older_by_the_beginning_of_another(
    entity: Entity,
) -> None:
    entity.eight.deliver(change("1", 11, of("8")), None)
    both = entity.read(where_of({"customer": ["7", "8"]}, "orders"))
    both.begin("e")
    assert entity.seven.deliver(left("1", 9), None) == set(), "it moved from 7 to 8 since"
    assert entity.held("1").version == 11


def test_what_is_kept_of_a_part_that_nobody_reads_stays_in_its_epoch() -> None:
    places = {part("7").text: (at(2), Granularity.RECORDS)}
    kept = StoredEntity(at(0, ""), Granularity.RECORDS, {"1": HeldRecord(2, of("7"))}, places)
    eight = Replica("orders", Granularity.RECORDS, PendingOps(), kept, where=part("8"))
    assert eight.start_over(at(0, "e")) == set()
    assert eight.ids() == {"1"}
    assert eight.start_over(at(0, "f")) == {"1"}
    assert eight.ids() == set()


def test_what_is_kept_of_an_entity_that_was_never_read_has_its_granularity() -> None:
    assert HeldRecords("orders", Granularity.FIELDS, PendingOps()).kept().granularity is (
        Granularity.FIELDS
    )


def test_field_by_field_two_parts_are_read_from_their_beginning() -> None:
    places = {part("7").text: (at(2), Granularity.FIELDS)}
    kept = StoredEntity(at(0, ""), Granularity.FIELDS, {}, places)
    records = HeldRecords("orders", Granularity.FIELDS, PendingOps(), kept)
    seven = Replica("orders", Granularity.FIELDS, PendingOps(), where=part("7"), records=records)
    assert not records.mixed(seven.where)
    Replica("orders", Granularity.FIELDS, PendingOps(), where=part("8"), records=records)
    assert records.mixed(seven.where)


def test_a_record_that_enters_a_part_has_nothing_of_what_is_kept_of_an_ended_one() -> None:
    places = {part("9").text: (at(2), Granularity.FIELDS)}
    kept = StoredEntity(at(0, ""), Granularity.FIELDS, {"1": HeldRecord(2, of("9"))}, places)
    entity = Entity(Granularity.FIELDS, kept)
    entity.live(4)
    entity.seven.deliver(field("1", "customer", 5, b'"7"', more=True), None)
    entity.seven.deliver(field("1", "name", 5, b'"x"', more=False), None)
    assert entity.held("1") == HeldRecord(5, b'{"customer":"7","name":"x"}')


def test_with_a_store_what_a_part_had_stays_when_it_has_ended() -> None:
    entity = Entity(Granularity.FIELDS)
    fields_of_seven(entity)
    entity.seven.cursor.leaving = True
    entity.records.leave(entity.seven)
    assert entity.records.ended(entity.seven) == set()
    assert entity.records.ids() == {"1"}


def test_a_record_that_has_gone_does_not_come_back_with_a_part_that_begins(entity: Entity) -> None:
    entity.seven.synced(at(3))
    entity.seven.deliver(change("1", 9, None), None)
    entity.eight.start_over(at(0))
    entity.eight.deliver(change("1", 4, of("8")), None)
    assert entity.records.ids() == set()


def test_what_had_gone_in_another_log_may_be_there_in_this_one(entity: Entity) -> None:
    entity.seven.deliver(change("1", 9, None), None)
    for each in (entity.seven, entity.eight):
        each.begin("f")
    entity.seven.deliver(change("1", 4, of("7")), None)
    assert entity.held("1").version == 4


def test_all_of_an_older_commit_has_come_though_it_is_passed_over() -> None:
    entity = Entity(Granularity.FIELDS)
    fields_of_seven(entity)
    entity.seven.deliver(field("1", "note", 9, b"9", more=False), None)
    both = entity.read(where_of({"customer": ["7", "8"]}, "orders"))
    both.begin("e")
    both.deliver(field("1", "note", 5, b"1", more=True), None)
    both.deliver(field("1", "customer", 5, b'"7"', more=False), None)
    assert both.synced(at(9)) == set()
    assert entity.held("1") == HeldRecord(9, b'{"customer":"7","note":9}')


def test_what_a_live_part_does_not_have_at_its_position_is_no_more(entity: Entity) -> None:
    entity.seven.synced(at(5))
    assert entity.eight.deliver(change("1", 5, of("7")), None) == set()
    assert entity.records.ids() == set()


def test_a_departure_does_not_take_what_the_other_part_was_read_to() -> None:
    places = {part(each).text: (at(int(each) - 4), Granularity.RECORDS) for each in ("7", "8")}
    kept = StoredEntity(at(0, ""), Granularity.RECORDS, {"1": HeldRecord(4, of("8"))}, places)
    entity = Entity(kept=kept)
    assert entity.seven.deliver(left("1", 4), None) == set(), "it went from 7 to 8"
    assert entity.records.ids() == {"1"}


def test_what_a_stream_has_brought_is_no_own_write_any_more() -> None:
    kept = StoredEntity(at(2), Granularity.RECORDS, {"1": HeldRecord(4, of("7"))})
    replica = Replica("orders", Granularity.RECORDS, PendingOps(), kept)
    replica.begin("e")
    replica.deliver(change("1", 6, of("7")), None)
    assert replica.deliver(left("1", 6), None) == set(), "of a part that was ended"
    assert replica.ids() == {"1"}


def test_a_record_that_a_live_part_has_may_come_once_more_by_another_one() -> None:
    entity = Entity(Granularity.FIELDS)
    fields_of_seven(entity)
    entity.seven.synced(at(9))
    entity.eight.deliver(field("1", "note", 2, b"1", more=False), None)
    assert entity.held("1") == HeldRecord(2, b'{"customer":"7","note":1}')


def test_fields_that_take_a_record_out_of_all_that_is_read_take_it_away() -> None:
    entity = Entity(Granularity.FIELDS)
    fields_of_seven(entity)
    entity.eight.deliver(field("1", "customer", 3, b'"9"', more=False), None)
    assert entity.records.ids() == set()


def test_a_cursor_is_of_its_part_and_takes_what_is_told_twice(entity: Entity) -> None:
    assert entity.seven.cursor.where == part("7")
    assert entity.seven.cursor.tolerant is True


def test_only_what_is_in_a_part_is_stale_as_it_begins() -> None:
    places = {part("8").text: (at(4), Granularity.RECORDS)}
    kept = StoredEntity(at(0, ""), Granularity.RECORDS, {"1": HeldRecord(4, of("8"))}, places)
    seven = Replica("orders", Granularity.RECORDS, PendingOps(), kept, where=part("7"))
    assert seven.stale == set()
    seven.start_over(at(0))
    assert seven.stale == set()


def test_one_that_catches_up_does_not_follow_its_cursor() -> None:
    places = {part("7").text: (at(2), Granularity.RECORDS)}
    kept = StoredEntity(at(0, ""), Granularity.RECORDS, {}, places)
    seven = Replica("orders", Granularity.RECORDS, PendingOps(), kept, where=part("7"))
    seven.cursor.position = at(5)
    seven.follow(5)
    assert seven.position == at(2)
    seven.live = True
    seven.follow(4)
    assert seven.position == at(4), "the cursor may be at changes that have not been taken yet"
    seven.follow(6)
    assert seven.position == at(5)


def test_a_position_that_has_not_moved_is_not_put_down_again(entity: Entity) -> None:
    entity.live(2)
    entity.ops.take()
    entity.live(2)
    assert not entity.ops.take().ops


def kept_of_seven(*records: HeldRecord, position: Position) -> StoredEntity:
    """What is kept of part 7, which was read to a position."""
    held = {str(number): each for number, each in enumerate(records, 1)}
    places = {part("7").text: (position, Granularity.RECORDS)}
    return StoredEntity(at(0, ""), Granularity.RECORDS, held, places)


def test_what_is_newer_than_its_position_is_no_more_if_it_does_not_come_again() -> None:
    newer = [HeldRecord(version, of("7")) for version in (6, 7, 8)]
    entity = Entity(kept=kept_of_seven(HeldRecord(5, of("7")), *newer, position=at(5)))
    entity.seven.deliver(change("2", 6, of("7")), None)
    entity.seven.deliver(left("3", 6), None)
    assert entity.seven.synced(at(9)) == {"3", "4"}, "they had come by rights of another time"
    assert entity.records.ids() == {"1", "2"}
    assert entity.seven.synced(at(9)) == set()


def test_what_is_newer_than_its_position_counts_until_it_should_have_come_again() -> None:
    entity = Entity(kept=kept_of_seven(HeldRecord(7, of("7")), position=at(5)))
    assert entity.seven.base_version("1") == 7
    entity.seven.lost()
    entity.seven.begin("e")
    assert entity.seven.cursor.position == at(5), "it is resumed there"
    assert entity.seven.synced(at(9)) == {"1"}


def test_what_has_come_by_another_part_since_it_began_is_in_this_one_too() -> None:
    entity = Entity(kept=kept_of_seven(HeldRecord(7, of("8")), position=at(5)))
    entity.eight.deliver(change("1", 8, of("7")), None)
    assert entity.seven.synced(at(9)) == set()


def test_nothing_is_to_come_again_twice_if_all_comes_anew() -> None:
    entity = Entity(kept=kept_of_seven(HeldRecord(7, of("7")), position=at(5)))
    entity.seven.start_over(at(0))
    assert entity.seven.unconfirmed == set()


def test_by_field_only_what_has_changed_comes_again_so_what_is_newer_stays() -> None:
    kept = StoredEntity(at(2), Granularity.FIELDS, {"1": HeldRecord(3, of("7", 3))})
    replica = Replica("orders", Granularity.FIELDS, PendingOps(), kept)
    replica.begin("e")
    assert replica.synced(at(4)) == set()
    assert replica.ids() == {"1"}


class Whole:
    """An entity that is read as a whole, and of which part 7 was read before."""

    def __init__(self, *records: HeldRecord, position: Position) -> None:
        self.ops = PendingOps()
        self.ops.durable = True
        kept = kept_of_seven(*records, position=position)
        self.records = HeldRecords("orders", Granularity.RECORDS, self.ops, kept)
        self.replica = Replica("orders", Granularity.RECORDS, self.ops, records=self.records)
        self.replica.begin("e")

    def seven(self) -> Position:
        """Where part 7 is resumed."""
        voided = SetPosition("orders", at(0), Granularity.RECORDS, part("7").text)
        place = self.records.place(part("7"))
        assert (voided in self.ops.take().ops.values()) == (place.version == 0), "it is stored"
        assert self.records.kept().place(part("7").text) == (place, Granularity.RECORDS)
        return place


def test_a_part_that_should_have_had_a_record_is_read_anew() -> None:
    whole = Whole(position=at(5))
    whole.replica.deliver(change("1", 5, of("7")), None)
    assert whole.seven() == at(0), "the rights were others"


def test_a_part_that_should_have_had_a_record_as_it_is_now_is_read_anew() -> None:
    whole = Whole(HeldRecord(2, of("7")), position=at(5))
    whole.replica.deliver(change("1", 4, of("7")), None)
    assert whole.seven() == at(0)


def test_a_part_of_which_a_record_cannot_be_read_any_more_is_read_anew() -> None:
    whole = Whole(HeldRecord(2, of("7")), position=at(5))
    whole.replica.synced(at(9, scope="less"))
    assert whole.seven() == at(0), "by its rights of before it has that record"


@pytest.mark.parametrize(
    "news",
    [change("1", 2, of("7")), change("1", 6, of("7")), change("2", 4, of("8"))],
    ids=["known", "newer", "of another part"],
)
def test_a_part_is_resumed_if_nothing_speaks_against_what_it_has(news: ChangeLog) -> None:
    whole = Whole(HeldRecord(2, of("7")), position=at(5))
    whole.replica.deliver(news, None)
    assert whole.seven() == at(5)


def test_a_part_that_is_read_no_longer_is_read_anew_all_the_same(entity: Entity) -> None:
    entity.live(5)
    entity.records.leave(entity.seven)
    entity.eight.deliver(change("1", 3, of("7")), None)
    assert entity.records.place(part("7")) == at(0)


def test_what_one_does_not_have_says_nothing_against_a_part_that_is_read_no_longer(
    entity: Entity,
) -> None:
    entity.live(5)
    entity.records.leave(entity.seven)
    entity.eight.start_over(at(0))
    entity.eight.deliver(change("1", 3, of("8")), None)
    assert entity.records.place(part("7")) == at(5, scope=str(part("7")))


def test_nothing_speaks_against_a_part_that_is_read() -> None:
    entity = Entity(kept=kept_of_seven(position=at(5)))
    entity.ops.take()
    entity.eight.deliver(change("1", 3, of("7")), None)
    assert not any(isinstance(op, SetPosition) for op in entity.ops.take().ops.values())


def test_the_whole_is_read_anew_if_one_of_its_parts_says_otherwise() -> None:
    kept = StoredEntity(at(5), Granularity.RECORDS)
    entity = Entity(kept=kept)
    entity.seven.deliver(change("1", 3, of("7")), None)
    assert entity.records.place(None) == at(0)
