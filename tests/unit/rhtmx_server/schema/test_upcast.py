"""Facts about `rhtmx_server.schema.upcast`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rhtmx import schema as _s
from rhtmx.errors import ErrorCode, RhtmxError, Violation
from rhtmx.messages import ChangeAction, FieldAction, FieldUpdate, Push, PushFields
from rhtmx.schema import codecs
from rhtmx.schema.declared import Entity, Rename, Retired, Schema
from rhtmx.schema.word import Word, words
from rhtmx.values.field_operations import Add, Increment
from rhtmx.wire.limits import MAX_ITEMS, MAX_NAME
from rhtmx_server import Edit, Invalid
from rhtmx_server.schema.upcast import Upcaster, check_place, check_upcast, version_of

NOW = datetime(2026, 11, 29, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


class Task:
    """Stands for a generated class."""


def schema_of(*renames: Rename, version: int = 3, oldest: int = 0, entity: str = "tasks") -> Schema:
    table = _s.message("Task", _s.field("c", _s.STRING), _s.field("low", _s.STRING))
    shape = {"c": codecs.TEXT, "low": codecs.TEXT}
    declared: Any = Entity(entity, Task, table, shape)
    entities = (declared,)
    return Schema("app", version=version, oldest=oldest, entities=entities, renames=renames)


def upcaster(*renames: Rename, version: int = 3, oldest: int = 0, **functions: Any) -> Upcaster:
    """One for `tasks`, with functions by version: `v2=…`."""
    those = {("tasks", int(name[1:])): [each] for name, each in functions.items()}
    return Upcaster(schema_of(*renames, version=version, oldest=oldest), those)


def whole(data: Any, action: ChangeAction = ChangeAction.UPDATE) -> Push:
    text = data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()
    return Push("tasks", "7", action, text, seq=4, schema_version=1)


def update(field: str, value: Any, action: FieldAction = FieldAction.UPDATE) -> FieldUpdate:
    return FieldUpdate(field, json.dumps(value).encode(), action, NOW)


def patch(*updates: FieldUpdate) -> PushFields:
    return PushFields("tasks", "7", list(updates), seq=4, base_version=2, schema_version=1)


def said(write: Push | PushFields) -> Any:
    if isinstance(write, Push):
        return json.loads(write.data or b"null")
    return [(each.field, each.action, json.loads(each.value or b"null")) for each in write.fields]


def refusal(call: Any, *arguments: Any) -> RhtmxError:
    with pytest.raises(RhtmxError) as caught:
        call(*arguments)
    return caught.value


A_TO_B, B_TO_C = Rename(2, "tasks", "a", "b"), Rename(3, "tasks", "b", "c")


def test_a_key_that_was_renamed_twice_is_called_as_today() -> None:
    upcasts = upcaster(A_TO_B, B_TO_C)
    assert said(upcasts.of_today(whole({"a": 1, "z": 2}), 1)) == {"c": 1, "z": 2}
    assert said(upcasts.of_today(whole({"a": 1, "b": 2}), 2)) == {"a": 1, "c": 2}
    fields = patch(update("a", "x"), update("z", 2, FieldAction.INCREMENT))
    assert said(upcasts.of_today(fields, 1)) == [
        ("c", FieldAction.UPDATE, "x"),
        ("z", FieldAction.INCREMENT, 2),
    ]


def test_what_came_stays_as_it_is() -> None:
    push, fields = whole({"a": 1}), patch(update("a", 1))
    upcasts = upcaster(A_TO_B)
    assert upcasts.of_today(push, 1) is not push
    assert upcasts.of_today(fields, 1) is not fields
    assert (said(push), fields.fields[0].field) == ({"a": 1}, "a")


def test_all_that_a_write_says_beside_its_fields_is_kept() -> None:
    made = upcaster(A_TO_B).of_today(patch(update("a", 1)), 1)
    assert isinstance(made, PushFields)
    assert (made.seq, made.base_version, made.schema_version) == (4, 2, 1)
    assert made.fields[0].timestamp == NOW


@pytest.mark.parametrize("version", [3, 4, 900])
def test_a_write_of_today_or_later_is_taken_as_it_is(version: int) -> None:
    push = whole({"a": 1, "b": 2})
    assert upcaster(A_TO_B, B_TO_C).of_today(push, version) is push


def test_two_keys_can_be_exchanged() -> None:
    upcasts = upcaster(Rename(2, "tasks", "a", "b"), Rename(2, "tasks", "b", "a"))
    assert said(upcasts.of_today(whole({"a": 1, "b": 2}), 1)) == {"b": 1, "a": 2}
    assert said(upcasts.of_today(whole({"b": 2}), 1)) == {"a": 2}


@pytest.mark.parametrize("nothing", [None, "", 0, 0.0, False, [], {}, "0"])
def test_what_an_older_client_has_of_a_key_only_as_nothing_does_not_replace_it(
    nothing: Any,
) -> None:
    upcasts = upcaster(A_TO_B)
    assert said(upcasts.of_today(whole({"a": nothing, "b": "kept"}), 1)) == {"b": "kept"}
    assert said(upcasts.of_today(whole({"b": "kept", "a": nothing}), 1)) == {"b": "kept"}


def test_what_an_older_client_has_written_replaces_what_it_did_not_know() -> None:
    upcasts = upcaster(A_TO_B)
    assert said(upcasts.of_today(whole({"a": "mine", "b": "read"}), 1)) == {"b": "mine"}
    assert said(upcasts.of_today(whole({"b": "read", "a": "mine"}), 1)) == {"b": "mine"}


def test_numbers_are_kept_to_the_digit() -> None:
    text = b'{"a":1.10,"z":123456789012345678901234567890.50}'
    made = upcaster(A_TO_B, v3=lambda edit: None).of_today(whole(text), 1)
    assert made == Push(
        "tasks",
        "7",
        ChangeAction.UPDATE,
        b'{"b":1.10,"z":123456789012345678901234567890.50}',
        seq=4,
        schema_version=1,
    )


def test_a_function_changes_values() -> None:
    def to_text(edit: Edit) -> None:
        if "minutes" in edit.values:
            edit.values["minutes"] = f"{edit.values['minutes'] * 60}s"

    upcasts = upcaster(v2=to_text)
    assert said(upcasts.of_today(whole({"minutes": 5, "a": 1}), 1)) == {"minutes": "300s", "a": 1}
    assert said(upcasts.of_today(patch(update("minutes", 5)), 1)) == [
        ("minutes", FieldAction.UPDATE, "300s")
    ]
    assert said(upcasts.of_today(whole({"minutes": "300s"}), 2)) == {"minutes": "300s"}


def test_a_function_sees_the_keys_of_its_version() -> None:
    seen: list[tuple[int, dict[str, Any]]] = []
    upcasts = upcaster(
        A_TO_B,
        B_TO_C,
        v2=lambda edit: seen.append((2, dict(edit.values))),
        v3=lambda edit: seen.append((3, dict(edit.values))),
    )
    upcasts.of_today(whole({"a": 1}), 1)
    assert seen == [(2, {"b": 1}), (3, {"c": 1})]


def test_a_function_is_told_all_that_an_edit_says() -> None:
    seen: list[Edit] = []
    gone = FieldUpdate("d", None, FieldAction.DELETE, NOW)
    write = patch(update("a", 1), update("n", 2, FieldAction.INCREMENT), gone)
    upcaster(v2=seen.append).of_today(write, 1)
    assert seen == [Edit("tasks", "7", False, {"a": 1}, {"d"}, {"n": Increment(2)})]
    upcaster(v2=seen.append).of_today(whole({"a": 1}), 1)
    assert seen[1] == Edit("tasks", "7", True, {"a": 1})


def test_a_function_can_return_another_edit() -> None:
    def other(edit: Edit) -> Edit:
        return Edit(edit.entity, edit.entity_id, False, {"x": 1}, {"y"}, {"z": Add("e")})

    made = upcaster(v2=other).of_today(patch(update("a", 1)), 1)
    assert said(made) == [
        ("x", FieldAction.UPDATE, 1),
        ("y", FieldAction.DELETE, None),
        ("z", FieldAction.ADD, ["e"]),
    ]


def test_a_new_field_has_the_time_of_the_latest_one_of_its_edit() -> None:
    write = patch(update("a", 1), FieldUpdate("b", b"2", FieldAction.UPDATE, LATER))
    made = upcaster(v2=lambda edit: edit.values.update(a=3, c=4)).of_today(write, 1)
    assert isinstance(made, PushFields)
    times = {each.field: each.timestamp for each in made.fields}
    assert times == {"a": NOW, "b": LATER, "c": LATER}


def test_a_delete_and_what_is_no_object_say_nothing_of_fields() -> None:
    upcasts = upcaster(A_TO_B, v3=lambda edit: pytest.fail("there are no fields"))
    for write in (whole(b"null", ChangeAction.DELETE), whole(b"[1]"), patch()):
        assert upcasts.of_today(write, 1) is write


def test_another_entity_is_none_of_its_business() -> None:
    write = Push("others", "7", ChangeAction.UPDATE, b'{"a":1}')
    assert upcaster(A_TO_B).of_today(write, 1) is write


def test_what_is_too_old_needs_an_upgrade() -> None:
    upcasts = upcaster(oldest=2)
    for write in (whole({"a": 1}), patch(update("a", 1)), whole(None, ChangeAction.DELETE)):
        error = refusal(upcasts.of_today, write, 1)
        assert error.code is ErrorCode.UPGRADE_REQUIRED
        assert error.message == (
            "this was written under version 1 of the application's schema, and the server takes "
            "none before 2: upgrade the application, and write it again"
        )
    assert said(upcasts.of_today(whole({"a": 1}), 2)) == {"a": 1}


def test_an_edit_of_which_nothing_is_left_needs_an_upgrade() -> None:
    upcasts = upcaster(v2=lambda edit: edit.values.clear())
    error = refusal(upcasts.of_today, patch(update("a", 1)), 1)
    assert (error.code, error.message) == (
        ErrorCode.UPGRADE_REQUIRED,
        "nothing of this is left in today's version of the application's schema: upgrade the "
        "application, and write it again",
    )
    assert said(upcasts.of_today(whole({"a": 1}), 1)) == {}


def test_a_function_can_refuse() -> None:
    def never(edit: Edit) -> None:
        raise RhtmxError(ErrorCode.UPGRADE_REQUIRED, "minutes cannot be counted any more")

    def wrong(edit: Edit) -> None:
        raise Invalid("is not possible", field="minutes", code="unit", metadata={"most": 5})

    error = refusal(upcaster(v2=never).of_today, whole({}), 1)
    assert (error.code, error.message) == (
        ErrorCode.UPGRADE_REQUIRED,
        "minutes cannot be counted any more",
    )
    error = refusal(upcaster(v2=wrong).of_today, whole({}), 1)
    assert error.code is ErrorCode.INVALID
    assert error.message == "is not possible"
    assert error.violations == (Violation("minutes", "unit", "is not possible", {"most": 5}),)


def two_things(edit: Edit) -> None:
    edit.deleted.add("a")


def no_name(edit: Edit) -> None:
    edit.values[""] = 1


def forbidden_name(edit: Edit) -> None:
    edit.values["__proto__"] = 1


def no_json(edit: Edit) -> None:
    edit.values["a"] = object()


def no_operation(edit: Edit) -> None:
    edit.operations["n"] = 1  # type: ignore[assignment]


def no_operand(edit: Edit) -> None:
    edit.operations["n"] = Increment("many")


def too_many(edit: Edit) -> None:
    edit.values |= {f"f{number}": 1 for number in range(100_001)}


def something_else(edit: Edit) -> Any:
    return {"a": 1}


def waiting(edit: Edit) -> Any:
    async def wait() -> None: ...

    return wait()


def a_failure(edit: Edit) -> None:
    raise KeyError("minutes")


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (two_things, "it said two things of one field: a value, that it goes, an operation"),
        (no_name, "it gave a field a name that none can have"),
        (forbidden_name, "it gave a field a name that none can have"),
        (no_json, "it gave a field what is no JSON: a"),
        (no_operation, "it gave a field what is no operation: "),
        (no_operand, "it gave a field what is no operation: increment of 'n'"),
        (too_many, f"it wrote 100002 fields, and {MAX_ITEMS} are possible"),
        (something_else, "it returned dict: return the edit, or nothing"),
        (waiting, "it returned coroutine: return the edit, or nothing"),
        (a_failure, "KeyError"),
    ],
)
def test_a_function_that_does_wrong_costs_its_write_only(
    function: Any, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    error = refusal(upcaster(v2=function).of_today, patch(update("a", 1)), 1)
    assert error.code is ErrorCode.INTERNAL
    assert function.__name__ in caplog.text
    assert f": {words}" in caplog.text


def test_a_function_may_write_as_many_fields_with_names_as_long_as_anybody() -> None:
    def fill(edit: Edit) -> None:
        edit.values = {"n" * MAX_NAME: 1, **{f"f{each}": 1 for each in range(MAX_ITEMS - 1)}}

    assert len(said(upcaster(v2=fill).of_today(patch(update("a", 1)), 1))) == MAX_ITEMS


def test_what_a_function_deletes_and_what_it_leaves_alone_has_the_time_that_it_had() -> None:
    later = NOW + timedelta(seconds=5)

    def change(edit: Edit) -> None:
        edit.deleted = {"gone", "new"}
        edit.operations = {"n": Increment(1)}
        edit.values = {}

    fields = [
        FieldUpdate("gone", None, FieldAction.DELETE, NOW),
        FieldUpdate("n", b"1", FieldAction.INCREMENT, NOW),
        FieldUpdate("a", b"1", FieldAction.UPDATE, later),
    ]
    made = upcaster(v2=change).of_today(patch(*fields), 1)
    assert isinstance(made, PushFields)
    assert [(each.field, each.timestamp) for each in made.fields] == [
        ("gone", NOW), ("n", NOW), ("new", later),
    ]  # fmt: skip


def test_several_functions_of_a_version_are_called_in_order() -> None:
    calls: list[str] = []
    both = {("tasks", 2): [lambda edit: calls.append("one"), lambda edit: calls.append("two")]}
    Upcaster(schema_of(A_TO_B), both).of_today(whole({"a": 1}), 1)
    assert calls == ["one", "two"]


def test_the_zero_of_a_field_is_nothing_to_a_key_that_was_renamed() -> None:
    """Of an enum it is a word, of a duration a text."""

    class Level(Word):
        """An enum."""

    words(Level, NONE=("none", 0), HIGH=("high", 1))
    table = _s.message("Task", _s.field("b", _s.enum("Level", Level.numbers)))
    entity: Any = Entity("tasks", Task, table, {"b": codecs.word_of(Level)})
    upcasts = Upcaster(Schema("app", version=2, entities=(entity,), renames=(A_TO_B,)))
    assert said(upcasts.of_today(whole({"a": "none", "b": "high"}), 1)) == {"b": "high"}
    assert said(upcasts.of_today(whole({"a": "high", "b": "none"}), 1)) == {"b": "high"}


def test_an_operation_is_never_nothing() -> None:
    upcasts = upcaster(A_TO_B)
    fields = patch(update("b", "read"), update("a", 0, FieldAction.INCREMENT))
    assert said(upcasts.of_today(fields, 1)) == [("b", FieldAction.INCREMENT, 0)]


def test_of_a_whole_record_there_are_values_only(caplog: pytest.LogCaptureFixture) -> None:
    def deletes(edit: Edit) -> None:
        edit.values.clear()
        edit.deleted.add("a")

    assert refusal(upcaster(v2=deletes).of_today, whole({"a": 1}), 1).code is ErrorCode.INTERNAL
    assert ": of a whole record there are values only: leave out what is to go" in caplog.text


def test_what_cannot_up_cast_is_refused_when_it_is_declared() -> None:
    async def waits(edit: Edit) -> None: ...

    def many(edit: Edit) -> Any:
        yield edit

    for function, told in (
        (waits, "a plain function expected"), (many, "has a `yield`"),
        (lambda: None, r"[ :]\(edit\)"), ("text", ""),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=rf"^app\.upcast.*{told}"):
            check_upcast(function, "app.upcast('tasks', version=2)")
    check_upcast(lambda edit: None, "app.upcast('tasks', version=2)")


@pytest.mark.parametrize(
    ("entity", "version", "words"),
    [
        ("others", 2, "has no such entity"),
        ("tasks", 1, "a version from 2 to 3"),
        ("tasks", 4, "a version from 2 to 3.* the one that older writes become writes of$"),
    ],
)
def test_an_entity_or_a_version_that_there_is_not_is_refused(
    entity: str, version: int, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        check_place(schema_of(), entity, version, "app.upcast(…)")
    for each in (2, 3):
        check_place(schema_of(), "tasks", each, "app.upcast(…)")


def test_an_app_without_a_schema_has_nothing_to_up_cast() -> None:
    with pytest.raises(ValueError, match="has no such entity"):
        check_place(None, "tasks", 2, "app.upcast(…)")


def test_a_server_says_which_schema_it_has() -> None:
    said_of = version_of(Schema("app", version=3, oldest=2, hash="5ca1e"))
    assert (said_of.version, said_of.oldest, said_of.hash) == (3, 2, "5ca1e")


RETIRED = (
    Retired(2, "tasks", ("level",), "high"),
    Retired(2, "tasks", ("levels", ""), "high"),
    Retired(2, "tasks", ("part", "name")),
    Retired(2, "tasks", ("part", "level"), "high"),
    Retired(2, "tasks", ("part", "size", "wide")),
    Retired(2, "tasks", ("many", "", "name")),
    Retired(3, "tasks", ("late",), "x"),
    Retired(2, "old"),
)


def with_retired(declared: tuple[str, ...] = (), **functions: Any) -> Upcaster:
    known = schema_of()
    entities = tuple(known.entities.values())
    schema = Schema("app", version=3, entities=entities, retired=RETIRED)
    those = {("tasks", int(name[1:])): [each] for name, each in functions.items()}
    return Upcaster(schema, those, declared)


OLD_NAMES: list[tuple[str, Any]] = [
    ("level", "high"),
    ("levels", ["low", "high"]),
    ("levels", {"mon": "high"}),
    ("part", {"name": "a"}),
    ("many", [{}, {"name": 0}]),
    ("late", "x"),
]


@pytest.mark.parametrize(("key", "value"), OLD_NAMES)
def test_an_old_name_that_nobody_translates_asks_for_an_upgrade(key: str, value: Any) -> None:
    upcasts = with_retired()
    for write in (whole({"c": "", key: value}), patch(update("c", ""), update(key, value))):
        error = refusal(upcasts.of_today, write, 1)
        assert error.code is ErrorCode.UPGRADE_REQUIRED
        name = "name" if "name" in str(value) else value if key == "late" else "high"
        assert error.message == (
            f"'{name}' in '{key}' is called otherwise in today's version of the application's "
            "schema: upgrade the application, and write it again"
        )
        # Of a version that has the new name, the old one means nothing special.
        assert upcasts.of_today(write, 3) is write


@pytest.mark.parametrize(("key", "value"), OLD_NAMES)
def test_an_old_name_is_what_a_function_makes_of_it(key: str, value: Any) -> None:
    upcasts = with_retired(v2=lambda edit: None, v3=lambda edit: None)
    assert said(upcasts.of_today(whole({key: value}), 1)) == {key: value}


def test_a_function_of_another_version_translates_nothing() -> None:
    upcasts = with_retired(v3=lambda edit: None)
    assert refusal(upcasts.of_today, whole({"level": "high"}), 1).code.name == "UPGRADE_REQUIRED"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("level", "low"), ("level", ["high"]), ("levels", "high"), ("levels", 1), ("part", "name"),
        ("part", {"title": "name"}), ("part", {"name": None}), ("many", {"name": "a"}),
        ("part", {"size": {"width": 1}}), ("part", {"size": 1}), ("part", {"level": "low"}),
        ("part", {"level": {"a": "high"}}), ("levels", ["low"]),
        ("many", None), ("other", "high"),
    ],
)  # fmt: skip
def test_what_has_no_old_name_is_as_it_was(key: str, value: Any) -> None:
    assert said(with_retired().of_today(whole({key: value}), 1)) == {key: value}


def test_a_key_deeper_within_a_value_is_looked_for_where_it_stood() -> None:
    write = whole({"part": {"size": {"wide": 1}}})
    assert "'wide' in 'part'" in refusal(with_retired().of_today, write, 1).message


def test_long_names_are_cut_in_words() -> None:
    long = "x" * 50
    names = (Retired(2, "tasks", (long, long)), Retired(2, long))
    upcasts = Upcaster(Schema("app", version=2, retired=names))
    told = refusal(upcasts.of_today, whole({long: {long: 1}}), 1).message
    assert told.startswith(f"'{long[:40]}' in '{long[:40]}' is called otherwise")
    told = refusal(upcasts.of_today, Push(long, "7", ChangeAction.UPDATE, b"{}"), 1).message
    assert told.startswith(f"there is no entity '{long[:40]}' any more")


def test_an_operation_is_looked_at_like_a_value() -> None:
    add = update("levels", ["high"], FieldAction.ADD)
    assert refusal(with_retired().of_today, patch(add), 1).code is ErrorCode.UPGRADE_REQUIRED


@pytest.mark.parametrize("action", [ChangeAction.UPDATE, ChangeAction.DELETE])
def test_a_write_to_an_entity_that_is_no_more_asks_for_an_upgrade(action: ChangeAction) -> None:
    write = Push("old", "7", action, None if action is ChangeAction.DELETE else b"{}")
    error = refusal(with_retired().of_today, write, 1)
    assert error.code is ErrorCode.UPGRADE_REQUIRED
    assert "there is no entity 'old' any more" in error.message
    assert with_retired().of_today(write, 2) is write
    assert with_retired(declared=("old",)).of_today(write, 1) is write


def test_an_edit_that_does_not_say_when_it_was_made_is_refused_where_it_is_decided() -> None:
    fields = patch(FieldUpdate("a", b"1", FieldAction.UPDATE))
    made = upcaster(A_TO_B, v3=lambda edit: edit.values.update(n=1)).of_today(fields, 1)
    assert isinstance(made, PushFields)
    assert [(each.field, each.timestamp) for each in made.fields] == [("b", None), ("n", None)]
